"""Separable convolutions: one of each channel, then one of size 1 that mixes channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.layers.arguments import convert_data_format, with_dtype
from hybridflow._src.layers.convolution import ZEROS, Convolution
from hybridflow._src.ops.arrays.reshaping import expand_dims, squeeze
from hybridflow._src.ops.convolution.general import separable_conv2d as nn_separable_conv2d
from hybridflow._src.ops.nn.basic import bias_add

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["SeparableConv1D", "SeparableConv2D", "separable_conv1d", "separable_conv2d"]


class _Separable(Convolution):
    """What separable convolutions of `rank` dimensions have in common."""

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: Any,
        strides: Any,
        padding: str,
        data_format: str,
        dilation_rate: Any,
        depth_multiplier: int,
        depthwise_initializer: Any,
        pointwise_initializer: Any,
        depthwise_regularizer: Any,
        pointwise_regularizer: Any,
        depthwise_constraint: Any,
        pointwise_constraint: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            rank, filters, kernel_size, strides, padding, data_format, dilation_rate, **kwargs
        )
        self.depth_multiplier = depth_multiplier
        self.depthwise_initializer = depthwise_initializer
        self.pointwise_initializer = pointwise_initializer
        self.depthwise_regularizer = depthwise_regularizer
        self.pointwise_regularizer = pointwise_regularizer
        self.depthwise_constraint = depthwise_constraint
        self.pointwise_constraint = pointwise_constraint

    def _add_kernels(self, channels: int) -> None:
        self.depthwise_kernel = self.add_variable(
            "depthwise_kernel",
            shape=(*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        self.pointwise_kernel = self.add_variable(
            "pointwise_kernel",
            shape=(*[1] * self.rank, self.depth_multiplier * channels, self.filters),
            initializer=self.pointwise_initializer,
            regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint,
        )

    def _convolved(self, inputs: Any, depthwise: Any, pointwise: Any, rate: Any) -> Any:
        """The convolution of images by kernels of two dimensions."""
        last = self.data_format == "channels_last"
        strides = self.strides * (3 - self.rank)  # of a sequence both are the same
        return nn_separable_conv2d(
            inputs,
            depthwise,
            pointwise,
            strides=(1, *strides, 1) if last else (1, 1, *strides),
            padding=self.padding.upper(),
            rate=rate,
            data_format=convert_data_format(self.data_format, 4),
        )


class SeparableConv1D(_Separable):
    """Convolution of each channel by itself, then a mixture of all channels at each place.

    Its variables are `depthwise_kernel` `[size, channels, depth_multiplier]`,
    `pointwise_kernel` `[1, channels * depth_multiplier, filters]` and `bias` `[filters]`.

    Args:
      filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
        bias_initializer, bias_regularizer, activity_regularizer, bias_constraint, trainable, name:
        as for `Conv1D`.
      depth_multiplier: how many channels the first convolution makes of each.
      depthwise_initializer, pointwise_initializer, depthwise_regularizer, pointwise_regularizer,
        depthwise_constraint, pointwise_constraint: for the two kernels.

    Raises:
      ValueError: as for `Conv1D`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     layer = hf.layers.SeparableConv1D(4, 3)
    ...     print(layer(hf.ones([1, 5, 2])).shape, layer.count_params())
    (1, 3, 4) 18
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str = "channels_last",
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = None,
        pointwise_initializer: Any = None,
        bias_initializer: Any = ZEROS,
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
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
            depth_multiplier,
            depthwise_initializer,
            pointwise_initializer,
            depthwise_regularizer,
            pointwise_regularizer,
            depthwise_constraint,
            pointwise_constraint,
            activation=activation,
            use_bias=use_bias,
            bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            bias_constraint=bias_constraint,
            trainable=trainable,
            name=name,
            **kwargs,
        )

    def call(self, inputs: Any) -> Any:  # type: ignore[override]
        """Computes the outputs: those of images that are one row high."""
        row = 1 if self.data_format == "channels_last" else 2
        kernels = expand_dims(self.depthwise_kernel, 0), expand_dims(self.pointwise_kernel, 0)
        rate = (1, *self.dilation_rate)
        outputs = self._convolved(expand_dims(inputs, row), *kernels, rate)
        if self.bias is not None:
            data_format = convert_data_format(self.data_format, 4)
            outputs = bias_add(outputs, self.bias, data_format=data_format)
        outputs = squeeze(outputs, [row])
        return outputs if self.activation is None else self.activation(outputs)


