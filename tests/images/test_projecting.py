"""Projected images and short-time transforms: both modes, unknown sizes, exact gradients, errors.

Values are TensorFlow's: tests/test_recorded_input.py.
"""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from tests.execution import Execution

image, signal = hf.contrib.image, hf.contrib.signal
SKEW = [1.0, 0.25, -1.0, 0.125, 0.75, 0.5, 0.03125, -0.0625]
X = np.sin(np.arange(60.0)).reshape(2, 6, 5)[..., None]


@pytest.mark.parametrize("kind", ["NEAREST", "BILINEAR"])
def test_gradients_of_transforms_are_exact(kind: str, execution: Execution) -> None:
    """A transform is linear in its images: the gradient is what each pixel gives."""
    weights = np.cos(np.arange(60.0)).reshape(2, 6, 5, 1)
    (grad,) = execution.gradient(
        lambda x: hf.reduce_sum(image.transform(x, SKEW, kind) * weights), X
    )
    each = np.eye(30).reshape(30, 6, 5, 1)
    given = execution(lambda x: image.transform(x, SKEW, kind), each)
    wanted = np.einsum("nhwc,bhwc->bn", given, weights).reshape(2, 6, 5, 1)
    np.testing.assert_allclose(grad, wanted, 1e-5, 1e-6)


def test_what_lies_outside_is_zero_whatever_the_image_holds(execution: Execution) -> None:
    found = execution(
        lambda x: image.translate(x, [9.0, 0.0]), np.full([1, 3, 3, 1], np.nan, np.float32)
    )
    assert (found == 0).all()


def test_sizes_that_a_graph_does_not_know() -> None:
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.float64, [None, None, None, 1])
        turned = image.rotate(x, 0.5, "BILINEAR")
        larger = image.transform(x, SKEW, output_shape=[8, 9])
        assert turned.shape.as_list() == [None, None, None, 1]
        assert larger.shape.as_list() == [None, 8, 9, 1]
        similar = [hf.image.ssim(x, x, 1.0, filter_size=3), hf.image.psnr(x, x + 0.1, 1.0)]
        feed = {x: X}
        got, wide, (one, ratio) = session.run([turned, larger, similar], feed)
        with hf.eager_mode():
            wanted = image.rotate(X, 0.5, "BILINEAR").numpy()
        np.testing.assert_allclose(got, wanted, 1e-6)
        assert wide.shape == (2, 8, 9, 1)
        np.testing.assert_allclose(one, 1.0, 1e-5)
        np.testing.assert_allclose(ratio, 20.0, 1e-5)

        samples = hf.placeholder(hf.float32, [None, None])
        length = hf.placeholder(hf.int32, [])
        frames = signal.frame(samples, length, 3, pad_end=True)
        assert frames.shape.as_list() == [None, None, None]
        back = signal.overlap_and_add(signal.frame(samples, length, length), length)
        spectrum = signal.stft(samples, length, 4)
        values = np.arange(48.0, dtype=np.float32).reshape(2, 24)
        a, b, c = session.run([frames, back, spectrum], {samples: values, length: 6})
        assert a.shape == (2, 8, 6)
        np.testing.assert_array_equal(b, values)
        assert c.shape == (2, 5, 5)
        with hf.eager_mode():
            np.testing.assert_allclose(c, signal.stft(values, 6, 4).numpy(), 1e-5, 1e-4)


def test_a_signal_comes_back(execution: Execution) -> None:
    values = np.sin(np.arange(64, dtype=np.float32))
    window = signal.inverse_stft_window_fn(4)
    found = execution(
        lambda x: signal.inverse_stft(signal.stft(x, 16, 4), 16, 4, window_fn=window), values
    )
    np.testing.assert_allclose(found[12:-12], values[12:-12], 1e-4, 1e-5)


REFUSED = {
    "Invalid dtype": lambda: image.rotate(hf.constant([["a"]]), 1.0),
    "between 2 and 4": lambda: image.rotate([1.0], 1.0),
    "rank 0 or 1": lambda: image.rotate([[1.0]], [[1.0]]),
    "rank 1 or 2": lambda: image.transform([[1.0]], 1.0),
    "NEAREST or BILINEAR": lambda: image.rotate([[1.0]], 1.0, "CUBIC"),
    "1-D Tensor of 2": lambda: image.transform([[1.0]], SKEW, output_shape=[1]),
    "no transforms": lambda: image.compose_transforms(),
    "not compatible": lambda: hf.image.psnr(hf.zeros([2, 2, 1]), hf.zeros([2, 3, 1]), 1.0),
    "3 dimensions at least": lambda: hf.image.psnr(hf.zeros([2, 2]), hf.zeros([2, 2]), 1.0),
    "as large as the filter": lambda: hf.image.ssim(hf.zeros([5, 5, 1]), hf.zeros([5, 5, 1]), 1.0),
    "known rank above 0": lambda: signal.frame(1.0, 2, 1),
    "must be a scalar": lambda: signal.frame([1.0], [2], 1),
    "known rank above 1": lambda: signal.overlap_and_add([1.0], 1),
    "must be an integer": lambda: signal.overlap_and_add([[1.0]], 1.0),
    "floating point": lambda: signal.hann_window(4, dtype=hf.int32),
    "num_mel_bins must be positive": lambda: signal.linear_to_mel_weight_matrix(0),
    "Nyquist": lambda: signal.linear_to_mel_weight_matrix(upper_edge_hertz=5000.0),
    "known and positive": lambda: signal.mfccs_from_log_mel_spectrograms(hf.zeros([2, 0])),
}


@pytest.mark.parametrize("words", sorted(REFUSED))
def test_refused(words: str) -> None:
    with hf.Graph().as_default(), pytest.raises((TypeError, ValueError), match=words):
        REFUSED[words]()
