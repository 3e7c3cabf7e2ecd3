"""Files read and written as a whole, and the names of files that match a pattern."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import OpDef, not_differentiable
from hybridflow._src.ops.shape_rules import with_rank
from hybridflow._src.platform import gfile
from hybridflow._src.platform.system_errors import translated

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["matching_files", "read_file", "write_file"]


def one_string(value: Any, what: str) -> bytes:
    """The string that a scalar holds.

    Raises:
      InvalidArgumentError: if it is no scalar.
    """
    shape = np.shape(value)
    if shape:
        raise InvalidArgumentError(None, None, f"{what} must be a scalar, got shape {shape}.")
    found: bytes = value if isinstance(value, bytes) else value.item()
    return found


def path_of(value: Any) -> str:
    """The path that a scalar holds."""
    return os.fsdecode(one_string(value, "filename"))


def objects(items: list[bytes]) -> np.ndarray:
    """A vector of strings."""
    found = np.empty(len(items), object)
    found[:] = items
    return found


def _read(filename: Any) -> np.ndarray:
    path = path_of(filename)
    with translated(path), open(path, "rb") as file:
        return np.array(file.read(), object)


def _write(filename: Any, contents: Any) -> None:
    path = path_of(filename)
    folder = os.path.dirname(path)
    with translated(path):
        if folder:
            os.makedirs(folder, exist_ok=True)
        with open(path, "wb") as file:
            file.write(one_string(contents, "contents"))


def _matching(pattern: Any) -> np.ndarray:
    if np.ndim(pattern) > 1:
        raise InvalidArgumentError(
            None, None, f"Input patterns must be a scalar or a vector, got shape {pattern.shape}."
        )
    patterns = [os.fsdecode(p) for p in np.ravel(np.asarray(pattern, object))]
    return objects(sorted(os.fsencode(path) for path in gfile.Glob(patterns)))


def _scalars(count: int, *outputs: Any) -> Any:
    def shape(attrs: dict[str, Any], *inputs: Any) -> list[Any]:
        for tensor in inputs[:count]:
            with_rank(tensor, 0)
        return list(outputs)

    return shape


_read_file = OpDef(
    "ReadFile",
    "filename: string -> contents: string",
    shape=_scalars(1, ()),
    compute=_read,
    grad=not_differentiable,
    samples=lambda rng: (),
    stateful=True,
)
_write_file = OpDef(
    "WriteFile",
    "filename: string, contents: string ->",
    shape=_scalars(2),
    compute=_write,
    grad=not_differentiable,
    stateful=True,
)
_matching_files = OpDef(
    "MatchingFiles",
    "pattern: string -> filenames: string",
    shape=lambda attrs, pattern: (None,),
    compute=_matching,
    grad=not_differentiable,
    stateful=True,
)


def read_file(filename: Any, name: str | None = None) -> Tensor:
    """What a file holds, as one string.

    Args:
      filename: a string scalar.
      name: name of the op.

    Raises:
      NotFoundError, PermissionDeniedError: when it runs, if there is no such file, or it must not
        be read.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     hf.read_file("/no/such/file")
    Traceback (most recent call last):
    hybridflow.errors.NotFoundError: /no/such/file; No such file or directory
    """
    contents: Tensor = _read_file(filename, name=name)
    return contents


def write_file(filename: Any, contents: Any, name: str | None = None) -> Any:
    """Writes a string to a file, in place of what it held; folders are made as needed.

    Args:
      filename, contents: string scalars.
      name: name of the op.

    Returns: the operation; None in eager mode.

    Raises:
      PermissionDeniedError and others: when it runs, if it cannot be written.

    >>> import hybridflow as hf, os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "new", "greeting")
    >>> with hf.eager_mode():
    ...     hf.write_file(path, "hello")
    ...     print(hf.read_file(path).numpy())
    b'hello'
    """
    return _write_file(filename, contents, name=name)


def matching_files(pattern: Any, name: str | None = None) -> Tensor:
    """The names of the files that match a pattern, sorted.

    `*` stands for any characters but `/`, `?` for one, `[...]` for one of those inside.

    Args:
      pattern: a string scalar, or a vector of several patterns.
      name: name of the op.

    Returns: a string vector.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     hf.matching_files("/no/such/place/*").shape
    TensorShape([Dimension(0)])
    """
    found: Tensor = _matching_files(pattern, name=name)
    return found
