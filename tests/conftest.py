"""Fixtures that tests share."""

from __future__ import annotations

import pytest
from hypothesis import settings

from tests.execution import EXECUTIONS, Execution

# How long an example takes says more of the machine than of the code.
settings.register_profile("hybridflow", deadline=None)
settings.load_profile("hybridflow")


@pytest.fixture(params=EXECUTIONS)
def execution(request: pytest.FixtureRequest) -> Execution:
    """Each way to run a program: a test that takes it runs once in each."""
    return Execution(request.param)
