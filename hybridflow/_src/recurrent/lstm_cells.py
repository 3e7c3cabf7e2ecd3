"""`BasicLSTMCell`, `LSTMCell`, and their state."""

from __future__ import annotations

from typing import Any, NamedTuple

from hybridflow._src.framework.errors import DTypeError
from hybridflow._src.layers.input_spec import InputSpec
from hybridflow._src.ops.arrays.joining import concat, split
from hybridflow._src.ops.arrays.slicing import slice as slice_of
from hybridflow._src.ops.linalg.norms import clip_by_value
from hybridflow._src.ops.linalg.products import matmul
from hybridflow._src.ops.math.exponential import sigmoid
from hybridflow._src.ops.nn.basic import bias_add
from hybridflow._src.recurrent.cell import LayerCell, activation_of, parts_of
from hybridflow._src.variables.initializers import Zeros
from hybridflow._src.variables.partitioners import fixed_size_partitioner

__all__ = ["BasicLSTMCell", "LSTMCell", "LSTMStateTuple"]


class LSTMStateTuple(NamedTuple):
    """The state of an LSTM: its cells `c`, and its output `h`; or their sizes.

    >>> import hybridflow as hf
    >>> hf.nn.rnn_cell.BasicLSTMCell(3).state_size
    LSTMStateTuple(c=3, h=3)
    """

    c: Any
    h: Any

    @property
    def dtype(self) -> Any:
        """The dtype of both.

        Raises:
          TypeError: if they differ.
        """
        if self.c.dtype != self.h.dtype:
            raise DTypeError(f"Inconsistent internal state: {self.c.dtype} vs {self.h.dtype}")
        return self.c.dtype


class BasicLSTMCell(LayerCell):
    """Long short-term memory, without peepholes, clipping or projection.

        i, j, f, o = split([input, h] @ kernel + bias)
        c = c * sigmoid(f + forget_bias) + sigmoid(i) * activation(j)
        h = output = activation(c) * sigmoid(o)

    Its variables are `kernel` `[inputs + num_units, 4 * num_units]` and `bias` `[4 * num_units]`.

    Args:
      num_units: size of `c`, `h` and the output.
      forget_bias: added to the gate that forgets, so that little is forgotten at first.
      state_is_tuple: whether the state is an `LSTMStateTuple`, else `[c, h]` in one tensor.
      activation: `hf.tanh` by default.
      reuse: whether variables that are there are used.
      name: name of the variable scope.

    Raises:
      ValueError: when called, for inputs that are no matrices or of an unknown number of columns.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     cell = hf.nn.rnn_cell.BasicLSTMCell(3)
    ...     output, state = cell(hf.ones([2, 4]), cell.zero_state(2, hf.float32))
    ...     print(output.shape, state.c.shape, cell.variables[0].shape)
    (2, 3) (2, 3) (7, 12)

    References: Zaremba, Sutskever, Vinyals, Recurrent Neural Network Regularization, 2014
      (http://arxiv.org/abs/1409.2329).
    """

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        state_is_tuple: bool = True,
        activation: Any = None,
        reuse: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(_reuse=reuse, name=name)
        self.input_spec = InputSpec(ndim=2)
        self._num_units = num_units
        self._forget_bias = forget_bias
        self._state_is_tuple = state_is_tuple
        self._activation = activation_of(activation)

    @property
    def state_size(self) -> Any:
        """The sizes of `c` and `h`."""
        units = self._num_units
        return LSTMStateTuple(units, units) if self._state_is_tuple else 2 * units

    @property
    def output_size(self) -> int:
        """The number of units."""
        return self._num_units

    def build(self, input_shape: Any) -> None:
        """Makes kernel and bias."""
        units = self._num_units
        depth = self._depth(input_shape) + units
        self._kernel = self.add_variable("kernel", shape=[depth, 4 * units])
        self._bias = self.add_variable("bias", shape=[4 * units], initializer=Zeros())
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]
        """Computes one step."""
        c, h = (
            parts_of(self, state)
            if self._state_is_tuple
            else split(state, num_or_size_splits=2, axis=1)
        )
        gates = bias_add(matmul(concat([inputs, h], 1), self._kernel), self._bias)
        i, j, f, o = split(value=gates, num_or_size_splits=4, axis=1)
        new_c = c * sigmoid(f + self._forget_bias) + sigmoid(i) * self._activation(j)
        new_h = self._activation(new_c) * sigmoid(o)
        return new_h, _state_of(new_c, new_h, self._state_is_tuple)


def _state_of(c: Any, h: Any, is_tuple: bool) -> Any:
    return LSTMStateTuple(c, h) if is_tuple else concat([c, h], 1)


