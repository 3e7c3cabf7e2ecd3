"""Regularizers: functions from a variable to a loss."""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.described import Described
from hybridflow._src.framework.graph_keys import GraphKeys, add_to_collection, get_collection
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.arrays.constant import constant
from hybridflow._src.ops.math.elementwise import abs as abs_
from hybridflow._src.ops.math.elementwise import multiply, square
from hybridflow._src.ops.math.reductions import reduce_sum
from hybridflow._src.ops.math.summing import add_n
from hybridflow._src.ops.nn.basic import l2_loss

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.tensor import Tensor

    Penalty = Callable[[Any], Tensor | None]

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "Regularizer",
    "apply_regularization",
    "l1",
    "l1_l2",
    "l1_l2_regularizer",
    "l1_regularizer",
    "l2",
    "l2_regularizer",
    "sum_regularizer",
]


def _check_scale(name: str, scale: Any) -> None:
    if isinstance(scale, numbers.Integral):
        raise ValueError(f"{name} cannot be an integer: {scale}")
    if isinstance(scale, numbers.Real) and scale < 0.0:
        raise ValueError(f"Setting a scale less than 0 on a regularizer: {scale}")


class _Penalty:
    """A regularizer that a function made: shown as that call, and copied and pickled as it."""

    def __init__(self, penalty: Penalty, maker: Callable[..., Any], *args: Any) -> None:
        self._penalty = penalty
        self._made_by = maker, args

    def __call__(self, weights: Any) -> Tensor | None:
        return self._penalty(weights)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self._made_by

    def __repr__(self) -> str:
        maker, (first, *_) = self._made_by
        return f"{maker.__name__}({first!r})"


def _scaled(
    maker: Callable[..., Any], scale: Any, scope: str | None, measure: Callable[[Any], Tensor]
) -> Penalty:
    """The regularizer `scale * measure(weights)`; without a loss where the scale is 0."""
    _check_scale("scale", scale)
    if isinstance(scale, numbers.Real) and scale == 0.0:
        return _Penalty(lambda _: None, maker, scale, scope)

    def regularizer(weights: Any) -> Tensor:
        with name_scope(scope, maker.__name__, [weights]) as name:
            factor = convert_to_tensor(scale, weights.dtype.base_dtype, name="scale")
            return multiply(factor, measure(weights), name=name)

    return _Penalty(regularizer, maker, scale, scope)


def l1_regularizer(scale: Any, scope: str | None = None) -> Penalty:
    """A regularizer that pulls weights to zero: `scale * sum(|w|)`.

    Args:
      scale: a float or scalar tensor; 0.0 turns it off.
      scope: name scope of its ops.

    Raises:
      ValueError: if `scale` is negative, or an integer.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(float(hf.contrib.layers.l1_regularizer(0.5)(hf.constant([1.0, -3.0]))))
    2.0
    """
    return _scaled(l1_regularizer, scale, scope, lambda w: reduce_sum(abs_(w)))


def l2_regularizer(scale: Any, scope: str | None = None) -> Penalty:
    """A regularizer that keeps weights small: `scale * sum(w ** 2) / 2`.

    Args:
      scale: a float or scalar tensor; 0.0 turns it off.
      scope: name scope of its ops.

    Raises:
      ValueError: if `scale` is negative, or an integer.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(float(hf.contrib.layers.l2_regularizer(0.5)(hf.constant([1.0, -3.0]))))
    2.5
    """
    return _scaled(l2_regularizer, scale, scope, l2_loss)


def l1_l2_regularizer(
    scale_l1: Any = 1.0, scale_l2: Any = 1.0, scope: str | None = None
) -> Penalty:
    """The sum of `l1_regularizer(scale_l1)` and `l2_regularizer(scale_l2)`.

    Raises:
      ValueError: if a scale is negative, or an integer.
    """
    _check_scale("scale_l1", scale_l1)
    _check_scale("scale_l2", scale_l2)
    scope = scope or "l1_l2_regularizer"
    if isinstance(scale_l1, numbers.Real) and scale_l1 == 0.0:
        return l2_regularizer(scale_l2, scope)
    if isinstance(scale_l2, numbers.Real) and scale_l2 == 0.0:
        return l1_regularizer(scale_l1, scope)
    both = sum_regularizer([l1_regularizer(scale_l1), l2_regularizer(scale_l2)], scope)
    assert both is not None
    return both


