"""Metrics over several batches in all executions, and what they refuse.

Values of one batch, names and variables are those recorded from TensorFlow:
tests/variables/test_recorded_names.
"""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf

RNG = np.random.default_rng(3)
BATCHES = 3
LABELS = RNG.integers(0, 2, (BATCHES, 4, 2)).astype(np.float32)
GUESS = RNG.uniform(0, 1, (BATCHES, 4, 2)).astype(np.float32)
HARD = np.round(GUESS)
CLASSES = RNG.integers(0, 3, (BATCHES, 5))
FOUND = RNG.integers(0, 3, (BATCHES, 5))
SCORES = RNG.permuted(np.tile(np.arange(4.0, dtype=np.float32), (BATCHES, 5, 1)), axis=-1)
WEIGHTS = RNG.uniform(0.5, 2, (BATCHES, 4, 1)).astype(np.float32)
# Several right ones: none in a row, one twice, one that is no class (7), more than are looked at.
SEVERAL = np.array([[-1] * 4, [2, 2, 7, -1], [0, 1, 2, 3], [3, -1, -1, -1], [0, 0, -1, 7]])
SEVERAL = np.stack([np.roll(SEVERAL, i, 0) for i in range(BATCHES)])

m = hf.metrics


def run(execution, metric, *arrays):
    """The value after each batch: of the update, or in eager mode of both results."""
    if execution == "graph":
        with hf.Graph().as_default(), hf.Session() as session:
            feeds = [hf.placeholder(a.dtype.name, a.shape[1:]) for a in arrays]
            value, update = metric(*feeds)
            session.run(hf.local_variables_initializer())
            found = []
            for batch in zip(*arrays, strict=True):
                now = session.run(update, dict(zip(feeds, batch, strict=True)))
                after = session.run(value)
                assert np.shape(now) != np.shape(after) or np.array_equal(now, after)
                found.append(after)
            return found
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        called = hf.function(metric) if execution == "function" else metric
        found = []
        for batch in zip(*arrays, strict=True):
            value, update = called(*[hf.constant(a) for a in batch])
            found.append(value.numpy())
        return found


def so_far(arrays, number):
    return [np.concatenate(a[: number + 1]) for a in arrays]


def check(execution, metric, expected, *arrays):
    """`expected` computes the metric of all that was given so far."""
    for number, value in enumerate(run(execution, metric, *arrays)):
        wanted = expected(*so_far(arrays, number))
        np.testing.assert_allclose(value, wanted, rtol=1e-5, atol=1e-6)


def rows(labels, scores, k):
    best = np.argsort(-scores, axis=-1, kind="stable")[:, :k]
    return [(label, list(row)) for label, row in zip(labels, best, strict=True)]


def average_precision(labels, scores):
    each = [
        1 / (row.index(label) + 1) if label in row else 0 for label, row in rows(labels, scores, 3)
    ]
    return np.mean(each)


def iou(y, p):
    both = [(np.sum((y == c) & (p == c)), np.sum((y == c) | (p == c))) for c in range(3)]
    return np.mean([hit / union for hit, union in both if union])


def sparse(labels):
    """Rows without their -1."""
    places = hf.where(hf.not_equal(labels, -1))
    values = hf.gather_nd(labels, places)
    return hf.SparseTensor(places, values, hf.shape(labels, out_type=hf.int64))


def sets(labels, scores, k):
    """The different labels of each example, and its k best classes in order."""
    best = np.argsort(-scores, axis=-1)[:, :k].tolist()
    return [(set(y.tolist()) - {-1}, b) for y, b in zip(labels, best, strict=True)]


def average_precision_of_sets(labels, scores):
    found = []
    for y, best in sets(labels, scores, 3):
        right = [c in y for c in best]
        found.append(sum(np.mean(right[: i + 1]) for i in range(3) if right[i]))
        found[-1] /= min(len(y), 3)
    return np.mean(found)


