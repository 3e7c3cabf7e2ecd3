"""`tensorflow.python.pywrap_tensorflow`: the value of what no session need run."""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework.static_value import constant_value

__all__ = ["TF_TryEvaluateConstant_wrapper"]


def TF_TryEvaluateConstant_wrapper(graph: Any, output: Any) -> Any:
    """The value of a tensor that depends on constants alone; None where it cannot be told.

    Args:
      graph: what `graph._c_graph` gave. output: what `tensor._as_tf_output()` gave.
    """
    return constant_value(output)
