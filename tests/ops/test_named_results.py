"""Results of several tensors have TensorFlow's names, and are fetched by them."""

from __future__ import annotations

import pytest

import hybridflow as hf

SAMPLED = "sampled_candidates true_expected_count sampled_expected_count"
POOLED = "output row_pooling_sequence col_pooling_sequence"
IMAGE = (1, 4, 4, 1)


def _queue():
    queue = hf.FIFOQueue(3, hf.string, [[]])
    hf.add_to_collection("queues", queue)
    return queue


def _sampled(name, **kwargs):
    return getattr(hf.nn, f"{name}_candidate_sampler")([[1]], 1, 2, True, **kwargs)


def _box():
    return hf.image.sample_distorted_bounding_box([4, 4, 1], [[[0.1, 0.1, 0.9, 0.9]]])


CASES = {
    "read": (lambda: hf.IdentityReader().read(_queue()), "key value"),
    "read_up_to": (lambda: hf.IdentityReader().read_up_to(_queue(), 1), "keys values"),
    "box": (_box, "begin size bboxes"),
    "qr": (lambda: hf.qr([[1.0, 0.0], [0.0, 1.0]]), "q r"),
    "slogdet": (lambda: hf.linalg.slogdet([[1.0]]), "sign log_abs_determinant"),
    "argmax": (
        lambda: hf.nn.max_pool_with_argmax(
            hf.zeros(IMAGE), [1, 2, 2, 1], [1, 2, 2, 1], padding="VALID"
        ),
        "output argmax",
    ),
    "uniform": (lambda: _sampled("uniform", range_max=9), SAMPLED),
    "log_uniform": (lambda: _sampled("log_uniform", range_max=9), SAMPLED),
    "learned": (lambda: _sampled("learned_unigram", range_max=9), SAMPLED),
    "fixed": (lambda: _sampled("fixed_unigram", range_max=3, unigrams=[1.0] * 3), SAMPLED),
    "all": (lambda: _sampled("all"), SAMPLED),
    "max_pool": (lambda: hf.nn.fractional_max_pool(hf.zeros(IMAGE), [1, 1.5, 1.5, 1]), POOLED),
    "avg_pool": (lambda: hf.nn.fractional_avg_pool(hf.zeros(IMAGE), [1, 1.5, 1.5, 1]), POOLED),
    "top_k": (lambda: hf.nn.top_k([1.0]), "values indices"),
    "unique": (lambda: hf.unique([1]), "y idx"),
    "unique_with_counts": (lambda: hf.unique_with_counts([1]), "y idx count"),
    "setdiff1d": (lambda: hf.setdiff1d([1], [2]), "out idx"),
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_results_have_names(name):
    make, names = CASES[name]
    with hf.Graph().as_default(), hf.Session() as session:
        found = make()
        assert found._fields == tuple(names.split())
        for queue in hf.get_collection("queues"):
            session.run(queue.enqueue("a"))
        values = session.run(found)
        assert type(values) is type(found)
        if name == "read":
            assert (values.key, values.value) == (b"a", b"a")
