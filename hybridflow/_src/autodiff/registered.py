"""Gradients that programs register, for op types and for names that stand for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from hybridflow._src.framework.late import late
from hybridflow._src.framework.op_def import OPS, no_gradient, not_differentiable

if TYPE_CHECKING:
    from collections.abc import Callable

Gradient = TypeVar("Gradient", bound="Callable[..., Any]")

__all__ = ["NoGradient", "NotDifferentiable", "RegisterGradient"]

_registered: dict[str, Callable[..., Any]] = {}
_OVERRIDE = "_gradient_op_type"
_TWICE = (
    "Registering two gradient with name {name!r}! It has one already. For other gradients of some "
    "ops, register a name of your own and use `graph.gradient_override_map({{{name!r}: name}})`."
)


class RegisterGradient:
    """A decorator that makes a function the gradient of an op type, or of a name.

    The function is called with the operation and a gradient for each of its outputs, and gives a
    gradient, or None, for each of its inputs; in a list if there are several. A name that is no op
    type is used by `Graph.gradient_override_map`.

    Args:
      op_type: the op type or name.

    Raises:
      TypeError: if it is no string. KeyError: when it decorates, if there is such a gradient.

    >>> import hybridflow as hf
    >>> @hf.RegisterGradient("TenTimes")
    ... def ten_times(op, grad):
    ...     return 10.0 * grad
    >>> with hf.Graph().as_default() as graph, hf.Session() as session:
    ...     x = hf.constant(1.0)
    ...     with graph.gradient_override_map({"Identity": "TenTimes"}):
    ...         y = hf.identity(x)
    ...     print(session.run(hf.gradients(y, x)))
    [np.float32(10.0)]
    """

    def __init__(self, op_type: str) -> None:
        if not isinstance(op_type, str):
            raise TypeError("op_type must be a string")
        self._op_type = op_type

    def __call__(self, f: Gradient) -> Gradient:
        """Registers the function, and gives it back."""
        _register(self._op_type, f)
        return f


def NotDifferentiable(op_type: str) -> None:
    """Says that ops of a type have no gradient: none flows through them, and that is no error.

    Args:
      op_type: the op type.

    Raises:
      TypeError: if it is no string. KeyError: if there is a gradient already.

    >>> import hybridflow as hf
    >>> hf.NotDifferentiable("AnOpOfYourOwn")
    """
    if not isinstance(op_type, str):
        raise TypeError("op_type must be a string")
    _register(op_type, not_differentiable)


NoGradient = NotDifferentiable


def _register(name: str, gradient: Callable[..., Any]) -> None:
    late.load_ops()
    record = OPS.get(name)
    if name in _registered or (record is not None and record.grad is not no_gradient):
        raise KeyError(_TWICE.format(name=name))
    _registered[name] = gradient


def gradient_of(op: Any) -> Callable[..., Any]:
    """The gradient function of an op.

    Raises:
      LookupError: if it was to have one of a name that is not registered.
    """
    record = op.record
    name = op.attrs.get(_OVERRIDE)
    if name is None:
        grad: Callable[..., Any] = record.grad
        return _registered.get(record.name, grad) if grad is no_gradient else grad
    name = name.decode()
    found = _registered.get(name) or getattr(OPS.get(name), "grad", None)
    if found is None:
        raise LookupError(
            f"No gradient defined for operation {op.name!r} (op type: {op.type}): no gradient "
            f"{name!r} is registered."
        )
    return found
