"""What vectors are for Numba: types of LLVM's vectors, and functions that load and store them.

Only a process that compiles imports it. Alignment is that of an element: vectors lie anywhere.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import models, register_model

from hybridflow._src.kernels import scalar
from hybridflow._src.kernels.intrinsics import intrinsic
from hybridflow._src.kernels.lowering_scalar import declare, register
from hybridflow._src.kernels.memory import ELEMENT_TYPES
from hybridflow._src.kernels.vectors import COMPUTED, FORMS, Form

_FLOATS = {"f16": ir.HalfType(), "f32": ir.FloatType(), "f64": ir.DoubleType()}
_NUMBERS = {"f32": types.float32, "f64": types.float64}
_I32 = ir.IntType(32)


class VectorType(types.Type):
    """The type of a vector: of numbers, or of the truth values that a comparison gives."""

    def __init__(self, name: str, llvm: ir.Type) -> None:
        self.llvm = llvm
        super().__init__(name)


register_model(VectorType)(lambda manager, kind: models.PrimitiveModel(manager, kind, kind.llvm))


def _splat(builder: Any, x: Any, lanes: int) -> Any:
    kind = ir.VectorType(x.type, lanes)
    undefined = ir.Constant(kind, ir.Undefined)
    one = builder.insert_element(undefined, x, ir.Constant(_I32, 0))
    return builder.shuffle_vector(one, undefined, ir.Constant(ir.VectorType(_I32, lanes), None))


def _first(builder: Any, count: Any, lanes: int) -> Any:
    """Which lanes are below a count."""
    numbers = ir.Constant(ir.VectorType(_I32, lanes), list(range(lanes)))
    return builder.icmp_signed("<", numbers, _splat(builder, builder.trunc(count, _I32), lanes))


def _call(builder: Any, name: str, result: ir.Type, *args: Any) -> Any:
    form = ir.FunctionType(result, [arg.type for arg in args])
    return builder.call(declare(builder, name, form), args)


def _functions(form: Form, vector: VectorType) -> dict[str, Any]:
    """The functions of a form, by name; they mean what `vectors` says."""
    number = _NUMBERS[COMPUTED[form.element]]
    stored, computed = _FLOATS[form.element], _FLOATS[COMPUTED[form.element]]
    memory = ir.VectorType(stored, form.lanes)
    size = np.dtype(ELEMENT_TYPES[form.element]).itemsize
    alignment = ir.Constant(_I32, size)
    # How LLVM names the intrinsics of such a vector.
    suffix = f"v{form.lanes}f{8 * size}.p0"

    def widened(builder: Any, x: Any, to: ir.Type) -> Any:
        return x if stored == computed else builder.fpext(x, to)

    def narrowed(builder: Any, x: Any) -> Any:
        return x if stored == computed else builder.fptrunc(x, memory)

    def pointer(builder: Any, address: Any, kind: ir.Type) -> Any:
        return builder.inttoptr(address, kind.as_pointer())

    def made(result: Any, *kinds: Any) -> Callable[[Callable[..., Any]], Any]:
        """Makes an intrinsic of these types of a function of a builder and LLVM's values."""

        def of(emit: Callable[..., Any]) -> Any:
            def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
                value = emit(builder, *args)
                return context.get_dummy_value() if value is None else value

            def definition(typingctx: Any, *args: Any) -> Any:
                return result(*kinds), codegen

            return intrinsic(definition)

        return of

    @made(vector, types.intp)
    def load(builder: Any, address: Any) -> Any:
        found = builder.load(pointer(builder, address, memory), align=size)
        return widened(builder, found, vector.llvm)

    @made(vector, types.intp, types.intp)
    def load_first(builder: Any, address: Any, count: Any) -> Any:
        at = pointer(builder, address, memory)
        which = _first(builder, count, form.lanes)
        zeros = ir.Constant(memory, None)
        name = f"llvm.masked.load.{suffix}"
        found = _call(builder, name, memory, at, alignment, which, zeros)
        return widened(builder, found, vector.llvm)

    @made(types.void, types.intp, vector)
    def store(builder: Any, address: Any, x: Any) -> None:
        builder.store(narrowed(builder, x), pointer(builder, address, memory), align=size)

    @made(types.void, types.intp, vector, types.intp)
    def store_first(builder: Any, address: Any, x: Any, count: Any) -> None:
        at = pointer(builder, address, memory)
        which = _first(builder, count, form.lanes)
        name = f"llvm.masked.store.{suffix}"
        _call(builder, name, ir.VoidType(), narrowed(builder, x), at, alignment, which)

    octets = ir.VectorType(ir.IntType(8), form.lanes)

    @made(vector, types.intp)
    def load_bytes(builder: Any, address: Any) -> Any:
        return builder.uitofp(builder.load(pointer(builder, address, octets), align=1), vector.llvm)

    @made(vector, types.intp, types.intp)
    def load_first_bytes(builder: Any, address: Any, count: Any) -> Any:
        at = pointer(builder, address, octets)
        which = _first(builder, count, form.lanes)
        given = at, ir.Constant(_I32, 1), which, ir.Constant(octets, None)
        found = _call(builder, f"llvm.masked.load.v{form.lanes}i8.p0", octets, *given)
        return builder.uitofp(found, vector.llvm)

    @made(types.void, types.intp, vector)
    def store_bytes(builder: Any, address: Any, x: Any) -> None:
        builder.store(builder.fptoui(x, octets), pointer(builder, address, octets), align=1)

    @made(types.void, types.intp, vector, types.intp)
    def store_first_bytes(builder: Any, address: Any, x: Any, count: Any) -> None:
        at = pointer(builder, address, octets)
        which = _first(builder, count, form.lanes)
        given = builder.fptoui(x, octets), at, ir.Constant(_I32, 1), which
        _call(builder, f"llvm.masked.store.v{form.lanes}i8.p0", ir.VoidType(), *given)

    @made(vector, types.intp)
    def spread(builder: Any, address: Any) -> Any:
        found = builder.load(pointer(builder, address, stored), align=size)
        return _splat(builder, widened(builder, found, computed), form.lanes)

    @made(vector, number)
    def splat(builder: Any, x: Any) -> Any:
        return _splat(builder, x, form.lanes)

    @made(number, vector)
    def add_up(builder: Any, x: Any) -> Any:
        lanes = form.lanes
        while lanes > 1:
            lanes //= 2
            halves = []
            for start in (0, lanes):
                which = ir.Constant(ir.VectorType(_I32, lanes), list(range(start, start + lanes)))
                halves.append(builder.shuffle_vector(x, ir.Constant(x.type, ir.Undefined), which))
            x = builder.fadd(*halves)
        return builder.extract_element(x, ir.Constant(_I32, 0))

    def zipped(builder: Any, a: Any, b: Any, start: int) -> Any:
        lanes = form.lanes
        which = [start + i // 2 + i % 2 * lanes for i in range(lanes)]
        return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_I32, lanes), which))

    @made(vector, vector, vector)
    def zip_low(builder: Any, a: Any, b: Any) -> Any:
        return zipped(builder, a, b, 0)

    @made(vector, vector, vector)
    def zip_high(builder: Any, a: Any, b: Any) -> Any:
        return zipped(builder, a, b, form.lanes // 2)

    functions = {
        "load": load,
        "load_first": load_first,
        "store": store,
        "store_first": store_first,
        "spread": spread,
        "splat": splat,
        "add_up": add_up,
        "zip_low": zip_low,
        "zip_high": zip_high,
        "load_bytes": load_bytes,
        "load_first_bytes": load_first_bytes,
        "store_bytes": store_bytes,
        "store_first_bytes": store_first_bytes,
    }
    return {f"{name}_{form.name}": function for name, function in functions.items()}


def _vector_type(element: str, llvm: ir.Type, lanes: int) -> VectorType:
    return VectorType(f"{element}x{lanes}", ir.VectorType(llvm, lanes))


_TRUTH = {
    lanes: _vector_type("b1", ir.IntType(1), lanes) for lanes in {f.lanes for f in FORMS.values()}
}
_ARITHMETIC = (operator.add, operator.sub, operator.mul, operator.truediv)
_COMPARISONS = (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne)
NAMESPACE: dict[str, Any] = {}
VECTORS: dict[str, VectorType] = {
    name: _vector_type(form.element, _FLOATS[form.element], form.lanes)
    for name, form in FORMS.items()
    if COMPUTED[form.element] == form.element
}
for _name, _form in FORMS.items():
    _vector = VECTORS[f"{COMPUTED[_form.element]}x{_form.lanes}"]
    NAMESPACE.update(_functions(_form, _vector))
for _vector in VECTORS.values():
    _truth = _TRUTH[_vector.llvm.count]
    for _function in _ARITHMETIC:
        register(_function, (_vector,) * 3)
    for _function in _COMPARISONS:
        register(_function, (_truth, _vector, _vector))
    register(scalar.fma, (_vector,) * 4)
    register(scalar.sqrt, (_vector,) * 2)
    register(scalar.select, (_vector, _truth, _vector, _vector))
