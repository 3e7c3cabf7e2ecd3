"""Learning rates that fall as the global step grows."""

from __future__ import annotations

import math
from typing import Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.gather import gather
from hybridflow._src.ops.arrays.joining import stack
from hybridflow._src.ops.control_flow.conditional import cond
from hybridflow._src.ops.math.comparison import equal
from hybridflow._src.ops.math.division import div
from hybridflow._src.ops.math.elementwise import add as plus
from hybridflow._src.ops.math.elementwise import minimum, multiply
from hybridflow._src.ops.math.exponential import exp, log, pow, sqrt
from hybridflow._src.ops.math.reductions import reduce_sum
from hybridflow._src.ops.math.rounding import ceil, floor
from hybridflow._src.ops.math.trigonometric import cos
from hybridflow._src.ops.random.sampling import random_normal

__all__ = [
    "cosine_decay",
    "cosine_decay_restarts",
    "exponential_decay",
    "inverse_time_decay",
    "linear_cosine_decay",
    "natural_exp_decay",
    "noisy_linear_cosine_decay",
    "piecewise_constant",
    "polynomial_decay",
]


def _same_dtype(learning_rate: Any, global_step: Any, function: str, *others: Any) -> list[Tensor]:
    """The learning rate as a tensor, and step and settings in its dtype.

    Raises:
      ValueError: if there is no global step.
    """
    if global_step is None:
        raise ValueError(f"global_step is required for {function}.")
    learning_rate = convert_to_tensor(learning_rate, name="learning_rate")
    dtype = learning_rate.dtype.base_dtype
    return [learning_rate, *[cast(value, dtype) for value in (global_step, *others)]]


def _periods(step: Tensor, decay_steps: Tensor, staircase: bool) -> Tensor:
    periods = step / decay_steps
    return floor(periods) if staircase else periods


def exponential_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Tensor:
    """`learning_rate * decay_rate ^ (global_step / decay_steps)`.

    Args:
      learning_rate: the rate at step 0, a number or scalar tensor.
      global_step: the number of steps done, a variable, tensor or number.
      decay_steps: after how many steps the rate is multiplied by `decay_rate`.
      decay_rate: the factor.
      staircase: whether the exponent is rounded down, so that the rate falls every `decay_steps`
        steps.
      name: name of the result.

    Returns: a scalar tensor of the dtype of `learning_rate`. In eager mode it is the rate at this
    step: give an optimizer a function, `lambda: exponential_decay(...)`.

    Raises:
      ValueError: if `global_step` is None.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(round(float(hf.train.exponential_decay(0.1, 20, 10, 0.5)), 4))
    0.025
    """
    with name_scope(name, "ExponentialDecay", [learning_rate, global_step]) as scope:
        rate, step, steps, factor = _same_dtype(
            learning_rate, global_step, "exponential_decay", decay_steps, decay_rate
        )
        return multiply(rate, pow(factor, _periods(step, steps, staircase)), name=scope)


def natural_exp_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Tensor:
    """`learning_rate * exp(-decay_rate * global_step / decay_steps)`.

    Args, returns and raises: as for `exponential_decay`, but `decay_rate` is the exponent.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(round(float(hf.train.natural_exp_decay(1.0, 10, 10, 1.0)), 4))
    0.3679
    """
    with name_scope(name, "NaturalExpDecay", [learning_rate, global_step]) as scope:
        rate, step, steps, factor = _same_dtype(
            learning_rate, global_step, "natural_exp_decay", decay_steps, decay_rate
        )
        return multiply(rate, exp(-factor * _periods(step, steps, staircase)), name=scope)


def inverse_time_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Tensor:
    """`learning_rate / (1 + decay_rate * global_step / decay_steps)`.

    Args, returns and raises: as for `exponential_decay`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(float(hf.train.inverse_time_decay(1.0, 20, 10, 0.5)))
    0.5
    """
    with name_scope(name, "InverseTimeDecay", [learning_rate, global_step]) as scope:
        rate, step, steps, factor = _same_dtype(
            learning_rate, global_step, "inverse_time_decay", decay_steps, decay_rate
        )
        return div(rate, 1.0 + factor * _periods(step, steps, staircase), name=scope)


