"""Iterators of eager mode: Python iterators over the elements of datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context
from hybridflow._src.framework.eager_tensor import wrap
from hybridflow._src.framework.errors import OutOfRangeError
from hybridflow._src.framework.locks import holding, new_lock

if TYPE_CHECKING:
    from hybridflow._src.data.element import Element

__all__ = ["Iterator"]

_NOT_EAGER = (
    "A dataset is a Python iterable when eager execution is enabled. In a graph take the elements "
    "from `dataset.make_one_shot_iterator().get_next()`."
)


class Iterator:
    """A pass through a dataset in eager mode: a Python iterator over its elements.

    `for element in dataset:` makes one.

    Args:
      dataset: a `Dataset`.

    Raises:
      RuntimeError: in graph mode.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print([int(x) for x in hf.contrib.eager.Iterator(hf.data.Dataset.range(3))])
    [0, 1, 2]
    """

    def __init__(self, dataset: Any) -> None:
        if not context.modes.top.eager:
            raise RuntimeError(_NOT_EAGER)
        self._element: Element = dataset.element
        self._pass = dataset._as_variant_tensor()._a.begin()
        self._lock = new_lock()

    def __iter__(self) -> Iterator:
        return self

    def __next__(self) -> Any:
        item = holding(self._lock, self._pass.next)
        if item is None:
            raise StopIteration
        types = self._element.flat_types
        return self._element.pack([wrap(v, t) for v, t in zip(item, types, strict=True)])

    def next(self) -> Any:
        """The next element.

        Raises:
          StopIteration: at the end.
        """
        return next(self)

    def get_next(self, name: str | None = None) -> Any:
        """The next element.

        Raises:
          OutOfRangeError: at the end.
        """
        try:
            return next(self)
        except StopIteration:
            raise OutOfRangeError(None, None, "End of sequence") from None

    @property
    def output_classes(self) -> Any:
        """The classes of the components of an element."""
        return self._element.classes

    @property
    def output_shapes(self) -> Any:
        """The shapes of the components of an element."""
        return self._element.shapes

    @property
    def output_types(self) -> Any:
        """The dtypes of the components of an element."""
        return self._element.types
