"""Levenshtein distances of sequences, which are the rows of sparse tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.op_def import OpDef, Sample, not_differentiable
from hybridflow._src.framework.sparse_tensor import as_sparse
from hybridflow._src.framework.static_value import constant_dims
from hybridflow._src.ops.allocation import allocatable
from hybridflow._src.ops.sparse.coordinates import (
    check_inside,
    check_parts,
    invalid,
    linear,
    sampled,
    static_sizes,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["edit_distance"]


def _shape(attrs: dict[str, Any], *tensors: Tensor) -> Any:
    found: Any = None
    for parts in (tensors[:3], tensors[3:]):
        _, rank = static_sizes(*parts)
        dims = constant_dims(parts[2])
        if dims is None and rank is not None:
            dims = (None,) * rank
        if dims is None:
            return None
        if found is not None and len(found) != len(dims):
            raise ValueError(f"the sequences have ranks {len(found)} and {len(dims)}")
        found = (
            dims
            if found is None
            else tuple(
                [None if None in (a, b) else max(a, b) for a, b in zip(found, dims, strict=True)]
            )
        )
    return found[:-1]


def _sequences(
    indices: np.ndarray, values: np.ndarray, shape: np.ndarray, sizes: Any, what: str
) -> dict[int, np.ndarray]:
    """The sequences by their places in a tensor of these sizes."""
    check_parts(indices, values, shape, what)
    check_inside(indices, shape)
    places = linear(indices[:, :-1], sizes)
    order = np.argsort(places, kind="stable")
    places = places[order]
    starts = np.flatnonzero(np.concatenate([[True], places[1:] != places[:-1]])[: len(places)])
    return dict(
        zip(places[starts].tolist(), np.split(values[order], starts[1:]), strict=True)
        if len(starts)
        else ()
    )


def _distance(a: np.ndarray, b: np.ndarray) -> int:
    """The least number of insertions, deletions and replacements that make one of the other.

    Wagner and Fischer's recurrence, a row at a time: insertions in a row are a running minimum.
    """
    columns = np.arange(len(b) + 1)
    row = columns
    for number, item in enumerate(a, 1):
        best = np.empty_like(row)
        best[0] = number
        best[1:] = np.minimum(row[1:] + 1, row[:-1] + (b != item))
        row = np.minimum.accumulate(best - columns) + columns
    return int(row[-1])


def _compute(
    hypothesis_indices: np.ndarray,
    hypothesis_values: np.ndarray,
    hypothesis_shape: np.ndarray,
    truth_indices: np.ndarray,
    truth_values: np.ndarray,
    truth_shape: np.ndarray,
    normalize: bool,
) -> np.ndarray:
    if hypothesis_shape.shape != truth_shape.shape or not len(truth_shape):
        raise invalid(
            "truth_shape and hypothesis_shape should have the same length, of 1 at least, got "
            f"{truth_shape.tolist()} and {hypothesis_shape.tolist()}"
        )
    both = np.maximum(hypothesis_shape, truth_shape)[:-1]
    sizes = allocatable("EditDistance", both, np.dtype(np.float32))
    hypotheses = _sequences(
        hypothesis_indices, hypothesis_values, hypothesis_shape, sizes, "The hypothesis'"
    )
    truths = _sequences(truth_indices, truth_values, truth_shape, sizes, "The truth's")
    result = np.zeros(sizes, np.float32)
    flat = result.reshape(-1)
    nothing = truth_values[:0]
    for place in hypotheses.keys() | truths.keys():
        hypothesis, truth = hypotheses.get(place, nothing), truths.get(place, nothing)
        distance = float(_distance(truth, hypothesis))
        if normalize:
            # Of an empty truth any hypothesis is infinitely far.
            distance = distance / len(truth) if len(truth) else float("inf")
        flat[place] = distance
    return result


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.int32, np.int64, np.float32):
        for normalize in (False, True):
            parts = []
            for sizes, count in (((3, 6), 11), ((3, 5), 9)):
                indices, _, shape = sampled(rng, sizes, count, np.int32)
                parts += [indices, rng.integers(0, 3, count).astype(dtype), shape]
            yield Sample(*parts, normalize=normalize, differentiable=False)
    empty = sampled(rng, (2, 3), 0, np.int32)
    yield Sample(*empty, *sampled(rng, (2, 3), 2, np.int32))
    yield Sample(*sampled(rng, (2, 3), 2, np.int32), *empty)


_edit_distance = OpDef(
    "EditDistance",
    "hypothesis_indices: int64, hypothesis_values: T, hypothesis_shape: int64, "
    "truth_indices: int64, truth_values: T, truth_shape: int64 -> output: float32",
    attrs={"normalize": True},
    shape=_shape,
    compute=_compute,
    grad=not_differentiable,
    samples=_samples,
)


def edit_distance(
    hypothesis: Any, truth: Any, normalize: bool = True, name: str = "edit_distance"
) -> Tensor:
    """The Levenshtein distances of sequences.

    The least number of elements to insert, to delete and to replace, so that a hypothesis becomes
    the truth.

    Args:
      hypothesis, truth: `SparseTensor`s `[d0, ..., dn]` of one dtype, elements in row-major order;
        each row along the last dimension is a sequence.
      normalize: whether distances are divided by the length of the truth; where that is 0 the
        quotient is infinite, or 0 for an empty hypothesis.
      name: name of the op.

    Returns: a float32 tensor `[d0, ..., d(n-1)]`.

    Raises:
      TypeError: if one is not sparse. InvalidArgumentError: if the ranks differ.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     said = hf.SparseTensor([[0, 0], [0, 1], [1, 0]], ["a", "b", "c"], [2, 3])
    ...     meant = hf.SparseTensor([[0, 0], [1, 0], [1, 1]], ["a", "c", "d"], [2, 3])
    ...     print(hf.edit_distance(said, meant).numpy())
    [1.  0.5]

    References:
      Wagner and Fischer, The String-to-String Correction Problem, 1974.
    """
    first, second = as_sparse(hypothesis, "Hypothesis"), as_sparse(truth, "Truth")
    result: Tensor = _edit_distance(
        *first._parts(), *second._parts(), normalize=normalize, name=name
    )
    return result
