"""Bidirectional networks, one upon the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import nest
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.recurrent.dynamic import bidirectional_dynamic_rnn
from hybridflow._src.recurrent.static import static_bidirectional_rnn
from hybridflow._src.variables.scope import variable_scope

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["stack_bidirectional_dynamic_rnn", "stack_bidirectional_rnn"]


def _layers(
    cells_fw: Any,
    cells_bw: Any,
    inputs: Any,
    states_fw: Any,
    states_bw: Any,
    scope: Any,
    layer: Callable[..., tuple[Any, Any, Any]],
) -> tuple[Any, tuple[Any, ...], tuple[Any, ...]]:
    """What the last layer gives, and the states of all.

    Args:
      layer: function of two cells, inputs, two states and a scope that gives outputs and states.
    """
    for what, cells in (("fw", cells_fw), ("bw", cells_bw)):
        if not cells:
            raise ValueError(f"Must specify at least one {what} cell for BidirectionalRNN.")
        if not isinstance(cells, list):
            raise ValueError(f"cells_{what} must be a list of RNNCells (one per layer).")
    if len(cells_fw) != len(cells_bw):
        raise ValueError("Forward and Backward cells must have the same depth.")
    for what, states in (("fw", states_fw), ("bw", states_bw)):
        if states is not None and (not isinstance(states, list) or len(states) != len(cells_fw)):
            raise ValueError(
                f"initial_states_{what} must be a list of state tensors (one per layer)."
            )
    firsts_fw = states_fw or [None] * len(cells_fw)
    firsts_bw = states_bw or [None] * len(cells_bw)
    found: list[tuple[Any, Any]] = []
    with variable_scope(scope or "stack_bidirectional_rnn"):
        rows = zip(cells_fw, cells_bw, firsts_fw, firsts_bw, strict=True)
        for index, (cell_fw, cell_bw, first_fw, first_bw) in enumerate(rows):
            with variable_scope(f"cell_{index}") as opened:
                inputs, *states = layer(cell_fw, cell_bw, inputs, first_fw, first_bw, opened)
            found.append((states[0], states[1]))
    forth, back = zip(*found, strict=True)
    return inputs, forth, back


def stack_bidirectional_rnn(
    cells_fw: Any,
    cells_bw: Any,
    inputs: Any,
    initial_states_fw: Any = None,
    initial_states_bw: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    scope: Any = None,
) -> Any:
    """Layers of `hf.nn.static_bidirectional_rnn`: the outputs of each are the inputs of the next.

    Args:
      cells_fw, cells_bw: lists of cells, one a layer and direction.
      inputs, dtype, sequence_length: as for `hf.nn.static_rnn`.
      initial_states_fw, initial_states_bw: lists of states, one a layer.
      scope: variable scope; "stack_bidirectional_rnn" by default, with "cell_0" and so on in it.

    Returns: the list of outputs, and the tuples of final states forth and back.

    Raises:
      ValueError: if the lists are no lists, are empty or of different lengths.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     forth, back = ([hf.nn.rnn_cell.GRUCell(3) for _ in range(2)] for _ in range(2))
    ...     outputs, _, _ = hf.contrib.rnn.stack_bidirectional_rnn(
    ...         forth, back, [hf.ones([2, 4])] * 5, dtype=hf.float32)
    ...     print(len(outputs), outputs[0].shape)
    5 (2, 6)
    """

    def layer(
        cell_fw: Any, cell_bw: Any, given: Any, first_fw: Any, first_bw: Any, opened: Any
    ) -> Any:
        return static_bidirectional_rnn(
            cell_fw, cell_bw, given, first_fw, first_bw, dtype, sequence_length, opened
        )

    return _layers(cells_fw, cells_bw, inputs, initial_states_fw, initial_states_bw, scope, layer)


def stack_bidirectional_dynamic_rnn(
    cells_fw: Any,
    cells_bw: Any,
    inputs: Any,
    initial_states_fw: Any = None,
    initial_states_bw: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    parallel_iterations: int | None = None,
    time_major: bool = False,
    scope: Any = None,
) -> Any:
    """Layers of `hf.nn.bidirectional_dynamic_rnn`: the outputs of each are the inputs of the next.

    Args:
      cells_fw, cells_bw: lists of cells, one a layer and direction.
      inputs, dtype, sequence_length, time_major: as for `hf.nn.dynamic_rnn`.
      initial_states_fw, initial_states_bw: lists of states, one a layer.
      parallel_iterations: accepted for compatibility.
      scope: variable scope; "stack_bidirectional_rnn" by default, with "cell_0" and so on in it.

    Returns: the outputs, those of both directions joined along the last axis, and the tuples of
      final states forth and back.

    Raises:
      ValueError: if the lists are no lists, are empty or of different lengths.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     forth, back = ([hf.nn.rnn_cell.GRUCell(3) for _ in range(2)] for _ in range(2))
    ...     outputs, _, _ = hf.contrib.rnn.stack_bidirectional_dynamic_rnn(
    ...         forth, back, hf.ones([2, 5, 4]), dtype=hf.float32)
    ...     print(outputs.shape)
    (2, 5, 6)
    """

    def layer(
        cell_fw: Any, cell_bw: Any, given: Any, first_fw: Any, first_bw: Any, opened: Any
    ) -> Any:
        pair, (state_fw, state_bw) = bidirectional_dynamic_rnn(
            cell_fw,
            cell_bw,
            given,
            sequence_length,
            first_fw,
            first_bw,
            dtype,
            time_major=time_major,
        )
        return nest.map_structure(lambda x, y: concat([x, y], 2), *pair), state_fw, state_bw

    return _layers(cells_fw, cells_bw, inputs, initial_states_fw, initial_states_bw, scope, layer)
