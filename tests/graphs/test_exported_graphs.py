"""TensorFlow loads what we write, and gives our numbers.

What it gave is recorded, for the very graphs that are written today: `record_exported.py` ran them.
"""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.formats import messages
from tests.recorded.exported_models import CASES, FOLDER, graph_of


@pytest.mark.parametrize("name", CASES)
def test_what_is_written_is_what_tensorflow_ran(name):
    recorded = messages.GraphDef.FromString((FOLDER / f"{name}.pb").read_bytes())
    assert graph_of(name).as_graph_def() == recorded


@pytest.mark.parametrize("version", ["1_15", "2_21"])
@pytest.mark.parametrize("name", CASES)
def test_tensorflow_gives_our_numbers(name, version):
    feed, fetches = CASES[name]
    graph = graph_of(name)
    names = [op.name for op in graph.get_operations()]
    with hf.Session(graph=graph) as session:
        if "init" in names:
            session.run("init")
        if "train" in names:
            for _ in range(3):
                session.run("train", feed)
                session.run("other", feed)
        ours = session.run(fetches, feed)
    with np.load(FOLDER / f"{version}.npz") as recorded:
        for key, value in zip(fetches, ours, strict=True):
            np.testing.assert_allclose(value, recorded[f"{name}/{key}"], rtol=1e-5, atol=1e-6)
