"""`tensorflow.python.tools.optimize_for_inference_lib` and `strip_unused_lib`."""

from __future__ import annotations

from hybridflow._src.graphs.inference import (
    ensure_graph_is_valid,
    fold_batch_norms,
    optimize_for_inference,
    strip_unused,
)

__all__ = ["ensure_graph_is_valid", "fold_batch_norms", "optimize_for_inference", "strip_unused"]
