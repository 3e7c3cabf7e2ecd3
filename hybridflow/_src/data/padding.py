"""Datasets of batches whose elements are padded to one shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.data import nest
from hybridflow._src.data.batching import BatchPass
from hybridflow._src.data.element import Element
from hybridflow._src.data.ops import dataset_op
from hybridflow._src.data.passes import Derived, whole_number
from hybridflow._src.data.recipe import (
    Recipe,
    known_shape,
    shape_tensor,
    static_size,
    truth,
    whole,
)
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import DataLossError, InvalidArgumentError
from hybridflow._src.framework.op_def import REQUIRED
from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.graphs.nodes import node_attrs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.data.passes import Item, Source
    from hybridflow._src.framework.tensor import Tensor


class _Padded(BatchPass):
    """Elements that follow each other, each padded to a shape and all stacked."""

    def __init__(self, source: Derived) -> None:
        size, whole_only, self._shapes, self._values = source.args
        super().__init__(source, size, whole_only)

    def _batch(self, found: Any) -> Item:
        columns = zip(zip(*found, strict=True), self._shapes, self._values, strict=True)
        return tuple([_pad(column, shape, value) for column, shape, value in columns])


def _pad(arrays: Sequence[np.ndarray], shape: Sequence[int], value: Any) -> np.ndarray:
    """Arrays padded to a shape and stacked; -1 stands for the largest size there is."""
    for array in arrays:
        if array.ndim != len(shape):
            raise InvalidArgumentError(
                None,
                None,
                "All elements in a batch must have the same rank as the padded shape: "
                f"expected rank {len(shape)} but got element with rank {array.ndim}.",
            )
    sizes = [
        max(array.shape[axis] for array in arrays) if size < 0 else size
        for axis, size in enumerate(shape)
    ]
    batch = np.empty((len(arrays), *sizes), arrays[0].dtype)
    batch[...] = value
    for number, array in enumerate(arrays):
        if any(have > room for have, room in zip(array.shape, sizes, strict=True)):
            raise DataLossError(
                None,
                None,
                "Attempted to pad to a smaller size than the input element: "
                f"{list(array.shape)} does not fit into {sizes}.",
            )
        place: tuple[Any, ...] = (number, *[slice(have) for have in array.shape], ...)
        batch[place] = array
    return batch


def _padded_source(
    source: Source, batch_size: Any, *values: Any, components: int, drop_remainder: bool
) -> Source:
    size = whole_number(batch_size, "Batch size", 1)
    shapes = [shape.tolist() for shape in values[:components]]
    for shape in shapes:
        if any(s < -1 for s in shape):
            raise InvalidArgumentError(None, None, f"Padded shape {shape} has a size below -1.")
    padding = [value[()] if np.ndim(value) == 0 else value for value in values[components:]]
    return Derived(source, _Padded, size, drop_remainder, shapes, padding)


def _write(nodes: Any, op: Any) -> None:
    inputs = [nodes.input(t) for t in op.inputs]
    type_ = "PaddedBatchDataset"
    if op.attrs["drop_remainder"]:  # only later TensorFlows have that
        type_, name = "PaddedBatchDatasetV2", f"{op.name}/drop_remainder"
        node = nodes.add("Const", name, [], value=np.array(True), dtype=dtypes.bool)
        inputs.append(nodes.output(node))
    nodes.node(op, type_, inputs, _attrs(op))


def _attrs(op: Any) -> dict[str, Any]:
    types = list(op.attrs["output_types"])
    return {**node_attrs(op), "Toutput_types": types, "N": op.attrs["components"]}


_SHAPES = "input_dataset: variant, batch_size: int64, padded_shapes_and_values: ..."
_padded_batch = dataset_op(
    "PaddedBatchDataset",
    _SHAPES,
    _padded_source,
    {"components": REQUIRED, "drop_remainder": False},
    written=_write,
    read=lambda attrs: {"components": attrs["N"]},
)
# As files of later TensorFlows have it.
dataset_op(
    "PaddedBatchDatasetV2",
    f"{_SHAPES}, drop_remainder: bool",
    lambda *values, components: _padded_source(
        *values[:-1], components=components, drop_remainder=bool(values[-1])
    ),
    {"components": REQUIRED},
    written=lambda nodes, op: nodes.node(
        op, op.type, [nodes.input(t) for t in op.inputs], _attrs(op)
    ),
    read=lambda attrs: {"components": attrs["N"]},
)


def padded(
    dataset: Any, batch_size: Any, padded_shapes: Any, padding_values: Any, drop_remainder: Any
) -> Recipe:
    """Elements that follow each other, each padded to a shape and all stacked.

    Raises:
      TypeError, ValueError: if shapes or values do not have the structure of an element, or its
        ranks and dtypes.
    """
    size = whole(batch_size, "batch_size")
    _, is_dropped = truth(drop_remainder, "drop_remainder")
    element: Element = dataset.element
    if element.has_sparse:
        raise TypeError("Batching of padded sparse tensors is not currently supported.")
    shapes = [
        _checked(wanted, known)
        for wanted, known in zip(
            nest.flatten_up_to(element.shapes, padded_shapes), element.flat_shapes, strict=True
        )
    ]
    if padding_values is None:
        values = [_nothing(dtype) for dtype in element.flat_types]
    else:
        given = nest.flatten_up_to(element.shapes, padding_values)
        values = [
            _value_tensor(value, dtype)
            for value, dtype in zip(given, element.flat_types, strict=True)
        ]
    count = static_size(size) if is_dropped else None
    batch_shapes = [TensorShape([count]).concatenate(known_shape(shape)) for shape in shapes]
    return Recipe(
        _padded_batch,
        Element(element.types, nest.pack_sequence_as(element.shapes, batch_shapes)),
        lambda: (dataset._as_variant_tensor(), size, [*shapes, *values]),
        components=len(shapes),
        drop_remainder=is_dropped,
    )


def _checked(wanted: Any, known: TensorShape) -> Tensor:
    """A shape to pad to, held against what is known of the elements."""
    tensor = shape_tensor(wanted)
    given = known_shape(tensor)
    if given.ndims is not None and known.ndims is not None and given.ndims != known.ndims:
        raise ValueError(
            f"The padded shape {given} is not compatible with the corresponding input component "
            f"shape {known}."
        )
    return tensor


def _nothing(dtype: Any) -> Tensor:
    return convert_to_tensor(b"" if dtype is dtypes.string else np.zeros((), dtype.np), dtype)


def _value_tensor(value: Any, dtype: Any) -> Tensor:
    tensor = convert_to_tensor(value, name="padding_value")
    if not tensor.shape.is_compatible_with([]):
        raise ValueError("Padding value should be a scalar.")
    if tensor.dtype.base_dtype is not dtype:
        raise TypeError(f"Padding value tensor ({tensor}) does not match output type: {dtype.name}")
    return tensor
