"""RMSProp."""

from __future__ import annotations

from typing import Any

from hybridflow._src.ops.state import training
from hybridflow._src.train.rule_optimizer import RuleOptimizer, hyperparameter, in_dtype
from hybridflow._src.variables.initializers import Ones

__all__ = ["RMSPropOptimizer"]


class RMSPropOptimizer(RuleOptimizer):
    """Steps scaled by a running mean of the gradient's square.

        r = decay * r + (1 - decay) * g^2
        c = decay * c + (1 - decay) * g       (centered; else c = 0)
        a = momentum * a + learning_rate * g / sqrt(r - c^2 + epsilon)
        v = v - a

    The slots "rms" (which starts at one), "mg" (if centered) and "momentum" hold `r`, `c` and `a`.
    A sparse gradient changes only the rows it has.

    Args:
      learning_rate, decay, momentum, epsilon: number, scalar tensor, or function without arguments
        that gives one.
      use_locking: see `Optimizer`.
      centered: whether to divide by an estimate of the variance, not of the second moment.
      name: name of the optimizer and of the operations that apply gradients.

    Reference: Tieleman and Hinton, 2012; centered: Graves, 2013, https://arxiv.org/abs/1308.0850

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     v = hf.Variable(1.0)
    ...     hf.train.RMSPropOptimizer(0.5, decay=0.0).minimize(lambda: 3.0 * v)
    ...     print(float(v))
    0.5
    """

    def __init__(
        self,
        learning_rate: Any,
        decay: Any = 0.9,
        momentum: Any = 0.0,
        epsilon: Any = 1e-10,
        use_locking: bool = False,
        centered: bool = False,
        name: str = "RMSProp",
    ) -> None:
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._decay = decay
        self._momentum = momentum
        self._epsilon = epsilon
        self._centered = centered
        self._rule = training.CENTERED_RMS_PROP if centered else training.RMS_PROP
        self._rule_slots = ("mg", "rms", "momentum") if centered else ("rms", "momentum")

    def _create_slots(self, var_list: list[Any]) -> None:
        for v in var_list:
            self._get_or_make_slot_with_initializer(v, Ones(), v.shape, v.dtype, "rms", self._name)
            if self._centered:
                self._zeros_slot(v, "mg", self._name)
            self._zeros_slot(v, "momentum", self._name)

    def _prepare(self) -> None:
        self._learning_rate_tensor = hyperparameter(self._learning_rate, "learning_rate")
        self._decay_tensor = hyperparameter(self._decay, "decay")
        self._momentum_tensor = hyperparameter(self._momentum, "momentum")
        self._epsilon_tensor = hyperparameter(self._epsilon, "epsilon")

    def _operands(self, dtype: Any) -> list[Any]:
        tensors = [self._learning_rate_tensor, self._decay_tensor]
        return in_dtype([*tensors, self._momentum_tensor, self._epsilon_tensor], dtype)
