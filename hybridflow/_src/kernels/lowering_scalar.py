"""What the scalar primitives and the vector math are for Numba: importing this tells it.

Only a process that compiles imports it. Numba's front end would take some 65 ms for a function like
exp; one without branches does not need it. `Value` stands for a value of the program and has
Python's operators, so that *calling* such a function writes its instructions into the caller.

Every instruction is one of the processor's where it has fused multiply-add, as all have had since
2013; elsewhere `fma` is a slow call of the C library, which the loader must then find, as it must
find `fmod` everywhere.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature

from hybridflow._src.kernels import division, scalar
from hybridflow._src.kernels.vector_math import FUNCTIONS

Builder: TypeAlias = ir.IRBuilder

_F32, _F64, _BOOL = ir.FloatType(), ir.DoubleType(), ir.IntType(1)
_I32, _I64 = ir.IntType(32), ir.IntType(64)
_FLOATS = (_F32, _F64)
_NUMBA = {
    "float32": types.float32,
    "float64": types.float64,
    "int32": types.int32,
    "int64": types.int64,
    "bool": types.boolean,
}
_DTYPES = {
    "float32": _F32,
    "float64": _F64,
    "int32": _I32,
    "int64": _I64,
    "bool": _BOOL,
}


class Value(scalar.Traced):
    """A value in a function that LLVM compiles."""

    __slots__ = ("builder", "ir")

    def __init__(self, builder: Builder, value: ir.Value) -> None:
        self.builder = builder
        self.ir = value

    def apply(self, primitive: scalar.Meaning, arguments: tuple[Any, ...]) -> Any:
        return _PRIMITIVES[primitive](self.builder, *arguments)

    def __neg__(self) -> Value:
        b = self.builder
        return Value(b, b.fneg(self.ir) if _is_float(self.ir.type) else b.neg(self.ir))

    def __invert__(self) -> Value:
        return Value(self.builder, self.builder.not_(self.ir))

    def like(self, other: Any) -> ir.Value:
        """`other`, a Python number of any type or a value of this one's."""
        return _constant(self.ir.type, other)


def _is_float(kind: ir.Type) -> bool:
    """Whether a type is one of floats, or of vectors of them."""
    return (kind.element if isinstance(kind, ir.VectorType) else kind) in _FLOATS


def _constant(kind: ir.Type, x: Any) -> ir.Value:
    if isinstance(x, Value):
        if x.ir.type != kind:
            raise TypeError(f"operands of types {kind} and {x.ir.type}")
        return x.ir
    if isinstance(x, np.generic) and _DTYPES[x.dtype.name] != kind:
        raise TypeError(f"operands of types {kind} and {x.dtype.name}")
    return ir.Constant(kind, float(x) if kind in _FLOATS else int(x))


def _infix(for_floats: str, for_ints: str) -> tuple[Any, Any]:
    """The method of an operator and the one of the operator reflected."""

    def emit(self: Value, left: ir.Value, right: ir.Value) -> Any:
        instruction = for_floats if _is_float(self.ir.type) else for_ints
        if not instruction:
            return NotImplemented
        return Value(self.builder, getattr(self.builder, instruction)(left, right))

    def forward(self: Value, other: Any) -> Any:
        return emit(self, self.ir, self.like(other))

    def reflected(self: Value, other: Any) -> Any:
        return emit(self, self.like(other), self.ir)

    return forward, reflected


def _comparison(symbol: str) -> Any:
    def method(self: Value, other: Any) -> Value:
        b = self.builder
        if not _is_float(self.ir.type):
            compare = b.icmp_signed
        else:
            compare = b.fcmp_unordered if symbol == "!=" else b.fcmp_ordered
        return Value(b, compare(symbol, self.ir, self.like(other)))

    return method


_OPERATORS = [  # with the instructions for floats and for integers
    ("add", "fadd", "add"),
    ("sub", "fsub", "sub"),
    ("mul", "fmul", "mul"),
    ("truediv", "fdiv", ""),
    ("and", "", "and_"),
    ("or", "", "or_"),
    ("xor", "", "xor"),
    ("lshift", "", "shl"),
    ("rshift", "", "ashr"),
]
_COMPARISONS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
for _name, _floats, _ints in _OPERATORS:
    _forward, _reflected = _infix(_floats, _ints)
    setattr(Value, f"__{_name}__", _forward)
    setattr(Value, f"__r{_name}__", _reflected)
for _name, _symbol in _COMPARISONS.items():
    setattr(Value, f"__{_name}__", _comparison(_symbol))


# -- primitives ------------------------------------------------------------------------------------


def _operands(*arguments: Any) -> list[ir.Value]:
    """The arguments as values of one type: Python numbers take that of the others."""
    kinds = [a.ir.type for a in arguments if isinstance(a, Value)]
    kinds += [_DTYPES[a.dtype.name] for a in arguments if isinstance(a, np.generic)]
    if not kinds:
        raise TypeError(f"of what type are {arguments}?")
    return [_constant(kinds[0], a) for a in arguments]


def declare(builder: Builder, name: str, form: ir.FunctionType) -> Any:
    """A function of LLVM's by its full name: llvmlite itself declares none of vectors."""
    module = builder.module
    return module.globals.get(name) or ir.Function(module, form, name)


