"""The one place where modes differ: a call of an op runs it now, or adds it to a graph.

Eager: arguments become arrays, the NumPy meaning runs, tapes are told. The shape rule runs only
where the record asks for it, or to explain why the NumPy meaning failed.

Graph: arguments become tensors of the default graph, the shape rule runs, an `Operation` is added.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import context, dtypes, fp
from hybridflow._src.framework.advice import cast_to_allowed, cast_to_wider, on_shapes
from hybridflow._src.framework.convert import admit_tensor, constant_of, convert, to_array
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.dimension import Dimension
from hybridflow._src.framework.eager_tensor import EagerTensor, wrap
from hybridflow._src.framework.errors import (
    DTypeError,
    InvalidArgumentError,
    OpError,
    ResourceExhaustedError,
    ShapeError,
)
from hybridflow._src.framework.late import late
from hybridflow._src.framework.op_def import OpDef
from hybridflow._src.framework.scopes import graph_of
from hybridflow._src.framework.signature import length_of_lists
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.framework.tensor_shape import bracketed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.graph import Graph
    from hybridflow._src.framework.signature import Arg


# Kinds of NumPy arrays of numbers and truth values.
_NUMBERS = "biufc"


def call(op: OpDef, /, *args: Any, name: str | None = None, **attrs: Any) -> Any:
    """Runs or builds `op`.

    Returns: a tensor, or a list of tensors; for an op without outputs the `Operation`, or None in
    eager mode.

    Raises:
      DTypeError (a TypeError and an InvalidArgumentError): for arguments of the wrong dtype.
      ShapeError (a ValueError and an InvalidArgumentError): for arguments of the wrong shape.
    """
    if len(args) != len(op.inputs):
        names = ", ".join(arg.name for arg in op.inputs)
        raise TypeError(f"Op {op.name} takes {len(op.inputs)} inputs ({names}), got {len(args)}.")
    if attrs or op.defaults:
        attrs = _with_defaults(op, attrs)
    if context.modes.entries[-1].item.eager:
        return _run(op, args, attrs)
    return _build(op, args, attrs, name)


def _with_defaults(op: OpDef, attrs: dict[str, Any]) -> dict[str, Any]:
    defaults = op.defaults
    merged = {**defaults, **attrs}
    if len(merged) != len(defaults):
        unknown = sorted(set(attrs) - set(defaults))
        raise TypeError(f"Op {op.name} has no attribute {unknown[0]!r}.")
    for key in op.required:
        if key not in attrs:
            raise TypeError(f"Op {op.name}: attribute {key!r} must be given.")
    for key, value in attrs.items():
        kind = value.__class__
        if kind is Dimension:
            merged[key] = int(value)
        elif (kind is list or kind is tuple) and Dimension in map(type, value):
            merged[key] = [int(x) if x.__class__ is Dimension else x for x in value]
    return merged


# -- arguments -------------------------------------------------------------------------------------


def _dtype_of(value: Any) -> tuple[int, DType | None]:
    """How binding a value's dtype is (2 tensor or variable, 1 NumPy, 0 Python), and that dtype."""
    dtype = getattr(value, "dtype", None)
    if isinstance(dtype, dtypes.DType):
        return 2, dtype.base_dtype
    if isinstance(dtype, np.dtype) and dtype.kind not in "US":
        return 1, dtypes.as_dtype(dtype)
    return 0, None


def resolve_types(op: OpDef, args: tuple[Any, ...]) -> dict[str, DType]:
    """The dtype of each type variable: a tensor decides, else an array; Python values follow."""
    types: dict[str, DType] = {}
    rank: dict[str, int] = {}
    for arg, value in zip(op.inputs, args, strict=True):
        var = arg.var
        if var is None or rank.get(var) == 2:
            continue
        for item in value if arg.many and isinstance(value, (list, tuple)) else (value,):
            binding, dtype = _dtype_of(item)
            if dtype is not None and binding > rank.get(var, 0):
                if dtype is dtypes.float64 and _is_nothing(item) and _dtype_of_nothing(op, var):
                    continue
                types[var] = dtype
                rank[var] = binding
    return types


def _check_dtype(op: OpDef, arg: Arg, dtype: DType, types: dict[str, DType]) -> None:
    """Checks one argument's dtype against the signature and what is known of its type variable."""
    if arg.dtype is not None:
        if dtype is not arg.dtype:
            raise DTypeError(
                f"Input '{arg.name}' of '{op.name}' Op has type {dtype.name} that does not match "
                f"expected type of {arg.dtype.name}."
            )
        return
    var = arg.var
    if var is None:
        return
    known = types.setdefault(var, dtype)
    if known is not dtype:
        first = next(a.name for a in op.inputs if a.var == var)
        raise DTypeError(
            f"Input '{arg.name}' of '{op.name}' Op has type {dtype.name} that does not match type "
            f"{known.name} of argument '{first}'. Nothing is converted unasked"
            f"{cast_to_wider(first, known, arg.name, dtype)}."
        )
    allowed = op.types.get(var)
    if allowed is not None and dtype not in allowed:
        names = ", ".join(sorted(d.name for d in allowed))
        raise DTypeError(
            f"Value passed to parameter '{arg.name}' of '{op.name}' has DataType {dtype.name} not "
            f"in list of allowed values: {names}{cast_to_allowed(arg.name, dtype, allowed)}"
        )


