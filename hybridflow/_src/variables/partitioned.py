"""`PartitionedVariable`: one variable kept as several, cut along one axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.convert import convert_to_tensor, register_tensor_conversion_function
from hybridflow._src.framework.scopes import control_dependencies, name_scope
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.framework.tensor_shape import TensorShape, as_shape
from hybridflow._src.ops.arrays import joining
from hybridflow._src.ops.arrays import reshaping as array
from hybridflow._src.ops.arrays.indexing import getitem
from hybridflow._src.ops.control_flow.ordering import group
from hybridflow._src.variables.overload import overload
from hybridflow._src.variables.variable import Variable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hybridflow._src.framework.dtypes import DType

__all__ = ["PartitionedVariable"]


class PartitionedVariable:
    """A variable kept as a list of variables, its parts along one axis.

    Used as a tensor it is the parts joined. `get_variable` with a partitioner makes it.

    Args:
      name: name of the whole.
      shape: its shape.
      dtype: its dtype.
      variable_list: the parts; each knows by its `SaveSliceInfo` where it lies.
      partitions: the number of parts along each axis.

    Raises:
      TypeError: for parts or partitions that are no lists. ValueError: if parts, shape and
        partitions do not match.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     p = hf.get_variable("p", [5, 2], partitioner=hf.fixed_size_partitioner(2))
    ...     print([v.name for v in p], [v.shape.as_list() for v in p])
    ['p/part_0:0', 'p/part_1:0'] [[3, 2], [2, 2]]

    In TF 1.4 it cannot be assigned, has no operators, and does not exist in eager mode.
    """

    __array_priority__ = 100

    def __init__(
        self, name: str, shape: Any, dtype: DType, variable_list: Any, partitions: Any
    ) -> None:
        if not isinstance(variable_list, (list, tuple)):
            raise TypeError(f"variable_list is not a list or tuple: {variable_list}")
        if not isinstance(partitions, (list, tuple)):
            raise TypeError(f"partitions is not a list or tuple: {partitions}")
        if not all(p >= 1 for p in partitions):
            raise ValueError(f"partition values must be positive: {partitions}")
        if not variable_list:
            raise ValueError("variable_list may not be empty")
        self._name = name
        self._shape = as_shape(shape)
        self._dtype = dtype
        self._variable_list = sorted(variable_list, key=self._offset_of)
        self._partitions = list(partitions)
        if self._shape.ndims != len(partitions):
            raise ValueError(f"len(shape) != len(partitions): {shape} vs. {partitions}")

    def _offset_of(self, part: Any) -> list[int]:
        """Where a part begins; checks that it is one."""
        if not isinstance(part, Variable):
            raise TypeError(f"Elements of variable_list must be variables: {part!r}")
        info = part._get_save_slice_info()
        if info is None:
            raise ValueError(
                f"All variables must have a save_slice_info available: {part.name} has none"
            )
        if list(info.full_shape) != self._shape.as_list():
            raise ValueError(
                f"All variables' full shapes must match shape: {self._shape}; but full shapes "
                f"were: {info.full_shape}"
            )
        return info.var_offset

    @property
    def name(self) -> str:
        """The name of the whole."""
        return self._name

    @property
    def dtype(self) -> DType:
        """The dtype of all parts."""
        return self._dtype

    @property
    def shape(self) -> TensorShape:
        """The shape of the whole."""
        return self._shape

    def get_shape(self) -> TensorShape:
        """Alias of `shape`."""
        return self._shape

    def __iter__(self) -> Iterator[Variable]:
        return iter(self._variable_list)

    def __len__(self) -> int:
        axes = self._partition_axes()
        if len(axes) > 1:
            raise ValueError(f"Cannot get a length for {len(axes)} > 1 partition axes")
        return len(self._variable_list)

    def _get_variable_list(self) -> list[Variable]:
        return self._variable_list

    def _get_partitions(self) -> list[int]:
        return self._partitions

    def _partition_axes(self) -> list[int]:
        """The axes along which it is cut; [0] if it is one part."""
        return [i for i, parts in enumerate(self._partitions) if parts > 1] or [0]

    def _axis(self) -> int:
        axes = self._partition_axes()
        if len(axes) > 1:
            raise NotImplementedError(
                f"Cannot concatenate along more than one dimension: {axes}. Multi-axis partition "
                "concat is not supported"
            )
        return axes[0]

    @property
    def _gradient_parts(self) -> list[Variable]:
        return self._variable_list

    def as_tensor(self) -> Tensor:
        """The whole as one tensor."""
        with control_dependencies(None):
            return self._joined()

    def _as_tensor(self) -> Tensor:
        return self.as_tensor()

    def _concat(self) -> Tensor:
        """`as_tensor`, after what the scope's control dependencies say: TensorFlow's name."""
        return self._joined()

    def numpy(self) -> Any:
        """The whole as an array of the caller's own, in eager mode."""
        return np.asarray(self).copy()

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        for part in self._variable_list:
            if not part._eager:
                return part.__array__()  # says that it has no value outside a session
        return self.as_tensor().__array__(*args, **kwargs)

    def _joined(self) -> Tensor:
        parts = self._variable_list
        if len(parts) == 1:
            with name_scope(None):
                return array.identity(parts[0], name=self._name)
        with name_scope(f"{self._name}/ConcatPartitions/"):
            joined = joining.concat(parts, self._axis(), name="concat")
        with name_scope(None):
            return array.identity(joined, name=self._name)

    def assign(self, value: Any, use_locking: bool = False) -> Any:
        """Gives all parts their parts of `value`, a tensor of the whole's shape.

        Returns: an operation that is done when all are assigned; None in eager mode.
        """
        return self._apply("assign", value, use_locking)

    def assign_add(self, delta: Any, use_locking: bool = False) -> Any:
        """Adds to all parts their parts of `delta`."""
        return self._apply("assign_add", delta, use_locking)

    def assign_sub(self, delta: Any, use_locking: bool = False) -> Any:
        """Subtracts from all parts their parts of `delta`."""
        return self._apply("assign_sub", delta, use_locking)

    def _apply(self, method: str, value: Any, use_locking: bool) -> Any:
        value = convert_to_tensor(value, self._dtype)
        self._shape.assert_is_compatible_with(value.shape)
        axis, parts = self._axis(), self._variable_list
        pieces = joining.split(value, [v.shape.as_list()[axis] for v in parts], axis)
        return group(
            *[
                getattr(v, method)(piece, use_locking=use_locking)
                for v, piece in zip(parts, pieces, strict=True)
            ]
        )

    def __getitem__(self, key: Any) -> Tensor:
        return getitem(self._as_tensor(), key)

    def __repr__(self) -> str:
        return (
            f"<hf.PartitionedVariable '{self._name}' shape={self._shape} dtype={self._dtype.name} "
            f"parts={len(self._variable_list)}>"
        )


def _to_tensor(value: PartitionedVariable, dtype: Any, name: str | None, as_ref: bool) -> Any:
    if dtype is not None and not dtype.is_compatible_with(value.dtype):
        raise ValueError(
            f"Incompatible type conversion requested to type '{dtype.name}' for variable of type "
            f"'{value.dtype.name}' ('{value.name}')"
        )
    return value.as_tensor()


overload(PartitionedVariable, Tensor)
register_tensor_conversion_function(PartitionedVariable, _to_tensor)
