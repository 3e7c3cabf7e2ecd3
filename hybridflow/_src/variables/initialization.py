"""Ops that give variables their first values, and tell which have none; lists of variables."""

from __future__ import annotations

import functools
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.graph_keys import GraphKeys, get_collection
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import colocate_with, device, name_scope
from hybridflow._src.ops.arrays import constant
from hybridflow._src.ops.arrays.joining import stack
from hybridflow._src.ops.arrays.selecting import boolean_mask
from hybridflow._src.ops.control_flow.ordering import group, no_op
from hybridflow._src.ops.math.comparison import logical_not
from hybridflow._src.variables.initial_value import registered

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "all_variables",
    "assert_variables_initialized",
    "global_variables",
    "global_variables_initializer",
    "initialize_all_tables",
    "initialize_all_variables",
    "initialize_local_variables",
    "initialize_variables",
    "local_variables",
    "local_variables_initializer",
    "model_variables",
    "moving_average_variables",
    "report_uninitialized_variables",
    "tables_initializer",
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
    """An operation that initializes the variables of a list; eagerly they are, and it is None."""
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


def tables_initializer(name: str = "init_all_tables") -> Any:
    """An operation that fills all tables of the default graph.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     print(sess.run(hf.tables_initializer()))
    None
    """
    found = get_collection(GraphKeys.TABLE_INITIALIZERS)
    return group(*found, name=name) if found else no_op(name=name)


def report_uninitialized_variables(
    var_list: Any = None, name: str = "report_uninitialized_variables"
) -> Tensor:
    """The names of those variables that have no value yet.

    Args:
      var_list: variables to look at; all global and local ones by default.
      name: name scope of the ops.

    Returns: a 1-D string tensor.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     v, w = hf.Variable(1.0, name="v"), hf.Variable(2.0, name="w")
    ...     sess.run(v.initializer)
    ...     print(sess.run(hf.report_uninitialized_variables()))
    [b'w']
    """
    var_list = _all_variables() if var_list is None else var_list
    with name_scope(name), device("/cpu:0"):
        if not var_list:
            return constant.constant(np.array([], object), dtype=dtypes.string)
        missing = logical_not(stack([v.is_initialized() for v in var_list]))
        names = constant.constant([v._shared_name for v in var_list])
        return boolean_mask(names, missing)


def _all_variables() -> list[Any]:
    """The global and local variables; where there are none, those that joined no collection."""
    found = global_variables() + local_variables()
    if found or context.modes.top.eager:
        return found
    return list(registered(get_default_graph()).values())


def assert_variables_initialized(var_list: Any = None) -> Tensor | None:
    """Deprecated: a tensor whose evaluation fails if a variable has no value.

    Args:
      var_list: variables to look at; all global and local ones by default.

    Returns: their ranks; None if there are no variables.
    """
    ranks = []
    for variable in _all_variables() if var_list is None else var_list:
        with colocate_with(None if variable._eager else variable.op):
            ranks.append(raw.Rank(variable.read_value()))
    if not ranks:
        return None
    return ranks[0] if len(ranks) == 1 else stack(ranks)


def _deprecated(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def alias(*args: Any, **kwargs: Any) -> Any:
        warnings.warn(
            f"{name} is deprecated. Please use tf.{function.__name__} instead.",
            DeprecationWarning,
            stacklevel=2,
        )
        return function(*args, **kwargs)

    alias.__name__ = alias.__qualname__ = name
    alias.__doc__ = f"Deprecated: use `{function.__name__}`."
    return alias


all_variables = _deprecated("all_variables", global_variables)
initialize_all_tables = _deprecated("initialize_all_tables", tables_initializer)
initialize_all_variables = _deprecated("initialize_all_variables", global_variables_initializer)
initialize_local_variables = _deprecated("initialize_local_variables", local_variables_initializer)
initialize_variables = _deprecated("initialize_variables", variables_initializer)
