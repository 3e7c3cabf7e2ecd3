"""Ops that give variables their first values, and tell which have none; lists of variables."""

from __future__ import annotations

import functools
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import context
from hybridflow._src.framework.graph_keys import GraphKeys, get_collection
from hybridflow._src.framework.scopes import colocate_with, name_scope
from hybridflow._src.ops import constant
from hybridflow._src.ops.control_flow import group, no_op

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "all_variables",
    "assert_variables_initialized",
    "global_variables",
    "global_variables_initializer",
    "initialize_all_variables",
    "initialize_local_variables",
    "initialize_variables",
    "is_variable_initialized",
    "local_variables",
    "local_variables_initializer",
    "model_variables",
    "moving_average_variables",
    "report_uninitialized_variables",
    "trainable_variables",
    "variables_initializer",
]


def global_variables(scope: str | None = None) -> list[Any]:
    """The variables in `GraphKeys.GLOBAL_VARIABLES`; with `scope`, those whose name matches it.

    In eager mode: those of the current variable store.
    """
    return get_collection(GraphKeys.GLOBAL_VARIABLES, scope)


def local_variables(scope: str | None = None) -> list[Any]:
    """The variables in `GraphKeys.LOCAL_VARIABLES`."""
    return get_collection(GraphKeys.LOCAL_VARIABLES, scope)


def model_variables(scope: str | None = None) -> list[Any]:
    """The variables in `GraphKeys.MODEL_VARIABLES`."""
    return get_collection(GraphKeys.MODEL_VARIABLES, scope)


def trainable_variables(scope: str | None = None) -> list[Any]:
    """The variables in `GraphKeys.TRAINABLE_VARIABLES`.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     v = hf.get_variable("v", [1])
    ...     w = hf.get_variable("w", [1], trainable=False)
    ...     print([x.name for x in hf.trainable_variables()])
    ['v:0']
    """
    return get_collection(GraphKeys.TRAINABLE_VARIABLES, scope)


def moving_average_variables(scope: str | None = None) -> list[Any]:
    """The variables in `GraphKeys.MOVING_AVERAGE_VARIABLES`."""
    return get_collection(GraphKeys.MOVING_AVERAGE_VARIABLES, scope)


def variables_initializer(var_list: Any, name: str = "init") -> Any:
    """An operation that initializes the variables of a list (nothing in eager mode, where they are)."""
    if var_list and not context.modes.top.eager:
        return group(*[v.initializer for v in var_list], name=name)
    return no_op(name=name)


def global_variables_initializer() -> Any:
    """An operation that initializes all global variables.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     v = hf.get_variable("v", initializer=[1.0, 2.0])
    ...     sess.run(hf.global_variables_initializer())
    ...     print(sess.run(v))
    [1. 2.]
    """
    return variables_initializer(global_variables())


def local_variables_initializer() -> Any:
    """An operation that initializes all local variables."""
    return variables_initializer(local_variables())


def is_variable_initialized(variable: Any) -> Tensor:
    """A boolean scalar: whether `variable` has a value."""
    return variable.is_initialized()  # type: ignore[no-any-return]


def report_uninitialized_variables(
    var_list: Any = None, name: str = "report_uninitialized_variables"
) -> Tensor:
    """The names of those variables that have no value yet, as a 1-D string tensor.

    Args:
      var_list: variables to look at; all global and local ones by default.
      name: name scope of the ops.
    """
    if var_list is None:
        var_list = global_variables() + local_variables()
    with name_scope(name):
        if not var_list:
            return constant.constant(np.array([], object), dtype="string")
        from_values = stack([is_variable_initialized(v) for v in var_list])
        names = constant.constant([v.name[:-2] for v in var_list])
        return boolean_mask(names, logical_not(from_values))


def assert_variables_initialized(var_list: Any = None) -> Tensor | None:
    """Deprecated: an op that fails if a variable has no value; None if there are no variables."""
    if var_list is None:
        var_list = global_variables() + local_variables()
    if not var_list:
        return None
    ranks = []
    for variable in var_list:
        with colocate_with(None if context.modes.top.eager else variable.op):
            ranks.append(rank(variable.read_value()))
    return stack(ranks)


def _deprecated(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    warned = []

    @functools.wraps(function)
    def alias(*args: Any, **kwargs: Any) -> Any:
        if not warned:
            warned.append(True)
            warnings.warn(
                f"{name} is deprecated: use {function.__name__}.", DeprecationWarning, stacklevel=2
            )
        return function(*args, **kwargs)

    alias.__name__ = name
    alias.__doc__ = f"Deprecated: use `{function.__name__}`."
    return alias


all_variables = _deprecated("all_variables", global_variables)
initialize_all_variables = _deprecated("initialize_all_variables", global_variables_initializer)
initialize_local_variables = _deprecated("initialize_local_variables", local_variables_initializer)
initialize_variables = _deprecated("initialize_variables", variables_initializer)
