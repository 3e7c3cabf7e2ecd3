"""The executions that one test body runs in: eagerly, as a graph, and as a traced function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import hybridflow as hf
from hybridflow._src.framework import nest

EXECUTIONS = ("eager", "graph", "function")


class Execution:
    """Runs a function of tensors and gives the values of what it returns."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, function: Callable[..., Any], *arrays: Any) -> Any:
        if self.name == "graph":
            return self._as_graph(function, arrays)
        with hf.eager_mode(), hf.EagerVariableStore().as_default():
            called = hf.function(function) if self.name == "function" else function
            result = called(*[hf.constant(a) for a in arrays])
            return nest.map_structure(self._value, result)

    @staticmethod
    def _as_graph(function: Callable[..., Any], arrays: tuple[Any, ...]) -> Any:
        with hf.Graph().as_default(), hf.Session() as session:
            values = [np.asarray(hf_value(a)) for a in arrays]
            feeds = [hf.placeholder(v.dtype.name, v.shape) for v in values]
            result = function(*feeds)
            session.run(hf.global_variables_initializer())
            leaves = nest.flatten(result)
            present = [t for t in leaves if t is not None]
            fetched = iter(session.run(present, dict(zip(feeds, values, strict=True))))
            return nest.pack_sequence_as(
                result, [None if t is None else next(fetched) for t in leaves]
            )

    @staticmethod
    def _value(tensor: Any) -> Any:
        return tensor.numpy() if hasattr(tensor, "numpy") else tensor

    def gradient(self, ys: Callable[..., Any], *arrays: Any) -> Any:
        """The gradients of `ys(*tensors)` with respect to the tensors."""
        return self(lambda *xs: gradient_of(ys, xs), *arrays)


def hf_value(value: Any) -> np.ndarray:
    """The array that `hf.constant` makes of a value."""
    with hf.eager_mode():
        return hf.constant(value).numpy()


def gradient_of(function: Callable[..., Any], xs: Any) -> list[Any]:
    """The gradients of the sum of `function(*xs)`, by the means of the current mode."""
    if not hf.executing_eagerly():
        grads = hf.gradients(function(*xs), list(xs))
    else:
        with hf.GradientTape() as tape:
            tape.watch(list(xs))
            y = function(*xs)
        grads = tape.gradient(y, list(xs))
    return [None if g is None else hf.convert_to_tensor(g) for g in grads]
