"""How stacks of loops and tensor arrays are written to files: as TensorFlow's lists of tensors.

The gradient for a list is a list too. It may be shorter, and elements of it may not be set: there
it is zero. So lists grow before they are added or read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes

if TYPE_CHECKING:
    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.framework.tensor import Tensor


def dtype_of(tensor: Tensor) -> DType:
    """The dtype of a tensor, a reference or not."""
    return tensor.dtype.base_dtype


def element_shape(nodes: Any, op: Operation, dims: Any) -> str:
    """A constant that says the shape of a list's elements: -1 for what is not known."""
    known = -1 if dims is None else [-1 if d is None else d for d in dims]
    value = np.array(known, np.int32)
    name = f"{op.name}/element_shape"
    return str(nodes.output(nodes.add("Const", name, [], dtype=dtypes.int32, value=value)))


# -- stacks ----------------------------------------------------------------------------------------


def write_stack_item(nodes: Any, op: Operation) -> None:
    """Writes the value of one turn: an element of a list."""
    stack, index = op.inputs
    shape = element_shape(nodes, op, op.outputs[0]._dims)
    inputs = [nodes.input(stack), nodes.input(index), shape]
    nodes.node(op, "TensorListGetItem", inputs, {"element_dtype": dtype_of(op.outputs[0])})


def write_stack_all(nodes: Any, op: Operation) -> None:
    """Writes the values of all turns as one tensor."""
    shape = element_shape(nodes, op, op.attrs["shape"]._dims)
    inputs = [nodes.input(op.inputs[0]), shape]
    nodes.node(op, "TensorListStack", inputs, {"element_dtype": dtype_of(op.outputs[0])})


def write_unstack_all(nodes: Any, op: Operation) -> None:
    """Writes the rows of a tensor as a list."""
    (tensor,) = op.inputs
    dims = tensor._dims
    inputs = [nodes.input(tensor), element_shape(nodes, op, dims and dims[1:])]
    form = {"element_dtype": dtype_of(tensor), "shape_type": dtypes.int32}
    nodes.node(op, "TensorListFromTensor", inputs, form)


# -- tensor arrays ---------------------------------------------------------------------------------


def write_items(nodes: Any, op: Operation) -> None:
    """Writes a new tensor array: a list of a size."""
    inputs = [element_shape(nodes, op, None), nodes.input(op.inputs[0])]
    form = {"element_dtype": op.attrs["dtype"], "shape_type": dtypes.int32}
    nodes.node(op, "TensorListReserve", inputs, form)


def write_items_write(nodes: Any, op: Operation) -> None:
    """Writes what sets one item; the list first grows where the array may."""
    items, index, item = (nodes.input(t) for t in op.inputs)
    if op.attrs["dynamic"]:
        helping = _Helping(nodes, op)
        items = helping.grown(items, helping.after(index))
    form = {"element_dtype": dtype_of(op.inputs[2])}
    nodes.node(op, "TensorListSetItem", [items, index, item], form)


def write_items_size(nodes: Any, op: Operation) -> None:
    """Writes the number of items."""
    nodes.node(op, "TensorListLength", [nodes.input(op.inputs[0])], {})


def write_items_gather(nodes: Any, op: Operation) -> None:
    """Writes some of the items as one tensor."""
    items, indices = (nodes.input(t) for t in op.inputs)
    inputs = [items, indices, element_shape(nodes, op, op.attrs["shape"]._dims)]
    nodes.node(op, "TensorListGather", inputs, {"element_dtype": dtype_of(op.outputs[0])})


def write_items_scatter(nodes: Any, op: Operation) -> None:
    """Writes what sets some of the items."""
    items, indices, rows = (nodes.input(t) for t in op.inputs)
    helping = _Helping(nodes, op)
    if op.attrs["dynamic"]:
        items = helping.grown(items, helping.after(helping.most(indices)))
    form = {"element_dtype": dtype_of(op.inputs[2])}
    nodes.node(op, "TensorListScatterIntoExistingList", [items, rows, indices], form)


