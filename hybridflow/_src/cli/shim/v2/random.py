"""`tensorflow.compat.v2.random`: functions with the arguments that they have there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.ops.random import parametric

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["poisson"]


def poisson(
    shape: Any,
    lam: Any,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Samples of Poisson distributions: `shape` of them for each rate."""
    return parametric.random_poisson(lam, shape, dtype, seed, name)
