"""Cells made of cells: stacked, with their inputs added to their outputs, on a device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import nest
from hybridflow._src.framework.scopes import device, name_scope
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.slicing import slice as slice_of
from hybridflow._src.recurrent.cell import RNNCell, check_cell
from hybridflow._src.variables.scope import variable_scope

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DeviceWrapper", "MultiRNNCell", "ResidualWrapper"]

_SAME_CELL = (
    "Layer {} is the same cell object as one before it, and has its weights. For layers of their "
    "own make a cell for each: `MultiRNNCell([GRUCell(n) for _ in range(2)])`."
)


class CellWrapper(RNNCell):
    """A cell around another one, whose sizes and zero state are its own."""

    def __init__(self, cell: Any, reuse: Any = None) -> None:
        check_cell(cell, f"The cell of {type(self).__name__}")
        super().__init__(_reuse=reuse)
        self._cell = cell

    @property
    def state_size(self) -> Any:
        """That of the cell inside."""
        return self._cell.state_size

    @property
    def output_size(self) -> Any:
        """That of the cell inside."""
        return self._cell.output_size

    @property
    def trainable_weights(self) -> list[Any]:
        """Its own, and those of the cell inside."""
        return _with_new(super().trainable_weights, self._cell, "trainable_weights")

    @property
    def non_trainable_weights(self) -> list[Any]:
        """Its own, and those of the cell inside."""
        return _with_new(super().non_trainable_weights, self._cell, "non_trainable_weights")

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """That of the cell inside."""
        with name_scope(f"{type(self).__name__}ZeroState", values=[batch_size]):
            return self._cell.zero_state(batch_size, dtype)


def _with_new(mine: list[Any], cell: Any, kind: str) -> list[Any]:
    """Variables, and those of a cell which are not among them."""
    inside = getattr(cell, kind, [])
    return [*mine, *[w for w in inside if not any(w is known for known in mine)]]


class ResidualWrapper(CellWrapper):
    """A cell whose inputs are added to its outputs.

    Args:
      cell: the cell.
      residual_fn: function of inputs and outputs that gives the outputs; their sum by default.

    Raises:
      ValueError: when called, if inputs and outputs differ in shape or structure.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     cell = hf.nn.rnn_cell.ResidualWrapper(hf.nn.rnn_cell.GRUCell(2))
    ...     output, _ = cell(hf.zeros([1, 2]), cell.zero_state(1, hf.float32))
    ...     print(output.numpy())
    [[0. 0.]]
    """

    def __init__(self, cell: Any, residual_fn: Callable[..., Any] | None = None) -> None:
        super().__init__(cell)
        self._residual_fn = residual_fn or _sum_of

    def __call__(
        self, inputs: Any, state: Any, scope: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        """Computes one step."""
        outputs, new_state = self._cell(inputs, state, scope=scope)
        return self._residual_fn(inputs, outputs), new_state


def _sum_of(inputs: Any, outputs: Any) -> Any:
    def added(x: Any, y: Any) -> Any:
        x.shape.assert_is_compatible_with(y.shape)
        return x + y

    return nest.map_structure(added, inputs, outputs)


class DeviceWrapper(CellWrapper):
    """A cell that runs on a device.

    Args:
      cell: the cell.
      device: as for `hf.device`.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     cell = hf.nn.rnn_cell.DeviceWrapper(hf.nn.rnn_cell.GRUCell(2), "/cpu:7")
    ...     output, _ = cell(hf.zeros([1, 2]), cell.zero_state(1, hf.float32))
    ...     print(output.device)
    /device:CPU:7
    """

    def __init__(self, cell: Any, device: Any) -> None:
        super().__init__(cell)
        self._device = device

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """That of the cell inside, on the device."""
        with device(self._device):
            return super().zero_state(batch_size, dtype)

    def __call__(
        self, inputs: Any, state: Any, scope: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        """Computes one step."""
        with device(self._device):
            return self._cell(inputs, state, scope=scope)


class MultiRNNCell(RNNCell):
    """Cells one upon the other: the output of each is the input of the next.

    Args:
      cells: list of cells, the first one gets the inputs. Each has a variable scope of its own,
        `cell_0` and so on.
      state_is_tuple: whether the state is a tuple of theirs, else one tensor of their columns.

    Raises:
      ValueError: without cells, or if states are tuples where they should be tensors.
      TypeError: if `cells` is no list or tuple.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     cell = hf.nn.rnn_cell.MultiRNNCell([hf.nn.rnn_cell.GRUCell(n) for n in (4, 3)])
    ...     output, state = cell(hf.ones([2, 5]), cell.zero_state(2, hf.float32))
    ...     print(output.shape, cell.state_size, cell.variables[-1].name)
    (2, 3) (4, 3) multi_rnn_cell/cell_1/gru_cell/candidate/bias:0
    """

    def __init__(self, cells: Any, state_is_tuple: bool = True) -> None:
        super().__init__()
        if not cells:
            raise ValueError("Must specify at least one cell for MultiRNNCell.")
        if not nest.is_sequence(cells):
            raise TypeError(f"cells must be a list or tuple, but saw: {cells}.")
        for cell in cells:
            check_cell(cell, "Each of the cells of MultiRNNCell")
        self._cells = cells
        self._state_is_tuple = state_is_tuple
        sizes = [cell.state_size for cell in cells]
        if not state_is_tuple and any(map(nest.is_sequence, sizes)):
            raise ValueError(
                "Some cells return tuples of states, but the flag state_is_tuple is not set.  "
                f"State sizes are: {sizes}"
            )

    @property
    def state_size(self) -> Any:
        """Those of the cells, in a tuple or their sum."""
        sizes = [cell.state_size for cell in self._cells]
        return tuple(sizes) if self._state_is_tuple else sum(sizes)

    @property
    def output_size(self) -> Any:
        """That of the last cell."""
        return self._cells[-1].output_size

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """Those of the cells, in a tuple or one tensor."""
        if not self._state_is_tuple:
            return super().zero_state(batch_size, dtype)
        with name_scope(f"{type(self).__name__}ZeroState", values=[batch_size]):
            return tuple([cell.zero_state(batch_size, dtype) for cell in self._cells])

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]
        """Computes one step."""
        if self._state_is_tuple and not nest.is_sequence(state):
            raise ValueError(
                f"Expected state to be a tuple of length {len(self._cells)}, but received: {state}"
            )
        column, new_states = 0, []
        for index, cell in enumerate(self._cells):
            with variable_scope(f"cell_{index}"):
                if self._state_is_tuple:
                    mine = state[index]
                else:
                    mine = slice_of(state, [0, column], [-1, cell.state_size])
                    column += cell.state_size
                try:
                    inputs, new = cell(inputs, mine)
                except ValueError as error:
                    if any(cell is before for before in self._cells[:index]):
                        raise type(error)(f"{error} {_SAME_CELL.format(index)}") from None
                    raise
                new_states.append(new)
        return inputs, tuple(new_states) if self._state_is_tuple else concat(new_states, 1)
