"""`tensorflow.python.framework.common_shapes`: its name of `tf.broadcast_static_shape`."""

from __future__ import annotations

from hybridflow._src.ops.arrays.shape_ops import broadcast_static_shape as broadcast_shape

__all__ = ["broadcast_shape"]
