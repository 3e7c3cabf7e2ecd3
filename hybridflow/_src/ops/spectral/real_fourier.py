"""Fourier transforms of real numbers, of which half the frequencies tell all."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.families import COMPLEX
from hybridflow._src.ops.spectral.fourier import check_lengths, transform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["irfft", "irfft2d", "irfft3d", "rfft", "rfft2d", "rfft3d"]

_SUFFIXES = {1: "", 2: "2D", 3: "3D"}
# Sizes of samples, and lengths of their transforms: equal, even and odd, shorter, longer.
_SIZES = (
    ((2, 3, 4), (2, 3, 4)),
    ((1, 2, 5), (1, 2, 5)),
    ((2, 3, 4), (1, 4, 3)),
    ((1, 1, 2), (2, 1, 5)),
)


def _lengths(op: str, fft_length: np.ndarray, axes: int) -> tuple[int, ...]:
    if fft_length.shape != (axes,):
        words = f"{op}: fft_length must have shape [{axes}], got {list(fft_length.shape)}."
        raise InvalidArgumentError(None, None, words)
    check_lengths(op, fft_length)
    return tuple(map(int, fft_length))


def _static_lengths(fft_length: Tensor, axes: int) -> tuple[int | None, ...]:
    shape_rules.same_size(shape_rules.with_rank(fft_length, 1)[0], axes)
    value = constant_value(fft_length)
    return (None,) * axes if value is None else tuple(int(n) for n in value)


def _frequencies(length: int | None) -> int | None:
    return length // 2 + 1 if length else length


def fitted(x: Any, sizes: Any, axes: int) -> Any:
    """`x` whose last axes are cut, or end in zeros, to have these sizes."""
    shape = raw.Shape(x)
    wanted = raw.ConcatV2([shape[:-axes], sizes], 0)
    kept = raw.Minimum(shape, wanted)
    x = raw.Slice(x, raw.ZerosLike(kept), kept)
    return raw.Pad(x, raw.Pack([raw.ZerosLike(kept), wanted - kept], axis=1))


# -- RFFT ------------------------------------------------------------------------------------------


def _forward(axes: int) -> Callable[..., Any]:
    name = f"RFFT{_SUFFIXES[axes]}"

    def shape(attrs: dict[str, Any], x: Tensor, fft_length: Tensor) -> shape_rules.Dims:
        dims = shape_rules.with_rank_at_least(x, axes)
        lengths = _static_lengths(fft_length, axes)
        if dims is None:
            return None
        return (*dims[:-axes], *lengths[:-1], _frequencies(lengths[-1]))

    def compute(x: np.ndarray, fft_length: np.ndarray, Tcomplex: DType) -> np.ndarray:
        lengths = _lengths(name, fft_length, axes)
        return transform(np.fft.rfftn, x, Tcomplex.np, axes, s=lengths)

    def grad(op: Any, dy: Tensor) -> Any:
        """The adjoint: the other frequencies get none."""
        x, fft_length = op.inputs
        full = getattr(raw, f"IFFT{_SUFFIXES[axes]}")(fitted(dy, fft_length, axes))
        size = raw.Cast(raw.Prod(fft_length, 0), DstT=x.dtype)
        return fitted(raw.Real(full, Tout=x.dtype) * size, raw.Shape(x)[-axes:], axes), None

    def samples(rng: np.random.Generator) -> Iterable[Sample]:
        for dtype, wide in ((np.float32, dtypes.complex64), (np.float64, dtypes.complex128)):
            for sizes, lengths in _SIZES:
                for batch in ((), (2,), (0,)):
                    size = (*batch, *sizes[-axes:])
                    yield Sample(
                        rng.normal(size=size).astype(dtype),
                        np.array(lengths[-axes:], np.int32),
                        Tcomplex=wide,
                        differentiable=math.prod(size) <= 30,
                    )

    return OpDef(
        name,
        "input: T, fft_length: int32 -> output: Tcomplex",
        types=(dtypes.float32, dtypes.float64),
        attrs={"Tcomplex": dtypes.complex64},
        shape=shape,
        compute=compute,
        grad=grad,
        samples=samples,
    )


# -- IRFFT -----------------------------------------------------------------------------------------


def _backward(axes: int) -> Callable[..., Any]:
    name = f"IRFFT{_SUFFIXES[axes]}"

    def shape(attrs: dict[str, Any], x: Tensor, fft_length: Tensor) -> shape_rules.Dims:
        dims = shape_rules.with_rank_at_least(x, axes)
        lengths = _static_lengths(fft_length, axes)
        return None if dims is None else (*dims[:-axes], *lengths)

    def compute(x: np.ndarray, fft_length: np.ndarray, Treal: DType) -> np.ndarray:
        lengths = _lengths(name, fft_length, axes)
        return transform(np.fft.irfftn, x, Treal.np, axes, s=lengths)

    def grad(op: Any, dy: Tensor) -> Any:
        """The adjoint: but for the first and the middle one, frequencies stand for two."""
        x, fft_length = op.inputs
        spectrum = getattr(raw, f"RFFT{_SUFFIXES[axes]}")(dy, fft_length, Tcomplex=x.dtype)
        last = fft_length[-1]
        places = raw.Range(0, last // 2 + 1, 1)
        ones, twos = raw.OnesLike(places), raw.OnesLike(places) + 1
        alone = raw.LogicalOr(raw.Equal(places, 0), raw.Equal(2 * places, last))
        weights = raw.Cast(raw.Select(alone, ones, twos), DstT=x.dtype)
        size = raw.Cast(raw.Prod(fft_length, 0), DstT=x.dtype)
        return fitted(spectrum * (weights / size), raw.Shape(x)[-axes:], axes), None

    def samples(rng: np.random.Generator) -> Iterable[Sample]:
        for dtype, real in ((np.complex64, dtypes.float32), (np.complex128, dtypes.float64)):
            for sizes, lengths in _SIZES:
                for batch in ((), (2,), (0,)):
                    size = (*batch, *sizes[-axes:])
                    x = rng.normal(size=size) + 1j * rng.normal(size=size)
                    yield Sample(
                        x.astype(dtype),
                        np.array(lengths[-axes:], np.int32),
                        Treal=real,
                        differentiable=math.prod(size) <= 30,
                    )

    return OpDef(
        name,
        "input: T, fft_length: int32 -> output: Treal",
        types=COMPLEX,
        attrs={"Treal": dtypes.float32},
        shape=shape,
        compute=compute,
        grad=grad,
        samples=samples,
    )


_rfft, _irfft = _forward(1), _backward(1)
_rfft2d, _irfft2d = _forward(2), _backward(2)
_rfft3d, _irfft3d = _forward(3), _backward(3)


def _apply_forward(record: Any, axes: int, x: Any, fft_length: Any, name: str | None) -> Tensor:
    x = convert_to_tensor(x, name="input")
    if not x.dtype.base_dtype.is_floating:
        # As TensorFlow has it, whose transforms know float32.
        x = convert_to_tensor(x, dtypes.float32)
    wide = dtypes.complex128 if x.dtype.base_dtype is dtypes.float64 else dtypes.complex64
    if fft_length is None:
        fft_length = raw.Shape(x)[-axes:]
    fft_length = convert_to_tensor(fft_length, dtypes.int32, name="fft_length")
    return record(x, fft_length, Tcomplex=wide, name=name)


def _apply_backward(record: Any, axes: int, x: Any, fft_length: Any, name: str | None) -> Tensor:
    x = convert_to_tensor(x, preferred_dtype=dtypes.complex64, name="input")
    if fft_length is None:
        shape = raw.Shape(x)[-axes:]
        last = raw.Maximum(2 * (shape[-1:] - 1), 0)
        fft_length = last if axes == 1 else raw.ConcatV2([shape[:-1], last], 0)
    fft_length = convert_to_tensor(fft_length, dtypes.int32, name="fft_length")
    return record(x, fft_length, Treal=x.dtype.base_dtype.real_dtype, name=name)


def rfft(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The discrete Fourier transform of real numbers over the last axis.

    Since `y[-k]` is the conjugate of `y[k]`, only the frequencies up to half of the last length are
    there: `fft_length[-1] // 2 + 1`.

    Args:
      input_tensor: float32 or float64 tensor `[..., N]`.
      fft_length: int32 tensor of shape [1]: the lengths of the transform. The axis is cut, or
        followed by zeros, to have them. None: as long as that.
      name: name of the op.

    Returns: a complex64 or complex128 tensor.

    Raises:
      ValueError: if there are fewer axes.
      InvalidArgumentError: if a length is negative.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.spectral.rfft([1.0, 1.0, 1.0, 1.0]).numpy().real)
    [4. 0. 0.]
    """
    return _apply_forward(_rfft, 1, input_tensor, fft_length, name)


