"""Recurrent networks give what TensorFlow 1.4.1 gives: names, values, gradients, in every mode."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.framework import nest
from tests.recorded import reader
from tests.recorded.recurrent_programs import PROGRAMS, values_for

DOCUMENT = reader.load("recurrent")
CASES = {case["id"]: case for case in DOCUMENT["cases"]}

# Results whose ops are called otherwise: there is no op for a whole cell, and a loop has no
# variable for arrays, nor an array for what it collects.
FUSED = ("lstm_cell", "GRUBlockCell", "lstm_block_wrapper")
LOOPS = ("/while/Exit", "/TensorArrayStack/")
# The gradient of TensorFlow 1.4's LSTMBlockCell leaves out what goes through the peepholes.
WRONG = ("network/lstm_block_peephole",)
# What differs in eager mode from a graph with seeds: the seeds of ops.
DRAWN = ("cell/dropout", "cell/dropout_variational")


def _getter(getter: Any, name: str, *args: Any, **kwargs: Any) -> Any:
    def initializer(shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        return hf.constant(values_for(name, [int(size) for size in shape]))

    if isinstance(kwargs.get("initializer"), float):
        kwargs["shape"] = []
    kwargs["initializer"] = initializer
    return getter(name, *args, **kwargs)


class Run:
    """A program, run in the mode that is on."""

    def __init__(self, source: str, watch: Any = None) -> None:
        self.inputs: dict[str, Any] = {}

        def given(name: str, shape: list[int]) -> Any:
            made = hf.constant(values_for(name, shape), name=name)
            if watch is not None:
                watch(made)
            self.inputs[name] = made
            return made

        with hf.variable_scope(hf.get_variable_scope(), custom_getter=_getter):
            scope = {"tf": hf, "given": given}
            exec(source, scope)
        self.results = {
            f"{key}_{index}": tensor
            for key, structure in scope["out"].items()  # type: ignore[attr-defined]
            for index, tensor in enumerate(nest.flatten(structure))
        }
        self.total = hf.add_n(
            [
                hf.reduce_sum(self.results[key] * values_for(key, self.results[key].shape))
                for key in sorted(self.results)
            ]
        )


def check(case: dict[str, Any], values: dict[str, Any], grads: dict[str, Any]) -> None:
    assert values.keys() == case["values"].keys()
    for key, recorded in case["values"].items():
        np.testing.assert_allclose(values[key], recorded, rtol=2e-5, atol=2e-6, err_msg=key)
    for key, recorded in case["grads"].items() if case["id"] not in WRONG else ():
        # A step that eager mode does not come to has no gradient.
        grad = grads.get(key, np.zeros_like(recorded))
        np.testing.assert_allclose(grad, recorded, rtol=2e-4, atol=5e-6, err_msg=key)


def test_every_program_was_recorded() -> None:
    assert DOCUMENT["unsupported"] == {}
    assert CASES.keys() == PROGRAMS.keys()


@pytest.mark.parametrize("name", CASES)
def test_graphs(name: str) -> None:
    case = CASES[name]
    with hf.Graph().as_default(), hf.Session() as session:
        hf.set_random_seed(5)
        run = Run(case["source"])
        variables = hf.global_variables()
        shapes = dict(zip(case["variables"], case["shapes"], strict=True))
        assert {v.op.name: v.shape.as_list() for v in variables} == shapes
        trained = hf.trainable_variables()
        assert sorted(v.op.name for v in trained) == sorted(case["trainable"])
        sources = [*run.inputs.values(), *trained]
        names = [*run.inputs, *[v.op.name for v in trained]]
        found = hf.gradients(run.total, sources)
        grads = {
            n: hf.convert_to_tensor(g) for n, g in zip(names, found, strict=True) if g is not None
        }
        assert grads.keys() == case["grads"].keys()
        session.run(hf.global_variables_initializer())
        # Interpreted, noted, and by a native program if it is there by then.
        for _ in range(1 if name in DRAWN else 3):
            values, found = session.run([run.results, grads])
            check(case, values, found)


@pytest.mark.parametrize("name", CASES)
def test_eager(name: str) -> None:
    case = CASES[name]
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        with hf.GradientTape() as tape:
            run = Run(case["source"], tape.watch)
        variables = hf.trainable_variables()
        assert sorted(v.name for v in variables) == sorted(f"{n}:0" for n in case["trainable"])
        if name in DRAWN:
            return
        sources = [*run.inputs.values(), *variables]
        names = [*run.inputs, *[v.name.removesuffix(":0") for v in variables]]
        found = tape.gradient(run.total, sources)
        grads = {
            n: hf.convert_to_tensor(g).numpy()
            for n, g in zip(names, found, strict=True)
            if g is not None
        }
        check(case, {key: value.numpy() for key, value in run.results.items()}, grads)


@pytest.mark.parametrize("name", CASES)
def test_names_of_results(name: str) -> None:
    case = CASES[name]
    with hf.Graph().as_default():
        run = Run(case["source"])
        found = {key: run.results[key].op.name for key in case["names"]}
    known = [k for k, n in case["names"].items() if any(part in n for part in (*FUSED, *LOOPS))]
    expected = {key: name for key, name in case["names"].items() if key not in known}
    assert {key: found[key] for key in expected} == expected
