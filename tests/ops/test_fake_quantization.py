"""Numbers rounded as a quantized network would: levels, ends, gradients."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf

X = np.array([[-9.0, -0.37, 0.0], [0.41, 2.6, 9.0]], np.float32)
W = np.array([[1.0, 2.0, 4.0], [8.0, 16.0, 32.0]], np.float32)


def levels(low, high, num_bits, narrow):
    """All levels, and the moved ends, in high precision, one at a time."""
    count = 2**num_bits - 1 - narrow
    step = (np.float64(high) - low) / count
    zero = min(max(round(-low / step), 0), count)
    return [(k - zero) * step for k in range(count + 1)]


@pytest.mark.parametrize(
    ("low", "high", "num_bits", "narrow"),
    [(-6, 6, 8, False), (-3.3, 5.1, 4, True), (1.0, 5.0, 8, False), (-7.0, -2.0, 3, False)],
)
def test_the_next_level(execution, low, high, num_bits, narrow):
    known = np.array(levels(low, high, num_bits, narrow))
    wanted = known[np.abs(X[..., None] - known).argmin(-1)]
    kwargs = {"num_bits": num_bits, "narrow_range": narrow}
    got = execution(lambda x: hf.fake_quant_with_min_max_args(x, low, high, **kwargs), X)
    np.testing.assert_allclose(got, wanted, 1e-5, 1e-6)
    ends = np.float32(low), np.float32(high)
    np.testing.assert_array_equal(
        execution(lambda x, *e: hf.fake_quant_with_min_max_vars(x, *e, **kwargs), X, *ends), got
    )
    many = [np.full(3, end) for end in ends]
    channels = hf.fake_quant_with_min_max_vars_per_channel
    np.testing.assert_array_equal(execution(lambda x, *e: channels(x, *e, **kwargs), X, *many), got)
    assert known.min() <= 0 <= known.max()
    assert 0.0 in known


def test_gradients_go_to_ends_where_numbers_are_clamped():
    with hf.Graph().as_default(), hf.Session() as session:
        x, low, high = hf.constant(X), hf.constant(-1.0), hf.constant(3.0)
        y = hf.fake_quant_with_min_max_vars(x, low, high)
        dx, dlow, dhigh = session.run(hf.gradients(y * W, [x, low, high]))
        ends = [hf.constant([-1.0, 0.0, -1.0]), hf.constant([3.0, 0.0, 3.0])]
        y = hf.fake_quant_with_min_max_vars_per_channel(x, *ends)
        result = session.run(y)
        channels = session.run(hf.gradients(y * W, [x, *ends]))
        inside = hf.fake_quant_with_min_max_args(x, -1.0, 3.0)
        alone = session.run(hf.gradients(inside * W, x)[0])
    clamped = np.abs(X) > 8
    np.testing.assert_array_equal(dx, np.where(clamped, 0, W))
    np.testing.assert_array_equal(alone, dx)
    assert (dlow, dhigh) == (1.0, 32.0)
    # A channel without a range yet gives zeros, and passes all gradients.
    np.testing.assert_array_equal(result[:, 1], 0)
    np.testing.assert_array_equal(channels[0], np.where(clamped, 0, W))
    np.testing.assert_array_equal(channels[1], [1, 0, 0])
    np.testing.assert_array_equal(channels[2], [0, 0, 32])


def test_refused(execution):
    for low, high, bits in ((1.0, 1.0, 8), (-1.0, 1.0, 1), (-1.0, 1.0, 17)):
        with pytest.raises((hf.errors.InvalidArgumentError, ValueError), match=r"min|num_bits"):
            execution(lambda x, c=(low, high, bits): hf.fake_quant_with_min_max_args(x, *c), X)
    with hf.Graph().as_default():
        with pytest.raises(ValueError, match="rank 0"):
            hf.fake_quant_with_min_max_vars(X, [1.0], 2.0)
        with pytest.raises(ValueError, match="2 and 3"):
            hf.fake_quant_with_min_max_vars_per_channel(X, [0.0, 1.0], [1.0, 2.0])


def test_libraries_of_tensorflow_are_refused(tmp_path):
    library = tmp_path / "zero_out.so"
    library.write_bytes(b"\x7fELF")
    with pytest.raises(hf.errors.UnimplementedError, match=r"hf\.py_func"):
        hf.load_op_library(str(library))
    with pytest.raises(hf.errors.UnimplementedError, match="Mount"):
        hf.load_file_system_library(library)
