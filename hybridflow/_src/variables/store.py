"""Variable stores: where `get_variable` looks up a name, and makes the variable if it may."""

from __future__ import annotations

import inspect
import traceback
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.collections import Deferred
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.graph_keys import GraphKeys, add_to_collection
from hybridflow._src.framework.scopes import colocate_with, init_scope, name_scope
from hybridflow._src.framework.tensor_shape import TensorShape, as_shape
from hybridflow._src.ops import array
from hybridflow._src.variables.initializers import Initializer, default_initializer
from hybridflow._src.variables.partitioned import PartitionedVariable, PartitionInfo, slice_shapes
from hybridflow._src.variables.resource_variable import ResourceVariable
from hybridflow._src.variables.scope_names import ScopeCounts
from hybridflow._src.variables.variable import SaveSliceInfo, Variable

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from hybridflow._src.framework.dtypes import DType

_EXISTS = (
    "Variable {name} already exists, disallowed. Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in VarScope? "
    "Originally defined at:\n\n{place}"
)
_MISSING = (
    "Variable {name} does not exist, or was not created with tf.get_variable(). Did you mean to set "
    "reuse=tf.AUTO_REUSE or reuse=None in VarScope?"
)
_OTHER = "Trying to share variable {name}, but specified {what} {wanted} and found {what} {found}."
_OTHER_PARTS = (
    "Trying to reuse partitioned variable {name}, but specified {what} {wanted} and found {what} {found}."
)
_NOT_PARTITIONED = (
    "A partitioner was provided, but an unpartitioned version of the variable was found: {name}. Perhaps a "
    "variable of the same name was already created without partitioning?"
)
_PARTITIONED = (
    "No partitioner was provided, but a partitioned version of the variable was found: {name}/part_0. Perhaps a "
    "variable of the same name was already created with partitioning?"
)
_NO_SHAPE = (
    "Shape of a new variable ({name}) must be fully defined, but instead was {shape}. Pass `shape`, or an "
    "initializer that is a tensor or array."
)


