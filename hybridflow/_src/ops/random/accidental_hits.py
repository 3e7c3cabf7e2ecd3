"""Where classes that were drawn are right ones by accident."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.op_def import REQUIRED, OpDef, Sample, not_differentiable
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.random.sampling import seed_attrs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["compute_accidental_hits"]


def _hits(true_classes: np.ndarray, drawn: np.ndarray, **_: Any) -> tuple[np.ndarray, ...]:
    places = {value: place for place, value in enumerate(drawn.tolist())}
    found = [
        (row, places[value])
        for row, values in enumerate(true_classes.tolist())
        for value in values
        if value in places
    ]
    pairs = np.array(found, np.int64).reshape(-1, 2)
    weights = np.full(len(pairs), -np.finfo(np.float32).max, np.float32)
    return pairs[:, 0].astype(np.int32), pairs[:, 1].copy(), weights


def _hits_shape(attrs: dict[str, Any], true_classes: Tensor, drawn: Tensor) -> list[Any]:
    shape_rules.same_size(shape_rules.with_rank(true_classes, 2)[1], attrs["num_true"])
    shape_rules.with_rank(drawn, 1)
    return [(None,)] * 3


def _hit_samples(rng: np.random.Generator) -> Iterable[Sample]:
    yield Sample(np.array([[1, 2], [3, 0]]), np.array([0, 5, 2, 3]), num_true=2)
    yield Sample(np.array([[7]]), np.array([0, 1]), num_true=1)


_accidental_hits = OpDef(
    "ComputeAccidentalHits",
    "true_classes: int64, sampled_candidates: int64 -> indices: int32, ids: int64, "
    "weights: float32",
    attrs={"num_true": REQUIRED, "seed": 0, "seed2": 0},
    shape=_hits_shape,
    compute=_hits,
    samples=_hit_samples,
    checked=True,
    grad=not_differentiable,
)


def compute_accidental_hits(
    true_classes: Any,
    sampled_candidates: Any,
    num_true: int,
    seed: int | None = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Where classes that were drawn are right ones.

    Args:
      true_classes: int64 `[batch, num_true]`, the right classes.
      sampled_candidates: int64 `[num_sampled]`, the classes drawn.
      num_true: how many classes are right for each example.
      seed: seed of the op, not used.
      name: name of the op.

    Returns: three vectors with an element for each hit: the row in `true_classes`, int32; the place
      in `sampled_candidates`, int64; and the lowest float32, to be added to its score.

    Raises:
      ValueError: if the shape of `true_classes` does not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     rows, places, _ = hf.nn.compute_accidental_hits([[4], [7]], [1, 7, 3], 1)
    ...     print(rows.numpy(), places.numpy())
    [1] [1]
    """
    seed1, seed2 = seed_attrs(seed)
    rows, places, weights = _accidental_hits(
        true_classes, sampled_candidates, num_true=num_true, seed=seed1, seed2=seed2, name=name
    )
    return rows, places, weights
