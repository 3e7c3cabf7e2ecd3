"""`raw_rnn`: a cell in a loop that a function of the program's own leads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import nest
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.ops.arrays.selecting import where
from hybridflow._src.ops.arrays.shape_ops import shape
from hybridflow._src.ops.data_flow.flows import tensor_of
from hybridflow._src.ops.data_flow.tensor_array import TensorArray
from hybridflow._src.ops.math.comparison import logical_not, logical_or
from hybridflow._src.ops.math.reductions import reduce_all
from hybridflow._src.recurrent import steps
from hybridflow._src.recurrent.cell import check_cell, zeros_of
from hybridflow._src.recurrent.emitting import emitting_loop
from hybridflow._src.variables.scope import variable_scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["raw_rnn"]


def raw_rnn(
    cell: Any,
    loop_fn: Callable[..., Any],
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    scope: Any = None,
) -> Any:
    """A cell in a loop whose inputs, ends, states and outputs a function tells.

    `loop_fn(time, cell_output, cell_state, loop_state)` gives `(elements_finished, next_input,
    next_cell_state, emit_output, next_loop_state)`. It is called once before the loop, with time 0
    and None for the rest: its `emit_output` then tells by tensors of single elements what is going
    to be emitted (None: what the cell puts out), and its `next_loop_state` what is carried along
    (None: nothing). After each step it is called with the next time.

    Args:
      cell: an `RNNCell`.
      loop_fn: the function. `elements_finished` is a bool vector `[batch]`: for those that have
        finished zeros are emitted and the state stays. The loop ends when all have.
      parallel_iterations, swap_memory: accepted for compatibility.
      scope: variable scope; "rnn" by default.

    Returns: a `TensorArray` of what was emitted by time (in the structure of `emit_output`), the
      final state, and the last loop state (None if there is none).

    Raises:
      TypeError: if `cell` is none, or `loop_fn` cannot be called. ValueError: if structures change.

    >>> import hybridflow as hf
    >>> def led(time, output, state, loop_state):
    ...     state = hf.zeros([1, 2]) if state is None else state
    ...     return hf.fill([1], time >= 3), hf.ones([1, 2]), state, output, None
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     emitted, state, _ = hf.nn.raw_rnn(hf.nn.rnn_cell.GRUCell(2), led)
    ...     print(emitted.stack().shape)
    (3, 1, 2)
    """
    check_cell(cell, "cell")
    if not callable(loop_fn):
        raise TypeError("loop_fn must be a callable")
    with variable_scope(scope or "rnn"):
        return _Led(cell, loop_fn).run()


class _Led:
    """The loop, after the first call of the function."""

    def __init__(self, cell: Any, loop_fn: Callable[..., Any]) -> None:
        self._cell, self._loop_fn = cell, loop_fn
        finished, given, state, emit, loop_state = loop_fn(convert_to_tensor(0), None, None, None)
        self._has_loop_state = loop_state is not None
        loop_state = loop_state if self._has_loop_state else convert_to_tensor(0)
        given = nest.map_structure(convert_to_tensor, given)
        nest.assert_same_structure(state, cell.state_size)
        state = nest.map_structure(tensor_of, state)
        # All that is carried from turn to turn.
        self._first = [convert_to_tensor(0), convert_to_tensor(finished), given, state, loop_state]
        flat = nest.flatten(given)
        batch_size = steps.size_along(flat, 0)
        if emit is None:
            dtype = nest.flatten(state)[0].dtype.base_dtype
            self._zero = nest.map_structure(
                lambda size: zeros_of(batch_size, size, dtype), cell.output_size
            )
        else:
            self._zero = nest.map_structure(
                lambda t: zeros_of(batch_size, _size_of(t), t.dtype.base_dtype),
                nest.map_structure(convert_to_tensor, emit),
            )

    def _turn(
        self, time: Any, finished: Any, given: Any, state: Any, loop_state: Any
    ) -> tuple[list[Any], Any]:
        """One step: what is carried on, and what is emitted."""
        output, cell_state = self._cell(given, state)
        nest.assert_same_structure(state, cell_state)
        nest.assert_same_structure(self._cell.output_size, output)
        next_time = time + 1
        next_finished, next_given, next_state, emit, next_loop_state = self._loop_fn(
            next_time, output, cell_state, loop_state
        )
        nest.assert_same_structure(state, next_state)
        nest.assert_same_structure(given, next_given)
        nest.assert_same_structure(self._zero, emit)

        def kept(old: Any, new: Any) -> Any:
            return new if isinstance(old, TensorArray) else where(finished, old, new)

        emit = nest.map_structure(kept, self._zero, emit)
        next_state = nest.map_structure(kept, state, next_state)
        carried = [
            next_time,
            logical_or(finished, next_finished),
            next_given,
            next_state,
            loop_state if next_loop_state is None else next_loop_state,
        ]
        return carried, emit

    def run(self) -> tuple[Any, Any, Any]:
        """Emitted arrays, final state, last loop state."""
        final, arrays = emitting_loop(
            lambda time, finished, *_: logical_not(reduce_all(finished)),
            self._turn,
            self._first,
            self._zero,
        )
        return arrays, final[3], final[4] if self._has_loop_state else None


def _size_of(element: Tensor) -> Any:
    return element.shape if element.shape.is_fully_defined() else shape(element)
