"""What a dataset is made by: the form of its elements, and how its op is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes, traceback
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.eager_tensor import EagerTensor
from hybridflow._src.framework.seeds import LARGEST_SEED, get_seed
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.framework.tensor_shape import TensorShape, as_shape, dimension_at_index

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.data.element import Element
    from hybridflow._src.framework.op_def import OpDef


class Recipe:
    """How one dataset is made.

    Args:
      op: the record of its op.
      element: the form of its elements.
      inputs: called where the op is to run; gives its inputs. Those that are datasets run there
        too.
      attrs: attributes of the op beside dtypes and shapes.
    """

    __slots__ = ("_attrs", "_frames", "_inputs", "_op", "element")

    def __init__(
        self,
        op: OpDef,
        element: Element,
        inputs: Callable[[], tuple[Any, ...]],
        **attrs: Any,
    ) -> None:
        self._op = op
        self.element = element
        self._inputs = inputs
        self._attrs = attrs
        self._frames = traceback.capture(2)

    @property
    def name(self) -> str:
        """The op's type, by which a dataset shows itself."""
        return self._op.name

    def variant(self) -> Tensor:
        """The dataset as a tensor of the current mode and graph."""
        made: Tensor = self._op(*self._inputs(), **self.element.attrs, **self._attrs)
        if not isinstance(made, EagerTensor):
            # Errors name the line of the dataset's own method, not that of the iterator.
            made.op.set_frames(self._frames)
        return made


def whole(value: Any, name: str) -> Tensor:
    """A count as ops of datasets take it."""
    return convert_to_tensor(value, dtypes.int64, name=name)


def optional(value: Any, default: Any, name: str, dtype: Any = dtypes.int64) -> Tensor:
    """An argument that a program may leave out."""
    return convert_to_tensor(default if value is None else value, dtype, name=name)


def seeds(seed: Any) -> tuple[Tensor, Tensor]:
    """The two seeds of an op that draws; 0 and 0 where it is to seed itself."""
    if isinstance(seed, Tensor):
        value = constant_value(seed)
        if value is None:
            # What the graph gives does not depend on what the op has.
            graph_seed = get_seed(1)[0]
            return whole(graph_seed, "seed"), whole(seed, "seed2") % LARGEST_SEED
        seed = int(value)
    pair = get_seed(seed)
    names = zip(pair, ("seed", "seed2"), strict=True)
    first, second = [whole(0 if value is None else int(value), name) for value, name in names]
    return first, second


def static_size(tensor: Tensor) -> int | None:
    """A count that is the same in every run, or None."""
    value = constant_value(tensor)
    return None if value is None else int(value)


def truth(value: Any, name: str) -> tuple[Tensor, bool]:
    """A truth value as ops take it, and whether it is known to be true."""
    tensor = convert_to_tensor(value, dtypes.bool, name=name)
    known = constant_value(tensor)
    return tensor, known is not None and bool(known)


def shape_tensor(shape: Any) -> Tensor:
    """A shape as a vector, with -1 for a size that is not known.

    Raises:
      ValueError: if it is no shape, and no vector.
    """
    try:
        sizes = as_shape(shape).as_list()
    except (TypeError, ValueError):
        tensor = convert_to_tensor(shape, dtypes.int64)
        if not tensor.shape.is_compatible_with([None]):
            raise ValueError(
                f"Padded shape {shape} must be a 1-D tensor of `tf.int64` values, but its shape "
                f"was {tensor.shape}."
            ) from None
        return tensor
    return convert_to_tensor([-1 if size is None else size for size in sizes], dtypes.int64)


def known_shape(vector: Tensor) -> TensorShape:
    """What is known of the shape that a vector gives.

    Raises:
      ValueError: for a size below -1.
    """
    value = constant_value(vector)
    if value is not None:
        wrong = value[value < -1]
        if wrong.size:
            raise ValueError(f"Dimension {wrong[0]} must be >= 0, or -1 where it is not known.")
        return TensorShape([None if size < 0 else size for size in value.tolist()])
    count = dimension_at_index(vector.shape, 0).value if vector.shape.ndims == 1 else None
    return TensorShape.of(None) if count is None else TensorShape([None] * count)


class Given:
    """A dataset that is there as a tensor."""

    name = "VariantDataset"

    def __init__(self, tensor: Tensor, element: Element) -> None:
        self._tensor = tensor
        self.element = element

    def variant(self) -> Tensor:
        """The tensor."""
        return self._tensor
