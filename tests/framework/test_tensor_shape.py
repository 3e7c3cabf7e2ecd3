"""The algebra of shapes: laws by hypothesis, and TensorFlow 1.4's particular answers."""

from __future__ import annotations

import copy
import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridflow._src.framework import errors, tensor_shape
from hybridflow._src.framework.tensor_shape import Dimension, TensorShape, as_dimension, as_shape

sizes = st.one_of(st.none(), st.integers(0, 3))
raws = st.one_of(st.none(), st.lists(sizes, max_size=4).map(tuple))
known = st.lists(st.integers(0, 3), max_size=4).map(tuple)


def possible(dims, rank_limit=3):
    """Every fully known shape (sizes up to 3, bounded rank) that a raw shape may turn out to be."""
    if dims is None:
        ranks = range(rank_limit + 1)
        return {s for r in ranks for s in itertools.product(range(4), repeat=r)}
    return set(itertools.product(*(range(4) if d is None else (d,) for d in dims)))


def forget(data, dims):
    """The shape `dims` with some of what is known taken away."""
    if data.draw(st.integers(0, 9)) == 0:
        return None
    return tuple(None if data.draw(st.booleans()) else d for d in dims)


# ---- laws ----


@given(raws, raws)
def test_compatible_means_that_some_known_shape_fits_both(a, b):
    small = (a is None or len(a) <= 3) and (b is None or len(b) <= 3)
    if small:
        assert tensor_shape.compatible(a, b) == bool(possible(a) & possible(b))
    assert tensor_shape.compatible(a, b) == tensor_shape.compatible(b, a)
    assert TensorShape(a).is_compatible_with(b) == tensor_shape.compatible(a, b)


@given(raws, raws)
def test_merging_keeps_exactly_what_fits_both(a, b):
    if tensor_shape.compatible(a, b):
        merged = tensor_shape.merge(a, b)
        assert merged == tensor_shape.merge(b, a)
        if all(x is None or len(x) <= 3 for x in (a, b)):
            assert possible(merged) == possible(a) & possible(b)
        assert TensorShape(a).merge_with(b)._dims == merged
        TensorShape(a).assert_is_compatible_with(b)
    else:
        for call in (
            lambda: tensor_shape.merge(a, b),
            lambda: TensorShape(a).merge_with(b),
            lambda: TensorShape(a).assert_is_compatible_with(b),
        ):
            with pytest.raises(ValueError, match=r"^Shapes .* are (not compatible|incompatible)$"):
                call()


@given(known, known)
def test_broadcasting_known_shapes_is_numpys(a, b):
    try:
        expected = np.broadcast_shapes(a, b)
    except ValueError:
        with pytest.raises(errors.ShapeError, match="Incompatible shapes"):
            tensor_shape.broadcast(a, b)
    else:
        assert tensor_shape.broadcast(a, b) == expected


@given(known, known, st.data())
def test_broadcasting_less_knowledge_never_contradicts_the_outcome(a, b, data):
    try:
        outcome = np.broadcast_shapes(a, b)
    except ValueError:
        return
    partial = tensor_shape.broadcast(forget(data, a), forget(data, b))
    assert tensor_shape.compatible(partial, outcome)


@given(raws, raws)
def test_broadcasting_is_symmetric(a, b):
    try:
        forwards = tensor_shape.broadcast(a, b)
    except ValueError:
        with pytest.raises(ValueError, match="Incompatible shapes"):
            tensor_shape.broadcast(b, a)
    else:
        assert forwards == tensor_shape.broadcast(b, a)


@given(raws, raws)
def test_concatenation(a, b):
    joined = TensorShape(a).concatenate(b)
    assert joined._dims == (None if a is None or b is None else a + b)


@given(raws)
def test_a_shape_survives_its_list_its_copy_and_its_pickle(dims):
    shape = TensorShape(dims)
    assert TensorShape(shape)._dims == dims
    assert TensorShape(shape.dims)._dims == dims
    assert copy.deepcopy(shape)._dims == dims
    for protocol in (0, 2, pickle.HIGHEST_PROTOCOL):
        assert pickle.loads(pickle.dumps(shape, protocol))._dims == dims
    if dims is None:
        assert shape.ndims is None
    else:
        assert TensorShape(shape.as_list())._dims == dims
        assert [d.value for d in shape] == shape.as_list() == list(dims)
        assert len(shape) == shape.ndims == len(dims)
    assert shape.is_fully_defined() == (shape.num_elements() is not None)


@given(raws, st.integers(0, 5))
def test_ranks(dims, rank):
    shape = TensorShape(dims)
    ndims = shape.ndims
    checks = [
        (shape.with_rank, ndims in (None, rank), f"must have rank {rank}"),
        (shape.with_rank_at_least, ndims is None or ndims >= rank, f"at least {rank}"),
        (shape.with_rank_at_most, ndims is None or ndims <= rank, f"at most {rank}"),
    ]
    for check, fits, text in checks:
        if fits:
            expected = (None,) * rank if ndims is None and check == shape.with_rank else dims
            assert check(rank)._dims == expected
        else:
            with pytest.raises(ValueError, match=text):
                check(rank)


