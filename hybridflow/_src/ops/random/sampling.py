"""Random tensors.

Each random op of a session has a stream of its own, and so has each pair of seeds in eager mode; it
goes on from run to run. The numbers are those of TensorFlow on the CPU.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import context, dtypes, random_numbers
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import REQUIRED, OpDef, no_gradient, not_differentiable
from hybridflow._src.framework.philox import Philox
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.seeds import get_seed
from hybridflow._src.framework.static_value import constant_dims, constant_value
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.allocation import allocatable
from hybridflow._src.ops.arrays.constant import of_array
from hybridflow._src.ops.families import FLOATS, INDICES, REALS

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "multinomial",
    "random_normal",
    "random_shuffle",
    "random_uniform",
    "truncated_normal",
]

_SEEDS = {"seed": 0, "seed2": 0}


# -- records ---------------------------------------------------------------------------------------


def _shape(attrs: dict[str, Any], shape: Tensor, *_: Tensor) -> shape_rules.Dims:
    shape_rules.with_rank(shape, 1)
    value = constant_value(shape)
    if value is None:
        return constant_dims(shape)
    sizes: list[int] = value.tolist()
    if sizes and min(sizes) < 0:
        raise ValueError(f"Dimension {min(sizes)} must be >= 0")
    return tuple(sizes)


def _sizes(op: str, shape: np.ndarray, dtype: np.dtype[Any]) -> tuple[int, ...]:
    if shape.ndim != 1 or min(shape, default=0) < 0:
        raise ValueError(f"A shape must be a vector of sizes, got {shape.tolist()}")
    return allocatable(op, shape, dtype)


def _floats(name: str, draw: Callable[[Philox, int, np.dtype[Any]], np.ndarray]) -> OpDef:
    """The record of an op that fills a shape with floats."""

    def kernel(seed: int, seed2: int, dtype: DType) -> Callable[..., np.ndarray]:
        generator = Philox(seed, seed2)

        def compute(shape: np.ndarray, **_: Any) -> np.ndarray:
            sizes = _sizes(name, shape, dtype.np)
            return draw(generator, math.prod(sizes), dtype.np).reshape(sizes)

        return compute

    return OpDef(
        name,
        "shape: T -> output: dtype",
        types=INDICES,
        attrs={**_SEEDS, "dtype": REQUIRED},
        shape=_shape,
        kernel=kernel,
        stateful=True,
        grad=not_differentiable,
    )


_uniform_op = _floats("RandomUniform", random_numbers.uniform)
_normal_op = _floats("RandomStandardNormal", random_numbers.normal)
_truncated_op = _floats("TruncatedNormal", random_numbers.truncated_normal)


def _integer_kernel(seed: int, seed2: int) -> Callable[..., np.ndarray]:
    generator = Philox(seed, seed2)

    def compute(shape: np.ndarray, low: np.ndarray, high: np.ndarray, **_: Any) -> np.ndarray:
        sizes = _sizes("RandomUniformInt", shape, low.dtype)
        if low.ndim or high.ndim:
            raise ValueError("minval and maxval of integers must be scalars")
        if low >= high:
            raise InvalidArgumentError(
                None, None, f"Need minval < maxval, got {int(low)} >= {int(high)}"
            )
        count = math.prod(sizes)
        drawn = random_numbers.integers(generator, count, low.dtype, int(low), int(high))
        return drawn.reshape(sizes)

    return compute


def _integer_shape(
    attrs: dict[str, Any], shape: Tensor, low: Tensor, high: Tensor
) -> shape_rules.Dims:
    shape_rules.with_rank(low, 0)
    shape_rules.with_rank(high, 0)
    return _shape(attrs, shape)


_integer_op = OpDef(
    "RandomUniformInt",
    "shape: T, minval: Tout, maxval: Tout -> output: Tout",
    types={"T": INDICES, "Tout": INDICES},
    attrs=_SEEDS,
    shape=_integer_shape,
    kernel=_integer_kernel,
    stateful=True,
    grad=not_differentiable,
)


def _shuffle_kernel(seed: int, seed2: int) -> Callable[..., np.ndarray]:
    generator = Philox(seed, seed2)

    def compute(value: np.ndarray, **_: Any) -> np.ndarray:
        if not value.ndim:
            return np.array(value)
        # TF draws nothing for a tensor that holds nothing.
        count = len(value) if value.size else 0
        return value[random_numbers.permutation(generator, count)] if count else value.copy()

    return compute


_shuffle_op = OpDef(
    "RandomShuffle",
    "value: T -> output: T",
    attrs=_SEEDS,
    shape=shape_rules.same,
    kernel=_shuffle_kernel,
    stateful=True,
    grad=no_gradient,
)


def _multinomial_kernel(seed: int, seed2: int, output_dtype: DType) -> Callable[..., np.ndarray]:
    generator = Philox(seed, seed2)

    def compute(logits: np.ndarray, num_samples: np.ndarray, **_: Any) -> np.ndarray:
        if logits.ndim != 2 or num_samples.ndim or num_samples < 0:
            raise ValueError("logits should be a matrix, num_samples a nonnegative scalar")
        if logits.shape[1] == 0 and logits.size + num_samples:
            raise InvalidArgumentError(
                None, None, f"num_classes should be positive, got {logits.shape[1]}"
            )
        # Each draw is an integer of 64 bits at first.
        sizes = allocatable("Multinomial", (len(logits), num_samples), np.dtype(np.int64))
        drawn = random_numbers.categorical(generator, logits, sizes[1])
        return drawn.astype(output_dtype.np, copy=False)

    return compute


def _multinomial_shape(
    attrs: dict[str, Any], logits: Tensor, num_samples: Tensor
) -> shape_rules.Dims:
    batch, _ = shape_rules.with_rank(logits, 2)
    shape_rules.with_rank(num_samples, 0)
    count = constant_value(num_samples)
    if count is not None and count < 0:
        raise ValueError(f"num_samples should be nonnegative, got {count}")
    return (batch, None if count is None else int(count))


_multinomial_op = OpDef(
    "Multinomial",
    "logits: T, num_samples: int32 -> output: output_dtype",
    types=REALS,
    attrs={**_SEEDS, "output_dtype": dtypes.int64},
    shape=_multinomial_shape,
    kernel=_multinomial_kernel,
    stateful=True,
    grad=not_differentiable,
)


# -- functions -------------------------------------------------------------------------------------


def seed_attrs(seed: int | None) -> tuple[int, int]:
    graph_seed, op_seed = get_seed(seed)
    return graph_seed or 0, op_seed or 0


def _is_plain_size(size: Any) -> bool:
    """Whether it is an int that a shape of dtype int32 holds."""
    return type(size) is int and 0 <= size < 2**31


def _shape_tensor(shape: Any) -> Tensor:
    if isinstance(shape, (list, tuple)) and all(_is_plain_size(size) for size in shape):
        # The quick way, and the one to give an empty shape its dtype.
        return of_array(np.array(shape, np.int32), dtypes.int32, "shape")
    return convert_to_tensor(shape, name="shape")


def _plain(shape: Any, *parameters: Any) -> tuple[int, ...] | None:
    """The sizes, where shape and parameters are plain numbers and a graph is built: the usual case.

    Every variable with a random initializer makes these ops, so they are added at once.
    """
    if context.modes.entries[-1].item.eager or not isinstance(shape, (list, tuple)):
        return None
    for size in shape:
        if not _is_plain_size(size):
            return None
    for parameter in parameters:
        if type(parameter) is not float and type(parameter) is not int:
            return None
    return tuple(shape)


def _constant(value: Any, dtype: DType, name: str, dims: tuple[int, ...] = ()) -> Any:
    array = np.array(value, dtype.np)
    array.setflags(write=False)
    return raw.Const, (), {"value": array, "dtype": dtype}, name, dtype, dims


def _drawing(op: OpDef, shape: Tensor, sizes: Any, dtype: DType, seed: int | None) -> Any:
    seed1, seed2 = seed_attrs(seed)
    attrs = {"seed": seed1, "seed2": seed2, "dtype": dtype}
    return op, (shape,), attrs, op.name, dtype, sizes


def random_uniform(
    shape: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Numbers drawn evenly from [minval, maxval).

    Args:
      shape: shape of the result, an integer vector.
      minval: lower bound, of dtype `dtype`.
      maxval: upper bound; 1 by default, to be given for integers.
      dtype: float16, float32, float64, int32 or int64.
      seed: seed of the op (see `set_random_seed`).
      name: name of the op.

    Returns: a tensor of that shape and dtype.

    Raises:
      ValueError: for another dtype, or if `maxval` is missing for integers.
      InvalidArgumentError: if `maxval` is not above `minval`, for integers.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.random_uniform([1000], 2.0, 3.0, seed=1).numpy()
    >>> bool(x.min() >= 2.0), bool(x.max() < 3.0)
    (True, True)
    """
    dtype = dtypes.as_dtype(dtype)
    if dtype not in FLOATS and dtype not in INDICES:
        raise ValueError(f"Invalid dtype {dtype!r}: random_uniform draws floats, int32 and int64.")
    if maxval is None:
        if dtype.is_integer:
            raise ValueError(f"Must specify maxval for integer dtype {dtype!r}")
        maxval = 1
    sizes = None if dtype.is_integer else _plain(shape, minval, maxval)
    if sizes is not None:
        graph = get_default_graph()
        with graph.name_scope(name or "random_uniform") as scope:
            shape, low, high = graph.add_ops(
                [
                    _constant(sizes, dtypes.int32, "shape", (len(sizes),)),
                    _constant(minval, dtype, "min"),
                    _constant(maxval, dtype, "max"),
                ]
            )
            return graph.add_ops(
                [
                    _drawing(_uniform_op, shape, sizes, dtype, seed),
                    (raw.Sub, (high, low), {}, "sub", dtype, ()),
                    (raw.Mul, (0, 1), {}, "mul", dtype, sizes),
                    (raw.Add, (2, low), {}, scope, dtype, sizes),
                ]
            )[-1]
    with name_scope(name, "random_uniform", [shape, minval, maxval]) as scope:
        shape = _shape_tensor(shape)
        low = convert_to_tensor(minval, dtype, name="min")
        high = convert_to_tensor(maxval, dtype, name="max")
        seed1, seed2 = seed_attrs(seed)
        if dtype.is_integer:
            return _integer_op(shape, low, high, seed=seed1, seed2=seed2, name=scope)
        drawn = _uniform_op(shape, seed=seed1, seed2=seed2, dtype=dtype)
        span = raw.Sub(high, low, name="sub")
        return raw.Add(raw.Mul(drawn, span, name="mul"), low, name=scope)


