"""Functions that write variables, and tell whether they have values."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import colocate_with, graph_of
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.variables.partitioned import PartitionedVariable
from hybridflow._src.variables.resource_variable import ResourceVariable
from hybridflow._src.variables.variable import Variable

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "assign",
    "assign_add",
    "assign_sub",
    "count_up_to",
    "is_variable_initialized",
    "scatter_add",
    "scatter_div",
    "scatter_mul",
    "scatter_nd_add",
    "scatter_nd_sub",
    "scatter_nd_update",
    "scatter_sub",
    "scatter_update",
]


def assign(
    ref: Any,
    value: Any,
    validate_shape: bool | None = None,
    use_locking: bool | None = None,
    name: str | None = None,
) -> Any:
    """Gives a variable a new value.

    Args:
      ref: the variable (also a partitioned one), its reference, or a part of it, `v[1:2]`.
      value: a tensor of the variable's dtype and shape.
      validate_shape: if False, a value of another shape is taken (by variables kept by reference).
      use_locking: whether other threads wait meanwhile.
      name: name of the op.

    Returns: the new value (in a graph, when it runs).

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     v = hf.Variable([1.0, 2.0])
    ...     print(hf.assign(v, [3.0, 4.0]).numpy())
    [3. 4.]
    """
    if isinstance(ref, PartitionedVariable):
        return ref.assign(value)
    # A part of a variable has a method of its own for this.
    if isinstance(ref, ResourceVariable) or (isinstance(ref, Tensor) and hasattr(ref, "assign")):
        return ref.assign(value, name=name)
    return raw.Assign(
        ref,
        value,
        validate_shape=validate_shape is not False,
        use_locking=use_locking is not False,
        name=name,
    )


def assign_add(
    ref: Any, value: Any, use_locking: bool | None = None, name: str | None = None
) -> Any:
    """Adds to a variable; the result is the new value.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(int(hf.assign_add(hf.Variable(1), 2)))
    3
    """
    if isinstance(ref, PartitionedVariable):
        return ref.assign_add(value)
    if isinstance(ref, ResourceVariable):
        return ref.assign_add(value, name=name)
    return raw.AssignAdd(ref, value, use_locking=bool(use_locking), name=name)


def assign_sub(
    ref: Any, value: Any, use_locking: bool | None = None, name: str | None = None
) -> Any:
    """Subtracts from a variable; the result is the new value."""
    if isinstance(ref, PartitionedVariable):
        return ref.assign_sub(value)
    if isinstance(ref, ResourceVariable):
        return ref.assign_sub(value, name=name)
    return raw.AssignSub(ref, value, use_locking=bool(use_locking), name=name)


def _scatter(
    kind: str, ref: Any, indices: Any, updates: Any, use_locking: bool, name: str | None
) -> Any:
    if isinstance(ref, Variable):
        return ref._scatter(kind, indices, updates, use_locking, name)
    op = getattr(raw, f"Scatter{kind}")
    return op(ref, indices, updates, use_locking=use_locking, name=name)


def scatter_update(
    ref: Any, indices: Any, updates: Any, use_locking: bool = True, name: str | None = None
) -> Any:
    """Replaces rows of a variable: `ref[indices, ...] = updates`.

    Args:
      ref: the variable, or its reference, of shape `[n, ...]`.
      indices: integer tensor of any shape, in [0, n). Of rows named twice the last counts.
      updates: tensor of shape `indices.shape + ref.shape[1:]`.
      use_locking: whether other threads wait meanwhile.
      name: name of the op.

    Returns: the new value of the variable (in a graph, when it runs).

    Raises:
      InvalidArgumentError: for an index out of range.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     v = hf.Variable([1.0, 2.0, 3.0])
    ...     print(hf.scatter_update(v, [0, 2], [7.0, 9.0]).numpy())
    [7. 2. 9.]
    """
    return _scatter("Update", ref, indices, updates, use_locking, name)


def scatter_add(
    ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None
) -> Any:
    """Adds to rows of a variable, for repeated indices repeatedly. See `scatter_update`."""
    return _scatter("Add", ref, indices, updates, use_locking, name)


def scatter_sub(
    ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None
) -> Any:
    """Subtracts from rows of a variable, for repeated indices repeatedly. See `scatter_update`."""
    return _scatter("Sub", ref, indices, updates, use_locking, name)


def scatter_mul(
    ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None
) -> Any:
    """Multiplies rows of a variable, for repeated indices repeatedly. See `scatter_update`."""
    return _scatter("Mul", ref, indices, updates, use_locking, name)


def scatter_div(
    ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None
) -> Any:
    """Divides rows of a variable, for repeated indices repeatedly. See `scatter_update`."""
    return _scatter("Div", ref, indices, updates, use_locking, name)


def scatter_nd_update(
    ref: Any, indices: Any, updates: Any, use_locking: bool = True, name: str | None = None
) -> Any:
    """Replaces places of a variable: `ref[indices[i]] = updates[i]` for each i.

    Args:
      ref: the variable, or its reference.
      indices: integer tensor `[..., k]`: places in the first k dimensions of `ref`.
      updates: tensor of shape `indices.shape[:-1] + ref.shape[k:]`.
      use_locking: whether other threads wait meanwhile.
      name: name of the op.

    Returns: the new value of the variable (in a graph, when it runs).

    Raises:
      InvalidArgumentError: for an index out of range.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     v = hf.Variable([[1.0, 2.0], [3.0, 4.0]])
    ...     print(hf.scatter_nd_update(v, [[0, 1], [1, 0]], [7.0, 9.0]).numpy())
    [[1. 7.]
     [9. 4.]]
    """
    return _scatter("NdUpdate", ref, indices, updates, use_locking, name)


def scatter_nd_add(
    ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None
) -> Any:
    """Adds to places of a variable, for repeated ones repeatedly. See `scatter_nd_update`."""
    return _scatter("NdAdd", ref, indices, updates, use_locking, name)


def scatter_nd_sub(
    ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None
) -> Any:
    """Subtracts from places, for repeated ones repeatedly. See `scatter_nd_update`."""
    return _scatter("NdSub", ref, indices, updates, use_locking, name)


def count_up_to(ref: Any, limit: int, name: str | None = None) -> Any:
    """Adds 1 to an integer variable and gives the value from before, until that is `limit`.

    Raises:
      OutOfRangeError: when it runs, once the value has reached `limit`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     v = hf.Variable(0)
    ...     print(int(hf.count_up_to(v, 2)), int(hf.count_up_to(v, 2)))
    0 1
    """
    if isinstance(ref, Variable):
        return ref.count_up_to(limit, name)
    return raw.CountUpTo(ref, limit=limit, T=ref.dtype.base_dtype, name=name)


def is_variable_initialized(variable: Any, name: str | None = None) -> Tensor:
    """A boolean scalar: whether `variable` (or a reference to one) has a value.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     v = hf.get_variable("v", [1])
    ...     print(sess.run(hf.is_variable_initialized(v)))
    False
    """
    if isinstance(variable, Variable):
        return variable.is_initialized(name)
    with graph_of([variable]).as_default():
        return raw.IsVariableInitialized(variable, name=name)


def colocated(variable: Any) -> AbstractContextManager[Any]:
    """A context manager in which ops are colocated with a variable, unless it is an eager one."""
    return contextlib.nullcontext() if variable._eager else colocate_with(variable.op)
