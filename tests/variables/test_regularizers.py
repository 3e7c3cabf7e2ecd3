"""Regularizers: their formulas and names, sums, errors, and Keras' ones."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

import hybridflow as hf
from hybridflow._src.variables import regularizers as r
from tests.variables.modes import Mode

WEIGHTS = [1.0, -2.0, 3.0]


def loss_of(mode: Mode, regularizer: Any, dtype: Any = hf.float32) -> float:
    return float(mode.value(regularizer(hf.constant(WEIGHTS, dtype))))


class TestFormulas:
    def test_l1(self, mode: Mode) -> None:
        assert loss_of(mode, r.l1_regularizer(0.5)) == 3.0

    def test_l2(self, mode: Mode) -> None:
        assert loss_of(mode, r.l2_regularizer(0.5)) == 3.5

    def test_both(self, mode: Mode) -> None:
        assert loss_of(mode, r.l1_l2_regularizer(0.5, 1.0)) == 10.0
        assert loss_of(mode, r.l1_l2_regularizer(0.0, 1.0)) == 7.0
        assert loss_of(mode, r.l1_l2_regularizer(0.5, 0.0)) == 3.0
        assert loss_of(mode, r.l1_l2_regularizer()) == 13.0

    def test_sum(self, mode: Mode) -> None:
        total = r.sum_regularizer([r.l1_regularizer(1.0), None, r.l2_regularizer(1.0)])
        assert loss_of(mode, total) == 13.0
        assert r.sum_regularizer([None]) is None
        assert r.sum_regularizer([]) is None
        assert r.sum_regularizer([r.l1_regularizer(0.0)])(hf.constant(WEIGHTS)) is None

    def test_off(self, mode: Mode) -> None:
        for make in (r.l1_regularizer, r.l2_regularizer):
            assert make(0.0)(hf.constant(WEIGHTS)) is None
        assert r.l1_l2_regularizer(0.0, 0.0)(hf.constant(WEIGHTS)) is None

    def test_scale_may_be_a_tensor(self, mode: Mode) -> None:
        assert loss_of(mode, r.l1_regularizer(hf.constant(0.5))) == 3.0
        assert loss_of(mode, r.l1_l2_regularizer(hf.constant(0.5), hf.constant(1.0))) == 10.0

    def test_dtype(self, mode: Mode) -> None:
        assert loss_of(mode, r.l2_regularizer(0.5), hf.float64) == 3.5

    def test_of_variables(self, mode: Mode) -> None:
        with hf.variable_scope("a", regularizer=r.l2_regularizer(1.0)):
            v = hf.get_variable("v", initializer=WEIGHTS)
            hf.get_variable("w", initializer=WEIGHTS, regularizer=r.l1_regularizer(0.0))
        mode.start()
        (loss,) = hf.get_collection(hf.GraphKeys.REGULARIZATION_LOSSES)
        assert mode.value(loss) == 7.0
        mode.value(v.assign([1.0, 0.0, 0.0]))
        (loss,) = hf.get_collection(hf.GraphKeys.REGULARIZATION_LOSSES)
        assert mode.value(loss) == 0.5

    def test_names(self, graph: hf.Graph) -> None:
        x = hf.constant(WEIGHTS)
        made = [
            r.l1_regularizer(0.5)(x),
            r.l2_regularizer(0.5)(x),
            r.l1_l2_regularizer(0.5, 0.5)(x),
            r.l2_regularizer(0.5, "mine")(x),
            r.sum_regularizer([r.l1_regularizer(0.5)], scope="total")(x),
        ]
        assert [t.op.name for t in made] == [
            "l1_regularizer",
            "l2_regularizer",
            "l1_l2_regularizer",
            "mine",
            "total",
        ]


class TestErrors:
    @pytest.mark.parametrize("make", [r.l1_regularizer, r.l2_regularizer])
    def test_scale(self, make: Any) -> None:
        with pytest.raises(ValueError, match="Setting a scale less than 0 on a regularizer"):
            make(-0.1)
        with pytest.raises(ValueError, match="scale cannot be an integer: 1"):
            make(1)

    def test_scales(self) -> None:
        with pytest.raises(ValueError, match="scale_l1 cannot be an integer"):
            r.l1_l2_regularizer(1, 0.5)
        with pytest.raises(ValueError, match="scale_l2 cannot be an integer"):
            r.l1_l2_regularizer(0.5, 0)
        with pytest.raises(ValueError, match="Setting a scale less than 0"):
            r.l1_l2_regularizer(0.5, -0.5)


class TestApply:
    def test_to_given_weights(self, mode: Mode) -> None:
        total = r.apply_regularization(r.l1_regularizer(1.0), [hf.constant(WEIGHTS)] * 2)
        assert mode.value(total) == 12.0
        (loss,) = hf.get_collection(hf.GraphKeys.REGULARIZATION_LOSSES)
        assert mode.value(loss) == 12.0

    def test_to_the_collection(self, mode: Mode) -> None:
        hf.get_variable("v", initializer=WEIGHTS, collections=[hf.GraphKeys.WEIGHTS])
        v = hf.get_collection(hf.GraphKeys.WEIGHTS)[0]
        if not mode.eager:
            mode.value(v.initializer)
        assert mode.value(r.apply_regularization(r.l2_regularizer(1.0))) == 7.0

    def test_none_counts_nothing(self, mode: Mode) -> None:
        total = r.apply_regularization(lambda w: None, [hf.constant(WEIGHTS)])
        assert mode.value(total) == 0.0

    def test_errors(self, mode: Mode) -> None:
        with pytest.raises(ValueError, match="No weights to regularize"):
            r.apply_regularization(r.l1_regularizer(1.0))
        with pytest.raises(ValueError, match=r"must return a scalar Tensor .* with rank 1"):
            r.apply_regularization(lambda w: w, [hf.constant(WEIGHTS)])

    def test_name(self, graph: hf.Graph) -> None:
        total = r.apply_regularization(r.l1_regularizer(1.0), [hf.constant(WEIGHTS)])
        assert total.op.name == "get_regularization_penalty"


class TestKeras:
    def test_formulas(self, mode: Mode) -> None:
        k = hf.keras.regularizers
        assert loss_of(mode, k.L1L2(0.5, 1.0)) == 17.0
        assert loss_of(mode, k.l1(0.5)) == loss_of(mode, k.L1(0.5)) == 3.0
        assert loss_of(mode, k.l2(0.5)) == loss_of(mode, k.L2(0.5)) == 7.0
        assert loss_of(mode, k.l1_l2(0.5, 0.5)) == 10.0
        assert k.L1L2()(hf.constant(WEIGHTS)) == k.Regularizer()(1.0) == 0.0

    def test_there_and_back(self) -> None:
        k = hf.keras.regularizers
        plain = k.serialize(k.l1_l2())
        assert plain == {"class_name": "L1L2", "config": {"l1": 0.01, "l2": 0.01}}
        assert k.deserialize(plain).get_config() == plain["config"]
        assert k.get(plain).get_config() == plain["config"]
        assert k.get("l2").get_config() == {"l1": 0.0, "l2": 0.01}
        assert k.serialize(k.get("L2")) == {"class_name": "L2", "config": {"l2": 0.01}}
        assert k.serialize(k.get("L1")) == {"class_name": "L1", "config": {"l1": 0.01}}
        assert k.get(None) is None
        assert k.get(abs) is abs
        assert k.Regularizer().get_config() == {}
        with pytest.raises(ValueError, match="Could not interpret regularizer identifier"):
            k.get(3)


def test_public_names() -> None:
    layers = hf.contrib.layers
    for name in r.__all__:
        if name in layers.__all__:
            assert getattr(layers, name) is getattr(r, name) is getattr(hf, name)


@pytest.mark.parametrize("way", [copy.deepcopy, lambda r: pickle.loads(pickle.dumps(r))])
@pytest.mark.parametrize(
    "regularizer",
    [
        r.l1_regularizer(0.5),
        r.l1_regularizer(0.0),
        r.l2_regularizer(0.5, "scope"),
        r.l1_l2_regularizer(0.5, 1.0),
        r.sum_regularizer([r.l1_regularizer(0.5), None]),
        r.l1_l2(0.5, 1.0),
    ],
    ids=repr,
)
def test_copied_and_pickled(mode: Mode, regularizer: Any, way: Any) -> None:
    again = way(regularizer)
    assert repr(again) == repr(regularizer)
    if regularizer(hf.constant(WEIGHTS)) is None:
        assert again(hf.constant(WEIGHTS)) is None
    else:
        assert loss_of(mode, again) == loss_of(mode, regularizer)


def test_an_empty_regularizer_is_none(mode: Mode) -> None:
    hf.get_variable("w", [2], regularizer={})
    assert hf.losses.get_regularization_losses() == []
