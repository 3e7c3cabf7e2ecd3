"""Sequences of labels from logits over time: the best path, and beam search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import FailedPreconditionError
from hybridflow._src.framework.op_def import REQUIRED, OpDef, Sample, not_differentiable
from hybridflow._src.framework.sparse_tensor import SparseTensor
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.sparse.coordinates import invalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["ctc_beam_search_decoder", "ctc_greedy_decoder"]


def _check(inputs: np.ndarray, lengths: np.ndarray) -> None:
    if inputs.ndim != 3:
        raise invalid("inputs is not a 3-Tensor")
    times, batch, classes = inputs.shape
    if not times:
        raise invalid("max_time is 0")
    if not classes:
        raise invalid("there must be a class at least, the blank")
    if lengths.ndim != 1:
        raise invalid("sequence_length is not a vector")
    if len(lengths) != batch:
        raise FailedPreconditionError(
            None,
            None,
            f"len(sequence_length) != batch_size. len(sequence_length): {len(lengths)} "
            f"batch_size: {batch}",
        )
    for number, length in enumerate(lengths.tolist()):
        if length > times:
            raise FailedPreconditionError(
                None, None, f"sequence_length({number}) <= {times}, it is {length}"
            )


def _as_sparse(sequences: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Indices, values and shape of sequences as the rows of a sparse matrix."""
    sizes = [len(sequence) for sequence in sequences]
    rows = np.repeat(np.arange(len(sequences)), sizes)
    places = np.concatenate([np.arange(size) for size in sizes]) if sizes else np.zeros(0)
    values = [label for sequence in sequences for label in sequence]
    return (
        np.stack([rows, places], axis=1).astype(np.int64),
        np.array(values, np.int64),
        np.array([len(sequences), max(sizes, default=0)], np.int64),
    )


def _static(inputs: Tensor, lengths: Tensor, paths: int) -> list[Any]:
    _, batch, _ = shape_rules.with_rank(inputs, 3)
    batch = shape_rules.same_size(batch, shape_rules.with_rank(lengths, 1)[0])
    return [*[(None, 2)] * paths, *[(None,)] * paths, *[(2,)] * paths, (batch, paths)]


# -- the best path ---------------------------------------------------------------------------------


def _greedy(
    inputs: np.ndarray, sequence_length: np.ndarray, merge_repeated: bool
) -> tuple[np.ndarray, ...]:
    _check(inputs, sequence_length)
    times, batch, classes = inputs.shape
    best = inputs.argmax(axis=2)
    within = np.arange(times)[:, None] < sequence_length
    totals = np.where(within, inputs.max(axis=2), np.float32(0)).sum(axis=0, dtype=np.float32)
    kept = within & (best != classes - 1)
    if merge_repeated:
        kept[1:] &= best[1:] != best[:-1]
    sequences = [best[kept[:, number], number].tolist() for number in range(batch)]
    return (*_as_sparse(sequences), -totals[:, None])


def _greedy_samples(rng: np.random.Generator) -> Iterable[Sample]:
    logits = rng.normal(size=(7, 3, 4)).astype(np.float32)
    for lengths in ([7, 5, 0], [1, 2, 3]):
        for merged in (False, True):
            yield Sample(logits, np.array(lengths, np.int32), merge_repeated=merged)


_greedy_op = OpDef(
    "CTCGreedyDecoder",
    "inputs: float32, sequence_length: int32 -> decoded_indices: int64, decoded_values: int64, "
    "decoded_shape: int64, log_probability: float32",
    attrs={"merge_repeated": False},
    shape=lambda attrs, inputs, lengths: _static(inputs, lengths, 1),
    compute=_greedy,
    grad=not_differentiable,
    samples=_greedy_samples,
)


# -- beam search -----------------------------------------------------------------------------------


