"""Adagrad."""

from __future__ import annotations

from typing import Any

from hybridflow._src.ops.state import training
from hybridflow._src.train.rule_optimizer import RuleOptimizer, hyperparameter, in_dtype
from hybridflow._src.variables.initializers import Constant

__all__ = ["AdagradOptimizer"]


class AdagradOptimizer(RuleOptimizer):
    """`a = a + g^2`; `v = v - learning_rate * g / sqrt(a)`.

    The slot "accumulator" holds `a`. A sparse gradient changes only the rows it has.

    Args:
      learning_rate: number, scalar tensor, or function without arguments that gives one.
      initial_accumulator_value: what `a` starts at; must be positive.
      use_locking: see `Optimizer`.
      name: name of the optimizer and of the operations that apply gradients.

    Raises:
      ValueError: if `initial_accumulator_value` is not positive.

    Reference: Duchi, Hazan and Singer, 2011,
    http://www.jmlr.org/papers/volume12/duchi11a/duchi11a.pdf

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     v = hf.Variable(1.0)
    ...     optimizer = hf.train.AdagradOptimizer(0.5, initial_accumulator_value=3.0)
    ...     optimizer.minimize(lambda: v * 1.0)
    ...     print(float(v), float(optimizer.get_slot(v, "accumulator")))
    0.75 4.0
    """

    _rule = training.ADAGRAD
    _rule_slots = ("accumulator",)

    def __init__(
        self,
        learning_rate: Any,
        initial_accumulator_value: float = 0.1,
        use_locking: bool = False,
        name: str = "Adagrad",
    ) -> None:
        if initial_accumulator_value <= 0.0:
            raise ValueError(
                f"initial_accumulator_value must be positive: {initial_accumulator_value}"
            )
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._initial_accumulator_value = initial_accumulator_value

    def _create_slots(self, var_list: list[Any]) -> None:
        start = self._initial_accumulator_value
        for v in var_list:
            if v.shape.is_fully_defined():
                self._get_or_make_slot_with_initializer(
                    v, Constant(start), v.shape, v.dtype, "accumulator", self._name
                )
            else:
                self._constant_slot(v, start, "accumulator", self._name)

    def _prepare(self) -> None:
        self._learning_rate_tensor = hyperparameter(self._learning_rate, "learning_rate")

    def _operands(self, dtype: Any) -> list[Any]:
        return in_dtype([self._learning_rate_tensor], dtype)