def sum_regularizer(regularizer_list: Any, scope: str | None = None) -> Penalty | None:
    """The sum of several regularizers.

    Args:
      regularizer_list: regularizers; None among them counts for nothing.
      scope: name scope of its ops.

    Returns: a regularizer; None if there are none in the list.
    """
    regularizers = [regularizer for regularizer in regularizer_list if regularizer is not None]
    if not regularizers:
        return None

    def regularizer(weights: Any) -> Tensor | None:
        with name_scope(scope, "sum_regularizer", [weights]) as name:
            losses = [loss for r in regularizers if (loss := r(weights)) is not None]
            return add_n(losses, name=name) if losses else None

    return _Penalty(regularizer, sum_regularizer, regularizers, scope)


def apply_regularization(regularizer: Penalty, weights_list: Any = None) -> Tensor:
    """The sum of a regularizer's losses, which joins `GraphKeys.REGULARIZATION_LOSSES`.

    Args:
      regularizer: gives a scalar tensor, or None for no loss.
      weights_list: tensors or variables; those in `GraphKeys.WEIGHTS` by default.

    Raises:
      ValueError: if there are no weights, or a loss is no scalar.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     weights = [hf.constant([1.0]), hf.constant([2.0])]
    ...     l1 = hf.contrib.layers.l1_regularizer(1.0)
    ...     print(float(hf.contrib.layers.apply_regularization(l1, weights)))
    3.0
    """
    weights_list = weights_list or get_collection(GraphKeys.WEIGHTS)
    if not weights_list:
        raise ValueError("No weights to regularize.")
    with name_scope("get_regularization_penalty", values=weights_list) as scope:
        losses = []
        for weights in weights_list:
            loss = regularizer(weights)
            loss = constant(0.0, dtypes.float32) if loss is None else loss
            if loss.shape.ndims != 0:
                raise ValueError(
                    "regularizer must return a scalar Tensor instead of a Tensor with rank "
                    f"{loss.shape.ndims}."
                )
            losses.append(loss)
        total = add_n(losses, name=scope)
    add_to_collection(GraphKeys.REGULARIZATION_LOSSES, total)
    return total


class Regularizer(Described):
    """Base of Keras' regularizers: called with a tensor or variable, gives a loss."""

    def __call__(self, x: Any) -> Any:
        return 0.0

    def get_config(self) -> dict[str, Any]:
        """The settings, as the constructor takes them."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Regularizer:
        """The regularizer with these settings."""
        return cls(**config)


class L1L2(Regularizer):
    """Keras' regularizer `l1 * sum(|x|) + l2 * sum(x ** 2)`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(float(hf.keras.regularizers.L1L2(l1=1.0, l2=0.5)(hf.constant([1.0, -3.0]))))
    9.0
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = float(l1)
        self.l2 = float(l2)

    def __call__(self, x: Any) -> Any:
        loss: Any = 0.0
        if self.l1:
            loss += reduce_sum(self.l1 * abs_(x))
        if self.l2:
            loss += reduce_sum(self.l2 * square(x))
        return loss

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1, "l2": self.l2}


class L1(L1L2):
    """`L1L2` with the first term alone."""

    def __init__(self, l1: float = 0.01) -> None:
        super().__init__(l1=l1)

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1}


class L2(L1L2):
    """`L1L2` with the second term alone."""

    def __init__(self, l2: float = 0.01) -> None:
        super().__init__(l2=l2)

    def get_config(self) -> dict[str, Any]:
        return {"l2": self.l2}


def l1(l: float = 0.01) -> L1L2:  # noqa: E741 - Keras' name
    """`L1L2` with the first term alone."""
    return L1L2(l1=l)


def l2(l: float = 0.01) -> L1L2:  # noqa: E741 - Keras' name
    """`L1L2` with the second term alone."""
    return L1L2(l2=l)


def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """`L1L2` with both terms."""
    return L1L2(l1, l2)
