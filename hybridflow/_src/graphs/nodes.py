"""Operations as `NodeDef` messages, in a graph or in a function of its library."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.formats import messages
from hybridflow._src.framework.dtypes import DType
from hybridflow._src.framework.function_attr import FunctionAttr
from hybridflow._src.framework.graph import Graph
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.signature import length_of_lists
from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.graphs.attributes import Function, attr_value
from hybridflow._src.graphs.op_list import definition, later_attributes, outputs_of, tensorflow_ops

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from hybridflow._src.framework.body import Body
    from hybridflow._src.framework.op_def import OpDef
    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.framework.signature import Arg
    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.graphs.hazards import Hazards

_NO_NAME = re.compile(r"[^A-Za-z0-9_]")


def grouped(args: Sequence[Arg], tensors: Sequence[Any]) -> Iterator[list[Any]]:
    """The tensors of each input or output of a signature.

    Some may stand for lists: of several all are of one length.
    """
    length = length_of_lists(tuple(args), len(tensors))
    at = 0
    for arg in args:
        count = length if arg.many else 1
        yield list(tensors[at : at + count])
        at += count


class Nodes:
    """The nodes of a graph.

    Args:
      nodes: the repeated field of a message that takes them.
      functions: the functions of the library so far, by name.
      taken: names that nodes must not get.
      add_shapes: whether nodes say the shapes of their outputs.
      hazards: what writes to variables wait for.
    """

    def __init__(
        self,
        nodes: Any,
        functions: dict[str, Any],
        taken: Iterable[str],
        add_shapes: bool = False,
        hazards: Hazards | None = None,
    ) -> None:
        self._nodes = nodes
        self.functions = functions
        self._taken = set(taken)
        self._written: dict[str, Any] = {}
        self._inlined: set[Body] = set()
        self._add_shapes = add_shapes
        self._hazards = hazards
        self._names: dict[Tensor, str] = {}
        self.is_stateful = False

    # -- names -------------------------------------------------------------------------------------

    def unique(self, name: str) -> str:
        """A name for a node that no operation stands for."""
        found, number = name, 0
        while found in self._taken:
            number += 1
            found = f"{name}_{number}"
        self._taken.add(found)
        return found

    def input(self, tensor: Tensor) -> str:
        """How a node names `tensor` as its input."""
        name = self._names.get(tensor)
        if name is None:
            name = self._names[tensor] = self._output_name(tensor)
        return name

    def _output_name(self, tensor: Tensor) -> str:
        return tensor.op.name if tensor.value_index == 0 else tensor.name

    def output(self, node: Any, index: int = 0) -> str:
        """How a node names an output of a node that `add` gave."""
        return node.name if index == 0 else f"{node.name}:{index}"

    # -- nodes -------------------------------------------------------------------------------------

    def write(self, op: Operation) -> None:
        """Adds the node of an operation, or those that compute what it does."""
        if op.record.written is not None:
            op.record.written(self, op)
        else:
            self.plain(op)

    def plain(self, op: Operation) -> Any:
        """Adds the one node of an operation, with its own type, inputs and attributes."""
        attrs = node_attrs(op)
        for key, value in op.attrs.items():
            if isinstance(value, FunctionAttr):
                attrs[key] = self._function_attr(value, f"{op.name}_{key}")
        return self.node(op, op.type, [self.input(t) for t in op.inputs], attrs)

    def _function_attr(self, function: FunctionAttr, name: str) -> Function:
        """Adds a function that an operation has as an attribute to the library."""
        values = function.values()
        args = [(t, t.dtype.base_dtype) for t in function.args] if values is None else ()
        nodes = FunctionNodes(self, function, name, args, values=values or ())
        nodes.give([(nodes.input(t), t.dtype.base_dtype) for t in function.outputs])
        return Function(nodes.shared())

    def node(
        self,
        op: Operation,
        type_: str,
        inputs: list[str],
        attrs: dict[str, Any],
        shapes: Sequence[TensorShape] | None = None,
    ) -> Any:
        """Adds the node by which others know an operation: it has its name, device and waits.

        Args:
          op: the operation.
          type_: the op type of the node.
          inputs: what it takes, as `input` and `output` name it.
          attrs: its attributes, as Python values or messages.
          shapes: the shapes of its outputs, where these are not the operation's.
        """
        found = self._add(type_, op.name, [*inputs, *self.waits(op)], attrs)
        found.device = op.device
        if "_class" in op.attrs:
            found.attr["_class"].CopyFrom(attr_value(op.attrs["_class"], "list(string)"))
        if "_gradient_op_type" in op.attrs:
            found.attr["_gradient_op_type"].s = op.attrs["_gradient_op_type"]
        if self._add_shapes and op.outputs:
            known = shapes or [t.shape for t in op.outputs]
            found.attr["_output_shapes"].CopyFrom(attr_value(known, "list(shape)"))
        return found

    def waits(self, op: Operation) -> list[str]:
        """How a node names what an operation waits for."""
        waits = [other for other in op.control_inputs if self._holds(other)]
        if self._hazards is not None:
            waits += self._hazards.before(op)
        return [f"^{self._short(other.name)}" for other in dict.fromkeys(waits)]

    def inline(self, body: Body) -> None:
        """Adds the operations of a body among the others."""
        self._inlined.add(body)
        for op in body.operations:
            self.write(op)

    def composed(self, op: Operation, function: Callable[..., Tensor]) -> None:
        """Adds the nodes of other operations, which compute the one output of an operation.

        Args:
          op: the operation.
          function: called with it, and in a graph of its own with a placeholder for each of its
            inputs; gives a tensor.
        """
        graph = Graph()
        scope = f"{self.unique(f'{op.name}/parts')}/"
        with graph.as_default(), graph.device(op.device), graph.name_scope(scope):
            args = [
                raw.Placeholder(dtype=t.dtype.base_dtype, shape=TensorShape.of(t._dims))
                for t in op.inputs
            ]
            result = function(op, *args)
        for arg, tensor in zip(args, op.inputs, strict=True):
            self._names[arg] = self.input(tensor)
        given = {arg.op for arg in args}
        for part in graph.get_operations():
            if part not in given and part.body is None:
                self.write(part)
        self.node(op, "Identity", [self.input(result)], {"T": result.dtype.base_dtype})

    def _holds(self, op: Operation) -> bool:
        """Whether an operation that another one waits for has a node here."""
        return op.body is None or op.body in self._inlined

    def add(self, type_: str, name: str, inputs: Sequence[str], **attrs: Any) -> Any:
        """Adds a node that no operation stands for; `name` is made unique."""
        return self._add(type_, self.unique(name), inputs, attrs)

    def function(
        self, body: Body, name: str, args: Sequence[tuple[Tensor | None, Any]], prefix: str = ""
    ) -> FunctionNodes:
        """Adds a body to the library as a function; see `FunctionNodes`."""
        return FunctionNodes(self, body, name, args, prefix)

    def _short(self, name: str) -> str:
        """The name of the node of an operation."""
        return name

    def _add(self, type_: str, name: str, inputs: Iterable[str], attrs: dict[str, Any]) -> Any:
        known = tensorflow_ops().get(type_)
        described = {attr.name: attr for attr in known.attr} if known else {}
        later = later_attributes().get(type_, ())
        called = self.functions[type_].signature if type_ in self.functions else known
        self.is_stateful = self.is_stateful or (called is not None and called.is_stateful)
        found = self._nodes.add(name=self._short(name), op=type_, input=inputs)
        self._written[name] = found
        for key, value in attrs.items():
            if not isinstance(value, messages.AttrValue):
                value = attr_value(value, described[key].type if key in described else "")
            if key not in later or value != described[key].default_value:
                found.attr[key].CopyFrom(value)
        return found


class FunctionNodes(Nodes):
    """The nodes of a function that is one body, or that an operation has as an attribute.

    Args:
      outer: the nodes of the graph or function that calls it.
      body: the body, or the attribute.
      name: what to call the function, made unique in the library.
      args: for each argument the tensor that it is inside, or None and a dtype for one that only
        nodes without an operation use.
      prefix: what names of operations begin with, and those of nodes do not.
      values: the values of what it is called with, if these are the same in every call.
    """

    def __init__(
        self,
        outer: Nodes,
        body: Body | FunctionAttr,
        name: str,
        args: Sequence[tuple[Tensor | None, Any]],
        prefix: str = "",
        values: Sequence[np.ndarray] = (),
    ) -> None:
        self.message = messages.FunctionDef()
        self.body: Body | None
        operations: Sequence[Operation]
        inputs: Sequence[Tensor]
        if isinstance(body, FunctionAttr):
            operations, inputs, self.body = body.needed, body.args, None
        else:
            operations, inputs, self.body = body.operations, body.inputs, body
        super().__init__(self.message.node_def, outer.functions, [op.name for op in operations])
        self._prefix = prefix
        self._inputs = {t.op for t in inputs}
        signature = self.message.signature
        signature.name = _NO_NAME.sub("_", name)
        while signature.name in self.functions:
            signature.name += "_"
        self.functions[signature.name] = self.message
        self.args: list[str] = []
        for index, (tensor, dtype) in enumerate(args):
            self.args.append(f"arg_{index}")
            signature.input_arg.add(name=f"arg_{index}", type=dtype.as_datatype_enum)
            if tensor is not None:
                self._names[tensor] = f"arg_{index}"
        for tensor, value in zip(inputs, values, strict=False):
            node = self.add("Const", "value", [], value=np.asarray(value), dtype=tensor.dtype)
            self._names[tensor] = self.output(node)
        for op in operations:
            if self._holds(op):
                self.write(op)

    def _holds(self, op: Operation) -> bool:
        return (op.body is self.body or op.body in self._inlined) and op not in self._inputs

    def _short(self, name: str) -> str:
        return name.removeprefix(self._prefix)

    @property
    def attr(self) -> Function:
        """The value of an attribute that names the function."""
        return Function(self.message.signature.name)

    def _output_name(self, tensor: Tensor) -> str:
        """How the nodes of a function name an output: by node, output of its op, and position."""
        node = self._written[tensor.op.name]
        if node.op in self.functions:
            output = self.functions[node.op].signature.output_arg[tensor.value_index]
            return f"{node.name}:{output.name}:0"
        known = tensorflow_ops().get(node.op) or definition(tensor.op.record)
        at = 0
        for output, count in outputs_of(node, known):
            if tensor.value_index < at + count:
                return f"{node.name}:{output}:{tensor.value_index - at}"
            at += count
        raise ValueError(f"{tensor} is no output of {node.op}.")

    def output(self, node: Any, index: int = 0) -> str:
        args = tensorflow_ops()[node.op].output_arg
        return f"{node.name}:{args[min(index, len(args) - 1)].name}:{max(0, index - len(args) + 1)}"

    def give(self, results: Sequence[tuple[str, Any]]) -> None:
        """Says what the function gives: how its nodes name each result, and its dtype."""
        for index, (name, dtype) in enumerate(results):
            self.message.signature.output_arg.add(name=f"out_{index}", type=dtype.as_datatype_enum)
            self.message.ret[f"out_{index}"] = name
        self.message.signature.is_stateful = self.is_stateful

    def shared(self) -> str:
        """The name of the function; of several that are alike one stands in the library."""
        own = self.message.signature.name
        for name, other in self.functions.items():
            if name != own and name.rstrip("_") == own.rstrip("_"):
                renamed = messages.FunctionDef.FromString(other.SerializeToString())
                renamed.signature.name = own
                if renamed == self.message:
                    del self.functions[own]
                    return name
        return own


def node_attrs(op: Operation) -> dict[str, Any]:
    """The attributes of an operation as messages: its own, and those that its tensors tell."""
    known = definition(op.record)
    told = _told(op, known)
    found: dict[str, Any] = {}
    for attr in known.attr:
        value = op.attrs.get(attr.name)
        if value is None:
            value = told.get(attr.name)
        if value is not None:
            if op.type == "Const" and attr.type == "tensor" and op.attrs["dtype"].is_quantized:
                # Which dtype its array is of, it does not say itself.
                value = value.view(op.attrs["dtype"].as_numpy_dtype)
            try:
                found[attr.name] = attr_value(value, attr.type)
            except TypeError:
                # A Python function, of which a file holds none, or one that stands in the library.
                continue
    for key in _later(op.record):
        if op.attrs[key] is not op.record.defaults[key]:
            found[key] = attr_value(op.attrs[key], "type")
    return found


@functools.cache
def _later(record: OpDef) -> tuple[str, ...]:
    """The dtypes among attributes that only later TensorFlows have: others have the default."""
    known = {attr.name for attr in definition(record).attr}
    dtypes = [key for key, value in record.defaults.items() if isinstance(value, DType)]
    return tuple([key for key in dtypes if key not in known])


def _told(op: Operation, known: Any) -> dict[str, Any]:
    """The dtypes and numbers that inputs and outputs tell, by attribute."""
    record: OpDef = op.record
    found: dict[str, Any] = {}
    for args, described, tensors in (
        (record.outputs, known.output_arg, op.outputs),
        (record.inputs, known.input_arg, op.inputs),
    ):
        if len(args) != len(described):
            continue
        for arg, group in zip(described, grouped(args, tensors), strict=True):
            dtypes = [t.dtype.base_dtype for t in group]
            if arg.number_attr:
                found[arg.number_attr] = len(group)
            if arg.type_list_attr:
                found[arg.type_list_attr] = dtypes
            elif arg.type_attr and dtypes:
                found[arg.type_attr] = dtypes[0]
    return found
