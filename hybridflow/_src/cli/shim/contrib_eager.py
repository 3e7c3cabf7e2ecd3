"""`tf.contrib.eager`: names that have moved, and gradients of functions."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

from hybridflow._src.autodiff.custom_gradient import custom_gradient
from hybridflow._src.autodiff.eager_functions import py_function as py_func
from hybridflow._src.autodiff.tape import GradientTape
from hybridflow._src.framework.context import (
    DEVICE_POLICIES,
    EXECUTION_MODES,
    executing_eagerly,
    in_eager_mode,
    in_graph_mode,
)
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.default_graph import enable_eager_execution
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops.arrays.reshaping import identity
from hybridflow._src.runtime.function import function as defun
from hybridflow._src.variables.eager_store import EagerVariableStore
from hybridflow._src.variables.resource_variable import ResourceVariable as Variable

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "ASYNC",
    "DEVICE_PLACEMENT_EXPLICIT",
    "DEVICE_PLACEMENT_SILENT",
    "DEVICE_PLACEMENT_SILENT_FOR_INT32",
    "DEVICE_PLACEMENT_WARN",
    "SYNC",
    "EagerVariableStore",
    "GradientTape",
    "Variable",
    "custom_gradient",
    "defun",
    "enable_eager_execution",
    "executing_eagerly",
    "gradients_function",
    "implicit_gradients",
    "implicit_value_and_gradients",
    "in_eager_mode",
    "in_graph_mode",
    "list_devices",
    "num_gpus",
    "py_func",
    "value_and_gradients_function",
]

DEVICE_PLACEMENT_EXPLICIT = DEVICE_POLICIES["DEVICE_PLACEMENT_EXPLICIT"]
DEVICE_PLACEMENT_WARN = DEVICE_POLICIES["DEVICE_PLACEMENT_WARN"]
DEVICE_PLACEMENT_SILENT = DEVICE_POLICIES["DEVICE_PLACEMENT_SILENT"]
DEVICE_PLACEMENT_SILENT_FOR_INT32 = DEVICE_POLICIES["DEVICE_PLACEMENT_SILENT_FOR_INT32"]
SYNC = EXECUTION_MODES["SYNC"]
ASYNC = EXECUTION_MODES["ASYNC"]


def num_gpus() -> int:
    """The number of GPUs that ops can run on: none."""
    return 0


_NOTHING = (
    "Cannot differentiate a function that returns None; did you forget to return a value from "
    "{function}?"
)


def list_devices() -> list[str]:
    """The names of all devices."""
    return ["/job:localhost/replica:0/task:0/device:CPU:0"]


def implicit_value_and_gradients(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function that gives `f`'s value, and (gradient, variable) for each variable it uses.

    Raises:
      ValueError: when called, if `f` gives None or uses no trainable variable.
    """

    @functools.wraps(f)
    def value_and_gradients(*args: Any, **kwargs: Any) -> Any:
        with GradientTape() as tape:
            value = f(*args, **kwargs)
        if value is None:
            raise ValueError(_NOTHING.format(function=getattr(f, "__name__", f)))
        variables = tape.watched_variables()
        if not variables:
            raise ValueError("No trainable variables were accessed while the function ran.")
        return value, list(zip(tape.gradient(value, variables), variables, strict=True))

    return value_and_gradients


def implicit_gradients(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function that gives (gradient, variable) for each variable that `f` uses."""
    both = implicit_value_and_gradients(f)

    @functools.wraps(f)
    def gradients(*args: Any, **kwargs: Any) -> Any:
        return both(*args, **kwargs)[1]

    return gradients


def value_and_gradients_function(f: Callable[..., Any], params: Any = None) -> Callable[..., Any]:
    """A function that gives `f`'s value, and its gradients with respect to arguments.

    It takes the arguments of `f`, and as `dy` the gradient of the value, ones by default.

    Args:
      f: a function of tensors.
      params: positions or names of the arguments; all of them by default.

    Raises:
      ValueError: if an argument is named that `f` does not have, and when called, if `f` gives
        None.
    """
    names = list(inspect.signature(f).parameters)
    if isinstance(params, (str, int)):
        params = [params]
    for param in params or ():
        if isinstance(param, str) and param not in names:
            raise ValueError(f"{f!r:.200} has no argument {param!r}; it has {names}.")

    @functools.wraps(f)
    def value_and_gradients(*args: Any, dy: Any = None) -> Any:
        wanted = range(len(args)) if params is None else params
        numbers = [names.index(p) if isinstance(p, str) else p for p in wanted]
        positions = [range(len(args))[number] for number in numbers]
        tensors: list[Any] = []
        for position, value in enumerate(args):
            # What has no gradient stays as it is, such as a list of strides.
            tensor = convert_to_tensor(value) if position in positions else value
            # One that is given twice has two gradients.
            again = isinstance(tensor, Tensor) and any(tensor is other for other in tensors)
            tensors.append(identity(tensor) if again else tensor)
        sources = [tensors[position] for position in positions]
        with GradientTape() as tape:
            tape.watch(sources)
            value = f(*tensors)
        if value is None:
            raise ValueError(_NOTHING.format(function=getattr(f, "__name__", f)))
        return value, tape.gradient(value, sources, output_gradients=dy)

    return value_and_gradients


def gradients_function(f: Callable[..., Any], params: Any = None) -> Callable[..., Any]:
    """`value_and_gradients_function` without the value."""
    both = value_and_gradients_function(f, params)

    @functools.wraps(f)
    def gradients(*args: Any, dy: Any = None) -> Any:
        return both(*args, dy=dy)[1]

    return gradients
