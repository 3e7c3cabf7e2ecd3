"""Names of variables and operations that optimizers make, as TensorFlow 1.4.1 gives them."""

from __future__ import annotations

from typing import Any

import pytest

import hybridflow as hf
from tests.recorded import reader

WITH_OPTIMIZERS = (
    "sgd",
    "adam",
    "optimizer_in_scope",
    "optimizer_resource",
    "optimizer_partitioned",
    "optimizer_constraint",
    "moving_averages",
    "decays",
    "classifier",
)
CASES = [case for case in reader.load("names")["cases"] if case["id"] in WITH_OPTIMIZERS]
# TF's `cond` and reads of resource variables for colocation are built otherwise here.
OTHER_OPS = ("optimizer_resource", "optimizer_constraint", "moving_averages")


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_program(case: dict[str, Any]) -> None:
    with hf.Graph().as_default() as graph:
        namespace: dict[str, Any] = {"tf": hf}
        exec(case["source"], namespace)
        out = namespace["out"]
        listed = {
            "global": hf.global_variables(),
            "local": hf.local_variables(),
            "trainable": hf.trainable_variables(),
        }
        assert {key: [v.name for v in found] for key, found in listed.items()} == case["variables"]
        for key, names in case["collections"].items():
            assert [x.name for x in hf.get_collection(key)] == names, key
        for key, made in case["out"].items():
            if made["kind"] != "tensor":
                assert out[key].name == made["name"], key
        if case["id"] not in OTHER_OPS:
            roots = [v.op.name for v in listed["global"]]
            mine = [
                [op.name, op.type]
                for op in graph.get_operations()
                if any(op.name == root or op.name.startswith(f"{root}/") for root in roots)
            ]
            assert mine == case["variable_ops"]
