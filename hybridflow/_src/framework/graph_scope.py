"""What a graph gives to the ops that are added now: names, devices, control inputs, colocation."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import settings
from hybridflow._src.framework.device import DeviceSpec
from hybridflow._src.framework.signature import takes_variable
from hybridflow._src.framework.stack import Opened, Opener

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hybridflow._src.framework.body import Body
    from hybridflow._src.framework.graph import Graph
    from hybridflow._src.framework.op_def import OpDef
    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.framework.traceback import RawFrames

    DeviceFunction = Callable[[Operation], str | DeviceSpec | None]

# The names of ops and scopes repeat: few are new.
_is_root_name = lru_cache(4096)(re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\-/]*").fullmatch)
_is_inner_name = lru_cache(4096)(re.compile(r"[A-Za-z0-9_.\-/]*").fullmatch)
_NO_STRING = (
    "A name must be a string, got {got!r:.200}. `name` is often the last parameter: perhaps there "
    "is one argument too many, or sizes stand outside a list."
)
_NOT_LEGAL = (
    "'{name}' is not a valid scope name: it may have letters, digits and any of _.-/ in it, and "
    "begins with a letter, a digit or a dot."
)


_new = object.__new__


class ControlInputs:
    """The control inputs of one `control_dependencies` scope, and the ops added in it so far."""

    __slots__ = ("members", "ops")

    def __init__(self, ops: tuple[Operation, ...]) -> None:
        self.ops = ops
        self.members: set[Operation] = set()


class Scope:
    """One immutable record, evolved by each nested scope.

    Attributes:
      name: prefix of names, without the trailing slash.
      device: the merged device string of the open `device` scopes.
      device_functions: all open device specs and functions, outermost first, once one is a
        function.
      controls: groups of control inputs, outermost first.
      body: the control flow body being built.
      colocate: ops with which new ones are colocated.
      frames: where in the user's program ops are said to be made; None for where they are.
      gradients: for op types the name under which their gradient is registered.
      attrs: attributes that ops have from outside: those of any op, whose names begin with an
        underscore, and others of the ops that know them.
      original: the op whose gradient is being built.
    """

    __slots__ = (
        "attrs",
        "body",
        "colocate",
        "controls",
        "device",
        "device_functions",
        "frames",
        "gradients",
        "name",
        "original",
    )

    def __init__(
        self,
        name: str = "",
        device: str = "",
        device_functions: tuple[DeviceFunction, ...] = (),
        controls: tuple[ControlInputs, ...] = (),
        body: Body | None = None,
        colocate: tuple[Operation, ...] = (),
        frames: RawFrames | None = None,
        gradients: Mapping[str, str] | None = None,
        attrs: Mapping[str, Any] | None = None,
        original: Operation | None = None,
    ) -> None:
        self.name = name
        self.device = device
        self.device_functions = device_functions
        self.controls = controls
        self.body = body
        self.colocate = colocate
        self.frames = frames
        self.gradients = gradients
        self.attrs = attrs
        self.original = original

    @property
    def is_plain(self) -> bool:
        """Whether it gives an op nothing but its name, and the op whose gradient it belongs to."""
        return not (self.controls or self.body is not None or self.places)

    @property
    def places(self) -> bool:
        """Whether it gives an op a device, or attributes."""
        return bool(
            self.device or self.device_functions or self.colocate or self.gradients or self.attrs
        )

    def named(self, name: str) -> Scope:
        """The scope under another name."""
        # Quicker than `Scope(...)`: this is on the path of most ops.
        scope = _new(Scope)
        scope.name = name
        scope.device = self.device
        scope.device_functions = self.device_functions
        scope.controls = self.controls
        scope.body = self.body
        scope.colocate = self.colocate
        scope.frames = self.frames
        scope.gradients = self.gradients
        scope.attrs = self.attrs
        scope.original = self.original
        return scope

    def waiting_for(self, controls: ControlInputs) -> Scope:
        """The scope inside `control_dependencies`."""
        scope = self.named(self.name)
        scope.controls = (*self.controls, controls)
        return scope

    def inside(self, body: Body | None) -> Scope:
        """The scope in a body: what control inputs there are, the body's op waits for."""
        scope = self.named(self.name)
        scope.body = body
        scope.controls = ()
        return scope

    def evolve(self, **changes: Any) -> Scope:
        """The scope with some fields changed."""
        scope = self.named(self.name)
        for field, value in changes.items():
            setattr(scope, field, value)
        return scope

    def on_device(self, spec: Any) -> Scope:
        """The scope inside `device(spec)`: inner specs fill in over outer ones, None drops them."""
        if spec is None:
            return self.evolve(device="", device_functions=())
        if not callable(spec):
            spec = merge_devices("", spec)
            if not self.device_functions:
                return self.evolve(device=merge_devices(self.device, spec))
            spec = _device_function(spec)
        functions = self.device_functions
        if not functions and self.device:
            functions = (_device_function(self.device),)
        return self.evolve(device_functions=(*functions, spec))

    def beside(self, ops: tuple[Operation, ...]) -> Scope:
        """The scope inside `colocate_with`.

        Standing beside an op is the stronger wish: devices asked for outside do not count.
        """
        return self.evolve(colocate=ops, device="", device_functions=())

    def beside_references(self, op_def: OpDef, inputs: tuple[Tensor, ...]) -> Scope:
        """The scope for an op that works on variables kept by reference: it stands beside them."""
        variables = [
            tensor.op
            for index, tensor in enumerate(inputs)
            if tensor._dtype.is_ref_dtype and takes_variable(op_def.inputs, index)
        ]
        return self.beside((*self.colocate, *variables))

    def control_inputs(self, inputs: tuple[Tensor, ...]) -> tuple[Operation, ...]:
        """The open control inputs, less those that an input of the new op already waits for."""
        input_ops = {t.op for t in inputs}
        found: dict[Operation, None] = {}
        for group in self.controls:
            if input_ops.isdisjoint(group.members):
                found.update((op, None) for op in group.ops if op not in input_ops)
        return tuple(found)

    def place(self, op: Operation) -> None:
        """Sets the device of a new op, what it is colocated with, and which gradient it has."""
        if self.attrs:
            given = {k: v for k, v in self.attrs.items() if _lacks(op.attrs, k)}
            op.attrs = {**op.attrs, **given}
        if self.gradients and op.type in self.gradients:
            name = self.gradients[op.type].encode()
            op.attrs = {**op.attrs, "_gradient_op_type": name}
        if self.device_functions:
            for function in reversed(self.device_functions):
                op._set_device(function(op))
        else:
            op.device = self.device
        if self.colocate:
            groups: dict[bytes, None] = dict.fromkeys((self.attrs or {}).get("_class", ()))
            for other in self.colocate:
                groups.update(dict.fromkeys(other.colocation_groups()))
                # A device asked for inside the scope wins.
                op.device = op.device or other.device
            op.attrs = {**op.attrs, "_class": sorted(groups)}


