"""Cells that TensorFlow computes as one op each, under the names of their variables.

Here a step of any cell is compiled, so they differ from other cells by names alone.
"""

from __future__ import annotations

from typing import Any

from hybridflow._src.layers.input_spec import InputSpec
from hybridflow._src.layers.layer import Layer
from hybridflow._src.ops.arrays.joining import stack, unstack
from hybridflow._src.recurrent.basic_cells import GRUCell
from hybridflow._src.recurrent.dynamic import run_over_time
from hybridflow._src.recurrent.lstm_cells import LSTMCell, LSTMStateTuple
from hybridflow._src.recurrent.steps import Lengths, size_along

__all__ = ["GRUBlockCell", "GRUBlockCellV2", "LSTMBlockCell", "LSTMBlockFusedCell"]


def _clip(cell_clip: float | None) -> float | None:
    """TensorFlow's op takes what is not positive for no clipping."""
    return None if cell_clip is None or cell_clip <= 0 else cell_clip


class LSTMBlockCell(LSTMCell):
    """`LSTMCell` without projection, whose scope is called "lstm_cell".

    Args:
      num_units, forget_bias, cell_clip, reuse, name: as for `hf.nn.rnn_cell.LSTMCell`.
      use_peephole: whether gates see the cells.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     cell = hf.contrib.rnn.LSTMBlockCell(3)
    ...     output, state = cell(hf.ones([2, 4]), cell.zero_state(2, hf.float32))
    ...     print(output.shape, cell.variables[0].name)
    (2, 3) lstm_cell/kernel:0
    """

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        cell_clip: float | None = None,
        use_peephole: bool = False,
        reuse: Any = None,
        name: str = "lstm_cell",
    ) -> None:
        super().__init__(
            num_units,
            use_peepholes=use_peephole,
            cell_clip=_clip(cell_clip),
            forget_bias=forget_bias,
            reuse=reuse,
            name=name,
        )


class GRUBlockCellV2(GRUCell):
    """`GRUCell` by another name.

    Args: as for `hf.contrib.rnn.GRUBlockCell`; the scope is called "GRUBlockCellV2".

    >>> import hybridflow as hf
    >>> hf.contrib.rnn.GRUBlockCellV2(3).state_size
    3
    """

    def __init__(self, cell_size: int, reuse: Any = None, name: str = "GRUBlockCellV2") -> None:
        super().__init__(cell_size, reuse=reuse, name=name)


class GRUBlockCell(GRUCell):
    """`GRUCell` whose variables are called `w_ru`, `b_ru`, `w_c` and `b_c`.

    Args:
      cell_size: size of state and output.
      reuse, name: as for `hf.nn.rnn_cell.GRUCell`; the scope is called "GRUBlockCell".

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     cell = hf.contrib.rnn.GRUBlockCell(3)
    ...     output, state = cell(hf.ones([2, 4]), cell.zero_state(2, hf.float32))
    ...     print(output.shape, cell.variables[0].name)
    (2, 3) GRUBlockCell/w_ru:0
    """

    _names = (("w_ru", "b_ru"), ("w_c", "b_c"))

    def __init__(self, cell_size: int, reuse: Any = None, name: str = "GRUBlockCell") -> None:
        super().__init__(cell_size, reuse=reuse, name=name)


class LSTMBlockFusedCell(LSTMCell):
    """An LSTM that is called with all times of its inputs.

    Args: as for `hf.contrib.rnn.LSTMBlockCell`; the scope is called "lstm_block_wrapper".

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     cell = hf.contrib.rnn.LSTMBlockFusedCell(3)
    ...     outputs, state = cell(hf.ones([5, 2, 4]), dtype=hf.float32, sequence_length=[5, 1])
    ...     print(outputs.shape, state.c.shape)
    (5, 2, 3) (2, 3)
    """

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        cell_clip: float | None = None,
        use_peephole: bool = False,
        reuse: Any = None,
        name: str = "lstm_block_wrapper",
    ) -> None:
        super().__init__(
            num_units,
            use_peepholes=use_peephole,
            cell_clip=_clip(cell_clip),
            forget_bias=forget_bias,
            reuse=reuse,
            name=name,
        )
        self.input_spec = InputSpec(ndim=3)

    @property
    def num_units(self) -> int:
        """Size of state and outputs."""
        return self._num_units

    def __call__(  # type: ignore[override]
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
          initial_state: pair of tensors `[batch, num_units]`; zeros by default.
          dtype: that of the state, needed without an initial one.
          sequence_length: integer vector `[batch]`: where sequences end.
          scope: variable scope to use at the first call.

        Returns: the outputs `[time, batch, num_units]`, or a list of them, and the final state.

        Raises:
          ValueError: without state and dtype, or if the state is no pair.
        """
        joined = stack(inputs) if isinstance(inputs, list) else inputs
        if initial_state is None and dtype is None:
            raise ValueError("Either initial_state or dtype needs to be specified")
        if initial_state is not None and len(initial_state) != 2:
            raise ValueError("Expecting initial_state to be a tuple with length 2 or None")
        outputs, state = Layer.__call__(
            self, joined, initial_state, dtype, sequence_length, scope=scope
        )
        return (unstack(outputs) if isinstance(inputs, list) else outputs), state

    def call(  # type: ignore[override]
        self, inputs: Any, initial_state: Any, dtype: Any, sequence_length: Any
    ) -> Any:
        """Computes all steps."""
        batch_size = size_along([inputs], 1)
        state = (
            self.zero_state(batch_size, dtype)
            if initial_state is None
            else LSTMStateTuple(*initial_state)
        )
        lengths = None if sequence_length is None else Lengths(sequence_length, batch_size)
        step = super().call
        return run_over_time(step, self.output_size, inputs, state, lengths, batch_size, dtype)
