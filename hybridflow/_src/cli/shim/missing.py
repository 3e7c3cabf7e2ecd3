"""What hybridflow lacks: raises when it is used, not before."""

from __future__ import annotations

import re
import types
from typing import Any, NoReturn

from hybridflow._src.cli.shim.names import extra_for, instead_of, nearest, shown
from hybridflow._src.framework.traceback import RawFrames, capture, resolve


class _MissingKind(type):
    """The class of classes of TensorFlow's own modules that hybridflow lacks.

    Libraries derive from some of them what their programs never make: who derives does not use.
    """

    _path: str

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")
        raise error_for(*_split(cls._path))


class _Instance:
    _path: str

    def __new__(cls, *_: Any, **__: Any) -> NoReturn:
        raise error_for(*_split(cls._path))


class Missing(types.ModuleType):
    """Stands where a program has imported what hybridflow lacks, a module or a name of one."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"{self.__name__!r} has no attribute {name!r}")
        if self.__name__.startswith("tensorflow.python.") and re.match(r"[A-Z]\w*[a-z]", name):
            return _MissingKind(name, (_Instance,), {"_path": f"{self.__name__}.{name}"})
        raise error_for(*_split(f"{self.__name__}.{name}"))

    def _used(self, *_: Any, **__: Any) -> NoReturn:
        raise error_for(*_split(self.__name__))

    # Called, entered, inherited from, asked for its items or instances.
    __call__ = __enter__ = __exit__ = __getitem__ = __iter__ = _used
    __instancecheck__ = __subclasscheck__ = __mro_entries__ = _used


def _split(path: str) -> tuple[str, str]:
    module, _, name = path.rpartition(".")
    return module, name


def error_for(module: str, name: str) -> AttributeError:
    """The error for the use of `name` of TensorFlow's module `module`, in the user's line."""
    # With a name and no object, Python has no suggestions of its own to add.
    return AttributeError(_Text(module, name, capture(2)), name=name)


class _Text:
    """What an error says, put together when it is read: who only asks `hasattr` does not wait."""

    def __init__(self, module: str, name: str, frames: RawFrames) -> None:
        self._module = module
        self._name = name
        self._frames = frames

    def __str__(self) -> str:
        name, where = self._name, ""
        frames = [f for f in resolve(self._frames) if not f.filename.startswith("<frozen ")]
        if frames:
            frame = frames[0]
            where = f" ({frame.filename}, line {frame.lineno})"
            # The whole name, where the line tells: `tf.layers.dense`, not `tf.layers`.
            whole = re.search(rf"\.({re.escape(name)}(\.\w+)*)", frame.line)
            if whole is not None:
                name = whole[1]
        extra = extra_for(self._module)
        if extra is not None:
            where += f". There is more with {extra[0]}: pip install 'hybridflow[{extra[1]}]'"
        near = instead_of(self._module) or nearest(self._module, name)
        hint = f" The nearest that is there: {near}." if near else " There is nothing like it."
        return f"hybridflow has no {shown(f'{self._module}.{name}')}{where}.{hint}"

    def __repr__(self) -> str:
        return repr(str(self))

    def __reduce__(self) -> Any:
        return str, (str(self),)
