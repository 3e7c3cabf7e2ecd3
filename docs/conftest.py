"""How pytest runs the examples of the pages: each page in a mode of its own, from a fresh state."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np
import pytest

import hybridflow as hf

# Building the site needs more than the tests do.
collect_ignore = ["conf.py", "site", "data", "generated"]

# Pages that are read at the prompt, which is in eager mode; the others begin in graph mode.
AT_THE_PROMPT = {"start.md"}


@pytest.fixture(autouse=True)
def fresh(request: pytest.FixtureRequest, doctest_namespace: dict[str, object]) -> Iterator[None]:
    """What the prompt binds, in the page's mode."""
    doctest_namespace.update(hf=hf, np=np)
    with contextlib.ExitStack() as stack:
        if request.node.path.name in AT_THE_PROMPT:
            stack.enter_context(hf.eager_mode())
            stack.enter_context(hf.EagerVariableStore().as_default())
        else:
            hf.reset_default_graph()
        yield
