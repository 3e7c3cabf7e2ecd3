"""`tensorflow.compat.v2.Variable`: makes resource variables, and knows all kinds."""

from __future__ import annotations

from typing import Any

from hybridflow._src.variables.resource_variable import ResourceVariable
from hybridflow._src.variables.variable import Variable as AnyVariable

__all__ = ["Variable"]


class _Kind(type):
    """Of a class whose instances are made by another one, and are all that a third one has."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, AnyVariable)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, AnyVariable)

    def __call__(
        cls,
        initial_value: Any = None,
        trainable: bool | None = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: Any = None,
        dtype: Any = None,
        import_scope: str | None = None,
        constraint: Any = None,
        synchronization: Any = None,
        aggregation: Any = None,
        shape: Any = None,
    ) -> ResourceVariable:
        return ResourceVariable(
            initial_value,
            trainable,
            validate_shape=validate_shape,
            caching_device=caching_device,
            name=name,
            variable_def=variable_def,
            dtype=dtype,
            import_scope=import_scope,
            constraint=constraint,
            synchronization=synchronization,
            aggregation=aggregation,
            shape=shape,
        )


class Variable(metaclass=_Kind):
    """`tf.compat.v1.Variable(use_resource=True)`, with the arguments in TensorFlow 2's order."""
