"""`gather_tree`: sequences from the steps of a beam search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import OpDef, Sample, not_differentiable
from hybridflow._src.ops import shape_rules

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["gather_tree"]


def _shape(
    attrs: dict[str, Any], steps: Tensor, parents: Tensor, lengths: Tensor, end: Tensor
) -> Any:
    for tensor, rank in ((steps, 3), (parents, 3), (lengths, 1), (end, 0)):
        shape_rules.with_rank(tensor, rank)
    return steps._dims


def _gather_tree(
    step_ids: np.ndarray,
    parent_ids: np.ndarray,
    max_sequence_lengths: np.ndarray,
    end_token: np.ndarray,
) -> np.ndarray:
    times, batch, width = step_ids.shape
    if parent_ids.shape != step_ids.shape or max_sequence_lengths.shape != (batch,):
        raise InvalidArgumentError(
            None,
            None,
            f"gather_tree: step_ids {list(step_ids.shape)}, parent_ids {list(parent_ids.shape)} "
            f"and max_sequence_lengths {list(max_sequence_lengths.shape)} do not go together.",
        )
    found = np.full_like(step_ids, end_token)
    rows, parents = np.arange(batch)[:, np.newaxis], np.tile(np.arange(width), (batch, 1))
    for time in reversed(range(times)):
        # A sequence goes back from its last step; before that it stays in its own beam.
        inside = (time < max_sequence_lengths)[:, np.newaxis]
        wrong = np.argwhere(inside & ((parents < 0) | (parents >= width)))
        if len(wrong):
            row, beam = wrong[0]
            raise InvalidArgumentError(
                None,
                None,
                f"gather_tree: parent id {parents[row, beam]} at (batch, time, beam) == "
                f"({row}, {time}, {beam}) is not in [0, {width}).",
            )
        at = np.where(inside, parents, 0)
        found[time] = np.where(inside, step_ids[time][rows, at], end_token)
        parents = np.where(inside, parent_ids[time][rows, at], parents)
    ended = np.cumsum(found == end_token, axis=0) - (found == end_token) > 0
    found[ended] = end_token
    return found


def _samples(rng: Any) -> Iterable[Sample]:
    steps = rng.integers(0, 5, [4, 2, 3]).astype(np.int32)
    parents = rng.integers(0, 3, [4, 2, 3]).astype(np.int32)
    yield Sample(steps, parents, np.array([4, 2], np.int32), np.array(0, np.int32))


_gather_tree_op = OpDef(
    "GatherTree",
    "step_ids: int32, parent_ids: int32, max_sequence_lengths: int32, end_token: int32 "
    "-> beams: int32",
    shape=_shape,
    compute=_gather_tree,
    grad=not_differentiable,
    samples=_samples,
)


def gather_tree(
    step_ids: Any,
    parent_ids: Any,
    max_sequence_lengths: Any,
    end_token: Any,
    name: str | None = None,
) -> Tensor:
    """The sequences of a beam search, from what was chosen in each step and upon which beam.

    Args:
      step_ids: int32 tensor `[time, batch, beams]`: the symbols that were chosen.
      parent_ids: int32 tensor of the same shape: the beams that they go on with.
      max_sequence_lengths: int32 vector `[batch]`: the length of the longest sequence.
      end_token: int32 scalar: the symbol with which a sequence ends, and that fills the rest.
      name: name of the op.

    Returns: an int32 tensor `[time, batch, beams]`: a whole sequence for each last beam.

    Raises:
      InvalidArgumentError: if a parent is no beam, or shapes do not go together.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.contrib.seq2seq.gather_tree(
    ...         [[[1, 2]], [[3, 4]]], [[[0, 0]], [[1, 0]]], [2], 9).numpy()[:, 0])
    [[2 1]
     [3 4]]
    """
    return _gather_tree_op(step_ids, parent_ids, max_sequence_lengths, end_token, name=name)
