"""Functions that make convolutional layers and call them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.layers.arguments import with_dtype
from hybridflow._src.layers.convolution import ZEROS, Conv1D, Conv2D, Conv3D

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["conv1d", "conv2d", "conv3d"]


def conv1d(
    inputs: Any,
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
    reuse: Any = None,
) -> Tensor:
    """Makes a `Conv1D` layer and calls it: convolution of sequences.

    Args:
      inputs: tensor `[batch, length, channels]`.
      name: name of the variable scope; "conv1d", made unique, by default.
      reuse: as for `hf.variable_scope`: whether variables of that name are used again.
      filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
        activity_regularizer, kernel_constraint, bias_constraint, trainable: as for `Conv1D`.

    Returns: a tensor with `filters` channels.

    Raises:
      ValueError: for arguments or inputs that do not fit.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     y = hf.layers.conv1d(hf.placeholder(hf.float32, [None, 5, 2]), 4, 3)
    ...     print(y.name, y.shape)
    conv1d/BiasAdd:0 (?, 3, 4)
    """
    inputs = with_dtype(inputs)
    layer = Conv1D(
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
        dtype=inputs.dtype.base_dtype,
        _scope=name,
        _reuse=reuse,
    )
    return layer(inputs)


def conv2d(
    inputs: Any,
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
    reuse: Any = None,
) -> Tensor:
    """Makes a `Conv2D` layer and calls it: convolution of images.

    Args:
      inputs: tensor `[batch, height, width, channels]`.
      name: name of the variable scope; "conv2d", made unique, by default.
      reuse: as for `hf.variable_scope`: whether variables of that name are used again.
      filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
        activity_regularizer, kernel_constraint, bias_constraint, trainable: as for `Conv2D`.

    Returns: a tensor with `filters` channels.

    Raises:
      ValueError: for arguments or inputs that do not fit.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     y = hf.layers.conv2d(hf.placeholder(hf.float32, [None, 5, 5, 2]), 4, 3)
    ...     print(y.name, y.shape)
    conv2d/BiasAdd:0 (?, 3, 3, 4)
    """
    inputs = with_dtype(inputs)
    layer = Conv2D(
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
        dtype=inputs.dtype.base_dtype,
        _scope=name,
        _reuse=reuse,
    )
    return layer(inputs)


def conv3d(
    inputs: Any,
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
    reuse: Any = None,
) -> Tensor:
    """Makes a `Conv3D` layer and calls it: convolution of volumes.

    Args:
      inputs: tensor `[batch, depth, height, width, channels]`.
      name: name of the variable scope; "conv3d", made unique, by default.
      reuse: as for `hf.variable_scope`: whether variables of that name are used again.
      filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
        activity_regularizer, kernel_constraint, bias_constraint, trainable: as for `Conv3D`.

    Returns: a tensor with `filters` channels.

    Raises:
      ValueError: for arguments or inputs that do not fit.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     y = hf.layers.conv3d(hf.placeholder(hf.float32, [None, 5, 5, 5, 2]), 4, 3)
    ...     print(y.name, y.shape)
    conv3d/BiasAdd:0 (?, 3, 3, 3, 4)
    """
    inputs = with_dtype(inputs)
    layer = Conv3D(
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
        dtype=inputs.dtype.base_dtype,
        _scope=name,
        _reuse=reuse,
    )
    return layer(inputs)
