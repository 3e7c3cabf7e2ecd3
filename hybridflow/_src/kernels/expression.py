"""Expressions of scalars: what a kernel computes for each element, traced from NumPy meanings.

A NumPy meaning is called with `Symbolic` arrays in place of arrays. NumPy's own protocols then
tell which functions it applies, in which dtypes; they become `Node`s. So an op's meaning is written
once: what the interpreter calls is also what kernels are generated from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from hybridflow._src.kernels.memory import SHORT_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# How much of the iteration a node depends on; a reduction over the columns is of ROW level.
ROW, CELL = 1, 2


class Untraceable(Exception):
    """A NumPy meaning does something that kernels have no words for."""


class Node:
    """A scalar value.

    Attributes:
      op: "load", "const", "column", "cast", "select", "reduce" or the name of a ufunc.
      args: the values that it is computed from.
      dtype: its NumPy dtype.
      detail: of a load its operand, of a constant its value, of a reduction its ufunc.
      level: `CELL` if it differs within a row, else `ROW`.
      phase: how many reductions come before it: values of a phase need those before it complete.
      cost: about how many operations it takes to compute it anew.
      known: the value, where a plan knows it although kernels load it; powers look at it.
    """

    __slots__ = ("args", "cost", "detail", "dtype", "known", "level", "op", "phase")

    level: int
    phase: int
    cost: int

    def __init__(
        self, op: str, args: tuple[Node, ...], dtype: np.dtype, detail: Any = None, level: int = 0
    ) -> None:
        self.op = op
        self.args = args
        self.dtype = dtype
        self.detail = detail
        self.known: Any = detail if op == "const" else None
        self.level = level or max([arg.level for arg in args], default=ROW)
        self.phase = max([arg.phase for arg in args], default=0)
        self.cost = sum(arg.cost for arg in args) + own_cost(op)
        if op == "reduce":
            self.level, self.phase, self.cost = ROW, self.phase + 1, 0
        elif op in ("load", "const", "column"):
            self.cost = 0


_EXPENSIVE = 20
# Ufuncs that vector math computes, with its names for them.
FUNCTIONS = {
    "exp": "exp",
    "expm1": "expm1",
    "log": "log",
    "log1p": "log1p",
    "tanh": "tanh",
    "sin": "sin",
    "cos": "cos",
    "tan": "tan",
    "power": "pow",
    "erf": "erf",
    "erfc": "erfc",
    "logistic": "sigmoid",
}


def own_cost(op: str) -> int:
    """About how many operations an op is."""
    return _EXPENSIVE if op in FUNCTIONS or op in ("floor_divide", "remainder") else 1


# Ufuncs that are an expression in Python, by the kinds of dtype they compute in.
_REAL, _INTEGER, _ANY, _BOOL = "f", "iu", "fiu", "b"
# Short unsigned integers are made long: Numba would divide them as floats.
# A divisor in whose place 1 stands where the processor would trap: kernels may divide before it is
# checked that none is zero, and the least integer has no quotient by -1.
_DIVISOR = {"u": "select({1} == {T}(0), {T}(1), {1})"}
_DIVISOR["i"] = "select(({1} == {T}(0)) | ({1} == {T}(-1)), {T}(1), {1})"
SIMPLE: dict[str, list[tuple[str, str]]] = {
    "add": [(_ANY, "{0} + {1}"), (_BOOL, "{0} | {1}")],
    "subtract": [(_ANY, "{0} - {1}")],
    "multiply": [(_ANY, "{0} * {1}"), (_BOOL, "{0} & {1}")],
    "divide": [(_REAL, "{0} / {1}")],
    "floor_divide": [
        (_REAL, "floor_divide({0}, {1})"),
        ("u", f"{{T}}(u64({{0}}) // u64({_DIVISOR['u']}))"),
        ("i", f"select({{1}} == {{T}}(-1), {{T}}(-{{0}}), {{T}}({{0}} // {_DIVISOR['i']}))"),
    ],
    "remainder": [
        (_REAL, "remainder({0}, {1})"),
        ("u", f"{{T}}(u64({{0}}) % u64({_DIVISOR['u']}))"),
        ("i", f"{{0}} % {_DIVISOR['i']}"),
    ],
    "negative": [(_ANY, "-{0}")],
    "positive": [(_ANY, "{0}")],
    "absolute": [(_REAL, "fabs({0})"), ("i", "select({0} < {T}(0), -{0}, {0})"), ("u", "{0}")],
    "fabs": [(_REAL, "fabs({0})")],
    "square": [(_ANY, "{0} * {0}")],
    "reciprocal": [(_REAL, "{T}(1) / {0}")],
    "sqrt": [(_REAL, "sqrt({0})")],
    "floor": [(_REAL, "floor({0})")],
    "ceil": [(_REAL, "ceil({0})")],
    "trunc": [(_REAL, "trunc({0})")],
    "rint": [(_REAL, "rint({0})")],
    "conjugate": [(_ANY, "{0}")],
    "sign": [
        (
            "fi",
            "select({0} > {T}(0), {T}(1), select({0} < {T}(0), {T}(-1), "
            "select({0} == {T}(0), {T}(0), {0})))",
        )
    ],
    "maximum": [
        (_REAL, "maximum({0}, {1})"),
        (_INTEGER, "select({0} >= {1}, {0}, {1})"),
        (_BOOL, "{0} | {1}"),
    ],
    "minimum": [
        (_REAL, "minimum({0}, {1})"),
        (_INTEGER, "select({0} <= {1}, {0}, {1})"),
        (_BOOL, "{0} & {1}"),
    ],
    "greater": [(_ANY + _BOOL, "{0} > {1}")],
    "greater_equal": [(_ANY + _BOOL, "{0} >= {1}")],
    "less": [(_ANY + _BOOL, "{0} < {1}")],
    "less_equal": [(_ANY + _BOOL, "{0} <= {1}")],
    "equal": [(_ANY + _BOOL, "{0} == {1}")],
    "not_equal": [(_ANY + _BOOL, "{0} != {1}")],
    "logical_and": [(_BOOL, "{0} & {1}"), (_ANY, "({0} != {T}(0)) & ({1} != {T}(0))")],
    "logical_or": [(_BOOL, "{0} | {1}"), (_ANY, "({0} != {T}(0)) | ({1} != {T}(0))")],
    "logical_xor": [(_BOOL, "{0} != {1}"), (_ANY, "({0} != {T}(0)) != ({1} != {T}(0))")],
    "logical_not": [(_BOOL, "not_({0})"), (_ANY, "{0} == {T}(0)")],
    "bitwise_and": [(_INTEGER + _BOOL, "{0} & {1}")],
    "bitwise_or": [(_INTEGER + _BOOL, "{0} | {1}")],
    "bitwise_xor": [(_INTEGER, "{0} ^ {1}"), (_BOOL, "{0} != {1}")],
    "isnan": [(_REAL, "{0} != {0}")],
    "isinf": [(_REAL, "fabs({0}) == {T}(1) / {T}(0)")],
    "isfinite": [(_REAL, "fabs({0}) < {T}(1) / {T}(0)")],
}
REDUCTIONS = frozenset(["add", "maximum", "minimum", "multiply", "logical_and", "logical_or"])


def template(op: str, dtype: np.dtype) -> str:
    """The Python expression for a ufunc on inputs of this dtype.

    Raises:
      Untraceable: if there is none.
    """
    if op in FUNCTIONS:
        if dtype.kind == "f" and dtype in SHORT_NAMES:
            places = "{0}, {1}" if op == "power" else "{0}"
            return f"{FUNCTIONS[op]}_{'f64' if dtype.itemsize == 8 else 'f32'}({places})"
        raise Untraceable(f"{op} of {dtype.name}")
    for kinds, text in SIMPLE.get(op, ()):
        if dtype.kind in kinds and dtype in SHORT_NAMES:
            return text
    raise Untraceable(f"{op} of {dtype.name}")


def constant(value: Any, dtype: np.dtype) -> Node:
    """A constant of a dtype."""
    with np.errstate(all="ignore"):
        return Node("const", (), dtype, np.asarray(value).astype(dtype)[()])


def cast(node: Node, dtype: np.dtype) -> Node:
    """A value converted as NumPy's `astype` does.

    Raises:
      Untraceable: if kernels cannot.
    """
    if node.dtype == dtype:
        return node
    if dtype not in SHORT_NAMES or node.dtype not in SHORT_NAMES:
        raise Untraceable(f"a cast from {node.dtype.name} to {dtype.name}")
    if node.op == "const":
        return constant(node.detail, dtype)
    if node.dtype.kind == "f" and (dtype.kind == "u" or (dtype.kind == "i" and dtype.itemsize < 4)):
        raise Untraceable(f"a cast from {node.dtype.name} to {dtype.name}")
    return Node("cast", (node,), dtype)


def apply(ufunc: np.ufunc, inputs: Sequence[Any]) -> Node:
    """A ufunc applied to nodes and Python or NumPy scalars, in the dtypes that NumPy chooses.

    Raises:
      Untraceable: if kernels have no expression for it.
    """
    if ufunc.nout != 1:
        raise Untraceable(ufunc.__name__)
    given = tuple(_kind_of(value) for value in inputs)
    try:
        resolved = ufunc.resolve_dtypes((*given, None))
    except TypeError as error:
        raise Untraceable(str(error)) from None
    args = tuple(_as_node(v, d) for v, d in zip(inputs, resolved, strict=False))
    name = ufunc.__name__
    if name == "power" and args[0].dtype.kind == "f":
        quick = _power(args[0], args[1].known)
        if quick is not None:
            return quick
    template(name, args[0].dtype)
    if name in _BEYOND and args[0].dtype.kind == "f":
        quick = _bounded(name, args) or _bounded(name, args[::-1])
        if quick is not None:
            return quick
    node = Node(name, args, resolved[-1])
    if name == "negative" and args[0].known is not None:
        node.known = -args[0].known
    return node


def _power(base: Node, exponent: Any) -> Node | None:
    """A power with an exponent that takes no logarithm, as NumPy's operator has them."""
    if exponent is None:
        return None
    if exponent == 2:
        return Node("square", (base,), base.dtype)
    if exponent == 0.5:
        return Node("sqrt", (base,), base.dtype)
    if exponent == -1:
        return Node("reciprocal", (base,), base.dtype)
    return base if exponent == 1 else None


