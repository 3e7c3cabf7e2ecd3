"""Connectionist temporal classification: the loss of sequences whose alignment is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import DTypeError
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.sparse_tensor import as_sparse
from hybridflow._src.framework.spelling import spelled
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.sparse.coordinates import check_parts, invalid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["ctc_loss"]

_NO_SECOND = (
    "ctc_loss has no second derivative: the first is computed together with the loss, and TF has "
    "no other either. Use `hf.stop_gradient` on the gradient where none is wanted."
)


# -- labels ----------------------------------------------------------------------------------------


def _checked_labels(labels: list[int], number: int, classes: int, collapsed: bool) -> list[int]:
    """The labels of a sequence without blanks, which may stand at the end.

    Raises:
      InvalidArgumentError: if there are none, one is negative or stands after a blank.
    """
    if not labels:
        raise invalid(f"Labels length is zero in batch {number}")
    found: list[int] = []
    finished = False
    for at, label in enumerate(labels):
        if label < 0:
            raise invalid(
                f"All labels must be nonnegative integers, batch: {number} labels: {labels}"
            )
        if at and collapsed and label == labels[at - 1]:
            continue
        if label >= classes - 1:
            finished = True
        elif finished:
            raise invalid(
                "Saw a non-null label (index >= num_classes - 1) following a null label, batch: "
                f"{number} num_classes: {classes} labels: {labels}"
            )
        else:
            found.append(label)
    return found


def _sequences(
    indices: np.ndarray,
    values: np.ndarray,
    lengths: np.ndarray,
    sizes: tuple[int, ...],
    collapsed: bool,
    ignoring: bool,
) -> list[list[int] | None]:
    """The labels of each sequence; None for one that is left out.

    Raises:
      InvalidArgumentError: if something is wrong with them.
    """
    times, batch, classes = sizes
    if lengths.shape != (batch,):
        raise invalid(
            f"len(sequence_length) != batch_size. len(sequence_length): {list(lengths.shape)} "
            f"batch_size: {batch}"
        )
    if not batch:
        raise invalid("batch_size must not be 0")
    check_parts(indices, values, np.zeros(2, np.int64), "The labels'")
    for number, length in enumerate(lengths.tolist()):
        if not 0 <= length <= times:
            raise invalid(f"sequence_length({number}) must be in [0, {times}], is {length}")
    pairs = [tuple(pair) for pair in indices.tolist()]
    for at, (row, place) in enumerate(pairs):
        if not 0 <= row < batch or place < 0:
            raise invalid(
                f"label SparseTensor is not valid: indices[{at}] = [{row},{place}] is out of "
                f"bounds: the batch has {batch} sequences"
            )
        if at and pairs[at - 1] >= (row, place):
            problem = "repeated" if pairs[at - 1] == (row, place) else "out of order"
            raise invalid(
                f"label SparseTensor is not valid: indices[{at}] = [{row},{place}] is {problem}"
            )
    given: list[list[int]] = [[] for _ in range(batch)]
    for (row, _), label in zip(pairs, values.tolist(), strict=True):
        given[row].append(label)
    found: list[list[int] | None] = []
    for number, (own, length) in enumerate(zip(given, lengths.tolist(), strict=True)):
        checked = _checked_labels(own, number, classes, collapsed)
        if len(own) > length and not ignoring:
            raise invalid(
                f"Not enough time for target transition sequence (required: {len(own)}, available: "
                f"{length}) in batch {number}. You can turn this error into a warning by using the "
                "flag ignore_longer_outputs_than_inputs"
            )
        found.append(None if len(own) > length or not length else checked)
    return found


# -- the loss --------------------------------------------------------------------------------------


def _compute(
    inputs: np.ndarray,
    labels_indices: np.ndarray,
    labels_values: np.ndarray,
    sequence_length: np.ndarray,
    preprocess_collapse_repeated: bool,
    ctc_merge_repeated: bool,
    ignore_longer_outputs_than_inputs: bool,
) -> tuple[np.ndarray, np.ndarray]:
    if inputs.ndim != 3:
        raise invalid("inputs is not a 3-Tensor")
    sequences = _sequences(
        labels_indices,
        labels_values,
        sequence_length,
        inputs.shape,
        preprocess_collapse_repeated,
        ignore_longer_outputs_than_inputs,
    )
    losses = np.zeros(inputs.shape[1], np.float32)
    gradients = np.zeros_like(inputs)
    for number, labels in enumerate(sequences):
        if labels is not None:
            length = int(sequence_length[number])
            loss, grad = _of_sequence(inputs[:length, number], labels, ctc_merge_repeated)
            losses[number] = loss
            gradients[:length, number] = grad
    return losses, gradients


def _of_sequence(logits: np.ndarray, labels: list[int], merging: bool) -> tuple[Any, np.ndarray]:
    """The loss and its gradient for logits `[times, classes]`.

    Graves, Supervised Sequence Labelling with Recurrent Neural Networks, section 7.3: a path goes
    through states: the labels, and blanks around them. Equations 7.9 and 7.15 give what leads to a
    state and what leads on from it; 7.26 the probability, 7.34 its gradient.
    """
    blank = logits.shape[1] - 1
    states = np.full(2 * len(labels) + 1, blank)
    states[1::2] = labels
    wide = logits.astype(np.float64)
    wide -= wide.max(axis=1, keepdims=True)
    scores = wide - np.log(np.exp(wide).sum(axis=1, keepdims=True))
    # Which states may follow themselves, and which one that is two before.
    stays = (states == blank) | merging
    skips = states != blank
    if merging:
        skips[2:] &= states[2:] != states[:-2]
    skips[:2] = False
    of_states = scores[:, states]
    forward = _forward(of_states, stays, skips)
    # Backward is forward in the other direction; a skip counts for the state that it leaves.
    turned = np.zeros_like(skips)
    turned[2:] = skips[2:][::-1]
    backward = _forward(of_states[::-1, ::-1], stays[::-1], turned)[::-1, ::-1]
    backward = backward - of_states
    total = np.logaddexp.reduce(forward[-1, -2:])
    gradient = np.exp(scores)
    if np.isfinite(total):
        shares = np.exp(forward + backward - total)
        np.subtract.at(gradient.T, states, shares.T)
    return -total, gradient


def _forward(scores: np.ndarray, stays: np.ndarray, skips: np.ndarray) -> np.ndarray:
    """The logarithm of the sum over all ways to each state at each time."""
    found = np.full(scores.shape, -np.inf)
    found[0, :2] = scores[0, :2]
    for time in range(1, len(scores)):
        before = found[time - 1]
        ways = np.where(stays, before, -np.inf)
        ways[1:] = np.logaddexp(ways[1:], before[:-1])
        ways[2:] = np.where(skips[2:], np.logaddexp(ways[2:], before[:-2]), ways[2:])
        found[time] = ways + scores[time]
    return found


def _shape(
    attrs: dict[str, Any], inputs: Tensor, indices: Tensor, values: Tensor, lengths: Tensor
) -> list[Any]:
    times, batch, classes = shape_rules.with_rank(inputs, 3)
    count, _ = shape_rules.with_rank(indices, 2)
    shape_rules.same_size(count, shape_rules.with_rank(values, 1)[0])
    batch = shape_rules.same_size(batch, shape_rules.with_rank(lengths, 1)[0])
    return [(batch,), (times, batch, classes)]


def _grad(op: Any, dloss: Any, dgradient: Any) -> tuple[Any, None, None, None]:
    if dgradient is not None:
        raise LookupError(_NO_SECOND)
    return raw.Reshape(dloss, [1, -1, 1]) * op.outputs[1], None, None, None


def _native(
    b: Any,
    inputs: Any,
    indices: Any,
    values: Any,
    lengths: Any,
    preprocess_collapse_repeated: bool,
    ctc_merge_repeated: bool,
    ignore_longer_outputs_than_inputs: bool,
) -> Any:
    return b.ctc_loss(
        *(inputs, indices, values, lengths),
        collapsed=preprocess_collapse_repeated,
        merged=ctc_merge_repeated,
        ignoring=ignore_longer_outputs_than_inputs,
    )


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    pairs = np.array([[0, 0], [0, 1], [1, 0], [1, 1], [1, 2], [2, 0]])
    for times, lengths, scale in (
        (6, [5, 6, 3], 2.0),
        (4, [4, 3, 1], 30.0),
        (40, [40, 9, 1], 60.0),
    ):
        logits = rng.normal(scale=scale, size=(times, 3, 5)).astype(np.float32)
        for values in ([1, 0, 2, 2, 3, 1], [0, 0, 1, 3, 4, 2]):
            labels = np.array(values, np.int32)
            for flags in (
                {},
                {"preprocess_collapse_repeated": True},
                {"ctc_merge_repeated": False},
            ):
                yield Sample(logits, pairs, labels, np.array(lengths, np.int32), **flags)
    short = np.array([1, 3, 0], np.int32)
    yield Sample(
        rng.normal(size=(4, 3, 5)).astype(np.float32),
        *(pairs, np.array([1, 0, 2, 2, 3, 1], np.int32), short),
        ignore_longer_outputs_than_inputs=True,
    )
    many = np.stack([np.repeat(np.arange(8), 20), np.tile(np.arange(20), 8)], axis=1)
    yield Sample(
        rng.normal(scale=3.0, size=(60, 8, 12)).astype(np.float32),
        *(
            many,
            rng.integers(0, 11, 160).astype(np.int32),
            rng.integers(45, 61, 8).astype(np.int32),
        ),
    )


_ctc_loss = OpDef(
    "CTCLoss",
    "inputs: float32, labels_indices: int64, labels_values: int32, sequence_length: int32 "
    "-> loss: float32, gradient: float32",
    attrs={
        "preprocess_collapse_repeated": False,
        "ctc_merge_repeated": True,
        "ignore_longer_outputs_than_inputs": False,
    },
    shape=_shape,
    compute=_compute,
    grad=_grad,
    samples=_samples,
    native=_native,
)


@spelled(logits="inputs")
def ctc_loss(
    labels: Any,
    inputs: Any,
    sequence_length: Any,
    preprocess_collapse_repeated: bool = False,
    ctc_merge_repeated: bool = True,
    ignore_longer_outputs_than_inputs: bool = False,
    time_major: bool = True,
) -> Tensor:
    """The loss of sequences of labels of which nobody knows where they stand in time.

    Minus the logarithm of the probability of all paths of classes, one at each time, that spell the
    labels: repeated classes count once, and then the blank, which is the last class, is left out.

    Args:
      labels: an int32 `SparseTensor` `[batch, n]`, elements in row-major order: the labels of each
        sequence, one at least, in `[0, classes - 1)`; a larger label ends a sequence.
      inputs: float32 logits `[times, batch, classes]`; without `time_major` `[batch, times,
        classes]`.
      sequence_length: int32 vector `[batch]`: how many times of each sequence count.
      preprocess_collapse_repeated: whether equal neighbours among the labels are one label.
      ctc_merge_repeated: whether repeated classes of a path count once; without it the loss is that
        of a simpler, non-standard model.
      ignore_longer_outputs_than_inputs: whether a sequence with more labels than times has a loss
        of 0; else that is an error.
      time_major: the order of the dimensions of `inputs`.

    Returns: a float32 vector `[batch]`; infinite where no path spells the labels. It can be
      differentiated once.

    Raises:
      TypeError: if `labels` is not sparse, or not of int32. InvalidArgumentError: for labels or
        lengths out of range or order.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     labels = hf.SparseTensor([[0, 0]], [0], [1, 1])
    ...     logits = hf.zeros([2, 1, 2])  # paths: both, label first, label last
    ...     print(hf.exp(-hf.nn.ctc_loss(labels, logits, [2])).numpy().round(4))
    [0.75]

    References:
      Graves, Fernandez, Gomez and Schmidhuber, Connectionist Temporal Classification, 2006.
    """
    sparse = as_sparse(labels, "labels")
    if sparse.dtype.base_dtype != dtypes.int32:
        raise DTypeError(
            f"The labels of ctc_loss must be int32, got {sparse.dtype.name}: write "
            "`hf.cast(labels, hf.int32)`."
        )
    logits = convert_to_tensor(inputs, dtypes.float32, "inputs")
    if not time_major:
        logits = raw.Transpose(logits, [1, 0, 2])
    loss: Tensor = _ctc_loss(
        logits,
        sparse.indices,
        sparse.values,
        sequence_length,
        preprocess_collapse_repeated=preprocess_collapse_repeated,
        ctc_merge_repeated=ctc_merge_repeated,
        ignore_longer_outputs_than_inputs=ignore_longer_outputs_than_inputs,
    )[0]
    return loss
