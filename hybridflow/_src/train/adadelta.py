"""Adadelta."""

from __future__ import annotations

from typing import Any, ClassVar

from hybridflow._src.ops.state import training
from hybridflow._src.train.rule_optimizer import RuleOptimizer, hyperparameter, in_dtype

__all__ = ["AdadeltaOptimizer"]


class AdadeltaOptimizer(RuleOptimizer):
    """Steps scaled by the ratio of running means: of past steps over past gradients.

        a = rho * a + (1 - rho) * g^2
        s = sqrt(d + epsilon) / sqrt(a + epsilon) * g
        d = rho * d + (1 - rho) * s^2
        v = v - learning_rate * s

    The slots "accum" and "accum_update" hold `a` and `d`, which start at zero. A sparse gradient
    changes only the rows it has.

    Args:
      learning_rate, rho, epsilon: number, scalar tensor, or function without arguments that gives
        one.
      use_locking: see `Optimizer`.
      name: name of the optimizer and of the operations that apply gradients.

    Note: this is the paper's rule. TF 1.4 evaluates `s` once more for `v`, after `d` has changed.

    Reference: Zeiler, 2012, http://arxiv.org/abs/1212.5701

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     v = hf.Variable(1.0)
    ...     hf.train.AdadeltaOptimizer(1.0, rho=0.0, epsilon=1.0).minimize(lambda: v * 1.0)
    ...     print(round(float(v), 4))
    0.2929
    """

    _rule = training.ADADELTA
    _kept_as: ClassVar = {"learning_rate": "_lr"}
    _rule_slots = ("accum", "accum_update")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: Any = 0.95,
        epsilon: Any = 1e-8,
        use_locking: bool = False,
        name: str = "Adadelta",
    ) -> None:
        super().__init__(use_locking, name)
        self._lr = learning_rate
        self._rho = rho
        self._epsilon = epsilon

    def _create_slots(self, var_list: list[Any]) -> None:
        for v in var_list:
            for slot in self._rule_slots:
                self._zeros_slot(v, slot, self._name)

    def _prepare(self) -> None:
        self._lr_t = hyperparameter(self._lr, "lr")
        self._rho_t = hyperparameter(self._rho, "rho")
        self._epsilon_t = hyperparameter(self._epsilon, "epsilon")

    def _operands(self, dtype: Any) -> list[Any]:
        return in_dtype([self._lr_t, self._rho_t, self._epsilon_t], dtype)
