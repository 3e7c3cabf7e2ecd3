"""Initial values recorded from TensorFlow: under the same seeds programs start alike.

They are 1.4.1's, but for truncated normal numbers that are scaled to a variance: there a later one
is right.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.framework import context
from hybridflow._src.ops.random import sampling
from hybridflow._src.variables.scaling_initializers import TRUNCATED, VarianceScaling
from tests.recorded import reader

RECORDED = [case for case in reader.table("random").values() if case.get("in_1_4") != "missing"]
PROGRAMS = [case for case in RECORDED if case["id"].startswith("program/")]


def named(case: dict[str, Any]) -> str:
    return str(case["id"])


def initializer_of(case: dict[str, Any]) -> Any:
    function = functools.reduce(getattr, case["fn"].split("."), hf)
    seed = {"seed": case["op_seed"]} if "op_seed" in case else {}
    return function(**seed, **case["kwargs"])


def as_defined(case: dict[str, Any]) -> dict[str, Any]:
    """The case with the numbers of the definition: a later TensorFlow's, or 1.4.1's scaled."""
    initializer = initializer_of(case)
    if not isinstance(initializer, VarianceScaling) or initializer.distribution == "uniform":
        return case
    if "later" in case:
        return {**case, "runs": case["later"]["runs"]}
    return {**case, "runs": case["runs"] / case["runs"].dtype.type(TRUNCATED)}


INITIALIZERS = [as_defined(case) for case in RECORDED if case["id"].startswith("init/")]


def assert_same(case: dict[str, Any], got: np.ndarray, recorded: np.ndarray) -> None:
    """Uniform numbers and constants are the same bits, normal ones within 2 ulp of their scale."""
    assert (got.dtype, got.shape) == (recorded.dtype, recorded.shape)
    kind = case["fn"].lower() + str(case["kwargs"].get("distribution", ""))
    if "orthogonal" in kind:
        np.testing.assert_allclose(got, recorded, atol=2e-6 if got.dtype == np.float32 else 1e-14)
    elif "uniform" in kind or "constant" in kind or "identity" in kind:
        np.testing.assert_array_equal(got, recorded)
    else:
        ulp = np.spacing(np.maximum(np.abs(recorded), np.abs(recorded).mean()))
        assert np.max(np.abs(got - recorded) / ulp) <= 2


@pytest.mark.parametrize("case", INITIALIZERS, ids=named)
def test_graph(case: dict[str, Any]) -> None:
    with hf.Graph().as_default(), hf.Session() as session:
        hf.set_random_seed(case.get("graph_seed", 1))
        tensor = initializer_of(case)(case["shape"], case["dtype"])
        runs = np.stack([session.run(tensor) for _ in range(len(case["runs"]))])
    assert_same(case, runs, case["runs"])


@pytest.mark.parametrize("case", INITIALIZERS, ids=named)
def test_eager_variable(case: dict[str, Any]) -> None:
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        hf.set_random_seed(case.get("graph_seed", 1))
        v = hf.get_variable("v", case["shape"], case["dtype"], initializer_of(case))
        assert_same(case, v.numpy(), case["runs"][0])


@pytest.fixture(autouse=True)
def _no_eager_seed() -> Any:
    yield
    with hf.eager_mode():
        hf.set_random_seed(None)  # type: ignore[arg-type]
    context.eager_kernels.clear()


@pytest.mark.parametrize("case", PROGRAMS, ids=named)
def test_program(case: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = iter(case["random_ops"])

    def get_seed(op_seed: int | None) -> tuple[int, int]:
        _, _, graph_seed, seed = next(recorded)
        assert op_seed in (None, seed)
        unseeded[seed] = op_seed is None
        return graph_seed, seed

    unseeded: dict[int, bool] = {}
    monkeypatch.setattr(sampling, "get_seed", get_seed)
    with hf.Graph().as_default() as graph, hf.Session() as session:
        namespace: dict[str, Any] = {"tf": hf}
        exec(case["source"], namespace)
        found = []
        for number, op in enumerate(graph.get_operations()):
            if "seed2" in op.attrs:
                seed = op.get_attr("seed2")
                found.append([op.name, op.type, op.get_attr("seed"), seed])
                # TensorFlow seeds an op without a seed by the number of ops before it, so graphs
                # must be equal op by op for programs to start alike.
                assert not unseeded[seed] or number == seed
        assert found == case["random_ops"]
        for key in ("values", "after_second_initialisation"):
            session.run(hf.global_variables_initializer())
            for name, value in session.run(namespace["out"]).items():
                scaled = (case["id"], name) == ("program/parts", "h")  # to a variance
                wanted = case[key][name] / (TRUNCATED if scaled else 1.0)
                np.testing.assert_allclose(value, wanted, rtol=1e-6, err_msg=name)
