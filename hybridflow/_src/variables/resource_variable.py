"""`ResourceVariable`: a variable with well-defined reads and writes, and the only kind in eager mode."""

from __future__ import annotations

import contextlib
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.eager_tensor import EagerTensor, wrap
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import (
    colocate_with,
    control_dependencies,
    current_device,
    device,
    name_scope,
)
from hybridflow._src.framework.storage import Storage
from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.variables.variable import Variable, _check_initial

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.tensor import Tensor

_EAGER_DEVICE = "/job:localhost/replica:0/task:0/device:CPU:0"


class ResourceVariable(Variable):
    """A variable whose reads and writes are ordered by dependencies alone.

    A read sees the writes that it depends on, and otherwise the value from before the step. In eager
    mode the value is there at once and each read gives the latest one.

    Args: as for `Variable` (with `dtype` before `variable_def`).

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     v = hf.Variable([1.0, 2.0], name="v")
    ...     _ = v.assign_add([1.0, 1.0])
    >>> v
    <hf.Variable 'v:0' shape=(2,) dtype=float32, numpy=array([2., 3.], dtype=float32)>
    """

    _storage: Storage

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool = True,
        collections: Any = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        dtype: Any = None,
        variable_def: Any = None,
        import_scope: str | None = None,
        constraint: Callable[[Tensor], Tensor] | None = None,
        expected_shape: Any = None,
    ) -> None:
        super().__init__(
            initial_value=initial_value,
            trainable=trainable,
            collections=collections,
            validate_shape=validate_shape,
            caching_device=caching_device,
            name=name,
            variable_def=variable_def,
            dtype=dtype,
            expected_shape=expected_shape,
            import_scope=import_scope,
            constraint=constraint,
        )

    # -- making it -----------------------------------------------------------------------------

    def _create(
        self,
        initial_value: Any,
        from_function: bool,
        scope: str,
        dtype: DType | None,
        validate_shape: bool,
        expected_shape: Any,
    ) -> None:
        if not self._eager:
            super()._create(initial_value, from_function, scope, dtype, validate_shape, expected_shape)
            return
        if from_function:
            with name_scope("Initializer"):
                initial_value = initial_value()
        initial = convert_to_tensor(initial_value, dtype, "initial_value")
        _check_initial(initial, validate_shape, expected_shape)
        self._dtype = initial.dtype.base_dtype
        self._dims = initial._dims if validate_shape else None
        self._name = scope.rstrip("/")
        self._device = current_device() or _EAGER_DEVICE
        self._storage = Storage(self._name, initial._a)  # type: ignore[attr-defined]
        self._storage.variable = weakref.ref(self)
        self._handle = EagerTensor(self._storage, dtypes.resource)

    def _make_handle(self, scope: str) -> Tensor:
        return raw.VarHandleOp(name=scope, **self._attrs(scope))  # type: ignore[no-any-return]

    def _make_initializer(self, initial: Tensor, validate_shape: bool) -> Any:
        graph = self._handle.graph
        with graph.name_scope("IsInitialized"):
            self._is_initialized_op = raw.VarIsInitializedOp(self._handle)
        with graph.name_scope("Assign") as scope, colocate_with(self._op):
            return raw.AssignVariableOp(self._handle, initial, name=scope)

    def _make_snapshot(self) -> Tensor:
        # What `session.run(variable)` fetches; with a caching device also what readers get.
        graph = self._handle.graph
        with graph.name_scope("Read"), colocate_with(self._op):
            value = self._read()
            if self._caching_device is None:
                return value
            with self._caching_scope():
                return raw.Identity(value)  # type: ignore[no-any-return]

    # -- what it is ----------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The name, ending in ":0"."""
        return f"{self._name}:0" if self._eager else self._handle.name

    @property
    def dtype(self) -> DType:
        """The dtype of the value."""
        return self._dtype

    @property
    def device(self) -> str:
        """The device of the variable."""
        return self._device if self._eager else self._op.device

    def set_shape(self, shape: Any) -> None:
        """Adds what is known of the shape."""
        self._dims = self.shape.merge_with(shape)._dims

    def _graph_only(self, what: str) -> None:
        if self._eager:
            raise AttributeError(
                f"`{what}` is not supported when eager execution is enabled: variable '{self.name}' belongs to no "
                "graph and has its value already."
            )

    @property
    def op(self) -> Any:
        """The operation that makes the handle (graph mode only)."""
        self._graph_only("op")
        return self._op

    @property
    def graph(self) -> Any:
        """The graph of the variable (graph mode only)."""
        self._graph_only("graph")
        return self._handle.graph

    @property
    def initializer(self) -> Any:
        """The operation that gives the initial value; None in eager mode, where that has happened."""
        return None if self._eager else self._initializer_op

    @property
    def initial_value(self) -> Tensor:
        """The tensor with the initial value.

        Raises:
          RuntimeError: in eager mode, where it is not kept.
        """
        if self._eager:
            raise RuntimeError(f"initial_value is not supported in eager mode (variable '{self.name}').")
        return self._initial_value

    # -- reading -------------------------------------------------------------------------------

    def _read(self) -> Tensor:
        if self._trainable:
            for tape in context.tapes.top:
                tape.watch_variable(self)
        if self._eager and not context.tapes.top and context.modes.top.eager:
            return wrap(self._storage.read(), self._dtype)
        return raw.ReadVariableOp(self._handle, dtype=self._dtype, shape=TensorShape.of(self._dims))  # type: ignore[no-any-return]

    def value(self) -> Tensor:
        """The value as a tensor: read anew, or the cached copy where there is a caching device."""
        if self._eager:
            return self._read()
        if self._caching_device is not None:
            return self._snapshot
        with colocate_with(None, ignore_existing=True), _on(self.device):
            return self._read()

    def read_value(self) -> Tensor:
        """The value read here: after the control dependencies that are open now."""
        if self._eager and context.modes.top.eager:
            return self._read()
        with name_scope("Read"):
            value = self._read()
        return raw.Identity(value)  # type: ignore[no-any-return]

    def initialized_value(self) -> Tensor:
        """The value if the variable is initialized when this runs, else its initial value."""
        return self._read() if self._eager else super().initialized_value()

    def is_initialized(self, name: str | None = None) -> Tensor:
        """A boolean scalar: whether the variable has a value."""
        return raw.VarIsInitializedOp(self._handle, name=name)  # type: ignore[no-any-return]

    def _as_graph_element(self) -> Tensor:
        return self._snapshot

    def eval(self, session: Any = None) -> Any:
        """The value in `session` or the default session; in eager mode use `numpy()`.

        Raises:
          NotImplementedError: in eager mode.
        """
        if self._eager:
            raise NotImplementedError(
                f"eval is not supported when eager execution is enabled: use `numpy()` of variable '{self.name}'."
            )
        return self.graph.evaluate(self._snapshot, None, session)

    def numpy(self) -> Any:
        """The value as an array of the caller's own (eager mode).

        Raises:
          NotImplementedError: in graph mode.
        """
        if not self._eager:
            raise NotImplementedError(
                f"numpy() is only available when eager execution is enabled: use `session.run` or `eval()` for "
                f"variable '{self.name}'."
            )
        return EagerTensor(self._storage.read(), self._dtype).numpy()

    # -- writing -------------------------------------------------------------------------------

    def _written(self, op: Any) -> Tensor:
        with control_dependencies([op]):
            return self.read_value()

    def _value_for(self, value: Any) -> Tensor:
        value = convert_to_tensor(value, self._dtype)
        self.shape.assert_is_compatible_with(value.shape)
        return value

    def assign(self, value: Any, use_locking: bool | None = None, name: str | None = None) -> Tensor:
        """Gives the variable a new value; the result is that value (in a graph, when it runs).

        Raises:
          ValueError: if the shape does not fit. TypeError: if the dtype does not.
        """
        value = self._value_for(value)
        shape = TensorShape.of(self._dims)
        return self._written(raw.AssignVariableOp(self._handle, value, shape=shape, name=name))

    def assign_add(self, delta: Any, use_locking: bool | None = None, name: str | None = None) -> Tensor:
        """Adds `delta`; the result is the new value."""
        delta = self._value_for(delta)
        return self._written(raw.AssignAddVariableOp(self._handle, delta, name=name))

    def assign_sub(self, delta: Any, use_locking: bool | None = None, name: str | None = None) -> Tensor:
        """Subtracts `delta`; the result is the new value."""
        delta = self._value_for(delta)
        return self._written(raw.AssignSubVariableOp(self._handle, delta, name=name))

    def _scatter(self, kind: str, indices: Any, updates: Any, name: str | None) -> Tensor:
        updates = convert_to_tensor(updates, self._dtype)
        op = getattr(raw, f"ResourceScatter{kind}")(self._handle, indices, updates, name=name)
        return self._written(op)

    def sparse_read(self, indices: Any, name: str | None = None) -> Tensor:
        """The rows at `indices`."""
        return raw.GatherV2(self.value(), indices, 0, name=name)  # type: ignore[no-any-return]

    def load(self, value: Any, session: Any = None) -> None:
        """Writes a Python or NumPy value into the variable, in `session` or the default session."""
        if self._eager:
            self.assign(value)
        else:
            super().load(value, session)

    # -- Python protocols ----------------------------------------------------------------------

    def _eager_value(self) -> Any:
        if not self._eager:
            raise TypeError(
                f"Variable '{self.name}' belongs to a graph and has no value outside a session: use `session.run`."
            )
        return wrap(self._storage.read(), self._dtype)

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        return self._eager_value().__array__(*args, **kwargs)  # type: ignore[no-any-return]

    def __bool__(self) -> bool:
        # A graph variable is an object that is there; only an eager one has a value to look at.
        return bool(self._eager_value()) if self._eager else True

    def __int__(self) -> int:
        return int(self._eager_value())

    def __float__(self) -> float:
        return float(self._eager_value())

    def __len__(self) -> int:
        return len(self._eager_value())

    def __iter__(self) -> Any:
        return iter(self._read()) if self._eager else super().__iter__()

    def __repr__(self) -> str:
        if not self._eager:
            return super().__repr__()
        text = wrap(self._storage.value, self._dtype)._text(repr)
        constraint = ""
        if self._constraint is not None:
            kind = getattr(self._constraint, "__name__", type(self._constraint).__name__)
            constraint = f", constraint={kind}"
        return (
            f"<hf.Variable '{self.name}' shape={self.shape} dtype={self._dtype.name}{constraint}, numpy={text}>"
        )


def _on(name: str) -> contextlib.AbstractContextManager[Any]:
    return device(name) if name else contextlib.nullcontext()


Variable.eager_class = ResourceVariable
