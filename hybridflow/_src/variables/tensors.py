"""What counts as a tensor."""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework.sparse_tensor import SparseTensor
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.variables.variable import Variable

__all__ = ["is_tensor"]


def is_tensor(x: Any) -> bool:
    """Tells whether `x` is a tensor, a sparse tensor or a variable, which ops take as they are.

    Of TensorFlow 1.15; 1.4 has it in `tf.contrib.framework`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.is_tensor(hf.constant(1.0)), hf.is_tensor([1.0]))
    True False
    """
    return isinstance(x, Tensor | SparseTensor | Variable)
