"""TensorFlow's op definitions, and those of the ops that only we have."""

from __future__ import annotations

import functools
import importlib.resources
import json
import zlib
from typing import TYPE_CHECKING, Any

from hybridflow._src.formats import messages
from hybridflow._src.formats.tensors import dtype_of
from hybridflow._src.framework.dtypes import DType
from hybridflow._src.framework.op_def import OPS, REQUIRED
from hybridflow._src.framework.tensor_shape import TensorShape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.op_def import OpDef
    from hybridflow._src.framework.signature import Arg

__all__ = ["ops_used_by_graph_def", "stripped_op_list_for_graph"]


@functools.cache
def tensorflow_ops() -> dict[str, Any]:
    """The `OpDef` messages of TensorFlow 1.15 by op type, without descriptions.

    `tests/recorded/record_op_list.py` made the file.
    """
    file = importlib.resources.files("hybridflow._src.graphs") / "tensorflow_ops.binpb.z"
    return {op.name: op for op in messages.OpList.FromString(zlib.decompress(file.read_bytes())).op}


@functools.cache
def later_attributes() -> dict[str, list[str]]:
    """The attributes of TensorFlow 1.15 that 1.4 lacks, by op type. All have defaults.

    1.4 refuses a node with an attribute that it does not know.
    """
    file = importlib.resources.files("hybridflow._src.graphs") / "later_attributes.json"
    found: dict[str, list[str]] = json.loads(file.read_text())
    return found


# Where ops stand that TensorFlow 1 does not have by itself.
_ELSEWHERE = {
    "GatherTree": "in tf.contrib.seq2seq",
    "HorovodAllgather": "in Horovod",
    "HorovodAlltoall": "in Horovod",
    "HorovodBroadcast": "in Horovod",
    "HorovodGroupedAllreduce": "in Horovod",
    "IsotonicRegression": "in TensorFlow from 2.5 on",
}


def where_else(op_type: str) -> str:
    """Where an op stands that TensorFlow 1 lacks, as text behind its name."""
    return f", which is {_ELSEWHERE[op_type]}," if op_type in _ELSEWHERE else ""


def outputs_of(node: Any, definition: Any) -> list[tuple[str, int]]:
    """The outputs of a node by name, as its op's definition has them, and how many tensors each
    stands for.
    """
    found = []
    for arg in definition.output_arg:
        count = 1
        if arg.number_attr:
            count = node.attr[arg.number_attr].i
        elif arg.type_list_attr:
            count = len(node.attr[arg.type_list_attr].list.type)
        found.append((arg.name, count))
    return found


def check_inputs(op_type: str, attr: Any, given: Sequence[DType]) -> None:
    """Checks that a node takes what its attributes say.

    Args:
      op_type: of the node; nothing is checked for an op of our own.
      attr: its attributes.
      given: the dtypes of its inputs.

    Raises:
      ValueError: if one is too small, or says something else.
    """
    known = tensorflow_ops().get(op_type)
    if known is None:
        return
    for one in known.attr:
        if one.has_minimum and one.type == "int" and one.name in attr:
            value = attr[one.name].i
            if value < one.minimum:
                raise ValueError(
                    f"Value for attr '{one.name}' of {value} must be at least minimum {one.minimum}"
                )
    at = 0
    for arg in known.input_arg:
        source = arg.type_list_attr or arg.number_attr
        if source and source not in attr:
            return  # how many there are it does not say
        wanted: list[int | None]
        if arg.type_list_attr:
            wanted = list(attr[source].list.type)
        else:
            # More than there are is as wrong as any more.
            count = min(attr[source].i, len(given) + 1) if source else 1
            wanted = [attr[arg.type_attr].type if arg.type_attr in attr else None] * count
        if at + len(wanted) > len(given):
            if not source:
                return  # the op's record says so
            raise ValueError(
                f"it has {len(given)} inputs, which are not as many as its attributes say"
            )
        for number in wanted:
            found = given[at].base_dtype
            if number not in (None, found.as_datatype_enum):
                raise ValueError(
                    f"Input {at} was passed {found.name} incompatible with expected "
                    f"{dtype_of(number).name}"
                )
            at += 1


