"""`MonitoredTrainingSession`: the session of a program that trains, saves and goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.train.hooks.measuring import StepCounterHook
from hybridflow._src.train.hooks.saving import CheckpointSaverHook, SummarySaverHook
from hybridflow._src.train.sessions.creators import ChiefSessionCreator, WorkerSessionCreator
from hybridflow._src.train.sessions.monitored_session import MonitoredSession
from hybridflow._src.train.sessions.scaffold import Scaffold

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.train.hooks.session_run_hook import SessionRunHook

__all__ = ["MonitoredTrainingSession"]

# No value was given.
USE_DEFAULT: Any = type("UseDefault", (), {"__repr__": lambda self: "USE_DEFAULT"})()


def MonitoredTrainingSession(
    master: str = "",
    is_chief: bool = True,
    checkpoint_dir: Any = None,
    scaffold: Scaffold | None = None,
    hooks: Iterable[SessionRunHook] | None = None,
    chief_only_hooks: Iterable[SessionRunHook] | None = None,
    save_checkpoint_secs: float | None = USE_DEFAULT,
    save_summaries_steps: int | None = USE_DEFAULT,
    save_summaries_secs: float | None = USE_DEFAULT,
    config: Any = None,
    stop_grace_period_secs: float = 120,
    log_step_count_steps: int | None = 100,
    max_wait_secs: float = 7200,
    save_checkpoint_steps: int | None = USE_DEFAULT,
    summary_dir: Any = None,
) -> MonitoredSession:
    """A `MonitoredSession` for training: it goes on from the latest checkpoint, and saves.

    Args:
      master: the target of the session.
      is_chief: whether it initializes and saves; else it waits until another has initialized.
      checkpoint_dir: the folder of checkpoints and events; without one nothing is saved.
      scaffold: the ops beside the model; a default one if it is None.
      hooks: the hooks. chief_only_hooks: those of a chief alone.
      save_checkpoint_secs: save a checkpoint after so many seconds, 600 by default.
      save_summaries_steps: write summaries after so many steps, 100 by default.
      save_summaries_secs: write summaries after so many seconds, instead; None for both for none.
      config: options of the session.
      stop_grace_period_secs: how long threads may still run when it is closed.
      log_step_count_steps: log steps a second after so many steps; None or 0 for never.
      max_wait_secs: how long one that is no chief waits at most.
      save_checkpoint_steps: save a checkpoint after so many steps, instead; None or 0 for both for
        none.
      summary_dir: the folder of events, if it is another than that of checkpoints.

    Returns: the session, for a `with` statement.

    >>> import hybridflow as hf
    >>> import tempfile
    >>> def train(folder, last_step):
    ...     with hf.Graph().as_default():
    ...         step = hf.train.get_or_create_global_step()
    ...         count = hf.assign_add(step, 1)
    ...         hooks = [hf.train.StopAtStepHook(last_step=last_step)]
    ...         session = hf.train.MonitoredTrainingSession(checkpoint_dir=folder, hooks=hooks)
    ...         with session:
    ...             while not session.should_stop():
    ...                 print(session.run(count), end=" ")
    ...     hf.summary.FileWriterCache.clear()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     train(folder, last_step=2)
    ...     train(folder, last_step=4)
    1 2 3 4
    """
    save_summaries_steps, save_summaries_secs = _chosen(
        (save_summaries_steps, save_summaries_secs), (100, None)
    )
    save_checkpoint_steps, save_checkpoint_secs = _chosen(
        (save_checkpoint_steps, save_checkpoint_secs), (None, 600)
    )
    scaffold = scaffold or Scaffold()
    if not is_chief:
        worker = WorkerSessionCreator(scaffold, master, config, max_wait_secs)
        return MonitoredSession(worker, hooks, stop_grace_period_secs)
    all_hooks = list(chief_only_hooks or ())
    summary_dir = summary_dir or checkpoint_dir
    if summary_dir:
        if log_step_count_steps and log_step_count_steps > 0:
            all_hooks.append(
                StepCounterHook(every_n_steps=log_step_count_steps, output_dir=summary_dir)
            )
        if (save_summaries_steps or 0) > 0 or (save_summaries_secs or 0) > 0:
            all_hooks.append(
                SummarySaverHook(
                    save_steps=save_summaries_steps,
                    save_secs=save_summaries_secs,
                    output_dir=summary_dir,
                    scaffold=scaffold,
                )
            )
    if checkpoint_dir and ((save_checkpoint_secs or 0) > 0 or (save_checkpoint_steps or 0) > 0):
        all_hooks.append(
            CheckpointSaverHook(
                checkpoint_dir,
                save_secs=save_checkpoint_secs,
                save_steps=save_checkpoint_steps,
                scaffold=scaffold,
            )
        )
    all_hooks.extend(hooks or ())
    chief = ChiefSessionCreator(scaffold, master, config, checkpoint_dir)
    return MonitoredSession(chief, all_hooks, stop_grace_period_secs)


def _chosen(given: tuple[Any, Any], default: tuple[Any, Any]) -> tuple[Any, Any]:
    """Steps and seconds between two: the default if neither was given, else None for that one."""
    if given == (USE_DEFAULT, USE_DEFAULT):
        return default
    steps, seconds = [None if value is USE_DEFAULT else value for value in given]
    return steps, seconds
