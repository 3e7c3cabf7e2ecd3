"""Convolutional layers: filters moved over sequences, images and volumes."""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.layers.arguments import (
    around_space,
    channel_axis,
    check_activation,
    conv_output_length,
    convert_data_format,
    known_channels,
    normalize_data_format,
    normalize_padding,
    normalize_tuple,
    space_of,
)
from hybridflow._src.layers.input_spec import InputSpec
from hybridflow._src.layers.layer import Layer
from hybridflow._src.ops.arrays.reshaping import reshape
from hybridflow._src.ops.convolution.general import convolution
from hybridflow._src.ops.nn.basic import bias_add
from hybridflow._src.variables.initializers import Zeros

__all__ = ["Conv1D", "Conv2D", "Conv3D"]

ZEROS = Zeros()
# What TensorFlow calls the operation, by the number of dimensions.
_OPS = {1: "conv1d", 2: "Conv2D", 3: "Conv3D"}


class Convolution(Layer):
    """What convolutional layers of `rank` dimensions have in common.

    Their variables are `kernel` `[*kernel_size, channels, filters]` and `bias` `[filters]`.
    """

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str = "channels_last",
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = None,
        bias_initializer: Any = ZEROS,
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
        self.rank = rank
        if filters < 1:
            raise ValueError(f"The `filters` argument must be at least 1. Received: {filters}")
        self.filters = filters
        self.kernel_size = normalize_tuple(kernel_size, rank, "kernel_size")
        self.strides = normalize_tuple(strides, rank, "strides")
        self.padding = normalize_padding(padding)
        self.data_format = normalize_data_format(data_format)
        self.dilation_rate = normalize_tuple(dilation_rate, rank, "dilation_rate")
        check_activation(activation)
        self.activation = activation
        self.use_bias = use_bias
        self.kernel_initializer = kernel_initializer
        self.bias_initializer = bias_initializer
        self.kernel_regularizer = kernel_regularizer
        self.bias_regularizer = bias_regularizer
        self.kernel_constraint = kernel_constraint
        self.bias_constraint = bias_constraint
        self.input_spec = InputSpec(ndim=rank + 2)

    def _kernel_shape(self, channels: int) -> tuple[int, ...]:
        return (*self.kernel_size, channels, self.filters)

    def build(self, input_shape: Any) -> None:
        """Makes kernel and bias."""
        axis = channel_axis(self.data_format)
        channels = known_channels(type(self).__name__, TensorShape(input_shape), axis)
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})
        self._add_kernels(channels)
        self.bias = None
        if self.use_bias:
            self.bias = self.add_variable(
                "bias",
                shape=(self.filters,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.built = True

    def _add_kernels(self, channels: int) -> None:
        self.kernel = self.add_variable(
            "kernel",
            shape=self._kernel_shape(channels),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )

    def call(self, inputs: Any) -> Any:  # type: ignore[override]
        """Computes the outputs."""
        plain = all(rate == 1 for rate in self.dilation_rate)
        outputs = convolution(
            inputs,
            self.kernel,
            self.padding.upper(),
            strides=self.strides,
            dilation_rate=self.dilation_rate,
            name=_OPS[self.rank] if plain else None,
            data_format=convert_data_format(self.data_format, self.rank + 2),
        )
        return self._finished(outputs)

    def _finished(self, outputs: Any) -> Any:
        """The outputs with bias and activation."""
        if self.bias is not None:
            if self.data_format == "channels_last" or self.rank == 2:
                last = self.data_format == "channels_last"
                outputs = bias_add(outputs, self.bias, data_format="NHWC" if last else "NCHW")
            else:
                outputs = outputs + reshape(self.bias, (1, self.filters, *[1] * self.rank))
        return outputs if self.activation is None else self.activation(outputs)

    def _output_length(self, length: int | None, axis: int) -> int | None:
        size, stride = self.kernel_size[axis], self.strides[axis]
        return conv_output_length(length, size, self.padding, stride, self.dilation_rate[axis])

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """The shape of the outputs for a shape of the inputs."""
        sizes = TensorShape(input_shape).as_list()
        space = space_of(sizes, self.data_format)
        lengths = [self._output_length(length, axis) for axis, length in enumerate(space)]
        return TensorShape(around_space(sizes[0], lengths, self.filters, self.data_format))


class Conv1D(Convolution):
    """Convolution of sequences: each output is a weighted sum over a window of the inputs.

    Its variables are `kernel` `[*kernel_size, channels, filters]` and `bias` `[filters]`.

    Args:
      filters: number of channels of the outputs.
      kernel_size: size of the windows, a number (one number stands for all).
      strides: how far the windows are apart, likewise.
      padding: "valid", or "same" to pad with zeros.
      data_format: "channels_last" for `[batch, length, channels]`, or "channels_first".
      dilation_rate: how far the elements of a window are apart; 1 unless `strides` is.
      activation: function of the outputs; None leaves them as they are.
      use_bias: whether there is a bias.
      kernel_initializer, bias_initializer: as for `hf.get_variable`, or Keras' names.
      kernel_regularizer, bias_regularizer: functions from a variable to a loss, or Keras' names.
      activity_regularizer: function from the outputs to a loss, in graphs alone.
      kernel_constraint, bias_constraint: projections after an optimizer's update, or Keras' names.
      trainable, name: as for `Layer`.

    Raises:
      ValueError: for arguments that do not fit; when called, for inputs of another rank or with an
        unknown number of channels.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     print(hf.layers.Conv1D(4, 3)(hf.ones([1, 5, 2])).shape)
    (1, 3, 4)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str = "channels_last",
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = None,
        bias_initializer: Any = ZEROS,
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
            1,
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
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
            **kwargs,
        )


class Conv2D(Convolution):
    """Convolution of images: each output is a weighted sum over a window of the inputs.

    Its variables are `kernel` `[*kernel_size, channels, filters]` and `bias` `[filters]`.

    Args:
      filters: number of channels of the outputs.
      kernel_size: size of the windows, 2 numbers (one number stands for all).
      strides: how far the windows are apart, likewise.
      padding: "valid", or "same" to pad with zeros.
      data_format: "channels_last" for `[batch, height, width, channels]`, or "channels_first".
      dilation_rate: how far the elements of a window are apart; 1 unless `strides` is.
      activation: function of the outputs; None leaves them as they are.
      use_bias: whether there is a bias.
      kernel_initializer, bias_initializer: as for `hf.get_variable`, or Keras' names.
      kernel_regularizer, bias_regularizer: functions from a variable to a loss, or Keras' names.
      activity_regularizer: function from the outputs to a loss, in graphs alone.
      kernel_constraint, bias_constraint: projections after an optimizer's update, or Keras' names.
      trainable, name: as for `Layer`.

    Raises:
      ValueError: for arguments that do not fit; when called, for inputs of another rank or with an
        unknown number of channels.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     print(hf.layers.Conv2D(4, 3)(hf.ones([1, 5, 5, 2])).shape)
    (1, 3, 3, 4)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str = "channels_last",
        dilation_rate: Any = (1, 1),
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = None,
        bias_initializer: Any = ZEROS,
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
            2,
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
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
            **kwargs,
        )


class Conv3D(Convolution):
    """Convolution of volumes: each output is a weighted sum over a window of the inputs.

    Its variables are `kernel` `[*kernel_size, channels, filters]` and `bias` `[filters]`.

    Args:
      filters: number of channels of the outputs.
      kernel_size: size of the windows, 3 numbers (one number stands for all).
      strides: how far the windows are apart, likewise.
      padding: "valid", or "same" to pad with zeros.
      data_format: "channels_last" for `[batch, depth, height, width, channels]`, or
        "channels_first".
      dilation_rate: how far the elements of a window are apart; 1 unless `strides` is.
      activation: function of the outputs; None leaves them as they are.
      use_bias: whether there is a bias.
      kernel_initializer, bias_initializer: as for `hf.get_variable`, or Keras' names.
      kernel_regularizer, bias_regularizer: functions from a variable to a loss, or Keras' names.
      activity_regularizer: function from the outputs to a loss, in graphs alone.
      kernel_constraint, bias_constraint: projections after an optimizer's update, or Keras' names.
      trainable, name: as for `Layer`.

    Raises:
      ValueError: for arguments that do not fit; when called, for inputs of another rank or with an
        unknown number of channels.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     print(hf.layers.Conv3D(4, 3)(hf.ones([1, 5, 5, 5, 2])).shape)
    (1, 3, 3, 3, 4)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1, 1),
        padding: str = "valid",
        data_format: str = "channels_last",
        dilation_rate: Any = (1, 1, 1),
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = None,
        bias_initializer: Any = ZEROS,
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
            3,
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
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
            **kwargs,
        )
