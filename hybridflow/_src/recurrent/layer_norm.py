"""`LayerNormBasicLSTMCell`: an LSTM whose gates and cells are normalized."""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework.tensor_shape import dimension_at_index
from hybridflow._src.ops.arrays.joining import concat, split
from hybridflow._src.ops.linalg.products import matmul
from hybridflow._src.ops.math.exponential import sigmoid
from hybridflow._src.ops.math.trigonometric import tanh
from hybridflow._src.ops.nn.basic import bias_add, dropout
from hybridflow._src.ops.nn.normalization import batch_normalization, moments
from hybridflow._src.recurrent.cell import RNNCell, parts_of
from hybridflow._src.recurrent.lstm_cells import LSTMStateTuple
from hybridflow._src.variables.getting import get_variable
from hybridflow._src.variables.initializers import Constant
from hybridflow._src.variables.scope import variable_scope

__all__ = ["LayerNormBasicLSTMCell"]

# What TensorFlow's layer_norm adds to variances.
_EPSILON = 1e-12


class LayerNormBasicLSTMCell(RNNCell):
    """An LSTM with layer normalization of its gates and cells, and dropout of the candidate.

        i, j, f, o = norm(split([input, h] @ kernel))
        c = norm(c * sigmoid(f + forget_bias) + sigmoid(i) * dropout(activation(j)))
        h = output = activation(c) * sigmoid(o)

    Its variables are `kernel` and, for each of "input", "transform", "forget", "output" and
    "state", `gamma` and `beta` `[num_units]`; without normalization `kernel` and `bias`.

    Args:
      num_units: size of `c`, `h` and the output.
      forget_bias: added to the gate that forgets.
      input_size: accepted for compatibility.
      activation: of candidate and cells.
      layer_norm: whether there is normalization.
      norm_gain, norm_shift: first values of `gamma` and `beta`.
      dropout_keep_prob: how probably an element of the candidate stays: a number or scalar tensor.
      dropout_prob_seed: seed of the dropout.
      reuse: whether variables that are there are used.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     cell = hf.contrib.rnn.LayerNormBasicLSTMCell(3)
    ...     output, state = cell(hf.ones([2, 4]), cell.zero_state(2, hf.float32))
    ...     print(output.shape, cell.count_params())
    (2, 3) 114

    References: Ba, Kiros, Hinton, Layer Normalization, 2016 (https://arxiv.org/abs/1607.06450).
      Semeniuta, Severyn, Barth, Recurrent Dropout without Memory Loss, 2016
      (https://arxiv.org/abs/1603.05118).
    """

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        input_size: Any = None,
        activation: Any = tanh,
        layer_norm: bool = True,
        norm_gain: float = 1.0,
        norm_shift: float = 0.0,
        dropout_keep_prob: Any = 1.0,
        dropout_prob_seed: int | None = None,
        reuse: Any = None,
    ) -> None:
        super().__init__(_reuse=reuse)
        self._num_units = num_units
        self._forget_bias = forget_bias
        self._activation = activation
        self._layer_norm = layer_norm
        self._norm_gain = norm_gain
        self._norm_shift = norm_shift
        self._keep_prob = dropout_keep_prob
        self._seed = dropout_prob_seed

    @property
    def state_size(self) -> LSTMStateTuple:
        """The sizes of `c` and `h`."""
        return LSTMStateTuple(self._num_units, self._num_units)

    @property
    def output_size(self) -> int:
        """The number of units."""
        return self._num_units

    def _normalized(self, x: Any, scope: str) -> Any:
        if not self._layer_norm:
            return x
        with variable_scope(scope):
            shape, dtype = [self._num_units], x.dtype.base_dtype
            gamma = get_variable("gamma", shape, initializer=Constant(self._norm_gain), dtype=dtype)
            beta = get_variable("beta", shape, initializer=Constant(self._norm_shift), dtype=dtype)
        with variable_scope(scope):  # once more, as TensorFlow's layer_norm does
            mean, variance = moments(x, [1], keep_dims=True)
            return batch_normalization(x, mean, variance, beta, gamma, _EPSILON)

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]
        """Computes one step."""
        c, h = parts_of(self, state)
        given = concat([inputs, h], 1)
        units, dtype = 4 * self._num_units, given.dtype.base_dtype
        gates = matmul(
            given,
            get_variable("kernel", [dimension_at_index(given.shape, 1).value, units], dtype=dtype),
        )
        if not self._layer_norm:
            gates = bias_add(gates, get_variable("bias", [units], dtype=dtype))
        scopes = ("input", "transform", "forget", "output")
        parts = split(value=gates, num_or_size_splits=4, axis=1)
        i, j, f, o = (self._normalized(p, s) for p, s in zip(parts, scopes, strict=True))
        candidate = self._activation(j)
        if not isinstance(self._keep_prob, float) or self._keep_prob < 1:
            candidate = dropout(candidate, self._keep_prob, seed=self._seed)
        new_c = c * sigmoid(f + self._forget_bias) + sigmoid(i) * candidate
        new_c = self._normalized(new_c, "state")
        new_h = self._activation(new_c) * sigmoid(o)
        return new_h, LSTMStateTuple(new_c, new_h)
