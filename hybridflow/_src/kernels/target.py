"""The machine that kernels are compiled for and loaded on: this one."""

from __future__ import annotations

import functools
import importlib
from typing import Any

from hybridflow._src.framework.locks import holding, new_lock

_importing = new_lock()


def _llvm() -> Any:
    """llvmlite's binding, which is imported when it is first needed.

    A child must not be forked off in the middle of it: there it would never be imported.
    """
    return holding(_importing, importlib.import_module, "llvmlite.binding")


@functools.cache
def cpu() -> tuple[str, str]:
    """LLVM's names of this processor and of its features."""
    llvm = _llvm()
    found = llvm.get_host_cpu_features()
    features = found.flatten() if found else ""
    if "+avx512f" in features.split(","):
        # Left alone LLVM uses half of such a vector; vector math gains a quarter by the whole.
        features += ",-prefer-256-bit"
    return llvm.get_host_cpu_name(), features


def triple() -> str:
    """LLVM's name of the kind of machine, system and object format."""
    found: str = _llvm().get_process_triple()
    return found


@functools.cache
def target_machine(features: str = "") -> Any:
    """LLVM's description of this machine, or of one that is like it and has other features."""
    llvm = _llvm()
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    name, own = cpu()
    target = llvm.Target.from_triple(triple())
    return target.create_target_machine(
        cpu=name, features=features or own, opt=3, reloc="pic", jit=True
    )
