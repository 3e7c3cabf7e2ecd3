"""Fixtures that tests share."""

from __future__ import annotations

import pytest

from tests.execution import EXECUTIONS, Execution


@pytest.fixture(params=EXECUTIONS)
def execution(request: pytest.FixtureRequest) -> Execution:
    """Each way to run a program: a test that takes it runs once in each."""
    return Execution(request.param)
