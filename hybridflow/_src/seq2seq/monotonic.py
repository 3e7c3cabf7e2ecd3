"""Monotonic attention: what is attended to moves on through the memory and never back.

Raffel, Luong, Liu, Weiss, Eck, Online and Linear-Time Attention by Enforcing Monotonic Alignments,
ICML 2017 (https://arxiv.org/abs/1704.00784).
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.arrays.arranging import transpose
from hybridflow._src.ops.arrays.constant import ones_like, zeros, zeros_like
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.sequences import one_hot
from hybridflow._src.ops.arrays.shape_ops import shape
from hybridflow._src.ops.control_flow.functional import scan
from hybridflow._src.ops.linalg.norms import clip_by_value
from hybridflow._src.ops.math.cumulative import cumprod, cumsum
from hybridflow._src.ops.math.exponential import exp, log, sigmoid
from hybridflow._src.ops.random.sampling import random_normal
from hybridflow._src.seq2seq.attention import (
    AttentionMechanism,
    bahdanau_score,
    linear_layer,
    luong_score,
    scalar_variable,
)

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "BahdanauMonotonicAttention",
    "LuongMonotonicAttention",
    "monotonic_attention",
    "safe_cumprod",
]


def safe_cumprod(x: Any, *args: Any, **kwargs: Any) -> Tensor:
    """The product of elements so far, in `[0, 1]`, whose gradient is finite where it is 0.

    It is `exp(cumsum(log(x)))`, with elements of at least the smallest normal number.

    Args:
      x: tensor of numbers in `[0, 1]`.
      *args, **kwargs: as for `hf.cumsum`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.contrib.seq2seq.safe_cumprod(hf.constant([0.5, 0.5, 0.5])).numpy())
    [0.5   0.25  0.125]
    """
    with name_scope(None, "SafeCumprod", [x]):
        x = convert_to_tensor(x, name="x")
        least = np.finfo(x.dtype.as_numpy_dtype).tiny
        return exp(cumsum(log(clip_by_value(x, least, 1)), *args, **kwargs))


def monotonic_attention(p_choose_i: Any, previous_attention: Any, mode: str) -> Tensor:
    """The probability that each time of the memory is attended to, which goes on from the last one.

    From where it was, attention moves on until it stops: at each time with the probability
    `p_choose_i`.

    Args:
      p_choose_i: tensor `[batch, time]`.
      previous_attention: tensor `[batch, time]`, probabilities of the step before.
      mode: "recursive" for the exact sum, "parallel" for one that divides by small numbers but
        needs no loop, "hard" where all probabilities are 0 or 1.

    Returns: a tensor `[batch, time]`.

    Raises:
      ValueError: for another mode.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.contrib.seq2seq.monotonic_attention(
    ...         [[0.5, 0.5, 1.0]], [[1.0, 0.0, 0.0]], "recursive").numpy())
    [[0.5  0.25 0.25]]
    """
    chosen = convert_to_tensor(p_choose_i, name="p_choose_i")
    previous = convert_to_tensor(previous_attention, name="previous_attention")
    if mode == "recursive":
        passed = concat([ones_like(chosen[:, :1]), 1 - chosen[:, :-1]], 1)
        reached = scan(
            lambda so_far, row: row[0] * so_far + row[1],
            [transpose(passed), transpose(previous)],
            zeros_like(chosen[:, 0]),
        )
        return chosen * transpose(reached)
    if mode == "parallel":
        passed = safe_cumprod(1 - chosen, axis=1, exclusive=True)
        return chosen * passed * cumsum(previous / clip_by_value(passed, 1e-10, 1.0), axis=1)
    if mode == "hard":
        # Nothing before the last attention is chosen, and only the first that is.
        chosen = chosen * cumsum(previous, axis=1)
        return chosen * cumprod(1 - chosen, axis=1, exclusive=True)
    raise ValueError(f"mode must be 'recursive', 'parallel', or 'hard', got {mode!r}.")


def _probability(
    score: Any, previous: Any, sigmoid_noise: float, mode: str, seed: int | None
) -> Tensor:
    if sigmoid_noise > 0:
        noise = random_normal(shape(score), dtype=score.dtype.base_dtype, seed=seed)
        score = score + sigmoid_noise * noise
    return monotonic_attention(sigmoid(score), previous, mode)


class _Monotonic(AttentionMechanism):
    """What both mechanisms share.

    Args:
      sigmoid_noise: standard deviation of noise that is added to scores, so that they are learnt to
        be large. sigmoid_noise_seed: its seed.
      score_bias_init: first value of what is added to all scores.
      mode: as for `monotonic_attention`.
      **kwargs: as for `AttentionMechanism`.
    """

    def __init__(
        self,
        memory: Any,
        sigmoid_noise: float,
        sigmoid_noise_seed: int | None,
        score_bias_init: float,
        mode: str,
        **kwargs: Any,
    ) -> None:
        probability = functools.partial(
            _probability, sigmoid_noise=sigmoid_noise, mode=mode, seed=sigmoid_noise_seed
        )
        super().__init__(memory, probability, **kwargs)
        self._first_bias = score_bias_init

    def initial_alignments(self, batch_size: Any, dtype: Any) -> Tensor:
        """What is attended to before the first step: the first time."""
        first = zeros([batch_size], dtype=dtypes.int32)
        return one_hot(first, self.alignments_size, dtype=dtype)

    def _biased(self, score: Any) -> Any:
        return score + scalar_variable(
            "attention_score_bias", self._first_bias, score.dtype.base_dtype
        )


class BahdanauMonotonicAttention(_Monotonic):
    """`BahdanauAttention` that moves on through the memory.

    Args:
      num_units, memory, memory_sequence_length, normalize, score_mask_value, dtype, name: as for
        `BahdanauAttention`.
      sigmoid_noise, sigmoid_noise_seed: deviation and seed of noise that is added to scores.
      score_bias_init: first value of what is added to all scores.
      mode: as for `monotonic_attention`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     attention = hf.contrib.seq2seq.BahdanauMonotonicAttention(4, hf.zeros([1, 3, 3]))
    ...     first = attention.initial_alignments(1, hf.float32)
    ...     print(attention(hf.zeros([1, 7]), first).numpy())
    [[0.5   0.25  0.125]]
    """

    _scope = "bahdanau_monotonic_attention"

    def __init__(
        self,
        num_units: int,
        memory: Any,
        memory_sequence_length: Any = None,
        normalize: bool = False,
        score_mask_value: float = -math.inf,
        sigmoid_noise: float = 0.0,
        sigmoid_noise_seed: int | None = None,
        score_bias_init: float = 0.0,
        mode: str = "parallel",
        dtype: Any = None,
        name: str = "BahdanauMonotonicAttention",
    ) -> None:
        super().__init__(
            memory,
            sigmoid_noise,
            sigmoid_noise_seed,
            score_bias_init,
            mode,
            query_layer=linear_layer(num_units, "query_layer", dtype),
            memory_layer=linear_layer(num_units, "memory_layer", dtype),
            memory_sequence_length=memory_sequence_length,
            score_mask_value=score_mask_value,
            name=name,
        )
        self._normalize = normalize

    def _score(self, query: Any) -> Any:
        return self._biased(bahdanau_score(self.query_layer(query), self.keys, self._normalize))


class LuongMonotonicAttention(_Monotonic):
    """`LuongAttention` that moves on through the memory.

    Args:
      num_units, memory, memory_sequence_length, scale, score_mask_value, dtype, name: as for
        `LuongAttention`.
      sigmoid_noise, sigmoid_noise_seed, score_bias_init, mode: as for `BahdanauMonotonicAttention`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     attention = hf.contrib.seq2seq.LuongMonotonicAttention(4, hf.zeros([1, 3, 3]))
    ...     first = attention.initial_alignments(1, hf.float32)
    ...     print(attention(hf.zeros([1, 4]), first).numpy())
    [[0.5   0.25  0.125]]
    """

    _scope = "luong_monotonic_attention"

    def __init__(
        self,
        num_units: int,
        memory: Any,
        memory_sequence_length: Any = None,
        scale: bool = False,
        score_mask_value: float = -math.inf,
        sigmoid_noise: float = 0.0,
        sigmoid_noise_seed: int | None = None,
        score_bias_init: float = 0.0,
        mode: str = "parallel",
        dtype: Any = None,
        name: str = "LuongMonotonicAttention",
    ) -> None:
        super().__init__(
            memory,
            sigmoid_noise,
            sigmoid_noise_seed,
            score_bias_init,
            mode,
            memory_layer=linear_layer(num_units, "memory_layer", dtype),
            memory_sequence_length=memory_sequence_length,
            score_mask_value=score_mask_value,
            name=name,
        )
        self._scale = scale

    def _score(self, query: Any) -> Any:
        return self._biased(luong_score(query, self.keys, self._scale))