def write_items_split(nodes: Any, op: Operation) -> None:
    """Writes an array of parts of a tensor."""
    _write_split(nodes, op, op.inputs[1], op.inputs[2])


def write_items_concat(nodes: Any, op: Operation) -> None:
    """Writes all items in one row."""
    helping = _Helping(nodes, op)
    _write_concat(nodes, op, nodes.input(op.inputs[0]), op.attrs["shape"]._dims, helping.no_sizes())


def _write_split(nodes: Any, op: Operation, rows: Tensor, lengths: Tensor) -> None:
    dims = rows._dims and (None, *rows._dims[1:])
    inputs = [nodes.input(rows), element_shape(nodes, op, dims), nodes.input(lengths)]
    form = {"element_dtype": dtype_of(rows), "shape_type": dtypes.int32}
    nodes.node(op, "TensorListSplit", inputs, form)


def _write_concat(nodes: Any, op: Operation, items: str, dims: Any, lengths: str) -> None:
    inputs = [items, element_shape(nodes, op, dims and (None, *dims[1:])), lengths]
    form = {"element_dtype": dtype_of(op.outputs[0]), "shape_type": dtypes.int32}
    nodes.node(op, "TensorListConcatV2", inputs, form)


# -- gradients -------------------------------------------------------------------------------------


def _element_of(stack: Tensor) -> Tensor | None:
    """The tensor whose values in all turns of a loop are a stack."""
    for body in stack.op.bodies:
        for inner, outer in body.saved.items():
            if outer is stack:
                return inner
    return None


def element_dtype(items: Tensor) -> DType | None:
    """The dtype of the elements of a stack or tensor array, as far as it is known."""
    pending, seen = [items], {items}
    for tensor in pending:
        op, place = tensor.op, tensor.value_index
        element = _element_of(tensor)
        if op.type in _ELEMENTS:
            element = op.inputs[_ELEMENTS[op.type]]
        if element is not None:
            return dtype_of(element)
        if op.attrs.get("dtype") not in (None, dtypes.variant):
            return op.attrs["dtype"]
        sources = [*op.inputs[place : place + 1]] if op.type in ("While", "Identity") else []
        sources += [t for body in op.bodies for t in body.outputs[place : place + 1]]
        for source in sources:
            if source.dtype is dtypes.variant and source not in seen:
                seen.add(source)
                pending.append(source)
    return None


# The input that the elements are like, of ops that make lists.
_ELEMENTS = {
    "ArrayGradientOfParts": 1,
    "ArrayGradientOfRows": 1,
    "ArrayItemsWrite": 2,
    "StackGradient": 1,
    "UnstackAll": 0,
}