CASES = {
    "mean": (m.mean, np.mean, GUESS),
    "mean, weighted": (
        lambda x, w: m.mean(x, w),
        lambda x, w: np.average(x, weights=np.broadcast_to(w, x.shape)),
        GUESS,
        WEIGHTS,
    ),
    "accuracy": (m.accuracy, lambda y, p: np.mean(y == p), CLASSES, FOUND),
    "absolute": (m.mean_absolute_error, lambda y, p: np.mean(abs(y - p)), LABELS, GUESS),
    "root": (
        m.root_mean_squared_error,
        lambda y, p: np.sqrt(np.mean((y - p) ** 2)),
        LABELS,
        GUESS,
    ),
    "cosine": (
        lambda y, p: m.mean_cosine_distance(y, p, 1),
        lambda y, p: 1 - np.mean((y * p).sum(1)),
        LABELS,
        GUESS,
    ),
    "below": (lambda x: m.percentage_below(x, 0.4), lambda x: np.mean(x < 0.4), GUESS),
    "precision": (m.precision, lambda y, p: y[p == 1].mean(), LABELS, HARD),
    "recall": (m.recall, lambda y, p: p[y == 1].mean(), LABELS, HARD),
    "recall at thresholds": (
        lambda y, p: m.recall_at_thresholds(y, p, [0.3, 0.6]),
        lambda y, p: [(p[y == 1] > t).mean() for t in (0.3, 0.6)],
        LABELS,
        GUESS,
    ),
    "iou": (lambda y, p: m.mean_iou(y, p, 3), iou, CLASSES, FOUND),
    "per class": (
        lambda y, p: m.mean_per_class_accuracy(y, p, 3),
        lambda y, p: np.mean([(p[y == c] == c).mean() if (y == c).any() else 0 for c in range(3)]),
        CLASSES,
        FOUND,
    ),
    "recall at 2": (
        lambda y, s: m.recall_at_k(y, s, 2),
        lambda y, s: np.mean([label in row for label, row in rows(y, s, 2)]),
        CLASSES,
        SCORES,
    ),
    "precision at 2": (
        lambda y, s: m.precision_at_k(y, s, 2),
        lambda y, s: np.mean([label in row for label, row in rows(y, s, 2)]) / 2,
        CLASSES,
        SCORES,
    ),
    "recall of sparse labels": (
        lambda y, s: m.recall_at_k(sparse(y), s, 2),
        lambda y, s: np.divide(*np.sum([(len(a & set(b)), len(a)) for a, b in sets(y, s, 2)], 0)),
        SEVERAL,
        SCORES,
    ),
    "precision of sparse labels": (
        lambda y, s: m.precision_at_k(sparse(y), s, 2),
        lambda y, s: np.mean([len(a & set(b)) / 2 for a, b in sets(y, s, 2)]),
        SEVERAL,
        SCORES,
    ),
    "recall of one class": (
        lambda y, s: m.recall_at_k(sparse(y), s, 2, class_id=2),
        lambda y, s: np.mean([2 in b for a, b in sets(y, s, 2) if 2 in a]),
        SEVERAL,
        SCORES,
    ),
    "one sparse label each": (
        lambda y, s: m.recall_at_k(sparse(y), s, 2),
        lambda y, s: np.mean([label in row for label, row in rows(y, s, 2)]),
        CLASSES,
        SCORES,
    ),
    "average precision of sparse labels": (
        lambda y, s: m.average_precision_at_k(sparse(y), s, 3),
        average_precision_of_sets,
        np.where((SEVERAL < 0).all(-1, keepdims=True), 1, SEVERAL),
        SCORES,
    ),
    "average precision": (
        lambda y, s: m.average_precision_at_k(y, s, 3),
        average_precision,
        CLASSES,
        SCORES,
    ),
}


@pytest.mark.parametrize("execution", ["eager", "graph", "function"])
@pytest.mark.parametrize("case", CASES)
def test_a_metric_of_several_batches(case, execution):
    check(execution, *CASES[case])


@pytest.mark.parametrize("execution", ["eager", "graph", "function"])
def test_the_area_under_a_curve_is_that_of_all_pairs(execution):
    def pairs(y, p):
        y, p = y.ravel(), p.ravel()
        return np.mean([a > b for a in p[y == 1] for b in p[y == 0]])

    found = run(execution, lambda y, p: m.auc(y, p, num_thresholds=2000), LABELS, GUESS)
    assert found[-1] == pytest.approx(pairs(*so_far((LABELS, GUESS), BATCHES)), abs=2e-3)


def test_means_of_elements():
    values = run("eager", m.mean_tensor, GUESS)
    np.testing.assert_allclose(values[-1], GUESS.mean(0), rtol=1e-6)