# By extreme how a number that a bound takes the place of compares with it; the second way is for
# the zero that does not win against the other one.
_BEYOND = {"maximum": ("less_equal", "less"), "minimum": ("greater_equal", "greater")}


def _bounded(name: str, args: tuple[Node, ...]) -> Node | None:
    """The larger or smaller one of a number and a constant: a comparison, which NaN does not pass.

    For two numbers it takes more, because of NaN and of zeros of either sign.
    """
    x, bound = args
    if bound.op != "const" or np.isnan(bound.detail):
        return None
    loses = bool(bound.detail == 0 and np.signbit(bound.detail) == (name == "maximum"))
    compared = Node(_BEYOND[name][loses], (x, bound), np.dtype(bool))
    return Node("select", (compared, bound, x), x.dtype)


def vector_function(name: str) -> Callable[[Symbolic], Symbolic]:
    """The function of that name in vector math, as a meaning to trace."""

    def meaning(x: Symbolic) -> Symbolic:
        template(name, x.dtype)
        return Symbolic(Node(name, (x.node,), x.dtype), x.ndim)

    return meaning


def _kind_of(value: Any) -> Any:
    """What stands for a value when NumPy chooses dtypes: Python numbers adapt to the others."""
    if isinstance(value, Node):
        return value.dtype
    if type(value) in (int, float):
        return type(value)
    if isinstance(value, bool | np.generic) or (isinstance(value, np.ndarray) and not value.ndim):
        return np.asarray(value).dtype
    raise Untraceable(f"a value of {type(value).__name__}")


