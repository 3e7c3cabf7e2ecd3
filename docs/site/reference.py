"""The pages of the API reference: which public names there are, and where each is described.

A name that several modules offer is described once, where it bears its own name, and is a reference
to that place elsewhere.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Modules in the order of the reference. `hybridflow` itself is divided by layer.
MODULES = [
    "hybridflow",
    "hybridflow.nn",
    "hybridflow.nn.rnn_cell",
    "hybridflow.linalg",
    "hybridflow.image",
    "hybridflow.spectral",
    "hybridflow.bitwise",
    "hybridflow.layers",
    "hybridflow.distributions",
    "hybridflow.distributions.bijectors",
    "hybridflow.losses",
    "hybridflow.metrics",
    "hybridflow.data",
    "hybridflow.data.experimental",
    "hybridflow.distributed",
    "hybridflow.python_io",
    "hybridflow.pywrap_tensorflow",
    "hybridflow.user_ops",
    "hybridflow.train",
    "hybridflow.summary",
    "hybridflow.graph_util",
    "hybridflow.saved_model",
    "hybridflow.saved_model.builder",
    "hybridflow.saved_model.loader",
    "hybridflow.saved_model.main_op",
    "hybridflow.saved_model.signature_def_utils",
    "hybridflow.saved_model.utils",
    "hybridflow.saved_model.constants",
    "hybridflow.saved_model.signature_constants",
    "hybridflow.saved_model.tag_constants",
    "hybridflow.constraints",
    "hybridflow.keras.activations",
    "hybridflow.keras.backend",
    "hybridflow.keras.constraints",
    "hybridflow.keras.initializers",
    "hybridflow.keras.layers",
    "hybridflow.initializers",
    "hybridflow.contrib.crf",
    "hybridflow.contrib.data",
    "hybridflow.contrib.distributions",
    "hybridflow.contrib.distributions.bijectors",
    "hybridflow.contrib.eager",
    "hybridflow.contrib.eager.metrics",
    "hybridflow.contrib.framework",
    "hybridflow.contrib.graph_editor",
    "hybridflow.contrib.image",
    "hybridflow.contrib.layers",
    "hybridflow.contrib.learn",
    "hybridflow.contrib.learn.preprocessing",
    "hybridflow.contrib.legacy_seq2seq",
    "hybridflow.contrib.lookup",
    "hybridflow.contrib.opt",
    "hybridflow.contrib.predictor",
    "hybridflow.contrib.rnn",
    "hybridflow.contrib.seq2seq",
    "hybridflow.contrib.signal",
    "hybridflow.contrib.staging",
    "hybridflow.contrib.summary",
    "hybridflow.contrib.training",
    "hybridflow.contrib.util",
    "hybridflow.keras.regularizers",
    "hybridflow.errors",
    "hybridflow.flags",
    "hybridflow.app",
    "hybridflow.test",
    "hybridflow.compat",
    "hybridflow.gfile",
    "hybridflow.logging",
]
LAYERS = {
    "graphs": (
        "hybridflow: modes, graphs, gradients",
        (
            "_src.framework",
            "_src.runtime",
            "_src.autodiff",
            "_src.graphs",
            "_src.formats",
            "_src.cli",
            "errors",
        ),
    ),
    "variables": ("hybridflow: variables", ("_src.variables",)),
    "operations": ("hybridflow: operations", ("_src.ops",)),
}
# What has no module of its own to tell where it belongs.
_SOURCES = {
    "AUTO_REUSE": "variables.scope",
    "CXX11_ABI_FLAG": "framework.c_api",
    "GRAPH_DEF_VERSION": "graphs.exporting",
    "GRAPH_DEF_VERSION_MIN_CONSUMER": "graphs.exporting",
    "GRAPH_DEF_VERSION_MIN_PRODUCER": "graphs.exporting",
    "MONOLITHIC_BUILD": "framework.c_api",
    "QUANTIZED_DTYPES": "framework.dtypes",
    "as_tensorflow": "cli.shim.process",
    "newaxis": "ops.arrays.indexing",
}


class Name:
    """A public name.

    Attributes:
      path: the module and the name.
      value: what it stands for.
      home: the path where that is described.
    """

    def __init__(self, module: str, name: str, homes: dict[int, str]) -> None:
        self.name = name
        self.path = f"{module}.{name}"
        self.value = getattr(importlib.import_module(module), name)
        self.home = self.path if self.is_data() else homes[id(self.value)]

    def is_data(self) -> bool:
        return not (inspect.isclass(self.value) or inspect.isroutine(self.value))

    def source(self) -> str:
        """The module that defines it."""
        if self.name in _SOURCES:
            return f"hybridflow._src.{_SOURCES[self.name]}"
        if self.is_data():
            return type(self.value).__module__
        return str(inspect.unwrap(self.value).__module__)

    def rst(self) -> list[str]:
        """Its description, or a reference to it."""
        if self.is_data():
            return self._data()
        kind = "class" if inspect.isclass(self.value) else "function"
        if self.home != self.path:
            return [
                f".. py:{kind}:: {self.path}{_signature(self.value)}",
                "",
                f"   The same as :py:obj:`{self.home}`.",
                "",
            ]
        options = [] if kind == "function" else _class_options(self.value)
        return [f".. auto{kind}:: {self.path}", *options, ""]

    def _data(self) -> list[str]:
        shown = repr(self.value)
        value = [f"   :value: {shown}"] if not re.search(r"\bat 0x", shown) else []
        return [f".. py:data:: {self.path}", *value, ""]


def _signature(value: Any) -> str:
    try:
        parameters = inspect.signature(value).parameters.values()
    except ValueError:  # a message's class, which is made in C
        return ""
    plain = [p.replace(annotation=inspect.Parameter.empty) for p in parameters]
    return str(inspect.Signature(plain))


def _class_options(cls: type) -> list[str]:
    """Members of a class and of bases that have no description of their own."""
    public = {id(value) for value in _values()}
    ends = [base.__name__ for base in cls.__mro__[1:] if id(base) in public]
    others = [base for base in cls.__mro__[1:] if base.__module__.split(".")[0] != "hybridflow"]
    # Classes of elsewhere, which would be described once for each class that names them.
    foreign = [name for name, value in inspect.getmembers(cls, inspect.isclass) if name[0] != "_"]
    return [
        "   :members:",
        f"   :inherited-members: {', '.join([*ends, *(base.__name__ for base in others)])}",
        *([f"   :exclude-members: {', '.join(foreign)}"] if foreign else []),
    ]


def _values() -> list[Any]:
    return [
        getattr(importlib.import_module(module), name)
        for module in MODULES
        for name in importlib.import_module(module).__all__
    ]


def names() -> dict[str, list[Name]]:
    """All public names but modules, by module."""
    listed = [
        (module, name, getattr(importlib.import_module(module), name))
        for module in MODULES
        for name in importlib.import_module(module).__all__
        if name != "__version__"
    ]
    listed = [item for item in listed if not inspect.ismodule(item[2])]
    homes: dict[int, str] = {}
    for module, name, value in listed:
        homes.setdefault(id(value), f"{module}.{name}")
    # Better where it bears its own name, and best in the module that it says it is of.
    tests: list[Callable[[str, str, Any], bool]] = [
        lambda module, name, value: getattr(value, "__name__", "") == name,
        lambda module, name, value: getattr(value, "__module__", "") == module,
    ]
    for is_home in tests:
        for module, name, value in reversed(listed):
            if is_home(module, name, value):
                homes[id(value)] = f"{module}.{name}"
    found: dict[str, list[Name]] = {module: [] for module in MODULES}
    for module, name, _ in sorted(listed, key=lambda item: item[1].lower()):
        found[module].append(Name(module, name, homes))
    return found


def pages() -> dict[str, str]:
    """The pages, as reStructuredText by file name."""
    found = {}
    public = names()
    root = public.pop("hybridflow")
    for page, (title, layers) in LAYERS.items():
        prefixes = tuple(f"hybridflow.{layer}" for layer in layers)
        mine = [name for name in root if name.source().startswith(prefixes)]
        root = [n for n in root if n not in mine]
        found[page] = _root_page(title, mine)
    if root:
        raise ValueError(f"no page has {[name.path for name in root]}")
    for module, members in public.items():
        summary = inspect.getdoc(importlib.import_module(module)) or ""
        lines = [*_heading(module, "="), summary, "", f".. py:module:: {module}", ""]
        for name in members:
            lines += name.rst()
        found[module.removeprefix("hybridflow.")] = "\n".join(lines)
    return found


def _root_page(title: str, members: list[Name]) -> str:
    """Names of `hybridflow` under what the modules that define them say they are about."""
    lines = [*_heading(title, "="), ".. py:currentmodule:: hybridflow", ""]
    topics: dict[str, list[Name]] = {}
    for name in members:
        topics.setdefault(name.source(), []).append(name)
    headings = {module: _topic(module) for module in topics}
    for module in sorted(topics, key=lambda module: headings[module][0].strip("`").lower()):
        heading, more = headings[module]
        lines += [*_heading(heading, "-"), more, ""]
        for name in topics[module]:
            lines += name.rst()
    return "\n".join(lines)


def _topic(module: str) -> tuple[str, str]:
    """What a module is about, by its first sentence: a few words, and what follows their colon."""
    text = inspect.getdoc(importlib.import_module(module)) or module
    sentence = re.split(r"\.(?:\s|$)", " ".join(text.split("\n\n")[0].split()))[0]
    heading, _, more = sentence.partition(": ")
    return re.split("[;,] ", heading)[0], f"{more[:1].upper()}{more[1:]}." if more else ""


def _heading(text: str, mark: str) -> list[str]:
    return [text, mark * len(text), ""]


def classes(module: str) -> str:
    """A table of a module's classes, with the first line of what each says of itself."""
    rows = ["| | |", "|---|---|"]
    for name in names()[module]:
        if inspect.isclass(name.value):
            said = (inspect.getdoc(name.value) or "").splitlines()[0]
            rows.append(f"| {{py:obj}}`{name.name} <{name.path}>` | {said} |")
    return "\n".join(rows) + "\n"


def write(folder: Path) -> None:
    """Writes the pages into a folder, and the table of constraints beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {folder / f"{page}.rst": text for page, text in pages().items()}
    files[folder.parent / "constraints.md"] = classes("hybridflow.constraints")
    for path, text in files.items():
        # A page that is as it was need not be built again.
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
