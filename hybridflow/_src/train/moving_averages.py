"""Moving averages of variables and tensors."""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.described import Described
from hybridflow._src.framework.graph_keys import GraphKeys, add_to_collection
from hybridflow._src.framework.scopes import init_scope, name_scope
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.control_flow.ordering import group
from hybridflow._src.ops.math.elementwise import minimum
from hybridflow._src.train.slots import SlotSets, make_slot
from hybridflow._src.variables.averaging import assign_moving_average
from hybridflow._src.variables.initialization import (
    global_variables,
    moving_average_variables,
    trainable_variables,
)
from hybridflow._src.variables.initializers import Zeros
from hybridflow._src.variables.variable import Variable

__all__ = ["ExponentialMovingAverage"]

_NOT_TENSOR = (
    "ExponentialMovingAverage.apply takes variables and tensors, got {value!r:.200} (pass the "
    "parts of a partitioned variable)."
)
_NOT_VARIABLE = (
    "ExponentialMovingAverage.apply: in eager mode only variables have averages, got "
    "{value!r:.200}. A tensor is a new object at each step: assign it to a variable and average "
    "that."
)


class ExponentialMovingAverage(Described):
    """Keeps running means of variables: `average = decay * average + (1 - decay) * value`.

    Args:
      decay: a number near 1, or a scalar tensor.
      num_updates: number of updates done, a variable, tensor or number: the decay used is then
        `min(decay, (1 + num_updates) / (10 + num_updates))`, so that averages move faster at the
        start.
      zero_debias: whether averages of tensors, which start at 0, are divided by `1 - decay^n` after
        `n` updates. (Averages of variables start at the variable's initial value.)
      name: suffix of the averages' names, and name of the operations.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     v = hf.Variable(0.0)
    ...     ema = hf.train.ExponentialMovingAverage(0.75)
    ...     for value in (0.0, 1.0, 1.0):
    ...         _ = v.assign(value)
    ...         ema.apply([v])
    ...     print(float(ema.average(v)))
    0.4375
    """

    def __init__(
        self,
        decay: Any,
        num_updates: Any = None,
        zero_debias: bool = False,
        name: str = "ExponentialMovingAverage",
    ) -> None:
        self._decay = decay
        self._num_updates = num_updates
        self._zero_debias = zero_debias
        self._name = name
        self._averages = SlotSets()

    def apply(self, var_list: Any = None) -> Any:
        """Updates the averages of variables and tensors; makes those that are not there.

        Averages are variables that are not trained. Averaged variables join
        `GraphKeys.MOVING_AVERAGE_VARIABLES`.

        Args:
          var_list: list of variables and of tensors of the graph; all trainable variables by
            default. In eager mode variables alone.

        Returns: the operation that updates the averages; None in eager mode, where that has
        happened.

        Raises:
          TypeError: for dtypes that are not floating, or a tensor in eager mode. ValueError: in
            graph mode, if `apply` was called for one of them before.
        """
        targets = trainable_variables() if var_list is None else list(var_list)
        # Eager programs, and functions that are traced, come here at each step.
        repeated = context.modes.top.eager or get_default_graph().building_function
        for target in targets:
            if not isinstance(target, Variable if repeated else Variable | Tensor):
                raise TypeError((_NOT_VARIABLE if repeated else _NOT_TENSOR).format(value=target))
            if target.dtype.base_dtype not in (dtypes.float16, dtypes.float32, dtypes.float64):
                raise TypeError(f"The variables must be half, float, or double: {target.name}")
            if self.average(target) is None:
                with init_scope():
                    self._make_average(target)
            elif not repeated:
                raise ValueError(f"Moving average already computed for: {target.name}")
        # What happens here is no part of what a tape around it differentiates.
        with context.tapes.scope(()), name_scope(self._name) as scope:
            decay = convert_to_tensor(self._decay, name="decay")
            if self._num_updates is not None:
                updates = cast(self._num_updates, dtypes.float32, name="num_updates")
                decay = minimum(decay, (1.0 + updates) / (10.0 + updates))
            done = [
                assign_moving_average(
                    self.average(target), target, decay, zero_debias=self._debiases(target)
                )
                for target in targets
            ]
            return group(*done, name=scope)

    def _debiases(self, target: Any) -> bool:
        return self._zero_debias and not isinstance(target, Variable)

    def _make_average(self, target: Any) -> None:
        if isinstance(target, Variable):
            made = make_slot(
                target,
                target.initialized_value,
                self._name,
                validate_shape=target._dims is not None,
            )
            add_to_collection(GraphKeys.MOVING_AVERAGE_VARIABLES, target)
        else:
            shape = target.shape.as_list()
            made = make_slot(target, lambda: Zeros()(shape, dtype=target.dtype), self._name)
        self._averages.of(target).named(self._name)[target] = made

    def average(self, var: Any) -> Any:
        """The variable that holds the average of `var`, or None if there is none yet."""
        return self._averages.of(var).named(self._name).get(var)

    def average_name(self, var: Any) -> str:
        """The name of the average of `var`: that of its variable, or the one that it would get."""
        made = self.average(var)
        if made is not None:
            return str(made._shared_name)
        name = f"{var._shared_name if isinstance(var, Variable) else var.op.name}/{self._name}"
        if context.modes.top.eager:
            return name
        return get_default_graph().unique_name(name, mark_as_used=False)

    def variables_to_restore(self, moving_avg_variables: Any = None) -> dict[str, Any]:
        """The variables to restore from a checkpoint, by name.

        Averages take the place of what they average.

        Args:
          moving_avg_variables: variables to restore from their averages; by default the trainable
            ones and those that `apply` was called for.

        Returns: a dict from names to variables; variables without an average are in it by their own
        name.

        >>> import hybridflow as hf
        >>> with hf.Graph().as_default():
        ...     v = hf.get_variable("v", [])
        ...     step = hf.train.create_global_step()
        ...     ema = hf.train.ExponentialMovingAverage(0.9)
        ...     sorted((k, x.name) for k, x in ema.variables_to_restore().items())
        [('global_step', 'global_step:0'), ('v/ExponentialMovingAverage', 'v:0')]
        """
        if moving_avg_variables is None:
            moving_avg_variables = [*trainable_variables(), *moving_average_variables()]
        averaged = dict.fromkeys(moving_avg_variables)
        found = {self.average_name(v): v for v in averaged}
        names = {v.name for v in averaged}
        for variable in global_variables():
            if variable.name not in names:
                found.setdefault(variable._shared_name, variable)
        return found
