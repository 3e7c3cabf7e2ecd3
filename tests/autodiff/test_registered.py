"""Gradients that programs register, and graphs that use them in place of others."""

from __future__ import annotations

import pytest

import hybridflow as hf
from hybridflow._src.autodiff import registered
from hybridflow._src.framework.op_def import OPS, OpDef, no_gradient


@pytest.fixture(autouse=True)
def nothing_stays(monkeypatch):
    """What a test registers is gone after it."""
    monkeypatch.setattr(registered, "_registered", {})


@pytest.fixture
def undifferentiated():
    """An op that has no gradient."""
    yield OpDef(
        "Undifferentiated",
        "x: T -> y: T",
        shape=lambda attrs, x: x._dims,
        compute=lambda x: x * x,
        grad=no_gradient,
        samples=lambda rng: (),
    )
    del OPS["Undifferentiated"]


def gradient(y, x):
    with hf.Session() as session:
        return session.run(hf.gradients(y, x)[0])


def test_other_gradients_of_some_ops():
    @hf.RegisterGradient("Halved")
    def halved(op, dy):
        assert op.type == "Square"
        return dy * 0.5

    with hf.Graph().as_default() as graph:
        x = hf.constant(3.0)
        with graph.gradient_override_map({"Square": "Halved"}):
            y = hf.square(x)
            with graph.gradient_override_map({"Exp": "Identity"}):
                z = hf.square(hf.exp(x))
        assert y.op.get_attr("_gradient_op_type") == b"Halved"
        assert gradient(y, x) == 0.5
        assert gradient(z, x) == 0.5
        assert gradient(hf.square(x), x) == 6.0
        # It goes with the graph.
        written = graph.as_graph_def()
    with hf.Graph().as_default():
        x, y = hf.import_graph_def(written, return_elements=["Const:0", "Square:0"])
        assert gradient(y, x) == 0.5


def test_gradients_of_ops_without(undifferentiated):
    with hf.Graph().as_default():
        x = hf.constant(3.0)
        y = undifferentiated(x)
        with pytest.raises(LookupError, match="No gradient defined for operation"):
            hf.gradients(y, x)
        hf.RegisterGradient("Undifferentiated")(lambda op, dy: 2.0 * dy * op.inputs[0])
        assert gradient(y, x) == 6.0
    with hf.eager_mode():
        x = hf.constant(3.0)
        with hf.GradientTape() as tape:
            tape.watch(x)
            y = undifferentiated(x)
        assert tape.gradient(y, x).numpy() == 6.0


def test_no_gradient_at_all(undifferentiated):
    hf.NoGradient("Undifferentiated")
    with hf.Graph().as_default():
        x = hf.constant(3.0)
        assert hf.gradients(undifferentiated(x), x) == [None]


def test_what_is_refused():
    for register in (hf.RegisterGradient, hf.NotDifferentiable):
        with pytest.raises(TypeError, match="op_type must be a string"):
            register(1)
    with pytest.raises(KeyError, match="Registering two gradient with name 'MatMul'"):
        hf.RegisterGradient("MatMul")(lambda op, dy: dy)
    hf.RegisterGradient("Mine")(lambda op, dy: dy)
    with pytest.raises(KeyError, match="Registering two gradient with name 'Mine'"):
        hf.NotDifferentiable("Mine")
    with hf.Graph().as_default() as graph:
        for wrong in ("Square", {"Square": 1}, {1: "Square"}):
            with pytest.raises(TypeError, match="must be a dictionary mapping strings to strings"):
                graph.gradient_override_map(wrong)
        x = hf.constant(3.0)
        with graph.gradient_override_map({"Square": "Nobody"}):
            y = hf.square(x)
        with pytest.raises(LookupError, match="no gradient 'Nobody' is registered"):
            hf.gradients(y, x)
