"""Summaries recorded from TensorFlow: the same bytes, tags, ops and collections."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

import hybridflow as hf
from tests.recorded import reader

CASES = list(reader.table("summaries").values())


class Run:
    """A recorded case, run here."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.graph = hf.Graph()
        with self.graph.as_default(), hf.Session() as session:
            scope = {name: hf.constant(v, name=name) for name, v in case["values"].items()}
            self.data = session.run(eval(case["source"], {"tf": hf, **scope}))
        self.value = hf.Summary.FromString(self.data).value


@pytest.fixture(params=CASES, ids=lambda case: case["id"])
def case(request: pytest.FixtureRequest) -> dict[str, Any]:
    return request.param


def test_names(case: dict[str, Any]) -> None:
    run = Run(case)
    assert [value.tag for value in run.value] == case["tags"]
    collected = run.graph.get_collection(hf.GraphKeys.SUMMARIES)
    assert [tensor.name for tensor in collected] == case["collected"]
    assert [[op.name, op.type] for op in run.graph.get_operations()] == case["ops"]


def test_bytes(case: dict[str, Any]) -> None:
    run = Run(case)
    if "bytes" in case:
        assert run.data == case["bytes"].tobytes()
        return
    for value, pixels in zip(run.value, case["images"], strict=True):
        decoded = np.array(Image.open(io.BytesIO(value.image.encoded_image_string)))
        np.testing.assert_array_equal(decoded.reshape(pixels.shape), pixels)
        assert pixels.shape == (value.image.height, value.image.width, value.image.colorspace)
