"""Embeddings as points, in TensorBoard's projector."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.formats.messages import EmbeddingInfo, ProjectorConfig, SpriteMetadata
    from hybridflow._src.summary.projector import visualize_embeddings

__all__ = ["EmbeddingInfo", "ProjectorConfig", "SpriteMetadata", "visualize_embeddings"]
