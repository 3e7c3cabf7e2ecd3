"""Frequencies as they are heard: the mel scale, and cepstral coefficients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.ops.spectral.cosine import dct

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["linear_to_mel_weight_matrix", "mfccs_from_log_mel_spectrograms"]


def _mel(hertz: Any) -> Any:
    return 1127.0 * np.log1p(np.asarray(hertz, np.float64) / 700.0)


def _known(value: Any, name: str) -> float:
    found = constant_value(convert_to_tensor(value, name=name))
    if found is None:
        raise ValueError(f"{name} must be a known number, got {value}.")
    return float(found)


def linear_to_mel_weight_matrix(
    num_mel_bins: Any = 20,
    num_spectrogram_bins: Any = 129,
    sample_rate: Any = 8000,
    lower_edge_hertz: Any = 125.0,
    upper_edge_hertz: Any = 3800.0,
    dtype: Any = dtypes.float32,
    name: str | None = None,
) -> Tensor:
    """A matrix that sums linear frequencies into bands of the mel scale.

    Each band is a triangle on that scale, `1127 log(1 + f / 700)`; the middle of one is where its
    neighbours end.

    Args:
      num_mel_bins: how many bands there are.
      num_spectrogram_bins: how many linear frequencies, from 0 to half of the sample rate.
      sample_rate: samples a second.
      lower_edge_hertz, upper_edge_hertz: where the lowest band begins and the highest one ends.
      dtype: a floating dtype.
      name: name of the matrix.

    Returns: a tensor `[num_spectrogram_bins, num_mel_bins]`.

    Raises:
      ValueError: for numbers that are out of range or not known, or another dtype.

    References:
      https://en.wikipedia.org/wiki/Mel_scale

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.signal.linear_to_mel_weight_matrix(2, 5, 8000, 0.0, 4000.0, hf.float64)
    ...     print(x.numpy().round(2).tolist())
    [[0.0, 0.0], [0.6, 0.4], [0.0, 0.87], [0.0, 0.38], [0.0, 0.0]]
    """
    bands = int(_known(num_mel_bins, "num_mel_bins"))
    count = int(_known(num_spectrogram_bins, "num_spectrogram_bins"))
    rate = _known(sample_rate, "sample_rate")
    low = _known(lower_edge_hertz, "lower_edge_hertz")
    high = _known(upper_edge_hertz, "upper_edge_hertz")
    dtype = dtypes.as_dtype(dtype)
    for is_wrong, words in (
        (bands <= 0, f"num_mel_bins must be positive. Got: {bands}"),
        (count <= 0, f"num_spectrogram_bins must be positive. Got: {count}"),
        (rate <= 0.0, f"sample_rate must be positive. Got: {rate}"),
        (low < 0.0, f"lower_edge_hertz must be non-negative. Got: {low}"),
        (low >= high, f"lower_edge_hertz {low} >= upper_edge_hertz {high}"),
        (
            high > rate / 2,
            f"upper_edge_hertz must not be larger than the Nyquist frequency (sample_rate / 2). "
            f"Got: {high} for sample_rate: {rate}",
        ),
        (not dtype.is_floating, f"dtype must be a floating point type. Got: {dtype.name}"),
    ):
        if is_wrong:
            raise ValueError(words)
    frequencies = _mel(np.linspace(0.0, rate / 2.0, count))[:, None]
    edges = np.linspace(_mel(low), _mel(high), bands + 2)
    begin, middle, end = edges[:-2], edges[1:-1], edges[2:]
    rising = (frequencies - begin) / (middle - begin)
    falling = (end - frequencies) / (end - middle)
    weights = np.maximum(0.0, np.minimum(rising, falling))
    weights[0] = 0.0  # what does not change is not heard
    return convert_to_tensor(weights, dtype, name=name or "linear_to_mel_weight_matrix")


def mfccs_from_log_mel_spectrograms(log_mel_spectrograms: Any, name: str | None = None) -> Tensor:
    """Cepstral coefficients: the cosine transform of logarithms of a mel spectrogram.

    `dct(x) / sqrt(2 n)`, where n is the number of bands; of these coefficients one takes the first
    ten or so.

    Args:
      log_mel_spectrograms: float32 tensor `[..., n]`.
      name: scope of the ops.

    Returns: a float32 tensor of that shape.

    Raises:
      ValueError: if n is not known, or 0.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.contrib.signal.mfccs_from_log_mel_spectrograms([1.0, 1.0]).numpy())
    [2. 0.]
    """
    with name_scope(name, "mfccs_from_log_mel_spectrograms", [log_mel_spectrograms]):
        logs = convert_to_tensor(log_mel_spectrograms, dtypes.float32)
        count = logs.shape.with_rank_at_least(1).as_list()[-1] if logs.shape.ndims else None
        if not count:
            raise ValueError(f"num_mel_bins must be known and positive, got shape {logs.shape}.")
        found: Tensor = dct(logs, type=2) * np.float32(1.0 / np.sqrt(2.0 * count))
        return found
