"""Programs on input, and on what came after 1.4, give what they give in TensorFlow."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from tests.recorded import input_running, reader

CASES = {case["id"]: case for stem in ("input", "contrib") for case in reader.load(stem)["cases"]}


def check(found, wanted, where):
    """Compares values, nested alike; strings and integers exactly."""
    is_text = isinstance(wanted, dict) and wanted.keys() == {"strings", "shape"}
    if isinstance(wanted, dict) and not is_text:
        assert found.keys() == wanted.keys(), where
        for key, value in wanted.items():
            check(found[key], value, f"{where}/{key}")
    elif isinstance(wanted, list):
        assert len(found) == len(wanted), where
        for index, value in enumerate(wanted):
            check(found[index], value, f"{where}[{index}]")
    elif is_text:
        assert input_running.encoded(found) == wanted, where
    else:
        assert found.dtype == wanted.dtype, where
        if wanted.dtype.kind in "fc":
            # TensorFlow's transforms of float32 are computed in float32.
            rtol, atol = (1e-4, 1e-4) if where.startswith("signal") else (1e-5, 1e-6)
            np.testing.assert_allclose(found, wanted, rtol=rtol, atol=atol, err_msg=where)
        else:
            np.testing.assert_array_equal(found, wanted, err_msg=where)


@pytest.mark.parametrize("ident", CASES)
def test_as_tensorflow(ident):
    case = CASES[ident]
    check(input_running.executed(hf, case["source"]), case["out"], ident)
