"""Attention mechanisms: how much a query attends to each time of a memory."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.scopes import control_dependencies, name_scope
from hybridflow._src.framework.tensor_shape import dimension_at_index
from hybridflow._src.layers.core import Dense
from hybridflow._src.layers.layer import Layer
from hybridflow._src.ops.arrays.constant import ones_like
from hybridflow._src.ops.arrays.grids import sequence_mask
from hybridflow._src.ops.arrays.reshaping import expand_dims, identity, squeeze
from hybridflow._src.ops.arrays.selecting import where
from hybridflow._src.ops.arrays.shape_ops import shape
from hybridflow._src.ops.checks.comparing import assert_equal
from hybridflow._src.ops.linalg.products import matmul
from hybridflow._src.ops.math.elementwise import square
from hybridflow._src.ops.math.exponential import rsqrt
from hybridflow._src.ops.math.reductions import reduce_sum
from hybridflow._src.ops.math.trigonometric import tanh
from hybridflow._src.ops.nn.softmax import softmax
from hybridflow._src.recurrent.cell import zeros_of
from hybridflow._src.recurrent.steps import check_depth, size_along
from hybridflow._src.variables.getting import get_variable
from hybridflow._src.variables.initializers import Constant, Zeros
from hybridflow._src.variables.scope import variable_scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["AttentionMechanism", "BahdanauAttention", "LuongAttention"]


def same_batch(value: Any, sizes: list[tuple[Any, Any]], message: str) -> Any:
    """A tensor, which is there if pairs of sizes are equal.

    Raises:
      ValueError: if they are known and differ. InvalidArgumentError: when it runs.
    """
    checks = []
    for mine, other in sizes:
        if isinstance(mine, int) and isinstance(other, int):
            if mine != other:
                raise ValueError(f"{message} Got batch sizes {mine} and {other}.")
        else:
            checks.append(assert_equal(mine, other, message=message))
    found = [check for check in checks if check is not None]
    if not found:
        return value
    with control_dependencies(found):
        return identity(value)


class AttentionMechanism:
    """What an `AttentionWrapper` asks how much a query attends to each time of a memory.

    Args:
      memory: tensor `[batch, time, ...]`.
      probability_fn: function of scores `[batch, time]` and the alignments of the step before that
        gives alignments.
      query_layer, memory_layer: layers for queries and memory, or None.
      memory_sequence_length: integer vector `[batch]`: what is behind it is not attended to.
      score_mask_value: the score of that.
      name: name scope of the ops.

    Attributes:
      values: the memory, zeros behind the ends of sequences. keys: the same through its layer.
      batch_size, alignments_size: sizes of the memory: ints, or scalar tensors.

    >>> import hybridflow as hf
    >>> issubclass(hf.contrib.seq2seq.LuongAttention, hf.contrib.seq2seq.AttentionMechanism)
    True
    """

    def __init__(
        self,
        memory: Any,
        probability_fn: Callable[[Any, Any], Any],
        query_layer: Any = None,
        memory_layer: Any = None,
        memory_sequence_length: Any = None,
        score_mask_value: float = -math.inf,
        name: str | None = None,
    ) -> None:
        for what, layer in (("query_layer", query_layer), ("memory_layer", memory_layer)):
            if layer is not None and not isinstance(layer, Layer):
                raise TypeError(f"{what} is not a Layer: {type(layer).__name__}")
        self.query_layer, self.memory_layer = query_layer, memory_layer
        self._probability_fn = probability_fn
        self._mask_value = score_mask_value
        with name_scope(name, "BaseAttentionMechanismInit", [memory]):
            values = convert_to_tensor(memory, name="memory")
            check_depth(values, 2)
            self.batch_size = size_along([values], 0)
            self.alignments_size = size_along([values], 1)
            self._lengths = None
            if memory_sequence_length is not None:
                self._lengths = convert_to_tensor(memory_sequence_length)
                values = same_batch(
                    values,
                    [(size_along([self._lengths], 0), self.batch_size)],
                    "memory_sequence_length and memory tensor batch sizes do not match.",
                )
                mask = sequence_mask(
                    self._lengths, maxlen=self.alignments_size, dtype=values.dtype.base_dtype
                )
                values = values * expand_dims(mask, -1)
            self.values = values
            self.keys = self.memory_layer(values) if self.memory_layer else values

    def initial_alignments(self, batch_size: Any, dtype: Any) -> Tensor:
        """What is attended to before the first step: nothing.

        Args:
          batch_size: an int or a scalar tensor.
          dtype: that of the alignments.

        Returns: zeros `[batch_size, time]`.
        """
        return zeros_of(batch_size, self.alignments_size, dtype)

    def _probability(self, scores: Tensor, previous: Any) -> Any:
        if self._lengths is not None:
            inside = sequence_mask(self._lengths, maxlen=shape(scores)[1])
            scores = where(inside, scores, self._mask_value * ones_like(scores))
        return self._probability_fn(scores, previous)

    def _score(self, query: Any) -> Tensor:
        """How well a query `[batch, ...]` goes with each time `[batch, time]`."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it scores.")

    def __call__(self, query: Any, previous_alignments: Any) -> Any:
        """The alignments `[batch, time]` of a query `[batch, ...]`."""
        with variable_scope(None, self._scope):
            score = self._score(query)
        return self._probability(score, previous_alignments)

    # Default name of the variable scope.
    _scope = "attention"


