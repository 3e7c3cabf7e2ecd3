"""What `hybridflow run` runs, as `python` has it: a script, a module, code, or standard input."""

from __future__ import annotations

import builtins
import functools
import importlib.util
import io
import linecache
import os
import runpy
import sys
import textwrap
import types
from abc import ABC, abstractmethod
from importlib.machinery import BuiltinImporter, SourceFileLoader
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Unreadable(Exception):
    """A program that cannot be read, and why."""


class Program(ABC):
    """A program and its arguments.

    Args:
      what: its file, name or text.
      arguments: what follows in `sys.argv`.
    """

    def __init__(self, what: str, arguments: list[str]) -> None:
        self.what = what
        self.arguments = arguments

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.what

    @abstractmethod
    def source(self) -> bytes:
        """Its text.

        Raises:
          Unreadable: if there is none.
        """

    @abstractmethod
    def begin(self) -> Callable[[], Any]:
        """Makes `__main__`, `sys.argv` and `sys.path` what the program expects.

        Returns: what runs it when it is called.

        Raises:
          Unreadable: as `source`; then all is as before.
          SyntaxError: if it is no Python.
        """

    def _prepared(self, first: str, folder: str, **names: Any) -> types.ModuleType:
        """A new `__main__` with these names."""
        sys.argv[:] = [first, *self.arguments]
        if not getattr(sys.flags, "safe_path", False):  # there is no folder in front then
            sys.path[0] = folder
        main = types.ModuleType("__main__")
        main.__dict__.update(__builtins__=builtins, __loader__=BuiltinImporter, **names)
        if sys.version_info < (3, 14):
            main.__annotations__ = {}
        sys.modules["__main__"] = main
        return main


class Script(Program):
    """A script's file."""

    def source(self) -> bytes:
        try:
            with io.open_code(os.path.abspath(self.what)) as file:
                return file.read()
        except OSError as error:
            raise Unreadable(f"can't open file {self.what!r}: {error}") from None

    def begin(self) -> Callable[[], Any]:
        source, full = self.source(), os.path.abspath(self.what)
        main = self._prepared(
            self.what,
            os.path.dirname(os.path.realpath(self.what)),
            __file__=full,
            __cached__=None,
        )
        main.__loader__ = SourceFileLoader("__main__", full)
        return _running(source, full, main)


class Module(Program):
    """A module or package by its name (`-m`)."""

    def source(self) -> bytes:
        sys.path[0] = os.getcwd()
        try:
            spec = importlib.util.find_spec(self.what)
            if spec is not None and spec.submodule_search_locations is not None:
                spec = importlib.util.find_spec(f"{self.what}.__main__")
        except (ImportError, ValueError) as error:
            raise Unreadable(f"no module named {self.what!r}: {error}") from None
        if spec is None or not spec.has_location or spec.origin is None:
            raise Unreadable(f"no module named {self.what!r} that has a file")
        return Script(spec.origin, []).source()

    def begin(self) -> Callable[[], Any]:
        self._prepared("-m", os.getcwd())
        # What `python -m` calls itself.
        return functools.partial(vars(runpy)["_run_module_as_main"], self.what)


class Code(Program):
    """Code on the command line (`-c`)."""

    @property
    def name(self) -> str:
        return "<string>"

    def source(self) -> bytes:
        # As Python does since 3.14.
        text = textwrap.dedent(self.what) if sys.version_info >= (3, 14) else self.what
        return text.encode("utf-8", "surrogateescape")

    def begin(self) -> Callable[[], Any]:
        source = self.source()
        if sys.version_info >= (3, 13):  # whose tracebacks show these lines
            lines = source.decode("utf-8", "replace").splitlines(keepends=True)
            linecache.cache["<string>"] = (len(source), None, lines, "<string>")
        return _running(source, "<string>", self._prepared("-c", ""))


class Input(Program):
    """What comes on standard input."""

    @property
    def name(self) -> str:
        return "<stdin>"

    def source(self) -> bytes:
        return sys.stdin.buffer.read()

    def begin(self) -> Callable[[], Any]:
        main = self._prepared(self.what, "", __file__="<stdin>", __cached__=None)
        return _running(self.source(), "<stdin>", main)


def _running(source: bytes, filename: str, main: types.ModuleType) -> Callable[[], Any]:
    # Compiled where it runs, which shows errors of syntax as others.
    return lambda: exec(compile(source, filename, "exec"), main.__dict__)
