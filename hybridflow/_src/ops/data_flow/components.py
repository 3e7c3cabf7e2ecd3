"""Elements of several tensors, as the classes of queues and their like describe them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import ShapeError
from hybridflow._src.framework.tensor_shape import TensorShape, as_shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.tensor import Tensor


def dtype_list(types: Any) -> list[DType]:
    """One dtype or a list of them, as a list."""
    return [dtypes.as_dtype(t) for t in (types if isinstance(types, list | tuple) else [types])]


def shape_list(shapes: Any, partial: bool = False) -> list[TensorShape] | None:
    """One shape or a list of them, as a list; None stays.

    Args:
      partial: whether sizes may be unknown; then there must be a list.

    Raises:
      TypeError: if it is neither. ValueError: if what must be known is not.
    """

    def is_dim(item: Any) -> bool:
        return item is None or isinstance(item, int)

    if partial and (not isinstance(shapes, list | tuple) or not shapes or any(map(is_dim, shapes))):
        raise ValueError("When providing partial shapes, a list of shapes must be provided.")
    if shapes is None:
        return None
    if isinstance(shapes, TensorShape):
        shapes = [shapes]
    if not isinstance(shapes, list | tuple):
        raise TypeError("shapes must be a TensorShape or a list or tuple of TensorShapes.")
    if all(map(is_dim, shapes)):
        shapes = [shapes]
    found = [as_shape(shape) for shape in shapes]
    if not partial and not all(shape.is_fully_defined() for shape in found):
        raise ValueError(f"All shapes must be fully defined: {found}")
    if any(shape.ndims is None for shape in found):
        raise ValueError(f"All shapes must have a defined rank: {found}")
    return found


def name_list(names: Any, types: Sequence[DType]) -> list[str] | None:
    """One name or a list of them, as a list; None stays.

    Raises:
      ValueError: if there is not one for each dtype.
    """
    if names is None:
        return None
    found = list(names) if isinstance(names, list | tuple) else [names]
    if len(found) != len(types):
        raise ValueError("List of names must have the same length as the list of dtypes")
    return found


class Components:
    """What the elements of something are made of.

    Attributes:
      dtypes: of each component. shapes: likewise, unknown where it may be any. names: if there are
        names, elements are dicts.
    """

    def __init__(
        self, dtypes: Sequence[DType], shapes: Sequence[Any] | None, names: list[str] | None
    ) -> None:
        self.dtypes = list(dtypes)
        self.shapes = [as_shape(s) for s in shapes] if shapes else [as_shape(None)] * len(dtypes)
        self.names = names

    def tensors(self, vals: Any, what: str = "enqueue") -> list[Tensor]:
        """An element's tensors, in order.

        Raises:
          ValueError: for a dict where there are no names, other keys than names, or no dict where
            there are names, and for another number of components.
        """
        if isinstance(vals, dict):
            if not self.names:
                raise ValueError(f"Queue must have names to {what} a dictionary")
            if sorted(self.names, key=str) != sorted(vals, key=str):
                raise ValueError(
                    f"Keys in dictionary to {what} do not match names of Queue.  Dictionary: "
                    f"({sorted(vals, key=str)}), Queue: ({sorted(self.names, key=str)})"
                )
            vals = [vals[name] for name in self.names]
        elif self.names:
            raise ValueError(f"You must {what} a dictionary in a Queue with names")
        elif not isinstance(vals, list | tuple):
            vals = [vals]
        if len(vals) != len(self.dtypes):
            raise ValueError(
                f"Cannot {what} {len(vals)} values: an element has {len(self.dtypes)} components, "
                f"of dtypes {[d.name for d in self.dtypes]}."
            )
        return [
            convert_to_tensor(value, dtype, name=f"component_{index}")
            for index, (value, dtype) in enumerate(zip(vals, self.dtypes, strict=True))
        ]

    def check_shapes(self, shapes: Sequence[TensorShape], name: str) -> None:
        """Checks the shapes of an element's tensors.

        Raises:
          ShapeError: if one does not fit; it names the queue, or what else has this name.
        """
        for index, (shape, known) in enumerate(zip(shapes, self.shapes, strict=True)):
            if not shape.is_compatible_with(known):
                raise ShapeError(
                    f"Shapes {shape} and {known} are incompatible: component {index} of elements "
                    f"of '{name}' has shape {known}, got {shape}."
                )

    def structure(self, tensors: Sequence[Tensor]) -> Any:
        """Tensors as the element that they are: a dict, one tensor, or a list."""
        if self.names:
            return dict(zip(self.names, tensors, strict=True))
        return tensors[0] if len(tensors) == 1 else list(tensors)


def values_of(vals: Any) -> list[Any]:
    """The values of an element, to find their graph."""
    if isinstance(vals, dict):
        return list(vals.values())
    return list(vals) if isinstance(vals, list | tuple) else [vals]
