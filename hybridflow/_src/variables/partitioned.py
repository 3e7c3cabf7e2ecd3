"""Partitioned variables: one variable kept as several, cut along one axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.convert import convert_to_tensor, register_tensor_conversion_function
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.tensor_shape import TensorShape, as_shape
from hybridflow._src.ops import array, joining
from hybridflow._src.ops.control_flow import group
from hybridflow._src.variables.variable import Variable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.tensor import Tensor


class PartitionInfo:
    """Which part of a partitioned variable an initializer is asked for.

    Args:
      full_shape: shape of the whole variable.
      var_offset: the part's first index in each dimension.

    Raises:
      TypeError: if they are not lists or tuples. ValueError: if their lengths differ or an offset lies outside.
    """

    def __init__(self, full_shape: Any, var_offset: Any) -> None:
        for name, value in (("full_shape", full_shape), ("var_offset", var_offset)):
            if not isinstance(value, list | tuple):
                raise TypeError(f"`{name}` must be a sequence (like tuple or list) instead of {value!r}")
        if len(full_shape) != len(var_offset):
            raise ValueError(
                f"Expected equal length, but `var_offset` is of length {len(var_offset)} while full_shape is of "
                f"length {len(full_shape)}."
            )
        for offset, size in zip(var_offset, full_shape, strict=True):
            if offset < 0 or offset >= size:
                raise ValueError(
                    f"Expected 0 <= offset < shape but found offset={offset}, shape={size} for var_offset="
                    f"{var_offset}, full_shape={full_shape}"
                )
        self._full_shape = list(full_shape)
        self._var_offset = list(var_offset)

    @property
    def full_shape(self) -> list[int]:
        """Shape of the whole variable."""
        return self._full_shape

    @property
    def var_offset(self) -> list[int]:
        """The part's first index in each dimension."""
        return self._var_offset

    def single_slice_dim(self, shape: Any) -> int | None:
        """The one dimension in which a part of this shape is smaller than the whole, or None.

        Raises:
          ValueError: if the part does not fit, or is smaller in several dimensions.
        """
        if not isinstance(shape, list | tuple):
            raise TypeError(f"`shape` must be a sequence (like tuple or list) instead of {shape!r}")
        if len(shape) != len(self._full_shape):
            raise ValueError(f"Expected rank {len(self._full_shape)}, got shape {shape}.")
        for offset, part, size in zip(self._var_offset, shape, self._full_shape, strict=True):
            if offset + part > size:
                raise ValueError(f"A part of shape {shape} does not fit into {self._full_shape}.")
        cut = [i for i, part in enumerate(shape) if part != self._full_shape[i]]
        if len(cut) > 1:
            raise ValueError(f"Cannot use single_slice_dim() with shape {shape} cut in dimensions {cut}.")
        return cut[0] if cut else None

    def single_offset(self, shape: Any) -> int:
        """The offset in that dimension; 0 if the part is the whole."""
        dim = self.single_slice_dim(shape)
        return 0 if dim is None else self._var_offset[dim]


def slice_shapes(shape: list[int], partitions: list[int]) -> tuple[int, list[list[int]]]:
    """How a variable is cut: the axis, and the shape of each part; the first parts get the remainder.

    Raises:
      ValueError: if more than one axis is to be cut, or into more parts than it has elements.
    """
    axis = 0
    cut = [i for i, parts in enumerate(partitions) if parts != 1]
    for i, (parts, size) in enumerate(zip(partitions, shape, strict=True)):
        if size < parts or size <= 0:
            raise ValueError(f"Cannot create {parts} slices for size {size} along dimension {i}: shape: {shape}, partitioning: {partitions}")
    if len(cut) > 1:
        raise ValueError(
            f"Can only slice a variable along one dimension: shape: {shape}, partitioning: {partitions}"
        )
    if cut:
        axis = cut[0]
    size, extra = divmod(shape[axis], partitions[axis])
    parts = []
    for index in range(partitions[axis]):
        part = list(shape)
        part[axis] = size + (index < extra)
        parts.append(part)
    return axis, parts


class PartitionedVariable:
    """A variable kept as a list of variables, its parts along one axis; used as one tensor, it is joined.

    Args:
      name: name of the whole.
      shape: its shape.
      dtype: its dtype.
      variable_list: the parts.
      partitions: the number of parts along each axis.

    Raises:
      TypeError: for parts that are not variables. ValueError: if parts and partitions do not match.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     p = hf.get_variable("p", [5, 2], partitioner=hf.fixed_size_partitioner(2))
    ...     print([v.name for v in p], [v.shape.as_list() for v in p])
    ['p/part_0:0', 'p/part_1:0'] [[3, 2], [2, 2]]
    """

    __array_priority__ = 100

    def __init__(
        self, name: str, shape: Any, dtype: DType, variable_list: list[Variable], partitions: list[int]
    ) -> None:
        if not isinstance(variable_list, list | tuple):
            raise TypeError(f"variable_list is not a list or tuple: {variable_list}")
        if not isinstance(partitions, list | tuple):
            raise TypeError(f"partitions is not a list or tuple: {partitions}")
        if not partitions or min(partitions) < 1:
            raise ValueError(f"partition values must be positive: {partitions}")
        if not variable_list:
            raise ValueError("variable_list may not be empty")
        for variable in variable_list:
            if not isinstance(variable, Variable):
                raise TypeError(f"Elements of variable_list must be variables: {variable!r}")
        self._name = name
        self._shape = as_shape(shape)
        self._dtype = dtype
        self._variables = list(variable_list)
        self._partitions = list(partitions)

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
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)

    def _get_variable_list(self) -> list[Variable]:
        return self._variables

    def _get_partitions(self) -> list[int]:
        return self._partitions

    def _partition_axes(self) -> list[int]:
        """The axes along which it is cut; [0] if it is one part."""
        return [i for i, parts in enumerate(self._partitions) if parts > 1] or [0]

    @property
    def _gradient_parts(self) -> list[Variable]:
        return self._variables

    def as_tensor(self) -> Tensor:
        """The whole as one tensor."""
        return self._as_tensor()

    def _as_tensor(self) -> Tensor:
        if len(self._variables) == 1:
            with name_scope(None):
                return array.identity(self._variables[0], name=self._name)
        with name_scope(f"{self._name}/ConcatPartitions/"):
            (axis,) = self._partition_axes()
            joined = joining.concat(self._variables, axis, name="concat")
        with name_scope(None):
            return array.identity(joined, name=self._name)

    def assign(self, value: Any, use_locking: bool = False) -> Any:
        """Gives all parts their parts of `value`, a tensor of the whole's shape."""
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
        (axis,) = self._partition_axes()
        sizes = [v.shape.as_list()[axis] for v in self._variables]
        parts = joining.split(value, sizes, axis)
        done = [
            getattr(v, method)(part, use_locking=use_locking)
            for v, part in zip(self._variables, parts, strict=True)
        ]
        return group(*done)

    def __repr__(self) -> str:
        return (
            f"<hf.PartitionedVariable '{self._name}' shape={self._shape} dtype={self._dtype.name} "
            f"parts={len(self._variables)}>"
        )


def _to_tensor(value: PartitionedVariable, dtype: Any, name: str | None, as_ref: bool) -> Any:
    if dtype is not None and not dtype.is_compatible_with(value.dtype):
        raise ValueError(
            f"Incompatible type conversion requested to type '{dtype.name}' for partitioned variable "
            f"'{value.name}' of type '{value.dtype.name}'"
        )
    return value.as_tensor()


register_tensor_conversion_function(PartitionedVariable, _to_tensor)
