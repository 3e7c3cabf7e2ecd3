"""Variances, standard deviations and lengths along axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.math.complex_numbers import conj, real
from hybridflow._src.ops.math.reductions import reduce_mean, reduce_sum

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["reduce_euclidean_norm", "reduce_std", "reduce_variance"]


def reduce_variance(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """The variances along axes: means of squared distances from the mean. Of TensorFlow 1.15.

    Args:
      input_tensor: tensor of a float or complex dtype.
      axis: an int or a list of ints: the axes to reduce; by default all.
      keepdims: keep the reduced axes, with size 1.
      name: scope of the ops.

    Returns: a tensor of the same dtype; of complex numbers a real one.

    Raises:
      ValueError: if an axis is out of range. TypeError: for an integer dtype.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.reduce_variance([[1.0, 3.0], [2.0, 2.0]], 1).numpy())
    [1. 0.]
    """
    with name_scope(name, "reduce_variance", [input_tensor]):
        x = convert_to_tensor(input_tensor)
        if not (x.dtype.is_floating or x.dtype.is_complex):
            raise TypeError(f"reduce_variance: expected a float dtype, got {x.dtype.name}.")
        apart = x - reduce_mean(x, axis, keepdims=True)
        squares = real(apart * conj(apart)) if x.dtype.is_complex else raw.Square(apart)
        return reduce_mean(squares, axis, keepdims=keepdims)


def reduce_std(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """The standard deviations along axes: roots of `reduce_variance`. Of TensorFlow 1.15.

    Args:
      input_tensor: tensor of a float or complex dtype.
      axis: an int or a list of ints: the axes to reduce; by default all.
      keepdims: keep the reduced axes, with size 1.
      name: scope of the ops.

    Returns: a tensor of the same dtype; of complex numbers a real one.

    Raises:
      ValueError: if an axis is out of range. TypeError: for an integer dtype.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.reduce_std([1.0, 3.0]).numpy())
    1.0
    """
    with name_scope(name, "reduce_std", [input_tensor]):
        return raw.Sqrt(reduce_variance(input_tensor, axis, keepdims))


def reduce_euclidean_norm(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """The lengths of vectors along axes: roots of sums of squares. Of TensorFlow 1.15.

    Args:
      input_tensor: tensor of a float dtype.
      axis: an int or a list of ints: the axes to reduce; by default all.
      keepdims: keep the reduced axes, with size 1.
      name: scope of the ops.

    Returns: a tensor of the same dtype.

    Raises:
      ValueError: if an axis is out of range.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.reduce_euclidean_norm([3.0, 4.0]).numpy())
    5.0
    """
    with name_scope(name, "EuclideanNorm", [input_tensor]):
        x = convert_to_tensor(input_tensor)
        squares = x * conj(x) if x.dtype.is_complex else raw.Square(x)
        return raw.Sqrt(reduce_sum(squares, axis, keepdims=keepdims))
