"""Tensors' operators for what stands for a tensor: variables, and partitioned ones."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from hybridflow._src.ops.operators import OPERATORS

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.tensor import Tensor


def overload(cls: Any, tensor_class: type[Tensor]) -> None:
    """Gives a class the operators of tensors: its object is read, then the tensor does the rest."""
    for operator in OPERATORS:
        setattr(cls, operator, _read_first(getattr(tensor_class, operator)))


def _read_first(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def operator(self: Any, *args: Any) -> Any:
        return method(self._as_tensor(), *args)

    return operator
