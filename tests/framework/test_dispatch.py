"""Calling ops: both modes, conversion of arguments, every error."""

from __future__ import annotations

import copy
import importlib
import pickle
import sys
import warnings

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.late import late
from hybridflow._src.framework.op_def import OPS, REQUIRED, OpDef, Sample, not_differentiable
from hybridflow._src.framework.registry import raw

MODES = {"eager": hf.eager_mode, "graph": lambda: hf.Graph().as_default()}


@pytest.fixture(params=MODES)
def mode(request):
    with MODES[request.param]() as opened:
        yield opened


@pytest.fixture
def define(monkeypatch):
    """Defines op records that are gone after the test."""
    late.load_ops()  # so that none is first imported into the copy
    monkeypatch.setattr("hybridflow._src.framework.op_def.OPS", known := dict(OPS))
    monkeypatch.setattr("hybridflow._src.framework.registry.OPS", known)

    def make(signature, name="TestOp", **fields):
        defaults = {
            "shape": lambda attrs, *inputs: inputs[0]._dims if inputs else (),
            "compute": lambda *arrays, **attrs: arrays[0].copy() if arrays else np.zeros(()),
            "grad": not_differentiable,
            "samples": lambda rng: (),
        }
        defaults.update(fields)
        return OpDef(name, signature, **{k: v for k, v in defaults.items() if v is not None})

    return make


def value(tensor):
    """The value of a tensor in either mode."""
    return tensor.numpy() if hf.executing_eagerly() else hf.Session().run(tensor)


# -- records ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"compute": None}, TypeError, "'TestOp': exactly one of `compute` and `kernel`"),
        ({"kernel": lambda: 0}, TypeError, "'TestOp': exactly one of `compute` and `kernel`"),
        ({"samples": None}, TypeError, "'TestOp': `samples` is missing"),
        ({"shape": 5}, TypeError, "'TestOp': `shape` must be callable, got 5"),
        ({"grad": "none"}, TypeError, "'TestOp': `grad` must be callable, got 'none'"),
        ({"name": "Const"}, ValueError, "'Const' is registered already"),
        (
            {"signature": "x: T, y: T"},
            ValueError,
            "'TestOp': the signature 'x: T, y: T' has no '->'",
        ),
    ],
)
def test_a_partial_record_cannot_be_built(define, fields, error, message):
    before = dict(OPS)
    with pytest.raises(error, match=message):
        define(fields.pop("signature", "x: T -> y: T"), **fields)
    assert dict(OPS) == before


def test_a_module_that_is_imported_again_makes_its_records_anew(monkeypatch, tmp_path):
    """Its first import was interrupted perhaps, when some of them were made."""
    program = (
        "from hybridflow._src.framework.op_def import OpDef, not_differentiable\n"
        "parts = dict(shape=lambda attrs, x: [x._dims], grad=not_differentiable)\n"
        "parts.update(compute=lambda x: x, samples=lambda rng: ())\n"
        "record = OpDef('TestTwice', 'x: T -> y: T', **parts)\n"
        "make = lambda: OpDef('TestTwice', 'x: T -> y: T', **parts)\n"
    )
    (tmp_path / "made_twice.py").write_text(program)
    monkeypatch.syspath_prepend(tmp_path)
    try:
        first = importlib.import_module("made_twice")
        again = importlib.reload(first)
        assert OPS["TestTwice"] is again.record
        with pytest.raises(ValueError, match="registered already"):
            again.make()
    finally:
        del OPS["TestTwice"], sys.modules["made_twice"]


def test_a_record_is_frozen_and_found_by_name(define):
    op = define("x: T -> y: T", types=[hf.float32])
    assert raw.TestOp is op
    with pytest.raises(AttributeError, match="Op record 'TestOp' is frozen"):
        op.name = "Other"
    with pytest.raises(AttributeError, match="No op named 'NoSuchOp' is registered"):
        raw.NoSuchOp  # noqa: B018
    for duplicate in (copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="not picklable; refer to an op by its name"):
            duplicate(op)
    assert repr(op) == "<OpDef TestOp>"


