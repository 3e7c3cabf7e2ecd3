"""Chains of dense layers that threads share row by row, strip by strip."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.plan import in_strips, sharing
from hybridflow._src.plan import products as steps
from hybridflow._src.plan.joining import Bands
from tests import native
from tests.plan.sessions import plan_of, program_of


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Strips of what is small, too."""
    monkeypatch.setattr(sharing, "WORTH_SHARING", 1)
    monkeypatch.setattr(in_strips, "_FEWEST", 16)
    monkeypatch.setattr(in_strips, "_STRIP", 1 << 13)


@pytest.fixture(params=["tiles", "blas"])
def tiles(request, monkeypatch):
    """Whether products go by tiles."""
    monkeypatch.setattr(steps._Tiled, "is_quicker", lambda *_: request.param == "tiles")
    return request.param == "tiles"


def _numbers(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def _run(build, arrays, threads=2, in_strips=True, dtype=np.float32):
    """What a program of placeholders gives in two runs, and its steps that are strips."""
    config = hf.ConfigProto(intra_op_parallelism_threads=threads)
    if not in_strips:
        config.graph_options.optimizer_options.without_loop_passes = ["rows in strips"]
    with hf.Graph().as_default(), hf.Session(config=config) as session:
        inputs = [hf.placeholder(dtype, a.shape) for a in arrays]
        fetches = build(*inputs)
        feed = {x: a.astype(dtype) for x, a in zip(inputs, arrays, strict=True)}
        session.run(hf.global_variables_initializer())
        program = program_of(session, fetches, feed)
        session.run(hf.global_variables_initializer())
        found = [session.run(fetches, feed) for _ in range(2)]
        assert not native.fallbacks(plan_of(session, fetches))
    return found, [step for _, step in program.steps if isinstance(step, Bands)]


def _same(build, arrays, least=1, threads=(2, 3), dtype=np.float32):
    """Holds what strips give to what the steps give one after the other.

    Args:
      least: how many members the longest chain has at least.
    """
    eps = np.finfo(dtype).eps
    wanted, none = _run(build, arrays, 2, False, dtype)
    assert not none
    for number in threads:
        found, strips = _run(build, arrays, number, True, dtype)
        assert max(len(step.members) for step in strips) >= least, strips
        for mine, right in zip(found, wanted, strict=True):
            for one, other in zip(mine, right, strict=True):
                assert one.dtype == other.dtype
                limit = 64 * eps * np.abs(other).max()
                np.testing.assert_allclose(one, other, rtol=0, atol=limit)
    return found, strips


def _dense(x, w, b, activation=hf.tanh):
    return activation(hf.nn.bias_add(hf.matmul(x, w), b))


LAYERS = [(203, 5), (5, 18), (18,), (18, 33), (33,), (33, 2)]


def _layers(seed=0, shapes=LAYERS):
    return [_numbers(seed + n, *shape) for n, shape in enumerate(shapes)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_layers_and_their_gradients(monkeypatch, tiles, dtype):
    monkeypatch.setenv("HYBRIDFLOW_CHECK_BOUNDS", "1")

    def build(x, v, b, w, c, u):
        y = hf.matmul(_dense(_dense(x, v, b), w, c), u)
        return [y, *hf.gradients(y, [x, v, b, w, c, u])]

    _, strips = _same(build, _layers(), 10, dtype=dtype)
    (step,) = strips
    assert len(step.sums) == 3
    assert step.own
    # Every row once, by some thread.
    for number in range(len(step.members)):
        found = [
            row for turns in step.shares for t in turns if t.member == number for row in t.rows
        ]
        assert found == list(range(203))


def test_second_derivatives_and_an_update(monkeypatch, tiles):
    monkeypatch.setenv("HYBRIDFLOW_CHECK_BOUNDS", "1")

    def build(x):
        shapes = [(2, 20), (20, 20), (20, 20), (20, 1)]
        weights = [hf.Variable(_numbers(n, *s) / 3) for n, s in enumerate(shapes)]
        biases = [hf.Variable(_numbers(9 + n, s[1])) for n, s in enumerate(shapes)]
        y = x
        for n, (w, b) in enumerate(zip(weights, biases, strict=True)):
            y = _dense(y, w, b, hf.tanh if n < 3 else hf.identity)
        (first,) = hf.gradients(y, x)
        (second,) = hf.gradients(first[:, 1:], x)
        residual = first[:, :1] + y * first[:, 1:] - second[:, 1:]
        loss = hf.reduce_mean(residual**2) + hf.reduce_mean((y[:40] - 1.0) ** 2)
        train = hf.train.AdamOptimizer(1e-3).minimize(loss)
        with hf.control_dependencies([train]):
            return [loss, *[hf.identity(v.read_value()) for v in weights + biases]]

    _, strips = _same(build, [_numbers(5, 331, 2)], 15)
    assert len(strips) > 1  # the loss is of all rows


def test_an_update_waits_for_all_that_reads_the_variable(tiles):
    def build(x, u):
        w = hf.Variable(_numbers(1, 6, 6))
        y = hf.tanh(hf.matmul(hf.tanh(hf.matmul(x, w)), w)) * u
        train = hf.train.GradientDescentOptimizer(0.1).minimize(y)
        with hf.control_dependencies([train]):
            return [y, w.read_value()]

    _same(build, [_numbers(0, 128, 6), _numbers(2, 128, 6)], 3)


def test_who_reads_other_rows_waits_for_all(tiles):
    """Reversed, shifted, transposed, repeated, sliced, added up: none of these goes row by row."""

    def build(x, w):
        y = hf.tanh(hf.matmul(x, w))
        others = [
            y[::-1] * 2.0,
            y[1:] - y[:-1],
            hf.transpose(y) + 1.0,
            hf.tile(y, [2, 1]) * 3.0,
            y[50:90] * 2.0,
            hf.reduce_sum(y, 0) * 2.0,
            y - hf.reduce_mean(y, 0),
            y / hf.reduce_max(y),
            hf.matmul(y, y, transpose_b=True),
            hf.matmul(y, y[:12]),
            hf.reshape(y, [-1, 4]) * 2.0,
            hf.matmul(y, hf.matmul(y, y, transpose_a=True)),
        ]
        return [*others, *hf.gradients(hf.add_n([hf.reduce_sum(o * o) for o in others]), [x, w])]

    _same(build, [_numbers(0, 140, 7), _numbers(1, 7, 12)], 2)


def test_rows_of_one_column_and_of_parts_of_others(tiles):
    def build(x, w, u):
        y = hf.tanh(hf.matmul(x, w))
        z = hf.concat([y[:, 3:], hf.matmul(y, u)], 1) * hf.nn.softmax(y[:, 2:])
        scale = hf.reduce_max(z, 1, keep_dims=True) - hf.reduce_sum(y, 1, keep_dims=True)
        out = z * scale + y[:, :1] * x[:, 1:2]
        return [out, scale, *hf.gradients(out, [x, w, u])]

    _same(build, [_numbers(0, 150, 4), _numbers(1, 4, 8), _numbers(2, 8, 1)], 4)


def test_what_is_fetched_in_between_is_whole(tiles):
    def build(x, w, v):
        y = hf.matmul(x, w)
        z = hf.nn.relu(y)
        return [hf.matmul(z, v), z, y, y * 2.0]

    (found, _), _ = _same(build, [_numbers(0, 130, 9), _numbers(1, 9, 9), _numbers(2, 9, 3)], 3)
    np.testing.assert_array_equal(found[3], 2 * found[2])
    np.testing.assert_array_equal(found[1], np.maximum(found[2], 0))


def test_a_matrix_that_is_multiplied_with_itself(tiles):
    def build(x):
        y = hf.tanh(x @ x)  # as many rows as columns
        return [y @ x, hf.matmul(y, y, transpose_a=True), y @ y, hf.matmul(x, y, transpose_a=True)]

    _same(build, [_numbers(0, 64, 64) / 8], 2)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_rows_that_are_no_numbers_stay_alone(tiles, value):
    arrays = _layers()
    arrays[0][77, 2] = value

    def build(x, v, b, w, c, u):
        y = hf.matmul(_dense(_dense(x, v, b, hf.nn.relu), w, c, hf.nn.relu), u)
        return [y, *hf.gradients(y, [x, v])]

    wanted, _ = _run(build, arrays, in_strips=False)
    found, strips = _run(build, arrays)
    assert strips
    for mine, right in zip(found[0], wanted[0], strict=True):
        np.testing.assert_array_equal(np.isnan(mine), np.isnan(right))
        np.testing.assert_array_equal(np.isinf(mine), np.isinf(right))
    assert np.isfinite(np.delete(found[0][0], 77, 0)).all()


def test_few_rows_and_large_matrices_are_left_alone(monkeypatch):
    def build(x, v, w):
        return [hf.matmul(hf.tanh(hf.matmul(x, v)), w)]

    assert not _run(build, [_numbers(0, 31, 4), _numbers(1, 4, 5), _numbers(2, 5, 6)])[1]
    monkeypatch.setattr(in_strips, "_MATRIX", 1 << 10)
    assert not _run(build, [_numbers(0, 64, 40), _numbers(1, 40, 8), _numbers(2, 8, 90)])[1]


def test_explanations_show_what_is_joined():
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.float32, [256, 16])
        w = hf.constant(_numbers(0, 16, 16))
        y = hf.tanh(hf.matmul(hf.tanh(hf.matmul(x, w)), w), name="active")
        feed = {x: _numbers(2, 256, 16)}
        program_of(session, y, feed)
        found = hf.explain(y, feed, session)
    (step,) = [s for s in found.plans[0].steps if s.what == "strips"]
    assert step.ops[-1] == "active"
    ((name, members),) = step.parts
    assert name == "strip"
    assert [member.what.split("_")[0] for member in members] == ["product", "group"] * 2


class _Random:
    """A random program over rows: each op takes what some ops before it have given."""

    def __init__(self, seed):
        self.seed = seed
        self.rows = int(np.random.default_rng(seed).integers(32, 300))

    def build(self, x):
        self.rng = np.random.default_rng(self.seed)
        self.variables, values = [], [x]
        for _ in range(int(self.rng.integers(4, 14))):
            values.append(self.op(values))
        fetched = [v for v in values[1:] if self.rng.random() < 0.2]
        loss = hf.add_n([hf.reduce_mean(v * v) for v in values[-3:]])
        (first,) = hf.gradients(loss, x)
        loss += hf.reduce_mean(first[:, :1] ** 2)
        wanted = [x, *self.variables]
        return [values[-1], *fetched, *[g for g in hf.gradients(loss, wanted) if g is not None]]

    def pick(self, choices):
        return choices[self.rng.integers(len(choices))]

    def matrix(self, *shape):
        value = self.rng.standard_normal(shape) / np.sqrt(shape[0])
        self.variables.append(hf.Variable(value.astype(np.float64)))
        return self.variables[-1]

    def op(self, values):
        x = values[-1] if self.rng.random() < 0.7 else self.pick(values)
        width = x.shape[1].value
        kind = self.rng.integers(9)
        if kind < 3:
            return hf.matmul(x, self.matrix(width, int(self.pick([1, 3, 16, 20]))))
        if kind == 3:
            return hf.tanh(x + self.matrix(width))
        if kind == 4:
            y = self.pick(values)
            return hf.sigmoid(x) * y if y.shape[1] == x.shape[1] else hf.concat([x, hf.sin(y)], 1)
        if kind == 5:
            return x * hf.reduce_mean(x, 1, keep_dims=True) + self.pick(values)[:, -1:]
        if kind == 6:
            return hf.matmul(x, self.matrix(5, width), transpose_b=True) + x[:, :1]
        if kind == 7:
            return self.pick(
                [x[::-1] + x, x - hf.reduce_mean(x, 0), hf.concat([x[1:], x[:1]], 0) * x]
            )
        return hf.nn.softmax(x) - x


@pytest.mark.parametrize("seed", range(6))
def test_random_programs(monkeypatch, seed):
    monkeypatch.setattr(in_strips, "_STRIP", 1 << (10 + seed % 6))
    program = _Random(seed)
    arrays = [_numbers(seed, program.rows, 3)]
    wanted, _ = _run(program.build, arrays, in_strips=False, dtype=np.float64)
    for threads in (2, 3):
        found, _ = _run(program.build, arrays, threads, dtype=np.float64)
        for mine, right in zip(found, wanted, strict=True):
            for one, other in zip(mine, right, strict=True):
                np.testing.assert_allclose(one, other, rtol=0, atol=1e-11 * np.abs(other).max())
