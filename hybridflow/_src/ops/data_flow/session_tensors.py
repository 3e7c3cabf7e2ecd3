"""Handles of values that stay in a session between runs."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import numpy as np

from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import REQUIRED, OpDef, not_differentiable
from hybridflow._src.framework.resources import Settled
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops.arrays.placeholder import placeholder
from hybridflow._src.ops.data_flow.elements import array_of

if TYPE_CHECKING:
    from hybridflow._src.framework.dtypes import DType

__all__ = ["TensorHandle", "delete_session_tensor", "get_session_handle", "get_session_tensor"]

_CONTAINER = "TensorHandle"
_DEVICE = "/job:localhost/replica:0/task:0/device:CPU:0"
# Of all sessions: so no session takes another one's handle for its own.
_numbers = count()


# -- the values ------------------------------------------------------------------------------------


class _Value:
    """A value that is there for as long as somebody has it."""

    __slots__ = ("__weakref__", "array")

    def __init__(self, array: np.ndarray) -> None:
        self.array: np.ndarray | None = array


class _Name(bytes):
    """The name of a value, which has it."""

    values: _Values
    value: _Value


class _Values:
    """The values of a session by name: those that handles have, and those with bare names."""

    def __init__(self) -> None:
        self._found: WeakValueDictionary[bytes, _Value] = WeakValueDictionary()
        self._lasting: dict[bytes, _Value] = {}

    def add(self, op: str, array: np.ndarray) -> _Name:
        name = _Name(f"{op};{next(_numbers)};{_DEVICE}".encode())
        name.values, name.value = self, _Value(array)
        self._found[bytes(name)] = name.value
        return name

    def get(self, name: bytes) -> np.ndarray:
        value = self._found.get(name)
        if value is None or value.array is None:
            raise _invalid(f"The tensor with handle {_quoted(name)} is not in the session store.")
        return value.array

    def keep(self, name: _Name) -> None:
        """Keeps a value until it is deleted."""
        self._lasting[bytes(name)] = name.value

    def delete(self, name: bytes) -> None:
        value = self._found.pop(name, None)
        if value is None:
            raise _invalid(
                f"Failed to delete a tensor with handle {_quoted(name)} in the session store."
            )
        value.array = None
        self._lasting.pop(name, None)


def _quoted(name: bytes) -> str:
    return repr(name.decode("utf-8", "replace"))


def _invalid(message: str) -> InvalidArgumentError:
    return InvalidArgumentError(None, None, message)


# -- the ops ---------------------------------------------------------------------------------------


class _OfSession(Settled):
    """A kernel that has the session's values."""

    @property
    def _values(self) -> _Values:
        values: _Values = self._resources.find("tensors", _CONTAINER, "", _Values)
        return values


class _Store(_OfSession):
    def __call__(self, value: Any) -> np.ndarray:
        # Memory of a program is written again by the next run.
        return array_of(self._values.add(self._name, np.array(array_of(value))))


class _Load(_OfSession):
    def __init__(self, dtype: DType) -> None:
        super().__init__()
        self._dtype = dtype

    def __call__(self, handle: Any) -> np.ndarray:
        name = _name_of(handle)
        array = self._values.get(name)
        if array.dtype != self._dtype.np:
            raise _invalid(
                f"The tensor with handle {_quoted(name)} has dtype "
                f"{dtypes.as_dtype(array.dtype).name}, not {self._dtype.name}."
            )
        return array.copy()


class _Delete(_OfSession):
    def __call__(self, handle: Any) -> tuple[()]:
        self._values.delete(_name_of(handle))
        return ()


def _name_of(handle: Any) -> bytes:
    return bytes(array_of(handle).item())


_get_session_handle = OpDef(
    "GetSessionHandle",
    "value: T -> handle: string",
    shape=lambda attrs, value: (),
    kernel=lambda: _Store(),
    grad=not_differentiable,
)
_get_session_tensor = OpDef(
    "GetSessionTensor",
    "handle: string -> value: dtype",
    attrs={"dtype": REQUIRED},
    shape=lambda attrs, handle: None,
    kernel=_Load,
    grad=not_differentiable,
)
_delete_session_tensor = OpDef(
    "DeleteSessionTensor",
    "handle: string ->",
    shape=lambda attrs, handle: [],
    kernel=lambda: _Delete(),
    grad=not_differentiable,
)


# -- what programs call ----------------------------------------------------------------------------


