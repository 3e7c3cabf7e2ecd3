"""Tensors of given values: constants, zeros, ones, fill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.convert import constant_of, convert_to_tensor, to_array
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.eager_tensor import EagerTensor
from hybridflow._src.framework.errors import ShapeError
from hybridflow._src.framework.op_def import REQUIRED, OpDef, Sample, not_differentiable
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.static_value import constant_dims, constant_value
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.framework.tensor_shape import as_shape
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.allocation import allocatable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.dtypes import DType

__all__ = ["constant", "fill", "ones", "ones_like", "zeros", "zeros_like"]


# -- records ---------------------------------------------------------------------------------------


def _const_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (dtypes.float32, dtypes.float64, dtypes.bool):
        for shape in ((2, 3), (), (0, 2)):
            yield Sample(value=rng.uniform(0, 2, shape).astype(dtype.np), dtype=dtype)


OpDef(
    "Const",
    "-> output: dtype",
    attrs={"value": REQUIRED, "dtype": REQUIRED},
    shape=lambda attrs: attrs["value"].shape,
    compute=lambda value, dtype: value,
    aliases=True,
    grad=not_differentiable,
    samples=_const_samples,
)


def _fill_shape(attrs: dict[str, Any], dims: Tensor, value: Tensor) -> shape_rules.Dims:
    shape_rules.with_rank(dims, 1)
    shape_rules.with_rank(value, 0)
    sizes = constant_value(dims)
    if sizes is not None and sizes.size and sizes.min() < 0:
        raise ValueError("Fill dimensions must be >= 0")
    return constant_dims(dims)


def _fill(dims: np.ndarray, value: np.ndarray) -> np.ndarray:
    if dims.ndim != 1 or value.ndim:
        raise ValueError(f"dims must be a vector and value a scalar, got {dims!r} and {value!r}")
    if dims.size and dims.min() < 0:
        raise ValueError("Fill dimensions must be >= 0")
    return np.full(allocatable("Fill", dims, value.dtype), value, value.dtype)


def _fill_grad(op: Any, dy: Tensor) -> tuple[None, Any]:
    dims = op.outputs[0]._dims
    axes = raw.Range(0, raw.Rank(dy), 1) if dims is None else np.arange(len(dims), dtype=np.int32)
    return None, raw.Sum(dy, axes)


def _fill_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.int32):
        for dims in ([2, 3], [], [0, 2]):
            yield Sample(np.array(dims, np.int32), np.array(rng.uniform(1, 5)).astype(dtype))


_fill_op = OpDef(
    "Fill",
    "dims: index_type, value: T -> output: T",
    types={"index_type": (dtypes.int32, dtypes.int64)},
    shape=_fill_shape,
    compute=_fill,
    grad=_fill_grad,
    samples=_fill_samples,
    native=lambda b, dims, value: b.broadcast(value, tuple(b.known(dims).tolist())),
)


def _like_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.int32, np.bool_):
        for shape in ((2, 3), (), (0, 2)):
            yield Sample(rng.uniform(0, 2, shape).astype(dtype))


_zeros_like_op = OpDef(
    "ZerosLike",
    "x: T -> y: T",
    shape=shape_rules.same,
    compute=lambda x: _zeros(x.shape, x.dtype),
    grad=not_differentiable,
    samples=_like_samples,
    native=lambda b, x: b.full(x.shape, 0, x.dtype),
)
OpDef(
    "OnesLike",
    "x: T -> y: T",
    shape=shape_rules.same,
    compute=lambda x: np.ones(x.shape, x.dtype),
    grad=not_differentiable,
    samples=_like_samples,
    native=lambda b, x: b.full(x.shape, 1, x.dtype),
)


def _zeros(shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray:
    shape = allocatable("Const", shape, dtype)
    return np.full(shape, b"", object) if dtype.kind == "O" else np.zeros(shape, dtype)


# -- functions -------------------------------------------------------------------------------------


def of_array(array: np.ndarray, dtype: DType, name: str) -> Tensor:
    """A tensor of an array of that dtype, which nobody else may write to."""
    if context.modes.entries[-1].item.eager:
        return EagerTensor(array, dtype)
    graph = get_default_graph()
    name = name or "Const"
    name = graph.check_name(name)
    return constant_of(graph, array, dtype, name)


def constant(
    value: Any,
    dtype: Any = None,
    shape: Any = None,
    name: str = "Const",
    verify_shape: bool = False,
) -> Tensor:
    """A tensor of a given value.

    Args:
      value: a number, a (nested) list of numbers, or an array.
      dtype: its dtype; by default Python floats become float32 and ints int32 (int64 where they do
        not fit), arrays keep theirs.
      shape: the shape of the result; values that are missing are copies of the last one.
      name: name of the op.
      verify_shape: refuse a value whose own shape is not `shape`.

    Returns: a tensor of that dtype and shape.

    Raises:
      TypeError: if the value cannot have that dtype, or not the shape that `verify_shape` demands.
      ValueError: if it is ragged, or holds more elements than `shape`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.constant([1, 2, 3], shape=[2, 3]).numpy())
    [[1 2 3]
     [3 3 3]]

    In TF 1.4 filling up with the last value is refused in eager mode.
    """
    if dtype is not None:
        dtype = dtypes.as_dtype(dtype).base_dtype
    if value.__class__ is EagerTensor:
        value = value._a
    array = to_array(value, dtype)
    if shape is not None:
        array = _in_shape(array, shape, verify_shape)
    return of_array(array, dtype or dtypes.as_dtype(array.dtype), name)


class TooManyElements(ShapeError, TypeError):
    """A value does not fit the shape it is to have.

    TensorFlow raises ValueError where it builds a graph and TypeError eagerly.
    """


def _in_shape(array: np.ndarray, shape: Any, verify: bool) -> np.ndarray:
    """`array` in another shape, filled up with its last value."""
    shape = as_shape(shape)
    if not shape.is_fully_defined():
        raise TypeError(f"The shape of a constant must be fully known, got {shape}.")
    dims = shape._dims
    if array.shape == dims:
        return array
    if verify:
        raise TypeError(f"Expected Tensor's shape: {shape}, got {as_shape(array.shape)}.")
    size = shape.num_elements()
    if array.size > max(size, 1):
        raise TooManyElements(
            f"Too many elements provided. Needed at most {size}, but received {array.size}"
        )
    filled = _zeros((size,), array.dtype)
    if array.size and size:
        filled[: array.size] = array.ravel()
        filled[array.size :] = filled[array.size - 1]
    return filled.reshape(dims)


def _static_dims(shape: Any) -> tuple[int, ...] | None:
    """The sizes that a shape argument says, or None if it holds tensors or is no shape.

    Raises:
      ValueError: if it is a shape that is not fully known.
    """
    if isinstance(shape, Tensor):
        return None
    try:
        known = as_shape(shape)
    except (TypeError, ValueError):
        return None
    if not known.is_fully_defined():
        raise ValueError(f"Cannot convert a partially known TensorShape to a Tensor: {known}")
    return known._dims  # type: ignore[return-value]


def zeros(shape: Any, dtype: Any = dtypes.float32, name: str | None = None) -> Tensor:
    """A tensor of zeros (of empty strings, of False).

    Args:
      shape: the shape: a list of ints, a `TensorShape`, or an int32 tensor `[rank]`, or a scalar
        for a vector.
      dtype: dtype of the result.
      name: name of the op.

    Returns: a tensor of that shape and dtype.

    Raises:
      ValueError: if the shape is not fully known, or negative.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.zeros([2]).numpy())
    [0. 0.]
    """
    dtype = dtypes.as_dtype(dtype).base_dtype
    dims = _static_dims(shape)
    if dims is not None:
        return of_array(_zeros(dims, dtype.np), dtype, name or "zeros")
    return _filled(shape, _zeros((), dtype.np), dtype, name, "zeros")


def ones(shape: Any, dtype: Any = dtypes.float32, name: str | None = None) -> Tensor:
    """A tensor of ones (of True).

    Args:
      shape: the shape: a list of ints, a `TensorShape`, or an int32 tensor `[rank]`, or a scalar
        for a vector.
      dtype: dtype of the result.
      name: name of the op.

    Returns: a tensor of that shape and dtype.

    Raises:
      TypeError: for strings. ValueError: if the shape is not fully known, or negative.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.ones([2], hf.int32).numpy())
    [1 1]
    """
    dtype = dtypes.as_dtype(dtype).base_dtype
    if dtype.np.kind == "O":
        raise TypeError(f"Expected {dtype.name}, got 1 of type 'int' instead.")
    dims = _static_dims(shape)
    if dims is not None:
        dims = allocatable("Const", dims, dtype.np)
        return of_array(np.ones(dims, dtype.np), dtype, name or "ones")
    return _filled(shape, np.ones((), dtype.np), dtype, name, "ones")


def _filled(shape: Any, value: np.ndarray, dtype: DType, name: str | None, default: str) -> Tensor:
    with name_scope(name, default, [shape]) as scope:
        dims = convert_to_tensor(shape, dtypes.int32, name="shape")
        if not dims._dims:  # a scalar stands for the shape of a vector
            dims = raw.Reshape(dims, [-1])
        return _fill_op(dims, of_array(value, dtype, "Const"), name=scope)


def zeros_like(
    tensor: Any, dtype: Any = None, name: str | None = None, optimize: bool = True
) -> Tensor:
    """Zeros in the shape of a tensor.

    Args:
      tensor: a tensor.
      dtype: dtype of the result; by default that of `tensor`.
      name: name of the op.
      optimize: make a constant where the shape is known while the graph is built.

    Returns: a tensor of that dtype and the shape of `tensor`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.zeros_like([1, 2]).numpy())
    [0 0]
    """
    with name_scope(name, "zeros_like", [tensor]) as scope:
        tensor = convert_to_tensor(tensor, name="tensor")
        own = tensor.dtype.base_dtype
        wanted = own if dtype is None else dtypes.as_dtype(dtype).base_dtype
        if tensor.__class__ is EagerTensor or (optimize and tensor.shape.is_fully_defined()):
            return zeros(tensor.shape, wanted, name=scope)
        if wanted is not own:
            return zeros(_shape_tensor(tensor, optimize), wanted, name=scope)
        return _zeros_like_op(tensor, name=scope)


def ones_like(
    tensor: Any, dtype: Any = None, name: str | None = None, optimize: bool = True
) -> Tensor:
    """Ones in the shape of a tensor.

    Args:
      tensor: a tensor.
      dtype: dtype of the result; by default that of `tensor`.
      name: name of the op.
      optimize: make the shape a constant where it is known while the graph is built.

    Returns: a tensor of that dtype and the shape of `tensor`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.ones_like([1.5, 2.5]).numpy())
    [1. 1.]
    """
    with name_scope(name, "ones_like", [tensor]) as scope:
        tensor = convert_to_tensor(tensor, name="tensor")
        wanted = dtypes.as_dtype(dtype if dtype is not None else tensor.dtype).base_dtype
        if tensor.__class__ is EagerTensor:
            return ones(tensor.shape, wanted)
        return ones(_shape_tensor(tensor, optimize), wanted, name=scope)


def _shape_tensor(tensor: Tensor, optimize: bool) -> Tensor:
    dims = tensor._dims
    if optimize and dims is not None and None not in dims:
        return of_array(np.array(dims, np.int32), dtypes.int32, "Shape")
    return raw.Shape(tensor)


def fill(dims: Any, value: Any, name: str | None = None) -> Tensor:
    """A tensor in which every element is `value`.

    Args:
      dims: the shape, int32 or int64 `[rank]`.
      value: a scalar.
      name: name of the op.

    Returns: a tensor of shape `dims` and the dtype of `value`.

    Raises:
      ValueError: if `dims` is no vector, holds a negative size, or `value` is no scalar.
      ResourceExhaustedError: if the machine has no memory for it (so for all ops here).

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.fill([2, 2], 7).numpy())
    [[7 7]
     [7 7]]
    """
    return _fill_op(dims, value, name=name)
