"""Update rules and projections, written once for the array libraries that share NumPy's names.

`xp` is such a library: NumPy itself, jax.numpy, pytensor.tensor. The formulas are TensorFlow 1.4's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

LEARNING_RATE = 0.01
MOMENTUM = 0.9
BETA1, BETA2 = 0.9, 0.999
RHO = 0.95
DECAY = 0.9
L1, L2 = 0.001, 0.002
ADAM_EPSILON = 1e-8
# Large enough not to drown in float32's rounding.
EPSILON = 1e-4
# About as many rows and columns are above it as below, after a few steps.
MOST = 2.0


class Rule(NamedTuple):
    """How an optimizer updates a parameter.

    Attributes:
      starts: what each slot is filled with at first.
      update: from `(xp, p, slots, g, t)`, with t = 1 in the first step, the new p and slots.
      whole: with a sparse gradient, too, all rows change: the means of all of them decay.
      arrays: how many arrays a step reads and writes, beside the gradient, which it reads.
    """

    starts: tuple[float, ...]
    update: Callable[..., tuple[Any, tuple[Any, ...]]]
    whole: bool = False

    @property
    def arrays(self) -> int:
        return 1 + len(self.starts)


def _sgd(xp: Any, p: Any, slots: Any, g: Any, t: Any) -> Any:
    return p - LEARNING_RATE * g, ()


def _momentum(xp: Any, p: Any, slots: Any, g: Any, t: Any) -> Any:
    accum = slots[0] * MOMENTUM + g
    return p - LEARNING_RATE * accum, (accum,)


def _adagrad(xp: Any, p: Any, slots: Any, g: Any, t: Any) -> Any:
    accum = slots[0] + g * g
    return p - LEARNING_RATE * g / xp.sqrt(accum), (accum,)


def _adadelta(xp: Any, p: Any, slots: Any, g: Any, t: Any) -> Any:
    accum = RHO * slots[0] + (1 - RHO) * (g * g)
    step = xp.sqrt(slots[1] + EPSILON) * (g / xp.sqrt(accum + EPSILON))
    return p - LEARNING_RATE * step, (accum, RHO * slots[1] + (1 - RHO) * (step * step))


def _adam(xp: Any, p: Any, slots: Any, g: Any, t: Any) -> Any:
    m = BETA1 * slots[0] + (1 - BETA1) * g
    v = BETA2 * slots[1] + (1 - BETA2) * (g * g)
    rate = adam_rate(t)
    return p - rate * m / (xp.sqrt(v) + ADAM_EPSILON), (m, v)


def adam_rate(t: Any) -> Any:
    """Adam's learning rate in step `t`."""
    return LEARNING_RATE * (1 - BETA2**t) ** 0.5 / (1 - BETA1**t)


def _rms_prop(xp: Any, p: Any, slots: Any, g: Any, t: Any) -> Any:
    ms = DECAY * slots[0] + (1 - DECAY) * (g * g)
    mom = MOMENTUM * slots[1] + LEARNING_RATE * g / xp.sqrt(ms + EPSILON)
    return p - mom, (ms, mom)


def _centered_rms_prop(xp: Any, p: Any, slots: Any, g: Any, t: Any) -> Any:
    mg = DECAY * slots[0] + (1 - DECAY) * g
    ms = DECAY * slots[1] + (1 - DECAY) * (g * g)
    mom = MOMENTUM * slots[2] + LEARNING_RATE * g / xp.sqrt(ms - mg * mg + EPSILON)
    return p - mom, (mg, ms, mom)


def _ftrl(xp: Any, p: Any, slots: Any, g: Any, t: Any) -> Any:
    accum = slots[0] + g * g
    root = xp.sqrt(accum)
    linear = slots[1] + g - (root - xp.sqrt(slots[0])) / LEARNING_RATE * p
    shrunk = xp.sign(linear) * L1 - linear
    new = shrunk / (root / LEARNING_RATE + 2 * L2)
    return xp.where(xp.abs(linear) > L1, new, 0 * new), (accum, linear)


def _adagrad_da(xp: Any, p: Any, slots: Any, g: Any, t: Any) -> Any:
    total, squares = slots[0] + g, slots[1] + g * g
    shrunk = xp.sign(total) * xp.maximum(xp.abs(total) - L1 * t, 0)
    new = -LEARNING_RATE * shrunk / (L2 * LEARNING_RATE * t + xp.sqrt(squares))
    return new, (total, squares)


def _proximal(xp: Any, p: Any, g: Any, rate: Any) -> Any:
    step = p - rate * g
    return xp.sign(step) * xp.maximum(xp.abs(step) - rate * L1, 0) / (1 + L2 * rate)


def _proximal_sgd(xp: Any, p: Any, slots: Any, g: Any, t: Any) -> Any:
    return _proximal(xp, p, g, LEARNING_RATE), ()


def _proximal_adagrad(xp: Any, p: Any, slots: Any, g: Any, t: Any) -> Any:
    accum = slots[0] + g * g
    return _proximal(xp, p, g, LEARNING_RATE / xp.sqrt(accum)), (accum,)


RULES: dict[str, Rule] = {
    "SGD": Rule((), _sgd),
    "Momentum": Rule((0.0,), _momentum),
    "Adagrad": Rule((0.1,), _adagrad),
    "Adadelta": Rule((0.0, 0.0), _adadelta),
    "Adam": Rule((0.0, 0.0), _adam, whole=True),
    "lazy Adam": Rule((0.0, 0.0), _adam),
    "RMSProp": Rule((1.0, 0.0), _rms_prop),
    "centered RMSProp": Rule((0.0, 1.0, 0.0), _centered_rms_prop),
    "Ftrl": Rule((0.1, 0.0), _ftrl),
    "AdagradDA": Rule((0.0, 0.1), _adagrad_da),
    "proximal SGD": Rule((), _proximal_sgd),
    "proximal Adagrad": Rule((0.1,), _proximal_adagrad),
}


# -- projections -----------------------------------------------------------------------------------


def _norms(axis: int, most: float) -> Callable[[Any, Any], Any]:
    def project(xp: Any, p: Any) -> Any:
        norms = xp.sqrt((p * p).sum(axis=axis, keepdims=True))
        return p * (xp.minimum(norms, most) / (norms + 1e-7))

    return project


def by_sorting(xp: Any, x: Any) -> Any:
    """Each row's nearest point of the simplex (Held, Wolfe, Crowder: Validation of subgradient
    optimization, 1974)."""
    u = -xp.sort(-x, axis=-1)
    size = x.shape[-1]
    counts = xp.arange(1, size + 1).astype("float32")
    t = ((xp.cumsum(u, axis=-1) - 1.0) / counts).max(axis=-1, keepdims=True)
    return xp.maximum(x - t, 0)


# By constraint, what it does; `columns, within` leaves everything as it is.
PROJECTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "none": lambda xp, p: p,
    "non-negative": lambda xp, p: xp.maximum(p, 0),
    "rows": _norms(1, MOST),
    "columns": _norms(0, MOST),
    "columns, within": _norms(0, 1e4),
}
