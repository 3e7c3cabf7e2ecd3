"""`get_variable` and its kin."""

from __future__ import annotations

import warnings
from typing import Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.graph_keys import GraphKeys
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.variables.replication import is_trainable
from hybridflow._src.variables.request import Request
from hybridflow._src.variables.scope import variable_scope
from hybridflow._src.variables.scope_state import current

__all__ = ["create_partitioned_variables", "get_local_variable", "get_variable"]


def get_variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool | None = True,
    collections: Any = None,
    caching_device: Any = None,
    partitioner: Any = None,
    validate_shape: bool = True,
    use_resource: bool | None = None,
    custom_getter: Any = None,
    constraint: Any = None,
    synchronization: Any = None,
    aggregation: Any = None,
) -> Any:
    """Gets the variable of this name in the current variable scope, or makes it.

    What is not given comes from the scope. In eager mode a variable that exists is always returned:
    the same object each time.

    Args:
      name: name of the variable within the scope.
      shape: its shape; not given where `initializer` is a tensor, array or number.
      dtype: its dtype (float32 by default).
      initializer: an `Initializer`, a function of shape and dtype, or a value;
        `glorot_uniform_initializer()` by default for floating dtypes, zeros for integers and bools.
      regularizer: function from the variable to a loss, which is added once to
        `GraphKeys.REGULARIZATION_LOSSES`; in eager mode it is computed anew whenever that
        collection is read.
      trainable: adds it to `GraphKeys.TRAINABLE_VARIABLES`.
      collections: keys of the collections it joins; `[GraphKeys.GLOBAL_VARIABLES]` by default.
      caching_device: a device (or device function) where a copy is kept for readers. Without effect
        in eager mode.
      partitioner: function of shape and dtype that gives the number of parts along each axis.
      validate_shape: if False, the shape of the initial value may be unknown.
      use_resource: whether to make a `ResourceVariable`. In eager mode always.
      custom_getter: called as `custom_getter(getter, name=..., ...)` in place of the usual way,
        which is `getter(name, ...)`.
      constraint: projection applied by optimizers after an update.
      synchronization, aggregation: a `VariableSynchronization`, a `VariableAggregation`.

    Returns: a `Variable`, a `PartitionedVariable`, or whatever the custom getter returns.

    Raises:
      ValueError: if it exists and may not be reused, does not exist and may not be made, or differs
        in shape, dtype or partitioning from what is asked for. TypeError: for arguments of the
        wrong type.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.variable_scope("foo"):
    ...     with hf.variable_scope("bar"):
    ...         print(hf.get_variable("v", [1]).name)
    foo/bar/v:0
    """
    trainable = is_trainable(trainable, synchronization, aggregation)
    state = current()
    return state.scopes.top.get_variable(
        state.store,
        name,
        shape,
        dtype,
        initializer,
        regularizer,
        None,
        trainable,
        collections,
        caching_device,
        partitioner,
        validate_shape,
        use_resource,
        custom_getter,
        constraint,
    )


def get_local_variable(*args: Any, **kwargs: Any) -> Any:
    """`get_variable` for a variable that is not trained and joins `GraphKeys.LOCAL_VARIABLES`.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     v = hf.get_local_variable("v", [1])
    ...     print(hf.local_variables() == [v], hf.global_variables(), v.trainable)
    True [] False
    """
    kwargs["trainable"] = False
    kwargs["collections"] = [*(kwargs.get("collections") or ()), GraphKeys.LOCAL_VARIABLES]
    return get_variable(*args, **kwargs)


def create_partitioned_variables(
    shape: Any,
    slicing: Any,
    initializer: Any,
    dtype: Any = dtypes.float32,
    trainable: bool = True,
    collections: Any = None,
    name: str | None = None,
    reuse: Any = None,
) -> list[Any]:
    """Deprecated: the parts of a partitioned variable; use `get_variable` with a partitioner.

    Args:
      shape: shape of the whole.
      slicing: the number of parts along each axis, of which one may be above 1.
      initializer: as for `get_variable`.
      dtype: dtype of the parts.
      trainable, collections: as for `get_variable`.
      name: name of the whole; "PartitionedVariable", made unique, by default.
      reuse: as for `variable_scope`.

    Raises:
      ValueError: if `slicing` does not fit `shape`, or a custom getter is set.
    """
    warnings.warn(
        "create_partitioned_variables is deprecated. Use tf.get_variable with a partitioner set.",
        DeprecationWarning,
        stacklevel=2,
    )
    if len(shape) != len(slicing):
        raise ValueError(
            "The 'shape' and 'slicing' of a partitioned Variable must have the length: shape: "
            f"{shape}, slicing: {slicing}"
        )
    if len(shape) < 1:
        raise ValueError(f"A partitioned Variable must have rank at least 1: shape: {shape}")
    with variable_scope(name, "PartitionedVariable", reuse=reuse) as scope, name_scope(None):
        if scope.custom_getter is not None:
            raise ValueError(
                "create_partitioned_variables is not allowed when a custom getter is set. Current "
                f"custom getter: {scope.custom_getter}. Use get_variable with a partitioner."
            )
        request = Request(
            scope.name,
            shape,
            dtype,
            scope.initializer if initializer is None else initializer,
            scope.regularizer,
            scope.reuse,
            trainable,
            collections,
            scope.caching_device,
            lambda **_: slicing,
            use_resource=scope.use_resource,
            constraint=scope.constraint,
        )
        return list(current().store.get(request))
