"""`assign_moving_average`: one step of the running mean of a variable's values."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.scopes import control_dependencies, name_scope
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.math.exponential import pow
from hybridflow._src.variables.getting import get_variable
from hybridflow._src.variables.initializers import Zeros
from hybridflow._src.variables.scope import variable_scope
from hybridflow._src.variables.updates import colocated

if TYPE_CHECKING:
    from hybridflow._src.variables.scope_state import VariableScope

__all__ = ["assign_moving_average"]


def assign_moving_average(
    variable: Any, value: Any, decay: Any, zero_debias: bool = True, name: str | None = None
) -> Any:
    """Moves a variable towards a value: `variable = decay * variable + (1 - decay) * value`.

    Args:
      variable: the variable that holds the average.
      value: tensor of its shape and dtype.
      decay: scalar tensor or number.
      zero_debias: whether to divide by `1 - decay^n` after `n` updates; the average before that and
        `n` are kept in the variables `<variable>/biased` and `<variable>/local_step`.
      name: name of the result.

    Returns: the new average (in a graph, when it runs).
    """
    with (
        name_scope(name, "AssignMovingAvg", [variable, value, decay]) as scope,
        colocated(variable),
    ):
        share = cast(1.0 - convert_to_tensor(decay), variable.dtype)
        value = convert_to_tensor(value)
        if zero_debias:
            delta = _debiased_delta(variable, value, share)
        else:
            delta = (convert_to_tensor(variable) - value) * share
        return variable.assign_sub(delta, name=scope)


def _debiased_delta(variable: Any, value: Any, share: Any) -> Any:
    """What to subtract from an average so that it does not count the zero that it started from."""
    with variable_scope(variable._shared_name, values=[variable, value, share]) as scope:
        biased = get_variable(
            _free(scope, "biased"),
            shape=variable.shape,
            dtype=variable.dtype.base_dtype,
            initializer=Zeros(),
            trainable=False,
        )
        local_step = get_variable(
            _free(scope, "local_step"),
            shape=[],
            dtype=variable.dtype.base_dtype,
            initializer=Zeros(),
            trainable=False,
        )
        moved = biased.assign_sub((convert_to_tensor(biased) - value) * share)
        counted = local_step.assign_add(1.0)
        with control_dependencies([moved.op, counted.op] if not context.modes.top.eager else []):
            weight = 1.0 - pow(1.0 - share, local_step.read_value())
            return variable.read_value() - biased.read_value() / weight


def _free(scope: VariableScope, name: str) -> str:
    """A name that no variable of a scope has: a variable may have several averages in a graph."""
    if scope.reuse or context.modes.top.eager:
        return name
    taken = {variable.op.name for variable in scope.global_variables()}
    names = itertools.chain([name], (f"{name}_{number}" for number in itertools.count(1)))
    return next(name for name in names if f"{scope.name}/{name}" not in taken)
