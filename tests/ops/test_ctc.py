"""Connectionist temporal classification against all paths, one by one; what is refused."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import hybridflow as hf
from tests import native
from tests.execution import EXECUTIONS, Execution


@pytest.fixture(params=EXECUTIONS)
def execution(request):
    return Execution(request.param)


def sparse(rows):
    """Lists of labels as a sparse tensor."""
    pairs = [(i, j) for i, row in enumerate(rows) for j in range(len(row))]
    values = [label for row in rows for label in row]
    indices = np.array(pairs, np.int64).reshape(-1, 2)
    width = max(map(len, rows), default=0)
    return hf.SparseTensor(indices, np.array(values, np.int32), [len(rows), width])


def spelled(path, blank, merged=True):
    """What a path of classes spells."""
    found = [c for i, c in enumerate(path) if not (merged and i and c == path[i - 1])]
    return [c for c in found if c != blank]


def by_paths(logits, labels):
    """The loss of one sequence `[times, classes]`: the sum over all paths that spell the labels."""
    wide = logits.astype(np.float64)
    scores = wide - np.log(np.exp(wide).sum(axis=1, keepdims=True))
    times, classes = logits.shape
    total = -np.inf
    for path in itertools.product(range(classes), repeat=times):
        if spelled(path, classes - 1) == labels:
            total = np.logaddexp(total, scores[np.arange(times), list(path)].sum())
    return -total


LABELS = [[0, 1], [1, 1], [2]]
LOGITS = np.random.default_rng(3).normal(scale=2.0, size=(5, 3, 4)).astype(np.float32)
LENGTHS = [5, 4, 3]


def test_it_is_the_sum_over_all_paths(execution):
    losses = execution(lambda x: hf.nn.ctc_loss(sparse(LABELS), x, LENGTHS), LOGITS)
    wanted = [by_paths(LOGITS[:n, i], LABELS[i]) for i, n in enumerate(LENGTHS)]
    np.testing.assert_allclose(losses, wanted, rtol=1e-6)


def test_its_gradient_is_that_of_the_sum(execution):
    (grad,) = execution.gradient(lambda x: hf.nn.ctc_loss(sparse(LABELS), x, LENGTHS), LOGITS)
    step = 1e-5
    wanted = np.zeros(LOGITS.shape)
    for t, i, c in np.ndindex(*LOGITS.shape):
        if t < LENGTHS[i]:
            ends = []
            for sign in (1, -1):
                moved = LOGITS[: LENGTHS[i], i].astype(np.float64)
                moved[t, c] += sign * step
                ends.append(by_paths(moved, LABELS[i]))
            wanted[t, i, c] = (ends[0] - ends[1]) / (2 * step)
    np.testing.assert_allclose(grad, wanted, atol=1e-6)


def test_weights_of_losses(execution):
    def weighted(x):
        return hf.nn.ctc_loss(sparse(LABELS), x, LENGTHS) * [2.0, 0.0, -1.0]

    (plain,) = execution.gradient(lambda x: hf.nn.ctc_loss(sparse(LABELS), x, LENGTHS), LOGITS)
    (grad,) = execution.gradient(weighted, LOGITS)
    np.testing.assert_allclose(grad, plain * [[[2.0], [0.0], [-1.0]]], rtol=1e-6, atol=1e-7)


def test_there_is_no_second_derivative(execution):
    def slope(x):
        with hf.GradientTape() as tape:
            tape.watch(x)
            y = hf.nn.ctc_loss(sparse(LABELS), x, LENGTHS)
        return tape.gradient(y, x)

    def by_graph(x):
        (grad,) = hf.gradients(hf.nn.ctc_loss(sparse(LABELS), x, LENGTHS), [x])
        return grad

    with pytest.raises(LookupError, match="no second derivative"):
        execution.gradient(slope if execution.name == "eager" else by_graph, LOGITS)


def run_natively(labels, logits, lengths, **options):
    """Losses and gradients from a native program, and from the interpreter."""
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.float32, logits.shape)
        y = hf.nn.ctc_loss(sparse(labels), x, lengths, **options)
        fetches = [y, hf.gradients(y, x)[0]]
        first = session.run(fetches, {x: logits})
        session.run(fetches, {x: logits})
        native.wait()
        found = session.run(fetches, {x: logits})
        (runnable,) = session._runnables.values()
        assert native.fallbacks(runnable.plan) == []
    return found, first


@pytest.mark.parametrize("scale", [1.0, 30.0, 1000.0])
def test_paths_too_improbable_for_a_float(scale):
    rng = np.random.default_rng(5)
    times, batch, classes = 150, 4, 12
    logits = rng.normal(scale=scale, size=(times, batch, classes)).astype(np.float32)
    labels = [rng.integers(0, classes - 1, n).tolist() for n in (60, 40, 1, 70)]
    found, wanted = run_natively(labels, logits, [150, 150, 100, 140])
    assert np.isfinite(found[0]).all()
    np.testing.assert_allclose(found[0], wanted[0], rtol=1e-6)
    np.testing.assert_allclose(found[1], wanted[1], atol=1e-6)
    if scale == 30.0:
        assert found[0].max() > 1500  # e ** -1500 is no float64


def test_a_confident_mistake_and_its_way_back():
    """Certain of blanks for long, then of a label: paths that were lost come back."""
    logits = np.zeros((80, 1, 6), np.float32)
    logits[:40, 0, 5] = 60.0
    logits[40:, 0, :5] = [60.0, -60.0, -60.0, -60.0, -60.0]
    labels = [[0, 1, 2, 3, 4] * 8]
    found, wanted = run_natively(labels, logits, [80])
    np.testing.assert_allclose(found[0], wanted[0], rtol=1e-6)
    np.testing.assert_allclose(found[1], wanted[1], atol=1e-6)


@pytest.mark.parametrize(
    "options",
    [{}, {"ctc_merge_repeated": False}, {"preprocess_collapse_repeated": True}],
    ids=str,
)
def test_natively_as_interpreted(options):
    rng = np.random.default_rng(7)
    logits = rng.normal(scale=3.0, size=(20, 6, 5)).astype(np.float32)
    labels = [rng.integers(0, 4, n).tolist() for n in (1, 9, 5, 20, 3, 10)]
    found, wanted = run_natively(labels, logits, [20, 20, 5, 20, 4, 10], **options)
    np.testing.assert_allclose(found[0], wanted[0], rtol=1e-6)
    np.testing.assert_allclose(found[1], wanted[1], atol=1e-6)


def test_a_label_that_ends_a_sequence(execution):
    losses = execution(
        lambda x: hf.nn.ctc_loss(sparse([[1, 3], [3], [2, 3, 3]]), x, [3, 3, 4]), LOGITS
    )
    wanted = [
        by_paths(LOGITS[:n, i], labels)
        for i, (n, labels) in enumerate(zip([3, 3, 4], [[1], [], [2]], strict=True))
    ]
    np.testing.assert_allclose(losses, wanted, rtol=1e-6)


def test_no_path_at_all(execution):
    # Three equal labels take five times.
    (loss,) = execution(lambda x: hf.nn.ctc_loss(sparse([[1, 1, 1]]), x, [3]), LOGITS[:3, :1])
    assert loss == np.inf


def test_sequences_that_are_left_out(execution):
    def losses(x):
        return hf.nn.ctc_loss(sparse(LABELS), x, [1, 4, 0], ignore_longer_outputs_than_inputs=True)

    found = execution(losses, LOGITS)
    assert found[0] == found[2] == 0.0
    (grad,) = execution.gradient(losses, LOGITS)
    assert not grad[:, [0, 2]].any()
    assert grad[:, 1].any()


REFUSED = {
    "Labels length is zero": ([[0], [], [1]], [5, 5, 5]),
    "nonnegative": ([[0], [-1], [1]], [5, 5, 5]),
    "following a null label": ([[0], [3, 1], [1]], [5, 5, 5]),
    "Not enough time": ([[0], [0, 1, 2], [1]], [5, 2, 5]),
    "must be in": ([[0], [1], [1]], [5, 6, 5]),
    "sequence_length": ([[0], [1], [1]], [5, -1, 5]),
}


@pytest.mark.parametrize("message", REFUSED)
def test_labels_that_are_refused(execution, message):
    labels, lengths = REFUSED[message]
    with pytest.raises(hf.errors.InvalidArgumentError, match=message):
        execution(lambda x: hf.nn.ctc_loss(sparse(labels), x, lengths), LOGITS)


def test_labels_out_of_order(execution):
    labels = hf.SparseTensorValue([[1, 0], [0, 0], [2, 0]], np.int32([1, 1, 1]), [3, 1])
    with pytest.raises(hf.errors.InvalidArgumentError, match="out of order"):
        execution(lambda x: hf.nn.ctc_loss(labels, x, [5, 5, 5]), LOGITS)


def test_labels_that_are_not_sparse():
    with hf.eager_mode(), pytest.raises(TypeError, match="must be a SparseTensor"):
        hf.nn.ctc_loss([[1]], LOGITS, [5, 5, 5])


# -- decoding --------------------------------------------------------------------------------------


def test_a_wide_beam_finds_the_most_probable_labels():
    logits = LOGITS[:4, :1]
    wide = logits[:, 0].astype(np.float64)
    scores = wide - np.log(np.exp(wide).sum(axis=1, keepdims=True))
    totals = {}
    for path in itertools.product(range(4), repeat=4):
        key = tuple(spelled(path, 3))
        totals[key] = np.logaddexp(totals.get(key, -np.inf), scores[np.arange(4), list(path)].sum())
    best = sorted(totals, key=totals.get, reverse=True)[:5]
    with hf.eager_mode():
        decoded, scores = hf.nn.ctc_beam_search_decoder(logits, [4], 500, 5, merge_repeated=False)
        assert [tuple(path.values.numpy()) for path in decoded] == best
        np.testing.assert_allclose(scores.numpy()[0], [totals[key] for key in best], rtol=1e-5)


def test_decoders_refuse():
    errors = hf.errors
    decode, greedy = hf.nn.ctc_beam_search_decoder, hf.nn.ctc_greedy_decoder
    with hf.eager_mode():
        with pytest.raises(errors.InvalidArgumentError, match="more paths than the beam width"):
            decode(LOGITS, LENGTHS, 2, 3)
        with pytest.raises(errors.InvalidArgumentError, match="Less leaves"):
            decode(LOGITS, [5, 5, 0], 5, 2)
        for decoder in (decode, greedy):
            with pytest.raises(errors.FailedPreconditionError, match="sequence_length"):
                decoder(LOGITS, [5, 5, 6])
            with pytest.raises(errors.FailedPreconditionError, match="batch_size"):
                decoder(LOGITS, [5])
            with pytest.raises(errors.InvalidArgumentError, match="max_time is 0"):
                decoder(LOGITS[:0], [0, 0, 0])


def test_labels_of_another_dtype_are_refused_with_the_cure():
    labels = hf.SparseTensor(np.zeros([1, 2], np.int64), np.ones(1, np.int64), [1, 1])
    with pytest.raises(TypeError, match=r"must be int32, got int64: write `hf.cast.labels, hf.int"):
        hf.nn.ctc_loss(labels, hf.zeros([3, 1, 4]), [3])
