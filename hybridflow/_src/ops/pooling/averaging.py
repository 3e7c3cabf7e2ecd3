"""Rules and gradients that average pooling in two and three dimensions share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from hybridflow._src.framework.op_def import Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.static_value import constant_dims
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.grad_helpers import shape_of
from hybridflow._src.ops.pooling.meanings import attrs_of, drawn, fits, like_output, pooled_dims


def grad(name: str) -> Callable[..., Any]:
    """The gradient function of pooling, made with the op of a name."""
    return lambda op, dy: getattr(raw, name)(shape_of(op.inputs[0]), dy, **attrs_of(op))


def grad_grad(name: str) -> Callable[..., Any]:
    """The gradient function of that op: pooling is linear, so it is pooling."""
    return lambda op, dz: (None, getattr(raw, name)(dz, **attrs_of(op)))


def gradient_shape(rank: int) -> Callable[..., shape_rules.Dims]:
    """The shape rule of the gradient."""

    def rule(attrs: dict[str, Any], sizes: Tensor, dy: Tensor) -> shape_rules.Dims:
        dims = constant_dims(sizes)
        dims = (None,) * rank if dims is None else dims
        if len(dims) != rank:
            raise ValueError(f"Sizes of {rank} dimensions are needed, got {len(dims)}")
        fits(pooled_dims(attrs, dims), shape_rules.with_rank(dy, rank))
        return dims

    return rule


def gradient_samples(rank: int) -> Callable[[np.random.Generator], Iterable[Sample]]:
    """Samples of the gradient."""
    return lambda rng: (
        Sample(np.array(x.shape, np.int32), like_output(rng, x, attrs), **attrs)
        for x, attrs in drawn(rng, rank)
    )