def polynomial_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    end_learning_rate: Any = 0.0001,
    power: Any = 1.0,
    cycle: bool = False,
    name: str | None = None,
) -> Tensor:
    """`(learning_rate - end_learning_rate) * (1 - step / decay_steps) ^ power + end_learning_rate`.

    Args:
      learning_rate: the rate at step 0, a number or scalar tensor.
      global_step: the number of steps done, a variable, tensor or number.
      decay_steps: after how many steps `end_learning_rate` is reached.
      end_learning_rate: the smallest rate.
      power: of the polynomial.
      cycle: whether `decay_steps` doubles, trebles, ... each time that it is passed; else the rate
        stays at the smallest one.
      name: name of the result.

    Returns: as `exponential_decay`.

    Raises:
      ValueError: if `global_step` is None.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(round(float(hf.train.polynomial_decay(1.0, 5, 10, end_learning_rate=0.0)), 4))
    0.5
    """
    with name_scope(name, "PolynomialDecay", [learning_rate, global_step]) as scope:
        rate, step, steps, end, exponent = _same_dtype(
            learning_rate, global_step, "polynomial_decay", decay_steps, end_learning_rate, power
        )
        if cycle:
            # Step 0 lies in the first cycle.
            one = cast(1.0, rate.dtype)
            steps = steps * cond(equal(step, 0.0), lambda: one, lambda: ceil(step / steps))
        else:
            step = minimum(step, steps)
        return plus((rate - end) * pow(1.0 - step / steps, exponent), end, name=scope)


def piecewise_constant(x: Any, boundaries: Any, values: Any, name: str | None = None) -> Tensor:
    """One of `values`, chosen by where `x` lies among `boundaries`.

    `values[0]` where `x <= boundaries[0]`, `values[1]` where `boundaries[0] < x <= boundaries[1]`,
    and so on.

    Args:
      x: scalar, such as the global step.
      boundaries: numbers or scalar tensors of the dtype of `x`, increasing.
      values: numbers or scalar tensors of one dtype, one more than boundaries.
      name: name scope of the ops.

    Returns: a scalar tensor of the dtype of `values`. For eager mode see `exponential_decay`.

    Raises:
      ValueError: if dtypes differ, or the number of values does not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     [float(hf.train.piecewise_constant(x, [10, 20], [1.0, 0.5, 0.1])) for x in (10, 11, 20)]
    [1.0, 0.5, 0.5]
    """
    if len(boundaries) != len(values) - 1:
        raise ValueError(
            "The length of boundaries should be 1 less than the length of values: got "
            f"{len(boundaries)} and {len(values)}."
        )
    with name_scope(name, "PiecewiseConstant", [x, *boundaries, *values]):
        x = convert_to_tensor(x)
        dtype = x.dtype.base_dtype
        limits = []
        for boundary in map(convert_to_tensor, boundaries):
            # Python ints are int32, and a global step is often int64.
            widened = boundary.dtype.base_dtype is dtypes.int32 and dtype is dtypes.int64
            if boundary.dtype.base_dtype is not dtype and not widened:
                raise ValueError(
                    f"Boundaries ({boundary.dtype.name}) must have the same dtype as x "
                    f"({dtype.name})."
                )
            limits.append(cast(boundary, dtype))
        values = [convert_to_tensor(value) for value in values]
        if any(v.dtype.base_dtype is not values[0].dtype.base_dtype for v in values):
            raise ValueError(
                "Values must have elements all with the same dtype "
                f"({[v.dtype.name for v in values]})."
            )
        if not limits:
            return values[0]
        passed = cast(x > stack(limits), dtypes.int32)
        return gather(stack(values), reduce_sum(passed))


def _cosine(fraction: Tensor) -> Tensor:
    """From 1 at 0 down to 0 at 1."""
    return 0.5 * (1.0 + cos(math.pi * fraction))


def cosine_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    alpha: float = 0.0,
    name: str | None = None,
) -> Tensor:
    """`learning_rate * ((1 - alpha) * (1 + cos(pi * step / decay_steps)) / 2 + alpha)`.

    Args:
      learning_rate: the rate at step 0, a number or scalar tensor.
      global_step: the number of steps done; from `decay_steps` on the rate stays.
      decay_steps: after how many steps the smallest rate is reached.
      alpha: that rate as a fraction of the first.
      name: name of the result.

    Returns: as `exponential_decay`.

    Raises:
      ValueError: if `global_step` is None.

    Reference: Loshchilov and Hutter, 2016, https://arxiv.org/abs/1608.03983

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(round(float(hf.train.cosine_decay(1.0, 5, 10)), 4))
    0.5
    """
    with name_scope(name, "CosineDecay", [learning_rate, global_step]) as scope:
        rate, step, steps = _same_dtype(learning_rate, global_step, "cosine_decay", decay_steps)
        decayed = (1.0 - alpha) * _cosine(minimum(step, steps) / steps) + alpha
        return multiply(rate, decayed, name=scope)


