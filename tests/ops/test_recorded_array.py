"""Array and creation ops against values recorded from TensorFlow 1.4."""

from __future__ import annotations

import pytest

from tests.ops import recorded_ops

NAMES = {
    *("constant", "zeros", "ones", "zeros_like", "ones_like", "fill", "range", "linspace", "eye"),
    *("one_hot", "identity", "cast", "to_float", "to_double", "to_int32", "to_int64"),
    *("saturate_cast", "reshape", "transpose", "expand_dims", "squeeze", "concat", "stack"),
    *("unstack", "split", "slice", "strided_slice", "operator.getitem", "gather", "gather_nd"),
    *("tile", "pad", "shape", "size", "rank", "where", "boolean_mask", "reverse"),
    *("sequence_mask", "unique", "invert_permutation", "meshgrid"),
}


@pytest.mark.parametrize("ident", recorded_ops.cases_of(NAMES))
def test_graph(ident):
    recorded_ops.check_graph(recorded_ops.CASES[ident])


@pytest.mark.parametrize("ident", recorded_ops.cases_of(NAMES))
def test_eager(ident):
    recorded_ops.check_eager(recorded_ops.CASES[ident])


@pytest.mark.parametrize("ident", recorded_ops.cases_of(NAMES))
def test_static_shape(ident):
    recorded_ops.check_static(recorded_ops.CASES[ident])
