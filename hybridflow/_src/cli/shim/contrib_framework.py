"""`tf.contrib.framework`: variables by scope and suffix, the global step."""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework import nest
from hybridflow._src.framework.graph_keys import GraphKeys, get_collection
from hybridflow._src.train.saving.initializing import init_from_checkpoint
from hybridflow._src.train.saving.reader import list_variables, load_checkpoint, load_variable
from hybridflow._src.train.training_util import (
    assert_global_step,
    create_global_step,
    get_global_step,
    get_or_create_global_step,
)
from hybridflow._src.variables.scope_state import VariableScope

__all__ = [
    "assert_global_step",
    "create_global_step",
    "get_global_step",
    "get_local_variables",
    "get_model_variables",
    "get_or_create_global_step",
    "get_trainable_variables",
    "get_unique_variable",
    "get_variables",
    "get_variables_by_name",
    "get_variables_by_suffix",
    "init_from_checkpoint",
    "list_variables",
    "load_checkpoint",
    "load_variable",
    "nest",
]


def get_variables(
    scope: Any = None, suffix: str | None = None, collection: str = GraphKeys.GLOBAL_VARIABLES
) -> list[Any]:
    """The variables of a collection whose name begins with `scope` and ends in `suffix`.

    Args:
      scope: a regular expression for the beginning of names, or a `VariableScope`.
      suffix: end of the op's name.
      collection: key of the collection.
    """
    if isinstance(scope, VariableScope):
        scope = scope.name
    found = get_collection(collection, scope)
    return [v for v in found if suffix is None or v.name.rpartition(":")[0].endswith(suffix)]


def get_trainable_variables(scope: Any = None, suffix: str | None = None) -> list[Any]:
    """`get_variables` among the trainable ones."""
    return get_variables(scope, suffix, GraphKeys.TRAINABLE_VARIABLES)


def get_model_variables(scope: Any = None, suffix: str | None = None) -> list[Any]:
    """`get_variables` among the model variables."""
    return get_variables(scope, suffix, GraphKeys.MODEL_VARIABLES)


def get_local_variables(scope: Any = None, suffix: str | None = None) -> list[Any]:
    """`get_variables` among the local ones."""
    return get_variables(scope, suffix, GraphKeys.LOCAL_VARIABLES)


def get_variables_by_suffix(suffix: str, scope: Any = None) -> list[Any]:
    """`get_variables` with the suffix first."""
    return get_variables(scope, suffix)


def get_variables_by_name(given_name: str, scope: Any = None) -> list[Any]:
    """The variables that have this name in some scope."""
    return [
        v
        for v in get_variables(scope)
        if v.name.rpartition(":")[0].rpartition("/")[2] == given_name
    ]


def get_unique_variable(var_op_name: str) -> Any:
    """The variable of a full name.

    Raises:
      ValueError: if there is none, or more than one.
    """
    candidates = get_variables(scope=var_op_name)
    found = [v for v in candidates if v.name.rpartition(":")[0] == var_op_name]
    if len(found) != 1:
        names = [v.name for v in get_variables()]
        raise ValueError(
            f"{len(found)} variables are called {var_op_name!r}, expected one. There are: {names}."
        )
    return found[0]
