"""Nested structures."""

from __future__ import annotations

import collections

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridflow._src.framework import nest

Point = collections.namedtuple("Point", "x y")
structures = st.recursive(
    st.integers(),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
        st.builds(Point, inner, inner),
    ),
)


@given(structures)
def test_packing_undoes_flattening(structure):
    flat = nest.flatten(structure)
    packed = nest.pack_sequence_as(structure, flat)
    assert packed == structure
    assert type(packed) is type(structure)
    assert nest.pack_sequence_as(structure, iter(flat)) == structure
    nest.assert_same_structure(structure, packed)
    doubled = nest.map_structure(lambda x: 2 * x, structure)
    assert nest.flatten(doubled) == [2 * x for x in flat]
    nest.assert_same_structure(structure, doubled)


@pytest.mark.parametrize(
    ("structure", "flat"),
    [
        (5, [5]),
        ("ab", ["ab"]),
        (None, [None]),
        ([], []),
        ([[], ()], []),
        ({"b": 1, "a": [2, (3,)]}, [2, 3, 1]),
        (Point(1, [2, 3]), [1, 2, 3]),
    ],
)
def test_flatten(structure, flat):
    assert nest.flatten(structure) == flat


def test_structures_may_be_nested_deeply():
    structure = 1
    for depth in range(5000):
        structure = ([structure], (structure,), {"a": structure})[depth % 3]
    assert nest.flatten(structure) == [1]
    packed = nest.map_structure(lambda x: x + 1, structure)
    nest.assert_same_structure(structure, packed)
    assert nest.flatten(packed) == [2]


def test_a_dict_keeps_its_order_and_kind():
    ordered = collections.OrderedDict([("b", 1), ("a", 2)])
    packed = nest.pack_sequence_as(ordered, [10, 20])
    assert list(packed.items()) == [("b", 20), ("a", 10)]
    assert type(packed) is collections.OrderedDict


def test_keys_must_sort():
    with pytest.raises(TypeError, match="nest only supports dicts with sortable keys"):
        nest.flatten({1: 2, "a": 3})


def test_map_structure_takes_several():
    assert nest.map_structure(lambda a, b: a + b, [1, (2,)], [3, (4,)]) == [4, (6,)]
    with pytest.raises(ValueError, match=r"Only valid keyword argument .* got \['foo'\]"):
        nest.map_structure(lambda a: a, [1], foo="a")


@pytest.mark.parametrize(
    ("structure", "flat"), [([1, 2], [1]), ([1, 2], [1, 2, 3]), (5, [1, 2]), ([], [1])]
)
def test_the_number_of_leaves_must_fit(structure, flat):
    with pytest.raises(ValueError, match=r"had \d elements, but|len\(flat_sequence\) == 2"):
        nest.pack_sequence_as(structure, flat)


@pytest.mark.parametrize(
    ("a", "b", "error", "message"),
    [
        (1, [1], ValueError, "don't have the same nested structure"),
        ([1], 1, ValueError, "don't have the same nested structure"),
        ([1, [2]], [[1], 2], ValueError, "don't have the same nested structure"),
        ([1, 2], (1, 2), TypeError, "same sequence type: list and tuple"),
        (Point(1, 2), (1, 2), TypeError, "same sequence type: Point and tuple"),
        ([1, 2], [1], ValueError, "same number of elements"),
        ({"a": 1}, {"b": 1}, ValueError, "same set of keys"),
        ([[1], {"a": (1,)}], [[1], {"a": [1]}], TypeError, "same sequence type"),
    ],
)
def test_structures_that_differ(a, b, error, message):
    with pytest.raises(error, match=message):
        nest.assert_same_structure(a, b)
    with pytest.raises(error, match=message):
        nest.map_structure(lambda x, y: x, a, b)


def test_what_is_a_sequence():
    assert all(nest.is_sequence(s) for s in ([], (), {}, Point(1, 2)))
    assert not any(nest.is_sequence(s) for s in ("a", 5, None, {1}, range(2)))


def _circle(kind):
    """A structure that holds itself, below another."""
    if kind is dict:
        circle = {}
        circle["again"] = [circle]
    else:
        circle = []
        circle.append(kind([circle]))
    return [1, circle]


@pytest.mark.parametrize("kind", [list, tuple, dict])
@pytest.mark.parametrize(
    "walk",
    [
        nest.flatten,
        lambda a: nest.written_out(a, id),
        lambda a: nest.map_structure(id, a),
        lambda a: nest.assert_same_structure(a, a),
        lambda a: nest.pack_sequence_as(a, [1]),
    ],
)
def test_a_structure_that_holds_itself_is_refused(walk, kind):
    with pytest.raises(ValueError, match="holds itself"):
        walk(_circle(kind))


def test_the_same_items_many_times_are_no_circle():
    structure = [1]
    for _ in range(14):
        structure = [structure, structure]
    assert nest.flatten(structure) == [1] * 2**14


def test_kinds_of_sequences_may_differ_where_that_is_said():
    nest.assert_same_structure(((1, 2), 3), [[4, 5], 6], check_types=False)
    got = nest.map_structure(lambda a, b: a + b, ((1, 2), 3), [[4, 5], 6], check_types=False)
    assert got == ((5, 7), 9)
    with pytest.raises(ValueError, match="same nested structure"):
        nest.assert_same_structure(((1, 2), 3), [4, [5, 6]], check_types=False)


def test_numbers_of_leaves_are_told_of_first():
    words = (
        r"same number of elements\.\n\nFirst structure \(3 elements\):(.|\n)*Second structure \(1 "
    )
    with pytest.raises(ValueError, match=words):
        nest.assert_same_structure([[1, 2], 3], [[1], {}])


def test_what_cannot_be_mapped_or_packed():
    with pytest.raises(TypeError, match="must be callable"):
        nest.map_structure("no", [1])
    with pytest.raises(ValueError, match="at least one structure"):
        nest.map_structure(len)
    with pytest.raises(TypeError, match="must be a sequence"):
        nest.pack_sequence_as([1, 2], "ab")