def cosine_decay_restarts(
    learning_rate: Any,
    global_step: Any,
    first_decay_steps: Any,
    t_mul: float = 2.0,
    m_mul: float = 1.0,
    alpha: float = 0.0,
    name: str | None = None,
) -> Tensor:
    """`cosine_decay` that starts again each time that it has ended.

    Args:
      learning_rate, global_step, alpha, name: as for `cosine_decay`.
      first_decay_steps: the length of the first period in steps.
      t_mul: each period is this times as long as the one before.
      m_mul: each period starts at this times the rate at which the one before started.

    Returns: as `exponential_decay`.

    Raises:
      ValueError: if `global_step` is None.

    Reference: Loshchilov and Hutter, 2016, https://arxiv.org/abs/1608.03983

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     steps = [0, 5, 10, 20]
    ...     print([round(float(hf.train.cosine_decay_restarts(1.0, s, 10)), 4) for s in steps])
    [1.0, 0.5, 1.0, 0.5]
    """
    with name_scope(name, "SGDRDecay", [learning_rate, global_step]) as scope:
        rate, step, first, longer, smaller = _same_dtype(
            learning_rate, global_step, "cosine decay restarts", first_decay_steps, t_mul, m_mul
        )
        done = step / first
        if t_mul == 1.0:
            restarts = floor(done)
            fraction = done - restarts
        else:
            # Period i starts after 1 + t + ... + t^(i-1) = (1 - t^i) / (1 - t) first periods.
            restarts = floor(log(1.0 - done * (1.0 - longer)) / log(longer))
            scale = pow(longer, restarts)
            fraction = (done - (1.0 - scale) / (1.0 - longer)) / scale
        decayed = (1.0 - alpha) * (pow(smaller, restarts) * _cosine(fraction)) + alpha
        return multiply(rate, decayed, name=scope)


def linear_cosine_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    num_periods: float = 0.5,
    alpha: float = 0.0,
    beta: float = 0.001,
    name: str | None = None,
) -> Tensor:
    """`learning_rate * ((alpha + linear) * cosine + beta)`: a cosine in a linear envelope.

    Here `linear = 1 - step / decay_steps` and
    `cosine = (1 + cos(2 pi num_periods * step / decay_steps)) / 2`.

    Args:
      learning_rate: the rate at step 0, a number or scalar tensor.
      global_step: the number of steps done; from `decay_steps` on the rate stays.
      decay_steps: length of the decay in steps.
      num_periods: number of periods of the cosine in it.
      alpha, beta: see the formula.
      name: name of the result.

    Returns: as `exponential_decay`.

    Raises:
      ValueError: if `global_step` is None.

    Reference: Bello et al., 2017, https://arxiv.org/abs/1709.07417

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(round(float(hf.train.linear_cosine_decay(1.0, 5, 10, beta=0.0)), 4))
    0.25
    """
    with name_scope(name, "LinearCosineDecay", [learning_rate, global_step]) as scope:
        rate, step, steps = _same_dtype(
            learning_rate, global_step, "linear cosine decay", decay_steps
        )
        fraction = minimum(step, steps) / steps
        wave = _cosine(2.0 * num_periods * fraction)
        return multiply(rate, (alpha + (1.0 - fraction)) * wave + beta, name=scope)


def noisy_linear_cosine_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    initial_variance: float = 1.0,
    variance_decay: float = 0.55,
    num_periods: float = 0.5,
    alpha: float = 0.0,
    beta: float = 0.001,
    name: str | None = None,
) -> Tensor:
    """`linear_cosine_decay` with noise added to the linear part.

    The noise is normal with variance `initial_variance / (1 + step) ^ variance_decay`.

    Args, returns and raises: as for `linear_cosine_decay`, and the two numbers of the formula.

    Reference: Bello et al., 2017, https://arxiv.org/abs/1709.07417

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     rate = hf.train.noisy_linear_cosine_decay(1.0, 5, 10, initial_variance=0.0, beta=0.0)
    ...     print(round(float(rate), 4))
    0.25
    """
    with name_scope(name, "NoisyLinearCosineDecay", [learning_rate, global_step]) as scope:
        rate, step, steps = _same_dtype(
            learning_rate, global_step, "noisy linear cosine decay", decay_steps
        )
        step = minimum(step, steps)
        fraction = step / steps
        deviation = sqrt(initial_variance / pow(1.0 + step, variance_decay))
        linear = 1.0 - fraction + random_normal([], stddev=deviation, dtype=rate.dtype)
        wave = _cosine(2.0 * num_periods * fraction)
        return multiply(rate, (alpha + linear) * wave + beta, name=scope)
