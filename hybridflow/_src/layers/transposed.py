"""Transposed convolutions: layers that make images and volumes larger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.layers.arguments import (
    around_space,
    convert_data_format,
    deconv_output_length,
    space_of,
    with_dtype,
)
from hybridflow._src.layers.convolution import ZEROS, Conv2D, Conv3D, Convolution
from hybridflow._src.ops.arrays.joining import stack
from hybridflow._src.ops.arrays.shape_ops import shape
from hybridflow._src.ops.convolution.transposed import conv2d_transpose as nn_conv2d_transpose
from hybridflow._src.ops.convolution.transposed import conv3d_transpose as nn_conv3d_transpose

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["Conv2DTranspose", "Conv3DTranspose", "conv2d_transpose", "conv3d_transpose"]

_OPS = {2: nn_conv2d_transpose, 3: nn_conv3d_transpose}


class _Transposed(Convolution):
    """What transposed convolutions have in common: kernels `[*sizes, filters, channels]`."""

    def _kernel_shape(self, channels: int) -> tuple[int, ...]:
        return (*self.kernel_size, self.filters, channels)

    def _output_length(self, length: Any, axis: int) -> Any:
        size, stride = self.kernel_size[axis], self.strides[axis]
        return deconv_output_length(length, size, self.padding, stride)

    def call(self, inputs: Any) -> Any:  # type: ignore[override]
        """Computes the outputs."""
        sizes = shape(inputs)
        known = inputs.shape.as_list()
        axes = space_of(range(self.rank + 2), self.data_format)
        space = [
            self._output_length(sizes[at] if known[at] is None else known[at], axis)
            for axis, at in enumerate(axes)
        ]
        batch = sizes[0] if known[0] is None else known[0]
        outputs = _OPS[self.rank](
            inputs,
            self.kernel,
            stack(around_space(batch, space, self.filters, self.data_format)),
            around_space(1, self.strides, 1, self.data_format),
            padding=self.padding.upper(),
            data_format=convert_data_format(self.data_format, self.rank + 2),
        )
        outputs.set_shape(self.compute_output_shape(inputs.shape))
        return self._finished(outputs)


class Conv2DTranspose(_Transposed, Conv2D):
    """The transpose of a convolution of images: each input is spread over a window of the outputs.

    Its variables are `kernel` `[*kernel_size, filters, channels]` and `bias` `[filters]`.

    Args:
      filters: number of channels of the outputs.
      kernel_size: size of the windows, 2 numbers (one number stands for all).
      strides: how far the windows are apart in the outputs, likewise.
      padding: "valid", or "same": then the outputs are `strides` times as large as the inputs.
      data_format: "channels_last" for `[batch, height, width, channels]`, or "channels_first".
      activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer,
        bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint, trainable, name:
        as for `Conv2D`.

    Raises:
      ValueError: as for `Conv2D`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     print(hf.layers.Conv2DTranspose(4, 3)(hf.ones([1, 5, 5, 2])).shape)
    (1, 7, 7, 4)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str = "channels_last",
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
        Conv2D.__init__(
            self,
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
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


def conv2d_transpose(
    inputs: Any,
    filters: int,
    kernel_size: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str = "channels_last",
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
    """Makes a `Conv2DTranspose` layer and calls it.

    Args:
      inputs: tensor `[batch, height, width, channels]`.
      name: name of the variable scope; "conv2d_transpose", made unique, by default.
      reuse: as for `hf.variable_scope`: whether variables of that name are used again.
      filters, kernel_size, strides, padding, data_format, activation, use_bias, kernel_initializer,
        bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
        kernel_constraint, bias_constraint, trainable: as for `Conv2DTranspose`.

    Returns: a tensor with `filters` channels.

    Raises:
      ValueError: for arguments or inputs that do not fit.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     x = hf.placeholder(hf.float32, [None, 5, 5, 2])
    ...     print(hf.layers.conv2d_transpose(x, 4, 3, 2, "same").shape)
    (?, 10, 10, 4)
    """
    inputs = with_dtype(inputs)
    layer = Conv2DTranspose(
        filters,
        kernel_size,
        strides,
        padding,
        data_format,
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


class Conv3DTranspose(_Transposed, Conv3D):
    """The transpose of a convolution of volumes: each input is spread over a window of the outputs.

    Its variables are `kernel` `[*kernel_size, filters, channels]` and `bias` `[filters]`.

    Args:
      filters: number of channels of the outputs.
      kernel_size: size of the windows, 3 numbers (one number stands for all).
      strides: how far the windows are apart in the outputs, likewise.
      padding: "valid", or "same": then the outputs are `strides` times as large as the inputs.
      data_format: "channels_last" for `[batch, depth, height, width, channels]`, or
        "channels_first".
      activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer,
        bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint, trainable, name:
        as for `Conv3D`.

    Raises:
      ValueError: as for `Conv3D`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     print(hf.layers.Conv3DTranspose(4, 3)(hf.ones([1, 5, 5, 5, 2])).shape)
    (1, 7, 7, 7, 4)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1, 1),
        padding: str = "valid",
        data_format: str = "channels_last",
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
        Conv3D.__init__(
            self,
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
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


def conv3d_transpose(
    inputs: Any,
    filters: int,
    kernel_size: Any,
    strides: Any = (1, 1, 1),
    padding: str = "valid",
    data_format: str = "channels_last",
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
    """Makes a `Conv3DTranspose` layer and calls it.

    Args:
      inputs: tensor `[batch, depth, height, width, channels]`.
      name: name of the variable scope; "conv3d_transpose", made unique, by default.
      reuse: as for `hf.variable_scope`: whether variables of that name are used again.
      filters, kernel_size, strides, padding, data_format, activation, use_bias, kernel_initializer,
        bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
        kernel_constraint, bias_constraint, trainable: as for `Conv3DTranspose`.

    Returns: a tensor with `filters` channels.

    Raises:
      ValueError: for arguments or inputs that do not fit.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     x = hf.placeholder(hf.float32, [None, 5, 5, 5, 2])
    ...     print(hf.layers.conv3d_transpose(x, 4, 3, 2, "same").shape)
    (?, 10, 10, 10, 4)
    """
    inputs = with_dtype(inputs)
    layer = Conv3DTranspose(
        filters,
        kernel_size,
        strides,
        padding,
        data_format,
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
