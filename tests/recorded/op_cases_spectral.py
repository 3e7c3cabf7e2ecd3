"""Fourier and cosine transforms: cases for `record_family.py`."""

import numpy as np


def real(seed, *shape):
    """Float32 numbers with few digits."""
    return np.random.RandomState(seed).uniform(-1, 1, shape).round(2).astype("float32")


def complex_(seed, *shape):
    """Complex64 numbers with few digits."""
    return (real(seed, *shape) + 1j * real(seed + 100, *shape)).astype("complex64")


def cases():
    """Transforms over one to three axes, of even and odd, longer and shorter lengths."""
    sizes = (2, 4, 3, 6)
    for suffix, axes in (("", 1), ("2d", 2), ("3d", 3)):
        for shape in (sizes[-axes:], sizes[-axes - 1 :], (5,) * axes):
            label = "x".join(map(str, shape))
            for name in ("fft", "ifft"):
                yield name + suffix + "/" + label, name + suffix, [complex_(1, *shape)], {}
            half = (*shape[:-1], shape[-1] // 2 + 1)
            for last in (None, shape[-1], shape[-1] - 1, shape[-1] + 3):
                kwargs = {} if last is None else {"fft_length": [*shape[-axes:-1], last]}
                ident = f"{suffix}/{label}/{last}"
                yield "rfft" + ident, "spectral.rfft" + suffix, [real(2, *shape)], kwargs
                yield "irfft" + ident, "spectral.irfft" + suffix, [complex_(3, *half)], kwargs
    for size in (1, 4, 5):
        for norm in (None, "ortho"):
            for kind in (1, 2, 3):
                ident = f"dct/{size}/{norm}/{kind}"
                yield ident, "spectral.dct", [real(4, 2, size)], {"norm": norm, "type": kind}