def random_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Numbers drawn from a normal distribution.

    Args:
      shape: shape of the result, an integer vector.
      mean: mean of the distribution.
      stddev: its standard deviation.
      dtype: float16, float32 or float64.
      seed: seed of the op (see `set_random_seed`).
      name: name of the op.

    Returns: a tensor of that shape and dtype.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.random_normal([10000], mean=3.0, seed=1).numpy()
    >>> abs(float(x.mean()) - 3.0) < 0.05
    True
    """
    return _scaled(_normal_op, "random_normal", shape, mean, stddev, dtype, seed, name)


def truncated_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Numbers drawn from a normal distribution, those beyond two standard deviations drawn again.

    Args:
      shape: shape of the result, an integer vector.
      mean: mean of the distribution.
      stddev: its standard deviation before the truncation.
      dtype: float16, float32 or float64.
      seed: seed of the op (see `set_random_seed`).
      name: name of the op.

    Returns: a tensor of that shape and dtype.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.truncated_normal([10000], stddev=0.5, seed=1).numpy()
    >>> float(abs(x).max()) < 1.0
    True
    """
    return _scaled(_truncated_op, "truncated_normal", shape, mean, stddev, dtype, seed, name)


def _scaled(
    op: OpDef,
    default_name: str,
    shape: Any,
    mean: Any,
    stddev: Any,
    dtype: Any,
    seed: int | None,
    name: str | None,
) -> Tensor:
    """`op(shape) * stddev + mean`."""
    dtype = dtypes.as_dtype(dtype)
    if dtype not in FLOATS:
        raise TypeError(
            f"Value passed to parameter 'dtype' of {default_name} is {dtype.name}, not in list of "
            "allowed values: float16, float32, float64"
        )
    sizes = _plain(shape, mean, stddev)
    if sizes is not None:
        graph = get_default_graph()
        with graph.name_scope(name or default_name) as scope:
            shape, center, width = graph.add_ops(
                [
                    _constant(sizes, dtypes.int32, "shape", (len(sizes),)),
                    _constant(mean, dtype, "mean"),
                    _constant(stddev, dtype, "stddev"),
                ]
            )
            return graph.add_ops(
                [
                    _drawing(op, shape, sizes, dtype, seed),
                    (raw.Mul, (0, width), {}, "mul", dtype, sizes),
                    (raw.Add, (1, center), {}, scope, dtype, sizes),
                ]
            )[-1]
    with name_scope(name, default_name, [shape, mean, stddev]) as scope:
        shape = _shape_tensor(shape)
        center = convert_to_tensor(mean, dtype, name="mean")
        width = convert_to_tensor(stddev, dtype, name="stddev")
        seed1, seed2 = seed_attrs(seed)
        drawn = op(shape, seed=seed1, seed2=seed2, dtype=dtype)
        return raw.Add(raw.Mul(drawn, width, name="mul"), center, name=scope)