class NameScope(Opener):
    """Context manager of `Graph.name_scope`; gives the scope's name with a trailing slash."""

    __slots__ = ("_graph", "_name", "_original")

    _what = "graph scope"

    def __init__(self, graph: Graph, name: str | None, original: Operation | None = None) -> None:
        self._graph = graph
        self._name = name
        self._original = original

    def _open(self, opened: Opened) -> str:
        return open_name_scope(self._graph, self._name, opened, self._original)


def open_name_scope(
    graph: Graph, name: str | None, opened: Opened, original: Operation | None = None
) -> str:
    """Puts what is added to a graph under a name that is legal, until `opened` is closed.

    Args:
      original: the op whose gradient it is, if it is one.
    """
    stack = graph._scope
    if not name:
        full = ""
    elif name[-1] == "/":
        full = name[:-1]
    else:
        full = graph.unique_name(name)
    scope = stack.entries[-1].item.named(full)
    if original is not None:
        scope.original = original
    opened.push(stack, scope)
    return full + "/" if name else ""


def check_name(name: str | bytes, scope: Scope) -> str:
    """Checks a name for an op or a name scope inside `scope`, and gives it as text.

    Raises:
      ValueError: if it is not legal there. TypeError: if it is no string.
    """
    if not isinstance(name, str):
        if not isinstance(name, bytes):
            raise TypeError(_NO_STRING.format(got=name))
        name = name.decode()
    if not (_is_inner_name(name) if scope.name else _is_root_name(name)):
        raise ValueError(_NOT_LEGAL.format(name=name))
    return name


def _lacks(attrs: Mapping[str, Any], name: str) -> bool:
    """Whether an op is to have an attribute from outside."""
    return name not in attrs if name[0] == "_" else attrs.get(name) in ("", b"")


def plain_attr(value: Any) -> Any:
    """The value of an attribute that may be an `AttrValue` message."""
    which = getattr(value, "WhichOneof", None)
    if which is None:
        return value
    kind = which("value")
    found = getattr(value, kind)
    return list(found.s) if kind == "list" else found


def _device_function(name: str) -> DeviceFunction:
    return lambda op: merge_devices(name, op.device)


def merge_devices(outer: str, inner: Any) -> str:
    """The device string of `inner` with what it leaves open taken from `outer`."""
    if isinstance(inner, DeviceSpec):
        return _merged(outer, inner.to_string())
    return _merged(outer, settings.string(inner, "device"))


@lru_cache(1024)
def _merged(outer: str, inner: str) -> str:
    merged = DeviceSpec.from_string(outer)
    merged.merge_from(DeviceSpec.from_string(inner))
    return merged.to_string()
