"""Random programs: every execution gives what the eager one gives.

A program is drawn step by step while it runs eagerly, so each step knows the shapes and dtypes that
it can use; the steps are then run again by each other execution. To hold a further execution to
the same, add it to `EXECUTIONS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import hybridflow as hf
from tests import native

FLOATS = (hf.float32, hf.float64)
NUMBERS = (*FLOATS, hf.int32)
ALL = (*NUMBERS, hf.bool)
SHAPES = [(), (1,), (3,), (2, 3), (3, 1), (1, 3), (2, 1, 3), (0,), (0, 3), (2, 0)]
# Programs stay small: no value has more elements.
LIMIT = 400


class Program:
    """The steps drawn so far, and the values that they had eagerly."""

    def __init__(self, data: st.DataObject, inputs: list[np.ndarray]) -> None:
        self.data = data
        self.inputs = inputs
        self.values = [hf.constant(array) for array in inputs]
        self.steps: list[Callable[[list[Any]], list[Any]]] = []
        self.text: list[str] = []
        self.variables = 0

    def draw(self, strategy: Any) -> Any:
        return self.data.draw(strategy)

    def pick(self, test: Callable[[Any], bool]) -> int | None:
        """The position of a value for which `test` holds, or None if there is none."""
        good = [i for i, value in enumerate(self.values) if test(value)]
        return self.draw(st.sampled_from(good)) if good else None

    def do(self, what: str, step: Callable[[list[Any]], Any]) -> None:
        """Takes one step: `step` is given all values so far, and gives one or a list of them."""
        self.text.append(f"{len(self.values)}: {what}")

        def listed(values: list[Any]) -> list[Any]:
            result = step(values)
            return list(result) if isinstance(result, (list, tuple)) else [result]

        self.steps.append(listed)
        self.values.extend(listed(self.values))

    def replay(self, *inputs: Any) -> list[Any]:
        """The program from its inputs, in whatever mode is on."""
        values = list(inputs)
        for step in self.steps:
            values.extend(step(values))
        return values


def dims(value: Any) -> tuple[int, ...]:
    return tuple(value.shape.as_list())


def size(value: Any) -> int:
    return int(np.prod(dims(value), dtype=np.int64))


def of(*types: Any) -> Callable[[Any], bool]:
    return lambda value: value.dtype in types


# -- kinds of steps --------------------------------------------------------------------------------

UNARY: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "negative": (hf.negative, NUMBERS),
    "abs": (hf.abs, NUMBERS),
    "square": (hf.square, NUMBERS),
    "sign": (hf.sign, NUMBERS),
    "exp": (hf.exp, FLOATS),
    "tanh": (hf.tanh, FLOATS),
    "sigmoid": (hf.sigmoid, FLOATS),
    "floor": (hf.floor, FLOATS),
    "sin": (hf.sin, FLOATS),
    "relu": (hf.nn.relu, NUMBERS),
    "is_nan": (hf.is_nan, FLOATS),
    "logical_not": (hf.logical_not, (hf.bool,)),
    "zeros_like": (hf.zeros_like, ALL),
}
BINARY: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "+": (lambda x, y: x + y, NUMBERS),
    "-": (lambda x, y: x - y, NUMBERS),
    "*": (lambda x, y: x * y, NUMBERS),
    "/": (lambda x, y: x / y, FLOATS),
    "maximum": (hf.maximum, NUMBERS),
    "minimum": (hf.minimum, NUMBERS),
    "squared_difference": (hf.squared_difference, NUMBERS),
    "<": (lambda x, y: x < y, NUMBERS),
    "equal": (hf.equal, ALL),
    "logical_and": (hf.logical_and, (hf.bool,)),
}
REDUCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "reduce_sum": (hf.reduce_sum, NUMBERS),
    "reduce_mean": (hf.reduce_mean, FLOATS),
    "reduce_max": (hf.reduce_max, FLOATS),
    "reduce_prod": (hf.reduce_prod, NUMBERS),
    "reduce_any": (hf.reduce_any, (hf.bool,)),
}


def unary(p: Program) -> None:
    name = p.draw(st.sampled_from(sorted(UNARY)))
    function, types = UNARY[name]
    x = p.pick(of(*types))
    if x is not None:
        p.do(f"{name}({x})", lambda v: function(v[x]))


def binary(p: Program) -> None:
    name = p.draw(st.sampled_from(sorted(BINARY)))
    function, types = BINARY[name]
    x = p.pick(of(*types))
    if x is None:
        return
    left = p.values[x]

    def fits(right: Any) -> bool:
        try:
            shape = np.broadcast_shapes(dims(left), dims(right))
        except ValueError:
            return False
        return right.dtype is left.dtype and np.prod(shape, dtype=np.int64) <= LIMIT

    y = p.pick(fits)
    if p.draw(st.booleans()) and left.dtype in NUMBERS:
        number = p.draw(st.sampled_from([0, 1, -2, 3]))
        p.do(f"{name}({x}, {number})", lambda v: function(v[x], number))
    else:
        p.do(f"{name}({x}, {y})", lambda v: function(v[x], v[y]))


def reduction(p: Program) -> None:
    name = p.draw(st.sampled_from(sorted(REDUCTIONS)))
    function, types = REDUCTIONS[name]
    x = p.pick(of(*types))
    if x is None:
        return
    rank = p.values[x].shape.ndims
    axes = st.lists(st.integers(0, rank - 1), unique=True) if rank else st.just([])
    axis = p.draw(st.one_of(st.none(), axes))
    keep = p.draw(st.booleans())
    if name == "reduce_max" and size(p.values[x]) == 0:
        return
    text = f"{name}({x}, axis={axis}, keepdims={keep})"
    p.do(text, lambda v: function(v[x], axis=axis, keepdims=keep))


def reshape(p: Program) -> None:
    x = p.pick(lambda v: True)
    count = size(p.values[x])
    shapes = [[count], [-1], [1, count]] if count else [[0], [0, 2]]
    if count and count % 2 == 0:
        shapes += [[2, -1], [count // 2, 2]]
    shape = p.draw(st.sampled_from(shapes))
    p.do(f"reshape({x}, {shape})", lambda v: hf.reshape(v[x], shape))


def transpose(p: Program) -> None:
    x = p.pick(lambda v: True)
    perm = p.draw(st.permutations(range(p.values[x].shape.ndims)))
    p.do(f"transpose({x}, {perm})", lambda v: hf.transpose(v[x], perm))


def expand(p: Program) -> None:
    x = p.pick(lambda v: v.shape.ndims < 4)
    if x is not None:
        axis = p.draw(st.integers(-1 - p.values[x].shape.ndims, p.values[x].shape.ndims))
        p.do(f"expand_dims({x}, {axis})", lambda v: hf.expand_dims(v[x], axis))


def join(p: Program) -> None:
    x = p.pick(lambda v: size(v) * 2 <= LIMIT)
    if x is None:
        return
    first = p.values[x]
    y = p.pick(lambda v: v.dtype is first.dtype and dims(v) == dims(first))
    if first.shape.ndims and p.draw(st.booleans()):
        axis = p.draw(st.integers(-first.shape.ndims, first.shape.ndims - 1))
        p.do(f"concat([{x}, {y}], {axis})", lambda v: hf.concat([v[x], v[y]], axis))
    elif first.shape.ndims < 4:
        axis = p.draw(st.integers(-first.shape.ndims - 1, first.shape.ndims))
        p.do(f"stack([{x}, {y}], {axis})", lambda v: hf.stack([v[x], v[y]], axis))


def unstack(p: Program) -> None:
    x = p.pick(lambda v: v.shape.ndims and 0 < dims(v)[0] <= 3)
    if x is not None:
        p.do(f"unstack({x})", lambda v: hf.unstack(v[x], dims(p.values[x])[0]))


def index(p: Program) -> None:
    x = p.pick(lambda v: v.shape.ndims > 0)
    if x is None:
        return
    parts = []
    for length in dims(p.values[x]):
        options = [slice(None), slice(1, None), slice(None, None, -1), slice(None, -1, 2)]
        options += [length - 1, -1] if length else []
        parts.append(p.draw(st.sampled_from(options)))
    key = tuple(parts[: p.draw(st.integers(1, len(parts)))])
    if p.draw(st.booleans()):
        key = (*key, Ellipsis, None)
    if p.values[x].shape.ndims < 4:
        p.do(f"{x}[{key}]", lambda v: v[x][key])


def gather(p: Program) -> None:
    x = p.pick(lambda v: v.shape.ndims and dims(v)[0] and size(v) * 4 <= LIMIT)
    if x is None:
        return
    rows = p.draw(st.lists(st.integers(0, dims(p.values[x])[0] - 1), max_size=4))
    p.do(f"gather({x}, {rows})", lambda v: hf.gather(v[x], np.array(rows, np.int32)))


def cast(p: Program) -> None:
    # What floats outside the range of an int become is the platform's own affair.
    x = p.pick(lambda v: v.dtype is not hf.float64 or np.all(np.abs(v.numpy()) < 1e9))
    if x is None:
        return
    source = p.values[x]
    safe = source.dtype not in FLOATS or bool(np.all(np.abs(source.numpy()) < 1e9))
    target = p.draw(st.sampled_from(ALL if safe else (*FLOATS, hf.bool)))
    p.do(f"cast({x}, {target.name})", lambda v: hf.cast(v[x], target))


def select(p: Program) -> None:
    c = p.pick(of(hf.bool))
    if c is None:
        return
    x = p.pick(lambda v: dims(v) == dims(p.values[c]))
    y = p.pick(lambda v: dims(v) == dims(p.values[c]) and v.dtype is p.values[x].dtype)
    p.do(f"where({c}, {x}, {y})", lambda v: hf.where(v[c], v[x], v[y]))


def matmul(p: Program) -> None:
    x = p.pick(lambda v: v.dtype in FLOATS and v.shape.ndims == 2)
    if x is None:
        return
    left = p.values[x]
    y = p.pick(
        lambda v: v.dtype is left.dtype and v.shape.ndims == 2 and dims(v)[0] == dims(left)[1]
    )
    if y is None:
        p.do(f"matmul({x}, {x}^T)", lambda v: hf.matmul(v[x], v[x], transpose_b=True))
    else:
        p.do(f"matmul({x}, {y})", lambda v: hf.matmul(v[x], v[y]))


def shape(p: Program) -> None:
    x = p.pick(lambda v: True)
    p.do(f"shape({x})", lambda v: hf.shape(v[x]))


def branch(p: Program) -> None:
    c = p.pick(lambda v: v.dtype is hf.bool and not v.shape.ndims)
    x = p.pick(of(*NUMBERS))
    if c is not None and x is not None:
        p.do(
            f"cond({c}, {x} + 1, {x} * 2)",
            lambda v: hf.cond(v[c], lambda: v[x] + 1, lambda: v[x] * 2),
        )


def loop(p: Program) -> None:
    x = p.pick(lambda v: v.dtype in NUMBERS)
    turns = p.draw(st.integers(0, 3))
    if x is not None:
        p.do(
            f"while_loop({turns} times: {x} = {x} * 0.5 + 1)",
            lambda v: hf.while_loop(lambda i, y: i < turns, lambda i, y: (i + 1, y - 1), [0, v[x]])[
                1
            ],
        )


def variable(p: Program) -> None:
    """A variable that is made, read, changed and read again; the reads are values."""
    number, p.variables = p.variables, p.variables + 1
    x = p.pick(of(*FLOATS))
    if x is None:
        return
    initial = p.draw(st.sampled_from([0.0, 1.5, -2.0]))
    shape, dtype = dims(p.values[x]), p.values[x].dtype
    update = p.draw(st.sampled_from(["assign", "assign_add", "assign_sub"]))
    resource = p.draw(st.booleans())

    def step(values: list[Any]) -> list[Any]:
        v = hf.get_variable(
            f"v{number}",
            shape,
            dtype,
            initializer=hf.constant_initializer(initial),
            use_resource=resource,
        )
        before = hf.identity(v.read_value())
        with hf.control_dependencies([before]):
            changed = getattr(v, update)(values[x])
        with hf.control_dependencies(None if hf.executing_eagerly() else [changed]):
            after = hf.identity(v.read_value())
        return [before, after]

    p.do(f"v{number} = {initial}; read; {update}({x}); read", step)


KINDS = [
    unary, unary, binary, binary, binary, reduction, reshape, transpose, expand, join, unstack,
    index, gather, cast, select, matmul, shape, branch, loop, variable,
]  # fmt: skip


# -- executions ------------------------------------------------------------------------------------


def as_graph(program: Program, static: bool = True) -> list[np.ndarray]:
    with hf.Graph().as_default(), hf.Session() as sess:
        inputs = [
            hf.placeholder(array.dtype.name, array.shape if static else None)
            for array in program.inputs
        ]
        outputs = program.replay(*inputs)
        sess.run(hf.global_variables_initializer())
        values = sess.run(outputs, dict(zip(inputs, program.inputs, strict=True)))
        for tensor, value in zip(outputs, values, strict=True):
            assert tensor.shape.is_compatible_with(np.shape(value)), (tensor, np.shape(value))
        return values


def as_function(program: Program) -> list[np.ndarray]:
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        outputs = hf.function(program.replay)(*[hf.constant(array) for array in program.inputs])
        return [tensor.numpy() for tensor in outputs]


def as_written(program: Program) -> list[np.ndarray]:
    """As a graph that was written as a message and read."""
    with hf.Graph().as_default() as graph:
        inputs = [hf.placeholder(array.dtype.name, array.shape) for array in program.inputs]
        outputs = program.replay(*inputs)
        initializer = hf.global_variables_initializer()
    with hf.Graph().as_default() as read, hf.Session() as sess:
        hf.import_graph_def(graph.as_graph_def(), name="")
        sess.run(read.get_operation_by_name(initializer.name))
        feed = {t.name: array for t, array in zip(inputs, program.inputs, strict=True)}
        return sess.run([tensor.name for tensor in outputs], feed)


def as_native(program: Program) -> list[np.ndarray]:
    """As a native program, whose kernels run as Python functions."""
    with native.uncompiled_kernels():
        return as_compiled(program)


def as_compiled(program: Program) -> list[np.ndarray]:
    """As a native program: the interpreter gave way."""
    with hf.Graph().as_default(), hf.Session() as sess:
        inputs = [hf.placeholder(array.dtype.name, array.shape) for array in program.inputs]
        outputs = program.replay(*inputs)
        initialize = hf.global_variables_initializer()
        feed = dict(zip(inputs, program.inputs, strict=True))
        for _ in range(3):
            sess.run(initialize)
            values = sess.run(outputs, feed)
            native.wait()
        return values


EXECUTIONS = {
    "graph": as_graph,
    "graph without static shapes": lambda program: as_graph(program, static=False),
    "function": as_function,
    "written and read": as_written,
    "native": as_native,
    "compiled": as_compiled,
}
# Compiling the kernels of a program takes as long as running a hundred.
EXAMPLES = {"compiled": 12}
# Where sums are added in another order than NumPy's, and functions are our own: in units of the
# largest value.
TOLERANCE = {
    (name, np.dtype(dtype)): tolerance
    for name in ("native", "compiled")
    for dtype, tolerance in ((np.float32, 1e-5), (np.float64, 1e-13))
}

arrays = st.one_of(
    [
        hnp.arrays(
            dtype,
            st.sampled_from(SHAPES),
            elements=elements,
        )
        for dtype, elements in (
            ("float32", st.floats(-4, 4, width=32)),
            ("float64", st.floats(-4, 4)),
            ("int32", st.integers(-5, 5)),
            ("bool", st.booleans()),
        )
    ]
)


@pytest.mark.parametrize("name", EXECUTIONS)
def test_every_execution_agrees_with_the_eager_one(name):
    @settings(
        max_examples=EXAMPLES.get(name, 120),
        suppress_health_check=[HealthCheck.too_slow],
        print_blob=False,
    )
    @given(data=st.data(), inputs=st.lists(arrays, min_size=1, max_size=3))
    def check(data, inputs):
        agrees_with_eager(name, data, inputs)

    check()


def agrees_with_eager(name: str, data: st.DataObject, inputs: list[np.ndarray]) -> None:
    """Draws a program while it runs eagerly, and compares what another execution gives."""
    with hf.eager_mode(), hf.EagerVariableStore().as_default(), np.errstate(all="ignore"):
        program = Program(data, inputs)
        for _ in range(data.draw(st.integers(1, 20), label="steps")):
            data.draw(st.sampled_from(KINDS))(program)
        expected = [tensor.numpy() for tensor in program.values]
    note("\n".join(program.text))
    found = EXECUTIONS[name](program)
    assert len(found) == len(expected)
    for position, (value, wanted) in enumerate(zip(found, expected, strict=True)):
        assert value.dtype == wanted.dtype, position
        tolerance = TOLERANCE.get((name, wanted.dtype))
        if tolerance is None:
            np.testing.assert_array_equal(value, wanted, err_msg=f"value {position}", strict=True)
            continue
        scale = np.max(np.abs(wanted[np.isfinite(wanted)]), initial=1.0)
        np.testing.assert_allclose(
            value, wanted, tolerance, tolerance * scale, err_msg=f"value {position}", strict=True
        )


def gradients_of(program: Program, inputs: list[Any], gradient: Callable[..., Any]) -> list[Any]:
    """The gradients of all floating-point results with respect to the floating-point inputs."""
    sources = [x for x in inputs if x.dtype in FLOATS]
    targets = [y for y in program.replay(*inputs)[len(inputs) :] if y.dtype in FLOATS]
    if not sources or not targets:
        return []
    grads = gradient(targets, sources)
    return [None if g is None else hf.convert_to_tensor(g) for g in grads]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), inputs=st.lists(arrays, min_size=1, max_size=3))
def test_gradients_by_tape_and_in_a_graph_agree(data, inputs):
    with hf.eager_mode(), hf.EagerVariableStore().as_default(), np.errstate(all="ignore"):
        program = Program(data, inputs)
        for _ in range(data.draw(st.integers(1, 12), label="steps")):
            data.draw(st.sampled_from(KINDS))(program)
        note("\n".join(program.text))
    # Once more, with variables that are new.
    with hf.eager_mode(), hf.EagerVariableStore().as_default(), hf.GradientTape() as tape:
        tensors = [hf.constant(array) for array in inputs]
        tape.watch(tensors)
        by_tape = gradients_of(program, tensors, tape.gradient)
    with hf.Graph().as_default(), hf.Session() as sess:
        placeholders = [hf.placeholder(array.dtype.name, array.shape) for array in inputs]
        in_graph = gradients_of(program, placeholders, hf.gradients)
        assert [g is None for g in in_graph] == [g is None for g in by_tape]
        sess.run(hf.global_variables_initializer())
        present = [g for g in in_graph if g is not None]
        found = sess.run(present, dict(zip(placeholders, inputs, strict=True)))
    expected = [g.numpy() for g in by_tape if g is not None]
    for value, wanted in zip(found, expected, strict=True):
        assert value.dtype == wanted.dtype
        # The parts of a sum may be added in another order.
        rtol = 1e-3 if value.dtype == np.float32 else 1e-9
        scale = np.max(np.abs(wanted[np.isfinite(wanted)]), initial=1.0)
        np.testing.assert_allclose(value, wanted, rtol=rtol, atol=rtol * scale)


def test_a_wrong_execution_is_found():
    """The comparison itself is held to its word."""
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        program = Program(None, [np.ones(3, np.float32)])
        program.do("x + 1", lambda v: v[0] + (1.0 if hf.executing_eagerly() else 1.00001))
        expected = [tensor.numpy() for tensor in program.values]
    found = as_graph(program)
    with pytest.raises(AssertionError):
        np.testing.assert_array_equal(found[1], expected[1], strict=True)
