"""What is asked of a variable store; and custom getters, which may ask for something else."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.variables.replication import is_trainable

if TYPE_CHECKING:
    from collections.abc import Callable

    Getter = Callable[..., Any]


_FIELDS = (
    "name",
    "shape",
    "dtype",
    "initializer",
    "regularizer",
    "reuse",
    "trainable",
    "collections",
    "caching_device",
    "partitioner",
    "validate_shape",
    "use_resource",
    "constraint",
)


class Request:
    """The arguments with which custom getters call `getter`, in this order.

    They are those of `get_variable`, with the full name and the defaults of the variable scope
    filled in.
    """

    __slots__ = _FIELDS

    def __init__(
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
    ) -> None:
        self.name = name
        self.shape = shape
        self.dtype = dtypes.as_dtype(dtype).base_dtype
        self.initializer = initializer
        self.regularizer = regularizer
        self.reuse = reuse
        self.trainable = trainable
        self.collections = collections
        self.caching_device = caching_device
        self.partitioner = partitioner
        self.validate_shape = validate_shape
        self.use_resource = use_resource
        self.constraint = constraint

    @property
    def from_value(self) -> bool:
        """Whether the initializer is a value, not a function."""
        return self.initializer is not None and not callable(self.initializer)


_POSITIONAL = len(_FIELDS) - 2  # those between the name and the constraint


def through(custom_getter: Getter, request: Request, get: Callable[[Request], Any]) -> Any:
    """What a custom getter gives for a request; `get` is what its `getter` comes down to.

    A getter that does not know of constraints passes none on: that of the request then holds.

    Raises:
      ValueError: if it is not callable.
    """
    check_getter(custom_getter)

    def getter(
        name: str,
        *args: Any,
        synchronization: Any = None,
        aggregation: Any = None,
        **kwargs: Any,
    ) -> Any:
        if synchronization is not None or aggregation is not None:
            trained = kwargs.get("trainable")
            kwargs["trainable"] = is_trainable(trained, synchronization, aggregation)
        if len(args) <= _POSITIONAL:
            kwargs.setdefault("constraint", request.constraint)
        return get(Request(name, *args, **kwargs))

    return _call(custom_getter, getter, **{k: getattr(request, k) for k in _FIELDS})


def check_getter(custom_getter: Any) -> None:
    """Raises ValueError unless a custom getter is callable."""
    if custom_getter is not None and not callable(custom_getter):
        raise ValueError(f"Passed a custom_getter which is not callable: {custom_getter}")


def nested(inner: Getter, outer: Getter | None) -> Getter:
    """The getter of a scope inside another: `inner` is called, with `outer` as its `getter`."""
    if outer is None:
        return inner

    def custom_getter(getter: Getter, *args: Any, **kwargs: Any) -> Any:
        return _call(inner, functools.partial(_call, outer, getter), *args, **kwargs)

    return custom_getter


def _call(custom_getter: Getter, getter: Getter, *args: Any, **kwargs: Any) -> Any:
    if "constraint" in kwargs and not takes(custom_getter, "constraint"):
        del kwargs["constraint"]
    return custom_getter(getter, *args, **kwargs)


def takes(function: Any, argument: str) -> bool:
    """Tells whether a function can be called with this keyword argument."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):  # a builtin that does not tell
        return True
    kinds = [p.kind for p in parameters.values()]
    return argument in parameters or inspect.Parameter.VAR_KEYWORD in kinds