@given(known)
def test_known_shapes_compare_and_hash_as_their_lists(dims):
    shape = TensorShape(dims)
    assert shape == TensorShape(list(dims)) == list(dims)
    assert hash(shape) == hash(TensorShape(list(dims)))
    assert not (shape != TensorShape(list(dims)))
    assert shape != [*dims, 1]
    assert shape.num_elements() == np.prod(dims, dtype=int)


# ---- particular answers ----


def test_text():
    cases = [
        ([2, None], "(2, ?)", "TensorShape([Dimension(2), Dimension(None)])"),
        ([3], "(3,)", "TensorShape([Dimension(3)])"),
        ([], "()", "TensorShape([])"),
        (None, "<unknown>", "TensorShape(None)"),
    ]
    for dims, text, representation in cases:
        assert str(TensorShape(dims)) == text
        assert repr(TensorShape(dims)) == representation


@pytest.mark.parametrize(
    ("value", "dims"),
    [
        (7, (7,)),
        (np.int64(7), (7,)),
        (Dimension(None), (None,)),
        ([np.int32(2), Dimension(3), None, "4"], (2, 3, None, 4)),
        (np.array([2, 3]), (2, 3)),
        (range(3), (0, 1, 2)),
        ((2.0,), (2,)),
    ],
)
def test_what_a_shape_is_made_from(value, dims):
    shape = TensorShape(value)
    assert shape._dims == dims
    assert all(type(d) in (int, type(None)) for d in shape._dims)
    assert as_shape(shape) is shape


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        ("12", TypeError, "'12'"),
        (b"12", TypeError, "b'12'"),
        ([-1], ValueError, "Dimension -1 must be >= 0"),
        ([2.5], ValueError, "Ambiguous dimension: 2.5"),
        (["x"], ValueError, "x"),
        ([[1]], TypeError, "list"),
        (object(), TypeError, "object"),
    ],
)
def test_what_is_no_shape(value, error, text):
    with pytest.raises(error, match=text):
        TensorShape(value)


def test_equality_with_unknown_parts():
    partial = TensorShape([2, None])
    assert partial == partial
    assert not (partial != partial)
    assert not (partial == TensorShape([2, None]))
    assert partial != TensorShape([2, None])
    assert partial != [2, 3]
    unknown = TensorShape(None)
    assert unknown == TensorShape(None)
    assert not (unknown == TensorShape([2]))
    for other in (TensorShape(None), TensorShape([2])):
        with pytest.raises(ValueError, match="inequality of unknown"):
            _ = unknown != other
        with pytest.raises(ValueError, match="inequality of unknown"):
            _ = other != unknown
    for stranger in ("a string", [-1], object()):
        assert not (partial == stranger)
        assert partial != stranger
        assert unknown != stranger


def test_truth_is_a_known_rank():
    assert TensorShape([])
    assert TensorShape([0])
    assert not TensorShape(None)


def test_unknown_rank_has_no_length_list_or_items():
    unknown = TensorShape(None)
    for call in (unknown.as_list, lambda: len(unknown), lambda: list(unknown)):
        with pytest.raises(ValueError, match="unknown"):
            call()
    assert unknown.dims is None
    assert unknown.num_elements() is None
    assert repr(unknown[3]) == "Dimension(None)"


def test_items_and_slices():
    shape = TensorShape([2, None, 4])
    assert isinstance(shape[0], Dimension)
    assert (shape[0].value, shape[1].value, shape[-1].value) == (2, None, 4)
    assert shape[::2] == [2, 4]
    assert shape[1:]._dims == (None, 4)
    with pytest.raises(IndexError):
        _ = shape[3]
    unknown = TensorShape(None)
    assert unknown[:2]._dims == unknown[1:3]._dims == (None, None)
    assert unknown[3:1]._dims == ()
    for part in (unknown[1:], unknown[-2:], unknown[:-1]):
        assert part._dims is None
    with pytest.raises(ValueError, match="step"):
        _ = unknown[0:4:2]


def test_assertions_on_rank_and_knowledge():
    shape = TensorShape([2, None])
    shape.assert_has_rank(2)
    shape.assert_same_rank([1, 1])
    shape.assert_same_rank(None)
    TensorShape(None).assert_has_rank(5)
    TensorShape([2]).assert_is_fully_defined()
    with pytest.raises(ValueError, match=r"Shape \(2, \?\) must have rank 3"):
        shape.assert_has_rank(3)
    with pytest.raises(ValueError, match=r"Shapes \(2, \?\) and \(1,\) must have the same rank"):
        shape.assert_same_rank([1])
    for s in (shape, TensorShape(None)):
        with pytest.raises(errors.InvalidArgumentError, match="is not fully defined"):
            s.assert_is_fully_defined()


