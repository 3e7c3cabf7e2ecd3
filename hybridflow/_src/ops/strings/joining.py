"""Strings joined element by element."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import settings
from hybridflow._src.framework.op_def import OpDef, Sample, not_differentiable
from hybridflow._src.framework.tensor_shape import merge

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["string_join"]


def _shape(attrs: dict[str, Any], *inputs: Tensor) -> Any:
    """That of the inputs which are no scalars; unknown where one might be a scalar or not."""
    dims: Any = ()
    unknown = False
    for tensor in inputs:
        if tensor._dims is None:
            unknown = True
        elif tensor._dims:
            dims = merge(dims, tensor._dims) if dims else tensor._dims
    return None if unknown and not dims else dims


def _join(*arrays: np.ndarray, separator: str) -> np.ndarray:
    shapes = {array.shape for array in arrays if array.ndim}
    if len(shapes) > 1:
        raise ValueError(f"Shapes must be equal, or those of scalars: {sorted(shapes)}")
    result = np.empty(shapes.pop() if shapes else (), object)
    parts = [np.broadcast_to(array, result.shape).reshape(-1) for array in arrays]
    glue = separator.encode()
    result.reshape(-1)[:] = [glue.join(items) for items in zip(*parts, strict=True)]
    return result


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    words = np.array([[b"a", b""], [b"\xff", b"word"]], object)
    yield Sample([words, np.array(b"x", object)])
    yield Sample([words, words, words], separator=", ")
    yield Sample([np.array(b"x", object)])
    yield Sample([np.empty((0, 2), object), np.array(b"x", object)])


_string_join = OpDef(
    "StringJoin",
    "inputs: N*string -> output: string",
    attrs={"separator": ""},
    shape=_shape,
    compute=_join,
    grad=not_differentiable,
    samples=_samples,
    checked=True,
)


def string_join(inputs: Sequence[Any], separator: str = "", name: str | None = None) -> Tensor:
    """Joins strings element by element.

    Args:
      inputs: string tensors of one shape; scalars among them go with every element.
      separator: what stands between them.
      name: name of the op.

    Returns: a string tensor of that shape.

    Raises:
      ShapeError: if shapes differ that are not those of scalars.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.string_join([["a", "b"], "c"], separator="-").numpy())
    [b'a-c' b'b-c']
    """
    separator = settings.string(separator, "separator")
    return _string_join(list(inputs), separator=separator, name=name)
