"""Layers' small parts: biases, dropout, the squared norm, how much is zero."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import op_scope
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.accumulation import accumulated, accumulator
from hybridflow._src.ops.families import FLOATS, NUMBERS
from hybridflow._src.ops.grad_helpers import shape_of
from hybridflow._src.ops.math.division import div
from hybridflow._src.ops.math.reductions import reduce_mean
from hybridflow._src.ops.random import sampling

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "bias_add",
    "dropout",
    "l2_loss",
    "relu_layer",
    "xw_plus_b",
    "zero_fraction",
]


# -- BiasAdd ---------------------------------------------------------------------------------------


def _channel_axis(rank: int, data_format: str) -> int:
    """The axis along which the biases lie.

    Raises:
      ValueError: if the rank is too small or the format not known.
    """
    if data_format not in ("NHWC", "NCHW"):
        raise ValueError(f"data_format must be NHWC or NCHW, got {data_format!r}")
    least = 2 if data_format == "NHWC" else 3
    if rank < least:
        raise ValueError(f"Shape must be at least rank {least} but is rank {rank}")
    return rank - 1 if data_format == "NHWC" else rank - 3


def _bias_add_shape(attrs: dict[str, Any], value: Tensor, bias: Tensor) -> shape_rules.Dims:
    (size,) = shape_rules.with_rank(bias, 1)
    dims = value._dims
    if dims is None:
        return None
    at = _channel_axis(len(dims), attrs["data_format"])
    return (*dims[:at], shape_rules.same_size(dims[at], size), *dims[at + 1 :])


def _bias_add_arrays(value: np.ndarray, bias: np.ndarray, data_format: str) -> np.ndarray:
    at = _channel_axis(value.ndim, data_format)
    if bias.ndim != 1 or bias.shape[0] != value.shape[at]:
        raise ValueError(f"A bias of shape {bias.shape} does not fit a value of {value.shape}")
    after = value.ndim - 1 - at
    return np.add(value, bias.reshape((-1,) + (1,) * after) if after else bias)


def _bias_add_grad(op: Any, dy: Tensor) -> tuple[Any, Any]:
    return dy, raw.BiasAddGrad(dy, data_format=op.get_attr("data_format"))


def _bias_values(rng: np.random.Generator) -> Iterable[tuple[Any, int, str]]:
    for dtype in (np.float32, np.float64):
        for shape, data_format in (
            ((2, 3), "NHWC"),
            ((2, 2, 3), "NHWC"),
            ((2, 3, 2, 2), "NCHW"),
            ((0, 3), "NHWC"),
        ):
            size = shape[_channel_axis(len(shape), data_format)]
            yield rng.normal(size=shape).astype(dtype), size, data_format


def _native_bias_add(b: Any, value: Any, bias: Any, data_format: str) -> Any:
    at = _channel_axis(len(value.shape), data_format)
    shape = tuple([n if i == at else 1 for i, n in enumerate(value.shape)])
    return b.elementwise(np.add, value, b.reshape(bias, shape))


def _bias_add_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for value, size, data_format in _bias_values(rng):
        yield Sample(value, rng.normal(size=size).astype(value.dtype), data_format=data_format)


_bias_add = OpDef(
    "BiasAdd",
    "value: T, bias: T -> output: T",
    types=NUMBERS,
    attrs={"data_format": "NHWC"},
    shape=_bias_add_shape,
    compute=_bias_add_arrays,
    grad=_bias_add_grad,
    samples=_bias_add_samples,
    native=_native_bias_add,
    kernels_from=1 << 16,
)


def _bias_grad_shape(attrs: dict[str, Any], dy: Tensor) -> shape_rules.Dims:
    dims = dy._dims
    if dims is None:
        return (None,)
    return (dims[_channel_axis(len(dims), attrs["data_format"])],)


def _bias_grad_arrays(dy: np.ndarray, data_format: str) -> np.ndarray:
    at = _channel_axis(dy.ndim, data_format)
    axes = tuple(i for i in range(dy.ndim) if i != at)
    return np.asarray(accumulated(np.add, dy, axes))


def _native_bias_grad(b: Any, dy: Any, data_format: str) -> Any:
    at = _channel_axis(len(dy.shape), data_format)
    return b.reduce(np.add, dy, [i for i in range(len(dy.shape)) if i != at])


def _bias_grad_grad(op: Any, dz: Tensor) -> Any:
    dy = op.inputs[0]
    if op.get_attr("data_format") == "NCHW":
        dz = raw.Reshape(dz, np.array([-1, 1, 1], np.int32))
    return raw.SpreadToShape(dz, shape_of(dy), name="Tile")


OpDef(
    "BiasAddGrad",
    "out_backprop: T -> output: T",
    types=NUMBERS,
    attrs={"data_format": "NHWC"},
    shape=_bias_grad_shape,
    compute=_bias_grad_arrays,
    grad=_bias_grad_grad,
    native=_native_bias_grad,
    samples=lambda rng: (
        Sample(value, data_format=data_format) for value, _, data_format in _bias_values(rng)
    ),
)


# -- L2Loss ----------------------------------------------------------------------------------------


def _l2_loss_arrays(t: np.ndarray) -> Any:
    total = np.add.reduce(np.square(t, dtype=accumulator(t.dtype)), axis=None)
    return (total / 2).astype(t.dtype)


def _native_l2_loss(b: Any, t: Any) -> Any:
    squares = b.elementwise(np.square, b.cast(t, accumulator(t.dtype)))
    total = b.reduce(np.add, squares, range(len(t.shape)))
    return b.elementwise(lambda x: (x / 2).astype(t.dtype), total)


def _l2_loss_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for shape in ((2, 3), (), (0, 2)):
            yield Sample(np.asarray(rng.normal(size=shape), dtype))


_l2_loss = OpDef(
    "L2Loss",
    "t: T -> output: T",
    types=FLOATS,
    shape=shape_rules.scalar,
    compute=_l2_loss_arrays,
    grad=lambda op, dy: op.inputs[0] * dy,
    samples=_l2_loss_samples,
    native=_native_l2_loss,
)


# -- public functions ------------------------------------------------------------------------------


def bias_add(
    value: Any, bias: Any, data_format: str | None = None, name: str | None = None
) -> Tensor:
    """`value + bias`, where `bias` is a vector along the channels of `value`.

    Args:
      value: tensor `[..., channels]` of a number dtype.
      bias: vector `[channels]` of the same dtype.
      data_format: "NHWC" (the default), or "NCHW" for a `value` `[..., channels, height, width]`.
      name: name of the op.

    Returns: a tensor of the dtype and shape of `value`.

    Raises:
      ValueError: if the shapes do not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.nn.bias_add([[1, 2], [3, 4]], [10, 20]).numpy().tolist())
    [[11, 22], [13, 24]]
    """
    return _bias_add(value, bias, data_format=data_format or "NHWC", name=name)


def xw_plus_b(x: Any, weights: Any, biases: Any, name: str | None = None) -> Tensor:
    """`matmul(x, weights) + biases`.

    Args:
      x: matrix `[batch, n]` of a float dtype.
      weights: matrix `[n, m]` of the same dtype.
      biases: vector `[m]` of the same dtype.
      name: name of the op.

    Returns: a matrix `[batch, m]`.

    Raises:
      ValueError: if the shapes do not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.nn.xw_plus_b([[1.0, 2.0]], [[3.0], [4.0]], [0.5]).numpy())
    [[11.5]]
    """
    with op_scope(name, "xw_plus_b", [x, weights, biases]) as scope:
        product = _product(x, weights)
        return _bias_add(product, biases, name=scope)


def _product(x: Any, weights: Any) -> Tensor:
    x = convert_to_tensor(x, name="x")
    weights = convert_to_tensor(weights, x.dtype.base_dtype, name="weights")
    return raw.MatMul(x, weights)


def relu_layer(x: Any, weights: Any, biases: Any, name: str | None = None) -> Tensor:
    """`relu(matmul(x, weights) + biases)`.

    Args:
      x: matrix `[batch, n]` of a float dtype.
      weights: matrix `[n, m]` of the same dtype.
      biases: vector `[m]` of the same dtype.
      name: name of the op.

    Returns: a matrix `[batch, m]`.

    Raises:
      ValueError: if the shapes do not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.nn.relu_layer([[1.0, 2.0]], [[3.0, -3.0], [4.0, 1.0]], [0.5, 0.5]).numpy())
    [[11.5  0. ]]
    """
    with op_scope(name, "relu_layer", [x, weights, biases]) as scope:
        product = _product(x, weights)
        return raw.Relu(_bias_add(product, biases), name=scope)


def dropout(
    x: Any,
    keep_prob: Any = None,
    noise_shape: Any = None,
    seed: int | None = None,
    name: str | None = None,
    rate: Any = None,
) -> Tensor:
    """Each element with probability `keep_prob` as `x / keep_prob`, else 0.

    Args:
      x: tensor of a float dtype.
      keep_prob: number in `(0, 1]` or scalar tensor.
      noise_shape: int32 vector, of a shape that broadcasts with `x`: what is drawn for a size of 1
        is used along the whole dimension. By default every element is drawn on its own.
      seed: the op's seed (see `set_random_seed`).
      name: name of the op.
      rate: of TensorFlow 1.15, in place of `keep_prob`: `1 - keep_prob`, in `[0, 1)`.

    Returns: a tensor of the same dtype and shape; `x` itself if `keep_prob` is known to be 1.

    Raises:
      ValueError: if `keep_prob` is out of range or no scalar, `x` is not of a float dtype, or
        neither or both of `keep_prob` and `rate` are given.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.nn.dropout(hf.ones([1000]), 0.5, seed=1)
    ...     print(sorted(set(x.numpy().tolist())))
    [0.0, 2.0]
    """
    if (keep_prob is None) == (rate is None):
        raise ValueError("dropout needs `keep_prob`, or `rate` (1 - keep_prob), and not both.")
    with op_scope(name, "dropout", [x]):
        if rate is not None:
            keep_prob = 1 - rate
        x = convert_to_tensor(x, name="x")
        if not x.dtype.is_floating:
            raise ValueError(
                "x has to be a floating point tensor since it's going to be scaled. Got a "
                f"{x.dtype!r} tensor instead."
            )
        if isinstance(keep_prob, Real) and not 0 < float(keep_prob) <= 1:
            raise ValueError(
                "keep_prob must be a scalar tensor or a float in the range (0, 1], got "
                f"{float(keep_prob):g}"
            )
        dtype = x.dtype.base_dtype
        keep_prob = convert_to_tensor(keep_prob, dtype, name="keep_prob")
        keep_prob.shape.assert_is_compatible_with(())
        if constant_value(keep_prob) == 1:
            return x
        shape = shape_of(x) if noise_shape is None else noise_shape
        drawn = keep_prob + sampling.random_uniform(shape, seed=seed, dtype=dtype)
        result: Tensor = div(x, keep_prob) * raw.Floor(drawn)
        result.set_shape(x.shape)
        return result


def l2_loss(t: Any, name: str | None = None) -> Tensor:
    """`sum(t ** 2) / 2`, over all elements.

    Args:
      t: tensor of a float dtype.
      name: name of the op.

    Returns: a scalar of the same dtype.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.nn.l2_loss([3.0, 4.0]).numpy())
    12.5
    """
    return _l2_loss(t, name=name)


def zero_fraction(value: Any, name: str | None = None) -> Tensor:
    """The fraction of elements that are 0.

    Args:
      value: tensor of a number dtype.
      name: name of the op.

    Returns: a float32 scalar; NaN if there are no elements.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.nn.zero_fraction([0.0, 1.0, 0.0, 2.0]).numpy())
    0.5
    """
    with op_scope(name, "zero_fraction", [value]):
        value = convert_to_tensor(value, name="value")
        zero = convert_to_tensor(np.zeros((), value.dtype.base_dtype.np), name="zero")
        return reduce_mean(raw.Cast(raw.Equal(value, zero), DstT=dtypes.float32))
