"""Keras' functions on arrays of data; results are those of the Keras in TensorFlow 1.15."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf

pad = hf.keras.preprocessing.sequence.pad_sequences
one_hot = hf.keras.utils.to_categorical


def test_sequences_of_one_length():
    assert pad([[1], [2, 3], []]).tolist() == [[0, 1], [2, 3], [0, 0]]
    cut = pad([[1], [2, 3, 4]], 2, padding="post", truncating="post")
    assert cut.tolist() == [[1, 0], [2, 3]]
    assert cut.dtype == np.int32
    assert pad([[1, 2, 3]], 2).tolist() == [[2, 3]]
    assert pad([[1], [2, 3]], 0).shape == (2, 0)
    assert pad([]).shape == (0, 0)


def test_sequences_of_vectors_and_strings():
    found = pad([[[1.0, 2.0]], [[2, 3], [4, 5]]], 3, "float64", value=-1.0)
    assert found.tolist() == [[[-1, -1], [-1, -1], [1, 2]], [[-1, -1], [2, 3], [4, 5]]]
    assert found.dtype == np.float64
    words = pad([["a"], ["bb", "c"]], dtype=object, value="-")
    assert words.tolist() == [["-", "a"], ["bb", "c"]]


def test_sequences_that_do_not_fit():
    with pytest.raises(ValueError, match="of sequence at position 1 is different"):
        pad([[[1.0, 2.0]], [[2], [4]]])
    with pytest.raises(ValueError, match='Truncating type "x" not understood'):
        pad([[1]], truncating="x")
    with pytest.raises(ValueError, match="non-iterable: 1"):
        pad([1, 2])
    with pytest.raises(ValueError, match="not compatible with `value`'s type"):
        pad([["a"]], value="q")


def test_classes_as_vectors():
    assert one_hot([0, 2]).tolist() == [[1, 0, 0], [0, 0, 1]]
    assert one_hot([[0], [2]], 4, "int32").tolist() == [[1, 0, 0, 0], [0, 0, 1, 0]]
    assert one_hot([[0, 1], [2, 1]]).shape == (2, 2, 3)
    assert one_hot(3).tolist() == [0, 0, 0, 1]
    assert one_hot(np.zeros(0), 3).shape == (0, 3)
    assert one_hot([0]).dtype == np.float32
    with pytest.raises(IndexError, match="out of bounds"):
        one_hot([5], 3)


def test_settings():
    assert hf.keras.backend.epsilon() == 1e-7
    assert hf.keras.backend.image_data_format() == "channels_last"
    hf.keras.backend.set_epsilon(1e-5)
    try:
        assert hf.keras.backend.epsilon() == 1e-5
    finally:
        hf.keras.backend.set_epsilon(1e-7)
