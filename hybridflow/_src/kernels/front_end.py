"""Numba's front end, with as much of it as kernels need: they are plain functions of numbers.

Most of the time that a kernel takes to be made is spent here, from Python's bytecode to LLVM's
text. So what Numba does for closures, arrays, exceptions and objects is left out, types that calls
give are remembered from one kernel to the next, and LLVM improves a kernel once, at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba.core import codegen, compiler, cpu, types
from numba.core.compiler_machinery import PassManager
from numba.core.typed_passes import (
    AnnotateTypes,
    IRLegalization,
    NativeLowering,
    NoPythonBackend,
    NopythonTypeInference,
    PreLowerStripPhis,
)
from numba.core.typing.context import Context
from numba.core.untyped_passes import FixupArgs, IRProcessing, ReconstructSSA, TranslateByteCode

_PASSES = (
    TranslateByteCode,
    FixupArgs,
    IRProcessing,
    ReconstructSSA,
    NopythonTypeInference,
    PreLowerStripPhis,
    IRLegalization,
    AnnotateTypes,
    NativeLowering,
    NoPythonBackend,
)


class _Pipeline(compiler.CompilerBase):
    def define_pipelines(self) -> list[PassManager]:
        passes = PassManager("kernel")
        for one in _PASSES:
            passes.add_pass(one, one.__name__)
        passes.finalize()
        return [passes]


class _Typing(Context):
    """What calls give: it depends on the types alone of what is called and of its arguments."""

    def __init__(self) -> None:
        self._found: dict[Any, Any] = {}
        super().__init__()  # type: ignore[no-untyped-call]

    def load_additional_registries(self) -> None:
        """Loads none: they are of arrays and the like, and would be asked at each operator."""

    def resolve_function_type(self, func: Any, args: Any, kws: Any) -> Any:
        key = func, tuple(args), tuple(kws)
        found = self._found.get(key)
        if found is None:
            found = super().resolve_function_type(func, args, kws)  # type: ignore[no-untyped-call]
            if found is not None:
                self._found[key] = found
        return found


class _Library(codegen.JITCodeLibrary):
    """Text for LLVM that is not improved yet."""

    def _optimize_functions(self, module: Any) -> None:
        module.data_layout = self._codegen._data_layout


class _Codegen(codegen.JITCPUCodegen):
    _library_class = _Library


class _Target(cpu.CPUContext):
    def init(self) -> None:
        super().init()
        self._internal_codegen = _Codegen("kernels")  # type: ignore[no-untyped-call]


_TYPING = _Typing()
_TARGET = _Target(_TYPING)  # type: ignore[no-untyped-call]


def _flags() -> Any:
    flags: Any = compiler.Flags()
    flags.no_compile = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
    flags.nrt = False
    flags.error_model = "numpy"
    return flags


def compiled(function: Callable[..., int]) -> Any:
    """What Numba makes of a function whose arguments and result are 64-bit integers."""
    kinds = (types.intp,) * function.__code__.co_argcount
    _TYPING.refresh()  # type: ignore[no-untyped-call]
    _TARGET.refresh()  # type: ignore[no-untyped-call]
    given: Any = _TYPING, _TARGET, None, kinds, types.intp, _flags(), {}
    return _Pipeline(*given).compile_extra(function)  # type: ignore[no-untyped-call]
