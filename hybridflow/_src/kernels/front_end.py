"""Numba's front end, with as much of it as kernels need: they are plain functions of numbers.

Most of the time that a kernel takes to be made is spent here, from Python's bytecode to LLVM's
text. So what Numba does for closures, arrays, exceptions, objects and the ends of their lives is
left out, types that calls give are remembered from one kernel to the next, and LLVM improves a
kernel once, at the end. Names that are assigned to several times are left to LLVM too, if all that
they stand for is of one type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from numba.core import codegen, compiler, cpu, errors, ir, types
from numba.core.compiler_machinery import AnalysisPass, PassManager, register_pass
from numba.core.typed_passes import (
    NativeLowering,
    NoPythonBackend,
    NopythonTypeInference,
    PreLowerStripPhis,
)
from numba.core.typing import templates
from numba.core.typing.builtins import NumberClassAttribute
from numba.core.typing.context import Context
from numba.core.untyped_passes import FixupArgs, IRProcessing, ReconstructSSA, TranslateByteCode

# What Numba knows of numbers, loops and constants comes with these.
from numba.cpython import builtins, numbers, rangeobj, tupleobj  # noqa: F401
from numba.misc import literal  # noqa: F401


@register_pass(mutates_CFG=False, analysis_only=True)
class _OneTypeEach(AnalysisPass):
    """Refuses names that stand for values of several types."""

    _name = "one_type_each"

    def __init__(self) -> None:
        AnalysisPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        kinds: dict[str, set[Any]] = {}
        for block in state.func_ir.blocks.values():
            for line in block.find_insts(ir.Assign):
                given = kinds.setdefault(line.target.name, set())
                given.add(_kind_of(line.value, state))
        for name, given in kinds.items():
            if len(given) > 1:
                raise errors.TypingError(f"{name} stands for {sorted(map(str, given))}")
        return False


def _kind_of(value: Any, state: Any) -> Any:
    """The type of what a name is assigned."""
    if isinstance(value, ir.Var):
        return types.unliteral(state.typemap[value.name])
    if isinstance(value, ir.Const):
        return types.unliteral(state.typingctx.resolve_value_type(value.value))
    signature = state.calltypes.get(value)
    return None if signature is None else types.unliteral(signature.return_type)


_TYPED = (NativeLowering, NoPythonBackend)
_PASSES = (TranslateByteCode, FixupArgs, NopythonTypeInference, _OneTypeEach, *_TYPED)
# Where a name has several types, each assignment makes another one of it.
_WITH_NAMES = (
    *(TranslateByteCode, FixupArgs, IRProcessing, ReconstructSSA),
    *(NopythonTypeInference, PreLowerStripPhis, *_TYPED),
)


def _pipeline(passes: Iterable[Any]) -> PassManager:
    made = PassManager("kernel")
    for one in passes:
        made.add_pass(one, one.__name__)
    made.finalize()
    return made


class _Pipeline(compiler.CompilerBase):
    def define_pipelines(self) -> list[PassManager]:
        # If one of them fails, Numba goes on with the next.
        return [_pipeline(_PASSES), _pipeline(_WITH_NAMES)]


class _Typing(Context):
    """What calls give: it depends on the types alone of what is called and of its arguments."""

    def __init__(self) -> None:
        self._found: dict[Any, Any] = {}
        super().__init__()  # type: ignore[no-untyped-call]

    def load_additional_registries(self) -> None:
        """Loads none: they are of arrays and the like, and would be asked at each operator."""

    def install_registry(self, registry: Any) -> None:
        """Leaves out attributes but that by which types are called: for those of arrays, lists and
        the like Numba loads all that it knows of them.
        """
        is_first = registry not in self._registries
        loader = self._registries.setdefault(registry, templates.RegistryLoader(registry))
        for _ in loader.new_registrations("attributes"):
            pass
        super().install_registry(registry)  # type: ignore[no-untyped-call]
        if is_first:
            self.insert_attributes(NumberClassAttribute(self))  # type: ignore[no-untyped-call]

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
        self._sizes: dict[Any, int] = {}
        self._internal_codegen = _Codegen("kernels")  # type: ignore[no-untyped-call]

    def get_abi_sizeof(self, ty: Any) -> int:
        """The size of a type of LLVM's, which Numba asks for each variable anew."""
        found = self._sizes.get(ty)
        if found is None:
            found = self._sizes[ty] = super().get_abi_sizeof(ty)  # type: ignore[no-untyped-call]
        return found

    def load_additional_registries(self) -> None:
        """Loads none: what kernels do with numbers is there when its modules are imported."""

    def post_lowering(self, module: Any, library: Any) -> None:
        """Adds nothing: Numba's own functions are about objects and arrays."""


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
