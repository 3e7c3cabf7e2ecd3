"""`tensorflow.python.util.lazy_loader`: modules that are imported when they are first used."""

from __future__ import annotations

import importlib
import types
from typing import Any

__all__ = ["LazyLoader"]


class LazyLoader(types.ModuleType):
    """Stands for a module, which the first use of one of its names imports.

    Args:
      local_name: its name among `parent_module_globals`, which is the module itself from then on.
      parent_module_globals: the names of the module that it is written in.
      name: the full name of the module.
    """

    def __init__(
        self, local_name: str, parent_module_globals: dict[str, Any], name: str, warning: Any = None
    ) -> None:
        super().__init__(name)
        self._local_name = local_name
        self._parent_module_globals = parent_module_globals

    def _loaded(self) -> types.ModuleType:
        module = importlib.import_module(self.__name__)
        self._parent_module_globals[self._local_name] = module
        self.__dict__.update(vars(module))
        return module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loaded(), name)

    def __dir__(self) -> list[str]:
        return dir(self._loaded())
