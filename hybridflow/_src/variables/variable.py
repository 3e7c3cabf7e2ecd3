"""`Variable`: kept by reference as in TF 1.4; the base of all other kinds."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from hybridflow._src.framework import context, described
from hybridflow._src.framework.advice import advise_on_attributes, made_at
from hybridflow._src.framework.convert import convert_to_tensor, register_tensor_conversion_function
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.graph_keys import GraphKeys, add_to_collections
from hybridflow._src.framework.indexed_slices import IndexedSlices
from hybridflow._src.framework.op_def import OPS
from hybridflow._src.framework.reference import Referable
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import colocate_with, device, init_scope, name_scope
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.graphs.proto_functions import register_proto_function
from hybridflow._src.graphs.scoped_names import add_scope
from hybridflow._src.ops.arrays.indexing import getitem
from hybridflow._src.ops.control_flow.conditional import cond
from hybridflow._src.ops.state import part_assignment as _parts  # noqa: F401 - for what it registers
from hybridflow._src.ops.state import variable_ops as _state  # noqa: F401 - for what it registers
from hybridflow._src.variables.creating import Creatable
from hybridflow._src.variables.initial_value import (
    check_initial,
    initial_expression,
    register,
    registered,
)
from hybridflow._src.variables.overload import overload
from hybridflow._src.variables.replication import is_trainable, resource_variables_enabled
from hybridflow._src.variables.variable_def import SaveSliceInfo as SliceInfo
from hybridflow._src.variables.variable_def import describe, restore

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.graph import Graph
    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.framework.traceback import Frame

__all__ = ["Variable"]

_NOT_CONSTRAINT = (
    "The `constraint` argument must be a callable, got {got!r} for variable '{name}'. It maps a "
    "value to the nearest one that is allowed: hf.constraints.NonNeg() does, or `lambda w: "
    "hf.maximum(w, 0.0)`."
)
_NOT_COPIED = (
    "Variable '{name}' is part of a graph: its value is in the sessions that ran its initializer. "
    "To have another variable, make one: `hf.Variable(v.initialized_value())`. To keep its value, "
    "keep `session.run(v)`; `v.load(value, session)` puts it back. In eager mode "
    "(`hf.enable_eager_execution()`) variables can be copied and pickled."
)
_IN_CONTROL_FLOW = (
    "Initializer for variable {name} is from inside a control-flow construct, such as a loop or "
    "conditional. When creating a variable inside a loop or conditional, use a lambda as the "
    "initializer."
)
_NOTHING = contextlib.nullcontext()


def variables_are_eager() -> bool:
    """Tells whether variables made now are eager: in eager mode, and in functions traced for it."""
    return context.modes.top.eager or get_default_graph().building_function


class Variable(Referable, metaclass=Creatable):
    """A tensor whose value stays between runs and can be changed.

    In graph mode a variable has a value in each session, once its initializer has run there. In
    eager mode `Variable(...)` makes a `ResourceVariable`, which has its value at once.

    Args:
      initial_value: a tensor, a value that can become one, or a function without arguments that
        gives it. In a graph it may use the values of other variables, in any order.
      trainable: whether optimizers change it by default; adds it to
        `GraphKeys.TRAINABLE_VARIABLES`.
      collections: keys of the collections it joins; `[GraphKeys.GLOBAL_VARIABLES]` by default. In
        eager mode they are those of the variable store, and do not keep it alive.
      validate_shape: if False, the shape may be unknown and may change.
      caching_device: a device (or device function) where a copy is kept for readers. Without
        effect in eager mode.
      name: name of the variable, made unique in a graph; "Variable" by default.
      variable_def: a `VariableDef` of a variable that is in the graph, instead of an initial value.
      dtype: converts the initial value.
      expected_shape: the shape that the initial value must have.
      import_scope: name scope of the variable of `variable_def`.
      constraint: function from a value to its projection, of the same shape and dtype; applied by
        optimizers after they update the variable.
      use_resource: whether to make a `ResourceVariable`; if it is None, what
        `enable_resource_variables` says. In eager mode always.
      synchronization, aggregation: a `VariableSynchronization`, a `VariableAggregation`.
      shape: newer name of `expected_shape`.

    Raises:
      ValueError: if the initial value is missing, has no known shape or another one than expected,
        or the constraint is not callable.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     v = hf.Variable([1.0, 2.0], name="v")
    ...     _ = sess.run(hf.global_variables_initializer())
    ...     print(v.name, sess.run(v * 2.0))
    v:0 [2. 4.]
    """

    SaveSliceInfo = SliceInfo
    # What is made in eager mode, and for a `VariableDef` of a resource variable.
    eager_class: ClassVar[type[Variable]]
    resource_class: ClassVar[type[Variable]]

    # NumPy must leave `array + variable` to the reflected operator.
    __array_priority__ = 100

    # Not so in subclasses: see `Creatable`.
    _asks_creators = True
    _eager = False
    _is_resource = False
    _save_slice_info: SliceInfo | None = None
    _caching_device: Any = None
    _constraint: Callable[[Tensor], Tensor] | None = None
    _handle: Tensor
    _snapshot: Tensor
    _dtype: DType
    _dims: Any

    def __new__(cls, *args: Any, **kwargs: Any) -> Variable:
        if variables_are_eager():
            return object.__new__(cls.eager_class)
        kind = cls
        if cls is Variable and kwargs.get("variable_def") is None:
            wanted = kwargs.get("use_resource")
            if resource_variables_enabled() if wanted is None else wanted:
                kind = cls.resource_class
        return object.__new__(kind)

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool | None = True,
        collections: Any = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: Any = None,
        dtype: Any = None,
        expected_shape: Any = None,
        import_scope: str | None = None,
        constraint: Callable[[Tensor], Tensor] | None = None,
        use_resource: bool | None = None,
        synchronization: Any = None,
        aggregation: Any = None,
        shape: Any = None,
    ) -> None:
        trainable = is_trainable(trainable, synchronization, aggregation)
        expected_shape = shape if expected_shape is None else expected_shape
        if variable_def is not None:
            if initial_value is not None:
                raise ValueError("variable_def and initial_value are mutually exclusive.")
            restore(self, variable_def, import_scope)
            return
        collections = self._admit(initial_value, trainable, collections, name, constraint)
        self._caching_device = caching_device
        with init_scope():
            if callable(initial_value):
                graph = get_default_graph()
                with graph.name_scope(name or "Variable") as scope:
                    beside = {"_class": [b"loc:@" + scope[:-1].encode()]}
                    with (
                        graph._attr_scope(beside),
                        graph.name_scope("Initializer"),
                        _no_device(graph),
                    ):
                        initial = convert_to_tensor(initial_value(), dtype, "initial_value")
                    self._build(initial, scope, validate_shape, expected_shape)
                    add_to_collections(collections, self)
            else:
                # The graph of a tensor becomes the default inside.
                with name_scope(name, "Variable", [initial_value]) as scope:
                    with self._value_scope():
                        initial = convert_to_tensor(initial_value, dtype, "initial_value")
                    if initial.op.body is not None:
                        raise ValueError(_IN_CONTROL_FLOW.format(name=scope))
                    self._build(initial, scope, validate_shape, expected_shape)
                    add_to_collections(collections, self)

    # -- making it ---------------------------------------------------------------------------------

    def _admit(
        self,
        initial_value: Any,
        trainable: bool,
        collections: Any,
        name: str | None,
        constraint: Any,
    ) -> list[Any]:
        """Checks arguments, and gives the collections to join."""
        if initial_value is None:
            raise ValueError("initial_value must be specified.")
        # A class would be called with the value, for a constraint.
        if isinstance(constraint, type) or (constraint is not None and not callable(constraint)):
            raise ValueError(_NOT_CONSTRAINT.format(name=name or "Variable", got=constraint))
        if name == "":
            raise ValueError("'' is not a valid node name: a variable needs one.")
        if collections is None:
            collections = [GraphKeys.GLOBAL_VARIABLES]
        elif not isinstance(collections, (list, tuple, set)):
            raise ValueError(
                "collections argument to Variable constructor must be a list, tuple, or set. Got "
                f"{collections} of type {type(collections)}"
            )
        if trainable and GraphKeys.TRAINABLE_VARIABLES not in collections:
            collections = [*collections, GraphKeys.TRAINABLE_VARIABLES]
        tell = context.variable_creation.entries[-1].item
        if tell is not None:
            tell(name or "Variable")
        self._trainable = trainable
        self._constraint = constraint
        return collections

    # -- copies ------------------------------------------------------------------------------------

    def __copy__(self) -> Variable:
        raise NotImplementedError(_NOT_COPIED.format(name=self.name))

    def __deepcopy__(self, memo: dict[int, Any]) -> Variable:
        raise NotImplementedError(_NOT_COPIED.format(name=self.name))

    def __reduce__(self) -> Any:
        raise TypeError(_NOT_COPIED.format(name=self.name))

    def _value_scope(self) -> AbstractContextManager[Any]:
        """Where an initial value that is no function is converted to a tensor."""
        return _NOTHING

    def _build(self, initial: Tensor, scope: str, validate_shape: bool, expected: Any) -> None:
        """Makes the ops of the variable; `scope` is its name scope, which is open."""
        check_initial(initial, scope, validate_shape, expected)
        self._initial_value = initial
        self._dtype = initial._dtype.base_dtype
        self._dims = initial._dims if validate_shape else None
        self._initial_expression = initial_expression(initial, f"{scope[:-1]}_0")
        self._make_ops(scope, validate_shape)
        register(self._op.graph, self)

    def _make_ops(self, scope: str, validate_shape: bool) -> None:
        """Makes the reference, the initializer, and the tensor that readers share."""
        graph = get_default_graph()
        initial, dtype, dims = self._initial_expression, self._dtype, self._dims
        ref = dtype._as_ref
        attrs = {
            "shape": TensorShape.of(dims),
            "dtype": dtype,
            "shared_name": scope[:-1],
            "container": "",
        }
        beside = {"_class": [b"loc:@" + scope[:-1].encode()]}
        assigning = {"use_locking": True, "validate_shape": validate_shape, **beside}
        specs: list[Any] = [
            (OPS["VariableV2"], (), attrs, scope, ref, dims),
            (OPS["Assign"], (0, initial), assigning, "Assign", ref, initial._dims),
            (OPS["Identity"], (0,), beside, "read", dtype, dims),
        ]
        if self._caching_device is None and graph._scope.entries[-1].item.is_plain:
            self._handle, assigned, self._snapshot = graph.add_ops(specs)
        else:
            self._handle, assigned = graph.add_ops(specs[:2])
            cache = self._caching_device
            with colocate_with(self._handle.op) if cache is None else device(cache):
                self._snapshot = raw.Identity(self._handle, name="read")
        self._op: Operation = self._handle.op
        self._initializer_op: Operation = assigned.op

    # -- what it is --------------------------------------------------------------------------------

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
        """Adds what is known of the shape.

        Raises:
          ValueError: if it contradicts what is known.
        """
        self._handle.set_shape(shape)
        self._snapshot.set_shape(shape)
        self._dims = self._snapshot._dims

    @property
    def graph(self) -> Graph:
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
    def initializer(self) -> Operation | None:
        """The operation that gives the variable its initial value."""
        return self._initializer_op

    @property
    def initial_value(self) -> Tensor:
        """The tensor with the initial value."""
        return self._initial_value

    def _get_save_slice_info(self) -> SliceInfo | None:
        return self._save_slice_info

    def _set_save_slice_info(self, info: SliceInfo) -> None:
        self._save_slice_info = info

    # -- reading -----------------------------------------------------------------------------------

    def value(self) -> Tensor:
        """The value as a tensor: in a graph one tensor shared by all its readers.

        It is no copy, as in TensorFlow: an op that depends on a write and uses this tensor is given
        what was written; one that does not, the value from before the step.
        """
        return self._snapshot

    def read_value(self) -> Tensor:
        """The value read here: after the control dependencies that are open now."""
        return raw.Identity(self._handle, name="read")

    def initialized_value(self) -> Tensor:
        """The value if the variable is initialized when this runs, else its initial value."""
        with init_scope():
            return cond(self.is_initialized(), self.read_value, lambda: self._initial_expression)

    def is_initialized(self, name: str | None = None) -> Tensor:
        """A boolean scalar: whether the variable has a value."""
        return raw.IsVariableInitialized(self._handle, name=name)

    def _as_tensor(self) -> Tensor:
        return self.value()

    def _as_graph_element(self) -> Tensor:
        return self._handle

    def _ref(self) -> Tensor:
        return self._handle

    @property
    def _gradient_source(self) -> Tensor:
        return self._handle

    def eval(self, session: Any = None) -> Any:
        """The value in `session` or the default session."""
        return self.graph.evaluate(self._as_graph_element(), None, session)

    # -- writing -----------------------------------------------------------------------------------

    def assign(self, value: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Gives the variable a new value; the result is that value (in a graph, when it runs)."""
        return raw.Assign(self._handle, value, use_locking=use_locking, name=name)

    def assign_add(self, delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Adds `delta`; the result is the new value."""
        return raw.AssignAdd(self._handle, delta, use_locking=use_locking, name=name)

    def assign_sub(self, delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Subtracts `delta`; the result is the new value."""
        return raw.AssignSub(self._handle, delta, use_locking=use_locking, name=name)

    def _scatter(
        self, kind: str, indices: Any, updates: Any, use_locking: bool, name: str | None
    ) -> Any:
        op = getattr(raw, f"Scatter{kind}")
        return op(self._handle, indices, updates, use_locking=use_locking, name=name)

    def scatter_sub(
        self, sparse_delta: IndexedSlices, use_locking: bool = False, name: str | None = None
    ) -> Any:
        """Subtracts rows, repeated ones repeatedly; the result is the new value.

        Raises:
          ValueError: if `sparse_delta` is not `IndexedSlices`.
        """
        return self._scatter_slices("Sub", sparse_delta, use_locking, name)

    def scatter_add(
        self, sparse_delta: IndexedSlices, use_locking: bool = False, name: str | None = None
    ) -> Any:
        """Adds rows, repeated ones repeatedly; the result is the new value."""
        return self._scatter_slices("Add", sparse_delta, use_locking, name)

    def scatter_update(
        self, sparse_delta: IndexedSlices, use_locking: bool = False, name: str | None = None
    ) -> Any:
        """Replaces rows; the result is the new value."""
        return self._scatter_slices("Update", sparse_delta, use_locking, name)

    def _scatter_slices(self, kind: str, delta: Any, use_locking: bool, name: str | None) -> Any:
        if not isinstance(delta, IndexedSlices):
            raise ValueError(f"sparse_delta is not IndexedSlices: {delta!r:.200}")
        return self._scatter(kind, delta.indices, delta.values, use_locking, name)

    def _assign_slice(self, bounds: Any, value: Any, name: str | None, masks: Any) -> Any:
        """What `v[...].assign(value)` does."""
        return raw.StridedSliceAssign(self._handle, *bounds, value, name=name, **masks)

    def count_up_to(self, limit: int, name: str | None = None) -> Any:
        """Adds 1 and gives the value from before, until that is `limit`.

        Raises:
          OutOfRangeError: when it runs, once the value has reached `limit`.
        """
        return raw.CountUpTo(self, limit=limit, T=self._dtype, name=name)

    def load(self, value: Any, session: Any = None) -> None:
        """Writes a Python or NumPy value into the variable, in `session` or the default session.

        Raises:
          ValueError: if there is no session.
        """
        session = context.sessions.top if session is None else session
        if session is None:
            raise ValueError(
                "Either session argument should be provided or default session should be "
                "established"
            )
        session.run(self._initializer_op, {self._initializer_op.inputs[1]: value})

    # -- its description ---------------------------------------------------------------------------

    def to_proto(self, export_scope: str | None = None) -> Any:
        """A `VariableDef` message; None if it lies outside of `export_scope`, which names lose."""
        return describe(self, export_scope)

    def _shared_snapshot(self) -> Tensor | None:
        """The tensor that all readers share, if there is one."""
        return self._snapshot

    @staticmethod
    def from_proto(variable_def: Any, import_scope: str | None = None) -> Variable:
        """The variable of the default graph that `variable_def` describes.

        Raises:
          KeyError: if the graph has no such ops.
        """
        kind = Variable.resource_class if variable_def.is_resource else Variable
        return kind(variable_def=variable_def, import_scope=import_scope)

    def _restore_snapshot(self, snapshot: Any) -> None:
        self._snapshot = snapshot

    # -- Python protocols --------------------------------------------------------------------------

    def __getitem__(self, key: Any) -> Tensor:
        """A part of the value, with a method `assign` that writes that part."""
        return getitem(self._as_tensor(), key, self)

    def __iter__(self) -> Any:
        raise TypeError(
            "'Variable' object is not iterable. Use `hf.unstack(v)` for its rows, or `hf.map_fn`."
        )

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError(self._no_value())

    def _no_value(self) -> str:
        return (
            f"Variable '{self.name}' belongs to a graph{made_at(self._op)} and has no value "
            "outside a session: use `session.run(v)` or `v.eval()` for it."
        )

    def __int__(self) -> int:
        raise TypeError(self._no_value())

    def __float__(self) -> float:
        raise TypeError(self._no_value())

    def __index__(self) -> int:
        raise TypeError(self._no_value())

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        raise TypeError(
            f"Variable '{self.name}' does not support item assignment: `v[...].assign(value)` "
            "writes a part of it (in a graph, when it is run)."
        )

    if not TYPE_CHECKING:

        @property
        def numpy(self) -> Any:
            raise AttributeError(f"numpy() is for eager variables. {self._no_value()}")

    def __repr__(self) -> str:
        return f"<{described.library}.Variable {self._description()}>"

    def _description(self) -> str:
        """Name, shape, dtype, and device and constraint where there are such."""
        device = self.device.removeprefix("/job:localhost/replica:0/task:0/device:")
        device = device and f" device={device}"
        constraint = constraint_name(self._constraint)
        return f"'{self.name}' shape={self.shape} dtype={self.dtype.name}{device}" + (
            constraint and f" constraint={constraint}"
        )

    def _made_at(self) -> list[Frame]:
        """The user's lines that made it, outermost first."""
        return self._op.traceback


def constraint_name(constraint: Any) -> str:
    """What a constraint is called, or an empty string where there is none."""
    if constraint is None:
        return ""
    return str(getattr(constraint, "__name__", type(constraint).__name__))


def _no_device(graph: Graph) -> AbstractContextManager[Any]:
    scope = graph._scope.top
    return graph.device(None) if scope.device or scope.device_functions else _NOTHING


def _to_tensor(value: Variable, dtype: Any, name: str | None, as_ref: bool) -> Any:
    if dtype is not None and not dtype.is_compatible_with(value._dtype):
        raise ValueError(
            f"Incompatible type conversion requested to type '{dtype.name}' for variable of type "
            f"'{value.dtype.name}' ('{value.name}')"
        )
    return value._as_tensor()


overload(Variable, Tensor)
advise_on_attributes(Variable)
register_tensor_conversion_function(Variable, _to_tensor)


def _in_collections(given: Any, import_scope: str | None = None) -> Any:
    """The variable that a message describes: one object, whatever collections it is in."""
    graph = get_default_graph()
    name = add_scope(given.variable_name, import_scope).partition(":")[0]
    known = registered(graph).get(graph._by_name.get(name))  # type: ignore[arg-type]
    return known or Variable.from_proto(given, import_scope)


for _key in (
    GraphKeys.GLOBAL_VARIABLES,
    GraphKeys.TRAINABLE_VARIABLES,
    GraphKeys.MOVING_AVERAGE_VARIABLES,
    GraphKeys.LOCAL_VARIABLES,
    GraphKeys.MODEL_VARIABLES,
    GraphKeys.METRIC_VARIABLES,
    GraphKeys.GLOBAL_STEP,
):
    register_proto_function(
        _key,
        "VariableDef",
        lambda variable, export_scope=None: variable.to_proto(export_scope),
        _in_collections,
    )
