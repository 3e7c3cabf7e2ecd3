"""Functions that make pooling layers and call them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.layers.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "average_pooling1d",
    "average_pooling2d",
    "average_pooling3d",
    "max_pooling1d",
    "max_pooling2d",
    "max_pooling3d",
]


def average_pooling1d(
    inputs: Any,
    pool_size: Any,
    strides: Any,
    padding: str = "valid",
    data_format: str = "channels_last",
    name: str | None = None,
) -> Tensor:
    """Makes a `AveragePooling1D` layer and calls it: the mean of each window.

    Args:
      inputs: tensor `[batch, length, channels]`.
      pool_size, strides, padding, data_format, name: as for `AveragePooling1D`.

    Returns: a tensor with as many channels.

    Raises:
      ValueError: for arguments or inputs that do not fit.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     print(hf.layers.average_pooling1d(hf.placeholder(hf.float32, [1, 4, 2]), 2, 2).shape)
    (1, 2, 2)
    """
    return AveragePooling1D(pool_size, strides, padding, data_format, name)(inputs)


def average_pooling2d(
    inputs: Any,
    pool_size: Any,
    strides: Any,
    padding: str = "valid",
    data_format: str = "channels_last",
    name: str | None = None,
) -> Tensor:
    """Makes a `AveragePooling2D` layer and calls it: the mean of each window.

    Args:
      inputs: tensor `[batch, height, width, channels]`.
      pool_size, strides, padding, data_format, name: as for `AveragePooling2D`.

    Returns: a tensor with as many channels.

    Raises:
      ValueError: for arguments or inputs that do not fit.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     print(hf.layers.average_pooling2d(hf.placeholder(hf.float32, [1, 4, 4, 2]), 2, 2).shape)
    (1, 2, 2, 2)
    """
    return AveragePooling2D(pool_size, strides, padding, data_format, name)(inputs)


def average_pooling3d(
    inputs: Any,
    pool_size: Any,
    strides: Any,
    padding: str = "valid",
    data_format: str = "channels_last",
    name: str | None = None,
) -> Tensor:
    """Makes a `AveragePooling3D` layer and calls it: the mean of each window.

    Args:
      inputs: tensor `[batch, depth, height, width, channels]`.
      pool_size, strides, padding, data_format, name: as for `AveragePooling3D`.

    Returns: a tensor with as many channels.

    Raises:
      ValueError: for arguments or inputs that do not fit.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     x = hf.placeholder(hf.float32, [1, 4, 4, 4, 2])
    ...     print(hf.layers.average_pooling3d(x, 2, 2).shape)
    (1, 2, 2, 2, 2)
    """
    return AveragePooling3D(pool_size, strides, padding, data_format, name)(inputs)


def max_pooling1d(
    inputs: Any,
    pool_size: Any,
    strides: Any,
    padding: str = "valid",
    data_format: str = "channels_last",
    name: str | None = None,
) -> Tensor:
    """Makes a `MaxPooling1D` layer and calls it: the largest element of each window.

    Args:
      inputs: tensor `[batch, length, channels]`.
      pool_size, strides, padding, data_format, name: as for `MaxPooling1D`.

    Returns: a tensor with as many channels.

    Raises:
      ValueError: for arguments or inputs that do not fit.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     print(hf.layers.max_pooling1d(hf.placeholder(hf.float32, [1, 4, 2]), 2, 2).shape)
    (1, 2, 2)
    """
    return MaxPooling1D(pool_size, strides, padding, data_format, name)(inputs)


def max_pooling2d(
    inputs: Any,
    pool_size: Any,
    strides: Any,
    padding: str = "valid",
    data_format: str = "channels_last",
    name: str | None = None,
) -> Tensor:
    """Makes a `MaxPooling2D` layer and calls it: the largest element of each window.

    Args:
      inputs: tensor `[batch, height, width, channels]`.
      pool_size, strides, padding, data_format, name: as for `MaxPooling2D`.

    Returns: a tensor with as many channels.

    Raises:
      ValueError: for arguments or inputs that do not fit.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     print(hf.layers.max_pooling2d(hf.placeholder(hf.float32, [1, 4, 4, 2]), 2, 2).shape)
    (1, 2, 2, 2)
    """
    return MaxPooling2D(pool_size, strides, padding, data_format, name)(inputs)


def max_pooling3d(
    inputs: Any,
    pool_size: Any,
    strides: Any,
    padding: str = "valid",
    data_format: str = "channels_last",
    name: str | None = None,
) -> Tensor:
    """Makes a `MaxPooling3D` layer and calls it: the largest element of each window.

    Args:
      inputs: tensor `[batch, depth, height, width, channels]`.
      pool_size, strides, padding, data_format, name: as for `MaxPooling3D`.

    Returns: a tensor with as many channels.

    Raises:
      ValueError: for arguments or inputs that do not fit.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     print(hf.layers.max_pooling3d(hf.placeholder(hf.float32, [1, 4, 4, 4, 2]), 2, 2).shape)
    (1, 2, 2, 2, 2)
    """
    return MaxPooling3D(pool_size, strides, padding, data_format, name)(inputs)