class _ReuseMode:
    """`AUTO_REUSE`: get the variable if there is one, else make it."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<hf.{self.name}>"

    def __reduce__(self) -> str:
        return self.name


AUTO_REUSE = _ReuseMode("AUTO_REUSE")


class VariableStore:
    """The variables of one graph, or of one eager store, by full name.

    Attributes:
      eager: the variables are eager ones: reuse is always AUTO_REUSE, all are resource variables.
      variables: variables and parts of partitioned ones, by name.
      partitioned: partitioned variables, by name.
      counts: how often each scope was opened.
    """

    def __init__(self, eager: bool) -> None:
        self.eager = eager
        self.variables: dict[str, Variable] = {}
        self.partitioned: dict[str, PartitionedVariable] = {}
        self.counts = ScopeCounts()

    def get_variable(
        self,
        name: str,
        shape: Any = None,
        dtype: Any = dtypes.float32,
        initializer: Any = None,
        regularizer: Any = None,
        reuse: Any = None,
        trainable: bool = True,
        collections: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        validate_shape: bool = True,
        use_resource: bool | None = None,
        custom_getter: Callable[..., Any] | None = None,
        constraint: Any = None,
    ) -> Any:
        """Gets the variable of this full name, or makes it; custom getters may do something else.

        Args: those of `hf.get_variable`, with scopes' defaults filled in.

        Raises:
          ValueError: if it exists and may not be shared, does not exist and may not be made, or differs
            from what is asked for. TypeError: for arguments of the wrong type.
        """
        if self.eager:
            reuse, use_resource = AUTO_REUSE, True
        request: dict[str, Any] = {
            "name": name,
            "shape": shape,
            "dtype": dtypes.as_dtype(dtype).base_dtype,
            "initializer": initializer,
            "regularizer": regularizer,
            "reuse": reuse,
            "trainable": trainable,
            "collections": collections,
            "caching_device": caching_device,
            "partitioner": partitioner,
            "validate_shape": validate_shape,
            "use_resource": use_resource,
            "constraint": constraint,
        }
        if custom_getter is None:
            return self._get(**request)
        if not callable(custom_getter):
            raise ValueError(f"Passed a custom_getter which is not callable: {custom_getter}")
        if not _takes(custom_getter, "constraint"):
            del request["constraint"]

        def getter(name: str, *args: Any, **kwargs: Any) -> Any:
            # A getter that does not know of constraints passes none on; the one asked for still holds.
            kwargs.setdefault("constraint", constraint)
            return self._get(name, *args, **kwargs)

        with name_scope(None):
            return custom_getter(getter=getter, **request)

    def _get(
        self,
        name: str,
        shape: Any = None,
        dtype: Any = dtypes.float32,
        initializer: Any = None,
        regularizer: Any = None,
        reuse: Any = None,
        trainable: bool = True,
        collections: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        validate_shape: bool = True,
        use_resource: bool | None = None,
        constraint: Any = None,
    ) -> Any:
        """What the innermost `getter` of a custom getter does."""
        if self.eager:
            reuse, use_resource = AUTO_REUSE, True
        common = {
            "regularizer": regularizer,
            "trainable": trainable,
            "collections": collections,
            "caching_device": caching_device,
            "validate_shape": validate_shape,
            "use_resource": use_resource,
            "constraint": constraint,
        }
        is_scalar = shape is not None and as_shape(shape).ndims == 0
        if partitioner is not None and not is_scalar:
            if not callable(partitioner):
                raise ValueError(f"Partitioner must be callable, but received: {partitioner}")
            return self._get_partitioned(name, shape, dtype, initializer, reuse, partitioner, common)
        if reuse and name in self.partitioned and partitioner is None:
            return self._get_partitioned(name, shape, dtype, initializer, reuse, None, common)
        if name not in self.variables and f"{name}/part_0" in self.variables:
            raise ValueError(_PARTITIONED.format(name=name))
        return self._get_single(name, shape, dtype, initializer, reuse, common)

    def _get_single(
        self,
        name: str,
        shape: Any,
        dtype: Any,
        initializer: Any,
        reuse: Any,
        common: dict[str, Any],
        partition_info: PartitionInfo | None = None,
    ) -> Variable:
        from_value = initializer is not None and not callable(initializer)
        if from_value and shape is not None:
            raise ValueError(
                f"If initializer is a constant, do not specify shape (variable {name}: shape {shape})."
            )
        dtype = dtypes.as_dtype(dtype).base_dtype
        shape = as_shape(shape)
        found = self.variables.get(name)
        if found is not None:
            if not reuse:
                raise ValueError(_EXISTS.format(name=name, place=_place(found)))
            if from_value:
                shape, dtype = _form_of(initializer, dtype)
            _check_same(_OTHER, name, shape, dtype, found)
            return found
        if reuse is True:
            raise ValueError(_MISSING.format(name=name))
        if not from_value and not shape.is_fully_defined():
            raise ValueError(_NO_SHAPE.format(name=name, shape=shape))
        variable = self._make(name, shape, dtype, initializer, from_value, common, partition_info)
        self.variables[name] = variable
        return variable

    def _make(
        self,
        name: str,
        shape: TensorShape,
        dtype: DType,
        initializer: Any,
        from_value: bool,
        common: dict[str, Any],
        partition_info: PartitionInfo | None,
    ) -> Variable:
        options = dict(common)
        regularizer = options.pop("regularizer")
        kind = ResourceVariable if options.pop("use_resource") or self.eager else Variable
        if from_value:
            initial_value, variable_dtype = initializer, None
        else:
            if initializer is None:
                initializer = default_initializer(name, dtype)
            elif isinstance(initializer, type):
                initializer = initializer(dtype=dtype)
            dims = shape.as_list()
            initial_value = _initial(initializer, dims, dtype, partition_info)
            variable_dtype = dtype
        with _root_names():
            variable = kind(initial_value=initial_value, name=name, dtype=variable_dtype, **options)
            if regularizer is not None:
                self._regularize(variable, regularizer, name)
        return variable

    def _regularize(self, variable: Variable, regularizer: Any, name: str) -> None:
        """Adds the variable's regularization loss to its collection."""
        if self.eager:
            losses = Deferred(f"{name}/Regularizer", lambda: regularizer(variable))
            add_to_collection(GraphKeys.REGULARIZATION_LOSSES, losses)
            return
        with init_scope(), colocate_with(variable.op), name_scope(f"{name}/Regularizer/"):
            loss = regularizer(variable)
        if loss is not None:
            add_to_collection(GraphKeys.REGULARIZATION_LOSSES, loss)

    def _get_partitioned(
        self,
        name: str,
        shape: Any,
        dtype: Any,
        initializer: Any,
        reuse: Any,
        partitioner: Any,
        common: dict[str, Any],
    ) -> PartitionedVariable:
        if name in self.variables:
            raise ValueError(_NOT_PARTITIONED.format(name=name))
        from_value = initializer is not None and not callable(initializer)
        dtype = dtypes.as_dtype(dtype).base_dtype
        shape = as_shape(shape)
        if from_value:
            initializer = convert_to_tensor(initializer, dtype)
            shape = shape.merge_with(initializer.shape)
        partitions = None if partitioner is None else _partitions(name, shape, dtype, partitioner)
        existing = self.partitioned.get(name)
        if existing is not None:
            if not reuse:
                raise ValueError(
                    f"Partitioned variable with name {name} already exists. Did you mean to set reuse=True or "
                    "reuse=tf.AUTO_REUSE in VarScope?"
                )
            _check_same(_OTHER_PARTS, name, shape, dtype, existing)
            if partitions is not None and existing._get_partitions() != partitions:
                raise ValueError(
                    _OTHER_PARTS.format(
                        name=name,
                        what="partitions",
                        wanted=partitions,
                        found=existing._get_partitions(),
                    )
                )
            return existing
        if reuse is True:
            raise ValueError(f"Partitioned{_MISSING.format(name=name)}")
        assert partitions is not None
        self._check_parts(name, max(partitions))
        axis, shapes = slice_shapes(shape.as_list(), partitions)
        offset = [0] * len(partitions)
        parts = []
        for index, part_shape in enumerate(shapes):
            part_name = f"{name}/part_{index}"
            info = PartitionInfo(shape.as_list(), list(offset))
            part_initializer, asked = initializer, part_shape
            if from_value:
                with name_scope(f"{part_name}/PartitionedInitializer"):
                    part_initializer = array.slice(initializer, list(offset), part_shape)
                asked = None
            part = self._get_single(part_name, asked, dtype, part_initializer, reuse, common, info)
            part._set_save_slice_info(
                SaveSliceInfo(name, shape.as_list(), list(offset), list(part_shape))
            )
            parts.append(part)
            offset[axis] += part_shape[axis]
        made = PartitionedVariable(name, shape, dtype, parts, partitions)
        self.partitioned[name] = made
        return made

    def _check_parts(self, name: str, number: int) -> None:
        """Parts that were made one by one must be as many as the partitioner asks for."""
        if f"{name}/part_0" not in self.variables:
            return
        for index, wanted in ((number - 1, True), (number, False)):
            if (f"{name}/part_{index}" in self.variables) is not wanted:
                was = "was not" if wanted else "was, but shouldn't exist"
                raise ValueError(
                    "Partitioner returned a different partitioning than what was already found. Partitioner returned "
                    f"{number} shards, and shard {name}/part_0 was found, but {name}/part_{index} {was}."
                )


