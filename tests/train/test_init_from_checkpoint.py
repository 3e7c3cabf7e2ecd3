"""`init_from_checkpoint`: what is mapped begins with the checkpoint's values, nothing else does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import hybridflow as hf
from tests.recorded.checkpoint_values import PARTS, PARTS_VALUE, values

RECORDED = Path(__file__).parent.parent / "recorded" / "checkpoints"
CHECKPOINT = str(RECORDED / "1_15")


@pytest.fixture(params=["reference", "resource", "eager"])
def run(request):
    """Makes variables by a function, maps a checkpoint to them, and gives their values."""

    def values_of(make, mapped, path=CHECKPOINT):
        if request.param == "eager":
            with hf.eager_mode(), hf.EagerVariableStore().as_default():
                made = make()
                hf.train.init_from_checkpoint(path, mapped(made))
                return [np.asarray(hf.convert_to_tensor(v).numpy()) for v in made]
        with hf.Graph().as_default(), hf.Session() as session:
            with hf.variable_scope("", use_resource=request.param == "resource"):
                made = make()
            hf.train.init_from_checkpoint(path, mapped(made))
            session.run(hf.global_variables_initializer())
            return [session.run(hf.convert_to_tensor(v)) for v in made]

    return values_of


def get(*names, dtype=hf.float32, partitions=None):
    def make():
        partitioner = None if partitions is None else hf.fixed_size_partitioner(partitions)
        found = []
        for name in names:
            value = {**values(), PARTS: PARTS_VALUE}[name]
            zeros = hf.zeros_initializer()
            shape = value.shape
            with hf.variable_scope("mine", partitioner=partitioner, initializer=zeros):
                found.append(hf.get_variable(name, shape, dtype))
        return found

    return make


@pytest.mark.parametrize("version", ["1_4", "1_15.v1", "2_21"])
def test_one_name(run, version):
    make = get("layer/kernel", "many/layer_03/bias")
    mapped = {"layer/kernel": "mine/layer/kernel"}
    kernel, bias = run(make, lambda made: mapped, str(RECORDED / version))
    np.testing.assert_array_equal(kernel, values()["layer/kernel"])
    np.testing.assert_array_equal(bias, [0, 0])


def test_a_variable(run):
    make = get("layer/kernel")
    (kernel,) = run(make, lambda made: {"layer/kernel": made[0]})
    np.testing.assert_array_equal(kernel, values()["layer/kernel"])


@pytest.mark.parametrize(
    "mapped", [{"/": "mine/"}, {"many/": "mine/many/", "layer/": "mine/layer/"}], ids=str
)
def test_scopes(run, mapped):
    names = ["layer/kernel", "many/layer_03/bias", "many/layer_17/bias"]
    for name, found in zip(names, run(get(*names), lambda made: mapped), strict=True):
        np.testing.assert_array_equal(found, values()[name])


@pytest.mark.parametrize("partitions", [1, 2, 7])
@pytest.mark.parametrize("kind", ["name", "scope", "variable", "list"])
def test_partitioned_variables(run, partitions, kind):
    """Of a tensor that is kept in three slices."""

    def mapped(made):
        return {
            "name": {PARTS: f"mine/{PARTS}"},
            "scope": {"/": "mine/"},
            "variable": {PARTS: made[0]},
            "list": {PARTS: list(made[0])},
        }[kind]

    (found,) = run(get(PARTS, partitions=partitions), mapped)
    np.testing.assert_array_equal(found, PARTS_VALUE)


@pytest.mark.parametrize("name", [n for n in values() if "/layer" not in n])
def test_every_dtype(run, name):
    value = values()[name]
    dtype = hf.string if value.dtype == object else value.dtype

    def make():
        return [hf.get_variable(f"mine/{name}", initializer=hf.zeros(value.shape, dtype))]

    (found,) = run(make, lambda made: {name: f"mine/{name}"})
    assert found.tolist() == value.tolist()


def test_from_the_root_to_the_root(run):
    def make():
        return [hf.get_variable("scalar", [], hf.float64)]

    assert run(make, lambda made: {"/": "/"}) == [3.5]


class TestErrors:
    @pytest.fixture(autouse=True)
    def variable(self):
        with hf.Graph().as_default():
            with hf.variable_scope("a"):
                self.v = hf.get_variable("v", [2], initializer=hf.ones_initializer())
                hf.get_variable("scalar", [], hf.float64)
                with hf.variable_scope("p", partitioner=hf.fixed_size_partitioner(2)):
                    self.parts = list(hf.get_variable("parts", [4]))
            self.initializers = [v.initializer for v in hf.global_variables()]
            yield
            assert [v.initializer for v in hf.global_variables()] == self.initializers

    @pytest.mark.parametrize(
        ("mapped", "text"),
        [
            ({"nobody": "a/v"}, "Tensor nobody is not found in .*1_15 checkpoint"),
            ({"scalar": "a/scalar", "layer/kernel": "a/v"}, r"Shape of variable a/v:0 \(\(2,\)\)"),
            ({PARTS: "a/p/parts"}, "Shape of variable a/p/parts .* doesn't match"),
            ({"/": "a/"}, r"Tensor p/parts \(p/parts in /\) is not found"),
            ({"scalar": "b/"}, "Assignment map with scope only name"),
            ({"scalar": "nobody"}, "There is no variable 'nobody'"),
        ],
    )
    def test_what_does_not_fit(self, mapped, text):
        with pytest.raises(ValueError, match=text):
            hf.train.init_from_checkpoint(CHECKPOINT, mapped)

    def test_parts_of_two_variables(self):
        with hf.variable_scope("q", partitioner=hf.fixed_size_partitioner(2)):
            other = list(hf.get_variable("parts", [4]))
        with pytest.raises(ValueError, match="Slices must all be from the same tensor"):
            hf.train.init_from_checkpoint(CHECKPOINT, {PARTS: [self.parts[0], other[1]]})
        with pytest.raises(ValueError, match="Slices must all be from the same tensor"):
            hf.train.init_from_checkpoint(CHECKPOINT, {PARTS: [self.v]})
        del self.initializers[-2:]
        self.initializers = [v.initializer for v in hf.global_variables()]

    def test_no_name(self):
        with pytest.raises(TypeError, match="Expected a variable, its parts, or a name"):
            hf.train.init_from_checkpoint(CHECKPOINT, {"scalar": 3})

    def test_no_checkpoint(self, tmp_path):
        with pytest.raises(ValueError, match="Couldn't find 'checkpoint' file"):
            hf.train.init_from_checkpoint(str(tmp_path), {"scalar": "a/v"})
        with pytest.raises(hf.errors.NotFoundError):
            hf.train.init_from_checkpoint(str(tmp_path / "m"), {"scalar": "a/v"})


def test_what_is_made_of_the_initial_value():
    """Slots and copies of a variable begin with the checkpoint's value too."""
    with hf.Graph().as_default(), hf.Session() as session:
        v = hf.get_variable("v", [7], hf.int64)
        hf.train.init_from_checkpoint(CHECKPOINT, {"whole": v})
        copy = hf.Variable(v.initialized_value() * 2)
        session.run(hf.global_variables_initializer())
        assert session.run(copy).tolist() == (values()["whole"] * 2).tolist()
        assert session.run(v.initial_value).tolist() == values()["whole"].tolist()


