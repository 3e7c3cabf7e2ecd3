"""`tensorflow.python.training.checkpoint_ops`: private names of what `tf.contrib.framework` has."""

from __future__ import annotations

from hybridflow._src.train.saving.remapped import (
    load_and_remap_matrix_initializer as _load_and_remap_matrix_initializer,
)
from hybridflow._src.train.saving.remapped import (
    load_embedding_initializer as _load_embedding_initializer,
)

__all__ = ["_load_and_remap_matrix_initializer", "_load_embedding_initializer"]
