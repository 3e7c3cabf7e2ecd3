"""Initial values, those that depend on other variables too; what is initialized and what not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from hybridflow import errors
from tests.variables.modes import Mode, names


@pytest.fixture(params=[False, True], ids=["references", "resources"])
def scope(request: pytest.FixtureRequest, graph: hf.Graph) -> Any:
    """A graph in which `get_variable` makes the one or the other kind."""
    with hf.variable_scope("", use_resource=request.param) as opened:
        yield opened


def run(*fetches: Any, first: Any = None) -> list[Any]:
    """The values of variables after all (or `first`) are initialized in one run."""
    with hf.Session() as session:
        session.run(hf.global_variables_initializer() if first is None else first)
        return [np.asarray(value).tolist() for value in session.run(list(fetches))]


class TestDependentInitialValues:
    def test_of_another_variable(self, mode: Mode) -> None:
        v = hf.get_variable("v", initializer=[1.0, 2.0])
        w = hf.get_variable("w", initializer=v * 2.0)
        u = hf.Variable(lambda: v + w, name="u")
        x = hf.Variable(v, name="x")
        mode.start()
        found = [mode.value(item).tolist() for item in (v, w, u, x)]
        assert found == [[1, 2], [2, 4], [3, 6], [1, 2]]

    def test_in_any_order_in_one_run(self, scope: Any) -> None:
        v = hf.get_variable("v", initializer=hf.random_uniform([], seed=1))
        w = hf.get_variable("w", initializer=v * 2.0)
        u = hf.get_variable("u", initializer=w + v)
        a, b, c = run(v, w, u, first=[u.initializer, w.initializer, v.initializer])
        assert (b, c) == (2 * a, pytest.approx(3 * a))

    def test_the_initial_value_stands_for_a_variable_without_value(self, scope: Any) -> None:
        v = hf.get_variable("v", initializer=3.0)
        w = hf.get_variable("w", initializer=v + 1.0)
        with hf.Session() as session:
            session.run(w.initializer)
            assert session.run(w) == 4.0
            assert session.run(hf.report_uninitialized_variables()).tolist() == [b"v"]

    def test_a_value_stands_for_itself(self, scope: Any) -> None:
        v = hf.get_variable("v", initializer=3.0)
        w = hf.get_variable("w", initializer=v + 1.0)
        with hf.Session() as session:
            session.run(v.initializer)
            session.run(v.assign(10.0))
            session.run(w.initializer)
            assert session.run(w) == 11.0

    def test_through_many_ops(self, scope: Any) -> None:
        v = hf.get_variable("v", initializer=[[1.0, 2.0], [3.0, 4.0]])
        x = hf.concat(hf.split(v, 2, axis=0), axis=1)
        value = hf.reduce_sum(x * x) + hf.matmul(v, v)[0, 0] + hf.gather(v, [1])[0, 0]
        w = hf.get_variable("w", initializer=value)
        assert run(w) == [30.0 + 7.0 + 3.0]

    def test_through_initialized_value(self, scope: Any) -> None:
        v = hf.get_variable("v", initializer=3.0)
        w = hf.get_variable("w", initializer=v.initialized_value() * 2.0)
        u = hf.get_variable("u", initializer=w.initialized_value() + v)
        assert run(v, w, u) == [3.0, 6.0, 9.0]

    def test_initialized_value_of_a_dependent_variable(self, scope: Any) -> None:
        v = hf.get_variable("v", initializer=3.0)
        w = hf.get_variable("w", initializer=v * 2.0)
        with hf.Session() as session:
            assert session.run(w.initialized_value()) == 6.0

    def test_whether_it_is_initialized_is_asked_as_it_stands(self, scope: Any) -> None:
        v = hf.get_variable("v", initializer=3.0)
        w = hf.get_variable("w", initializer=hf.cast(v.is_initialized(), hf.float32))
        assert run(w) == [0.0]

    def test_kinds_mixed(self, graph: hf.Graph) -> None:
        v = hf.Variable(3.0)
        w = hf.ResourceVariable(v * 2.0)
        u = hf.Variable(w + v)
        assert run(v, w, u) == [3.0, 6.0, 9.0]

    def test_variables_in_no_collection(self, graph: hf.Graph) -> None:
        v = hf.Variable(3.0, collections=[], trainable=False)
        w = hf.Variable(v * 2.0)
        assert run(w) == [6.0]

    def test_the_initial_value_is_the_tensor_given(self, scope: Any) -> None:
        v = hf.get_variable("v", initializer=3.0)
        value = v * 2.0
        assert hf.get_variable("w", initializer=value).initial_value is value

    def test_local_and_partitioned_variables(self, scope: Any) -> None:
        v = hf.get_local_variable("v", initializer=[1.0, 2.0, 3.0, 4.0])
        w = hf.get_variable("w", initializer=v * 2.0, partitioner=hf.fixed_size_partitioner(2))
        assert run(w.as_tensor()) == [[2.0, 4.0, 6.0, 8.0]]

    def test_inside_an_initializer(self, mode: Mode) -> None:
        def initializer(shape: Any, dtype: Any) -> Any:
            return hf.get_variable("scale", [], initializer=hf.ones_initializer()) * 2.0

        v = hf.get_variable("v", [], initializer=initializer)
        mode.start()
        assert mode.value(v) == 2.0
        assert sorted(names(hf.global_variables())) == ["scale:0", "v:0"]

    def test_a_cycle(self, mode: Mode) -> None:
        def of(name: str, other: str) -> Any:
            def initializer(shape: Any, dtype: Any) -> Any:
                return hf.identity(hf.get_variable(other, [], initializer=of(other, name)))

            return initializer

        with hf.variable_scope("s", reuse=hf.AUTO_REUSE):
            text = r"initial value of variable s/a depends on itself.*\(s/a -> s/b -> s/a\)"
            with pytest.raises(ValueError, match=text):
                hf.get_variable("a", [], initializer=of("a", "b"))
            assert hf.global_variables() == []
            v = hf.get_variable("b", [], initializer=hf.ones_initializer())
        mode.start()
        assert mode.value(v) == 1.0


class TestInitializers:
    def test_all_global_variables(self, graph: hf.Graph) -> None:
        v, w = hf.Variable(1.0), hf.get_local_variable("w", initializer=2.0)
        with hf.Session() as session:
            assert session.run(hf.global_variables_initializer()) is None
            assert session.run(v) == 1.0
            with pytest.raises(errors.FailedPreconditionError, match="'w'"):
                session.run(w)
            session.run(hf.local_variables_initializer())
            assert session.run(w) == 2.0

    def test_some(self, graph: hf.Graph) -> None:
        v, w = hf.Variable(1.0, name="v"), hf.Variable(2.0, name="w")
        with hf.Session() as session:
            session.run(hf.variables_initializer([w]))
            assert session.run(hf.report_uninitialized_variables()).tolist() == [b"v"]
            session.run(v.initializer)
            assert session.run(hf.report_uninitialized_variables()).tolist() == []

    def test_again(self, graph: hf.Graph) -> None:
        v = hf.Variable(1.0)
        with hf.Session() as session:
            for _ in range(2):
                session.run(hf.global_variables_initializer())
                assert session.run(v.assign_add(1.0)) == 2.0

    def test_names(self, graph: hf.Graph) -> None:
        assert hf.variables_initializer([]).name == "init"
        v = hf.Variable(1.0)
        made = [hf.global_variables_initializer(), hf.variables_initializer([v], name="mine")]
        assert names(made) == ["init_1", "mine"]

    def test_of_tables(self) -> None:
        """It runs what the collection of their initializers holds."""
        with hf.Graph().as_default(), hf.Session() as session:
            filled = hf.Variable(0.0)
            session.run(filled.initializer)
            session.run(hf.tables_initializer())
            assert session.run(filled) == 0.0
            hf.add_to_collection(hf.GraphKeys.TABLE_INITIALIZERS, filled.assign(3.0).op)
            session.run(hf.tables_initializer())
            assert session.run(filled) == 3.0

    def test_eagerly_nothing_is_left_to_do(self, eager: hf.EagerVariableStore) -> None:
        v = hf.Variable(1.0)
        v.assign(2.0)
        for done in (
            hf.global_variables_initializer(),
            hf.local_variables_initializer(),
            hf.variables_initializer([v]),
        ):
            assert done is None
        assert v.numpy() == 2.0

    @pytest.mark.parametrize(
        ("old", "arguments"),
        [
            ("all_variables", 0),
            ("initialize_all_tables", 0),
            ("initialize_all_variables", 0),
            ("initialize_local_variables", 0),
            ("initialize_variables", 1),
        ],
    )
    def test_deprecated(self, mode: Mode, old: str, arguments: int) -> None:
        v = hf.Variable(1.0)
        for _ in range(2):
            with pytest.warns(DeprecationWarning, match=f"{old} is deprecated") as caught:
                result = getattr(hf, old)(*[[v]][:arguments])
            assert len(caught) == 1
            assert caught[0].filename == __file__
        if old == "all_variables":
            assert result == [v]
        elif not mode.eager:
            mode.value(result)


class TestReports:
    def test_of_given_variables(self, graph: hf.Graph) -> None:
        v, w = hf.Variable(1.0, name="v"), hf.ResourceVariable(1.0, name="a/w")
        with hf.Session() as session:
            assert session.run(hf.report_uninitialized_variables()).tolist() == [b"v", b"a/w"]
            assert session.run(hf.report_uninitialized_variables([w])).tolist() == [b"a/w"]
            session.run(w.initializer)
            assert session.run(hf.report_uninitialized_variables([w])).tolist() == []
            assert session.run([v.is_initialized(), w.is_initialized()]) == [False, True]

    def test_without_variables(self, mode: Mode) -> None:
        report = mode.value(hf.report_uninitialized_variables())
        assert report.shape == (0,)
        assert hf.assert_variables_initialized() is None
        assert hf.assert_variables_initialized([]) is None

    def test_variables_in_no_collection(self, graph: hf.Graph) -> None:
        hf.Variable(1.0, name="v", collections=[], trainable=False)
        with hf.Session() as session:
            assert session.run(hf.report_uninitialized_variables()).tolist() == [b"v"]

    def test_name_and_device(self, graph: hf.Graph) -> None:
        hf.Variable(1.0)
        report = hf.report_uninitialized_variables(name="mine")
        assert report.name.startswith("mine/boolean_mask/")
        assert report.device == "/device:CPU:0"

    def test_eager(self, eager: hf.EagerVariableStore) -> None:
        v = hf.Variable([1.0])
        assert hf.report_uninitialized_variables().numpy().tolist() == []
        assert hf.is_variable_initialized(v).numpy()
        assert hf.assert_variables_initialized().numpy() == 1

    def test_assert(self, graph: hf.Graph) -> None:
        v, w = hf.Variable([1.0], name="v"), hf.Variable([[1.0]], name="w")
        one, both = hf.assert_variables_initialized([v]), hf.assert_variables_initialized()
        with hf.Session() as session:
            session.run(v.initializer)
            assert session.run(one) == 1
            with pytest.raises(errors.FailedPreconditionError, match="'w'"):
                session.run(both)
            session.run(w.initializer)
            assert session.run(both).tolist() == [1, 2]
