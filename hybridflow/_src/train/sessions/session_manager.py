"""`SessionManager`: makes sessions whose variables are restored, or else initialized."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.errors import DeadlineExceededError, FailedPreconditionError
from hybridflow._src.platform import tf_logging
from hybridflow._src.runtime.session import Session
from hybridflow._src.train.saving.state import get_checkpoint_state

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.graph import Graph

__all__ = ["SessionManager"]

# Whether something is so, and the reason if it is not.
_Answer = tuple[bool, str | None]


class SessionManager:
    """Makes sessions: from the latest checkpoint, or else by the ops that initialize.

    Args:
      local_init_op: an operation that is run in each new session: it initializes local variables
        and tables.
      ready_op: a string tensor that names what is not initialized; empty when all is ready.
      ready_for_local_init_op: the same, to be empty before `local_init_op` is run.
      graph: the graph; the default one if it is None.
      recovery_wait_secs: seconds from one look to the next, where it waits.

    Raises:
      ValueError: for `ready_for_local_init_op` without `local_init_op`.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     v = hf.get_variable("v", initializer=1.0)
    ...     manager = hf.train.SessionManager(ready_op=hf.report_uninitialized_variables())
    ...     session = manager.prepare_session("", init_op=hf.global_variables_initializer())
    ...     print(session.run(v))
    1.0
    """

    def __init__(
        self,
        local_init_op: Any = None,
        ready_op: Any = None,
        ready_for_local_init_op: Any = None,
        graph: Graph | None = None,
        recovery_wait_secs: float = 30,
    ) -> None:
        if ready_for_local_init_op is not None and local_init_op is None:
            raise ValueError(
                "If you pass a ready_for_local_init_op you must also pass a local_init_op , "
                f"ready_for_local_init_op [{ready_for_local_init_op}]"
            )
        self._local_init_op = local_init_op
        self._ready_op = ready_op
        self._ready_for_local_init_op = ready_for_local_init_op
        self._graph = get_default_graph() if graph is None else graph
        self._wait = recovery_wait_secs

    def prepare_session(
        self,
        master: str,
        init_op: Any = None,
        saver: Any = None,
        checkpoint_dir: Any = None,
        checkpoint_filename_with_path: Any = None,
        wait_for_checkpoint: bool = False,
        max_wait_secs: float = 7200,
        config: Any = None,
        init_feed_dict: Any = None,
        init_fn: Callable[[Session], Any] | None = None,
    ) -> Session:
        """A session in which all is ready.

        Args:
          master: the target of the session.
          init_op: an operation that initializes, where there is no checkpoint.
          saver: the saver that restores.
          checkpoint_dir: the folder whose latest checkpoint is restored.
          checkpoint_filename_with_path: the checkpoint that is, instead.
          wait_for_checkpoint: whether to wait for one.
          max_wait_secs: how long at most.
          config: options of the session.
          init_feed_dict: what is fed to `init_op`.
          init_fn: called with the session after `init_op`.

        Raises:
          RuntimeError: if nothing is there to initialize with, or something is not ready then.
          ValueError: if both a folder and a checkpoint are given.
        """
        restored = checkpoint_dir, checkpoint_filename_with_path
        sess, loaded = self._restored(
            master, saver, *restored, wait_for_checkpoint, max_wait_secs, config
        )
        if not loaded:
            if init_op is None and not init_fn and self._local_init_op is None:
                raise RuntimeError(
                    "Model is not initialized and no init_op or init_fn or local_init_op was given"
                )
            if init_op is not None:
                sess.run(init_op, feed_dict=init_feed_dict)
            if init_fn:
                init_fn(sess)
        made = f"Init op: {_name(init_op)}, init fn: {init_fn}"
        done, reason = self._initialize_locally(sess)
        if not done:
            raise RuntimeError(
                f"Init operations did not make model ready for local_init.  {made}, error: {reason}"
            )
        ready, reason = _ready(self._ready_op, sess, "Model not ready")
        if not ready:
            raise RuntimeError(
                f"Init operations did not make model ready.  {made}, local_init_op: "
                f"{_name(self._local_init_op)}, error: {reason}"
            )
        return sess

    def recover_session(
        self,
        master: str,
        saver: Any = None,
        checkpoint_dir: Any = None,
        checkpoint_filename_with_path: Any = None,
        wait_for_checkpoint: bool = False,
        max_wait_secs: float = 7200,
        config: Any = None,
    ) -> tuple[Session, bool]:
        """A session, and whether it is restored from a checkpoint and ready.

        Raises:
          ValueError: if both a folder and a checkpoint are given.
        """
        restored = checkpoint_dir, checkpoint_filename_with_path
        sess, loaded = self._restored(
            master, saver, *restored, wait_for_checkpoint, max_wait_secs, config
        )
        done, reason = self._initialize_locally(sess)
        if not loaded:
            return sess, False
        path = checkpoint_dir or checkpoint_filename_with_path
        if not done:
            tf_logging.info(
                "Restoring model from %s did not make model ready for local init: %s", path, reason
            )
            return sess, False
        ready, reason = _ready(self._ready_op, sess, "Model not ready")
        if not ready:
            tf_logging.info("Restoring model from %s did not make model ready: %s", path, reason)
            return sess, False
        tf_logging.info("Restored model from %s", path)
        return sess, True

    def wait_for_session(
        self, master: str, config: Any = None, max_wait_secs: float | None = float("inf")
    ) -> Session:
        """A session, when somebody else has made all ready.

        Raises:
          DeadlineExceededError: if that takes longer than `max_wait_secs`.
        """
        longest = float("inf") if max_wait_secs is None else max_wait_secs
        end = time.monotonic() + longest
        while True:
            sess = Session(master, graph=self._graph, config=config)
            done, local_reason = self._initialize_locally(sess)
            ready, reason = (
                _ready(self._ready_op, sess, "Model not ready") if done else (False, None)
            )
            if ready:
                return sess
            sess.close()
            if max(end - time.monotonic(), 0) < self._wait:
                raise DeadlineExceededError(
                    None, None, f"Session was not ready after waiting {longest:.0f} secs."
                )
            tf_logging.info(
                "Waiting for model to be ready.  Ready_for_local_init_op:  %s, ready: %s",
                local_reason,
                reason,
            )
            time.sleep(self._wait)

    def _restored(
        self,
        master: str,
        saver: Any,
        checkpoint_dir: Any,
        checkpoint_filename_with_path: Any,
        wait_for_checkpoint: bool,
        max_wait_secs: float,
        config: Any,
    ) -> tuple[Session, bool]:
        """A session, and whether a checkpoint was restored."""
        if checkpoint_dir and checkpoint_filename_with_path:
            raise ValueError(
                "Can not provide both checkpoint_dir and checkpoint_filename_with_path."
            )
        sess = Session(master, graph=self._graph, config=config)
        if not saver:
            return sess, False
        if checkpoint_filename_with_path:
            saver.restore(sess, checkpoint_filename_with_path)
            return sess, True
        if not checkpoint_dir:
            return sess, False
        end = time.monotonic() + max_wait_secs
        while not (state := get_checkpoint_state(checkpoint_dir)):
            if not wait_for_checkpoint or time.monotonic() >= end:
                return sess, False
            tf_logging.info("Waiting for checkpoint to be available.")
            time.sleep(self._wait)
        saver.restore(sess, state.model_checkpoint_path)
        saver.recover_last_checkpoints(state.all_model_checkpoint_paths)
        return sess, True

    def _initialize_locally(self, sess: Session) -> _Answer:
        if self._local_init_op is None:
            return True, None
        ready, reason = _ready(
            self._ready_for_local_init_op, sess, "Model not ready for local init"
        )
        if ready:
            sess.run(self._local_init_op)
        return ready, reason


def _ready(op: Any, sess: Session, what: str) -> _Answer:
    """Whether all is ready by what `op` says."""
    if op is None:
        return True, None
    try:
        value = sess.run(op)
    except FailedPreconditionError as error:
        if "uninitialized" not in str(error):
            tf_logging.warning("%s : error [%s]", what, error)
            raise
        return False, str(error)
    # An operation, or a number, says by its success that all is ready.
    if value is None or np.asarray(value).dtype == np.int32 or not np.size(value):
        return True, None
    names = ", ".join([name.decode() for name in np.asarray(value).reshape(-1)])
    return False, f"Variables not initialized: {names}"


def _name(op: Any) -> str:
    return str(getattr(op, "name", op))
