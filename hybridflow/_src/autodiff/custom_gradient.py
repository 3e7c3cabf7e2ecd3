"""`custom_gradient`: a function with a gradient of its own."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

from hybridflow._src.autodiff.backprop import source_tensor
from hybridflow._src.framework import context, dtypes, nest
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.graph_keys import GraphKeys, get_collection
from hybridflow._src.framework.op_def import REQUIRED, OpDef, Sample

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np


_UNASKED = (
    "hf.custom_gradient: the function reads {names}, so its gradient function must take a keyword "
    "argument `variables`, a list, and return (gradients of the arguments, gradients of these): "
    "`def grad_fn(*dys, variables=None)`."
)
_OTHER_COUNT = "The gradient function of hf.custom_gradient gave {given} gradients for {wanted}."


def _gradient(op: Any, *dys: Any) -> list[Any]:
    """Asks the user's function; gradients go to its arguments and to the variables that it read,
    none into how it computed its values.
    """
    grad_fn, variables = op.get_attr("grad_fn"), op.get_attr("variables")
    count = len(op.inputs) - len(op.outputs) - len(variables)
    of_variables: Any = ()
    if variables:
        grads, of_variables = grad_fn(*dys, variables=list(variables))
    else:
        grads = grad_fn(*dys)
    flat = nest.flatten(grads)
    if len(flat) != count:
        raise ValueError(_OTHER_COUNT.format(given=len(flat), wanted=f"{count} arguments"))
    if len(of_variables) != len(variables):
        wanted = f"{len(variables)} variables"
        raise ValueError(_OTHER_COUNT.format(given=len(of_variables), wanted=wanted))
    return [*flat, *of_variables, *[None] * len(op.outputs)]


def _samples(rng: np.random.Generator) -> list[Sample]:
    x = rng.normal(size=(2, 3))
    attrs: dict[str, Any] = {"grad_fn": lambda dy: 2.0 * dy, "count": 1, "T": [dtypes.float64]}
    return [Sample([x, x * x], differentiable=False, **attrs)]


def _write(nodes: Any, op: Any) -> None:
    """Writes the values alone: a file holds no Python function."""
    values = op.inputs[-op.attrs["count"] :]
    kinds = [t.dtype.base_dtype for t in values]
    nodes.node(op, "IdentityN", [nodes.input(t) for t in values], {"T": kinds})


# Inputs are the arguments of the function, the variables that it read, then the values that it
# computed from them.
_record = OpDef(
    "CustomGradient",
    "inputs: ... -> outputs: N*T",
    attrs={"grad_fn": REQUIRED, "count": REQUIRED, "T": None, "variables": ()},
    shape=lambda attrs, *inputs: [t._dims for t in inputs[-attrs["count"] :]],
    compute=lambda *inputs, count, **_: list(inputs[-count:]),
    native=lambda b, *inputs, count, **_: list(inputs[-count:]),
    grad=_gradient,
    samples=_samples,
    aliases=True,
    stateful=True,
    written=_write,
)


class _Reads:
    """Stands where tapes do, and records nothing but which trainable variables are read.

    Attributes:
      variables: these, in order of first use.
    """

    def __init__(self) -> None:
        self.variables: dict[Any, None] = {}

    def watch_variable(self, variable: Any) -> None:
        if variable.trainable:
            self.variables[variable] = None

    def record(self, op: Any) -> None:
        """Called for each op that runs."""


def _references_read(start: int) -> list[Any]:
    """The trainable variables that ops of the graph from a number on read, which are no resources:
    tapes are not told of those.
    """
    graph = get_default_graph()
    read = {t for op in graph.get_operations()[start:] for t in op.inputs}
    variables = get_collection(GraphKeys.TRAINABLE_VARIABLES)
    return [v for v in variables if {source_tensor(v), getattr(v, "_snapshot", None)} & read]


def _takes_variables(grad_fn: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(grad_fn).parameters
    except (TypeError, ValueError):  # of no function of Python's
        return False
    any_ = inspect.Parameter.VAR_KEYWORD
    return "variables" in parameters or any(p.kind == any_ for p in parameters.values())


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Decorates a function that also says what its gradient is.

    Args:
      f: takes tensors, and whatever else by keyword; returns (result, grad_fn). The result is a
        tensor or list of tensors; `grad_fn` takes a gradient for each of them and returns one (or
        None) for each argument. If `f` reads trainable variables that are no arguments, `grad_fn`
        is also given a list of them, `variables`, and returns (gradients of the arguments,
        gradients of these).

    Returns: a function of the same arguments that returns the result.

    Raises:
      TypeError: if there is no gradient function, or `f` reads resource variables and `grad_fn`
        takes no `variables`.
      ValueError (when the gradient is taken): if `grad_fn` gives another number of gradients.

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
    def decorated(*args: Any, **kwargs: Any) -> Any:
        inputs = [convert_to_tensor(x) for x in args]
        is_eager = context.executing_eagerly()
        start = 0 if is_eager else get_default_graph().version
        reads = _Reads()
        with context.tapes.scope((reads,)):
            result, grad_fn = f(*inputs, **kwargs)
            if not callable(grad_fn):
                raise TypeError(
                    f"hf.custom_gradient: the second result must be a function, got {grad_fn!r}."
                )
            values = [convert_to_tensor(y) for y in nest.flatten(result)]
            given = {id(x) for x in args}
            variables = [v for v in reads.variables if id(v) not in given]
            if not _takes_variables(grad_fn):
                if variables:
                    names = ", ".join(f"variable '{v.name}'" for v in variables)
                    raise TypeError(_UNASKED.format(names=names))
            elif not is_eager:
                found = [v for v in _references_read(start) if id(v) not in given]
                variables = list(dict.fromkeys((*variables, *found)))
        outputs = _record(
            [*inputs, *map(convert_to_tensor, variables), *values],
            grad_fn=grad_fn,
            count=len(values),
            T=[y.dtype.base_dtype for y in values],
            variables=tuple(variables),
        )
        return nest.pack_sequence_as(result, outputs)

    return decorated
