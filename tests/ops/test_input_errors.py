"""Slips with input that everybody makes: errors say which function, what it takes, what it got."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf

SPEC = {"a": hf.FixedLenFeature([], hf.int64)}


def _sparse():
    return hf.SparseTensor([[0, 0], [0, 1], [1, 0]], [1, 2, 3], [2, 2])


def _queue():
    return hf.FIFOQueue(1, hf.int32, shapes=[[2]], name="pairs")


CASES = {
    "values": (
        lambda: hf.SparseTensor([[0, 0]], [1, 2], [2, 2]),
        r"values \[n\].* \(2,\), \(2,\):",
    ),
    "indices": (
        lambda: hf.SparseTensor([0, 1], [1, 2], [2, 2]),
        r"indices \[n, rank\].*got .*\(2,\)",
    ),
    "rank": (lambda: hf.SparseTensor([[0, 0, 0]], [1], [2, 2]), r"dense_shape \[rank\].* \(1, 3\)"),
    "retain": (
        lambda: hf.sparse_retain(_sparse(), [True]),
        r"`to_retain` .* \(1,\) for 3 elements",
    ),
    "enqueue": (
        lambda: _queue().enqueue([1]),
        r"component 0 of .* 'pairs' has shape \(2,\), got \(\)",
    ),
    "rows": (lambda: _queue().enqueue_many(3), r"'pairs' takes rows .* got shapes \[\[\]\]"),
    "parts": (
        lambda: _queue().enqueue_many([[[1, 2, 3]]]),
        r"'pairs' has shape \(2,\), got \(3,\)",
    ),
    "capacity": (lambda: hf.FIFOQueue("a", hf.int32), "`capacity` must be a whole number"),
    "gradient": (
        lambda: hf.ConditionalAccumulator(hf.float32, [2]).apply_grad([1.0, 2.0, 3.0]),
        r"gradients of shape \(2,\), got \(3,\)",
    ),
    "one example": (lambda: hf.parse_single_example(["x"], SPEC), "`parse_example` a vector"),
    "examples": (lambda: hf.parse_example("x", SPEC), "`parse_single_example` one"),
    "image": (lambda: hf.image.decode_png(np.zeros(3, np.uint8)), "'contents' of op 'DecodePng'"),
    "hash": (lambda: hf.string_to_hash_bucket_fast([1], 10), "of op 'StringToHashBucketFast'"),
    "colors": (
        lambda: hf.image.grayscale_to_rgb(np.zeros([2, 3])),
        r"`gray.*\[..., 1\], got \(2, 3\)",
    ),
    "gray": (
        lambda: hf.image.rgb_to_grayscale(np.zeros([2, 2])),
        r"`rgb_.*\[..., 3\], got \(2, 2\)",
    ),
    "file": (lambda: hf.TextLineReader().read("file.txt"), "queue of names, got 'file.txt'"),
    "files": (lambda: hf.TextLineReader().read_up_to(["f"], 2), "string_input_producer"),
    "words": (lambda: hf.contrib.lookup.index_table_from_tensor([]), "needs one at least"),
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_errors_say_what_is_wanted(name):
    make, text = CASES[name]
    with hf.Graph().as_default(), pytest.raises((TypeError, ValueError), match=text):
        make()


def test_strings_are_nothing_where_nothing_is_said():
    with hf.eager_mode():
        words = hf.SparseTensor([[0, 1]], ["a"], [1, 3])
        assert hf.sparse_tensor_to_dense(words).numpy().tolist() == [[b"", b"a", b""]]
