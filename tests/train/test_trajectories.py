"""Twenty steps of every optimizer, as TensorFlow makes them: variables, slots, names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from tests.recorded import reader

# Where 1.4.1 departs from the published rule, and every later TensorFlow follows it.
LATER = {"train.AdadeltaOptimizer"}


def decided(case: dict[str, Any]) -> dict[str, Any]:
    """A recorded case, with the values that are right where two TensorFlows differ."""
    if case["optimizer"] not in LATER or "later" not in case:
        return case
    slots = {
        name: {**slot, "values": case["later"]["slots"][name]["values"]}
        for name, slot in case["slots"].items()
    }
    return {**case, "var": case["later"]["var"], "slots": slots}


RECORDED = reader.table("optimizers").values()
CASES = [decided(case) for case in RECORDED if "optimizer" in case]
BY_ID = {case["id"]: case for case in CASES}
STEPS = 20
# What rounding in another order may do in twenty steps, in units of rounding of the largest value.
ROUNDINGS = 8


def make_optimizer(case: dict[str, Any], step: Any) -> Any:
    arguments = dict(case["kwargs"])
    if case["optimizer"] == "train.AdagradDAOptimizer":
        arguments["global_step"] = step
    return getattr(hf.train, case["optimizer"].removeprefix("train."))(**arguments)


def projection(case: dict[str, Any]) -> Any:
    if "constraint" not in case:
        return None
    low, high = case["constraint"]["args"]
    return lambda value: hf.minimum(hf.maximum(value, low), high)


def gradient(case: dict[str, Any], values: Any, indices: Any) -> Any:
    if case["kind"] == "dense":
        return values
    return hf.IndexedSlices(values, indices, hf.constant(case["initial"].shape, hf.int32))


def indices_of(case: dict[str, Any], number: int) -> Any:
    return case["indices"][number] if case["kind"] == "sparse" else np.zeros(0, np.int32)


def check(
    case: dict[str, Any], number: int, var: Any, slots: dict[str, Any], extra: dict[str, Any]
) -> None:
    unit = float(np.finfo(case["dtype"]).eps)
    compared = [("var", var, case["var"][number])]
    compared += [
        (name, slots[name], slot["values"][number]) for name, slot in case["slots"].items()
    ]
    compared += [
        (name, extra[name], slot["values"][number]) for name, slot in case["extra"].items()
    ]
    for what, got, expected in compared:
        assert got.dtype == expected.dtype, what
        largest = np.nanmax(np.abs(expected), initial=1.0, where=np.isfinite(expected))
        np.testing.assert_allclose(
            got, expected, 0, ROUNDINGS * unit * float(largest), err_msg=f"{what}, step {number}"
        )


def variants() -> list[Any]:
    """Each case with each kind of graph variable that it was recorded for."""
    rows = []
    for case in CASES:
        kinds = [case["use_resource"]]
        if case.get("resource_agrees") == "bitwise":
            kinds.append(True)
        rows += [
            pytest.param(case, kind, id=f"{case['id']}-{'resource' * kind or 'ref'}")
            for kind in kinds
        ]
    return rows


@pytest.mark.parametrize(("case", "use_resource"), variants())
def test_graph(case: dict[str, Any], use_resource: bool) -> None:
    with hf.Graph().as_default():
        step = hf.train.get_or_create_global_step()
        variable = hf.get_variable(
            "v",
            initializer=hf.constant(case["initial"]),
            use_resource=use_resource,
            constraint=projection(case),
        )
        values = hf.placeholder(case["dtype"], [None, 2])
        indices = hf.placeholder(hf.int32, [None])
        optimizer = make_optimizer(case, step)
        train = optimizer.apply_gradients(
            [(gradient(case, values, indices), variable)], global_step=step
        )
        assert train.name == case["train_op"]
        listed = hf.global_variables()
        assert [v.op.name for v in listed] == case["variables"]
        assert [v.op.name for v in hf.trainable_variables()] == case["trainable"]
        assert optimizer.get_slot_names() == sorted(case["slots"])
        slots = {name: optimizer.get_slot(variable, name) for name in case["slots"]}
        assert {n: s.op.name for n, s in slots.items()} == {
            n: s["name"] for n, s in case["slots"].items()
        }
        extra = {v.op.name: v for v in listed if v.op.name in case["extra"]}
        with hf.Session() as session:
            session.run(hf.global_variables_initializer())
            before = session.run({"slots": slots, "extra": extra})
            for name, slot in case["slots"].items():
                np.testing.assert_array_equal(before["slots"][name], slot["initial"])
            for name, other in case["extra"].items():
                np.testing.assert_array_equal(before["extra"][name], other["initial"])
            for number in range(STEPS):
                feed = {values: case["grads"][number], indices: indices_of(case, number)}
                session.run(train, feed)
                check(case, number, *session.run((variable, slots, extra)))
            assert session.run(step) == case["global_step"]


def eager_cases() -> list[Any]:
    """Eager variables are resource variables: where TF's differ, theirs is the case."""
    chosen = [
        BY_ID.get(f"{case['id']}/resource", case) for case in CASES if not case["use_resource"]
    ]
    return [pytest.param(case, id=case["id"]) for case in chosen]


@pytest.mark.parametrize("case", eager_cases())
def test_eager(case: dict[str, Any]) -> None:
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        step = hf.Variable(0, name="global_step", trainable=False)
        variable = hf.Variable(case["initial"], name="v", constraint=projection(case))
        optimizer = make_optimizer(case, step)
        for number in range(STEPS):
            grad = gradient(
                case, hf.constant(case["grads"][number]), hf.constant(indices_of(case, number))
            )
            optimizer.apply_gradients([(grad, variable)], global_step=step)
            check_eager(case, number, variable, optimizer)
        assert int(step) == case["global_step"]


def check_eager(case: dict[str, Any], number: int, variable: Any, optimizer: Any) -> None:
    slots = {name: optimizer.get_slot(variable, name) for name in case["slots"]}
    assert {n: s.name for n, s in slots.items()} == {
        n: f"{s['name']}:0" for n, s in case["slots"].items()
    }
    extra = {v.name[:-2]: v.numpy() for v in optimizer.variables() if v.name[:-2] in case["extra"]}
    check(case, number, variable.numpy(), {n: s.numpy() for n, s in slots.items()}, extra)


@pytest.mark.parametrize(
    "case", [row for row in eager_cases() if row.values[0]["dtype"] == "float32"]
)
def test_function(case: dict[str, Any]) -> None:
    """The same steps inside a function that is traced once."""
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        step = hf.Variable(0, name="global_step", trainable=False)
        variable = hf.Variable(case["initial"], name="v", constraint=projection(case))
        optimizer = make_optimizer(case, step)

        @hf.function
        def train(values: Any, indices: Any) -> None:
            grad = gradient(case, values, indices)
            optimizer.apply_gradients([(grad, variable)], global_step=step)

        for number in range(STEPS):
            train(hf.constant(case["grads"][number]), hf.constant(indices_of(case, number)))
            check_eager(case, number, variable, optimizer)
        assert int(step) == case["global_step"]
        assert len(train.trace_log) == 1
