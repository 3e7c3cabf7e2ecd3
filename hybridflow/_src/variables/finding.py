"""Variables of a graph, or in eager mode of the current store, by scope, name and pattern."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.graph_keys import GraphKeys, add_to_collection, get_collection
from hybridflow._src.variables.scope_state import VariableScope

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "add_model_variable",
    "filter_variables",
    "get_local_variables",
    "get_model_variables",
    "get_trainable_variables",
    "get_unique_variable",
    "get_variable_full_name",
    "get_variables",
    "get_variables_by_name",
    "get_variables_by_suffix",
    "get_variables_to_restore",
]


def get_variables(
    scope: Any = None, suffix: str | None = None, collection: str = GraphKeys.GLOBAL_VARIABLES
) -> list[Any]:
    """The variables of a collection whose name begins with `scope` and ends in `suffix`.

    Args:
      scope: a regular expression for the beginning of names, or a `VariableScope`.
      suffix: end of the op's name.
      collection: key of the collection.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.variable_scope("layer"):
    ...     w, b = hf.get_variable("w", [2]), hf.get_variable("b", [2])
    ...     print([v.name for v in hf.contrib.framework.get_variables("layer", suffix="w")])
    ['layer/w:0']
    """
    if isinstance(scope, VariableScope):
        scope = scope.name
    found = get_collection(collection, scope)
    return [v for v in found if suffix is None or _op_name(v).endswith(suffix)]


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
    return [v for v in get_variables(scope) if _op_name(v).rpartition("/")[2] == given_name]


def get_unique_variable(var_op_name: str) -> Any:
    """The variable of a full name.

    Raises:
      ValueError: if there is none, or more than one.
    """
    found = [v for v in get_variables(re.escape(var_op_name)) if _op_name(v) == var_op_name]
    if len(found) != 1:
        names = [v.name for v in get_variables()]
        raise ValueError(
            f"{len(found)} variables are called {var_op_name!r}, expected one. There are: {names}."
        )
    return found[0]


def get_variables_to_restore(
    include: Sequence[Any] | None = None, exclude: Sequence[Any] | None = None
) -> list[Any]:
    """The variables of some scopes, without those of others.

    Args:
      include: a list of scopes, as `get_variables` takes them; all variables if it is None.
      exclude: a list of scopes.

    Raises:
      TypeError: if one of them is no list or tuple.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     body, head = hf.get_variable("body/w", [2]), hf.get_variable("head/w", [2])
    ...     print([v.name for v in hf.contrib.framework.get_variables_to_restore(exclude=["head"])])
    ['body/w:0']
    """
    for name, given in (("include", include), ("exclude", exclude)):
        if given is not None and not isinstance(given, (list, tuple)):
            raise TypeError(
                f"{name} is provided but is not a list or a tuple. It is {given!r:.200}."
            )
    included = [v for scope in (include or [None]) for v in get_variables(scope)]
    if include is not None and not include:
        included = []
    excluded = {id(v) for scope in exclude or () for v in get_variables(scope)}
    return [v for v in included if id(v) not in excluded]


def filter_variables(
    var_list: Iterable[Any],
    include_patterns: Iterable[str] | None = None,
    exclude_patterns: Iterable[str] | None = None,
    reg_search: bool = True,
) -> list[Any]:
    """Those of some variables whose names match patterns, without those that match others.

    Args:
      var_list: variables.
      include_patterns: regular expressions; all are included if it is None.
      exclude_patterns: regular expressions.
      reg_search: whether a pattern may begin anywhere in a name.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     found = [hf.get_variable(name, [2]) for name in ("conv/w", "conv/b", "head/w")]
    ...     print([v.name for v in hf.contrib.framework.filter_variables(found, ["conv"], ["/b"])])
    ['conv/w:0']
    """
    match = re.search if reg_search else re.match

    def matches(variable: Any, patterns: Iterable[str]) -> bool:
        return any(match(pattern, variable.name) for pattern in patterns)

    return [
        variable
        for variable in var_list
        if include_patterns is None or matches(variable, include_patterns)
        if exclude_patterns is None or not matches(variable, exclude_patterns)
    ]


def get_variable_full_name(var: Any) -> str:
    """The name by which a variable is saved: for a part of one that of the whole.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     halves = hf.get_variable("w", [4], partitioner=hf.fixed_size_partitioner(2))
    ...     print([hf.contrib.framework.get_variable_full_name(part) for part in halves])
    ['w', 'w']
    """
    info = var._get_save_slice_info()
    return _op_name(var) if info is None else str(info.full_name)


def add_model_variable(var: Any) -> None:
    """Adds a variable to the model variables, unless it is among them."""
    if not any(v is var for v in get_collection(GraphKeys.MODEL_VARIABLES)):
        add_to_collection(GraphKeys.MODEL_VARIABLES, var)


def _op_name(variable: Any) -> str:
    return str(variable.name).rpartition(":")[0]
