"""`tensorflow.python.framework.tensor_util`: its own name for what `tf.make_ndarray` is."""

from __future__ import annotations

from hybridflow._src.formats.tensors import make_ndarray as MakeNdarray

__all__ = ["MakeNdarray"]
