"""`hf.test`: what its assertions take and refuse, sessions, gradients, programs of tests."""

from __future__ import annotations

import os
import subprocess
import sys
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hybridflow as hf


def outcome(body: Callable[[Any], Any]) -> unittest.TestResult:
    """What becomes of a test with this body."""

    class Case(hf.test.TestCase):
        def testBody(self) -> None:
            body(self)

    result = unittest.TestResult()
    Case("testBody").run(result)
    return result


def fails(body: Callable[[Any], Any]) -> bool:
    result = outcome(body)
    assert not result.errors, result.errors
    return bool(result.failures)


A = np.array([1.0, np.nan, np.inf])
HALF = np.array([1.0, 2.0], np.float16)


def _raise(text: str) -> None:
    raise ValueError(text)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("assertAllEqual", (A, A.copy()), (A, [1.0, np.nan, -np.inf])),
        ("assertAllEqual", ([[1]], [[1]]), ([1], [[1]])),
        ("assertAllClose", (A, [1.0 + 1e-7, np.nan, np.inf]), (A, [1.1, np.nan, np.inf])),
        ("assertAllClose", ({"a": [1.0]}, {"a": [1.0]}), ({"a": [1.0]}, {"b": [1.0]})),
        ("assertAllClose", ([[1.0], [1.0, 2.0]], [[1.0], [1.0, 2.0]]), ([[1.0], [1.0, 2.0]], [1])),
        ("assertNotAllClose", ([1.0], [2.0]), ([1.0], [1.0])),
        ("assertAllCloseAccordingToType", (HALF, HALF + 0.001), (HALF, HALF + 0.1)),
        ("assertNear", (np.inf, np.inf, 0.1), (1.0, np.nan, 0.1)),
        ("assertArrayNear", ([1.0, 2.0], [1.05, 2.0], 0.1), ([1.0], [1.0, 2.0], 0.1)),
        ("assertNDArrayNear", (np.ones(2), np.ones(2), 0.1), (np.ones(2), np.zeros(2), 0.1)),
        ("assertAllGreater", ([2, 3], 1), ([1, 3], 1)),
        ("assertAllLessEqual", ([2, 3], 3), ([2, 4], 3)),
        ("assertStartsWith", ("abc", "ab"), ("abc", "b")),
        ("assertLen", ([1, 2], 2), ([1, 2], 1)),
        ("assertEmpty", ({},), ({1: 2},)),
        ("assertNotEmpty", ("a",), ("",)),
        ("assertBetween", (2, 1, 2), (3, 1, 2)),
        ("assertAllInRange", ([0, 1], 0, 1), ([0, 2], 0, 1)),
        ("assertAllInRange", ([0.5], 0, 1, True, True), ([0.0], 0, 1, True)),
        ("assertAllInSet", ([0, 1], [0, 1, 2]), ([0, 3], [0, 1])),
        ("assertDTypeEqual", (HALF, np.float16), (HALF, np.float32)),
        (
            "assertRaisesWithLiteralMatch",
            (ValueError, "x", _raise, "x"),
            (ValueError, "y", _raise, "x"),
        ),
        ("assertItemsEqual", ([1, 2], [2, 1]), ([1, 1], [1])),
        ("assertDeviceEqual", ("/cpu:0", "/device:CPU:0"), ("/cpu:0", "/cpu:1")),
    ],
)
def test_assertions(name: str, good: tuple[Any, ...], bad: tuple[Any, ...]) -> None:
    assert not fails(lambda case: getattr(case, name)(*good))
    assert fails(lambda case: getattr(case, name)(*bad))


def test_shapes() -> None:
    assert not fails(lambda case: case.assertShapeEqual(np.zeros([2]), hf.zeros([2])))
    assert fails(lambda case: case.assertShapeEqual(np.zeros([2]), hf.zeros([3])))


def test_errors_of_ops() -> None:
    def body(case: Any) -> None:
        with case.test_session(), case.assertRaisesOpError("(?s)feed.*Caused by: Placeholder"):
            hf.placeholder(hf.float32).eval()

    assert not fails(body)

    def wrong(case: Any) -> None:
        with case.test_session(), case.assertRaisesOpError("quite another"):
            hf.placeholder(hf.float32).eval()

    assert fails(wrong)

    def nothing(case: Any) -> None:
        with case.assertRaisesWithPredicateMatch(ValueError, lambda error: True):
            pass

    assert fails(nothing)


def test_messages() -> None:
    with hf.Graph().as_default() as graph:
        hf.constant(1, name="one")
    node = graph.as_graph_def().node[0]
    text = str(node)
    assert not fails(lambda case: case.assertProtoEquals(text, node))
    assert fails(lambda case: case.assertProtoEquals(text.replace("one", "two"), node))
    with hf.Graph().as_default() as other:
        hf.constant(2, name="one")
    hf.test.assert_equal_graph_def(graph.as_graph_def(), graph.as_graph_def())
    with pytest.raises(AssertionError, match="'one' differ"):
        hf.test.assert_equal_graph_def(graph.as_graph_def(), other.as_graph_def())
    with pytest.raises(AssertionError, match="actual graph alone"):
        hf.test.assert_equal_graph_def(graph.as_graph_def(), hf.Graph().as_graph_def())
    with pytest.raises(TypeError, match="as_graph_def"):
        hf.test.assert_equal_graph_def(graph, graph.as_graph_def())


