"""`%%graph`: a cell that is built as a graph, and whose last expression is run."""

from __future__ import annotations

import ast
from typing import Any

import hybridflow as hf
from hybridflow._src.framework import nest


def run(source: str, filename: str, namespace: dict[str, Any]) -> Any:
    """Builds `source` in a new graph, initializes its variables, and runs its last expression.

    Args:
      source: the cell's code.
      filename: what the code is called in tracebacks.
      namespace: where it runs.

    Returns: the value of the last expression: what a `Session` fetches for it, where it consists of
    tensors, operations and variables. None if the cell does not end in an expression.
    """
    tree = ast.parse(source, filename)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    with hf.Graph().as_default(), hf.Session() as session:
        exec(compile(tree, filename, "exec"), namespace)
        if not isinstance(last, ast.Expr):
            return None
        value = eval(compile(ast.Expression(last.value), filename, "eval"), namespace)
        if not _can_be_fetched(value):
            return value
        session.run([hf.global_variables_initializer(), hf.local_variables_initializer()])
        return session.run(value)


def _can_be_fetched(value: Any) -> bool:
    kinds = (hf.Tensor, hf.Variable, hf.Operation, hf.IndexedSlices)
    leaves = nest.flatten(value)
    return bool(leaves) and all(isinstance(leaf, kinds) for leaf in leaves)
