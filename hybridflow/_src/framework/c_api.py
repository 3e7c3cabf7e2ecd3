"""What programs call of TensorFlow's C interface, and the flags that its library was built with.

There is no such library here: what remains are statuses, which its functions gave.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.errors import OK, exception_type_from_error_code

if TYPE_CHECKING:
    import types

__all__ = [
    "CXX11_ABI_FLAG",
    "MONOLITHIC_BUILD",
    "IsGoogleCudaEnabled",
    "TF_GetCode",
    "TF_Message",
    "TF_NewStatus",
    "TF_SetStatus",
    "TF_bfloat16_type",
    "raise_exception_on_not_ok_status",
]

# How TensorFlow's library was compiled: what is linked with it must be compiled likewise. Here
# nothing is linked, and these are the flags of a build without either.
CXX11_ABI_FLAG = 0
MONOLITHIC_BUILD = 0


class _Status:
    def __init__(self) -> None:
        self.code = OK
        self.message = ""


def TF_NewStatus() -> _Status:
    """A status, which is OK.

    >>> import hybridflow as hf
    >>> hf.pywrap_tensorflow.TF_GetCode(hf.pywrap_tensorflow.TF_NewStatus())
    0
    """
    return _Status()


def TF_SetStatus(s: _Status, code: int, msg: str | bytes) -> None:
    """Says in a status what has gone wrong.

    Args:
      s: the status.
      code: a code of `hf.errors`, such as `hf.errors.NOT_FOUND`.
      msg: a text.

    Raises:
      ValueError: for a code that there is none of.

    >>> import hybridflow as hf
    >>> status = hf.pywrap_tensorflow.TF_NewStatus()
    >>> hf.pywrap_tensorflow.TF_SetStatus(status, hf.errors.NOT_FOUND, "no file")
    >>> hf.pywrap_tensorflow.TF_Message(status)
    'no file'
    """
    if code != OK:
        try:
            exception_type_from_error_code(code)
        except KeyError:
            raise ValueError(f"{code!r} is no code of hf.errors.") from None
    s.code = code
    s.message = "" if code == OK else msg.decode() if isinstance(msg, bytes) else str(msg)


def TF_GetCode(s: _Status) -> int:
    """The code of a status: 0 if all is well.

    >>> import hybridflow as hf
    >>> hf.pywrap_tensorflow.TF_GetCode(hf.pywrap_tensorflow.TF_NewStatus()) == hf.errors.OK
    True
    """
    return s.code


def TF_Message(s: _Status) -> str:
    """The text of a status: an empty one if all is well.

    >>> import hybridflow as hf
    >>> hf.pywrap_tensorflow.TF_Message(hf.pywrap_tensorflow.TF_NewStatus())
    ''
    """
    return s.message


class raise_exception_on_not_ok_status:
    """Gives a status; where it says at the end that something has gone wrong, raises that.

    Raises:
      OpError: of the class of the status's code.

    >>> import hybridflow as hf
    >>> try:
    ...     with hf.errors.raise_exception_on_not_ok_status() as status:
    ...         hf.pywrap_tensorflow.TF_SetStatus(status, hf.errors.NOT_FOUND, "no file")
    ... except hf.errors.NotFoundError as error:
    ...     print(error.message)
    no file
    """

    def __enter__(self) -> _Status:
        self._status = _Status()
        return self._status

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: types.TracebackType | None,
    ) -> None:
        code = self._status.code
        if code != OK:
            error: Any = exception_type_from_error_code(code)
            raise error(None, None, self._status.message)


def TF_bfloat16_type() -> Any:
    """NumPy's type of bfloat16.

    Raises:
      ImportError: without the library that has it: `pip install 'hybridflow[bfloat16]'`.
    """
    return dtypes.bfloat16.as_numpy_dtype


def IsGoogleCudaEnabled() -> bool:
    """False: nothing runs on GPUs.

    >>> import hybridflow as hf
    >>> hf.pywrap_tensorflow.IsGoogleCudaEnabled()
    False
    """
    return False
