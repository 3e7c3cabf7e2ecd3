"""`Dense`, `Dropout`, `Flatten`, and the functions that make and call them."""

from __future__ import annotations

import math
import numbers
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import DTypeError
from hybridflow._src.framework.tensor_shape import TensorShape, dimension_at_index
from hybridflow._src.layers.arguments import check_activation, smart_cond, with_dtype
from hybridflow._src.layers.input_spec import InputSpec
from hybridflow._src.layers.layer import Layer
from hybridflow._src.ops.arrays.reshaping import identity, reshape
from hybridflow._src.ops.arrays.shape_ops import shape
from hybridflow._src.ops.linalg.contraction import tensordot
from hybridflow._src.ops.linalg.products import matmul
from hybridflow._src.ops.nn.basic import bias_add
from hybridflow._src.ops.nn.basic import dropout as nn_dropout
from hybridflow._src.variables.initializers import Zeros

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["Dense", "Dropout", "Flatten", "dense", "dropout", "flatten"]

_ZEROS = Zeros()


class Dense(Layer):
    """`activation(inputs @ kernel + bias)`, over the last dimension of the inputs.

    Its variables are `kernel` `[inputs, units]` and `bias` `[units]`.

    Args:
      units: size of the last dimension of the outputs.
      activation: function of the outputs; None leaves them as they are.
      use_bias: whether there is a bias.
      kernel_initializer, bias_initializer: as for `hf.get_variable`, or Keras' names.
      kernel_regularizer, bias_regularizer: functions from a variable to a loss, or Keras' names.
      activity_regularizer: function from the outputs to a loss, in graphs alone.
      kernel_constraint, bias_constraint: projections after an optimizer's update, or Keras' names.
      trainable, name: as for `Layer`.

    Raises:
      ValueError: when called, for inputs of a rank below 2 or with an unknown last dimension.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     layer = hf.layers.Dense(2, kernel_initializer="ones", kernel_constraint="non_neg")
    ...     print(layer(hf.constant([[1.0, 2.0, 3.0]])).numpy(), layer.count_params())
    [[6. 6.]] 8
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = None,
        bias_initializer: Any = _ZEROS,
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        trainable: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            trainable=trainable, name=name, activity_regularizer=activity_regularizer, **kwargs
        )
        self.units = units
        check_activation(activation)
        self.activation = activation
        self.use_bias = use_bias
        self.kernel_initializer = kernel_initializer
        self.bias_initializer = bias_initializer
        self.kernel_regularizer = kernel_regularizer
        self.bias_regularizer = bias_regularizer
        self.kernel_constraint = kernel_constraint
        self.bias_constraint = bias_constraint
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape: Any) -> None:
        """Makes kernel and bias."""
        dtype = dtypes.as_dtype(self.dtype or dtypes.float32)
        if not dtype.is_floating and not dtype.is_complex:
            raise DTypeError(
                f"Unable to build `Dense` layer with non-floating point dtype {dtype.name}: its "
                "weights could not be trained. `hf.to_float(inputs)` converts the inputs."
            )
        size = dimension_at_index(TensorShape(input_shape), -1).value
        if size is None:
            raise ValueError(
                "The last dimension of the inputs to `Dense` should be defined. Found `None`."
            )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: size})
        self.kernel = self.add_variable(
            "kernel",
            shape=[size, self.units],
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_variable(
                "bias",
                shape=[self.units],
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.built = True

    def call(self, inputs: Any) -> Any:  # type: ignore[override]
        """Computes the outputs."""
        inputs = convert_to_tensor(inputs, dtype=self.dtype)
        sizes = inputs.shape.as_list()
        if len(sizes) > 2:
            outputs = tensordot(inputs, self.kernel, [[len(sizes) - 1], [0]])
            outputs.set_shape([*sizes[:-1], self.units])
        else:
            outputs = matmul(inputs, self.kernel)
        if self.bias is not None:
            outputs = bias_add(outputs, self.bias)
        return outputs if self.activation is None else self.activation(outputs)

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """The shape of the inputs with `units` as the last size."""
        known = TensorShape(input_shape).with_rank_at_least(2)
        if dimension_at_index(known, -1).value is None:
            raise ValueError(
                f"The innermost dimension of input_shape must be defined, but saw: {known}"
            )
        return known[:-1].concatenate(self.units)


def dense(
    inputs: Any,
    units: int,
    activation: Any = None,
    use_bias: bool = True,
    kernel_initializer: Any = None,
    bias_initializer: Any = _ZEROS,
    kernel_regularizer: Any = None,
    bias_regularizer: Any = None,
    activity_regularizer: Any = None,
    kernel_constraint: Any = None,
    bias_constraint: Any = None,
    trainable: bool = True,
    name: str | None = None,
    reuse: Any = None,
) -> Tensor:
    """Makes a `Dense` layer and calls it: `activation(inputs @ kernel + bias)`.

    Args:
      inputs: tensor `[batch, ..., size]`.
      name: name of the variable scope; "dense", made unique, by default.
      reuse: as for `hf.variable_scope`: whether variables of that name are used again.
      units, activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer,
        bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint, trainable: as
        for `Dense`.

    Returns: a tensor `[batch, ..., units]`.

    Raises:
      ValueError: for inputs of a rank below 2 or with an unknown last dimension.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     y = hf.layers.dense(hf.placeholder(hf.float32, [None, 4]), 3, hf.nn.relu)
    ...     print(y.name, y.shape, [v.name for v in hf.global_variables()])
    dense/Relu:0 (?, 3) ['dense/kernel:0', 'dense/bias:0']
    """
    inputs = with_dtype(inputs)
    layer = Dense(
        units,
        activation=activation,
        use_bias=use_bias,
        kernel_initializer=kernel_initializer,
        bias_initializer=bias_initializer,
        kernel_regularizer=kernel_regularizer,
        bias_regularizer=bias_regularizer,
        activity_regularizer=activity_regularizer,
        kernel_constraint=kernel_constraint,
        bias_constraint=bias_constraint,
        trainable=trainable,
        name=name,
        dtype=inputs.dtype.base_dtype,
        _scope=name,
        _reuse=reuse,
    )
    return layer(inputs)


class Dropout(Layer):
    """While training, sets a share of the inputs to 0 and scales the others by 1 / (1 - rate).

    Args:
      rate: the share that is dropped, in [0, 1).
      noise_shape: shape of the mask, which is broadcast; None stands for a size of the inputs.
      seed: op seed of the mask.
      name: as for `Layer`.

    It is called as `layer(inputs, training=False)`; `training` is a bool or a bool tensor.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.layers.Dropout(0.5)(hf.ones([3])).numpy())
    [1. 1. 1.]

    References: N. Srivastava et al., Dropout, JMLR 15, 2014.
    """

    def __init__(
        self,
        rate: Any = 0.5,
        noise_shape: Any = None,
        seed: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.rate = rate
        self.noise_shape = noise_shape
        self.seed = seed

    def _noise_shape(self, inputs: Any) -> Any:
        if not isinstance(self.noise_shape, (list, tuple)) or None not in self.noise_shape:
            return self.noise_shape
        sizes = shape(inputs)
        return [sizes[axis] if n is None else n for axis, n in enumerate(self.noise_shape)]

    def call(self, inputs: Any, training: Any = False) -> Any:  # type: ignore[override]
        """Drops while training."""

        def dropped() -> Any:
            is_number = isinstance(self.rate, numbers.Real)
            if isinstance(self.rate, str) or (is_number and not 0 <= self.rate < 1):
                raise ValueError(f"The `rate` of a dropout is in [0, 1). Received: {self.rate!r}")
            return nn_dropout(
                inputs, 1 - self.rate, noise_shape=self._noise_shape(inputs), seed=self.seed
            )

        return smart_cond(training, dropped, lambda: identity(inputs))


def dropout(
    inputs: Any,
    rate: Any = 0.5,
    noise_shape: Any = None,
    seed: int | None = None,
    training: Any = False,
    name: str | None = None,
) -> Tensor:
    """Makes a `Dropout` layer and calls it.

    Args:
      inputs: tensor of a float dtype.
      rate, noise_shape, seed, name: as for `Dropout`. (`rate` is dropped; `hf.nn.dropout` takes the
        share that is kept.)
      training: whether to drop: a bool, or a bool tensor.

    Returns: a tensor like `inputs`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.layers.dropout(hf.ones([100]), 0.5, seed=1, training=True).numpy().max())
    2.0
    """
    layer = Dropout(rate, noise_shape=noise_shape, seed=seed, name=name)
    return layer(inputs, training=training)


class Flatten(Layer):
    """Makes one dimension of all but the first.

    Args:
      trainable, name, dtype: as for `Layer`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.layers.Flatten()(hf.zeros([2, 3, 4])).shape)
    (2, 12)
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.input_spec = InputSpec(min_ndim=2)

    def call(self, inputs: Any) -> Any:  # type: ignore[override]
        """Flattens the inputs."""
        outputs = reshape(inputs, (shape(inputs)[0], -1))
        outputs.set_shape(self.compute_output_shape(inputs.shape))
        return outputs

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """The first size, and the product of the others."""
        first, *others = TensorShape(input_shape).as_list()
        return TensorShape([first, None if None in others else math.prod(others)])


def flatten(inputs: Any, name: str | None = None) -> Tensor:
    """Makes a `Flatten` layer and calls it.

    Args:
      inputs: tensor `[batch, ...]`.
      name: name of the layer.

    Returns: a tensor `[batch, size]`.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     print(hf.layers.flatten(hf.placeholder(hf.float32, [None, 3, 4])).shape)
    (?, 12)
    """
    return Flatten(name=name)(inputs)
