"""Compiles kernels: Numba as the front end, LLVM through llvmlite. The compile worker imports it.

What comes out is object code with one exported function per kernel, `void name(int64 *args)` (or
another signature of integers), that refers to nothing outside but what it names.
"""

from __future__ import annotations

import functools
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types

from hybridflow._src.kernels import division, front_end, lowering_vectors, scalar, target
from hybridflow._src.kernels.intrinsics import intrinsic
from hybridflow._src.kernels.loader import PYTHON_FUNCTIONS

# Importing lowering_scalar and lowering_vectors tells Numba of functions and of operators.
from hybridflow._src.kernels.lowering_scalar import call_intrinsic
from hybridflow._src.kernels.memory import ELEMENT_TYPES, SCALARS
from hybridflow._src.kernels.vector_math import FUNCTIONS

_NUMBA_TYPES = {
    "f16": types.float32,  # in memory alone it is half
    "f32": types.float32,
    "f64": types.float64,
    "b1": types.boolean,
    **{
        f"{sign[0]}{bits}": getattr(types, f"{name}{bits}")
        for sign, name in (("i", "int"), ("u", "uint"))
        for bits in (8, 16, 32, 64)
    },
}
_WORD = ir.IntType(64)
_DOMAIN = "hybridflow"
_SCOPES = 32


# -- intrinsics ------------------------------------------------------------------------------------


def _storage_type(short: str) -> ir.Type:
    if short == "f16":
        return ir.HalfType()
    if short == "f32":
        return ir.FloatType()
    if short == "f64":
        return ir.DoubleType()
    return ir.IntType(8 if short == "b1" else int(short[1:]))


@functools.lru_cache(1)
def _scopes(module: ir.Module) -> list[tuple[Any, Any]]:
    """For each buffer what LLVM calls it in a module, and what all the others."""
    domain = module.add_metadata([ir.MetaDataString(module, _DOMAIN)])
    nodes = [
        module.add_metadata([ir.MetaDataString(module, f"{_DOMAIN}.{i}"), domain])
        for i in range(_SCOPES)
    ]
    return [
        (
            module.add_metadata([node]),
            module.add_metadata([other for other in nodes if other is not node]),
        )
        for node in nodes
    ]


def _mark(builder: Any, instruction: Any, scope: int) -> None:
    """Says that an access touches the buffer `scope` and none of the others.

    Buffers of higher numbers count as one.
    """
    own, others = _scopes(builder.module)[min(scope, _SCOPES - 1)]
    instruction.set_metadata("alias.scope", own)
    instruction.set_metadata("noalias", others)


def _element(builder: Any, short: str, address: Any, index: Any) -> Any:
    pointer = builder.inttoptr(address, _storage_type(short).as_pointer())
    return builder.gep(pointer, [index])


def _load(short: str) -> Any:
    numba_type = _NUMBA_TYPES[short]

    def load(typingctx: Any, address: Any, index: Any, scope: Any) -> Any:
        number = scope.literal_value

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            value = builder.load(_element(builder, short, args[0], args[1]))
            _mark(builder, value, number)
            if short == "f16":
                value = builder.fpext(value, ir.FloatType())
            if short == "b1":
                value = builder.icmp_unsigned("!=", value, ir.Constant(value.type, 0))
            return value

        return numba_type(types.intp, types.intp, scope), codegen

    load.__name__ = f"load_{short}"
    return intrinsic(load, literal=True)


def _store(short: str) -> Any:
    numba_type = _NUMBA_TYPES[short]

    def store(typingctx: Any, address: Any, index: Any, scope: Any, value: Any) -> Any:
        number = scope.literal_value

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            content = args[3]
            if short == "f16":
                content = builder.fptrunc(content, ir.HalfType())
            if short == "b1":
                content = builder.zext(content, ir.IntType(8))
            done = builder.store(content, _element(builder, short, args[0], args[1]))
            _mark(builder, done, number)
            return context.get_dummy_value()

        return types.void(types.intp, types.intp, scope, numba_type), codegen

    store.__name__ = f"store_{short}"
    return intrinsic(store, literal=True)


def _word_pointer(builder: Any, address: Any, index: Any) -> Any:
    pointer = builder.inttoptr(address, _WORD.as_pointer())
    return builder.gep(pointer, [index])


