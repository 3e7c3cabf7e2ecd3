"""Python's operators on tensors; variables take theirs from here.

`a + b` on two eager tensors of one dtype goes straight to NumPy, and tapes are told; everything
else takes the ordinary way through an op record.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import context, dtypes, fp
from hybridflow._src.framework.dispatch import EagerOp, record
from hybridflow._src.framework.eager_tensor import EagerTensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.sparse_tensor import SparseTensor
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops.arrays.indexing import getitem
from hybridflow._src.ops.families import INEXACT, NUMBERS, REALS
from hybridflow._src.ops.linalg import products
from hybridflow._src.ops.math import comparison, division, elementwise, exponential
from hybridflow._src.ops.sparse import cwise

if TYPE_CHECKING:
    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.op_def import OpDef

__all__ = ["OPERATORS", "install"]

# Values whose failed conversion is an error of the program: no `__radd__` of theirs is asked.
_PLAIN = (bool, int, float, complex, str, bytes, list, tuple, np.ndarray, np.generic)


def _xor(x: Any, y: Any, name: str) -> Tensor:
    with name_scope(None, name, [x, y]) as scope:
        return comparison.logical_xor(x, y, name=scope)


def _mul(x: Any, y: Any, name: str) -> Any:
    if isinstance(y, SparseTensor):
        return cwise.multiply(y, x)
    return elementwise.multiply(x, y, name=name)


# method name without underscores: (op function, name of the op in a graph)
_BINARY: dict[str, tuple[Callable[..., Any], str]] = {
    "add": (elementwise.add, "add"),
    "sub": (elementwise.subtract, "sub"),
    "mul": (_mul, "mul"),
    "truediv": (division.truediv, "truediv"),
    "div": (division.div, "div"),  # of Python 2, which libraries name
    "floordiv": (division.floordiv, "floordiv"),
    "mod": (division.floormod, "mod"),
    "pow": (exponential.pow, "pow"),
    "matmul": (products.matmul, "matmul"),
    "and": (comparison.logical_and, "and"),
    "or": (comparison.logical_or, "or"),
    "xor": (_xor, "xor"),
}
# method name: (op function, name of the op in a graph, method that Python asks of the other side)
_COMPARISONS: dict[str, tuple[Callable[..., Any], str, str]] = {
    "lt": (comparison.less, "Less", "gt"),
    "le": (comparison.less_equal, "LessEqual", "ge"),
    "gt": (comparison.greater, "Greater", "lt"),
    "ge": (comparison.greater_equal, "GreaterEqual", "le"),
}
_UNARY: dict[str, Callable[..., Any]] = {
    "neg": elementwise.negative,
    "abs": elementwise.abs,
    "invert": comparison.logical_not,
}
# The methods that `install` sets, but for indexing.
OPERATORS = tuple(
    f"__{method}__"
    for method in (*_BINARY, *[f"r{method}" for method in _BINARY], *_COMPARISONS, *_UNARY)
)


def _left(function: Callable[..., Any], name: str, reflected: str) -> Callable[[Any, Any], Any]:
    """The method for `self <operator> other`."""

    def method(self: Any, other: Any) -> Any:
        try:
            return function(self, other, name=name)
        except TypeError:
            if isinstance(other, (*_PLAIN, Tensor)) or not hasattr(type(other), reflected):
                raise
            # `other` is of a class that may know how to combine itself with a tensor.
            return NotImplemented

    return method


def _right(function: Callable[..., Any], name: str) -> Callable[[Any, Any], Any]:
    """The method for `other <operator> self`."""

    def method(self: Any, other: Any) -> Any:
        return function(other, self, name=name)

    return method


def _unary(function: Callable[..., Any]) -> Callable[[Any], Any]:
    def method(self: Any) -> Any:
        return function(self)

    return method


def _getitem(self: Any, key: Any) -> Any:
    return getitem(self, key)


def install(cls: Any) -> None:
    """Gives a class the operators of tensors; its objects must convert to tensors.

    Equality and hashing stay those of the class: tensors compare by identity, as in TF 1.4.
    """
    for method, (function, name) in _BINARY.items():
        setattr(cls, f"__{method}__", _left(function, name, f"__r{method}__"))
        setattr(cls, f"__r{method}__", _right(function, name))
    for method, (function, name, mirrored) in _COMPARISONS.items():
        setattr(cls, f"__{method}__", _left(function, name, f"__{mirrored}__"))
    for method, function in _UNARY.items():
        setattr(cls, f"__{method}__", _unary(function))
    cls.__getitem__ = _getitem


# -- the short way for eager tensors ---------------------------------------------------------------

_UFUNCS: dict[str, tuple[Any, tuple[DType, ...], OpDef]] = {
    "add": (np.add, NUMBERS, raw.Add),
    "sub": (np.subtract, NUMBERS, raw.Sub),
    "mul": (np.multiply, NUMBERS, raw.Mul),
    "truediv": (np.true_divide, INEXACT, raw.RealDiv),
}
_NO_ATTRIBUTES: dict[str, Any] = {}
_COMPARING_UFUNCS = {"lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal}


def _quiet_runner() -> Callable[..., Any]:
    """A function that calls `function(*arguments)` with floating-point status ignored.

    It enters a context in which that is set once and for all, which costs 20 ns where setting and
    resetting it costs 200. Another thread that is inside (NumPy lets go of the GIL in large arrays)
    makes it raise RuntimeError.
    """
    quiet = contextvars.Context()
    quiet.run(fp.silence)
    return quiet.run


Method = Callable[[Any, Any], Any]
_modes, _tapes, _quietly = context.modes, context.tapes, _quiet_runner()


def _with_number(
    ufunc: Callable[..., Any], types: tuple[DType, ...], gives: DType | None, long: Method
) -> Method:
    """The method for an eager tensor and a Python number, which takes the dtype of the array."""
    served = {
        float: frozenset(id(dtype) for dtype in types if dtype in INEXACT),
        int: frozenset(id(dtype) for dtype in types),
    }

    def method(self: EagerTensor, number: Any) -> Any:
        dtype = self._dtype
        if id(dtype) not in served.get(type(number), ()) or _tapes.top or not _modes.top.eager:
            return long(self, number)
        try:
            array = _quietly(ufunc, self._a, number)
        except (OverflowError, RuntimeError):
            return long(self, number)
        return EagerTensor(np.asarray(array), gives or dtype)

    return method


def _short(
    ufunc: Callable[..., Any],
    types: tuple[DType, ...],
    gives: DType | None,
    op: OpDef | None,
    long: Method,
) -> Method:
    """A binary method of `EagerTensor` that calls the NumPy function where nothing else is to do.

    `gives` is the result's dtype, or None for that of the operands; `op` is what tapes record, None
    where no gradient flows; `long` does everything else, and shows what is wrong with operands for
    which the NumPy function fails.
    """
    # Everything that the method needs is a local of this function: globals are slower.
    modes, tapes, quietly = _modes, _tapes, _quietly
    eager, new, ndarray, asarray = EagerTensor, object.__new__, np.ndarray, np.asarray
    # By identity: `==` of dtypes takes names too, and is slower.
    served = frozenset(id(dtype) for dtype in types)
    otherwise = _with_number(ufunc, types, gives, long)

    def method(self: EagerTensor, other: Any) -> Any:
        dtype = self._dtype
        if (
            type(other) is not eager
            or other._dtype is not dtype
            or not (dtype.is_floating or id(dtype) in served)
            or not modes.entries[-1].item.eager
        ):
            if hasattr(type(other), "_as_tensor") and modes.entries[-1].item.eager:
                return method(self, other._as_tensor())  # a variable's value
            return otherwise(self, other)
        try:
            array = quietly(ufunc, self._a, other._a)
        except (ValueError, RuntimeError, MemoryError):
            return long(self, other)
        # What EagerTensor(array, dtype) does, without a call.
        result = new(eager)
        result._a = array if type(array) is ndarray else asarray(array)
        result._dtype = gives or dtype
        if op is not None and tapes.entries[-1].item:
            record(EagerOp(op, (self, other), [result], _NO_ATTRIBUTES))
        return result

    return method


def _reflected(ufunc: Callable[..., Any]) -> Callable[..., Any]:
    return lambda array, number: ufunc(number, array)


def _install_short(cls: type) -> None:
    for method, (ufunc, types, op) in _UFUNCS.items():
        left, right = f"__{method}__", f"__r{method}__"
        setattr(cls, left, _short(ufunc, types, None, op, getattr(cls, left)))
        long = getattr(cls, right)
        setattr(cls, right, _with_number(_reflected(ufunc), types, None, long))
    for method, ufunc in _COMPARING_UFUNCS.items():
        left = f"__{method}__"
        setattr(cls, left, _short(ufunc, REALS, dtypes.bool, None, getattr(cls, left)))


for method, operator in (
    ("__mul__", cwise.multiply),
    ("__rmul__", cwise.multiply),
    ("__truediv__", cwise.divide),
):
    setattr(SparseTensor, method, operator)
install(Tensor)
# A set, which programs change.
Tensor.OVERLOADABLE_OPERATORS = {*OPERATORS, "__getitem__"}
_install_short(EagerTensor)
