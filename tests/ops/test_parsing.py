"""Examples, lines and bytes that are damaged or odd: errors, and nothing else."""

from __future__ import annotations

import random

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.formats import messages

SPEC = {
    "x": hf.FixedLenFeature([2], hf.float32),
    "v": hf.VarLenFeature(hf.int64),
    "s": hf.FixedLenSequenceFeature([], hf.string, allow_missing=True),
}


def example(**named):
    found = {}
    for key, value in named.items():
        if isinstance(value[0], bytes):
            found[key] = hf.train.Feature(bytes_list=hf.train.BytesList(value=value))
        elif isinstance(value[0], float):
            found[key] = hf.train.Feature(float_list=hf.train.FloatList(value=value))
        else:
            found[key] = hf.train.Feature(int64_list=hf.train.Int64List(value=value))
    return hf.train.Example(features=hf.train.Features(feature=found)).SerializeToString()


GOOD = example(x=[1.0, 2.0], v=[3, 4, 5], s=[b"a", b"bc"])


def damaged(data, numbers):
    """Some bytes changed, cut out or put in."""
    found = bytearray(data)
    for _ in range(numbers.randint(1, 4)):
        at = numbers.randrange(len(found) + 1)
        kind = numbers.randrange(3)
        if kind == 0 and at < len(found):
            found[at] = numbers.randrange(256)
        elif kind == 1:
            del found[at : at + numbers.randint(1, 3)]
        else:
            found[at:at] = bytes(numbers.randrange(256) for _ in range(numbers.randint(1, 3)))
    return bytes(found)


def attempt(function, *args):
    """Whether a function gives something, or raises one of TensorFlow's errors."""
    try:
        function(*args)
    except hf.errors.InvalidArgumentError:
        return False
    return True


def test_damaged_examples():
    numbers = random.Random(1)
    with hf.eager_mode():
        outcomes = {attempt(hf.parse_example, [damaged(GOOD, numbers)], SPEC) for _ in range(400)}
    assert outcomes == {True, False}


def test_damaged_sequences():
    lists = {"t": hf.train.FeatureList(feature=[hf.train.Feature()] * 2)}
    data = hf.train.SequenceExample(
        context=hf.train.Example.FromString(GOOD).features,
        feature_lists=hf.train.FeatureLists(feature_list=lists),
    ).SerializeToString()
    numbers = random.Random(2)

    def parse(text):
        hf.parse_single_sequence_example(
            text,
            {"v": hf.VarLenFeature(hf.int64)},
            {"t": hf.VarLenFeature(hf.float32)},
        )

    with hf.eager_mode():
        assert attempt(parse, data)
        outcomes = {attempt(parse, damaged(data, numbers)) for _ in range(300)}
    assert outcomes == {True, False}


def test_damaged_tensors_and_json():
    numbers = random.Random(3)
    json = b'{"features": {"feature": {"x": {"floatList": {"value": [1.5, "NaN"]}}}}}'
    with hf.eager_mode():
        tensor = hf.serialize_tensor(np.arange(12, dtype=np.float32).reshape(3, 4)).numpy()
        outcomes = set()
        for _ in range(400):
            outcomes.add(attempt(hf.parse_tensor, damaged(tensor, numbers), hf.float32))
            outcomes.add(attempt(hf.decode_json_example, damaged(json, numbers)))
        assert outcomes == {True, False}


def test_odd_lines():
    """Lines of what matters to CSV: those that parse are written as they were read."""
    numbers = random.Random(4)
    with hf.eager_mode():
        outcomes = set()
        for _ in range(1500):
            line = bytes(numbers.choice(b'a1,"\n\r. ') for _ in range(numbers.randrange(9)))
            outcomes.add(attempt(hf.decode_csv, [line], [[""], [0.0]]))
            words = [bytes(numbers.choice(b'a,"\n ') for _ in range(3)) for _ in range(2)]
            quoted = b",".join(b'"' + word.replace(b'"', b'""') + b'"' for word in words)
            found = hf.decode_csv([quoted], [["-"], ["-"]])
            assert [t.numpy()[0] for t in found] == words
    assert outcomes == {True, False}