def test_the_signature_is_parsed(define):
    op = define("a: int32, b: N*T, c: &U, d: ... -> y: T, z: N*out", attrs={"out": hf.float32})
    assert [(a.name, a.dtype, a.var, a.many, a.ref) for a in op.inputs] == [
        ("a", hf.int32, None, False, False),
        ("b", None, "T", True, False),
        ("c", None, "U", False, True),
        ("d", None, None, True, False),
    ]
    assert [(a.name, a.dtype, a.var, a.many) for a in op.outputs] == [
        ("y", None, "T", False),
        ("z", None, "out", True),
    ]
    assert op.variadic
    assert not op.plain


def test_types_belong_to_t_or_to_the_first_variable(define):
    assert define("x: T, n: U -> y: T", "A", types=[hf.int32]).types == {"T": {hf.int32}}
    assert define("x: S, n: U -> y: S", "B", types=[hf.int32]).types == {"S": {hf.int32}}
    assert define("x: T -> y: T", "C").types == {}
    several = define("x: T, n: U -> y: T", "D", types={"U": [hf.int32, hf.int64]})
    assert several.types == {"U": {hf.int32, hf.int64}}


@pytest.mark.parametrize(
    ("signature", "plain"),
    [
        ("x: T -> y: T", True),
        ("x: T, z: T -> y: bool", True),
        ("x: T, z: U -> y: T", False),
        ("x: T, z: int32 -> y: T", False),
        ("x: N*T -> y: T", False),
        ("x: &T -> y: T", False),
        ("x: T -> y: T, z: T", False),
        ("x: T -> y: &T", False),
        ("x: T -> y: out", False),
        ("x: T ->", False),
        ("-> y: out", False),
        ("x: int32 -> y: int32", False),
    ],
)
def test_which_ops_are_plain(define, signature, plain):
    assert define(signature).plain == plain


# -- calling ---------------------------------------------------------------------------------------


def test_results_by_number_of_outputs(define, mode):
    x = hf.constant([1.0, 2.0])
    one = define("x: T -> y: T", "One")
    two = define(
        "x: T -> y: T, z: int32",
        "Two",
        shape=lambda attrs, x: [x._dims, ()],
        compute=lambda x: (x + 1, np.array(7, np.int32)),
    )
    many = define(
        "x: T -> ys: N*T",
        "Many",
        attrs={"num": REQUIRED},
        shape=lambda attrs, x: [x._dims] * attrs["num"],
        compute=lambda x, num: [x * i for i in range(num)],
    )
    none = define("x: T ->", "None", shape=lambda attrs, x: [], compute=lambda x: None)
    assert value(one(x)).tolist() == [1, 2]
    y, z = two(x)
    assert (value(y).tolist(), value(z), z.dtype) == ([2, 3], 7, hf.int32)
    assert [value(t).tolist() for t in many(x, num=2)] == [[0, 0], [1, 2]]
    assert many(x, num=0) == []
    result = none(x)
    if hf.executing_eagerly():
        assert result is None
    else:
        assert isinstance(result, hf.Operation)
        assert result.type == "None"


def test_a_list_of_output_dtypes(define, mode):
    op = define(
        "-> ys: N*Tout",
        attrs={"Tout": REQUIRED},
        shape=lambda attrs: [() for _ in attrs["Tout"]],
        compute=lambda Tout: tuple(np.ones((), d.np) for d in Tout),
    )
    outputs = op(Tout=[hf.int32, hf.float64])
    assert [t.dtype for t in outputs] == [hf.int32, hf.float64]
    assert [value(t) for t in outputs] == [1, 1]


def test_ops_without_inputs_and_with_any_inputs(define, mode):
    nothing = define("-> y: float32", "Nothing")
    anything = define(
        "xs: ... -> n: int32",
        "Anything",
        shape=lambda attrs, *xs: (),
        compute=lambda *xs: np.array(len(xs), np.int32),
    )
    assert value(nothing()) == 0
    assert value(anything([1, 2.0, "three"])) == 3
    assert value(anything([])) == 0


def test_attributes_have_defaults(define, mode):
    op = define(
        "x: T -> y: T",
        attrs={"axis": 0, "mode": REQUIRED},
        compute=lambda x, axis, mode: np.array(x * axis + mode, x.dtype),
    )
    assert value(op(1.0, mode=5)) == 5
    assert value(op(1.0, mode=5, axis=3)) == 8
    y = op(hf.constant(1.0), mode=2)
    if not hf.executing_eagerly():
        assert (y.op.get_attr("axis"), y.op.get_attr("mode"), y.op.get_attr("T")) == (
            0,
            2,
            hf.float32,
        )