def _convert_all(
    op: OpDef, args: tuple[Any, ...], eager: bool
) -> tuple[list[Tensor], dict[str, DType]]:
    """The arguments as a flat list of tensors, checked; and the type variables."""
    types = resolve_types(op, args)
    flat: list[Tensor] = []
    for arg, value in zip(op.inputs, args, strict=True):
        if arg.ref:
            variables = value if arg.many else (value,)
            flat += [_reference(op, arg, variable, types) for variable in variables]
        elif not arg.many:
            flat.append(_argument(op, arg, value, arg.name, types, eager))
        elif isinstance(value, (list, tuple)):
            for index, item in enumerate(value):
                flat.append(_argument(op, arg, item, f"{arg.name}_{index}", types, eager))
        else:
            raise TypeError(
                f"Expected a list for '{arg.name}' argument to '{op.name}' Op, not {value!r:.200}."
            )
    return flat, types


def _argument(
    op: OpDef, arg: Arg, value: Any, name: str, types: dict[str, DType], eager: bool
) -> Tensor:
    """One argument as a tensor of the dtype that the signature and the other arguments ask for."""
    wanted = arg.dtype
    if wanted is None and arg.var is not None:
        wanted = types.get(arg.var)
        if wanted is None and _is_nothing(value):
            wanted = _dtype_of_nothing(op, arg.var)
            if wanted is not None and isinstance(value, np.ndarray):
                value = value.astype(wanted.np)
    try:
        tensor = convert(value, wanted, name, eager)
    except DTypeError as error:
        raise _named(error, op, arg) from None
    dtype = tensor._dtype.base_dtype
    if dtype is not wanted or arg.dtype is None:
        _check_dtype(op, arg, dtype, types)
    return tensor


def _named(error: DTypeError, op: OpDef, arg: Arg) -> DTypeError:
    """What went wrong with an argument, and whose it is."""
    return DTypeError(f"{error} It is '{arg.name}' of op '{op.name}'.")


def _is_nothing(value: Any) -> bool:
    """Whether a value is an empty list, or what NumPy makes of one."""
    if isinstance(value, np.ndarray):
        return not value.size and value.dtype.char == "d"
    return isinstance(value, (list, tuple)) and not value


def _dtype_of_nothing(op: OpDef, var: str) -> DType | None:
    """The dtype of an empty list: int32 where an op takes integers alone, say for a shape."""
    allowed = op.types.get(var)
    integers = allowed is not None and dtypes.float32 not in allowed and dtypes.int32 in allowed
    return dtypes.int32 if integers else None


def _reference(op: OpDef, arg: Arg, value: Any, types: dict[str, DType]) -> Tensor:
    """The reference or handle of the variable that is passed where an op updates one."""
    handle = getattr(value, "handle", value)
    if isinstance(handle, Tensor):
        dtype = handle._dtype
        if dtype.is_ref_dtype:
            _check_dtype(op, arg, dtype.base_dtype, types)
            return handle
        if dtype is dtypes.resource:
            if handle is not value:
                _check_dtype(op, arg, value.dtype.base_dtype, types)
            return handle
    raise TypeError(
        f"Input '{arg.name}' of '{op.name}' Op requires l-value input: pass a variable, got "
        f"{value!r:.200}."
    )


def _out_dtypes(
    op: OpDef, types: dict[str, DType], attrs: dict[str, Any], count: int
) -> list[DType]:
    found: list[DType] = []
    for arg in op.outputs:
        dtype = arg.dtype or types.get(arg.var or "") or attrs.get(arg.var or "")
        if arg.many:
            # A list of outputs: all of one dtype, or an attribute with a dtype for each.
            several = isinstance(dtype, (list, tuple))
            many: Any = dtype if several else [dtype] * length_of_lists(op.outputs, count)
            found.extend(many)
        elif dtype is not None:
            found.append(dtype._as_ref if arg.ref else dtype)
    return found


# -- eager -----------------------------------------------------------------------------------------


