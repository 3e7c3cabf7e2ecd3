"""An optimizer's eager step as one plan: traced once for each set of variables, then run.

What it traces is what the optimizer does in a graph, on the same eager variables; so it becomes one
native call like the step of a graph.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import nest
from hybridflow._src.framework.eager_tensor import EagerTensor
from hybridflow._src.framework.graph_inputs import add_input
from hybridflow._src.framework.indexed_slices import IndexedSlices
from hybridflow._src.framework.locks import holding
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.kernels.jobs import is_deterministic
from hybridflow._src.plan.planning import Kernels, build
from hybridflow._src.runtime.func_graph import FuncGraph
from hybridflow._src.variables.constraints.base import Projection
from hybridflow._src.variables.variable import Variable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.train.optimizer import Optimizer

# Sets of variables, and shapes of gradients, for which an optimizer keeps steps.
_MOST_STEPS = 64


class EagerSteps:
    """The steps of one optimizer.

    A step is traced when it is taken a second time. What must run as Python each time is never
    traced: optimizers and constraints of users, and hyperparameters that are functions.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        ours = type(optimizer).__module__.startswith("hybridflow.")
        # What is taken once as Python and then as a plan differs in last bits.
        self._known = ours and not is_deterministic()
        self._steps: dict[Any, _Step | None] = {}
        self._latest: _Step | None = None

    def again(self, pairs: Any, global_step: Any) -> bool:
        """Takes the step that was taken last, if its program can take these gradients.

        Returns: whether it did.
        """
        step = self._latest
        if step is None or (pairs.__class__ is not list and pairs.__class__ is not tuple):
            return False
        if not step.traced or global_step is not step.global_step:
            return False
        variables = step.variables
        if len(pairs) != len(variables):
            return False
        arrays = []
        for (grad, variable), known in zip(pairs, variables, strict=True):
            if variable is not known() or grad.__class__ is not EagerTensor:
                return False
            arrays.append(grad._a)
        return step.plan.quick(arrays) is not None

    def _drop(self, key: Any) -> None:
        """Forgets a step of which a variable is gone; another may get its identity."""
        self._steps.pop(key, None)
        self._latest = None

    def find(
        self, optimizer: Optimizer, pairs: Sequence[tuple[Any, Any]], global_step: Any
    ) -> _Step | None:
        """The step for these gradients and variables, if it has been traced."""
        key = (id(global_step), *[_key_of(grad, variable) for grad, variable in pairs])
        if key not in self._steps:
            if self._known and len(self._steps) < _MOST_STEPS and None not in key:
                self._steps[key] = _Step(
                    [variable for _, variable in pairs], global_step, lambda _: self._drop(key)
                )
            return None
        step = self._steps[key]
        # An interrupt may have come while a variable went, of which this one has the identity now.
        if step is not None and not step.is_of(pairs):
            self._drop(key)
            return None
        if step is None or (not step.traced and not _can_be_traced(optimizer, pairs)):
            self._steps[key] = None
            return None
        self._latest = step if step.traced else None
        return step


def _key_of(grad: Any, variable: Any) -> Any:
    """What a step depends on; None for what no step is made for."""
    if grad.__class__ is EagerTensor:
        return id(variable), grad._a.shape, grad._dtype
    if isinstance(grad, IndexedSlices):
        values, indices = grad.values, grad.indices
        if values.__class__ is EagerTensor and indices.__class__ is EagerTensor:
            return id(variable), values._a.shape, indices._a.shape, values._dtype, indices._dtype
    return None


def _can_be_traced(optimizer: Optimizer, pairs: Sequence[tuple[Any, Any]]) -> bool:
    for value in vars(optimizer).values():
        if callable(value) and not isinstance(value, Tensor | Variable):
            return False
    return all(v.constraint is None or isinstance(v.constraint, Projection) for _, v in pairs)


class _Step:
    """One step: a plan fed with gradients, and with the tensors and variables that it captured."""

    def __init__(self, variables: list[Any], global_step: Any, gone: Callable[[Any], None]) -> None:
        # Weakly: an optimizer keeps no variable alive.
        self.variables = [weakref.ref(variable, gone) for variable in variables]
        self.global_step = global_step
        self.traced = False
        self.plan: Any = None

    def is_of(self, pairs: Sequence[tuple[Any, Any]]) -> bool:
        """Whether it is for these variables."""
        return all(v is known() for (_, v), known in zip(pairs, self.variables, strict=True))

    def run(self, grads: Sequence[Any], apply: Callable[..., Any]) -> None:
        """Updates the variables; `apply` does so in a graph, for (gradient, variable) pairs."""
        if not self.traced:
            self._trace(grads, apply)
        arrays = [t._a for t in nest.flatten([_tensors(grad) for grad in grads])]
        # In eager mode an update and its constraint are one step for other threads.
        holding(self._guard.lock, self.plan.run, [*arrays, *self._captured])

    def _trace(self, grads: Sequence[Any], apply: Callable[..., Any]) -> None:
        graph = FuncGraph()
        inputs: list[Tensor] = []

        def placeholder(tensor: Any) -> Tensor:
            inputs.append(add_input(graph, tensor, tensor._dims, "gradient"))
            return inputs[-1]

        with graph.as_default():
            inside: list[Any] = []
            for grad in grads:
                if isinstance(grad, IndexedSlices):
                    values, indices = placeholder(grad.values), placeholder(grad.indices)
                    inside.append(IndexedSlices(values, indices, grad.dense_shape))
                else:
                    inside.append(placeholder(grad))
            variables: list[Any] = [variable() for variable in self.variables]
            apply(list(zip(inside, variables, strict=True)), self.global_step, None)
        self._guard = variables[0].handle._a.guard
        feeds = [*inputs, *graph.captures.values()]
        self._captured = [tensor._a for tensor in graph.captures]
        # What is captured must live as long as the plan.
        self._keep = list(graph.captures)
        self.plan = build([], graph.effects, feeds, Kernels())
        self.traced = True


def _tensors(grad: Any) -> list[Any]:
    return [grad.values, grad.indices] if isinstance(grad, IndexedSlices) else [grad]
