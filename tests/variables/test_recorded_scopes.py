"""Programs made at random, as TensorFlow 1.4.1 ran them: names, errors, collections, all ops."""

from __future__ import annotations

from typing import Any

import pytest

import hybridflow as hf
from tests.recorded import reader
from tests.recorded.random_scopes import Program

CASES = reader.load("scopes")["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_program(case: dict[str, Any]) -> None:
    trace, ops = Program(hf, case["seed"]).run()
    assert trace == case["trace"]
    assert ops == case["ops"]
