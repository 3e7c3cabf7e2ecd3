"""`Graph.create_op`: operations by op type."""

from __future__ import annotations

import pytest

import hybridflow as hf


@pytest.fixture
def graph():
    return hf.Graph()


def attr(**value):
    return hf.AttrValue(**value)


def test_operations_by_type(graph):
    x = graph.create_op("Placeholder", [], [hf.float32], name="x", attrs={"dtype": attr(type=1)})
    assert (x.name, x.outputs[0].shape.ndims) == ("x", None)
    total = graph.create_op("AddN", [x.outputs[0], x.outputs[0]], [hf.float32])
    assert (total.name, total.type) == ("AddN", "AddN")
    assert graph.create_op("AddN", [x.outputs[0]], name="AddN").name == "AddN_1"
    again = graph.create_op("Neg", total.outputs, name="scope/neg/")
    assert again.name == "scope/neg"
    with graph.as_default(), graph.control_dependencies([x]), hf.Session() as session:
        done = graph.create_op("NoOp", [])
        assert done.control_inputs == [x]
        assert session.run(again.outputs[0], {x.outputs[0]: [1.0, 2.0]}).tolist() == [-2, -4]


def test_what_does_not_fit(graph):
    with graph.as_default():
        x = hf.constant(1.0)
    for call, error, message in (
        (lambda: graph.create_op("Nonsense", []), ValueError, "No op named Nonsense"),
        (lambda: graph.create_op("Neg", [1.0]), TypeError, "Input #0 is not a tensor: 1.0"),
        (lambda: graph.create_op("Neg", [x, x]), ValueError, "More inputs specified"),
        (lambda: graph.create_op("Neg", [x], [hf.int32]), TypeError, r"outputs have the dtypes"),
        (
            lambda: graph.create_op("Neg", [x], input_types=[hf.int32]),
            TypeError,
            "inputs have the dtypes",
        ),
        (lambda: graph.create_op("Cast", [x]), ValueError, "lacks the attribute 'DstT'"),
    ):
        with pytest.raises(error, match=message):
            call()
    assert len(graph.get_operations()) == 1
    graph.finalize()
    with pytest.raises(RuntimeError, match="finalized"):
        graph.create_op("NoOp", [])
