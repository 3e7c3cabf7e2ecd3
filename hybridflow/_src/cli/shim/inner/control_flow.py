"""`tensorflow.python.ops.control_flow_ops`: `switch` and `merge`, of which old programs make
choices by hand.

All that lies between them is computed, also on the way that is not taken: `merge` then chooses.
"""

from __future__ import annotations

import functools
import weakref
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.arrays.constant import constant
from hybridflow._src.ops.arrays.reshaping import identity
from hybridflow._src.ops.control_flow.conditional import case
from hybridflow._src.ops.math.comparison import logical_and, logical_not

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["_case_helper", "merge", "switch"]

# For the outputs of switches when they are taken.
_taken: weakref.WeakKeyDictionary[Operation, Tensor] = weakref.WeakKeyDictionary()


def switch(data: Any, pred: Any, dtype: Any = None, name: str | None = None) -> tuple[Any, Any]:
    """A tensor for the two ways after a choice.

    Args:
      data: the tensor. pred: a bool scalar. dtype: of `data`, if it is no tensor.
      name: name scope of the ops.

    Returns: it for the way that is taken if `pred` is false, and for that if it is true.
    """
    with name_scope(name, "Switch", [data, pred]):
        data = convert_to_tensor(data, dtype, name="data")
        pred = convert_to_tensor(pred, name="pred")
        ways = identity(data), identity(data)
        for way, flag in zip(ways, (logical_not(pred), pred), strict=True):
            _taken[way.op] = flag
    return ways


def merge(inputs: Sequence[Any], name: str | None = None) -> tuple[Any, Any]:
    """What came of the way that was taken.

    Args:
      inputs: tensors, each computed from what `switch` gave for a way.
      name: name scope of the ops.

    Returns: the first of them whose way is taken, and its number, an int32 scalar.

    Raises:
      InvalidArgumentError: when it runs, if none is taken.
    """
    with name_scope(name, "Merge", inputs):
        tensors = [convert_to_tensor(value) for value in inputs]

        def chosen(number: int) -> list[Any]:
            return [identity(tensors[number]), constant(number)]

        pairs = [(_is_taken(t), functools.partial(chosen, n)) for n, t in enumerate(tensors)]
        output, number = case(pairs)
    return output, number


def _is_taken(tensor: Tensor) -> Any:
    """Whether all the ways are taken that lead to a tensor."""
    pending, seen = [tensor.op], {tensor.op}
    found: Any = constant(True)
    while pending:
        op = pending.pop()
        if op in _taken:
            found = logical_and(found, _taken[op])
        new = {t.op for t in op.inputs} - seen
        seen |= new
        pending += new
    return found


def _case_helper(
    cond_fn: Callable[..., Any],
    pred_fn_pairs: Any,
    default: Callable[[], Any] | None,
    exclusive: bool,
    name: str | None,
    allow_python_preds: bool = False,
    **cond_kwargs: Any,
) -> Any:
    """What the function gives whose predicate is the first to be true, by a `cond` of one's own.

    Args:
      cond_fn: called with a predicate and two functions.
      pred_fn_pairs: pairs of predicates and functions, or a dict.
      default: the function where no predicate is true; the last one if it is None.
      exclusive, allow_python_preds: without effect: predicates are not compared.
      name: name scope of the ops.
      cond_kwargs: further keywords for `cond_fn`.
    """
    pairs = list(pred_fn_pairs.items() if isinstance(pred_fn_pairs, dict) else pred_fn_pairs)
    if default is None:
        default = pairs.pop()[1]
    with name_scope(name, "case"):
        chosen = default
        for pred, function in reversed(pairs):
            chosen = functools.partial(
                cond_fn, pred, true_fn=function, false_fn=chosen, **cond_kwargs
            )
        return chosen()