class _Beams:
    """The most probable sequences so far, best first.

    The probability of a sequence is that of all paths that spell it; those that end in a blank and
    those that end in its last label are counted apart.

    Attributes:
      nodes: of each sequence, in a tree of all that there were: its last label and the sequence
        before that. blank, label, total: logarithms of probabilities.
    """

    def __init__(self) -> None:
        self.last = [-1]
        self.before = [-1]
        # A sequence that comes back is the node that it was: others may go on from it.
        self.after: dict[tuple[int, int], int] = {}
        self.nodes = np.zeros(1, np.int64)
        self.blank = np.zeros(1)
        self.label = np.full(1, -np.inf)
        self.total = np.zeros(1)

    def step(self, scores: np.ndarray, width: int) -> None:
        """Goes on by a time with these logarithms of probabilities; the last is the blank's."""
        ends = np.array([self.last[node] for node in self.nodes])
        parents = [self.before[node] for node in self.nodes]
        slots = {node: slot for slot, node in enumerate(self.nodes.tolist())}
        # What a sequence and a further label have, where no path with that label ended there yet.
        grown = np.where(
            ends[:, None] == np.arange(len(scores) - 1), self.blank[:, None], self.total[:, None]
        )
        grown = grown + scores[:-1]
        # The same sequence again: by a repeated label, or by what its parent grows to.
        label = self.label + np.where(ends >= 0, scores[ends], -np.inf)
        for slot, parent in enumerate(parents):
            known = slots.get(parent)
            if known is not None:
                label[slot] = np.logaddexp(label[slot], grown[known, ends[slot]])
                grown[known, ends[slot]] = -np.inf
        blank = self.total + scores[-1]
        total = np.logaddexp(blank, label)
        every = np.concatenate([total, grown.ravel()])
        order = np.argsort(-every, kind="stable")[:width]
        order = order[every[order] > -np.inf]
        count, classes = grown.shape
        own = order < count
        nodes = []
        for place in order.tolist():
            if place < count:
                nodes.append(int(self.nodes[place]))
            else:
                slot, end = divmod(place - count, classes)
                nodes.append(self._grown(int(self.nodes[slot]), end))
        at = np.where(own, order, 0)
        self.nodes = np.array(nodes, np.int64)
        self.total = every[order]
        self.blank = np.where(own, blank[at], -np.inf)
        self.label = np.where(own, label[at], self.total)

    def _grown(self, node: int, label: int) -> int:
        """The node of a sequence with one more label."""
        found = self.after.setdefault((node, label), len(self.last))
        if found == len(self.last):
            self.last.append(label)
            self.before.append(node)
        return found

    def sequence(self, slot: int, merged: bool) -> list[int]:
        """The labels of a sequence; `merged` leaves repeated ones out."""
        found: list[int] = []
        node = int(self.nodes[slot])
        while self.before[node] >= 0:
            label = self.last[node]
            if not merged or not found or found[-1] != label:
                found.append(label)
            node = self.before[node]
        return found[::-1]


def _search(
    inputs: np.ndarray,
    sequence_length: np.ndarray,
    beam_width: int,
    top_paths: int,
    merge_repeated: bool,
) -> list[np.ndarray]:
    _check(inputs, sequence_length)
    if top_paths > beam_width:
        raise invalid("requested more paths than the beam width.")
    logits = inputs.astype(np.float64)
    logits -= logits.max(axis=2, keepdims=True)
    scores = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))
    batch = inputs.shape[1]
    paths: list[list[list[int]]] = [[] for _ in range(top_paths)]
    totals = np.zeros((batch, top_paths), np.float32)
    for number, length in enumerate(sequence_length.tolist()):
        beams = _Beams()
        for time in range(length):
            beams.step(scores[time, number], beam_width)
        if len(beams.nodes) < top_paths:
            raise invalid("Less leaves in the beam search than requested.")
        for path in range(top_paths):
            paths[path].append(beams.sequence(path, merge_repeated))
        totals[number] = beams.total[:top_paths]
    decoded = [_as_sparse(sequences) for sequences in paths]
    return [*[part for parts in zip(*decoded, strict=True) for part in parts], totals]


