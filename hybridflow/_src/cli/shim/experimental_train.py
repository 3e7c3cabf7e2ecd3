"""`tf.train.experimental`: half precision, which no processor here computes faster."""

from __future__ import annotations

from typing import Any

from hybridflow._src.platform import tf_logging

__all__ = ["disable_mixed_precision_graph_rewrite", "enable_mixed_precision_graph_rewrite"]


def enable_mixed_precision_graph_rewrite(opt: Any, loss_scale: Any = "dynamic") -> Any:
    """The optimizer itself: there is no GPU that computes in half precision."""
    tf_logging.warning("Mixed precision has no effect: it is for GPUs, and there is none.")
    return opt


def disable_mixed_precision_graph_rewrite() -> None:
    """Does nothing: mixed precision has no effect."""
