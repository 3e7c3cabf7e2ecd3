"""The table of op records and what must hold for every row of it.

A row is an op with one of its samples. A `check_*` function takes a row, and raises AssertionError.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from hybridflow._src.autodiff.gradients import gradients
from hybridflow._src.autodiff.tape import GradientTape
from hybridflow._src.framework import context
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.dtypes import as_dtype
from hybridflow._src.framework.eager_tensor import EagerTensor
from hybridflow._src.framework.graph import Graph
from hybridflow._src.framework.late import late
from hybridflow._src.framework.op_def import OPS, OpDef, Sample, no_gradient, not_differentiable
from hybridflow._src.ops.arrays.constant import constant
from hybridflow._src.ops.arrays.placeholder import placeholder
from hybridflow._src.runtime.session import Session

late.load_ops()

# Why an op has no samples.
WITHOUT_SAMPLES = {
    "Dequantize": "no array is of a quantized dtype; see test_quantizing",
    "FakeParam": "nobody uses its value",
    "ParseExample": "its inputs are several lists; see test_parsing",
    "ParseSingleExample": "so are they here; see test_parsing",
    "ParseSingleSequenceExample": "its inputs are several lists; see test_parsing",
    "Placeholder": "it has no value of its own",
    "SdcaOptimizer": "its inputs are several lists; see test_sdca",
    "PyFuncStateless": "it is what its caller's function is",
}
# Why the gradient of an op is not compared with differences in double precision.
WITHOUT_NUMERIC_GRADIENT = {
    "CTCLoss": "it takes float32 alone; see test_ctc",
    "Cholesky": "its gradient is that of symmetric matrices; see test_systems",
    "SparseMatMul": "it takes float32 alone; its gradient is MatMul's",
    "CustomGradient": "its gradient is what its caller says",
    **dict.fromkeys(
        ("FakeQuantWithMinMaxArgs", "FakeQuantWithMinMaxVars", "FakeQuantWithMinMaxVarsPerChannel"),
        "a staircase with the gradient of a ramp; see test_fake_quantization",
    ),
    **dict.fromkeys(
        (
            "CropAndResize",
            "CropAndResizeGradImage",
            "ResizeBicubic",
            "ResizeBicubicGrad",
            "ResizeBilinear",
            "ResizeBilinearGrad",
        ),
        "results or gradients are float32 alone; see test_resizing",
    ),
}
# Inputs of floating point for which an op has no derivative in closed form.
WITHOUT_DERIVATIVE = {
    "Polygamma": {0},
    "Zeta": {0},
    # TensorFlow 1.4 has none.
    "Igamma": {0},
    "Igammac": {0},
    "Betainc": {0, 1},
}
# Ops whose output shape depends on values of inputs in a way that is not worked out before a run.
SHAPE_FROM_DATA = {
    "CTCBeamSearchDecoder",
    "CTCGreedyDecoder",
    "ComputeAccidentalHits",
    "DecodeAndCropJpeg",
    "DecodeBmp",
    "DecodeGif",
    "DecodeJpeg",
    "DecodePng",
    "DecodeRaw",
    "ParseTensor",
    "DenseToDenseSetOperation",
    "DenseToSparseSetOperation",
    "DeserializeManySparse",
    "DeserializeSparse",
    "Where",
    "Unique",
    "UniqueV2",
    "UniqueWithCounts",
    "UniqueWithCountsV2",
    "DynamicPartition",
    "ListDiff",
    "NonMaxSuppressionV2",
    "NonMaxSuppressionV3",
    "SparseAdd",
    "SparseFillEmptyRows",
    "SparseReduceMaxSparse",
    "SparseReduceSumSparse",
    "SparseSlice",
    "SparseSparseMaximum",
    "SparseSparseMinimum",
    "SparseSplit",
    "SparseToSparseSetOperation",
    "StringSplit",
    "StringSplitV2",
}
# A placeholder says no more of its shape than it was told.
SHAPE_FROM_ATTRS = {"PlaceholderWithDefault"}


class Row(NamedTuple):
    """One sample of one op."""

    op: OpDef
    number: int
    sample: Sample

    @property
    def arrays(self) -> list[np.ndarray]:
        """The inputs, lists flattened."""
        return flat(self.sample.args)

    def __str__(self) -> str:
        shapes = ", ".join(f"{a.dtype}{list(a.shape)}" for a in self.arrays)
        return f"{self.op.name} sample {self.number} ({shapes}) {self.sample.attrs}"


def sampled_ops() -> list[str]:
    """The names of the ops that have samples."""
    return sorted(name for name, op in OPS.items() if op.samples is not None)


def differentiable_ops() -> list[str]:
    """The names of the ops that have samples and a gradient."""
    without = (not_differentiable, no_gradient)
    return [name for name in sampled_ops() if OPS[name].grad not in without]


def rows(op: OpDef) -> list[Row]:
    """The rows of an op, the same ones in every run."""
    assert op.samples is not None
    rng = np.random.default_rng(zlib.crc32(op.name.encode()))
    return [Row(op, i, sample) for i, sample in enumerate(op.samples(rng))]


def flat(values: Any) -> list[np.ndarray]:
    """The arrays in a structure of lists."""
    found = []
    for value in values:
        if isinstance(value, list | tuple):
            found.extend(flat(value))
        else:
            found.append(np.asarray(value))
    return found


def like(structure: Any, items: Iterator[Any]) -> list[Any]:
    """`items` in the structure of lists of `structure`."""
    return [
        like(value, items) if isinstance(value, list | tuple) else next(items)
        for value in structure
    ]


def listed(outputs: Any) -> list[Any]:
    """What calling an op gave, as a list of tensors."""
    if outputs is None:
        return []
    return list(outputs) if isinstance(outputs, list | tuple) else [outputs]


# -- values ----------------------------------------------------------------------------------------


def computed(row: Row, arrays: list[np.ndarray] | None = None) -> list[np.ndarray]:
    """The NumPy meaning of the op, which is the reference."""
    attrs = {**row.op.defaults, **row.sample.attrs}
    arrays = row.arrays if arrays is None else arrays
    compute = row.op.compute or row.op.kernel(**attrs)
    with np.errstate(all="ignore"):
        return [np.asarray(value) for value in listed(compute(*arrays, **attrs))]


def eager(row: Row) -> list[np.ndarray]:
    """The op run in eager mode."""
    with context.eager_mode():
        outputs = listed(row.op(*row.sample.args, **row.sample.attrs))
        assert all(isinstance(t, EagerTensor) for t in outputs)
        return [t.numpy() for t in outputs]


class Build(NamedTuple):
    """How inputs come into a graph: the shape that a placeholder gets, or a constant for None."""

    label: str
    shape: Callable[[np.ndarray], Any] | None


CONSTANTS = Build("constants", None)
KNOWN = Build("placeholders", lambda a: a.shape)
SIZES_UNKNOWN = Build("placeholders of unknown sizes", lambda a: [None] * a.ndim)
RANK_UNKNOWN = Build("placeholders of unknown rank", lambda a: None)
BUILDS = (CONSTANTS, KNOWN, SIZES_UNKNOWN, RANK_UNKNOWN)


def inputs_of(arrays: list[np.ndarray], build: Build) -> tuple[list[Any], dict[Any, Any]]:
    """Input tensors in the default graph, and what to feed."""
    if build.shape is None:
        return [constant(a) for a in arrays], {}
    tensors = [placeholder(as_dtype(a.dtype), build.shape(a)) for a in arrays]
    return tensors, dict(zip(tensors, arrays, strict=True))


def assert_same(got: Any, wanted: Any, what: str) -> None:
    """Same number of arrays, same dtypes and shapes, same bits (any NaN equals any other)."""
    assert len(got) == len(wanted), f"{what}: {len(got)} outputs instead of {len(wanted)}"
    for index, (left, right) in enumerate(zip(got, wanted, strict=True)):
        left = np.asarray(left, object if isinstance(left, bytes) else None)  # a string
        assert left.dtype == right.dtype, f"{what}, output {index}: {left.dtype}, not {right.dtype}"
        np.testing.assert_array_equal(left, right, f"{what}, output {index}", strict=True)
        if left.dtype.kind == "f":
            signs = [np.signbit(x) & (x == x) for x in (left, right)]
            np.testing.assert_array_equal(*signs, f"{what}, output {index}: signs of zero")


def check_compute(row: Row) -> None:
    """The NumPy meaning leaves its inputs alone and gives arrays of its own."""
    arrays = [a.copy() for a in row.arrays]
    for array in arrays:
        array.flags.writeable = False
    results = computed(row, arrays)
    for array, original in zip(arrays, row.arrays, strict=True):
        np.testing.assert_array_equal(array, original, "an input was changed", strict=True)
    if not row.op.aliases:
        for result in results:
            assert not any(np.shares_memory(result, a) for a in arrays), (
                "an output aliases an input"
            )
    assert_same(results, computed(row), "the second call")


def check_layout(row: Row) -> None:
    """Inputs that are not contiguous, or NumPy's scalars, give what plain arrays give."""
    spread = []
    for array in row.arrays:
        if not array.ndim:
            # What an op before this one may have given for rank 0.
            spread.append(array[()] if array.dtype.kind != "O" else array)
            continue
        base = np.zeros([2 * d for d in array.shape], array.dtype)
        view = base[tuple(slice(None, None, -2 if i == 0 else 2) for i in range(array.ndim))]
        view[...] = array
        spread.append(view)
    for got, wanted in zip(computed(row, spread), computed(row), strict=True):
        assert got.dtype == wanted.dtype
        if wanted.dtype.kind in "fc":
            # Sums may be taken in another order.
            eps = 16 * np.finfo(wanted.dtype).eps
            np.testing.assert_allclose(got, wanted, eps, eps, strict=True)
        else:
            np.testing.assert_array_equal(got, wanted, strict=True)


