"""Whether the elements of a tensor grow: `is_non_decreasing`, `is_strictly_increasing`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.arrays.reshaping import reshape
from hybridflow._src.ops.checks.types import is_numeric_tensor
from hybridflow._src.ops.math.comparison import less, less_equal
from hybridflow._src.ops.math.reductions import reduce_all

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["is_non_decreasing", "is_strictly_increasing"]


def _neighbours(x: Any) -> tuple[Tensor, Tensor]:
    """Each element but the last, and the one behind each."""
    x = reshape(convert_to_tensor(x), [-1])
    if not is_numeric_tensor(x):
        raise TypeError(f"Expected x to be numeric, instead found: {x!r}")
    # They are compared, not subtracted: differences of unsigned integers wrap around.
    return x[:-1], x[1:]


def is_non_decreasing(x: Any, name: str | None = None) -> Tensor:
    """Tells whether no element, in row-major order, is less than the one before.

    Args:
      x: tensor of numbers; with fewer than two elements the answer is True.
      name: name of the name scope.

    Returns: a bool scalar.

    Raises:
      TypeError: if `x` does not hold numbers.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     bool(hf.is_non_decreasing([1, 2, 2])), bool(hf.is_non_decreasing([2, 1]))
    (True, False)
    """
    with name_scope(name, "is_non_decreasing", [x]):
        before, behind = _neighbours(x)
        return reduce_all(less_equal(before, behind))


def is_strictly_increasing(x: Any, name: str | None = None) -> Tensor:
    """Tells whether each element, in row-major order, is greater than the one before.

    Args:
      x: tensor of numbers; with fewer than two elements the answer is True.
      name: name of the name scope.

    Returns: a bool scalar.

    Raises:
      TypeError: if `x` does not hold numbers.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     bool(hf.is_strictly_increasing([1, 2])), bool(hf.is_strictly_increasing([2, 2]))
    (True, False)
    """
    with name_scope(name, "is_strictly_increasing", [x]):
        before, behind = _neighbours(x)
        return reduce_all(less(before, behind))
