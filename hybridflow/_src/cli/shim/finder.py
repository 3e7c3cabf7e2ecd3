"""Makes TensorFlow's import paths resolve to hybridflow, in this process only."""

from __future__ import annotations

import importlib
import importlib.machinery
import sys
import types
from typing import TYPE_CHECKING, Any

from hybridflow._src.cli.shim.missing import Missing, error_for
from hybridflow._src.cli.shim.names import find, offered
from hybridflow._src.cli.shim.table import MODULES, PROGRAMS, ROOTS, THEMSELVES

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROOT = "tensorflow"


class TensorFlowModule(types.ModuleType):
    """A module under one of TensorFlow's import paths: gets its names where the table says."""

    def __getattr__(self, name: str) -> Any:
        path = self.__name__
        if name == "__all__":
            # 1.4 had no `print`: in its programs `from tensorflow import *` leaves Python's alone.
            return [n for n in offered(path) if not n.startswith("_") and n != "print"]
        found = find(path, name)
        if found is not None:
            return found[0]
        if name.startswith("__"):
            raise AttributeError(f"module {path!r} has no attribute {name!r}")
        raise error_for(path, name)

    def __setattr__(self, name: str, value: Any) -> None:
        # The import system sets what was imported as an attribute of its parent. What is missing
        # must stay so: `hasattr(tf, name)` tells.
        if not isinstance(value, Missing):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *offered(self.__name__)})


class _Importer:
    """Finds and loads the module of every path under the roots of the table."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] not in ROOTS:
            return None
        loader: Any = self
        if fullname in PROGRAMS:
            file = importlib.import_module(PROGRAMS[fullname]).__file__
            spec = importlib.machinery.ModuleSpec(fullname, loader, origin=file)
            spec.has_location = True
            return spec
        spec = importlib.machinery.ModuleSpec(fullname, loader, origin="hybridflow")
        spec.submodule_search_locations = []
        return spec

    def get_code(self, fullname: str) -> types.CodeType | None:
        """What is run by `-m`."""
        loader = vars(importlib.import_module(PROGRAMS[fullname]))["__loader__"]
        code: types.CodeType | None = loader.get_code(PROGRAMS[fullname])
        return code

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        kind = TensorFlowModule if spec.name in MODULES else Missing
        return kind(spec.name, f"The names of {spec.name}, from hybridflow.")

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing is run: names are looked up when they are used."""
        if module.__name__ in THEMSELVES:
            sys.modules[module.__name__] = importlib.import_module(THEMSELVES[module.__name__])


_importer = _Importer()


def foreign() -> types.ModuleType | None:
    """The real TensorFlow's root module, where it is imported already."""
    module = sys.modules.get(_ROOT)
    return None if module is None or isinstance(module, TensorFlowModule) else module


def install() -> None:
    """Makes `import tensorflow` give hybridflow from now on, whether TensorFlow is there or not."""
    if _importer not in sys.meta_path:
        sys.meta_path.insert(0, _importer)
        for name in [n for n in sys.modules if n.partition(".")[0] in ROOTS]:
            del sys.modules[name]