class _Helping:
    """Nodes that help one operation, under its name."""

    def __init__(self, nodes: Any, op: Operation) -> None:
        self._nodes = nodes
        self._op = op

    def add(self, type_: str, name: str, inputs: list[str], **attrs: Any) -> str:
        """An output of a new node."""
        node = self._nodes.add(type_, f"{self._op.name}/{name}", inputs, **attrs)
        return str(self._nodes.output(node))

    def numbers(self, value: Any, name: str, dtype: DType = dtypes.int32) -> str:
        """A constant."""
        return self.add("Const", name, [], dtype=dtype, value=np.array(value, dtype.np))

    def no_sizes(self) -> str:
        """An empty vector of sizes."""
        return self.numbers([], "sizes", dtypes.int64)

    def after(self, index: str) -> str:
        """The index behind an index."""
        return self.add("Add", "needed", [index, self.numbers(1, "one")], T=dtypes.int32)

    def most(self, indices: str) -> str:
        """The largest of some indices, something negative if there are none."""
        axes = self.numbers([0], "axes")
        return self.add("Max", "most", [indices, axes], T=dtypes.int32, Tidx=dtypes.int32)

    def length(self, items: str) -> str:
        """The length of a list."""
        return self.add("TensorListLength", "length", [items])

    def grown(self, items: str, least: str) -> str:
        """A list that has at least so many elements."""
        sizes = [least, self.length(items)]
        size = self.add("Maximum", "size", sizes, T=dtypes.int32)
        return self.add("TensorListResize", "grown", [items, size])

    def shape(self, tensor: Tensor) -> str:
        """The shape of a tensor; a list, as an element of a list, is a scalar."""
        if dtype_of(tensor) is dtypes.variant:
            return self.numbers([], "shape")
        given = [self._nodes.input(tensor)]
        return self.add("Shape", "shape", given, T=dtype_of(tensor), out_type=dtypes.int32)

    def part(self, shape: str, begin: int, end: int | None = None) -> str:
        """Some of the sizes of a shape."""
        bounds = [
            self.numbers([begin], "begin"),
            self.numbers([end or 0], "end"),
            self.numbers([1], "strides"),
        ]
        mask = {"end_mask": int(end is None), "T": dtypes.int32, "Index": dtypes.int32}
        return self.add("StridedSlice", "part", [shape, *bounds], **mask)

    def rows(self, tensor: Tensor) -> str:
        """The number of rows of a tensor."""
        axes = [self.part(self.shape(tensor), 0, 1), self.numbers([], "scalar")]
        return self.add("Reshape", "rows", axes, T=dtypes.int32, Tshape=dtypes.int32)


def write_no_gradients(nodes: Any, op: Operation) -> None:
    """Writes the gradient of a list that nothing used: an empty list."""
    helping = _Helping(nodes, op)
    inputs = [element_shape(nodes, op, None), helping.numbers(-1, "size")]
    form = {"element_dtype": op.attrs["dtype"] or dtypes.float32, "shape_type": dtypes.int32}
    nodes.node(op, "EmptyTensorList", inputs, form)


def write_gradient(nodes: Any, op: Operation) -> None:
    """Writes the gradient of a list of which one element was read."""
    index, item = op.inputs
    helping = _Helping(nodes, op)
    form = {"element_dtype": dtype_of(item), "shape_type": dtypes.int32}
    size = helping.after(nodes.input(index))
    sizes = [element_shape(nodes, op, None), size]
    reserved = helping.add("TensorListReserve", "list", sizes, **form)
    inputs = [reserved, nodes.input(index), nodes.input(item)]
    nodes.node(op, "TensorListSetItem", inputs, {"element_dtype": dtype_of(item)})


def write_gradient_item(nodes: Any, op: Operation) -> None:
    """Writes the gradient of one element of a list."""
    grads, like, index = op.inputs
    helping = _Helping(nodes, op)
    items = nodes.input(grads)
    if grads.op.type != "UnstackAll":  # else all are there
        items = helping.grown(items, helping.after(nodes.input(index)))
    inputs = [items, nodes.input(index), helping.shape(like)]
    nodes.node(op, "TensorListGetItem", inputs, {"element_dtype": dtype_of(like)})


def write_sum(nodes: Any, op: Operation) -> None:
    """Writes the sum of two gradients of a list."""
    helping = _Helping(nodes, op)
    names = [nodes.input(t) for t in op.inputs]
    sizes = [helping.length(name) for name in names]
    grown = [helping.grown(name, size) for name, size in zip(names, reversed(sizes), strict=True)]
    nodes.node(op, "AddN", grown, {"N": 2, "T": dtypes.variant})


def write_sum_of_turns(nodes: Any, op: Operation) -> None:
    """Writes the gradient of a list of which each turn of a loop read an element."""
    like, indices, items = op.inputs
    element = _element_of(items)
    if element is None or dtype_of(element) is dtypes.variant:
        nodes.plain(op)
        return
    helping = _Helping(nodes, op)
    dtype = dtype_of(element)
    shape = element_shape(nodes, op, element._dims)
    rows = helping.add("TensorListStack", "items", [nodes.input(items), shape], element_dtype=dtype)
    given = [nodes.input(indices), helping.numbers([], "scalar")]
    places = helping.add("TensorListStack", "indices", given, element_dtype=dtypes.int32)
    size = helping.length(nodes.input(like))
    _write_rows(nodes, op, rows, dtype, places, size, element._dims)


