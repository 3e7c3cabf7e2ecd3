"""What tests run under, which the conftest.py beside `tests` sets up."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from hybridflow._src.kernels import cache

ROOT = Path(__file__).parents[1]


def test_kernels_are_kept_apart_from_the_users():
    assert cache.folder() == os.environ["HYBRIDFLOW_CACHE_DIR"]
    assert Path(cache.folder()) != Path("~/.cache/hybridflow").expanduser()


def test_ctrl_c_is_heard_where_the_shell_ignores_it(tmp_path):
    """Also in processes that tests start."""
    program = "import signal; assert signal.getsignal(signal.SIGINT) is signal.default_int_handler"
    (tmp_path / "test_it.py").write_text(
        f"import subprocess, sys\ndef test_it():\n    {program}\n"
        f"    subprocess.run([sys.executable, '-c', {program!r}], check=True)\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-c", "/dev/null", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "--confcutdir", "/", "--rootdir", tmp_path, "-p", "conftest", tmp_path],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


VENV = """
say() { printf '==> %s\\n' "$*"; }
install_package() { venv_python=$root/python; }
"""
# Stands for Python: notes how it was called, and fails as pytest.
PYTHON = """#!/usr/bin/env bash
printf '%s\\n' "$*" >>"$(dirname "$0")/calls"
[[ "$2" != pytest && "$2" != pip ]]
"""


def scripts_test(folder, *arguments):
    """Runs scripts/test in a project of stand-ins; gives its process and what Python was called."""
    for name, text in (("_venv.sh", VENV), ("docs", "#!/bin/sh\n"), ("../python", PYTHON)):
        path = folder / "scripts" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    shutil.copy(ROOT / "scripts" / "test", folder / "scripts")
    done = subprocess.run(
        [folder / "scripts" / "test", *arguments], capture_output=True, text=True, check=False
    )
    return done, (folder / "calls").read_text().splitlines()


def test_every_part_runs_and_those_that_failed_are_named(tmp_path):
    done, calls = scripts_test(tmp_path)
    assert done.returncode == 1
    # Some run beside others.
    failed = sorted(line.partition(": ")[2][:6] for line in done.stderr.splitlines())
    assert failed == ["pytest", "pytest", "wheel:"]
    called = sorted(call.split()[1] for call in calls)
    assert called == ["mypy", "pip", "pytest", "pytest", "ruff", "ruff"]
    assert "all passed" not in done.stdout


def test_arguments_go_to_pytest_and_nothing_else_runs(tmp_path):
    done, calls = scripts_test(tmp_path, "-k", "digits")
    assert done.returncode == 1
    assert calls == ["-m pytest -k digits"]
