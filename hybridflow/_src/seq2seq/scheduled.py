"""Helpers that train on what is there and, at random, on what the decoder put out itself.

Bengio, Vinyals, Jaitly, Shazeer, Scheduled Sampling for Sequence Prediction with Recurrent Neural
Networks, 2015 (https://arxiv.org/abs/1506.03099).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes, nest
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.constant import fill
from hybridflow._src.ops.arrays.gather import gather
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.reshaping import of_rows
from hybridflow._src.ops.arrays.selecting import where
from hybridflow._src.ops.math.elementwise import maximum, minimum
from hybridflow._src.ops.random.sampling import multinomial, random_uniform
from hybridflow._src.recurrent.dynamic import batch_and_time_exchanged
from hybridflow._src.seq2seq.helpers import TrainingHelper, embedding_function

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["ScheduledEmbeddingTrainingHelper", "ScheduledOutputTrainingHelper"]


def _checked(sampling_probability: Any) -> Tensor:
    """A probability, or one for each sequence.

    Raises:
      ValueError: for a tensor of another rank.
    """
    tensor = convert_to_tensor(sampling_probability, name="sampling_probability")
    if tensor.shape.ndims not in (0, 1):
        raise ValueError(
            f"sampling_probability must be either a scalar or a vector. saw shape: {tensor.shape}"
        )
    return tensor


def _drawn(probability: Tensor, batch_size: Any, seed: int | None) -> Tensor:
    """Which sequences, `[batch]`, go on with their own outputs."""
    chances = random_uniform([batch_size], dtype=probability.dtype.base_dtype, seed=seed)
    return chances < probability


class ScheduledEmbeddingTrainingHelper(TrainingHelper):
    """Gives the inputs that are there, or an embedding of a symbol drawn by the outputs.

    What is chosen is the symbol, or -1 where the inputs that are there come next.

    Args:
      inputs, sequence_length, time_major, name: as for `TrainingHelper`.
      embedding: matrix `[symbols, ...]`, or a function of numbers of symbols.
      sampling_probability: how probably a symbol is drawn: a scalar, or a vector `[batch]`.
      seed: seed of the op that draws symbols.
      scheduling_seed: seed of the op that draws whether.

    Raises:
      ValueError: for a probability of another rank.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     helper = hf.contrib.seq2seq.ScheduledEmbeddingTrainingHelper(
    ...         hf.ones([2, 3, 4]), [3, 3], hf.eye(4), sampling_probability=0.0)
    ...     print(helper.sample(0, hf.zeros([2, 4]), None).numpy())
    [-1 -1]
    """

    def __init__(
        self,
        inputs: Any,
        sequence_length: Any,
        embedding: Any,
        sampling_probability: Any,
        time_major: bool = False,
        seed: int | None = None,
        scheduling_seed: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(inputs, sequence_length, time_major, name)
        self._embedding = embedding_function(embedding)
        self._chance = _checked(sampling_probability)
        self._seed, self._scheduling_seed = seed, scheduling_seed

    def sample(self, time: Any, outputs: Any, state: Any = None, name: str | None = None) -> Any:
        """Symbols that are drawn, or -1."""
        drawn = _drawn(self._chance, self.batch_size, self._scheduling_seed)
        symbols = cast(multinomial(outputs, 1, seed=self._seed)[:, 0], dtypes.int32)
        return where(drawn, symbols, fill([self.batch_size], -1))

    def next_inputs(
        self,
        time: Any,
        outputs: Any,
        state: Any,
        sample_ids: Any = None,
        name: str | None = None,
    ) -> Any:
        """The inputs of the next time, or the symbols that were drawn."""
        finished, inputs, state = super().next_inputs(time, outputs, state)
        embedded = self._embedding(maximum(sample_ids, 0))
        return finished, where(sample_ids > -1, embedded, inputs), state


class ScheduledOutputTrainingHelper(TrainingHelper):
    """Gives the inputs that are there, or the outputs.

    What is chosen is whether the outputs come next: int32, 0 or 1.

    Args:
      inputs, sequence_length, time_major, name: as for `TrainingHelper`.
      sampling_probability: how probably outputs come next: a scalar, or a vector `[batch]`.
      seed: seed of the op that draws.
      next_inputs_fn: function of outputs that gives inputs.
      auxiliary_inputs: what is joined to inputs and outputs, of the form of `inputs`.

    Raises:
      ValueError: for a probability of another rank.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     helper = hf.contrib.seq2seq.ScheduledOutputTrainingHelper(
    ...         hf.zeros([2, 3, 4]), [3, 3], sampling_probability=1.0)
    ...     outputs = hf.ones([2, 4])
    ...     chosen = helper.sample(0, outputs, None)
    ...     print(chosen.numpy(), helper.next_inputs(0, outputs, None, chosen)[1].numpy()[0])
    [1 1] [1. 1. 1. 1.]
    """

    def __init__(
        self,
        inputs: Any,
        sequence_length: Any,
        sampling_probability: Any,
        time_major: bool = False,
        seed: int | None = None,
        next_inputs_fn: Callable[[Any], Any] | None = None,
        auxiliary_inputs: Any = None,
        name: str | None = None,
    ) -> None:
        self._auxiliary = None
        if auxiliary_inputs is not None:
            inputs = nest.map_structure(
                lambda x, y: concat([x, y], -1),
                nest.map_structure(convert_to_tensor, inputs),
                nest.map_structure(convert_to_tensor, auxiliary_inputs),
            )
            self._auxiliary = nest.map_structure(convert_to_tensor, auxiliary_inputs)
            if not time_major:
                self._auxiliary = nest.map_structure(batch_and_time_exchanged, self._auxiliary)
            self._auxiliary = nest.map_structure(of_rows, self._auxiliary)
        super().__init__(inputs, sequence_length, time_major, name)
        self._chance = _checked(sampling_probability)
        self._seed = seed
        self._next_inputs_fn = next_inputs_fn

    def sample(self, time: Any, outputs: Any, state: Any = None, name: str | None = None) -> Any:
        """Which sequences go on with their outputs."""
        return cast(_drawn(self._chance, self.batch_size, self._seed), dtypes.int32)

    def next_inputs(
        self,
        time: Any,
        outputs: Any,
        state: Any,
        sample_ids: Any = None,
        name: str | None = None,
    ) -> Any:
        """The inputs of the next time, or the outputs."""
        finished, inputs, state = super().next_inputs(time, outputs, state)
        own = outputs if self._next_inputs_fn is None else self._next_inputs_fn(outputs)
        if self._auxiliary is not None:
            there = minimum(time + 1, self._times - 1)
            own = nest.map_structure(
                lambda x, y: concat([x, gather(y, there)], -1), own, self._auxiliary
            )
        drawn = cast(sample_ids, dtypes.bool)
        return finished, nest.map_structure(lambda x, y: where(drawn, x, y), own, inputs), state
