"""Exceptions with TensorFlow's names and codes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

__all__ = [
    "ABORTED",
    "ALREADY_EXISTS",
    "CANCELLED",
    "DATA_LOSS",
    "DEADLINE_EXCEEDED",
    "FAILED_PRECONDITION",
    "INTERNAL",
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "OK",
    "OUT_OF_RANGE",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "UNAUTHENTICATED",
    "UNAVAILABLE",
    "UNIMPLEMENTED",
    "UNKNOWN",
    "AbortedError",
    "AlreadyExistsError",
    "CancelledError",
    "DTypeError",
    "DataLossError",
    "DeadlineExceededError",
    "FailedPreconditionError",
    "InternalError",
    "InvalidArgumentError",
    "NotFoundError",
    "OpError",
    "OutOfRangeError",
    "PermissionDeniedError",
    "ResourceExhaustedError",
    "ShapeError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnimplementedError",
    "UnknownError",
    "error_code_from_exception_type",
    "exception_type_from_error_code",
]

OK = 0
CANCELLED = 1
UNKNOWN = 2
INVALID_ARGUMENT = 3
DEADLINE_EXCEEDED = 4
NOT_FOUND = 5
ALREADY_EXISTS = 6
PERMISSION_DENIED = 7
RESOURCE_EXHAUSTED = 8
FAILED_PRECONDITION = 9
ABORTED = 10
OUT_OF_RANGE = 11
UNIMPLEMENTED = 12
INTERNAL = 13
UNAVAILABLE = 14
DATA_LOSS = 15
UNAUTHENTICATED = 16


class OpError(Exception):
    """An error raised by running an op; the base of all errors here.

    Args:
      node_def: A description of the op's node, or None.
      op: The graph operation that failed, or None (always None in eager mode).
      message: What went wrong.
      error_code: One of this module's codes, such as `INVALID_ARGUMENT`.

    >>> import hybridflow as hf
    >>> error = hf.errors.OpError(None, None, "the disk is gone", hf.errors.DATA_LOSS)
    >>> str(error), error.error_code
    ('the disk is gone', 15)
    """

    def __init__(self, node_def: Any, op: Any, message: str, error_code: int) -> None:
        super().__init__()
        self._node_def = node_def
        self._op = op
        self._message = message
        self._error_code = error_code

    @property
    def message(self) -> str:
        """What went wrong, without the place where the op was defined."""
        return self._message

    @property
    def op(self) -> Any:
        """The operation that failed, or None."""
        return self._op

    @property
    def node_def(self) -> Any:
        """The description of the failed node, a `NodeDef`, or None."""
        if self._node_def is None:
            return getattr(self._op, "node_def", None)
        return self._node_def

    @property
    def error_code(self) -> int:
        """The number of this kind of error."""
        return self._error_code

    def in_turn(self, turn: int, loop: str) -> None:
        """Adds to the message which turn of a loop failed, counted from 0."""
        self._message += f"\n(In turn {turn} of {loop}.)"

    def __str__(self) -> str:
        where = _caused_by(self._op)
        return f"{self._message}\n\n{where}" if where else self._message

    def __reduce__(self) -> tuple[Callable[..., OpError], tuple[Any, ...]]:
        # A graph operation cannot follow its error into another process: its name and the user's
        # line do.
        return _rebuild, (type(self), self._message, self._error_code, _trace_of(self._op))


class _OpTrace:
    """What of an operation an unpickled error still knows."""

    __slots__ = ("name", "type", "user_frame")

    def __init__(self, name: str, type: str, user_frame: Any) -> None:
        self.name = name
        self.type = type
        self.user_frame = user_frame

    def __reduce__(self) -> tuple[type[_OpTrace], tuple[str, str, Any]]:
        return _OpTrace, (self.name, self.type, self.user_frame)


def _trace_of(op: Any) -> _OpTrace | None:
    if op is None:
        return None
    frame = getattr(op, "user_frame", None)
    plain_frame = None if frame is None else tuple(frame)
    return _OpTrace(str(getattr(op, "name", op)), str(getattr(op, "type", "")), plain_frame)


def _caused_by(op: Any) -> str:
    """The line of a message that leads to the user's own code, or an empty string."""
    if op is None:
        return ""
    text = f"Caused by op {getattr(op, 'name', op)!r}"
    frame = getattr(op, "user_frame", None)
    if frame is None:
        return text
    filename, lineno, source = frame
    text += f", defined at: {filename}:{lineno}" + (f": {source}" if source else "")
    original = getattr(op, "_original_op", None)
    if original is None:
        return text
    made = _caused_by(original).removeprefix("Caused by op ")
    return f"{text}\n...which was originally created as op {made}"


def _rebuild(cls: type[OpError], message: str, code: int, op: Any) -> OpError:
    error = cls.__new__(cls)
    OpError.__init__(error, None, op, message, code)
    return error


class _CodedError(OpError):
    """An error whose class decides its code."""

    code: ClassVar[int]

    def __init__(self, node_def: Any, op: Any, message: str) -> None:
        super().__init__(node_def, op, message, self.code)


class CancelledError(_CodedError):
    """The operation was cancelled, for example because its session was closed."""

    code = CANCELLED


class UnknownError(_CodedError):
    """Something failed for which no better class fits."""

    code = UNKNOWN


