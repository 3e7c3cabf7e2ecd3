"""Fourier transforms of complex numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.families import COMPLEX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["fft", "fft2d", "fft3d", "ifft", "ifft2d", "ifft3d"]

_NAMES = {1: "FFT", 2: "FFT2D", 3: "FFT3D"}


def check_lengths(op: str, lengths: Any) -> None:
    """Refuses transforms of fewer than no numbers.

    Raises:
      InvalidArgumentError: if a length is negative.
    """
    if any(length < 0 for length in lengths):
        words = f"{op}: lengths of a transform cannot be negative: {tuple(map(int, lengths))}."
        raise InvalidArgumentError(None, None, words)


def transform(function: Any, x: np.ndarray, dtype: Any, axes: int, **kwargs: Any) -> np.ndarray:
    """A transform of NumPy's over the last axes, in the precision of `dtype`; one of no numbers
    is empty.
    """
    lengths = kwargs.get("s", x.shape[-axes:])
    if 0 in lengths:
        return np.zeros((*x.shape[:-axes], *lengths), dtype)
    with np.errstate(all="ignore"):
        result: np.ndarray = function(x, axes=range(-axes, 0), **kwargs)
    return result.astype(dtype, copy=False)


def _record(axes: int, inverse: bool) -> Callable[..., Any]:
    name = "I" * inverse + _NAMES[axes]
    other = "I" * (not inverse) + _NAMES[axes]
    function = np.fft.ifftn if inverse else np.fft.fftn

    def shape(attrs: dict[str, Any], x: Tensor) -> shape_rules.Dims:
        return shape_rules.with_rank_at_least(x, axes)

    def compute(x: np.ndarray) -> np.ndarray:
        return transform(function, x, x.dtype, axes)

    def grad(op: Any, dy: Tensor) -> Any:
        back = getattr(raw, other)(dy)
        size = raw.Cast(raw.Prod(raw.Shape(dy)[-axes:], 0), DstT=dy.dtype)
        return back / size if inverse else back * size

    def samples(rng: np.random.Generator) -> Iterable[Sample]:
        for dtype in (np.complex64, np.complex128):
            for sizes in ((4, 3, 2), (1, 5, 6), (3, 1, 1)):
                for batch in ((), (2,), (0,)):
                    size = (*batch, *sizes[:axes])
                    x = rng.normal(size=size) + 1j * rng.normal(size=size)
                    yield Sample(x.astype(dtype), differentiable=math.prod(size) <= 30)

    return OpDef(
        name,
        "input: T -> output: T",
        types=COMPLEX,
        shape=shape,
        compute=compute,
        grad=grad,
        samples=samples,
    )


_fft, _ifft = _record(1, False), _record(1, True)
_fft2d, _ifft2d = _record(2, False), _record(2, True)
_fft3d, _ifft3d = _record(3, False), _record(3, True)


def fft(input: Any, name: str | None = None) -> Tensor:
    """The discrete Fourier transform over the last axis.

    `y[..., k] = sum over n of x[..., n] exp(-2 pi i k n / N)`.

    Args:
      input: tensor `[..., N]` of a complex dtype.
      name: name of the op.

    Returns: a tensor of that shape and dtype.

    Raises:
      ValueError: if it has no axis.
      InvalidArgumentError: if N is 0.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.fft(hf.constant([1 + 0j, 0, 0, 0])).numpy())
    [1.+0.j 1.+0.j 1.+0.j 1.+0.j]
    """
    return _fft(input, name=name)


def ifft(input: Any, name: str | None = None) -> Tensor:
    """The inverse discrete Fourier transform over the last axis.

    `y[..., n] = 1 / N sum over k of x[..., k] exp(2 pi i k n / N)`.

    Args:
      input: tensor `[..., N]` of a complex dtype.
      name: name of the op.

    Returns: a tensor of that shape and dtype.

    Raises:
      ValueError: if it has no axis.
      InvalidArgumentError: if N is 0.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.ifft(hf.constant([4 + 0j, 0, 0, 0])).numpy())
    [1.+0.j 1.+0.j 1.+0.j 1.+0.j]
    """
    return _ifft(input, name=name)


def fft2d(input: Any, name: str | None = None) -> Tensor:
    """The discrete Fourier transform over the last two axes: `fft` along each.

    Args:
      input: tensor `[..., M, N]` of a complex dtype.
      name: name of the op.

    Returns: a tensor of that shape and dtype.

    Raises:
      ValueError: if it has fewer than two axes.
      InvalidArgumentError: if M or N is 0.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.fft2d(hf.constant([[1 + 0j, 1], [1, 1]])).numpy().real)
    [[4. 0.]
     [0. 0.]]
    """
    return _fft2d(input, name=name)


def ifft2d(input: Any, name: str | None = None) -> Tensor:
    """The inverse discrete Fourier transform over the last two axes: `ifft` along each.

    Args:
      input: tensor `[..., M, N]` of a complex dtype.
      name: name of the op.

    Returns: a tensor of that shape and dtype.

    Raises:
      ValueError: if it has fewer than two axes.
      InvalidArgumentError: if M or N is 0.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.ifft2d(hf.constant([[4 + 0j, 0], [0, 0]])).numpy().real)
    [[1. 1.]
     [1. 1.]]
    """
    return _ifft2d(input, name=name)


def fft3d(input: Any, name: str | None = None) -> Tensor:
    """The discrete Fourier transform over the last three axes: `fft` along each.

    Args:
      input: tensor `[..., L, M, N]` of a complex dtype.
      name: name of the op.

    Returns: a tensor of that shape and dtype.

    Raises:
      ValueError: if it has fewer than three axes.
      InvalidArgumentError: if one of them has size 0.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.fft3d(hf.constant([[[1 + 0j, 1]]])).numpy().real)
    [[[2. 0.]]]
    """
    return _fft3d(input, name=name)


def ifft3d(input: Any, name: str | None = None) -> Tensor:
    """The inverse discrete Fourier transform over the last three axes: `ifft` along each.

    Args:
      input: tensor `[..., L, M, N]` of a complex dtype.
      name: name of the op.

    Returns: a tensor of that shape and dtype.

    Raises:
      ValueError: if it has fewer than three axes.
      InvalidArgumentError: if one of them has size 0.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.ifft3d(hf.constant([[[2 + 0j, 0]]])).numpy().real)
    [[[1. 1.]]]
    """
    return _ifft3d(input, name=name)
