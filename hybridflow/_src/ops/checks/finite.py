"""Checks that numbers are finite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import REQUIRED, OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import control_dependencies, name_scope
from hybridflow._src.framework.spelling import spelled
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.arrays.reshaping import identity
from hybridflow._src.ops.control_flow.ordering import group
from hybridflow._src.ops.families import FLOATS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["add_check_numerics_ops", "check_numerics", "verify_tensor_all_finite"]

_IN_GRADIENT = "Not a number (NaN) or infinity (Inf) values detected in gradient."


def _check(x: np.ndarray, message: str) -> np.ndarray:
    if not np.isfinite(x).all():
        found = [
            word for word, test in (("Inf", np.isinf), ("NaN", np.isnan)) if bool(test(x).any())
        ]
        words = f"{message} : Tensor had {' and '.join(found)} values"
        raise InvalidArgumentError(None, None, words)
    return x.copy()


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float16, np.float32, np.float64):
        for dims in ((2, 3), (), (0, 2), (1000, 3)):
            yield Sample(rng.normal(size=dims).astype(dtype), message="x")


_check_numerics = OpDef(
    "CheckNumerics",
    "tensor: T -> output: T",
    types=FLOATS,
    attrs={"message": REQUIRED},
    shape=shape_rules.same,
    compute=_check,
    grad=lambda op, dy: raw.CheckNumerics(dy, message=_IN_GRADIENT),
    samples=_samples,
    stateful=True,
    only_checks=True,
)


def check_numerics(tensor: Any, message: str, name: str | None = None) -> Tensor:
    """A tensor like `tensor`, whose numbers must be finite; those of its gradient too.

    In a graph the check is made where the result is used.

    Args:
      tensor: tensor of a floating dtype.
      message: how the text of the error begins.
      name: name of the op.

    Returns: a tensor like `tensor`.

    Raises:
      InvalidArgumentError: when it runs, if an element is NaN or infinite.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     hf.check_numerics([1.0, float("nan")], "loss")
    Traceback (most recent call last):
    hybridflow.errors.InvalidArgumentError: loss : Tensor had NaN values
    """
    return _check_numerics(tensor, message=message, name=name)


@spelled(x="t", message="msg")
def verify_tensor_all_finite(t: Any, msg: str, name: str | None = None) -> Tensor:
    """A tensor like `t`, which is there once all its numbers are known to be finite.

    Args:
      t: tensor of a floating dtype.
      msg: how the text of the error begins.
      name: scope of the ops.

    Returns: a tensor like `t`.

    Raises:
      InvalidArgumentError: when it runs, if an element is NaN or infinite.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.verify_tensor_all_finite([1.0, 2.0], "x").numpy())
    [1. 2.]
    """
    with name_scope(name, "VerifyFinite", [t]):
        t = convert_to_tensor(t, name="t")
        with control_dependencies([check_numerics(t, msg)]):
            return identity(t)


def add_check_numerics_ops() -> Operation:
    """Adds a check of every tensor of a floating dtype in the default graph.

    The operation that it gives runs the checks one by one, in the order in which the tensors were
    made, so that the first that is not finite is named. What is inside of conditionals and loops is
    checked by their results.

    Raises:
      RuntimeError: in eager mode.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     x = hf.placeholder(hf.float32, name="x")
    ...     y = hf.log(x, name="y")
    ...     checked = hf.add_check_numerics_ops()
    ...     session.run([y, checked], {x: -1.0})
    Traceback (most recent call last):
    hybridflow.errors.InvalidArgumentError: y:0 : Tensor had NaN values...
    """
    if context.modes.top.eager:
        raise RuntimeError(
            "add_check_numerics_ops() is not compatible with eager execution: it adds to a graph, "
            "and there is none. Use hf.check_numerics."
        )
    floats = {dtype.name for dtype in (dtypes.float16, dtypes.float32, dtypes.float64)}
    checks: list[Tensor] = []
    for op in get_default_graph().get_operations():
        for tensor in op.outputs if op.body is None else ():
            # What variables refer to may not be initialised yet.
            if tensor.dtype.name in floats:
                with control_dependencies(checks[-1:]):
                    checks.append(check_numerics(tensor, tensor.name))
    return group(*checks[-1:])
