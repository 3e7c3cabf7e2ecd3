"""Gradient descent with momentum."""

from __future__ import annotations

from typing import Any

from hybridflow._src.ops.state import training
from hybridflow._src.train.rule_optimizer import RuleOptimizer, hyperparameter, in_dtype

__all__ = ["MomentumOptimizer"]


class MomentumOptimizer(RuleOptimizer):
    """`a = momentum * a + g`; `v = v - learning_rate * a`.

    With Nesterov's momentum `v = v - learning_rate * (g + momentum * a)`.

    The slot "momentum" holds `a`, which starts at zero. A sparse gradient changes only the rows it
    has.

    Args:
      learning_rate: number, scalar tensor, or function without arguments that gives one.
      momentum: likewise.
      use_locking: see `Optimizer`.
      name: name of the optimizer and of the operations that apply gradients.
      use_nesterov: whether to use Nesterov's momentum.

    Reference: Sutskever et al., 2013, http://jmlr.org/proceedings/papers/v28/sutskever13.pdf

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     v = hf.Variable(1.0)
    ...     optimizer = hf.train.MomentumOptimizer(0.5, momentum=0.5)
    ...     for _ in range(2):
    ...         optimizer.minimize(lambda: v * 1.0)
    ...     print(float(v), float(optimizer.get_slot(v, "momentum")))
    -0.25 1.5
    """

    _rule = training.MOMENTUM
    _rule_slots = ("momentum",)

    def __init__(
        self,
        learning_rate: Any,
        momentum: Any,
        use_locking: bool = False,
        name: str = "Momentum",
        use_nesterov: bool = False,
    ) -> None:
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._momentum = momentum
        self._use_nesterov = use_nesterov

    def _create_slots(self, var_list: list[Any]) -> None:
        for v in var_list:
            self._zeros_slot(v, "momentum", self._name)

    def _prepare(self) -> None:
        self._learning_rate_tensor = hyperparameter(self._learning_rate, "learning_rate")
        self._momentum_tensor = hyperparameter(self._momentum, "momentum")

    def _operands(self, dtype: Any) -> list[Any]:
        return in_dtype([self._learning_rate_tensor, self._momentum_tensor], dtype)

    def _rule_attrs(self) -> dict[str, Any]:
        return {"use_nesterov": bool(self._use_nesterov)}
