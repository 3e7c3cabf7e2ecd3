"""Images out of files, and ops that draw random numbers: as TensorFlow gave them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from tests.execution import Execution
from tests.recorded import reader

CASES = {case["id"]: case for case in reader.load("images")["cases"]}
# What is missing of a file is nobody's to say.
MADE_UP = "truncated.jpg/decode_jpeg/12"
FILES = [ident for ident, case in CASES.items() if "file" in case]
RANDOM = [ident for ident, case in CASES.items() if "runs" in case]
# What TensorFlow 1.4 refuses and later ones decode.
ACCEPTED = {"l.bmp/decode_bmp/0", "l.bmp/decode_bmp/1"}


def read(case: dict[str, Any]) -> bytes:
    return (reader.FOLDER / "images" / case["file"]).read_bytes()


@pytest.mark.parametrize("ident", FILES)
def test_files(ident: str, execution: Execution) -> None:
    case = CASES[ident]
    kwargs = dict(case["kwargs"])
    if "dtype" in kwargs:
        kwargs["dtype"] = hf.as_dtype(kwargs["dtype"])

    def decoded() -> Any:
        return getattr(hf.image, case["fn"])(read(case), **kwargs)

    if ident in ACCEPTED:
        assert execution(decoded).shape == (21, 34, 1)
        return
    if "error" in case:
        with pytest.raises(hf.errors.InvalidArgumentError):
            execution(decoded)
        return
    found, wanted = execution(decoded), case["result"]
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    if ident == MADE_UP:
        found, wanted = found[:15, :15], wanted[:15, :15]
    low_depth = case["file"][:3] in ("0_1", "0_2", "0_4", "3_1", "3_2", "3_4")
    if low_depth and found.shape[2] == 4 and "transparent" not in case["file"]:
        # TensorFlow takes 2 ** depth - 1 for opaque.
        assert (found[..., 3] == np.iinfo(found.dtype).max).all()
        found, wanted = found[..., :3], wanted[..., :3]
    apart = np.abs(found.astype(np.int64) - wanted.astype(np.int64))
    if case["file"].endswith(".jpg"):
        # libjpeg's versions differ by rounding, and most in how they stretch colors.
        assert apart.max(initial=0) <= 6
        assert apart.mean() <= 0.5
    else:
        assert not apart.any()


@pytest.mark.parametrize("ident", RANDOM)
def test_random(ident: str) -> None:
    case = CASES[ident]
    with hf.Graph().as_default(), hf.Session() as session:
        hf.set_random_seed(3)
        found = getattr(hf.image, case["fn"])(*case["args"], seed=case["seed"], **case["kwargs"])
        tensors = list(found) if isinstance(found, tuple) else [found]
        for wanted in case["runs"]:
            for got, value in zip(session.run(tensors), wanted, strict=True):
                assert got.dtype == value.dtype
                np.testing.assert_allclose(got, value, 1e-5, 1e-6)