class TestSessions:
    def test_is_the_same_in_one_test(self) -> None:
        def body(case: Any) -> None:
            with case.test_session() as first:
                v = hf.Variable(3.0)
                first.run(v.initializer)
            with case.test_session() as second:
                assert first is second
                assert v.eval() == 3.0
            with hf.Graph().as_default() as graph, case.test_session(graph=graph) as third:
                assert first is not third

        assert not fails(body)

    def test_begins_anew(self) -> None:
        drawn = []

        def body(case: Any) -> None:
            assert hf.get_default_graph().get_operations() == []
            with case.test_session():
                drawn.append((float(hf.random_uniform([]).eval()), np.random.rand()))

        assert not fails(body)
        assert not fails(body)
        assert drawn[0] == drawn[1]

    def test_evaluate(self) -> None:
        def body(case: Any) -> None:
            assert case.evaluate({"a": [hf.constant(1), hf.constant(2)]}) == {"a": [1, 2]}

        assert not fails(body)
        with hf.eager_mode():
            assert not fails(body)


def test_threads() -> None:
    def broken() -> None:
        raise ValueError("in a thread")

    def joined(case: Any) -> None:
        thread = case.checkedThread(broken)
        thread.start()
        thread.join()

    def forgotten(case: Any) -> None:
        case.checkedThread(lambda: None).start()

    assert "in a thread" in outcome(joined).failures[0][1]
    assert "not joined" in outcome(forgotten).failures[0][1]


class TestGradients:
    def test_two_inputs_of_which_one_is_sparse(self) -> None:
        with hf.Graph().as_default(), hf.Session():
            table = hf.placeholder(hf.float64, [3, 2])
            x = hf.placeholder(hf.float64, [2])
            y = hf.reduce_sum(hf.gather(table, [0, 2, 0]), 0) * x
            found = hf.test.compute_gradient([table, x], [[3, 2], [2]], y, [2])
            for by_gradient, by_differences in found:
                assert by_gradient.shape == by_differences.shape
                np.testing.assert_allclose(by_gradient, by_differences, 1e-6, 1e-8)
            assert hf.test.compute_gradient_error([table, x], [[3, 2], [2]], y, [2]) < 1e-6

    def test_complex_numbers(self) -> None:
        with hf.Graph().as_default(), hf.Session():
            x = hf.placeholder(hf.complex128, [2])
            assert hf.test.compute_gradient_error(x, [2], x * x, [2]) < 1e-6

    def test_finds_a_wrong_gradient(self) -> None:
        with hf.Graph().as_default(), hf.Session():
            x = hf.placeholder(hf.float64, [2])
            y = x * hf.stop_gradient(x)
            assert hf.test.compute_gradient_error(x, [2], y, [2], np.array([1.0, 2.0])) > 0.5

    def test_leaves_the_array_alone(self) -> None:
        start = np.array([1.0, 2.0])
        with hf.Graph().as_default(), hf.Session():
            x = hf.placeholder(hf.float64, [2])
            hf.test.compute_gradient(x, [2], hf.exp(x), [2], start)
        np.testing.assert_array_equal(start, [1.0, 2.0])

    def test_refused(self) -> None:
        with hf.Graph().as_default():
            x = hf.placeholder(hf.float64, [2])
            with pytest.raises(ValueError, match="there is none"):
                hf.test.compute_gradient(x, [2], x, [2])
            ints = hf.placeholder(hf.int32, [2])
            with hf.Session(), pytest.raises(ValueError, match="Only float"):
                hf.test.compute_gradient(ints, [2], hf.to_float(ints), [2])


PROGRAM = """
import hybridflow as hf
class SumTest(hf.test.TestCase):
    def testSum(self):
        with self.test_session():
            self.assertAllEqual(hf.add(1, 1).eval(), {wanted})
class Sums(hf.test.Benchmark):
    def benchmarkSum(self):
        with hf.Session() as session:
            self.run_op_benchmark(session, hf.add(1, 1))
if __name__ == "__main__":
    hf.test.main()
"""


@pytest.mark.parametrize(
    ("wanted", "arguments", "status", "words"),
    [
        (2, [], 0, "OK"),
        (3, [], 1, "FAILED"),
        (2, ["--benchmarks=Sum"], 0, "benchmark Sums.benchmarkSum: 10 iterations"),
        (2, ["SumTest.testSum", "-v"], 0, "testSum"),
    ],
)
def test_programs(
    tmp_path: Path, wanted: int, arguments: list[str], status: int, words: str
) -> None:
    program = tmp_path / "sum_test.py"
    program.write_text(PROGRAM.format(wanted=wanted))
    command = [sys.executable, str(program), *arguments]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert run.returncode == status, run.stderr
    assert words in run.stdout + run.stderr


def test_stubs_are_taken_back() -> None:
    class Base:
        x = 1

    class Derived(Base):
        pass

    with hf.test.StubOutForTesting() as stubs:
        stubs.Set(Derived, "x", 2)
        stubs.SmartSet(Derived(), "x", 3)
        assert (Base.x, Derived.x) == (1, 3)
        with pytest.raises(AttributeError):
            stubs.Set(Base, "missing", 1)
    assert (Base.x, Derived.x, "x" in vars(Derived)) == (1, 1, False)


def test_temporary_folders_go_with_the_process() -> None:
    code = "import hybridflow as hf; print(hf.test.get_temp_dir())"
    command = [sys.executable, "-c", code]
    folder = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert folder
    assert not os.path.exists(folder)


def test_texts() -> None:
    assert hf.compat.as_str(b"\xc3\xa4") == "ä"
    assert hf.compat.as_bytes("ä") == b"\xc3\xa4"
    for function in (hf.compat.as_text, hf.compat.as_bytes):
        with pytest.raises(TypeError, match="Expected binary or unicode string, got 1"):
            function(1)
    assert isinstance(np.float32(1), hf.compat.real_types)
    assert not isinstance("1", hf.compat.complex_types)