def test_numbers_that_are_none():
    with hf.eager_mode():
        for text in ("", "1_0", "0x", "1e", "\u0661", "9" * 5000, "1\0"):
            assert not attempt(hf.string_to_number, [text], hf.int64)
        assert not attempt(hf.string_to_number, ["9" * 5000 + "x"])
        assert np.isinf(hf.string_to_number(["9" * 5000]).numpy()[0])


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ({}, "features"),
        ({"x": 5}, "Invalid feature x"),
        ({"x": hf.VarLenFeature(None)}, "Missing type"),
        ({"x": hf.VarLenFeature(hf.int32)}, "int32"),
        ({"x": hf.FixedLenFeature(None, hf.float32)}, "Missing shape"),
        ({"x": hf.FixedLenFeature([None], hf.float32)}, "FixedLenSequenceFeature"),
        ({"x": hf.FixedLenFeature([2, None], hf.float32)}, "need to be known"),
        ({"x": hf.FixedLenSequenceFeature([], hf.float32)}, "allow_missing"),
        ({"x": hf.SparseFeature("", "v", hf.float32, 3)}, "index_key"),
        ({"x": hf.SparseFeature("i", "i", hf.float32, 3)}, "Conflicting type"),
    ],
)
def test_features_that_cannot_be(features, message):
    with hf.Graph().as_default(), pytest.raises(ValueError, match=message):
        hf.parse_example(["", ""], features)


def test_in_a_graph_with_names():
    with hf.Graph().as_default(), hf.Session() as session:
        texts = hf.placeholder(hf.string, [None])
        names = hf.placeholder(hf.string, [None])
        found = hf.parse_example(texts, SPEC, example_names=names)
        assert found["x"].shape.as_list() == [None, 2]
        assert found["x"].op.name == "ParseExample/ParseExample"
        feeds = {texts: [GOOD, GOOD], names: ["one", "two"]}
        assert session.run(found["s"], feeds).tolist() == [[b"a", b"bc"]] * 2
        with pytest.raises(hf.errors.InvalidArgumentError, match=r"Name: two, Feature: x .*float"):
            session.run(found["x"], {texts: [GOOD, b""], names: ["one", "two"]})
        with pytest.raises(hf.errors.InvalidArgumentError, match="vectors of one length"):
            session.run(found["x"], {texts: [GOOD, b""], names: ["one"]})


def test_what_decode_csv_refuses():
    with hf.Graph().as_default():
        with pytest.raises(ValueError, match="2 defaults"):
            hf.decode_csv(["1"], [[1, 2]])
        with pytest.raises(TypeError, match="bool"):
            hf.decode_csv(["1"], [[True]])
        with pytest.raises(ValueError, match="1 char"):
            hf.decode_csv(["1"], [[1]], field_delim="ab")
        with pytest.raises(TypeError, match="complex64"):
            hf.decode_raw("a", hf.complex64)


def test_one_example_of_later_graphs():
    """TensorFlow writes `ParseSingleExample` from 1.5 on, with the keys as attributes."""
    graph_def = messages.GraphDef()
    for name, kind, value in (("s", "Placeholder", None), ("none", "Const", np.array(7, np.int64))):
        node = graph_def.node.add(name=name, op=kind)
        node.attr["dtype"].type = (hf.string if value is None else hf.int64).as_datatype_enum
        if value is not None:
            node.attr["value"].tensor.CopyFrom(hf.contrib.util.make_tensor_proto(value))
    empty = graph_def.node.add(name="empty", op="Const")
    empty.attr["dtype"].type = hf.float32.as_datatype_enum
    empty.attr["value"].tensor.CopyFrom(hf.contrib.util.make_tensor_proto([], hf.float32))
    parse = graph_def.node.add(name="p", op="ParseSingleExample", input=["s", "none", "empty"])
    parse.attr["num_sparse"].i = 1
    parse.attr["sparse_keys"].list.s.append(b"v")
    parse.attr["dense_keys"].list.s.extend([b"d", b"x"])
    parse.attr["sparse_types"].list.type.append(hf.int64.as_datatype_enum)
    kinds = [hf.int64.as_datatype_enum, hf.float32.as_datatype_enum]
    parse.attr["Tdense"].list.type.extend(kinds)
    parse.attr["dense_shapes"].list.shape.add()
    parse.attr["dense_shapes"].list.shape.add().dim.add(size=2)
    with hf.Graph().as_default(), hf.Session() as session:
        (op,) = hf.import_graph_def(graph_def, return_elements=["p"], name="")
        assert [t.shape.as_list() for t in op.outputs] == [[None, 1], [None], [1], [], [2]]
        found = session.run(list(op.outputs), {"s:0": GOOD})
        wanted = [[[0], [1], [2]], [3, 4, 5], [3], 7, [1.0, 2.0]]
        assert [value.tolist() for value in found] == wanted
        with pytest.raises(hf.errors.InvalidArgumentError, match="Feature: x"):
            session.run(list(op.outputs), {"s:0": example(v=[1])})
        with pytest.raises(hf.errors.InvalidArgumentError, match=r"scalar, got shape \(1,\)"):
            session.run(list(op.outputs), {"s:0": [GOOD]})
