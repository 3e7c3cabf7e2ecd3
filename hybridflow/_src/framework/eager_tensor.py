"""Eager tensors: values of ops that have run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import described, dtypes
from hybridflow._src.framework.advice import Lacking
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.framework.tensor_shape import TensorShape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hybridflow._src.framework.operation import Operation

_DEVICE = "/job:localhost/replica:0/task:0/device:CPU:0"


class EagerTensor(Tensor):
    """The immutable result of an op in eager mode: an array and its dtype.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.constant([1.0, 2.0])
    >>> x
    <hf.Tensor: shape=(2,), dtype=float32, device=CPU:0, numpy=array([1., 2.], dtype=float32)>
    >>> print(x.numpy() * 2)
    [2. 4.]
    """

    __slots__ = ("_a",)

    # The array is never written once the tensor exists, so tensors may share it. A resource tensor
    # holds the resource itself here.
    _a: Any

    def __init__(self, array: Any, dtype: dtypes.DType) -> None:
        self._a = array
        self._dtype = dtype

    def numpy(self) -> Any:
        """The value as a NumPy array of the caller's own, or a NumPy scalar for rank 0."""
        array = self._value()
        return array.copy() if array.ndim else array[()]

    @property
    def _dims(self) -> tuple[int, ...]:  # type: ignore[override]
        array = self._a
        return array.shape if isinstance(array, np.ndarray) else ()

    @property
    def shape(self) -> TensorShape:
        """The shape, fully known."""
        return TensorShape.of(self._dims)

    def get_shape(self) -> TensorShape:
        """Alias of `shape`."""
        return TensorShape.of(self._dims)

    def set_shape(self, shape: Any) -> None:
        """Checks that `shape` is compatible with the tensor's.

        Raises:
          ValueError: if it is not.
        """
        if not self.shape.is_compatible_with(shape):
            raise ValueError(
                f"EagerTensor's shape {self.shape} is not compatible with supplied shape {shape}"
            )

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self._dims)

    @property
    def device(self) -> str:
        """The device that holds the value."""
        return _DEVICE

    def cpu(self) -> EagerTensor:
        """The tensor on the CPU: itself."""
        return self

    if not TYPE_CHECKING:
        graph, name, op, value_index = (
            Lacking(
                attribute,
                f"Tensor.{attribute} is meaningless when eager execution is enabled: the tensor "
                "belongs to no graph, and its value is already there (`t.numpy()`).",
            )
            for attribute in ("graph", "name", "op", "value_index")
        )

    def consumers(self) -> list[Operation]:
        """Not available: an eager tensor is part of no graph.

        Raises:
          AttributeError: always.
        """
        raise AttributeError(
            "Tensor.consumers() is meaningless when eager execution is enabled: the tensor belongs "
            "to no graph."
        )

    def eval(self, feed_dict: Any = None, session: Any = None) -> Any:
        """Not available in eager mode: use `numpy()`.

        Raises:
          NotImplementedError: always.
        """
        raise NotImplementedError(
            "eval is not supported when eager execution is enabled: use `t.numpy()`."
        )

    # -- Python and NumPy protocols ----------------------------------------------------------------

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        array = self._value()
        if dtype is not None and array.dtype != dtype:
            if copy is False:
                raise ValueError(f"{self!r} cannot become an array of {dtype} without a copy.")
            return array.astype(dtype)
        if copy:
            return array.copy()
        view = array.view()
        view.flags.writeable = False
        return view

    def __dlpack__(self, *, copy: bool | None = None, **options: Any) -> Any:
        if copy is False:
            raise BufferError("An eager tensor is immutable: it gives DLPack a copy of its value.")
        return self._value().copy().__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self._value().__dlpack_device__()

    def __len__(self) -> int:
        if not self._dims:
            raise TypeError("Scalar tensor has no `len()`")
        return self._dims[0]

    def __iter__(self) -> Iterator[Tensor]:
        if not self._dims:
            raise TypeError("Cannot iterate over a scalar tensor.")
        rows = raw.Unpack(self, num=self._dims[0], axis=0)
        return iter(rows)

    def __bool__(self) -> bool:
        return bool(self._scalar("bool"))

    def __int__(self) -> int:
        return int(self._scalar("int"))

    def __float__(self) -> float:
        return float(self._scalar("float"))

    def __complex__(self) -> complex:
        return complex(self._scalar("complex"))

    def __index__(self) -> int:
        array = self._value()
        if array.ndim or array.dtype.kind not in "iu":
            raise TypeError(
                f"Only an integer tensor of rank 0 can be used as an index, got {self!r}."
            )
        return int(array)

    def __format__(self, spec: str) -> str:
        return format(self._scalar("number to format"), spec) if spec else str(self)

    def _value(self) -> np.ndarray:
        array = self._a
        if array.__class__ is not np.ndarray:
            raise TypeError(f"A tensor of dtype {self._dtype.name} has no value as an array.")
        return array

    def _scalar(self, what: str) -> Any:
        array = self._value()
        if array.size != 1:
            kind = ValueError if what == "bool" else TypeError  # as for an array
            raise kind(
                f"Only a tensor with one element can become a {what}; this one has shape "
                f"{self.shape}. Use `t.numpy()`, or for a truth value `hf.reduce_all(t)`."
            )
        return array.item()

    def __reduce__(self) -> Any:
        return _rebuild, (self._a,)

    def __str__(self) -> str:
        form = f"shape={self.shape}, dtype={self._dtype.name}"
        return f"{described.library}.Tensor({self._text(str)}, {form})"

    def __repr__(self) -> str:
        return (
            f"<{described.library}.Tensor: shape={self.shape}, dtype={self._dtype.name}, "
            f"device=CPU:0, numpy={self._text(repr)}>"
        )

    def _text(self, form: Any) -> str:
        array = self._a
        if isinstance(array, np.ndarray) and array.ndim == 0:
            return str(array[()])
        text: str = form(array)
        return f"\n{text}" if "\n" in text else text


def _rebuild(array: np.ndarray) -> EagerTensor:
    return EagerTensor(array, dtypes.as_dtype(array.dtype))


def wrap(value: Any, dtype: dtypes.DType) -> EagerTensor:
    """An eager tensor of what an op computed, whose dtype the op record says."""
    if value.__class__ is not np.ndarray and isinstance(value, np.generic):
        value = np.asarray(value)
    # What `EagerTensor(value, dtype)` does, without a call.
    tensor = _new(EagerTensor)
    tensor._a = value
    tensor._dtype = dtype
    return tensor


_new = object.__new__
