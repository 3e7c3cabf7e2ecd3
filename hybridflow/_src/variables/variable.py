"""Variables: `Variable`, kept by reference as in TF 1.4, and what it shares with `ResourceVariable`."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, ClassVar

from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.convert import convert_to_tensor, register_tensor_conversion_function
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.graph_keys import GraphKeys, add_to_collections
from hybridflow._src.framework.indexed_slices import IndexedSlices
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import (
    colocate_with,
    device,
    init_scope,
    name_scope,
)
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.ops.conditional import cond

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.graph import Graph
    from hybridflow._src.framework.operation import Operation

_NOT_CONSTRAINT = "The `constraint` argument of variable '{name}' must be a callable, got {got!r}."
_NO_INITIAL_VALUE = "initial_value must be specified."
_UNKNOWN_SHAPE = (
    "initial_value must have a shape specified, got {value}. Give it a static shape with `set_shape`, or pass "
    "validate_shape=False."
)


class SaveSliceInfo:
    """Where a part of a partitioned variable lies in the whole.

    Attributes:
      full_name: name of the whole variable.
      full_shape: its shape.
      var_offset: the first index of the part in each dimension.
      var_shape: the part's shape.
    """

    def __init__(
        self,
        full_name: str | None = None,
        full_shape: list[int] | None = None,
        var_offset: list[int] | None = None,
        var_shape: list[int] | None = None,
    ) -> None:
        self.full_name = full_name
        self.full_shape = full_shape
        self.var_offset = var_offset
        self.var_shape = var_shape

    @property
    def spec(self) -> str:
        """TF's text for the slice: "full shape offset,size:offset,size"."""
        full = " ".join(str(d) for d in self.full_shape or ()) + " "
        pairs = zip(self.var_offset or (), self.var_shape or (), strict=True)
        return full + ":".join(f"{offset},{size}" for offset, size in pairs)


