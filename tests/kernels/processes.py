"""Programs that train a small model in a process of their own and tell how it went."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

TRAIN = """
import json, sys, threading
import numpy as np
import hybridflow as hf
from hybridflow._src.kernels.compiler import COMPILER

x = hf.placeholder(hf.float32, [None, 3])
w = hf.get_variable("w", initializer=np.ones([3, 2], np.float32))
loss = hf.reduce_mean(hf.square(hf.tanh(hf.matmul(x, w)) - 0.5))
train = hf.train.GradientDescentOptimizer(0.5).minimize(loss)
data = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)


def step(session):
    return float(session.run([loss, train], {x: data})[0])


def losses(session, count=10):
    found = []
    for number in range(count):
        found.append(step(session))
        if number == 1:
            assert COMPILER.wait(120)
    return found


def plan_of(session):
    (runnable,) = [r for r in session._runnables.values() if len(r.fetches.tensors) == 1]
    return runnable.plan


def report(session, losses, **more):
    native = plan_of(session).native
    print(json.dumps({
        "losses": losses,
        "programs": 0 if native is None else len(native.programs),
        "problems": [] if native is None else list(native.problems.values()),
        "compiled": COMPILER.compiled,
        "loaded": COMPILER.loaded,
        "failed": COMPILER.failed,
        "numba": "numba" in sys.modules,
        **more,
    }))


session = hf.Session()
session.run(hf.global_variables_initializer())
"""
RUN = TRAIN + "report(session, losses(session))\n"


def environment(**changes: str) -> dict[str, str]:
    """The environment of a new process."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **changes}


def started(program: str, *, cwd: Any = None, **changes: str) -> subprocess.Popen[str]:
    """A process that runs a program."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env=environment(**changes),
    )


def finished(process: subprocess.Popen[str], seconds: float = 120) -> str:
    """What it printed; it must end well, in time and without complaints."""
    try:
        output, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert process.returncode == 0, f"{process.returncode}: {errors}"
    assert not errors
    return output


def run(program: str = RUN, **changes: Any) -> Any:
    """What a program reports."""
    return json.loads(finished(started(program, **changes)))
