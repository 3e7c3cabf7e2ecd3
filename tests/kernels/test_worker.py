"""The compile worker's process: what it imports, where it comes from, when there is none."""

from __future__ import annotations

import compileall
import os
import shutil
import subprocess
import sys
import zipfile

import pytest

from hybridflow._src.kernels import kernel
from tests.kernels import processes

PACKAGE = processes.ROOT / "hybridflow"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A new folder for kernels."""
    monkeypatch.setenv("HYBRIDFLOW_CACHE_DIR", str(tmp_path / "kernels"))


def ran(path, *, pythonpath="", **changes):
    """What a script reports that is run as a user runs it: with its folder first in the path."""
    environment = {**os.environ, "PYTHONPATH": str(pythonpath), **changes}
    found = subprocess.run(
        [sys.executable, str(path)], env=environment, capture_output=True, text=True, timeout=120
    )
    assert found.returncode == 0, found.stderr
    assert not found.stderr
    return processes.json.loads(found.stdout)


def check(found):
    assert found["programs"] == 1, found["problems"]
    assert found["compiled"]
    assert not found["failed"]


def hidden(folder):
    """Files of a user's that are named as what Numba and Python look for."""
    names = ["yaml", "timeit", "coverage", "scipy", "sitecustomize", "usercustomize", "setuptools"]
    for name in [*names, "pipes", "json", "ctypes", "IPython", "psutil", "threadpoolctl"]:
        (folder / f"{name}.py").write_text(
            "import os\n"
            "if 'HYBRIDFLOW_COMPILE_WORKER' in os.environ:\n"
            f"    open({str(folder / 'ran')!r}, 'a').write('{name} ')\n"
            "    raise SystemExit('a file of the user ran')\n"
            f"{'raise ImportError' if name in ('scipy', 'coverage') else ''}\n"
        )
    (folder / "json.py").unlink()  # the program itself uses these two
    (folder / "ctypes.py").unlink()


@pytest.mark.parametrize("where", ["beside the script", "in the working folder", "PYTHONPATH"])
def test_no_file_of_the_users_runs_in_the_worker(tmp_path, monkeypatch, where):
    files, scripts = tmp_path / "files", tmp_path / "scripts"
    files.mkdir()
    scripts.mkdir()
    hidden(files)
    script = (files if where == "beside the script" else scripts) / "program.py"
    script.write_text(processes.RUN)
    if where == "in the working folder":
        monkeypatch.chdir(files)
    # The package itself may lie beside them too.
    (files / "hybridflow").symlink_to(PACKAGE, target_is_directory=True)
    path = processes.ROOT if where == "in the working folder" else files
    check(ran(script, pythonpath=path))
    assert not (files / "ran").exists()


def test_a_package_in_an_archive(tmp_path):
    archive = tmp_path / "packages.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in (*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.bin*")):
            file.write(path, path.relative_to(PACKAGE.parent))
    script = tmp_path / "program.py"
    script.write_text(processes.RUN + "assert '.zip' in hf.__file__\n")
    check(ran(script, pythonpath=archive))


def without_source(package):
    """Leaves compiled files alone in a package."""
    assert compileall.compile_dir(package, quiet=2, legacy=True, force=True)
    for path in package.rglob("*.py"):
        path.unlink()


SPARSE = """
table = hf.get_variable("table", initializer=np.ones([4, 3], np.float32))
rows = hf.nn.embedding_lookup(table, hf.placeholder_with_default([1, 2], [None])) * 2.0
session.run(table.initializer)
print(hf.explain(rows, session=session))
"""


def test_an_installation_without_source(tmp_path):
    packages = tmp_path / "packages"
    without_source(shutil.copytree(PACKAGE, packages / "hybridflow"))
    script = tmp_path / "program.py"
    script.write_text(processes.RUN + "assert hf.__file__.endswith('.pyc')\n")
    check(ran(script, pythonpath=packages))
    # Kernels that are written by hand are their source: that is said.
    script.write_text(processes.TRAIN + SPARSE)
    found = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(packages)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "the source of its kernel is not installed" in found.stdout, found.stderr


KEY = """
import sys
from hybridflow._src.kernels.kernel import environment
print(environment().splitlines()[0])
"""


def generator(packages):
    """The hash of the generator in a key."""
    environment = {**os.environ, "PYTHONPATH": str(packages)}
    command = [sys.executable, "-c", KEY]
    return subprocess.run(
        command, cwd=packages, env=environment, capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.parametrize("kind", ["with source", "without source"])
def test_a_key_tells_of_every_module_of_the_generator(tmp_path, kind):
    def of(name, change=""):
        packages = tmp_path / name
        copy = shutil.copytree(PACKAGE, packages / "hybridflow")
        with (copy / "_src/kernels/vector_math/power.py").open("a") as file:
            file.write(change)
        if kind == "without source":
            without_source(copy)
        return generator(packages)

    first = of("first")
    assert len(first.strip()) == 64
    assert of("second") == first
    assert of("third", "\n_more = 1\n") != first


def test_a_key_without_the_generator_is_none(monkeypatch):
    monkeypatch.setattr("pkgutil.iter_modules", lambda path: iter(()))
    kernel.environment.cache_clear()
    with pytest.raises(ImportError, match="not to be seen"):
        kernel.environment()


# -- where there is no Python for it ---------------------------------------------------------------

APP = """
import os, sys
with open(sys.argv[1], "a") as file:
    file.write("started ")
    started = file.tell() > len("started ")
if started:
    sys.exit()
{how}
sys.executable = os.environ["APP"]
"""


@pytest.mark.parametrize(
    ("how", "name", "times", "why"),
    [
        ("sys.frozen = True", "app", 1, "a frozen app has no Python"),
        ("", "app", 1, "is no Python"),
        # Whatever it is that is started: it does not start others.
        ("", "python-app", 2, "does not run the compile worker"),
    ],
)
def test_an_app_does_not_start_itself_over_and_over(tmp_path, how, name, times, why):
    log, app, script = tmp_path / "log", tmp_path / name, tmp_path / "program.py"
    script.write_text(APP.format(how=how) + processes.RUN)
    app.write_text(f"#!/bin/sh\nexec {sys.executable} {script} {log}\n")
    app.chmod(0o755)
    environment = {**os.environ, "PYTHONPATH": str(processes.ROOT), "APP": str(app)}
    output = subprocess.run([app], env=environment, capture_output=True, text=True, timeout=120)
    assert output.returncode == 0, output.stderr
    assert log.read_text().split() == ["started"] * times
    found = processes.json.loads(output.stdout)
    assert not found["programs"]
    assert why in found["problems"][0]
    assert not output.stderr


def test_the_worker_starts_no_worker(tmp_path):
    found = processes.run(HYBRIDFLOW_COMPILE_WORKER="1")
    assert not found["programs"]
    assert "does not start another one" in found["problems"][0]


def test_a_frozen_app_loads_what_is_in_the_cache(tmp_path):
    check(processes.run())
    found = processes.run("import sys; sys.frozen = True\n" + processes.RUN)
    assert found["programs"] == 1, found["problems"]
    assert found["loaded"]
    assert not found["compiled"]
