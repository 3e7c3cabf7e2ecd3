"""Partitioned variables as a store gets and makes them; what their initializers are told."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.framework.tensor_shape import TensorShape, as_shape
from hybridflow._src.ops.arrays import slicing as slices
from hybridflow._src.ranks import job
from hybridflow._src.variables.partitioned import PartitionedVariable
from hybridflow._src.variables.request import Request
from hybridflow._src.variables.scaling_initializers import default_initializer
from hybridflow._src.variables.sharded import (
    ShardedPartitioner,
    ShardedVariable,
    for_all_ranks,
)
from hybridflow._src.variables.variable_def import SaveSliceInfo

if TYPE_CHECKING:
    from hybridflow._src.variables.store import VariableStore
    from hybridflow._src.variables.variable import Variable

_OTHER = (
    "Trying to reuse partitioned variable {name}, but specified {what} {wanted} and found {what} "
    "{found}."
)
_EXISTS = (
    "Partitioned variable with name {name} already exists. Did you mean to set reuse=True or "
    "reuse=tf.AUTO_REUSE in VarScope?"
)
_MISSING = (
    "PartitionedVariable {name} does not exist, or was not created with tf.get_variable(). Did you "
    "mean to set reuse=None in VarScope?"
)
_NOT_PARTITIONED = (
    "A partitioner was provided, but an unpartitioned version of the variable was found: {name}. "
    "Perhaps a variable of the same name was already created without partitioning?"
)
_OTHER_PARTS = (
    "Partitioner returned a different partitioning than what was already found. Partitioner "
    "returned {number} shards, and shard {name}/part_0 was found, but {rest}."
)


class PartitionInfo:
    """Which part of a partitioned variable an initializer is asked for.

    Args:
      full_shape: shape of the whole variable.
      var_offset: the part's first index in each dimension.

    Raises:
      TypeError: if they are not lists or tuples. ValueError: if their lengths differ or an offset
        lies outside.
    """

    def __init__(self, full_shape: Any, var_offset: Any) -> None:
        _check_sequence("full_shape", full_shape)
        _check_sequence("var_offset", var_offset)
        if len(full_shape) != len(var_offset):
            raise ValueError(
                f"Expected equal length, but `var_offset` is of length {len(var_offset)} while "
                f"full_shape is of length {len(full_shape)}."
            )
        for offset, size in zip(var_offset, full_shape, strict=True):
            if not 0 <= offset < size:
                raise ValueError(
                    f"Expected 0 <= offset < shape but found offset={offset}, shape={size} for "
                    f"var_offset={var_offset}, full_shape={full_shape}"
                )
        self._full_shape = full_shape
        self._var_offset = var_offset

    @property
    def full_shape(self) -> Any:
        """Shape of the whole variable."""
        return self._full_shape

    @property
    def var_offset(self) -> Any:
        """The part's first index in each dimension."""
        return self._var_offset

    def single_slice_dim(self, shape: Any) -> int | None:
        """The one dimension in which a part of this shape is smaller than the whole, or None.

        Raises:
          TypeError: if `shape` is no list or tuple. ValueError: if the part does not fit, or is
            smaller in several dimensions.
        """
        _check_sequence("shape", shape)
        full = self._full_shape
        if len(shape) != len(full):
            raise ValueError(
                f"Expected equal length, but received shape={shape} of length {len(shape)} while "
                f"self.full_shape={full} is of length {len(full)}."
            )
        for dim, (offset, part) in enumerate(zip(self._var_offset, shape, strict=True)):
            if offset + part > full[dim]:
                raise ValueError(
                    f"With self.var_offset={self._var_offset}, a partition of shape={shape} would "
                    f"exceed self.full_shape={full} in dimension {dim}."
                )
        cut = [dim for dim, part in enumerate(shape) if part != full[dim]]
        if len(cut) > 1:
            raise ValueError(
                f"Cannot use single_slice_dim() with shape={shape} and self.full_shape={full} "
                f"since slice dim could be either dimension {cut[1]} or {cut[0]}."
            )
        return cut[0] if cut else None

    def single_offset(self, shape: Any) -> int:
        """The offset in that dimension; 0 if the part is the whole."""
        dim = self.single_slice_dim(shape)
        return 0 if dim is None else self._var_offset[dim]


def _check_sequence(name: str, value: Any) -> None:
    if not isinstance(value, (list, tuple)):
        raise TypeError(
            f"`{name}` must be a sequence (like tuple or list) instead of {type(value).__name__}"
        )


def slice_shapes(shape: list[int], slicing: list[int]) -> tuple[int, list[list[int]]]:
    """How a variable is cut: the axis, and the shape of each part. The first get the remainder.

    Raises:
      ValueError: if more than one axis is to be cut, or into more parts than it has elements.
    """
    for number, size in zip(slicing, shape, strict=True):
        if number <= 0 or size < number:
            raise ValueError(
                f"Cannot create {number} slices for size {size}. shape: {shape}, slicing: {slicing}"
            )
    cut = [dim for dim, number in enumerate(slicing) if number > 1]
    if len(cut) > 1:
        raise ValueError(
            f"Can only slice a variable along one dimension: shape: {shape}, slicing: {slicing}"
        )
    axis = cut[0] if cut else 0
    size, extra = divmod(shape[axis], slicing[axis])
    return axis, [
        [*shape[:axis], size + (index < extra), *shape[axis + 1 :]]
        for index in range(slicing[axis])
    ]


