"""The fixture `mode`; see `tests/variables/modes.py`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import hybridflow as hf
from tests.variables.modes import Mode


@pytest.fixture(params=["eager", "graph"])
def mode(request: pytest.FixtureRequest) -> Iterator[Mode]:
    """Eager mode with a store of its own, then graph mode with a graph and a session."""
    if request.param == "eager":
        with hf.eager_mode(), hf.EagerVariableStore().as_default():
            yield Mode(None)
    else:
        with hf.Graph().as_default(), hf.Session() as session:
            yield Mode(session)


@pytest.fixture
def graph() -> Iterator[hf.Graph]:
    """Graph mode with a graph of its own."""
    with hf.Graph().as_default() as made:
        yield made


@pytest.fixture
def eager() -> Iterator[hf.EagerVariableStore]:
    """Eager mode with a store of its own."""
    with hf.eager_mode(), hf.EagerVariableStore().as_default() as store:
        yield store