class EagerOp:
    """What a tape keeps of an op that ran: the view that gradient functions get of it."""

    __slots__ = ("attrs", "inputs", "outputs", "record")

    def __init__(
        self,
        record: OpDef,
        inputs: tuple[Tensor, ...],
        outputs: list[EagerTensor],
        attrs: dict[str, Any],
    ) -> None:
        self.record = record
        self.inputs = inputs
        self.outputs = outputs
        self.attrs = attrs

    @property
    def type(self) -> str:
        return self.record.name

    @property
    def name(self) -> str:
        return self.record.name

    def get_attr(self, name: str) -> Any:
        if name in self.attrs:
            return self.attrs[name]
        return self.record.type_attr(name, self.inputs)


def _run(op: OpDef, args: tuple[Any, ...], attrs: dict[str, Any]) -> Any:
    inputs: Sequence[Any]
    admitted = _admitted(op, args)
    inputs, types = _convert_all(op, args, True) if admitted is None else admitted
    arrays = [t._a for t in inputs]  # type: ignore[union-attr]
    least = op.kernels_from
    result: Any = None
    if least is not None and max([array.size for array in arrays]) >= least:
        result = late.run_single(op, arrays, attrs)
    if result is None:
        if op.checked:
            _infer(op, op.name, inputs, attrs)
        # `fp.quietly`, without a call.
        status = fp.state()
        try:
            fp.silence()
            if op.compute is not None:
                result = op.compute(*arrays, **attrs)
            else:
                result = context.eager_kernels.get(op, attrs)(*arrays)
        except OpError:
            raise
        except (ValueError, TypeError, IndexError, OverflowError, MemoryError) as error:
            raise explain(op, op.name, arrays, attrs, error) from error
        finally:
            try:
                fp.restore(status)
            finally:
                pass
    only = op.only
    if only is not None and result.__class__ is not tuple and result.__class__ is not list:
        var: Any = only.var
        output = wrap(result, only.dtype or types.get(var) or attrs[var])
        if context.tapes.entries[-1].item:
            record(EagerOp(op, tuple(inputs), [output], attrs))
        return output
    if result.__class__ is tuple or result.__class__ is list:
        found = _out_dtypes(op, types, attrs, len(result))
        outputs = [wrap(value, known) for value, known in zip(result, found, strict=True)]
    elif op.outputs:
        outputs = [wrap(result, _out_dtypes(op, types, attrs, 1)[0])]
    else:
        outputs = []
    if context.tapes.entries[-1].item:
        record(EagerOp(op, tuple(inputs), outputs, attrs))
    return _returned(op, outputs, None)


def _admitted(op: OpDef, args: tuple[Any, ...]) -> tuple[Sequence[Any], dict[str, DType]] | None:
    """The arguments and the type variables where all are eager tensors, arrays or variables, and
    fit.
    """
    types: dict[str, DType] = {}
    inputs: Any = args
    for index, arg in enumerate(op.inputs):
        value = args[index]
        var = arg.var
        kind = value.__class__
        if kind is not EagerTensor:
            if kind is np.ndarray:
                if value.dtype.kind not in _NUMBERS:
                    return None
                dtype = dtypes.as_dtype(value.dtype)
                value = EagerTensor(np.array(value, dtype.np, order="C"), dtype)
            elif hasattr(kind, "_as_tensor") and not (arg.ref or arg.many):
                dtype = value.dtype.base_dtype
                if (arg.dtype or types.get(var, dtype)) is not dtype:  # type: ignore[arg-type]
                    return None
                value = convert(value, dtype, arg.name, True)
            else:
                return None
            if inputs is args:
                inputs = list(args)
            inputs[index] = value
        dtype = value._dtype
        if arg.dtype is dtype:
            continue
        if var is None or arg.ref or arg.many:
            return None
        known = types.setdefault(var, dtype)
        if known is not dtype or dtype.as_datatype_enum not in op.accepts[var]:
            return None
    return inputs, types


def explain(
    op: OpDef, name: str, values: list[Any], attrs: dict[str, Any], error: Exception
) -> OpError:
    """The error for an exception of the NumPy meaning: the shape rule often knows better why."""
    inputs = _wrapped(values)
    where = f"in '{name}' (op: '{op.name}') with input shapes: {_shown(inputs)}."
    if isinstance(error, MemoryError):
        return ResourceExhaustedError(None, None, f"OOM: {error} {where}")
    try:
        check_values(op, name, values, attrs)
    except OpError as known:
        return known
    return InvalidArgumentError(None, None, f"{error} {where}")


def check_values(op: OpDef, name: str, values: list[Any], attrs: dict[str, Any]) -> None:
    """Holds values against the shape rule of an op.

    Raises:
      ShapeError: if they do not fit.
    """
    _infer(op, name, _wrapped(values), attrs)


def _wrapped(values: list[Any]) -> list[Tensor]:
    return [wrap(v, _dtype_of_value(v)) for v in values]


