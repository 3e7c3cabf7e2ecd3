"""Summary ops: what they refuse, and what they say then."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.summary import plugin_asset


@pytest.fixture(autouse=True)
def session():
    with hf.Graph().as_default(), hf.Session() as session:
        yield session


def test_numbers_that_are_not_finite(session):
    for value, what in ((np.nan, "Nan"), (np.inf, "Infinity")):
        x = hf.constant([1.0, value])
        with pytest.raises(hf.errors.InvalidArgumentError, match=f"{what} in summary histogram"):
            session.run(hf.summary.histogram("h", x))


def test_shapes(session):
    cases = [
        (hf.summary.scalar("s", hf.constant([1.0, 2.0])), "not the same shape"),
        (hf.summary.image("i", hf.zeros([2, 2, 3])), "Tensor must be 4-D"),
        (hf.summary.image("i", hf.zeros([1, 2, 2, 2])), "last dim 1, 3, or 4"),
        (hf.summary.image("i", hf.zeros([1, 2, 2, 1]), max_outputs=0), "must be > 0"),
        (hf.summary.audio("a", hf.zeros([2]), 8000.0), "Tensor must be 3-D or 2-D"),
        (hf.summary.audio("a", hf.zeros([2, 2]), 0.0), "sample_rate must be > 0"),
    ]
    for summary, text in cases:
        with pytest.raises(hf.errors.InvalidArgumentError, match=text):
            session.run(summary)


def test_dtypes():
    for make in (hf.summary.scalar, hf.summary.histogram, hf.summary.image):
        with pytest.raises(TypeError):
            make("x", hf.constant("text"))
    with pytest.raises(ValueError, match="to have dtype string"):
        hf.summary.text("t", hf.constant(1.0))


def test_tags_that_are_there_twice(session):
    both = hf.summary.merge([hf.summary.scalar("a", 1.0)] * 2)
    with pytest.raises(hf.errors.InvalidArgumentError, match="Duplicate tag a found"):
        session.run(both)
    with pytest.raises(hf.errors.InvalidArgumentError, match="Could not parse one"):
        session.run(hf.summary.merge([hf.constant(b"\xff\xff\xff")]))


def test_collections():
    summary = hf.summary.scalar("a", 1.0, collections=["one", "two"])
    assert hf.get_collection("one") == hf.get_collection("two") == [summary]
    assert hf.get_collection(hf.GraphKeys.SUMMARIES) == []
    assert hf.summary.merge_all("one").op.inputs[0] is summary
    merged = hf.summary.merge([summary], collections=["merged"])
    assert hf.get_collection("merged") == [merged]


def test_in_eager_mode():
    with hf.eager_mode():
        found = hf.Summary.FromString(hf.summary.scalar("a", 1.5).numpy())
        assert [(v.tag, v.simple_value) for v in found.value] == [("a", 1.5)]
        for call in (hf.summary.merge_all, lambda: hf.summary.merge([])):
            with pytest.raises(RuntimeError, match="not compatible with eager"):
                call()


def test_without_pillow(session, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(Exception, match=r"Pillow.*pip install 'hybridflow\[image\]'"):
        session.run(hf.summary.image("i", hf.zeros([1, 2, 2, 1])))


def test_files_of_plugins(tmp_path):
    class Asset(plugin_asset.PluginAsset):
        plugin_name = "mine"

        def assets(self):
            return {"a.txt": "text"}

    class Other(Asset):
        plugin_name = "mine"

    asset = plugin_asset.get_plugin_asset(Asset)
    assert plugin_asset.get_plugin_asset(Asset) is asset
    assert plugin_asset.get_all_plugin_assets() == [asset]
    with pytest.raises(ValueError, match="Plugin name collision"):
        plugin_asset.get_plugin_asset(Other)
    with pytest.raises(ValueError, match="has no plugin_name"):
        plugin_asset.get_plugin_asset(plugin_asset.PluginAsset)
    with hf.summary.FileWriter(tmp_path, hf.get_default_graph()):
        pass
    assert (tmp_path / "plugins" / "mine" / "a.txt").read_text("utf-8") == "text"


def test_what_a_summary_is_about_is_read_from_an_old_node():
    """TensorFlow's first TensorSummary op had it as JSON; its second one has metadata."""
    node = hf.NodeDef(name="t", op="TensorSummary")
    node.attr["description"].s = b'{"typeHint": "histogram"}'
    assert hf.summary.get_summary_description(node).type_hint == "histogram"
    hf.summary.tensor_summary("t", hf.constant([1.0]), summary_description="how wide")
    newer = hf.get_default_graph().as_graph_def().node[-1]
    assert newer.op == "TensorSummaryV2"
    with pytest.raises(ValueError, match="Can't get_summary_description on TensorSummaryV2"):
        hf.summary.get_summary_description(newer)


def test_names_and_folders_in_each_others_place(tmp_path):
    with hf.Graph().as_default() as graph:
        for summary in (hf.summary.scalar, hf.summary.histogram, hf.summary.tensor_summary):
            with pytest.raises(TypeError, match="name of a summary is a string"):
                summary(hf.constant(1.0), "loss")
        with pytest.raises(TypeError, match="logdir must be the path of a folder"):
            hf.summary.FileWriter(graph, str(tmp_path))
