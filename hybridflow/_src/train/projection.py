"""Constraints: what is done to a variable after its update."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context
from hybridflow._src.framework.device import DeviceSpec
from hybridflow._src.framework.errors import DTypeError, ShapeError
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import control_dependencies
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops.arrays.gather import gather
from hybridflow._src.ops.state.locking import locked
from hybridflow._src.variables.resource_variable import ResourceVariable

if TYPE_CHECKING:
    from collections.abc import Callable

_NOT_TENSOR = (
    "The constraint {constraint} of variable '{name}' must return a tensor of the variable's shape "
    "{shape} and dtype {dtype}, got {got!r:.200}. It gives the whole value, projected: reductions "
    "in it need `keepdims=True`."
)

_ASYNCHRONOUS = (
    "Variable '{name}' has the constraint {constraint} and is on {device!r}, in a cluster. There, "
    "workers update it without waiting for each other: one's update may come between another's "
    "update and its projection, and what is then read lies outside of the constraint's set. "
    "Constraints are not safe in asynchronous distributed training, so it is refused. Keep the "
    "variable in this process (a device without a job), or train it without a constraint."
)
# The job of devices in this process.
_HERE = "localhost"


def check_synchronous(variable: Any) -> None:
    """Checks that a variable with a constraint is not shared by the workers of a cluster.

    Raises:
      NotImplementedError: if it is on the device of a cluster's job, such as a parameter server.
    """
    if variable.constraint is None or not variable.device:
        return
    if DeviceSpec.from_string(variable.device).job not in (None, _HERE):
        what = _name_of(variable.constraint)
        raise NotImplementedError(
            _ASYNCHRONOUS.format(name=variable.name, constraint=what, device=variable.device)
        )


def project_after(
    variable: Any, update: Callable[[], Any], use_locking: bool, rows: Any = None
) -> Any:
    """Updates a variable, then applies its constraint.

    Args:
      variable: a variable with a constraint.
      update: does the update, and gives the operation.
      use_locking: whether both are one step for other threads; in eager mode they always are.
      rows: indices of the only rows that the update changes, if that is known. A constraint that
        has a method `row_wise`, and says by it that rows do not matter to each other, is then
        applied to these alone.

    Returns: the operation that is done when the projected value is there; None in eager mode.

    Raises:
      TypeError: if the constraint gives no tensor, or one of another dtype. ValueError: for one of
        another shape.
    """

    def both() -> Any:
        with control_dependencies([update()]):
            return _project(variable) if rows is None else _project_rows(variable, rows)

    row_wise = getattr(variable.constraint, "row_wise", None)
    if row_wise is None or not row_wise(variable.shape.ndims):
        rows = None
    if use_locking or context.modes.top.eager:
        return locked(variable, both)
    return both()


def _project(variable: Any) -> Any:
    value = _projected(variable, variable.read_value(), variable.shape)
    if isinstance(variable, ResourceVariable):
        return raw.AssignVariableOp(variable.handle, value, shape=variable.shape)
    return raw.Assign(variable.handle, value, validate_shape=variable._dims is not None).op


def _project_rows(variable: Any, rows: Any) -> Any:
    found = gather(variable.read_value(), rows)
    found = _projected(variable, found, found.shape)
    if isinstance(variable, ResourceVariable):
        return raw.ResourceScatterUpdate(variable.handle, rows, found)
    return raw.ScatterUpdate(variable.handle, rows, found).op


def _projected(variable: Any, value: Tensor, shape: Any) -> Tensor:
    """What the constraint gives for the variable's value, or for rows of it: of this shape."""
    constraint, dtype = variable.constraint, variable.dtype.base_dtype
    value = constraint(value)
    fit = {"name": variable.name, "shape": shape, "dtype": dtype.name}
    what = _name_of(constraint)
    if not isinstance(value, Tensor):
        raise TypeError(_NOT_TENSOR.format(constraint=what, got=value, **fit))
    if value.dtype.base_dtype is not dtype:
        raise DTypeError(_NOT_TENSOR.format(constraint=what, got=value, **fit))
    if not value.shape.is_compatible_with(shape):
        raise ShapeError(_NOT_TENSOR.format(constraint=what, got=value, **fit))
    return value


def _name_of(constraint: Any) -> str:
    return getattr(constraint, "__name__", None) or type(constraint).__name__
