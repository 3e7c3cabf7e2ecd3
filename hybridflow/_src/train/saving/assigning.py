"""`contrib.framework`'s ways to give variables values: of a checkpoint, or of a dict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.ops.arrays.placeholder import placeholder
from hybridflow._src.ops.control_flow.ordering import group
from hybridflow._src.platform import tf_logging
from hybridflow._src.train.saving.reader import CheckpointReader
from hybridflow._src.train.saving.saver import Saver
from hybridflow._src.variables.finding import get_unique_variable, get_variable_full_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "assign_from_checkpoint",
    "assign_from_checkpoint_fn",
    "assign_from_values",
    "assign_from_values_fn",
]

_SHAPE = (
    "Total size of new array must be unchanged for {name} lh_shape: [{found}], rh_shape: [{wanted}]"
)


def assign_from_checkpoint(
    model_path: str, var_list: Any, ignore_missing_vars: bool = False
) -> tuple[Any, dict[Any, np.ndarray]]:
    """An operation that gives variables values of a checkpoint, which is read now.

    `tf.train.init_from_checkpoint` and `tf.train.Saver` read it when the variables get the values.

    Args:
      model_path: the checkpoint, as `latest_checkpoint` gives it.
      var_list: variables, or a dict from names in the checkpoint to variables; parts of one
        variable have the name of the whole, and may stand in a list.
      ignore_missing_vars: leave out what the checkpoint lacks, with a warning.

    Returns: the operation, and what to feed when it is run.

    Raises:
      ValueError: if the checkpoint lacks a variable, or has it in another shape.
      NotFoundError: if there is no checkpoint. DataLossError: if it is damaged.

    >>> import hybridflow as hf
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, hf.Graph().as_default():
    ...     v = hf.get_variable("v", initializer=[1.0, 2.0])
    ...     with hf.Session() as session:
    ...         _ = session.run(v.initializer)
    ...         path = hf.train.Saver().save(session, folder + "/model")
    ...         w = hf.get_variable("w", [2])
    ...         session.run(*hf.contrib.framework.assign_from_checkpoint(path, {"v": w}))
    ...         print(session.run(w))
    [1. 2.]
    """
    reader = CheckpointReader(model_path)
    values: list[tuple[Any, np.ndarray]] = []
    for name, variables in _by_saved_name(var_list).items():
        if not reader.has_tensor(name):
            problem = f"Checkpoint is missing variable [{name}]"
            if not ignore_missing_vars:
                raise ValueError(problem)
            tf_logging.warning(problem)
            continue
        whole = np.asarray(reader.get_tensor(name))
        for variable in variables:
            info = variable._get_save_slice_info()
            value = whole
            if info is not None:
                sizes = zip(info.var_offset, info.var_shape, strict=True)
                value = whole[tuple([slice(start, start + size) for start, size in sizes])]
            if not variable.shape.is_compatible_with(value.shape):
                text = _SHAPE.format(name=name, found=value.shape, wanted=variable.shape)
                raise ValueError(text)
            values.append((variable, value))
    return _assigned(values)


def _by_saved_name(var_list: Any) -> dict[str, list[Any]]:
    """The variables, parts of one in a list, by the name that the checkpoint has for them."""
    found: dict[str, list[Any]] = {}
    if isinstance(var_list, dict):
        for name, variables in var_list.items():
            several = isinstance(variables, (list, tuple))
            found[name] = list(variables) if several else [variables]
        return found
    for variable in var_list:
        found.setdefault(get_variable_full_name(variable), []).append(variable)
    return found


def _assigned(values: list[tuple[Any, np.ndarray]]) -> tuple[Any, dict[Any, np.ndarray]]:
    """An operation that assigns what is to be fed."""
    assigned, fed = [], {}
    for variable, value in values:
        dtype, name = variable.dtype.base_dtype, f"placeholder/{variable.op.name}"
        tensor = placeholder(dtype, variable.shape, name)
        assigned.append(variable.assign(tensor))
        fed[tensor] = value
    return group(*assigned), fed


def assign_from_checkpoint_fn(
    model_path: str,
    var_list: Any,
    ignore_missing_vars: bool = False,
    reshape_variables: bool = False,
) -> Callable[[Any], None] | None:
    """A function of a session that restores variables from a checkpoint.

    Args:
      model_path: the checkpoint, as `latest_checkpoint` gives it.
      var_list: variables, or a dict from names in the checkpoint to variables.
      ignore_missing_vars: leave out what the checkpoint lacks, with a warning.
      reshape_variables: restore also into variables of another shape with as many elements.

    Returns: the function; None if nothing is left to restore.

    Raises:
      ValueError: if `var_list` is empty. NotFoundError: if there is no checkpoint and missing
        variables are to be left out.

    >>> import hybridflow as hf
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, hf.Graph().as_default():
    ...     v = hf.get_variable("v", initializer=[1.0, 2.0])
    ...     with hf.Session() as session:
    ...         _ = session.run(v.initializer)
    ...         path = hf.train.Saver().save(session, folder + "/model")
    ...         new = hf.get_variable("new", [1])
    ...         both = [v, new]
    ...         init = hf.contrib.framework.assign_from_checkpoint_fn(path, both, True)
    ...     with hf.Session() as session:
    ...         init(session)
    ...         print(session.run(v))
    [1. 2.]
    """
    if not var_list:
        raise ValueError("var_list cannot be empty")
    if ignore_missing_vars:
        reader = CheckpointReader(model_path)
        is_dict = isinstance(var_list, dict)
        named = var_list if is_dict else {variable.op.name: variable for variable in var_list}
        for name in named:
            if not reader.has_tensor(name):
                tf_logging.warning("Variable %s missing in checkpoint %s", name, model_path)
        var_list = {name: v for name, v in named.items() if reader.has_tensor(name)}
    if not var_list:
        tf_logging.warning("No Variables to restore")
        return None
    saver = Saver(var_list, reshape=reshape_variables)
    return lambda session: saver.restore(session, model_path)


def assign_from_values(
    var_names_to_values: Mapping[str, np.ndarray],
) -> tuple[Any, dict[Any, np.ndarray]]:
    """An operation that gives variables of the default graph values, which it does not hold.

    Args:
      var_names_to_values: arrays by the full names of variables; each has as many elements as the
        variable.

    Returns: the operation, and what to feed when it is run.

    Raises:
      ValueError: if there is no variable of a name, or it has another number of elements.

    >>> import hybridflow as hf
    >>> import numpy as np
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     v = hf.get_variable("v", [2])
    ...     operation, fed = hf.contrib.framework.assign_from_values({"v": np.array([3.0, 4.0])})
    ...     session.run(operation, fed)
    ...     print(session.run(v))
    [3. 4.]
    """
    values = []
    for name, value in var_names_to_values.items():
        variable = get_unique_variable(name)
        values.append((variable, np.reshape(value, variable.shape.as_list())))
    return _assigned(values)


def assign_from_values_fn(var_names_to_values: Mapping[str, np.ndarray]) -> Callable[[Any], Any]:
    """A function of a session that gives variables values: see `assign_from_values`."""
    operation, fed = assign_from_values(var_names_to_values)
    return lambda session: session.run(operation, fed)
