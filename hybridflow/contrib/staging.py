"""Elements that one step puts by and a later one takes."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.ops.data_flow.map_staging import MapStagingArea
    from hybridflow._src.ops.data_flow.staging import StagingArea

__all__ = ["MapStagingArea", "StagingArea"]
