"""`tensorflow.python.ops.variables`, `.variable_scope`, `device_spec`: names of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.device import DeviceSpec
from hybridflow._src.variables.scope import variable_scope
from hybridflow._src.variables.variable import Variable

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

__all__ = ["DeviceSpecV1", "VariableV1", "_pure_variable_scope", "variable"]

DeviceSpecV1 = DeviceSpec
VariableV1 = Variable


def variable(
    initial_value: Any = None,
    trainable: bool | None = None,
    collections: Any = None,
    validate_shape: bool = True,
    caching_device: Any = None,
    name: str | None = None,
    dtype: Any = None,
    use_resource: bool | None = None,
    constraint: Any = None,
    synchronization: Any = None,
    aggregation: Any = None,
    shape: Any = None,
) -> Variable:
    """A new variable: `tf.Variable`, with its arguments in another order."""
    return Variable(
        initial_value,
        trainable=True if trainable is None else trainable,
        collections=collections,
        validate_shape=validate_shape,
        caching_device=caching_device,
        name=name,
        dtype=dtype,
        use_resource=use_resource,
        constraint=constraint,
        synchronization=synchronization,
        aggregation=aggregation,
        shape=shape,
    )


def _pure_variable_scope(
    name_or_scope: Any,
    reuse: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    caching_device: Any = None,
    partitioner: Any = None,
    custom_getter: Any = None,
    old_name_scope: str | None = None,
    dtype: Any = None,
    use_resource: bool | None = None,
    constraint: Any = None,
) -> AbstractContextManager[Any]:
    """A variable scope that names no ops."""
    return variable_scope(
        name_or_scope,
        initializer=initializer,
        regularizer=regularizer,
        caching_device=caching_device,
        partitioner=partitioner,
        custom_getter=custom_getter,
        reuse=reuse,
        dtype=dtype,
        use_resource=use_resource,
        constraint=constraint,
        auxiliary_name_scope=False,
    )
