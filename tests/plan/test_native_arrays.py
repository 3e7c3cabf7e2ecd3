"""Tensor arrays inside native programs and their loops."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from tests import native
from tests.plan.looping import check, interpreted, natively

X = np.random.default_rng(0).normal(size=(6, 3, 4))


@pytest.fixture(params=["plain", "guarded"], autouse=True)
def kernels(request, monkeypatch):
    """Kernels as Python functions, also with zones around memory; some tests compile them."""
    if request.param == "guarded":
        monkeypatch.setenv("HYBRIDFLOW_CHECK_BOUNDS", "1")
    if request.param == "compiled":
        yield
    else:
        with native.uncompiled_kernels():
            yield


def ints(*values):
    return [(X, np.int32(value)) for value in values]


def recurrence(x, n, write=lambda a, t, h: a.write(t, h * 2.0), **form):
    """A state that goes from row to row, of which an array keeps what `write` says."""
    size = form.pop("size", 6)
    rows = hf.TensorArray(hf.float64, size).unstack(x)
    kept = hf.TensorArray(hf.float64, size, **form)
    first = hf.zeros(hf.shape(x)[1:], hf.float64)
    first.set_shape(x.shape[1:])

    def body(t, h, array):
        h = hf.tanh(0.5 * h + rows.read(t))
        return t + 1, h, write(array, t, h)

    _, h, kept = hf.while_loop(lambda t, *_: t < n, body, [0, first, kept])
    return h, kept


@pytest.mark.parametrize("kernels", ["plain", "guarded", "compiled"], indirect=True)
def test_elements_of_all_turns_and_their_gradients(kernels):
    def build(x, n):
        x = hf.reshape(x, X.shape)
        h, array = recurrence(x, n)
        y = array.stack()
        return [y, h, *hf.gradients([y * y, h], [x])]

    # Those of turns that are not taken are zeros.
    check(build, *ints(6, 3, 6, 0, 1))


def test_a_loop_of_no_turns_learns_of_its_body_later():
    def build(x, n):
        return [recurrence(hf.reshape(x, X.shape), n)[1].stack() * 2.0]

    every = ints(0, 0, 3, 3, 0, 6)
    wanted, (found, plan) = interpreted(build, every), natively(build, every)
    for got, want in zip(found, wanted, strict=True):
        np.testing.assert_allclose(got[0], want[0], rtol=1e-12)
    assert not list(native.programs(plan))[-1].fallbacks


def test_sizes_that_a_run_tells():
    def build(x, n):
        h, array = recurrence(x, n, size=hf.shape(x)[0])
        y = array.stack()
        return [y, h, array.size(), *hf.gradients([y * y, h], [x])]

    other = np.random.default_rng(1).normal(size=(4, 2, 4))
    check(build, (X, np.int32(6)), (other, np.int32(4)), (other, np.int32(4)), (other, np.int32(4)))


@pytest.mark.parametrize(
    "write",
    [
        lambda a, t, h: a.write(5 - t, h),
        lambda a, t, h: a.write(t, hf.where(hf.fill(hf.shape(h), t < 3), h, hf.zeros_like(h))),
        lambda a, t, h: a.write(t, hf.reduce_sum(h)),
        lambda a, t, h: a,
    ],
    ids=["backwards", "masked", "scalars", "not at all"],
)
def test_what_is_written(write):
    def build(x, n):
        x = hf.reshape(x, X.shape)
        h, array = recurrence(x, n, write)
        found = [h, *hf.gradients(h, [x])]
        if write(array, 0, h) is not array:
            y = array.stack()
            found += [y, *hf.gradients(hf.sin(y), [x])]
        return found

    check(build, *ints(6, 3, 6, 0))


def test_elements_read_in_a_later_loop_and_gathered():
    def build(x, n):
        x = hf.reshape(x, X.shape)
        _, array = recurrence(x, n)
        total = hf.while_loop(
            lambda t, s: t < n, lambda t, s: (t + 1, s * 0.5 + array.read(t)), [0, x[0]]
        )[1]
        some = array.gather([1, 1, 4])
        return [total, some, *hf.gradients(total, [x])]

    check(build, *ints(6, 3, 6, 2))


def test_an_array_that_two_loops_add_to():
    def build(x, n):
        x = hf.reshape(x, X.shape)
        array = hf.TensorArray(hf.float64, 6).write(5, x[0])
        for first in (0, 2):
            _, array = hf.while_loop(
                lambda t, a, first=first: t < first + 2,
                lambda t, a: (t + 1, a.write(t, x[t] * 3.0)),
                [first, array],
            )
        y = array.stack()
        return [y, *hf.gradients(hf.sin(y), [x])]

    check(build, *ints(6, 6))


def test_an_array_that_is_used_as_it_was_is_not_written_to():
    def build(x, n):
        x = hf.reshape(x, X.shape)
        first = hf.TensorArray(hf.float64, 3).write(n, x[0])
        second = first.write(n + 1, x[1])
        return [second.stack(), first.stack()]

    check(build, *ints(1, 0, 1))


@pytest.mark.parametrize(
    ("write", "good", "message"),
    [
        (lambda a, t, h: a.write(t // 2, h), 1, "index 0 because it has already been written to"),
        (lambda a, t, h: a.write(t + 4, h), 2, "write to index 6 but array is not resizeable"),
        (lambda a, t, h: a.write(t - 2, h), 0, "write to index -2 but array is not resizeable"),
    ],
    ids=["twice", "beyond", "before"],
)
def test_what_cannot_be_written_says_why(write, good, message):
    with hf.Graph().as_default(), hf.Session() as session:
        n = hf.placeholder(hf.int32, [])
        x = hf.constant(X)
        y = recurrence(x, n, write)[1].stack()
        wanted = [session.run(y, {n: good}) for _ in range(3)]
        for _ in range(2):
            with pytest.raises(hf.errors.InvalidArgumentError, match=message):
                session.run(y, {n: 6})
            np.testing.assert_allclose(session.run(y, {n: good}), wanted[0], rtol=1e-14)


def test_an_element_that_is_missing_and_has_no_known_shape_is_no_zeros():
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.float64, [None, None, 4])
        n = hf.placeholder(hf.int32, [])
        y = recurrence(x, n)[1].stack()
        for _ in range(3):
            assert session.run(y, {x: X, n: 6}).shape == X.shape
        for _ in range(2):
            with pytest.raises(hf.errors.InvalidArgumentError, match="has not been written to"):
                session.run(y, {x: X, n: 5})
            assert session.run(y, {x: X, n: 6}).shape == X.shape


def test_what_stays_with_numpy():
    def write(a, t, h):
        return hf.cond(t > 2, lambda: a, lambda: a.write(t, h))

    def build(x, n):
        return [recurrence(hf.reshape(x, X.shape), n, write)[1].stack()]

    found, plan = natively(build, ints(6, 6, 6))
    np.testing.assert_allclose(found[-1][0], interpreted(build, ints(6))[0][0])
    why = "a loop variable that is no array of numbers"
    assert any(why in fallback for fallback in native.fallbacks(plan))


# -- arrays that grow ------------------------------------------------------------------------------


def growing(x, n, step=1, known=True, **form):
    """What an array that grows holds after some turns, of one that reads what it has written."""
    first = x[0, 0]
    shape = [4] if known else None
    kept = hf.TensorArray(hf.float64, 1, True, False, element_shape=shape, **form)

    def body(t, h, array, sizes):
        sizes += array.size()
        if known:
            h += array.read(t)
        h = hf.tanh(0.5 * h + first)
        return t + 1, h, array.write(step * t + step, h), sizes

    _, h, kept, sizes = hf.while_loop(lambda t, *_: t < n, body, [0, first, kept, 0])
    return h, kept, sizes


@pytest.mark.parametrize("kernels", ["plain", "guarded", "compiled"], indirect=True)
def test_arrays_grow_with_the_turns(kernels):
    def build(x, n):
        h, kept, sizes = growing(hf.reshape(x, X.shape), n)
        return [h, kept.stack(), kept.size(), sizes, kept.read(n), kept.gather([0, 1])]

    # More than there is room for at first, and again.
    check(build, *ints(6, 6, 3, 70, 70, 6, 1, 200, 200, 70))


def test_gradients_of_arrays_that_grow():
    def build(x, n):
        x = hf.reshape(x, X.shape)
        kept = recurrence(x, n, size=6, dynamic_size=True)[1]
        y = hf.reduce_sum(kept.stack() ** 2, [1, 2])
        return [y, *hf.gradients(y, [x])]

    check(build, *ints(6, 6, 4, 6))


def test_elements_that_were_skipped():
    def build(x, n):
        h, kept, sizes = growing(hf.reshape(x, X.shape), n, 2)
        return [h, sizes, kept.size(), kept.stack()]

    check(build, *ints(3, 3, 20, 20, 3))

    def fails(x, n):
        return [growing(hf.reshape(x, X.shape), n, 2, known=False, infer_shape=False)[1].stack()]

    with hf.Graph().as_default(), hf.Session() as session:
        x, n = hf.placeholder(hf.float64, X.shape), hf.placeholder(hf.int32, [])
        (y,) = fails(x, n)
        for _ in range(3):
            with pytest.raises(hf.errors.InvalidArgumentError, match="has not been written"):
                session.run(y, {x: X, n: 3})


def test_reading_and_writing_where_nothing_may_be():
    with hf.Graph().as_default(), hf.Session() as session:
        x, n = hf.placeholder(hf.float64, X.shape), hf.placeholder(hf.int32, [])
        _, kept, _ = growing(x, n)
        y = kept.read(hf.abs(n) * 2 - 3)
        for _ in range(4):
            assert session.run(y, {x: X, n: 3}).shape == (4,)
        with pytest.raises(hf.errors.InvalidArgumentError, match="read from index 5 but array siz"):
            session.run(y, {x: X, n: 4})
        z = growing(x, n, -1)[0]
        for _ in range(2):
            with pytest.raises(hf.errors.InvalidArgumentError, match="write to index -1"):
                session.run(z, {x: X, n: 4})


def test_what_is_read_after_a_later_write_is_what_was_there():
    def build(x, n):
        x = hf.reshape(x, X.shape)[:, 0]
        array = hf.TensorArray(hf.float64, 6, clear_after_read=False, element_shape=[4])

        def body(t, h, array):
            written = array.write(t, h + 1.0)
            return t + 1, hf.tanh(h + array.read(t) + array.read(hf.maximum(t - 1, 0))), written

        _, h, array = hf.while_loop(lambda t, *_: t < n, body, [0, x[0], array])
        return [h, array.stack()]

    every = ints(6, 6, 3, 6)
    wanted, (found, _) = interpreted(build, every), natively(build, every)
    for got, want in zip(found, wanted, strict=True):
        np.testing.assert_allclose(got[0], want[0], rtol=1e-12)
        np.testing.assert_allclose(got[1], want[1], rtol=1e-12)


@pytest.mark.parametrize("length", [None, [3, 0]])
def test_networks_train_natively(length):
    def build(x, n):
        hf.set_random_seed(1)
        x = hf.reshape(x, [2, 3, 12])
        cell = hf.nn.rnn_cell.BasicLSTMCell(5)
        y, state = hf.nn.dynamic_rnn(cell, x, sequence_length=length, dtype=hf.float64)
        variables = hf.trainable_variables()
        return [y, *hf.gradients(hf.reduce_sum(y * y) + hf.reduce_sum(state.c), [x, *variables])]

    check(build, *ints(6, 6))
