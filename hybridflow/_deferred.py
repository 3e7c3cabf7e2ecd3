"""Names that are imported when they are first used, though they are written as ordinary imports.

    with imports_of(__name__):
        from hybridflow._src.ops.math.elementwise import add

notes that `add` comes from there and imports nothing: editors, type checkers and packagers of
programs read the statements as they stand, and `import hybridflow` stays as quick however many
names come. (Python 3.15 has this as `lazy from ... import`, PEP 810.)
"""

from __future__ import annotations

import _thread
import builtins
import contextlib
import importlib
import sys
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


# The threads that import.
_importing: set[int] = set()


def imported(name: str) -> Any:
    """A module, imported to its end although an interrupt comes meanwhile.

    A module that was imported in part may be of no use for the rest of the process (NumPy is), and
    locks of Python's import system may stay held. So a thread of its own imports it, where no
    interrupt comes: who waits for it may be interrupted.
    """
    module = sys.modules.get(name)
    if _is_complete(module) or threading.get_ident() in _importing:
        return importlib.import_module(name)
    found: list[Any] = []
    errors: list[BaseException] = []
    ended = threading.Lock()
    ended.acquire()

    def work() -> None:
        _importing.add(threading.get_ident())
        try:
            found.append(importlib.import_module(name))
        except BaseException as error:
            errors.append(error)
        finally:
            _importing.discard(threading.get_ident())
            ended.release()

    try:
        _thread.start_new_thread(work, ())
    except RuntimeError:  # there can be no more threads
        return importlib.import_module(name)
    ended.acquire()
    if errors:
        raise errors[0]
    return found[0]


def _is_complete(module: Any) -> bool:
    spec = getattr(module, "__spec__", None)
    return spec is not None and not getattr(spec, "_initializing", False)


class _Noted(NamedTuple):
    """A name that an import statement asked for."""

    source: str  # the module named by the statement
    name: str

    def load(self, importer: str) -> Any:
        if self.source == importer:  # `from hybridflow import nn`: a module of its own
            return imported(f"{self.source}.{self.name}")
        return getattr(imported(self.source), self.name)


# What each module whose names are imported late has noted.
_noted_by: dict[str, dict[str, _Noted]] = {}


# Modules of later TensorFlows and of Keras, and where TensorFlow 1.4 has what is in them.
_ELSEWHERE = {
    "activations": "activations are in `hf.nn`, such as `hf.nn.relu`",
    "math": "its functions are in `hf` itself, such as `hf.sqrt`",
    "models": "there are layers in `hf.layers`, such as `hf.layers.Dense`, and no models",
    "optimizers": "optimizers are in `hf.train`, such as `hf.train.AdamOptimizer`",
    "random": "its functions are in `hf` itself, such as `hf.random_normal`",
}


class _NoAttribute:
    """What an error says, put together when it is read: who only asks `hasattr` does not wait."""

    def __init__(self, module: str, name: str, names: tuple[str, ...]) -> None:
        self._module = module
        self._name = name
        self._names = names

    def __str__(self) -> str:
        if self._name in _ELSEWHERE:
            instead = _ELSEWHERE[self._name]
            return f"module {self._module!r} has no attribute {self._name!r}: {instead}"
        import difflib  # here: it takes as long as all of this package

        public = [name for name in self._names if not name.startswith("_")]
        alike = difflib.get_close_matches(self._name, public, 1, 0.7)
        alike = [name for name in alike if name[0] == self._name[0]]
        # `mul` for `multiply`
        begun = sorted((n for n in public if n.startswith(self._name)), key=len)
        found = (alike or (begun if len(self._name) > 2 else []))[:1]
        if not found:
            found = [f"{place}.{self._name}" for place in _places_of(self._module, self._name)]
        hint = f". Did you mean: {found[0]!r}?" if found else ""
        return f"module {self._module!r} has no attribute {self._name!r}{hint}"

    def __repr__(self) -> str:
        return repr(str(self))

    def __reduce__(self) -> Any:
        return str, (str(self),)


def _places_of(module: str, name: str) -> list[str]:
    """The other public modules of a package that have a name."""
    package = module.partition(".")[0]
    noted = _noted_by.get(package, {})
    parts = [f"{package}.{key}" for key, item in noted.items() if item.source == package]
    places = [package, *sorted(parts)]
    return [place for place in places if name in getattr(imported(place), "__all__", ())]


class _Source:
    """Stands for a module while its names are noted."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> _Noted:
        return _Noted(self._module, name)


@contextlib.contextmanager
def imports_of(module: str) -> Iterator[None]:
    """Within it, `from a import b` in `module` only notes where `b` is to be had.

    Afterwards the module has `__getattr__`, which imports a noted name when it is first used, and
    `__dir__`. Imports that other modules or threads make meanwhile are as ever.
    """
    namespace = vars(sys.modules[module])
    usual = builtins.__import__

    def noting(
        name: str,
        globals: Any = None,
        locals: Any = None,
        fromlist: Any = (),
        level: int = 0,
    ) -> Any:
        if globals is namespace and fromlist and level == 0:
            return _Source(name)
        return usual(name, globals, locals, fromlist, level)

    builtins.__import__ = noting
    try:
        yield
    finally:
        builtins.__import__ = usual
    noted = {key: value for key, value in namespace.items() if isinstance(value, _Noted)}
    for key in noted:
        del namespace[key]
    _noted_by[module] = noted
    namespace["__getattr__"] = _getter(module, namespace, noted)
    namespace["__dir__"] = lambda: sorted({*namespace, *noted})


def _getter(
    module: str, namespace: dict[str, Any], noted: dict[str, _Noted]
) -> Callable[[str], Any]:
    def get(name: str) -> Any:
        try:
            source = noted[name]
        except KeyError:
            # With a name and no object, Python adds no suggestion of its own: it has none for
            # modules of more than 750 names, and before 3.12 none at many prompts.
            text = _NoAttribute(module, name, (*namespace, *noted))
            raise AttributeError(text, name=name) from None
        value = namespace[name] = source.load(module)
        return value

    return get
