"""The elements of a tensor array in eager mode: a list of tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.tensor_shape import dimension_at_index
from hybridflow._src.ops.data_flow import array_items

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

# What stands for an element that was read, and is not to be read again.
_CLEARED: Any = object()


class EagerItems:
    """What a `TensorArray` does in eager mode: elements are written into the list itself, as
    TensorFlow does it.

    Args:
      form: what is known of the elements.
      items: the elements, None where there is none yet.
    """

    flow = handle = None

    def __init__(self, form: Any, items: list[Any]) -> None:
        self._form = form
        self._items = items
        self._gradients: dict[str, EagerGradients] = {}

    @classmethod
    def of_size(cls, form: Any, size: Any) -> EagerItems:
        """Elements that nobody has written."""
        count = int(size)
        if count < 0:
            raise array_items.invalid(form.name, f"Size should be >= 0, got {count}.")
        return cls(form, [None] * count)

    def identity(self) -> EagerItems:
        """The same elements."""
        return self

    def gradients(self, source: str, flow: None) -> EagerGradients:
        """The array of their gradients."""
        if source not in self._gradients:
            self._gradients[source] = EagerGradients(self._form, self._items)
        return self._gradients[source]

    def _taken(self, index: int) -> Tensor:
        form = self._form
        place = array_items.checked_read(len(self._items), index, form.name)
        found = self._items[place]
        if found is _CLEARED:
            raise array_items.invalid(
                form.name,
                f"Could not read index {index} twice because it was cleared after a previous read "
                "(perhaps try setting clear_after_read = false?).",
            )
        if found is None:
            dims = form.shape._dims
            return convert_to_tensor(
                array_items.unwritten(form.name, index, dims, form.dtype), form.dtype
            )
        if form.clear:
            self._items[place] = _CLEARED
        return found

    def read(self, index: Any, name: str | None) -> Tensor:
        """One element."""
        return self._taken(int(index))

    def write(self, index: Any, element: Tensor, name: str | None) -> EagerItems:
        """One more element, or another in place of one, as TensorFlow has it in eager mode."""
        form, place = self._form, int(index)
        if 0 <= place < len(self._items):
            self._items[place] = None
        place = array_items.place_for(self._items, place, form.name, form.dynamic)
        self._items[place] = element
        return self

    def _joined(self, found: list[Tensor]) -> Tensor:
        if not found:
            return self._nothing(0)
        for place, item in enumerate(found):
            if item._dims != found[0]._dims:
                raise array_items.invalid(
                    self._form.name,
                    "The elements must have one shape to be stacked: element 0 has "
                    f"{found[0].shape}, element {place} {item.shape}",
                )
        joined: Tensor = raw.Pack(found, axis=0)
        return joined

    def _nothing(self, without: int) -> Tensor:
        """No elements together, without some of their sizes."""
        dims = array_items.no_elements(self._form.shape, self._form.name)
        zeros = np.zeros([0, *dims[1 + without :]], self._form.dtype.np)
        return convert_to_tensor(zeros, self._form.dtype)

    def stack(self) -> Tensor:
        """All of them."""
        return self._joined([self._taken(i) for i in range(len(self._items))])

    def gather(self, indices: Any, name: str | None) -> Tensor:
        """Some of them."""
        places = _values(indices).tolist()
        return self._joined([self._taken(i) for i in places])

    def concat(self, name: str | None) -> Tensor:
        """All of them in one row."""
        found = [self._taken(i) for i in range(len(self._items))]
        array_items.check_parts([item.shape.as_list() for item in found], self._form.name)
        return raw.ConcatV2(found, 0) if found else self._nothing(1)

    def unstack(self, rows: Tensor) -> EagerItems:
        """The rows of a tensor, in place of all that there was, as TensorFlow has it."""
        count = _count(rows)
        self._check_room(count)
        return self._put(raw.Unpack(rows, num=count, axis=0) if count else [])

    def _put(self, items: list[Tensor]) -> EagerItems:
        """Elements in place of all that there was."""
        self._items[:] = items
        return self

    def _check_room(self, count: int) -> None:
        """Checks that as many elements have places."""
        if count > len(self._items) and not self._form.dynamic:
            raise array_items.invalid(
                self._form.name,
                f"Tried to write to index {count - 1} but array is not resizeable and size is: "
                f"{len(self._items)}",
            )

    def scatter(self, indices: Any, rows: Tensor) -> EagerItems:
        """The rows of a tensor, at some places."""
        taken = _values(indices).tolist()
        if len(taken) != _count(rows):
            raise array_items.invalid(
                self._form.name,
                f"Expected len(indices) == values.shape[0], but saw: {len(taken)} vs. {rows.shape}",
            )
        if taken:
            for index, row in zip(taken, raw.Unpack(rows, num=len(taken), axis=0), strict=True):
                self.write(index, row, None)
        return self

    def split(self, rows: Tensor, lengths: Tensor) -> EagerItems:
        """Parts of a tensor, in place of all that there was."""
        sizes = _values(lengths)
        form = self._form
        array_items.checked_lengths(np.shape(rows), sizes, form.name)
        array_items.check_count(len(self._items), len(sizes), form.name, form.dynamic)
        ends = np.cumsum(sizes).tolist()
        starts = [0, *ends[:-1]]
        bounds = zip(starts, ends, strict=False)
        return self._put([raw.StridedSlice(rows, [start], [end], [1]) for start, end in bounds])

    def size(self, name: str | None) -> Tensor:
        """Their number."""
        return convert_to_tensor(len(self._items))

    def close(self, name: str | None) -> None:
        """Lets go of them."""
        self._items.clear()


class EagerGradients(EagerItems):
    """Gradients of elements: what is written for one adds up, and can be read again.

    Args:
      form: what is known of the elements. of: these.
    """

    def __init__(self, form: Any, of: list[Any]) -> None:
        super().__init__(form, [None] * len(of))
        self._of = of

    def write(self, index: Any, element: Tensor, name: str | None) -> EagerItems:
        """Adds to what was written for one element."""
        place = int(index)
        known = self._items[place] if 0 <= place < len(self._items) else None
        if known is None:
            return super().write(place, element, name)
        if known._dims != element._dims:
            raise array_items.not_added(self._form.name, place, known._dims, element._dims)
        self._items[place] = known + element
        return self

    def _taken(self, index: int) -> Tensor:
        place = array_items.checked_read(len(self._items), index, self._form.name)
        found = self._items[place]
        if found is not None:
            return found
        of = self._of[place]
        return super()._taken(place) if of is None or of is _CLEARED else raw.ZerosLike(of)

    def _put(self, items: list[Tensor]) -> EagerItems:
        for place, item in enumerate(items):
            self.write(place, item, None)
        return self


def _values(tensor: Any) -> np.ndarray:
    """The numbers of a vector."""
    return np.asarray(convert_to_tensor(tensor))


def _count(rows: Tensor) -> int:
    """The number of rows."""
    return int(dimension_at_index(rows.shape, 0))
