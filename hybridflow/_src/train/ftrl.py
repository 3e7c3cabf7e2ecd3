"""FTRL-Proximal."""

from __future__ import annotations

from typing import Any

from hybridflow._src.ops.state import training
from hybridflow._src.train.rule_optimizer import RuleOptimizer, hyperparameter, in_dtype

__all__ = ["FtrlOptimizer"]


class FtrlOptimizer(RuleOptimizer):
    """Follow the regularized leader: sparse weights for models with many rare features.

        a' = a + g^2;  z = z + g - (a'^-p - a^-p) / learning_rate * v      (p = learning_rate_power)
        v = (sign(z) * l1 - z) / (a'^-p / learning_rate + 2 * l2)  where |z| > l1, else 0;  a = a'

    With a shrinkage strength `s > 0` the gradient used is `g + 2 * s * v`. The slots "accum" and
    "linear" hold `a` and `z`. A sparse gradient changes only the rows it has.

    Args:
      learning_rate: number, scalar tensor, or function without arguments that gives one.
      learning_rate_power: a number that is not positive.
      initial_accumulator_value: what `a` starts at; must be positive.
      l1_regularization_strength, l2_regularization_strength: numbers that are not negative.
      use_locking: see `Optimizer`.
      name: name of the optimizer and of the operations that apply gradients.
      accum_name, linear_name: suffixes of the slots' names, instead of `name`.
      l2_shrinkage_regularization_strength: `s`, a number that is not negative: an L2 penalty on the
        size of the weights, where the other L2 term is one on their change.

    Raises:
      ValueError: for values out of these ranges.

    Note: with shrinkage, as TF 1.4 computes it, what is added to `a` is `(g + 2 * s * v)^2` at the
    *new* `v`; TF from 2.0 on adds `g^2`.

    Reference: McMahan et al., 2013,
    https://www.eecs.tufts.edu/~dsculley/papers/ad-click-prediction.pdf

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     v = hf.Variable([0.0, 0.0])
    ...     optimizer = hf.train.FtrlOptimizer(1.0, l1_regularization_strength=1.0)
    ...     optimizer.apply_gradients([(hf.constant([0.5, -3.0]), v)])
    ...     print(v.numpy().round(3))
    [0.    0.663]
    """

    _rule_slots = ("accum", "linear")

    def __init__(
        self,
        learning_rate: Any,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        use_locking: bool = False,
        name: str = "Ftrl",
        accum_name: str | None = None,
        linear_name: str | None = None,
        l2_shrinkage_regularization_strength: float = 0.0,
    ) -> None:
        super().__init__(use_locking, name)
        if initial_accumulator_value <= 0.0:
            raise ValueError(
                f"initial_accumulator_value {initial_accumulator_value} needs to be positive"
            )
        if learning_rate_power > 0.0:
            raise ValueError(
                f"learning_rate_power {learning_rate_power} needs to be negative or zero"
            )
        for what, value in (
            ("l1_regularization_strength", l1_regularization_strength),
            ("l2_regularization_strength", l2_regularization_strength),
            ("l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength),
        ):
            if value < 0.0:
                raise ValueError(f"{what} {value} needs to be greater than or equal to zero")
        self._learning_rate = learning_rate
        self._learning_rate_power = learning_rate_power
        self._initial_accumulator_value = initial_accumulator_value
        self._l1_regularization_strength = l1_regularization_strength
        self._l2_regularization_strength = l2_regularization_strength
        self._l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self._accum_name = accum_name
        self._linear_name = linear_name
        shrinks = l2_shrinkage_regularization_strength > 0.0
        self._rule = training.FTRL_SHRINKAGE if shrinks else training.FTRL

    def _create_slots(self, var_list: list[Any]) -> None:
        for v in var_list:
            start = self._initial_accumulator_value
            self._constant_slot(v, start, "accum", self._accum_name or self._name)
            self._zeros_slot(v, "linear", self._linear_name or self._name)

    def _prepare(self) -> None:
        self._learning_rate_tensor = hyperparameter(self._learning_rate, "learning_rate")
        self._l1_regularization_strength_tensor = hyperparameter(
            self._l1_regularization_strength, "l1_regularization_strength"
        )
        self._l2_regularization_strength_tensor = hyperparameter(
            self._l2_regularization_strength, "l2_regularization_strength"
        )
        self._l2_shrinkage_regularization_strength_tensor = hyperparameter(
            self._l2_shrinkage_regularization_strength, "l2_shrinkage_regularization_strength"
        )
        self._learning_rate_power_tensor = hyperparameter(
            self._learning_rate_power, "learning_rate_power"
        )

    def _operands(self, dtype: Any) -> list[Any]:
        tensors = [
            self._learning_rate_tensor,
            self._l1_regularization_strength_tensor,
            self._l2_regularization_strength_tensor,
        ]
        if self._rule is training.FTRL_SHRINKAGE:
            tensors.append(self._l2_shrinkage_regularization_strength_tensor)
        return in_dtype([*tensors, self._learning_rate_power_tensor], dtype)
