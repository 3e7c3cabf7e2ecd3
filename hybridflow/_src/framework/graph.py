"""Graphs: ops by name, collections, and the scopes in which ops are added."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from hybridflow._src.framework import context, traceback
from hybridflow._src.framework.advice import made_at
from hybridflow._src.framework.body import OUTSIDE, Body, admit
from hybridflow._src.framework.collections import Collections
from hybridflow._src.framework.graph_names import element_by_name
from hybridflow._src.framework.graph_scope import (
    ControlInputs,
    NameScope,
    Scope,
    check_name,
    plain_attr,
)
from hybridflow._src.framework.late import late
from hybridflow._src.framework.locks import holding, new_lock
from hybridflow._src.framework.operation import Operation, make_outputs
from hybridflow._src.framework.stack import Pushed, Stack
from hybridflow._src.framework.tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hybridflow._src.framework import dtypes
    from hybridflow._src.framework.op_def import OpDef

    Dims = tuple[int | None, ...] | None
    OpSpec = tuple[OpDef, tuple[Any, ...], dict[str, Any], str, dtypes.DType, Dims]

_EAGER_IN_GRAPH = (
    "Attempting to capture an EagerTensor without building a function: {tensor!r} was computed in "
    "eager mode, and op {user!r} is being added to a graph. Pass its value, `t.numpy()`, to make "
    "it a constant of the graph, feed it through a placeholder, or run this code eagerly (`with "
    "hf.eager_mode():`)."
)
_OTHER_GRAPH = (
    "{tensor} is not an element of the graph that op {user!r} is being added to{made}: a tensor "
    "and what uses it must be from the same graph. Build both under one `with "
    "graph.as_default():`, or pass the value (`session.run`) on."
)


class Graph(Collections):
    """A set of operations and of the tensors that flow between them.

    >>> import hybridflow as hf
    >>> g = hf.Graph()
    >>> with g.as_default():
    ...     c = hf.constant(30.0)
    >>> c.graph is g
    True
    """

    # A graph into which `hf.function` traces says otherwise; `outer_graph` is then the graph around
    # it, or None for eager mode.
    building_function = False
    outer_graph: Graph | None = None
    # TensorFlow's name for it, which programs read, and set for graphs that they trace into
    # themselves: `init_scope` leaves these too.
    _building_function = False

    def __init__(self) -> None:
        self._lock = new_lock()
        self._ops: list[Operation] = []
        self._by_name: dict[str, Operation] = {}
        self._names_in_use: dict[str, int] = {}
        self._scope: Stack[Scope] = Stack(Scope(), "graph scope")
        super().__init__()
        self._finalized = False
        self._unfeedable: set[Tensor] = set()
        self._unfetchable: set[Operation] = set()
        self.seed: int | None = None
        # Who keeps what was made of the operations as they were, such as sessions with plans: told
        # by `graph_was_edited()` when operations get other inputs.
        self.keepers: WeakSet[Any] = WeakSet()
        # How many random ops without a seed of their own the graph holds (see `seeds.get_seed`).
        self.unseeded_random_ops = 0

    # -- building ----------------------------------------------------------------------------------

    def as_default(self) -> Pushed[context.Mode, Graph]:
        """A context manager that makes this the default graph, in graph mode, for this thread."""
        return Pushed(context.modes, context.Mode(False, self), self)

    def add_op(
        self,
        op_def: OpDef,
        inputs: tuple[Tensor, ...],
        attrs: dict[str, Any],
        name: str,
        out_dtypes: Sequence[dtypes.DType],
        out_dims: Sequence[Dims],
        bodies: tuple[Body, ...] = (),
    ) -> Operation:
        """Adds an operation. `name` is used as it is when it ends in "/", else made unique.

        Op functions come here through `dispatch`, which has checked the inputs.
        """
        scope = self._scope.entries[-1].item
        if op_def.effect is not None and inputs and inputs[0]._dtype.is_ref_dtype:
            scope = scope.beside_references(op_def, inputs)
        body = scope.body
        outside = False
        for tensor in inputs:
            source = tensor.op
            if source.graph is not self:
                self.capture(tensor, name)
            if source.body is not body:
                outside = True
        if outside:
            inputs = tuple([admit(t, body, name) for t in inputs])
        # In this order, one by one: packing them anew would cost more than the lock.
        frames = scope.frames or traceback.capture(4)
        op = Operation(self, op_def, name, inputs, attrs, (), body, bodies, 0, frames)
        if len(out_dims) == 1 == len(out_dtypes):
            op.outputs.append(Tensor(op, 0, out_dtypes[0], out_dims[0]))
        else:
            make_outputs(op, out_dtypes, out_dims)
        return holding(self._lock, self._add, op, scope)

    def _add(self, op: Operation, scope: Scope) -> Operation:
        """Gives an op that has all else a name of its own, what it waits for, and its place."""
        if self._finalized:
            self._check_not_finalized()
        name, inputs = op.name, op.inputs
        if name[-1] == "/":
            name = self._exact_name(name[:-1])
        else:
            name = self._numbered(f"{scope.name}/{name}" if scope.name else name)
        op.name = name
        if scope.controls:
            op.controls = scope.control_inputs(inputs)
        if self.building_function:
            op.controls = self._in_program_order(op.controls, op.record, inputs, op.bodies)
        op._id = len(self._ops) + 1
        if scope.places:
            scope.place(op)
        if scope.original is not None:
            op._original_op = scope.original
        # Nothing can go wrong from here on: the graph has the whole op, or nothing of it.
        for tensor in inputs:
            if tensor._consumers is None:
                tensor._consumers = [op]
            else:
                tensor._consumers.append(op)
        self._by_name[name] = op
        self._ops.append(op)
        if op.body is not None:
            op.body.operations.append(op)
        for group in scope.controls:
            group.members.add(op)
        if self.building_function:
            self._note_effect(op)
        return op

    def add_ops(self, specs: Sequence[OpSpec]) -> list[Tensor]:
        """Adds ops of one output each: all that one call of a composite function makes, at once.

        It costs less than to add them one by one: what they share is looked up once. The specs are
        right by construction: nothing is inferred.

        Args:
          specs: op record, inputs (tensors, or positions of earlier specs), attributes, a name as
            for `add_op`, and dtype and dims of the output.

        Returns: the outputs.
        """
        scope = self._scope.entries[-1].item
        tensors: list[Tensor] = []
        if not scope.is_plain or self.building_function:
            for op_def, inputs, attrs, name, dtype, dims in specs:
                given = tuple([tensors[i] if i.__class__ is int else i for i in inputs])
                op = self.add_op(op_def, given, attrs, name, (dtype,), (dims,))
                tensors.append(op.outputs[0])
            return tensors
        frames = scope.frames or traceback.capture(3)
        return holding(self._lock, self._add_all, specs, scope, frames)

    def _add_all(self, specs: Sequence[OpSpec], scope: Scope, frames: Any) -> list[Tensor]:
        tensors: list[Tensor] = []
        by_name, ops = self._by_name, self._ops
        self._check_not_finalized()
        for op_def, inputs, attrs, name, dtype, dims in specs:
            if name[-1] == "/":
                name = self._exact_name(name[:-1])
            else:
                name = self._numbered(f"{scope.name}/{name}" if scope.name else name)
            given = tuple([tensors[i] if i.__class__ is int else i for i in inputs])
            op = Operation(self, op_def, name, given, attrs, (), None, (), len(ops) + 1, frames)
            if scope.original is not None:
                op._original_op = scope.original
            tensor = Tensor(op, 0, dtype, dims)
            op.outputs.append(tensor)
            tensors.append(tensor)
            for source in given:
                if source.op.body is not None:
                    admit(source, None, name)
                if source._consumers is None:
                    source._consumers = [op]
                else:
                    source._consumers.append(op)
            by_name[name] = op
            ops.append(op)
        return tensors

    def _in_program_order(
        self,
        controls: tuple[Operation, ...],
        op_def: OpDef,
        inputs: tuple[Tensor, ...],
        bodies: tuple[Body, ...],
    ) -> tuple[Operation, ...]:
        """Adds the control inputs by which effects happen in the order of the function's
        program.
        """
        return controls

    def _note_effect(self, op: Operation) -> None:
        """Called for each op of a function being traced."""

    def capture(self, tensor: Tensor, user: str) -> Tensor:
        """Gives the tensor of this graph that stands for `tensor` of elsewhere.

        A plain graph takes none; a graph being traced for `hf.function` makes it an input.
        """
        if not hasattr(tensor, "op"):
            raise RuntimeError(_EAGER_IN_GRAPH.format(tensor=tensor, user=user))
        raise ValueError(_OTHER_GRAPH.format(tensor=tensor, user=user, made=made_at(tensor.op)))

    def mark(self) -> tuple[int, dict[str, int], int]:
        """What the graph holds now, for `forget`."""
        return len(self._ops), dict(self._names_in_use), self.unseeded_random_ops

    def forget(self, mark: tuple[int, dict[str, int], int]) -> None:
        """Takes out the operations that were added since `mark`, which nobody else may use."""
        holding(self._lock, self._forget, mark)

    def _forget(self, mark: tuple[int, dict[str, int], int]) -> None:
        count, names, self.unseeded_random_ops = mark
        for op in reversed(self._ops[count:]):
            for tensor in op.inputs:
                consumers = tensor._consumers
                if consumers and consumers[-1] is op:
                    consumers.pop()
            if op.body is not None and op.body.operations and op.body.operations[-1] is op:
                op.body.operations.pop()
            del self._by_name[op.name]
        del self._ops[count:]
        self._names_in_use = dict(names)

    def place_before(self, first: Operation, then: Operation) -> None:
        """Has an operation stand before another one, which is to use it.

        Raises:
          ValueError: if they belong to different graphs, or to different parts of a conditional or
            loop, or if the first one depends on the other.
        """
        if first.graph is not self or then.graph is not self:
            raise ValueError(f"{first!r} must be from the same graph as {then!r}.")
        if first.body is not then.body:
            raise ValueError(f"{first!r} and {then!r} belong to different parts of control flow.")
        self._check_not_finalized()
        holding(self._lock, self._place_before, first, then)

    def _place_before(self, first: Operation, then: Operation) -> None:
        if first._id < then._id:
            return
        # What depends on the one moves behind the other.
        start, end = then._id - 1, first._id
        moved = {then}
        for op in self._ops[start + 1 : end]:
            uses = {*(tensor.op for tensor in op.inputs), *op.controls}
            if not moved.isdisjoint(uses):
                moved.add(op)
        if first in moved:
            raise ValueError(f"{first!r} depends on {then!r}, which cannot use it.")
        part = self._ops[start:end]
        part = [op for op in part if op not in moved] + [op for op in part if op in moved]
        self._ops[start:end] = part
        for number, op in enumerate(part, start + 1):
            op._id = number

    @property
    def _c_graph(self) -> Graph:
        """The graph: what TensorFlow's C interface knows it by."""
        return self

    @property
    def version(self) -> int:
        """Grows with every operation that is added."""
        return len(self._ops)

    @property
    def _last_id(self) -> int:
        return len(self._ops)

    def _check_not_finalized(self) -> None:
        if self._finalized:
            raise RuntimeError("Graph is finalized and cannot be modified.")

    def finalize(self) -> None:
        """Makes the graph read-only: adding an operation raises `RuntimeError` from now on."""
        self._finalized = True

    @property
    def finalized(self) -> bool:
        """True once the graph is read-only."""
        return self._finalized

    def _unsafe_unfinalize(self) -> None:
        self._finalized = False

    # -- names and scopes --------------------------------------------------------------------------

    def _exact_name(self, name: str) -> str:
        if name in self._by_name:
            raise ValueError(f"Duplicate node name in graph: {name!r}")
        self._names_in_use.setdefault(name, 1)
        return name

    def unique_name(self, name: str, mark_as_used: bool = True) -> str:
        """`name` under the current name scope, with _1, _2, ... appended if it is taken."""
        prefix = self._scope.entries[-1].item.name
        return self._numbered(f"{prefix}/{name}" if prefix else name, mark_as_used)

    def _numbered(self, name: str, mark_as_used: bool = True) -> str:
        in_use = self._names_in_use
        count = in_use.get(name)
        if count is None:
            if mark_as_used:
                in_use[name] = 1
            return name
        base = name
        while name in in_use:
            name = f"{base}_{count}"
            count += 1
        if mark_as_used:
            in_use[base] = count
            in_use[name] = 1
        return name

    def check_name(self, name: str) -> str:
        """Checks a name for an op to be added now, and gives it as text.

        Raises:
          ValueError: if it is not legal under the current name scope.
        """
        return check_name(name, self._scope.entries[-1].item)

    def op_scope(self, name: str) -> NameScope:
        """`name_scope` for a name that has been checked."""
        return NameScope(self, name)

    def name_scope(self, name: str | None) -> NameScope:
        """A context manager that puts ops under `name`, made unique; None or "" is the root.

        A name that ends in "/" is used as it is, to open an earlier scope again.

        Raises:
          ValueError: if `name` is not a legal scope name.
        """
        if name:
            check_name(name, self._scope.entries[-1].item)
        return NameScope(self, name)

    def get_name_scope(self) -> str:
        """The current name scope, without a trailing slash."""
        return self._scope.top.name

    def device(self, device_name_or_function: Any) -> Pushed[Scope, Scope]:
        """A context manager that records a device on the ops made in it.

        Fields left open by an inner device come from the outer ones; None drops the outer ones.
        """
        return self._scope.scope(self._scope.top.on_device(device_name_or_function))

    def _apply_device_functions(self, op: Any) -> None:
        """Calls `op._set_device` with the device that an op made now would record, if it is one.

        Keras asks so for the current device, with an object of its own in place of an operation.
        """
        if self._scope.top.device:
            op._set_device(self._scope.top.device)

    def control_dependencies(self, control_inputs: Any) -> Pushed[Scope, Scope]:
        """A context manager: ops made in it run after `control_inputs`; None drops the outer ones.

        With None, ops also leave the control flow body being built (a variable's initializer must
        not depend on a branch being taken).

        Raises:
          TypeError: if an element is neither an operation nor a tensor (nor a variable).
          ValueError: if it lies inside a control flow op that has been built.
        """
        scope = self._scope.entries[-1].item
        if control_inputs is None:
            scope = scope.inside(None)
            return Pushed(self._scope, scope, scope)
        ops: dict[Operation, None] = {}
        outside: list[Operation] = []
        body = scope.body
        for item in control_inputs:
            op = item
            if item.__class__ is not Operation or item.graph is not self:
                element = self.as_graph_element(item)
                op = element.op if isinstance(element, Tensor) else element
            if op.body is body:
                ops[op] = None
            elif op.body is not None and not op.body.encloses(body):
                raise ValueError(OUTSIDE.format(element=op.name, owner=op.body.what))
            else:
                outside.append(op)
        controls = ControlInputs(tuple(ops))
        if body is not None:
            # It waits for what stands outside as a whole: its control flow op does.
            for op in outside:
                body.control_captures.setdefault(op, []).append(controls)
        scope = scope.waiting_for(controls)
        return Pushed(self._scope, scope, scope)

    def colocate_with(self, op: Any, ignore_existing: bool = False) -> Pushed[Scope, Scope]:
        """A context manager: ops made in it record that they stand beside `op`, on its device.

        Args:
          op: an operation or tensor; None, with `ignore_existing`, for none.
          ignore_existing: whether outer `colocate_with` scopes are dropped.

        Raises:
          ValueError: if `op` is None and `ignore_existing` is not set.
        """
        if op is None and not ignore_existing:
            raise ValueError(
                "Trying to reset colocation (op is None) but ignore_existing is not True"
            )
        scope = self._scope.top
        beside = () if ignore_existing else scope.colocate
        if op is not None:
            element = self.as_graph_element(op, allow_tensor=True, allow_operation=True)
            beside = (*beside, element.op if isinstance(element, Tensor) else element)
        return self._scope.scope(scope.beside(beside))

    def gradient_override_map(self, op_type_map: Mapping[str, str]) -> Pushed[Scope, Scope]:
        """A context manager: ops of these types made in it have other gradients.

        Args:
          op_type_map: for op types the name under which a gradient is registered, by
            `hf.RegisterGradient`, or another op type, whose gradient they then have.

        Raises:
          TypeError: if it is no dict of strings.
        """
        items = op_type_map.items() if isinstance(op_type_map, dict) else [(None, None)]
        for item in items:
            if not all(isinstance(name, str) for name in item):
                raise TypeError(
                    "op_type_map must be a dictionary mapping strings to strings, got "
                    f"{op_type_map!r:.200}"
                )
        top = self._scope.top
        return self._scope.scope(top.evolve(gradients={**(top.gradients or {}), **op_type_map}))

    def create_op(
        self,
        op_type: str,
        inputs: Sequence[Tensor],
        dtypes: Sequence[Any] | None = None,
        input_types: Sequence[Any] | None = None,
        name: str | None = None,
        attrs: Mapping[str, Any] | None = None,
        op_def: Any = None,
        compute_shapes: bool = True,
        compute_device: bool = True,
    ) -> Operation:
        """Adds an operation by its op type; op functions are the usual way.

        Args:
          op_type: the type, as in a `NodeDef`.
          inputs: all inputs in a row, tensors of this graph.
          dtypes: the dtypes that its outputs must have, or None.
          input_types: the dtypes that its inputs must have, or None.
          name: its name, the op type by default; made unique unless it ends in "/".
          attrs: its attributes, `AttrValue` messages by name. Those that inputs tell may be left
            out.
          op_def, compute_shapes, compute_device: accepted; the op is the one that exists here.

        Raises:
          TypeError: for inputs that are no tensors, or dtypes that differ. ValueError: if there is
            no such op, or inputs and attributes do not fit it.
        """
        self._check_not_finalized()
        with self.as_default():
            return late.create_op(self, op_type, inputs, dtypes, input_types, name, attrs or {})

    def _kernel_label_map(self, op_to_kernel_label_map: Any) -> Pushed[Scope, str]:
        """Accepted for compatibility: an op has one kernel."""
        return self._scope.scope(self._scope.top, "")

    def container(self, container_name: str) -> Pushed[Scope, str]:
        """A context manager: what ops made in it share by name is kept in that container."""
        scope = self._scope.top
        attrs = {**(scope.attrs or {}), "container": container_name.encode()}
        return self._scope.scope(scope.evolve(attrs=attrs), container_name)

    def _attr_scope(self, attr_map: Mapping[str, Any]) -> Pushed[Scope, Scope]:
        """A context manager: ops made in it have these attributes, `AttrValue` messages or values.

        Args:
          attr_map: None stands for an attribute that they do not have from outside.
        """
        scope = self._scope.top
        attrs = {**(scope.attrs or {}), **{k: plain_attr(v) for k, v in attr_map.items()}}
        kept = {name: value for name, value in attrs.items() if value is not None}
        return self._scope.scope(scope.evolve(attrs=kept or None))

    def _original_op(self, op: Operation) -> Pushed[Scope, Scope]:
        """A context manager: ops made in it are told of as made for `op`, as its gradient is."""
        return self._scope.scope(self._scope.top.evolve(original=op))

    def root_scope(self) -> Pushed[Scope, Scope]:
        """A context manager for making a variable of a full name.

        Ops made in it stand at the root of all name scopes, outside of control flow and without
        control inputs, and all are said to be made by the user's line that runs now.
        """
        top = self._scope.entries[-1].item
        frames = traceback.capture(2)
        scope = Scope("", top.device, top.device_functions, (), None, top.colocate, frames)
        scope.attrs = top.attrs
        return Pushed(self._scope, scope, scope)

    def body_scope(self, body: Body) -> Pushed[Scope, Scope]:
        """A context manager in which ops belong to `body`."""
        scope = self._scope.entries[-1].item.inside(body)
        return Pushed(self._scope, scope, scope)

    # -- elements ----------------------------------------------------------------------------------

    def get_operations(self) -> list[Operation]:
        """All operations, in the order in which they were made."""
        return list(self._ops)

    def as_graph_def(self, from_version: int | None = None, add_shapes: bool = False) -> Any:
        """The graph as a `GraphDef` message, which TensorFlow can load.

        Conditionals and loops are nodes `If`, `Case` and `While`, their parts functions of the
        message's library.

        Args:
          from_version: leaves out the operations that the graph had at this `version`.
          add_shapes: notes the shapes of outputs in the attribute `_output_shapes`.

        Raises:
          ValueError: for a constant that is larger than 2 GB.
        """
        return late.graph_def(self, from_version, add_shapes)

    @property
    def graph_def_versions(self) -> Any:
        """The versions of the graph's format: a `VersionDef` message."""
        return late.graph_def(self, self.version).versions

    def get_operation_by_name(self, name: str) -> Operation:
        """The operation of that name.

        Raises:
          KeyError: if there is none. TypeError: if `name` is not a string.
        """
        if not isinstance(name, str):
            raise TypeError(f"Operation names are strings (or similar), not {type(name).__name__}.")
        return self.as_graph_element(name, allow_tensor=False, allow_operation=True)

    def get_tensor_by_name(self, name: str) -> Tensor:
        """The tensor of that name, "<op>:<index>".

        Raises:
          KeyError: if there is none. TypeError: if `name` is not a string.
        """
        if not isinstance(name, str):
            raise TypeError(f"Tensor names are strings (or similar), not {type(name).__name__}.")
        return self.as_graph_element(name, allow_tensor=True, allow_operation=False)

    def as_graph_element(
        self, obj: Any, allow_tensor: bool = True, allow_operation: bool = True
    ) -> Any:
        """The `Tensor` or `Operation` of this graph that `obj` (or a name) stands for.

        Raises:
          TypeError: if `obj` cannot stand for one. ValueError: if it belongs elsewhere or the name
            is malformed. KeyError: if no element has that name.
        """
        if not isinstance(obj, (Tensor, Operation)):
            convert = getattr(obj, "_as_graph_element", None)
            if convert is not None:
                obj = convert()
        if isinstance(obj, bytes):
            obj = obj.decode()
        if isinstance(obj, str):
            return element_by_name(self._by_name, obj, allow_tensor, allow_operation)
        if isinstance(obj, Tensor) and allow_tensor and hasattr(obj, "op"):
            if obj.graph is not self:
                raise ValueError(
                    f"Tensor {obj} is not an element of this graph{made_at(obj.op)}. A session "
                    "runs one graph: `hf.Session(graph=t.graph)` runs this tensor's."
                )
            return obj
        if isinstance(obj, Operation) and allow_operation:
            if obj.graph is not self:
                raise ValueError(f"Operation {obj.name!r} is not an element of this graph.")
            return obj
        wanted = " or ".join(["Tensor"] * allow_tensor + ["Operation"] * allow_operation)
        raise TypeError(f"Can not convert a {type(obj).__name__} into a {wanted}.")

    def evaluate(self, element: Any, feed_dict: Any, session: Any) -> Any:
        """Runs `element` in `session`, or in the default session when it is None."""
        session = context.sessions.top if session is None else session
        if session is None:
            raise ValueError(
                f"Cannot evaluate {element.name!r}: no default session is registered. Use `with "
                "hf.Session() as sess:` or pass an explicit session, `t.eval(session=sess)`."
            )
        if session.graph is not self:
            raise ValueError(
                f"Cannot use the {'given' if session is not context.sessions.top else 'default'} "
                f"session to evaluate {element.name!r}: the session's graph is different from the "
                "element's graph. Pass an explicit session that was made for that graph."
            )
        return session.run(element, feed_dict)

    # -- feeding and fetching ----------------------------------------------------------------------

    def prevent_feeding(self, tensor: Tensor) -> None:
        """Marks `tensor` as one that `Session.run` must not be fed."""
        self._unfeedable.add(tensor)

    def is_feedable(self, tensor: Tensor) -> bool:
        """Tells whether `tensor` may be fed."""
        return tensor not in self._unfeedable and tensor.op.body is None

    def prevent_fetching(self, op: Operation) -> None:
        """Marks `op` as one that `Session.run` must not fetch."""
        self._unfetchable.add(op)

    def is_fetchable(self, tensor_or_op: Any) -> bool:
        """Tells whether a tensor or operation may be fetched."""
        op = tensor_or_op.op if isinstance(tensor_or_op, Tensor) else tensor_or_op
        return op not in self._unfetchable and op.body is None

    def __repr__(self) -> str:
        return f"<hf.Graph with {len(self._ops)} operations>"
