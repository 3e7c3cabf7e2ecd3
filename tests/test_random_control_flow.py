"""Random programs of nested control flow: values, first and second derivatives are what eager
tapes give, in every execution.

A program is an expression drawn from a seed: `cond`, `case`, `while_loop`, `map_fn`, `scan`,
`foldl`, `foldr` and recurrences with tensor arrays inside each other, over a scalar, a vector and a
variable.
`HYBRIDFLOW_RANDOM_PROGRAMS` says how many are tried, from `HYBRIDFLOW_RANDOM_SEED` on.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import hybridflow as hf
from tests import native
from tests.plan.sessions import plan_of

COUNT = int(os.environ.get("HYBRIDFLOW_RANDOM_PROGRAMS", "300"))
FIRST = int(os.environ.get("HYBRIDFLOW_RANDOM_SEED", "0"))
# Programs of one test: enough that a failure of one does not hide many others.
BATCH = 50
# Native programs, whose kernels run as Python here, take ten times as long: one in so many.
NATIVE_EVERY = 10
WRITTEN_EVERY = 5
# Rows of vectors, and turns of loops at most.
ROWS = 3


def reach(x: Any) -> Any:
    """A number more for each element that an array has, of a size that only the value tells."""
    size = hf.cast(hf.reduce_max(hf.abs(hf.sin(3.0 * x))) * 6.0, hf.int32)
    return x + 0.1 * hf.cast(hf.size(hf.range(size)), hf.float64)


UNARY: dict[str, Callable[[Any], Any]] = {
    "tanh": hf.tanh,
    "sin": hf.sin,
    "sigmoid": hf.sigmoid,
    "negative": hf.negative,
    "reach": reach,
    "tanh_square": lambda x: hf.tanh(x * x),
    "stop_gradient": hf.stop_gradient,
}
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: hf.tanh(x) * hf.tanh(y),
}


class Expression(NamedTuple):
    """One node: `build` is given the values in scope and makes the value."""

    text: str
    build: Callable[[Scope], Any]

    def __repr__(self) -> str:
        return self.text


class Scope:
    """The values that an expression can use, by name; and what it does besides."""

    def __init__(self, values: dict[str, Any], counter: Any) -> None:
        self.values = values
        self.counter = counter

    def with_values(self, **values: Any) -> Scope:
        return Scope({**self.values, **values}, self.counter)


class Drawing:
    """Draws an expression: what there is to use, by name, and whether it is a vector."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.names = 0

    def pick(self, options: Any) -> Any:
        return options[self.rng.integers(len(options))]

    def name(self, prefix: str) -> str:
        self.names += 1
        return f"{prefix}{self.names}"

    def expression(self, known: dict[str, bool], vector: bool, depth: int) -> Expression:
        """A scalar, or a vector, made of the values in `known`."""
        kinds = [self.leaf]
        if depth >= 0:
            kinds += [self.unary, self.binary]
        if depth > 0:
            kinds += [self.binary, self.cond, self.cond, self.case, self.loop, self.loop, self.fold]
            kinds += (
                [self.map, self.map, self.scan, self.scan, self.pack, self.recurrence]
                if vector
                else [self.sum, self.row]
            )
        return self.pick(kinds)(known, vector, depth - 1)

    def leaf(self, known: dict[str, bool], vector: bool, depth: int) -> Expression:
        names = [name for name, is_vector in known.items() if is_vector is vector]
        name = self.pick(names)
        if (
            name == "counted"
        ):  # a value that comes with an update, and a size that it tells after it
            of = self.pick([other for other in names if other not in ("counted", "w")])
            return Expression(f"counted({of})", lambda s: _counted(s, s.values[of]))
        if name == "w":
            return Expression("w", lambda s: s.values["w"].read_value())
        return Expression(name, lambda s: s.values[name])

    def unary(self, known: dict[str, bool], vector: bool, depth: int) -> Expression:
        name = self.pick(sorted(UNARY))
        x = self.expression(known, vector, depth)
        return Expression(f"{name}({x})", lambda s: UNARY[name](x.build(s)))

    def binary(self, known: dict[str, bool], vector: bool, depth: int) -> Expression:
        name = self.pick(sorted(BINARY))
        x = self.expression(known, vector, depth)
        y = self.expression(known, self.pick([vector, False]), depth)
        return Expression(f"{name}({x}, {y})", lambda s: BINARY[name](x.build(s), y.build(s)))

    def predicate(self, known: dict[str, bool]) -> Expression:
        x = self.expression(known, False, 0)
        bound = round(float(self.rng.normal(scale=0.5)), 2)
        return Expression(f"{x} > {bound}", lambda s: x.build(s) > hf.constant(bound, hf.float64))

    def cond(self, known: dict[str, bool], vector: bool, depth: int) -> Expression:
        test = self.predicate(known)
        x, y = (self.expression(known, vector, depth) for _ in range(2))
        return Expression(
            f"cond({test}, {x}, {y})",
            lambda s: hf.cond(test.build(s), lambda: x.build(s), lambda: y.build(s)),
        )

    def case(self, known: dict[str, bool], vector: bool, depth: int) -> Expression:
        pairs = [
            (self.predicate(known), self.expression(known, vector, depth))
            for _ in range(self.rng.integers(1, 4))
        ]
        default = self.expression(known, vector, depth)

        def build(s: Scope) -> Any:
            chosen = [(test.build(s), lambda x=x: x.build(s)) for test, x in pairs]
            return hf.case(chosen, default=lambda: default.build(s))

        return Expression(f"case({pairs}, {default})", build)

    def loop(self, known: dict[str, bool], vector: bool, depth: int) -> Expression:
        """A loop of two variables; the result is one of them."""
        turns = int(self.rng.integers(0, ROWS + 1))
        names = [self.name("a"), self.name("b")]
        vectors = [vector, bool(self.rng.integers(2))]
        first = [self.expression(known, is_vector, depth) for is_vector in vectors]
        inside = {**known, **dict(zip(names, vectors, strict=True)), self.name("i"): False}
        index = list(inside)[-1]
        steps = [self.expression(inside, is_vector, depth) for is_vector in vectors]
        stop = self.predicate(inside) if self.rng.integers(3) == 0 else None

        def build(s: Scope) -> Any:
            def scope(i: Any, values: Any) -> Scope:
                named = dict(zip(names, values, strict=True))
                return s.with_values(**named, **{index: hf.cast(i, hf.float64)})

            def condition(i: Any, *values: Any) -> Any:
                go_on = i < turns
                if stop is None:
                    return go_on
                return hf.logical_and(go_on, hf.logical_not(stop.build(scope(i, values))))

            def body(i: Any, *values: Any) -> Any:
                inner = scope(i, values)
                return (i + 1, *[x.build(inner) for x in steps])

            return hf.while_loop(condition, body, (0, *[x.build(s) for x in first]))[1]

        until = "" if stop is None else f" until {stop}"
        return Expression(
            f"while({turns} turns{until}, {index}, {names} = {first}: {steps})[0]", build
        )

    def rows(
        self, known: dict[str, bool], depth: int, accumulators: list[str]
    ) -> tuple[Expression, str, Expression]:
        """A vector, the name for a row of it, and an expression of a row and of accumulators."""
        elems = self.expression(known, True, depth)
        row = self.name("r")
        inside = {**known, **dict.fromkeys([row, *accumulators], False)}
        return elems, row, self.expression(inside, False, depth)

    def map(self, known: dict[str, bool], vector: bool, depth: int) -> Expression:
        elems, row, x = self.rows(known, depth, [])
        return Expression(
            f"map({row} in {elems}: {x})",
            lambda s: hf.map_fn(lambda r: x.build(s.with_values(**{row: r})), elems.build(s)),
        )

    def folded(self, function: str, known: dict[str, bool], depth: int) -> Expression:
        total = self.name("t")
        elems, row, x = self.rows(known, depth, [total])
        first = self.expression(known, False, depth) if self.rng.integers(2) else None

        def build(s: Scope) -> Any:
            def step(t: Any, r: Any) -> Any:
                return x.build(s.with_values(**{total: t, row: r}))

            start = None if first is None else first.build(s)
            return getattr(hf, function)(step, elems.build(s), start)

        return Expression(f"{function}({total}, {row} in {elems}: {x}, {first})", build)

    def scan(self, known: dict[str, bool], vector: bool, depth: int) -> Expression:
        return self.folded("scan", known, depth)

    def fold(self, known: dict[str, bool], vector: bool, depth: int) -> Expression:
        x = self.folded(self.pick(["foldl", "foldr"]), known, depth)
        return self.spread(x) if vector else x

    def row(self, known: dict[str, bool], vector: bool, depth: int) -> Expression:
        """An element of a vector, at an index that a run tells."""
        x, at = self.expression(known, True, depth), self.expression(known, False, 0)
        back = ROWS * int(self.rng.integers(2))

        def build(s: Scope) -> Any:
            place = hf.cast((hf.tanh(at.build(s)) + 1.0) * (ROWS / 2.01), hf.int32)
            return x.build(s)[place - back]

        return Expression(f"{x}[{at}; -{back}]", build)

    def recurrence(self, known: dict[str, bool], vector: bool, depth: int) -> Expression:
        """A state that goes from row to row, held where a sequence has ended, kept in an array."""
        elems, row, x = self.rows(known, depth, ["h"])
        turns, length = (int(n) for n in self.rng.integers(0, ROWS + 1, 2))
        skips = bool(self.rng.integers(2))

        def build(s: Scope) -> Any:
            rows = elems.build(s)

            def body(t: Any, h: Any, array: Any) -> Any:
                r = rows[t]
                new = x.build(s.with_values(**{row: r, "h": h}))
                new = hf.where(t < length, new, h)
                return t + 1, new, array.write(t, new + r if skips else new)

            array = hf.TensorArray(hf.float64, ROWS, dynamic_size=skips, element_shape=[])
            first = hf.zeros([], hf.float64)
            _, _, array = hf.while_loop(lambda t, *_: t < turns, body, (0, first, array))
            stacked = array.stack()
            stacked.set_shape([ROWS])
            return stacked

        text = f"recurrence({turns} turns, {length} held, {row} in {elems}: {x}, {skips})"
        return Expression(text, build)

    def pack(self, known: dict[str, bool], vector: bool, depth: int) -> Expression:
        items = [self.expression(known, False, depth) for _ in range(ROWS)]
        return Expression(f"stack({items})", lambda s: hf.stack([x.build(s) for x in items]))

    def sum(self, known: dict[str, bool], vector: bool, depth: int) -> Expression:
        x = self.expression(known, True, depth)
        return Expression(f"mean({x})", lambda s: hf.reduce_mean(x.build(s)))

    def spread(self, x: Expression) -> Expression:
        return Expression(f"spread({x})", lambda s: hf.ones([ROWS], hf.float64) * x.build(s))