class TensorHandle:
    """What a run gives for `get_session_handle`: the value stays as long as this does.

    It may be fed for any tensor of the value's dtype, whose value it then is.

    Args:
      name: the value that the op gave. dtype: the dtype of the value.
    """

    def __init__(self, name: Any, dtype: DType) -> None:
        self._name: _Name = array_of(name).item()
        self._dtype = dtype
        self._lasting = False

    @property
    def handle(self) -> str:
        """The name of the value, which is fed to placeholders of `get_session_tensor`."""
        return self._name.decode()

    @property
    def dtype(self) -> DType:
        """The dtype of the value."""
        return self._dtype

    def eval(self) -> Any:
        """The value, as a run gives it.

        Raises:
          TypeError: after `delete` or `get_raw_handle`.
        """
        self._check()
        return self._array().copy()[()]

    def delete(self) -> None:
        """Drops the value.

        Raises:
          TypeError: after `delete` or `get_raw_handle`.
        """
        self._check()
        self._name.values.delete(self._name)

    def get_raw_handle(self) -> str:
        """The name of the value, which from now on stays until `delete_session_tensor` drops it, or
        the session is closed.

        Raises:
          InvalidArgumentError: after `delete`.
        """
        self._array()
        self._name.values.keep(self._name)
        self._lasting = True
        return self.handle

    def _array(self) -> np.ndarray:
        """The value.

        Raises:
          InvalidArgumentError: if it was deleted.
        """
        return self._name.values.get(self._name)

    def _check(self) -> None:
        if self._lasting or self._name.value.array is None:
            raise TypeError(f"Persistent tensor {self} may have already been deleted.")

    def __str__(self) -> str:
        return self.handle

    def __repr__(self) -> str:
        return f"<TensorHandle {self.handle!r} dtype={self._dtype.name}>"


def get_session_handle(data: Tensor, name: str | None = None) -> Tensor:
    """Keeps a value in the session, for later runs.

    Args:
      data: the tensor whose value is kept, of any shape.
      name: name of the op.

    Returns: a string scalar. A run that fetches it gives a `TensorHandle`, which has the value: see
    `get_session_tensor`, or feed it for a tensor. The value goes when the handle does.

    Raises:
      TypeError: if `data` is no tensor. RuntimeError: in eager mode.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     handle = sess.run(hf.get_session_handle(hf.constant(2) * 3))
    ...     fed, six = hf.get_session_tensor(handle.handle, hf.int32)
    ...     print(handle.eval(), sess.run(six * 10, {fed: handle.handle}))
    6 60
    """
    if not isinstance(data, Tensor):
        raise TypeError(f"`data` must be of type Tensor, got {type(data).__name__}: {data!r:.80}.")
    _refuse_eager("get_session_handle")
    handle: Tensor = _get_session_handle(data, name=name)
    return handle


def get_session_tensor(handle: Any, dtype: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """A value that an earlier run has kept in the session.

    Args:
      handle: the `handle` of the `TensorHandle` of any such value: others may be fed.
      dtype: the dtype of the value.
      name: name of the op.

    Returns: a placeholder for the handle of a value, and the value: a tensor of unknown shape.

    Raises:
      TypeError: if `handle` is no string. RuntimeError: in eager mode. InvalidArgumentError: when
        it runs, if the session has no such value, or has one of another dtype.

    The example of `get_session_handle` shows how it is used.
    """
    _check_handle(handle, "get_session_tensor")
    holder = placeholder(dtypes.string, [])
    return holder, _get_session_tensor(holder, dtype=dtypes.as_dtype(dtype), name=name)


def delete_session_tensor(handle: Any, name: str | None = None) -> tuple[Tensor, Any]:
    """Drops a value that an earlier run has kept in the session.

    Args:
      handle: as for `get_session_tensor`.
      name: name of the op.

    Returns: a placeholder for the handle of a value, and the operation that drops the value.

    Raises:
      TypeError: if `handle` is no string. RuntimeError: in eager mode. InvalidArgumentError: when
        it runs, if the session has no such value.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     raw = sess.run(hf.get_session_handle(hf.constant(2))).get_raw_handle()
    ...     fed, delete = hf.delete_session_tensor(raw)
    ...     sess.run(delete, {fed: raw})
    """
    _check_handle(handle, "delete_session_tensor")
    holder = placeholder(dtypes.string, [])
    return holder, _delete_session_tensor(holder, name=name)


def _check_handle(handle: Any, what: str) -> None:
    _refuse_eager(what)
    if not isinstance(handle, str | bytes | TensorHandle):
        raise TypeError(
            f"{what}: handle must be the `handle` of a TensorHandle, which is a string, got "
            f"{type(handle).__name__}: {handle!r:.80}."
        )


def _refuse_eager(what: str) -> None:
    if context.modes.top.eager:
        raise RuntimeError(
            f"hf.{what} is not for eager mode: there is no session. A tensor has its value for as "
            "long as it is kept."
        )
