"""The operating system's errors as TensorFlow's."""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CLASS_OF_ERRNO: dict[int, Callable[..., errors.OpError]] = {
    errno.ENOENT: errors.NotFoundError,
    errno.EEXIST: errors.AlreadyExistsError,
    errno.EACCES: errors.PermissionDeniedError,
    errno.EPERM: errors.PermissionDeniedError,
    errno.EROFS: errors.PermissionDeniedError,
    errno.ENOSPC: errors.ResourceExhaustedError,
    errno.EDQUOT: errors.ResourceExhaustedError,
    errno.EMFILE: errors.ResourceExhaustedError,
    errno.ENFILE: errors.ResourceExhaustedError,
    errno.EFBIG: errors.OutOfRangeError,
    errno.ENAMETOOLONG: errors.InvalidArgumentError,
    errno.ENOTEMPTY: errors.FailedPreconditionError,
    errno.EISDIR: errors.FailedPreconditionError,
    errno.ENOTDIR: errors.FailedPreconditionError,
}


@contextlib.contextmanager
def translated(path: Any) -> Iterator[None]:
    """Turns the operating system's errors into TensorFlow's."""
    try:
        yield
    except OSError as error:
        cls = _CLASS_OF_ERRNO.get(error.errno or 0, errors.UnknownError)
        raise cls(None, None, f"{os.fspath(path)}; {error.strerror or error}") from error
