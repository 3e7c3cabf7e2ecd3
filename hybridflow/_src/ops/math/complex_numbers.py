"""Complex numbers: making them and taking them apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.arrays.constant import ones_like, zeros_like
from hybridflow._src.ops.arrays.selecting import where
from hybridflow._src.ops.families import COMPLEX, sum_to_shape_of, unary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["angle", "complex", "conj", "imag", "real"]

_PARTS = (dtypes.float32, dtypes.float64)


# -- records ---------------------------------------------------------------------------------------


def _complex_dtype(part: DType) -> DType:
    return dtypes.complex64 if part is dtypes.float32 else dtypes.complex128


def _part(name: str, compute: Callable[..., Any], grad: Callable[..., Any]) -> OpDef:
    """The record of an op from complex numbers to real ones."""

    def samples(rng: np.random.Generator) -> Iterable[Sample]:
        for dtype, out in zip(COMPLEX, _PARTS, strict=True):
            x = rng.uniform(0.5, 2, (2, 3)) + 1j * rng.uniform(0.5, 2, (2, 3))
            yield Sample(x.astype(dtype.np), Tout=out)

    return OpDef(
        name,
        "input: T -> output: Tout",
        types=COMPLEX,
        attrs={"Tout": dtypes.float32},
        shape=shape_rules.same,
        compute=lambda x, Tout: compute(x),
        grad=grad,
        samples=samples,
    )


def _joined(real: Any, imag: Any) -> Any:
    return raw.Complex(real, imag, Tout=_complex_dtype(real.dtype))


def _angle_grad(op: Any, dy: Tensor) -> Any:
    x = op.inputs[0]
    part = dy.dtype
    turned = _joined(raw.Imag(x, Tout=part), raw.Real(x, Tout=part))
    return -_joined(dy, raw.ZerosLike(dy)) * raw.Reciprocal(turned)


_real = _part("Real", lambda x: x.real.copy(), lambda op, dy: _joined(dy, raw.ZerosLike(dy)))
_imag = _part("Imag", lambda x: x.imag.copy(), lambda op, dy: _joined(raw.ZerosLike(dy), dy))
_angle = _part("Angle", np.angle, _angle_grad)
_conj = unary(
    "Conj", np.conj, lambda op, dy: raw.Conj(dy), types=COMPLEX, names=("input", "output")
)


def _complex_arrays(real: np.ndarray, imag: np.ndarray, Tout: DType) -> np.ndarray:
    real, imag = np.broadcast_arrays(real, imag)
    result = np.empty(real.shape, Tout.np)
    result.real = real
    result.imag = imag
    return result


def _complex_grad(op: Any, dy: Tensor) -> tuple[Any, Any]:
    x, y = op.inputs
    dx, dy = raw.Real(dy, Tout=x.dtype), raw.Imag(dy, Tout=x.dtype)
    return sum_to_shape_of(dx, x, y), sum_to_shape_of(dy, y, x)


def _complex_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for part in _PARTS:
        for left, right in (((2, 3), (2, 3)), ((2, 1), (3,)), ((), ())):
            x, y = (np.asarray(rng.normal(size=shape), part.np) for shape in (left, right))
            yield Sample(x, y, Tout=_complex_dtype(part))


_complex = OpDef(
    "Complex",
    "real: T, imag: T -> out: Tout",
    types=_PARTS,
    attrs={"Tout": dtypes.complex64},
    shape=shape_rules.broadcasting,
    compute=_complex_arrays,
    grad=_complex_grad,
    samples=_complex_samples,
)


# -- public functions ------------------------------------------------------------------------------


def complex(real: Any, imag: Any, name: str | None = None) -> Tensor:
    """The complex numbers `real + i imag`, with broadcasting.

    Args:
      real: float32 or float64 tensor.
      imag: tensor of the same dtype.
      name: name of the op.

    Returns: a complex64 tensor, or complex128 for float64 parts.

    Raises:
      TypeError: if the parts have different dtypes, or are neither float32 nor float64.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.complex([2.25, 3.25], [4.75, 5.75]).numpy())
    [2.25+4.75j 3.25+5.75j]
    """
    real = convert_to_tensor(real, name="real")
    imag = convert_to_tensor(imag, name="imag")
    parts = real.dtype.base_dtype, imag.dtype.base_dtype
    if parts[0] is not parts[1] or parts[0] not in _PARTS:
        raise TypeError(
            "real and imag must both be float32 or both float64, got "
            f"{parts[0].name} and {parts[1].name}"
        )
    return _complex(real, imag, Tout=_complex_dtype(parts[0]), name=name)


def real(input: Any, name: str | None = None) -> Tensor:
    """The real part, elementwise.

    Args:
      input: tensor of a number dtype.
      name: name of the op.

    Returns: a tensor of the same shape, float32 for complex64 and float64 for complex128; a real
      tensor itself.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.real(hf.constant([1 + 2j, 3 - 4j])).numpy())
    [1. 3.]
    """
    input = convert_to_tensor(input, name="input")
    dtype = input.dtype.base_dtype
    return _real(input, Tout=dtype.real_dtype, name=name) if dtype.is_complex else input


def imag(input: Any, name: str | None = None) -> Tensor:
    """The imaginary part, elementwise.

    Args:
      input: tensor of numbers.
      name: name of the op.

    Returns: a tensor of the same shape, float32 for complex64 and float64 for complex128; zeros of
      the same dtype for a real tensor.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.imag(hf.constant([1 + 2j, 3 - 4j])).numpy())
    [ 2. -4.]
    """
    input = convert_to_tensor(input, name="input")
    if not input.dtype.is_complex:
        return zeros_like(input, name=name)
    return _imag(input, Tout=input.dtype.base_dtype.real_dtype, name=name)


def angle(input: Any, name: str | None = None) -> Tensor:
    """`atan2(imag, real)` in radians, elementwise.

    Args:
      input: tensor of numbers.
      name: name of the op.

    Returns: a tensor of the same shape, float32 for complex64 and float64 for complex128; for a
      real tensor one of its dtype, pi where it is negative and else 0.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(round(float(hf.angle(hf.constant(1 + 1j))), 4))
    0.7854
    """
    input = convert_to_tensor(input, name="input")
    if not input.dtype.is_complex:
        return where(input < 0, np.pi * ones_like(input), zeros_like(input), name)
    return _angle(input, Tout=input.dtype.base_dtype.real_dtype, name=name)


def conj(x: Any, name: str | None = None) -> Tensor:
    """The complex conjugate, elementwise.

    Args:
      x: tensor of a number dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape; a real tensor itself.

    Raises:
      TypeError: if the tensor holds no numbers.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.conj(hf.constant([1 + 2j])).numpy())
    [1.-2.j]
    """
    x = convert_to_tensor(x, name="x")
    dtype = x.dtype
    if dtype.is_complex:
        return _conj(x, name=name)
    if dtype.is_floating or dtype.is_integer:
        return x
    raise TypeError(f"Expected numeric or variant tensor, got dtype {dtype!r}")
