"""Losses: arguments that do not fit, collections, and one body in all executions.

Values, gradients and names are those recorded from TensorFlow: tests/variables/test_recorded_names.
"""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from tests.execution import EXECUTIONS, Execution

LABELS = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.25]], np.float32)
GUESS = np.array([[0.9, 0.2, 0.5], [0.3, 0.4, 0.75]], np.float32)
ELEMENTWISE = {
    "absolute_difference": lambda y, p: abs(p - y),
    "mean_squared_error": lambda y, p: (p - y) ** 2,
    "log_loss": lambda y, p: -y * np.log(p + 1e-7) - (1 - y) * np.log(1 - p + 1e-7),
    "hinge_loss": lambda y, p: np.maximum(0, 1 - (2 * y - 1) * p),
    "huber_loss": lambda y, p: np.where(abs(p - y) < 1, (p - y) ** 2 / 2, abs(p - y) - 0.5),
    "sigmoid_cross_entropy": lambda y, p: np.log1p(np.exp(p)) - y * p,
}


@pytest.mark.parametrize("execution", EXECUTIONS)
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_a_weighted_loss_is_that_of_its_definition(name, execution):
    run = Execution(execution)
    loss = getattr(hf.losses, name)
    weights = np.array([[2.0], [0.0]], np.float32)
    each = ELEMENTWISE[name](LABELS, GUESS)
    for reduction, expected in {
        "none": each * weights,
        "weighted_sum": (each * weights).sum(),
        "weighted_mean": (each * weights).sum() / 6,
        "weighted_sum_by_nonzero_weights": (each * weights).sum() / 3,
    }.items():
        found = run(lambda y, p, w, r=reduction: loss(y, p, w, reduction=r), LABELS, GUESS, weights)
        np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("execution", EXECUTIONS)
def test_without_weight_there_is_no_loss_and_no_gradient(execution):
    def loss(guess):
        return hf.losses.mean_squared_error(LABELS, guess, weights=0.0)

    assert Execution(execution)(loss, GUESS) == 0
    (gradient,) = Execution(execution).gradient(loss, GUESS)
    np.testing.assert_array_equal(gradient, np.zeros_like(GUESS))


@pytest.mark.parametrize("execution", EXECUTIONS)
def test_errors_of_pairs_are_those_of_all_pairs(execution):
    labels = np.array([[1.0, 4.0, 2.0, 0.0], [2.0, 2.0, 1.0, 7.0]], np.float32)
    guess = np.array([[2.0, 4.5, 0.0, 1.0], [1.0, 5.0, 3.0, 7.0]], np.float32)
    errors = guess - labels
    pairs = [(i, j) for i in range(4) for j in range(i)]
    expected = sum(np.mean([(e[i] - e[j]) ** 2 for i, j in pairs]) for e in errors)
    found = Execution(execution)(hf.losses.mean_pairwise_squared_error, labels, guess)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("eager", [False, True])
def test_arguments_that_do_not_fit(eager):
    losses = hf.losses
    with hf.eager_mode() if eager else hf.Graph().as_default():
        with pytest.raises(ValueError, match="labels must not be None"):
            losses.absolute_difference(None, [1.0])
        with pytest.raises(ValueError, match=r"incompatible.*hf.squeeze\(predictions, 1\)"):
            losses.mean_squared_error([1.0, 2.0], [[1.0], [2.0]])
        with pytest.raises(ValueError, match=r"\(2,\) and \(1,\) are incompatible: pred.* logits"):
            losses.sigmoid_cross_entropy([1.0], [1.0, 2.0])
        with pytest.raises(ValueError, match=r"weights can not be broadcast to values.*rank=1"):
            losses.mean_squared_error([[1.0, 2.0]], [[1.0, 2.0]], weights=[1.0])
        with pytest.raises(ValueError, match="Mismatch at dim 1"):
            losses.mean_squared_error([[1.0, 2.0]], [[1.0, 2.0]], weights=[[1.0, 1.0, 1.0]])
        with pytest.raises(ValueError, match="Invalid ReductionKey mean"):
            losses.mean_squared_error([1.0], [1.0], reduction="mean")
        with pytest.raises(ValueError, match="specify 'axis'"):
            losses.cosine_distance([1.0], [1.0])
        with pytest.raises(ValueError, match="both 'axis' and 'dim'"):
            losses.cosine_distance([1.0], [1.0], axis=0, dim=0)


def test_weights_whose_shape_is_known_late_are_checked_when_run():
    with hf.Graph().as_default(), hf.Session() as session:
        values = hf.placeholder(hf.float32, [None, 3])
        weights = hf.placeholder(hf.float32)
        loss = hf.losses.compute_weighted_loss(values, weights)
        ones = np.ones((2, 3), np.float32)
        for fitting in (2.0, [[2.0], [2.0]], ones * 2):
            assert session.run(loss, {values: ones, weights: fitting}) == 2
        for other in ([2.0, 2.0, 2.0], [[1.0, 1.0]]):
            with pytest.raises(hf.errors.InvalidArgumentError, match="can not be broadcast"):
                session.run(loss, {values: ones, weights: other})


def test_in_eager_mode_no_collection_keeps_losses():
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        hf.losses.mean_squared_error([1.0], [2.0])
        hf.function(lambda x: hf.losses.mean_squared_error([1.0], x))(hf.constant([2.0]))
        assert hf.losses.get_losses() == []
        with pytest.raises(ValueError):
            hf.losses.get_total_loss()
        assert hf.losses.get_regularization_loss().numpy() == 0


@pytest.mark.parametrize("eager", [True, False])
def test_what_to_write_instead(eager):
    with hf.eager_mode() if eager else hf.Graph().as_default():
        three = np.ones([3, 3], np.float32)
        with pytest.raises(ValueError, match=r"hf.one_hot\(labels, classes\)"):
            hf.losses.softmax_cross_entropy([0, 1, 2], three)
        with pytest.raises(ValueError, match=r"got 3: labels of .*hf.argmax\(labels, -1\)"):
            hf.losses.sparse_softmax_cross_entropy(np.eye(3, dtype=np.int32), three)
        with pytest.raises(ValueError, match=r"got 3: predictions for .*hf.argmax\(predictions"):
            hf.metrics.accuracy([0, 1, 2], three)
        with pytest.raises(ValueError, match=r"expand_dims\(labels, 1\)"):
            hf.losses.mean_squared_error([1.0, 2.0], [[1.0], [2.0]])
        with pytest.raises(ValueError, match=r"one shape\.$"):
            hf.losses.mean_squared_error([1.0, 2.0], [1.0, 2.0, 3.0])


def test_a_total_of_losses_that_nobody_noted():
    with hf.Graph().as_default(), pytest.raises(ValueError, match="found no losses"):
        hf.losses.get_total_loss()
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        regularizer = hf.l2_regularizer(0.1)
        hf.get_variable("v", [2], initializer=hf.ones_initializer(), regularizer=regularizer)
        hf.losses.mean_squared_error([9.0], [1.0])
        with pytest.raises(ValueError, match="in eager mode losses are not noted"):
            hf.losses.get_total_loss()
