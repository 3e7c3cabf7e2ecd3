"""Changes of dtype."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import UnimplementedError
from hybridflow._src.framework.op_def import REQUIRED, OpDef, Sample, no_gradient
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.sparse_tensor import SparseTensor
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.families import COMPLEX, FLOATS, NUMBERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "bitcast",
    "cast",
    "saturate_cast",
    "to_bfloat16",
    "to_double",
    "to_float",
    "to_int32",
    "to_int64",
]

_CONTINUOUS = (*FLOATS, *COMPLEX, dtypes.bfloat16)


# -- Cast ------------------------------------------------------------------------------------------


def _cast(x: np.ndarray, DstT: DType) -> np.ndarray:
    target = DstT.np
    if x.dtype.kind == "O" or target.kind == "O":
        source = dtypes.as_dtype(x.dtype).name
        raise UnimplementedError(None, None, f"Cast {source} to {DstT.name} is not supported")
    if x.dtype.kind == "c" and target.kind not in "cb":
        x = x.real
    return np.array(x, target, order="C")


def _cast_grad(op: Any, dy: Tensor) -> Any:
    source = op.inputs[0].dtype.base_dtype
    if source in _CONTINUOUS and op.outputs[0].dtype in _CONTINUOUS:
        return raw.Cast(dy, DstT=source)
    return None


def _cast_samples(rng: np.random.Generator) -> Iterable[Sample]:
    floats = (dtypes.float16, dtypes.float32, dtypes.float64)
    for source in (*floats, dtypes.int32, dtypes.bool, dtypes.complex64):
        for target in (dtypes.float32, dtypes.float64, dtypes.int64, dtypes.bool):
            x = rng.uniform(-5, 5, (2, 3)).astype(source.np)
            # Through float32 nothing can be differentiated numerically.
            yield Sample(x, DstT=target, differentiable=target is dtypes.float64)
    yield Sample(np.array(2.5), DstT=dtypes.int32)
    yield Sample(np.zeros((0, 2)), DstT=dtypes.float32, differentiable=False)


_cast_op = OpDef(
    "Cast",
    "x: SrcT -> y: DstT",
    attrs={"DstT": REQUIRED},
    shape=shape_rules.same,
    compute=_cast,
    grad=_cast_grad,
    samples=_cast_samples,
    native=lambda b, x, DstT: b.elementwise(lambda value: value.astype(DstT.np), x),
)


def cast(x: Any, dtype: Any, name: str | None = None) -> Any:
    """The values of a tensor in another dtype.

    Floats lose their fraction towards zero where `dtype` is an integer; a complex number loses its
    imaginary part; whatever is not zero becomes True.

    Args:
      x: a tensor of numbers or bools, also a sparse one.
      dtype: the dtype to convert to.
      name: name of the op.

    Returns: a tensor of that dtype and the shape of `x`; `x` itself if it has that dtype.

    Raises:
      TypeError: if `x` cannot become a tensor. UnimplementedError: for strings.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.cast([1.8, -2.2], hf.int32).numpy())
    [ 1 -2]
    """
    if isinstance(x, SparseTensor):
        return x.with_values(cast(x.values, dtype, name))
    target = dtypes.as_dtype(dtype).base_dtype
    with name_scope(name, "Cast", [x]) as scope:
        x = convert_to_tensor(x, name="x")
        if x.dtype.base_dtype is target:
            return x
        return _cast_op(x, DstT=target, name=scope)


def to_float(x: Any, name: str = "ToFloat") -> Tensor:
    """`cast(x, float32)`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.to_float([1, 2]).numpy())
    [1. 2.]
    """
    return cast(x, dtypes.float32, name)


def to_bfloat16(x: Any, name: str = "ToBFloat16") -> Tensor:
    """`cast(x, bfloat16)`: float32's exponents with 8 bits of precision.

    Values of bfloat16 need the library `ml_dtypes`: `pip install 'hybridflow[bfloat16]'`. They are
    cast, kept, moved and compared with others in float32: no op computes in bfloat16.

    Raises:
      ImportError: without the library.

    >>> import hybridflow as hf
    >>> hf.bfloat16.size, hf.bfloat16.is_floating
    (2, True)
    """
    return cast(x, dtypes.bfloat16, name)


def to_double(x: Any, name: str = "ToDouble") -> Tensor:
    """`cast(x, float64)`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     hf.to_double([1]).dtype
    <dtype: 'float64'>
    """
    return cast(x, dtypes.float64, name)


def to_int32(x: Any, name: str = "ToInt32") -> Tensor:
    """`cast(x, int32)`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.to_int32([1.9]).numpy())
    [1]
    """
    return cast(x, dtypes.int32, name)


def to_int64(x: Any, name: str = "ToInt64") -> Tensor:
    """`cast(x, int64)`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     hf.to_int64([1]).dtype
    <dtype: 'int64'>
    """
    return cast(x, dtypes.int64, name)


def saturate_cast(value: Any, dtype: Any, name: str | None = None) -> Tensor:
    """`cast`, with values outside the range of `dtype` replaced by the nearest one inside.

    Args:
      value: a tensor of real numbers.
      dtype: the dtype to convert to.
      name: name of the op.

    Returns: a tensor of that dtype and the shape of `value`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.saturate_cast([-5.0, 300.0], hf.uint8).numpy())
    [  0 255]

    In TF 1.4 a bound that `value`'s dtype cannot hold (2**31 - 1 as a float32) is rounded up, and a
    value beyond it overflows.
    """
    with name_scope(name, "saturate_cast", [value]) as scope:
        value = convert_to_tensor(value, name="value")
        target = dtypes.as_dtype(dtype).base_dtype
        own = value.dtype.base_dtype
        if own.min < target.min:
            value = raw.Maximum(value, convert_to_tensor(_inside(target.min, own), own, name="min"))
        if own.max > target.max:
            value = raw.Minimum(value, convert_to_tensor(_inside(target.max, own), own, name="max"))
        return cast(value, target, name=scope)


def _inside(bound: Any, dtype: DType) -> Any:
    """`bound` in another dtype, rounded towards zero."""
    rounded = dtype.np.type(bound)
    if dtype.is_floating and abs(float(rounded)) > abs(bound):
        rounded = np.nextafter(rounded, dtype.np.type(0))
    return rounded


# -- Bitcast ---------------------------------------------------------------------------------------


def _bitcast_shape(attrs: dict[str, Any], x: Tensor) -> shape_rules.Dims:
    dims = x._dims
    source, target = x.dtype.base_dtype.size, attrs["type"].size
    if dims is None or source == target:
        return dims
    if source > target:
        return (*dims, source // target)
    ratio = target // source
    if not dims or dims[-1] not in (ratio, None):
        last = dims[-1] if dims else "a scalar"
        raise ValueError(f"Cannot bitcast due to shape. {last} does not match {ratio}.")
    return dims[:-1]


def _bitcast(x: np.ndarray, type: DType) -> np.ndarray:
    target = type.np
    x = np.array(x, order="C")
    if x.dtype.itemsize == target.itemsize:
        return x.view(target)
    if x.dtype.itemsize > target.itemsize:
        return x[..., np.newaxis].view(target)
    if not x.ndim or x.shape[-1] * x.dtype.itemsize != target.itemsize:
        raise ValueError("Cannot bitcast due to shape")
    return x.view(target)[..., 0]


def _bitcast_samples(rng: np.random.Generator) -> Iterable[Sample]:
    yield Sample(rng.normal(size=(2, 3)).astype(np.float32), type=dtypes.int32)
    yield Sample(rng.normal(size=(2, 3)).astype(np.float32), type=dtypes.uint8)
    yield Sample(rng.normal(size=(3, 2)).astype(np.float32), type=dtypes.float64)
    yield Sample(rng.normal(size=()), type=dtypes.int64)
    yield Sample(np.zeros((0, 2), np.int16), type=dtypes.int32)


_bitcast_op = OpDef(
    "Bitcast",
    "input: T -> output: type",
    types=NUMBERS,
    attrs={"type": REQUIRED},
    shape=_bitcast_shape,
    compute=_bitcast,
    grad=no_gradient,
    samples=_bitcast_samples,
)


def bitcast(input: Any, type: Any, name: str | None = None) -> Tensor:
    """The bytes of a tensor, read as another dtype.

    Args:
      input: a tensor of shape `[...]`.
      type: the dtype to read. If it is k times smaller, the result has one more dimension of size k
        at the end; if it is k times larger, the last dimension must have size k and goes away.
      name: name of the op.

    Returns: a tensor of dtype `type`.

    Raises:
      ValueError: if the last dimension does not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.bitcast(hf.constant(1.0), hf.int32).numpy() == 127 << 23)
    True
    """
    return _bitcast_op(input, type=dtypes.as_dtype(type).base_dtype, name=name)
