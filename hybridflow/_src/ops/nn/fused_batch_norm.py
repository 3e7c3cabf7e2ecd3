"""Batch normalization of images as one op.

With the mean m and the variance v of each channel, r = 1 / sqrt(v + epsilon), n values a channel:

    y = (x - m) r scale + offset

In training, m and v are those of the batch. See Ioffe, Szegedy, Batch Normalization (2015).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.nn import lowered_batch_norm
from hybridflow._src.ops.windows import allowed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["fused_batch_norm"]

_ATTRS = {"epsilon": 1e-4, "data_format": "NHWC", "is_training": True}
# cuDNN takes no smaller one, so TensorFlow raises it.
_LEAST_EPSILON = 1.001e-5


# -- layout ----------------------------------------------------------------------------------------


def _axes(data_format: str) -> tuple[int, int, int]:
    """The axes over which statistics are taken."""
    return (0, 2, 3) if data_format == "NCHW" else (0, 1, 2)


def _along(vector: np.ndarray, data_format: str) -> np.ndarray:
    """A value for each channel, so that it broadcasts with images."""
    return vector.reshape(-1, 1, 1) if data_format == "NCHW" else vector


def _count(x: np.ndarray, channels: int) -> int:
    return x.size // max(channels, 1)


# -- shape rules -----------------------------------------------------------------------------------


def _checked(attrs: dict[str, Any], x: Tensor, vectors: Iterable[Tensor]) -> tuple[Any, Any]:
    """The dims of images and the number of channels."""
    allowed("data_format", attrs["data_format"], ("NHWC", "NCHW"))
    dims = shape_rules.with_rank(x, 4)
    at = 1 if attrs["data_format"] == "NCHW" else 3
    channels = dims[at]
    for vector in vectors:
        (size,) = shape_rules.with_rank(vector, 1)
        channels = shape_rules.same_size(channels, size)
    return (*dims[:at], channels, *dims[at + 1 :]), channels


def _shape(attrs: dict[str, Any], x: Tensor, *vectors: Tensor) -> list[Any]:
    dims, channels = _checked(attrs, x, vectors[:2] if attrs["is_training"] else vectors)
    return [dims, *[(channels,)] * 4]


def _grad_shape(attrs: dict[str, Any], dy: Tensor, x: Tensor, *vectors: Tensor) -> list[Any]:
    shape_rules.merging(attrs, dy, x)
    dims, channels = _checked(attrs, x, vectors)
    return [dims, (channels,), (channels,), (0,), (0,)]


# -- NumPy meanings --------------------------------------------------------------------------------


def _normalized(
    x: np.ndarray,
    scale: np.ndarray,
    offset: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    epsilon: float,
    data_format: str,
    is_training: bool,
) -> tuple[np.ndarray, ...]:
    """y; mean and variance for moving averages; the two for the gradient."""
    wide = x.astype(scale.dtype, copy=False)
    unbiased = variance
    if is_training:
        axes = _axes(data_format)
        count = _count(x, scale.size)
        mean = np.add.reduce(wide, axes) / count
        variance = np.add.reduce(np.square(wide - _along(mean, data_format)), axes) / count
        unbiased = variance * (count / max(count - 1, 1))
    factor = scale / np.sqrt(variance + epsilon)
    centered = wide - _along(mean, data_format)
    y = centered * _along(factor, data_format) + _along(offset, data_format)
    dtype: Any = scale.dtype
    vectors = [np.array(v, dtype) for v in (mean, unbiased, mean, variance)]
    return y.astype(x.dtype, copy=False), *vectors


def _gradients(
    dy: np.ndarray,
    x: np.ndarray,
    scale: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    epsilon: float,
    data_format: str,
    is_training: bool,
) -> tuple[np.ndarray, ...]:
    """The gradients to x, scale and offset, and two outputs that hold nothing."""
    axes, dtype = _axes(data_format), x.dtype
    dy = dy.astype(scale.dtype, copy=False)
    centered = x.astype(scale.dtype, copy=False) - _along(mean, data_format)
    # Of no images there are no statistics, but gradients, which are zero.
    inverse = 1 / np.sqrt(variance + epsilon) if x.size else np.zeros_like(variance)
    total, product = np.add.reduce(dy, axes), np.add.reduce(dy * centered, axes)
    dx = dy
    if is_training:
        count = max(_count(x, scale.size), 1)
        slope = np.square(inverse) * product / count
        dx = dy - _along(total / count, data_format) - centered * _along(slope, data_format)
    dx = dx * _along(scale * inverse, data_format)
    empty = np.zeros(0, scale.dtype)
    vectors = [v.astype(scale.dtype, copy=False) for v in (inverse * product, total)]
    return dx.astype(dtype, copy=False), *vectors, empty, empty.copy()


# -- gradients -------------------------------------------------------------------------------------


class _Channels:
    """Sums over and values for each channel, as ops."""

    def __init__(self, op: Any, x: Tensor, scale: Tensor) -> None:
        self._format = op.get_attr("data_format")
        self._x, self._scale = x, scale
        self._dtype = scale.dtype.base_dtype

    def wide(self, x: Any) -> Any:
        """Images in the dtype of the values of channels."""
        return x if x.dtype.base_dtype is self._dtype else raw.Cast(x, DstT=self._dtype)

    def like_images(self, x: Any) -> Any:
        dtype = self._x.dtype.base_dtype
        return x if x.dtype.base_dtype is dtype else raw.Cast(x, DstT=dtype)

    def sum(self, x: Any) -> Any:
        return raw.Sum(x, np.array(_axes(self._format), np.int32))

    def along(self, vector: Any) -> Any:
        return raw.Reshape(vector, [-1, 1, 1]) if self._format == "NCHW" else vector

    def count(self) -> Any:
        """How many values a channel has."""
        sizes = [raw.Cast(raw.Size(t), DstT=self._dtype) for t in (self._x, self._scale)]
        return sizes[0] / sizes[1]


def _added(*terms: Any) -> Any:
    """The sum of what is not None."""
    known = [term for term in terms if term is not None]
    total = known[0] if known else None
    for term in known[1:]:
        total = total + term
    return total


def _grad_with(name: str) -> Callable[..., Any]:
    """The gradient function, made with the op of a name.

    Beside what flows to the input through y, something may flow through the statistics.
    """

    def grad(op: Any, dy: Any, dmean: Any, dvariance: Any, *reserved: Any) -> Any:
        x, scale = op.inputs[:2]
        training = op.get_attr("is_training")
        mean, variance = op.outputs[3:5] if training else op.inputs[3:5]
        by = _Channels(op, x, scale)
        attrs = {key: op.get_attr(key) for key in _ATTRS}
        dx: Any = None
        dscale: Any = None
        doffset: Any = None
        if dy is not None:
            dx, dscale, doffset, _, _ = getattr(raw, name)(dy, x, scale, mean, variance, **attrs)
        if not training:
            inverse = raw.Rsqrt(variance + attrs["epsilon"])
            through = None if dy is None else -doffset * scale * inverse
            bend = None if dy is None else -0.5 * dscale * scale * inverse * inverse
            to_mean = _added(through, dmean, reserved[0])
            return dx, dscale, doffset, to_mean, _added(bend, dvariance, reserved[1])
        dmean = _added(dmean, reserved[0])
        if dmean is not None or dvariance is not None or reserved[1] is not None:
            count = by.count()
            if dvariance is not None:
                dvariance = dvariance / raw.Maximum(count - 1.0, 1.0)
            share = None if reserved[1] is None else reserved[1] / count
            dvariance = _added(dvariance, share)
            more = None if dmean is None else by.along(dmean / count)
            if dvariance is not None:
                centered = by.wide(x) - by.along(mean)
                more = _added(centered * by.along(2.0 * dvariance), more)
            else:
                more = more + raw.ZerosLike(by.wide(x))
            dx = _added(dx, by.like_images(more))
        return dx, dscale, doffset, None, None

    return grad


def _grad_grad(op: Any, dz: Any, dscale: Any, doffset: Any, *_: Any) -> Any:
    """The gradients to the five inputs of the gradient op, each input for itself.

    With c = x - m and sums over a channel, in training the op gives

        scale r (dy - sum(dy) / n - c r^2 sum(dy c) / n),   r sum(dy c),   sum(dy)
    """
    dy, x, scale, mean, variance = op.inputs
    by = _Channels(op, x, scale)
    dy, centered = by.wide(dy), by.wide(x) - by.along(mean)
    inverse = raw.Rsqrt(variance + op.get_attr("epsilon"))
    product = by.sum(dy * centered)
    to_dy = to_x = to_scale = to_inverse = None
    if dz is not None:
        dz = by.wide(dz)
        both = by.sum(dz * dy)
        to_dy = dz
        bend: Any = 0.0
        if op.get_attr("is_training"):
            count, square = by.count(), inverse * inverse
            along, tilt = by.sum(dz), by.sum(dz * centered)
            both = both - along * by.sum(dy) / count
            bend = square * product * tilt / count
            to_dy = dz - by.along(along / count) - centered * by.along(square * tilt / count)
            cube = -scale * square * inverse / count
            to_x = dz * by.along(cube * product) + dy * by.along(cube * tilt)
        to_dy = to_dy * by.along(scale * inverse)
        to_scale = inverse * (both - bend)
        to_inverse = scale * (both - 3.0 * bend)
    if dscale is not None:
        to_dy = _added(to_dy, centered * by.along(dscale * inverse))
        to_x = _added(to_x, dy * by.along(dscale * inverse))
        to_inverse = _added(to_inverse, dscale * product)
    if doffset is not None:
        to_dy = _added(to_dy, by.along(doffset) + raw.ZerosLike(dy))
    to_mean = None if to_x is None else -by.sum(to_x)
    to_variance = None
    if to_inverse is not None:
        to_variance = -0.5 * to_inverse * inverse * inverse * inverse
    images = [None if t is None else by.like_images(t) for t in (to_dy, to_x)]
    return *images, to_scale, to_mean, to_variance


# -- records ---------------------------------------------------------------------------------------

_ROWS: tuple[tuple[tuple[int, ...], str, bool], ...] = (
    ((2, 2, 3, 2), "NHWC", True),
    ((2, 2, 3, 2), "NHWC", False),
    ((2, 3, 2, 2), "NCHW", True),
    ((2, 3, 1, 2), "NCHW", False),
)


def _drawn(rng: np.random.Generator, kinds: Any) -> Iterable[tuple[Any, ...]]:
    for image, kind in kinds:
        for shape, data_format, training in _ROWS:
            channels = shape[1 if data_format == "NCHW" else 3]
            attrs = {"epsilon": 0.01, "data_format": data_format, "is_training": training}
            x = rng.normal(size=shape).astype(image)
            vectors = [rng.uniform(0.5, 1.5, channels).astype(kind) for _ in range(4)]
            yield x, vectors, attrs


def _samples(kinds: Any) -> Callable[[np.random.Generator], Iterable[Sample]]:
    def samples(rng: np.random.Generator) -> Iterable[Sample]:
        for x, vectors, attrs in _drawn(rng, kinds):
            if attrs["is_training"]:
                vectors[2:] = [np.zeros(0, v.dtype) for v in vectors[2:]]
            yield Sample(x, *vectors, **attrs)

    return samples


def _grad_samples(kinds: Any) -> Callable[[np.random.Generator], Iterable[Sample]]:
    return lambda rng: (
        Sample(rng.normal(size=x.shape).astype(x.dtype), x, *vectors[1:], **attrs)
        for x, vectors, attrs in _drawn(rng, kinds)
    )


_REAL = [(np.float32, np.float32), (np.float64, np.float64)]
_MIXED = [(np.float16, np.float32), (np.float32, np.float32)]
_V2 = {
    "T": (dtypes.float16, dtypes.float32, dtypes.float64),
    "U": (dtypes.float32, dtypes.float64),
}
_OUTPUTS = "batch_mean: {0}, batch_variance: {0}, reserve_space_1: {0}, reserve_space_2: {0}"
_GRAD_OUTPUTS = (
    "x_backprop: T, scale_backprop: {0}, offset_backprop: {0}, reserve_space_3: {0}, "
    "reserve_space_4: {0}"
)

_v1 = OpDef(
    "FusedBatchNorm",
    f"x: T, scale: T, offset: T, mean: T, variance: T -> y: T, {_OUTPUTS.format('T')}",
    types=(dtypes.float32, dtypes.float64),
    attrs=_ATTRS,
    shape=_shape,
    compute=_normalized,
    grad=_grad_with("FusedBatchNormGrad"),
    samples=_samples(_REAL),
    checked=True,
    native=lowered_batch_norm.normalized,
    kernels_from=1 << 12,
)
_v2 = OpDef(
    "FusedBatchNormV2",
    f"x: T, scale: U, offset: U, mean: U, variance: U -> y: T, {_OUTPUTS.format('U')}",
    types=_V2,
    attrs=_ATTRS,
    shape=_shape,
    compute=_normalized,
    grad=_grad_with("FusedBatchNormGradV2"),
    samples=_samples([*_MIXED, _REAL[1]]),
    checked=True,
    native=lowered_batch_norm.normalized,
    kernels_from=1 << 12,
)
OpDef(
    "FusedBatchNormGrad",
    "y_backprop: T, x: T, scale: T, reserve_space_1: T, reserve_space_2: T -> "
    f"{_GRAD_OUTPUTS.format('T')}",
    types=(dtypes.float32, dtypes.float64),
    attrs=_ATTRS,
    shape=_grad_shape,
    compute=_gradients,
    grad=_grad_grad,
    samples=_grad_samples(_REAL),
    checked=True,
    native=lowered_batch_norm.gradients,
)
OpDef(
    "FusedBatchNormGradV2",
    "y_backprop: T, x: T, scale: U, reserve_space_1: U, reserve_space_2: U -> "
    f"{_GRAD_OUTPUTS.format('U')}",
    types=_V2,
    attrs=_ATTRS,
    shape=_grad_shape,
    compute=_gradients,
    grad=_grad_grad,
    samples=_grad_samples([*_MIXED, _REAL[1]]),
    checked=True,
    native=lowered_batch_norm.gradients,
)


# -- public function -------------------------------------------------------------------------------


def fused_batch_norm(
    x: Any,
    scale: Any,
    offset: Any,
    mean: Any = None,
    variance: Any = None,
    epsilon: float = 0.001,
    data_format: str = "NHWC",
    is_training: bool = True,
    name: str | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Batch normalization: `(x - mean) / sqrt(variance + epsilon) * scale + offset`.

    Args:
      x: tensor `[batch, height, width, channels]` of a float dtype.
      scale, offset: vectors `[channels]`; float32 where `x` is float16, else of its dtype.
      mean, variance: vectors `[channels]` for inference; None in training, when they are those of
        the batch.
      epsilon: added to the variance; at least 1.001e-5.
      data_format: "NHWC", or "NCHW" for images `[batch, channels, height, width]`.
      is_training: normalize with the statistics of the batch.
      name: name of the op.

    Returns: three tensors: what is normalized, of the dtype and shape of `x`; and the mean and the
      variance, `[channels]`. In training the variance is the unbiased one, `n / (n - 1)` times that
      by which the batch is normalized, for moving averages.

    Raises:
      ValueError: if `mean` or `variance` is given in training, or shapes do not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.reshape(hf.constant([1.0, 3.0]), [2, 1, 1, 1])
    ...     y, mean, variance = hf.nn.fused_batch_norm(x, [1.0], [0.0])
    ...     print(y.numpy().ravel().round(3), mean.numpy(), variance.numpy())
    [-1.  1.] [2.] [2.]

    References:
      Ioffe, Szegedy, Batch Normalization: Accelerating Deep Network Training by Reducing Internal
      Covariate Shift (2015).

    In TF 1.4 no gradient flows through the mean and the variance; here one does.
    """
    x = convert_to_tensor(x, name="input")
    half = x.dtype.base_dtype is dtypes.float16
    dtype = dtypes.float32 if half else x.dtype.base_dtype
    scale = convert_to_tensor(scale, dtype, name="scale")
    offset = convert_to_tensor(offset, dtype, name="offset")
    if is_training and (mean is not None or variance is not None):
        raise ValueError("Both 'mean' and 'variance' must be None if is_training is True.")
    if mean is None:
        mean = convert_to_tensor(np.zeros(0, dtype.np))
    if variance is None:
        variance = convert_to_tensor(np.zeros(0, dtype.np))
    y, batch_mean, batch_variance, _, _ = (_v2 if half else _v1)(
        x,
        scale,
        offset,
        mean,
        variance,
        epsilon=max(epsilon, _LEAST_EPSILON),
        data_format=data_format,
        is_training=is_training,
        name=name,
    )
    return y, batch_mean, batch_variance
