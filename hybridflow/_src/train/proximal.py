"""Proximal gradient descent and Adagrad: L1 and L2 penalties applied exactly after each step."""

from __future__ import annotations

from typing import Any

from hybridflow._src.ops.state import training
from hybridflow._src.train.rule_optimizer import RuleOptimizer, hyperparameter, in_dtype

__all__ = ["ProximalAdagradOptimizer", "ProximalGradientDescentOptimizer"]


class _Proximal(RuleOptimizer):
    """What both share: hyperparameters."""

    _learning_rate: Any
    _l1_regularization_strength: float
    _l2_regularization_strength: float

    def _prepare(self) -> None:
        self._learning_rate_tensor = hyperparameter(self._learning_rate, "learning_rate")
        self._l1_regularization_strength_tensor = hyperparameter(
            self._l1_regularization_strength, "l1_regularization_strength"
        )
        self._l2_regularization_strength_tensor = hyperparameter(
            self._l2_regularization_strength, "l2_regularization_strength"
        )

    def _operands(self, dtype: Any) -> list[Any]:
        return in_dtype(
            [
                self._learning_rate_tensor,
                self._l1_regularization_strength_tensor,
                self._l2_regularization_strength_tensor,
            ],
            dtype,
        )


class ProximalGradientDescentOptimizer(_Proximal):
    """`v = prox(v - learning_rate * g)`: a step, then the penalties.

        prox(x) = sign(x) * max(|x| - learning_rate * l1, 0) / (1 + learning_rate * l2)

    is the `u` that minimizes `|u - x|^2 / 2 + learning_rate * (l1 |u| + l2 u^2 / 2)`. A sparse
    gradient changes only the rows it has.

    Args:
      learning_rate: number, scalar tensor, or function without arguments that gives one.
      l1_regularization_strength, l2_regularization_strength: numbers that are not negative.
      use_locking: see `Optimizer`.
      name: name of the optimizer and of the operations that apply gradients.

    Note: TF 1.4 takes only float32 variables here.

    Reference: Duchi and Singer, 2009, Efficient learning using forward-backward splitting

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     v = hf.Variable([1.0, 0.25])
    ...     optimizer = hf.train.ProximalGradientDescentOptimizer(0.5, 1.0)
    ...     optimizer.apply_gradients([(hf.constant([0.0, 0.0]), v)])
    ...     print(v.numpy())
    [0.5 0. ]
    """

    _rule = training.PROXIMAL_GRADIENT_DESCENT

    def __init__(
        self,
        learning_rate: Any,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        use_locking: bool = False,
        name: str = "ProximalGradientDescent",
    ) -> None:
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._l1_regularization_strength = l1_regularization_strength
        self._l2_regularization_strength = l2_regularization_strength


class ProximalAdagradOptimizer(_Proximal):
    """`a = a + g^2`, then proximal gradient descent with the rate `learning_rate / sqrt(a)`.

    The slot "accumulator" holds `a`. A sparse gradient changes only the rows it has.

    Args:
      learning_rate: number, scalar tensor, or function without arguments that gives one.
      initial_accumulator_value: what `a` starts at; must be positive.
      l1_regularization_strength, l2_regularization_strength: numbers that are not negative.
      use_locking: see `Optimizer`.
      name: name of the optimizer and of the operations that apply gradients.

    Raises:
      ValueError: if `initial_accumulator_value` is not positive.

    Note: TF 1.4 takes only float32 variables here.

    Reference: Duchi and Singer, 2009, Efficient learning using forward-backward splitting

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     v = hf.Variable(1.0)
    ...     optimizer = hf.train.ProximalAdagradOptimizer(0.5, initial_accumulator_value=3.0)
    ...     optimizer.minimize(lambda: v * 1.0)
    ...     print(float(v))
    0.75
    """

    _rule = training.PROXIMAL_ADAGRAD
    _rule_slots = ("accumulator",)

    def __init__(
        self,
        learning_rate: Any,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        use_locking: bool = False,
        name: str = "ProximalAdagrad",
    ) -> None:
        if initial_accumulator_value <= 0.0:
            raise ValueError(
                f"initial_accumulator_value must be positive: {initial_accumulator_value}"
            )
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._initial_accumulator_value = initial_accumulator_value
        self._l1_regularization_strength = l1_regularization_strength
        self._l2_regularization_strength = l2_regularization_strength

    def _create_slots(self, var_list: list[Any]) -> None:
        for v in var_list:
            self._constant_slot(v, self._initial_accumulator_value, "accumulator", self._name)