def _as_node(value: Any, dtype: np.dtype) -> Node:
    return cast(value, dtype) if isinstance(value, Node) else constant(value, dtype)


def select(condition: Any, first: Any, second: Any) -> Node:
    """`np.where` of nodes and scalars."""
    kinds = [_kind_of(value) for value in (first, second)]
    dtypes = [k for k in kinds if isinstance(k, np.dtype)]
    if len(dtypes) == 1:
        weak = kinds[0] if isinstance(kinds[1], np.dtype) else kinds[1]
        dtype = np.result_type(dtypes[0], weak(0))
    else:
        dtype = np.result_type(*[k if isinstance(k, np.dtype) else k(0) for k in kinds])
    if dtype not in SHORT_NAMES:
        raise Untraceable(f"select of {dtype.name}")
    chosen = _as_node(condition, np.dtype(bool))
    return Node("select", (chosen, _as_node(first, dtype), _as_node(second, dtype)), dtype)


def reduction(ufunc: np.ufunc, node: Node) -> Node:
    """The reduction of a value over the columns of its row.

    Raises:
      Untraceable: if kernels do not reduce by this ufunc.
    """
    if ufunc.__name__ not in REDUCTIONS or node.dtype not in SHORT_NAMES:
        raise Untraceable(f"{ufunc.__name__}.reduce of {node.dtype.name}")
    if node.dtype == np.float16 and ufunc.__name__ in ("add", "multiply"):
        raise Untraceable("a sum in half precision")
    if node.dtype.kind == "b" and ufunc.__name__ not in ("logical_and", "logical_or"):
        raise Untraceable("a sum of truth values")
    return Node("reduce", (node,), node.dtype, ufunc.__name__)


