"""Images that are rotated, moved and projected."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.ops.images.matching import bipartite_match, connected_components
    from hybridflow._src.ops.images.projecting import (
        angles_to_projective_transforms,
        compose_transforms,
        flat_transforms_to_matrices,
        matrices_to_flat_transforms,
        rotate,
        transform,
        translate,
        translations_to_projective_transforms,
    )
    from hybridflow._src.ops.images.warping import dense_image_warp

__all__ = [
    "angles_to_projective_transforms",
    "bipartite_match",
    "compose_transforms",
    "connected_components",
    "dense_image_warp",
    "flat_transforms_to_matrices",
    "matrices_to_flat_transforms",
    "rotate",
    "transform",
    "translate",
    "translations_to_projective_transforms",
]
