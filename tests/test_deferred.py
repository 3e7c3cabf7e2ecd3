"""Names that are imported when they are first used."""

from __future__ import annotations

import builtins
import pickle
import signal
import subprocess
import sys
import threading
import traceback

import pytest

import hybridflow as hf

PUBLIC = """
from {package} import _deferred

with _deferred.imports_of(__name__):
    from {package} import part
    from {package}._inner import one, two as second

__all__ = ["one", "part", "second"]
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package like ours, under a name that no other test uses."""
    name = "deferring_" + tmp_path.name.replace("-", "_")
    root = tmp_path / name
    root.mkdir()
    (root / "_deferred.py").write_text("from hybridflow._deferred import imports_of")
    (root / "_inner.py").write_text("one, two = [1], [2]")
    (root / "part.py").write_text("'A module of its own.'")
    (root / "__init__.py").write_text(PUBLIC.format(package=name))
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    for module in [m for m in sys.modules if m.split(".")[0] == name]:
        del sys.modules[module]


def test_nothing_is_imported_before_its_name_is_used(package):
    module = __import__(package)
    assert {f"{package}._inner", f"{package}.part"}.isdisjoint(sys.modules)
    assert not {"one", "part", "second"} & set(vars(module))
    assert module.one == [1]
    assert vars(module)["one"] is module.one is sys.modules[f"{package}._inner"].one
    assert f"{package}.part" not in sys.modules
    assert module.part is sys.modules[f"{package}.part"]
    assert module.second == [2]
    assert {"one", "part", "second"} <= set(dir(module))


def test_from_imports_and_stars(package):
    names: dict[str, object] = {}
    exec(f"from {package} import *", names)
    assert (names["one"], names["second"]) == ([1], [2])
    exec(f"from {package} import second as s, part", names)
    assert names["s"] is names["second"]


def test_what_is_not_there(package):
    module = __import__(package)
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'three'$") as e:
        _ = module.three
    assert e.value.name == "three"


def test_a_name_that_is_elsewhere(package, tmp_path):
    (tmp_path / package / "part.py").write_text("__all__ = ['other']\nother = 1")
    module = __import__(package)
    for where, name, there in ((module, "other", f"{package}.part.other"), (module, "ther", None)):
        with pytest.raises(AttributeError) as e:
            getattr(where, name)
        hint = f". Did you mean: {there!r}?" if there else ""
        assert str(e.value) == f"module {package!r} has no attribute {name!r}{hint}"


@pytest.mark.parametrize(
    ("typed", "meant"), [("secnd", "second"), ("par", "part"), ("ON", None), ("econd", None)]
)
def test_a_name_that_is_misspelled(package, typed, meant):
    with pytest.raises(AttributeError) as e:
        getattr(__import__(package), typed)
    hint = f". Did you mean: {meant!r}?" if meant else ""
    said = f"module {package!r} has no attribute {typed!r}{hint}"
    assert str(e.value) == said
    assert traceback.format_exception_only(e.type, e.value) == [f"AttributeError: {said}\n"]
    assert str(pickle.loads(pickle.dumps(e.value))) == said


def test_an_import_that_fails_is_tried_again(package, tmp_path):
    module = __import__(package)
    inner = tmp_path / package / "_inner.py"
    inner.write_text("raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        _ = module.one
    inner.write_text("one, two = 'mended', 0")
    assert module.one == "mended"


def test_an_import_goes_on_when_who_waits_for_it_is_interrupted(package, tmp_path):
    module = __import__(package)
    (tmp_path / package / "_inner.py").write_text(
        "import os, signal, time\n"
        "os.kill(os.getpid(), signal.SIGALRM)\n"
        "time.sleep(0.2)\n"
        "with open(__file__ + '.count', 'a') as file:\n"
        "    file.write('imported ')\n"
        "one, two = [1], [2]\n"
    )

    def interrupt(number, frame):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            _ = module.one
    finally:
        signal.signal(signal.SIGALRM, before)
    assert (module.one, module.second) == ([1], [2])
    assert (tmp_path / package / "_inner.py.count").read_text() == "imported "


def test_imports_elsewhere_are_as_ever(package, tmp_path):
    """Also while names are noted, and afterwards."""
    usual = builtins.__import__
    (tmp_path / package / "_deferred.py").write_text(
        "import contextlib, sys, threading\n"
        "from hybridflow import _deferred\n"
        "seen = []\n"
        "def elsewhere():\n"
        "    from string import digits\n"
        "    seen.append(digits)\n"
        "@contextlib.contextmanager\n"
        "def imports_of(name):\n"
        "    with _deferred.imports_of(name):\n"
        "        elsewhere()\n"
        "        thread = threading.Thread(target=elsewhere)\n"
        "        thread.start()\n"
        "        thread.join()\n"
        "        yield\n"
    )
    module = __import__(package)
    assert module._deferred.seen == ["0123456789"] * 2
    assert module.one == [1]
    assert builtins.__import__ is usual


def test_threads_get_the_same(package):
    module = __import__(package)
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(module.one)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(value) for value in found}) == 1
    assert len(found) == 8


def test_hybridflow_imports_no_implementation():
    program = (
        "import sys, hybridflow, hybridflow.nn, hybridflow.train\n"
        "print([m for m in sys.modules if m.startswith('hybridflow._src') or m == 'numpy'])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("module", "name", "said"),
    [
        (hf, "math", "its functions are in `hf` itself, such as `hf.sqrt`"),
        (hf, "optimizers", "optimizers are in `hf.train`"),
        (hf.keras, "optimizers", "optimizers are in `hf.train`"),
    ],
)
def test_modules_of_later_tensorflows_say_where_their_names_are(module, name, said):
    with pytest.raises(AttributeError, match=f"has no attribute '{name}': {said}"):
        getattr(module, name)
