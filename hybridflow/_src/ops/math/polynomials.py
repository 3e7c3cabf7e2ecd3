"""Polynomials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["polyval"]


def polyval(coeffs: list[Any], x: Any, name: str | None = None) -> Tensor:
    """The values of a polynomial, by Horner's rule. Of TensorFlow 1.15.

    Args:
      coeffs: a list of tensors that broadcast with `x`, that of the highest power first.
      x: tensor of a number dtype.
      name: scope of the ops.

    Returns: `coeffs[0] x**(n-1) + ... + coeffs[n-1]`; 0 where there are none.

    Raises:
      ValueError: if `coeffs` is no list.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.polyval([1.0, 0.0, -2.0], [2.0, 3.0]).numpy())
    [2. 7.]
    """
    if not isinstance(coeffs, list):
        raise ValueError(
            f"Argument coeffs must be list type found {type(coeffs)}: one coefficient each."
        )
    with name_scope(name, "polyval", [*coeffs, x]):
        x = convert_to_tensor(x, name="x")
        if not coeffs:
            return raw.ZerosLike(x)
        first, *others = (convert_to_tensor(c, x.dtype.base_dtype) for c in coeffs)
        total = first
        for coefficient in others:
            total = coefficient + total * x
        return total
