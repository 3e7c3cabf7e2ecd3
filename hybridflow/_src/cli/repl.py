"""The interactive prompt: `hybridflow`, or `hybridflow repl`."""

from __future__ import annotations

import importlib.util
import platform
import sys

import numpy as np

import hybridflow as hf
from hybridflow._src.cli import console, ipython

_BANNER = "hybridflow {version}, eager mode, Python {python}. Bound: hf, np. {hint}"
_WITH_IPYTHON = "Try hf.variables(), %%graph."
_WITHOUT = (
    "Try hf.variables().\nIPython is not installed, so this is Python's own console: "
    "`pip install ipython` brings it, with %%graph cells."
)


def start() -> int:
    """Opens the prompt in eager mode, with `hf` and `np` bound; gives the exit status."""
    hf.enable_eager_execution()
    namespace = {"hf": hf, "np": np}
    # IPython is for a person; lines from a file or a pipe need no more than Python.
    at_terminal = sys.stdin is not None and sys.stdin.isatty()
    with_ipython = at_terminal and importlib.util.find_spec("IPython") is not None
    banner = _BANNER.format(
        version=hf.__version__,
        python=platform.python_version(),
        hint=_WITH_IPYTHON if with_ipython else _WITHOUT,
    )
    if with_ipython:
        ipython.start(banner + "\n", namespace)
    else:
        console.start(banner, namespace)
    return 0