def test_python_values_follow_tensors_and_tensors_follow_no_one(define, mode):
    op = define("x: T, y: T, z: T -> s: T", compute=lambda x, y, z: np.asarray(x + y + z))
    t = hf.constant(1.0, hf.float64)
    assert op(1, 2, t).dtype is hf.float64
    assert op(t, np.float32(2), 3.0).dtype is hf.float64
    assert op(1, np.float16(2), 3.0).dtype is hf.float16
    assert op(1, 2, 3).dtype is hf.int32
    assert value(op(1, 2.5, t)) == 4.5


def test_the_first_tensor_of_a_list_decides(define, mode):
    op = define(
        "xs: N*T -> y: T",
        shape=lambda attrs, *xs: (),
        compute=lambda *xs: np.asarray(sum(xs), xs[0].dtype),
    )
    total = op([1, hf.constant(2.0, hf.float64), 3])
    assert (total.dtype, value(total)) == (hf.float64, 6)
    assert value(op((1, 2))) == 3


# -- errors: both modes, same class, same text -----------------------------------------------------


def errors(define):
    reals = [hf.float32, hf.float64]
    two = define("x: T, y: T -> z: T", "Two", types=reals)
    index = define("x: T, i: int32 -> z: T", "Index")
    several = define("xs: N*T, axis: U -> z: T", "Several", types={"U": [hf.int32]})
    attrs = define("x: T -> z: T", "Attrs", attrs={"n": REQUIRED, "m": 1})
    f, d, i, s = (hf.constant(v) for v in (1.0, np.float64(1), 1, "s"))
    return [
        (lambda: two(f), TypeError, r"Op Two takes 2 inputs \(x, y\), got 1"),
        (lambda: two(f, f, f), TypeError, r"Op Two takes 2 inputs \(x, y\), got 3"),
        (lambda: two(f, f, m=1), TypeError, "Op Two has no attribute 'm'"),
        (lambda: attrs(f), TypeError, "Op Attrs: attribute 'n' must be given"),
        (lambda: attrs(f, n=1, k=2), TypeError, "Op Attrs has no attribute 'k'"),
        (
            lambda: two(f, d),
            TypeError,
            "Input 'y' of 'Two' Op has type float64 that does not match type float32 of argument "
            "'x'",
        ),
        (
            lambda: two(i, i),
            TypeError,
            "Value passed to parameter 'x' of 'Two' has DataType int32 not in list of allowed "
            "values: float32, float64",
        ),
        (lambda: two(1, 2), TypeError, "Value passed to parameter 'x' of 'Two' has DataType int32"),
        (lambda: two(f, s), TypeError, "Input 'y' of 'Two' Op has type string"),
        (lambda: two(f, "s"), TypeError, "Expected float32, got 's' of type 'str' instead"),
        (lambda: two(f, None), ValueError, "None values not supported"),
        (lambda: two(f, 1j), TypeError, "Expected float32, got 1j of type 'complex' instead"),
        (lambda: two(f, object()), TypeError, "Expected float32, got <object object"),
        (lambda: two(f, [[1.0], [1.0, 2.0]]), ValueError, "must be a dense tensor"),
        (
            lambda: index(f, f),
            TypeError,
            "Input 'i' of 'Index' Op has type float32 that does not match expected type of int32",
        ),
        (lambda: index(f, 1.5), TypeError, "Expected int32, got 1.5 of type 'float' instead"),
        (
            lambda: several(f, 0),
            TypeError,
            "Expected a list for 'xs' argument to 'Several' Op, not <",
        ),
        (
            lambda: several([f, d], 0),
            TypeError,
            "Input 'xs' of 'Several' Op has type float64 that does not match type float32",
        ),
        (lambda: several([f, i], 0), TypeError, "Input 'xs' of 'Several' Op has type int32"),
        (lambda: several([f, None], 0), ValueError, "None values not supported"),
        (lambda: several([f], d), TypeError, "parameter 'axis' of 'Several' has DataType float64"),
    ]


@pytest.mark.parametrize("case", range(21))
def test_a_bad_call_is_the_same_error_in_both_modes(define, mode, case):
    cases = errors(define)
    assert len(cases) == 21
    call, error, message = cases[case]
    graph = hf.get_default_graph()
    scope = graph.get_name_scope()
    with pytest.raises(error, match=message):
        call()
    assert graph.get_name_scope() == scope


