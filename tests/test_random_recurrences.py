"""Random recurrent networks: values, first and second derivatives are what eager tapes give.

A network is drawn from a seed: one or two layers that go over the times of a batch, forth or back,
in loops with tensor arrays or in scans, with products of joined or separate matrices, gates, skips,
masks by lengths, branches and early ends. Native programs run with all that is done to loops, or
without some of it, on one thread or on several.
`HYBRIDFLOW_RANDOM_PROGRAMS` says how many are tried, from `HYBRIDFLOW_RANDOM_SEED` on.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.plan import passes, sharing
from tests import native
from tests.plan.sessions import plan_of
from tests.test_random_control_flow import gradients

COUNT = int(os.environ.get("HYBRIDFLOW_RANDOM_PROGRAMS", "300"))
FIRST = int(os.environ.get("HYBRIDFLOW_RANDOM_SEED", "0"))
# Networks of one test.
BATCH = 10
INPUTS, UNITS = 2, 3


class Turn(NamedTuple):
    """What a cell is given: its input, the time, and its states by name."""

    row: Any
    time: Any
    states: dict[str, Any]


class Values(NamedTuple):
    """What a network is a function of."""

    x: Any
    joined: Any
    inputs: Any
    units: Any
    bias: Any
    lengths: Any


class Part(NamedTuple):
    """A part of a cell, `[batch, units]`."""

    text: str
    build: Callable[[Values, Turn], Any]

    def __repr__(self) -> str:
        return self.text


class Drawing:
    """Draws cells."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def pick(self, options: Any) -> Any:
        return options[self.rng.integers(len(options))]

    def part(self, states: list[str], depth: int) -> Part:
        """A value for each row of the batch, made of the input and of states."""
        kinds = [self.state, self.state, self.input]
        if depth > 0:
            kinds = [self.joined, self.joined, self.product, self.unary, self.gate, self.sum]
            kinds += [self.diagonal, self.masked, self.branch, self.normal, self.coupled]
        return self.pick(kinds)(states, depth - 1)

    def state(self, states: list[str], depth: int) -> Part:
        name = self.pick(states)
        return Part(name, lambda v, t: t.states[name])

    def input(self, states: list[str], depth: int) -> Part:
        return Part("x u", lambda v, t: hf.matmul(t.row, v.inputs))

    def joined(self, states: list[str], depth: int) -> Part:
        x = self.part(states, depth)
        has_bias = bool(self.rng.integers(2))

        def build(v: Values, t: Turn) -> Any:
            product = hf.matmul(hf.concat([t.row, x.build(v, t)], 1), v.joined)
            return hf.nn.bias_add(product, v.bias) if has_bias else product

        return Part(f"[x, {x}] w{' + b' if has_bias else ''}", build)

    def product(self, states: list[str], depth: int) -> Part:
        x = self.part(states, depth)
        turned = bool(self.rng.integers(2))
        return Part(
            f"({x} v{'^T' if turned else ''})",
            lambda v, t: hf.matmul(x.build(v, t), v.units, transpose_b=turned),
        )

    def unary(self, states: list[str], depth: int) -> Part:
        x = self.part(states, depth)
        name = self.pick(["tanh", "sigmoid", "sin"])
        return Part(f"{name}({x})", lambda v, t: getattr(hf, name)(x.build(v, t)))

    def gate(self, states: list[str], depth: int) -> Part:
        x, y = (self.part(states, depth) for _ in range(2))
        return Part(
            f"sigmoid({x}) tanh({y})",
            lambda v, t: hf.sigmoid(x.build(v, t)) * hf.tanh(y.build(v, t)),
        )

    def sum(self, states: list[str], depth: int) -> Part:
        x, y = (self.part(states, depth) for _ in range(2))
        return Part(f"({x} + {y})", lambda v, t: x.build(v, t) + y.build(v, t))

    def diagonal(self, states: list[str], depth: int) -> Part:
        x = self.part(states, depth)
        return Part(f"{x} b", lambda v, t: x.build(v, t) * v.bias)

    def masked(self, states: list[str], depth: int) -> Part:
        x, y = (self.part(states, depth) for _ in range(2))
        return Part(
            f"where(t < n, {x}, {y})",
            lambda v, t: hf.where(t.time < v.lengths, x.build(v, t), y.build(v, t)),
        )

    def branch(self, states: list[str], depth: int) -> Part:
        x, y = (self.part(states, depth) for _ in range(2))
        name = self.pick(states)

        def build(v: Values, t: Turn) -> Any:
            chosen = hf.reduce_sum(t.states[name]) > 0.1
            return hf.cond(chosen, lambda: x.build(v, t), lambda: y.build(v, t))

        return Part(f"({x} if {name} > 0.1 else {y})", build)

    def normal(self, states: list[str], depth: int) -> Part:
        x = self.part(states, depth)

        def build(v: Values, t: Turn) -> Any:
            value = x.build(v, t)
            return value - hf.reduce_mean(value, 1, keep_dims=True)

        return Part(f"centred({x})", build)

    def coupled(self, states: list[str], depth: int) -> Part:
        """Rows of the batch that are not computed each by itself."""
        x = self.part(states, depth)

        def build(v: Values, t: Turn) -> Any:
            value = x.build(v, t)
            return value - hf.reduce_mean(value, 0, keep_dims=True)

        return Part(f"coupled({x})", build)


