"""`init_from_checkpoint`: variables begin with the values that they have in a checkpoint."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import colocate_with
from hybridflow._src.framework.tensor_shape import as_shape
from hybridflow._src.platform import tf_logging
from hybridflow._src.train.saving.reader import checkpoint_in, load_checkpoint
from hybridflow._src.train.saving.saveables import assign_restored
from hybridflow._src.variables.partitioned import PartitionedVariable
from hybridflow._src.variables.scope_state import current
from hybridflow._src.variables.variable import Variable

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["init_from_checkpoint"]

_NO_TENSOR = "Tensor {tensor} is not found in {path} checkpoint {held}"
_NO_TENSOR_OF = "Tensor {tensor} ({name} in {scope}) is not found in {path} checkpoint"
_SHAPE = (
    "Shape of variable {name} ({wanted}) doesn't match with shape of tensor {tensor} ({found}) "
    "from checkpoint reader."
)
_SCOPE = (
    "Assignment map with scope only name {target} should map to scope only {tensor}. Should be "
    "'scope/': 'other_scope/'. There is no variable {target!r}."
)


def init_from_checkpoint(ckpt_dir_or_file: Any, assignment_map: Mapping[str, Any]) -> None:
    """Lets variables of the default graph begin with values of a checkpoint.

    Their initializers are replaced: the checkpoint is read when these run. In eager mode the
    variables of the current store get the values at once.

    Args:
      ckpt_dir_or_file: a checkpoint, or a folder whose latest one is taken.
      assignment_map: from what the checkpoint has to what is to get it:
        `"their/name": "our/name"`, one variable;
        `"their/scope/": "our/scope/"`, all variables of a scope, which must all be there;
        `"/": "our/scope/"`, all from the checkpoint's root;
        `"their/name": variable`, or a list of the parts of a partitioned variable.

    Raises:
      ValueError: if a tensor or variable is not there, or shapes differ. NotFoundError: if there
        is no checkpoint. No initializer is replaced then.

    >>> import hybridflow as hf
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, hf.Session(graph=hf.Graph()) as session:
    ...     with session.graph.as_default():
    ...         old = hf.get_variable("old/w", initializer=[1.0, 2.0])
    ...         _ = session.run(old.initializer)
    ...         path = hf.train.Saver().save(session, folder + "/model")
    ...         new = hf.get_variable("new/w", [2])
    ...         hf.train.init_from_checkpoint(path, {"old/": "new/"})
    ...         _ = session.run(new.initializer)
    ...         print(session.run(new))
    [1. 2.]
    """
    shapes = load_checkpoint(ckpt_dir_or_file).get_variable_to_shape_map()
    path = os.fspath(ckpt_dir_or_file)
    found: list[tuple[list[Variable], str]] = []
    for tensor, target in assignment_map.items():
        parts = _parts(target)
        if parts is None:
            found += _in_scope(tensor, target, shapes, path)
        elif tensor in shapes:
            found.append((parts, tensor))
        else:
            raise ValueError(_NO_TENSOR.format(tensor=tensor, path=path, held=shapes))
    for parts, tensor in found:
        _check(parts, tensor, shapes[tensor])
    file = checkpoint_in(path)
    for parts, tensor in found:
        for part in parts:
            info = part._get_save_slice_info()
            _replace_initializer(part, file, tensor, info.spec if info else "")
        names = ",".join([part.name for part in parts])
        tf_logging.info("Initialize variable %s from checkpoint %s with %s", names, path, tensor)


def _parts(target: Any) -> list[Variable] | None:
    """The variable that is meant, as a list of its parts; None if a scope is meant."""
    if isinstance(target, Variable):
        return [target]
    if isinstance(target, (list, tuple, PartitionedVariable)):
        parts = list(target)
        infos = [
            part._get_save_slice_info() if isinstance(part, Variable) else None for part in parts
        ]
        names = {info.full_name for info in infos if info is not None}
        if len(names) != 1 or None in infos:
            raise ValueError(
                f"Slices must all be from the same tensor: {sorted(names)} in {target!r:.200}"
            )
        return parts
    if not isinstance(target, str):
        raise TypeError(
            f"Expected a variable, its parts, or a name of a variable or scope, got {target!r:.200}"
        )
    store = current().store
    if target in store.variables:
        return [store.variables[target]]
    return list(store.partitioned[target]) if target in store.partitioned else None


def _in_scope(
    tensor: str, target: str, shapes: Mapping[str, Any], path: str
) -> Iterator[tuple[list[Variable], str]]:
    """The variables of a scope, each with the name that it has in the checkpoint."""
    scope = target.rpartition("/")[0]
    if not tensor.endswith("/"):
        raise ValueError(_SCOPE.format(target=target, tensor=tensor))
    store = current().store
    parts = {part._shared_name for whole in store.partitioned.values() for part in whole}
    names = [*(name for name in store.variables if name not in parts), *store.partitioned]
    for name in sorted(names):
        if scope and not name.startswith(f"{scope}/"):
            continue
        short = name[len(scope) + 1 :] if scope else name
        full = short if tensor == "/" else tensor + short
        if full not in shapes:
            raise ValueError(_NO_TENSOR_OF.format(tensor=full, name=short, scope=tensor, path=path))
        found = _parts(name)
        if found is not None:
            yield found, full


def _check(parts: list[Variable], tensor: str, found: list[int]) -> None:
    first = parts[0]
    info = first._get_save_slice_info()
    wanted = first.shape if info is None else as_shape(info.full_shape)
    if not wanted.is_compatible_with(found):
        name = first.name if info is None else info.full_name
        raise ValueError(_SHAPE.format(name=name, wanted=wanted, tensor=tensor, found=found))


def _replace_initializer(variable: Variable, file: str, tensor: str, spec: str) -> None:
    """Lets a variable's initializer read a tensor of a checkpoint."""
    dtypes = [variable.dtype.base_dtype]
    if context.modes.top.eager:
        assign_restored(variable, raw.RestoreV2(file, [tensor], [spec], dtypes=dtypes)[0])
        return
    with variable.graph.as_default(), colocate_with(variable.op):
        (value,) = raw.RestoreV2(
            file, [tensor], [spec], dtypes=dtypes, name="checkpoint_initializer"
        )
        value.set_shape(variable.shape)
        variable._initializer_op = assign_restored(variable, value)
        variable._initial_value = variable._initial_expression = value
