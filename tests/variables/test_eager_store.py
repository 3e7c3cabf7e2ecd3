"""Stores of eager variables: what eager mode promises, copies, nesting, lifetimes."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from tests.variables.modes import names


@pytest.fixture
def process_store() -> Any:
    """Eager mode with the store of the process, empty before and after."""
    with hf.eager_mode():
        hf.reset_default_graph()
        yield
        hf.reset_default_graph()


class TestPromises:
    @pytest.mark.parametrize("reuse", [None, False, True, hf.AUTO_REUSE])
    def test_reuse_is_always_auto(self, eager: hf.EagerVariableStore, reuse: Any) -> None:
        with hf.variable_scope("a", reuse=reuse) as scope:
            assert scope.reuse is hf.AUTO_REUSE
            v = hf.get_variable("v", [1])
            assert hf.get_variable("v", [1]) is v
        with hf.variable_scope("a"):
            assert hf.get_variable("v", [1]) is v

    def test_reuse_variables_keeps_it(self, eager: hf.EagerVariableStore) -> None:
        with hf.variable_scope("a") as scope:
            scope.reuse_variables()
            assert scope.reuse is hf.AUTO_REUSE
            assert hf.get_variable("new", [1]).name == "a/new:0"

    @pytest.mark.parametrize("use_resource", [None, False, True])
    def test_always_resources(self, eager: hf.EagerVariableStore, use_resource: Any) -> None:
        with hf.variable_scope("a", use_resource=use_resource):
            v = hf.get_variable("v", [1], use_resource=use_resource)
        assert isinstance(v, hf.ResourceVariable)
        assert isinstance(hf.Variable(1.0), hf.ResourceVariable)
        assert isinstance(hf.ResourceVariable(1.0), hf.ResourceVariable)

    def test_the_same_object(self, eager: hf.EagerVariableStore) -> None:
        v = hf.get_variable("v", [1], initializer=hf.zeros_initializer())
        v.assign([3.0])
        again = hf.get_variable("v", [1], initializer=hf.zeros_initializer())
        assert again is v
        assert again.numpy().tolist() == [3.0]

    @pytest.mark.parametrize("reuse", [None, True])
    def test_conflicts(self, eager: hf.EagerVariableStore, reuse: Any) -> None:
        hf.get_variable("v", [2])
        with hf.variable_scope(hf.get_variable_scope(), reuse=reuse):
            with pytest.raises(ValueError, match=r"specified shape \(3,\) and found shape \(2,\)"):
                hf.get_variable("v", [3])
            with pytest.raises(ValueError, match="specified dtype int32 and found dtype float32"):
                hf.get_variable("v", [2], hf.int32)

    def test_scopes_opened_in_graph_mode_are_not_seen(self) -> None:
        with hf.Graph().as_default(), hf.variable_scope("a", reuse=True):
            with hf.eager_mode(), hf.EagerVariableStore().as_default():
                assert hf.get_variable_scope().reuse is hf.AUTO_REUSE
                assert hf.get_variable("v", [1]).name == "v:0"


class TestStores:
    def test_lists(self) -> None:
        store = hf.EagerVariableStore()
        with hf.eager_mode(), store.as_default() as given:
            assert given is store
            b, a = hf.get_variable("b", [1]), hf.get_variable("a", [1], trainable=False)
            with hf.variable_scope("s"):
                c = hf.get_variable("c", [1])
        assert store.variables() == [a, b, c]
        assert store.trainable_variables() == [b, c]
        assert store.non_trainable_variables() == [a]

    def test_made_in_graph_mode(self) -> None:
        with hf.Graph().as_default():
            store = hf.EagerVariableStore()
            with store.as_default():
                v = hf.get_variable("v", [1])
            assert v.graph is hf.get_default_graph()
        assert store.variables() == []
        with hf.eager_mode(), store.as_default():
            assert hf.get_variable_scope().reuse is hf.AUTO_REUSE
            assert isinstance(hf.get_variable("v", [1]), hf.ResourceVariable)

    def test_entered_again(self) -> None:
        store = hf.EagerVariableStore()
        made = []
        for _ in range(2):
            with hf.eager_mode(), store.as_default():
                made.append(hf.get_variable("v", [1]))
        assert made[0] is made[1]

    def test_nested(self) -> None:
        outer, inner = hf.EagerVariableStore(), hf.EagerVariableStore()
        with hf.eager_mode(), outer.as_default():
            v = hf.get_variable("v", [1])
            with inner.as_default():
                w = hf.get_variable("v", [1])
                with outer.as_default():
                    assert hf.get_variable("v", [1]) is v
                assert hf.global_variables() == [w]
            assert hf.global_variables() == [v]
        assert v is not w

    def test_scopes_stay_open_in_a_store(self) -> None:
        with hf.eager_mode(), hf.variable_scope("a", dtype=hf.float64):
            with hf.EagerVariableStore().as_default() as store, hf.variable_scope("b"):
                v = hf.get_variable("v", [1])
        assert (v.name, v.dtype) == ("a/b/v:0", hf.float64)
        assert store.variables() == [v]

    def test_default_names_are_counted_in_each_store(self) -> None:
        def cell() -> str:
            with hf.variable_scope(None, "cell"):
                return hf.get_variable("v", [1]).name

        with hf.eager_mode():
            for _ in range(2):
                with hf.EagerVariableStore().as_default():
                    assert [cell(), cell()] == ["cell/v:0", "cell_1/v:0"]

    def test_collections(self) -> None:
        with hf.eager_mode(), hf.EagerVariableStore().as_default() as store:
            v = hf.get_variable("v", [1], collections=["mine"])
            hf.add_to_collection("mine", 3)
            assert hf.get_collection("mine") == store.get_collection("mine") == [v, 3]
            with hf.EagerVariableStore().as_default():
                assert hf.get_collection("mine") == []

    def test_a_store_inside_a_function(self, eager: hf.EagerVariableStore) -> None:
        mine = hf.EagerVariableStore()

        @hf.function
        def traced(x: Any) -> Any:
            with mine.as_default():
                v = hf.get_variable("v", [], initializer=hf.ones_initializer())
                assert hf.get_variable("v", []) is v
                assert hf.global_variables() == [v]
            return x + v

        assert float(traced(hf.constant(1.0))) == 2.0
        (v,) = mine.variables()
        v.assign(5.0)
        assert float(traced(hf.constant(1.0))) == 6.0
        assert eager.variables() == []
        assert hf.get_variable("v", [3]).shape.as_list() == [3]

    def test_functions_see_the_store(self, eager: hf.EagerVariableStore) -> None:
        @hf.function
        def step(x: Any) -> Any:
            with hf.variable_scope("a"):
                v = hf.get_variable("v", [], initializer=hf.zeros_initializer())
            assert hf.global_variables() == [v]
            return v.assign_add(x)

        assert [float(step(hf.constant(2.0))) for _ in range(2)] == [2.0, 4.0]
        with hf.variable_scope("a"):
            v = hf.get_variable("v", [])
        assert eager.variables() == [v]
        assert v.numpy() == 4.0

    def test_scopes_around_a_function_count(self, eager: hf.EagerVariableStore) -> None:
        def scaled(x: Any) -> Any:
            return x * hf.get_variable("v", [], initializer=hf.ones_initializer())

        with hf.variable_scope("a"):
            hf.function(scaled)(hf.constant(1.0))
        assert names(eager.variables()) == ["a/v:0"]


class TestCopy:
    def test_values(self) -> None:
        store = hf.EagerVariableStore()
        with hf.eager_mode(), store.as_default():
            v = hf.get_variable("v", initializer=[1.0, 2.0])
            hf.get_variable("w", [2], trainable=False, constraint=hf.abs, collections=["mine"])
            hf.get_local_variable("l", [1])
        copied = store.copy()
        assert names(copied.variables()) == ["l:0", "v:0", "w:0"]
        assert names(copied.trainable_variables()) == ["v:0"]
        assert names(copied.get_collection("mine")) == ["w:0"]
        assert names(copied.get_collection(hf.GraphKeys.LOCAL_VARIABLES)) == ["l:0"]
        assert names(copied.get_collection(hf.GraphKeys.GLOBAL_VARIABLES)) == ["v:0"]
        assert copied.variables()[2].constraint is hf.abs
        with hf.eager_mode(), copied.as_default():
            v.assign([5.0, 5.0])
            again = hf.get_variable("v", [2])
            assert again is not v
            assert again.numpy().tolist() == [1.0, 2.0]
            assert hf.get_variable("new", [1]).name == "new:0"
        assert names(store.variables()) == ["l:0", "v:0", "w:0"]

    def test_partitioned(self) -> None:
        store = hf.EagerVariableStore()
        cut = {"partitioner": hf.fixed_size_partitioner(2)}
        with hf.eager_mode(), store.as_default():
            hf.get_variable("v", initializer=np.arange(4.0), **cut)
        with hf.eager_mode(), store.copy().as_default():
            v = hf.get_variable("v", [4], **cut)
            assert v.as_tensor().numpy().tolist() == [0, 1, 2, 3]
            assert [part._get_save_slice_info().var_offset for part in v] == [[0], [2]]


class TestLife:
    def test_a_store_frees_its_variables(self) -> None:
        with hf.eager_mode():
            store = hf.EagerVariableStore()
            with store.as_default():
                v = hf.get_variable(
                    "v", [2], regularizer=hf.reduce_sum, constraint=lambda value: value
                )
                p = hf.get_variable("p", [2], partitioner=hf.fixed_size_partitioner(2))
                gone = [weakref.ref(x) for x in (v, v._storage, p, *p, store)]
        del v, p, store
        gc.collect()
        assert [ref() for ref in gone] == [None] * len(gone)

    def test_without_collecting_garbage(self) -> None:
        with hf.eager_mode():
            with hf.EagerVariableStore().as_default():
                v = weakref.ref(hf.get_variable("v", [2]))
                assert v() is not None
            assert v() is None

    def test_a_variable_of_no_store_lives_as_any_object_does(self) -> None:
        with hf.eager_mode(), hf.EagerVariableStore().as_default() as store:
            v = hf.Variable(1.0, name="v", collections=["mine", hf.GraphKeys.GLOBAL_VARIABLES])
            assert hf.get_collection("mine") == hf.global_variables() == [v]
            assert hf.trainable_variables() == [v]
            gone = weakref.ref(v)
            del v
            assert gone() is None
            assert hf.global_variables() + hf.get_collection("mine") == []
            assert store.variables() == []

    def test_collections_do_not_grow_with_variables_that_are_gone(
        self, eager: hf.EagerVariableStore
    ) -> None:
        kept = hf.Variable(0.0)
        for _ in range(1000):
            hf.Variable(1.0)
        assert hf.global_variables() == [kept]
        assert len(hf.get_collection_ref(hf.GraphKeys.GLOBAL_VARIABLES)) < 10

    def test_a_graph_frees_its_variables(self) -> None:
        with hf.Graph().as_default() as graph:
            v = hf.get_variable("v", [2])
            with hf.variable_scope("a"):
                hf.get_variable("w", [2], use_resource=True)
            gone = [weakref.ref(v), weakref.ref(graph)]
        del v, graph
        gc.collect()
        assert [ref() for ref in gone] == [None, None]


def test_a_variable_of_a_graph_has_no_value_here() -> None:
    with hf.Graph().as_default():
        variables = [hf.get_variable("v", [2]), hf.get_variable("r", [2], use_resource=True)]
        variables.append(hf.get_variable("p", [2], partitioner=hf.fixed_size_partitioner(2)))
    for v in variables:
        for use in (hf.identity, lambda v: v + 1.0, hf.reduce_sum, lambda v: hf.stack([v, v])):
            with hf.eager_mode(), pytest.raises(TypeError, match="belongs to a graph and has no v"):
                use(v)


class TestProcessStore:
    def test_holds_variables(self, process_store: None) -> None:
        v = weakref.ref(hf.get_variable("v", [1]))
        gc.collect()
        assert hf.get_variable("v", [1]) is v()

    def test_is_emptied_by_reset(self, process_store: None) -> None:
        v = hf.get_variable("v", [1], regularizer=hf.reduce_sum)
        with hf.variable_scope(None, "cell"):
            pass
        hf.get_variable_scope().set_dtype(hf.float64)
        gone = weakref.ref(v)
        hf.reset_default_graph()
        assert hf.global_variables() == []
        assert hf.get_collection(hf.GraphKeys.REGULARIZATION_LOSSES) == []
        assert hf.get_variable_scope().dtype == hf.float32
        with hf.variable_scope(None, "cell") as scope:
            assert scope.name == "cell"
        assert hf.get_variable("v", [7]) is not v
        del v
        assert gone() is None

    def test_reset_inside_a_scope(self, process_store: None) -> None:
        with hf.variable_scope("a"):
            hf.reset_default_graph()
            assert hf.get_variable_scope().name == ""
        assert hf.get_variable_scope().name == ""

    def test_other_stores_stay(self, process_store: None) -> None:
        with hf.EagerVariableStore().as_default() as store:
            v = hf.get_variable("v", [1])
            hf.reset_default_graph()
            assert hf.get_variable("v", [1]) is v
        assert store.variables() == [v]

    def test_graphs_have_their_own(self, process_store: None) -> None:
        v = hf.get_variable("v", [1])
        with hf.Graph().as_default():
            assert hf.get_variable("v", [1]) is not v
            assert hf.get_variable_scope().reuse is False
        assert hf.global_variables() == [v]
