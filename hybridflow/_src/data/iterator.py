"""`Iterator`: what gives a program the elements of datasets, one after the other."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from hybridflow._src.data.element import Element
from hybridflow._src.data.resources import (
    from_string_handle_op,
    get_next_op,
    iterator_op,
    make_iterator_op,
    to_string_handle_op,
)
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.scopes import name_scope

if TYPE_CHECKING:
    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["Iterator"]

# More calls than this are likely made in a loop.
_MANY_CALLS = 32
_IN_A_LOOP = (
    "An unusually high number of `Iterator.get_next()` calls was detected. Each adds operations to "
    "the graph: call `next_element = iterator.get_next()` once, outside the training loop, and run "
    "`next_element` inside it."
)


class Iterator:
    """Where a program stands in a dataset: each run of `get_next()` gives the next element.

    Iterators come from `Dataset.make_one_shot_iterator()`, `make_initializable_iterator()`,
    `Iterator.from_structure()` and `Iterator.from_string_handle()`.

    Args:
      iterator_resource: the resource, a tensor.
      initializer: the operation that starts it anew, or None.
      output_types, output_shapes, output_classes: of the components of an element.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     iterator = hf.data.Dataset.range(2).make_initializable_iterator()
    ...     element = iterator.get_next()
    ...     session.run(iterator.initializer)
    ...     print(session.run(element), session.run(element))
    ...     try:
    ...         session.run(element)
    ...     except hf.errors.OutOfRangeError as error:
    ...         print(error.message)
    0 1
    End of sequence
    """

    def __init__(
        self,
        iterator_resource: Tensor,
        initializer: Operation | None,
        output_types: Any,
        output_shapes: Any,
        output_classes: Any,
    ) -> None:
        self._iterator_resource = iterator_resource
        self._initializer = initializer
        self._element = Element(output_types, output_shapes, output_classes)
        self._string_handle = to_string_handle_op(iterator_resource)
        self._calls = 0

    @staticmethod
    def from_structure(
        output_types: Any,
        output_shapes: Any = None,
        shared_name: str | None = None,
        output_classes: Any = None,
    ) -> Iterator:
        """An iterator for all datasets whose elements have a form; `make_initializer` starts it.

        Args:
          output_types: dtypes of the components, in the structure of an element.
          output_shapes: their shapes; unknown ones if it is None.
          shared_name: iterators of one name are one, in a session.
          output_classes: their classes; tensors if it is None.

        Raises:
          TypeError, ValueError: if types and shapes differ in structure.

        >>> import hybridflow as hf
        >>> with hf.Graph().as_default(), hf.Session() as session:
        ...     iterator = hf.data.Iterator.from_structure(hf.int64, [])
        ...     element = iterator.get_next()
        ...     for count in (1, 2):
        ...         data = hf.data.Dataset.range(10, 10 + count)
        ...         session.run(iterator.make_initializer(data))
        ...         print([session.run(element) for _ in range(count)])
        [np.int64(10)]
        [np.int64(10), np.int64(11)]
        """
        element = Element.given(output_types, output_shapes, output_classes)
        handle = iterator_op(shared_name=shared_name or "", **element.attrs)
        return Iterator(handle, None, element.types, element.shapes, element.classes)

    @staticmethod
    def from_string_handle(
        string_handle: Any,
        output_types: Any,
        output_shapes: Any = None,
        output_classes: Any = None,
    ) -> Iterator:
        """The iterator that a handle names, which may be fed: each run chooses one.

        Args:
          string_handle: scalar tensor of strings: what `string_handle()` of an iterator gives.
          output_types, output_shapes, output_classes: as for `from_structure`.

        Raises:
          TypeError, ValueError: if types and shapes differ in structure. InvalidArgumentError: when
            it runs, if the iterator gives something else.

        >>> import hybridflow as hf
        >>> with hf.Graph().as_default(), hf.Session() as session:
        ...     first = hf.data.Dataset.range(5).make_one_shot_iterator()
        ...     second = hf.data.Dataset.range(5, 9).make_one_shot_iterator()
        ...     handle = hf.placeholder(hf.string, [])
        ...     chosen = hf.data.Iterator.from_string_handle(handle, hf.int64, [])
        ...     element = chosen.get_next()
        ...     names = session.run([first.string_handle(), second.string_handle()])
        ...     print([session.run(element, {handle: name}) for name in names])
        [np.int64(0), np.int64(5)]
        """
        element = Element.given(output_types, output_shapes, output_classes)
        handle = convert_to_tensor(string_handle, dtypes.string)
        resource = from_string_handle_op(handle, **element.attrs)
        return Iterator(resource, None, element.types, element.shapes, element.classes)

    @property
    def initializer(self) -> Operation:
        """The operation that starts the iterator anew.

        Raises:
          ValueError: if there is none.
        """
        if self._initializer is None:
            raise ValueError(
                "Iterator does not have an initializer: a one-shot iterator starts itself, one "
                "from a structure is started by `make_initializer(dataset)`."
            )
        return self._initializer

    def make_initializer(self, dataset: Any, name: str | None = None) -> Operation:
        """An operation that starts the iterator on a dataset.

        Raises:
          TypeError, ValueError: if the elements of the dataset have another form.
        """
        with name_scope(name, "make_initializer") as scope:
            self._element.check_takes(dataset.element)
            variant = dataset._as_variant_tensor()
            made: Operation = make_iterator_op(variant, self._iterator_resource, name=scope)
            return made

    def get_next(self, name: str | None = None) -> Any:
        """The next element: a structure of tensors, which gives another element in each run.

        Raises:
          OutOfRangeError: when it runs, if there is none. FailedPreconditionError: if the iterator
            has not been started.
        """
        self._calls += 1
        if self._calls > _MANY_CALLS:
            warnings.warn(_IN_A_LOOP, stacklevel=2)
        flat = get_next_op(self._iterator_resource, **self._element.attrs, name=name)
        return self._element.pack(flat)

    def string_handle(self, name: str | None = None) -> Tensor:
        """A scalar tensor of strings that names this iterator, for `from_string_handle`."""
        if name is None:
            return self._string_handle
        handle: Tensor = to_string_handle_op(self._iterator_resource, name=name)
        return handle

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
