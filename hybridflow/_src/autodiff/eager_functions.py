"""`py_function`: a Python function of eager tensors as an op, with its gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.autodiff.custom_gradient import custom_gradient
from hybridflow._src.autodiff.tape import GradientTape
from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.ops.arrays.constant import constant
from hybridflow._src.ops.control_flow.script_ops import eagerly, py_func

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np


__all__ = ["grad_pass_through", "py_function", "recompute_grad"]


def py_function(func: Callable[..., Any], inp: Any, Tout: Any, name: str | None = None) -> Any:
    """Calls a Python function of eager tensors as an op, in a graph too. Of TensorFlow 1.15.

    Its gradient, for which a graph calls the function once more, is that of the ops in it.

    Args:
      func: function that takes an eager tensor for each input, and gives a tensor, or what makes
        one, for each output.
      inp: list of tensors.
      Tout: dtype of the output, or list of dtypes.
      name: name of the operation.

    Returns: a tensor, or a list of tensors if `Tout` is a list; where that is empty, the operation
    in a graph and an empty list in eager mode. Shapes are unknown in a graph.

    Raises:
      TypeError: if `func` is no function, or `inp` no list. What the function raises: as
        `py_func`.

    >>> import hybridflow as hf
    >>> def doubled(x):
    ...     return x * 2.0 if float(x) > 0.0 else -x
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     x = hf.constant(3.0)
    ...     y = hf.py_function(doubled, [x], hf.float32)
    ...     print(sess.run([y, *hf.gradients(y, x)]))
    [np.float32(6.0), np.float32(2.0)]
    """
    func = eagerly(func)
    is_list = isinstance(Tout, list | tuple)
    wanted = [dtypes.as_dtype(each) for each in (Tout if is_list else [Tout])]
    if not isinstance(inp, list | tuple) or not wanted:
        found = py_func(func, inp, Tout, name=name)
        return [] if found is None else found

    def outputs(tensors: list[Any]) -> list[Any]:
        found = func(*tensors)
        flat = list(found) if isinstance(found, list | tuple) else [found]
        if len(flat) != len(wanted):
            called = getattr(func, "__name__", repr(func))
            raise ValueError(
                f"{called} returns {len(flat)} values, but expects to see {len(wanted)} values."
            )
        return [convert_to_tensor(y, dtype) for y, dtype in zip(flat, wanted, strict=True)]

    if context.modes.top.eager and context.tapes.top:  # which see what it does
        found = outputs([convert_to_tensor(x) for x in inp])
        return found if is_list else found[0]

    def run(*arrays: Any) -> list[np.ndarray]:
        with context.eager_mode():
            return [y.numpy() for y in outputs([constant(array) for array in arrays])]

    def slopes(*arrays: Any) -> list[np.ndarray]:
        with context.eager_mode():
            xs = [constant(array) for array in arrays[: len(inp)]]
            with GradientTape() as tape:
                tape.watch([x for x in xs if x.dtype.is_floating])
                ys = outputs(xs)
            ys = [y for y in ys if y.dtype.is_floating]
            dys = [constant(dy, y.dtype) for y, dy in zip(ys, arrays[len(inp) :], strict=True)]
            sources = [x for x in xs if x.dtype.is_floating]
            found = tape.gradient(ys, sources, dys, unconnected_gradients="zero")
            tensors: list[Any] = [convert_to_tensor(dx) for dx in found]
            return [dx.numpy() for dx in tensors]

    @custom_gradient
    def called(*xs: Any) -> Any:
        ys = py_func(run, list(xs), wanted, name=name)

        def grad(*dys: Any) -> list[Any]:
            kinds = [x.dtype.base_dtype for x in xs if x.dtype.is_floating]
            given = [
                raw.ZerosLike(y) if dy is None else dy
                for y, dy in zip(ys, dys, strict=True)
                if y.dtype.is_floating
            ]
            found = iter(py_func(slopes, [*xs, *given], kinds) if kinds else [])
            return [next(found) if x.dtype.is_floating else None for x in xs]

        return ys, grad

    result = called(*[convert_to_tensor(x) for x in inp])
    return list(result) if is_list else result[0]


def grad_pass_through(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function with the values of another one, and with the gradient of the identity.

    Of TensorFlow 1.15.

    Args:
      f: function of one tensor that gives one of its shape.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     x = hf.constant(2.7)
    ...     y = hf.grad_pass_through(hf.round)(x)
    ...     print(sess.run([y, *hf.gradients(y, x)]))
    [np.float32(3.0), np.float32(1.0)]
    """

    @custom_gradient
    def passed(x: Any) -> Any:
        return f(x), lambda dy: dy

    return passed


def recompute_grad(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself: its values are kept for its gradient. Of TensorFlow 1.15.

    There they are computed once more, which saves memory and gives the same numbers.
    """
    return f
