"""SavedModels as functions."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf

from_saved_model = hf.contrib.predictor.from_saved_model


@pytest.fixture
def model(tmp_path):
    folder = str(tmp_path / "model")
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.float32, [None], name="x")
        v = hf.Variable(2.0)
        y = hf.multiply(x, v, name="y")
        session.run(v.initializer)
        hf.saved_model.simple_save(session, folder, {"numbers": x}, {"twice": y})
    return folder


def test_by_the_signature(model):
    predict = from_saved_model(model)
    for _ in range(3):
        found = predict({"numbers": [1.0, 2.0]})
        np.testing.assert_array_equal(found["twice"], [2.0, 4.0])
    assert predict.feed_tensors["numbers"].graph is predict.graph
    with pytest.raises(ValueError, match="unexpected keys"):
        predict({"x": [1.0]})


def test_by_names(model):
    predict = from_saved_model(model, input_names={"a": "x:0"}, output_names={"b": "y:0"})
    assert predict({"a": [3.0]})["b"].tolist() == [6.0]
    with hf.Graph().as_default() as graph:
        assert from_saved_model(model, graph=graph).graph is graph


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"input_names": {}}, "must both be"),
        ({"signature_def_key": "a", "input_names": {}, "output_names": {}}, "at most one"),
        ({"signature_def_key": "other"}, "There is no signature 'other'"),
    ],
)
def test_refused(model, arguments, words):
    with pytest.raises(ValueError, match=words):
        from_saved_model(model, **arguments)
