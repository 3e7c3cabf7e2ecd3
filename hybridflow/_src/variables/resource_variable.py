"""`ResourceVariable`: a variable with well-defined reads and writes."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.errors import ShapeError
from hybridflow._src.framework.op_def import OPS
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import (
    colocate_with,
    control_dependencies,
    device,
    name_scope,
)
from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.variables.variable import Variable

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["ResourceVariable"]

_IS_INITIALIZED = "IsInitialized/VarIsInitializedOp"
_READ = "Read/ReadVariableOp"
_NOTHING = contextlib.nullcontext()


class ResourceVariable(Variable):
    """A variable whose reads and writes are ordered by dependencies alone.

    A read sees the writes that it depends on, and otherwise the value from before the step. In
    eager mode the value is there at once and each read gives the latest one.

    Args: as for `Variable`.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     v = hf.ResourceVariable([1.0, 2.0], name="v")
    ...     _ = sess.run(v.initializer)
    ...     print(sess.run([v, v.assign_add([1.0, 1.0])]))
    [array([1., 2.], dtype=float32), array([2., 3.], dtype=float32)]
    """

    _is_resource = True

    # -- making it ---------------------------------------------------------------------------------

    def _value_scope(self) -> AbstractContextManager[Any]:
        return name_scope("Initializer")

    def _make_ops(self, scope: str, validate_shape: bool) -> None:
        graph, dtype = get_default_graph(), self._dtype
        form = {"dtype": dtype, "shape": TensorShape.of(self._dims)}
        attrs = {**form, "shared_name": scope[:-1], "container": ""}
        beside = {"_class": [b"loc:@" + scope[:-1].encode()]}
        for part in ("IsInitialized", "Read"):
            graph.unique_name(part)
        specs: list[Any] = [
            (OPS["VarHandleOp"], (), attrs, scope, dtypes.resource, ()),
            (OPS["VarIsInitializedOp"], (0,), {}, _IS_INITIALIZED, dtypes.bool, ()),
        ]
        self._handle, _ = graph.add_ops(specs)
        self._op = self._handle.op
        read = (
            OPS["ReadVariableOp"],
            (self._handle,),
            {**form, **beside},
            _READ,
            dtype,
            self._dims,
        )
        with _NOTHING if graph._scope.top.is_plain else colocate_with(self._op):
            self._initializer_op = graph.add_op(
                OPS["AssignVariableOp"],
                (self._handle, self._initial_expression),
                {"shape": form["shape"], **beside},
                "Assign",
                (),
                (),
            )
            # What `session.run(variable)` fetches; `_cached` is what readers get.
            (self._snapshot,) = graph.add_ops([read])
        self._cached: Tensor | None = None
        if self._caching_device is not None:
            with (
                name_scope(f"{scope}Read/"),
                colocate_with(None, ignore_existing=True),
                device(self._caching_device),
            ):
                self._cached = raw.Identity(self._snapshot)

    def _shared_snapshot(self) -> Tensor | None:
        return self._cached

    def _restore_snapshot(self, snapshot: Any) -> None:
        is_read = snapshot is not None and snapshot.op.type == "ReadVariableOp"
        self._cached = None if is_read else snapshot
        read = self._op.graph._by_name.get(f"{self._op.name}/{_READ}")
        self._snapshot = self._read() if read is None else read.outputs[0]

    # -- what it is --------------------------------------------------------------------------------

    @property
    def dtype(self) -> DType:
        """The dtype of the value."""
        return self._dtype

    def set_shape(self, shape: Any) -> None:
        """Adds what is known of the shape."""
        self._dims = self.shape.merge_with(shape)._dims

    # -- reading -----------------------------------------------------------------------------------

    def _read(self) -> Tensor:
        if self._trainable:
            for tape in context.tapes.top:
                tape.watch_variable(self)
        return raw.ReadVariableOp(self._handle, dtype=self._dtype, shape=TensorShape.of(self._dims))

    def _read_here(self) -> Tensor:
        """The value, read on the variable's device."""
        with colocate_with(None, ignore_existing=True), _on(self.device):
            return self._read()

    def value(self) -> Tensor:
        """The value as a tensor: read anew, or the cached copy where there is a caching device."""
        if self._cached is not None:
            return self._cached
        return self._read_here()

    def read_value(self) -> Tensor:
        """The value read here: after the control dependencies that are open now."""
        with name_scope("Read"), _on(self.device):
            value = self._read()
        return raw.Identity(value)

    def is_initialized(self, name: str | None = None) -> Tensor:
        """A boolean scalar: whether the variable has a value."""
        return raw.VarIsInitializedOp(self._handle, name=name)

    def sparse_read(self, indices: Any, name: str | None = None) -> Tensor:
        """The rows at `indices`."""
        return raw.GatherV2(self.value(), indices, 0, name=name)

    def _as_graph_element(self) -> Tensor:
        return self._snapshot

    # -- writing -----------------------------------------------------------------------------------

    def _written(self, op: Any) -> Tensor:
        with control_dependencies([op]):
            return self.read_value()

    def _value_for(self, value: Any) -> Tensor:
        value = convert_to_tensor(value, self._dtype)
        if not self.shape.is_compatible_with(value.shape):
            raise ShapeError(
                f"Shapes {self.shape} and {value.shape} are incompatible: variable '{self.name}' "
                f"has shape {self.shape}, the value {value.shape}. A variable keeps its shape; "
                f"`hf.reshape` or `hf.broadcast_to` fits the value to it."
            )
        return value

    def assign(self, value: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
        """Gives the variable a new value; the result is that value (in a graph, when it runs).

        Raises:
          ValueError: if shape or dtype do not fit.
        """
        value = self._value_for(value)
        shape = TensorShape.of(self._dims)
        return self._written(raw.AssignVariableOp(self._handle, value, shape=shape, name=name))

    def assign_add(self, delta: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
        """Adds `delta`; the result is the new value."""
        delta = self._value_for(delta)
        return self._written(raw.AssignAddVariableOp(self._handle, delta, name=name))

    def assign_sub(self, delta: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
        """Subtracts `delta`; the result is the new value."""
        delta = self._value_for(delta)
        return self._written(raw.AssignSubVariableOp(self._handle, delta, name=name))

    def _scatter(
        self, kind: str, indices: Any, updates: Any, use_locking: bool, name: str | None
    ) -> Tensor:
        updates = convert_to_tensor(updates, self._dtype)
        op = getattr(raw, f"ResourceScatter{kind}")(self._handle, indices, updates, name=name)
        return self._written(op)

    def _assign_slice(self, bounds: Any, value: Any, name: str | None, masks: Any) -> Tensor:
        value = convert_to_tensor(value, self._dtype)
        op = raw.ResourceStridedSliceAssign(self._handle, *bounds, value, name=name, **masks)
        with control_dependencies([op]):
            return self._read_here()


def _on(name: str) -> AbstractContextManager[Any]:
    return device(name) if name else _NOTHING


Variable.resource_class = ResourceVariable
