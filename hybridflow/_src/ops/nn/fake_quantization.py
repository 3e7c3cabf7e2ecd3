"""Numbers rounded as a quantized network would: `fake_quant_with_min_max_*`.

The range from `min` to `max` is moved a little, so that 0 is one of its `2**num_bits` levels;
numbers are clamped to it and rounded to the next level. Gradients pass where a number is inside;
what is clamped gives its gradient to the end that it is clamped to.

B. Jacob et al., "Quantization and training of neural networks for efficient
integer-arithmetic-only inference", CVPR 2018, section 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import OpDef, Sample, no_gradient
from hybridflow._src.ops import shape_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "fake_quant_with_min_max_args",
    "fake_quant_with_min_max_args_gradient",
    "fake_quant_with_min_max_vars",
    "fake_quant_with_min_max_vars_gradient",
    "fake_quant_with_min_max_vars_per_channel",
    "fake_quant_with_min_max_vars_per_channel_gradient",
]

_FLOAT = (dtypes.float32,)
_LEVELS: dict[str, Any] = {"num_bits": 8, "narrow_range": False}


# -- meanings --------------------------------------------------------------------------------------


def _moved(low: Any, high: Any, num_bits: int, narrow_range: bool) -> tuple[Any, Any, Any]:
    """The ends of a range in which 0 is a level, and the distance of levels."""
    first, last = np.float32(narrow_range), np.float32(2**num_bits - 1)
    scale = (high - low) / (last - first)
    zero = first - low / scale
    # Halves are rounded upwards: no level is below 0.
    zero = np.floor(np.clip(zero, first, last) + np.float32(0.5))
    return (first - zero) * scale, (last - zero) * scale, scale


def _rounded(x: np.ndarray, low: Any, high: Any, num_bits: int, narrow_range: bool) -> np.ndarray:
    with np.errstate(all="ignore"):
        low, high = np.asarray(low, np.float32), np.asarray(high, np.float32)
        least, most, scale = _moved(low, high, num_bits, narrow_range)
        inverse = np.float32(1) / scale
        steps = np.floor((np.clip(x, least, most) - least) * inverse + np.float32(0.5))
        result = steps * scale + least
        # A range of nothing, as variables have it before anything was seen, gives zeros.
        return np.where((low == 0) & (high == 0), np.float32(0), result).astype(np.float32)


def _passed(
    dy: np.ndarray, x: np.ndarray, low: Any, high: Any, num_bits: int, narrow_range: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The gradients of inputs, and what numbers below and above give to the ends."""
    with np.errstate(all="ignore"):
        low, high = np.asarray(low, np.float32), np.asarray(high, np.float32)
        least, most, _ = _moved(low, high, num_bits, narrow_range)
        nothing = (low == 0) & (high == 0)
        below, above = (x < least) & ~nothing, (x > most) & ~nothing
        inside = ((x >= least) & (x <= most)) | nothing
    zero = np.float32(0)
    return np.where(inside, dy, zero), np.where(below, dy, zero), np.where(above, dy, zero)


def _check_bits(attrs: dict[str, Any]) -> None:
    bits = attrs["num_bits"]
    if not 2 <= bits <= 16:
        raise InvalidArgumentError(
            None, None, f"num_bits must be between 2 and 16, inclusive, got {bits}"
        )


def _check_range(attrs: dict[str, Any]) -> None:
    _check_bits(attrs)
    if not attrs["min"] < attrs["max"]:
        raise InvalidArgumentError(
            None, None, f"min has to be smaller than max, was: {attrs['min']} >= {attrs['max']}"
        )


# -- records ---------------------------------------------------------------------------------------


def _args_shape(attrs: dict[str, Any], *inputs: Tensor) -> shape_rules.Dims:
    _check_range(attrs)
    return shape_rules.merging(attrs, *inputs)


def _args_samples(rng: np.random.Generator, count: int = 1) -> Iterator[Sample]:
    for attrs in (_LEVELS, {"num_bits": 4, "narrow_range": True}):
        for shape in ((2, 3), (), (0,)):
            x = [rng.uniform(-9, 9, shape).astype(np.float32) for _ in range(count)]
            yield Sample(*x, min=-3.0, max=5.0, differentiable=False, **attrs)


_ARGS = {"min": -6.0, "max": 6.0, **_LEVELS}


def _attrs(op: Any, more: tuple[str, ...] = ()) -> dict[str, Any]:
    return {name: op.get_attr(name) for name in (*_LEVELS, *more)}


