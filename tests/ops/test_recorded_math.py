"""Math and nn ops against values recorded from TensorFlow."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ops import recorded_ops, test_recorded_array

# Cases in which hybridflow answers otherwise, and why.
DIFFERENT = {
    "digamma/float32/special": "TF's polygamma of large negative numbers in float32 is wrong",
    "digamma/float64/special": "TF's polygamma next to 0 overflows",
    "nn.selu/float32/special": "TF computes exp(x) - 1 for small x, and so takes it for 0",
    "nn.selu/float64/special": "TF computes exp(x) - 1 for small x, and so takes it for 0",
    "floordiv/float32/special": "the quotient that belongs to floormod",
    "floordiv/float64/special": "the quotient that belongs to floormod",
    "norm/float32/zero": "the gradient at 0 is the shortest subgradient, not NaN",
    "norm/float64/zero": "the gradient at 0 is the shortest subgradient, not NaN",
    "cumprod/float32/zeros": "the gradient at 0, where TF divides: NaN in 1.4, 0 in 2.x",
    "cumprod/float64/zeros": "the gradient at 0, where TF divides: NaN in 1.4, 0 in 2.x",
    # What TF 1.4 refuses and 2.x takes.
    "tensordot/float32/0": "no axes to sum over",
    "tensordot/float64/0": "no axes to sum over",
    "einsum/float32/ii->i": "a repeated axis",
    "einsum/float64/ii->i": "a repeated axis",
    "einsum/float32/...ij,...jk->...ik": "an ellipsis",
    "einsum/float64/...ij,...jk->...ik": "an ellipsis",
    "image.adjust_gamma/uint8/0.5": "bytes, which 2.x gives back as bytes",
    "image.adjust_gamma/uint8/1": "bytes, which 2.x gives back as bytes",
    "image.adjust_gamma/uint8/2.0": "bytes, which 2.x gives back as bytes",
    "cholesky/indefinite": "a matrix that is not positive definite",
    # TF 1.4 has no leaky_relu of float64; 2.x rounds alpha to float32.
    "nn.leaky_relu/float64": "alpha",
    "nn.leaky_relu/float64/special": "alpha",
    "nn.leaky_relu/float64/six": "alpha",
    "nn.leaky_relu/float64/alpha": "alpha",
}
IDENTS = [
    ident
    for ident in recorded_ops.cases_of(
        {case["fn"] for case in recorded_ops.CASES.values()} - test_recorded_array.NAMES
    )
    if ident not in DIFFERENT
]


def run(check: Any, ident: str) -> None:
    """The recorded answer of TF 1.4, or else that of 2.x where it is another."""
    case = recorded_ops.CASES[ident]
    try:
        check(case)
    except AssertionError:
        if "later" not in case:
            raise
        check({**case, **case["later"]})


@pytest.mark.parametrize("ident", IDENTS)
def test_graph(ident):
    run(recorded_ops.check_graph, ident)


@pytest.mark.parametrize("ident", IDENTS)
def test_eager(ident):
    run(recorded_ops.check_eager, ident)


@pytest.mark.parametrize("ident", IDENTS)
def test_static_shape(ident):
    run(recorded_ops.check_static, ident)


def test_every_exception_is_of_a_case():
    assert set(DIFFERENT) <= set(recorded_ops.CASES)
