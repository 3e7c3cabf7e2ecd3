"""SavedModels: graphs with their signatures, variables and files, for programs that serve them."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.saved_model.builder import simple_save
    from hybridflow.saved_model import (
        builder,
        constants,
        loader,
        main_op,
        signature_constants,
        signature_def_utils,
        tag_constants,
        utils,
    )

__all__ = [
    "builder",
    "constants",
    "loader",
    "main_op",
    "signature_constants",
    "signature_def_utils",
    "simple_save",
    "tag_constants",
    "utils",
]
