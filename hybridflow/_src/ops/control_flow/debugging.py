"""`Assert` and `Print`: checks and messages while a program runs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import OpDef, not_differentiable
from hybridflow._src.framework.scopes import name_scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["Assert", "Print"]


def _text(value: Any, summarize: int | None) -> str:
    """The first elements of a value, as TF prints them."""
    limit = 3 if summarize is None else summarize
    array = np.asarray(value)
    items = [
        x.decode(errors="replace") if isinstance(x, bytes) else str(x)
        for x in array.ravel()[:limit]
    ]
    return "[" + " ".join(items) + ("..." if array.size > limit else "") + "]"


def _check(condition: Any, *data: Any, summarize: int | None) -> None:
    if not np.all(condition):
        shown = " ".join(_text(value, summarize) for value in data)
        raise InvalidArgumentError(None, None, f"assertion failed: {shown}")


def _check_natively(b: Any, condition: Any, *data: Any, summarize: int | None) -> list[Any]:
    b.check_true(condition)
    return []


_assert = OpDef(
    "Assert",
    "condition: bool, data: ... ->",
    attrs={"summarize": 3},
    shape=lambda attrs, *_: [],
    compute=_check,
    grad=not_differentiable,
    native=_check_natively,
    stateful=True,
    only_checks=True,
)


def Assert(condition: Any, data: Any, summarize: int | None = None, name: str | None = None) -> Any:
    """Checks that `condition` is true.

    In a graph the check is an operation: make what relies on it wait for it with
      `control_dependencies`.

    Args:
      condition: boolean tensor.
      data: list of tensors to show if it fails.
      summarize: how many elements of each to show (3 by default).
      name: name of the operation.

    Raises:
      InvalidArgumentError: when it runs, if the condition is false.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     hf.Assert(hf.constant(False), ["x must be positive:", hf.constant([-1, 2])])
    Traceback (most recent call last):
    hybridflow.errors.InvalidArgumentError: assertion failed: [x must be positive:]
    [-1 2]
    """
    with name_scope(name, "Assert", data):
        values = [convert_to_tensor(d) for d in data]
        return _assert(condition, values, summarize=3 if summarize is None else summarize)


def _printer(message: str, first_n: int, summarize: int) -> Callable[..., Any]:
    """Prints to standard error, at most `first_n` times (always if that is negative)."""
    count = 0

    def compute(value: Any, *data: Any) -> Any:
        nonlocal count
        if first_n < 0 or count < first_n:
            count += 1
            print(message + "".join(_text(item, summarize) for item in data), file=sys.stderr)
        return value

    return compute


_print = OpDef(
    "Print",
    "input: T, data: ... -> output: T",
    attrs={"message": "", "first_n": -1, "summarize": 3},
    shape=lambda attrs, x, *_: x._dims,
    kernel=_printer,
    grad=lambda op, dy: [dy, *[None] * (len(op.inputs) - 1)],
    stateful=True,
    aliases=True,
)


def Print(
    input_: Any,
    data: Any,
    message: str | None = None,
    first_n: int | None = None,
    summarize: int | None = None,
    name: str | None = None,
) -> Tensor:
    """`input_`, which prints `data` to standard error whenever it is computed.

    Args:
      input_: the tensor to pass on.
      data: list of tensors to print.
      message: text before them.
      first_n: print only the first times (always by default).
      summarize: how many elements of each to show (3 by default).
      name: name of the operation.
    """
    return _print(
        input_,
        list(data),
        message=message or "",
        first_n=-1 if first_n is None else first_n,
        summarize=3 if summarize is None else summarize,
        name=name,
    )