def write_gradient_items(nodes: Any, op: Operation) -> None:
    """Writes the gradients of the elements that each turn of a loop read of a list."""
    grads, indices, like = op.inputs
    element = _element_of(like)
    if element is None or dtype_of(element) is dtypes.variant:
        nodes.plain(op)
        return
    helping = _Helping(nodes, op)
    dtype = dtype_of(element)
    given = [nodes.input(indices), helping.numbers([], "scalar")]
    places = helping.add("TensorListStack", "indices", given, element_dtype=dtypes.int32)
    items = helping.grown(nodes.input(grads), helping.after(helping.most(places)))
    shape = element_shape(nodes, op, element._dims)
    rows = helping.add("TensorListGather", "rows", [items, places, shape], element_dtype=dtype)
    form = {"element_dtype": dtype, "shape_type": dtypes.int32}
    nodes.node(op, "TensorListFromTensor", [rows, shape], form)


def _write_rows(
    nodes: Any, op: Operation, rows: str, dtype: DType, places: str, size: str, dims: Any
) -> None:
    """Writes a list of `size` elements: the sum of the rows for each place."""
    kinds = {"T": dtype, "Tindices": dtypes.int32, "Tnumsegments": dtypes.int32}
    sums = _Helping(nodes, op).add("UnsortedSegmentSum", "sums", [rows, places, size], **kinds)
    form = {"element_dtype": dtype, "shape_type": dtypes.int32}
    nodes.node(op, "TensorListFromTensor", [sums, element_shape(nodes, op, dims)], form)


def write_gradient_all(nodes: Any, op: Operation) -> None:
    """Writes the gradients of all rows of a tensor that was a list."""
    grads, like = op.inputs
    helping = _Helping(nodes, op)
    items = helping.grown(nodes.input(grads), helping.rows(like))
    inputs = [items, helping.part(helping.shape(like), 1)]
    nodes.node(op, "TensorListStack", inputs, {"element_dtype": dtype_of(like)})


def write_gradient_rows(nodes: Any, op: Operation) -> None:
    """Writes the gradients of some elements of a list as rows of a tensor."""
    grads, indices, like = op.inputs
    helping = _Helping(nodes, op)
    items = helping.grown(nodes.input(grads), helping.after(helping.most(nodes.input(indices))))
    inputs = [items, nodes.input(indices), helping.part(helping.shape(like), 1)]
    nodes.node(op, "TensorListGather", inputs, {"element_dtype": dtype_of(like)})


def write_gradient_of_rows(nodes: Any, op: Operation) -> None:
    """Writes the gradient of a list of which some elements were read as rows of a tensor."""
    indices, rows = op.inputs
    helping = _Helping(nodes, op)
    places = nodes.input(indices)
    least = [helping.after(helping.most(places)), helping.numbers(0, "none")]
    size = helping.add("Maximum", "size", least, T=dtypes.int32)
    dims = rows._dims and rows._dims[1:]
    _write_rows(nodes, op, nodes.input(rows), dtype_of(rows), places, size, dims)


def write_gradient_parts(nodes: Any, op: Operation) -> None:
    """Writes the gradients of parts of a tensor, which were the elements of a list."""
    grads, lengths, like = op.inputs
    helping = _Helping(nodes, op)
    items = helping.grown(nodes.input(grads), helping.rows(lengths))
    _write_concat(nodes, op, items, like._dims, nodes.input(lengths))


def write_gradient_of_parts(nodes: Any, op: Operation) -> None:
    """Writes the gradient of a list whose elements were read in one row."""
    lengths, rows = op.inputs
    _write_split(nodes, op, rows, lengths)
