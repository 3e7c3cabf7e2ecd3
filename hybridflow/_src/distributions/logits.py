"""Probabilities, given as they are or by logits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.distributions.supports import floats
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.scopes import control_dependencies, name_scope
from hybridflow._src.ops.arrays.reshaping import identity
from hybridflow._src.ops.checks.comparing import (
    assert_less_equal,
    assert_near,
    assert_non_negative,
)
from hybridflow._src.ops.math.exponential import log, log1p, sigmoid
from hybridflow._src.ops.math.reductions import reduce_sum
from hybridflow._src.ops.nn.softmax import softmax

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["logits_and_probs"]


def logits_and_probs(
    logits: Any, probs: Any, several: bool, validate_args: bool, name: str
) -> tuple[Tensor, Tensor]:
    """The logits and the probabilities, of which one is given.

    Args:
      logits, probs: one of them, the other None.
      several: whether the last axis holds the classes of one distribution; else each number is the
        probability of one event.
      validate_args: whether it is checked that these are probabilities.
      name: scope of the ops.

    Raises:
      ValueError: if both or none is given.
    """
    if (probs is None) == (logits is None):
        raise ValueError("Must pass probs or logits, but not both.")
    with name_scope(name, values=[logits, probs]):
        if logits is not None:
            logits = floats(logits, "logits")
            return logits, softmax(logits, name="probs") if several else sigmoid(
                logits, name="probs"
            )
        probs = floats(probs, "probs")
        if validate_args:
            checks = [assert_non_negative(probs)]
            if several:
                total = reduce_sum(probs, -1)
                one = convert_to_tensor(1.0, probs.dtype.base_dtype)
                checks.append(assert_near(total, one, message="probs does not sum to 1."))
            else:
                one = convert_to_tensor(1.0, probs.dtype.base_dtype)
                words = "probs has components greater than 1."
                checks.append(assert_less_equal(probs, one, message=words))
            with control_dependencies([check for check in checks if check is not None]):
                probs = identity(probs)
        # Of several classes those logits do whose normalisation is zero already.
        return log(probs) if several else log(probs) - log1p(-probs), probs