def _root_names() -> AbstractContextManager[Any]:
    """Full names are given from the root: scopes open now do not count."""
    return name_scope(None) if context.modes.top.eager else get_default_graph().name_scope(None)


def _initial(
    initializer: Any, dims: list[int], dtype: DType, partition_info: PartitionInfo | None
) -> Callable[[], Any]:
    """A function without arguments that gives the initial value."""
    if isinstance(initializer, Initializer) or _takes(initializer, "partition_info"):
        return lambda: initializer(dims, dtype=dtype, partition_info=partition_info)
    return lambda: initializer(dims, dtype=dtype)


def _takes(function: Any, argument: str) -> bool:
    """Tells whether a function can be called with this keyword argument."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return True
    return argument in parameters or any(
        p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values()
    )


def _form_of(value: Any, dtype: DType) -> tuple[TensorShape, DType]:
    """Shape and dtype of an initial value that is not needed, since the variable exists."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return as_shape(value.shape), dtypes.as_dtype(value.dtype).base_dtype
    with init_scope():
        tensor = convert_to_tensor(value, preferred_dtype=dtype)
    return tensor.shape, tensor.dtype.base_dtype


def _check_same(text: str, name: str, shape: TensorShape, dtype: DType, found: Any) -> None:
    if not shape.is_compatible_with(found.shape):
        raise ValueError(text.format(name=name, what="shape", wanted=shape, found=found.shape))
    if dtype is not found.dtype.base_dtype:
        raise ValueError(
            text.format(name=name, what="dtype", wanted=dtype.name, found=found.dtype.name)
        )


def _partitions(name: str, shape: TensorShape, dtype: DType, partitioner: Any) -> list[int]:
    """The number of parts along each axis, as the partitioner says."""
    if not shape.is_fully_defined():
        raise ValueError(
            f"Shape of a new partitioned variable ({name}) must be fully defined, but instead was {shape}."
        )
    if not shape.ndims:
        raise ValueError(f"A partitioned Variable must have rank at least 1, shape: {shape}")
    partitions = partitioner(shape=shape, dtype=dtype)
    if not isinstance(partitions, list | tuple):
        raise ValueError(f"Partitioner must return a sequence, but saw: {partitions}")
    if len(partitions) != shape.ndims:
        raise ValueError(
            f"Partitioner returned a partition list that does not match the Variable's rank: {partitions} vs. {shape}"
        )
    if any(p < 1 for p in partitions):
        raise ValueError(f"Partitioner returned zero partitions for some axes: {partitions}")
    return [int(p) for p in partitions]


def _place(variable: Variable) -> str:
    """The user's lines that made a variable, for a message."""
    frames = [(f.filename, f.lineno, f.name, f.line) for f in variable.op.traceback[::-1][:3]]
    return "".join(traceback.format_list(frames))