def alone(probability_fn: Callable[..., Any] | None) -> Callable[[Any, Any], Any]:
    """A function of scores alone, the softmax by default, as one of scores and alignments."""
    function = probability_fn or softmax
    if not callable(function):
        raise TypeError(f"probability_fn must be callable, saw type: {type(function).__name__}")
    return lambda scores, _: function(scores)


def scalar_variable(name: str, first: float, dtype: Any) -> Any:
    """A variable of one number."""
    return get_variable(name, [], dtype=dtype, initializer=Constant(first))


def luong_score(query: Any, keys: Any, scale: bool) -> Tensor:
    """`g * (keys @ query)`, with a variable `attention_g` if it is scaled.

    Raises:
      ValueError: if query and keys differ in size.
    """
    depth, units = (dimension_at_index(t.shape, -1).value for t in (query, keys))
    if depth is None or depth != units:
        raise ValueError(
            "Incompatible or unknown inner dimensions between query and keys.  Query "
            f"({query}) has units: {depth}.  Keys ({keys}) have units: {units}.  Perhaps you need "
            f"to set num_units to the query's dimension ({depth})?"
        )
    score = squeeze(matmul(expand_dims(query, 1), keys, transpose_b=True), [1])
    return scalar_variable("attention_g", 1.0, query.dtype.base_dtype) * score if scale else score


def bahdanau_score(query: Any, keys: Any, normalize: bool) -> Tensor:
    """`v . tanh(keys + query)`, `v` with a length of its own and a bias inside if normalized."""
    dtype, units = query.dtype.base_dtype, int(dimension_at_index(keys.shape, 2))
    v = get_variable("attention_v", [units], dtype=dtype)
    total = keys + expand_dims(query, 1)
    if normalize:
        g = scalar_variable("attention_g", math.sqrt(1.0 / units), dtype)
        b = get_variable("attention_b", [units], dtype=dtype, initializer=Zeros())
        v = g * v * rsqrt(reduce_sum(square(v)))
        total = total + b
    return reduce_sum(v * tanh(total), [2])


class LuongAttention(AttentionMechanism):
    """Multiplicative attention: `softmax(keys @ query)`.

    Args:
      num_units: size of queries and keys.
      memory: tensor `[batch, time, ...]`.
      memory_sequence_length: integer vector `[batch]`.
      scale: whether scores are scaled by a variable.
      probability_fn: function of scores; the softmax by default.
      score_mask_value: the score of what is behind the end of a sequence.
      dtype: dtype of the memory's layer.
      name: name scope of the ops.

    Raises:
      ValueError: when called, if the query has another size.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     attention = hf.contrib.seq2seq.LuongAttention(4, hf.ones([2, 5, 3]), [5, 1])
    ...     print(attention(hf.ones([2, 4]), None).numpy().round(2))
    [[0.2 0.2 0.2 0.2 0.2]
     [1.  0.  0.  0.  0. ]]

    References: Luong, Pham, Manning, Effective Approaches to Attention-based Neural Machine
      Translation, 2015 (https://arxiv.org/abs/1508.04025).
    """

    _scope = "luong_attention"

    def __init__(
        self,
        num_units: int,
        memory: Any,
        memory_sequence_length: Any = None,
        scale: bool = False,
        probability_fn: Callable[[Any], Any] | None = None,
        score_mask_value: float = -math.inf,
        dtype: Any = None,
        name: str = "LuongAttention",
    ) -> None:
        super().__init__(
            memory,
            alone(probability_fn),
            memory_layer=linear_layer(num_units, "memory_layer", dtype),
            memory_sequence_length=memory_sequence_length,
            score_mask_value=score_mask_value,
            name=name,
        )
        self._scale = scale

    def _score(self, query: Any) -> Tensor:
        return luong_score(query, self.keys, self._scale)


class BahdanauAttention(AttentionMechanism):
    """Additive attention: `softmax(v . tanh(keys + query))`.

    Args:
      num_units: size of the space in which query and keys are added.
      memory, memory_sequence_length, probability_fn, score_mask_value, dtype, name: as for
        `LuongAttention`.
      normalize: whether `v` has a length of its own (Salimans and Kingma 2016).

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     attention = hf.contrib.seq2seq.BahdanauAttention(4, hf.ones([2, 5, 3]), [5, 1])
    ...     print(attention(hf.ones([2, 7]), None).numpy().round(2)[1])
    [1. 0. 0. 0. 0.]

    References: Bahdanau, Cho, Bengio, Neural Machine Translation by Jointly Learning to Align and
      Translate, 2014 (https://arxiv.org/abs/1409.0473).
    """

    _scope = "bahdanau_attention"

    def __init__(
        self,
        num_units: int,
        memory: Any,
        memory_sequence_length: Any = None,
        normalize: bool = False,
        probability_fn: Callable[[Any], Any] | None = None,
        score_mask_value: float = -math.inf,
        dtype: Any = None,
        name: str = "BahdanauAttention",
    ) -> None:
        super().__init__(
            memory,
            alone(probability_fn),
            query_layer=linear_layer(num_units, "query_layer", dtype),
            memory_layer=linear_layer(num_units, "memory_layer", dtype),
            memory_sequence_length=memory_sequence_length,
            score_mask_value=score_mask_value,
            name=name,
        )
        self._normalize = normalize

    def _score(self, query: Any) -> Tensor:
        return bahdanau_score(self.query_layer(query), self.keys, self._normalize)


def linear_layer(units: int, name: str, dtype: Any = None) -> Dense:
    """A layer without bias."""
    return Dense(units, name=name, use_bias=False, dtype=dtype)
