"""Floats as integers of few bits, quantized dtypes, bfloat16."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import hybridflow as hf

RECORDED = json.loads((Path(__file__).parents[1] / "recorded" / "quantizing.json").read_text())
X = np.array(RECORDED["x"], np.float32)


def test_levels_are_tensorflows(execution):
    """One program for all: what TensorFlow 1.4 gives, and back again."""
    rows = RECORDED["rows"]

    def run(x):
        found = []
        for row in rows:
            made = hf.quantize(x, *row["range"], row["dtype"], row["mode"])
            found.append([*made, hf.dequantize(*made, row["mode"])])
        return found

    for row, (levels, least, most, floats) in zip(rows, execution(run, X), strict=True):
        expected = np.array(row["levels"])
        if row["dtype"] == "qint32":
            # Where TensorFlow's number is too large for an int32, it becomes the smallest one.
            expected[(expected == -(2**31)) & (X > 0)] = 2147483520
            expected[(expected == -(2**31)) & (X == 0) & (most == 0)] = 2147483520
        is_wrapped = expected != np.array(row["levels"])
        assert levels.dtype == hf.as_dtype(row["dtype"]).np
        np.testing.assert_array_equal(levels[~is_wrapped], expected[~is_wrapped], str(row))
        assert (levels[is_wrapped] == 2147483520).all()
        assert [least, most] == row["found"]
        keep = ~is_wrapped
        np.testing.assert_allclose(
            floats[keep], np.array(row["floats"])[keep], 1e-6, 1e-9, str(row)
        )


def test_halves(execution):
    halves = np.array([0.5, 1.5, -2.5, 2.5], np.float32)

    def run(x, mode):
        return hf.quantize(x, -127.0, 127.0, hf.qint8, "SCALED", mode).output

    assert execution(lambda x: run(x, "HALF_TO_EVEN"), halves).tolist() == [0, 2, -2, 2]
    assert execution(lambda x: run(x, "HALF_AWAY_FROM_ZERO"), halves).tolist() == [1, 2, -3, 3]
    nan = np.array([np.nan, np.inf, -np.inf], np.float32)
    assert execution(lambda x: run(x, "HALF_TO_EVEN"), nan).tolist() == [0, 127, -127]


def test_what_is_refused():
    with hf.eager_mode():
        for keywords, why in (
            ({"mode": "MAX"}, "Mode string"),
            ({"round_mode": "UP"}, "Round mode string"),
            ({"round_mode": "HALF_TO_EVEN"}, "only supported for mode 'SCALED'"),
            ({"mode": "SCALED", "T": hf.int8}, "int8"),
        ):
            with pytest.raises((ValueError, TypeError), match=why):
                hf.quantize([1.0], 0.0, 1.0, **{"T": hf.qint8, **keywords})
        with pytest.raises(hf.errors.InvalidArgumentError, match="must be larger"):
            hf.quantize([1.0], 1.0, 0.0, hf.qint8)
        with pytest.raises(ValueError, match="rank 0"):
            hf.quantize([1.0], [0.0], 1.0, hf.qint8)
        with pytest.raises(TypeError, match="int8"):
            hf.dequantize(hf.constant([1], hf.int8), 0.0, 1.0)


@pytest.mark.parametrize("name", ["qint8", "quint8", "qint16", "quint16", "qint32"])
def test_quantized_dtypes(name, execution):
    dtype = getattr(hf, name)
    assert dtype.is_quantized
    assert not any([dtype.is_integer, dtype.is_floating, dtype.is_unsigned])
    assert dtype in hf.QUANTIZED_DTYPES
    assert hf.as_dtype(dtype.as_numpy_dtype) is hf.as_dtype(dtype.as_datatype_enum) is dtype
    with pytest.raises(TypeError, match="minimum"):
        dtype.min  # noqa: B018
    got = execution(lambda: hf.concat([hf.constant([[1, 2]], dtype), [[3, 4]]], 0)[1:])
    assert got.tolist() == [[3, 4]]
    with hf.Graph().as_default() as graph, hf.Session() as session:
        hf.import_graph_def(_quantized_graph(dtype), name="")
        tensor = graph.get_tensor_by_name("q:0")
        assert tensor.dtype is dtype
        assert session.run(tensor).tolist() == [1, 2]
    assert got.dtype == np.dtype(name.removeprefix("q"))
    with hf.eager_mode(), pytest.raises(TypeError, match=name):
        hf.constant([1], dtype) + hf.constant([1], dtype)


def _quantized_graph(dtype):
    with hf.Graph().as_default() as graph:
        hf.constant([1, 2], dtype, name="q")
        node = graph.as_graph_def().node[0]
        assert node.attr["value"].tensor.dtype == node.attr["dtype"].type == int(dtype)
        return graph.as_graph_def()


def test_bfloat16(execution, tmp_path):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    x = np.array([[1.0, -2.5, 3.14159], [0.0, 1e30, -1e-30]], np.float32)
    expected = x.astype(ml_dtypes.bfloat16)
    got = execution(lambda x: hf.to_bfloat16(x), x)
    assert got.dtype == expected.dtype == hf.bfloat16.np
    np.testing.assert_array_equal(got.view(np.uint16), expected.view(np.uint16))
    back = execution(lambda x: hf.cast(hf.transpose(hf.cast(x, hf.bfloat16)), hf.float32), x)
    np.testing.assert_array_equal(back, expected.astype(np.float32).T)
    assert hf.as_dtype(expected.dtype) is hf.as_dtype("bfloat16") is hf.bfloat16
    assert float(hf.bfloat16.max) > 3e38
    with hf.Graph().as_default(), hf.Session() as session:
        source = hf.constant(x)
        (dx,) = hf.gradients(hf.cast(hf.to_bfloat16(source), hf.float32), source)
        assert session.run(dx).tolist() == np.ones_like(x).tolist()
        kept = hf.get_variable("b", initializer=hf.constant(expected))
        session.run(kept.initializer)
        path = hf.train.Saver().save(session, str(tmp_path / "model"))
        np.testing.assert_array_equal(hf.train.load_variable(path, "b"), expected)
        graph = hf.get_default_graph().as_graph_def()
    with hf.Graph().as_default(), hf.Session() as session:
        hf.import_graph_def(graph, name="")
        again = session.run(hf.get_default_graph().get_tensor_by_name("Const_1:0"))
        np.testing.assert_array_equal(again, expected)


def test_bfloat16_without_its_library():
    """It is a dtype all the same: only values need the library."""
    command = "import sys; sys.modules['ml_dtypes'] = None; import hybridflow as hf\n"
    command += "print(hf.float32 == hf.bfloat16, hf.bfloat16, hf.bfloat16.size)\n"
    command += "with hf.eager_mode(): hf.to_bfloat16(hf.constant(1.0))"
    found = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=False
    )
    assert found.stdout == "False <dtype: 'bfloat16'> 2\n"
    assert "ImportError: Arrays of bfloat16" in found.stderr
    assert "pip install 'hybridflow[bfloat16]'" in found.stderr
