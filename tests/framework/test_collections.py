"""Collections of graphs and of eager mode."""

from __future__ import annotations

import pytest

import hybridflow as hf
from hybridflow._src.framework.collections import Collections, Deferred


class Named:
    def __init__(self, name):
        self.name = name


@pytest.fixture(params=[Collections, hf.Graph], ids=["collections", "graph"])
def collections(request):
    return request.param()


def test_a_collection_is_a_list_by_key(collections):
    assert collections.get_collection("k") == []
    for value in (1, 2, 1):
        collections.add_to_collection("k", value)
    assert collections.get_collection("k") == [1, 2, 1]
    assert collections.get_collection("other") == []


def test_get_collection_gives_a_copy_and_get_collection_ref_the_list(collections):
    collections.add_to_collection("k", 1)
    collections.get_collection("k").append(2)
    assert collections.get_collection("k") == [1]
    collections.get_collection_ref("k").append(3)
    assert collections.get_collection("k") == [1, 3]
    collections.get_collection_ref("new").append(4)
    assert collections.get_collection("new") == [4]


def test_add_to_collections_adds_once_to_each(collections):
    collections.add_to_collections(["a", "b", "a"], 1)
    collections.add_to_collections("abc", 2)
    collections.add_to_collections((), 3)
    assert collections.get_collection("a") == [1]
    assert collections.get_collection("b") == [1]
    assert collections.get_collection("abc") == [2]


def test_keys(collections):
    key = object()
    collections.add_to_collection("a", 1)
    collections.add_to_collection(key, 2)
    assert collections.collections == ["a", key]
    assert collections.get_all_collection_keys() == ["a"]
    collections.clear_collection("a")
    collections.clear_collection("never there")
    assert collections.collections == [key]


def test_scope_is_a_pattern_for_the_beginning_of_names(collections):
    items = [Named("a/w"), Named("b/w"), Named("ab"), 5]
    for item in items:
        collections.add_to_collection("k", item)
    assert collections.get_collection("k", "a") == [items[0], items[2]]
    assert collections.get_collection("k", "a/") == [items[0]]
    assert collections.get_collection("k", ".*/w") == items[:2]
    assert collections.get_collection("k", "w") == []
    assert collections.get_collection("k", "") == items[:3]


def test_a_deferred_item_is_computed_at_each_reading(collections):
    values = iter([1, 2, 3])
    collections.add_to_collection("k", Deferred("loss", lambda: next(values)))
    assert collections.get_collection("k") == [1]
    assert collections.get_collection("k", "loss") == [2]
    assert collections.get_collection("k", "other") == []
    assert collections.get_collection("k") == [3]


def test_a_finalized_graph_takes_no_more():
    graph = hf.Graph()
    graph.add_to_collection("k", 1)
    graph.finalize()
    with pytest.raises(RuntimeError, match="Graph is finalized and cannot be modified"):
        graph.add_to_collection("k", 2)
    assert graph.get_collection("k") == [1]


def test_functions_work_on_the_default_graph():
    with hf.Graph().as_default() as g:
        hf.add_to_collection("k", 1)
        hf.add_to_collections(["k", "l"], 2)
        hf.get_collection_ref("l").append(3)
        assert g.get_collection("k") == hf.get_collection("k") == [1, 2]
        assert g.get_collection("l") == [2, 3]
        with hf.Graph().as_default():
            assert hf.get_collection("k") == []


def test_eager_collections_are_those_of_the_variable_store():
    with hf.Graph().as_default() as g, hf.eager_mode(), hf.EagerVariableStore().as_default():
        hf.add_to_collection("k", 1)
        assert hf.get_collection("k") == [1]
        assert g.get_collection("k") == []
        with hf.EagerVariableStore().as_default():
            assert hf.get_collection("k") == []
        assert hf.get_collection("k") == [1]


def test_standard_keys_are_tensorflows_strings():
    keys = hf.GraphKeys
    assert (keys.GLOBAL_VARIABLES, keys.TRAINABLE_VARIABLES) == ("variables", "trainable_variables")
    assert (keys.REGULARIZATION_LOSSES, keys.UPDATE_OPS) == ("regularization_losses", "update_ops")
    names = [n for n in vars(keys) if n.isupper()]
    assert len(names) >= 30
    assert all(isinstance(getattr(keys, n), str) for n in names)


def test_what_is_held_weakly_leaves_with_its_last_user(collections):
    kept, lost = Named("kept"), Named("lost")
    collections.add_weakly(["k", "l", "k"], kept)
    collections.add_weakly(["k"], lost)
    collections.add_to_collection("k", None)
    assert collections.get_collection("k") == [kept, lost, None]
    assert collections.get_collection("k", "lo") == [lost]
    assert collections.get_collection("l") == [kept]
    del lost
    assert collections.get_collection("k") == [kept, None]


def test_the_dead_do_not_pile_up(collections):
    kept = [Named("kept") for _ in range(3)]
    for item in kept:
        collections.add_weakly(["k"], item)
    for _ in range(1000):
        collections.add_weakly(["k"], Named("lost"))
    assert collections.get_collection("k") == kept
    assert len(collections.get_collection_ref("k")) < 16
