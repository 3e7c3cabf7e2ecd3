"""`tensorflow.python.layers`: other names of layers."""

from __future__ import annotations

from hybridflow._src.layers.convolution import Conv1D, Conv2D, Conv3D
from hybridflow._src.layers.convolution_functions import conv1d, conv2d, conv3d
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
    "Convolution1D",
    "Convolution2D",
    "Convolution2DTranspose",
    "Convolution3D",
    "Convolution3DTranspose",
    "Deconvolution2D",
    "Deconvolution3D",
    "SeparableConvolution1D",
    "SeparableConvolution2D",
    "convolution1d",
    "convolution2d",
    "convolution2d_transpose",
    "convolution3d",
    "convolution3d_transpose",
    "deconvolution2d",
    "deconvolution3d",
    "separable_convolution1d",
    "separable_convolution2d",
]

Convolution1D = Conv1D
Convolution2D = Conv2D
Convolution3D = Conv3D
Convolution2DTranspose = Deconvolution2D = Conv2DTranspose
Convolution3DTranspose = Deconvolution3D = Conv3DTranspose
SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D
convolution1d = conv1d
convolution2d = conv2d
convolution3d = conv3d
convolution2d_transpose = deconvolution2d = conv2d_transpose
convolution3d_transpose = deconvolution3d = conv3d_transpose
separable_convolution1d = separable_conv1d
separable_convolution2d = separable_conv2d
