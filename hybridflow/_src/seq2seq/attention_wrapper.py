"""`AttentionWrapper`: a cell that attends to memories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from hybridflow._src.framework import dtypes, nest
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.tensor_shape import TensorShape, dimension_at_index
from hybridflow._src.layers.core import Dense
from hybridflow._src.ops.arrays.constant import zeros
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.reshaping import expand_dims, squeeze
from hybridflow._src.ops.arrays.sequences import one_hot
from hybridflow._src.ops.arrays.shape_ops import shape
from hybridflow._src.ops.data_flow.tensor_array import TensorArray
from hybridflow._src.ops.linalg.products import matmul
from hybridflow._src.ops.math.arg_reductions import argmax
from hybridflow._src.recurrent.cell import RNNCell, check_cell, zeros_of
from hybridflow._src.recurrent.steps import size_along
from hybridflow._src.seq2seq.attention import AttentionMechanism, linear_layer, same_batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["AttentionWrapper", "AttentionWrapperState", "hardmax"]

_NOT_TILED = (
    "{what} of AttentionWrapper {name}: Non-matching batch sizes between the memory (encoder "
    "output) and {other}.  Are you using the BeamSearchDecoder?  Then tile it via the "
    "tf.contrib.seq2seq.tile_batch function with argument multiple=beam_width."
)


def hardmax(logits: Any, name: str | None = None) -> Tensor:
    """1 where logits are largest, 0 elsewhere.

    Args:
      logits: tensor `[..., n]`.
      name: name scope of the ops.

    Returns: a tensor of the same dtype and shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.contrib.seq2seq.hardmax([1.0, 3.0, 2.0]).numpy())
    [0. 1. 0.]
    """
    with name_scope(name, "Hardmax", [logits]):
        logits = convert_to_tensor(logits, name="logits")
        depth = dimension_at_index(logits.shape, -1).value
        units = shape(logits)[-1] if depth is None else depth
        return one_hot(argmax(logits, -1), units, dtype=logits.dtype.base_dtype)


class AttentionWrapperState(NamedTuple):
    """The state of an `AttentionWrapper`.

    Attributes:
      cell_state: that of the cell. attention: what was attended to. time: an int32 scalar.
      alignments: how much each time of the memory was attended to. alignment_history: an array of
        these by time, or `()`. Both are tuples where there are several mechanisms.

    >>> import hybridflow as hf
    >>> state = hf.contrib.seq2seq.AttentionWrapperState(1, 2, 3, 4, 5)
    >>> state.clone(time=0).time
    0
    """

    cell_state: Any
    attention: Any
    time: Any
    alignments: Any
    alignment_history: Any

    def clone(self, **kwargs: Any) -> AttentionWrapperState:
        """The state with some fields replaced."""
        return self._replace(**kwargs)


class AttentionWrapper(RNNCell):
    """A cell that attends to memories, and sees in each step what it attended to in the last.

    Args:
      cell: the cell.
      attention_mechanism: an `AttentionMechanism`, or a list of them.
      attention_layer_size: size of the linear layer of output and context that gives the attention
        (a list of them for several mechanisms); without one the context is the attention.
      alignment_history: whether the alignments of all steps are kept.
      cell_input_fn: function of inputs and attention that gives the cell's inputs; by default they
        are joined.
      output_attention: whether the attention is the output, else the cell's output is.
      initial_cell_state: the cell's state in `zero_state`.
      name: name of the variable scope.

    Raises:
      TypeError: for arguments of another kind. ValueError: if numbers of layers and mechanisms
        differ, or batch sizes do.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     attention = hf.contrib.seq2seq.BahdanauAttention(4, hf.ones([2, 5, 3]))
    ...     cell = hf.contrib.seq2seq.AttentionWrapper(
    ...         hf.nn.rnn_cell.GRUCell(6), attention, attention_layer_size=7)
    ...     output, state = cell(hf.ones([2, 2]), cell.zero_state(2, hf.float32))
    ...     print(output.shape, state.alignments.numpy().round(2)[0])
    (2, 7) [0.2 0.2 0.2 0.2 0.2]
    """

    def __init__(
        self,
        cell: Any,
        attention_mechanism: Any,
        attention_layer_size: Any = None,
        alignment_history: bool = False,
        cell_input_fn: Callable[[Any, Any], Any] | None = None,
        output_attention: bool = True,
        initial_cell_state: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        check_cell(cell, "cell")
        self._is_multi = isinstance(attention_mechanism, list | tuple)
        mechanisms = list(attention_mechanism) if self._is_multi else [attention_mechanism]
        for mechanism in mechanisms:
            if not isinstance(mechanism, AttentionMechanism):
                raise TypeError(
                    "attention_mechanism must be an AttentionMechanism or list of multiple "
                    f"AttentionMechanism instances, saw type: {type(mechanism).__name__}"
                )
        if cell_input_fn is not None and not callable(cell_input_fn):
            raise TypeError(
                f"cell_input_fn must be callable, saw type: {type(cell_input_fn).__name__}"
            )
        self._layers: list[Dense | None] = [None] * len(mechanisms)
        sizes = [int(dimension_at_index(mechanism.values.shape, -1)) for mechanism in mechanisms]
        if attention_layer_size is not None:
            given = attention_layer_size
            sizes = list(given) if isinstance(given, list | tuple) else [given]
            if len(sizes) != len(mechanisms):
                raise ValueError(
                    "If provided, attention_layer_size must contain exactly one integer per "
                    f"attention_mechanism, saw: {len(sizes)} vs {len(mechanisms)}"
                )
            self._layers = [linear_layer(size, "attention_layer") for size in sizes]
        self._attention_size = sum(sizes)
        self._cell = cell
        self._mechanisms = mechanisms
        self._cell_input_fn = cell_input_fn or (lambda inputs, seen: concat([inputs, seen], -1))
        self._output_attention = output_attention
        self._keeps_history = alignment_history
        self._initial_cell_state = None
        if initial_cell_state is not None:
            with name_scope(name, "AttentionWrapperInit"):
                size = size_along(nest.flatten(initial_cell_state)[-1:], 0)
                self._initial_cell_state = self._checked(
                    initial_cell_state, size, "When constructing", "initial_cell_state"
                )

    def _checked(self, structure: Any, batch_size: Any, what: str, other: str) -> Any:
        """Tensors, which are there if the memories have the same batch size."""
        message = _NOT_TILED.format(what=what, name=self.name, other=other)
        sizes = [(batch_size, mechanism.batch_size) for mechanism in self._mechanisms]
        return nest.map_structure(lambda t: same_batch(t, sizes, message), structure)

    def _one_or_all(self, items: Iterable[Any]) -> Any:
        found = tuple(items)
        return found if self._is_multi else found[0]

    @property
    def output_size(self) -> Any:
        """That of the attention, or of the cell."""
        return self._attention_size if self._output_attention else self._cell.output_size

    @property
    def state_size(self) -> AttentionWrapperState:
        """The sizes of all parts of the state."""
        return AttentionWrapperState(
            cell_state=self._cell.state_size,
            attention=self._attention_size,
            time=TensorShape([]),
            alignments=self._one_or_all(m.alignments_size for m in self._mechanisms),
            alignment_history=self._one_or_all(() for _ in self._mechanisms),
        )

    def zero_state(self, batch_size: Any, dtype: Any) -> AttentionWrapperState:
        """The state before the first step."""
        with name_scope(f"{type(self).__name__}ZeroState", values=[batch_size]):
            cell_state = self._initial_cell_state
            if cell_state is None:
                cell_state = self._cell.zero_state(batch_size, dtype)
            return AttentionWrapperState(
                cell_state=self._checked(
                    cell_state, batch_size, "When calling zero_state", "the requested batch size"
                ),
                attention=zeros_of(batch_size, self._attention_size, dtype),
                time=zeros([], dtype=dtypes.int32),
                alignments=self._one_or_all(
                    m.initial_alignments(batch_size, dtype) for m in self._mechanisms
                ),
                alignment_history=self._one_or_all(
                    TensorArray(dtype, size=0, dynamic_size=True) if self._keeps_history else ()
                    for _ in self._mechanisms
                ),
            )

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]
        """Computes one step."""
        if not isinstance(state, AttentionWrapperState):
            raise TypeError(
                "Expected state to be instance of AttentionWrapperState. Received type "
                f"{type(state)} instead."
            )
        given = self._cell_input_fn(inputs, state.attention)
        output, cell_state = self._cell(given, state.cell_state)
        output = self._checked(
            output, size_along([output], 0), "When applying", "the query (decoder output)"
        )
        before = state.alignments if self._is_multi else (state.alignments,)
        histories = state.alignment_history if self._is_multi else (state.alignment_history,)
        attentions, alignments, kept = [], [], []
        for mechanism, layer, previous, history in zip(
            self._mechanisms, self._layers, before, histories, strict=True
        ):
            aligned = mechanism(output, previous_alignments=previous)
            context = squeeze(matmul(expand_dims(aligned, 1), mechanism.values), [1])
            attentions.append(context if layer is None else layer(concat([output, context], 1)))
            alignments.append(aligned)
            kept.append(history.write(state.time, aligned) if self._keeps_history else ())
        attention = concat(attentions, 1)
        new = AttentionWrapperState(
            cell_state=cell_state,
            attention=attention,
            time=state.time + 1,
            alignments=self._one_or_all(alignments),
            alignment_history=self._one_or_all(kept),
        )
        return (attention if self._output_attention else output), new
