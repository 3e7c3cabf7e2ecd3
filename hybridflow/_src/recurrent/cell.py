"""`RNNCell`: a layer of an input and a state that gives an output and the next state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context, dtypes, nest
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.framework.tensor_shape import TensorShape, as_shape, dimension_at_index
from hybridflow._src.layers.keras import activations
from hybridflow._src.layers.layer import Layer
from hybridflow._src.ops.arrays.constant import zeros
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.reshaping import reshape
from hybridflow._src.ops.math.trigonometric import tanh
from hybridflow._src.variables.scope import variable_scope
from hybridflow._src.variables.scope_state import get_variable_scope

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RNNCell"]


def check_cell(cell: Any, what: str) -> None:
    """Checks that something can be used as a cell.

    Raises:
      TypeError: if it lacks what a cell has.
    """
    needed = ("output_size", "state_size", "zero_state")
    if isinstance(cell, type):
        raise TypeError(
            f"{what} must be an instance of RNNCell, got the class {cell.__name__}: call it to "
            f"make one, as in `{cell.__name__}(units)`."
        )
    if not callable(cell) or not all(hasattr(cell, name) for name in needed):
        raise TypeError(
            f"{what} must be an instance of RNNCell: something that is called with an input and a "
            f"state, with output_size, state_size and zero_state; got {cell!r:.80}."
        )


def called(cell: Any, inputs: Any, state: Any) -> tuple[Any, Any]:
    """What a cell gives: an output, and the next state.

    Raises:
      TypeError: if it gives something else.
    """
    found = cell(inputs, state)
    if not isinstance(found, list | tuple) or len(found) != 2:
        raise TypeError(
            f"A cell must return its output and the next state, `return output, new_state`; "
            f"{cell!r:.80} returned {found!r:.120}."
        )
    output, new_state = found
    return output, new_state


def parts_of(cell: Any, state: Any) -> Any:
    """The tensors of which the state of a cell consists.

    Raises:
      TypeError: if it is one tensor of a graph.
    """
    if isinstance(state, Tensor) and not context.modes.top.eager:
        raise TypeError(
            f"The state of {type(cell).__name__} is tensors of the sizes {cell.state_size}, in "
            "such a structure, as `cell.zero_state(batch_size, dtype)` gives them; got one "
            f"tensor, {state}."
        )
    return state


def activation_of(given: Any) -> Callable[..., Any]:
    """The activation of a cell: a function, or the name of one; `hf.tanh` by default.

    Raises:
      ValueError: if it is neither.
    """
    return activations.get(given) if given else tanh


def _parts(size: Any) -> tuple[Any, Any]:
    """A size, or sizes, as a vector and as static sizes: an int, a shape, or a tensor."""
    if isinstance(size, Tensor):
        known = constant_value(size)
        static = TensorShape.of(None) if known is None else as_shape(known.reshape(-1).tolist())
        if known is None and size.shape.is_fully_defined():
            static = TensorShape([None] * (size.shape.num_elements() or 1))
        return reshape(size, [-1]), static
    static = as_shape(size)
    return static.as_list() if static.is_fully_defined() else None, static


def zeros_of(batch_size: Any, size: Any, dtype: Any) -> Tensor:
    """Zeros `[batch_size, *size]`; both may be ints, shapes or tensors.

    Raises:
      ValueError: if a size is not known at all.
    """
    prefix, known_prefix = _parts(batch_size)
    suffix, known_suffix = _parts(size)
    if prefix is None or suffix is None:
        raise ValueError(f"Provided a prefix or suffix of None: {batch_size} and {size}")
    static = known_prefix.concatenate(known_suffix)
    if static.is_fully_defined():
        return zeros(static.as_list(), dtype=dtype)
    sizes = [convert_to_tensor(part, dtypes.int32) for part in (prefix, suffix)]
    made = zeros(concat(sizes, 0), dtype=dtype)
    made.set_shape(static)
    return made


class RNNCell(Layer):
    """A layer that is called with an input and a state, and gives an output and the next state.

    A subclass says the sizes of state and output, and computes in `call`; its variables come from
    `build`, by `add_variable`, or from `hf.get_variable` in `call`.

    Args: as for `hf.layers.Layer`.

    >>> import hybridflow as hf
    >>> class Average(hf.nn.rnn_cell.RNNCell):
    ...     state_size = output_size = 2
    ...     def call(self, inputs, state):
    ...         mean = 0.5 * (inputs + state)
    ...         return mean, mean
    >>> with hf.eager_mode():
    ...     cell = Average()
    ...     output, state = cell(hf.constant([[2.0, 4.0]]), cell.zero_state(1, hf.float32))
    ...     print(output.numpy())
    [[1. 2.]]
    """

    def __call__(
        self, inputs: Any, state: Any, scope: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        """Computes one step.

        Args:
          inputs: tensor `[batch, input_size]`, or a structure of them.
          state: tensor `[batch, state_size]`, or a structure of them like `state_size`.
          scope: variable scope to use at the first call; by default it is called as the class is.

        Returns: the output `[batch, output_size]` and the next state, which is like the state.
        """
        opened = get_variable_scope() if scope is None else scope
        with variable_scope(opened, custom_getter=self._noting) as entered:
            if scope is not None:
                kwargs["scope"] = entered
            return super().__call__(inputs, state, *args, **kwargs)

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]
        """Computes one step; a subclass says how.

        Returns: the output and the next state.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no `call(self, inputs, state)`, which returns its output "
            "and the next state."
        )

    def _noting(self, getter: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Gets a variable that `call` asks for, which becomes the layer's own."""
        variable = getter(*args, **kwargs)
        trained = getattr(variable, "trainable", True)
        weights = self._trainable_weights if trained else self._non_trainable_weights
        if not any(variable is known for known in weights):
            weights.append(variable)
        return variable

    @property
    def state_size(self) -> Any:
        """The size of the state: an int, a shape, or a structure of them."""
        raise NotImplementedError(f"{type(self).__name__} has no state_size.")

    @property
    def output_size(self) -> Any:
        """The size of the output: an int, a shape, or a structure of them."""
        raise NotImplementedError(f"{type(self).__name__} has no output_size.")

    def build(self, _: Any) -> None:
        """Makes nothing: `call` may make variables."""

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """The state of zeros.

        Args:
          batch_size: an int or a scalar tensor.
          dtype: that of the state.

        Returns: a tensor `[batch_size, state_size]`, or a structure of them like `state_size`.
        """
        with name_scope(f"{type(self).__name__}ZeroState", values=[batch_size]):
            return nest.map_structure(
                lambda size: zeros_of(batch_size, size, dtype), self.state_size
            )


class LayerCell(RNNCell):
    """A cell whose variables are all made by `build`."""

    def _depth(self, input_shape: Any) -> int:
        """The number of columns of inputs.

        Raises:
          ValueError: if it is not known, or they are no floats.
        """
        if self.dtype is not None and not dtypes.as_dtype(self.dtype).is_floating:
            raise ValueError(
                f"{self.name}: an RNN cell only supports floating point inputs, but saw dtype: "
                f"{self.dtype}. `hf.cast(inputs, hf.float32)` are some."
            )
        depth: int | None = dimension_at_index(TensorShape(input_shape), -1).value
        if depth is None:
            raise ValueError(
                f"{self.name}: Expected inputs.shape[-1] to be known, saw shape: {input_shape}"
            )
        return depth
