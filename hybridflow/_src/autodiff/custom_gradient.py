"""`custom_gradient`: a function with a gradient of its own."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context, dtypes, nest
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import REQUIRED, OpDef, Sample

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np


def _gradient(op: Any, *dys: Any) -> list[Any]:
    """Asks the user's function; gradients go to its arguments, none into how it computed its
    values.
    """
    grad_fn = op.get_attr("grad_fn")
    count = len(op.inputs) - len(op.outputs)
    grads = grad_fn(*dys)
    flat = list(grads) if isinstance(grads, list | tuple) else [grads]
    if len(flat) != count:
        raise ValueError(
            f"The gradient function of hf.custom_gradient gave {len(flat)} gradients for {count} "
            f"arguments."
        )
    return [*flat, *[None] * len(op.outputs)]


def _samples(rng: np.random.Generator) -> list[Sample]:
    x = rng.normal(size=(2, 3))
    attrs: dict[str, Any] = {"grad_fn": lambda dy: 2.0 * dy, "count": 1, "T": [dtypes.float64]}
    return [Sample([x, x * x], differentiable=False, **attrs)]


def _write(nodes: Any, op: Any) -> None:
    """Writes the values alone: a file holds no Python function."""
    values = op.inputs[-op.attrs["count"] :]
    kinds = [t.dtype.base_dtype for t in values]
    nodes.node(op, "IdentityN", [nodes.input(t) for t in values], {"T": kinds})


# Inputs are the arguments of the function, then the values that it computed from them.
_record = OpDef(
    "CustomGradient",
    "inputs: ... -> outputs: N*T",
    attrs={"grad_fn": REQUIRED, "count": REQUIRED, "T": None},
    shape=lambda attrs, *inputs: [t._dims for t in inputs[-attrs["count"] :]],
    compute=lambda *inputs, grad_fn, count, T: list(inputs[-count:]),
    native=lambda b, *inputs, grad_fn, count, T: list(inputs[-count:]),
    grad=_gradient,
    samples=_samples,
    aliases=True,
    stateful=True,
    written=_write,
)


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Decorates a function that also says what its gradient is.

    Args:
      f: takes tensors; returns (result, grad_fn). The result is a tensor or list of tensors;
        `grad_fn` takes a gradient for each of them and returns one (or None) for each argument.

    Returns: a function of the same arguments that returns the result.

    Raises (when the gradient is taken):
      ValueError: if `grad_fn` gives another number of gradients.

    >>> import hybridflow as hf
    >>> @hf.custom_gradient
    ... def log1pexp(x):
    ...     e = hf.exp(x)
    ...     return hf.log(1 + e), lambda dy: dy * (1 - 1 / (1 + e))
    >>> with hf.eager_mode():
    ...     x = hf.constant(100.0)
    ...     with hf.GradientTape() as tape:
    ...         tape.watch(x)
    ...         y = log1pexp(x)
    ...     print(float(tape.gradient(y, x)))
    1.0
    """

    @functools.wraps(f)
    def decorated(*args: Any) -> Any:
        inputs = [convert_to_tensor(x) for x in args]
        with context.tapes.scope(()):
            result, grad_fn = f(*inputs)
        values = [convert_to_tensor(y) for y in nest.flatten(result)]
        if not callable(grad_fn):
            raise TypeError(
                f"hf.custom_gradient: the second result must be a function, got {grad_fn!r}."
            )
        outputs = _record(
            [*inputs, *values],
            grad_fn=grad_fn,
            count=len(values),
            T=[y.dtype.base_dtype for y in values],
        )
        return nest.pack_sequence_as(result, outputs)

    return decorated
