"""What `import hybridflow` offers: names, documents, one home for each, nothing forgotten."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import hybridflow as hf

ROOT = Path(hf.__file__).resolve().parent
# Packages of names alone, and what is no part of the names.
MODULES = sorted(
    name
    for _, name, _ in pkgutil.walk_packages([str(ROOT)], "hybridflow.")
    if not name.startswith(("hybridflow._src", "hybridflow._examples"))
    and name not in ("hybridflow.__main__", "hybridflow._deferred")
)

# Functions of the layer above, the command line: what IPython and pytest call, and programs.
WAYS_IN = {"as_tensorflow", "load_ipython_extension", "pytest_addoption"}


@pytest.mark.parametrize("name", ["hybridflow", *MODULES])
def test_a_public_module_only_re_exports(name):
    module = importlib.import_module(name)
    assert module.__doc__
    names = module.__all__
    assert len(set(names)) == len(names)
    for item in names:
        assert hasattr(module, item), item
        assert not item.startswith("_") or item == "__version__"
    source = Path(module.__file__).read_text(encoding="utf-8")
    assert "import *" not in source
    for node in ast.parse(source).body:
        assert not isinstance(node, ast.ClassDef), node.name
        if isinstance(node, ast.FunctionDef):
            assert node.name in WAYS_IN


@pytest.mark.parametrize("name", ["hybridflow", *MODULES])
def test_every_public_object_is_documented(name):
    module = importlib.import_module(name)
    for item in module.__all__:
        value = getattr(module, item)
        if inspect.isclass(value) or inspect.isroutine(value):
            assert inspect.getdoc(value), f"{name}.{item}"


def offered():
    """The names in `__all__` of the implementation's modules above the framework."""
    for layer in (
        "ops",
        "autodiff",
        "graphs",
        "variables",
        "runtime",
        "losses",
        "metrics",
        "layers",
        "summary",
        "train",
        "saved_model",
        "distributed",
    ):
        for path in sorted((ROOT / "_src" / layer).rglob("*.py")):
            if path.stem == "__init__":
                continue
            dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            module = importlib.import_module(f"hybridflow.{dotted}")
            for item in getattr(module, "__all__", ()):
                yield module, item


# Offered to other modules of the implementation, not to programs.
NOT_PUBLIC = {
    "hybridflow._src.ops.control_flow.ordering.with_dependencies",
    "hybridflow._src.ops.arrays.indexing.getitem",
    "hybridflow._src.ops.control_flow.script_ops.eagerly",
    "hybridflow._src.ops.data_flow.session_tensors.TensorHandle",
    "hybridflow._src.ops.state.locking.locked",
    "hybridflow._src.ops.operators.OPERATORS",
    "hybridflow._src.ops.operators.install",
    "hybridflow._src.ops.math.ranking.TopKV2",
    "hybridflow._src.ops.random.bounded.parameterized_truncated_normal",
    "hybridflow._src.variables.averaging.assign_moving_average",
    "hybridflow._src.variables.serialization.Names",
    "hybridflow._src.variables.template.Template",
}


def test_nothing_offered_is_forgotten():
    public = {
        id(getattr(importlib.import_module(name), item))
        for name in ("hybridflow", *MODULES)
        for item in importlib.import_module(name).__all__
    }
    modules = {
        "special_math",
        "incomplete_math",
        "gamma_samples_math",
        "training",
        "scaling_initializers",
        "regularizers",
    }
    forgotten = {
        f"{module.__name__}.{item}"
        for module, item in offered()
        if module.__name__.rpartition(".")[2] not in modules
        if id(getattr(module, item)) not in public
    }
    assert forgotten == NOT_PUBLIC


def test_the_version_is_that_of_the_project():
    project = (ROOT.parent / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{hf.__version__}"' in project
    assert re.fullmatch(r"\d+\.\d+\.\d+", hf.__version__)


def test_submodules_on_demand():
    program = (
        "import sys, hybridflow as hf\n"
        "print('hybridflow.train' in sys.modules, 'train' in dir(hf))\n"
        "print(hf.train.AdamOptimizer.__name__, hf.train is sys.modules['hybridflow.train'])\n"
        "from hybridflow import constraints\n"
        "print(constraints is hf.constraints)\n"
        "try:\n    hf.nonsense\nexcept AttributeError as error:\n    print(error)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines() == [
        "False True",
        "AdamOptimizer True",
        "True",
        "module 'hybridflow' has no attribute 'nonsense'",
    ]


def test_a_star_import_gives_all():
    space: dict[str, object] = {}
    exec("from hybridflow import *", space)
    assert set(hf.__all__) <= set(space)
