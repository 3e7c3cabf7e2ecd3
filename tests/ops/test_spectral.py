"""Fourier and cosine transforms: large and prime lengths, inverses, what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.fft

import hybridflow as hf
from tests.execution import Execution

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(("dtype", "near"), [(np.float32, 1e-4), (np.float64, 1e-11)])
@pytest.mark.parametrize("size", [1, 2, 17, 1021, 65536])
def test_inverses(size: int, dtype: Any, near: float, execution: Execution) -> None:
    x = RNG.normal(size=(2, size)).astype(dtype)
    wide = x.astype(np.result_type(dtype, np.complex64))
    np.testing.assert_allclose(execution(lambda t: hf.ifft(hf.fft(t)), wide), wide, 0, near)
    back = execution(lambda t: hf.spectral.irfft(hf.spectral.rfft(t), [size]), x)
    np.testing.assert_allclose(back, x, 0, near)
    assert back.dtype == dtype
    turned = lambda t: hf.spectral.dct(hf.spectral.dct(t, norm="ortho"), type=3, norm="ortho")  # noqa: E731
    np.testing.assert_allclose(execution(turned, x), x, 0, near)


def test_what_is_not_finite_stays_in_its_row(execution: Execution) -> None:
    x = RNG.normal(size=(3, 8)).astype(np.float32)
    x[1, 2] = np.inf
    y = execution(hf.spectral.rfft, x)
    assert not np.isfinite(y[1]).any()
    assert np.isfinite(y[[0, 2]]).all()


@pytest.mark.parametrize("n", [3, 5, 9])
def test_cosine_transforms_of_a_length(n: int, execution: Execution) -> None:
    x = RNG.normal(size=(2, 5))
    fitted = np.pad(x, [(0, 0), (0, 4)])[:, :n]
    wanted = execution(hf.spectral.dct, fitted)
    np.testing.assert_allclose(execution(lambda t: hf.spectral.dct(t, n=n), x), wanted, 1e-12)


def test_transforms_of_no_numbers_are_empty(execution: Execution) -> None:
    for function in (hf.fft, hf.ifft, hf.spectral.rfft, hf.spectral.irfft):
        assert execution(
            function, np.zeros([2, 0], np.float32 if function is hf.spectral.rfft else np.complex64)
        ).shape == (2, 0)


@pytest.mark.parametrize(
    ("function", "error", "words"),
    [
        (lambda x: hf.spectral.rfft(hf.zeros([3]), [-1]), ValueError, "cannot be negative"),
        (lambda x: hf.fft2d(hf.zeros([3], hf.complex64)), ValueError, "at least rank 2|2 axes"),
        (
            lambda x: hf.spectral.rfft(hf.zeros([3]), [2, 2]),
            ValueError,
            "be equal|have shape",
        ),
        (lambda x: hf.spectral.dct(hf.zeros([3]), type=4), ValueError, "Only Types I, II and III"),
        (lambda x: hf.spectral.dct(hf.zeros([3]), axis=0), ValueError, "axis must be -1"),
        (lambda x: hf.spectral.dct(hf.zeros([3]), norm="no"), ValueError, "norm must be"),
        (lambda x: hf.spectral.dct(hf.zeros([1]), type=1), ValueError, "at least 2 numbers"),
    ],
)
def test_refused(function: Any, error: Any, words: str, execution: Execution) -> None:
    refusals = (error, hf.errors.InvalidArgumentError)
    with pytest.raises(refusals, match=words):
        execution(function, np.zeros((2, 0), np.complex64 if function is hf.fft else np.float32))


@pytest.mark.parametrize("kind", [1, 2, 3])
@pytest.mark.parametrize("norm", [None, "ortho"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_cosine_transforms_and_back_as_scipy_has_them(
    kind: int, norm: str | None, dtype: str, execution: Execution
) -> None:
    if kind == 1 and norm:
        with pytest.raises(ValueError, match="norm must be None"):
            hf.spectral.idct(hf.zeros([3]), type=1, norm="ortho")
        return
    x = RNG.normal(size=(2, 7)).astype(dtype)
    there, back = execution(
        lambda t: [hf.spectral.dct(t, kind, norm=norm), hf.spectral.idct(t, kind, norm=norm)], x
    )
    atol = {"float32": 2e-5, "float64": 1e-13}[dtype]
    np.testing.assert_allclose(there, scipy.fft.dct(x, kind, norm=norm), 1e-5, atol)
    factor = 1 if norm else 2 * (6 if kind == 1 else 7)
    np.testing.assert_allclose(back, scipy.fft.idct(x, kind, norm=norm) * factor, 1e-5, atol)
    assert there.dtype == back.dtype == dtype
    (grad,) = execution.gradient(
        lambda t: hf.spectral.idct(hf.spectral.dct(t, kind, norm=norm), kind, norm=norm) * x, x
    )
    np.testing.assert_allclose(grad, x * factor, 1e-4, 10 * atol)


# ---- frames ----


@pytest.mark.parametrize("step", [0, -1])
def test_steps_of_frames_that_are_none(execution: Execution, step: int) -> None:
    signal = hf.contrib.signal
    for function in (
        lambda x, n: signal.frame(x, 4, n),
        lambda x, n: signal.overlap_and_add(x, n),
        lambda x, n: signal.stft(x, 4, n),
    ):
        with pytest.raises(hf.errors.InvalidArgumentError, match="frame_step must be above 0"):
            execution(lambda x, f=function: f(x, step), np.ones((2, 4), np.float32))
        with pytest.raises(hf.errors.InvalidArgumentError, match="frame_step must be above 0"):
            execution(function, np.ones((2, 4), np.float32), np.int32(step))


def test_signals_without_a_frame(execution: Execution) -> None:
    """As many samples as TensorFlow gives, zeros."""
    signal = hf.contrib.signal
    none = np.zeros((2, 0, 4), np.float32)
    assert execution(lambda x: signal.overlap_and_add(x, 2), none).tolist() == [[0, 0]] * 2
    assert execution(lambda x: signal.overlap_and_add(x, 5), none).shape == (2, 0)
    for samples in (0, 3):
        x = np.ones((2, samples), np.float32)
        assert execution(lambda x: signal.stft(x, 4, 2), x).shape == (2, 0, 3)
    spectra = np.zeros((2, 0, 3), np.complex64)
    assert execution(lambda x: signal.inverse_stft(x, 4, 2), spectra).tolist() == [[0, 0]] * 2
