"""Linear models trained by dual coordinate ascent, against TensorFlow and against other solvers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import hybridflow as hf

RECORDED = json.loads((Path(__file__).parents[1] / "recorded" / "sdca.json").read_text())
N = len(RECORDED["batch"]["example_labels"])
SIZES = (7, 3, 3)
CASES = RECORDED["cases"]


def case_name(case):
    return "{loss_type}-{l1}-{l2}-{num_loss_partitions}".format(**case)


@pytest.mark.parametrize("case", CASES, ids=case_name)
def test_passes_are_tensorflows(execution, case):
    batch = RECORDED["batch"]
    arrays = {
        key: [np.array(v, np.int64 if "indices" in key else np.float32) for v in values]
        for key, values in batch.items()
        if isinstance(values[0], list)
    }
    settings = {k: case[k] for k in ("loss_type", "l1", "l2", "num_loss_partitions")}

    def step(state, *weights):
        found = hf.train.sdca_optimizer(
            **arrays,
            example_weights=batch["example_weights"],
            example_labels=batch["example_labels"],
            sparse_weights=weights[:2],
            dense_weights=weights[2:],
            example_state_data=state,
            num_inner_iterations=1,
            **settings,
        )
        deltas = [*found.out_delta_sparse_weights, *found.out_delta_dense_weights]
        return [
            found.out_example_state_data,
            *[w + d for w, d in zip(weights, deltas, strict=True)],
        ]

    values = [np.zeros([N, 4], np.float32), *[np.zeros(size, np.float32) for size in SIZES]]
    for state, weights in case["passes"]:
        values = execution(step, *values)
        np.testing.assert_allclose(values[0].reshape(-1), state, 2e-5, 2e-6)
        np.testing.assert_allclose(np.concatenate(values[1:]), weights, 2e-5, 2e-6)


@pytest.mark.parametrize("use_resource", [False, True])
def test_shrinking_is_tensorflows(use_resource):
    for case in CASES:
        weights = np.split(np.array(case["passes"][-1][1], np.float32), np.cumsum(SIZES)[:-1])
        with hf.Graph().as_default(), hf.Session() as session:
            variables = [
                hf.get_variable(f"w{i}", initializer=w, use_resource=use_resource)
                for i, w in enumerate(weights)
            ]
            shrink = hf.train.sdca_shrink_l1(variables, case["l1"], case["l2"])
            session.run(hf.global_variables_initializer())
            session.run(shrink)
            found = np.concatenate(session.run(variables))
        np.testing.assert_allclose(found, case["shrunk"], 1e-5, 1e-6)


def test_shrinking_comes_after_reads_that_do_not_wait():
    with hf.Graph().as_default(), hf.Session() as session:
        w = hf.Variable([3.0, -0.5])
        double = w * 2.0
        shrink = hf.train.sdca_shrink_l1([w], 1.0, 1.0)
        session.run(hf.global_variables_initializer())
        assert session.run([double, shrink])[0].tolist() == [6.0, -1.0]
        assert session.run(w).tolist() == [2.0, 0.0]


def test_shrinking_of_many_variables_is_one_op_in_files():
    with hf.Graph().as_default() as graph:
        variables = [hf.Variable([3.0]), hf.Variable([[-2.0, 0.5]])]
        hf.train.sdca_shrink_l1(variables, 1.0, 1.0, name="shrink")
        init = hf.global_variables_initializer().name
        (node,) = [node for node in graph.as_graph_def().node if node.op == "SdcaShrinkL1"]
        assert len(node.input) == node.attr["num_features"].i == 2
        names = [variable.name for variable in variables]
        text = graph.as_graph_def()
    with hf.Graph().as_default(), hf.Session() as session:
        hf.import_graph_def(text, name="")
        session.run(init)
        session.run("shrink")
        assert [value.tolist() for value in session.run(names)] == [[2.0], [[-1.0, 0.0]]]


def test_shrinking_of_resource_variables_is_written_in_tensorflows_ops():
    with hf.Graph().as_default() as graph:
        w = hf.get_variable("w", initializer=[3.0, -0.5], use_resource=True)
        hf.train.sdca_shrink_l1([w], 1.0, 1.0, name="shrink")
        text = graph.as_graph_def()
        assert "SdcaShrinkL1" not in {node.op for node in text.node}
    with hf.Graph().as_default(), hf.Session() as session:
        hf.import_graph_def(text, name="")
        session.run("w/Assign")
        session.run("shrink")
        assert session.run("w/Read/ReadVariableOp:0").tolist() == [2.0, 0.0]


def test_fingerprints_are_tensorflows(execution):
    texts = [text for text, _ in RECORDED["fingerprints"]]
    found = execution(lambda: hf.train.sdca_fprint(texts))
    assert found.tolist() == [numbers for _, numbers in RECORDED["fingerprints"]]


def trained(features, labels, loss, l1=0.0, l2=1.0, passes=200, adaptive=False):
    """The weights of a model of dense features, and the last state."""
    n, d = features.shape
    state, w = np.zeros([n, 4], np.float32), np.zeros(d, np.float32)
    with hf.eager_mode():
        for _ in range(passes):
            found = hf.train.sdca_optimizer(
                [], [], [], [features], np.ones(n, np.float32), labels, [], [], [w],
                state, loss, l1, l2, 1, 1, adaptative=adaptive,
            )  # fmt: skip
            state = found.out_example_state_data.numpy()
            w = w + found.out_delta_dense_weights[0].numpy()
    return w, state


@pytest.mark.parametrize("adaptive", [False, True])
def test_ridge_regression_is_that_of_the_normal_equations(adaptive):
    rng = np.random.RandomState(3)
    x = rng.randn(40, 4).astype(np.float32)
    y = (x @ [1.0, -2.0, 0.5, 3.0] + 0.1 * rng.randn(40)).astype(np.float32)
    w, _ = trained(x, y, "squared_loss", l2=2.0, adaptive=adaptive)
    np.testing.assert_allclose(w, np.linalg.solve(x.T @ x + 2.0 * np.eye(4), x.T @ y), 1e-4)


# The loss of a margin, and its conjugate at minus a dual variable times the label.
PROBLEMS = {
    "logistic_loss": (lambda m: np.log1p(np.exp(-m)), lambda p: xlogx(p) + xlogx(1.0 - p)),
    "hinge_loss": (lambda m: np.maximum(1.0 - m, 0.0), lambda p: -p),
    "smooth_hinge_loss": (
        lambda m: np.where(m < 0.0, 0.5 - m, 0.5 * np.maximum(1.0 - m, 0.0) ** 2),
        lambda p: 0.5 * p * p - p,
    ),
}


def xlogx(x):
    return np.where(x > 0.0, x * np.log(np.maximum(x, 1e-300)), 0.0)


@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize("loss", sorted(PROBLEMS))
def test_both_problems_meet(loss, adaptive):
    """The primal problem's least value is the dual one's largest: so the weights are the best."""
    rng = np.random.RandomState(4)
    x = rng.randn(30, 3).astype(np.float32)
    labels = (x @ [1.0, -1.0, 0.5] + 0.5 * rng.randn(30) > 0).astype(np.float32)
    w, state = trained(x, labels, loss, adaptive=adaptive)
    signs = 2.0 * labels - 1.0
    duals = state[:, 0].astype(np.float64)
    np.testing.assert_allclose(w, duals @ x, 1e-4, 1e-5)
    value, conjugate = PROBLEMS[loss]
    primal = value(signs * (x @ w)).sum() + 0.5 * (w @ w)
    dual = -conjugate(signs * duals).sum() - 0.5 * (w @ w)
    assert dual <= primal + 1e-4 < dual * 1.002


def test_l1_leaves_weights_out():
    rng = np.random.RandomState(5)
    x = rng.randn(60, 3).astype(np.float32)
    y = 2.0 * x[:, 0]
    w, _ = trained(x, y, "squared_loss", l1=20.0, l2=1.0, passes=100)
    with hf.eager_mode():
        v = hf.Variable(w)
        hf.train.sdca_shrink_l1([v], 20.0, 1.0)
        assert v.numpy()[0] > 1.0
        assert (v.numpy()[1:] == 0.0).all()


def test_what_is_refused():
    ones, state = [1.0, 1.0], np.zeros([2, 4], np.float32)

    def train(features=([[1.0], [2.0]],), labels=ones, loss="hinge_loss", weights=([0.0],), **more):
        given = {"l2": 1.0, "state": state, "sparse": ([], [], [], []), **more}
        examples, indices, known, sparse_weights = given["sparse"]
        return hf.train.sdca_optimizer(
            examples, indices, [], features, ones, labels, known, sparse_weights, weights,
            given["state"], loss, 0.0, given["l2"], 1, 1,
        )  # fmt: skip

    with hf.eager_mode():
        with pytest.raises(ValueError, match="`loss_type` must be one of logistic_loss"):
            train(loss="cube_loss")
        with pytest.raises(ValueError, match="`l2` must be above 0"):
            train(l2=0.0)
        with pytest.raises(ValueError, match="`l2` must be above 0"):
            hf.train.sdca_shrink_l1([hf.Variable([1.0])], 1.0, 0.0)
        with pytest.raises(ValueError, match="at least one feature"):
            train(features=(), weights=())
        with pytest.raises(ValueError, match="There are 2 `dense_features` for 1 vectors"):
            train(features=([[1.0], [2.0]], [[1.0], [2.0]]))
        with pytest.raises(hf.errors.InvalidArgumentError, match=r"label: 2"):
            train(labels=[1.0, 2.0])
        with pytest.raises(hf.errors.InvalidArgumentError, match=r"Expected shape \[2,4\]"):
            train(state=np.zeros([3, 4], np.float32))
        with pytest.raises(hf.errors.InvalidArgumentError, match="More dense features"):
            train(features=([[1.0, 1.0], [2.0, 1.0]],))
        for sparse in (([[0]], [[5]], [[]], [[0.0]]), ([[0]], [[5]], [[4]], [[0.0]])):
            with pytest.raises(hf.errors.InvalidArgumentError, match="out of valid range: 5"):
                train(sparse=sparse)
        with pytest.raises(hf.errors.InvalidArgumentError, match="order of their examples"):
            train(sparse=([[1, 0]], [[0, 0]], [[]], [[0.0]]))
        with pytest.raises(hf.errors.InvalidArgumentError, match="order of their examples"):
            train(sparse=([[2]], [[0]], [[]], [[0.0]]))
        with pytest.raises(ValueError, match="rank 1"):
            hf.train.sdca_fprint([["a"]])
