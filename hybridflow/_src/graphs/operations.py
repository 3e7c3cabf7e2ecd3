"""One node of a `GraphDef` as an operation."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from hybridflow._src.formats import messages
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.late import late
from hybridflow._src.framework.op_def import OPS, REQUIRED
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.graphs.attributes import Function, check_kind, python_value
from hybridflow._src.graphs.nodes import grouped
from hybridflow._src.graphs.op_list import definition

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hybridflow._src.framework.graph import Graph
    from hybridflow._src.framework.op_def import OpDef
    from hybridflow._src.framework.operation import Operation

_UNSUPPORTED = (
    "Node {name!r} ({type}): attribute {key!r} is {value!r}, which does not exist here; {wanted}."
)

_NO_FUNCTION = (
    "Node {name!r} ({type}) lacks its function {key!r}: what runs Python functions is written "
    "without them, since a file holds none."
)


# Ops that do what one here does, with the same inputs, and outputs that may be more.
_SYNONYMS = {
    "AddV2": "Add",
    "BatchMatMulV2": "BatchMatMul",
    "BiasAddV1": "BiasAdd",
    "ControlTrigger": "NoOp",
    "FixedLengthRecordDatasetV2": "FixedLengthRecordDataset",
    "FusedBatchNormGradV3": "FusedBatchNormGradV2",
    "FusedBatchNormV3": "FusedBatchNormV2",
    "IteratorV2": "Iterator",
    "ParallelDynamicStitch": "DynamicStitch",
    "PlaceholderV2": "Placeholder",
    "PreventGradient": "StopGradient",
    "RefIdentity": "Identity",
    "Snapshot": "Identity",
    "Variable": "VariableV2",
}
# Ops whose `shared_name` is what errors call them.
_VARIABLES = frozenset(("VarHandleOp", "VariableV2"))
# Attributes of later TensorFlows, and the values with which ops do what they did.
_LATER = {"exponential_avg_factor": 1.0}
# Those that say nothing about what an op does.
_WITHOUT_EFFECT = frozenset(("allowed_devices", "config", "config_proto", "debug_name", "message"))


def record_of(type_: str) -> OpDef | None:
    """The op record of an op type, or None. `OPS` is filled as modules are imported."""
    type_ = _SYNONYMS.get(type_, type_)
    if type_ not in OPS:
        late.load_ops()
    if type_ not in OPS:
        late.load_data()
    return OPS.get(type_)


def add_operation(
    graph: Graph,
    record: OpDef,
    inputs: Sequence[Tensor],
    attrs: Mapping[str, Any],
    name: str,
    input_names: Sequence[str] | None = None,
    function: Callable[[str], Any] | None = None,
) -> Operation:
    """Adds an operation to `graph`, which is the default one.

    Args:
      graph: the graph.
      record: what kind it is.
      inputs: all inputs in a row.
      attrs: `AttrValue` messages by name.
      name: its name, made unique; exact with a slash at the end.
      input_names: what errors call the inputs.
      function: gives a function of the library that an attribute names.

    Raises:
      ValueError: for inputs or attributes that do not fit the op.
    """
    args = _arguments(record, inputs, input_names or [t.name for t in inputs])
    record(*args, name=name, **_attributes(record, attrs, name.rstrip("/"), function))
    op = graph._ops[-1]
    if "_gradient_op_type" in attrs:
        op.attrs = {**op.attrs, "_gradient_op_type": attrs["_gradient_op_type"].s}
    return op


def create_op(
    graph: Graph,
    op_type: str,
    inputs: Sequence[Tensor],
    out_dtypes: Sequence[Any] | None,
    input_types: Sequence[Any] | None,
    name: str | None,
    attrs: Mapping[str, Any],
) -> Operation:
    """What `Graph.create_op` does, in the default graph."""
    for index, tensor in enumerate(inputs):
        if not isinstance(tensor, Tensor):
            raise TypeError(f"Input #{index} is not a tensor: {tensor!r:.200}")
    record = record_of(op_type)
    if record is None:
        raise ValueError(f"No op named {op_type} in defined operations.")
    if input_types is not None:
        _check_dtypes(op_type, "input", input_types, inputs)
    mark = graph.mark()
    op = add_operation(graph, record, inputs, attrs, name or op_type)
    try:
        if out_dtypes is not None and op.outputs:
            _check_dtypes(op_type, "output", out_dtypes, op.outputs)
    except TypeError:
        graph.forget(mark)
        raise
    return op


def _check_dtypes(
    op_type: str, what: str, wanted: Sequence[Any], tensors: Sequence[Tensor]
) -> None:
    given = [t.dtype.base_dtype for t in tensors]
    asked = [dtypes.as_dtype(d).base_dtype for d in wanted]
    if given != asked:
        raise TypeError(
            f"{op_type}: the {what}s have the dtypes {[d.name for d in given]}, not "
            f"{[d.name for d in asked]}."
        )


def _arguments(record: OpDef, inputs: Sequence[Tensor], names: Sequence[str]) -> list[Any]:
    """The inputs, with a list where the signature has one."""
    lists = sum(arg.many for arg in record.inputs)
    fixed = len(record.inputs) - lists
    spare = len(inputs) - fixed
    if spare > 0 and not lists:
        extra = ", ".join(map(repr, names[fixed:]))
        raise ValueError(
            f"More inputs specified ({extra}) than the op expects: {record.name} takes {fixed}."
        )
    if spare < 0 or (lists and spare % lists):
        wanted = ", ".join(arg.dtype.name if arg.dtype else str(arg.var) for arg in record.inputs)
        given = ", ".join(t.dtype.base_dtype.name for t in inputs)
        raise ValueError(f"Input types mismatch (expected {wanted!r} but got {given!r})")
    args: list[Any] = []
    for arg, group in zip(record.inputs, grouped(record.inputs, inputs), strict=True):
        for tensor in group:
            if arg.dtype is not None and tensor.dtype.base_dtype is not arg.dtype and not arg.ref:
                raise ValueError(
                    f"Cannot convert a tensor of type {tensor.dtype.base_dtype.name} to an input "
                    f"of type {arg.dtype.name}."
                )
        args.append(group if arg.many else group[0])
    return args


def _attributes(
    record: OpDef,
    attrs: Mapping[str, Any],
    name: str,
    function: Callable[[str], Any] | None = None,
) -> dict[str, Any]:
    """The attributes that a record takes, from those of a node."""
    known, told = _described(record)
    found: dict[str, Any] = {}
    for key, attr in attrs.items():
        if key in record.defaults:
            if key in known:
                check_kind(name, key, attr, known[key].type)
            value = found[key] = _of_record(python_value(attr))
            if isinstance(value, Function) and function is not None:
                found[key] = function(value.name)
        elif not key.startswith("_") and key not in told:
            _check_default(record, name, key, attr, known.get(key))
    if record.read is not None:
        found.update(record.read({key: _of_record(python_value(a)) for key, a in attrs.items()}))
    for key, default in record.defaults.items():
        if key in found:
            continue
        if key == "func":
            found[key] = functools.partial(_no_function, name)
        elif default is REQUIRED and key in known and known[key].HasField("default_value"):
            found[key] = _of_record(python_value(known[key].default_value))
        elif default is REQUIRED and key in known and known[key].type == "func":
            raise ValueError(_NO_FUNCTION.format(name=name, type=record.name, key=key))
        elif default is REQUIRED:
            raise ValueError(f"Node {name!r} ({record.name}) lacks the attribute {key!r}.")
    if record.name in _VARIABLES and found["shared_name"] == "":
        found["shared_name"] = name
    return found


def _no_function(name: str, *_: Any) -> Any:
    """What stands for the Python function of a `py_func`."""
    raise InvalidArgumentError(
        None,
        None,
        f"The Python function of {name!r} is not in the file that the graph comes from: a file "
        "holds none. Feed its outputs, or leave it out of the graph.",
    )


@functools.cache
def _described(record: OpDef) -> tuple[dict[str, Any], frozenset[str]]:
    """The attributes of an op by name, and which of them inputs and outputs tell."""
    message = definition(record)
    told = frozenset(
        key
        for arg in [*message.input_arg, *message.output_arg]
        for key in (arg.type_attr, arg.number_attr, arg.type_list_attr)
        if key
    )
    return {attr.name: attr for attr in message.attr}, told


def _of_record(value: Any) -> Any:
    """A value as records have it: text as `str`, and tuples."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, list):
        return tuple([_of_record(item) for item in value])
    return value


def _check_default(record: OpDef, name: str, key: str, attr: Any, known: Any) -> None:
    """Refuses a value, other than the default, of an attribute that a record does not have."""
    if known is not None and known.HasField("default_value"):
        fits = attr == known.default_value
        wanted = f"the default {python_value(known.default_value)!r} does"
    else:
        # An attribute of a later TensorFlow: without it the op does what it does here.
        value = None if attr == messages.AttrValue() else python_value(attr)
        fits = not value or value == _LATER.get(key) or key in _WITHOUT_EFFECT
        wanted = "the attribute itself does not"
    if not fits:
        raise ValueError(
            _UNSUPPORTED.format(
                name=name, type=record.name, key=key, value=python_value(attr), wanted=wanted
            )
        )


late.create_op = create_op
