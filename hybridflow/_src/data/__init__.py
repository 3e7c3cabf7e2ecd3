"""`hf.data`: what feeds programs, as pipelines of elements."""

from __future__ import annotations

import importlib
import pkgutil

from hybridflow._src.framework.late import late


def _load() -> None:
    for module in pkgutil.walk_packages(__path__, f"{__name__}."):
        importlib.import_module(module.name)


late.load_data = _load
