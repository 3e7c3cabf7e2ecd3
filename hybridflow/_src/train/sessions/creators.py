"""`SessionCreator`s: how monitored sessions are made, and made anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.train.sessions.scaffold import Scaffold
from hybridflow._src.train.sessions.session_manager import SessionManager

if TYPE_CHECKING:
    from hybridflow._src.runtime.session import Session

__all__ = ["ChiefSessionCreator", "SessionCreator", "WorkerSessionCreator"]


class SessionCreator:
    """Makes sessions; a class of your own defines `create_session`.

    >>> import hybridflow as hf
    >>> class Plain(hf.train.SessionCreator):
    ...     def create_session(self):
    ...         return hf.Session()
    >>> with hf.Graph().as_default():
    ...     x = hf.constant(2.0)
    ...     with hf.train.MonitoredSession(Plain()) as session:
    ...         print(session.run(x))
    2.0
    """

    def create_session(self) -> Any:
        """Makes a session."""
        raise NotImplementedError(f"create_session is not implemented for {self}.")


class _FromScaffold(SessionCreator):
    """What makes a session of the default graph with a scaffold's ops."""

    def __init__(self, scaffold: Scaffold | None, master: str, config: Any) -> None:
        self._scaffold = scaffold or Scaffold()
        self._manager: SessionManager | None = None
        self._master = master
        self._config = config

    def _session_manager(self) -> SessionManager:
        self._scaffold.finalize()
        if self._manager is None:
            self._manager = SessionManager(
                local_init_op=self._scaffold.local_init_op,
                ready_op=self._scaffold.ready_op,
                ready_for_local_init_op=self._scaffold.ready_for_local_init_op,
                graph=get_default_graph(),
            )
        return self._manager


class ChiefSessionCreator(_FromScaffold):
    """Makes sessions that are restored from a checkpoint, or else initialized.

    Args:
      scaffold: the ops; a default one if it is None.
      master: the target of sessions.
      config: options of sessions.
      checkpoint_dir: the folder whose latest checkpoint is restored.
      checkpoint_filename_with_path: the checkpoint that is, instead.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     v = hf.get_variable("v", initializer=1.0)
    ...     print(hf.train.ChiefSessionCreator().create_session().run(v))
    1.0
    """

    def __init__(
        self,
        scaffold: Scaffold | None = None,
        master: str = "",
        config: Any = None,
        checkpoint_dir: Any = None,
        checkpoint_filename_with_path: Any = None,
    ) -> None:
        super().__init__(scaffold, master, config)
        self._checkpoint_dir = checkpoint_dir
        self._checkpoint = checkpoint_filename_with_path

    def create_session(self) -> Session:
        """Makes a session in which all is ready.

        Raises:
          RuntimeError: if something is not ready. OpError: if a checkpoint cannot be restored.
        """
        manager = self._session_manager()
        return manager.prepare_session(
            self._master,
            saver=self._scaffold.saver,
            checkpoint_dir=self._checkpoint_dir,
            checkpoint_filename_with_path=self._checkpoint,
            config=self._config,
            init_op=self._scaffold.init_op,
            init_feed_dict=self._scaffold.init_feed_dict,
            init_fn=self._scaffold.init_fn,
        )


class WorkerSessionCreator(_FromScaffold):
    """Makes sessions when somebody else has initialized the variables.

    A session of this process holds its variables' values itself: they are ready only if
    `local_init_op` makes them so.

    Args:
      scaffold: the ops; a default one if it is None.
      master: the target of sessions.
      config: options of sessions.
      max_wait_secs: how many seconds to wait at most.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     x = hf.constant(1.0)
    ...     print(hf.train.WorkerSessionCreator().create_session().run(x))
    1.0
    """

    def __init__(
        self,
        scaffold: Scaffold | None = None,
        master: str = "",
        config: Any = None,
        max_wait_secs: float = 30 * 60,
    ) -> None:
        super().__init__(scaffold, master, config)
        self._max_wait_secs = max_wait_secs

    def create_session(self) -> Session:
        """Makes a session when all is ready.

        Raises:
          DeadlineExceededError: if that takes too long.
        """
        manager = self._session_manager()
        return manager.wait_for_session(
            self._master, config=self._config, max_wait_secs=self._max_wait_secs
        )
