"""`Module`: an object whose variables and modules are found in its attributes."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.variables.variable import Variable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

__all__ = ["Module"]

_IDENTIFIER = re.compile(r"[A-Za-z_]\w*\Z")


class Module:
    """A base for objects that hold variables: it finds those, and modules, in its attributes.

    Attributes may be lists, tuples and dicts of them. Each is given once, in the order of the
    names of attributes, those of its own before those of modules within.

    Args:
      name: a Python identifier; by default that of the class, in lower case.

    Raises:
      ValueError: if the name is no identifier.

    >>> import hybridflow as hf
    >>> class Line(hf.Module):
    ...     def __init__(self):
    ...         super().__init__(name="line")
    ...         self.slope = hf.Variable(2.0)
    >>> with hf.eager_mode():
    ...     print(len(Line().variables), Line().name)
    1 line
    """

    # Attributes in which nothing is looked for: what is found is asked by these properties.
    _TF_MODULE_IGNORED_PROPERTIES: frozenset[str] = frozenset()

    def __init__(self, name: str | None = None) -> None:
        if name is None:
            words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=.)(?=[A-Z][a-z])", "_", type(self).__name__)
            name = words.lower()
        elif not _IDENTIFIER.match(name):
            raise ValueError(
                f"{name!r} is not a valid module name. Module names must be valid Python "
                "identifiers (e.g. a valid class name)."
            )
        self._name = name
        with name_scope(name) as scope:
            self._scope_name = scope

    @property
    def name(self) -> str:
        """The name that it was given."""
        return self._name

    @property
    def name_scope(self) -> AbstractContextManager[Any]:
        """A context manager: the scope of names in which it was made."""
        return name_scope(self._scope_name)

    @property
    def variables(self) -> tuple[Any, ...]:
        """Its variables, and those of modules within."""
        return tuple(self._flatten(predicate=_is_variable))

    @property
    def trainable_variables(self) -> tuple[Any, ...]:
        """Those of its variables that are trained."""
        return tuple(self._flatten(predicate=_is_trained))

    @property
    def submodules(self) -> tuple[Module, ...]:
        """The modules within, and those within them."""
        return tuple(self._flatten(predicate=_is_module))

    def _no_dependency(self, value: Any) -> Any:
        """The value: TensorFlow marks so what checkpoints of objects leave out."""
        return value

    def _flatten(
        self,
        recursive: bool = True,
        predicate: Callable[[Any], bool] | None = None,
        attribute_traversal_key: Callable[[str], Any] | None = None,
        with_path: bool = False,
    ) -> Iterator[Any]:
        """What is in its attributes, each once.

        Args:
          recursive: whether to look into modules too.
          predicate: tells of a value whether it is given; all are by default.
          attribute_traversal_key: sorts the names of attributes.
          with_path: gives `(path, value)`, the path a tuple of names, numbers and keys.
        """
        seen = {id(self)}
        waiting: list[tuple[tuple[Any, ...], Module]] = [((), self)]
        while waiting:
            above, module = waiting.pop(0)
            within = []
            attributes = vars(module)
            for name in sorted(attributes, key=attribute_traversal_key):
                if name in module._TF_MODULE_IGNORED_PROPERTIES:
                    continue
                for path, value in _leaves((*above, name), attributes[name]):
                    if id(value) in seen:
                        continue
                    seen.add(id(value))
                    if predicate is None or predicate(value):
                        yield (path, value) if with_path else value
                    if recursive and isinstance(value, Module):
                        within.append((path, value))
            waiting[:0] = within

    @classmethod
    def with_name_scope(cls, method: Callable[..., Any]) -> Callable[..., Any]:
        """Makes a method whose ops are named in the scope of its module."""

        @functools.wraps(method)
        def scoped(self: Module, *args: Any, **kwargs: Any) -> Any:
            with self.name_scope:
                return method(self, *args, **kwargs)

        return scoped


def _leaves(path: tuple[Any, ...], value: Any) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """What is in sequences and dicts, with the paths that lead there."""
    if isinstance(value, dict):
        items = [(key, value[key]) for key in sorted(value, key=str)]
    elif isinstance(value, list | tuple):
        items = list(enumerate(value))
    else:
        yield path, value
        return
    for key, item in items:
        yield from _leaves((*path, key), item)


def _is_variable(value: Any) -> bool:
    return isinstance(value, Variable)


def _is_trained(value: Any) -> bool:
    return isinstance(value, Variable) and value.trainable


def _is_module(value: Any) -> bool:
    return isinstance(value, Module)