def _search_samples(rng: np.random.Generator) -> Iterable[Sample]:
    logits = rng.normal(scale=2.0, size=(7, 3, 4)).astype(np.float32)
    for width, paths in ((1, 1), (5, 2), (100, 3)):
        for merged in (False, True):
            yield Sample(
                *(logits, np.array([7, 5, 3], np.int32)),
                beam_width=width,
                top_paths=paths,
                merge_repeated=merged,
            )


_search_op = OpDef(
    "CTCBeamSearchDecoder",
    "inputs: float32, sequence_length: int32 -> decoded_indices: N*int64, decoded_values: N*int64, "
    "decoded_shape: N*int64, log_probability: float32",
    attrs={"beam_width": REQUIRED, "top_paths": REQUIRED, "merge_repeated": True},
    shape=lambda attrs, inputs, lengths: _static(inputs, lengths, attrs["top_paths"]),
    compute=_search,
    grad=not_differentiable,
    samples=_search_samples,
)


# -- public functions ------------------------------------------------------------------------------


def ctc_greedy_decoder(
    inputs: Any, sequence_length: Any, merge_repeated: bool = True
) -> tuple[list[SparseTensor], Tensor]:
    """The labels that the most probable class at each time spells.

    Args:
      inputs: float32 logits `[times, batch, classes]`; the last class is the blank, which is left
        out.
      sequence_length: int32 vector `[batch]`: how many times of each sequence count.
      merge_repeated: whether a class that follows itself counts once.

    Returns: a list of one int64 `SparseTensor` `[batch, n]`, and a float32 matrix `[batch, 1]`:
      minus the sum of the largest logits.

    Raises:
      FailedPreconditionError: if the lengths do not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     logits = hf.one_hot([[0], [0], [2], [0], [1]], 3)
    ...     (decoded,), _ = hf.nn.ctc_greedy_decoder(logits, [5])
    ...     print(decoded.values.numpy())
    [0 0 1]
    """
    logits = convert_to_tensor(inputs, dtypes.float32, "inputs")
    *parts, totals = _greedy_op(logits, sequence_length, merge_repeated=merge_repeated)
    return [SparseTensor(*parts)], totals


def ctc_beam_search_decoder(
    inputs: Any,
    sequence_length: Any,
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
) -> tuple[list[SparseTensor], Tensor]:
    """The sequences of labels that are most probable, each by all paths that spell it.

    After each time the `beam_width` best beginnings are kept.

    Args:
      inputs: float32 logits `[times, batch, classes]`; the last class is the blank.
      sequence_length: int32 vector `[batch]`: how many times of each sequence count.
      beam_width: how many beginnings are kept.
      top_paths: how many sequences are given, at most `beam_width`.
      merge_repeated: whether repeated labels are left out of what is given. (They are no repeated
        classes: those are merged in any case.)

    Returns: a list of `top_paths` int64 `SparseTensor`s `[batch, n]`, best first; and a float32
      matrix `[batch, top_paths]`: the logarithms of their probabilities. (TF 1.4 takes the logits
      without their softmax there, later versions with it, as here.)

    Raises:
      FailedPreconditionError: if the lengths do not fit. InvalidArgumentError: if there are less
        sequences than are asked for.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     logits = hf.log([[[0.6, 0.4]], [[0.6, 0.4]]])
    ...     found, scores = hf.nn.ctc_beam_search_decoder(logits, [2], top_paths=2)
    ...     print([path.values.numpy().tolist() for path in found], hf.exp(scores).numpy().round(2))
    [[0], []] [[0.84 0.16]]

    References:
      Graves and Jaitly, Towards End-to-End Speech Recognition with Recurrent Neural Networks, 2014.
    """
    logits = convert_to_tensor(inputs, dtypes.float32, "inputs")
    *found, totals = _search_op(
        logits,
        sequence_length,
        beam_width=beam_width,
        top_paths=top_paths,
        merge_repeated=merge_repeated,
    )
    indices, values, shapes = (
        found[start : start + top_paths] for start in (0, top_paths, 2 * top_paths)
    )
    decoded = [SparseTensor(*parts) for parts in zip(indices, values, shapes, strict=True)]
    return decoded, totals
