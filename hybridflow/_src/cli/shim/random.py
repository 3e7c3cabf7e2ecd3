"""`tf.random`: what it has beside the names of older functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.ops.random.sampling import multinomial

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["categorical"]


def categorical(
    logits: Any,
    num_samples: Any,
    dtype: Any = None,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """`tf.multinomial`, with its arguments in another order.

    Args:
      logits: float tensor `[batch, classes]`, logarithms of probabilities up to a constant.
      num_samples: how many to draw for each row.
      dtype: int32 or int64, which it is by default.
      seed: the op's seed.
      name: name of the op.

    Returns: a tensor `[batch, num_samples]` of numbers of classes.
    """
    return multinomial(logits, num_samples, seed, name, output_dtype=dtype or dtypes.int64)
