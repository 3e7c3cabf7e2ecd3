"""Layers: functions of tensors with variables of their own."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.layers.convolution import Conv1D, Conv2D, Conv3D
    from hybridflow._src.layers.convolution_functions import conv1d, conv2d, conv3d
    from hybridflow._src.layers.core import Dense, Dropout, Flatten, dense, dropout, flatten
    from hybridflow._src.layers.input_layer import Input
    from hybridflow._src.layers.input_spec import InputSpec
    from hybridflow._src.layers.layer import Layer
    from hybridflow._src.layers.normalization import BatchNormalization
    from hybridflow._src.layers.normalization_function import batch_normalization
    from hybridflow._src.layers.pooling import (
        AveragePooling1D,
        AveragePooling2D,
        AveragePooling3D,
        MaxPooling1D,
        MaxPooling2D,
        MaxPooling3D,
    )
    from hybridflow._src.layers.pooling_functions import (
        average_pooling1d,
        average_pooling2d,
        average_pooling3d,
        max_pooling1d,
        max_pooling2d,
        max_pooling3d,
    )
    from hybridflow._src.layers.separable import (
        SeparableConv1D,
        SeparableConv2D,
        separable_conv1d,
        separable_conv2d,
    )
    from hybridflow._src.layers.transposed import (
        Conv2DTranspose,
        Conv3DTranspose,
        conv2d_transpose,
        conv3d_transpose,
    )

__all__ = [
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "BatchNormalization",
    "Conv1D",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "Dense",
    "Dropout",
    "Flatten",
    "Input",
    "InputSpec",
    "Layer",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "SeparableConv1D",
    "SeparableConv2D",
    "average_pooling1d",
    "average_pooling2d",
    "average_pooling3d",
    "batch_normalization",
    "conv1d",
    "conv2d",
    "conv2d_transpose",
    "conv3d",
    "conv3d_transpose",
    "dense",
    "dropout",
    "flatten",
    "max_pooling1d",
    "max_pooling2d",
    "max_pooling3d",
    "separable_conv1d",
    "separable_conv2d",
]
