"""Sparse tensors give what TensorFlow gives: values, static shapes, gradients, in every mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.framework import nest
from tests.recorded import reader
from tests.recorded.sparse_programs import PLACES, PROGRAMS, values_for

CASES = reader.table("sparse")
# Programs in which hybridflow answers otherwise, and why.
DIFFERENT = {
    "ctc_decoder/beams/narrow": "a beginning that drops out is still gone on from in that step; TF "
    "does that too, unless it has looked at it again as what its parent grows to",
}
IDENTS = [ident for ident in PROGRAMS if ident not in DIFFERENT]
Given = Callable[[str, list[int]], Any]


def results_of(source: str, given: Given) -> dict[str, Any]:
    """The tensors that a program gives, by name and number."""

    def sparse(name: str, indices: Any, shape: Any) -> Any:
        return hf.SparseTensor(indices, given(name, [len(indices)]), shape)

    scope: dict[str, Any] = {"tf": hf, "given": given, "sparse": sparse, "places": PLACES}
    exec(source, scope)
    return {
        f"{key}_{number}": tensor
        for key, structure in scope["out"].items()
        for number, tensor in enumerate(nest.flatten_parts(structure))
    }


def total_of(results: dict[str, Any], recorded: dict[str, np.ndarray]) -> Any:
    """The sum whose gradients were recorded; None of no floats."""
    floats = [key for key in sorted(results) if results[key].dtype.is_floating]
    terms = [
        hf.reduce_sum(hf.cast(results[key], hf.float32) * values_for(key, recorded[key].shape))
        for key in floats
    ]
    return hf.add_n(terms) if terms else None


def values_of(values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Numbers, and strings as they are recorded."""
    numbers, texts = {}, {}
    for key, value in values.items():
        array = np.asarray(value)
        if array.dtype == object or array.dtype.kind == "S":
            texts[key] = [list(array.shape), [item.hex() for item in array.ravel().tolist()]]
        else:
            numbers[key] = array
    return numbers, texts


def check(case: dict[str, Any], values: dict[str, Any], grads: dict[str, Any]) -> None:
    """Against what 1.4 gives, or else a later version."""
    numbers, texts = values_of(values)
    try:
        check_one(case, numbers, texts, grads)
    except AssertionError:
        if "later" not in case:
            raise
        check_one(case["later"], numbers, texts, grads)


def check_one(case: Any, numbers: Any, texts: Any, grads: dict[str, Any]) -> None:
    assert texts == case["texts"]
    assert numbers.keys() == case["values"].keys()
    for key, recorded in case["values"].items():
        assert numbers[key].dtype == recorded.dtype, key
        np.testing.assert_allclose(
            numbers[key], recorded, rtol=2e-6, atol=1e-6, err_msg=key, strict=True
        )
    for key, recorded in case["grads"].items():
        # A branch that eager mode does not come to has no gradient.
        grad = grads.get(key, np.zeros_like(recorded))
        np.testing.assert_allclose(
            grad, recorded, rtol=1e-5, atol=2e-6, err_msg=f"gradient of {key}", strict=True
        )


def test_every_program_was_recorded() -> None:
    assert reader.load("sparse")["unsupported"] == {}
    assert CASES.keys() == PROGRAMS.keys()


@pytest.mark.parametrize("ident", IDENTS)
def test_graph(ident: str) -> None:
    case = CASES[ident]
    inputs: dict[str, Any] = {}

    def given(name: str, shape: list[int]) -> Any:
        if name not in inputs:
            inputs[name] = hf.placeholder(hf.float32, shape, name)
        return inputs[name]

    with hf.Graph().as_default(), hf.Session() as session:
        results = results_of(case["source"], given)
        for key, shape in case["shapes"].items():
            # What TensorFlow knows of a shape is known here.
            assert shape is None or results[key].shape.is_compatible_with(shape), key
            known = results[key].shape
            assert shape is None or known.ndims == len(shape), key
            for size, dim in zip(shape or (), known.as_list() if shape else (), strict=True):
                assert size is None or size == dim, (key, shape, known)
        total = total_of(results, case["values"])
        names = sorted(inputs) if total is not None else []
        grads = hf.gradients(total, [inputs[name] for name in names]) if names else []
        present = {
            name: hf.convert_to_tensor(grad)
            for name, grad in zip(names, grads, strict=True)
            if grad is not None
        }
        feed = {tensor: values_for(name, tensor.shape) for name, tensor in inputs.items()}
        for _ in range(3):
            values, found = session.run([results, present], feed)
            check(case, values, found)


@pytest.mark.parametrize("ident", IDENTS)
def test_eager(ident: str) -> None:
    case = CASES[ident]
    with hf.eager_mode():
        inputs: dict[str, Any] = {}
        with hf.GradientTape() as tape:

            def given(name: str, shape: list[int]) -> Any:
                if name not in inputs:
                    inputs[name] = hf.constant(values_for(name, shape))
                    tape.watch(inputs[name])
                return inputs[name]

            results = results_of(case["source"], given)
            total = total_of(results, case["values"])
        names = sorted(inputs) if total is not None else []
        grads = tape.gradient(total, [inputs[name] for name in names]) if names else []
        found = {
            name: hf.convert_to_tensor(grad).numpy()
            for name, grad in zip(names, grads, strict=True)
            if grad is not None
        }
        check(case, {key: tensor.numpy() for key, tensor in results.items()}, found)


@pytest.mark.parametrize("ident", IDENTS)
def test_function(ident: str) -> None:
    case = CASES[ident]
    shapes: dict[str, Any] = {}

    def noted(name: str, shape: list[int]) -> Any:
        shapes[name] = shape
        return hf.constant(values_for(name, shape))

    @hf.function
    def program(inputs: Any) -> Any:
        return results_of(case["source"], lambda name, shape: inputs[name])

    with hf.eager_mode():
        results_of(case["source"], noted)
        results = program({name: hf.constant(values_for(name, s)) for name, s in shapes.items()})
        values = {key: tensor.numpy() for key, tensor in results.items()}
        check({**case, "grads": {}, "later": {**case.get("later", case), "grads": {}}}, values, {})
