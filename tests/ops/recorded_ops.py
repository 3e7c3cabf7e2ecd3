"""Ops against values recorded from TensorFlow: results, gradients, static shapes, both modes."""

from __future__ import annotations

from typing import Any

import numpy as np

import hybridflow as hf
from tests.recorded import reader

WEIGHTS = reader.load("ops")["weights"]
_PARTS = ("ops", "convolution", "image", "linalg", "spectral")
CASES = {k: case for part in _PARTS for k, case in reader.table(part).items()}


def cases_of(names: set[str]) -> list[str]:
    """The ids of the cases of some public functions."""
    return sorted(ident for ident, case in CASES.items() if case["fn"] in names)


def call(case: dict[str, Any], make: Any) -> tuple[list[Any], list[Any], Any]:
    """Calls the op with `make(array)` for each array; gives these tensors, all outputs flat, and
    the structure of the result as positions in that list."""
    tensors: list[Any] = []

    def fill(node: Any) -> Any:
        if isinstance(node, np.ndarray):
            tensors.append(make(node))
            return tensors[-1]
        if isinstance(node, list):
            return [fill(item) for item in node]
        return node

    fn = case["fn"]
    args = [fill(item) for item in case["args"]]
    kwargs = {key: fill(case["kwargs"][key]) for key in sorted(case["kwargs"])}
    if fn == "operator.getitem":
        result = args[0][reader.decode_index(args[1])]
    elif fn.startswith("operator."):
        result = reader.OPERATORS[fn](*args)
    else:
        function: Any = hf
        for part in fn.split("."):
            function = getattr(function, part)
        result = function(*args, **kwargs)
    outputs: list[Any] = []

    def positions(node: Any) -> Any:
        if isinstance(node, list | tuple):
            return [positions(item) for item in node]
        outputs.append(node)
        return len(outputs) - 1

    return tensors, outputs, positions(result)


def weights_for(array: np.ndarray) -> np.ndarray:
    return np.resize(WEIGHTS, array.size).reshape(array.shape).astype(array.dtype)


def placeholder_of(array: np.ndarray, shape: Any) -> Any:
    return hf.placeholder(hf.as_dtype(array.dtype), shape)


def assert_close(got: Any, wanted: np.ndarray, what: str) -> None:
    """Equal to rounding; integers and bools exactly."""
    got = np.asarray(got)
    assert (got.dtype, got.shape) == (wanted.dtype, wanted.shape), (
        f"{what}: {got.dtype}{got.shape}, recorded {wanted.dtype}{wanted.shape}"
    )
    if wanted.dtype.kind in "fc":
        tolerance = 32 * np.finfo(wanted.dtype).eps
        np.testing.assert_allclose(got, wanted, tolerance, tolerance, err_msg=what)
    else:
        np.testing.assert_array_equal(got, wanted, what)


def check_graph(case: dict[str, Any]) -> None:
    """In a graph on placeholders: outputs, gradients, which gradients are missing or sparse."""
    arrays: list[np.ndarray] = []

    def make(array: np.ndarray) -> Any:
        arrays.append(array)
        return placeholder_of(array, array.shape)

    with hf.Graph().as_default(), hf.Session() as session:
        tensors, outputs, structure = call(case, make)
        assert structure == case["structure"]
        feed = dict(zip(tensors, arrays, strict=True))
        for got, wanted in zip(session.run(outputs, feed), case["outputs"], strict=True):
            assert_close(got, wanted, "output")
        xs, ys, weights = differentiated(case, tensors, outputs)
        if xs and ys:
            grads = hf.gradients(ys, list(xs.values()), weights)
            compare_gradients(
                case, dict(zip(xs, grads, strict=True)), lambda g: session.run(g, feed)
            )


def check_eager(case: dict[str, Any]) -> None:
    """In eager mode, with a tape."""
    with hf.eager_mode():
        with hf.GradientTape() as tape:

            def make(array: np.ndarray) -> Any:
                tensor = hf.constant(array)
                tape.watch(tensor)
                return tensor

            tensors, outputs, structure = call(case, make)
        assert structure == case["structure"]
        for got, wanted in zip(outputs, case["outputs"], strict=True):
            assert_close(got.numpy(), wanted, "output")
        xs, ys, weights = differentiated(case, tensors, outputs)
        if xs and ys:
            grads = tape.gradient(ys, list(xs.values()), [hf.constant(w) for w in weights])
            compare_gradients(case, dict(zip(xs, grads, strict=True)), lambda g: g.numpy())


def differentiated(
    case: dict[str, Any], tensors: list[Any], outputs: list[Any]
) -> tuple[dict[int, Any], list[Any], list[np.ndarray]]:
    # Where TensorFlow has no gradient for the op there is nothing to compare.
    known = "gradient_error" not in case
    xs = {i: x for i, x in enumerate(tensors) if known and x.dtype.is_floating}
    pairs = [(y, a) for y, a in zip(outputs, case["outputs"], strict=True) if a.dtype.kind == "f"]
    return xs, [y for y, _ in pairs], [weights_for(a) for _, a in pairs]


# Gradients that are rows since TensorFlow 1.5, of the values that 1.4 gave.
SPARSE_SINCE = ("gather_nd/",)


def compare_gradients(case: dict[str, Any], grads: dict[int, Any], value: Any) -> None:
    missing = [i for i, grad in grads.items() if grad is None]
    assert missing == case.get("unconnected", []), f"no gradient for {missing}"
    sparse = [i for i, grad in grads.items() if isinstance(grad, hf.IndexedSlices)]
    if not case["id"].startswith(SPARSE_SINCE):
        assert sparse == case.get("sparse_grads", [])
    for i, grad in grads.items():
        if grad is not None:
            got = value(hf.convert_to_tensor(grad))
            assert_close(got, case["grads"][str(i)], f"gradient for input {i}")


def check_static(case: dict[str, Any]) -> None:
    """Static shapes of unknown inputs: at least what TensorFlow knows, and nothing wrong."""
    for kind, shape_of in (
        ("dims_unknown", lambda a: [None] * a.ndim),
        ("rank_unknown", _unknown_rank),
    ):
        recorded = case.get("static", {}).get(kind, "raises")
        if recorded == "raises":
            continue
        with hf.Graph().as_default():
            outputs = call(case, lambda a, shape_of=shape_of: placeholder_of(a, shape_of(a)))[1]
        for tensor, known, value in zip(outputs, recorded, case["outputs"], strict=True):
            if known is not None and len(known) != value.ndim:
                continue  # of an unknown rank TensorFlow assumes another one
            assert tensor.shape.is_compatible_with(value.shape), f"{kind}: {tensor.shape}"
            if known is not None:
                assert tensor.shape.merge_with(known)._dims == tensor.shape._dims, (
                    f"{kind}: {tensor.shape} does not say what {known} says"
                )


def _unknown_rank(array: np.ndarray) -> None:
    return None
