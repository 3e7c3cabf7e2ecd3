"""Constraints: what is done to a variable after its update."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context
from hybridflow._src.framework.errors import DTypeError, ShapeError
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import control_dependencies
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops.locking import locked
from hybridflow._src.variables.resource_variable import ResourceVariable

if TYPE_CHECKING:
    from collections.abc import Callable

_NOT_TENSOR = (
    "The constraint {constraint} of variable '{name}' must return a tensor of the variable's shape "
    "{shape} and dtype {dtype}, got {got!r:.200}."
)


def project_after(variable: Any, update: Callable[[], Any], use_locking: bool) -> Any:
    """Updates a variable, then applies its constraint.

    Args:
      variable: a variable with a constraint.
      update: does the update, and gives the operation.
      use_locking: whether both are one step for other threads; in eager mode they always are.

    Returns: the operation that is done when the projected value is there; None in eager mode.

    Raises:
      TypeError: if the constraint gives no tensor, or one of another dtype. ValueError: for one of
        another shape.
    """

    def both() -> Any:
        with control_dependencies([update()]):
            return _project(variable)

    if use_locking or context.modes.top.eager:
        return locked(variable, both)
    return both()


def _project(variable: Any) -> Any:
    value = _checked(variable, variable.constraint(variable.read_value()))
    if isinstance(variable, ResourceVariable):
        return raw.AssignVariableOp(variable.handle, value, shape=variable.shape)
    return raw.Assign(variable.handle, value, validate_shape=variable._dims is not None).op


def _checked(variable: Any, value: Any) -> Tensor:
    name, shape, dtype = variable.name, variable.shape, variable.dtype.base_dtype
    fit = {"name": name, "shape": shape, "dtype": dtype.name}
    constraint = variable.constraint
    what = getattr(constraint, "__name__", None) or type(constraint).__name__
    if not isinstance(value, Tensor):
        raise TypeError(_NOT_TENSOR.format(constraint=what, got=value, **fit))
    if value.dtype.base_dtype is not dtype:
        raise DTypeError(_NOT_TENSOR.format(constraint=what, got=value, **fit))
    if not value.shape.is_compatible_with(shape):
        raise ShapeError(_NOT_TENSOR.format(constraint=what, got=value, **fit))
    return value
