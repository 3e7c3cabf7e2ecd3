"""Images that are rotated, moved and projected."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
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

__all__ = [
    "angles_to_projective_transforms",
    "compose_transforms",
    "flat_transforms_to_matrices",
    "matrices_to_flat_transforms",
    "rotate",
    "transform",
    "translate",
    "translations_to_projective_transforms",
]