class Partitioning:
    """One request for a partitioned variable."""

    def __init__(self, store: VariableStore, request: Request) -> None:
        self._store = store
        self._request = request
        self._shape = as_shape(request.shape)
        self._dtype = request.dtype
        if request.from_value:
            value = request.initializer
            own = value.shape if hasattr(value, "shape") else np.shape(value)
            self._shape = self._shape.merge_with(own)
            if isinstance(value, Tensor):
                self._dtype = value.dtype.base_dtype

    def get(self) -> PartitionedVariable:
        """The variable of that name, checked, or a new one."""
        store, request, name = self._store, self._request, self._request.name
        if name in store.variables:
            raise ValueError(_NOT_PARTITIONED.format(name=name))
        found = store.partitioned.get(name)
        if found is not None:
            if not request.reuse:
                raise ValueError(_EXISTS.format(name=name))
            self._check_same(found)
            return found
        slicing = self._slicing()
        if request.reuse is True:
            raise ValueError(_MISSING.format(name=name))
        made = store.partitioned[name] = self._make(slicing)
        return made

    def _slicing(self) -> list[int]:
        """The number of parts along each axis, as the partitioner says."""
        request, shape = self._request, self._shape
        partitioner = request.partitioner
        if not callable(partitioner):
            raise ValueError(f"Partitioner must be callable, but received: {partitioner}")
        if not shape.is_fully_defined():
            raise ValueError(
                f"Shape of a new partitioned variable ({request.name}) must be fully defined, but "
                f"instead was {shape}."
            )
        slicing = partitioner(shape=shape, dtype=self._dtype)
        if not isinstance(slicing, (list, tuple)):
            raise ValueError(f"Partitioner must return a sequence, but saw: {slicing}")
        if len(slicing) != shape.ndims:
            raise ValueError(
                "Partitioner returned a partition list that does not match the Variable's rank: "
                f"{slicing} vs. {shape}"
            )
        if any(number < 1 for number in slicing):
            raise ValueError(f"Partitioner returned zero partitions for some axes: {slicing}")
        return [operator.index(number) for number in slicing]

    def _check_same(self, found: PartitionedVariable) -> None:
        name, shape, dtype = self._request.name, self._shape, self._dtype
        if not shape.is_compatible_with(found.shape):
            raise ValueError(
                _OTHER.format(name=name, what="shape", wanted=shape, found=found.shape)
            )
        if dtype is not found.dtype:
            wanted = dtype.name
            raise ValueError(
                _OTHER.format(name=name, what="dtype", wanted=wanted, found=found.dtype.name)
            )
        if self._request.partitioner is not None:
            slicing, parts = self._slicing(), found._get_partitions()
            if slicing != parts:
                raise ValueError(
                    _OTHER.format(name=name, what="partitions", wanted=slicing, found=parts)
                )

    def _make(self, slicing: list[int]) -> PartitionedVariable:
        name, full = self._request.name, list(self._shape._dims)  # type: ignore[arg-type]
        axis, shapes = slice_shapes(full, slicing)  # type: ignore[arg-type]
        self._check_parts(len(shapes))
        names = [f"{name}/part_{index}" for index in range(len(shapes))]
        new = [part for part in names if part not in self._store.variables]
        is_sharded = isinstance(self._request.partitioner, ShardedPartitioner)
        here = job.rank() if is_sharded else None
        parts = []
        at = 0
        try:
            for index, (part_name, shape) in enumerate(zip(names, shapes, strict=True)):
                offset = [0] * len(full)
                offset[axis] = at
                at += shape[axis]
                info = PartitionInfo(full, offset)
                if here not in (None, index):
                    self._pass_over(part_name, shape, info)
                    continue
                part = self._part(part_name, shape, info)
                part._set_save_slice_info(SaveSliceInfo(name, full, offset, shape, rank=here))  # type: ignore[arg-type]
                parts.append(part)
        except BaseException:
            self._store.forget(new)
            raise
        whole = TensorShape.of(tuple(full))
        kind = ShardedVariable if is_sharded else PartitionedVariable
        return kind(name, whole, parts[0]._dtype, parts, slicing)

    def _pass_over(self, name: str, shape: list[int], info: PartitionInfo) -> None:
        """Makes a part that another rank has, and drops it: all ranks draw the same numbers.

        In a graph it is never initialized.
        """
        self._part(name, shape, info, is_elsewhere=True)
        self._store.variables.pop(name, None)

    def _part(
        self, name: str, shape: list[int], info: PartitionInfo, is_elsewhere: bool = False
    ) -> Variable:
        given = self._request
        part = Request(*[getattr(given, field) for field in Request.__slots__])
        part.name, part.shape, part.partitioner = name, shape, None
        if is_elsewhere:
            part.trainable, part.collections, part.regularizer = False, [], None
        elif part.regularizer is not None and isinstance(given.partitioner, ShardedPartitioner):
            part.regularizer = for_all_ranks(part.regularizer)
        with name_scope(f"{name}/PartitionedInitializer"):
            if given.from_value:
                whole = convert_to_tensor(given.initializer, self._dtype)
                part.initializer, part.shape = slices.slice(whole, info.var_offset, shape), None
            elif given.initializer is None and not given.dtype.is_floating:
                initializer = default_initializer(given.name, given.dtype)
                part.initializer, part.shape = initializer(shape), None
        return self._store.get_single(part, info)

    def _check_parts(self, number: int) -> None:
        """Checks that parts which were made one by one are as many as the partitioner asks for."""
        name, variables = self._request.name, self._store.variables
        if f"{name}/part_0" not in variables:
            return
        rest = ""
        if f"{name}/part_{number - 1}" not in variables:
            rest = f"{name}/part_{number - 1} was not"
        elif f"{name}/part_{number}" in variables:
            rest = f"so was the extra shard {name}/part_{number}"
        if rest:
            raise ValueError(_OTHER_PARTS.format(number=number, name=name, rest=rest))
