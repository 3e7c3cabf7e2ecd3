"""Programs recorded from TensorFlow 1.4.1: names of variables, ops, results; and their values."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from tests.recorded import reader

CASES = [*reader.table("names").values(), *reader.table("layers").values()]

# What is known to differ: results (by key) and lists of ops that are compared no further, and why.
CONTROL_FLOW = "`cond` and `while_loop` are single ops here, not switches and merges"
GRADIENTS = "gradient functions are written in other ops"
SETS = "sets are compared here by operations on dense tensors"
NORM = "the root of a norm is taken beside zero alone, where it has a gradient"
VOLUMES = "the bias of volumes is added without a reshape"
DIFFERS: dict[str, dict[str, str]] = {
    "classifier": {"norm": NORM},
    "op_names": {
        "079": NORM,
        "073": "the shape of tensordot is known here",
        "081": "segment_sum: the shape is known where the ids are",
        "084": "bincount: the shape is known where the values are",
        "112": "sequence_mask: the shape is known where the lengths are",
        "059": "accumulate_n is one op here",
        "148": "Python numbers are not added in Python",
        "161": "Assert has no conditional around it",
    },
    "sgd": {"gb": GRADIENTS},
    "optimizer_resource": {"variable_ops": "slots are not read in their own name scopes"},
    "optimizer_constraint": {"variable_ops": "slots are not read in their own name scopes"},
    "optimizer_partitioned": {"ops": GRADIENTS, "slots": GRADIENTS},
    "gradients": {"at": GRADIENTS, "rows": GRADIENTS},
    "moving_averages": {"variable_ops": CONTROL_FLOW},
    "cond_variables": {"ops": CONTROL_FLOW, "y": CONTROL_FLOW, "z": CONTROL_FLOW},
    "while_variables": {"ops": CONTROL_FLOW},
    "map_and_scan": {"fold": CONTROL_FLOW, "map": CONTROL_FLOW, "scan": CONTROL_FLOW},
    "layers/dropout_and_flatten": {"ops": "nn.dropout asks for no shape that is known"},
    "metrics/classes": {
        "iou": "a mean over the classes that were seen, as TensorFlow 2 has it",
        "iou_weighted": "a mean over the classes that were seen, as TensorFlow 2 has it",
    },
    "metrics/ranking": {
        "variable_ops": SETS,
        "average": CONTROL_FLOW,
        "average_update": CONTROL_FLOW,
        "average_weighted": CONTROL_FLOW,
        "average_weighted_update": CONTROL_FLOW,
    },
    "metrics/ranking of sparse labels": {
        "variable_ops": SETS,
        "average": CONTROL_FLOW,
        "average_update": CONTROL_FLOW,
    },
    "metrics/collections": {"variable_ops": SETS},
    "layers/conv": {"transposed_three": VOLUMES},
    "layers/objects": {"volumes": VOLUMES, "ops": VOLUMES},
    "layers/with_space_to_batch": {"ops": "paddings of known sizes are computed as constants"},
    "layers/pooling": {"ops": "range casts its limits in another order"},
    "losses/collections": {
        "matrix": "a confusion matrix is scattered, not a sum with a sparse tensor",
        "weighted_matrix": "a confusion matrix is scattered, not a sum with a sparse tensor",
    },
    "control_dependencies": {"ops": CONTROL_FLOW, "variable_ops": CONTROL_FLOW},
}
# Programs with the numbers of TensorFlow 2, which mended those of 1.4.
MENDED = ("losses/pairwise",)
# Op types with which control flow ends in TensorFlow; here it ends with an Identity.
ENDS = ("Merge", "Exit")


def missing_names(source: str) -> list[str]:
    """The public names that a program uses and that are not there."""
    missing = []
    for name in sorted(set(re.findall(r"\btf((?:\.\w+)+)", source))):
        found: Any = hf
        for part in name.split(".")[1:]:
            if not isinstance(found, type(hf)) and not hasattr(found, part):
                break  # a method of a result
            if not hasattr(found, part):
                missing.append(f"tf{name}")
                break
            found = getattr(found, part)
    return missing


def describe(item: Any) -> dict[str, Any]:
    """What a program's result is called, as the recording has it."""
    if isinstance(item, hf.Operation):
        return {"name": item.name, "kind": "operation"}
    entry = {
        "name": item.name,
        "kind": "tensor" if isinstance(item, hf.Tensor) else "variable",
        "dtype": item.dtype.base_dtype.name,
        "shape": None if item.shape.ndims is None else item.shape.as_list(),
    }
    if item.device:
        entry["device"] = item.device
    return entry