class Variable:
    """A tensor whose value stays between runs and can be changed.

    In graph mode a variable has a value in each session, after its initializer has run there. In eager
    mode `Variable(...)` makes a `ResourceVariable`, which has its value at once.

    Args:
      initial_value: a tensor, a value that can become one, or a function without arguments that gives it.
      trainable: whether optimizers change it by default; adds it to `GraphKeys.TRAINABLE_VARIABLES`.
      collections: keys of the collections it joins; `[GraphKeys.GLOBAL_VARIABLES]` if None.
      validate_shape: if False, the shape may be unknown and may change.
      caching_device: a device (or function of the op) where a copy is kept for readers.
      name: name of the variable, made unique in a graph; "Variable" if None.
      variable_def: not supported; see `Variable.from_proto`.
      dtype: converts the initial value.
      expected_shape: checked against the shape of the initial value.
      import_scope: accepted for compatibility.
      constraint: function from a value to its projection, of the same shape and dtype; applied by
        optimizers after they update the variable.

    Raises:
      ValueError: if the initial value is missing or has no known shape, or the constraint is not callable.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     v = hf.Variable([1.0, 2.0], name="v")
    ...     _ = sess.run(hf.global_variables_initializer())
    ...     print(v.name, sess.run(v * 2.0))
    v:0 [2. 4.]
    """

    SaveSliceInfo = SaveSliceInfo
    # What `Variable(...)` makes in eager mode: `ResourceVariable`, which is built on this class.
    eager_class: ClassVar[type[Variable]]

    # NumPy must leave `array + variable` to the reflected operator.
    __array_priority__ = 100

    def __new__(cls, *args: Any, **kwargs: Any) -> Variable:
        if cls is Variable:
            with init_scope():
                if context.modes.top.eager:
                    return object.__new__(cls.eager_class)
        return object.__new__(cls)

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool = True,
        collections: Any = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: Any = None,
        dtype: Any = None,
        expected_shape: Any = None,
        import_scope: str | None = None,
        constraint: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        if initial_value is None:
            raise ValueError(_NO_INITIAL_VALUE)
        if constraint is not None and not callable(constraint):
            raise ValueError(_NOT_CONSTRAINT.format(name=name or "Variable", got=constraint))
        if collections is None:
            collections = [GraphKeys.GLOBAL_VARIABLES]
        if not isinstance(collections, list | tuple | set):
            raise ValueError(
                f"collections argument to Variable constructor must be a list, tuple, or set. Got {collections} "
                f"of type {type(collections)}"
            )
        if trainable and GraphKeys.TRAINABLE_VARIABLES not in collections:
            collections = [*collections, GraphKeys.TRAINABLE_VARIABLES]
        if context.variable_creation.top is not None:
            context.variable_creation.top(name or "Variable")
        self._trainable = trainable
        self._constraint = constraint
        self._caching_device = caching_device
        self._save_slice_info: SaveSliceInfo | None = None
        dtype = None if dtype is None else dtypes.as_dtype(dtype).base_dtype
        with init_scope():
            self._eager = context.modes.top.eager
            self._graph: Graph | None = None if self._eager else get_default_graph()
            from_function = callable(initial_value)
            values = [] if from_function else [initial_value]
            with name_scope(name, "Variable", values) as scope:
                self._create(initial_value, from_function, scope, dtype, validate_shape, expected_shape)
            add_to_collections(collections, self)

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
        graph = get_default_graph()
        if from_function:
            # The initializer's ops go where the variable goes, not to a device of their own.
            with graph.name_scope("Initializer"), _no_device(graph):
                initial = convert_to_tensor(initial_value(), dtype, "initial_value")
        else:
            initial = convert_to_tensor(initial_value, dtype, "initial_value")
        _check_initial(initial, validate_shape, expected_shape)
        self._initial_value = initial
        self._dtype = initial.dtype.base_dtype
        self._dims = initial._dims if validate_shape else None
        self._handle = self._make_handle(scope)
        self._op: Operation = self._handle.op
        self._initializer_op: Operation = self._make_initializer(initial, validate_shape)
        self._snapshot = self._make_snapshot()

    def _attrs(self, scope: str) -> dict[str, Any]:
        return {
            "shape": TensorShape.of(self._dims),
            "dtype": self._dtype,
            "shared_name": scope.rstrip("/"),
        }

    def _make_handle(self, scope: str) -> Tensor:
        return raw.VariableV2(name=scope, **self._attrs(scope))

    def _make_initializer(self, initial: Tensor, validate_shape: bool) -> Any:
        return raw.Assign(
            self._handle, initial, validate_shape=validate_shape, use_locking=True, name="Assign"
        ).op

    def _make_snapshot(self) -> Tensor:
        with self._beside(), self._caching_scope():
            return raw.Identity(self._handle, name="read")

    def _beside(self) -> contextlib.AbstractContextManager[Any]:
        return colocate_with(self._op)

    def _caching_scope(self) -> contextlib.AbstractContextManager[Any]:
        if self._caching_device is None:
            return _NOTHING
        if callable(self._caching_device):
            return device(self._caching_device(self._op))
        return device(self._caching_device)

    # -- what it is ----------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The name, ending in ":0"."""
        return self._handle.name

    @property
    def _shared_name(self) -> str:
        return self.name[:-2]

    @property
    def op(self) -> Operation:
        """The operation that makes the variable's reference or handle."""
        return self._op

    @property
    def handle(self) -> Tensor:
        """The reference or resource handle by which ops reach the variable."""
        return self._handle

    @property
    def dtype(self) -> DType:
        """The dtype; a reference dtype, as in TF, for a variable kept by reference."""
        return self._dtype._as_ref

    @property
    def shape(self) -> TensorShape:
        """The static shape."""
        return TensorShape.of(self._dims)

    def get_shape(self) -> TensorShape:
        """Alias of `shape`."""
        return TensorShape.of(self._dims)

    def set_shape(self, shape: Any) -> None:
        """Adds what is known of the shape."""
        self._handle.set_shape(shape)
        self._snapshot.set_shape(shape)
        self._dims = self._snapshot._dims

    @property
    def graph(self) -> Any:
        """The graph of the variable."""
        return self._handle.graph

    @property
    def device(self) -> str:
        """The device of the variable."""
        return self._op.device

    @property
    def trainable(self) -> bool:
        """Whether optimizers change it by default."""
        return self._trainable

    @property
    def constraint(self) -> Callable[[Tensor], Tensor] | None:
        """The projection applied after an optimizer's update, or None."""
        return self._constraint

    @property
    def initializer(self) -> Any:
        """The operation that gives the variable its initial value."""
        return self._initializer_op

    @property
    def initial_value(self) -> Tensor:
        """The tensor with the initial value."""
        return self._initial_value

    def _get_save_slice_info(self) -> SaveSliceInfo | None:
        return self._save_slice_info

    def _set_save_slice_info(self, info: SaveSliceInfo) -> None:
        self._save_slice_info = info

    # -- reading -------------------------------------------------------------------------------

    def value(self) -> Tensor:
        """The value as a tensor: in a graph one tensor shared by all its readers."""
        return self._snapshot

    def read_value(self) -> Tensor:
        """The value read here: after the control dependencies that are open now."""
        return raw.Identity(self._handle, name="read")

    def initialized_value(self) -> Tensor:
        """The value if the variable is initialized when this runs, else its initial value."""
        with init_scope():
            return cond(self.is_initialized(), self.read_value, lambda: self._initial_value)

    def is_initialized(self, name: str | None = None) -> Tensor:
        """A boolean scalar: whether the variable has a value."""
        return raw.IsVariableInitialized(self._handle, name=name)

    def _as_tensor(self) -> Tensor:
        return self.value()

    def _as_graph_element(self) -> Tensor:
        return self._handle

    @property
    def _gradient_source(self) -> Tensor:
        return self._handle

    def eval(self, session: Any = None) -> Any:
        """The value in `session` or the default session."""
        return self.graph.evaluate(self._handle, None, session)

    # -- writing -------------------------------------------------------------------------------

    def assign(self, value: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Gives the variable a new value; the result is that value (in a graph, when it runs)."""
        return raw.Assign(self._handle, value, use_locking=use_locking, name=name)

    def assign_add(self, delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Adds `delta`; the result is the new value."""
        return raw.AssignAdd(self._handle, delta, use_locking=use_locking, name=name)

    def assign_sub(self, delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Subtracts `delta`; the result is the new value."""
        return raw.AssignSub(self._handle, delta, use_locking=use_locking, name=name)

    def _scatter(self, kind: str, indices: Any, updates: Any, name: str | None) -> Any:
        return getattr(raw, f"Scatter{kind}")(self._handle, indices, updates, name=name)

    def scatter_sub(
        self, sparse_delta: IndexedSlices, use_locking: bool = False, name: str | None = None
    ) -> Any:
        """Subtracts rows, repeated ones repeatedly; the result is the new value.

        Raises:
          ValueError: if `sparse_delta` is not `IndexedSlices`.
        """
        return self._scatter_slices("Sub", sparse_delta, name)

    def scatter_add(
        self, sparse_delta: IndexedSlices, use_locking: bool = False, name: str | None = None
    ) -> Any:
        """Adds rows, repeated ones repeatedly; the result is the new value."""
        return self._scatter_slices("Add", sparse_delta, name)

    def scatter_update(
        self, sparse_delta: IndexedSlices, use_locking: bool = False, name: str | None = None
    ) -> Any:
        """Replaces rows; the result is the new value."""
        return self._scatter_slices("Update", sparse_delta, name)

    def _scatter_slices(self, kind: str, delta: Any, name: str | None) -> Any:
        if not isinstance(delta, IndexedSlices):
            raise ValueError(f"sparse_delta is not IndexedSlices: {delta!r:.200}")
        return self._scatter(kind, delta.indices, delta.values, name)

    def count_up_to(self, limit: int) -> Any:
        """Adds 1 and gives the value from before, until that is `limit`.

        Raises:
          OutOfRangeError: when it runs, once the value has reached `limit`.
        """
        return raw.CountUpTo(self._handle, limit=limit, T=self._dtype)

    def load(self, value: Any, session: Any = None) -> None:
        """Writes a Python or NumPy value into the variable, in `session` or the default session.

        Raises:
          ValueError: if there is no session.
        """
        session = context.sessions.top if session is None else session
        if session is None:
            raise ValueError(
                "Either session argument should be provided or default session should be established"
            )
        session.run(self._initializer_op, {self._initializer_op.inputs[1]: value})

    def __iter__(self) -> Any:
        raise TypeError("'Variable' object is not iterable.")

    def __repr__(self) -> str:
        return f"<hf.Variable '{self.name}' shape={self.shape} dtype={self.dtype.name}>"


def _no_device(graph: Graph) -> contextlib.AbstractContextManager[Any]:
    scope = graph._scope.top
    return graph.device(None) if scope.device or scope.device_functions else _NOTHING


_NOTHING = contextlib.nullcontext()


def _check_initial(initial: Tensor, validate_shape: bool, expected_shape: Any) -> None:
    if validate_shape and not initial.shape.is_fully_defined():
        raise ValueError(_UNKNOWN_SHAPE.format(value=initial))
    if expected_shape is not None and not initial.shape.is_compatible_with(expected_shape):
        raise ValueError(
            f"Initial value of shape {initial.shape} does not have the expected shape {expected_shape}."
        )


def _to_tensor(value: Variable, dtype: Any, name: str | None, as_ref: bool) -> Any:
    if dtype is not None and not dtype.is_compatible_with(value._dtype):
        raise ValueError(
            f"Incompatible type conversion requested to type '{dtype.name}' for variable of type "
            f"'{value._dtype.name}' ('{value.name}')"
        )
    return value.handle if as_ref and value.dtype.is_ref_dtype else value._as_tensor()


register_tensor_conversion_function(Variable, _to_tensor)
