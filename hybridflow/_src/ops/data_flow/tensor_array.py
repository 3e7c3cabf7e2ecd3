"""`TensorArray`: a list of tensors that a program writes item by item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import DTypeError
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.framework.tensor_shape import TensorShape, as_shape
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.data_flow.array_items import no_rows
from hybridflow._src.ops.data_flow.eager_items import EagerItems
from hybridflow._src.ops.data_flow.graph_items import GraphItems

if TYPE_CHECKING:
    from hybridflow._src.framework.dtypes import DType

__all__ = ["TensorArray"]


class Form:
    """What the elements of an array are known to be; arrays made of one another share it.

    Attributes:
      dtype: their dtype. name: that of the array. shape: their shape, as far as it is known.
      infer: whether all have one shape, so that each tells those of the others.
      dynamic: whether the array grows. size: its number of elements where that is known.
      clear: whether an element is read once.
      gradients: the arrays of gradients that there are, by whom they were asked for.
    """

    __slots__ = ("clear", "dtype", "dynamic", "gradients", "infer", "name", "shape", "size")

    def __init__(
        self, dtype: DType, name: str, shape: Any, infer: bool, dynamic: bool, clear: bool
    ) -> None:
        self.dtype = dtype
        self.name = name
        self.infer = infer or shape is not None
        self.shape: TensorShape = as_shape(shape)
        self.dynamic = dynamic
        self.clear = clear
        self.size: int | None = None
        self.gradients: dict[str, Any] = {}

    def learn(self, shape: TensorShape) -> None:
        """Takes the shape of an element that is written.

        Raises:
          ValueError: if those of others differ.
        """
        if not self.infer:
            return
        if not shape.is_compatible_with(self.shape):
            raise ValueError(
                f"TensorArray {self.name}: Inconsistent shapes: saw {shape} but expected "
                f"{self.shape} (and infer_shape=True)"
            )
        self.shape = self.shape.merge_with(shape)

    def element(self, value: Any) -> Tensor:
        """A value as an element, or elements.

        Raises:
          TypeError: for another dtype.
        """
        element = convert_to_tensor(value, preferred_dtype=self.dtype, name="value")
        if element.dtype.base_dtype is not self.dtype:
            kind = self.dtype.name if context.modes.top.eager else dtypes.native_name(self.dtype)
            raise DTypeError(
                f"TensorArray dtype is {kind} but Op is trying to write dtype "
                f"{element.dtype.base_dtype.name} (TensorArray {self.name})."
            )
        return element


class TensorArray:
    """A list of tensors of one dtype, each written once, to be read, stacked or joined.

    What writes gives a new array, which the program goes on with; the one before is left as it was
    in graphs, where arrays are values like tensors: they may be loop variables of `hf.while_loop`,
    results of `hf.cond`, and gradients of any order flow through them.

    Args:
      dtype: that of the elements.
      size: how many there are: a number, or an int32 scalar; with `dynamic_size` how many at first.
      dynamic_size: whether writing past the end makes it longer.
      clear_after_read: whether an element can be read but once, which eager mode checks; graphs
        let elements be read again.
      tensor_array_name: its name in errors.
      handle, flow: those of another array, instead of `size`: this one has its elements.
      infer_shape: whether all elements have one shape, so that each tells those of others.
      element_shape: that shape, as far as it is known.
      colocate_with_first_write_call: accepted for compatibility.
      name: name scope of the ops.

    Attributes:
      dtype: that of the elements. flow, handle: in graphs a tensor that stands for the elements.

    Raises:
      ValueError: without a size, or with both a size and a handle.
      InvalidArgumentError: by methods, when they run, for an index without a place, an element
        written twice, or shapes that do not go together.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     squares = hf.TensorArray(hf.int32, size=4)
    ...     _, squares = hf.while_loop(
    ...         lambda i, a: i < 4, lambda i, a: (i + 1, a.write(i, i * i)), (0, squares))
    ...     print(sess.run(squares.stack()))
    [0 1 4 9]
    """

    def __init__(
        self,
        dtype: Any,
        size: Any = None,
        dynamic_size: bool | None = None,
        clear_after_read: bool | None = None,
        tensor_array_name: str | None = None,
        handle: Any = None,
        flow: Any = None,
        infer_shape: bool = True,
        element_shape: Any = None,
        colocate_with_first_write_call: bool = True,
        name: str | None = None,
    ) -> None:
        if handle is not None and tensor_array_name:
            raise ValueError("Cannot construct with both handle and tensor_array_name")
        if handle is not None and not isinstance(handle, Tensor):
            raise TypeError("Handle must be a Tensor")
        if handle is None and size is None:
            raise ValueError("Size must be provided if handle is not provided")
        if handle is not None and size is not None:
            raise ValueError("Cannot provide both a handle and size at the same time")
        if handle is not None and (element_shape is not None or dynamic_size is not None):
            raise ValueError("Cannot provide both a handle and element_shape or dynamic_size")
        with name_scope(name, "TensorArray", [handle, size, flow]) as scope:
            self._form = Form(
                dtypes.as_dtype(dtype).base_dtype,
                tensor_array_name or scope.rstrip("/") or "TensorArray",
                element_shape,
                infer_shape,
                bool(dynamic_size),
                clear_after_read is not False,
            )
            self._items: Any
            if handle is not None:
                self._items = GraphItems(self._form, handle if flow is None else flow)
            elif context.modes.top.eager:
                self._items = EagerItems.of_size(self._form, size)
            else:
                self._items = GraphItems.of_size(self._form, size, scope)

    def _with(self, items: Any) -> TensorArray:
        new = TensorArray.__new__(TensorArray)
        new._form = self._form
        new._items = items
        return new

    @property
    def dtype(self) -> DType:
        """The dtype of the elements."""
        return self._form.dtype

    @property
    def flow(self) -> Any:
        """In graphs the tensor that stands for the elements; None in eager mode."""
        return self._items.flow

    @property
    def handle(self) -> Any:
        """The same as `flow`: an array has no other place here. That of an array of gradients is a
        resource.
        """
        return self._items.handle

    def _as_graph_element(self) -> Any:
        """It is none.

        Raises:
          TypeError: always; it says what is.
        """
        raise TypeError(
            "Can not convert a TensorArray into a Tensor or Operation: `array.stack()` is a tensor "
            "of its elements."
        )

    def with_flow(self, flow: Tensor) -> TensorArray:
        """The array that another tensor stands for: what loops and conditionals make of it."""
        return self._with(self._items.with_flow(flow))

    def learn(self, shape: TensorShape) -> None:
        """Takes the shape of an element that a loop has made."""
        self._form.learn(shape)

    def identity(self) -> TensorArray:
        """An array of the same elements; in graphs, one made where control dependencies hold."""
        return self._with(self._items.identity())

    def grad(self, source: str, flow: Any = None, name: str | None = None) -> TensorArray:
        """An array for gradients of the elements, of the size that this one has now.

        What is written to it for one element adds up, and where nothing was written are zeros. For
        each `source` there is one: whoever asks for it again gets the same. Nothing needs it for
        gradients to flow, `hf.gradients` and tapes pass through arrays without.

        Args:
          source: names who asks, such as "gradients".
          flow: in graphs, what it is to come after: another array's flow.
          name: name scope of the ops.

        Raises:
          InvalidArgumentError: by `write`, when it runs, if what is to be added has another shape.

        >>> import hybridflow as hf
        >>> with hf.Graph().as_default(), hf.Session() as sess:
        ...     array = hf.TensorArray(hf.float32, size=2).unstack([1.0, 2.0])
        ...     sums = array.grad("mine").write(1, 3.0).write(1, 4.0)
        ...     print(sess.run(sums.stack()))
        [0. 7.]
        """
        with name_scope(name, "TensorArrayGrad", [self.handle]):
            return self._with(self._items.gradients(source, flow))

    def read(self, index: Any, name: str | None = None) -> Tensor:
        """The element at an index: an int32 scalar."""
        return self._items.read(index, name)

    def write(self, index: Any, value: Any, name: str | None = None) -> TensorArray:
        """The array with an element written at an index.

        Raises:
          TypeError: for a value of another dtype. ValueError: for one of another shape, where all
            have one.
        """
        element = self._form.element(value)
        self._form.learn(element.shape)
        return self._with(self._items.write(index, element, name))

    def stack(self, name: str | None = None) -> Tensor:
        """All elements as one tensor `[size, ...]`; those not written are zeros."""
        with name_scope(name, "TensorArrayStack", [self.flow]):
            return self._items.stack()

    def gather(self, indices: Any, name: str | None = None) -> Tensor:
        """The elements at `indices` `[n]` as one tensor `[n, ...]`."""
        return self._items.gather(indices, name)

    def concat(self, name: str | None = None) -> Tensor:
        """All elements joined along their first dimension, in which they may differ.

        Raises:
          ValueError: if elements are scalars.
        """
        if self._form.shape.ndims == 0:
            raise ValueError(f"TensorArray {self._form.name}: concat needs elements with rows.")
        return self._items.concat(name)

    def unstack(self, value: Any, name: str | None = None) -> TensorArray:
        """The array with the rows of a tensor `[n, ...]` as elements 0 to n - 1."""
        with name_scope(name, "TensorArrayUnstack", [self.flow, value]):
            rows = self._rows(value)
            return self._with(self._items.unstack(rows))

    def scatter(self, indices: Any, value: Any, name: str | None = None) -> TensorArray:
        """The array with the rows of a tensor `[n, ...]` written at `indices` `[n]`."""
        with name_scope(name, "TensorArrayScatter", [self.flow, value, indices]):
            rows = self._rows(value)
            return self._with(self._items.scatter(indices, rows))

    def _rows(self, value: Any) -> Tensor:
        rows = self._form.element(value)
        if rows.shape.ndims is not None:
            if rows.shape.ndims == 0:
                raise ValueError(
                    f"TensorArray {self._form.name}: expected a tensor with rows, got the scalar "
                    f"{rows}."
                )
            self._form.learn(rows.shape[1:])
        return rows

    def split(self, value: Any, lengths: Any, name: str | None = None) -> TensorArray:
        """The array with the rows of a tensor as elements, `lengths` `[n]` (int64) of them each."""
        with name_scope(name, "TensorArraySplit", [self.flow, value, lengths]):
            rows = self._form.element(value)
            if rows.shape.ndims == 0:
                raise no_rows(self._form.name)
            parts = cast(convert_to_tensor(lengths), dtypes.int64)
            split = self._with(self._items.split(rows, parts))
            known = constant_value(parts)
            if known is not None and known.size and known.min() == known.max():
                first = TensorShape([int(known.flat[0])])
                self._form.learn(first.concatenate(rows.shape[1:]))
            return split

    def mark_used(self) -> None:
        """Does nothing: TensorFlow warns of arrays that nobody uses, this says that one may be."""

    def size(self, name: str | None = None) -> Tensor:
        """The number of elements: an int32 scalar."""
        return self._items.size(name)

    def close(self, name: str | None = None) -> Any:
        """Does nothing, which in graphs is an operation: an array goes when nobody needs it."""
        return self._items.close(name)