def test_rows_are_sets():
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        labels, best = [[1, 1, 2]], [[1, 3, 1]]
        assert m.recall_at_top_k(labels, best)[0].numpy() == 0.5
        assert m.precision_at_top_k(labels, best)[0].numpy() == 0.5
        with pytest.raises(ValueError, match=r"precision_at_top_k: .* rank of at least 2"):
            m.precision_at_top_k([1], [1, 2])
        assert m.precision_at_top_k(labels, best, class_id=3, name="three")[0].numpy() == 0
        assert np.isnan(m.recall_at_top_k(labels, best, class_id=4, name="four")[0].numpy())


def test_in_eager_mode_a_metric_goes_on_by_its_name():
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        m.mean([1.0], name="a")
        m.mean([10.0], name="b")
        assert m.mean([3.0], name="a")[0].numpy() == 2
        assert [v.name for v in hf.local_variables()] == [
            "a/total:0",
            "a/count:0",
            "b/total:0",
            "b/count:0",
        ]
        assert hf.get_collection("mine") == []


def test_in_a_graph_each_metric_has_variables_of_its_own():
    with hf.Graph().as_default():
        m.mean([1.0], metrics_collections="mine", updates_collections=["mine", "more"])
        m.mean([1.0])
        names = [v.name for v in hf.local_variables()]
        assert names == ["mean/total:0", "mean/count:0", "mean_1/total:0", "mean_1/count:0"]
        assert hf.get_collection(hf.GraphKeys.METRIC_VARIABLES) == hf.local_variables()
        assert hf.global_variables() == []
        assert [t.name for t in hf.get_collection("mine")] == ["mean/value:0", "mean/update_op:0"]
        assert len(hf.get_collection("more")) == 1


@pytest.mark.parametrize("eager", [False, True])
def test_arguments_that_do_not_fit(eager):
    with hf.eager_mode() if eager else hf.Graph().as_default():
        with pytest.raises(ValueError, match="incompatible"):
            m.accuracy([1, 2], [1, 2, 3])
        with pytest.raises(ValueError, match="weights can not be broadcast"):
            m.mean([1.0, 2.0], [1.0, 2.0, 3.0])
        with pytest.raises(ValueError, match="curve must be either ROC or PR, ROCK unknown"):
            m.auc([1.0], [1.0], curve="ROCK")
        with pytest.raises(ValueError, match="Invalid summation_method: sum"):
            m.auc([1.0], [1.0], summation_method="sum")
        with pytest.raises(ValueError, match="Invalid k=0"):
            m.average_precision_at_k([[1]], [[0.5, 0.5]], 0)
        with pytest.raises(ValueError, match="Unexpected labels shape"):
            m.recall_at_k([[[1]]], [[0.5, 0.5]], 1)
        for ask in (m.sensitivity_at_specificity, m.specificity_at_sensitivity):
            with pytest.raises(ValueError, match=r"must be in the range \[0, 1\]"):
                ask([1.0], [1.0], 1.5)


def test_probabilities_that_are_none():
    match = r"predictions must be in \[0, 1\]"
    with (
        hf.eager_mode(),
        hf.EagerVariableStore().as_default(),
        pytest.raises(hf.errors.InvalidArgumentError, match=match),
    ):
        m.auc([1.0], [1.5])
    with hf.Graph().as_default(), hf.Session() as session:
        _, update = m.auc([1.0], [1.5])
        session.run(hf.local_variables_initializer())
        with pytest.raises(hf.errors.InvalidArgumentError, match=match):
            session.run(update)


def test_old_names_say_so():
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        for ask in (m.sparse_precision_at_k, m.sparse_average_precision_at_k):
            with pytest.warns(DeprecationWarning, match="is deprecated. Use hf.metrics."):
                ask([[0]], [[0.5, 0.3]], 1)


def test_weights_whose_rank_is_known_late():
    with hf.Graph().as_default(), hf.Session() as session:
        values = hf.placeholder(hf.float32)
        weights = hf.placeholder(hf.float32)
        _, update = m.mean(values, weights)
        for given in (2.0, [[1.0], [1.0]], [[[1.0]], [[1.0]]], [1.0, 1.0]):
            session.run(hf.local_variables_initializer())
            feed = {values: [[1.0], [3.0]], weights: given}
            assert session.run(update, feed) == 2
