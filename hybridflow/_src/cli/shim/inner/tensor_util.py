"""`tensorflow.python.framework.tensor_util`: what it has beside public functions."""

from __future__ import annotations

from typing import Any

from hybridflow._src.formats.tensors import make_ndarray as MakeNdarray
from hybridflow._src.framework.static_value import constant_dims
from hybridflow._src.framework.tensor_shape import TensorShape

__all__ = ["MakeNdarray", "constant_value_as_shape"]


def constant_value_as_shape(tensor: Any) -> TensorShape:
    """The shape that a tensor holds, as far as the graph tells it."""
    return TensorShape(constant_dims(tensor))