def _shown(inputs: Sequence[Tensor]) -> str:
    """The inputs' shapes as TF's messages show them."""
    return ", ".join([bracketed(tensor._dims) for tensor in inputs])


def _dtype_of_value(value: Any) -> DType:
    dtype = getattr(value, "dtype", None)
    return dtypes.resource if dtype is None else dtypes.as_dtype(dtype)


def record(op: EagerOp) -> None:
    """Shows an op that ran to the tapes that watch this thread."""
    for tape in context.tapes.entries[-1].item:
        tape.record(op)


def _returned(op: OpDef, outputs: list[Any], operation: Any) -> Any:
    declared = op.outputs
    if not declared:
        return operation
    if len(declared) == 1 and not declared[0].many:
        return outputs[0]
    return list(outputs)


# -- graph -----------------------------------------------------------------------------------------


def _build(op: OpDef, args: tuple[Any, ...], attrs: dict[str, Any], name: str | None) -> Any:
    graph = get_default_graph()
    name = graph.check_name(name) if name else op.name
    if op.plain:
        dtype, numbers = _shared_dtype(op, args, graph)
        if dtype is not None:
            if numbers:
                with graph.op_scope(name) as name:
                    args = _with_constants(op, args, dtype, graph)
            dims = _infer(op, name, args, attrs)
            return graph.add_op(op, args, attrs, name, (op.result or dtype,), dims).outputs[0]
    if _all_of(graph, args):
        inputs: list[Tensor] = list(args)
        types: dict[str, DType] = {}
        for arg, tensor in zip(op.inputs, inputs, strict=True):
            if arg.ref:
                _reference(op, arg, tensor, types)
                continue
            _check_dtype(op, arg, tensor._dtype.base_dtype, types)
    else:
        owner = graph if graph.building_function else graph_of(_flat(args))
        if owner is not graph:
            with owner.as_default():
                return _build(op, args, attrs, name)
        with graph.op_scope(name) as scope:
            inputs, types = _convert_all(op, args, False)
            for index, tensor in enumerate(inputs):
                if tensor.__class__ is not Tensor or tensor.op.graph is not graph:
                    inputs[index] = admit_tensor(tensor, False, name)
        name = scope
    dims = _infer(op, name, inputs, attrs)
    out_dtypes = _out_dtypes(op, types, attrs, len(dims))
    operation = graph.add_op(op, tuple(inputs), attrs, name, out_dtypes, dims)
    return _returned(op, operation.outputs, operation)


def _shared_dtype(op: OpDef, args: tuple[Any, ...], graph: Graph) -> tuple[DType | None, bool]:
    """The dtype that arguments, tensors of `graph` and Python numbers, share, if the op takes it.

    Returns: the dtype, or None; and whether there are numbers among the arguments.
    """
    dtype = None
    numbers = False
    for value in args:
        kind = value.__class__
        if kind is Tensor:
            if value._dtype is not dtype:
                if dtype is not None:
                    return None, numbers
                dtype = value._dtype
            if value.op.graph is not graph:
                return None, numbers
        elif kind is float or kind is int:
            numbers = True
        else:
            return None, numbers
    if dtype is None or dtype.as_datatype_enum not in op.shared:
        return None, numbers
    return dtype, numbers


def _with_constants(
    op: OpDef, args: tuple[Any, ...], dtype: DType, graph: Graph
) -> tuple[Tensor, ...]:
    """The arguments with constants in place of Python numbers."""
    found = []
    for arg, value in zip(op.inputs, args, strict=True):
        if value.__class__ is not Tensor:
            try:
                array = to_array(value, dtype)
            except DTypeError as error:
                raise _named(error, op, arg) from None
            value = constant_of(graph, array, dtype, arg.name)
        found.append(value)
    return tuple(found)


def _flat(args: tuple[Any, ...]) -> Iterator[Any]:
    """Arguments, of which some may be lists, one by one."""
    for value in args:
        if isinstance(value, (list, tuple)):
            yield from value
        else:
            yield value


def _all_of(graph: Graph, args: tuple[Any, ...]) -> bool:
    return all(value.__class__ is Tensor and value.op.graph is graph for value in args)


def _infer(op: OpDef, name: str, inputs: Sequence[Tensor], attrs: dict[str, Any]) -> list[Any]:
    """The dims of the outputs, or a `ShapeError` that shows the inputs' shapes."""
    try:
        dims = op.shape(attrs, *inputs)
    except (ValueError, IndexError) as error:
        shapes = _shown(inputs)
        problem = str(error).rstrip(".")
        raise ShapeError(
            f"{problem} for '{name.rstrip('/')}' (op: '{op.name}') with input shapes: {shapes}."
            f"{on_shapes(op.name, problem)}"
        ) from None
    return dims if dims.__class__ is list else [dims]


OpDef.__call__ = call  # type: ignore[method-assign, assignment]
