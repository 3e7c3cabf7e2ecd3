"""`DropoutWrapper`: a cell with dropout on what goes in, what comes out, and its state."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import nest
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.framework.tensor_shape import as_shape
from hybridflow._src.ops.data_flow.tensor_array import TensorArray
from hybridflow._src.ops.math.division import div
from hybridflow._src.ops.math.rounding import floor
from hybridflow._src.ops.nn.basic import dropout
from hybridflow._src.ops.random.sampling import random_uniform
from hybridflow._src.recurrent.lstm_cells import LSTMStateTuple
from hybridflow._src.recurrent.wrappers import CellWrapper

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DropoutWrapper"]


def _all_but_memory(substate: Any) -> Any:
    """Which parts of a state are dropped from: not the cells of an LSTM, and no arrays."""
    if isinstance(substate, LSTMStateTuple):
        return LSTMStateTuple(c=False, h=True)
    return not isinstance(substate, TensorArray)


class DropoutWrapper(CellWrapper):
    """A cell with dropout on its inputs, its outputs and the state that it hands on.

    Args:
      cell: the cell.
      input_keep_prob, output_keep_prob, state_keep_prob: how probably an element stays: numbers in
        `[0, 1]` or scalar tensors. 1 means no dropout.
      variational_recurrent: whether the same elements are dropped in all steps of a run.
      input_size: size of the inputs, or a structure of them; for `variational_recurrent` with
        dropout of inputs.
      dtype: dtype of all that is dropped from, for `variational_recurrent`.
      seed: seed, from which each place gets its own.
      dropout_state_filter_visitor: function of a state, or a part of one, that tells whether it is
        dropped from: a bool, or a structure of bools. By default all is, but `c` of an
        `LSTMStateTuple`.

    Raises:
      ValueError: if a probability is out of range, or what
        `variational_recurrent` needs is missing.
      TypeError: if the cell is none, or the filter no function.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     cell = hf.nn.rnn_cell.DropoutWrapper(
    ...         hf.nn.rnn_cell.GRUCell(2, activation=hf.ones_like), output_keep_prob=0.5, seed=1)
    ...     output, state = cell(hf.zeros([1, 2]), hf.ones([1, 2]))
    ...     print(state.numpy(), set(output.numpy().ravel()) <= {0.0, 2.0})
    [[1. 1.]] True

    References: Gal and Ghahramani, A Theoretically Grounded Application of Dropout in Recurrent
      Neural Networks, 2015 (https://arxiv.org/abs/1512.05287).
    """

    def __init__(
        self,
        cell: Any,
        input_keep_prob: Any = 1.0,
        output_keep_prob: Any = 1.0,
        state_keep_prob: Any = 1.0,
        variational_recurrent: bool = False,
        input_size: Any = None,
        dtype: Any = None,
        seed: int | None = None,
        dropout_state_filter_visitor: Callable[[Any], Any] | None = None,
    ) -> None:
        super().__init__(cell)
        if dropout_state_filter_visitor is not None and not callable(dropout_state_filter_visitor):
            raise TypeError("dropout_state_filter_visitor must be callable")
        self._filter = dropout_state_filter_visitor or _all_but_memory
        with name_scope("DropoutWrapperInit"):
            self._keep: dict[str, Any] = {
                "input": _probability("input_keep_prob", input_keep_prob),
                "state": _probability("state_keep_prob", state_keep_prob),
                "output": _probability("output_keep_prob", output_keep_prob),
            }
        self._seed = seed
        self._noise: dict[str, list[Any]] | None = None
        if variational_recurrent:
            if dtype is None:
                raise ValueError("When variational_recurrent=True, dtype must be provided")
            sizes = {"state": cell.state_size, "output": cell.output_size}
            if self._drops("input"):
                if input_size is None:
                    raise ValueError(
                        "When variational_recurrent=True and input_keep_prob < 1.0 or is unknown, "
                        "input_size must be provided"
                    )
                sizes = {"input": input_size, **sizes}
            self._noise = {
                what: [
                    random_uniform(
                        [1, *as_shape(size).as_list()], seed=self._seed_of(what, i), dtype=dtype
                    )
                    for i, size in enumerate(nest.flatten(structure))
                ]
                for what, structure in sizes.items()
            }

    def _drops(self, what: str) -> bool:
        keep = self._keep[what]
        return not isinstance(keep, float) or keep < 1

    def _seed_of(self, what: str, index: int) -> int | None:
        """The seed of one place, as TensorFlow makes it."""
        if self._seed is None:
            return None
        text = f"{self._seed}{what}_{index}".encode()
        digest = hashlib.md5(text, usedforsecurity=False).hexdigest()
        return int(digest[:8], 16) & 0x7FFFFFFF

    def _dropped(self, what: str, index: int, leaf: int, value: Any) -> Any:
        """What is left of a value, which is part `index` of those that may be dropped from."""
        keep = self._keep[what]
        if self._noise is None:
            return dropout(value, keep_prob=keep, seed=self._seed_of(what, index))
        kept = floor(keep + self._noise[what][leaf])
        result = div(value, keep) * kept
        result.set_shape(value.shape)
        return result

    def _all_dropped(self, what: str, values: Any) -> Any:
        if not self._drops(what):
            return values
        flat = nest.flatten(values)
        return nest.pack_sequence_as(
            values, [self._dropped(what, i, i, value) for i, value in enumerate(flat)]
        )

    def _state_dropped(self, state: Any) -> Any:
        if not self._drops("state"):
            return state
        flat: list[Any] = []
        index = 0

        def visit(part: Any, flag: Any) -> None:
            nonlocal index
            if flag is True and nest.is_sequence(part):
                choose(part)
            elif flag is True:
                flat.append(self._dropped("state", index, len(flat), part))
                index += 1
            elif flag is False:
                flat.extend(nest.flatten(part))
                index += 1
            else:
                raise TypeError(
                    "dropout_state_filter_visitor must give bools, or one structure of bools; got "
                    f"{flag!r} for {part}."
                )

        def choose(part: Any) -> None:
            flags = self._filter(part)
            if not nest.is_sequence(part) or flags is False:
                visit(part, flags)
                return
            children = [part[k] for k in sorted(part)] if isinstance(part, dict) else list(part)
            if flags is True:
                for child in children:
                    choose(child)
                return
            for child, flag in zip(children, nest.flatten(flags), strict=True):
                visit(child, flag)

        choose(state)
        return nest.pack_sequence_as(state, flat)

    def __call__(
        self, inputs: Any, state: Any, scope: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        """Computes one step."""
        inputs = self._all_dropped("input", inputs)
        output, new_state = self._cell(inputs, state, scope=scope)
        new_state = self._state_dropped(new_state)
        return self._all_dropped("output", output), new_state


def _probability(name: str, value: Any) -> Any:
    """A probability as a number, if it is known.

    Raises:
      ValueError: if it is none.
    """
    tensor = convert_to_tensor(value)
    known = constant_value(tensor)
    if known is None:
        return tensor
    if not 0 <= known <= 1:
        raise ValueError(f"Parameter {name} must be between 0 and 1: {float(known)}")
    return float(known)
