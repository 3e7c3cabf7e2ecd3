"""Datasets whose transformations are methods, as programs for TensorFlow 1.3 write them."""

from __future__ import annotations

import numpy as np

import hybridflow as hf

data = hf.contrib.data


def values(dataset):
    return [np.asarray(x.numpy()).tolist() for x in dataset]


def test_transformations_are_methods():
    with hf.eager_mode():
        numbers = data.Dataset.range(6)
        assert isinstance(numbers, hf.data.Dataset)
        windows = numbers.group_by_window(
            lambda x: x % 2, lambda key, window: window.repeat(2).dense_to_sparse_batch(6, []), 3
        )
        dense = windows.map(lambda x: x.values, 2, 1)
        assert values(dense) == [[0, 2, 4, 0, 2, 4], [1, 3, 5, 1, 3, 5]]
        assert values(numbers.batch(4).unbatch().map(lambda x: -x, num_threads=2)) == [
            *(0, -1, -2, -3, -4, -5)
        ]
        failing = numbers.map(lambda x: hf.py_func(lambda y: 6 // int(y), [x], hf.int64))
        assert values(failing.ignore_errors()) == [6, 3, 2, 1, 1]
        assert values(numbers.map(lambda x: 2 * x, output_buffer_size=2).take(2)) == [0, 2]


def test_what_methods_give_is_of_the_same_class(tmp_path):
    path = str(tmp_path / "lines")
    with open(path, "w") as file:
        file.write("a\nb\n")
    with hf.eager_mode():
        lines = data.TextLineDataset(path)
        chain = (
            lines.skip(1)
            .repeat(2)
            .enumerate()
            .shuffle(1)
            .prefetch(1)
            .cache()
            .filter(lambda number, line: number > 0)
        )
        for dataset in (lines, chain, data.Dataset.zip((lines, chain))):
            assert isinstance(dataset, data.Dataset)
        assert values(chain.map(lambda n, x: x)) == [b"b"]
