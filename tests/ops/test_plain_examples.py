"""Examples that are parsed by a kernel: as protobuf's parser does it, or left to that."""

from __future__ import annotations

import random

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.kernels import examples, uncompiled
from hybridflow._src.kernels.alone import Alone
from hybridflow._src.ops.parsing import example_ops
from tests.formats.test_damage import damaged
from tests.kernels.building import built

SPEC = {
    "x": hf.FixedLenFeature([2, 3], hf.float32),
    "n": hf.FixedLenFeature([2], hf.int64),
    "s": hf.FixedLenFeature([], hf.string),
}


def _serialized(rng, extra=True):
    train = hf.train
    most = 2**63
    n = [int(rng.choice([0, 1, -1, 127, 128, 300, most - 1, -most])) for _ in range(2)]
    text = rng.bytes(int(rng.integers(0, 300)))
    feature = {
        "x": train.Feature(float_list=train.FloatList(value=rng.standard_normal(6))),
        "n": train.Feature(int64_list=train.Int64List(value=n)),
        "s": train.Feature(bytes_list=train.BytesList(value=[text])),
    }
    if extra:
        feature["nobody wants it"] = train.Feature(
            float_list=train.FloatList(value=rng.standard_normal(40))
        )
        feature["empty"] = train.Feature()
    return train.Example(features=train.Features(feature=feature)).SerializeToString()


def _both(monkeypatch, function, texts, spec):
    """What each way gives: arrays, or an error's text; and how often the kernel was enough."""
    found, calls = [], []

    def noted(words):
        calls.append(function(words))
        return calls[-1]

    for there in (None, noted):
        alone = Alone(examples.KERNEL, worth=1 << 60)
        alone._function = there
        monkeypatch.setattr(example_ops, "PARSE", alone)
        try:
            values = hf.parse_example(texts, spec)
            found.append({key: (v.numpy().dtype, v.numpy().tolist()) for key, v in values.items()})
        except hf.errors.InvalidArgumentError as error:
            found.append(error.message)
    return found, calls


@pytest.mark.parametrize("way", ["compiled", "python"])
def test_what_is_plain_is_parsed(monkeypatch, way):
    kernel = examples.KERNEL
    function = built(kernel) if way == "compiled" else uncompiled.function_of(kernel)
    rng = np.random.default_rng(3)
    with hf.eager_mode():
        for count in (1, 5):
            texts = [_serialized(rng, extra=count > 1) for _ in range(count)]
            found, calls = _both(monkeypatch, function, texts, SPEC)
            assert calls == [0]
            assert found[0] == found[1]


def test_what_is_not_plain_is_left_to_the_parser(monkeypatch):
    train = hf.train
    rng = np.random.default_rng(4)
    whole = _serialized(rng)
    numbers = train.Feature(int64_list=train.Int64List(value=[5, 6]))
    lacking = train.Example(features=train.Features(feature={"n": numbers})).SerializeToString()
    with hf.eager_mode():
        for texts, spec in (
            ([whole + lacking], SPEC),  # of two the later counts
            ([lacking], SPEC),
            ([whole], {"n": hf.FixedLenFeature([3], hf.int64)}),
            ([whole], {"n": hf.FixedLenFeature([2], hf.float32)}),
            ([whole, b""], {"q": hf.FixedLenFeature([], hf.int64, 7)}),
        ):
            found, calls = _both(monkeypatch, built(examples.KERNEL), texts, spec)
            assert calls == [1]
            assert found[0] == found[1]


def test_damaged_examples(monkeypatch):
    """Nothing is read that is not there; what both ways take is the same."""
    chance, rng = random.Random(5), np.random.default_rng(5)
    whole = [_serialized(rng) for _ in range(3)]
    with hf.eager_mode():
        for _ in range(300):
            texts = [damaged(chance.choice(whole), chance), whole[0]]
            found, calls = _both(monkeypatch, built(examples.KERNEL), texts, SPEC)
            if calls == [1] or not isinstance(found[0], str):
                assert repr(found[0]) == repr(found[1]), texts
