"""Elementwise arithmetic: sums, products, differences, absolute values, larger and smaller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.dtypes import DType
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.sparse_tensor import SparseTensor
from hybridflow._src.kernels import extremes
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.families import (
    COMPLEX,
    FLOATS,
    NUMBERS,
    REALS,
    SIGNED,
    binary,
    conj,
    slope_op,
    unary,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "abs",
    "add",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "reciprocal",
    "sign",
    "square",
    "squared_difference",
    "subtract",
]

_SIGNED_NUMBERS = (*FLOATS, *SIGNED, *COMPLEX)


# -- records ---------------------------------------------------------------------------------------


def _add_arrays(x: np.ndarray, y: np.ndarray) -> Any:
    z = np.add(x, y)
    # For two strings of rank 0 NumPy gives the bare bytes.
    return z if z.__class__ is not bytes else np.array(z, object)


_add = binary("Add", _add_arrays, lambda op, dz: (dz, dz), types=(*NUMBERS, dtypes.string))
_sub = binary("Sub", np.subtract, lambda op, dz: (dz, -dz))
_mul = binary(
    "Mul",
    np.multiply,
    lambda op, dz: (lambda: dz * conj(op.inputs[1]), lambda: dz * conj(op.inputs[0])),
)
_neg = unary("Neg", np.negative, lambda op, dy: -dy, types=_SIGNED_NUMBERS)
_abs = unary("Abs", np.abs, lambda op, dy: dy * raw.Sign(op.inputs[0]), types=(*FLOATS, *SIGNED))


def _sign_grad(op: Any, dy: Tensor) -> Any:
    x, sign = op.inputs[0], op.outputs[0]
    if not x.dtype.is_complex:
        return raw.ZerosLike(x)
    # x / |x| moves when x moves across the ray from 0 to x, by the less the farther out it is.
    along = conj(sign) * dy
    across = dy - 0.5 * sign * (along + conj(along))
    size = raw.ComplexAbs(x, Tout=x.dtype.real_dtype)
    zeros = raw.ZerosLike(size)
    inverse = raw.Select(raw.Greater(size, zeros), raw.Reciprocal(size), zeros)
    return across * raw.Complex(inverse, zeros, Tout=x.dtype)


_sign = unary("Sign", np.sign, _sign_grad, types=_SIGNED_NUMBERS)
_square = unary(
    "Square", np.square, lambda op, dy: dy * (2.0 * conj(op.inputs[0])), types=_SIGNED_NUMBERS
)


def _complex_abs_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype, out in ((np.complex64, dtypes.float32), (np.complex128, dtypes.float64)):
        x = rng.uniform(-2, 2, (2, 3)) + 1j * rng.uniform(-2, 2, (2, 3))
        yield Sample(x.astype(dtype), Tout=out)


_complex_abs = OpDef(
    "ComplexAbs",
    "x: T -> y: Tout",
    types=COMPLEX,
    attrs={"Tout": dtypes.float32},
    shape=shape_rules.same,
    compute=lambda x, Tout: np.abs(x),
    grad=lambda op, dy: (
        raw.Complex(dy, raw.ZerosLike(dy), Tout=op.inputs[0].dtype) * raw.Sign(op.inputs[0])
    ),
    samples=_complex_abs_samples,
)


slope_op("ReciprocalGrad", lambda y: -np.square(y), lambda y: -2.0 * y, steep=True)
_reciprocal = unary(
    "Reciprocal",
    np.reciprocal,
    lambda op, dy: raw.ReciprocalGrad(op.outputs[0], dy),
    domain=(0.5, 2.0),
)


def _squared_difference_arrays(x: np.ndarray, y: np.ndarray) -> Any:
    difference = np.subtract(x, y)
    return difference * np.conj(difference)


def _squared_difference_grad(op: Any, dz: Tensor) -> tuple[Any, Any]:
    x, y = op.inputs
    # Of complex numbers the result is real, and so is what counts of its gradient.
    dx = (dz + conj(dz)) * (x - y)
    return dx, -dx


_squared_difference = binary(
    "SquaredDifference",
    _squared_difference_arrays,
    _squared_difference_grad,
    types=_SIGNED_NUMBERS,
)


def _chosen_grad(chosen: Tensor, dz: Tensor) -> tuple[Any, Any]:
    """The gradient for the input that was chosen, and zero for the other."""
    zeros = raw.ZerosLike(dz)
    return raw.Select(chosen, dz, zeros), raw.Select(chosen, zeros, dz)


# Where both are equal the gradient goes to x, as in TF.
_maximum = binary(
    "Maximum",
    extremes.maximum,
    lambda op, dz: _chosen_grad(raw.GreaterEqual(*op.inputs), dz),
    types=REALS,
)
_minimum = binary(
    "Minimum",
    extremes.minimum,
    lambda op, dz: _chosen_grad(raw.LessEqual(*op.inputs), dz),
    types=REALS,
)


# -- public functions ------------------------------------------------------------------------------


def add(x: Any, y: Any, name: str | None = None) -> Tensor:
    """`x + y` elementwise, with broadcasting; strings are joined.

    Args:
      x: tensor of a number dtype or of strings.
      y: tensor of the same dtype, of a shape that broadcasts with `x`.
      name: name of the op.

    Returns: a tensor of that dtype and the broadcast shape.

    Raises:
      TypeError: if the dtypes differ. ValueError: if the shapes do not broadcast.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.add([1, 2], 3).numpy())
    [4 5]
    """
    return _add(x, y, name=name)


def subtract(x: Any, y: Any, name: str | None = None) -> Tensor:
    """`x - y` elementwise, with broadcasting.

    Args:
      x: tensor of a number dtype.
      y: tensor of the same dtype, of a shape that broadcasts with `x`.
      name: name of the op.

    Returns: a tensor of that dtype and the broadcast shape.

    Raises:
      TypeError: if the dtypes differ. ValueError: if the shapes do not broadcast.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.subtract([5, 7], 3).numpy())
    [2 4]
    """
    return _sub(x, y, name=name)


def multiply(x: Any, y: Any, name: str | None = None) -> Tensor:
    """`x * y` elementwise, with broadcasting.

    Args:
      x: tensor of a number dtype.
      y: tensor of the same dtype, of a shape that broadcasts with `x`.
      name: name of the op.

    Returns: a tensor of that dtype and the broadcast shape.

    Raises:
      TypeError: if the dtypes differ. ValueError: if the shapes do not broadcast.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.multiply([[1], [2]], [3, 4]).numpy().tolist())
    [[3, 4], [6, 8]]
    """
    return _mul(x, y, name=name)


def negative(x: Any, name: str | None = None) -> Any:
    """`-x` elementwise.

    Args:
      x: tensor, also a sparse one, of a signed number dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape, sparse where `x` is.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.negative([1, -2]).numpy())
    [-1  2]
    """
    if isinstance(x, SparseTensor):
        return x.with_values(negative(x.values, name))
    return _neg(x, name=name)


def abs(x: Any, name: str | None = None) -> Any:
    """`|x|` elementwise; for a complex number `sqrt(re^2 + im^2)`.

    Args:
      x: tensor, also a sparse one, of a float, signed integer or complex dtype.
      name: name of the op.

    Returns: a tensor of the same shape and dtype (of complex numbers, the dtype of their parts).
      The gradient at 0 is 0.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.abs([-1.5, 2.0]).numpy(), hf.abs(hf.constant(3 + 4j)).numpy())
    [1.5 2. ] 5.0
    """
    if isinstance(x, SparseTensor):
        return x.with_values(abs(x.values, name))
    if not isinstance(dtype := getattr(x, "dtype", None), DType):
        x = convert_to_tensor(x, name="x")
        dtype = x.dtype
    if dtype.is_complex:
        return _complex_abs(x, Tout=dtype.real_dtype, name=name or "Abs")
    return _abs(x, name=name)


def sign(x: Any, name: str | None = None) -> Any:
    """-1, 0 or 1 by the sign of `x`; for a complex number `x / |x|`, or 0 for 0.

    Args:
      x: tensor, also a sparse one, of a float, signed integer or complex dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape. For real numbers the gradient is 0 everywhere.

    Note: the sign of NaN is NaN, where TF 1.4 gives 0; and for complex numbers TF takes the
    gradient for 0, which it is not.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.sign([-2.5, 0.0, 3.0]).numpy())
    [-1.  0.  1.]
    """
    if isinstance(x, SparseTensor):
        return x.with_values(sign(x.values, name))
    return _sign(x, name=name)


def square(x: Any, name: str | None = None) -> Any:
    """`x * x` elementwise.

    Args:
      x: tensor, also a sparse one, of a float, signed integer or complex dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape, sparse where `x` is.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.square([2, -3]).numpy())
    [4 9]
    """
    if isinstance(x, SparseTensor):
        return x.with_values(square(x.values, name))
    return _square(x, name=name)


def reciprocal(x: Any, name: str | None = None) -> Tensor:
    """`1 / x` elementwise.

    Args:
      x: tensor of a float or complex dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.reciprocal([2.0, -0.5]).numpy())
    [ 0.5 -2. ]
    """
    return _reciprocal(x, name=name)


def squared_difference(x: Any, y: Any, name: str | None = None) -> Tensor:
    """`(x - y) * (x - y)` elementwise, with broadcasting; for complex numbers `|x - y|^2`.

    Args:
      x: tensor of a float, signed integer or complex dtype.
      y: tensor of the same dtype, of a shape that broadcasts with `x`.
      name: name of the op.

    Returns: a tensor of that dtype and the broadcast shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.squared_difference([1.0, 5.0], 2.0).numpy())
    [1. 9.]
    """
    return _squared_difference(x, y, name=name)


def maximum(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The larger of `x` and `y` elementwise, with broadcasting.

    Args:
      x: tensor of a real dtype.
      y: tensor of the same dtype, of a shape that broadcasts with `x`.
      name: name of the op.

    Returns: a tensor of that dtype and the broadcast shape. The gradient goes to the larger of the
      two, to `x` where they are equal.

    Note: NaN in either input gives NaN; in TF 1.4 that depends on the argument's place.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.maximum([1, 5], [3, 2]).numpy())
    [3 5]
    """
    return _maximum(x, y, name=name)


def minimum(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The smaller of `x` and `y` elementwise, with broadcasting.

    Args:
      x: tensor of a real dtype.
      y: tensor of the same dtype, of a shape that broadcasts with `x`.
      name: name of the op.

    Returns: a tensor of that dtype and the broadcast shape. The gradient goes to the smaller of the
      two, to `x` where they are equal.

    Note: NaN in either input gives NaN; in TF 1.4 that depends on the argument's place.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.minimum([1, 5], [3, 2]).numpy())
    [1 2]
    """
    return _minimum(x, y, name=name)
