"""Plain gradient descent."""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework.registry import raw
from hybridflow._src.ops.state import training
from hybridflow._src.train.rule_optimizer import (
    RuleOptimizer,
    hyperparameter,
    in_dtype,
    sums_repeated,
)

__all__ = ["GradientDescentOptimizer"]


class GradientDescentOptimizer(RuleOptimizer):
    """`v = v - learning_rate * g`.

    Args:
      learning_rate: number, scalar tensor, or function without arguments that gives one.
      use_locking: see `Optimizer`.
      name: name of the optimizer and of the operations that apply gradients.

    Note: as in TF 1.4 hyperparameters are rounded to float32, whatever the variable's dtype is;
    only for sparse gradients of resource variables a Python number is taken as it is.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     v = hf.Variable(3.0)
    ...     hf.train.GradientDescentOptimizer(0.25).minimize(lambda: v * v)
    ...     print(float(v))
    1.5
    """

    _rule = training.GRADIENT_DESCENT

    def __init__(
        self, learning_rate: Any, use_locking: bool = False, name: str = "GradientDescent"
    ) -> None:
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate

    def _prepare(self) -> None:
        self._learning_rate_tensor = hyperparameter(self._learning_rate, "learning_rate")

    def _operands(self, dtype: Any) -> list[Any]:
        return in_dtype([self._learning_rate_tensor], dtype)

    @sums_repeated
    def _resource_apply_sparse(self, grad: Any, handle: Any, indices: Any) -> Any:
        rate = self._learning_rate
        if not isinstance(rate, int | float):
            rate = self._operands(handle._dtype)[0]
        return raw.ResourceSparseApplyGradientDescent(handle.handle, rate, grad, indices)
