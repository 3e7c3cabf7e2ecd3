"""`tensorflow.python.training.evaluation`: a model of a checkpoint, run some number of times."""

from __future__ import annotations

import time
from typing import Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.graph_keys import GraphKeys
from hybridflow._src.ops.control_flow.ordering import with_dependencies
from hybridflow._src.platform import tf_logging
from hybridflow._src.train.hooks.feeding import FinalOpsHook
from hybridflow._src.train.hooks.session_run_hook import (
    SessionRunArgs,
    SessionRunContext,
    SessionRunHook,
    SessionRunValues,
)
from hybridflow._src.train.sessions.creators import ChiefSessionCreator
from hybridflow._src.train.sessions.monitored_session import MonitoredSession
from hybridflow._src.variables.getting import get_variable
from hybridflow._src.variables.initializers import Zeros
from hybridflow._src.variables.scope import AUTO_REUSE, variable_scope
from hybridflow._src.variables.updates import assign_add

__all__ = ["_StopAfterNEvalsHook", "_evaluate_once", "_get_or_create_eval_step"]

_EVAL_STEP = "eval_step"


def _get_or_create_eval_step() -> Any:
    """The variable that counts evaluations, of which a graph has one.

    Raises:
      ValueError: if it has several.
    """
    found = get_default_graph().get_collection(GraphKeys.EVAL_STEP)
    if len(found) > 1:
        raise ValueError("Multiple tensors added to tf.GraphKeys.EVAL_STEP")
    if found:
        return found[0]
    with variable_scope("", reuse=AUTO_REUSE):
        return get_variable(
            _EVAL_STEP,
            shape=[],
            dtype=dtypes.int64,
            initializer=Zeros(),
            trainable=False,
            collections=[GraphKeys.LOCAL_VARIABLES, GraphKeys.EVAL_STEP],
        )


class _StopAfterNEvalsHook(SessionRunHook):
    """Ends a session after a number of evaluations; without end, if that is None."""

    def __init__(self, num_evals: int | None, log_progress: bool = True) -> None:
        self._num_evals = num_evals
        self._evals_completed: Any = None
        self._log_progress = log_progress
        self._every = 1 if num_evals is None or num_evals < 20 else round(num_evals / 10)

    def _set_evals_completed_tensor(self, updated_eval_step: Any) -> None:
        self._evals_completed = updated_eval_step

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        return SessionRunArgs({"evals_completed": self._evals_completed})

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        done = run_values.results["evals_completed"]
        if self._log_progress and (done % self._every == 0 or done == self._num_evals):
            of = "" if self._num_evals is None else f"/{self._num_evals}"
            tf_logging.info("Evaluation [%d%s]", done, of)
        if self._num_evals is not None and done >= self._num_evals:
            run_context.request_stop()


def _evaluate_once(
    checkpoint_path: str | None,
    master: str = "",
    scaffold: Any = None,
    eval_ops: Any = None,
    feed_dict: Any = None,
    final_ops: Any = None,
    final_ops_feed_dict: Any = None,
    hooks: Any = None,
    config: Any = None,
) -> Any:
    """Runs `eval_ops` until a hook stops it, and gives the values of `final_ops`.

    Args:
      checkpoint_path: the checkpoint; None for variables as they are initialized.
      master, scaffold, config: of the session.
      eval_ops: an operation, or a list or dict of them, run each time.
      feed_dict: fed each time.
      final_ops: fetched at the end, in any structure; None for nothing.
      final_ops_feed_dict: fed then.
      hooks: hooks of the session.
    """
    eval_step = _get_or_create_eval_step()
    hooks = list(hooks or ())
    if eval_ops is not None:
        count = assign_add(eval_step, 1, use_locking=True)
        if isinstance(eval_ops, dict):
            eval_ops["update_eval_step"] = count
        elif isinstance(eval_ops, tuple | list):
            eval_ops = [*eval_ops, count]
        else:
            eval_ops = [eval_ops, count]
        waits = list(eval_ops.values()) if isinstance(eval_ops, dict) else list(eval_ops)
        last = with_dependencies(waits, eval_step)
        for hook in hooks:
            if isinstance(hook, _StopAfterNEvalsHook):
                hook._set_evals_completed_tensor(last)
    tf_logging.info("Starting evaluation at %s", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    creator = ChiefSessionCreator(
        scaffold=scaffold,
        checkpoint_filename_with_path=checkpoint_path,
        master=master,
        config=config,
    )
    final = FinalOpsHook(final_ops, final_ops_feed_dict)
    with MonitoredSession(session_creator=creator, hooks=[*hooks, final]) as session:
        if eval_ops is not None:
            while not session.should_stop():
                session.run(eval_ops, feed_dict)
    tf_logging.info("Finished evaluation")
    return final.final_ops_values
