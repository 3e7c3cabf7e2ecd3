"""Linear-chain conditional random fields: scores of sequences of tags, and the best ones.

A sequence of tags has the score `sum_t inputs[t, tag_t] + sum_t transitions[tag_t, tag_t+1]`, and
its probability is `exp(score - log_norm)`, where `log_norm` is the logarithm of the sum of `exp` of
all scores.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.tensor_shape import dimension_at_index
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.gather import gather, gather_nd
from hybridflow._src.ops.arrays.grids import sequence_mask
from hybridflow._src.ops.arrays.joining import concat, stack
from hybridflow._src.ops.arrays.reshaping import expand_dims, reshape, squeeze
from hybridflow._src.ops.arrays.reversing import reverse_sequence
from hybridflow._src.ops.arrays.sequences import range as range_of
from hybridflow._src.ops.arrays.shape_ops import shape
from hybridflow._src.ops.math.arg_reductions import argmax, reduce_logsumexp
from hybridflow._src.ops.math.reductions import reduce_max, reduce_sum
from hybridflow._src.recurrent.cell import RNNCell
from hybridflow._src.recurrent.dynamic import dynamic_rnn
from hybridflow._src.variables.getting import get_variable

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "CrfDecodeBackwardRnnCell",
    "CrfDecodeForwardRnnCell",
    "CrfForwardRnnCell",
    "crf_binary_score",
    "crf_decode",
    "crf_log_likelihood",
    "crf_log_norm",
    "crf_sequence_score",
    "crf_unary_score",
    "viterbi_decode",
]


class _TransitionCell(RNNCell):
    """A cell of transitions between tags, whose state has a number for each tag."""

    def __init__(self, transition_params: Any) -> None:
        super().__init__()
        self._transitions = expand_dims(convert_to_tensor(transition_params), 0)
        self._num_tags = dimension_at_index(self._transitions.shape, 1).value

    @property
    def state_size(self) -> Any:
        """The number of tags."""
        return self._num_tags

    @property
    def output_size(self) -> Any:
        """The number of tags."""
        return self._num_tags


class CrfForwardRnnCell(_TransitionCell):
    """The forward algorithm: the logarithm of the sum over all beginnings, for each last tag.

    Args:
      transition_params: tensor `[tags, tags]`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     cell = hf.contrib.crf.CrfForwardRnnCell(hf.zeros([2, 2]))
    ...     print(cell(hf.zeros([1, 2]), hf.zeros([1, 2]))[0].numpy().round(3))
    [[0.693 0.693]]
    """

    def __call__(
        self, inputs: Any, state: Any, scope: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        """Computes one step."""
        scores = expand_dims(state, 2) + self._transitions
        alphas = inputs + reduce_logsumexp(scores, [1])
        return alphas, alphas


class CrfDecodeForwardRnnCell(_TransitionCell):
    """Viterbi's algorithm forth: the score of the best beginning, for each last tag.

    The output is the tag before the last one, for each.

    Args:
      transition_params: tensor `[tags, tags]`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     cell = hf.contrib.crf.CrfDecodeForwardRnnCell(hf.zeros([2, 2]))
    ...     print(cell(hf.zeros([1, 2]), hf.constant([[1.0, 3.0]]))[0].numpy())
    [[1 1]]
    """

    def __call__(
        self, inputs: Any, state: Any, scope: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        """Computes one step."""
        scores = expand_dims(state, 2) + self._transitions
        before = cast(argmax(scores, 1), dtypes.int32)
        return before, inputs + reduce_max(scores, [1])


class CrfDecodeBackwardRnnCell(RNNCell):
    """Viterbi's algorithm back: from each tag to the one before it.

    Args:
      num_tags: how many tags there are.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     cell = hf.contrib.crf.CrfDecodeBackwardRnnCell(2)
    ...     print(cell(hf.constant([[1, 0]]), hf.constant([[0]]))[0].numpy())
    [[1]]
    """

    def __init__(self, num_tags: int) -> None:
        super().__init__()
        self._num_tags = num_tags

    @property
    def state_size(self) -> int:
        """One tag."""
        return 1

    @property
    def output_size(self) -> int:
        """One tag."""
        return 1

    def __call__(
        self, inputs: Any, state: Any, scope: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        """Computes one step."""
        rows = range_of(shape(inputs)[0])
        tags = expand_dims(gather_nd(inputs, stack([rows, squeeze(state, [1])], axis=1)), -1)
        return tags, tags


def _mask(sequence_lengths: Any, times: Any, dtype: Any) -> Tensor:
    return sequence_mask(sequence_lengths, maxlen=times, dtype=dtype)


def crf_unary_score(tag_indices: Any, sequence_lengths: Any, inputs: Any) -> Tensor:
    """The part of the score that tags have by themselves.

    Args:
      tag_indices: integer tensor `[batch, time]`.
      sequence_lengths: integer vector `[batch]`.
      inputs: tensor `[batch, time, tags]`, the score of each tag at each time.

    Returns: a tensor `[batch]`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.contrib.crf.crf_unary_score(
    ...         [[1, 0]], [2], hf.constant([[[1.0, 2.0], [3.0, 4.0]]])).numpy())
    [5.]
    """
    inputs, tags = convert_to_tensor(inputs), convert_to_tensor(tag_indices)
    batch, times, count = (shape(inputs)[axis] for axis in range(3))
    offsets = expand_dims(range_of(batch) * times * count, 1)
    offsets = cast(offsets + expand_dims(range_of(times) * count, 0), tags.dtype.base_dtype)
    scores = gather(reshape(inputs, [-1]), offsets + tags)
    return reduce_sum(scores * _mask(sequence_lengths, shape(tags)[1], scores.dtype), 1)


def crf_binary_score(tag_indices: Any, sequence_lengths: Any, transition_params: Any) -> Tensor:
    """The part of the score that pairs of tags in turn have.

    Args:
      tag_indices: integer tensor `[batch, time]`.
      sequence_lengths: integer vector `[batch]`.
      transition_params: tensor `[tags, tags]`.

    Returns: a tensor `[batch]`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.contrib.crf.crf_binary_score(
    ...         [[1, 0, 0]], [3], hf.constant([[1.0, 2.0], [3.0, 4.0]])).numpy())
    [4.]
    """
    tags, transitions = convert_to_tensor(tag_indices), convert_to_tensor(transition_params)
    count = cast(shape(transitions)[1], tags.dtype.base_dtype)
    pairs = tags[:, :-1] * count + tags[:, 1:]
    scores = gather(reshape(transitions, [-1]), pairs)
    mask = _mask(sequence_lengths, shape(tags)[1], scores.dtype)
    return reduce_sum(scores * mask[:, 1:], 1)


def crf_sequence_score(
    inputs: Any, tag_indices: Any, sequence_lengths: Any, transition_params: Any
) -> Tensor:
    """The score of sequences of tags.

    Args:
      inputs: tensor `[batch, time, tags]`, the score of each tag at each time.
      tag_indices: integer tensor `[batch, time]`.
      sequence_lengths: integer vector `[batch]`.
      transition_params: tensor `[tags, tags]`, the score of each pair.

    Returns: a tensor `[batch]`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     pairs = hf.constant([[1.0, 2.0], [3.0, 4.0]])
    ...     print(hf.contrib.crf.crf_sequence_score(
    ...         hf.ones([1, 3, 2]), [[1, 0, 0]], [3], pairs).numpy())
    [7.]
    """
    unary = crf_unary_score(tag_indices, sequence_lengths, inputs)
    return unary + crf_binary_score(tag_indices, sequence_lengths, transition_params)


def crf_log_norm(inputs: Any, sequence_lengths: Any, transition_params: Any) -> Tensor:
    """The logarithm of the sum of `exp` of the scores of all sequences of tags.

    Args: as for `crf_sequence_score`.

    Returns: a tensor `[batch]`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     norm = hf.contrib.crf.crf_log_norm(hf.zeros([1, 3, 2]), [3], hf.zeros([2, 2]))
    ...     print(hf.exp(norm).numpy().round(4))
    [8.]
    """
    inputs = convert_to_tensor(inputs)
    _, alphas = dynamic_rnn(
        CrfForwardRnnCell(transition_params),
        inputs[:, 1:],
        sequence_length=convert_to_tensor(sequence_lengths) - 1,
        initial_state=inputs[:, 0],
    )
    return reduce_logsumexp(alphas, [1])


def crf_log_likelihood(
    inputs: Any, tag_indices: Any, sequence_lengths: Any, transition_params: Any = None
) -> tuple[Tensor, Any]:
    """The logarithm of the probability of sequences of tags.

    Args: as for `crf_sequence_score`; without `transition_params` they are a variable,
      "transitions".

    Returns: a tensor `[batch]`, and the scores of pairs.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     found, _ = hf.contrib.crf.crf_log_likelihood(
    ...         hf.zeros([1, 3, 2]), [[0, 1, 0]], [3], hf.zeros([2, 2]))
    ...     print(hf.exp(found).numpy().round(4))
    [0.125]

    References: Lafferty, McCallum, Pereira, Conditional Random Fields: Probabilistic Models for
      Segmenting and Labeling Sequence Data, ICML 2001.
    """
    inputs = convert_to_tensor(inputs)
    if transition_params is None:
        count = dimension_at_index(inputs.shape, 2).value
        transition_params = get_variable(
            "transitions", [count, count], dtype=inputs.dtype.base_dtype
        )
    scores = crf_sequence_score(inputs, tag_indices, sequence_lengths, transition_params)
    return scores - crf_log_norm(inputs, sequence_lengths, transition_params), transition_params


def viterbi_decode(score: Any, transition_params: Any) -> tuple[list[int], Any]:
    """The best sequence of tags for one sequence, computed in NumPy.

    Args:
      score: array `[time, tags]`, the score of each tag at each time.
      transition_params: array `[tags, tags]`, the score of each pair.

    Returns: the list of tags, and its score.

    >>> import hybridflow as hf
    >>> import numpy as np
    >>> hf.contrib.crf.viterbi_decode(np.eye(3), np.zeros([3, 3]))[0]
    [0, 1, 2]
    """
    scores, transitions = np.asarray(score), np.asarray(transition_params)
    best, before = scores[0], []
    for row in scores[1:]:
        candidates = best[:, np.newaxis] + transitions
        before.append(np.argmax(candidates, 0))
        best = row + np.max(candidates, 0)
    tags = [int(np.argmax(best))]
    for row in reversed(before):
        tags.append(int(row[tags[-1]]))
    return tags[::-1], np.max(best)


def crf_decode(
    potentials: Any, transition_params: Any, sequence_length: Any
) -> tuple[Tensor, Tensor]:
    """The best sequences of tags, in the graph.

    Args:
      potentials: tensor `[batch, time, tags]`, the score of each tag at each time.
      transition_params: tensor `[tags, tags]`, the score of each pair.
      sequence_length: integer vector `[batch]`.

    Returns: the tags, an int32 tensor `[batch, time]`, 0 after the end of a sequence; and their
      scores `[batch]`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     tags, score = hf.contrib.crf.crf_decode(
    ...         hf.eye(3)[hf.newaxis], hf.zeros([3, 3]), [3])
    ...     print(tags.numpy(), score.numpy())
    [[0 1 2]] [3.]
    """
    potentials = convert_to_tensor(potentials)
    lengths = convert_to_tensor(sequence_length)
    before, last = dynamic_rnn(
        CrfDecodeForwardRnnCell(transition_params),
        potentials[:, 1:],
        sequence_length=lengths - 1,
        initial_state=potentials[:, 0],
        dtype=dtypes.int32,
    )
    first = expand_dims(cast(argmax(last, axis=1), dtypes.int32), -1)
    # From the last tag on to the first.
    tags, _ = dynamic_rnn(
        CrfDecodeBackwardRnnCell(int(dimension_at_index(potentials.shape, 2))),
        reverse_sequence(before, lengths - 1, seq_axis=1),
        sequence_length=lengths - 1,
        initial_state=first,
        dtype=dtypes.int32,
    )
    tags = concat([first, squeeze(tags, [2])], axis=1)
    return reverse_sequence(tags, lengths, seq_axis=1), reduce_max(last, axis=1)