# -- tracing ---------------------------------------------------------------------------------------


class Symbolic(NDArrayOperatorsMixin):
    """Stands for an array while a NumPy meaning is traced."""

    __slots__ = ("ndim", "node")

    def __init__(self, node: Node, ndim: int) -> None:
        self.node = node
        self.ndim = ndim

    @property
    def dtype(self) -> np.dtype:
        return self.node.dtype

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        out = kwargs.pop("out", None)
        if out is not None and (len(out) != 1 or out[0].__class__ is not Symbolic):
            raise Untraceable(f"{ufunc.__name__} into an array")
        if method == "reduce":
            return self._reduced(ufunc, inputs, kwargs)
        if method != "__call__" or kwargs:
            raise Untraceable(f"{ufunc.__name__}.{method} with {sorted(kwargs)}")
        node = apply(ufunc, [_unwrap(value) for value in inputs])
        if out is not None:
            # In place: what the name on the left stands for from now on.
            node = cast(node, out[0].dtype)
        return Symbolic(node, self.ndim)

    def _reduced(self, ufunc: np.ufunc, inputs: Any, options: dict[str, Any]) -> Any:
        axis, keepdims = options.pop("axis", 0), options.pop("keepdims", False)
        options.pop("initial", None)  # given where an empty row needs it; kernels see no empty rows
        if options or axis not in (-1, self.ndim - 1):
            raise Untraceable(f"{ufunc.__name__}.reduce over axis {axis}")
        node = inputs[0].node
        if node.level == ROW:
            raise Untraceable("a reduction of what is the same in all columns")
        return Symbolic(reduction(ufunc, node), self.ndim - (not keepdims))

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function is np.where and len(args) == 3 and not kwargs:
            return Symbolic(select(*[_unwrap(value) for value in args]), self.ndim)
        if function is np.clip and len(args) == 3 and not kwargs:
            return np.minimum(np.maximum(args[0], args[1]), args[2])
        raise Untraceable(f"np.{function.__name__}")

    def astype(self, dtype: Any, copy: bool = True) -> Symbolic:
        """The value in another dtype."""
        return Symbolic(cast(self.node, np.dtype(dtype)), self.ndim)

    def __getattr__(self, name: str) -> Any:
        raise Untraceable(f"attribute {name!r} of an array")

    def __bool__(self) -> bool:
        raise Untraceable("a decision by a value")


def _unwrap(value: Any) -> Any:
    return value.node if isinstance(value, Symbolic) else value


def trace(
    meaning: Callable[..., Any], nodes: Sequence[Node], ndim: int, attrs: dict[str, Any]
) -> list[Node]:
    """What a NumPy meaning computes from values of these nodes.

    Raises:
      Untraceable: if it does what kernels have no words for.
    """
    try:
        result = meaning(*[Symbolic(node, ndim) for node in nodes], **attrs)
    except (AttributeError, TypeError, ValueError, IndexError, NotImplementedError) as error:
        raise Untraceable(str(error)) from None
    results = result if isinstance(result, tuple | list) else (result,)
    if not all(isinstance(item, Symbolic) for item in results):
        raise Untraceable("a result that is no elementwise value of the inputs")
    return [item.node for item in results]
