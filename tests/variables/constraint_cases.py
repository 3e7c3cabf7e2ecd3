"""The table of constraints under test: for each its set, told in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from hybridflow import constraints as c

Violation = Callable[[np.ndarray], float]
Sampler = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


class Case(NamedTuple):
    """One constraint.

    Attributes:
      constraint: the constraint itself.
      violation: how far a float64 array is from being in the set, 0 inside.
      sample: draws a point of the set, of a given shape.
      shapes: of tensors to project.
      bitwise: points of the set come back bit for bit.
      farthest: the scale of the points to project.
    """

    constraint: Any
    violation: Violation
    sample: Sampler
    shapes: tuple[tuple[int, ...], ...] = ((4,), (3, 2), (2, 3, 2))
    bitwise: bool = True
    farthest: float = 1e3

    def __str__(self) -> str:
        return repr(self.constraint)


def rows(y: np.ndarray, axis: Any) -> np.ndarray:
    """The vectors along `axis` as the rows of a matrix."""
    axes = list(range(y.ndim)) if axis is None else [axis] if isinstance(axis, int) else list(axis)
    axes = [a % y.ndim for a in axes]
    outer = [a for a in range(y.ndim) if a not in axes]
    moved = y.transpose(outer + axes)
    return moved.reshape(int(np.prod(moved.shape[: len(outer)])), -1)


def of_rows(y: np.ndarray, axis: Any, matrix: np.ndarray) -> np.ndarray:
    """The array of the shape of `y` whose vectors along `axis` are the rows of a matrix."""
    places = rows(np.arange(y.size).reshape(y.shape), axis)
    result = np.empty(y.size)
    result[places.ravel()] = matrix.ravel()
    return result.reshape(y.shape)


def worst(values: Any) -> float:
    return float(np.max(np.maximum(values, 0), initial=0.0))


def elementwise(constraint: Any, low: float, high: float) -> Case:
    return Case(
        constraint,
        lambda y: max(worst(low - y), worst(y - high)),
        lambda rng, shape: rng.uniform(max(low, -9), min(high, 9), shape),
        ((4,), (3, 2), ()),
    )


def vectors(
    constraint: Any,
    violation: Violation,
    sample: Callable[[np.random.Generator, int, int], np.ndarray],
    bitwise: bool = True,
) -> Case:
    """A constraint on the vectors along its `axis`: told by what it means for rows."""
    axis = constraint.axis
    shapes = ((4,), (3, 2), (2, 3, 2)) if axis in (None, -1, 0) else ((3, 2), (2, 3, 2))

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        y = np.zeros(shape)
        return of_rows(y, axis, sample(rng, *rows(y, axis).shape))

    return Case(constraint, lambda y: violation(rows(y, axis)), draw, shapes, bitwise)


def l2_ball(radius: float, axis: Any) -> Case:
    def sample(rng: np.random.Generator, m: int, n: int) -> np.ndarray:
        z = rng.normal(size=(m, n))
        return z / np.linalg.norm(z, axis=1, keepdims=True) * radius * rng.uniform(0, 0.99, (m, 1))

    return vectors(
        c.L2Ball(radius, axis), lambda y: worst(np.linalg.norm(y, axis=1) - radius), sample
    )


def l1_ball(radius: float, axis: Any) -> Case:
    def sample(rng: np.random.Generator, m: int, n: int) -> np.ndarray:
        z = rng.dirichlet(np.ones(n), m) * rng.uniform(0, 0.99, (m, 1)) * radius
        return z * rng.choice([-1, 1], (m, n))

    return vectors(c.L1Ball(radius, axis), lambda y: worst(np.abs(y).sum(1) - radius), sample)


def simplex(constraint: Any, total: float) -> Case:
    return vectors(
        constraint,
        lambda y: max(worst(-y), worst(np.abs(y.sum(1) - total))),
        lambda rng, m, n: rng.dirichlet(np.ones(n), m) * total,
        bitwise=False,
    )


def linear(kind: Any, axis: Any) -> Case:
    """A constraint on w_1 - 2 w_2 + ..., its factors made for vectors of 3 (or by broadcasting)."""
    a = 2.0 if axis is None else [1.0, -2.0, 0.5]
    plane = kind is c.Hyperplane

    def excess(y: np.ndarray) -> np.ndarray:
        return (y * a).sum(1) - 1.5

    def sample(rng: np.random.Generator, m: int, n: int) -> np.ndarray:
        z, normal = rng.normal(size=(m, n)), np.broadcast_to(a, n)
        below = 0 if plane else rng.uniform(0.01, 2, m)
        return z - ((excess(z) + below) / (normal @ normal))[:, None] * normal

    case = vectors(
        kind(a, 1.5, axis),
        lambda y: worst(np.abs(excess(y)) if plane else excess(y)),
        sample,
        bitwise=not plane,
    )
    return case._replace(shapes=((4,), (2, 3)) if axis is None else ((3,), (3, 2), (3, 2, 2)))


def monotone(axis: int, decreasing: bool) -> Case:
    sign = -1 if decreasing else 1
    return vectors(
        c.Monotone(axis, decreasing),
        lambda y: worst(-sign * np.diff(y, axis=1)),
        lambda rng, m, n: sign * np.sort(sign * rng.normal(size=(m, n)), axis=1),
    )


def flattened(y: np.ndarray) -> np.ndarray:
    return y.reshape(-1, y.shape[-1])


def spectral_norm(bound: float) -> Case:
    def sample(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        z = rng.normal(size=shape)
        return z / np.linalg.norm(flattened(z), 2) * bound * rng.uniform(0, 0.99)

    return Case(
        c.SpectralNorm(bound),
        lambda y: worst(np.linalg.norm(flattened(y), 2) - bound),
        sample,
        ((3, 2), (2, 3), (2, 1, 3)),
    )


def orthonormal() -> Case:
    def gram_error(y: np.ndarray) -> float:
        m = flattened(y)
        m = m if m.shape[0] >= m.shape[1] else m.T
        return worst(np.abs(m.T @ m - np.eye(m.shape[1])))

    def sample(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        m = flattened(rng.normal(size=shape))
        q = np.linalg.qr(m)[0] if m.shape[0] >= m.shape[1] else np.linalg.qr(m.T)[0].T
        return q.reshape(shape)

    return Case(
        c.Orthonormal(), gram_error, sample, ((3, 2), (2, 3), (2, 2, 3), (2, 2)), bitwise=False
    )


def transposed(y: np.ndarray) -> np.ndarray:
    return np.swapaxes(y, -1, -2)


def asymmetry(y: np.ndarray) -> float:
    return worst(np.abs(y - transposed(y)))


def square(constraint: Any, violation: Violation, made_of: Any, bitwise: bool) -> Case:
    return Case(
        constraint,
        violation,
        lambda rng, shape: made_of(rng.normal(size=shape)),
        ((3, 3), (2, 2, 2), (1, 1)),
        bitwise,
    )


INTERSECTION = c.Intersection(c.NonNeg(), c.Halfspace(1.0, 1.0), c.Box(-1.0, 0.75))

EXACT = [
    elementwise(c.NonNeg(), 0, np.inf),
    elementwise(c.Box(-1, 2.5), -1, 2.5),
    elementwise(c.Box(high=0.5), -np.inf, 0.5),
    Case(
        c.IntegerGrid(0.5, -2, 3),
        lambda y: max(worst(-2 - y), worst(y - 3), worst(np.abs(2 * y - np.rint(2 * y)))),
        lambda rng, shape: rng.integers(-4, 7, shape) / 2,
    ),
    l2_ball(1.5, None),
    l2_ball(1.0, 0),
    l2_ball(2.0, [1, 0]),
    l1_ball(1.5, None),
    l1_ball(1.0, -2),
    l1_ball(0.0, 0),
    simplex(c.Simplex(), 1),
    simplex(c.Simplex(2.5, 0), 2.5),
    simplex(c.Simplex(3, [0, -1]), 3),
    simplex(c.Simplex(0, 1), 0),
    simplex(c.RowStochastic(), 1),
    linear(c.Hyperplane, None),
    linear(c.Hyperplane, 0),
    linear(c.Halfspace, None),
    linear(c.Halfspace, [0]),
    monotone(-1, False),
    monotone(0, True),
    spectral_norm(1.5),
    orthonormal(),
    square(c.Symmetric(), asymmetry, lambda z: z + transposed(z), True),
    square(
        c.PSD(),
        lambda y: max(asymmetry(y), worst(-np.linalg.eigvalsh(y))),
        lambda z: z @ transposed(z),
        False,
    ),
    Case(
        INTERSECTION,
        lambda y: max(worst(-y), worst(y - 0.75), worst(y.sum() - 1)),
        lambda rng, shape: rng.uniform(0, 0.99 / max(int(np.prod(shape)), 2), shape),
        ((4,), (3, 2)),
        farthest=1,
    ),
]

# Constraints that are no exact projections.
OTHERS = [
    c.MaxNorm(1.0),
    c.MaxNorm(1.0, [0, -1]),
    c.UnitNorm(-1),
    c.MinMaxNorm(0.5, 1.0, 0.75, axis=None),
    c.Chain(c.NonNeg(), c.L2Ball(1.0, 0)),
]
