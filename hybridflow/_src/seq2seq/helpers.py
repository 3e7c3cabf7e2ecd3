"""What chooses the inputs of a decoder: those that are given, or what it put out before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes, nest
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.constant import fill
from hybridflow._src.ops.arrays.gather import gather
from hybridflow._src.ops.arrays.reshaping import of_rows
from hybridflow._src.ops.math.arg_reductions import argmax
from hybridflow._src.ops.math.comparison import equal
from hybridflow._src.ops.math.elementwise import minimum
from hybridflow._src.ops.nn.embedding import embedding_lookup
from hybridflow._src.ops.random.sampling import multinomial
from hybridflow._src.recurrent.dynamic import batch_and_time_exchanged
from hybridflow._src.recurrent.steps import size_along

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "CustomHelper",
    "GreedyEmbeddingHelper",
    "Helper",
    "InferenceHelper",
    "SampleEmbeddingHelper",
    "TrainingHelper",
]


class Helper:
    """What chooses, for a `BasicDecoder`, something of each output, and the next inputs.

    >>> import hybridflow as hf
    >>> issubclass(hf.contrib.seq2seq.TrainingHelper, hf.contrib.seq2seq.Helper)
    True
    """

    @property
    def batch_size(self) -> Any:
        """The number of sequences: an int32 scalar."""
        raise NotImplementedError(f"{type(self).__name__} has no batch_size.")

    @property
    def sample_ids_shape(self) -> Any:
        """The shape, without the batch, of what is chosen."""
        return TensorShape([])

    @property
    def sample_ids_dtype(self) -> Any:
        """The dtype of what is chosen."""
        return dtypes.int32

    def initialize(self, name: str | None = None) -> Any:
        """Called before the first step: gives `(finished, first_inputs)`."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it begins.")

    def sample(self, time: Any, outputs: Any, state: Any, name: str | None = None) -> Any:
        """Chooses something of the outputs."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it chooses.")

    def next_inputs(
        self, time: Any, outputs: Any, state: Any, sample_ids: Any, name: str | None = None
    ) -> Any:
        """Called after each step: gives `(finished, next_inputs, next_state)`."""
        raise NotImplementedError(f"{type(self).__name__} does not say what comes next.")


class CustomHelper(Helper):
    """A helper made of functions.

    Args:
      initialize_fn: gives `(finished, first_inputs)`.
      sample_fn: function of `time`, `outputs`, `state` that chooses.
      next_inputs_fn: function of `time`, `outputs`, `state`, `sample_ids` that gives `(finished,
        next_inputs, next_state)`.
      sample_ids_shape, sample_ids_dtype: of what is chosen; int32 scalars by default.

    >>> import hybridflow as hf
    >>> helper = hf.contrib.seq2seq.CustomHelper(lambda: None, lambda: None, lambda: None)
    >>> helper.sample_ids_dtype.name
    'int32'
    """

    def __init__(
        self,
        initialize_fn: Callable[[], Any],
        sample_fn: Callable[..., Any],
        next_inputs_fn: Callable[..., Any],
        sample_ids_shape: Any = None,
        sample_ids_dtype: Any = None,
    ) -> None:
        self._initialize_fn = initialize_fn
        self._sample_fn = sample_fn
        self._next_inputs_fn = next_inputs_fn
        self._batch_size: Any = None
        self._shape = TensorShape(sample_ids_shape or [])
        self._dtype = sample_ids_dtype or dtypes.int32

    @property
    def batch_size(self) -> Any:
        """The number of sequences.

        Raises:
          ValueError: before `initialize` was called.
        """
        if self._batch_size is None:
            raise ValueError("batch_size accessed before initialize was called")
        return self._batch_size

    @property
    def sample_ids_shape(self) -> Any:
        """The shape, without the batch, of what is chosen."""
        return self._shape

    @property
    def sample_ids_dtype(self) -> Any:
        """The dtype of what is chosen."""
        return self._dtype

    def initialize(self, name: str | None = None) -> Any:
        """What has ended, and the first inputs."""
        finished, inputs = self._initialize_fn()
        self._batch_size = convert_to_tensor(size_along([convert_to_tensor(finished)], 0))
        return finished, inputs

    def sample(self, time: Any, outputs: Any, state: Any, name: str | None = None) -> Any:
        """What the function chooses."""
        return self._sample_fn(time=time, outputs=outputs, state=state)

    def next_inputs(
        self, time: Any, outputs: Any, state: Any, sample_ids: Any, name: str | None = None
    ) -> Any:
        """What the function tells."""
        return self._next_inputs_fn(time=time, outputs=outputs, state=state, sample_ids=sample_ids)


class TrainingHelper(Helper):
    """Gives the inputs that are there, whatever the outputs are.

    Args:
      inputs: tensor `[batch, time, ...]`, with `time_major` `[time, batch, ...]`, or a structure of
        them.
      sequence_length: integer vector `[batch]`: where sequences end.
      time_major: whether time is the first axis.
      name: accepted for compatibility.

    Raises:
      ValueError: if the lengths are no vector.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     helper = hf.contrib.seq2seq.TrainingHelper(hf.ones([2, 5, 3]), [5, 0])
    ...     print(helper.initialize()[0].numpy())
    [False  True]
    """

    def __init__(
        self,
        inputs: Any,
        sequence_length: Any,
        time_major: bool = False,
        name: str | None = None,
    ) -> None:
        inputs = nest.map_structure(convert_to_tensor, inputs)
        if not time_major:
            inputs = nest.map_structure(batch_and_time_exchanged, inputs)
        self._inputs = nest.map_structure(of_rows, inputs)
        self._times = size_along(nest.flatten(inputs), 0)
        self._lengths = convert_to_tensor(sequence_length, name="sequence_length")
        if self._lengths.shape.ndims != 1:
            raise ValueError(
                "Expected sequence_length to be a vector, but received shape: "
                f"{self._lengths.shape}"
            )
        self._batch_size = convert_to_tensor(size_along([self._lengths], 0))

    @property
    def batch_size(self) -> Any:
        """The number of sequences."""
        return self._batch_size

    def _at(self, time: Any) -> Any:
        # After the last time nobody looks at inputs.
        there = minimum(time, self._times - 1)
        return nest.map_structure(lambda t: gather(t, there), self._inputs)

    def initialize(self, name: str | None = None) -> Any:
        """What has ended, and the inputs of the first time."""
        return equal(0, self._lengths), self._at(0)

    def sample(self, time: Any, outputs: Any, state: Any = None, name: str | None = None) -> Any:
        """The number of the largest output."""
        return cast(argmax(outputs, axis=-1), dtypes.int32)

    def next_inputs(
        self,
        time: Any,
        outputs: Any,
        state: Any,
        sample_ids: Any = None,
        name: str | None = None,
    ) -> Any:
        """The inputs of the next time."""
        return time + 1 >= self._lengths, self._at(time + 1), state


def embedding_function(embedding: Any) -> Callable[[Any], Any]:
    """A function of numbers, or a lookup in a matrix."""
    return embedding if callable(embedding) else lambda ids: embedding_lookup(embedding, ids)


def checked_tokens(start_tokens: Any, end_token: Any) -> tuple[Tensor, Tensor]:
    """First and last symbols as tensors.

    Raises:
      ValueError: if the first ones are no vector, or the last one no scalar.
    """
    starts = convert_to_tensor(start_tokens, dtypes.int32, name="start_tokens")
    end = convert_to_tensor(end_token, dtypes.int32, name="end_token")
    if starts.shape.ndims != 1:
        raise ValueError("start_tokens must be a vector")
    if end.shape.ndims != 0:
        raise ValueError("end_token must be a scalar")
    return starts, end


class GreedyEmbeddingHelper(Helper):
    """Gives back the symbol of the largest output, through an embedding.

    Args:
      embedding: matrix `[symbols, ...]`, or a function of numbers of symbols.
      start_tokens: int32 vector `[batch]`: the first symbols.
      end_token: int32 scalar: the symbol with which a sequence ends.

    Raises:
      ValueError: if `start_tokens` is no vector, or `end_token` no scalar.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     helper = hf.contrib.seq2seq.GreedyEmbeddingHelper(hf.eye(3), [0, 2], 1)
    ...     print(helper.initialize()[1].numpy())
    [[1. 0. 0.]
     [0. 0. 1.]]
    """

    def __init__(self, embedding: Any, start_tokens: Any, end_token: Any) -> None:
        self._embedding = embedding_function(embedding)
        self._start_tokens, self._end_token = checked_tokens(start_tokens, end_token)
        self._batch_size = convert_to_tensor(size_along([self._start_tokens], 0))

    @property
    def batch_size(self) -> Any:
        """The number of sequences."""
        return self._batch_size

    def initialize(self, name: str | None = None) -> Any:
        """No sequence has ended, and the first symbols."""
        return fill([self._batch_size], False), self._embedding(self._start_tokens)

    def sample(self, time: Any, outputs: Any, state: Any = None, name: str | None = None) -> Any:
        """The number of the largest output."""
        return cast(argmax(convert_to_tensor(outputs), axis=-1), dtypes.int32)

    def next_inputs(
        self, time: Any, outputs: Any, state: Any, sample_ids: Any, name: str | None = None
    ) -> Any:
        """The symbols that were chosen."""
        return equal(sample_ids, self._end_token), self._embedding(sample_ids), state


class SampleEmbeddingHelper(GreedyEmbeddingHelper):
    """Gives back a symbol that is drawn by the outputs, which are logits.

    Args:
      embedding, start_tokens, end_token: as for `GreedyEmbeddingHelper`.
      softmax_temperature: logits are divided by it; what is drawn is the more surprising the larger
        it is.
      seed: seed of the op that draws.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     helper = hf.contrib.seq2seq.SampleEmbeddingHelper(hf.eye(3), [0], 1, seed=2)
    ...     print(helper.sample(0, hf.constant([[0.0, 100.0, 0.0]]), None).numpy())
    [1]
    """

    def __init__(
        self,
        embedding: Any,
        start_tokens: Any,
        end_token: Any,
        softmax_temperature: Any = None,
        seed: int | None = None,
    ) -> None:
        super().__init__(embedding, start_tokens, end_token)
        self._temperature = softmax_temperature
        self._seed = seed

    def sample(self, time: Any, outputs: Any, state: Any = None, name: str | None = None) -> Any:
        """A number that is drawn."""
        logits = outputs if self._temperature is None else outputs / self._temperature
        return cast(multinomial(logits, 1, seed=self._seed)[:, 0], dtypes.int32)


class InferenceHelper(Helper):
    """Gives back what a function chooses of the outputs.

    Args:
      sample_fn: function of outputs that chooses.
      sample_shape, sample_dtype: of what is chosen.
      start_inputs: the first inputs `[batch, ...]`.
      end_fn: function of what is chosen that tells which sequences have ended.
      next_inputs_fn: function of what is chosen that gives the next inputs; by default they are it.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     helper = hf.contrib.seq2seq.InferenceHelper(
    ...         lambda outputs: 2.0 * outputs, [1], hf.float32, hf.ones([1, 1]),
    ...         lambda chosen: chosen[:, 0] > 3.0)
    ...     print(helper.next_inputs(0, None, None, hf.constant([[4.0]]))[0].numpy())
    [ True]
    """

    def __init__(
        self,
        sample_fn: Callable[[Any], Any],
        sample_shape: Any,
        sample_dtype: Any,
        start_inputs: Any,
        end_fn: Callable[[Any], Any],
        next_inputs_fn: Callable[[Any], Any] | None = None,
    ) -> None:
        self._sample_fn = sample_fn
        self._end_fn = end_fn
        self._shape = TensorShape(sample_shape)
        self._dtype = sample_dtype
        self._next_inputs_fn = next_inputs_fn
        self._start_inputs = convert_to_tensor(start_inputs, name="start_inputs")
        self._batch_size = convert_to_tensor(size_along([self._start_inputs], 0))

    @property
    def batch_size(self) -> Any:
        """The number of sequences."""
        return self._batch_size

    @property
    def sample_ids_shape(self) -> Any:
        """The shape, without the batch, of what is chosen."""
        return self._shape

    @property
    def sample_ids_dtype(self) -> Any:
        """The dtype of what is chosen."""
        return self._dtype

    def initialize(self, name: str | None = None) -> Any:
        """No sequence has ended, and the first inputs."""
        return fill([self._batch_size], False), self._start_inputs

    def sample(self, time: Any, outputs: Any, state: Any = None, name: str | None = None) -> Any:
        """What the function chooses."""
        return self._sample_fn(outputs)

    def next_inputs(
        self, time: Any, outputs: Any, state: Any, sample_ids: Any, name: str | None = None
    ) -> Any:
        """What was chosen, as the function makes inputs of it."""
        chosen = sample_ids if self._next_inputs_fn is None else self._next_inputs_fn(sample_ids)
        return self._end_fn(sample_ids), chosen, state