def test_dtype_errors_are_type_errors_and_invalid_argument_errors(define, mode):
    op = define("x: T, y: T -> z: T")
    with pytest.raises(hf.errors.InvalidArgumentError) as caught:
        op(hf.constant(1.0), hf.constant(1))
    assert isinstance(caught.value, TypeError)


def failing(define, **fields):
    def shape(attrs, x, y):
        if x._dims is not None and y._dims is not None and x._dims != y._dims:
            raise ValueError("Dimensions must be equal")
        return x._dims

    return define(
        "x: T, y: T -> z: T",
        shape=shape,
        compute=fields.pop("compute", lambda x, y: x + y),
        **fields,
    )


def test_shape_errors_name_the_op_and_show_shapes(define, mode):
    op = failing(define)
    text = r"Dimensions must be equal for '{}' \(op: 'TestOp'\) with input shapes: \[2\], \[3\]\."
    with pytest.raises(ValueError, match="Dimensions must be equal") as caught:
        op(hf.constant([1.0, 2.0]), hf.constant([1.0, 2.0, 3.0]), name="mine")
    name = "TestOp" if hf.executing_eagerly() else "mine"
    caught.match(text.format(name))
    assert isinstance(caught.value, hf.errors.InvalidArgumentError)


def test_in_eager_mode_only_a_checked_op_asks_its_shape_rule_first(define):
    with hf.eager_mode():
        a, b = hf.constant([1.0]), hf.constant([1.0, 2.0])
        unchecked = failing(define)
        assert unchecked(a, b).shape == [2]
        checked = failing(define, name="Checked", checked=True)
        with pytest.raises(ValueError, match="Dimensions must be equal for 'Checked'"):
            checked(a, b)


def test_an_eager_failure_of_the_numpy_meaning_is_explained(define):
    def fail(x, y):
        raise kind("deep inside")

    with hf.eager_mode():
        op = failing(define, compute=fail)
        a, b = hf.constant([1.0]), hf.constant([1.0, 2.0])
        for kind in (ValueError, TypeError, IndexError, OverflowError):
            with pytest.raises(hf.errors.InvalidArgumentError) as caught:
                op(a, a)
            caught.match(
                r"deep inside in 'TestOp' \(op: 'TestOp'\) with input shapes: \[1\], \[1\]"
            )
            assert isinstance(caught.value.__cause__, kind)
        # The shape rule knows better why the shapes do not fit.
        with pytest.raises(ValueError, match=r"Dimensions must be equal for .* \[1\], \[2\]"):
            op(a, b)
        # What is no fault of the arguments stays as it is.
        kind = ZeroDivisionError
        with pytest.raises(ZeroDivisionError):
            op(a, a)


def test_an_op_error_passes_as_it_is(define):
    def fail(x):
        raise hf.errors.OutOfRangeError(None, None, "end of sequence")

    with hf.eager_mode(), pytest.raises(hf.errors.OutOfRangeError, match="end of sequence"):
        define("x: T -> y: T", compute=fail)(1.0)


def test_references_want_variables(define, mode):
    op = define("ref: &T, value: T -> out: T")
    with pytest.raises(TypeError, match="Input 'ref' of 'TestOp' Op requires l-value input"):
        op(hf.constant(1.0), 1.0)
    with pytest.raises(TypeError, match="requires l-value input: pass a variable, got 5"):
        op(5, 1.0)


# -- floating-point status -------------------------------------------------------------------------


