"""What the scalar primitives and the vector math are for Numba. Only a compiling process imports it.

Numba's front end takes some 40 ms for a function of twenty lines, each time; functions without
branches do not need one. `Value` stands for a value of the program and has Python's operators, so
*calling* such a function writes its instructions into the caller: it is inlined before LLVM sees it.
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

from hybridflow._src.kernels import scalar
from hybridflow._src.kernels.vector_math import FUNCTIONS

Builder: TypeAlias = ir.IRBuilder

_F32, _F64, _BOOL = ir.FloatType(), ir.DoubleType(), ir.IntType(1)
_I32, _I64 = ir.IntType(32), ir.IntType(64)
_FLOATS = (_F32, _F64)
_NUMBA = {
    _F32: types.float32,
    _F64: types.float64,
    _I32: types.int32,
    _I64: types.int64,
    _BOOL: types.boolean,
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
        return Value(b, b.fneg(self.ir) if self.ir.type in _FLOATS else b.neg(self.ir))

    def __invert__(self) -> Value:
        return Value(self.builder, self.builder.not_(self.ir))

    def like(self, other: Any) -> ir.Value:
        """`other`, a Python number of any type or a value of this one's."""
        return _constant(self.ir.type, other)


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

    def emit(self: Value, left: ir.Value, right: ir.Value) -> Value:
        instruction = for_floats if self.ir.type in _FLOATS else for_ints
        return Value(self.builder, getattr(self.builder, instruction)(left, right))

    def forward(self: Value, other: Any) -> Value:
        return emit(self, self.ir, self.like(other))

    def reflected(self: Value, other: Any) -> Value:
        return emit(self, self.like(other), self.ir)

    return forward, reflected


def _comparison(symbol: str) -> Any:
    def method(self: Value, other: Any) -> Value:
        b = self.builder
        if self.ir.type not in _FLOATS:
            compare = b.icmp_signed
        else:
            compare = b.fcmp_unordered if symbol == "!=" else b.fcmp_ordered
        return Value(b, compare(symbol, self.ir, self.like(other)))

    return method


for _name, _floats, _ints in [
    ("add", "fadd", "add"),
    ("sub", "fsub", "sub"),
    ("mul", "fmul", "mul"),
    ("truediv", "fdiv", ""),
    ("and", "", "and_"),
    ("or", "", "or_"),
    ("xor", "", "xor"),
    ("lshift", "", "shl"),
    ("rshift", "", "ashr"),
]:
    _forward, _reflected = _infix(_floats, _ints)
    setattr(Value, f"__{_name}__", _forward)
    setattr(Value, f"__r{_name}__", _reflected)
for _name, _symbol in [
    ("lt", "<"),
    ("le", "<="),
    ("gt", ">"),
    ("ge", ">="),
    ("eq", "=="),
    ("ne", "!="),
]:
    setattr(Value, f"__{_name}__", _comparison(_symbol))


# -- primitives ------------------------------------------------------------------------------------


def _operands(*arguments: Any) -> list[ir.Value]:
    """The arguments as values of one type: Python numbers take that of the others."""
    kinds = [a.ir.type for a in arguments if isinstance(a, Value)]
    kinds += [_DTYPES[a.dtype.name] for a in arguments if isinstance(a, np.generic)]
    if not kinds:
        raise TypeError(f"of what type are {arguments}?")
    return [_constant(kinds[0], a) for a in arguments]


def _intrinsic(name: str) -> Callable[..., Value]:
    """An LLVM intrinsic whose operands and result have one type of floats."""

    def emit(builder: Builder, *arguments: Any) -> Value:
        operands = _operands(*arguments)
        kind = operands[0].type
        function = builder.module.declare_intrinsic(
            f"llvm.{name}", [kind], ir.FunctionType(kind, [kind] * len(operands))
        )
        return Value(builder, builder.call(function, operands))

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


def _lookup(builder: Builder, table: np.ndarray, index: Value) -> Value:
    kind = _DTYPES[table.dtype.name]
    content = ir.Constant(ir.ArrayType(kind, table.size), table.tolist())
    name = f"table.{kind}.{hash(table.tobytes()):x}"
    try:
        constant = builder.module.get_global(name)
    except KeyError:
        constant = ir.GlobalVariable(builder.module, content.type, name)
        constant.initializer = content
        constant.global_constant = True
        constant.linkage = "private"
    place = builder.gep(constant, [_I64(0), _converted(builder, index.ir, _I64)], inbounds=True)
    return Value(builder, builder.load(place))


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
    scalar.lookup: _lookup,
    scalar.rint: _intrinsic("rint"),
    scalar.floor: _intrinsic("floor"),
    scalar.ceil: _intrinsic("ceil"),
    scalar.trunc: _intrinsic("trunc"),
    scalar.sqrt: _intrinsic("sqrt"),
    scalar.fabs: _intrinsic("fabs"),
    scalar.copysign: _intrinsic("copysign"),
    scalar.fma: _intrinsic("fma"),
}


# -- what Numba knows ------------------------------------------------------------------------------


def _register(function: Callable[..., Any], cases: list[tuple[ir.Type, ...]]) -> None:
    """Makes `function` callable in kernels: each case is the type of the result, then arguments'."""
    signatures = [signature(*(_NUMBA[kind] for kind in case)) for case in cases]

    class Template(ConcreteTemplate):
        cases = signatures
        unsafe_casting = False  # a float64 is no float32

    def lower(context: Any, builder: Builder, _: Any, arguments: tuple[ir.Value, ...]) -> ir.Value:
        return function(*(Value(builder, argument) for argument in arguments)).ir

    infer_global(function)(Template)
    for case in signatures:
        lower_builtin(function, *case.args)(lower)


_ALL = tuple(_NUMBA)
for _kind, _function in [
    (_F32, scalar.f32),
    (_F64, scalar.f64),
    (_I32, scalar.i32),
    (_I64, scalar.i64),
]:
    _register(_function, [(_kind, of) for of in _ALL])
_register(scalar.bits32, [(_I32, _F32)])
_register(scalar.from_bits32, [(_F32, _I32)])
_register(scalar.bits64, [(_I64, _F64)])
_register(scalar.from_bits64, [(_F64, _I64)])
_register(scalar.select, [(kind, _BOOL, kind, kind) for kind in _ALL])
for _function in [
    scalar.rint, scalar.floor, scalar.ceil, scalar.trunc, scalar.sqrt, scalar.fabs,
]:  # fmt: skip
    _register(_function, [(kind, kind) for kind in _FLOATS])
_register(scalar.copysign, [(kind,) * 3 for kind in _FLOATS])
_register(scalar.fma, [(kind,) * 4 for kind in _FLOATS])
for (_, _dtype), _function in FUNCTIONS.items():
    _arguments = len(inspect.signature(_function).parameters)
    _register(_function, [(_DTYPES[_dtype],) * (1 + _arguments)])
