"""Descriptions of variables by names: what `to_proto` gives and `from_proto` takes."""

from __future__ import annotations

from typing import Any

from hybridflow._src.formats import messages
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.graph_keys import GraphKeys
from hybridflow._src.variables.initial_value import register


class SaveSliceInfo:
    """Where a part of a partitioned variable lies in the whole.

    Args:
      full_name: name of the whole variable.
      full_shape: its shape.
      var_offset: the first index of the part in each dimension.
      var_shape: the part's shape.
      save_slice_info_def: a `SaveSliceInfoDef` to take these from.
      import_scope: a name scope to put before its name.
      rank: which of several ranks has the part; None if all have.

    >>> import hybridflow as hf
    >>> hf.Variable.SaveSliceInfo("w", [6, 2], [2, 0], [2, 2]).spec
    '6 2 2,2:0,2'
    """

    def __init__(
        self,
        full_name: str | None = None,
        full_shape: list[int] | None = None,
        var_offset: list[int] | None = None,
        var_shape: list[int] | None = None,
        save_slice_info_def: Any = None,
        import_scope: str | None = None,
        rank: int | None = None,
    ) -> None:
        self.rank = rank
        given = save_slice_info_def
        if given is not None:
            full_name = _with_scope(given.full_name, import_scope)
            full_shape, var_offset = list(given.full_shape), list(given.var_offset)
            var_shape = list(given.var_shape)
        self.full_name = full_name or ""
        self.full_shape = full_shape or []
        self.var_offset = var_offset or []
        self.var_shape = var_shape or []

    @property
    def spec(self) -> str:
        """TF's text for the slice: "full shape offset,size:offset,size"."""
        pairs = zip(self.var_offset, self.var_shape, strict=True)
        sizes = "".join(f"{size} " for size in self.full_shape)
        return sizes + ":".join(f"{offset},{size}" for offset, size in pairs)

    def to_proto(self, export_scope: str | None = None) -> Any:
        """A `SaveSliceInfoDef` message; None outside of `export_scope`, which its name loses."""
        if export_scope is not None and not self.full_name.startswith(export_scope):
            return None
        name = _without_scope(self.full_name, export_scope)
        return messages.SaveSliceInfoDef(
            full_name=name,
            full_shape=self.full_shape,
            var_offset=self.var_offset,
            var_shape=self.var_shape,
        )


def _with_scope(name: str, scope: str | None) -> str:
    """`name` inside a name scope."""
    return f"{scope.rstrip('/')}/{name}" if scope else name


def _without_scope(name: str, scope: str | None) -> str:
    """`name` as seen from inside a name scope."""
    inside = f"{scope.rstrip('/')}/" if scope else ""
    return name.removeprefix(inside)


def describe(variable: Any, export_scope: str | None) -> Any:
    """What `variable.to_proto(export_scope)` gives."""
    if export_scope is not None and not variable.name.startswith(export_scope):
        return None

    def name_of(part: Any) -> str:
        return "" if part is None else _without_scope(part.name, export_scope)

    info = variable._save_slice_info
    return messages.VariableDef(
        variable_name=name_of(variable._handle),
        initial_value_name=name_of(variable._initial_value),
        initializer_name=name_of(variable._initializer_op),
        snapshot_name=name_of(variable._shared_snapshot()),
        save_slice_info_def=None if info is None else info.to_proto(export_scope),
        is_resource=variable._is_resource,
        trainable=variable._trainable,
    )


def restore(variable: Any, given: Any, import_scope: str | None) -> None:
    """Makes a new variable object stand for the ops that `given` names in the default graph."""
    graph = get_default_graph()

    def element(name: str) -> Any:
        return graph.as_graph_element(_with_scope(name, import_scope)) if name else None

    variable._handle = element(given.variable_name)
    variable._op = getattr(variable._handle, "op", None)
    if not {"dtype", "shape"} <= getattr(variable._op, "attrs", {}).keys():
        raise ValueError(f"{given.variable_name!r} is no variable of the graph.")
    variable._dtype = variable._op.attrs["dtype"]
    variable._dims = variable._op.attrs["shape"]._dims
    variable._initializer_op = element(given.initializer_name)
    assigned: Any = getattr(variable._initializer_op, "inputs", ())
    variable._initial_expression = assigned[1] if len(assigned) > 1 else None
    initial_value = element(given.initial_value_name)
    if initial_value is None:
        initial_value = variable._initial_expression
    variable._initial_value = initial_value
    trainable = graph.get_collection(GraphKeys.TRAINABLE_VARIABLES)
    listed = any(getattr(v, "op", None) is variable._op for v in trainable)
    # TensorFlow 1.4 writes it by the collection alone.
    variable._trainable = given.trainable or listed
    variable._restore_snapshot(element(given.snapshot_name))
    if given.HasField("save_slice_info_def"):
        variable._save_slice_info = SaveSliceInfo(
            save_slice_info_def=given.save_slice_info_def, import_scope=import_scope
        )
    register(graph, variable)
