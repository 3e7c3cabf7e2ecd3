"""The worked example of CONTRIBUTING.md: an op in one file, held to what every op is held to."""

from __future__ import annotations

import doctest
import pathlib
import re
import types
from collections.abc import Iterator

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.framework.op_def import OPS
from tests.execution import Execution
from tests.ops import table

PAGE = pathlib.Path(__file__).parent.parent / "CONTRIBUTING.md"


@pytest.fixture
def example() -> Iterator[types.ModuleType]:
    """The example as a module; its op is registered only meanwhile."""
    (source,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    module = types.ModuleType("logit_example")
    try:
        exec(compile(source, str(PAGE), "exec"), module.__dict__)
        yield module
    finally:
        OPS.pop("Logit", None)


def test_it_passes_the_table(example):
    rows = table.rows(OPS["Logit"])
    assert len(rows) >= 6
    for row in rows:
        table.check_compute(row)
        table.check_layout(row)
        table.check_eager(row)
        table.check_graph(row)
    for row in rows:
        table.check_graph_gradient(row)
        table.check_eager_gradient(row)


def test_its_function_works_in_every_execution(example, execution: Execution):
    x = np.array([0.25, 0.5, 0.75], np.float32)
    np.testing.assert_allclose(execution(lambda x: hf.sigmoid(example.logit(x)), x), x, rtol=1e-6)
    np.testing.assert_allclose(
        execution.gradient(example.logit, x)[0], 1 / (x * (1 - x)), rtol=1e-6
    )


def test_its_docstring_runs(example):
    finder = doctest.DocTestFinder()
    (found,) = [t for t in finder.find(example, globs=vars(example)) if t.examples]
    assert doctest.DocTestRunner().run(found).failed == 0
