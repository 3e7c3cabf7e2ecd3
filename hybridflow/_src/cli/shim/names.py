"""Looks names up in the modules that the table lists, and finds those that are spelled alike."""

from __future__ import annotations

import contextlib
import difflib
import functools
import importlib
import importlib.util
import re
import types
from typing import Any

from hybridflow._src.cli.shim.spellings import SPELLINGS
from hybridflow._src.cli.shim.table import EXTRAS, INSTEAD, MODULES


def shown(path: str) -> str:
    """A path as programs write it: with `tf` for the root module."""
    return re.sub(r"^tensorflow(\.compat\.v[12])?(?!\.python\b)(?=\.|$)", "tf", path)


def _behind_root(path: str) -> str:
    return re.sub(r"^tensorflow(\.compat\.v[12])?", "", path)


def _public_names(module: types.ModuleType, package: str) -> list[str]:
    """The names that a module of a package offers: `__all__`, or all but foreign modules."""
    names = getattr(module, "__all__", None) or [n for n in dir(module) if not n.startswith("_")]
    values = {name: getattr(module, name, None) for name in names}
    return [
        name
        for name, value in values.items()
        if not isinstance(value, types.ModuleType) or value.__name__.startswith(f"{package}.")
    ]


@functools.cache
def _names_of(source: str) -> frozenset[str]:
    """The names that a module offers; none, where it comes with an extra that is not installed."""
    package = source.partition(".")[0]
    if package in EXTRAS:
        if importlib.util.find_spec(package) is None:
            return frozenset()
        return frozenset(_public_names(importlib.import_module(source), package))
    module = importlib.import_module(source)
    names = getattr(module, "__all__", None)
    if names is None:
        names = [
            name
            for name, value in vars(module).items()
            if not name.startswith("_")
            and not isinstance(value, types.ModuleType)
            and getattr(value, "__module__", source) == source
        ]
    return frozenset(names)


def find(path: str, name: str) -> tuple[Any] | None:
    """What `name` is in TensorFlow's module `path`, in a tuple; None if hybridflow lacks it."""
    child = f"{path}.{name}"
    if child in MODULES:
        return (importlib.import_module(child),)
    for source in MODULES[path]:
        if name in _names_of(source):
            return (getattr(importlib.import_module(source), name),)
    spelled = SPELLINGS.get(_behind_root(path), {}).get(name)
    if spelled is None:
        return None
    module, _, last = spelled.rpartition(".")
    # Under `compat.v2` what a name stands for has other arguments.
    root = path.removesuffix(_behind_root(path))
    return find(f"{root}{module}" if f"{root}{module}" in MODULES else f"tensorflow{module}", last)


def offered(path: str) -> list[str]:
    """All names of TensorFlow's module `path` that are there."""
    names: set[str] = set()
    for source in MODULES[path]:
        with contextlib.suppress(ImportError):  # of what an extra needs in its turn
            names |= _names_of(source)
    names.update(SPELLINGS.get(_behind_root(path), ()))
    prefix = f"{path}."
    names.update(
        other.removeprefix(prefix)
        for other in MODULES
        if other.startswith(prefix) and "." not in other.removeprefix(prefix)
    )
    return sorted(names)


@functools.cache
def _public() -> dict[str, list[str]]:
    """All public names under `tf`, by their last part; Keras' names for the same come last."""
    found: dict[str, list[str]] = {}
    for path in sorted(MODULES, key=lambda path: ".keras" in path):
        if re.match(r"(tensorflow\.(python|examples|compat\.v[12])|horovod)\b", path):
            continue
        for name in offered(path):
            found.setdefault(name, []).append(f"{path}.{name}")
    return found


# What a shortened name does not mean: there was none of it when names were shorter.
_NEWER = {"substr"}


def extra_for(path: str) -> tuple[str, str] | None:
    """The package that a module's names come from, and the extra that installs it, if it is not."""
    for parent in (path, path.rpartition(".")[0]):
        for source in MODULES.get(parent, ()):
            package = source.partition(".")[0]
            if package in EXTRAS and importlib.util.find_spec(package) is None:
                return package, EXTRAS[package]
    return None


def instead_of(path: str) -> str | None:
    """What to use in place of a module that is not here on purpose, or None."""
    return next((INSTEAD[known] for known in INSTEAD if f"{path}.".startswith(f"{known}.")), None)


def nearest(path: str, dotted: str) -> str | None:
    """The name that is there and most like `dotted`, which is missing in the module `path`.

    The same name elsewhere comes first, then one in the same module that it begins (`mul` for
    `multiply`), then one spelled alike, in the same module or, if it is very much so, elsewhere.
    """
    last = dotted.rpartition(".")[2]
    public = _public()
    if last in public:
        return shown(public[last][0])
    # What lies in a module that is missing is like no name of the module around that one.
    here = offered(path) if path in MODULES and last == dotted else []
    begun = sorted((n for n in here if n.startswith(dotted) and n not in _NEWER), key=len)
    if begun and len(dotted) > 2:
        return shown(f"{path}.{begun[0]}")
    for names, least in ((here, 0.7), (list(public), 0.85)):
        alike = difflib.get_close_matches(last, names, 1, least)
        if alike:
            return shown(f"{path}.{alike[0]}" if names is here else public[alike[0]][0])
    return None
