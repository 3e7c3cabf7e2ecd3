"""A loop that ends when its condition says so, and keeps what each turn emits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context, nest
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.control_flow.loops import loop_op, while_loop
from hybridflow._src.ops.data_flow.flows import put_together, taken_apart
from hybridflow._src.ops.data_flow.tensor_array import TensorArray

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.tensor import Tensor


def emitting_loop(
    test: Callable[..., Any], turn: Callable[..., Any], first: list[Any], like: Any
) -> tuple[list[Any], Any]:
    """The last values of what is carried from turn to turn, and arrays of what is emitted.

    Args:
      test: function of what is carried that tells whether there is another turn.
      turn: function of what is carried that gives the list of what is carried on, and what is
        emitted.
      first: the first values of what is carried: structures, of which one is the number of the
        turn and stands first.
      like: tensors of the structure, dtypes and shapes of what is emitted.
    """
    arrays = nest.map_structure(_array_like, like)
    run = _run_eagerly if context.modes.top.eager else _run_in_graph
    return run(test, turn, first, arrays)


def _array_like(tensor: Tensor) -> TensorArray:
    """An array of tensors of a dtype and shape."""
    dtype, shape = tensor.dtype.base_dtype, tensor.shape
    return TensorArray(dtype, size=0, dynamic_size=True, element_shape=shape, name="rnn_output")


def _run_eagerly(
    test: Callable[..., Any], turn: Callable[..., Any], first: list[Any], arrays: Any
) -> tuple[list[Any], Any]:
    def body(arrays: Any, *carried: Any) -> list[Any]:
        new, emit = turn(*carried)
        arrays = nest.map_structure(lambda array, e: array.write(carried[0], e), arrays, emit)
        return [arrays, *new]

    arrays, *final = while_loop(lambda arrays, *carried: test(*carried), body, [arrays, *first])
    return final, arrays


def _run_in_graph(
    test: Callable[..., Any], turn: Callable[..., Any], first: list[Any], arrays: Any
) -> tuple[list[Any], Any]:
    # What a turn emits is kept by the loop itself: these arrays are no loop variables.
    initial = [convert_to_tensor(t) for t in taken_apart(first)]
    emitted: list[Tensor] = []

    def step(*flat: Tensor) -> list[Any]:
        new, emit = turn(*put_together(first, flat))
        emitted[:] = [convert_to_tensor(e) for e in nest.flatten(emit)]
        nest.assert_same_structure(first, new)
        return taken_apart(new)

    with name_scope("while") as scope:
        results = loop_op(
            lambda *flat: test(*put_together(first, flat)),
            step,
            initial,
            [t._dims for t in initial],
            scope,
            emitted,
        )
    filled = []
    for array, stack in zip(nest.flatten(arrays), emitted, strict=True):
        (inner,) = [t for t, s in stack.op.bodies[1].saved.items() if s is stack]
        array.learn(inner.shape)
        filled.append(array.with_flow(stack))
    return put_together(first, results), nest.pack_sequence_as(arrays, filled)
