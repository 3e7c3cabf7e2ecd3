"""Tensors divided by their norm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.linalg.norms import norm

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["normalize"]


def normalize(
    tensor: Any, ord: Any = "euclidean", axis: Any = None, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """A tensor divided by its norm, and the norm. Of TensorFlow 1.15.

    Args:
      tensor: of a floating or complex dtype.
      ord, axis: as of `norm`.
      name: name scope of the ops.

    Returns: `(normalized, norm)`; the norm keeps the axes, with size 1.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     unit, length = hf.linalg.normalize([3.0, 4.0])
    ...     print(unit.numpy(), length.numpy())
    [0.6 0.8] [5.]
    """
    with name_scope(name, "normalize", [tensor]):
        tensor = convert_to_tensor(tensor)
        length = norm(tensor, ord, axis, keepdims=True)
        length = cast(length, tensor.dtype.base_dtype)
        return tensor / length, length
