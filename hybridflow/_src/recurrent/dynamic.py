"""`dynamic_rnn` and `bidirectional_dynamic_rnn`: a cell over sequences, in a loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context, nest
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.arrays.arranging import reverse, transpose
from hybridflow._src.ops.arrays.constant import zeros
from hybridflow._src.ops.arrays.gather import gather
from hybridflow._src.ops.arrays.joining import concat, stack
from hybridflow._src.ops.arrays.reshaping import of_rows, reshape
from hybridflow._src.ops.arrays.reversing import reverse_sequence
from hybridflow._src.ops.arrays.sequences import range as range_of
from hybridflow._src.ops.arrays.shape_ops import rank
from hybridflow._src.ops.control_flow.functional import collect
from hybridflow._src.ops.data_flow.flows import put_together, taken_apart
from hybridflow._src.recurrent import steps
from hybridflow._src.recurrent.cell import called, check_cell
from hybridflow._src.variables.scope import variable_scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["bidirectional_dynamic_rnn", "dynamic_rnn"]


def batch_and_time_exchanged(x: Tensor) -> Tensor:
    """`[batch, time, ...]` as `[time, batch, ...]`, and back."""
    if x.shape.ndims is not None and x.shape.ndims < 2:
        raise ValueError(
            f"Expected input tensor {x} to have rank at least 2, but saw shape: {x.shape}"
        )
    if x.shape.ndims is None:
        return transpose(x, concat([[1, 0], range_of(2, rank(x))], 0))
    return transpose(x, [1, 0, *range(2, x.shape.ndims)])


def dynamic_rnn(
    cell: Any,
    inputs: Any,
    sequence_length: Any = None,
    initial_state: Any = None,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    time_major: bool = False,
    scope: Any = None,
) -> Any:
    """A cell called for each time of sequences, with the state that the time before gave.

    Args:
      cell: an `RNNCell`.
      inputs: tensor `[batch, time, ...]`, with `time_major` `[time, batch, ...]`, or a structure of
        them. The number of times may be unknown.
      sequence_length: integer vector `[batch]`: after its end a sequence has outputs of zeros, and
        keeps its state.
      initial_state: the state to begin with, like `cell.state_size`; zeros by default.
      dtype: that of state and outputs, needed without an initial state.
      parallel_iterations, swap_memory: accepted for compatibility.
      time_major: whether time is the first axis of inputs and outputs, which saves transposing.
      scope: variable scope; "rnn" by default.

    Returns: the outputs `[batch, time, ...]` (with `time_major` `[time, batch, ...]`) in the
      structure of `cell.output_size`, and the final state.

    Raises:
      TypeError: if `cell` is none. ValueError: without state and dtype, if the size of an input is
        not known, if sizes differ, or the lengths are no vector.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     cell = hf.nn.rnn_cell.BasicLSTMCell(4)
    ...     outputs, state = hf.nn.dynamic_rnn(
    ...         cell, hf.ones([2, 5, 3]), sequence_length=[5, 2], dtype=hf.float32)
    ...     print(outputs.shape, state.h.shape, float(hf.reduce_sum(hf.abs(outputs[1, 2:]))))
    (2, 5, 4) (2, 4) 0.0
    """
    check_cell(cell, "cell")
    flat = [convert_to_tensor(t) for t in nest.flatten(inputs)]
    for tensor in flat:
        if tensor.shape.ndims is not None and tensor.shape.ndims < 3:
            axes = "[time, batch, depth]" if time_major else "[batch, time, depth]"
            raise ValueError(
                f"The inputs of dynamic_rnn must be {axes}: Shape {tensor.shape} must have rank at "
                "least 3."
            )
    if not time_major:
        flat = [batch_and_time_exchanged(t) for t in flat]
    with variable_scope(scope or "rnn"):
        batch_size = steps.size_along(flat, 1)
        state = steps.first_state(cell, initial_state, batch_size, dtype)
        lengths = None
        if sequence_length is not None:
            lengths = steps.Lengths(sequence_length, batch_size)
        inputs = nest.pack_sequence_as(inputs, flat)
        outputs, final = run_over_time(
            cell, cell.output_size, inputs, state, lengths, batch_size, dtype
        )
        if not time_major:
            outputs = nest.map_structure(batch_and_time_exchanged, outputs)
    return outputs, final


def run_over_time(
    cell: Callable[..., Any],
    output_size: Any,
    inputs: Any,
    state: Any,
    lengths: steps.Lengths | None,
    batch_size: Any,
    dtype: Any,
) -> tuple[Any, Any]:
    """Outputs and final state for inputs `[time, batch, ...]`.

    Args:
      cell: function of an input and a state that gives an output, of the sizes said, and the next
        state.
      lengths: where sequences end; None if they all are as long as the inputs.
      batch_size: an int or a scalar tensor.
      dtype: that of outputs; None if it is that of the state.
    """
    flat = nest.flatten(inputs)
    for tensor in flat:
        steps.check_depth(tensor, 2)
    times = steps.size_along(flat, 0)
    flat = [of_rows(tensor) for tensor in flat]
    static_times = times if isinstance(times, int) else None
    wanted = steps.state_dtype(dtype, state)
    zero_output = None
    if lengths is not None or static_times == 0 or context.modes.top.eager:
        zero_output = steps.zero_outputs(output_size, batch_size, wanted)

    def step(time: Tensor, *current: Any) -> tuple[list[Any], list[Any]]:
        now = put_together(state, current)
        given = nest.pack_sequence_as(inputs, [gather(t, time) for t in flat])
        output, new = called(cell, given, now)
        nest.assert_same_structure(now, new)
        steps.check_output(output, output_size)
        if lengths is not None:
            output = lengths.ended(time, zero_output, output)
            new = lengths.ended(time, now, new)
        return taken_apart(new), nest.flatten(output)

    with name_scope("while") as scope:
        count = convert_to_tensor(times, name="times")
        final, outputs = collect(step, count, static_times, taken_apart(state), scope)
    if not outputs:  # no times, in eager mode
        none = nest.flatten(zero_output)
        outputs = [zeros([0, *t.shape.as_list()], dtype=t.dtype) for t in none]
    outputs = [_of_sizes(t, times, batch_size) for t in outputs]
    return (
        nest.pack_sequence_as(output_size, outputs),
        put_together(state, final),
    )


def _of_sizes(outputs: Tensor, times: Any, batch_size: Any) -> Tensor:
    """Outputs of all times: where there are none, only these sizes tell the shape."""
    dims = outputs._dims
    if dims is None:
        return outputs
    inner = dims[2:]
    if isinstance(times, int) or isinstance(batch_size, int) or None in inner:
        known = [size if isinstance(size, int) else None for size in (times, batch_size)]
        outputs.set_shape([*known, *inner])
        return outputs
    return reshape(outputs, stack([times, batch_size, *inner]))


def bidirectional_dynamic_rnn(
    cell_fw: Any,
    cell_bw: Any,
    inputs: Any,
    sequence_length: Any = None,
    initial_state_fw: Any = None,
    initial_state_bw: Any = None,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    time_major: bool = False,
    scope: Any = None,
) -> Any:
    """One cell over sequences from first to last, and one from last to first.

    Args: as for `dynamic_rnn`, with a cell and a state for each direction; `scope` is
      "bidirectional_rnn" by default, with "fw" and "bw" in it.

    Returns: the pair of outputs, and the pair of final states. Both outputs go by time.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     forth, back = (hf.nn.rnn_cell.GRUCell(n) for n in (4, 3))
    ...     outputs, states = hf.nn.bidirectional_dynamic_rnn(
    ...         forth, back, hf.ones([2, 5, 3]), dtype=hf.float32)
    ...     print(outputs[0].shape, outputs[1].shape, states[1].shape)
    (2, 5, 4) (2, 5, 3) (2, 3)
    """
    check_cell(cell_fw, "cell_fw")
    check_cell(cell_bw, "cell_bw")
    time_axis, batch_axis = (0, 1) if time_major else (1, 0)

    def turned(x: Any) -> Tensor:
        if sequence_length is None:
            return reverse(x, axis=[time_axis])
        return reverse_sequence(
            x, seq_lengths=sequence_length, seq_axis=time_axis, batch_axis=batch_axis
        )

    with variable_scope(scope or "bidirectional_rnn"):
        with variable_scope("fw") as forth:
            output_fw, state_fw = dynamic_rnn(
                cell_fw,
                inputs,
                sequence_length,
                initial_state_fw,
                dtype,
                time_major=time_major,
                scope=forth,
            )
        with variable_scope("bw") as back:
            given = nest.map_structure(turned, inputs)
            found, state_bw = dynamic_rnn(
                cell_bw,
                given,
                sequence_length,
                initial_state_bw,
                dtype,
                time_major=time_major,
                scope=back,
            )
    output_bw = nest.map_structure(turned, found)
    return (output_fw, output_bw), (state_fw, state_bw)