def random_shuffle(value: Any, seed: int | None = None, name: str | None = None) -> Tensor:
    """The rows of a tensor in random order.

    Args:
      value: a tensor `[n, ...]`.
      seed: seed of the op (see `set_random_seed`).
      name: name of the op.

    Returns: a tensor like `value`, its first dimension shuffled.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(sorted(hf.random_shuffle([3, 1, 2]).numpy().tolist()))
    [1, 2, 3]
    """
    seed1, seed2 = seed_attrs(seed)
    return _shuffle_op(value, seed=seed1, seed2=seed2, name=name)


def multinomial(
    logits: Any,
    num_samples: Any,
    seed: int | None = None,
    name: str | None = None,
    output_dtype: Any = None,
) -> Tensor:
    """Classes drawn with probabilities `softmax(logits)`.

    Args:
      logits: unnormalized log-probabilities `[batch, classes]`.
      num_samples: how many to draw for each row, an int32 scalar.
      seed: seed of the op (see `set_random_seed`).
      name: name scope of the op.
      output_dtype: int32 or int64 (the default).

    Returns: class numbers `[batch, num_samples]`.

    Raises:
      ValueError: if `logits` is no matrix or `num_samples` is negative.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.multinomial([[0.0, 100.0]], 3).numpy())
    [[1 1 1]]
    """
    with name_scope(name, "multinomial", [logits]):
        logits = convert_to_tensor(logits, name="logits")
        seed1, seed2 = seed_attrs(seed)
        wanted = dtypes.int64 if output_dtype is None else dtypes.as_dtype(output_dtype)
        return _multinomial_op(logits, num_samples, seed=seed1, seed2=seed2, output_dtype=wanted)
