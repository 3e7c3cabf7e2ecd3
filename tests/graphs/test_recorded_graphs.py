"""Graphs that TensorFlow wrote run here and give its numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.formats import messages

FOLDER = Path(__file__).parents[1] / "recorded" / "graphs"
GRAPHS = sorted(path for path in FOLDER.glob("1_*/*.pb"))


def cases(path):
    """What is fed and what comes, for one recorded graph."""
    found = {}
    with np.load(path.parent / "values.npz") as values:
        for key in values.files:
            name, number, kind, tensor = key.split("/", 3)
            if name == path.stem:
                found.setdefault(number, {"feed": {}, "fetch": {}})[kind][tensor] = values[key]
    assert found
    return list(found.values())


@pytest.mark.parametrize("path", GRAPHS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_it_gives_tensorflows_numbers(path):
    graph_def = messages.GraphDef.FromString(path.read_bytes())
    with hf.Graph().as_default() as graph:
        hf.import_graph_def(graph_def, name="")
    again = graph.as_graph_def()
    with hf.Graph().as_default() as exported:
        hf.import_graph_def(again, name="")
    for built in (graph, exported):
        with hf.Session(graph=built) as session:
            for case in cases(path):
                results = session.run(list(case["fetch"]), case["feed"])
                for found, wanted in zip(results, case["fetch"].values(), strict=True):
                    assert found.dtype == wanted.dtype
                    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "path",
    sorted(FOLDER.glob("1_*/training/*.pb")),
    ids=lambda path: f"{path.parts[-3]}-{path.stem}",
)
def test_training_goes_tensorflows_way(path):
    """Gradients of loops, which keep values on stacks, in branches too; and what we make of it."""
    graph_def = messages.GraphDef.FromString(path.read_bytes())
    with hf.Graph().as_default() as graph:
        hf.import_graph_def(graph_def, name="")
    with hf.Graph().as_default() as exported:
        hf.import_graph_def(graph.as_graph_def(), name="")
    with np.load(path.parent / "values.npz") as values:
        recorded = {
            key.removeprefix(f"{path.stem}/"): values[key]
            for key in values.files
            if key.startswith(f"{path.stem}/")
        }
    losses = recorded.pop("losses")
    fed = {k.removeprefix("feed/"): v for k, v in recorded.items() if k.startswith("feed/")}
    for built in (graph, exported):
        with hf.Session(graph=built) as session:
            session.run("start")
            for wanted in losses:
                np.testing.assert_allclose(session.run("loss:0", fed), wanted, rtol=1e-5)
                session.run("step", fed)
            for key, wanted in recorded.items():
                if key.startswith("variable/"):
                    found = session.run(key.removeprefix("variable/"))
                    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