class TestEagerSaver:
    def test_variables_and_slots(self, tmp_path):
        with hf.eager_mode(), hf.EagerVariableStore().as_default():
            v = hf.get_variable("v", initializer=[1.0, 2.0])
            optimizer = hf.train.MomentumOptimizer(0.5, 0.9)
            optimizer.apply_gradients([([1.0, 1.0], v)])
            kept = [v, *hf.contrib.eager.get_optimizer_variables(optimizer)]
            before = [w.numpy() for w in kept]
            saver = hf.contrib.eager.Saver(kept)
            path = saver.save(str(tmp_path / "m"), global_step=3)
            optimizer.apply_gradients([([1.0, 1.0], v)])
            saver.restore(path)
            np.testing.assert_array_equal([w.numpy() for w in kept], before)
        assert path == hf.train.latest_checkpoint(str(tmp_path)) == str(tmp_path / "m-3")

    def test_variables_of_a_store_by_name(self, tmp_path):
        with hf.eager_mode():
            store = hf.EagerVariableStore()
            with store.as_default():
                hf.get_variable("scope/v", initializer=[1.0, 2.0])
                path = hf.contrib.eager.Saver(store.variables()).save(str(tmp_path / "m"))
            later = hf.EagerVariableStore()
            with later.as_default():
                v = hf.get_variable("scope/v", [2])
                hf.contrib.eager.Saver({w._shared_name: w for w in later.variables()}).restore(path)
                assert v.numpy().tolist() == [1, 2]

    @pytest.mark.parametrize("partitions", [1, 2, 7])
    def test_partitioned_variables(self, tmp_path, partitions):
        with hf.eager_mode(), hf.EagerVariableStore().as_default():
            scope, name = PARTS.split("/")
            with hf.variable_scope(scope, partitioner=hf.fixed_size_partitioner(partitions)):
                v = hf.get_variable(name, PARTS_VALUE.shape)
            saver = hf.contrib.eager.Saver([v])
            saver.restore(CHECKPOINT)
            np.testing.assert_array_equal(v.numpy(), PARTS_VALUE)
            path = saver.save(str(tmp_path / "m"))
        np.testing.assert_array_equal(hf.train.load_variable(path, PARTS), PARTS_VALUE)

    def test_only_in_eager_mode(self):
        with hf.Graph().as_default(), pytest.raises(RuntimeError, match=r"tfe\.Saver can only be"):
            hf.contrib.eager.Saver([])
