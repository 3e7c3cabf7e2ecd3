"""Rules and gradients that max pooling in two and three dimensions share.

Which element of a window is the largest does not change with small changes of the input: nothing
flows to it from the gradient of a gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from hybridflow._src.framework.op_def import ZERO, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.pooling import maxima
from hybridflow._src.ops.pooling.meanings import attrs_of, drawn, fits, like_output, pooled_dims


def grad(name: str) -> Callable[..., Any]:
    """The gradient function of pooling, made with the op of a name."""
    return lambda op, dy: getattr(raw, name)(op.inputs[0], op.outputs[0], dy, **attrs_of(op))


def grad_grad(name: str) -> Callable[..., Any]:
    """The gradient function of an op of (input, output, gradient), made with that of a name."""
    return lambda op, dz: (ZERO, ZERO, getattr(raw, name)(*op.inputs[:2], dz, **attrs_of(op)))


def grad_grad_shape(rank: int) -> Callable[..., shape_rules.Dims]:
    """The shape rule of the gradient's gradient, which is like the output."""

    def rule(attrs: dict[str, Any], x: Tensor, y: Tensor, dx: Tensor) -> shape_rules.Dims:
        dims = shape_rules.merging(attrs, x, dx)
        pooled = pooled_dims(attrs, (None,) * rank if dims is None else dims, True)
        fits(pooled, shape_rules.with_rank(y, rank))
        return pooled

    return rule


def grad_samples(rank: int, *more: Any) -> Callable[[np.random.Generator], Iterable[Sample]]:
    """Samples of the gradient."""
    return lambda rng: (
        Sample(x, maxima.largest(x, **attrs), like_output(rng, x, attrs), **attrs)
        for x, attrs in drawn(rng, rank, *more)
    )


def grad_grad_samples(rank: int, *more: Any) -> Callable[[np.random.Generator], Iterable[Sample]]:
    """Samples of the gradient's gradient."""
    return lambda rng: (
        Sample(x, maxima.largest(x, **attrs), rng.normal(size=x.shape).astype(x.dtype), **attrs)
        for x, attrs in drawn(rng, rank, *more)
    )
