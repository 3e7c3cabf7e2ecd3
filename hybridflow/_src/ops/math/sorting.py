"""Elements in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.settings import whole
from hybridflow._src.ops import shape_rules

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["argsort", "sort"]


def sort(
    values: Any, axis: Any = -1, direction: str = "ASCENDING", name: str | None = None
) -> Tensor:
    """The elements in order along an axis. Of TensorFlow 1.15.

    Args:
      values: tensor of a real dtype, of at least one dimension.
      axis: the axis, a Python int; the last one by default.
      direction: "ASCENDING" or "DESCENDING".
      name: scope of the ops.

    Returns: a tensor like `values`.

    Raises:
      ValueError: for a scalar, an axis that is not there or no constant, another direction, or
        another axis than the last one where the rank is unknown.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.sort([3.0, 1.0, 2.0]).numpy())
    ...     print(hf.sort([[3, 1, 2], [4, 0, 5]], axis=0, direction="DESCENDING").numpy())
    [1. 2. 3.]
    [[4 1 5]
     [3 0 2]]
    """
    with name_scope(name, "sort", [values]):
        return _sorted(values, axis, direction)[0]


def argsort(
    values: Any,
    axis: Any = -1,
    direction: str = "ASCENDING",
    stable: bool = False,
    name: str | None = None,
) -> Tensor:
    """The places of the elements in order along an axis. Of TensorFlow 1.15.

    Args:
      values: tensor of a real dtype, of at least one dimension.
      axis: the axis, a Python int; the last one by default.
      direction: "ASCENDING" or "DESCENDING".
      stable: equal elements stay in their order, whatever it says.
      name: scope of the ops.

    Returns: an int32 tensor of the shape of `values`.

    Raises: as `sort`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.argsort([3.0, 1.0, 2.0, 1.0]).numpy())
    [1 3 2 0]
    """
    with name_scope(name, "argsort", [values]):
        return _sorted(values, axis, direction)[1]


def _sorted(values: Any, axis: Any, direction: str) -> tuple[Tensor, Tensor]:
    if direction not in ("ASCENDING", "DESCENDING"):
        raise ValueError(f"direction should be one of ASCENDING, DESCENDING, got {direction!r}.")
    values = convert_to_tensor(values, name="values")
    at = whole(axis, "axis")
    if at != -1 and values._dims is None:
        raise ValueError(f"values must have a known rank where the axis is {at}, not -1.")
    dims = values._dims
    order = None
    if dims is not None:
        last = len(dims) - 1
        at = shape_rules.axis_of(at, last + 1)
        if at != last:
            order = [*range(at), last, *range(at + 1, last), at]
            values = raw.Transpose(values, order)
    size = raw.StridedSlice(raw.Shape(values), [-1], [0], [1], shrink_axis_mask=1, end_mask=1)
    if direction == "DESCENDING":
        found = raw.TopKV2(values, size, sorted=True)
    else:
        values, places = raw.TopKV2(_reversed(values), size, sorted=True)
        found = _reversed(values), places
    return (found[0], found[1]) if order is None else _each_transposed(found, order)


def _each_transposed(found: Any, order: list[int]) -> tuple[Tensor, Tensor]:
    return raw.Transpose(found[0], order), raw.Transpose(found[1], order)


def _reversed(values: Tensor) -> Tensor:
    """Values in the opposite order: for integers the complement, which each of them has."""
    return raw.Invert(values) if values.dtype.is_integer else raw.Neg(values)