def ops_used_by_graph_def(graph_def: Any) -> list[str]:
    """The op types of a graph, and of the functions that it calls, sorted.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default() as graph:
    ...     _ = hf.square(hf.constant(1.0))
    >>> hf.contrib.util.ops_used_by_graph_def(graph.as_graph_def())
    ['Const', 'Square']
    """
    library = {function.signature.name: function for function in graph_def.library.function}
    used: set[str] = set()
    called: set[str] = set()
    pending = [graph_def.node]
    while pending:
        for node in pending.pop():
            functions = [attr.func.name for attr in node.attr.values() if attr.HasField("func")]
            functions += [f.name for attr in node.attr.values() for f in attr.list.func]
            if node.op in library:
                functions.append(node.op)
            else:
                used.add(node.op)
            for name in functions:
                if name in library and name not in called:
                    called.add(name)
                    pending.append(library[name].node_def)
    return sorted(used)


def stripped_op_list_for_graph(graph_def: Any) -> Any:
    """The definitions of the ops of a graph, without descriptions: an `OpList` message.

    Raises:
      RuntimeError: for an op that neither TensorFlow 1.15 nor hybridflow has.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default() as graph:
    ...     _ = hf.constant(1.0)
    >>> [op.name for op in hf.contrib.util.stripped_op_list_for_graph(graph.as_graph_def()).op]
    ['Const']
    """
    found = messages.OpList()
    unknown = []
    for name in ops_used_by_graph_def(graph_def):
        known = tensorflow_ops().get(name)
        if known is None and name not in OPS:
            unknown.append(name)
        else:
            found.op.append(known or definition(OPS[name]))
    if unknown:
        raise RuntimeError(
            f"The following ops are used by the graph, but are not registered: {unknown}"
        )
    return found


def definition(record: OpDef) -> Any:
    """The `OpDef` message of an op record: TensorFlow's, or where it has none one of that form."""
    return tensorflow_ops().get(record.name) or _own_definition(record)


@functools.cache
def _own_definition(record: OpDef) -> Any:
    found = messages.OpDef(name=record.name, is_stateful=record.stateful)
    kinds = {name: _kind(value) for name, value in record.defaults.items()}
    for arg in record.inputs:
        _describe(arg, found.input_arg.add(), kinds)
    for arg in record.outputs:
        _describe(arg, found.output_arg.add(), kinds)
    for name, kind in kinds.items():
        found.attr.add(name=name, type=kind)
    return found


def _describe(arg: Arg, into: Any, kinds: dict[str, str]) -> None:
    """Notes an input or output, and the attributes that say its dtype and number."""
    into.name = arg.name
    into.is_ref = arg.ref
    var = arg.var
    if arg.many and (var is None or kinds.get(var, "").startswith("list")):
        into.type_list_attr = var = var or f"T{arg.name}"
        kinds[var] = "list(type)"
        return
    if arg.many:
        into.number_attr = "N"
        kinds["N"] = "int"
    if arg.dtype is not None:
        into.type = arg.dtype.as_datatype_enum
    elif var is not None:
        into.type_attr = var
        kinds[var] = "type"


# A bool is an int to Python.
_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "bool"),
    (int, "int"),
    (float, "float"),
    (str, "string"),
    (bytes, "string"),
    (DType, "type"),
    (TensorShape, "shape"),
)


def _kind(value: Any) -> str:
    """The kind of an attribute with such a default, or "" where that does not tell."""
    if isinstance(value, (list, tuple)):
        return f"list({_kind(value[0])})" if value else "list(type)"
    if value is None or value is REQUIRED:
        return ""
    return next((kind for known, kind in _KINDS if isinstance(value, known)), "")