def foreign_error(error: Exception, message: str) -> OpError:
    """The error for an exception that no op is known to raise, such as one of the user's.

    It is of the class that TensorFlow has for it, and also of the exception's own, so that either
    can be caught, with its arguments and attributes. That of TensorFlow stands alone for
    `StopIteration`, which a generator on the way would take for its own, and where Python cannot
    make a class of the two.
    """
    text = f"{type(error).__name__}: {error}{message}"
    if isinstance(error, StopIteration):
        return OutOfRangeError(None, None, text)
    kind: type[_CodedError] = UnknownError
    if isinstance(error, NotImplementedError):
        kind = UnimplementedError
    try:
        found: OpError = _both(kind, type(error))(None, None, text)
    except TypeError:
        return kind(None, None, text)
    vars(found).update({k: v for k, v in vars(error).items() if k not in vars(found)})
    found.args = error.args
    return found


def _both(kind: type[_CodedError], other: type[Exception]) -> Any:
    """A class of two, which travels to other processes as that of TensorFlow."""

    def reduce(self: OpError) -> tuple[Callable[..., OpError], tuple[Any, ...]]:
        return _rebuild, (kind, self._message, self._error_code, _trace_of(self._op))

    members = {"__module__": kind.__module__, "__doc__": kind.__doc__, "__reduce__": reduce}
    return type(kind.__name__, (kind, other), members)


class InvalidArgumentError(_CodedError):
    """An op got an argument that it cannot accept, whatever the state of the system.

    Args:
      node_def: A description of the op's node, or None.
      op: The graph operation that failed, or None.
      message: What went wrong: what the op got and what it expects.

    >>> import hybridflow as hf
    >>> error = hf.errors.InvalidArgumentError(None, None, "axis 3 of a matrix")
    >>> error.error_code == hf.errors.INVALID_ARGUMENT
    True
    """

    code = INVALID_ARGUMENT


class DeadlineExceededError(_CodedError):
    """The operation did not finish in the time given."""

    code = DEADLINE_EXCEEDED


class NotFoundError(_CodedError):
    """Something asked for, such as a file or a checkpoint's entry, does not exist."""

    code = NOT_FOUND


class AlreadyExistsError(_CodedError):
    """Something to be created exists already."""

    code = ALREADY_EXISTS


class PermissionDeniedError(_CodedError):
    """The caller may not do this."""

    code = PERMISSION_DENIED


class UnauthenticatedError(_CodedError):
    """The caller has not shown who it is."""

    code = UNAUTHENTICATED


class ResourceExhaustedError(_CodedError):
    """Memory, disk space or a quota ran out."""

    code = RESOURCE_EXHAUSTED


class FailedPreconditionError(_CodedError):
    """The system is not in the state that the operation needs: a variable is not initialised."""

    code = FAILED_PRECONDITION


class AbortedError(_CodedError):
    """The operation was given up, typically because of another one running at the same time."""

    code = ABORTED


class OutOfRangeError(_CodedError):
    """The operation went past the valid range, such as the end of the input."""

    code = OUT_OF_RANGE


class UnimplementedError(_CodedError):
    """The operation exists, but not for these types, shapes or devices."""

    code = UNIMPLEMENTED


class InternalError(_CodedError):
    """An invariant of the system does not hold: a bug."""

    code = INTERNAL


class UnavailableError(_CodedError):
    """A service is not there for the moment; trying again may help."""

    code = UNAVAILABLE


class DataLossError(_CodedError):
    """Data was lost or damaged beyond repair."""

    code = DATA_LOSS


class ShapeError(InvalidArgumentError, ValueError):
    """Shapes do not fit: an `InvalidArgumentError` and a `ValueError` in one.

    TensorFlow raises ValueError when it builds a graph and InvalidArgumentError when it runs
    eagerly; with one class for both, a program catches the same error in either mode.

    Args:
      message: What went wrong: what the op got and what it expects.
      op: The graph operation concerned, or None.

    >>> import hybridflow as hf
    >>> isinstance(hf.errors.ShapeError("2 is not 3"), ValueError)
    True
    """

    def __init__(self, message: str, op: Any = None) -> None:
        super().__init__(None, op, message)


class DTypeError(InvalidArgumentError, TypeError):
    """Element types do not fit: an `InvalidArgumentError` and a `TypeError` in one.

    TensorFlow raises TypeError when it builds a graph and InvalidArgumentError when it runs
    eagerly; with one class for both, a program catches the same error in either mode.

    Args:
      message: What went wrong: what the op got and what it expects.
      op: The graph operation concerned, or None.

    >>> import hybridflow as hf
    >>> isinstance(hf.errors.DTypeError("int32 is not float32"), TypeError)
    True
    """

    def __init__(self, message: str, op: Any = None) -> None:
        super().__init__(None, op, message)


_CLASS_OF_CODE: dict[int, type[OpError]] = {cls.code: cls for cls in _CodedError.__subclasses__()}


def exception_type_from_error_code(error_code: int) -> type[OpError]:
    """The exception class of an error code.

    Raises:
      KeyError: No class has this code (`OK` has none).

    >>> import hybridflow as hf
    >>> hf.errors.exception_type_from_error_code(5).__name__
    'NotFoundError'
    """
    return _CLASS_OF_CODE[error_code]


def error_code_from_exception_type(cls: type[OpError]) -> int:
    """The error code of an exception class, or of the class it specialises.

    Raises:
      KeyError: The class has no code of its own, as `OpError`.

    >>> import hybridflow as hf
    >>> hf.errors.error_code_from_exception_type(hf.errors.ShapeError)
    3
    """
    code = getattr(cls, "code", None)
    if not isinstance(code, int):
        raise KeyError(cls)
    return code


# Tracebacks show a class by its module: the one that programs know.
for _name in __all__:
    if isinstance(_cls := globals()[_name], type):
        _cls.__module__ = "hybridflow.errors"
