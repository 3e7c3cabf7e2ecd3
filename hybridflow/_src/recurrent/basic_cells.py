"""`BasicRNNCell` and `GRUCell`."""

from __future__ import annotations

from typing import Any

from hybridflow._src.layers.input_spec import InputSpec
from hybridflow._src.ops.arrays.joining import concat, split
from hybridflow._src.ops.linalg.products import matmul
from hybridflow._src.ops.math.exponential import sigmoid
from hybridflow._src.ops.nn.basic import bias_add
from hybridflow._src.recurrent.cell import LayerCell, activation_of
from hybridflow._src.variables.initializers import Constant, Zeros

__all__ = ["BasicRNNCell", "GRUCell"]


class BasicRNNCell(LayerCell):
    """The plainest cell: `output = state = activation([input, state] @ kernel + bias)`.

    Its variables are `kernel` `[inputs + num_units, num_units]` and `bias` `[num_units]`.

    Args:
      num_units: size of state and output.
      activation: function of the sum; `hf.tanh` by default.
      reuse: whether variables that are there are used.
      name: name of the variable scope.

    Raises:
      ValueError: when called, for inputs that are no matrices or of an unknown number of columns.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     cell = hf.nn.rnn_cell.BasicRNNCell(3)
    ...     output, state = cell(hf.ones([2, 4]), cell.zero_state(2, hf.float32))
    ...     print(output.shape, [v.name for v in cell.variables])
    (2, 3) ['basic_rnn_cell/kernel:0', 'basic_rnn_cell/bias:0']
    """

    def __init__(
        self, num_units: int, activation: Any = None, reuse: Any = None, name: str | None = None
    ) -> None:
        super().__init__(_reuse=reuse, name=name)
        self.input_spec = InputSpec(ndim=2)
        self._num_units = num_units
        self._activation = activation_of(activation)

    @property
    def state_size(self) -> int:
        """The number of units."""
        return self._num_units

    @property
    def output_size(self) -> int:
        """The number of units."""
        return self._num_units

    def build(self, input_shape: Any) -> None:
        """Makes kernel and bias."""
        units = self._num_units
        self._kernel = self.add_variable("kernel", shape=[self._depth(input_shape) + units, units])
        self._bias = self.add_variable("bias", shape=[units], initializer=Zeros())
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]
        """Computes one step."""
        total = bias_add(matmul(concat([inputs, state], 1), self._kernel), self._bias)
        output = self._activation(total)
        return output, output


class GRUCell(LayerCell):
    """Gated recurrent unit: the state goes on as `u * state + (1 - u) * candidate`.

        r, u = sigmoid([input, state] @ gates/kernel + gates/bias)
        candidate = activation([input, r * state] @ candidate/kernel + candidate/bias)

    Args:
      num_units: size of state and output.
      activation: function of the candidate; `hf.tanh` by default.
      reuse: whether variables that are there are used.
      kernel_initializer: of both kernels.
      bias_initializer: of both biases; by default those of the gates are 1, the others 0.
      name: name of the variable scope.

    Raises:
      ValueError: when called, for inputs that are no matrices or of an unknown number of columns.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     cell = hf.nn.rnn_cell.GRUCell(3)
    ...     output, state = cell(hf.ones([2, 4]), cell.zero_state(2, hf.float32))
    ...     print(cell.variables[0].name, cell.variables[0].shape)
    gru_cell/gates/kernel:0 (7, 6)

    References: Cho et al., Learning Phrase Representations using RNN Encoder-Decoder for
      Statistical Machine Translation, 2014 (http://arxiv.org/abs/1406.1078).
    """

    # Of kernels and biases.
    _names = (("gates/kernel", "gates/bias"), ("candidate/kernel", "candidate/bias"))

    def __init__(
        self,
        num_units: int,
        activation: Any = None,
        reuse: Any = None,
        kernel_initializer: Any = None,
        bias_initializer: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(_reuse=reuse, name=name)
        self.input_spec = InputSpec(ndim=2)
        self._num_units = num_units
        self._activation = activation_of(activation)
        self._kernel_initializer = kernel_initializer
        self._bias_initializer = bias_initializer

    @property
    def state_size(self) -> int:
        """The number of units."""
        return self._num_units

    @property
    def output_size(self) -> int:
        """The number of units."""
        return self._num_units

    def build(self, input_shape: Any) -> None:
        """Makes kernels and biases of gates and candidate."""
        units, depth = self._num_units, self._depth(input_shape) + self._num_units

        def made(names: tuple[str, str], columns: int, first: float) -> tuple[Any, Any]:
            kernel = self.add_variable(
                names[0], shape=[depth, columns], initializer=self._kernel_initializer
            )
            bias = self._bias_initializer
            bias = Constant(first) if bias is None else bias
            return kernel, self.add_variable(names[1], shape=[columns], initializer=bias)

        gates, candidate = self._names
        self._gate_kernel, self._gate_bias = made(gates, 2 * units, 1.0)
        self._candidate_kernel, self._candidate_bias = made(candidate, units, 0.0)
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]
        """Computes one step."""
        gates = bias_add(matmul(concat([inputs, state], 1), self._gate_kernel), self._gate_bias)
        r, u = split(value=sigmoid(gates), num_or_size_splits=2, axis=1)
        candidate = bias_add(
            matmul(concat([inputs, r * state], 1), self._candidate_kernel), self._candidate_bias
        )
        new = u * state + (1 - u) * self._activation(candidate)
        return new, new
