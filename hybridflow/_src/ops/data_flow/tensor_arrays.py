"""TensorFlow 1's tensor arrays, as the loops of files use them.

Each run makes an array anew. The *flow*, a number without meaning, orders what is done with it:
what writes gives a flow, what reads takes one. These ops have no public functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import REQUIRED, OpDef, no_gradient
from hybridflow._src.framework.tensor_shape import TensorShape, bracketed
from hybridflow._src.ops.allocation import allocatable
from hybridflow._src.ops.data_flow.array_items import not_added
from hybridflow._src.ops.data_flow.tensor_lists import checked_size
from hybridflow._src.ops.shape_rules import scalar

if TYPE_CHECKING:
    from hybridflow._src.framework.dtypes import DType

_ANY = TensorShape.of(None)
_FLOW = np.zeros((), np.float32)


def _invalid(message: str) -> InvalidArgumentError:
    return InvalidArgumentError(None, None, message)


class _Array:
    """The tensors of one array, None where there is none yet.

    Attributes:
      gradients: the arrays with gradients for its tensors, by the name of the one who made each.
    """

    __slots__ = ("clear_after_read", "dtype", "dynamic", "gradients", "items", "name", "shape")

    def __init__(
        self, size: int, dtype: DType, shape: Any, dynamic: bool, clear: bool, name: str
    ) -> None:
        self.items: list[Any] = [None] * size
        self.dtype = dtype
        self.shape = shape
        self.dynamic = dynamic
        self.clear_after_read = clear
        self.name = name
        self.gradients: dict[str, _Gradients] = {}

    def gradients_of(self, source: str) -> _Gradients:
        """The array with gradients for its tensors; made when it is asked for first."""
        if source not in self.gradients:
            self.gradients[source] = _Gradients(self, source)
        return self.gradients[source]

    def write(self, index: int, value: np.ndarray) -> None:
        if index < 0 or (index >= len(self.items) and not self.dynamic):
            raise _invalid(
                f"TensorArray {self.name}: Tried to write to index {index} but array is not "
                f"resizeable and size is: {len(self.items)}"
            )
        if index >= len(self.items):
            checked_size("TensorArrayWriteV3", index)
            self.items += [None] * (index + 1 - len(self.items))
        if self.items[index] is not None:
            raise _invalid(
                f"TensorArray {self.name}: Could not write to TensorArray index {index} because it "
                "has already been written to."
            )
        self.items[index] = value

    def read(self, index: int) -> np.ndarray:
        if not 0 <= index < len(self.items):
            raise _invalid(
                f"TensorArray {self.name}: Tried to read from index {index} but array size is: "
                f"{len(self.items)}"
            )
        found: np.ndarray | None = self.items[index]
        if found is None:
            dims = self.shape._dims
            if dims is None or None in dims:
                raise _invalid(
                    f"TensorArray {self.name}: Could not read index {index}: it has not been "
                    "written to."
                )
            return np.zeros(allocatable("TensorArrayReadV3", dims, self.dtype.np), self.dtype.np)
        return found

    def stacked(self, indices: Any) -> np.ndarray:
        if len(indices):
            return np.stack([self.read(int(index)) for index in indices])
        dims = [0 if d is None else d for d in self.shape._dims or ()]
        return np.zeros([0, *dims], self.dtype.np)


class _Gradients(_Array):
    """An array with a gradient for each tensor of another: what is written for one adds up."""

    __slots__ = ("_of",)

    def __init__(self, of: _Array, source: str) -> None:
        name = f"{of.name}@{source}"
        super().__init__(len(of.items), of.dtype, of.shape, False, of.clear_after_read, name)
        self._of = of

    def write(self, index: int, value: np.ndarray) -> None:
        known = self.items[index] if 0 <= index < len(self.items) else None
        if known is None:
            super().write(index, value)
            return
        if np.shape(known) != np.shape(value):
            raise not_added(self.name, index, np.shape(known), np.shape(value))
        self.items[index] = known + value

    def read(self, index: int) -> np.ndarray:
        if 0 <= index < len(self.items) and self.items[index] is None:
            return np.zeros_like(self._of.read(index))
        return super().read(index)


def array_of(items: Any, dtype: Any, shape: Any, name: str) -> _Array:
    """An array of some items, None where there is none yet."""
    array = _Array(0, dtype, shape, False, False, name)
    array.items = list(items)
    return array


def _make(size: Any, **attrs: Any) -> list[Any]:
    if size < 0:
        raise _invalid(f"Size should be >= 0, got {int(size)}.")
    array = _Array(
        checked_size("TensorArrayV3", int(size)),
        attrs["dtype"],
        attrs["element_shape"],
        attrs["dynamic_size"],
        attrs["clear_after_read"],
        attrs["tensor_array_name"],
    )
    return [array, _FLOW]


def _write(handle: _Array, index: Any, value: Any, flow_in: Any) -> Any:
    handle.write(int(index), value)
    return flow_in


def _scatter(handle: _Array, indices: Any, value: Any, flow_in: Any) -> Any:
    if np.ndim(value) == 0 or len(indices) != len(value):
        raise _invalid(
            f"TensorArray {handle.name}: Expected len(indices) == values.shape[0], but saw "
            f"{len(indices)} vs. {np.shape(value)}"
        )
    for index, row in zip(indices, value, strict=True):
        handle.write(int(index), row)
    return flow_in


def _split(handle: _Array, value: Any, lengths: Any, flow_in: Any) -> Any:
    if np.ndim(value) == 0 or int(np.sum(lengths)) != len(value) or np.any(lengths < 0):
        raise _invalid(
            f"TensorArray {handle.name}: Expected sum of lengths to be equal to values.shape[0], "
            f"but sum of lengths is {int(np.sum(lengths))} and value's shape is: "
            f"{bracketed(np.shape(value))}"
        )
    ends = np.cumsum(lengths)
    for index, (end, length) in enumerate(zip(ends, lengths, strict=True)):
        handle.write(index, value[end - length : end])
    return flow_in


def _concat(handle: _Array, flow_in: Any, dtype: Any, element_shape_except0: Any) -> list[Any]:
    items = [handle.read(index) for index in range(len(handle.items))]
    lengths = np.array([len(item) for item in items], np.int64)
    if not items:
        return [np.zeros([0], handle.dtype.np), lengths]
    return [np.concatenate(items), lengths]


def _element(attrs: dict[str, Any], *_: Any) -> Any:
    return None


def _rows(attrs: dict[str, Any], handle: Any, indices: Any, flow_in: Any) -> Any:
    dims = attrs["element_shape"]._dims
    count = None if indices._dims is None else indices._dims[0]
    return None if dims is None else (count, *dims)


OpDef(
    "TensorArrayV3",
    "size: int32 -> handle: resource, flow: float32",
    attrs={
        "dtype": REQUIRED,
        "element_shape": _ANY,
        "dynamic_size": False,
        "clear_after_read": True,
        "identical_element_shapes": False,
        "tensor_array_name": "",
    },
    shape=lambda attrs, size: [(2,), ()],
    compute=_make,
    grad=no_gradient,
    stateful=True,
)
OpDef(
    "TensorArrayGradV3",
    "handle: resource, flow_in: float32 -> grad_handle: resource, flow_out: float32",
    attrs={"source": REQUIRED},
    shape=lambda attrs, handle, flow_in: [(2,), ()],
    compute=lambda handle, flow_in, source: [handle.gradients_of(source), flow_in],
    grad=no_gradient,
    stateful=True,
)
OpDef(
    "TensorArrayWriteV3",
    "handle: resource, index: int32, value: T, flow_in: float32 -> flow_out: float32",
    shape=scalar,
    compute=_write,
    grad=no_gradient,
    stateful=True,
)
OpDef(
    "TensorArrayReadV3",
    "handle: resource, index: int32, flow_in: float32 -> value: dtype",
    attrs={"dtype": REQUIRED},
    shape=_element,
    compute=lambda handle, index, flow_in, dtype: handle.read(int(index)),
    grad=no_gradient,
    stateful=True,
)
OpDef(
    "TensorArrayGatherV3",
    "handle: resource, indices: int32, flow_in: float32 -> value: dtype",
    attrs={"dtype": REQUIRED, "element_shape": _ANY},
    shape=_rows,
    compute=lambda handle, indices, flow_in, dtype, element_shape: handle.stacked(indices),
    grad=no_gradient,
    stateful=True,
)
OpDef(
    "TensorArrayScatterV3",
    "handle: resource, indices: int32, value: T, flow_in: float32 -> flow_out: float32",
    shape=scalar,
    compute=_scatter,
    grad=no_gradient,
    stateful=True,
)
OpDef(
    "TensorArrayConcatV3",
    "handle: resource, flow_in: float32 -> value: dtype, lengths: int64",
    attrs={"dtype": REQUIRED, "element_shape_except0": _ANY},
    shape=lambda attrs, handle, flow_in: [None, (None,)],
    compute=_concat,
    grad=no_gradient,
    stateful=True,
)
OpDef(
    "TensorArraySplitV3",
    "handle: resource, value: T, lengths: int64, flow_in: float32 -> flow_out: float32",
    shape=scalar,
    compute=_split,
    grad=no_gradient,
    stateful=True,
)
OpDef(
    "TensorArraySizeV3",
    "handle: resource, flow_in: float32 -> size: int32",
    shape=scalar,
    compute=lambda handle, flow_in: np.asarray(len(handle.items), np.int32),
    grad=no_gradient,
    stateful=True,
)
OpDef(
    "TensorArrayCloseV3",
    "handle: resource ->",
    shape=lambda attrs, handle: [],
    compute=lambda handle: (),
    grad=no_gradient,
    stateful=True,
)
