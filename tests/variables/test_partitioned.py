"""Partitioned variables: made by partitioners, used as one tensor, part by part."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.variables.partitioned import PartitionedVariable
from hybridflow._src.variables.partitioning import PartitionInfo, slice_shapes
from tests.variables.modes import Mode, names
from tests.variables.test_get_variable import reusing

TWO = hf.fixed_size_partitioner(2)
TABLE = np.arange(10, dtype=np.float32).reshape(5, 2)


def table(**options: Any) -> Any:
    return hf.get_variable("v", initializer=hf.constant(TABLE), partitioner=TWO, **options)


class TestMaking:
    def test_parts(self, mode: Mode) -> None:
        with hf.variable_scope("a"):
            v = hf.get_variable("v", [5, 2], partitioner=TWO)
        assert isinstance(v, PartitionedVariable)
        assert (v.name, v.dtype, v.shape.as_list()) == ("a/v", hf.float32, [5, 2])
        assert v.get_shape() is v.shape
        assert names(v) == ["a/v/part_0:0", "a/v/part_1:0"]
        assert [part.shape.as_list() for part in v] == [[3, 2], [2, 2]]
        assert len(v) == 2
        assert hf.trainable_variables() == hf.global_variables() == list(v)

    def test_save_slice_info(self, mode: Mode) -> None:
        specs = [part._get_save_slice_info().spec for part in table()]
        assert specs == ["5 2 0,3:0,2", "5 2 3,2:0,2"]
        assert [part._get_save_slice_info().full_name for part in reused(table)] == ["v", "v"]

    @pytest.mark.parametrize("axis", [0, 1, -1])
    def test_axis(self, mode: Mode, axis: int) -> None:
        v = hf.get_variable("v", [4, 6], partitioner=hf.fixed_size_partitioner(2, axis))
        wanted = [2, 6] if axis == 0 else [4, 3]
        assert [part.shape.as_list() for part in v] == [wanted] * 2
        assert v._partition_axes() == [axis % 2]
        assert v.as_tensor().shape.as_list() == [4, 6]

    def test_the_first_parts_are_larger(self, mode: Mode) -> None:
        v = hf.get_variable("v", [8], partitioner=hf.fixed_size_partitioner(3))
        assert [part.shape.as_list() for part in v] == [[3], [3], [2]]

    def test_one_part(self, mode: Mode) -> None:
        v = hf.get_variable(
            "v", [2], initializer=hf.ones_initializer(), partitioner=hf.fixed_size_partitioner(1)
        )
        mode.start()
        assert names(v) == ["v/part_0:0"]
        assert mode.value(v.as_tensor()).tolist() == [1.0, 1.0]

    @pytest.mark.parametrize("shape", [[], (), hf.TensorShape([])])
    def test_scalars_are_not_cut(self, mode: Mode, shape: Any) -> None:
        assert isinstance(hf.get_variable("v", shape, partitioner=TWO), hf.Variable)

    def test_initializers_learn_which_part(self, mode: Mode) -> None:
        seen = []

        def initializer(shape: Any, dtype: Any, partition_info: Any) -> Any:
            seen.append((shape, partition_info.full_shape, partition_info.var_offset))
            return hf.fill(shape, hf.cast(partition_info.single_offset(shape), dtype))

        v = hf.get_variable("v", [5, 2], initializer=initializer, partitioner=TWO)
        mode.start()
        assert seen == [([3, 2], [5, 2], [0, 0]), ([2, 2], [5, 2], [3, 0])]
        assert mode.value(v.as_tensor())[:, 0].tolist() == [0, 0, 0, 3, 3]

    def test_scales_follow_the_whole(self, mode: Mode) -> None:
        parts = hf.get_variable(
            "v", [4, 50], initializer=hf.glorot_uniform_initializer(seed=1), partitioner=TWO
        )
        mode.start()
        values = [mode.value(part) for part in parts]
        limit = np.sqrt(6 / 54)
        assert max(np.abs(v).max() for v in values) == pytest.approx(limit, rel=0.1)
        np.testing.assert_array_equal(*values)

    @pytest.mark.parametrize(
        "initializer",
        [lambda: hf.constant(TABLE), lambda: TABLE, lambda: TABLE.tolist()],
        ids=["tensor", "array", "list"],
    )
    @pytest.mark.parametrize("shape", [None, [5, 2]])
    def test_values_are_cut(self, mode: Mode, initializer: Any, shape: Any) -> None:
        v = hf.get_variable("v", shape, initializer=initializer(), partitioner=TWO)
        mode.start()
        np.testing.assert_array_equal(mode.value(v.as_tensor()), TABLE)

    def test_regularizer_and_constraint_for_each_part(self, mode: Mode) -> None:
        v = table(regularizer=hf.reduce_sum, constraint=hf.abs)
        mode.start()
        losses = hf.get_collection(hf.GraphKeys.REGULARIZATION_LOSSES)
        assert [float(mode.value(loss)) for loss in losses] == [15.0, 30.0]
        assert [part.constraint for part in v] == [hf.abs, hf.abs]

    def test_resources(self, mode: Mode) -> None:
        v = table(use_resource=True)
        mode.start()
        assert all(isinstance(part, hf.ResourceVariable) for part in v)
        np.testing.assert_array_equal(mode.value(v.as_tensor()), TABLE)

    def test_of_the_scope(self, mode: Mode) -> None:
        with hf.variable_scope("a", partitioner=TWO):
            assert len(hf.get_variable("v", [4])) == 2
            with hf.variable_scope("b", partitioner=hf.fixed_size_partitioner(4)):
                assert len(hf.get_variable("v", [4])) == 4

    def test_partitioners_get_shape_and_dtype(self, mode: Mode) -> None:
        seen = []

        def partitioner(shape: Any, dtype: Any) -> list[int]:
            seen.append((type(shape), shape.as_list(), dtype))
            return [2, 1]

        hf.get_variable("v", [4, 3], hf.float64, partitioner=partitioner)
        assert seen == [(hf.TensorShape, [4, 3], hf.float64)]

    def test_integers(self, mode: Mode) -> None:
        v = hf.get_variable("v", [4], hf.int32, partitioner=TWO)
        mode.start()
        assert mode.value(v.as_tensor()).tolist() == [0] * 4

    def test_name_of_the_whole(self, graph: hf.Graph) -> None:
        v = table()
        assert v.as_tensor().name == "v:0"
        assert hf.convert_to_tensor(v).name == "v_1:0"
        assert v.as_tensor().op.inputs[0].name == "v/ConcatPartitions/concat_2:0"


def reused(function: Any) -> Any:
    with reusing():
        return function()


class TestReuse:
    def test_the_same_object(self, mode: Mode) -> None:
        v = table()
        assert reused(table) is v

    def test_without_the_partitioner(self, mode: Mode) -> None:
        v = table()
        with reusing(True):
            assert hf.get_variable("v", [5, 2]) is v
            assert hf.get_variable("v") is v

    def test_auto_reuse_without_the_partitioner(self, mode: Mode) -> None:
        """It might make another one, so TF refuses; in eager mode a name gives its variable."""
        v = table()
        with reusing(hf.AUTO_REUSE):
            if mode.eager:
                assert hf.get_variable("v", [5, 2]) is v
            else:
                with pytest.raises(ValueError, match="No partitioner was provided, but a part"):
                    hf.get_variable("v", [5, 2])

    def test_of_a_tensor_of_another_dtype(self, mode: Mode) -> None:
        """A tensor decides the dtype; an array is converted."""
        table = np.arange(10.0).reshape(5, 2)
        for name, value, wanted in (
            ("tensor", hf.constant(table), hf.float64),
            ("array", table, hf.float32),
        ):
            v = hf.get_variable(name, initializer=value, partitioner=TWO)
            assert v.dtype == wanted
            with reusing():
                assert hf.get_variable(name, initializer=value, partitioner=TWO) is v
            mode.start()
            assert mode.value(v.as_tensor()).tolist() == table.tolist()

    def test_the_numbers_of_parts_are_whole(self, mode: Mode) -> None:
        with pytest.raises(TypeError, match="integer"):
            hf.get_variable("v", [4], partitioner=lambda **_: [2.0])

    def test_parts_made_singly(self, mode: Mode) -> None:
        parts = [hf.get_variable(f"v/part_{i}", [2]) for i in range(2)]
        with reusing(hf.AUTO_REUSE):
            assert list(hf.get_variable("v", [4], partitioner=TWO)) == parts

    def test_exists(self, graph: hf.Graph) -> None:
        table()
        with pytest.raises(ValueError, match="Partitioned variable with name v already exists"):
            table()

    def test_missing(self, graph: hf.Graph) -> None:
        with pytest.raises(ValueError, match="PartitionedVariable v does not exist"):
            reused(table)


class TestErrors:
    @pytest.mark.parametrize(
        ("partitioner", "text"),
        [
            (3, "Partitioner must be callable, but received: 3"),
            (lambda **_: 3, "Partitioner must return a sequence, but saw: 3"),
            (lambda **_: [1, 2, 1], "does not match the Variable's rank"),
            (lambda **_: [0, 1], "Partitioner returned zero partitions for some axes"),
            (lambda **_: [9, 1], r"Cannot create 9 slices for size 5. shape: \[5, 2\]"),
            (lambda **_: [2, 2], "Can only slice a variable along one dimension"),
        ],
    )
    def test_partitioner(self, mode: Mode, partitioner: Any, text: str) -> None:
        with pytest.raises(ValueError, match=text):
            hf.get_variable("v", [5, 2], partitioner=partitioner)

    @pytest.mark.parametrize("shape", [None, [None, 2]])
    def test_unknown_shape(self, mode: Mode, shape: Any) -> None:
        text = r"Shape of a new partitioned variable \(v\) must be fully defined, but instead was"
        with pytest.raises(ValueError, match=text):
            hf.get_variable("v", shape, partitioner=TWO)

    def test_value_of_another_shape(self, mode: Mode) -> None:
        with pytest.raises(ValueError, match="not compatible"):
            hf.get_variable("v", [4, 2], initializer=hf.constant(TABLE), partitioner=TWO)

    def test_shape_dtype_and_partitions_of_the_existing(self, mode: Mode) -> None:
        table()
        text = "Trying to reuse partitioned variable v, but specified"
        with reusing():
            with pytest.raises(ValueError, match=rf"{text} shape \(6, 2\) and found shape"):
                hf.get_variable("v", [6, 2], partitioner=TWO)
            with pytest.raises(ValueError, match=f"{text} dtype int32 and found dtype float32"):
                hf.get_variable("v", [5, 2], hf.int32, partitioner=TWO)
            with pytest.raises(ValueError, match=rf"{text} partitions \[3, 1\] and found partitio"):
                hf.get_variable("v", [5, 2], partitioner=hf.fixed_size_partitioner(3))

    def test_existing_without_partitions(self, mode: Mode) -> None:
        hf.get_variable("v", [4])
        with reusing(hf.AUTO_REUSE), pytest.raises(ValueError, match="an unpartitioned version"):
            hf.get_variable("v", [4], partitioner=TWO)

    def test_existing_with_partitions(self, graph: hf.Graph) -> None:
        table()
        with pytest.raises(ValueError, match="No partitioner was provided, but a partitioned ver"):
            hf.get_variable("v", [5, 2])

    def test_parts_of_another_number(self, mode: Mode) -> None:
        for index in range(2):
            hf.get_variable(f"v/part_{index}", [2])
        text = "Partitioner returned a different partitioning than what was already found"
        with reusing(hf.AUTO_REUSE):
            with pytest.raises(ValueError, match=f"{text}.*v/part_2 was not"):
                hf.get_variable("v", [6], partitioner=hf.fixed_size_partitioner(3))
            with pytest.raises(ValueError, match=f"{text}.*so was the extra shard v/part_1"):
                hf.get_variable("v", [2], partitioner=hf.fixed_size_partitioner(1))


class TestUse:
    def test_as_one_tensor(self, mode: Mode) -> None:
        v = table()
        mode.start()
        results = [
            hf.convert_to_tensor(v),
            hf.identity(v),
            v + 1.0,
            2.0 * v,
            -v,
            v[1:3, 0],
            hf.matmul(v, [[1.0], [1.0]]),
            hf.reduce_sum(v),
            v > 4.0,
        ]
        wanted = [
            *(TABLE, TABLE, TABLE + 1, 2 * TABLE, -TABLE, TABLE[1:3, 0]),
            *(TABLE @ [[1.0], [1.0]], TABLE.sum(), TABLE > 4),
        ]
        for result, value in zip(results, wanted, strict=True):
            np.testing.assert_array_equal(mode.value(result), value)

    def test_assign(self, mode: Mode) -> None:
        v = table()
        mode.start()
        mode.value(v.assign(TABLE * 2))
        mode.value(v.assign_add(TABLE))
        mode.value(v.assign_sub(TABLE * 2))
        np.testing.assert_array_equal(mode.value(v.as_tensor()), TABLE)
        for write, value in ((hf.assign, 2), (hf.assign_add, 3), (hf.assign_sub, 4)):
            mode.value(write(v, np.full_like(TABLE, value)))
        assert mode.value(v[0]).tolist() == [1.0, 1.0]

    def test_assign_along_another_axis(self, mode: Mode) -> None:
        v = hf.get_variable("v", [2, 3], partitioner=hf.fixed_size_partitioner(2, axis=1))
        mode.start()
        mode.value(v.assign([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
        assert [mode.value(part).tolist() for part in v] == [[[1, 2], [4, 5]], [[3], [6]]]

    def test_assign_of_another_shape(self, mode: Mode) -> None:
        with pytest.raises(ValueError, match="incompatible"):
            table().assign(TABLE[:3])

    def test_gradients_reach_the_parts(self, mode: Mode) -> None:
        v = table()
        mode.start()
        if mode.eager:
            with hf.GradientTape() as tape:
                loss = hf.reduce_sum(v * v)
            grads = tape.gradient(loss, list(v))
        else:
            grads = hf.gradients(hf.reduce_sum(v * v), list(v))
        for part, grad in zip((TABLE[:3], TABLE[3:]), grads, strict=True):
            np.testing.assert_array_equal(mode.value(grad), 2 * part)

    @pytest.mark.parametrize("strategy", ["mod", "div"])
    def test_embedding_lookup(self, mode: Mode, strategy: str) -> None:
        v = table()
        mode.start()
        found = hf.nn.embedding_lookup(v, [0, 3, 4], partition_strategy=strategy)
        whole = TABLE if strategy == "div" else TABLE[[0, 3, 1, 4, 2]]
        np.testing.assert_array_equal(mode.value(found), whole[[0, 3, 4]])

    def test_conversion_to_another_dtype(self, mode: Mode) -> None:
        with pytest.raises(ValueError, match="Incompatible type conversion requested to type 'int"):
            hf.convert_to_tensor(table(), hf.int32)

    def test_repr(self, mode: Mode) -> None:
        shown = "<hf.PartitionedVariable 'v' shape=(5, 2) dtype=float32 parts=2>"
        assert repr(table()) == shown


class TestConstructor:
    @staticmethod
    def parts(mode: Mode, full_shape: list[int] | None = None) -> list[Any]:
        made = []
        for index in range(2):
            part = hf.get_variable(f"p{index}", initializer=[float(index)])
            info = hf.Variable.SaveSliceInfo("p", full_shape or [2], [index], [1])
            part._set_save_slice_info(info)
            made.append(part)
        mode.start()
        return made

    def test_sorted_by_offset(self, mode: Mode) -> None:
        parts = self.parts(mode)
        v = PartitionedVariable("p", [2], hf.float32, parts[::-1], [2])
        assert list(v) == parts
        assert mode.value(v.as_tensor()).tolist() == [0.0, 1.0]

    def test_errors(self, mode: Mode) -> None:
        parts = self.parts(mode)
        make = PartitionedVariable
        with pytest.raises(TypeError, match="variable_list is not a list or tuple"):
            make("p", [2], hf.float32, iter(parts), [2])
        with pytest.raises(TypeError, match="partitions is not a list or tuple"):
            make("p", [2], hf.float32, parts, 2)
        with pytest.raises(ValueError, match="partition values must be positive"):
            make("p", [2], hf.float32, parts, [0])
        with pytest.raises(ValueError, match="variable_list may not be empty"):
            make("p", [2], hf.float32, [], [2])
        with pytest.raises(TypeError, match="must be variables"):
            make("p", [2], hf.float32, [1, 2], [2])
        with pytest.raises(ValueError, match=r"len\(shape\) != len\(partitions\)"):
            make("p", [2], hf.float32, parts, [2, 1])
        with pytest.raises(ValueError, match="full shapes must match shape"):
            make("p", [3], hf.float32, parts, [2])
        with pytest.raises(ValueError, match="must have a save_slice_info"):
            make("p", [2], hf.float32, [hf.get_variable("w", [1])], [1])

    def test_several_axes(self, mode: Mode) -> None:
        v = PartitionedVariable("p", [2, 2], hf.float32, self.parts(mode, [2, 2]), [2, 2])
        assert v._partition_axes() == [0, 1]
        with pytest.raises(ValueError, match="Cannot get a length for 2 > 1 partition axes"):
            len(v)
        with pytest.raises(NotImplementedError, match="Cannot concatenate along more than one"):
            v.as_tensor()


class TestPartitionInfo:
    def test_properties(self) -> None:
        info = PartitionInfo([6, 4], [2, 0])
        assert (info.full_shape, info.var_offset) == ([6, 4], [2, 0])
        assert (info.single_slice_dim([2, 4]), info.single_offset([2, 4])) == (0, 2)
        whole = PartitionInfo((6, 4), (0, 0))
        assert (whole.single_slice_dim((6, 4)), whole.single_offset((6, 4))) == (None, 0)

    def test_errors(self) -> None:
        with pytest.raises(TypeError, match="`full_shape` must be a sequence"):
            PartitionInfo("ab", [0, 0])
        with pytest.raises(TypeError, match="`var_offset` must be a sequence"):
            PartitionInfo([1, 1], 0)
        with pytest.raises(ValueError, match="Expected equal length"):
            PartitionInfo([1, 1], [0])
        with pytest.raises(ValueError, match="Expected 0 <= offset < shape"):
            PartitionInfo([2, 2], [2, 0])
        info = PartitionInfo([6, 4], [2, 0])
        with pytest.raises(TypeError, match="`shape` must be a sequence"):
            info.single_slice_dim(3)
        with pytest.raises(ValueError, match="Expected equal length"):
            info.single_slice_dim([2])
        with pytest.raises(ValueError, match="would exceed"):
            info.single_slice_dim([5, 4])
        with pytest.raises(ValueError, match="could be either dimension 1 or 0"):
            info.single_slice_dim([2, 2])

    def test_slice_shapes(self) -> None:
        assert slice_shapes([5, 2], [1, 1]) == (0, [[5, 2]])
        assert slice_shapes([5, 2], [1, 2]) == (1, [[5, 1], [5, 1]])


class TestPartitioners:
    SHAPE = hf.TensorShape([10, 4])

    def test_fixed_size(self) -> None:
        assert hf.fixed_size_partitioner(3)(self.SHAPE, dtype=hf.float32) == [3, 1]
        assert hf.fixed_size_partitioner(3, axis=1)(shape=self.SHAPE) == [1, 3]
        assert hf.fixed_size_partitioner(99)(self.SHAPE) == [10, 1]
        with pytest.raises(ValueError, match="at least 1"):
            hf.fixed_size_partitioner(0)

    @pytest.mark.parametrize(
        ("max_bytes", "options", "wanted"),
        [
            (16, {}, [10, 1]),
            (32, {}, [5, 1]),
            (47, {}, [5, 1]),
            (48, {}, [4, 1]),
            (1000, {}, [1, 1]),
            (1, {}, [10, 1]),
            (80, {"axis": 1}, [1, 2]),
            (32, {"max_shards": 3}, [3, 1]),
        ],
    )
    def test_axis_size(self, max_bytes: int, options: Any, wanted: list[int]) -> None:
        cut = hf.variable_axis_size_partitioner(max_bytes, **options)
        assert cut(self.SHAPE, hf.float32) == wanted

    def test_axis_size_of_strings(self) -> None:
        cut = hf.variable_axis_size_partitioner(128)
        assert cut(self.SHAPE, hf.string) == [5, 1]
        cut = hf.variable_axis_size_partitioner(128, bytes_per_string_element=8)
        assert cut(self.SHAPE, hf.string) == [3, 1]

    @pytest.mark.parametrize(
        ("options", "wanted"),
        [
            ({"max_partitions": 8, "min_slice_size": 32}, [5, 1]),
            ({"max_partitions": 3, "min_slice_size": 32}, [3, 1]),
            ({"max_partitions": 99, "min_slice_size": 1}, [10, 1]),
            ({"max_partitions": 8}, [1, 1]),
            ({"max_partitions": 8, "min_slice_size": 32, "axis": 1}, [1, 4]),
            ({}, [1, 1]),
        ],
    )
    def test_min_max(self, options: Any, wanted: list[int]) -> None:
        assert hf.min_max_variable_partitioner(**options)(self.SHAPE, hf.float32) == wanted

    def test_min_max_of_strings(self) -> None:
        cut = hf.min_max_variable_partitioner(8, min_slice_size=160)
        assert cut(self.SHAPE, hf.string) == [4, 1]

    def test_errors(self) -> None:
        for arguments in ((0,), (1, 0, 0)):
            with pytest.raises(ValueError, match="must be positive"):
                hf.variable_axis_size_partitioner(*arguments)
        with pytest.raises(ValueError, match="max_shards must be positive"):
            hf.variable_axis_size_partitioner(1, max_shards=-1)
        for cut in (
            hf.fixed_size_partitioner(2, axis=2),
            hf.variable_axis_size_partitioner(8, axis=2),
            hf.min_max_variable_partitioner(axis=2),
        ):
            with pytest.raises(ValueError, match="along axis 2 when shape is only"):
                cut(shape=self.SHAPE, dtype=hf.float32)
        cut = hf.variable_axis_size_partitioner(8)
        with pytest.raises(ValueError, match="shape is not a TensorShape"):
            cut([10, 4], hf.float32)
        with pytest.raises(ValueError, match="shape is not fully defined"):
            cut(hf.TensorShape([None, 4]), hf.float32)
        with pytest.raises(ValueError, match="dtype is not a DType"):
            cut(self.SHAPE, "float32")


class TestCreatePartitionedVariables:
    def make(self, *args: Any, **kwargs: Any) -> list[Any]:
        with pytest.warns(DeprecationWarning, match="create_partitioned_variables is deprecated"):
            return hf.create_partitioned_variables(*args, **kwargs)

    def test_names(self, mode: Mode) -> None:
        ones = hf.ones_initializer()
        parts = self.make([4, 2], [2, 1], ones)
        more = self.make([4, 2], [1, 2], ones, dtype=hf.float64, name="mine", trainable=False)
        mode.start()
        assert names(parts) == ["PartitionedVariable/part_0:0", "PartitionedVariable/part_1:0"]
        assert names(more) == ["mine/part_0:0", "mine/part_1:0"]
        assert [mode.value(part).shape for part in more] == [(4, 1), (4, 1)]
        assert hf.trainable_variables() == parts

    def test_reuse(self, mode: Mode) -> None:
        parts = self.make([4], [2], None, name="mine")
        assert self.make([4], [2], None, name="mine", reuse=True) == parts

    def test_errors(self, mode: Mode) -> None:
        with pytest.raises(ValueError, match="must have the length"):
            self.make([4, 2], [2], None)
        with pytest.raises(ValueError, match="must have rank at least 1"):
            self.make([], [], None)
        with hf.variable_scope("a", custom_getter=lambda getter, *a, **k: getter(*a, **k)):
            with pytest.raises(ValueError, match="not allowed when a custom getter is set"):
                self.make([4], [2], None)


class TestArray:
    def test_eager(self, eager: hf.EagerVariableStore) -> None:
        v = table()
        assert v.numpy().tolist() == np.asarray(v).tolist() == TABLE.tolist()
        v.numpy()[:] = 0.0
        assert np.asarray(v, np.float64).tolist() == TABLE.tolist()

    def test_graph(self, graph: hf.Graph) -> None:
        v = table()
        ops = len(graph.get_operations())
        for read in (v.numpy, lambda: np.asarray(v)):
            with pytest.raises(TypeError, match="has no value outside a session"):
                read()
        assert len(graph.get_operations()) == ops
