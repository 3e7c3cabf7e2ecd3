"""`static_rnn` and its kin: a cell over lists of tensors, written out step by step."""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework import nest
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.scopes import control_dependencies
from hybridflow._src.ops.arrays.joining import concat, stack, unstack
from hybridflow._src.ops.arrays.reshaping import identity
from hybridflow._src.ops.arrays.reversing import reverse_sequence
from hybridflow._src.recurrent import steps
from hybridflow._src.recurrent.cell import called, check_cell
from hybridflow._src.variables.scope import variable_scope

__all__ = ["static_bidirectional_rnn", "static_rnn", "static_state_saving_rnn"]


def _check_inputs(inputs: Any) -> None:
    if not nest.is_sequence(inputs):
        raise TypeError(f"inputs must be a sequence, got {inputs!r:.80}")
    if not inputs:
        raise ValueError("inputs must not be empty")


def static_rnn(
    cell: Any,
    inputs: Any,
    initial_state: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    scope: Any = None,
) -> Any:
    """A cell called for each of a list of inputs, with the state that the one before gave.

    Args:
      cell: an `RNNCell`.
      inputs: list of tensors `[batch, ...]`, or of structures of them, one for each time.
      initial_state: the state to begin with, like `cell.state_size`; zeros by default.
      dtype: that of state and outputs, needed without an initial state.
      sequence_length: integer vector `[batch]`: after its end a sequence has outputs of zeros, and
        keeps its state; when all have ended nothing is computed.
      scope: variable scope; "rnn" by default.

    Returns: the list of outputs, and the final state.

    Raises:
      TypeError: if `cell` is none, or `inputs` no list. ValueError: if that is empty, without state
        and dtype, or if the size of an input is not known.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     outputs, state = hf.nn.static_rnn(
    ...         hf.nn.rnn_cell.GRUCell(4), [hf.ones([2, 3])] * 5, dtype=hf.float32)
    ...     print(len(outputs), outputs[0].shape, state.shape)
    5 (2, 4) (2, 4)
    """
    check_cell(cell, "cell")
    _check_inputs(inputs)
    inputs = [nest.map_structure(convert_to_tensor, item) for item in inputs]
    with variable_scope(scope or "rnn") as opened:
        flat = nest.flatten(inputs)
        for tensor in flat:
            if tensor.shape.ndims != 1:
                steps.check_depth(tensor, 1)
        batch_size = steps.size_along(flat, 0)
        state = steps.first_state(cell, initial_state, batch_size, dtype)
        if sequence_length is not None:
            lengths = steps.Lengths(sequence_length, batch_size)
            extremes = lengths.extremes()
            zero = steps.zero_outputs(cell.output_size, batch_size, steps.state_dtype(dtype, state))
        outputs = []
        for time, given in enumerate(inputs):
            if time > 0:
                opened.reuse_variables()
            if sequence_length is None:
                output, state = called(cell, given, state)
            else:
                # Called before the loop goes on.
                call = lambda given=given, state=state: called(cell, given, state)  # noqa: E731
                output, state = steps.step_if_needed(time, lengths, extremes, (zero, state), call)
            outputs.append(output)
    return outputs, state


def static_state_saving_rnn(
    cell: Any,
    inputs: Any,
    state_saver: Any,
    state_name: Any,
    sequence_length: Any = None,
    scope: Any = None,
) -> Any:
    """`static_rnn` that begins with a state from a state saver, and gives it the last one.

    Args:
      cell, inputs, sequence_length, scope: as for `static_rnn`.
      state_saver: object with `state(name)`, which gives a tensor, and `save_state(name, tensor)`,
        which gives an operation.
      state_name: the name of the state, or a structure of names like `cell.state_size`.

    Returns: the list of outputs, of which the last one is there once the state is saved, and the
      final state.

    Raises:
      ValueError: if names and sizes differ in form. Others as `static_rnn`.
    """
    sizes = cell.state_size
    if nest.is_sequence(sizes) != nest.is_sequence(state_name) or len(nest.flatten(sizes)) != len(
        nest.flatten(state_name)
    ):
        raise ValueError(
            f"state_name should have as many names as cell.state_size has sizes.  state_name: "
            f"{state_name}, cell.state_size: {sizes}"
        )
    names = nest.flatten(state_name)
    first = nest.pack_sequence_as(sizes, [state_saver.state(name) for name in names])
    outputs, state = static_rnn(
        cell, inputs, initial_state=first, sequence_length=sequence_length, scope=scope
    )
    pairs = zip(names, nest.flatten(state), strict=True)
    saved = [state_saver.save_state(name, part) for name, part in pairs]
    with control_dependencies([op for op in saved if op is not None]):
        outputs[-1] = nest.map_structure(identity, outputs[-1])
    return outputs, state


def static_bidirectional_rnn(
    cell_fw: Any,
    cell_bw: Any,
    inputs: Any,
    initial_state_fw: Any = None,
    initial_state_bw: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    scope: Any = None,
) -> Any:
    """One cell over a list of inputs from first to last, and one from last to first.

    Args: as for `static_rnn`, with a cell and a state for each direction; `scope` is
      "bidirectional_rnn" by default, with "fw" and "bw" in it.

    Returns: the list of outputs, those of both directions joined along axis 1; the final state of
      the first cell; that of the second.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     forth, back = (hf.nn.rnn_cell.GRUCell(n) for n in (4, 3))
    ...     outputs, first, second = hf.nn.static_bidirectional_rnn(
    ...         forth, back, [hf.ones([2, 3])] * 5, dtype=hf.float32)
    ...     print(outputs[0].shape, first.shape, second.shape)
    (2, 7) (2, 4) (2, 3)
    """
    check_cell(cell_fw, "cell_fw")
    check_cell(cell_bw, "cell_bw")
    _check_inputs(inputs)
    with variable_scope(scope or "bidirectional_rnn"):
        with variable_scope("fw") as forth:
            output_fw, state_fw = static_rnn(
                cell_fw, inputs, initial_state_fw, dtype, sequence_length, scope=forth
            )
        with variable_scope("bw") as back:
            found, state_bw = static_rnn(
                cell_bw,
                _turned(inputs, sequence_length),
                initial_state_bw,
                dtype,
                sequence_length,
                scope=back,
            )
    output_bw = _turned(found, sequence_length)
    joined = [
        nest.map_structure(lambda x, y: concat([x, y], 1), *pair)
        for pair in zip(output_fw, output_bw, strict=True)
    ]
    return joined, state_fw, state_bw


def _turned(items: Any, lengths: Any) -> list[Any]:
    """A list, by time, turned round; of each sequence its length."""
    if lengths is None:
        return list(reversed(items))
    columns = []
    for column in zip(*map(nest.flatten, items), strict=True):
        joined = reverse_sequence(stack(list(column)), lengths, seq_axis=0, batch_axis=1)
        columns.append(unstack(joined, num=len(column)))
    rows = zip(*columns, strict=True)
    return [nest.pack_sequence_as(item, row) for item, row in zip(items, rows, strict=True)]
