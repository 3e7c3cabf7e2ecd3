"""`Scaffold`: the ops beside a model that training needs, found in collections or made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.graph_keys import GraphKeys, add_to_collection, get_collection
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.arrays.constant import constant
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.control_flow.ordering import group, no_op
from hybridflow._src.summary.summary import merge_all
from hybridflow._src.train.saving.saver import Saver
from hybridflow._src.variables.initialization import (
    global_variables,
    global_variables_initializer,
    local_variables_initializer,
    report_uninitialized_variables,
    tables_initializer,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Scaffold"]

_SEVERAL = (
    'More than one item in the collection "{key}". Please indicate which one to use by passing it '
    "to the tf.Scaffold constructor as:  tf.Scaffold({argument}=item to use)"
)
_SEVERAL_SAVERS = (
    "More than one item in collection {key}. Please indicate which one to use by passing it to the "
    "constructor."
)


class Scaffold:
    """The ops and the saver that training needs beside a model.

    What is not given is taken from its collection when `finalize` is called; what is not there
    either is made, and put there.

    Args:
      init_op: initializes the global variables.
      init_feed_dict: what is fed to it.
      init_fn: called with the scaffold and a session after it.
      ready_op: a string tensor that names what is not initialized; empty when all is ready.
      ready_for_local_init_op: the same, to be empty before `local_init_op` is run.
      local_init_op: initializes local variables and tables.
      summary_op: a string tensor: all summaries.
      saver: the saver.
      copy_from_scaffold: a scaffold from which the rest is taken.

    Raises:
      TypeError: if `copy_from_scaffold` is none.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default() as graph:
    ...     v = hf.get_variable("v", [2])
    ...     scaffold = hf.train.Scaffold().finalize()
    ...     print(scaffold.init_op.name, scaffold.saver.saver_def.restore_op_name, graph.finalized)
    group_deps save/restore_all True
    """

    def __init__(
        self,
        init_op: Any = None,
        init_feed_dict: Any = None,
        init_fn: Callable[[Scaffold, Any], Any] | None = None,
        ready_op: Any = None,
        ready_for_local_init_op: Any = None,
        local_init_op: Any = None,
        summary_op: Any = None,
        saver: Any = None,
        copy_from_scaffold: Scaffold | None = None,
    ) -> None:
        other = copy_from_scaffold
        if other is not None and not isinstance(other, Scaffold):
            raise TypeError("copy_from_scaffold is not a Scaffold instance.")

        def given(value: Any, name: str) -> Any:
            return getattr(other, name) if value is None and other is not None else value

        self._user_init_fn = given(init_fn, "_user_init_fn")
        self._init_op = given(init_op, "init_op")
        self._init_feed_dict = given(init_feed_dict, "init_feed_dict")
        self._ready_op = given(ready_op, "ready_op")
        self._ready_for_local_init_op = given(ready_for_local_init_op, "ready_for_local_init_op")
        self._local_init_op = given(local_init_op, "local_init_op")
        self._summary_op = given(summary_op, "summary_op")
        self._saver = given(saver, "saver")

    def finalize(self) -> Scaffold:
        """Makes what is missing, and makes the graph read-only.

        Raises:
          RuntimeError: if a collection holds several of what there may be one of.
        """
        for argument, key, make in _PIECES:
            if getattr(self, f"_{argument}") is None:
                setattr(self, f"_{argument}", Scaffold.get_or_default(argument, key, make))
        if self._saver is None:
            self._saver = saver_or_default()
        self._saver.build()
        get_default_graph().finalize()
        return self

    @staticmethod
    def get_or_default(
        arg_name: str, collection_key: Any, default_constructor: Callable[[], Any]
    ) -> Any:
        """The one item of a collection; one that is made, and put there, if it has none.

        Raises:
          RuntimeError: if it has several.
        """
        found = get_collection(collection_key)
        if len(found) > 1:
            raise RuntimeError(_SEVERAL.format(key=collection_key, argument=arg_name))
        if found:
            return found[0]
        made = default_constructor()
        if made is not None:
            add_to_collection(collection_key, made)
        return made

    @property
    def init_fn(self) -> Callable[[Any], Any] | None:
        """What is called with a session after `init_op`, or None."""
        function = self._user_init_fn
        return None if function is None else lambda session: function(self, session)

    @property
    def init_op(self) -> Any:
        """Initializes the global variables."""
        return self._init_op

    @property
    def ready_op(self) -> Any:
        """Names what is not initialized."""
        return self._ready_op

    @property
    def ready_for_local_init_op(self) -> Any:
        """Names what is to be initialized before `local_init_op` is run."""
        return self._ready_for_local_init_op

    @property
    def local_init_op(self) -> Any:
        """Initializes local variables and tables."""
        return self._local_init_op

    @property
    def summary_op(self) -> Any:
        """All summaries, or None."""
        return self._summary_op

    @property
    def saver(self) -> Any:
        """The saver."""
        return self._saver

    @property
    def init_feed_dict(self) -> Any:
        """What is fed to `init_op`."""
        return self._init_feed_dict


def saver_or_default() -> Any:
    """The saver in the collection of savers; one of all variables, put there, if it has none.

    Raises:
      RuntimeError: if it has several.
    """
    found = get_collection(GraphKeys.SAVERS)
    if len(found) > 1:
        raise RuntimeError(_SEVERAL_SAVERS.format(key=GraphKeys.SAVERS))
    if found:
        return found[0]
    saver = Saver(sharded=True, allow_empty=True)
    add_to_collection(GraphKeys.SAVERS, saver)
    return saver


def _init_op() -> Any:
    # Resources beside variables do not exist here; the op that would make them keeps its place.
    return group(global_variables_initializer(), no_op(name="init"))


def _ready_op() -> Any:
    variables = report_uninitialized_variables()
    with name_scope("report_uninitialized_resources"):
        resources = constant([], dtypes.string)
    return concat([variables, resources], 0)


def _ready_for_local_init_op() -> Any:
    return report_uninitialized_variables(global_variables())


def _local_init_op() -> Any:
    return group(local_variables_initializer(), tables_initializer())


_PIECES: tuple[tuple[str, str, Callable[[], Any]], ...] = (
    ("init_op", GraphKeys.INIT_OP, _init_op),
    ("ready_op", GraphKeys.READY_OP, _ready_op),
    ("ready_for_local_init_op", GraphKeys.READY_FOR_LOCAL_INIT_OP, _ready_for_local_init_op),
    ("local_init_op", GraphKeys.LOCAL_INIT_OP, _local_init_op),
    ("summary_op", GraphKeys.SUMMARY_OP, merge_all),
)
