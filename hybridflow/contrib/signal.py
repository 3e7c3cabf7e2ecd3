"""Signals: frames, windows, short-time transforms, mel bands."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.ops.spectral.framing import frame, overlap_and_add
    from hybridflow._src.ops.spectral.mel import (
        linear_to_mel_weight_matrix,
        mfccs_from_log_mel_spectrograms,
    )
    from hybridflow._src.ops.spectral.short_time import (
        inverse_stft,
        inverse_stft_window_fn,
        stft,
    )
    from hybridflow._src.ops.spectral.tapering import hamming_window, hann_window

__all__ = [
    "frame",
    "hamming_window",
    "hann_window",
    "inverse_stft",
    "inverse_stft_window_fn",
    "linear_to_mel_weight_matrix",
    "mfccs_from_log_mel_spectrograms",
    "overlap_and_add",
    "stft",
]
