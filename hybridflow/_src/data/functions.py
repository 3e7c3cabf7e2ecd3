"""Functions of elements: traced once into a graph, and run as plans for each element."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.data.element import Element, tensors_of
from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.eager_tensor import EagerTensor
from hybridflow._src.framework.errors import OpError, OutOfRangeError
from hybridflow._src.framework.function_attr import FunctionAttr
from hybridflow._src.framework.late import late
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.plan.planning import Kernels
from hybridflow._src.plan.pruning import prune
from hybridflow._src.runtime.func_graph import FuncGraph
from hybridflow._src.runtime.graph_function import GraphFunction
from hybridflow._src.variables.scope_state import get_variable_scope

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.framework.tensor import Tensor


class ElementGraph(FuncGraph):
    """The graph of a function of elements. What it uses from outside becomes inputs: `captures`.

    Outside is eager mode, or the graph in which the dataset is made.
    """

    def __init__(self) -> None:
        super().__init__()
        if context.modes.top.eager:
            return
        outer = get_default_graph()
        if outer.building_function and outer.outer_graph is None:
            # A function inside one that eager code calls: what is eager is captured there.
            self._collections = outer._collections
        else:
            self._collections = {}
        self.outer_graph = outer
        self.extensions = outer.extensions
        self.seed = outer.seed

    def capture(self, tensor: Tensor, user: str) -> Tensor:
        outer = self.outer_graph
        if outer is None:
            return super().capture(tensor, user)
        if isinstance(tensor, EagerTensor) or tensor.op.graph is not outer:
            tensor = outer.capture(tensor, user)
        captures: dict[Any, Tensor] = self.captures
        inside = captures.get(tensor)
        if inside is None:
            with self.control_dependencies(None):
                inside = captures[tensor] = self._input_for(tensor)
        return inside

    def _input_for(self, tensor: Tensor) -> Tensor:
        dtype = tensor.dtype.base_dtype
        if dtype is not dtypes.resource:
            return add_placeholder(self, dtype, tensor.shape, "capture")
        known = tensor.op.attrs
        attrs = {"dtype": dtype, "shape": TensorShape.of(())}
        if "dtype" in known and "shape" in known:
            attrs.update(handle_dtype=known["dtype"], handle_shape=known["shape"])
        return self.add_op(raw.Placeholder, (), attrs, "capture", (dtype,), ((),)).outputs[0]


def add_placeholder(graph: FuncGraph, dtype: Any, shape: TensorShape, name: str) -> Tensor:
    """An input of a function's graph."""
    attrs = {"dtype": dtype, "shape": shape}
    return graph.add_op(raw.Placeholder, (), attrs, name, (dtype,), (shape._dims,)).outputs[0]


class Traced(FunctionAttr):
    """A graph that computes tensors from others, as ops of datasets hold it.

    Args:
      inputs: dtypes and shapes of what it is given.
      build: called with placeholders for these; gives the tensors to compute.

    Attributes:
      captured: tensors from outside that it uses, inputs of the op.
      graph, inputs, outputs: the graph, its placeholders for what it is given, and its results.
      acts: whether a call may depend on those before it, or do what others see.
    """

    def __init__(
        self,
        inputs: Sequence[tuple[Any, TensorShape]],
        build: Callable[..., Sequence[Tensor]],
        graph: ElementGraph | None = None,
    ) -> None:
        # The variables of the function go to the store outside: it must exist by now.
        get_variable_scope()
        self.graph = ElementGraph() if graph is None else graph
        with self.graph.as_default(), context.variable_creation.scope(None):
            self.inputs = [
                add_placeholder(self.graph, dtype, shape, "arg") for dtype, shape in inputs
            ]
            self.outputs = list(build(*self.inputs))
        self.captured: list[Any] = list(self.graph.captures)
        self.args = [*self.inputs, *self.graph.captures.values()]
        self.needed = prune(self.outputs, self.graph.effects, frozenset(self.inputs))
        # Random numbers go on from one element to the next, and begin anew with the dataset.
        self._has_state = any(op.record.kernel is not None and not op.bodies for op in self.needed)
        self.acts = any(op.record.stateful or op.record.effect or op.bodies for op in self.needed)
        self._shared: GraphFunction | None = None

    def bound(self, captured: Sequence[Any]) -> Bound:
        """The function with the values of what it captured."""
        function = self._shared
        if function is None:
            effects = self.graph.effects
            function = GraphFunction(self.graph, self.args, self.outputs, effects, Kernels())
            if not self._has_state:
                self._shared = function
        return Bound(function, captured)


class Bound:
    """A function of elements that runs."""

    __slots__ = ("_captured", "_function", "_texts")

    def __init__(self, function: GraphFunction, captured: Sequence[Any]) -> None:
        self._function = function
        self._captured = captured
        outputs = enumerate(function.outputs)
        self._texts = [i for i, t in outputs if t.dtype.base_dtype is dtypes.string]

    def __call__(self, item: Sequence[Any]) -> list[Any]:
        """What the function gives for an element.

        Raises:
          OpError: of the class that fits what went wrong, with the op that failed.
        """
        results = self._function.run([*item, *self._captured])
        for index in self._texts:
            if results[index].__class__ is bytes:
                results[index] = np.array(results[index], object)
        return results


class ElementFunction(Traced):
    """A function of the elements of a dataset.

    Args:
      function: called with an element: with its components, if it is a tuple.
      elements: the form of the elements.
      take: called with what the function gives; gives the tensors to compute.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        elements: Element,
        take: Callable[[Any], Sequence[Tensor]],
    ) -> None:
        def build(*flat: Tensor) -> Sequence[Tensor]:
            return take(called(function, elements.pack(flat)))

        inputs = list(zip(elements.flat_types, elements.flat_shapes, strict=True))
        super().__init__(inputs, build)


def called(function: Callable[..., Any], element: Any) -> Any:
    """What a program's function gives for an element: the parts of a tuple are its arguments."""
    return function(*element) if type(element) is tuple else function(element)


def structure_of(result: Any) -> Any:
    """What a program's function gave as a structure of tensors: a list stands for a tuple.

    Raises:
      TypeError: if it gave nothing.
    """
    if result is None:
        raise TypeError(
            "Unsupported return value from function passed to Dataset.map(): None. A function "
            "without `return` gives None."
        )
    if isinstance(result, list):
        result = tuple(result)
    return tensors_of(result)


def note_element(error: OpError, number: int, what: str) -> None:
    """Adds to an error for which element of a dataset a function failed, counted from 0."""
    error._message += f"\n(In the function of `{what}`, for element {number}.)"


def is_end(error: OpError) -> bool:
    """Whether an error of a function says that there are no more elements, as in TF."""
    return isinstance(error, OutOfRangeError)


def _of_library(kinds: Sequence[Any], build: Callable[..., Sequence[Tensor]]) -> Traced:
    """A function of a file's library; its arguments are all that it uses."""
    return Traced([(kind, TensorShape.of(None)) for kind in kinds], build)


late.function_attr = _of_library
