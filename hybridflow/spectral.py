"""Fourier and cosine transforms."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.ops.spectral.cosine import dct, idct
    from hybridflow._src.ops.spectral.fourier import fft, fft2d, fft3d, ifft, ifft2d, ifft3d
    from hybridflow._src.ops.spectral.real_fourier import (
        irfft,
        irfft2d,
        irfft3d,
        rfft,
        rfft2d,
        rfft3d,
    )

__all__ = [
    "dct",
    "idct",
    "fft",
    "fft2d",
    "fft3d",
    "ifft",
    "ifft2d",
    "ifft3d",
    "irfft",
    "irfft2d",
    "irfft3d",
    "rfft",
    "rfft2d",
    "rfft3d",
]
