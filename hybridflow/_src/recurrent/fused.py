"""Cells that are called with all times at once, made of cells that are called with one."""

from __future__ import annotations

from typing import Any

from hybridflow._src.ops.arrays.arranging import reverse
from hybridflow._src.ops.arrays.joining import stack, unstack
from hybridflow._src.ops.arrays.reversing import reverse_sequence
from hybridflow._src.recurrent.dynamic import dynamic_rnn
from hybridflow._src.recurrent.static import static_rnn

__all__ = ["FusedRNNCell", "FusedRNNCellAdaptor", "TimeReversedFusedRNN"]


class FusedRNNCell:
    """What is called with all times of its inputs; a subclass defines `__call__`.

    >>> import hybridflow as hf
    >>> class Sums(hf.contrib.rnn.FusedRNNCell):
    ...     def __call__(self, inputs, initial_state=None, dtype=None, sequence_length=None,
    ...                  scope=None):
    ...         sums = hf.cumsum(inputs, axis=0)
    ...         return sums, sums[-1]
    >>> with hf.eager_mode():
    ...     print(Sums()(hf.ones([3, 1, 1]))[1].numpy())
    [[3.]]
    """

    def __call__(
        self,
        inputs: Any,
        initial_state: Any = None,
        dtype: Any = None,
        sequence_length: Any = None,
        scope: Any = None,
    ) -> Any:
        """Computes all steps.

        Args:
          inputs: tensor `[time, batch, input_size]`, or a list of tensors `[batch, input_size]`.
          initial_state: the state to begin with.
          dtype: that of the state, needed without an initial one.
          sequence_length: integer vector `[batch]`: where sequences end.
          scope: variable scope.

        Returns: outputs, which are a tensor or a list as the inputs are, and the final state.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define __call__.")


class FusedRNNCellAdaptor(FusedRNNCell):
    """A cell that is called with one time, to be called with all.

    Args:
      cell: an `RNNCell`.
      use_dynamic_rnn: whether it runs in a loop, else its steps are written out.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     cell = hf.contrib.rnn.FusedRNNCellAdaptor(hf.nn.rnn_cell.GRUCell(3), True)
    ...     outputs, state = cell(hf.ones([5, 2, 4]), dtype=hf.float32)
    ...     print(outputs.shape, state.shape)
    (5, 2, 3) (2, 3)
    """

    def __init__(self, cell: Any, use_dynamic_rnn: bool = False) -> None:
        self._cell = cell
        self._use_dynamic_rnn = use_dynamic_rnn

    def __call__(
        self,
        inputs: Any,
        initial_state: Any = None,
        dtype: Any = None,
        sequence_length: Any = None,
        scope: Any = None,
    ) -> Any:
        """Computes all steps: outputs, and the final state."""
        is_list = isinstance(inputs, list)
        if self._use_dynamic_rnn:
            outputs, state = dynamic_rnn(
                self._cell,
                stack(inputs) if is_list else inputs,
                sequence_length,
                initial_state,
                dtype,
                time_major=True,
                scope=scope,
            )
            return (unstack(outputs) if is_list else outputs), state
        items = inputs if is_list else unstack(inputs)
        outputs, state = static_rnn(self._cell, items, initial_state, dtype, sequence_length, scope)
        return (outputs if is_list else stack(outputs)), state


class TimeReversedFusedRNN(FusedRNNCell):
    """A fused cell that goes from the last time to the first.

    Args:
      cell: a `FusedRNNCell`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     cell = hf.contrib.rnn.TimeReversedFusedRNN(hf.contrib.rnn.LSTMBlockFusedCell(3))
    ...     outputs, state = cell(hf.ones([5, 2, 4]), dtype=hf.float32)
    ...     print(outputs.shape, bool(hf.reduce_all(hf.equal(outputs[0], state.h))))
    (5, 2, 3) True
    """

    def __init__(self, cell: Any) -> None:
        self._cell = cell

    def __call__(
        self,
        inputs: Any,
        initial_state: Any = None,
        dtype: Any = None,
        sequence_length: Any = None,
        scope: Any = None,
    ) -> Any:
        """Computes all steps: outputs, by time, and the state after the first time."""
        outputs, state = self._cell(
            _turned(inputs, sequence_length),
            initial_state=initial_state,
            dtype=dtype,
            sequence_length=sequence_length,
            scope=scope,
        )
        return _turned(outputs, sequence_length), state


def _turned(x: Any, lengths: Any) -> Any:
    if isinstance(x, list):
        return list(reversed(x))
    if lengths is None:
        return reverse(x, [0])
    return reverse_sequence(x, lengths, seq_axis=0, batch_axis=1)