class SeparableConv2D(_Separable):
    """Convolution of each channel by itself, then a mixture of all channels at each place.

    Its variables are `depthwise_kernel` `[height, width, channels, depth_multiplier]`,
    `pointwise_kernel` `[1, 1, channels * depth_multiplier, filters]` and `bias` `[filters]`.

    Args:
      filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
        bias_initializer, bias_regularizer, activity_regularizer, bias_constraint, trainable, name:
        as for `Conv2D`; the strides of both dimensions must be the same.
      depth_multiplier: how many channels the first convolution makes of each.
      depthwise_initializer, pointwise_initializer, depthwise_regularizer, pointwise_regularizer,
        depthwise_constraint, pointwise_constraint: for the two kernels.

    Raises:
      ValueError: as for `Conv2D`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     layer = hf.layers.SeparableConv2D(4, 3)
    ...     print(layer(hf.ones([1, 5, 5, 2])).shape, layer.count_params())
    (1, 3, 3, 4) 30
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str = "channels_last",
        dilation_rate: Any = (1, 1),
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = None,
        pointwise_initializer: Any = None,
        bias_initializer: Any = ZEROS,
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
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
            depth_multiplier,
            depthwise_initializer,
            pointwise_initializer,
            depthwise_regularizer,
            pointwise_regularizer,
            depthwise_constraint,
            pointwise_constraint,
            activation=activation,
            use_bias=use_bias,
            bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            bias_constraint=bias_constraint,
            trainable=trainable,
            name=name,
            **kwargs,
        )

    def call(self, inputs: Any) -> Any:  # type: ignore[override]
        """Computes the outputs."""
        kernels = self.depthwise_kernel, self.pointwise_kernel
        return self._finished(self._convolved(inputs, *kernels, self.dilation_rate))


def separable_conv1d(
    inputs: Any,
    filters: int,
    kernel_size: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str = "channels_last",
    dilation_rate: Any = 1,
    depth_multiplier: int = 1,
    activation: Any = None,
    use_bias: bool = True,
    depthwise_initializer: Any = None,
    pointwise_initializer: Any = None,
    bias_initializer: Any = ZEROS,
    depthwise_regularizer: Any = None,
    pointwise_regularizer: Any = None,
    bias_regularizer: Any = None,
    activity_regularizer: Any = None,
    depthwise_constraint: Any = None,
    pointwise_constraint: Any = None,
    bias_constraint: Any = None,
    trainable: bool = True,
    name: str | None = None,
    reuse: Any = None,
) -> Tensor:
    """Makes a `SeparableConv1D` layer and calls it.

    Args:
      inputs: tensor `[batch, length, channels]`.
      name: name of the variable scope; "separable_conv1d", made unique, by default.
      reuse: as for `hf.variable_scope`: whether variables of that name are used again.
      filters, kernel_size, strides, padding, data_format, dilation_rate, depth_multiplier,
        activation, use_bias, depthwise_initializer, pointwise_initializer, bias_initializer,
        depthwise_regularizer, pointwise_regularizer, bias_regularizer, activity_regularizer,
        depthwise_constraint, pointwise_constraint, bias_constraint, trainable: as for
        `SeparableConv1D`.

    Returns: a tensor with `filters` channels.

    Raises:
      ValueError: for arguments or inputs that do not fit.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     y = hf.layers.separable_conv1d(hf.placeholder(hf.float32, [None, 5, 2]), 4, 3)
    ...     print(y.name, y.shape)
    separable_conv1d/Squeeze:0 (?, 3, 4)
    """
    inputs = with_dtype(inputs)
    layer = SeparableConv1D(
        filters,
        kernel_size,
        strides,
        padding,
        data_format,
        dilation_rate,
        depth_multiplier,
        activation=activation,
        use_bias=use_bias,
        depthwise_initializer=depthwise_initializer,
        pointwise_initializer=pointwise_initializer,
        bias_initializer=bias_initializer,
        depthwise_regularizer=depthwise_regularizer,
        pointwise_regularizer=pointwise_regularizer,
        bias_regularizer=bias_regularizer,
        activity_regularizer=activity_regularizer,
        depthwise_constraint=depthwise_constraint,
        pointwise_constraint=pointwise_constraint,
        bias_constraint=bias_constraint,
        trainable=trainable,
        name=name,
        dtype=inputs.dtype.base_dtype,
        _scope=name,
        _reuse=reuse,
    )
    return layer(inputs)


def separable_conv2d(
    inputs: Any,
    filters: int,
    kernel_size: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str = "channels_last",
    dilation_rate: Any = (1, 1),
    depth_multiplier: int = 1,
    activation: Any = None,
    use_bias: bool = True,
    depthwise_initializer: Any = None,
    pointwise_initializer: Any = None,
    bias_initializer: Any = ZEROS,
    depthwise_regularizer: Any = None,
    pointwise_regularizer: Any = None,
    bias_regularizer: Any = None,
    activity_regularizer: Any = None,
    depthwise_constraint: Any = None,
    pointwise_constraint: Any = None,
    bias_constraint: Any = None,
    trainable: bool = True,
    name: str | None = None,
    reuse: Any = None,
) -> Tensor:
    """Makes a `SeparableConv2D` layer and calls it.

    Args:
      inputs: tensor `[batch, height, width, channels]`.
      name: name of the variable scope; "separable_conv2d", made unique, by default.
      reuse: as for `hf.variable_scope`: whether variables of that name are used again.
      filters, kernel_size, strides, padding, data_format, dilation_rate, depth_multiplier,
        activation, use_bias, depthwise_initializer, pointwise_initializer, bias_initializer,
        depthwise_regularizer, pointwise_regularizer, bias_regularizer, activity_regularizer,
        depthwise_constraint, pointwise_constraint, bias_constraint, trainable: as for
        `SeparableConv2D`.

    Returns: a tensor with `filters` channels.

    Raises:
      ValueError: for arguments or inputs that do not fit.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     y = hf.layers.separable_conv2d(hf.placeholder(hf.float32, [None, 5, 5, 2]), 4, 3)
    ...     print(y.name, y.shape)
    separable_conv2d/BiasAdd:0 (?, 3, 3, 4)
    """
    inputs = with_dtype(inputs)
    layer = SeparableConv2D(
        filters,
        kernel_size,
        strides,
        padding,
        data_format,
        dilation_rate,
        depth_multiplier,
        activation=activation,
        use_bias=use_bias,
        depthwise_initializer=depthwise_initializer,
        pointwise_initializer=pointwise_initializer,
        bias_initializer=bias_initializer,
        depthwise_regularizer=depthwise_regularizer,
        pointwise_regularizer=pointwise_regularizer,
        bias_regularizer=bias_regularizer,
        activity_regularizer=activity_regularizer,
        depthwise_constraint=depthwise_constraint,
        pointwise_constraint=pointwise_constraint,
        bias_constraint=bias_constraint,
        trainable=trainable,
        name=name,
        dtype=inputs.dtype.base_dtype,
        _scope=name,
        _reuse=reuse,
    )
    return layer(inputs)
