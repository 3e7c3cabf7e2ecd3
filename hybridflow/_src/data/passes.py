"""How elements come: a `Source` is what the tensor of a dataset holds, a `Pass` goes through it.

An element is a tuple of arrays, which nobody may write to. Elements that lie as rows of arrays are
not made before they are wanted: what shuffles, repeats or picks them handles their numbers, and
what batches them takes the rows at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from hybridflow._src.framework.errors import InvalidArgumentError, UnimplementedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.tensor_shape import TensorShape

    Item = tuple[Any, ...]
    # What a pass is saved as: nested dicts and lists of numbers, bytes, None and arrays.
    State = Any


class Rows:
    """Elements that lie as rows of arrays, by number.

    Args:
      arrays: one for each component, as many rows in each.
    """

    def __init__(self, arrays: Sequence[np.ndarray]) -> None:
        self._arrays = arrays

    def __len__(self) -> int:
        return len(self._arrays[0])

    def item(self, number: int) -> Item:
        """One element."""
        return tuple([array[number, ...] for array in self._arrays])

    def batch(self, numbers: np.ndarray) -> Item:
        """Several elements stacked: a view where they follow each other."""
        first, count = int(numbers[0]), len(numbers)
        if numbers[-1] == first + count - 1 and (count < 3 or _follow(numbers)):
            return tuple([array[first : first + count] for array in self._arrays])
        return tuple([_taken(array, numbers) for array in self._arrays])


def _follow(numbers: np.ndarray) -> bool:
    return bool((numbers[1:] - numbers[:-1] == 1).all())


def _taken(array: Any, numbers: np.ndarray) -> Any:
    if array.__class__ is not np.ndarray:  # sparse
        return array.take(numbers)
    taken = np.empty((len(numbers), *array.shape[1:]), array.dtype)
    # The numbers are within bounds; to say so spares NumPy a buffer.
    return np.take(array, numbers, 0, out=taken, mode="clip")


class Source:
    """A dataset as it runs: begins passes, any number of them, at the same time too.

    Attributes:
      rows: the rows that its elements are, or None where they are no such.
      types, shapes: of the components of an element; set by the op that makes it.
    """

    rows: Rows | None = None
    types: Sequence[DType]
    shapes: Sequence[TensorShape]

    def begin(self) -> Pass:
        """A new pass over the elements."""
        raise NotImplementedError


class Pass:
    """One pass over the elements of a source. One thread at a time calls its methods."""

    def next(self) -> Item | None:
        """The next element, or None at the end, then and ever after."""
        raise NotImplementedError

    def items(self, most: int) -> list[Item]:
        """The next elements, so many; fewer only at the end."""
        items: list[Item] = []
        while len(items) < most and (item := self.next()) is not None:
            items.append(item)
        return items

    def numbers(self, most: int) -> np.ndarray:
        """The numbers of the next rows, for sources that have `rows`: fewer only at the end."""
        raise NotImplementedError

    def state(self) -> State:
        """Where the pass stands.

        Raises:
          UnimplementedError: if that cannot be told.
        """
        raise UnimplementedError(
            None, None, f"{type(self).__name__.strip('_')} has a state that cannot be saved."
        )

    def restore(self, state: State) -> None:
        """Goes where another pass of such a source stood.

        Raises:
          LookupError, TypeError, ValueError: if the state is that of another source.
        """
        raise NotImplementedError


class RowPass(Pass):
    """A pass whose elements are rows: it is defined by their numbers."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    def next(self) -> Item | None:
        numbers = self.numbers(1)
        return self.rows.item(int(numbers[0])) if len(numbers) else None


class Derived(Source):
    """A source whose passes go through one of another source."""

    def __init__(self, source: Source, kind: Callable[[Any], Pass], *args: Any) -> None:
        self.source = source
        self.args = args
        self._kind = kind

    def begin(self) -> Pass:
        return self._kind(self)


class Counted(Derived):
    """A source of some elements of another, whose rows are its own."""

    def __init__(self, source: Source, kind: Callable[[Any], Pass], *args: Any) -> None:
        super().__init__(source, kind, *args)
        self.rows = source.rows


class DerivedPass(Pass):
    """A pass that goes through one of another source.

    Attributes:
      kept: the names of the numbers and truth values that tell where it stands, beside where that
        other pass stands.
    """

    kept: ClassVar[tuple[str, ...]] = ()

    def __init__(self, source: Derived) -> None:
        self._input = source.source.begin()

    def state(self) -> State:
        return [*[getattr(self, name) for name in self.kept], self._input.state()]

    def restore(self, state: State) -> None:
        *values, inner = state
        for name, value in zip(self.kept, values, strict=True):
            setattr(self, name, type(getattr(self, name))(value))
        self._input.restore(inner)


class SamePass(DerivedPass):
    """The elements of another source as they are."""

    def next(self) -> Item | None:
        return self._input.next()

    def items(self, most: int) -> list[Item]:
        return self._input.items(most)

    def numbers(self, most: int) -> np.ndarray:
        return self._input.numbers(most)


NONE = np.empty(0, np.int64)


def whole_number(value: Any, what: str, least: int) -> int:
    """A count that an op was given.

    Raises:
      InvalidArgumentError: if it is less than `least`.
    """
    number = int(value)
    if number < least:
        bound = "greater than zero" if least == 1 else f"at least {least}"
        raise InvalidArgumentError(None, None, f"{what} must be {bound}, got {number}.")
    return number
