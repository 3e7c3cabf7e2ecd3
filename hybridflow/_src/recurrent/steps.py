"""What all recurrent networks share: the sizes of a batch, and one step of sequences that differ in
length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import nest
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.scopes import colocate_with, control_dependencies
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.framework.tensor_shape import TensorShape, as_shape
from hybridflow._src.ops.arrays.casting import to_int32
from hybridflow._src.ops.arrays.joining import stack
from hybridflow._src.ops.arrays.reshaping import identity
from hybridflow._src.ops.arrays.selecting import where
from hybridflow._src.ops.arrays.shape_ops import shape
from hybridflow._src.ops.control_flow.conditional import cond
from hybridflow._src.ops.control_flow.debugging import Assert
from hybridflow._src.ops.data_flow.flows import tensor_of
from hybridflow._src.ops.data_flow.tensor_array import TensorArray
from hybridflow._src.ops.math.comparison import equal
from hybridflow._src.ops.math.reductions import reduce_all, reduce_max, reduce_min
from hybridflow._src.recurrent.cell import zeros_of

if TYPE_CHECKING:
    from collections.abc import Callable


def size_along(tensors: list[Tensor], axis: int) -> Any:
    """The size that tensors share along an axis: an int, or a scalar tensor if it is not known.

    Raises:
      ValueError: if they have fewer axes, or differ.
    """
    known: set[int] = set()
    for tensor in tensors:
        if tensor.shape.ndims is not None and tensor.shape.ndims <= axis:
            raise ValueError(f"Expected input tensor {tensor} to have rank at least {axis + 1}")
        dims = tensor._dims
        size = None if dims is None else dims[axis]
        if size is not None:
            known.add(size)
    if len(known) > 1:
        what = "Time steps" if axis == 0 else "Batch_size"
        raise ValueError(
            f"{what} is not the same for all the elements in the input: {sorted(known)}."
        )
    return known.pop() if known else shape(tensors[0])[axis]


def check_depth(tensor: Tensor, first: int) -> None:
    """Checks that the sizes of one input are known, which are those of axes from `first` on.

    Raises:
      ValueError: if they are not.
    """
    inner = tensor.shape.with_rank_at_least(first)[first:]
    if not inner.is_fully_defined():
        raise ValueError(
            "Input size (depth of inputs) must be accessible via shape inference, but saw value "
            f"None: {tensor.shape}."
        )


def check_output(output: Any, output_size: Any) -> None:
    """Checks that a cell gives what it says.

    Raises:
      ValueError: if the sizes of an output, as far as they are known, are others.
    """
    sizes = nest.flatten(output_size)
    for tensor, size in zip(nest.flatten(output), sizes, strict=len(sizes) > 1):
        shape_of = tensor.shape
        if isinstance(size, Tensor) or shape_of.ndims is None:
            continue
        expected = shape_of[:1].concatenate(as_shape(size))
        if not shape_of.is_compatible_with(expected):
            raise ValueError(
                f"Inconsistent shapes: saw {shape_of} but expected {expected}, by the output_size "
                "of the cell."
            )


def state_dtype(dtype: Any, state: Any) -> Any:
    """The dtype of a state, where none was given.

    Raises:
      ValueError: if its parts have several.
    """
    if dtype is not None:
        return dtype
    found = [t.dtype.base_dtype for t in nest.flatten(state)]
    if not found:
        raise ValueError("Unable to infer dtype from empty state.")
    if any(t != found[0] for t in found):
        raise ValueError(
            "State has tensors of different inferred_dtypes. Unable to infer a single "
            f"representative dtype: {[t.name for t in found]}."
        )
    return found[0]


def first_state(cell: Any, initial_state: Any, batch_size: Any, dtype: Any) -> Any:
    """The state to begin with: that which is given, as tensors, or zeros.

    Raises:
      ValueError: if neither it nor a dtype is given.
    """
    if initial_state is not None:
        return nest.map_structure(tensor_of, initial_state)
    if not dtype:
        raise ValueError("If there is no initial_state, you must give a dtype.")
    return cell.zero_state(batch_size, dtype)


def zero_outputs(output_size: Any, batch_size: Any, dtype: Any) -> Any:
    """What a cell is taken to give after the end of a sequence."""
    return nest.map_structure(lambda size: zeros_of(batch_size, size, dtype), output_size)


class Lengths:
    """The lengths of the sequences of a batch.

    Args:
      lengths: integer vector `[batch]`.
      batch_size: an int, or a scalar tensor.

    Raises:
      ValueError: if they are no vector, or of another size. InvalidArgumentError: when it runs, in
        a graph that did not know it.
    """

    def __init__(self, lengths: Any, batch_size: Any) -> None:
        vector = to_int32(convert_to_tensor(lengths, name="sequence_length"))
        dims = vector._dims
        if dims is not None and len(dims) != 1:
            raise ValueError(
                "sequence_length must be a vector of length batch_size, but saw shape: "
                f"{vector.shape}"
            )
        vector = identity(vector, name="sequence_length")
        if dims is None or dims[0] is None or not isinstance(batch_size, int):
            expected, found = stack([batch_size]), shape(vector)
            text = "Expected shape for sequence_length is ", expected, " but saw shape: ", found
            check = Assert(reduce_all(equal(found, expected)), list(text))
            with control_dependencies([] if check is None else [check]):
                vector = identity(vector, name="CheckSeqLen")
        elif dims[0] != batch_size:
            raise ValueError(
                f"sequence_length must have a length for each of {batch_size} sequences, got "
                f"{dims[0]}."
            )
        self.vector = vector

    def ended(self, time: Any, old: Any, new: Any) -> Any:
        """The new values, and for sequences that have ended the old ones."""

        def chosen(before: Any, after: Any) -> Any:
            if isinstance(before, TensorArray) or before.shape.ndims == 0:
                return after
            with colocate_with(after):
                kept = where(over, before, after)
            kept.set_shape(TensorShape(before.shape))
            return kept

        nest.assert_same_structure(old, new)
        over = time >= self.vector
        return nest.map_structure(chosen, old, new)

    def extremes(self) -> tuple[Tensor, Tensor]:
        """The smallest and the largest."""
        return reduce_min(self.vector), reduce_max(self.vector)


def step_if_needed(
    time: int,
    lengths: Lengths,
    extremes: tuple[Tensor, Tensor],
    before: tuple[Any, Any],
    call_cell: Callable[[], tuple[Any, Any]],
) -> tuple[Any, Any]:
    """One step, which is not computed if all sequences have ended.

    Args:
      before: output and state for those that have.
    """
    shortest, longest = extremes

    def computed() -> Any:
        after = call_cell()
        nest.assert_same_structure(before[1], after[1])
        return cond(
            time < shortest,
            lambda: nest.flatten(after),
            lambda: nest.flatten(lengths.ended(time, before, after)),
            strict=True,
        )

    flat = cond(time >= longest, lambda: nest.flatten(before), computed, strict=True)
    for value, like in zip(flat, nest.flatten(before), strict=True):
        value.set_shape(like.shape)
    output, state = nest.pack_sequence_as(before, flat)
    return output, state