class Layer:
    """A cell over all times: what it gives for each."""

    def __init__(self, drawing: Drawing) -> None:
        names = ["h", "c"][: drawing.rng.integers(1, 3)]
        self.new = {name: drawing.part(names, 3) for name in names}
        self.is_back = bool(drawing.rng.integers(2))
        self.has_skip = bool(drawing.rng.integers(2))
        self.ends_early = drawing.rng.integers(4) == 0
        self.is_scan = not self.ends_early and bool(drawing.rng.integers(3) == 0)

    def __repr__(self) -> str:
        parts = ", ".join(f"{name} = {part}" for name, part in self.new.items())
        return f"({parts}; {self.is_back}, {self.has_skip}, {self.ends_early}, {self.is_scan})"

    def over(self, v: Values, rows: Any, times: int) -> Any:
        """The outputs `[time, batch, units]` for inputs `[time, batch, inputs]`."""
        first = [hf.matmul(rows[0], v.inputs) * 0.5 for _ in self.new]
        if self.is_back:
            rows = hf.reverse(rows, [0])

        def turn(row: Any, time: Any, states: list[Any]) -> list[Any]:
            found = Turn(row, time, dict(zip(self.new, states, strict=True)))
            new = [hf.tanh(part.build(v, found)) for part in self.new.values()]
            return [n + s for n, s in zip(new, states, strict=True)] if self.has_skip else new

        if self.is_scan:
            elems = hf.range(times), rows
            found = hf.scan(lambda s, e: turn(e[1], e[0], list(s)), elems, first)
            return found[0]

        def body(t: Any, array: Any, *states: Any) -> Any:
            new = turn(rows[t], t, list(states))
            return t + 1, array.write(t, new[0]), *new

        def goes_on(t: Any, array: Any, *states: Any) -> Any:
            if not self.ends_early:
                return t < times
            return hf.logical_and(t < times, hf.reduce_sum(states[0]) < 1.0)

        form = {"element_shape": first[0].shape, "dynamic_size": self.has_skip}
        size = 0 if self.has_skip and not self.ends_early else times
        array = hf.TensorArray(hf.float64, size, **form)
        found = hf.while_loop(goes_on, body, (0, array, *first))
        return found[1].stack()


class Network:
    """A random network."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        drawing = Drawing(rng)
        self.layers = [Layer(drawing) for _ in range(rng.integers(1, 3))]
        self.times, batch = (int(n) for n in rng.integers(1, 5, 2))
        self.lengths = rng.integers(0, self.times + 1, batch).astype(np.int32)
        shapes = [(self.times, batch, INPUTS), (INPUTS + UNITS, UNITS), (INPUTS, UNITS)]
        shapes += [(UNITS, UNITS), (UNITS,)]
        self.arrays = [rng.uniform(-1, 1, shape) for shape in shapes]
        # The second derivative is that of a weighted sum of the first ones.
        self.weights = rng.uniform(0.5, 1.5, len(shapes))
        # How it runs natively.
        self.without = [name for name in passes.OF_LOOPS if rng.integers(6) == 0]
        self.threads = int(rng.integers(1, 4))
        self.bodies_have_programs = rng.integers(3) == 0

    def __repr__(self) -> str:
        return f"{self.layers}, {self.times} x {len(self.lengths)}, without {self.without}"

    def derivatives(self, sources: list[Any]) -> list[Any]:
        """The value, its gradients, and those of their weighted sum, with zeros for none."""
        values = Values(*sources, hf.constant(self.lengths))
        grads: Any = None
        y: Any = None

        def value() -> Any:
            rows = values.x
            for layer in self.layers:
                outputs = layer.over(values, rows, self.times)
                rows = outputs[:, :, :INPUTS]
            return hf.reduce_sum(hf.sin(outputs))

        def first() -> Any:
            nonlocal y, grads
            y, grads = gradients(value, sources)
            return hf.add_n(
                [hf.reduce_sum(g) * c for g, c in zip(grads, self.weights, strict=True)]
            )

        _, second = gradients(first, sources)
        return [y, *grads, *second]

    def eagerly(self) -> list[np.ndarray]:
        with hf.eager_mode():
            return [t.numpy() for t in self.derivatives([hf.constant(a) for a in self.arrays])]

    def in_graph(self) -> dict[str, list[np.ndarray]]:
        """By the interpreter alone, and natively from the third run on."""
        config = hf.ConfigProto(intra_op_parallelism_threads=self.threads)
        config.graph_options.optimizer_options.without_loop_passes = self.without
        with hf.Graph().as_default():
            inputs = [hf.placeholder(hf.float64, np.shape(a)) for a in self.arrays]
            fetches = self.derivatives(inputs)
            feed = dict(zip(inputs, self.arrays, strict=True))
            with native.interpreter_alone(), hf.Session() as session:
                found = {"graph": session.run(fetches, feed)}
            with contextlib.ExitStack() as stack:
                stack.enter_context(native.uncompiled_kernels())
                if not self.bodies_have_programs:
                    stack.enter_context(native.interpreted_bodies())
                session = stack.enter_context(hf.Session(config=config))
                for _ in range(4):
                    found["native"] = session.run(fetches, feed)
                plan = plan_of(session, fetches)
                assert native.programs(plan)
        return found


def check(seed: int) -> None:
    """Holds one network to what eager tapes give."""
    network = Network(seed)
    try:
        wanted = network.eagerly()
        for name, values in network.in_graph().items():
            for got, want in zip(values, wanted, strict=True):
                np.testing.assert_allclose(got, want, rtol=1e-7, atol=1e-9, err_msg=name)
    except Exception as error:
        raise AssertionError(f"network {seed}: {network}: {error}") from error


@pytest.mark.parametrize("first", range(FIRST, FIRST + COUNT, BATCH))
def test_derivatives_of_recurrent_networks(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # Threads share whatever they can.
    monkeypatch.setattr(sharing, "WORTH_SHARING", 1 << 9)
    monkeypatch.setattr(sharing, "CALL_WORK", 0)
    for seed in range(first, min(first + BATCH, FIRST + COUNT)):
        check(seed)
