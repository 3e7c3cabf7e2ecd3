"""Checks of what optimizers are given: variables, and gradients with their variables."""

from __future__ import annotations

from collections.abc import ValuesView
from typing import Any

from hybridflow._src.framework import context, nest
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.indexed_slices import convert_to_tensor_or_indexed_slices
from hybridflow._src.variables.partitioned import PartitionedVariable
from hybridflow._src.variables.variable import Variable

NO_GRADIENT = (
    "The loss must depend on them by ops that have gradients: argmax, rounding, comparisons, casts "
    "to integers, hf.stop_gradient and NumPy's functions end it. In eager mode compute the loss "
    "inside `with hf.GradientTape() as tape:`."
)
_NOT_VARIABLE = (
    "Argument is not a hf.Variable: {value!r:.200}. An optimizer updates variables made by "
    "`hf.get_variable` or `hf.Variable`."
)
_NOT_GRADIENT = (
    "Gradient must be convertible to a Tensor or IndexedSlices, or None: {value!r:.200} (for "
    "variable '{name}')"
)
_PARTS = (
    "A partitioned variable has one gradient for each part: pass a (gradient, part) pair for each "
    "of `list({name})`, as compute_gradients gives them."
)
_GRAPH_VARIABLE = (
    "Variable '{name}' belongs to a graph and cannot be updated in eager mode. Apply gradients in "
    "its graph (`with variable.graph.as_default():`) and run the operation in a session."
)
_EAGER_VARIABLE = (
    "Variable '{name}' is an eager one and cannot be updated by an operation of a graph. Apply "
    "gradients in eager mode (`with hf.eager_mode():`) or inside a function decorated with "
    "hf.function."
)


def variables_of(var_list: Any) -> list[Any]:
    """The variables in a nested structure, or a dict's `values()`; parts in place of partitioned.

    Raises:
      TypeError: if it holds anything else.
    """
    if isinstance(var_list, ValuesView):
        var_list = list(var_list)
    found: list[Any] = []
    for item in nest.flatten(var_list):
        if isinstance(item, PartitionedVariable):
            found.extend(item)
        elif isinstance(item, Variable):
            found.append(item)
        else:
            raise TypeError(_NOT_VARIABLE.format(value=item))
    return found


def checked_pairs(grads_and_vars: Any) -> list[tuple[Any, Any]]:
    """The pairs that have a gradient, as tensor or `IndexedSlices`.

    Raises: as `Optimizer.apply_gradients`.
    """
    given = tuple(grads_and_vars)
    if not given:
        raise ValueError("No variables provided.")
    pairs = []
    for item in given:
        if not isinstance(item, tuple | list) or len(item) != 2:
            raise TypeError(
                f"grads_and_vars must hold (gradient, variable) pairs, got {item!r:.200}."
            )
        grad, variable = item
        if isinstance(variable, PartitionedVariable):
            raise TypeError(_PARTS.format(name=variable.name))
        if not isinstance(variable, Variable):
            raise TypeError(_NOT_VARIABLE.format(value=variable))
        if grad is None:
            continue
        try:
            grad = convert_to_tensor_or_indexed_slices(grad)
        except (TypeError, ValueError) as error:
            raise TypeError(_NOT_GRADIENT.format(value=grad, name=variable.name)) from error
        pairs.append((grad, variable))
    if not pairs:
        names = [v.name for _, v in given]
        raise ValueError(f"No gradients provided for any variable: {names}. {NO_GRADIENT}")
    check_mode([v for _, v in pairs])
    return pairs


def check_mode(variables: list[Any]) -> None:
    """Checks that variables can be updated in the current mode.

    Raises:
      RuntimeError: for a graph's variable in eager mode, or the other way round.
    """
    eager = context.modes.top.eager or get_default_graph().building_function
    for variable in variables:
        if variable._eager is not eager:
            text = _GRAPH_VARIABLE if eager else _EAGER_VARIABLE
            raise RuntimeError(text.format(name=variable.name))
