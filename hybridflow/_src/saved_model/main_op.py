"""Operations that run when a SavedModel is loaded."""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.graph_keys import GraphKeys, get_collection
from hybridflow._src.framework.scopes import control_dependencies
from hybridflow._src.ops.control_flow.ordering import group
from hybridflow._src.variables.initialization import (
    global_variables_initializer,
    local_variables_initializer,
)

__all__ = ["main_op", "main_op_with_restore"]


def _tables() -> Any:
    return group(*get_collection(GraphKeys.TABLE_INITIALIZERS), name="init_all_tables")


def main_op() -> Any:
    """An operation that initializes all variables and tables.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     hf.saved_model.main_op.main_op().type
    'NoOp'
    """
    return group(global_variables_initializer(), local_variables_initializer(), _tables())


def main_op_with_restore(restore_op_name: str) -> Any:
    """An operation that initializes all variables and tables, for a graph that restores itself.

    Args:
      restore_op_name: the name of the operation that restores, or that operation.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     restore = hf.no_op(name="restore")
    ...     hf.saved_model.main_op.main_op_with_restore("restore").type
    'NoOp'
    """
    restore = get_default_graph().as_graph_element(restore_op_name, allow_tensor=False)
    with control_dependencies([main_op()]):
        return group(restore)