class LSTMCell(LayerCell):
    """Long short-term memory with all its parts, each at choice.

        i, j, f, o = split([input, h] @ kernel + bias)
        c = sigmoid(f + forget_bias + w_f_diag * c) * c + sigmoid(i + w_i_diag * c) * activation(j)
        h = output = (sigmoid(o + w_o_diag * c) * activation(c)) @ projection/kernel

    Its variables are `kernel` `[inputs + outputs, 4 * num_units]`, `bias` `[4 * num_units]`, with
    peepholes `w_f_diag`, `w_i_diag`, `w_o_diag` `[num_units]`, with a projection
    `projection/kernel` `[num_units, num_proj]`.

    Args:
      num_units: size of `c`.
      use_peepholes: whether gates see the cells through the diagonals.
      cell_clip: `c` is clipped to `[-cell_clip, cell_clip]`.
      initializer: of all variables but the bias.
      num_proj: size of `h` and the output; none means no projection.
      proj_clip: the projection is clipped to `[-proj_clip, proj_clip]`.
      num_unit_shards, num_proj_shards: into how many parts the kernels are divided.
      forget_bias: added to the gate that forgets.
      state_is_tuple: whether the state is an `LSTMStateTuple`, else `[c, h]` in one tensor.
      activation: `hf.tanh` by default.
      reuse: whether variables that are there are used.
      name: name of the variable scope.

    Raises:
      ValueError: when called, for inputs that are no matrices or of an unknown number of columns.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     cell = hf.nn.rnn_cell.LSTMCell(5, use_peepholes=True, num_proj=3, cell_clip=1.0)
    ...     output, state = cell(hf.ones([2, 4]), cell.zero_state(2, hf.float32))
    ...     print(output.shape, state.c.shape, cell.count_params())
    (2, 3) (2, 5) 190

    References: Hochreiter and Schmidhuber, Long Short-Term Memory, Neural Computation 9(8), 1997.
      Sak, Senior, Beaufays, Long Short-Term Memory Recurrent Neural Network Architectures for
      Large Scale Acoustic Modeling, Interspeech 2014 (peepholes, projection).
    """

    def __init__(
        self,
        num_units: int,
        use_peepholes: bool = False,
        cell_clip: float | None = None,
        initializer: Any = None,
        num_proj: int | None = None,
        proj_clip: float | None = None,
        num_unit_shards: int | None = None,
        num_proj_shards: int | None = None,
        forget_bias: float = 1.0,
        state_is_tuple: bool = True,
        activation: Any = None,
        reuse: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(_reuse=reuse, name=name)
        self.input_spec = InputSpec(ndim=2)
        self._num_units = num_units
        self._use_peepholes = use_peepholes
        self._cell_clip = cell_clip
        self._initializer = initializer
        self._num_proj = num_proj
        self._proj_clip = proj_clip
        self._num_unit_shards = num_unit_shards
        self._num_proj_shards = num_proj_shards
        self._forget_bias = forget_bias
        self._state_is_tuple = state_is_tuple
        self._activation = activation_of(activation)

    @property
    def state_size(self) -> Any:
        """The sizes of `c` and `h`."""
        sizes = LSTMStateTuple(self._num_units, self.output_size)
        return sizes if self._state_is_tuple else sum(sizes)

    @property
    def output_size(self) -> int:
        """The size of `h`."""
        return self._num_proj or self._num_units

    def build(self, input_shape: Any) -> None:
        """Makes the variables."""
        units = self._num_units

        def weights(name: str, shape: list[int], shards: int | None = None) -> Any:
            parts = None if shards is None else fixed_size_partitioner(shards)
            return self.add_variable(
                name, shape=shape, initializer=self._initializer, partitioner=parts
            )

        depth = self._depth(input_shape) + self.output_size
        self._kernel = weights("kernel", [depth, 4 * units], self._num_unit_shards)
        self._bias = self.add_variable("bias", shape=[4 * units], initializer=Zeros())
        if self._use_peepholes:
            self._w_f_diag = weights("w_f_diag", [units])
            self._w_i_diag = weights("w_i_diag", [units])
            self._w_o_diag = weights("w_o_diag", [units])
        if self._num_proj is not None:
            shape = [units, self._num_proj]
            self._proj_kernel = weights("projection/kernel", shape, self._num_proj_shards)
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]
        """Computes one step."""
        units, activation = self._num_units, self._activation
        if self._state_is_tuple:
            c, h = parts_of(self, state)
        else:
            c = slice_of(state, [0, 0], [-1, units])
            h = slice_of(state, [0, units], [-1, self.output_size])
        gates = bias_add(matmul(concat([inputs, h], 1), self._kernel), self._bias)
        i, j, f, o = split(value=gates, num_or_size_splits=4, axis=1)
        if self._use_peepholes:
            c = sigmoid(f + self._forget_bias + self._w_f_diag * c) * c + sigmoid(
                i + self._w_i_diag * c
            ) * activation(j)
        else:
            c = sigmoid(f + self._forget_bias) * c + sigmoid(i) * activation(j)
        if self._cell_clip is not None:
            c = clip_by_value(c, -self._cell_clip, self._cell_clip)
        if self._use_peepholes:
            h = sigmoid(o + self._w_o_diag * c) * activation(c)
        else:
            h = sigmoid(o) * activation(c)
        if self._num_proj is not None:
            h = matmul(h, self._proj_kernel)
            if self._proj_clip is not None:
                h = clip_by_value(h, -self._proj_clip, self._proj_clip)
        return h, _state_of(c, h, self._state_is_tuple)
