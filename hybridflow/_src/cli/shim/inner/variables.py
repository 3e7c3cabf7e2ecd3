"""`tensorflow.python.ops.variables`, `.variable_scope`, `device_spec`: names of their own."""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework.device import DeviceSpec
from hybridflow._src.variables.variable import Variable

__all__ = ["DeviceSpecV1", "VariableV1", "variable"]

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
