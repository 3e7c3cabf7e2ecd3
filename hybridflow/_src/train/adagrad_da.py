"""Adagrad with dual averaging."""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.state import training
from hybridflow._src.train.rule_optimizer import RuleOptimizer, hyperparameter, in_dtype

__all__ = ["AdagradDAOptimizer"]


class AdagradDAOptimizer(RuleOptimizer):
    """Adagrad by dual averaging, which keeps weights at zero where gradients are small.

        G = G + g;  Q = Q + g^2;  t = global_step + 1
        v = -learning_rate * shrink(G, l1 * t) / (l2 * t * learning_rate + sqrt(Q))

    with `shrink(x, a) = sign(x) * max(|x| - a, 0)`. The slots "gradient_accumulator" and
    "gradient_squared_accumulator" hold `G` and `Q`. A variable's initial value is forgotten at its
    first update. A sparse gradient changes only the rows it has.

    Args:
      learning_rate: number, scalar tensor, or function without arguments that gives one.
      global_step: variable or tensor with the number of steps done.
      initial_gradient_squared_accumulator_value: what `Q` starts at; must be positive.
      l1_regularization_strength, l2_regularization_strength: numbers that are not negative.
      use_locking: see `Optimizer`.
      name: name of the optimizer and of the operations that apply gradients.

    Raises:
      ValueError: if `initial_gradient_squared_accumulator_value` is not positive.

    Reference: Duchi, Hazan and Singer, 2011,
    http://www.jmlr.org/papers/volume12/duchi11a/duchi11a.pdf

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     v, step = hf.Variable(5.0), hf.Variable(0, trainable=False)
    ...     optimizer = hf.train.AdagradDAOptimizer(1.0, step, 3.0, l1_regularization_strength=0.5)
    ...     optimizer.minimize(lambda: v * 1.0, global_step=step)
    ...     print(float(v))
    -0.25
    """

    _rule = training.ADAGRAD_DA
    _rule_slots = ("gradient_accumulator", "gradient_squared_accumulator")

    def __init__(
        self,
        learning_rate: Any,
        global_step: Any,
        initial_gradient_squared_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        use_locking: bool = False,
        name: str = "AdagradDA",
    ) -> None:
        start = initial_gradient_squared_accumulator_value
        if start <= 0.0:
            raise ValueError(
                f"initial_gradient_squared_accumulator_value must be positive: {start}"
            )
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._global_step = global_step
        self._initial_gradient_squared_accumulator_value = start
        self._l1_regularization_strength = l1_regularization_strength
        self._l2_regularization_strength = l2_regularization_strength

    def _create_slots(self, var_list: list[Any]) -> None:
        for v in var_list:
            starts = (0.0, self._initial_gradient_squared_accumulator_value)
            for slot, start in zip(self._rule_slots, starts, strict=True):
                self._constant_slot(v, start, slot, self._name)

    def _prepare(self) -> None:
        self._learning_rate_tensor = hyperparameter(self._learning_rate, "learning_rate")
        step = cast(convert_to_tensor(self._global_step), dtypes.int64)
        self._global_step_on_worker = step + 1

    def _operands(self, dtype: Any) -> list[Any]:
        strengths = [self._l1_regularization_strength, self._l2_regularization_strength]
        tensors = [self._learning_rate_tensor, *[hyperparameter(s, "x") for s in strengths]]
        return [*in_dtype(tensors, dtype), self._global_step_on_worker]