class Program:
    """A recorded program, run."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.differs = DIFFERS.get(case["id"], {})
        self.graph = hf.Graph()
        namespace: dict[str, Any] = {"tf": hf}
        with self.graph.as_default(), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            exec(case["source"], namespace)
        self.out: dict[str, Any] = namespace["out"]

    def same(self, recorded: dict[str, Any]) -> dict[str, Any]:
        """What is recorded, less what is known to differ."""
        return {key: value for key, value in recorded.items() if key not in self.differs}

    def ops(self) -> list[list[str]]:
        return [[op.name, op.type] for op in self.graph.get_operations()]


@pytest.fixture(params=CASES, ids=lambda case: str(case["id"]))
def case(request: pytest.FixtureRequest) -> dict[str, Any]:
    assert missing_names(request.param["source"]) == []
    return request.param


def test_variables_and_collections(case: dict[str, Any]) -> None:
    program = Program(case)
    with program.graph.as_default():
        listed = {
            "global": hf.global_variables(),
            "local": hf.local_variables(),
            "trainable": hf.trainable_variables(),
        }
        assert {key: [v.name for v in found] for key, found in listed.items()} == case["variables"]
        for key, recorded in case["collections"].items():
            found = hf.get_collection(key)
            assert [getattr(x, "name", None) or str(x) for x in found] == recorded, key
        # TensorFlow 1.4.1 names the collection of metrics' variables and leaves it empty.
        keys = set(program.graph.get_all_collection_keys()) | {"metric_variables"}
        assert keys == set(case["collections"]) | {"metric_variables"}


def test_results(case: dict[str, Any]) -> None:
    program = Program(case)
    results = {key: describe(item) for key, item in program.out.items()}
    assert program.same(results) == program.same(case["out"])
    for key, recorded in program.same(case.get("result_types", {})).items():
        found = getattr(program.out[key], "op", program.out[key]).type
        assert found == ("Identity" if recorded in ENDS else recorded), key


def test_ops(case: dict[str, Any]) -> None:
    program = Program(case)
    ops = program.ops()
    if "ops" in case and "ops" not in program.differs:
        assert ops == case["ops"]
    if "variable_ops" in case and "variable_ops" not in program.differs:
        names = [
            v.removesuffix(":0") for key in ("global", "local") for v in case["variables"][key]
        ]
        roots = tuple(f"{name}/" for name in names)
        mine = [op for op in ops if op[0] in names or op[0].startswith(roots)]
        assert mine == case["variable_ops"]


def test_values(case: dict[str, Any]) -> None:
    program = Program(case)
    for key, recorded in case["texts"].items():
        with program.graph.as_default(), hf.Session() as session:
            text = np.asarray(session.run(program.out[key])).astype(str).tolist()
        assert key in program.differs or text == recorded, key
    values = (case["later"] if case["id"] in MENDED else case)["values"]
    for key, recorded in values.items():
        with program.graph.as_default(), hf.Session() as session:
            session.run(hf.global_variables_initializer())
            session.run(hf.local_variables_initializer())
            value = session.run(program.out[key])
        # The gradient of a saturated tanh amplifies its last bits.
        tolerance = 0.02 if case["id"] == "gradients" else 1e-5
        np.testing.assert_allclose(value, recorded, rtol=tolerance, err_msg=key)
