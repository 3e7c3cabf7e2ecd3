"""`contrib.framework`'s ways to make variables, by the collections that they join."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.device import DeviceSpec
from hybridflow._src.framework.graph_keys import GraphKeys
from hybridflow._src.framework.scopes import device as device_scope
from hybridflow._src.variables.getting import get_variable
from hybridflow._src.variables.resource_variable import ResourceVariable
from hybridflow._src.variables.scope_state import get_variable_scope
from hybridflow._src.variables.variable import Variable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "VariableDeviceChooser",
    "global_variable",
    "local_variable",
    "model_variable",
    "variable",
]


def local_variable(
    initial_value: Any,
    validate_shape: bool = True,
    name: str | None = None,
    use_resource: bool | None = None,
) -> Variable:
    """A new variable among the local ones, which is not trained.

    Args:
      initial_value, validate_shape, name: see `hf.Variable`.
      use_resource: whether it is a resource variable; what the variable scope says, if it is None.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     count = hf.contrib.framework.local_variable(0, name="count")
    ...     print([v.name for v in hf.local_variables()], hf.global_variables())
    ['count:0'] []
    """
    return _made(initial_value, GraphKeys.LOCAL_VARIABLES, validate_shape, name, use_resource)


def global_variable(
    initial_value: Any,
    validate_shape: bool = True,
    name: str | None = None,
    use_resource: bool | None = None,
) -> Variable:
    """A new variable among the global ones, which is not trained: see `local_variable`."""
    return _made(initial_value, GraphKeys.GLOBAL_VARIABLES, validate_shape, name, use_resource)


def _made(
    initial_value: Any,
    collection: str,
    validate_shape: bool,
    name: str | None,
    use_resource: bool | None,
) -> Variable:
    if use_resource is None:
        use_resource = get_variable_scope().use_resource
    kind = ResourceVariable if use_resource else Variable
    return kind(initial_value, False, [collection], validate_shape, name=name)


def variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = True,
    collections: Iterable[str] | None = None,
    caching_device: Any = None,
    device: Any = None,
    partitioner: Any = None,
    custom_getter: Callable[..., Any] | None = None,
    use_resource: bool | None = None,
) -> Any:
    """`hf.get_variable` on a device.

    Args:
      device: a device, or a function that gives the device of an op.
      custom_getter: called in the place of `hf.get_variable`, with its arguments and `reuse` of the
        variable scope.
      collections: those that it joins, each once; the global variables if it is None.

    The other arguments are those of `hf.get_variable`.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     print(hf.contrib.framework.variable("w", [2], device="/cpu:1").device)
    /device:CPU:1
    """
    getter: Callable[..., Any] = get_variable
    if custom_getter is not None:
        getter = functools.partial(custom_getter, reuse=get_variable_scope().reuse)
    joined = [GraphKeys.GLOBAL_VARIABLES] if collections is None else dict.fromkeys(collections)
    with device_scope(device or ""):
        return getter(
            name,
            shape=shape,
            dtype=dtype,
            initializer=initializer,
            regularizer=regularizer,
            trainable=trainable,
            collections=list(joined),
            caching_device=caching_device,
            partitioner=partitioner,
            use_resource=use_resource,
        )


def model_variable(
    name: str,
    shape: Any = None,
    dtype: Any = dtypes.float32,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = True,
    collections: Iterable[str] | None = None,
    caching_device: Any = None,
    device: Any = None,
    partitioner: Any = None,
    custom_getter: Callable[..., Any] | None = None,
    use_resource: bool | None = None,
) -> Any:
    """`variable`, which joins the global and the model variables too.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     w = hf.contrib.framework.model_variable("w", [2])
    ...     print([v.name for v in hf.contrib.framework.get_model_variables()])
    ['w:0']
    """
    joined = [*(collections or ()), GraphKeys.GLOBAL_VARIABLES, GraphKeys.MODEL_VARIABLES]
    return variable(
        name,
        shape,
        dtype,
        initializer,
        regularizer,
        trainable,
        joined,
        caching_device,
        device,
        partitioner,
        custom_getter,
        use_resource,
    )


class VariableDeviceChooser:
    """A device function, for `hf.device`: variables stand on parameter servers, in turns.

    Args:
      num_tasks: the number of servers; 0 names no job.
      job_name: their job.
      device_type, device_index: their devices.

    >>> import hybridflow as hf
    >>> chooser = hf.contrib.framework.VariableDeviceChooser(num_tasks=2)
    >>> [chooser(None) for _ in range(3)]
    ['/job:ps/task:0/device:CPU:0', '/job:ps/task:1/device:CPU:0', '/job:ps/task:0/device:CPU:0']
    """

    def __init__(
        self,
        num_tasks: int = 0,
        job_name: str = "ps",
        device_type: str = "CPU",
        device_index: int = 0,
    ) -> None:
        self._tasks = num_tasks
        self._job = job_name
        self._kind = device_type
        self._index = device_index
        self._next = 0

    def __call__(self, op: Any) -> str:
        found = DeviceSpec(device_type=self._kind, device_index=self._index)
        if self._tasks:
            found.job, found.task = self._job, self._next
            self._next = (self._next + 1) % self._tasks
        return found.to_string()
