"""Candidate samplers: classes drawn to stand for all those that are wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import REQUIRED, OpDef, Sample, not_differentiable
from hybridflow._src.framework.philox import Philox
from hybridflow._src.framework.range_samplers import (
    Learned,
    LogUniform,
    Sampler,
    Uniform,
    Weighted,
    Words,
    draw,
)
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.random.sampling import seed_attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "all_candidate_sampler",
    "fixed_unigram_candidate_sampler",
    "learned_unigram_candidate_sampler",
    "log_uniform_candidate_sampler",
    "uniform_candidate_sampler",
]

_OUTPUTS = (
    "sampled_candidates: int64, true_expected_count: float32, sampled_expected_count: float32"
)
_ATTRS = {"num_true": REQUIRED, "num_sampled": REQUIRED, "unique": REQUIRED, "seed": 0, "seed2": 0}
_RANGED = {**_ATTRS, "range_max": REQUIRED}
_VOCABULARY = {
    "vocab_file": "",
    "distortion": 1.0,
    "num_reserved_ids": 0,
    "num_shards": 1,
    "shard": 0,
    "unigrams": (),
}


# -- records ---------------------------------------------------------------------------------------


def _shape(attrs: dict[str, Any], true_classes: Tensor) -> list[Any]:
    for name in ("num_true", "num_sampled", "range_max"):
        if attrs.get(name, 1) < 1:
            raise ValueError(f"Value for attr '{name}' of {attrs[name]} must be at least minimum 1")
    batch, num_true = shape_rules.with_rank(true_classes, 2)
    num_true = shape_rules.same_size(num_true, attrs["num_true"])
    return [(attrs["num_sampled"],), (batch, num_true), (attrs["num_sampled"],)]


def _kernel_of(make: Callable[..., Sampler]) -> Callable[..., Any]:
    """The kernel of a sampler, which is made of the range and other attributes."""

    def kernel(
        num_true: int,
        num_sampled: int,
        unique: bool,
        seed: int,
        seed2: int,
        range_max: int,
        **more: Any,
    ) -> Callable[..., Any]:
        if unique and num_sampled > range_max:
            raise InvalidArgumentError(
                None, None, f"Sampler's range is too small: {num_sampled} unique of {range_max}."
            )
        generator, sampler = Philox(seed, seed2), make(range_max, **more)

        def compute(true_classes: np.ndarray, **_: Any) -> tuple[np.ndarray, ...]:
            if true_classes.ndim != 2 or true_classes.shape[1] != num_true:
                raise ValueError(f"true_classes must have {num_true} columns")
            drawn, expected = draw(sampler, Words(generator, num_sampled), num_sampled, unique)
            found = drawn, expected(true_classes), expected(drawn)
            if isinstance(sampler, Learned):
                sampler.see(true_classes)
            return found

        return compute

    return kernel


def _sampler(name: str, make: Callable[..., Sampler], **more: Any) -> OpDef:
    return OpDef(
        name,
        f"true_classes: int64 -> {_OUTPUTS}",
        attrs={**_RANGED, **more},
        shape=_shape,
        kernel=_kernel_of(make),
        stateful=True,
        checked=True,
        grad=not_differentiable,
    )


def _weighted(
    range_max: int,
    vocab_file: str,
    distortion: float,
    num_reserved_ids: int,
    num_shards: int,
    shard: int,
    unigrams: Sequence[float],
) -> Weighted:
    if bool(vocab_file) == bool(unigrams):
        raise InvalidArgumentError(
            None, None, "Must provide either vocab_file or unigrams, and not both."
        )
    weights = [np.float32(0) for i in range(num_reserved_ids) if i % num_shards == shard]
    read = _read(vocab_file) if vocab_file else unigrams
    # As in TensorFlow, what is numbered first is what the reserved ones left in this shard.
    for number, weight in enumerate(read, len(weights)):
        if number % num_shards == shard:
            weights.append(np.float32(weight) ** np.float32(distortion))
    if len(weights) != range_max:
        raise InvalidArgumentError(
            None, None, f"range_max is {range_max}, but there are {len(weights)} weights."
        )
    return Weighted(weights)


def _read(path: str) -> list[float]:
    """The weights in the last column of a file of comma-separated values."""
    with open(path, encoding="utf-8") as lines:
        columns = [line.rstrip("\n").split(",")[-1] for line in lines]
    try:
        return [float(column) for column in columns]
    except ValueError as error:
        raise InvalidArgumentError(None, None, f"Wrong vocabulary format: {error}") from None


_uniform = _sampler("UniformCandidateSampler", Uniform)
_log_uniform = _sampler("LogUniformCandidateSampler", LogUniform)
_learned = _sampler("LearnedUnigramCandidateSampler", Learned)
_fixed = _sampler("FixedUnigramCandidateSampler", _weighted, **_VOCABULARY)


def _all(true_classes: np.ndarray, num_sampled: int, **_: Any) -> tuple[np.ndarray, ...]:
    ones = np.ones(true_classes.shape, np.float32), np.ones(num_sampled, np.float32)
    return np.arange(num_sampled), *ones


_all_op = OpDef(
    "AllCandidateSampler",
    f"true_classes: int64 -> {_OUTPUTS}",
    attrs=_ATTRS,
    shape=_shape,
    compute=_all,
    samples=lambda rng: [Sample(np.array([[1], [2]]), num_true=1, num_sampled=3, unique=True)],
    checked=True,
    grad=not_differentiable,
)


# -- public functions ------------------------------------------------------------------------------


class Candidates(NamedTuple):
    """What candidate samplers give."""

    sampled_candidates: Tensor
    true_expected_count: Tensor
    sampled_expected_count: Tensor


def _drawn(op: OpDef, true_classes: Any, seed: int | None, **attrs: Any) -> Candidates:
    seed1, seed2 = seed_attrs(seed)
    return Candidates(*op(true_classes, seed=seed1, seed2=seed2, **attrs))


def uniform_candidate_sampler(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    seed: int | None = None,
    name: str | None = None,
) -> Candidates:
    """Classes drawn uniformly.

    Args:
      true_classes: int64 `[batch, num_true]`, the right classes.
      num_true: how many classes are right for each example.
      num_sampled: how many classes to draw, for the whole batch.
      unique: draw no class twice.
      range_max: the number of classes.
      seed: seed of the op (see `set_random_seed`).
      name: name of the op.

    Returns: three tensors: the classes drawn, int64 `[num_sampled]`; and how often the right
      classes and those drawn are expected, float32 `[batch, num_true]` and `[num_sampled]`.

    Raises:
      ValueError: if the shape of `true_classes` does not fit.
      InvalidArgumentError: if more classes must be drawn than there are.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     drawn, true, _ = hf.nn.uniform_candidate_sampler([[3]], 1, 2, True, 8)
    ...     print(drawn.shape, true.numpy().shape)
    (2,) (1, 1)
    """
    attrs = {"num_true": num_true, "num_sampled": num_sampled, "unique": unique}
    return _drawn(_uniform, true_classes, seed, range_max=range_max, name=name, **attrs)


def log_uniform_candidate_sampler(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    seed: int | None = None,
    name: str | None = None,
) -> Candidates:
    """Classes drawn by Zipf's law, `P(k) = log((k + 2) / (k + 1)) / log(range_max + 1)`.

    Args:
      true_classes: int64 `[batch, num_true]`, the right classes; they are numbered in the order of
        falling frequency.
      num_true, num_sampled, unique, range_max, seed, name: as in `uniform_candidate_sampler`.

    Returns: three tensors, as `uniform_candidate_sampler`.

    Raises:
      ValueError: if the shape of `true_classes` does not fit.
      InvalidArgumentError: if more classes must be drawn than there are.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     _, true, _ = hf.nn.log_uniform_candidate_sampler([[0]], 1, 1, False, 3)
    ...     print(true.numpy())
    [[0.5]]
    """
    attrs = {"num_true": num_true, "num_sampled": num_sampled, "unique": unique}
    return _drawn(_log_uniform, true_classes, seed, range_max=range_max, name=name, **attrs)


def learned_unigram_candidate_sampler(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    seed: int | None = None,
    name: str | None = None,
) -> Candidates:
    """Classes drawn as often as they were the right ones in earlier runs.

    Args:
      true_classes: int64 `[batch, num_true]`, the right classes.
      num_true, num_sampled, unique, range_max, seed, name: as in `uniform_candidate_sampler`.

    Returns: three tensors, as `uniform_candidate_sampler`.

    Raises:
      ValueError: if the shape of `true_classes` does not fit.
      InvalidArgumentError: if more classes must be drawn than there are.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     drawn, _, _ = hf.nn.learned_unigram_candidate_sampler([[1]], 1, 2, True, 2)
    ...     print(sorted(drawn.numpy().tolist()))
    [0, 1]
    """
    attrs = {"num_true": num_true, "num_sampled": num_sampled, "unique": unique}
    return _drawn(_learned, true_classes, seed, range_max=range_max, name=name, **attrs)


def fixed_unigram_candidate_sampler(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    vocab_file: str = "",
    distortion: float = 1.0,
    num_reserved_ids: int = 0,
    num_shards: int = 1,
    shard: int = 0,
    unigrams: Sequence[float] = (),
    seed: int | None = None,
    name: str | None = None,
) -> Candidates:
    """Classes drawn in proportion to weights that are given.

    Args:
      true_classes: int64 `[batch, num_true]`, the right classes.
      num_true, num_sampled, unique, range_max, seed, name: as in `uniform_candidate_sampler`.
      vocab_file: a file whose lines end in the weights, after a comma; or
      unigrams: the weights.
      distortion: the power to which weights are raised.
      num_reserved_ids: so many first classes have no weight and are never drawn.
      num_shards, shard: only every `num_shards`-th class, from `shard` on, belongs here.

    Returns: three tensors, as `uniform_candidate_sampler`.

    Raises:
      ValueError: if the shape of `true_classes` does not fit.
      InvalidArgumentError: if weights are not given once, or are not `range_max`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     drawn, true, _ = hf.nn.fixed_unigram_candidate_sampler(
    ...         [[1]], 1, 2, False, 2, unigrams=[0.0, 3.0])
    ...     print(drawn.numpy(), true.numpy())
    [1 1] [[2.]]
    """
    return _drawn(
        _fixed,
        true_classes,
        seed,
        num_true=num_true,
        num_sampled=num_sampled,
        unique=unique,
        range_max=range_max,
        vocab_file=vocab_file,
        distortion=distortion,
        num_reserved_ids=num_reserved_ids,
        num_shards=num_shards,
        shard=shard,
        unigrams=tuple(unigrams),
        name=name,
    )


def all_candidate_sampler(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    seed: int | None = None,
    name: str | None = None,
) -> Candidates:
    """All classes, each once: for tests.

    Args:
      true_classes: int64 `[batch, num_true]`, the right classes.
      num_true: how many classes are right for each example.
      num_sampled: the number of classes.
      unique: not used.
      seed: seed of the op, not used.
      name: name of the op.

    Returns: three tensors, as `uniform_candidate_sampler`.

    Raises:
      ValueError: if the shape of `true_classes` does not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.nn.all_candidate_sampler([[1]], 1, 3, True)[0].numpy())
    [0 1 2]
    """
    attrs = {"num_true": num_true, "num_sampled": num_sampled, "unique": unique}
    return _drawn(_all_op, true_classes, seed, name=name, **attrs)