def test_makers():
    assert tensor_shape.scalar() == []
    assert tensor_shape.vector(3) == [3]
    assert tensor_shape.matrix(3, None)._dims == (3, None)
    assert tensor_shape.unknown_shape(ndims=2)._dims == (None, None)
    assert tensor_shape.unknown_shape()._dims is None
    raw = (1, None)
    assert TensorShape.of(raw)._dims is raw


def test_broadcast_with_unknown_sizes():
    cases = [
        ((None,), (1,), (None,)),
        ((None,), (None,), (None,)),
        ((None,), (3,), (3,)),
        ((None,), (0,), (0,)),
        ((2, None), (1,), (2, None)),
        ((None, 1), (4,), (None, 4)),
        (None, (3,), None),
        (None, None, None),
    ]
    for a, b, expected in cases:
        assert tensor_shape.broadcast(a, b) == tensor_shape.broadcast(b, a) == expected


def test_errors_name_both_shapes():
    with pytest.raises(ValueError, match=r"\[2,3\] vs. \[2,4\]"):
        tensor_shape.broadcast((2, 3), (2, 4))
    with pytest.raises(ValueError, match=r"\(2, 3\) and \(2, \?, 1\)"):
        tensor_shape.merge((2, 3), (2, None, 1))


# ---- dimensions ----


def test_dimension_arithmetic_both_ways():
    seven = Dimension(7)
    results = [
        (seven + 2, 9),
        (2 + seven, 9),
        (seven - 2, 5),
        (9 - seven, 2),
        (seven * 2, 14),
        (2 * seven, 14),
        (seven // 2, 3),
        (15 // seven, 2),
        (seven % 4, 3),
        (15 % seven, 1),
        (seven + Dimension(1), 8),
    ]
    for result, expected in results:
        assert isinstance(result, Dimension)
        assert result.value == expected
    for unknown in (Dimension(None) + 1, 1 - Dimension(None), seven * None, None // seven):
        assert unknown.value is None
    with pytest.raises(ValueError, match="-3"):
        _ = 4 - seven
    with pytest.raises(TypeError):
        _ = seven + 1.5
    with pytest.raises(TypeError):
        _ = seven / 2


def test_dimension_comparisons_are_none_where_unknown():
    three, unknown = Dimension(3), Dimension(None)
    assert (three == 3) is True
    assert (3 == three) is True
    assert (three != 4) is True
    assert (three < 4) is True
    assert (three >= Dimension(3)) is True
    assert (2 > three) is False
    assert (three == "x") is False
    assert (three != object()) is True
    for answer in (
        three == None,  # noqa: E711 - the comparison itself is the subject
        unknown == unknown,
        unknown != 3,
        three < unknown,
        unknown <= 3,
        unknown > None,
        three >= unknown,
    ):
        assert answer is None


def test_dimension_as_a_number():
    assert list(range(Dimension(3))) == [0, 1, 2]
    assert int(Dimension(3)) == 3
    assert hash(Dimension(3)) == hash(Dimension(3))
    assert np.zeros([Dimension(2), 1]).shape == (2, 1)
    with pytest.raises(TypeError, match="unknown"):
        int(Dimension(None))
    assert (str(Dimension(3)), str(Dimension(None))) == ("3", "?")
    assert (repr(Dimension(3)), repr(Dimension(None))) == ("Dimension(3)", "Dimension(None)")
    for d in (Dimension(3), Dimension(None)):
        assert as_dimension(d) is d
        assert pickle.loads(pickle.dumps(d)).value == copy.copy(d).value == d.value
        assert Dimension(d).value == d.value


def test_dimension_merging():
    assert Dimension(None).merge_with(3) == 3
    assert Dimension(3).merge_with(None) == 3
    assert Dimension(None).merge_with(None).value is None
    assert Dimension(3).is_compatible_with(Dimension(3))
    with pytest.raises(ValueError, match="Dimensions 3 and 4 are not compatible"):
        Dimension(3).merge_with(4)
    with pytest.raises(ValueError, match="Dimensions 3 and 4 are not compatible"):
        Dimension(3).assert_is_compatible_with(4)


@pytest.mark.parametrize("dims", [None, [], [2, None], [0, 3]])
def test_messages(dims):
    proto = TensorShape(dims).as_proto()
    assert str(TensorShape(proto)) == str(TensorShape(dims))


def test_what_is_known_of_either_shape():
    most = TensorShape([1, 1, 3]).most_specific_compatible_shape
    assert most([None, 2, 3]).as_list() == [None, None, 3]
    assert most([1, 1, 3]).as_list() == [1, 1, 3]
    assert most([1, 1]).ndims is most(None).ndims is None
