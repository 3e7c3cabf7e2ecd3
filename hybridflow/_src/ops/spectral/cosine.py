"""Cosine transforms."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.spectral.real_fourier import fitted, irfft, rfft

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["dct", "idct"]


def dct(
    input: Any,
    type: int = 2,
    n: int | None = None,
    axis: int = -1,
    norm: str | None = None,
    name: str | None = None,
) -> Tensor:
    """The discrete cosine transform over the last axis, as SciPy and FFTW define it.

    - type 1: `y[k] = x[0] + (-1)^k x[N-1] + 2 sum over 0 < n < N-1 of x[n] cos(pi k n / (N - 1))`;
    - type 2: `y[k] = 2 sum over n of x[n] cos(pi k (2 n + 1) / (2 N))`;
    - type 3: `y[k] = x[0] + 2 sum over n > 0 of x[n] cos(pi (2 k + 1) n / (2 N))`.

    Args:
      input: float32 or float64 tensor `[..., N]`.
      type: 1, 2 or 3.
      n: length of the transform: the axis is cut, or followed by zeros, to have it. None: N.
      axis: -1.
      norm: None, or "ortho" for an orthonormal transform (types 2 and 3: each is then the inverse
        of the other).
      name: name of the op.

    Returns: a tensor `[..., N]` of that dtype.

    Raises:
      ValueError: if an argument is none of these, or N is less than 1 (type 1: than 2).

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.spectral.dct([1.0, 1.0]).numpy())
    [4. 0.]
    """
    if type not in (1, 2, 3):
        raise ValueError(f"Only Types I, II and III (I)DCT are supported: type={type!r}.")
    if axis != -1:
        raise ValueError(
            f"axis must be -1, got {axis!r}. Move the axis to the end by hf.transpose."
        )
    if norm not in (None, "ortho") or (type == 1 and norm):
        raise ValueError(f"norm must be None, or 'ortho' for types 2 and 3; got {norm!r}.")
    least = 2 if type == 1 else 1
    with name_scope(name, "dct", [input]):
        x = convert_to_tensor(input, name="input")
        if n is not None:
            x = fitted(x, [n], 1)
        known = None if x._dims is None else x._dims[-1]
        if known is not None and known < least:
            raise ValueError(f"dct of type {type} needs at least {least} numbers, got {known}.")
        size = raw.Shape(x)[-1] if known is None else known
        if type == 1:
            return _type_1(x)
        return (_type_2 if type == 2 else _type_3)(x, size, norm)


def idct(
    input: Any,
    type: int = 2,
    n: int | None = None,
    axis: int = -1,
    norm: str | None = None,
    name: str | None = None,
) -> Tensor:
    """The inverse of `dct` of the same type, up to a factor. Of TensorFlow 1.15.

    That of type 1 is of type 1, `idct(dct(x)) = 2 (N - 1) x`; those of types 2 and 3 are each
    other's, `idct(dct(x)) = 2 N x`, or with `norm="ortho"` x itself.

    Args:
      input, type, n, axis, norm, name: as of `dct`.

    Raises:
      ValueError: as `dct` does.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     y = hf.spectral.dct([1.0, 3.0], norm="ortho")
    ...     print(hf.spectral.idct(y, norm="ortho").numpy().round(4))
    [1. 3.]
    """
    return dct(input, {2: 3, 3: 2}.get(type, type), n, axis, norm, name or "idct")


def _turned(spectrum: Any, size: Any, sign: float, dtype: Any) -> Any:
    """The k-th frequency times exp(sign i pi k / (2 N))."""
    angles = raw.Cast(raw.Range(0, size, 1), DstT=dtype)
    angles = angles * (sign * 0.5 * math.pi) / raw.Cast(size, DstT=dtype)
    return spectrum * raw.Complex(raw.Cos(angles), raw.Sin(angles), Tout=_wide(dtype))


def _wide(dtype: Any) -> Any:
    return dtypes.complex128 if dtype is dtypes.float64 else dtypes.complex64


def _orthonormal(x: Any, size: Any, first: float, others: float) -> Any:
    """Orthonormal weights of the frequencies."""
    places = raw.Range(0, size, 1)
    dtype = x.dtype.base_dtype
    weights = raw.Select(
        raw.Equal(places, 0),
        raw.Fill(raw.Shape(places), convert_to_tensor(first, dtype)),
        raw.Fill(raw.Shape(places), convert_to_tensor(others, dtype)),
    )
    return x * (weights * raw.Rsqrt(raw.Cast(size, DstT=dtype)))


def _type_1(x: Tensor) -> Any:
    mirrored = raw.ReverseV2(x[..., 1:-1], [-1])
    return raw.Real(rfft(raw.ConcatV2([x, mirrored], -1)), Tout=x.dtype.base_dtype)


def _type_2(x: Tensor, size: Any, norm: str | None) -> Any:
    dtype = x.dtype.base_dtype
    spectrum = rfft(x, [2 * size])[..., :size]
    y = 2.0 * raw.Real(_turned(spectrum, size, -1.0, dtype), Tout=dtype)
    return _orthonormal(y, size, 0.5, math.sqrt(0.5)) if norm else y


def _type_3(x: Tensor, size: Any, norm: str | None) -> Any:
    dtype = x.dtype.base_dtype
    if norm:
        x = _orthonormal(x, size, 1.0, math.sqrt(0.5))
    spectrum = raw.Complex(x, raw.ZerosLike(x), Tout=_wide(dtype))
    y = irfft(_turned(spectrum, size, 1.0, dtype), [2 * size])[..., :size]
    return y * raw.Cast(2 * size, DstT=dtype)
