"""Reductions with the arguments that they have in TensorFlow 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.ops.math import arg_reductions, reductions

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "reduce_all",
    "reduce_any",
    "reduce_logsumexp",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_prod",
    "reduce_sum",
]


def _plain(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A reduction without the older names of its arguments."""

    def reduced(
        input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
    ) -> Tensor:
        return function(input_tensor, axis, keepdims, name)

    reduced.__name__ = reduced.__qualname__ = function.__name__
    reduced.__doc__ = f"`tf.compat.v1.{function.__name__}`, by the newer names of arguments."
    return reduced


reduce_all = _plain(reductions.reduce_all)
reduce_any = _plain(reductions.reduce_any)
reduce_logsumexp = _plain(arg_reductions.reduce_logsumexp)
reduce_max = _plain(reductions.reduce_max)
reduce_mean = _plain(reductions.reduce_mean)
reduce_min = _plain(reductions.reduce_min)
reduce_prod = _plain(reductions.reduce_prod)
reduce_sum = _plain(reductions.reduce_sum)
