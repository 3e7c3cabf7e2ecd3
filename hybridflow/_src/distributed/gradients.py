"""Gradients of all ranks, made one: fused, so that many small ones travel as a few large ones."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.indexed_slices import IndexedSlices
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.collectives.parts import marked_as_part
from hybridflow._src.ops.collectives.reducing import ReduceOp, allreduce, mean, sums
from hybridflow._src.ranks import job
from hybridflow._src.variables.sharded import rank_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LIMIT = "HOROVOD_FUSION_THRESHOLD"
_BYTES = 64 << 20


def fusion_limit() -> int:
    """The bytes of gradients that travel together at most: `HOROVOD_FUSION_THRESHOLD`, or 64 MB.

    Raises:
      ValueError: if that is no number.
    """
    chosen = os.environ.get(_LIMIT, "")
    try:
        return int(chosen or _BYTES)
    except ValueError:
        raise ValueError(f"{_LIMIT} must be a number of bytes, got {chosen!r:.80}.") from None


class Reduction:
    """What becomes of gradients.

    Args:
      name: of the scope of its operations.
      compression: in which dtype they travel. op: whether it is their mean or their sum.
      sparse_as_dense: whether `IndexedSlices` are made dense first, rather than their rows
        gathered.
    """

    def __init__(self, name: str, compression: Any, op: ReduceOp, sparse_as_dense: bool) -> None:
        self._name = name
        self._compression = compression
        self._op = op
        self._sparse_as_dense = sparse_as_dense

    def __call__(self, grads: Sequence[Any], variables: Sequence[Any]) -> list[Any]:
        """The gradients of all ranks, in the place of those of this one; None stays None.

        Those of a part of a table that is here alone are there already: lookups have sent them.
        """
        if job.size() == 1:
            return list(grads)
        found = list(grads)
        with name_scope(self._name):
            dense = []
            # The backward pass gives the gradients of the last layers first.
            for place, grad in reversed(list(enumerate(grads))):
                if grad is not None and rank_of(variables[place]) is not None:
                    found[place] = marked_as_part(self._mean(grad))
                elif isinstance(grad, IndexedSlices) and not self._sparse_as_dense:
                    found[place] = allreduce(grad, op=self._op)
                elif grad is not None:
                    dense.append((place, *self._compression.compress(convert_to_tensor(grad))))
            for group in _groups(dense):
                totals = sums([sent for _, sent, _ in group], "Allreduce")
                for (place, _, context), total in zip(group, totals, strict=True):
                    whole = self._compression.decompress(total, context)
                    found[place] = self._mean(whole)
        return found

    def _mean(self, total: Any) -> Any:
        """What is asked for, of a sum over all ranks."""
        if isinstance(total, IndexedSlices):
            values = mean(total.values, self._op, job.size())
            return IndexedSlices(values, total.indices, total.dense_shape)
        return mean(total, self._op, job.size())


def _groups(dense: list[tuple[int, Any, Any]]) -> Iterator[list[tuple[int, Any, Any]]]:
    """Those of one dtype that follow each other, as many as the limit lets travel together."""
    limit = fusion_limit()
    open_: dict[Any, list[tuple[int, Any, Any]]] = {}
    filled: dict[Any, int] = {}
    for item in dense:
        tensor = item[1]
        dtype = tensor.dtype.base_dtype
        size = math.prod([length or 0 for length in tensor._dims or (0,)]) * dtype.size
        if open_.get(dtype) and filled[dtype] + size > limit:
            yield open_.pop(dtype)
            filled[dtype] = 0
        open_.setdefault(dtype, []).append(item)
        filled[dtype] = filled.get(dtype, 0) + size
    yield from open_.values()
