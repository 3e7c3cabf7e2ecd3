"""`tensorflow.python.ops.rnn` and `rnn_cell_impl`: what programs with cells of their own import."""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework import nest
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.recurrent.cell import zeros_of
from hybridflow._src.recurrent.dynamic import batch_and_time_exchanged
from hybridflow._src.recurrent.projections import linear
from hybridflow._src.recurrent.steps import size_along
from hybridflow._src.variables.scope import variable_scope
from hybridflow._src.variables.scope_state import get_variable_scope

__all__ = [
    "_Linear",
    "_best_effort_input_batch_size",
    "_linear",
    "_transpose_batch_time",
    "_zero_state_tensors",
]


def _linear(
    args: Any,
    output_size: int,
    bias: bool,
    bias_initializer: Any = None,
    kernel_initializer: Any = None,
) -> Tensor:
    """`args @ kernel + bias`, the matrices side by side.

    Args:
      args: a matrix `[batch, ...]`, or a list of them. output_size: the columns of the result.
      bias: whether it has one. bias_initializer, kernel_initializer: of the variables, which are in
        the scope that is open.

    Returns: a matrix `[batch, output_size]`.

    Raises:
      ValueError: without matrices, or if their columns are not known.
    """
    matrices = nest.flatten(args)
    if not matrices:
        raise ValueError("`args` must be specified")
    result: Tensor = linear(matrices, output_size, bias, bias_initializer, kernel_initializer)
    return result


class _Linear:
    """`_linear` as an object: the same variables at each call.

    Args: those of `_linear`; `build_bias` is its `bias`.
    """

    def __init__(
        self,
        args: Any,
        output_size: int,
        build_bias: bool,
        bias_initializer: Any = None,
        kernel_initializer: Any = None,
    ) -> None:
        self._given = output_size, build_bias, bias_initializer, kernel_initializer
        self._scope = get_variable_scope()
        _linear(args, *self._given)

    def __call__(self, args: Any) -> Tensor:
        with variable_scope(self._scope, reuse=True):
            return _linear(args, *self._given)


def _transpose_batch_time(x: Tensor) -> Tensor:
    """`[batch, time, ...]` as `[time, batch, ...]`, and back."""
    return x if x.shape.ndims is not None and x.shape.ndims < 2 else batch_and_time_exchanged(x)


def _best_effort_input_batch_size(flat_input: list[Tensor]) -> Any:
    """The size of the batch of inputs `[time, batch, ...]`: an int, or a scalar tensor."""
    return size_along(flat_input, 1)


def _zero_state_tensors(state_size: Any, batch_size: Any, dtype: Any) -> Any:
    """A state of zeros: a tensor `[batch_size, size]` for each size, in their structure."""
    return nest.map_structure(lambda size: zeros_of(batch_size, size, dtype), state_size)
