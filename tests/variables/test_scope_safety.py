"""Scopes under exceptions, wrong nesting, generators, threads, several graphs, and `python -O`."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

import hybridflow as hf
from tests.variables.modes import Mode, names

NESTING = "Improper nesting of variable_scope"


def scope_name() -> str:
    return hf.get_variable_scope().name


class TestExceptions:
    def test_scopes_are_closed(self, mode: Mode) -> None:
        with pytest.raises(KeyError):
            with hf.variable_scope("a"), hf.variable_scope("b", reuse=True):
                raise KeyError
        assert scope_name() == ""
        assert hf.get_variable("v", [1]).name == "v:0"
        if not mode.eager:
            assert hf.no_op().name == "NoOp"

    def test_changes_are_undone(self, graph: hf.Graph) -> None:
        with hf.variable_scope("a") as outer:
            with pytest.raises(KeyError):
                with hf.variable_scope(outer) as scope:
                    scope.set_dtype(hf.float64)
                    scope.reuse_variables()
                    raise KeyError
            assert hf.get_variable("v", [1]).dtype.base_dtype == hf.float32

    def test_failing_to_open_opens_nothing(self, graph: hf.Graph) -> None:
        with hf.Graph().as_default():
            value = hf.constant(1.0)
        with pytest.raises(ValueError, match="is not a valid scope name"):
            with hf.variable_scope("a b", values=[value]):
                pass
        assert hf.get_default_graph() is graph
        assert scope_name() == ""

    def test_a_failed_variable_leaves_nothing(self, mode: Mode) -> None:
        def initializer(shape: object, dtype: object) -> None:
            raise KeyError("no value")

        for _ in range(2):
            with pytest.raises(KeyError, match="no value"):
                hf.get_variable("v", [1], initializer=initializer)
            assert hf.global_variables() == []
        v = hf.get_variable("v", [1])
        assert v.name.endswith(":0")
        assert hf.global_variables() == [v]

    def test_a_failed_regularizer_leaves_nothing(self, mode: Mode) -> None:
        kept = hf.get_variable("kept", [1])

        def regularizer(v: object) -> None:
            raise KeyError("no loss")

        for _ in range(2):
            with pytest.raises(KeyError, match="no loss"):
                hf.get_variable("v", [1], regularizer=regularizer)
            assert hf.global_variables() == hf.trainable_variables() == [kept]
        v = hf.get_variable("v", [1])
        assert hf.global_variables() == [kept, v]

    def test_a_failed_part_leaves_none_of_the_parts(self, mode: Mode) -> None:
        def initializer(shape: list[int], dtype: object, partition_info: object) -> object:
            if partition_info.var_offset != [0]:  # type: ignore[attr-defined]
                raise KeyError("no value")
            return hf.zeros(shape)

        cut = {"partitioner": hf.fixed_size_partitioner(2)}
        for _ in range(2):
            with pytest.raises(KeyError, match="no value"):
                hf.get_variable("v", [4], initializer=initializer, **cut)
            assert hf.global_variables() == []
        v = hf.get_variable("v", [4], **cut)
        assert hf.global_variables() == list(v)

    def test_a_failed_partitioned_variable(self, mode: Mode) -> None:
        with pytest.raises(ValueError, match="Cannot create 3 slices"):
            hf.get_variable("v", [2], partitioner=lambda **_: [3])
        assert len(hf.get_variable("v", [2], partitioner=lambda **_: [2])) == 2


class TestNesting:
    def test_closed_out_of_order(self, mode: Mode) -> None:
        a, b = hf.variable_scope("a"), hf.variable_scope("b")
        a.__enter__()
        b.__enter__()
        with pytest.raises(RuntimeError, match=NESTING):
            a.__exit__(None, None, None)
        assert scope_name() == "a/b"
        b.__exit__(None, None, None)
        assert scope_name() == ""

    def test_closed_without_being_open(self, mode: Mode) -> None:
        with pytest.raises(RuntimeError, match=NESTING):
            hf.variable_scope("a").__exit__(None, None, None)

    def test_closed_twice(self, mode: Mode) -> None:
        scope = hf.variable_scope("a")
        with scope:
            pass
        with pytest.raises(RuntimeError, match=NESTING):
            scope.__exit__(None, None, None)

    def test_closed_in_another_thread(self, mode: Mode) -> None:
        scope = hf.variable_scope("a")
        scope.__enter__()
        with ThreadPoolExecutor(1) as pool:
            with pytest.raises(RuntimeError, match=NESTING):
                pool.submit(scope.__exit__, None, None, None).result()
        assert scope_name() == "a"
        scope.__exit__(None, None, None)


class TestGenerators:
    @staticmethod
    def layers() -> Iterator[str]:
        for name in ("one", "two"):
            with hf.variable_scope(name):
                yield scope_name()

    def test_a_generator_that_runs_to_its_end(self, mode: Mode) -> None:
        with hf.variable_scope("net"):
            assert list(self.layers()) == ["net/one", "net/two"]
            assert scope_name() == "net"

    def test_a_generator_that_is_closed(self, mode: Mode) -> None:
        with hf.variable_scope("net"):
            layers = self.layers()
            next(layers)
            layers.close()
            assert scope_name() == "net"

    def test_a_scope_opened_meanwhile_is_found_out(self, mode: Mode) -> None:
        layers = self.layers()
        next(layers)
        with hf.variable_scope("mine"):
            with pytest.raises(RuntimeError, match=NESTING):
                next(layers)
            assert scope_name() == "one/mine"
        assert scope_name() == ""


def in_thread(function: Callable[[], object]) -> object:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result()


class TestThreads:
    def test_a_thread_starts_at_the_root(self, graph: hf.Graph) -> None:
        def name() -> str:
            with graph.as_default():
                return scope_name()

        with hf.variable_scope("a"):
            assert in_thread(name) == ""

    def test_scopes_of_threads_are_independent(self, graph: hf.Graph) -> None:
        barrier = threading.Barrier(4, timeout=10)

        def work(index: int) -> list[str]:
            with graph.as_default():
                found = []
                for level in range(3):
                    with hf.variable_scope(f"t{index}"), hf.variable_scope(f"l{level}"):
                        barrier.wait()
                        found.append(hf.get_variable("v", [1]).name)
                        barrier.wait()
                return found

        with ThreadPoolExecutor(4) as pool:
            for index, found in enumerate(pool.map(work, range(4))):
                assert found == [f"t{index}/l{level}/v:0" for level in range(3)]

    def test_one_scope_object_in_many_threads(self, graph: hf.Graph) -> None:
        scope = hf.variable_scope("a", reuse=hf.AUTO_REUSE)
        barrier = threading.Barrier(4, timeout=10)

        def work(_: int) -> list[str]:
            with graph.as_default(), scope:
                barrier.wait()
                name = hf.get_variable("v", [1]).name
                barrier.wait()
            return [name, scope_name()]

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(work, range(4))) == [["a/v:0", ""]] * 4

    @pytest.mark.parametrize("kind", ["eager", "graph"])
    def test_threads_that_ask_for_one_name_get_one_variable(self, kind: str) -> None:
        barrier = threading.Barrier(8, timeout=10)
        store, graph = hf.EagerVariableStore(), hf.Graph()

        def work(_: int) -> object:
            eagerly = kind == "eager"
            with hf.eager_mode() if eagerly else graph.as_default(), store.as_default():
                barrier.wait()
                with hf.variable_scope("a", reuse=hf.AUTO_REUSE):
                    return hf.get_variable("v", [50, 50])

        with ThreadPoolExecutor(8) as pool:
            made = set(pool.map(work, range(8)))
        assert len(made) == 1
        if kind == "graph":
            assert len(graph.get_collection(hf.GraphKeys.GLOBAL_VARIABLES)) == 1

    def test_mode_scopes_in_a_thread(self) -> None:
        def work() -> list[str]:
            with hf.eager_mode(), hf.EagerVariableStore().as_default() as store:
                with hf.variable_scope("a"):
                    hf.get_variable("v", [1])
                return names(store.variables())

        with hf.Graph().as_default(), hf.variable_scope("b"):
            assert in_thread(work) == ["a/v:0"]


class TestGraphs:
    def test_each_graph_has_its_scopes(self) -> None:
        with hf.Graph().as_default() as first, hf.variable_scope("a") as scope:
            with hf.Graph().as_default():
                assert scope_name() == ""
                with hf.variable_scope("b"):
                    assert hf.get_variable("v", [1]).name == "b/v:0"
                    with first.as_default():
                        assert hf.get_variable_scope() is scope
                        assert hf.get_variable("v", [1]).name == "a/v:0"

    def test_each_graph_has_its_variables(self) -> None:
        made = []
        for _ in range(2):
            with hf.Graph().as_default():
                made.append(hf.get_variable("v", [1]))
        assert made[0] is not made[1]
        assert names(made) == ["v:0", "v:0"]

    def test_modes_have_their_own(self) -> None:
        with hf.Graph().as_default(), hf.variable_scope("a", reuse=hf.AUTO_REUSE):
            v = hf.get_variable("v", [1])
            with hf.eager_mode(), hf.EagerVariableStore().as_default():
                assert scope_name() == ""
                with hf.variable_scope("a"):
                    w = hf.get_variable("v", [1])
                assert hf.global_variables() == [w]
            assert hf.get_variable("v", [1]) is v
            assert hf.global_variables() == [v]
        assert v is not w


def test_optimized_python() -> None:
    """Nothing that scopes do stands in an assert."""
    program = """
    import hybridflow as hf

    for mode in (hf.Graph().as_default(), hf.eager_mode()):
        with mode:
            for _ in range(2):
                try:
                    with hf.variable_scope("a") as scope, hf.variable_scope("b"):
                        v = hf.get_variable("v", [1]) if not scope.reuse else None
                        raise KeyError
                except KeyError:
                    pass
                except ValueError as error:
                    print("already exists" in str(error))
                print(hf.get_variable_scope().name == "", len(hf.global_variables()))
            try:
                hf.variable_scope("a").__exit__(None, None, None)
            except RuntimeError as error:
                print("Improper nesting" in str(error))
    """
    run = subprocess.run(
        [sys.executable, "-O", "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=True,
    )
    in_graph = ["True", "1", "True", "True", "1", "True"]
    assert run.stdout.split() == [*in_graph, "True", "0", "True", "0", "True"]
