"""`tensorflow.compat.v2.optimizers`: they count their steps, and take losses as functions.

Keras' SGD and Adam, on those of `tf.train`; and the base of what libraries derive from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.autodiff.gradients import gradients
from hybridflow._src.autodiff.tape import GradientTape
from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.indexed_slices import IndexedSlices
from hybridflow._src.framework.scopes import control_dependencies, name_scope
from hybridflow._src.ops.arrays.constant import zeros
from hybridflow._src.ops.control_flow.ordering import group
from hybridflow._src.train.adam import AdamOptimizer
from hybridflow._src.train.gradient_descent import GradientDescentOptimizer
from hybridflow._src.train.momentum import MomentumOptimizer
from hybridflow._src.variables.resource_variable import ResourceVariable

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["SGD", "Adam", "Optimizer"]


class Optimizer:
    """The base: a subclass makes variables in `_create_slots`, updates in `_resource_` hooks.

    Args:
      name: name of its ops.
    """

    _use_locking = True

    def __init__(self, name: str, **kwargs: Any) -> None:
        if kwargs:
            raise TypeError(
                f"{type(self).__name__}: expected no further keywords, got {sorted(kwargs)}. "
                "Gradients are clipped before `apply_gradients`."
            )
        self._name = name
        self._iterations: Any = None
        self._slots: dict[tuple[int, str], Any] = {}
        self._weights: list[Any] = []

    @property
    def iterations(self) -> Any:
        """The number of steps that were made, an int64 variable."""
        if self._iterations is None:
            self._iterations = ResourceVariable(
                0, trainable=False, dtype=dtypes.int64, name=f"{self._name}/iter"
            )
            self._weights.append(self._iterations)
        return self._iterations

    def variables(self) -> list[Any]:
        """The number of steps, and what its slots hold."""
        return list(self._weights)

    weights = property(variables)

    def get_config(self) -> dict[str, Any]:
        """Its settings, by which another one like it can be made."""
        return {"name": self._name}

    # -- steps -------------------------------------------------------------------------------------

    def minimize(
        self, loss: Any, var_list: Any, grad_loss: Any = None, name: str | None = None
    ) -> Any:
        """A step down the gradients of a loss.

        Args:
          loss: a function without arguments that gives it.
          var_list: the variables, or a function that gives them.
          grad_loss: the gradient of the loss, 1 by default.
          name: name of the op.

        Returns: the op that makes the step; it has been made in eager mode.
        """
        if context.modes.top.eager:
            with GradientTape() as tape:
                value = loss()
            variables = self._listed(var_list)
            found = tape.gradient(value, variables, grad_loss)
        else:
            value = loss()
            variables = self._listed(var_list)
            found = gradients(value, variables, grad_loss)
        return self.apply_gradients(zip(found, variables, strict=True), name)

    def _listed(self, var_list: Any) -> list[Any]:
        return list(var_list() if callable(var_list) else var_list)

    def apply_gradients(
        self, grads_and_vars: Iterable[tuple[Any, Any]], name: str | None = None
    ) -> Any:
        """A step by gradients that were computed.

        Raises:
          ValueError: if no variable has a gradient.
        """
        pairs = [(grad, variable) for grad, variable in grads_and_vars if grad is not None]
        if not pairs:
            raise ValueError(f"{self._name}: no gradients provided for any variable.")
        variables = [variable for _, variable in pairs]
        steps = self.iterations
        self._create_slots(variables)
        with name_scope(name, self._name):
            self._prepare(variables)
            updates = [self._update(grad, variable) for grad, variable in pairs]
            with control_dependencies([u for u in updates if u is not None]):
                counted = steps.assign_add(1)
        return counted if context.modes.top.eager else group(counted)

    def _update(self, grad: Any, variable: Any) -> Any:
        if isinstance(grad, IndexedSlices):
            return self._resource_apply_sparse(grad.values, variable, grad.indices)
        return self._resource_apply_dense(grad, variable)

    # -- for subclasses ----------------------------------------------------------------------------

    def add_slot(self, var: Any, slot_name: str, initializer: Any = "zeros") -> Any:
        """The variable of a name that goes with another one, made where it is missing."""
        key = id(var), slot_name
        if key not in self._slots:
            if callable(initializer):
                value = initializer(var.shape, dtype=var.dtype.base_dtype)
            elif initializer == "zeros":
                value = zeros(var.shape, var.dtype.base_dtype)
            else:
                value = initializer
            name = f"{self._name}/{var.op.name}/{slot_name}"
            self._slots[key] = ResourceVariable(value, trainable=False, name=name)
            self._weights.append(self._slots[key])
        return self._slots[key]

    def get_slot(self, var: Any, slot_name: str) -> Any:
        """The variable that `add_slot` made.

        Raises:
          KeyError: if it has made none.
        """
        return self._slots[id(var), slot_name]

    def _create_slots(self, var_list: list[Any]) -> None:
        """Makes what goes with variables."""

    def _prepare(self, var_list: list[Any]) -> None:
        """Makes what all updates of a step use."""

    def _resource_apply_dense(self, grad: Any, var: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not define _resource_apply_dense.")

    def _resource_apply_sparse(self, grad: Any, var: Any, indices: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not define _resource_apply_sparse.")

    def _resource_scatter_add(self, x: Any, i: Any, v: Any) -> Any:
        return x.scatter_add(IndexedSlices(v, i))

    def _resource_scatter_update(self, x: Any, i: Any, v: Any) -> Any:
        return x.scatter_update(IndexedSlices(v, i))


class _OfTrain(Optimizer):
    """One whose steps an optimizer of `tf.train` makes."""

    def __init__(self, inner: Any, name: str, config: dict[str, Any]) -> None:
        super().__init__(name)
        self._inner, self._config = inner, config

    def variables(self) -> list[Any]:
        """The number of steps, and what its slots hold."""
        return [*super().variables(), *self._inner.variables()]

    weights = property(variables)

    def get_config(self) -> dict[str, Any]:
        """Its settings, by which another one like it can be made."""
        return {**super().get_config(), **self._config}

    @property
    def learning_rate(self) -> Any:
        """The size of steps, as it was given."""
        return self._config["learning_rate"]

    def apply_gradients(
        self, grads_and_vars: Iterable[tuple[Any, Any]], name: str | None = None
    ) -> Any:
        """A step by gradients that were computed."""
        steps = self.iterations
        return self._inner.apply_gradients(list(grads_and_vars), global_step=steps, name=name)


class SGD(_OfTrain):
    """Steps down the gradient, with momentum if there is some."""

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        name: str = "SGD",
    ) -> None:
        config = {"learning_rate": learning_rate, "momentum": momentum, "nesterov": nesterov}
        if momentum:
            inner: Any = MomentumOptimizer(
                learning_rate, momentum, name=name, use_nesterov=nesterov
            )
        else:
            inner = GradientDescentOptimizer(learning_rate, name=name)
        super().__init__(inner, name, config)


class Adam(_OfTrain):
    """Steps scaled by running means of the gradient and of its square.

    Raises:
      ValueError: with `amsgrad`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        name: str = "Adam",
    ) -> None:
        if amsgrad:
            raise ValueError("Adam: expected amsgrad=False, got True: there is no AMSGrad.")
        config = {
            "learning_rate": learning_rate,
            "beta_1": beta_1,
            "beta_2": beta_2,
            "epsilon": epsilon,
            "amsgrad": amsgrad,
        }
        inner = AdamOptimizer(learning_rate, beta_1, beta_2, epsilon, name=name)
        super().__init__(inner, name, config)
