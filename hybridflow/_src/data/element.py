"""What is known of the elements of a dataset: dtypes, shapes and classes of their components."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.data import nest
from hybridflow._src.data.sparse import from_variant, to_variant
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.sparse_tensor import SparseTensor, as_sparse, is_sparse
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.framework.tensor_shape import TensorShape, as_shape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.framework.dtypes import DType

UNKNOWN = TensorShape.of(None)
SCALAR = TensorShape.of(())


class Element:
    """The form of the elements of a dataset or an iterator.

    Attributes:
      types, shapes, classes: of each component, in the structure of an element.
      flat_classes: the classes, in a row.
      flat_types, flat_shapes: of what passes between ops, a tensor for each component: a variant
        for a sparse one.
    """

    __slots__ = ("classes", "flat_classes", "flat_shapes", "flat_types", "shapes", "types")

    def __init__(self, types: Any, shapes: Any, classes: Any = None) -> None:
        self.types = types
        self.shapes = shapes
        self.classes = nest.map_structure(lambda _: Tensor, types) if classes is None else classes
        self.flat_classes = nest.flatten(self.classes)
        self.flat_types: list[DType] = nest.flatten(types)
        self.flat_shapes: list[TensorShape] = nest.flatten(shapes)
        if self.has_sparse:
            sparse = [kind is SparseTensor for kind in self.flat_classes]
            types = zip(sparse, self.flat_types, strict=True)
            shapes = zip(sparse, self.flat_shapes, strict=True)
            self.flat_types = [dtypes.variant if s else dtype for s, dtype in types]
            self.flat_shapes = [SCALAR if s else shape for s, shape in shapes]

    @staticmethod
    def given(types: Any, shapes: Any = None, classes: Any = None) -> Element:
        """The form that a program states, without shapes if it leaves them out.

        Raises:
          TypeError, ValueError: if types and shapes have other structures.
        """
        types = nest.map_structure(dtypes.as_dtype, types)
        if shapes is None:
            shapes = nest.map_structure(lambda _: UNKNOWN, types)
        else:
            shapes = nest.map_structure_up_to(types, as_shape, shapes)
        nest.assert_same_structure(types, shapes)
        return Element(types, shapes, classes)

    @staticmethod
    def of(structure: Any) -> Element:
        """The form of a structure of tensors."""
        return Element(
            nest.map_structure(lambda t: t.dtype.base_dtype, structure),
            nest.map_structure(lambda t: t.shape, structure),
            nest.map_structure(class_of, structure),
        )

    @property
    def has_sparse(self) -> bool:
        """Whether there are sparse components."""
        return SparseTensor in self.flat_classes

    @property
    def attrs(self) -> dict[str, Any]:
        """What ops are told of it."""
        return {"output_types": self.flat_types, "output_shapes": self.flat_shapes}

    def with_shapes(self, change: Callable[[TensorShape], TensorShape]) -> Element:
        """The same with other shapes."""
        return Element(self.types, nest.map_structure(change, self.shapes), self.classes)

    def batched(self, size: int | None) -> Element:
        """The form of batches of such elements; the size None is not known."""
        return self.with_shapes(lambda shape: TensorShape([size]).concatenate(shape))

    def unbatched(self) -> Element:
        """The form of the rows of such elements."""
        return self.with_shapes(lambda s: UNKNOWN if s.ndims is None else s[1:])

    def merged(self, other: Element) -> Element:
        """The form of elements that are of this form, or of another with the same types."""
        pairs = zip(nest.flatten(self.shapes), nest.flatten(other.shapes), strict=True)
        shapes = [common_shape(a, b) for a, b in pairs]
        return Element(self.types, nest.pack_sequence_as(self.shapes, shapes), self.classes)

    def pack(self, flat: Sequence[Any]) -> Any:
        """Flat tensors, as ops give them, in the structure of an element."""
        if not self.has_sparse:
            return nest.pack_sequence_as(self.types, list(flat))
        parts = zip(
            flat,
            self.flat_classes,
            nest.flatten(self.types),
            nest.flatten(self.shapes),
            strict=True,
        )
        found = [
            from_variant(tensor, dtype, shape.ndims) if kind is SparseTensor else tensor
            for tensor, kind, dtype, shape in parts
        ]
        return nest.pack_sequence_as(self.types, found)

    def check_takes(self, other: Element) -> None:
        """Checks that elements of another form may stand where this one is expected.

        Raises:
          TypeError, ValueError: if they may not.
        """
        nest.assert_same_structure(self.types, other.types)
        nest.assert_same_structure(self.shapes, other.shapes)
        if self.flat_classes != other.flat_classes:
            raise TypeError(
                f"Expected output classes {self.classes!r} but got dataset with output class "
                f"{other.classes!r}."
            )
        if nest.flatten(self.types) != nest.flatten(other.types):
            raise TypeError(
                f"Expected output types {self.types!r} but got dataset with output types "
                f"{other.types!r}."
            )
        pairs = zip(nest.flatten(self.shapes), nest.flatten(other.shapes), strict=True)
        for mine, theirs in pairs:
            if not mine.is_compatible_with(theirs):
                raise TypeError(
                    f"Expected output shapes compatible with {self.shapes!r} but got dataset with "
                    f"output shapes {other.shapes!r}."
                )


def class_of(value: Any) -> type:
    """The class of a component of an element."""
    return SparseTensor if isinstance(value, SparseTensor) else Tensor


def tensors_of(structure: Any) -> Any:
    """A structure of tensors of a structure of values; a component's number is in its name."""
    flat = [
        as_sparse(value)
        if is_sparse(value)
        else convert_to_tensor(value, name=f"component_{index}")
        for index, value in enumerate(nest.flatten(structure))
    ]
    return nest.pack_sequence_as(structure, flat)


def flat_tensors(structure: Any) -> list[Tensor]:
    """What passes between ops for a structure of tensors."""
    return [
        to_variant(value) if isinstance(value, SparseTensor) else convert_to_tensor(value)
        for value in nest.flatten(structure)
    ]


def common_shape(a: TensorShape, b: TensorShape) -> TensorShape:
    """The most that is known of a shape which is one of two."""
    if a.ndims is None or b.ndims is None or a.ndims != b.ndims:
        return UNKNOWN
    sizes = zip(a.as_list(), b.as_list(), strict=True)
    return TensorShape([one if one == other else None for one, other in sizes])
