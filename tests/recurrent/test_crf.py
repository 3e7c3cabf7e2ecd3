"""Conditional random fields against the enumeration of all sequences of tags."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from tests.execution import EXECUTIONS, Execution

crf = hf.contrib.crf
RNG = np.random.default_rng(1)
TAGS = 3
PAIRS = RNG.normal(size=[TAGS, TAGS]).astype(np.float32)


@pytest.fixture(params=EXECUTIONS)
def run(request: Any) -> Execution:
    return Execution(request.param)


def score_of(inputs: np.ndarray, tags: Any) -> float:
    alone = sum(inputs[time, tag] for time, tag in enumerate(tags))
    return alone + sum(PAIRS[a, b] for a, b in itertools.pairwise(tags))


def all_scores(inputs: np.ndarray) -> dict[tuple[int, ...], float]:
    rows = itertools.product(range(TAGS), repeat=len(inputs))
    return {tags: score_of(inputs, tags) for tags in rows}


@pytest.mark.parametrize("times", [1, 2, 4])
def test_norms_scores_and_best_tags(run: Execution, times: int) -> None:
    inputs = RNG.normal(size=[3, times, TAGS]).astype(np.float32)
    tags = RNG.integers(0, TAGS, [3, times]).astype(np.int32)
    lengths = np.array([times, 1, max(times - 1, 1)], np.int32)

    def program(inputs: Any, tags: Any, lengths: Any, pairs: Any) -> Any:
        score = crf.crf_sequence_score(inputs, tags, lengths, pairs)
        norm = crf.crf_log_norm(inputs, lengths, pairs)
        return (score, norm, *crf.crf_decode(inputs, pairs, lengths))

    score, norm, best, best_score = run(program, inputs, tags, lengths, PAIRS)
    for row, length in enumerate(lengths):
        given = inputs[row, :length]
        scores = all_scores(given)
        np.testing.assert_allclose(score[row], scores[tuple(tags[row, :length])], rtol=1e-5)
        np.testing.assert_allclose(
            norm[row], np.log(sum(np.exp(s) for s in scores.values())), rtol=1e-5
        )
        wanted = max(scores, key=scores.__getitem__)
        assert tuple(best[row, :length]) == wanted
        assert not best[row, length:].any()
        np.testing.assert_allclose(best_score[row], scores[wanted], rtol=1e-5)
        found, found_score = crf.viterbi_decode(given, PAIRS)
        assert tuple(found) == wanted
        np.testing.assert_allclose(found_score, scores[wanted], rtol=1e-5)


@pytest.mark.parametrize("times", [1, 3])
def test_sizes_that_only_a_run_tells(times: int) -> None:
    with hf.Graph().as_default(), hf.Session() as session:
        inputs = hf.placeholder(hf.float32, [None, None, TAGS])
        lengths = hf.placeholder(hf.int32, [None])
        tags, _ = crf.crf_decode(inputs, PAIRS, lengths)
        given = RNG.normal(size=[2, times, TAGS])
        found = session.run(tags, {inputs: given, lengths: [times, 1]})
        assert found.shape == (2, times)
        assert found[0].tolist() == crf.viterbi_decode(given[0].astype(np.float32), PAIRS)[0]


def test_gradients_are_differences_of_expectations(run: Execution) -> None:
    """The gradient of the norm for inputs is the probability of each tag."""
    inputs = RNG.normal(size=[1, 3, TAGS]).astype(np.float32)
    (grad,) = run.gradient(lambda x: crf.crf_log_norm(x, [3], hf.constant(PAIRS)), inputs)
    scores = all_scores(inputs[0])
    total = sum(np.exp(s) for s in scores.values())
    expected = np.zeros([3, TAGS])
    for tags, score in scores.items():
        for time, tag in enumerate(tags):
            expected[time, tag] += np.exp(score) / total
    np.testing.assert_allclose(grad[0], expected, rtol=1e-4, atol=1e-6)


def test_losses_of_other_ranks_are_refused(run: Execution) -> None:
    loss = hf.contrib.seq2seq.sequence_loss
    with pytest.raises(ValueError, match=r"Logits must be a \[batch_size x sequence_length x"):
        run(lambda x: loss(x, hf.zeros([2], hf.int32), hf.ones([2])), np.ones([2, 3], np.float32))
