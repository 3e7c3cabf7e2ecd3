"""Programs on two and three ranks, under `mpiexec`: each check of `program.py` in one launch."""

from __future__ import annotations

import json

import pytest

from tests.distributed.launching import mpiexec
from tests.distributed.program import CHECKS

pytest.importorskip("mpi4py", reason="it comes with the extra `test`")


@pytest.fixture(scope="module", params=[2, 3])
def outcomes(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("ranks") / "outcomes.json"
    ended = mpiexec(request.param, "-m", "tests.distributed.program", path)
    assert ended.returncode == 0, ended.stderr
    return json.loads(path.read_text())


@pytest.mark.parametrize("name", CHECKS)
def test_check(outcomes, name):
    assert outcomes[name] == ""