def _counted(s: Scope, value: Any) -> Any:
    with hf.control_dependencies([s.counter.assign_add(1.0)]):
        return reach(hf.identity(value))


class Program:
    """A random program: `x` scalar, `v` vector, `w` variable."""

    def __init__(self, seed: int) -> None:
        drawing = Drawing(seed)
        known = {"x": False, "v": True, "w": False, "counted": False}
        self.expression = drawing.expression(known, bool(seed % 2), 3)
        rng = drawing.rng
        self.arrays = [np.asarray(rng.uniform(-1, 1)), rng.uniform(-1, 1, ROWS)]
        self.start = rng.uniform(-1, 1)
        # The second derivative is that of a weighted sum of the first ones.
        self.weights = rng.uniform(0.5, 1.5, 3)

    def variables(self) -> tuple[Any, Any]:
        w = hf.get_variable(
            "w", [], hf.float64, initializer=hf.constant_initializer(self.start), use_resource=True
        )
        counter = hf.get_variable(
            "counter", [], initializer=hf.zeros_initializer(), use_resource=True, trainable=False
        )
        return w, counter

    def value(self, x: Any, v: Any, w: Any, counter: Any) -> Any:
        scope = Scope({"x": x, "v": v, "w": w}, counter)
        return hf.reduce_sum(self.expression.build(scope))

    def derivatives(self, value: Callable[..., Any], sources: list[Any]) -> list[Any]:
        """The value, its gradients, and those of their weighted sum, with zeros for none."""
        y: Any = None

        def first() -> Any:
            nonlocal y, grads
            y, grads = gradients(value, sources)
            return hf.add_n(
                [hf.reduce_sum(g) * c for g, c in zip(grads, self.weights, strict=True)]
            )

        grads: Any = None
        _, second = gradients(first, sources)
        return [y, *grads, *second]