def check_eager(row: Row) -> None:
    """Eager mode gives what the NumPy meaning gives."""
    assert_same(eager(row), computed(row), "eager mode")


def check_graph(row: Row) -> None:
    """A Session gives what the NumPy meaning gives, and the shape rule says nothing wrong."""
    wanted = computed(row)
    for build in BUILDS:
        with Graph().as_default(), Session() as session:
            tensors, feed = inputs_of(row.arrays, build)
            args = like(row.sample.args, iter(tensors))
            outputs = listed(row.op(*args, **row.sample.attrs))
            assert_same(session.run(outputs, feed), wanted, build.label)
            _check_static(row, build, outputs, wanted)


def _check_static(row: Row, build: Build, outputs: list[Any], wanted: list[np.ndarray]) -> None:
    for index, (tensor, value) in enumerate(zip(outputs, wanted, strict=True)):
        what = f"{build.label}, output {index}"
        assert tensor.dtype.np == value.dtype, f"{what}: declared {tensor.dtype}, is {value.dtype}"
        assert tensor.shape.is_compatible_with(value.shape), (
            f"{what}: declared {tensor.shape}, is {value.shape}"
        )
        if build is CONSTANTS and row.op.name not in SHAPE_FROM_DATA | SHAPE_FROM_ATTRS:
            assert tensor.shape.is_fully_defined(), (
                f"{what}: inputs are known, {tensor.shape} is not"
            )