@intrinsic
def _word(typingctx: Any, args: Any, index: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_word_pointer(builder, *arguments))

    return types.intp(types.intp, types.intp), codegen


@intrinsic
def _set_word(typingctx: Any, args: Any, index: Any, value: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[2], _word_pointer(builder, *arguments[:2]))
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, types.intp), codegen


@intrinsic
def _shared_word(typingctx: Any, address: Any, index: Any) -> Any:
    """A word that another thread writes."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load_atomic(_word_pointer(builder, *args), "acquire", 8)

    return types.intp(types.intp, types.intp), codegen


@intrinsic
def _exchange_word(typingctx: Any, address: Any, index: Any, old: Any, new: Any) -> Any:
    """Puts `new` in the place of `old`, if that is there; gives what was there."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = _word_pointer(builder, *args[:2])
        found = builder.cmpxchg(pointer, args[2], args[3], "seq_cst", "seq_cst")
        return builder.extract_value(found, 0)

    return types.intp(types.intp, types.intp, types.intp, types.intp), codegen


@intrinsic
def _pause(typingctx: Any) -> Any:
    """Tells the processor that a thread waits for another one."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if target.triple().startswith(("x86_64", "i686")):
            kind = ir.FunctionType(ir.VoidType(), [])
            builder.call(builder.module.declare_intrinsic("llvm.x86.sse2.pause", (), kind), [])
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def _fetch_line(typingctx: Any, address: Any) -> Any:
    """Has the processor fetch the line of an address into its nearest cache, meanwhile."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        fetch = builder.module.declare_intrinsic("llvm.prefetch", (byte,), kind)
        # To read, to be kept in all caches, data.
        builder.call(fetch, [builder.inttoptr(args[0], byte), number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(types.intp), codegen


def _reassociated(name: str) -> Any:
    """The operation of a reduction whose order the compiler may choose."""

    def operation(typingctx: Any, a: Any, b: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            if isinstance(args[0].type, ir.IntType):
                return getattr(builder, name)(*args)
            return getattr(builder, f"f{name}")(*args, flags=("reassoc",))

        return a(a, a), codegen

    return intrinsic(operation)


def _extreme(name: str) -> Any:
    """`maximum` and `minimum` of floats, which are NaN if one of them is."""

    def operation(typingctx: Any, a: Any, b: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return call_intrinsic(builder, name, list(args))

        return a(a, a), codegen

    return intrinsic(operation)


def _chosen(symbol: str) -> Any:
    """Python's `max` or `min` of two numbers: the second if it is `>` or `<` the first."""

    def operation(typingctx: Any, a: Any, b: Any) -> Any:
        kind = typingctx.unify_types(types.unliteral(a), types.unliteral(b))

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            first, second = args
            floats = isinstance(first.type, ir.FloatType | ir.DoubleType)
            compare = builder.fcmp_ordered if floats else builder.icmp_signed
            return builder.select(compare(symbol, second, first), second, first)

        return kind(kind, kind), codegen

    return intrinsic(operation)


@intrinsic
def _half(typingctx: Any, x: Any) -> Any:
    """A number rounded to half precision, as a float32."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value = context.cast(builder, args[0], signature.args[0], types.float32)
        return builder.fpext(builder.fptrunc(value, ir.HalfType()), ir.FloatType())

    return types.float32(x), codegen


@intrinsic
def _not(typingctx: Any, a: Any) -> Any:
    return types.boolean(a), lambda context, builder, signature, args: builder.not_(args[0])


@intrinsic
def _function_at(typingctx: Any, address: Any, *args: Any) -> Any:
    count = len(args)

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        function = ir.FunctionType(_WORD, [_WORD] * count).as_pointer()
        return builder.call(builder.inttoptr(arguments[0], function), arguments[1:])

    return types.intp(*[types.intp] * (1 + count)), codegen


def _python_function(name: str, count: int) -> Any:
    """A function of the Python interpreter that takes and gives words."""
    return types.ExternalFunction(name, types.intp(*(types.intp,) * count))


def _gemm(short: str, bits: int) -> Any:
    real = _NUMBA_TYPES[short]

    def gemm(
        typingctx: Any,
        function: Any,
        ta: Any,
        tb: Any,
        m: Any,
        n: Any,
        k: Any,
        alpha: Any,
        a: Any,
        lda: Any,
        b: Any,
        ldb: Any,
        beta: Any,
        c: Any,
        ldc: Any,
    ) -> Any:
        intp = types.intp

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            enum, size = ir.IntType(32), ir.IntType(bits)
            number, pointer = _storage_type(short), _storage_type(short).as_pointer()
            kinds = [
                enum,
                enum,
                enum,
                size,
                size,
                size,
                number,
                pointer,
                size,
                pointer,
                size,
                number,
                pointer,
                size,
            ]
            given = [ir.Constant(_WORD, 101), *args[1:]]
            values = []
            for kind, value in zip(kinds, given, strict=True):
                if isinstance(kind, ir.PointerType):
                    value = builder.inttoptr(value, kind)
                elif kind != value.type:
                    value = builder.trunc(value, kind)
                values.append(value)
            signature = ir.FunctionType(ir.VoidType(), kinds).as_pointer()
            builder.call(builder.inttoptr(args[0], signature), values)
            return context.get_dummy_value()

        return types.void(
            intp, intp, intp, intp, intp, intp, real, intp, intp, intp, intp, real, intp, intp
        ), codegen

    gemm.__name__ = f"gemm{bits}_{short}"
    return intrinsic(gemm)


NAMESPACE: dict[str, Any] = {
    "function_at": _function_at,
    "max": _chosen(">"),
    "min": _chosen("<"),
    "maximum": _extreme("maximum"),
    "minimum": _extreme("minimum"),
    "not_": _not,
    "remainder": division.remainder,
    "floor_divide": division.floor_divide,
    "reassociated_add": _reassociated("add"),
    "reassociated_multiply": _reassociated("mul"),
    **{name: getattr(scalar, name) for name in SCALARS},
    **{
        f"{name}_{'f32' if dtype == 'float32' else 'f64'}": function
        for (name, dtype), function in FUNCTIONS.items()
    },
    "exchange_word": _exchange_word,
    "fetch_line": _fetch_line,
    "pause": _pause,
    "set_word": _set_word,
    "shared_word": _shared_word,
    "word": _word,
    **{f"load_{short}": _load(short) for short in ELEMENT_TYPES},
    **{f"store_{short}": _store(short) for short in ELEMENT_TYPES},
    **{f"gemm{bits}_{short}": _gemm(short, bits) for bits in (32, 64) for short in ("f32", "f64")},
    **lowering_vectors.NAMESPACE,
    **ELEMENT_TYPES,
    "f16": _half,
    **{name: _python_function(name, count) for name, count in PYTHON_FUNCTIONS.items()},
}


# -- compiling -------------------------------------------------------------------------------------

_ENTRY = """
define i64 @{symbol}({parameters}) {{
  %result = alloca i64
  %raised = alloca ptr
  %status = call i32 @{function}(ptr %result, ptr %raised, {parameters})
  %value = load i64, ptr %result
  ret i64 %value
}}
"""


def compile_kernel(source: str, symbol: str, machine: Any = None) -> bytes:
    """Object code with the function `kernel` of a source text under the name `symbol`.

    Its arguments and its result are 64-bit integers. It is for this machine unless another one of
    LLVM's target machines is given.
    """
    namespace = dict(NAMESPACE)
    # The source comes from this package's own process, through a pipe of its own.
    exec(compile(source, f"<{symbol}>", "exec"), namespace)
    function = namespace["kernel"]
    count = function.__code__.co_argcount
    made = front_end.compiled(function)
    parameters = ", ".join(f"i64 %a{i}" for i in range(count))
    entry = _ENTRY.format(symbol=symbol, function=made.fndesc.llvm_func_name, parameters=parameters)
    module = llvm.parse_assembly(str(made.library._final_module) + entry)
    return _object_code(module, symbol, machine or target.target_machine())


def _object_code(module: Any, symbol: str, machine: Any) -> bytes:
    for item in (*module.functions, *module.global_variables):
        if not item.is_declaration and item.name != symbol:
            item.linkage = "internal"
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = True
    options.slp_vectorization = True
    passes = llvm.create_pass_builder(machine, options)
    passes.getModulePassManager().run(module, passes)
    code: bytes = machine.emit_object(module)
    return code