def irfft(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The real numbers of which `rfft` gives these frequencies.

    Args:
      input_tensor: tensor `[..., K]` of a complex dtype.
      fft_length: int32 tensor of shape [1]: the lengths of the result, for which
        frequencies are cut or followed by zeros.
        None: as for an even last length, 2 (K - 1).
      name: name of the op.

    Returns: a float32 or float64 tensor `[..., *fft_length]`. What the imaginary parts of
      frequencies say that are real for real numbers has no effect.

    Raises:
      ValueError: if there are fewer axes.
      InvalidArgumentError: if a length is negative.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.spectral.irfft(hf.constant([4 + 0j, 0, 0])).numpy())
    [1. 1. 1. 1.]
    """
    return _apply_backward(_irfft, 1, input_tensor, fft_length, name)


def rfft2d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The discrete Fourier transform of real numbers over the last two axes.

    Since `y[-k]` is the conjugate of `y[k]`, only the frequencies up to half of the last length are
    there: `fft_length[-1] // 2 + 1`.

    Args:
      input_tensor: float32 or float64 tensor `[..., M, N]`.
      fft_length: int32 tensor of shape [2]: the lengths of the transform. The axes are cut, or
        followed by zeros, to have them. None: as long as those.
      name: name of the op.

    Returns: a complex64 or complex128 tensor.

    Raises:
      ValueError: if there are fewer axes.
      InvalidArgumentError: if a length is negative.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.spectral.rfft2d([[1.0, 1.0], [1.0, 1.0]]).numpy().real)
    [[4. 0.]
     [0. 0.]]
    """
    return _apply_forward(_rfft2d, 2, input_tensor, fft_length, name)


