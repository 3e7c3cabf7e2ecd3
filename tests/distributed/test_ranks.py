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
    # Natively on two ranks, by the interpreter on three.
    native = {} if request.param == 2 else {"NUMBA_DISABLE_JIT": "1"}
    ended = mpiexec(request.param, "-m", "tests.distributed.program", path, **native)
    assert ended.returncode == 0, ended.stderr
    return json.loads(path.read_text())


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 3, 4])
def test_a_thousand_steps(tmp_path, count):
    path = tmp_path / "outcomes.json"
    ended = mpiexec(count, "-m", "tests.distributed.program", path, 1000, timeout=900)
    assert ended.returncode == 0, ended.stderr
    assert not [text for text in json.loads(path.read_text()).values() if text]


@pytest.mark.parametrize("name", CHECKS)
def test_check(outcomes, name):
    assert outcomes[name] == ""
