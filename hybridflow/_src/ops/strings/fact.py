"""`my_fact`: TensorFlow's example of an op of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hybridflow._src.framework.op_def import OpDef, Sample, not_differentiable

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["my_fact"]

_fact = OpDef(
    "Fact",
    "-> fact: string",
    shape=lambda attrs: (),
    compute=lambda: np.array(b"0! == 1", object),
    grad=not_differentiable,
    samples=lambda rng: [Sample()],
)


def my_fact() -> Tensor:
    """A fact about factorials: a string scalar.

    An op of one's own is written in Python: of other ops, or by `hf.py_func`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.user_ops.my_fact().numpy())
    b'0! == 1'
    """
    fact: Tensor = _fact()
    return fact