_args_gradient = OpDef(
    "FakeQuantWithMinMaxArgsGradient",
    "gradients: T, inputs: T -> backprops: T",
    types={"T": _FLOAT},
    attrs=_ARGS,
    shape=_args_shape,
    compute=lambda dy, x, min, max, **attrs: _passed(dy, x, min, max, **attrs)[0],
    grad=no_gradient,
    samples=lambda rng: _args_samples(rng, 2),
    checked=True,
)
_args = OpDef(
    "FakeQuantWithMinMaxArgs",
    "inputs: T -> outputs: T",
    types={"T": _FLOAT},
    attrs=_ARGS,
    shape=_args_shape,
    compute=lambda x, min, max, **attrs: _rounded(x, min, max, **attrs),
    grad=lambda op, dy: _args_gradient(dy, op.inputs[0], **_attrs(op, ("min", "max"))),
    samples=_args_samples,
    checked=True,
)


def _ends_shape(x: Tensor, low: Tensor, high: Tensor, channels: bool) -> tuple[Any, Any]:
    """The shapes of the inputs, and of the ends: scalars, or as long as the last dimension."""
    if not channels:
        shape_rules.with_rank(low, 0)
        shape_rules.with_rank(high, 0)
        return x._dims, ()
    dims = shape_rules.with_rank_at_least(x, 1)
    (size,), (other,) = shape_rules.with_rank(low, 1), shape_rules.with_rank(high, 1)
    size = shape_rules.same_size(size, other)
    size = shape_rules.same_size(size, dims[-1] if dims else None)
    return dims if dims is None else (*dims[:-1], size), (size,)


def _summed(part: np.ndarray, channels: bool) -> np.ndarray:
    axes = tuple(range(part.ndim - channels))
    return np.asarray(part.sum(axis=axes, dtype=np.float32))


def _vars_ops(name: str, channels: bool) -> tuple[OpDef, OpDef]:
    """The records of an op whose range is given by tensors, and of its gradient."""

    def shape(attrs: dict[str, Any], x: Tensor, low: Tensor, high: Tensor) -> Any:
        _check_bits(attrs)
        return _ends_shape(x, low, high, channels)[0]

    def gradient_shape(
        attrs: dict[str, Any], dy: Tensor, x: Tensor, low: Tensor, high: Tensor
    ) -> Any:
        _check_bits(attrs)
        shape_rules.merging(attrs, dy, x)
        dims, end = _ends_shape(x, low, high, channels)
        return [dims, end, end]

    def gradient_of(
        dy: np.ndarray, x: np.ndarray, low: np.ndarray, high: np.ndarray, **attrs: Any
    ) -> Any:
        inside, below, above = _passed(dy, x, low, high, **attrs)
        return inside, _summed(below, channels), _summed(above, channels)

    def samples(rng: np.random.Generator, count: int) -> Iterator[Sample]:
        for attrs in (_LEVELS, {"num_bits": 4, "narrow_range": True}):
            for size in ((2, 3), (3,), (0, 3)):
                x = [rng.uniform(-9, 9, size).astype(np.float32) for _ in range(count)]
                ends = np.array([-3, 0, -1], np.float32), np.array([5, 0, 4], np.float32)
                low, high = ends if channels else (ends[0][0], ends[1][0])
                arrays = (np.asarray(low), np.asarray(high))
                yield Sample(*x, *arrays, differentiable=False, **attrs)

    gradient = OpDef(
        f"{name}Gradient",
        "gradients: T, inputs: T, min: T, max: T -> "
        "backprops_wrt_input: T, backprop_wrt_min: T, backprop_wrt_max: T",
        types={"T": _FLOAT},
        attrs=_LEVELS,
        shape=gradient_shape,
        compute=gradient_of,
        grad=no_gradient,
        samples=lambda rng: samples(rng, 2),
        checked=True,
    )
    op = OpDef(
        name,
        "inputs: T, min: T, max: T -> outputs: T",
        types={"T": _FLOAT},
        attrs=_LEVELS,
        shape=shape,
        compute=_rounded,
        grad=lambda op, dy: gradient(dy, *op.inputs, **_attrs(op)),
        samples=lambda rng: samples(rng, 1),
        checked=True,
    )
    return op, gradient


_vars, _vars_gradient = _vars_ops("FakeQuantWithMinMaxVars", False)
_channels, _channels_gradient = _vars_ops("FakeQuantWithMinMaxVarsPerChannel", True)


# -- public functions ------------------------------------------------------------------------------


def fake_quant_with_min_max_args(
    inputs: Any,
    min: float = -6,
    max: float = 6,
    num_bits: int = 8,
    narrow_range: bool = False,
    name: str | None = None,
) -> Tensor:
    """Clamps numbers to a range and rounds them to one of `2**num_bits` levels in it.

    Args:
      inputs: float32 tensor.
      min, max: the range, which is moved so that 0 is a level.
      num_bits: from 2 to 16.
      narrow_range: whether the lowest level is left out.
      name: name of the op.

    Returns: a tensor like `inputs`. Gradients pass where numbers are in the range.

    Raises:
      InvalidArgumentError: if `min` is not below `max`, or for another number of bits.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.fake_quant_with_min_max_args([-1.0, 0.3, 9.0], 0, 3, num_bits=2)
    ...     print(x.numpy())
    [0. 0. 3.]
    """
    return _args(
        inputs,
        min=float(min),
        max=float(max),
        num_bits=num_bits,
        narrow_range=narrow_range,
        name=name,
    )