# -- gradients -------------------------------------------------------------------------------------

# Steps and tolerances of central differences in double precision; values are of order 1.
_STEP = 1e-5
_TOLERANCE = 2e-6
_DOUBLE = (np.float64, np.complex128)


class Differentiated:
    """A row whose gradient is to be checked, at a point and in directions drawn at random.

    For the inputs x and outputs y of double precision, with random weights w and directions u, v:
    f(x) = <w, y(x)>, whose derivative along u must be <df/dx, u>; and g(x) = <v, df/dx>, whose
    derivative along u must be <dg/dx, u>. For complex numbers <a, b> is the real part of
    sum(conj(a) b), which is what TF's gradients of complex functions are made for.
    """

    def __init__(self, row: Row) -> None:
        self.row = row
        rng = np.random.default_rng(zlib.crc32(str(row).encode()))
        self.arrays = row.arrays
        outputs = computed(row)
        left_out = WITHOUT_DERIVATIVE.get(row.op.name, ())
        self.float_inputs = [
            i for i, a in enumerate(self.arrays) if a.dtype in _DOUBLE and i not in left_out
        ]
        self.float_outputs = [i for i, y in enumerate(outputs) if y.dtype in _DOUBLE]
        self.weights = [_drawn(rng, outputs[i]) for i in self.float_outputs]
        self.u, self.v = (
            [_drawn(rng, self.arrays[i]) for i in self.float_inputs] for _ in range(2)
        )

    @property
    def applies(self) -> bool:
        return bool(self.row.sample.differentiable and self.float_inputs and self.float_outputs)

    def at(self, step: float) -> list[np.ndarray]:
        """The inputs moved along u."""
        arrays = list(self.arrays)
        for i, u in zip(self.float_inputs, self.u, strict=True):
            arrays[i] = arrays[i] + step * u
        return arrays

    def outputs(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        outputs = computed(self.row, arrays)
        return [outputs[i] for i in self.float_outputs]

    def along(
        self, function: Callable[[list[np.ndarray]], list[Any]], weights: list[np.ndarray]
    ) -> float:
        """The derivative of <weights, function> along u, by central differences."""
        pairs = zip(function(self.at(_STEP)), function(self.at(-_STEP)), strict=True)
        # Elements are subtracted first: one that is huge and constant must not swallow the others.
        changes = [None if plus is None else plus - minus for plus, minus in pairs]
        return dot(changes, weights) / (2 * _STEP)

    def check(self, derivatives: Callable[[list[np.ndarray]], tuple[list[Any], list[Any]]]) -> None:
        """Checks a function that gives df/dx and dg/dx, None where there is no dependence."""
        first, second = derivatives(self.arrays)
        for grads, order in ((first, "first"), (second, "second")):
            for i, grad in zip(self.float_inputs, grads, strict=True):
                x = self.arrays[i]
                assert grad is None or (grad.shape, grad.dtype) == (x.shape, x.dtype), (
                    f"the {order} gradient for input {i} has shape {grad.shape} and dtype "
                    f"{grad.dtype}, not {x.shape} and {x.dtype}"
                )
        if not sum(self.arrays[i].size for i in self.float_inputs):
            return
        slope = self.along(self.outputs, self.weights)
        assert_close(dot(first, self.u), slope, "first derivative")
        slope = self.along(lambda arrays: derivatives(arrays)[0], self.v)
        assert_close(dot(second, self.u), slope, "second derivative")


def _drawn(rng: np.random.Generator, like: np.ndarray) -> np.ndarray:
    """Numbers of absolute value 0.5 to 1.5 with random signs (of both parts, if complex)."""
    part = rng.uniform(0.5, 1.5, (2, *like.shape)) * rng.choice([-1.0, 1.0], (2, *like.shape))
    return part[0] + 1j * part[1] if like.dtype.kind == "c" else part[0]


def dot(left: list[Any], right: list[np.ndarray]) -> float:
    """<left, right>, where None stands for zero."""
    pairs = zip(left, right, strict=True)
    return float(sum(np.sum((np.conj(a) * b).real) for a, b in pairs if a is not None))


def assert_close(got: float, wanted: float, what: str) -> None:
    scale = max(1.0, abs(wanted))
    assert abs(got - wanted) <= _TOLERANCE * scale, f"{what}: {got!r}, numerically {wanted!r}"


def check_graph_gradient(row: Row) -> None:
    """The gradients that `gradients` builds, with known shapes and with none known."""
    case = Differentiated(row)
    if case.applies:
        for build in (KNOWN, RANK_UNKNOWN):
            with Graph().as_default(), Session() as session:
                try:
                    case.check(_graph_derivatives(case, build, session))
                except Exception as error:
                    raise AssertionError(f"{build.label}: {error}") from error


def _graph_derivatives(case: Differentiated, build: Build, session: Any) -> Any:
    row = case.row
    tensors: list[Any] = []
    for array in case.arrays:
        # Integers (axes, shapes) are constants where shapes are known.
        as_constant = build is KNOWN and array.dtype.kind not in "fc"
        tensors.extend(inputs_of([array], CONSTANTS if as_constant else build)[0])
    outputs = listed(row.op(*like(row.sample.args, iter(tensors)), **row.sample.attrs))
    xs = [tensors[i] for i in case.float_inputs]
    first = dense(gradients([outputs[i] for i in case.float_outputs], xs, case.weights))
    second: list[Any] = [None] * len(xs)
    known = [(g, v) for g, v in zip(first, case.v, strict=True) if g is not None]
    if known:
        second = dense(gradients([g for g, _ in known], xs, [v for _, v in known]))
    fetches = [g for g in (*first, *second) if g is not None]

    def derivatives(arrays: list[np.ndarray]) -> tuple[list[Any], list[Any]]:
        feed = {t: a for t, a in zip(tensors, arrays, strict=True) if t.op.type == "Placeholder"}
        values = iter(session.run(fetches, feed))
        both = [None if g is None else next(values) for g in (*first, *second)]
        return both[: len(xs)], both[len(xs) :]

    return derivatives


def dense(grads: list[Any]) -> list[Any]:
    """Gradients as tensors, rows of a lookup put in their places."""
    return [None if g is None else convert_to_tensor(g) for g in grads]


def check_eager_gradient(row: Row) -> None:
    """The gradients that nested tapes give."""
    case = Differentiated(row)
    if case.applies:
        with context.eager_mode():
            case.check(lambda arrays: _eager_derivatives(case, arrays))


def _eager_derivatives(case: Differentiated, arrays: list[np.ndarray]) -> Any:
    row = case.row
    tensors = [constant(a) for a in arrays]
    xs = [tensors[i] for i in case.float_inputs]
    with GradientTape() as outer:
        outer.watch(xs)
        with GradientTape() as inner:
            inner.watch(xs)
            outputs = listed(row.op(*like(row.sample.args, iter(tensors)), **row.sample.attrs))
        ys = [outputs[i] for i in case.float_outputs]
        first = dense(inner.gradient(ys, xs, [constant(w) for w in case.weights]))
    known = [(g, v) for g, v in zip(first, case.v, strict=True) if g is not None]
    second: list[Any] = [None] * len(xs)
    if known:
        directions = [constant(v) for _, v in known]
        second = dense(outer.gradient([g for g, _ in known], xs, directions))
    return tuple([None if g is None else g.numpy() for g in part] for part in (first, second))


CHECKS = {
    "compute": check_compute,
    "layout": check_layout,
    "eager": check_eager,
    "graph": check_graph,
}
GRADIENT_CHECKS = {
    "graph": check_graph_gradient,
    "eager": check_eager_gradient,
}
