"""Pooling layers: the mean or the largest of each window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.layers.arguments import (
    around_space,
    conv_output_length,
    convert_data_format,
    normalize_data_format,
    normalize_padding,
    normalize_tuple,
    space_of,
)
from hybridflow._src.layers.input_spec import InputSpec
from hybridflow._src.layers.layer import Layer
from hybridflow._src.ops.arrays.arranging import transpose
from hybridflow._src.ops.arrays.reshaping import expand_dims, squeeze
from hybridflow._src.ops.pooling.avg_pool import avg_pool
from hybridflow._src.ops.pooling.max_pool import max_pool
from hybridflow._src.ops.pooling.pool3d import avg_pool3d, max_pool3d

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
]


class Pooling(Layer):
    """What pooling layers have in common.

    Attributes:
      rank: the number of dimensions that are pooled.
      pool_function: the op.
    """

    rank: int
    pool_function: Callable[..., Any]

    def __init__(
        self,
        pool_size: Any,
        strides: Any,
        padding: str = "valid",
        data_format: str = "channels_last",
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.pool_size = normalize_tuple(pool_size, self.rank, "pool_size")
        self.strides = normalize_tuple(strides, self.rank, "strides")
        self.padding = normalize_padding(padding)
        self.data_format = normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:  # type: ignore[override]
        """Pools the inputs."""
        if self.rank == 1:
            return self._pooled_sequences(inputs)
        if self.rank == 3 and self.data_format == "channels_first":
            outputs = self._pooled(transpose(inputs, (0, 2, 3, 4, 1)), "channels_last")
            return transpose(outputs, (0, 4, 1, 2, 3))
        return self._pooled(inputs, self.data_format)

    def _pooled(self, inputs: Any, data_format: str) -> Any:
        return type(self).pool_function(
            inputs,
            ksize=around_space(1, self.pool_size, 1, data_format),
            strides=around_space(1, self.strides, 1, data_format),
            padding=self.padding.upper(),
            data_format=convert_data_format(data_format, self.rank + 2),
        )

    def _pooled_sequences(self, inputs: Any) -> Any:
        """Sequences are images of width 1. (TF 1.4 pools channels, where these come first.)"""
        axis = 2 if self.data_format == "channels_last" else 3
        outputs = type(self).pool_function(
            expand_dims(inputs, axis),
            ksize=around_space(1, (*self.pool_size, 1), 1, self.data_format),
            strides=around_space(1, (*self.strides, 1), 1, self.data_format),
            padding=self.padding.upper(),
            data_format=convert_data_format(self.data_format, 4),
        )
        return squeeze(outputs, axis)

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """The shape of the outputs for a shape of the inputs."""
        sizes = TensorShape(input_shape).as_list()
        windows = zip(space_of(sizes, self.data_format), self.pool_size, self.strides, strict=True)
        lengths = [conv_output_length(n, size, self.padding, step) for n, size, step in windows]
        channels = sizes[1 if self.data_format == "channels_first" else -1]
        return TensorShape(around_space(sizes[0], lengths, channels, self.data_format))


class AveragePooling1D(Pooling):
    """The mean of each window of sequences, channel by channel.

    Args:
      pool_size: size of the windows, a number.
      strides: how far the windows are apart, likewise.
      padding: "valid", or "same" for windows that reach over the edges.
      data_format: "channels_last" for `[batch, length, channels]`, or "channels_first".
      name: as for `Layer`.

    Raises:
      ValueError: for arguments that do not fit; when called, for inputs of another rank.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.layers.AveragePooling1D(2, 2)(hf.ones([1, 4, 2])).shape)
    (1, 2, 2)
    """

    rank = 1
    pool_function = staticmethod(avg_pool)


class AveragePooling2D(Pooling):
    """The mean of each window of images, channel by channel.

    Args:
      pool_size: size of the windows, 2 numbers (one number stands for all).
      strides: how far the windows are apart, likewise.
      padding: "valid", or "same" for windows that reach over the edges.
      data_format: "channels_last" for `[batch, height, width, channels]`, or "channels_first".
      name: as for `Layer`.

    Raises:
      ValueError: for arguments that do not fit; when called, for inputs of another rank.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.layers.AveragePooling2D(2, 2)(hf.ones([1, 4, 4, 2])).shape)
    (1, 2, 2, 2)
    """

    rank = 2
    pool_function = staticmethod(avg_pool)


class AveragePooling3D(Pooling):
    """The mean of each window of volumes, channel by channel.

    Args:
      pool_size: size of the windows, 3 numbers (one number stands for all).
      strides: how far the windows are apart, likewise.
      padding: "valid", or "same" for windows that reach over the edges.
      data_format: "channels_last" for `[batch, depth, height, width, channels]`, or
        "channels_first".
      name: as for `Layer`.

    Raises:
      ValueError: for arguments that do not fit; when called, for inputs of another rank.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.layers.AveragePooling3D(2, 2)(hf.ones([1, 4, 4, 4, 2])).shape)
    (1, 2, 2, 2, 2)
    """

    rank = 3
    pool_function = staticmethod(avg_pool3d)


class MaxPooling1D(Pooling):
    """The largest element of each window of sequences, channel by channel.

    Args:
      pool_size: size of the windows, a number.
      strides: how far the windows are apart, likewise.
      padding: "valid", or "same" for windows that reach over the edges.
      data_format: "channels_last" for `[batch, length, channels]`, or "channels_first".
      name: as for `Layer`.

    Raises:
      ValueError: for arguments that do not fit; when called, for inputs of another rank.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.layers.MaxPooling1D(2, 2)(hf.ones([1, 4, 2])).shape)
    (1, 2, 2)
    """

    rank = 1
    pool_function = staticmethod(max_pool)


class MaxPooling2D(Pooling):
    """The largest element of each window of images, channel by channel.

    Args:
      pool_size: size of the windows, 2 numbers (one number stands for all).
      strides: how far the windows are apart, likewise.
      padding: "valid", or "same" for windows that reach over the edges.
      data_format: "channels_last" for `[batch, height, width, channels]`, or "channels_first".
      name: as for `Layer`.

    Raises:
      ValueError: for arguments that do not fit; when called, for inputs of another rank.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.layers.MaxPooling2D(2, 2)(hf.ones([1, 4, 4, 2])).shape)
    (1, 2, 2, 2)
    """

    rank = 2
    pool_function = staticmethod(max_pool)


class MaxPooling3D(Pooling):
    """The largest element of each window of volumes, channel by channel.

    Args:
      pool_size: size of the windows, 3 numbers (one number stands for all).
      strides: how far the windows are apart, likewise.
      padding: "valid", or "same" for windows that reach over the edges.
      data_format: "channels_last" for `[batch, depth, height, width, channels]`, or
        "channels_first".
      name: as for `Layer`.

    Raises:
      ValueError: for arguments that do not fit; when called, for inputs of another rank.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.layers.MaxPooling3D(2, 2)(hf.ones([1, 4, 4, 4, 2])).shape)
    (1, 2, 2, 2, 2)
    """

    rank = 3
    pool_function = staticmethod(max_pool3d)