def gradients(function: Callable[[], Any], sources: list[Any]) -> tuple[Any, list[Any]]:
    """What `function` gives, and its gradients by the means of the current mode."""
    if hf.executing_eagerly():
        with hf.GradientTape() as tape:
            tape.watch(sources)
            y = function()
        found = tape.gradient(y, sources)
    else:
        y = function()
        found = hf.gradients(y, sources)
    zeros = [hf.zeros_like(s) if g is None else g for s, g in zip(sources, found, strict=True)]
    return y, [hf.convert_to_tensor(g) for g in zeros]


# -- executions ------------------------------------------------------------------------------------


def eagerly(program: Program, call: Callable[[Any], Any] = lambda f: f) -> tuple[Any, float]:
    """The derivatives by tapes around `call(value)`, and how many updates there were."""
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        w, counter = program.variables()
        x, v = (hf.constant(a) for a in program.arrays)
        value = call(lambda x, v: program.value(x, v, w, counter))
        found = program.derivatives(lambda: value(x, v), [x, v, w])
        return [t.numpy() for t in found], float(counter)


def inside_a_function(program: Program) -> tuple[Any, float]:
    """The derivatives taken inside of a function."""
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        w, counter = program.variables()

        def whole(x: Any, v: Any) -> Any:
            return program.derivatives(lambda: program.value(x, v, w, counter), [x, v, w])

        found = hf.function(whole)(*[hf.constant(a) for a in program.arrays])
        return [t.numpy() for t in found], float(counter)


