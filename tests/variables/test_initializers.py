"""Initializers: settings, statistics, shapes, errors, and Keras' names. Values: recorded ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from tests.variables.modes import Mode

SHAPE = [200, 100]
# The standard deviation of a normal distribution cut off at two standard deviations.
CUT = 0.8796


def drawn(mode: Mode, initializer: Any, shape: Any = SHAPE, dtype: Any = None) -> np.ndarray:
    return np.asarray(mode.value(initializer(shape, dtype)))


class TestStatistics:
    @pytest.mark.parametrize(
        ("initializer", "mean", "deviation", "largest"),
        [
            (hf.random_uniform_initializer(-2.0, 4.0, seed=1), 1.0, 6 / 12**0.5, 4.0),
            (hf.random_normal_initializer(1.0, 2.0, seed=1), 1.0, 2.0, None),
            (hf.truncated_normal_initializer(1.0, 2.0, seed=1), 1.0, 2 * CUT, 5.0),
            (hf.uniform_unit_scaling_initializer(2.0, seed=1), 0.0, 2 / 200**0.5, None),
            (hf.variance_scaling_initializer(seed=1), 0.0, 200**-0.5, 2 / CUT / 200**0.5),
            (hf.variance_scaling_initializer(3.0, "fan_out", seed=1), 0.0, 0.03**0.5, None),
            (
                hf.variance_scaling_initializer(3.0, "fan_avg", "uniform", seed=1),
                *(0.0, 0.02**0.5, (3 * 0.02) ** 0.5),
            ),
            (hf.glorot_uniform_initializer(seed=1), 0.0, (2 / 300) ** 0.5, (6 / 300) ** 0.5),
            (hf.glorot_normal_initializer(seed=1), 0.0, (2 / 300) ** 0.5, None),
            (hf.keras.initializers.he_normal(seed=1), 0.0, 0.01**0.5, 0.2 / CUT),
            (hf.keras.initializers.he_uniform(seed=1), 0.0, 0.01**0.5, 0.03**0.5),
            (hf.keras.initializers.lecun_normal(seed=1), 0.0, 0.005**0.5, None),
            (hf.keras.initializers.lecun_uniform(seed=1), 0.0, 0.005**0.5, 0.015**0.5),
        ],
    )
    def test_moments(
        self, mode: Mode, initializer: Any, mean: float, deviation: float, largest: float | None
    ) -> None:
        values = drawn(mode, initializer)
        assert values.mean() == pytest.approx(mean, abs=0.03 * deviation)
        assert values.std() == pytest.approx(deviation, rel=0.02)
        assert largest is None or np.abs(values).max() <= largest

    def test_convolutions_share_a_kernel(self, mode: Mode) -> None:
        values = drawn(mode, hf.variance_scaling_initializer(seed=1), [3, 3, 20, 50])
        assert values.std() == pytest.approx(180**-0.5, rel=0.03)

    @pytest.mark.parametrize(("shape", "fan"), [([], 1), ([50], 50)])
    def test_few_dimensions(self, mode: Mode, shape: list[int], fan: int) -> None:
        initializer = hf.variance_scaling_initializer(distribution="uniform", seed=1)
        assert np.abs(drawn(mode, initializer, shape)).max() <= (3 / fan) ** 0.5

    def test_both_modes_draw_the_same(self) -> None:
        found = []
        for opened in (hf.eager_mode(), hf.Graph().as_default()):
            with opened, hf.EagerVariableStore().as_default():
                hf.set_random_seed(7)
                init = hf.glorot_uniform_initializer(seed=3)
                variables = [hf.get_variable(name, [5, 5], initializer=init) for name in "vw"]
                if hf.executing_eagerly():
                    found += [v.numpy() for v in variables]
                else:
                    with hf.Session() as session:
                        session.run(hf.global_variables_initializer())
                        found += session.run(variables)
        for value in found[1:]:
            np.testing.assert_array_equal(value, found[0])


class TestValues:
    def test_constants(self, mode: Mode) -> None:
        assert drawn(mode, hf.zeros_initializer(), [2]).tolist() == [0, 0]
        assert drawn(mode, hf.ones_initializer(), [2]).tolist() == [1, 1]
        assert drawn(mode, hf.constant_initializer(2.5), [2]).tolist() == [2.5, 2.5]
        assert drawn(mode, hf.constant_initializer([1, 2]), [3]).tolist() == [1, 2, 2]
        array = np.arange(6).reshape(2, 3)
        assert drawn(mode, hf.constant_initializer(array), [3, 2]).tolist() == [
            [0, 1],
            [2, 3],
            [4, 5],
        ]

    def test_dtypes(self, mode: Mode) -> None:
        assert drawn(mode, hf.zeros_initializer(), [1]).dtype == np.float32
        assert drawn(mode, hf.zeros_initializer(hf.int32), [1]).dtype == np.int32
        assert drawn(mode, hf.zeros_initializer(hf.int32), [1], hf.float64).dtype == np.float64
        assert drawn(mode, hf.zeros_initializer(), [1], "bool").dtype == np.bool_
        initializer = hf.random_uniform_initializer(0, 5, seed=1, dtype=hf.int32)
        assert set(drawn(mode, initializer).ravel()) == {0, 1, 2, 3, 4}
        assert drawn(mode, hf.glorot_uniform_initializer(), [2], hf.float16).dtype == np.float16

    @pytest.mark.parametrize("shape", [[4, 4], [6, 3], [3, 6], [2, 3, 5]])
    def test_orthogonal(self, mode: Mode, shape: list[int]) -> None:
        q = drawn(mode, hf.orthogonal_initializer(gain=2.0, seed=1), shape).reshape(-1, shape[-1])
        product = q.T @ q if q.shape[0] >= q.shape[1] else q @ q.T
        np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-5)

    def test_identity(self, mode: Mode) -> None:
        value = drawn(mode, hf.initializers.identity(gain=2.0), [2, 3])
        assert value.tolist() == [[2, 0, 0], [0, 2, 0]]

    def test_identity_in_parts(self, mode: Mode) -> None:
        v = hf.get_variable(
            "v",
            [3, 3],
            initializer=hf.initializers.identity(),
            partitioner=hf.fixed_size_partitioner(2),
        )
        mode.start()
        np.testing.assert_array_equal(mode.value(v.as_tensor()), np.eye(3))


class TestErrors:
    def test_constants(self, mode: Mode) -> None:
        with pytest.raises(TypeError, match="Invalid type for initial value"):
            hf.constant_initializer({1})
        with pytest.raises(ValueError, match="Too many elements provided"):
            hf.constant_initializer([1, 2, 3])([2])
        with pytest.raises(TypeError, match="Expected Tensor's shape"):
            hf.constant_initializer([1, 2], verify_shape=True)([3])
        with pytest.raises(TypeError, match="Expected Tensor's shape"):
            hf.constant_initializer([1, 2])([3], verify_shape=True)

    @pytest.mark.parametrize(
        "make",
        [
            hf.random_normal_initializer,
            hf.truncated_normal_initializer,
            hf.uniform_unit_scaling_initializer,
            hf.variance_scaling_initializer,
            hf.orthogonal_initializer,
            hf.initializers.identity,
            hf.glorot_uniform_initializer,
            hf.glorot_normal_initializer,
        ],
    )
    def test_floating_dtypes(self, make: Any) -> None:
        with pytest.raises(ValueError, match="Expected floating point type, got"):
            make(dtype=hf.int32)

    def test_settings(self) -> None:
        make = hf.variance_scaling_initializer
        for scale in (0.0, -1.0):
            with pytest.raises(ValueError, match="`scale` must be positive float"):
                make(scale=scale)
        with pytest.raises(ValueError, match="Invalid `mode` argument"):
            make(mode="fan")
        with pytest.raises(ValueError, match="Invalid `distribution` argument"):
            make(distribution="other")
        assert make(distribution="UNIFORM").distribution == "uniform"

    def test_shapes(self, mode: Mode) -> None:
        with pytest.raises(ValueError, match="must be at least two-dimensional"):
            hf.orthogonal_initializer()([3])
        with pytest.raises(ValueError, match="can only be used for 2D matrices"):
            hf.initializers.identity()([3])

    def test_base(self) -> None:
        with pytest.raises(NotImplementedError, match="Initializer must define __call__"):
            hf.initializers.Initializer()([1])
        assert hf.initializers.Initializer().get_config() == {}


CONFIGS = [
    (hf.zeros_initializer(hf.int32), {"dtype": "int32"}),
    (hf.ones_initializer(), {"dtype": "float32"}),
    (hf.constant_initializer(3), {"value": 3, "dtype": "float32"}),
    (
        hf.random_uniform_initializer(0, 1, 2),
        {"minval": 0, "maxval": 1, "seed": 2, "dtype": "float32"},
    ),
    (
        hf.random_normal_initializer(1.0, 2.0),
        {"mean": 1.0, "stddev": 2.0, "seed": None, "dtype": "float32"},
    ),
    (
        hf.truncated_normal_initializer(seed=1, dtype=hf.float64),
        {"mean": 0.0, "stddev": 1.0, "seed": 1, "dtype": "float64"},
    ),
    (
        hf.variance_scaling_initializer(2.0, "fan_out", "uniform", 5),
        {
            "scale": 2.0,
            "mode": "fan_out",
            "distribution": "uniform",
            "seed": 5,
            "dtype": "float32",
        },
    ),
    (hf.orthogonal_initializer(2.0, 1), {"gain": 2.0, "seed": 1, "dtype": "float32"}),
    (hf.initializers.identity(2.0), {"gain": 2.0, "dtype": "float32"}),
    (
        hf.uniform_unit_scaling_initializer(2.0, 1),
        {"factor": 2.0, "seed": 1, "dtype": "float32"},
    ),
]


class TestConfigs:
    @pytest.mark.parametrize(
        ("initializer", "config"), CONFIGS, ids=lambda value: type(value).__name__
    )
    def test_there_and_back(self, initializer: Any, config: Any) -> None:
        assert initializer.get_config() == config
        assert type(initializer).from_config(config).get_config() == config

    @pytest.mark.parametrize(("initializer", "config"), CONFIGS[:-1])
    def test_serialized(self, initializer: Any, config: Any) -> None:
        plain = hf.keras.initializers.serialize(initializer)
        assert plain == {"class_name": type(initializer).__name__, "config": config}
        back = hf.keras.initializers.deserialize(plain)
        assert type(back) is type(initializer)
        assert back.get_config() == config

    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("zeros", hf.zeros_initializer),
            ("one", hf.ones_initializer),
            ("Zeros", hf.zeros_initializer),
            ("glorot_uniform", hf.variance_scaling_initializer),
            ("he_normal", hf.variance_scaling_initializer),
            ("uniform", hf.random_uniform_initializer),
            ("normal", hf.random_normal_initializer),
            ("orthogonal", hf.orthogonal_initializer),
        ],
    )
    def test_by_name(self, name: str, kind: Any) -> None:
        assert isinstance(hf.keras.initializers.get(name), kind)

    def test_get(self) -> None:
        get = hf.keras.initializers.get
        ones = hf.ones_initializer()
        assert get(ones) is ones
        assert get(None) is None
        assert get({"class_name": "Constant", "config": {"value": 2}}).value == 2
        with pytest.raises(ValueError, match="Could not interpret initializer identifier"):
            get(3)
        with pytest.raises(ValueError, match="Unknown initializer: other"):
            get("other")

    def test_custom_objects(self) -> None:
        class Mine(hf.initializers.Initializer):
            pass

        names = hf.keras.initializers
        plain = names.serialize(Mine())
        with pytest.raises(ValueError, match="Unknown initializer: Mine"):
            names.deserialize(plain)
        assert isinstance(names.deserialize(plain, custom_objects={"Mine": Mine}), Mine)
        assert names.serialize(names.he_normal) == "he_normal"
        assert names.deserialize("zeros").dtype == hf.float32
        for wrong in ({"class_name": "Zeros"}, 3):
            with pytest.raises(ValueError, match="Improper config format"):
                names.deserialize(wrong)
        with pytest.raises(ValueError, match="Cannot serialize"):
            names.serialize(3)
