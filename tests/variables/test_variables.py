"""Variables of all kinds: what they tell, reading, writing, operators."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from hybridflow import errors
from tests.variables.modes import Mode, names

KINDS = ["reference", "resource", "eager"]


class Kind(Mode):
    """A mode with the kind of variables to make."""

    def __init__(self, name: str, session: Any) -> None:
        super().__init__(session)
        self.name = name
        self.reference = name == "reference"

    def __call__(self, initial_value: Any = (1.0, 2.0, 3.0), **options: Any) -> Any:
        make = hf.Variable if self.reference else hf.ResourceVariable
        v = make(initial_value, name="v", **options)
        self.start()
        return v


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Any:
    if request.param == "eager":
        with hf.eager_mode(), hf.EagerVariableStore().as_default():
            yield Kind("eager", None)
    else:
        with hf.Graph().as_default(), hf.Session() as session:
            yield Kind(request.param, session)


class TestProperties:
    def test_all_kinds(self, kind: Kind) -> None:
        v = kind()
        assert v.name == "v:0"
        assert v.dtype.base_dtype == hf.float32
        assert v.dtype.is_ref_dtype == kind.reference
        assert v.shape.as_list() == v.get_shape().as_list() == [3]
        assert v.trainable
        assert v.constraint is None
        assert isinstance(v, hf.ResourceVariable) != kind.reference
        assert v.handle.dtype == (hf.float32._as_ref if kind.reference else hf.resource)
        assert v._shared_name == "v"

    def test_of_a_graph(self, graph: hf.Graph) -> None:
        for use_resource in (False, True):
            with hf.device("/job:ps"):
                v = hf.get_variable(f"v{use_resource}", [1], use_resource=use_resource)
            assert v.graph is graph
            assert v.op.type == ("VarHandleOp" if use_resource else "VariableV2")
            assert v.op is v.handle.op
            assert v.device == v.op.device == "/job:ps"
            assert v.initializer.name == f"{v.op.name}/Assign"
            assert v.initial_value.op.name == f"{v.op.name}/Initializer/random_uniform"

    def test_of_eager_mode(self, eager: hf.EagerVariableStore) -> None:
        v = hf.Variable(1.0)
        assert v.initializer is None
        assert v.device.endswith("CPU:0")
        for attribute in ("op", "graph"):
            with pytest.raises(AttributeError, match="meaningless when eager execution is enabled"):
                getattr(v, attribute)
        with pytest.raises(RuntimeError, match="initial_value not supported in EAGER mode"):
            _ = v.initial_value
        for method in (v.eval, v.to_proto):
            with pytest.raises(RuntimeError, match="EAGER mode"):
                method()

    def test_names(self, mode: Mode) -> None:
        made = [hf.Variable(1.0), hf.Variable(1.0, name="w"), hf.Variable(lambda: 1.0, name="a/b")]
        with hf.name_scope("n"):
            made.append(hf.Variable(1.0, name="w"))
        assert names(made) == ["Variable:0", "w:0", "a/b:0", "n/w:0"]

    def test_names_are_unique_in_a_graph(self, graph: hf.Graph) -> None:
        assert names([hf.Variable(1.0, name="v") for _ in range(3)]) == ["v:0", "v_1:0", "v_2:0"]

    def test_set_shape(self, kind: Kind) -> None:
        v = kind(validate_shape=False)
        assert v.shape.ndims is None
        v.set_shape([None])
        assert v.shape.as_list() == [None]
        v.set_shape([3])
        assert v.shape.as_list() == [3]
        if not kind.eager:
            assert v.value().shape.as_list() == [3]
        with pytest.raises(ValueError, match="not compatible"):
            v.set_shape([4])

    def test_equality_is_identity(self, kind: Kind) -> None:
        v, w = kind(), kind()
        assert v == v
        assert v != w
        assert v != [1.0, 2.0, 3.0]
        assert len({v, w, v}) == 2

    def test_repr(self, kind: Kind) -> None:
        shown = {
            "reference": "<hf.Variable 'v:0' shape=(3,) dtype=float32_ref>",
            "resource": "<hf.Variable 'v:0' shape=(3,) dtype=float32>",
            "eager": (
                "<hf.Variable 'v:0' shape=(3,) dtype=float32 device=CPU:0, "
                "numpy=array([1., 2., 3.], dtype=float32)>"
            ),
        }
        assert repr(kind()) == shown[kind.name]

    def test_repr_shows_the_constraint(self, eager: hf.EagerVariableStore) -> None:
        v = hf.Variable(1.0, name="v", constraint=hf.abs)
        assert repr(v) == (
            "<hf.Variable 'v:0' shape=() dtype=float32 device=CPU:0 constraint=abs, numpy=1.0>"
        )


class TestConstructor:
    def test_positions(self, mode: Mode) -> None:
        v = hf.Variable(1, False, ["mine"], True, None, "v", None, hf.float64, [], None, hf.abs)
        assert (v.name, v.dtype.base_dtype, v.trainable) == ("v:0", hf.float64, False)
        assert v.constraint is hf.abs
        assert hf.get_collection("mine") == [v]

    def test_errors(self, mode: Mode) -> None:
        with pytest.raises(ValueError, match="initial_value must be specified"):
            hf.Variable()
        with pytest.raises(ValueError, match="`constraint` argument must be a callable"):
            hf.Variable(1.0, constraint=3)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="must be a list, tuple, or set"):
            hf.Variable(1.0, collections="mine")
        with pytest.raises(ValueError, match=r"shape \(2,\), but shape \(3,\) was asked for"):
            hf.Variable([1.0, 2.0], expected_shape=[3])
        with pytest.raises((TypeError, ValueError)):
            hf.Variable("text", dtype=hf.float32)
        assert hf.global_variables() == []

    @pytest.mark.parametrize("dtype", ["float16", "float64", "int32", "bool", "complex64"])
    def test_dtype(self, kind: Kind, dtype: str) -> None:
        v = kind([True, False], dtype=dtype)
        assert kind.value(v).dtype == dtype

    def test_a_tensor_of_another_dtype(self, mode: Mode) -> None:
        with pytest.raises(ValueError, match="float32"):
            hf.Variable(hf.constant(1.0), dtype=hf.int32)

    def test_the_array_given_is_not_shared(self, kind: Kind) -> None:
        array = np.ones(2, np.float32)
        v = kind(array)
        array[:] = 7
        assert kind.value(v).tolist() == [1.0, 1.0]

    def test_the_array_got_is_not_shared(self, kind: Kind) -> None:
        v = kind()
        kind.value(v)[:] = 7
        assert kind.value(v).tolist() == [1.0, 2.0, 3.0]

    def test_strings(self, kind: Kind) -> None:
        v = kind(["a", "b"])
        assert kind.value(v).tolist() == [b"a", b"b"]


class TestReading:
    def test_value(self, kind: Kind) -> None:
        v = kind()
        for tensor in (v.value(), v.read_value(), v.initialized_value(), hf.convert_to_tensor(v)):
            assert kind.value(tensor).tolist() == [1.0, 2.0, 3.0]
        assert kind.value(v.is_initialized())
        assert kind.value(hf.is_variable_initialized(v))

    def test_references_share_one_snapshot(self, graph: hf.Graph) -> None:
        v = hf.Variable(1.0)
        assert v.value() is v.value() is hf.convert_to_tensor(v)
        assert v.read_value() is not v.read_value()

    def test_read_value_sees_what_it_depends_on(self, kind: Kind) -> None:
        v = kind()
        with hf.control_dependencies([v.assign_add([1.0, 1.0, 1.0])]):
            after = v.read_value()
        assert kind.value(after).tolist() == [2.0, 3.0, 4.0]

    def test_a_fetch_is_the_value_before_the_step(self, graph: hf.Graph) -> None:
        for use_resource in (False, True):
            v = hf.get_variable(f"v{use_resource}", initializer=1.0, use_resource=use_resource)
            with hf.Session() as session:
                session.run(v.initializer)
                assert session.run([v, v + 1.0, v.assign_add(1.0)]) == [1.0, 2.0, 2.0]

    def test_eval(self, graph: hf.Graph) -> None:
        v = hf.Variable(1.0)
        with hf.Session() as session:
            session.run(v.initializer)
            assert v.eval() == v.eval(session) == 1.0
        with pytest.raises(ValueError, match="no default session"):
            v.eval()

    @pytest.mark.parametrize("use_resource", [False, True])
    def test_uninitialized(self, graph: hf.Graph, use_resource: bool) -> None:
        v = hf.get_variable("a/v", [1], use_resource=use_resource)
        with hf.Session() as session:
            assert not session.run(v.is_initialized())
            for fetch in (v, v + 1.0, v.read_value(), v.assign_add([1.0])):
                with pytest.raises(errors.FailedPreconditionError, match="a/v"):
                    session.run(fetch)
            assert np.abs(session.run(v.initialized_value())).max() <= 2.0

    def test_a_handle_is_no_value(self, graph: hf.Graph) -> None:
        v = hf.get_variable("v", [1], use_resource=True)
        with hf.Session() as session:
            session.run(v.initializer)
            for fetch in (v.handle, v.name, [v.handle]):
                with pytest.raises(TypeError, match="is the handle of a resource variable"):
                    session.run(fetch)

    def test_sessions_have_their_own_values(self, graph: hf.Graph) -> None:
        v = hf.Variable(1.0)
        with hf.Session() as one, hf.Session() as two:
            one.run(v.initializer)
            two.run(v.initializer)
            one.run(v.assign(5.0))
            assert (one.run(v), two.run(v)) == (5.0, 1.0)

    def test_what_was_read_stays(self, eager: hf.EagerVariableStore) -> None:
        v = hf.Variable([1.0, 2.0])
        before = v.value()
        v.assign([5.0, 5.0])
        hf.scatter_update(v, [0], [9.0])
        assert before.numpy().tolist() == [1.0, 2.0]

    def test_to_another_dtype(self, kind: Kind) -> None:
        with pytest.raises(
            ValueError, match="Incompatible type conversion requested to type 'int32"
        ):
            hf.convert_to_tensor(kind(), hf.int32)

    def test_sparse_read(self, kind: Kind) -> None:
        if not kind.reference:
            assert kind.value(kind().sparse_read([2, 0])).tolist() == [3.0, 1.0]

    def test_graph_variables_have_no_value_for_python(self, graph: hf.Graph) -> None:
        for v in (hf.Variable([1.0, 2.0]), hf.ResourceVariable([1.0, 2.0])):
            assert bool(v)
            with pytest.raises(TypeError, match="not iterable"):
                iter(v)
            with pytest.raises(TypeError, match="has no value outside a session"):
                np.asarray(v)
            with pytest.raises(TypeError):
                float(v)

    def test_eager_variables_have(self, eager: hf.EagerVariableStore) -> None:
        v, n = hf.Variable([1.0, 2.0]), hf.Variable(3)
        assert [float(x) for x in v] == [1.0, 2.0]
        assert len(v) == 2
        np.testing.assert_array_equal(np.asarray(v), [1.0, 2.0])
        assert np.sum(v) == 3.0
        assert (int(n), float(n), complex(n), bool(n), list(range(n))) == (3, 3, 3, True, [0, 1, 2])
        assert f"{n:03d}" == "003"
        with pytest.raises(ValueError, match="with one element can become a bool"):
            bool(v)
        assert isinstance(v.numpy(), np.ndarray)
        v.numpy()[:] = 9
        assert v.numpy().tolist() == [1.0, 2.0]

    def test_outside_of_eager_mode_too(self) -> None:
        with hf.eager_mode():
            v = hf.Variable(3.0)
        assert float(v) == v.numpy() == 3.0
        with hf.Graph().as_default(), pytest.raises(RuntimeError, match="in eager mode"):
            v + 1.0

    def test_not_in_a_traced_function(self, eager: hf.EagerVariableStore) -> None:
        v = hf.Variable(3.0)

        @hf.function
        def wrong(use: Any) -> Any:
            return use(v)

        with pytest.raises(TypeError, match="not allowed"):
            wrong(bool)
        with pytest.raises(TypeError):
            wrong(float)
        with pytest.raises(RuntimeError, match="in a function being traced"):
            wrong(lambda x: x.numpy())

    def test_graph_variables_are_of_no_use_in_eager_mode(self) -> None:
        for make in (hf.Variable, hf.ResourceVariable):
            with hf.Graph().as_default():
                v = make(1.0)
            with hf.eager_mode(), pytest.raises(TypeError, match="belongs to a graph"):
                v + 1.0


class TestWriting:
    def test_assign(self, kind: Kind) -> None:
        v = kind()
        for write, wanted in (
            (lambda: v.assign([5.0, 6.0, 7.0]), [5, 6, 7]),
            (lambda: v.assign_add([1.0, 1.0, 1.0]), [6, 7, 8]),
            (lambda: v.assign_sub([2.0, 2.0, 2.0], use_locking=True), [4, 5, 6]),
            (lambda: hf.assign(v, [1.0, 1.0, 1.0]), [1, 1, 1]),
            (lambda: hf.assign_add(v, [1.0, 2.0, 3.0]), [2, 3, 4]),
            (lambda: hf.assign_sub(v, [1.0, 1.0, 1.0], use_locking=True), [1, 2, 3]),
            (lambda: v.assign(v * 2.0), [2, 4, 6]),
        ):
            assert kind.value(write()).tolist() == wanted
            assert kind.value(v).tolist() == wanted

    def test_names(self, graph: hf.Graph) -> None:
        v, w = hf.Variable(1.0), hf.ResourceVariable(1.0)
        assert hf.assign(v, 2.0, name="mine").op.name == "mine"
        assert v.assign_add(2.0, name="more").op.name == "more"
        assert w.assign(2.0, name="theirs").op.inputs[0].op.control_inputs[0].name == "theirs"

    def test_converts(self, kind: Kind) -> None:
        v = kind()
        assert kind.value(v.assign([1, 2, 3])).dtype == np.float32
        assert kind.value(v.assign(np.ones(3))).dtype == np.float32

    def test_wrong_dtype(self, kind: Kind) -> None:
        v = kind()
        for write in (v.assign, v.assign_add, v.assign_sub):
            with pytest.raises((TypeError, ValueError), match="int32"):
                write(hf.constant([1, 2, 3]))

    def test_wrong_shape(self, kind: Kind) -> None:
        v = kind()
        for write in (v.assign, v.assign_add, v.assign_sub):
            with pytest.raises(ValueError, match="compatible"):
                write([1.0, 2.0])
        assert kind.value(v).tolist() == [1.0, 2.0, 3.0]

    def test_wrong_shape_found_when_it_runs(self, graph: hf.Graph) -> None:
        x = hf.placeholder(hf.float32)
        for v in (hf.Variable([1.0, 2.0]), hf.ResourceVariable([1.0, 2.0])):
            with hf.Session() as session:
                session.run(v.initializer)
                for write in (v.assign(x), v.assign_add(x)):
                    with pytest.raises(errors.InvalidArgumentError):
                        session.run(write, {x: [1.0, 2.0, 3.0]})
                assert session.run(v).tolist() == [1.0, 2.0]

    def test_only_variables(self, graph: hf.Graph) -> None:
        for write in (hf.assign, hf.assign_add, hf.assign_sub):
            with pytest.raises(TypeError, match="pass a variable"):
                write(hf.constant(1.0), 2.0)
        v = hf.Variable(1.0)
        with hf.Session() as session:
            session.run(v.initializer)
            assert session.run(hf.assign(v.handle, 2.0)) == 2.0

    def test_load(self, kind: Kind) -> None:
        v = kind()
        v.load([4.0, 5.0, 6.0], kind.session)
        assert kind.value(v).tolist() == [4.0, 5.0, 6.0]
        v.load(np.array([1.0, 1.0, 1.0]))
        assert kind.value(v).tolist() == [1.0, 1.0, 1.0]
        with pytest.raises(ValueError, match=r"[Ss]hape"):
            v.load([1.0])

    def test_load_adds_no_ops(self, graph: hf.Graph) -> None:
        v = hf.Variable(1.0)
        before = len(graph.get_operations())
        with hf.Session():
            v.load(2.0)
            assert v.eval() == 2.0
        assert len(graph.get_operations()) == before
        with pytest.raises(ValueError, match="Either session argument should be provided"):
            v.load(1.0)

    def test_count_up_to(self, kind: Kind) -> None:
        v = kind(0)
        assert [int(kind.value(v.count_up_to(2))) for _ in range(2)] == [0, 1]
        with pytest.raises(errors.OutOfRangeError, match="Reached limit of 2"):
            kind.value(v.count_up_to(2))
        assert kind.value(v) == 2
        counted = hf.count_up_to(v, 5)
        assert counted.dtype.base_dtype == hf.int32
        assert int(kind.value(counted)) == 2
        with pytest.raises(TypeError, match="DataType float32 not in list of allowed values"):
            kind(0.0).count_up_to(2)


ROWS = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]


class TestScatter:
    @pytest.mark.parametrize(
        ("function", "wanted"),
        [
            (hf.scatter_update, [[2, 2], [3, 4], [4, 4]]),
            (hf.scatter_add, [[3, 4], [3, 4], [9, 10]]),
            (hf.scatter_sub, [[-1, 0], [3, 4], [1, 2]]),
            (hf.scatter_mul, [[2, 4], [3, 4], [20, 24]]),
            (hf.scatter_div, [[0.5, 1], [3, 4], [1.25, 1.5]]),
        ],
    )
    def test_functions(self, kind: Kind, function: Any, wanted: Any) -> None:
        v = kind(ROWS)
        result = kind.value(function(v, [0, 2], [[2.0, 2.0], [4.0, 4.0]]))
        np.testing.assert_allclose(result, wanted)
        np.testing.assert_allclose(kind.value(v), wanted)

    def test_repeated_rows(self, kind: Kind) -> None:
        v = kind(ROWS)
        ones = [[1.0, 1.0]] * 3
        assert kind.value(hf.scatter_add(v, [1, 1, 1], ones)).tolist()[1] == [6.0, 7.0]
        assert kind.value(hf.scatter_sub(v, [1, 1, 1], ones)).tolist() == ROWS

    def test_methods(self, kind: Kind) -> None:
        v = kind(ROWS)
        delta = hf.IndexedSlices(hf.constant([[1.0, 1.0], [2.0, 2.0]]), hf.constant([0, 2]))
        assert kind.value(v.scatter_add(delta)).tolist() == [[2, 3], [3, 4], [7, 8]]
        assert kind.value(v.scatter_sub(delta)).tolist() == ROWS
        assert kind.value(v.scatter_update(delta)).tolist() == [[1, 1], [3, 4], [2, 2]]
        for method in (v.scatter_add, v.scatter_sub, v.scatter_update):
            with pytest.raises(ValueError, match="sparse_delta is not IndexedSlices"):
                method([1.0])

    def test_scalar_indices_and_shapes(self, kind: Kind) -> None:
        v = kind(ROWS)
        assert kind.value(hf.scatter_add(v, 1, [1.0, 1.0])).tolist()[1] == [4.0, 5.0]
        updated = hf.scatter_update(v, [[0], [1]], [[[9.0, 9.0]], [[8.0, 8.0]]])
        assert kind.value(updated).tolist()[:2] == [[9.0, 9.0], [8.0, 8.0]]

    def test_out_of_range(self, kind: Kind) -> None:
        v = kind(ROWS)
        for index in (3, -1):
            with pytest.raises(errors.InvalidArgumentError, match=rf"= {index} is not in \[0, 3\)"):
                kind.value(hf.scatter_add(v, [0, index], [[1.0, 1.0]] * 2))
        assert kind.value(v).tolist() == ROWS

    def test_places(self, kind: Kind) -> None:
        v = kind(ROWS)
        found = [
            kind.value(hf.scatter_nd_update(v, [[0], [2]], [[9.0, 9.0], [8.0, 8.0]])).tolist(),
            kind.value(hf.scatter_nd_add(v, [[0, 1], [0, 1]], [1.0, 1.0])).tolist(),
            kind.value(hf.scatter_nd_sub(v, [[1]], [[1.0, 1.0]], use_locking=True)).tolist(),
        ]
        assert found == [
            [[9, 9], [3, 4], [8, 8]],
            [[9, 11], [3, 4], [8, 8]],
            [[9, 11], [2, 3], [8, 8]],
        ]
        for index in ([3], [-1], [0, 2]):
            updates = [[1.0, 1.0]] if len(index) == 1 else [1.0]
            with pytest.raises(errors.InvalidArgumentError, match=r"Invalid indices: \[0\] = "):
                kind.value(hf.scatter_nd_add(v, [index], updates))
        assert kind.value(v).tolist() == found[-1]

    def test_places_that_do_not_fit(self, graph: hf.Graph) -> None:
        v = hf.Variable(ROWS)
        for indices, updates in (([[0], [2]], [9.0, 9.0]), ([[0, 1, 1]], [9.0]), (0, [1.0, 1.0])):
            with pytest.raises(ValueError, match="for 'ScatterNdUpdate"):
                hf.scatter_nd_update(v, indices, updates)

    def test_of_a_reference(self, graph: hf.Graph) -> None:
        v = hf.Variable(ROWS)
        with hf.Session() as session:
            session.run(v.initializer)
            added = hf.scatter_add(v.handle, [0], [[1.0, 1.0]])
            assert session.run(added).tolist()[0] == [2.0, 3.0]
            assert session.run(hf.is_variable_initialized(v.handle))


class TestSlices:
    def test_read(self, kind: Kind) -> None:
        v = kind(ROWS)
        array = np.array(ROWS)
        for key in (
            0,
            -1,
            slice(1, 3),
            (slice(None), 1),
            (..., None),
            (1, 0),
            slice(None, None, 2),
        ):
            np.testing.assert_array_equal(kind.value(v[key]), array[key])

    @pytest.mark.parametrize(
        "key",
        [
            1,
            slice(0, 2),
            (slice(None), 1),
            (2, 0),
            slice(None),
            (..., 0),
            (slice(None, None, -2), 1),
        ],
        ids=str,
    )
    def test_assign(self, kind: Kind, key: Any) -> None:
        v = kind(ROWS)
        array = np.array(ROWS, np.float32)
        array[key] += 10
        result = kind.value(v[key].assign(array[key]))
        np.testing.assert_array_equal(result, array)
        np.testing.assert_array_equal(kind.value(v), array)

    def test_by_the_function(self, kind: Kind) -> None:
        v = kind(ROWS)
        assert kind.value(hf.assign(v[1:2], [[7.0, 8.0]])).tolist()[1] == [7.0, 8.0]
        with pytest.raises(TypeError, match="requires l-value input"):
            hf.assign((v * 1.0)[1:2], [[7.0, 8.0]])

    def test_tensors_as_bounds(self, kind: Kind) -> None:
        v, i = kind(ROWS), hf.constant(1)
        assert kind.value(v[i, i:].assign([7.0])).tolist()[1] == [3.0, 7.0]

    def test_names(self, graph: hf.Graph) -> None:
        v = hf.Variable(ROWS)
        assert v[0].assign([1.0, 1.0]).op.name == "strided_slice/_assign"
        assert v[0].assign([1.0, 1.0], name="mine").op.name == "mine"

    def test_wrong_value(self, kind: Kind) -> None:
        v = kind(ROWS)
        with pytest.raises((ValueError, errors.InvalidArgumentError)):
            kind.value(v[0].assign([1.0, 2.0, 3.0]))
        with pytest.raises((TypeError, ValueError)):
            kind.value(v[0].assign(hf.constant([1, 2])))
        assert kind.value(v).tolist() == ROWS

    def test_slices_of_tensors_cannot_be_assigned(self, kind: Kind) -> None:
        part = (kind(ROWS) * 1.0)[0]
        assert not hasattr(part, "assign")

    def test_what_was_read_before_stays(self, eager: hf.EagerVariableStore) -> None:
        v = hf.Variable(ROWS)
        part = v[0]
        part.assign([9.0, 9.0])
        assert part.numpy().tolist() == [1.0, 2.0]

    def test_gradient(self, eager: hf.EagerVariableStore) -> None:
        v = hf.Variable(ROWS)
        with hf.GradientTape() as tape:
            y = hf.reduce_sum(v[1])
        assert tape.gradient(y, v).numpy().tolist() == [[0, 0], [1, 1], [0, 0]]


class TestOperators:
    @pytest.mark.parametrize(
        "function",
        [
            lambda v: v + 1.0,
            lambda v: 1.0 + v,
            lambda v: v - [1.0, 1.0, 1.0],
            lambda v: 1.0 - v,
            lambda v: v * v,
            lambda v: 2.0 * v,
            lambda v: v / 2.0,
            lambda v: 2.0 / v,
            lambda v: v // 2.0,
            lambda v: 7.0 // v,
            lambda v: v % 2.0,
            lambda v: 7.0 % v,
            lambda v: v**2.0,
            lambda v: 2.0**v,
            lambda v: -v,
            lambda v: abs(-v),
            lambda v: v < 2.0,
            lambda v: v <= 2.0,
            lambda v: v > 2.0,
            lambda v: v >= 2.0,
            lambda v: np.ones(3, np.float32) + v,
            lambda v: v * np.ones(3, np.float32),
        ],
    )
    def test_numbers(self, kind: Kind, function: Any) -> None:
        np.testing.assert_allclose(
            kind.value(function(kind())), function(np.array([1, 2, 3], np.float32)), rtol=1e-6
        )

    def test_booleans(self, kind: Kind) -> None:
        v = kind([True, False])
        results = [v & [True, True], v | True, v ^ [True, True], ~v]
        found = [kind.value(result).tolist() for result in results]
        assert found == [[True, False], [True, True], [False, True], [False, True]]

    def test_matrices(self, kind: Kind) -> None:
        v = kind([[1.0, 2.0], [3.0, 4.0]])
        np.testing.assert_array_equal(kind.value(v @ [[1.0], [1.0]]), [[3.0], [7.0]])
        np.testing.assert_array_equal(kind.value(hf.matmul(v, v)), [[7.0, 10.0], [15.0, 22.0]])

    def test_two_variables(self, kind: Kind) -> None:
        v, w = kind(), kind([5.0, 5.0, 5.0])
        assert kind.value(v + w).tolist() == [6.0, 7.0, 8.0]
        assert kind.value(hf.add_n([v, w, v])).tolist() == [7.0, 9.0, 11.0]
        assert kind.value(hf.stack([v, w])).shape == (2, 3)
        assert kind.value(hf.convert_to_tensor([v, w])).shape == (2, 3)

    def test_other_classes_get_their_chance(self, kind: Kind) -> None:
        class Other:
            def __radd__(self, other: Any) -> str:
                return "mine"

        assert kind() + Other() == "mine"

    def test_errors(self, kind: Kind) -> None:
        with pytest.raises(TypeError):
            kind() + "text"
        with pytest.raises(TypeError, match="float64"):
            kind() + hf.constant(1.0, hf.float64)

    def test_gradients(self, kind: Kind) -> None:
        v = kind()
        if kind.eager:
            with hf.GradientTape() as tape:
                y = hf.reduce_sum(v * v)
            assert tape.watched_variables() == (v,)
            grad = tape.gradient(y, v)
        else:
            (grad,) = hf.gradients(hf.reduce_sum(v * v), v)
        assert kind.value(grad).tolist() == [2.0, 4.0, 6.0]

    def test_variables_that_are_not_trainable_are_not_watched(
        self, eager: hf.EagerVariableStore
    ) -> None:
        v = hf.Variable(1.0, trainable=False)
        with hf.GradientTape() as tape:
            y = v * v
        assert tape.gradient(y, v) is None


class TestDescriptions:
    def test_of_a_reference(self, graph: hf.Graph) -> None:
        with hf.name_scope("n"):
            v = hf.Variable(1.0, name="v")
        described = v.to_proto()
        assert described.variable_name == "n/v:0"
        assert described.initial_value_name == "n/v/initial_value:0"
        assert described.initializer_name == "n/v/Assign"
        assert described.snapshot_name == "n/v/read:0"
        assert (described.is_resource, described.HasField("save_slice_info_def")) == (False, False)
        assert v.to_proto("n").variable_name == "v:0"
        assert v.to_proto("m") is None

    def test_of_a_resource(self, graph: hf.Graph) -> None:
        v = hf.get_variable("v", [2], use_resource=True)
        w = hf.get_variable("w", [2], use_resource=True, caching_device="/cpu:0")
        assert v.to_proto().is_resource
        assert v.to_proto().snapshot_name == ""
        assert w.to_proto().snapshot_name == w.value().name

    @pytest.mark.parametrize("use_resource", [False, True])
    def test_back(self, graph: hf.Graph, use_resource: bool) -> None:
        v = hf.get_variable("v", initializer=[1.0, 2.0], use_resource=use_resource)
        before = len(graph.get_operations())
        w = hf.Variable.from_proto(v.to_proto())
        assert len(graph.get_operations()) == before
        assert type(w) is type(v)
        for attribute in ("name", "dtype", "op", "initializer", "initial_value", "trainable"):
            assert getattr(w, attribute) is getattr(v, attribute) or attribute == "name"
        assert (w.name, w.shape.as_list()) == ("v:0", [2])
        with hf.Session() as session:
            session.run(w.initializer)
            session.run(w.assign_add([1.0, 1.0]))
            assert session.run(v).tolist() == [2.0, 3.0]

    def test_into_a_scope(self, graph: hf.Graph) -> None:
        with hf.name_scope("n"):
            v = hf.Variable(1.0, name="v")
        described = v.to_proto("n")
        assert hf.Variable.from_proto(described, import_scope="n").op is v.op
        with pytest.raises(KeyError):
            hf.Variable.from_proto(described)

    def test_save_slice_info(self, graph: hf.Graph) -> None:
        with hf.variable_scope("n"):
            parts = hf.get_variable("v", [4], partitioner=hf.fixed_size_partitioner(2))
        described = list(parts)[1].to_proto()
        info = described.save_slice_info_def
        assert (info.full_name, info.full_shape) == ("n/v", [4])
        assert (info.var_offset, info.var_shape) == ([2], [2])
        back = hf.Variable.from_proto(described)._get_save_slice_info()
        assert back.spec == "4 2,2"
        assert back.to_proto() == info
        assert back.to_proto("n").full_name == "v"
        assert back.to_proto("m") is None
        again = hf.Variable.SaveSliceInfo(save_slice_info_def=info, import_scope="s")
        assert again.full_name == "s/n/v"
        assert 'full_name: "n/v"' in repr(described)
        assert copy.copy(described) == described != info

    def test_excludes_an_initial_value(self, graph: hf.Graph) -> None:
        described = hf.Variable(1.0).to_proto()
        with pytest.raises(ValueError, match="mutually exclusive"):
            hf.Variable(2.0, variable_def=described)

    def test_not_in_eager_mode(self, eager: hf.EagerVariableStore) -> None:
        with hf.Graph().as_default():
            described = hf.Variable(1.0).to_proto()
        with pytest.raises(ValueError, match="only supported in graph mode"):
            hf.Variable(variable_def=described)
