"""What stands in modules, however they were installed: as files, in an archive, without source."""

from __future__ import annotations

import importlib.util
import pkgutil
from importlib.machinery import ModuleSpec, PathFinder
from types import CodeType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def of_package(name: str) -> Iterator[str]:
    """The names of a package and of all modules in it, each with what stands in it.

    Raises:
      ImportError: if that cannot be told.
    """
    yield from _of_all(_known(importlib.util.find_spec(name), name))


def of_module(package: str, module: str) -> str:
    """What stands in a module of a package, neither of which is imported.

    Raises:
      ImportError: if it is not there.
    """
    found = _known(importlib.util.find_spec(package), package)
    name = f"{package}.{module}"
    return _content(_known(PathFinder.find_spec(name, found.submodule_search_locations), name))


def _known(spec: ModuleSpec | None, name: str) -> ModuleSpec:
    if spec is None or spec.loader is None:
        raise ImportError(f"{name} is not there")
    return spec


def _of_all(spec: ModuleSpec) -> Iterator[str]:
    yield f"{spec.name}\n{_content(spec)}\n"
    if spec.submodule_search_locations is None:
        return
    inside = sorted(pkgutil.iter_modules(spec.submodule_search_locations), key=lambda m: m.name)
    if not inside:
        raise ImportError(f"the modules of {spec.name} are not to be seen")
    for found in inside:
        name = f"{spec.name}.{found.name}"
        finder: Any = found.module_finder
        yield from _of_all(_known(finder.find_spec(name), name))


def _content(spec: ModuleSpec) -> str:
    """The source of a module, or where there is none what its code does."""
    loader: Any = spec.loader
    source: str | None = loader.get_source(spec.name)
    if source is not None:
        return source
    code = loader.get_code(spec.name)
    if code is None:
        raise ImportError(f"{spec.name} has neither source nor code")
    return "\n".join(_described(code))


def _described(code: CodeType) -> Iterator[str]:
    """Code as text that is the same in all processes, which what `marshal` gives is not."""
    yield repr((code.co_name, code.co_code, code.co_names, code.co_varnames, code.co_freevars))
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _described(constant)
        else:
            yield repr(sorted(constant, key=repr) if isinstance(constant, frozenset) else constant)
