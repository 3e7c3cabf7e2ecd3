"""`tensorflow.python.util.tf_inspect`: Python's `inspect`, of the functions inside decorators."""

from __future__ import annotations

import functools
import inspect
from inspect import (
    Parameter,
    Signature,
    currentframe,
    getdoc,
    getfile,
    getmembers,
    getmodule,
    getmro,
    getsource,
    getsourcefile,
    getsourcelines,
    isbuiltin,
    isclass,
    isfunction,
    isgenerator,
    isgeneratorfunction,
    ismethod,
    ismodule,
    isroutine,
    signature,
    stack,
    unwrap,
)
from typing import Any, NamedTuple

__all__ = [
    "ArgSpec",
    "_inspect",
    "FullArgSpec",
    "Parameter",
    "Signature",
    "currentframe",
    "getargspec",
    "getcallargs",
    "getdoc",
    "getfile",
    "getfullargspec",
    "getmembers",
    "getmodule",
    "getmro",
    "getsource",
    "getsourcefile",
    "getsourcelines",
    "isbuiltin",
    "isclass",
    "isfunction",
    "isgenerator",
    "isgeneratorfunction",
    "ismethod",
    "ismodule",
    "isroutine",
    "signature",
    "stack",
    "unwrap",
]

FullArgSpec = inspect.FullArgSpec
_inspect = inspect


class ArgSpec(NamedTuple):
    """The arguments of a function, as Python 2 told them."""

    args: list[str]
    varargs: str | None
    keywords: str | None
    defaults: tuple[Any, ...] | None


def getfullargspec(obj: Any) -> inspect.FullArgSpec:
    """The arguments of a function, class or callable object, inside its decorators."""
    target = inspect.unwrap(obj)
    if not (inspect.isroutine(target) or isinstance(target, type | functools.partial)):
        target = type(target).__call__
    found = inspect.getfullargspec(target)
    # TensorFlow's functions have none, and programs compare what they find.
    ours = getattr(target, "__module__", None) or ""
    return found._replace(annotations={}) if ours.startswith("hybridflow.") else found


def getargspec(obj: Any) -> ArgSpec:
    """The arguments of a function, as Python 2 told them."""
    found = getfullargspec(obj)
    return ArgSpec(found.args, found.varargs, found.varkw, found.defaults)


def getcallargs(*func_and_positional: Any, **named: Any) -> dict[str, Any]:
    """What each argument of a function is in a call."""
    function, *positional = func_and_positional
    return inspect.getcallargs(inspect.unwrap(function), *positional, **named)
