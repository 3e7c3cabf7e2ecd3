"""What ops of one session share by name: queues, readers, tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.locks import holding, new_lock

if TYPE_CHECKING:
    from collections.abc import Callable


class Resources(dict[tuple[str, str, str], Any]):
    """Objects by family, container and name."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = new_lock()

    def find(self, family: str, container: str, name: str, make: Callable[[], Any]) -> Any:
        """The object of a name, which is made if there is none."""
        return holding(self._lock, self._find, (family, container, name), make)

    def _find(self, key: tuple[str, str, str], make: Callable[[], Any]) -> Any:
        found = self.get(key)
        if found is None:
            found = self[key] = make()
        return found


class Settled:
    """A kernel that is told what the ops of its session share, and the name of its op."""

    def __init__(self) -> None:
        self._resources = Resources()
        self._name = ""

    def settle(self, resources: Resources, name: str) -> None:
        """Says among which objects it is, and the name of the op."""
        self._resources = resources
        self._name = self._name or name


class Named(Settled):
    """The kernel of an op that gives an object: its own, or one that others know by name.

    Args:
      family: what it is, such as a queue: those of others may have the same names.
      make: called with a name and the op's inputs, makes the object.
      check: called with the object of that name, which may be there already, and the op's inputs;
        raises if it is another one than the op asks for.
      container, shared_name: where the object is found; it has the name of the op if there is no
        shared one.
    """

    def __init__(
        self,
        family: str,
        make: Callable[..., Any],
        check: Callable[..., None],
        container: str = "",
        shared_name: str = "",
    ) -> None:
        super().__init__()
        self._family = family
        self._make = make
        self._check = check
        self._container = container
        self._name = shared_name
        self._found: Any = None

    def __call__(self, *inputs: Any) -> Any:
        if self._found is None:
            name = self._name
            key = self._family, self._container, name
            found = self._resources.find(*key, lambda: self._make(name, *inputs))
            self._check(found, *inputs)
            self._found = found
        return self._found
