"""Sparse tensors are fed and fetched, go through functions, conditionals and loops."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf

VALUE = hf.SparseTensorValue(
    np.array([[0, 1], [2, 0]]), np.array([3.0, 4.0], np.float32), np.array([3, 3])
)
OTHER = hf.SparseTensorValue(np.array([[1, 1]]), np.array([5.0], np.float32), np.array([2, 4]))


def assert_equal(got, wanted):
    assert isinstance(got, hf.SparseTensorValue)
    for part, other in zip(got, wanted, strict=True):
        np.testing.assert_array_equal(part, other)


def test_the_shape_may_be_a_constant(session):
    """Then it need not be fed."""
    known, unknown = hf.sparse_placeholder(hf.float32, [3, 3]), hf.sparse_placeholder(hf.float32)
    same = known.with_values(known.values * 1.0)
    assert_equal(session.run(same, {known: VALUE[:2]}), VALUE)
    assert_equal(session.run(same, {known: VALUE}), VALUE)
    for key, value in ((unknown, VALUE[:2]), (known, VALUE[:1]), (known, 3.0)):
        with pytest.raises(TypeError, match="must be a SparseTensorValue, or a tuple"):
            session.run(key, {key: value})


def value_of(sparse):
    parts = sparse.indices, sparse.values, sparse.dense_shape
    return hf.SparseTensorValue(*[part.numpy() for part in parts])


@pytest.fixture
def session():
    with hf.Graph().as_default(), hf.Session() as session:
        yield session


# -- sessions --------------------------------------------------------------------------------------


def test_fed_and_fetched(session):
    s = hf.sparse_placeholder(hf.float32)
    twice = hf.square(s)
    wanted = VALUE._replace(values=VALUE.values**2)
    for value in (VALUE, tuple(VALUE), list(VALUE)):
        for _ in range(3):
            assert_equal(session.run(twice, {s: value}), wanted)
    assert_equal(session.run(s, {s: VALUE}), VALUE)
    assert_equal(s.eval({s: VALUE}), VALUE)
    # Other sizes, another number of elements.
    assert_equal(session.run(twice, {s: OTHER}), OTHER._replace(values=OTHER.values**2))


def test_in_structures(session):
    s, t = hf.sparse_placeholder(hf.float32), hf.sparse_placeholder(hf.float32)
    x = hf.placeholder(hf.float32, [])
    total = hf.reduce_sum(s.values) * x
    found = session.run({"s": [s, total], "t": (t,)}, {(s, t): (VALUE, OTHER), x: 2.0})
    assert_equal(found["s"][0], VALUE)
    assert found["s"][1] == 14.0
    assert_equal(found["t"][0], OTHER)


def test_an_eager_one_is_fed(session):
    s = hf.sparse_placeholder(hf.float32)
    with hf.eager_mode():
        value = hf.SparseTensor(*VALUE)
    assert_equal(session.run(s, {s: value}), VALUE)


def test_parts_are_fed_alone(session):
    s = hf.SparseTensor([[0, 1]], hf.placeholder_with_default([1.0], [None]), [2, 2])
    assert_equal(session.run(s, {s.values: [7.0]}), ([[0, 1]], [7.0], [2, 2]))
    assert_equal(session.run(s), ([[0, 1]], [1.0], [2, 2]))


def test_values_that_do_not_fit(session):
    s = hf.sparse_placeholder(hf.float32, [3, 3])
    for value in (1.0, (1,), np.zeros((4, 3, 3))):
        with pytest.raises(TypeError, match="SparseTensorValue"):
            session.run(s, {s: value})
    with pytest.raises(ValueError, match="Cannot feed value of shape"):
        session.run(s, {s: VALUE._replace(indices=[[1], [2]])})


def test_make_callable(session):
    s, x = hf.sparse_placeholder(hf.float32), hf.placeholder(hf.float32, [])
    scaled = s.with_values(s.values * x)
    call = session.make_callable([scaled, x], [s, x])
    for factor in (1.0, 2.0, 3.0):
        found, _ = call(VALUE, factor)
        assert_equal(found, VALUE._replace(values=VALUE.values * np.float32(factor)))
    with pytest.raises(ValueError, match="takes 2 values, got 1"):
        call(VALUE)


def test_partial_run(session):
    s, x = hf.sparse_placeholder(hf.float32), hf.placeholder(hf.float32, [])
    first = hf.reduce_sum(s.values)
    second = first * x
    run = session.partial_run_setup([first, second], [s, x])
    assert session.partial_run(run, first, {s: VALUE}) == 7.0
    assert session.partial_run(run, second, {x: 2.0}) == 14.0


# -- functions -------------------------------------------------------------------------------------


def test_through_a_function():
    traces = []

    @hf.function
    def scaled(s, x):
        traces.append(s)
        return {"s": s.with_values(s.values * x), "n": hf.shape(s.values)[0]}

    with hf.eager_mode():
        for value in (VALUE, OTHER, VALUE):
            found = scaled(hf.SparseTensor(*value), hf.constant(2.0))
            assert_equal(value_of(found["s"]), value._replace(values=value.values * 2))
            assert int(found["n"]) == len(value.values)
        # One trace for the sizes of the first, one for all others.
        assert len(traces) == 2
        # A tuple of the parts is another kind of argument.
        with pytest.raises(AttributeError):
            scaled((VALUE.indices, VALUE.values, VALUE.dense_shape), hf.constant(2.0))


def test_a_gradient_through_a_function():
    @hf.function
    def total(s):
        return hf.reduce_sum(hf.square(s).values)

    with hf.eager_mode():
        values = hf.constant(VALUE.values)
        with hf.GradientTape() as tape:
            tape.watch(values)
            y = total(hf.SparseTensor(VALUE.indices, values, VALUE.dense_shape))
        grad = tape.gradient(y, values)
        np.testing.assert_array_equal(grad.numpy(), 2 * VALUE.values)


# -- control flow ----------------------------------------------------------------------------------


def both_modes(function, *values):
    """What a function of sparse tensors gives, from a graph and eagerly; they must agree."""
    with hf.Graph().as_default(), hf.Session() as session:
        inputs = [hf.sparse_placeholder(hf.float32, [None, None]) for _ in values]
        result = function(*inputs)
        found = [session.run(result, dict(zip(inputs, values, strict=True))) for _ in range(3)]
    with hf.eager_mode():
        eager = value_of(function(*[hf.SparseTensor(*value) for value in values]))
    for value in found:
        assert_equal(value, eager)
    return eager


@pytest.mark.parametrize("first", [True, False])
def test_chosen_by_cond(first):
    wanted = VALUE if first else OTHER
    found = both_modes(
        lambda s, t: hf.cond(hf.equal(first, True), lambda: s, lambda: t), VALUE, OTHER
    )
    assert_equal(found, wanted)


def test_chosen_by_case():
    def chosen(s, t):
        large = hf.reduce_sum(s.values) > 100.0
        return hf.case([(large, lambda: s)], default=lambda: hf.square(t))

    assert_equal(both_modes(chosen, VALUE, OTHER), OTHER._replace(values=OTHER.values**2))


def test_branches_must_agree(session):
    s = hf.SparseTensor(*VALUE)
    for other in (lambda: (s.values, s), lambda: (s, s)):
        with pytest.raises((TypeError, ValueError), match="cond"):
            hf.cond(hf.constant(True), lambda: (s, s.values), other)


def test_a_loop_variable():
    def powers(s):
        _, found = hf.while_loop(
            lambda i, s: i < 3, lambda i, s: (i + 1, s.with_values(s.values * 2.0)), [0, s]
        )
        return found

    assert_equal(both_modes(powers, VALUE), VALUE._replace(values=VALUE.values * 8))


def test_a_loop_that_leaves_elements_out():
    def shrinking(s):
        def body(i, s):
            return i + 1, hf.sparse_retain(s, s.values > hf.cast(i, hf.float32) * 2.0)

        shapes = [hf.TensorShape([]), hf.TensorShape([2])]
        return hf.while_loop(lambda i, s: i < 3, body, [hf.constant(0), s], shapes)[1]

    value = VALUE._replace(
        indices=np.array([[0, 0], [0, 1], [2, 2]]), values=np.array([1, 3, 9], np.float32)
    )
    found = both_modes(shrinking, value)
    np.testing.assert_array_equal(found.values, [9.0])
    np.testing.assert_array_equal(found.indices, [[2, 2]])


def test_a_gradient_through_a_loop(session):
    values = hf.placeholder(hf.float32, [None])
    s = hf.SparseTensor(VALUE.indices, values, VALUE.dense_shape)
    _, found = hf.while_loop(lambda i, s: i < 3, lambda i, s: (i + 1, hf.square(s)), [0, s])
    (grad,) = hf.gradients(found.values, [values])
    x = np.array([0.5, 1.5], np.float32)
    for _ in range(3):
        np.testing.assert_allclose(session.run(grad, {values: x}), 8 * x**7, rtol=1e-6)


def test_mapped_over_is_refused(session):
    with pytest.raises(TypeError, match="sparse"):
        hf.map_fn(lambda row: row, hf.SparseTensor(*VALUE))


def test_waiting_for_it(session):
    s = hf.SparseTensor(*VALUE)
    done = hf.group(s)
    assert session.run(done) is None
    (waited,) = hf.tuple([s])
    assert_equal(session.run(waited), VALUE)


# -- elementwise -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["abs", "negative", "sign", "square", "sqrt", "erf", "tanh", "cast", "to_float"]
)
def test_elementwise(name):
    def apply(s):
        return hf.cast(s, hf.float64) if name == "cast" else getattr(hf, name)(s)

    found = both_modes(apply, VALUE)
    with hf.eager_mode():
        wanted = apply(hf.constant(VALUE.values))
    np.testing.assert_allclose(found.values, wanted.numpy(), rtol=1e-6)
    assert found.values.dtype == wanted.dtype.as_numpy_dtype
    np.testing.assert_array_equal(found.indices, VALUE.indices)


def test_shape_size_rank(session):
    s = hf.sparse_placeholder(hf.float32)
    found = session.run([hf.shape(s), hf.size(s), hf.rank(s)], {s: OTHER})
    np.testing.assert_array_equal(found[0], [2, 4])
    assert found[1:] == [8, 2]
    with hf.eager_mode():
        assert int(hf.size(OTHER)) == 8
        assert hf.shape(OTHER, out_type=hf.int64).dtype == hf.int64