def as_graph(program: Program, runs: int = 1) -> tuple[list[np.ndarray], float]:
    """The derivatives, and how many updates there were in a run."""
    with hf.Graph().as_default(), hf.Session() as session:
        w, counter = program.variables()
        x, v = (hf.placeholder(hf.float64, np.shape(a)) for a in program.arrays)
        fetches = program.derivatives(lambda: program.value(x, v, w, counter), [x, v, w])
        session.run(hf.global_variables_initializer())
        feed = dict(zip((x, v), program.arrays, strict=True))
        for _ in range(runs):
            values = session.run(fetches, feed)
        if runs > 2:
            assert native.programs(plan_of(session, fetches)), "it has run natively"
        return values, session.run(counter) / runs


def as_written(program: Program) -> list[np.ndarray]:
    """As a graph that was written as a message and read."""
    with hf.Graph().as_default() as graph:
        w, counter = program.variables()
        inputs = [hf.placeholder(hf.float64, np.shape(a)) for a in program.arrays]
        fetches = program.derivatives(lambda: program.value(*inputs, w, counter), [*inputs, w])
        initializer = hf.global_variables_initializer()
    names = [tensor.name for tensor in fetches]
    with hf.Graph().as_default() as read, hf.Session() as session:
        hf.import_graph_def(graph.as_graph_def(), name="")
        session.run(read.get_operation_by_name(initializer.name))
        feed = {t.name: a for t, a in zip(inputs, program.arrays, strict=True)}
        return session.run(names, feed)


def as_native(program: Program) -> tuple[list[np.ndarray], float]:
    # The second run is noted; what it did not come to may be learnt in the third.
    with native.uncompiled_kernels():
        return as_graph(program, runs=4)


def check(seed: int) -> None:
    """Holds one program to what eager tapes give."""
    program = Program(seed)
    try:
        wanted, updates = eagerly(program)
        with native.interpreter_alone():
            values, in_graph = as_graph(program)
            found: dict[str, Any] = {"graph": values}
            found["function"], in_function = eagerly(program, hf.function)
            found["inside a function"], inside = inside_a_function(program)
            if seed % WRITTEN_EVERY == 0:
                found["written and read"] = as_written(program)
        if seed % NATIVE_EVERY == 0:
            found["native"], natively = as_native(program)
            assert natively == in_graph, "each update happens once"
        for name, values in found.items():
            for got, want in zip(values, wanted, strict=True):
                np.testing.assert_allclose(got, want, rtol=1e-7, atol=1e-9, err_msg=name)
        assert in_function == inside == updates, "updates happen as often as in eager mode"
    except Exception as error:
        raise AssertionError(f"program {seed}: {program.expression}: {error}") from error


BATCHES = [
    range(first, min(first + BATCH, FIRST + COUNT)) for first in range(FIRST, FIRST + COUNT, BATCH)
]


@pytest.mark.parametrize("seeds", BATCHES, ids=lambda seeds: f"{seeds.start}-{seeds.stop - 1}")
def test_derivatives_of_nested_control_flow(seeds: range) -> None:
    for seed in seeds:
        check(seed)