def call_intrinsic(builder: Builder, name: str, operands: list[ir.Value]) -> ir.Value:
    """Calls an LLVM intrinsic whose operands and result have one type of floats."""
    kind = operands[0].type
    vector = isinstance(kind, ir.VectorType)
    element = kind.element if vector else kind
    suffix = (f"v{kind.count}" if vector else "") + element.intrinsic_name
    form = ir.FunctionType(kind, [kind] * len(operands))
    return builder.call(declare(builder, f"llvm.{name}.{suffix}", form), operands)


def _intrinsic(name: str) -> Callable[..., Value]:
    def emit(builder: Builder, *arguments: Any) -> Value:
        return Value(builder, call_intrinsic(builder, name, _operands(*arguments)))

    return emit


def _bitcast(kind: ir.Type) -> Callable[..., Value]:
    return lambda builder, x: Value(builder, builder.bitcast(x.ir, kind))


def _cast(kind: ir.Type) -> Callable[..., Value]:
    def emit(builder: Builder, x: Value) -> Value:
        return Value(builder, _converted(builder, x.ir, kind))

    return emit


def _converted(b: Builder, x: ir.Value, kind: ir.Type) -> ir.Value:
    if x.type == kind:
        return x
    if x.type in _FLOATS:
        if kind in _FLOATS:
            return b.fpext(x, kind) if kind == _F64 else b.fptrunc(x, kind)
        return b.fptosi(x, kind)
    if kind in _FLOATS:
        return b.uitofp(x, kind) if x.type == _BOOL else b.sitofp(x, kind)
    if x.type == _BOOL:
        return b.zext(x, kind)
    return b.sext(x, kind) if kind == _I64 else b.trunc(x, kind)


def _select(builder: Builder, condition: Value, a: Any, b: Any) -> Value:
    return Value(builder, builder.select(condition.ir, *_operands(a, b)))


def _fmod(builder: Builder, x: Any, y: Any) -> Value:
    return Value(builder, builder.frem(*_operands(x, y)))


_PRIMITIVES: dict[scalar.Meaning, Callable[..., Value]] = {
    scalar.f32: _cast(_F32),
    scalar.f64: _cast(_F64),
    scalar.i32: _cast(_I32),
    scalar.i64: _cast(_I64),
    scalar.bits32: _bitcast(_I32),
    scalar.from_bits32: _bitcast(_F32),
    scalar.bits64: _bitcast(_I64),
    scalar.from_bits64: _bitcast(_F64),
    scalar.select: _select,
    scalar.rint: _intrinsic("rint"),
    scalar.floor: _intrinsic("floor"),
    scalar.ceil: _intrinsic("ceil"),
    scalar.trunc: _intrinsic("trunc"),
    scalar.sqrt: _intrinsic("sqrt"),
    scalar.fabs: _intrinsic("fabs"),
    scalar.copysign: _intrinsic("copysign"),
    scalar.fma: _intrinsic("fma"),
    scalar.fmod: _fmod,
}


# -- what Numba knows ------------------------------------------------------------------------------


def register(function: Callable[..., Any], *cases: tuple[Any, ...]) -> None:
    """Makes a function without branches callable in kernels.

    Args:
      function: made of primitives and operators, or itself one of these.
      cases: for each the dtypes of the result and of the arguments, or Numba's types.
    """
    signatures = [signature(*(_NUMBA.get(kind, kind) for kind in case)) for case in cases]

    class Template(ConcreteTemplate):
        key = function
        cases = signatures
        unsafe_casting = False  # a float64 is no float32

    def lower(context: Any, builder: Builder, _: Any, arguments: tuple[ir.Value, ...]) -> ir.Value:
        return function(*(Value(builder, argument) for argument in arguments)).ir

    infer_global(function, types.Function(Template))
    for case in signatures:
        lowered: Any = lower_builtin(function, *case.args)
        lowered(lower)


_CASTS = {"float32": scalar.f32, "float64": scalar.f64, "int32": scalar.i32, "int64": scalar.i64}
_UNARY = [scalar.rint, scalar.floor, scalar.ceil, scalar.trunc, scalar.sqrt, scalar.fabs]
for _dtype, _function in _CASTS.items():
    register(_function, *((_dtype, of) for of in _DTYPES))
register(scalar.bits32, ("int32", "float32"))
register(scalar.from_bits32, ("float32", "int32"))
register(scalar.bits64, ("int64", "float64"))
register(scalar.from_bits64, ("float64", "int64"))
register(scalar.select, *((dtype, "bool", dtype, dtype) for dtype in _DTYPES))
for _function in _UNARY:
    register(_function, *((dtype,) * 2 for dtype in ("float32", "float64")))
for _function in (scalar.copysign, scalar.fmod, division.remainder, division.floor_divide):
    register(_function, *((dtype,) * 3 for dtype in ("float32", "float64")))
register(scalar.fma, *((dtype,) * 4 for dtype in ("float32", "float64")))
for (_, _dtype), _function in FUNCTIONS.items():
    _arguments = len(inspect.signature(_function).parameters)
    register(_function, (_dtype,) * (1 + _arguments))
