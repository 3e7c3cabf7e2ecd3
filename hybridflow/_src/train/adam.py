"""Adam, and its lazy form."""

from __future__ import annotations

from typing import Any, ClassVar

from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import control_dependencies
from hybridflow._src.ops.control_flow.ordering import group
from hybridflow._src.ops.state import training
from hybridflow._src.train.rule_optimizer import RuleOptimizer, hyperparameter, in_dtype
from hybridflow._src.variables.resource_variable import ResourceVariable

__all__ = ["AdamOptimizer", "LazyAdamOptimizer"]


class AdamOptimizer(RuleOptimizer):
    """Steps scaled by running means of the gradient and of its square.

        m = beta1 * m + (1 - beta1) * g
        u = beta2 * u + (1 - beta2) * g^2
        v = v - learning_rate * sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(u) + epsilon)

    The slots "m" and "v" hold `m` and `u`, which start at zero; the variables `beta1_power` and
    `beta2_power` hold the powers for step `t`. A sparse gradient changes all rows, since all means
    decay; `hf.contrib.opt.LazyAdamOptimizer` changes only the rows that the gradient names.

    Args:
      learning_rate, beta1, beta2, epsilon: number, scalar tensor, or function without arguments
        that gives one.
      use_locking: see `Optimizer`.
      name: name of the optimizer and of the operations that apply gradients.

    Note: `epsilon` is the paper's "epsilon hat". As in TF 1.4 hyperparameters are rounded to
    float32, and the powers are float32, whatever the variable's dtype is; in float16 the default
    epsilon is 0.

    Reference: Kingma and Ba, 2014, https://arxiv.org/abs/1412.6980

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     v = hf.Variable([1.0, -3.0])
    ...     hf.train.AdamOptimizer(0.5).minimize(lambda: hf.reduce_sum(v * v))
    ...     print(v.numpy().round(3))
    [ 0.5 -2.5]
    """

    _rule = training.ADAM
    _kept_as: ClassVar = {"learning_rate": "_lr"}
    _rule_slots = ("m", "v")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta1: Any = 0.9,
        beta2: Any = 0.999,
        epsilon: Any = 1e-8,
        use_locking: bool = False,
        name: str = "Adam",
    ) -> None:
        super().__init__(use_locking, name)
        self._lr = learning_rate
        self._beta1 = beta1
        self._beta2 = beta2
        self._epsilon = epsilon

    def _get_beta_accumulators(self) -> tuple[Any, Any]:
        """The variables with the powers of beta1 and beta2."""
        return (
            self._get_non_slot_variable("beta1_power"),
            self._get_non_slot_variable("beta2_power"),
        )

    def _create_slots(self, var_list: list[Any]) -> None:
        # They stand beside the variable whose name comes first.
        first = min(var_list, key=lambda v: v.name)
        for name, beta in (("beta1_power", self._beta1), ("beta2_power", self._beta2)):
            value = beta() if callable(beta) else beta
            self._create_non_slot_variable(value, name, first)
        for v in var_list:
            self._zeros_slot(v, "m", self._name)
            self._zeros_slot(v, "v", self._name)

    def _prepare(self) -> None:
        self._lr_t = hyperparameter(self._lr, "learning_rate")
        self._beta1_t = hyperparameter(self._beta1, "beta1")
        self._beta2_t = hyperparameter(self._beta2, "beta2")
        self._epsilon_t = hyperparameter(self._epsilon, "epsilon")

    def _operands(self, dtype: Any) -> list[Any]:
        powers = [power.value() for power in self._get_beta_accumulators()]
        rest = [self._lr_t, self._beta1_t, self._beta2_t, self._epsilon_t]
        return in_dtype([*powers, *rest], dtype)

    def _finish(self, update_ops: list[Any], name_scope: str) -> Any:
        with control_dependencies(update_ops):
            betas = (self._beta1_t, self._beta2_t)
            powers = [
                _multiply(power, beta)
                for power, beta in zip(self._get_beta_accumulators(), betas, strict=True)
            ]
        return group(*update_ops, *powers, name=name_scope)


class LazyAdamOptimizer(AdamOptimizer):
    """Adam whose sparse gradients change only the rows that they name.

    The means of the other rows do not decay, and those rows neither move nor are projected. So a
    step costs as much as the rows that it touches, however large the table is, and rows that come
    seldom take larger steps than with `AdamOptimizer`. Dense gradients are applied as there.

    Args:
      learning_rate, beta1, beta2, epsilon, use_locking, name: see `AdamOptimizer`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     v = hf.Variable([[1.0], [2.0], [3.0]])
    ...     optimizer = hf.contrib.opt.LazyAdamOptimizer(0.5)
    ...     for row in (0, 2):
    ...         optimizer.minimize(lambda: hf.reduce_sum(hf.gather(v, [row])))
    ...     print(v.numpy().ravel().round(2))
    [0.5  2.   2.63]
    """

    _rule = training.LAZY_ADAM


def _multiply(variable: Any, factor: Any) -> Any:
    """The operation that multiplies a variable, so that no other thread's factor is lost."""
    factor = in_dtype([factor], variable._dtype)[0]
    if isinstance(variable, ResourceVariable):
        return raw.AssignMulVariableOp(variable.handle, factor)
    return raw.AssignMul(variable.handle, factor).op