def fake_quant_with_min_max_args_gradient(
    gradients: Any,
    inputs: Any,
    min: float = -6,
    max: float = 6,
    num_bits: int = 8,
    narrow_range: bool = False,
    name: str | None = None,
) -> Tensor:
    """The gradient of `fake_quant_with_min_max_args`: `gradients` where inputs are in the range.

    Args:
      gradients: float32 tensor, the gradient of the result.
      inputs, min, max, num_bits, narrow_range, name: as there.

    Returns: a tensor like `inputs`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.fake_quant_with_min_max_args_gradient([1.0, 2.0], [0.0, 9.0]).numpy())
    [1. 0.]
    """
    return _args_gradient(
        gradients,
        inputs,
        min=float(min),
        max=float(max),
        num_bits=num_bits,
        narrow_range=narrow_range,
        name=name,
    )


def fake_quant_with_min_max_vars(
    inputs: Any,
    min: Any,
    max: Any,
    num_bits: int = 8,
    narrow_range: bool = False,
    name: str | None = None,
) -> Tensor:
    """`fake_quant_with_min_max_args` with a range that is learned: float32 scalars `min` and `max`.

    Returns: a tensor like `inputs`; zeros while both ends are 0. What is clamped gives its gradient
    to the end that it is clamped to.

    Raises:
      InvalidArgumentError: for a number of bits that is not from 2 to 16.
      ValueError: if the ends are no scalars.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.fake_quant_with_min_max_vars([0.4, 9.0], 0.0, 3.0, num_bits=2).numpy())
    [0. 3.]
    """
    return _vars(inputs, min, max, num_bits=num_bits, narrow_range=narrow_range, name=name)


def fake_quant_with_min_max_vars_gradient(
    gradients: Any,
    inputs: Any,
    min: Any,
    max: Any,
    num_bits: int = 8,
    narrow_range: bool = False,
    name: str | None = None,
) -> Any:
    """The gradients of `fake_quant_with_min_max_vars`.

    Returns: those of `inputs`, of `min` and of `max`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     parts = hf.fake_quant_with_min_max_vars_gradient([1.0, 2.0], [0.5, 9.0], 0.0, 3.0)
    ...     print([part.numpy().tolist() for part in parts])
    [[1.0, 0.0], 0.0, 2.0]
    """
    attrs = {"num_bits": num_bits, "narrow_range": narrow_range}
    return _vars_gradient(gradients, inputs, min, max, name=name, **attrs)


def fake_quant_with_min_max_vars_per_channel(
    inputs: Any,
    min: Any,
    max: Any,
    num_bits: int = 8,
    narrow_range: bool = False,
    name: str | None = None,
) -> Tensor:
    """`fake_quant_with_min_max_vars` with a range for each channel.

    Args:
      inputs: float32 tensor `[..., d]`.
      min, max: float32 vectors `[d]`.
      num_bits, narrow_range, name: see `fake_quant_with_min_max_args`.

    Returns: a tensor like `inputs`.

    Raises:
      InvalidArgumentError: for a number of bits that is not from 2 to 16.
      ValueError: if the ends are no vectors as long as the last dimension.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     ends = [0.0, 0.0], [3.0, 6.0]
    ...     print(hf.fake_quant_with_min_max_vars_per_channel([[9.0, 9.0]], *ends).numpy())
    [[3. 6.]]
    """
    return _channels(inputs, min, max, num_bits=num_bits, narrow_range=narrow_range, name=name)


def fake_quant_with_min_max_vars_per_channel_gradient(
    gradients: Any,
    inputs: Any,
    min: Any,
    max: Any,
    num_bits: int = 8,
    narrow_range: bool = False,
    name: str | None = None,
) -> Any:
    """The gradients of `fake_quant_with_min_max_vars_per_channel`.

    Returns: those of `inputs`, of `min` and of `max`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     ends = [0.0, 0.0], [3.0, 6.0]
    ...     gradient = hf.fake_quant_with_min_max_vars_per_channel_gradient
    ...     parts = gradient([[1.0, 2.0]], [[1.0, 9.0]], *ends)
    ...     print([part.numpy().tolist() for part in parts])
    [[[1.0, 0.0]], [0.0, 0.0], [0.0, 2.0]]
    """
    attrs = {"num_bits": num_bits, "narrow_range": narrow_range}
    return _channels_gradient(gradients, inputs, min, max, name=name, **attrs)