def test_nan_and_inf_flow_silently_and_numpy_keeps_its_settings(define):
    op = define("x: T -> y: T", compute=lambda x: np.asarray(np.log(x) / x))
    with warnings.catch_warnings(), hf.eager_mode(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        assert np.isnan(op(0.0).numpy() * np.float32(1)) or op(0.0).numpy() == -np.inf
        assert np.isnan(op(-1.0).numpy())
        with pytest.raises(FloatingPointError):
            np.log(np.zeros(1))


def test_numpy_settings_come_back_after_an_error(define):
    def fail(x):
        raise ValueError

    op = define("x: T -> y: T", compute=fail)
    with hf.eager_mode(), np.errstate(divide="raise"):
        with pytest.raises(hf.errors.InvalidArgumentError):
            op(1.0)
        assert np.geterr()["divide"] == "raise"


# -- graph mode ------------------------------------------------------------------------------------


def test_names_in_a_graph(define):
    op = define("x: T, y: T -> z: T")
    with hf.Graph().as_default() as g:
        a = hf.constant(1.0)
        assert op(a, a).op.name == "TestOp"
        assert op(a, a).op.name == "TestOp_1"
        assert op(a, a, name="n").op.name == "n"
        assert op(a, a, name="").op.name == "TestOp_2"
        b = op(a, 2.0)
        assert (b.op.name, b.op.inputs[1].op.name) == ("TestOp_3", "TestOp_3/y")
        c = op(a, np.float32(2), name="m")
        assert (c.op.name, c.op.inputs[1].op.name) == ("m", "m/y")
        with g.name_scope("s") as scope:
            assert op(a, a).op.name == "s/TestOp"
            assert op(a, 1.0, name=scope).op.inputs[1].op.name == "s/y"
            assert op(a, a, name="_inner").op.name == "s/_inner"
        for bad in ("_bad", "b ad", "a\n", "-x", "ö"):
            for argument in (a, 1.0):
                with pytest.raises(ValueError, match="is not a valid scope name"):
                    op(a, argument, name=bad)
            for constant in (hf.constant, hf.zeros_like, hf.convert_to_tensor):
                with pytest.raises(ValueError, match="is not a valid scope name"):
                    constant([1.0], name=bad)
        for make in (
            lambda: op(a, a, name=3),
            lambda: hf.constant(1.0, name=3),
            lambda: hf.reshape(hf.zeros([6]), 2, 3),
        ):
            with pytest.raises(TypeError, match="A name must be a string, got 3"):
                make()
        with pytest.raises(ValueError, match="Duplicate node name in graph: 'n'"):
            op(a, a, name="n/")


def test_list_arguments_are_named_by_position(define):
    op = define("xs: N*T, axis: int32 -> y: T", shape=lambda attrs, *xs: ())
    with hf.Graph().as_default():
        y = op([hf.constant(1.0), 2.0, 3.0], 0)
        assert [t.op.name for t in y.op.inputs] == [
            "Const",
            "TestOp/xs_1",
            "TestOp/xs_2",
            "TestOp/axis",
        ]
        assert y.op.get_attr("T") is hf.float32


def test_a_failed_call_adds_no_op(define):
    op = failing(define)
    with hf.Graph().as_default() as g:
        a, b = hf.constant([1.0]), hf.constant([1.0, 2.0])
        before = g.get_operations()
        with pytest.raises(ValueError, match="Dimensions must be equal"):
            op(a, b)
        assert g.get_operations() == before
        assert a.consumers() == []


def test_tensors_of_elsewhere(define):
    op = define("x: T, y: T -> z: T", types=[hf.float32])
    with hf.Graph().as_default():
        lost = hf.constant(1.0, name="lost")
    with hf.eager_mode():
        eager = hf.constant(1.0)
        with pytest.raises(TypeError, match=r"lost:0.* has no value in eager mode"):
            op(eager, lost)
    with hf.Graph().as_default():
        here = hf.constant(1.0)
        for args in ((here, lost), (lost, here)):
            with pytest.raises(ValueError, match=r"must be from the same graph"):
                op(*args)
        for args in ((here, eager), (eager, here), (eager, 1.0)):
            with pytest.raises(RuntimeError, match="Attempting to capture an EagerTensor"):
                op(*args)


# -- kernels with a state --------------------------------------------------------------------------


def test_eager_kernels_are_made_once_for_each_set_of_attributes(define):
    made = []

    def kernel(seed):
        made.append(seed)
        counter = iter(range(seed, seed + 100))
        return lambda: np.array(next(counter), np.int32)

    op = define(
        "-> y: int32",
        compute=None,
        kernel=kernel,
        attrs={"seed": REQUIRED},
        samples=None,
        stateful=True,
    )
    with hf.eager_mode():
        assert [op(seed=s).numpy() for s in (10, 20, 10, 10, 20)] == [10, 20, 11, 12, 21]
    assert made == [10, 20]


def test_samples_keep_what_they_are_given():
    sample = Sample(1, 2, axis=3, differentiable=False)
    assert (sample.args, sample.attrs, sample.differentiable) == ((1, 2), {"axis": 3}, False)
    assert dtypes.float32 is hf.float32
