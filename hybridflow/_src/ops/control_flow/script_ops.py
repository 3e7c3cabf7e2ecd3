"""`py_func`: a Python function as an op."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.convert import convert_to_tensor, to_array
from hybridflow._src.framework.errors import (
    InvalidArgumentError,
    OpError,
    UnimplementedError,
    foreign_error,
)
from hybridflow._src.framework.op_def import REQUIRED, OpDef, not_differentiable

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["eagerly", "numpy_function", "py_func"]


def _call(*arrays: Any, func: Any, Tout: Any, token: str) -> Any:
    # The function may write to what it gets, so it gets its own; of a scalar one of NumPy's, which
    # can be a key.
    result = func(*[np.array(a)[()] for a in arrays])
    if not Tout:
        return None
    results = list(result) if isinstance(result, list | tuple) else [result]
    if len(results) != len(Tout):
        raise InvalidArgumentError(
            None,
            None,
            f"{token} returns {len(results)} values, but expects to see {len(Tout)} values.",
        )
    arrays_out = []
    for index, (value, dtype) in enumerate(zip(results, Tout, strict=True)):
        array = _array_of(value)
        if array.dtype != dtype.np and not isinstance(value, np.ndarray | np.generic):
            array = to_array(value, dtype)
        if array.dtype != dtype.np:
            raise InvalidArgumentError(
                None,
                None,
                f"{index}-th value returned by {token} is {dtypes.as_dtype(array.dtype).name}, "
                f"but expects "
                f"{dtype.name}",
            )
        # A copy: the function may keep what it gave, and write to it.
        arrays_out.append(array.copy() if isinstance(value, np.ndarray) else array)
    return arrays_out


def _array_of(value: Any) -> np.ndarray:
    """The array of what a function gave, whose dtype a tensor can have."""
    try:
        return to_array(value)
    except TypeError as error:
        kind = "numpy" if isinstance(value, np.ndarray | np.generic) else "object"
        got = value.dtype if kind == "numpy" else type(value).__name__
        raise UnimplementedError(None, None, f"Unsupported {kind} type {got}: {error}") from None


def _write_effect(nodes: Any, op: Any) -> None:
    """TensorFlow's op may have no outputs."""
    kinds = [t.dtype.base_dtype for t in op.inputs]
    attrs = {"token": op.get_attr("token"), "Tin": kinds, "Tout": []}
    nodes.node(op, "PyFunc", [nodes.input(t) for t in op.inputs], attrs)


def _record(
    name: str,
    stateful: bool,
    outputs: str = "output: N*Tout",
    written: Callable[[Any, Any], None] | None = None,
) -> OpDef:
    return OpDef(
        name,
        f"input: ... -> {outputs}",
        attrs={"func": REQUIRED, "Tout": REQUIRED, "token": ""},
        shape=lambda attrs, *_: [None] * len(attrs["Tout"]),
        compute=_call,
        grad=not_differentiable,
        stateful=stateful,
        samples=lambda rng: (),
        written=written,
    )


_stateful = _record("PyFunc", stateful=True)
_stateless = _record("PyFuncStateless", stateful=False)
# An op without outputs gives its operation, which others can wait for.
_effect = _record("PyFuncEffect", stateful=True, outputs="", written=_write_effect)


def numpy_function(func: Callable[..., Any], inp: Any, Tout: Any, name: str | None = None) -> Any:
    """Calls a Python function of NumPy arrays as an op: `py_func`, stateful. Of TensorFlow 1.15.

    Args:
      func, inp, Tout, name: as of `py_func`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.numpy_function(lambda x: x * 2, [hf.constant([1.0, 2.0])], hf.float32).numpy())
    [2. 4.]
    """
    return py_func(func, inp, Tout, stateful=True, name=name)


def py_func(
    func: Callable[..., Any],
    inp: Any,
    Tout: Any,
    stateful: bool = True,
    name: str | None = None,
) -> Any:
    """Calls a Python function of NumPy arrays as an op.

    Args:
      func: function that takes an array for each input, of a scalar a scalar of NumPy's or bytes,
        and gives an array (or number) for each output.
      inp: list of tensors.
      Tout: dtype of the output, or list of dtypes.
      stateful: whether it may give other results for equal inputs; if not, it may be called less
        often.
      name: name of the operation.

    Returns: a tensor, or a list of tensors if `Tout` is a list (where it is empty the
    operation, or an empty list if it is not `stateful`).
    Shapes are unknown in a graph. It has no gradient.

    Raises:
      TypeError: if `func` is no function, or `inp` no list. InvalidArgumentError: when it runs, if
        the function returns other dtypes or another number of values.

    What the function raises is raised, in a graph as an error that names the op: `ValueError` and
    the like as `InvalidArgumentError`, `StopIteration` as `OutOfRangeError`, `NotImplementedError`
    as `UnimplementedError`, any other as an `UnknownError`. The last two are also of the class that
    was raised.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     y = hf.py_func(lambda x: x + 1, [hf.constant([1.0, 2.0])], hf.float32)
    ...     print(sess.run(y))
    [2. 3.]
    """
    if not callable(func):
        raise TypeError(f"func must be callable, got {func!r}.")
    if not isinstance(inp, list | tuple):
        raise TypeError(
            f"Expected a list of tensors for 'inp' argument to 'PyFunc' Op, not {inp!r:.200}: "
            "`hf.py_func(func, [x], Tout)`."
        )
    is_list = isinstance(Tout, list | tuple)
    out_dtypes = [dtypes.as_dtype(t) for t in (Tout if is_list else [Tout])]
    record = _effect if not out_dtypes else _stateful if stateful else _stateless
    token = getattr(func, "__name__", repr(func))
    result = record(list(inp), func=func, Tout=out_dtypes, token=token, name=name)
    if record is _effect:
        # As TensorFlow has it: what cannot matter gives nothing that could be run.
        return result if stateful else []
    return result if is_list else result[0]


def eagerly(func: Callable[..., Any]) -> Callable[..., Any]:
    """A function that calls another one in eager mode, with tensors that have values.

    Raises:
      TypeError: if it is no function.
    """
    if not callable(func):
        raise TypeError(f"func must be callable, got {func!r}.")
    called = getattr(func, "__name__", repr(func))

    @functools.wraps(func)
    def call(*arrays: Any) -> Any:
        try:
            with context.eager_mode():
                return func(*map(convert_to_tensor, arrays))
        except (OpError, ValueError, TypeError, MemoryError):
            raise
        except Exception as error:
            raise foreign_error(error, f" in {called}.") from error

    return call
