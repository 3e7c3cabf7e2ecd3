"""Conditionals, loops and scopes with the arguments that they have in TensorFlow 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.autodiff import hessians as _hessians
from hybridflow._src.framework import nest
from hybridflow._src.ops.arrays.arranging import reverse as reversed_along
from hybridflow._src.ops.control_flow import conditional, functional, loops, ordering
from hybridflow._src.runtime import function as functions

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["cond", "function", "hessians", "scan", "tuple", "while_loop"]


def cond(pred: Any, true_fn: Any = None, false_fn: Any = None, name: str | None = None) -> Any:
    """What one of two functions gives."""
    return conditional.cond(pred, true_fn, false_fn, name=name)


def function(
    func: Callable[..., Any] | None = None,
    input_signature: Any = None,
    autograph: bool = True,
    experimental_autograph_options: Any = None,
    experimental_relax_shapes: bool = False,
    experimental_compile: bool | None = None,
) -> Any:
    """A function that is traced once per signature of its arguments.

    Its Python is traced as it stands: conditions on tensors are `tf.cond`, whatever `autograph`
    says. The other options are without effect.
    """
    return functions.function(func, input_signature)


def hessians(
    ys: Any,
    xs: Any,
    gate_gradients: bool = False,
    aggregation_method: int | None = None,
    name: str = "hessians",
) -> list[Any]:
    """Matrices of second derivatives."""
    return _hessians.hessians(
        ys, xs, name, gate_gradients=gate_gradients, aggregation_method=aggregation_method
    )


def scan(
    fn: Callable[..., Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    reverse: bool = False,
    name: str | None = None,
) -> Any:
    """All the accumulators of a fold, stacked; with `reverse`, of one that begins at the end."""

    def turned(structure: Any) -> Any:
        if not reverse:
            return structure
        return nest.map_structure(lambda part: reversed_along(part, [0]), structure)

    rest = parallel_iterations, back_prop, swap_memory, infer_shape, name
    return turned(functional.scan(fn, turned(elems), initializer, *rest))


def tuple(tensors: Any, control_inputs: Any = None, name: str | None = None) -> list[Any]:
    """Tensors that are there once all of them are."""
    return ordering.tuple(tensors, name, control_inputs)


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    maximum_iterations: Any = None,
    name: str | None = None,
) -> Any:
    """Repeats `body` while `cond` is true: the final loop variables, in their structure.

    One loop variable is a sequence of one too, where TensorFlow 1 gives it alone.
    """
    found = loops.while_loop(
        cond,
        body,
        loop_vars,
        shape_invariants,
        parallel_iterations,
        back_prop,
        swap_memory,
        name,
        maximum_iterations,
    )
    if len(loop_vars) != 1:
        return found
    return nest.pack_sequence_as(loop_vars, nest.flatten(found))
