"""`tensorflow.python.util`: decorators, and what they say of functions that are deprecated."""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.stack import Stack
from hybridflow._src.platform import tf_logging

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.stack import Pushed

__all__ = [
    "contextmanager",
    "deprecated",
    "deprecated_alias",
    "deprecated_arg_values",
    "deprecated_args",
    "deprecated_argument_lookup",
    "keras_export",
    "make_all",
    "make_decorator",
    "remove_undocumented",
    "silence",
    "tf_export",
    "unwrap",
]

contextmanager = contextlib.contextmanager
_silent: Stack[bool] = Stack(False, "silence")


def make_decorator(
    target: Callable[..., Any],
    decorator_func: Callable[..., Any],
    decorator_name: str | None = None,
    decorator_doc: str = "",
    decorator_argspec: Any = None,
) -> Callable[..., Any]:
    """A function that stands for `target`: with its name, documentation and attributes."""
    functools.update_wrapper(decorator_func, target)
    if decorator_doc:
        decorator_func.__doc__ = f"{target.__doc__ or ''}\n{decorator_doc}"
    return decorator_func


def unwrap(maybe_tf_decorator: Any) -> tuple[list[Any], Any]:
    """The functions around a function, from the outermost, and the innermost one."""
    decorators = []
    while hasattr(maybe_tf_decorator, "__wrapped__"):
        decorators.append(maybe_tf_decorator)
        maybe_tf_decorator = maybe_tf_decorator.__wrapped__
    return decorators, maybe_tf_decorator


def _warning(text: str, warn_once: bool = True) -> Callable[[Callable[..., Any]], Any]:
    """A decorator of functions that say so when they are called."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        told = False

        @functools.wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            nonlocal told
            if not _silent.top and not (told and warn_once):
                told = True
                name = getattr(function, "__qualname__", repr(function))
                tf_logging.warning("%s (from %s) %s", name, function.__module__, text)
            return function(*args, **kwargs)

        return called

    return decorate


def silence() -> Pushed[bool, bool]:
    """A context manager in which functions that are deprecated do not say so."""
    return _silent.scope(True)


def _when(date: str | None) -> str:
    return "in a future version" if date is None else f"after {date}"


def deprecated(date: str | None, instructions: str, warn_once: bool = True) -> Any:
    """A decorator of functions that are deprecated."""
    text = f"is deprecated and will be removed {_when(date)}.\n{instructions}"
    return _warning(text, warn_once)


def deprecated_args(
    date: str | None, instructions: str, *deprecated_arg_names_or_tuples: Any, **kwargs: Any
) -> Any:
    """A decorator of functions of which some arguments are deprecated; says nothing."""
    return lambda function: function


def deprecated_arg_values(
    date: str | None,
    instructions: str,
    warn_once: bool = True,
    **deprecated_kwargs: Any,
) -> Any:
    """A decorator of functions of which some values of arguments are deprecated; says nothing."""
    return lambda function: function


def deprecated_alias(
    deprecated_name: str, name: str, func_or_class: Any, warn_once: bool = True
) -> Any:
    """A function or class under a name that is deprecated."""
    if isinstance(func_or_class, type):
        return func_or_class
    return _warning(f"is deprecated under the name {deprecated_name}: use {name}.", warn_once)(
        func_or_class
    )


def deprecated_argument_lookup(new_name: str, new_value: Any, old_name: str, old_value: Any) -> Any:
    """The value of an argument that has two names.

    Raises:
      ValueError: if it is given by both.
    """
    if old_value is None:
        return new_value
    if new_value is not None:
        raise ValueError(f"Cannot specify both '{old_name}' and '{new_name}'")
    return old_value


def remove_undocumented(
    module_name: str, allowed_exception_list: Any = None, doc_string_modules: Any = None
) -> None:
    """Does nothing: who hides a module's other names writes `__all__`."""


def make_all(module_name: str, doc_string_modules: Any = None) -> list[str]:
    """The public names of a module."""
    import sys

    return [name for name in dir(sys.modules[module_name]) if not name.startswith("_")]


def tf_export(*names: str, **_: Any) -> Callable[[Any], Any]:
    """A decorator that leaves what it decorates as it is."""
    return lambda function: function


keras_export = tf_export