def irfft2d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The real numbers of which `rfft2d` gives these frequencies.

    Args:
      input_tensor: tensor `[..., M, K]` of a complex dtype.
      fft_length: int32 tensor of shape [2]: the lengths of the result, for which
        frequencies are cut or followed by zeros.
        None: as for an even last length, 2 (K - 1).
      name: name of the op.

    Returns: a float32 or float64 tensor `[..., *fft_length]`. What the imaginary parts of
      frequencies say that are real for real numbers has no effect.

    Raises:
      ValueError: if there are fewer axes.
      InvalidArgumentError: if a length is negative.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.spectral.irfft2d(hf.constant([[4 + 0j, 0], [0, 0]])).numpy())
    [[1. 1.]
     [1. 1.]]
    """
    return _apply_backward(_irfft2d, 2, input_tensor, fft_length, name)


def rfft3d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The discrete Fourier transform of real numbers over the last three axes.

    Since `y[-k]` is the conjugate of `y[k]`, only the frequencies up to half of the last length are
    there: `fft_length[-1] // 2 + 1`.

    Args:
      input_tensor: float32 or float64 tensor `[..., L, M, N]`.
      fft_length: int32 tensor of shape [3]: the lengths of the transform. The axes are cut, or
        followed by zeros, to have them. None: as long as those.
      name: name of the op.

    Returns: a complex64 or complex128 tensor.

    Raises:
      ValueError: if there are fewer axes.
      InvalidArgumentError: if a length is negative.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.spectral.rfft3d([[[1.0, 1.0]]]).numpy().real)
    [[[2. 0.]]]
    """
    return _apply_forward(_rfft3d, 3, input_tensor, fft_length, name)


def irfft3d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The real numbers of which `rfft3d` gives these frequencies.

    Args:
      input_tensor: tensor `[..., L, M, K]` of a complex dtype.
      fft_length: int32 tensor of shape [3]: the lengths of the result, for which
        frequencies are cut or followed by zeros.
        None: as for an even last length, 2 (K - 1).
      name: name of the op.

    Returns: a float32 or float64 tensor `[..., *fft_length]`. What the imaginary parts of
      frequencies say that are real for real numbers has no effect.

    Raises:
      ValueError: if there are fewer axes.
      InvalidArgumentError: if a length is negative.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.spectral.irfft3d(hf.constant([[[2 + 0j, 0]]])).numpy())
    [[[1. 1.]]]
    """
    return _apply_backward(_irfft3d, 3, input_tensor, fft_length, name)
