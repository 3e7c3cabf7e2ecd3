"""A process in which `import tensorflow` gives hybridflow, and those that it starts."""

from __future__ import annotations

import functools
import importlib
from multiprocessing import spawn
from typing import TYPE_CHECKING, Any

from hybridflow._src.cli.shim import finder, version
from hybridflow._src.framework import described

if TYPE_CHECKING:
    import types
    from collections.abc import Callable

_THEIRS = """TensorFlow is imported already (tensorflow {version}, from {file}), and who has \
imported it holds its modules. Call hybridflow.as_tensorflow() before the first \
`import tensorflow`: in a notebook in the first cell, after a restart; in a test suite in its \
outermost conftest.py, or by `pytest -p hybridflow.pytest_tensorflow`."""


def as_tensorflow() -> types.ModuleType:
    """`hybridflow.as_tensorflow`."""
    theirs = finder.foreign()
    if theirs is not None:
        version = getattr(theirs, "__version__", "of unknown version")
        file = getattr(theirs, "__file__", None) or "an unknown file"
        raise RuntimeError(_THEIRS.format(version=version, file=file))
    install(as_tensorflow)
    return importlib.import_module("tensorflow")


def install(prepare: Callable[[], Any]) -> None:
    """Installs TensorFlow's import paths.

    Args:
      prepare: what processes call that this one starts by `multiprocessing`, unless forked.

    Raises:
      ValueError: if the environment asks for a version that is none.
    """
    problem = version.problem()
    if problem is not None:
        raise ValueError(problem)
    finder.install()
    described.library = "tf"
    if spawn.get_preparation_data is _plain_preparation_data:
        spawn.get_preparation_data = functools.partial(_preparation_data, _Called(prepare))


class _Called:
    """Calls a function where it is unpickled: at the start of a process that is not forked."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function

    def __reduce__(self) -> Any:
        return self._function, ()


_plain_preparation_data = spawn.get_preparation_data


def _preparation_data(prepared: _Called, name: str) -> dict[str, Any]:
    data = {"hybridflow": prepared, **_plain_preparation_data(name)}
    if name == "ignore":
        # A fork server asks, which would run the program unprepared; what it forks is prepared.
        data.pop("init_main_from_path", None)
        data.pop("init_main_from_name", None)
    return data
