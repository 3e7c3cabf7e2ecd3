"""What a saver saves: variables and other objects, each under a name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.variables.eager_variable import EagerVariable
from hybridflow._src.variables.partitioned import PartitionedVariable
from hybridflow._src.variables.resource_variable import ResourceVariable
from hybridflow._src.variables.variable import Variable

if TYPE_CHECKING:
    from hybridflow._src.framework.operation import Operation

__all__ = ["SaveSpec", "SaveableObject"]

_NOT_A_LIST = "Variables to save should be passed in a dict or a list: {given!r:.200}"
_TWICE = "At least two variables have the same name: {name}"
_NO_VARIABLE = (
    "Variable to save is not a Variable: {given!r:.200}. A saver takes variables, partitioned "
    "variables and SaveableObjects."
)


class SaveSpec:
    """One tensor to save.

    Args:
      tensor: the tensor, or a function that gives it.
      slice_spec: the slice that it is of a larger one ("" for a whole one).
      name: the name in the checkpoint.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     hf.train.SaveSpec(hf.constant([1.0]), "", "numbers").name
    'numbers'
    """

    def __init__(self, tensor: Any, slice_spec: str, name: str) -> None:
        self._tensor = tensor
        self.slice_spec = slice_spec
        self.name = name

    @property
    def tensor(self) -> Any:
        """The tensor to save."""
        return self._tensor() if callable(self._tensor) else self._tensor


class SaveableObject:
    """Something with a state that savers save and restore; a class of your own defines `restore`.

    Put into the collection `GraphKeys.SAVEABLE_OBJECTS`, it is saved with all variables.

    Args:
      op: what the state belongs to; each is saved under one name.
      specs: a `SaveSpec` for each tensor of the state.
      name: the name of the object.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     x = hf.constant([1.0])
    ...     hf.train.SaveableObject(x.op, [hf.train.SaveSpec(x, "", "x")], "x").name
    'x'
    """

    def __init__(self, op: Any, specs: Sequence[SaveSpec], name: str) -> None:
        self.op = op
        self.specs = list(specs)
        self.name = name

    def restore(self, restored_tensors: Sequence[Any], restored_shapes: Any) -> Operation:
        """Gives the state the values read.

        Args:
          restored_tensors: a tensor for each spec.
          restored_shapes: the shape that each should get, or None for the shape it was saved in.

        Returns: the operation that does it.
        """
        raise ValueError(f"{type(self).__name__} defines no `restore`.")


class VariableSaveable(SaveableObject):
    """A variable, or a part of one."""

    def __init__(self, variable: Variable, slice_spec: str, name: str) -> None:
        self.variable = variable
        key: Any
        tensor: Any
        if context.modes.top.eager:
            key, tensor = variable, variable.read_value
        elif not isinstance(variable, ResourceVariable):
            # As TensorFlow 1.4 has it: the reference, but of a part what its readers share.
            key, tensor = variable.op, variable._snapshot if slice_spec else variable._ref()
        else:
            # One read for all specs, where the saver is made.
            key, tensor = variable.handle.op, variable.read_value().op.inputs[0]
        super().__init__(key, [SaveSpec(tensor, slice_spec, name)], name)

    def restore(self, restored_tensors: Sequence[Any], restored_shapes: Any) -> Operation:
        (value,) = restored_tensors
        if restored_shapes is not None:
            value = raw.Reshape(value, restored_shapes[0])
        return assign_restored(self.variable, value, keep_shape=restored_shapes is None)


class HandleSaveable(SaveableObject):
    """A variable of which there is only the tensor that stands for it, as in an imported graph."""

    def __init__(self, tensor: Tensor, name: str) -> None:
        self._tensor = tensor
        op = tensor.op
        self._dtype, self._shape = op.get_attr("dtype"), TensorShape(op.get_attr("shape"))
        self._is_resource = op.type == "VarHandleOp"
        value = raw.ReadVariableOp(tensor, dtype=self._dtype) if self._is_resource else tensor
        super().__init__(op, [SaveSpec(value, "", name)], name)

    def restore(self, restored_tensors: Sequence[Any], restored_shapes: Any) -> Operation:
        (value,) = restored_tensors
        if restored_shapes is not None:
            value = raw.Reshape(value, restored_shapes[0])
        if self._is_resource:
            return raw.AssignVariableOp(self._tensor, value, shape=self._shape)
        validate = restored_shapes is None and self._shape.is_fully_defined()
        return raw.Assign(self._tensor, value, validate_shape=validate).op


def assign_restored(variable: Variable, value: Any, keep_shape: bool = True) -> Operation:
    """Gives a variable what was read for it."""
    if context.modes.top.eager:
        return variable.assign(value)
    if isinstance(variable, ResourceVariable):
        value = raw.Identity(value)
        return raw.AssignVariableOp(variable.handle, value, shape=variable.shape)
    validate = keep_shape and variable.shape.is_fully_defined()
    return raw.Assign(variable._ref(), value, validate_shape=validate).op


def saveables_of(var_list: Any) -> list[SaveableObject]:
    """What to save, sorted by name, of a list of variables or a dict from name to variable.

    Raises:
      TypeError: for what is no variable. ValueError: for a variable or name that is there twice.
    """
    named = var_list if isinstance(var_list, dict) else _by_name(var_list)
    found: list[SaveableObject] = []
    seen: set[Any] = set()
    for name in sorted(named, key=_checked):
        for saveable in _of(named[name], name):
            if saveable.op in seen:
                raise ValueError(
                    f"The same saveable will be restored with two names: {saveable.name}"
                )
            seen.add(saveable.op)
            found.append(saveable)
    return found


def _checked(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(
            "names_to_saveables must be a dict mapping string names to checkpointable operations. "
            f"Name is not a string: {name!r}"
        )
    return name


def _name_of(variable: Any) -> str:
    try:
        return str(variable.name)
    except AttributeError:
        raise TypeError(f"Variable to save is not a Variable: {variable!r:.80}") from None


def _by_name(var_list: Any) -> dict[str, Any]:
    """Variables by the name that they have in a checkpoint; parts of one in a list."""
    if not isinstance(var_list, (list, tuple, set)):
        raise TypeError(_NOT_A_LIST.format(given=var_list))
    found: dict[str, Any] = {}
    for variable in sorted(var_list, key=_name_of):
        info = variable._get_save_slice_info() if isinstance(variable, Variable) else None
        if info is not None:
            parts = found.setdefault(info.full_name, [])
            if not isinstance(parts, list):
                raise ValueError(
                    f"Mixing slices and non-slices with the same name: {info.full_name}"
                )
            parts.append(variable)
            continue
        if isinstance(variable, (SaveableObject, PartitionedVariable)):
            name = variable.name
        else:
            one = _variable(variable)
            name = one.op.name if isinstance(one, Tensor) else one._shared_name
        is_eager = isinstance(variable, EagerVariable)
        if name in found and not (is_eager and found[name] is variable):
            raise ValueError(_TWICE.format(name=name))
        found[name] = variable
    return found


def _of(item: Any, name: str) -> list[SaveableObject]:
    """What is saved under one name."""
    if isinstance(item, SaveableObject):
        return [item]
    if not isinstance(item, (list, tuple, PartitionedVariable)):
        one = _variable(item)
        if isinstance(one, Variable):
            return [VariableSaveable(one, "", name)]
        return [HandleSaveable(one, name)]
    found: list[SaveableObject] = []
    full_name = None
    for part in item:
        info = part._get_save_slice_info() if isinstance(part, Variable) else None
        if info is None:
            raise ValueError(f"Slices must all be parts of a partitioned variable: {part!r:.200}")
        if full_name not in (None, info.full_name):
            raise ValueError(
                f"Slices must all be from the same tensor: {full_name} != {info.full_name}"
            )
        full_name = info.full_name
        found.append(VariableSaveable(part, info.spec, name))
    return found


def _variable(item: Any) -> Variable | Tensor:
    """A variable, also for the tensor that stands for it in a graph; that where it has no other."""
    if isinstance(item, Variable):
        return item
    if isinstance(item, Tensor) and not context.modes.top.eager:
        for variable in item.graph.get_collection_ref("variables"):
            if item in (variable._ref(), variable._snapshot):
                return variable
        if item.op.type in ("VariableV2", "VarHandleOp"):
            return item
    raise TypeError(_NO_VARIABLE.format(given=item))
