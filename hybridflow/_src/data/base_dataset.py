"""What all datasets have: the form of their elements, and iterators over these."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

from hybridflow._src.data import eager_iterator
from hybridflow._src.data.element import Element
from hybridflow._src.data.iterator import Iterator
from hybridflow._src.data.nest import map_structure
from hybridflow._src.data.options import Options
from hybridflow._src.data.resources import (
    Factory,
    iterator_op,
    make_iterator_op,
    one_shot_iterator_op,
)
from hybridflow._src.framework import context

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.tensor import Tensor

_NOT_EAGER = (
    "dataset.{method} is not supported when eager execution is enabled: a dataset is a Python "
    "iterable there, `for element in dataset:`."
)

_NO_DATASET = (
    "`transformation_func` must return a Dataset, got {result!r:.200}. What makes transformations "
    "is called first: `dataset.apply(hf.contrib.data.shuffle_and_repeat(100))`."
)


class BaseDataset:
    """Elements that come one after the other, as they are described and iterated over."""

    _options = Options()

    def __init__(self, _recipe: Any = None) -> None:
        self._recipe = _recipe

    def _as_variant_tensor(self) -> Tensor:
        """The dataset as a tensor of the current mode and graph."""
        if self._recipe is None:
            raise NotImplementedError("Dataset._as_variant_tensor")
        variant: Tensor = self._recipe.variant()
        return variant

    @property
    def element(self) -> Element:
        """The form of the elements."""
        if self._recipe is None:
            return Element(self.output_types, self.output_shapes, self.output_classes)
        element: Element = self._recipe.element
        return element

    @property
    def output_types(self) -> Any:
        """The dtypes of the components, in the structure of an element."""
        if self._recipe is None:
            raise NotImplementedError("Dataset.output_types")
        return self._recipe.element.types

    @property
    def output_shapes(self) -> Any:
        """The shapes of the components, in the structure of an element."""
        if self._recipe is None:
            raise NotImplementedError("Dataset.output_shapes")
        return self._recipe.element.shapes

    @property
    def output_classes(self) -> Any:
        """The classes of the components, in the structure of an element."""
        if self._recipe is None:
            raise NotImplementedError("Dataset.output_classes")
        return self._recipe.element.classes

    def __repr__(self) -> str:
        shapes = str(map_structure(str, self.output_shapes)).replace("'", "")
        types = re.sub("['\"]", "", str(map_structure(repr, self.output_types)))
        return f"<{self._title} shapes: {shapes}, types: {types}>"

    @property
    def _title(self) -> str:
        return type(self).__name__

    # -- elements ----------------------------------------------------------------------------------

    def __iter__(self) -> eager_iterator.Iterator:
        return eager_iterator.Iterator(self)

    def make_one_shot_iterator(self) -> Any:
        """An iterator that starts itself and goes through the dataset once.

        Returns: an `Iterator`; in eager mode a Python iterator.

        Raises:
          ValueError: if the dataset uses variables, tables or placeholders of the graph.

        >>> import hybridflow as hf
        >>> with hf.Graph().as_default(), hf.Session() as session:
        ...     x = hf.data.Dataset.range(3).make_one_shot_iterator().get_next()
        ...     print([int(session.run(x)) for _ in range(3)])
        [0, 1, 2]
        """
        if context.modes.top.eager:
            return iter(self)
        element = self.element
        factory = Factory(self._as_variant_tensor)
        resource = one_shot_iterator_op(dataset_factory=factory, **element.attrs)
        return Iterator(resource, None, element.types, element.shapes, element.classes)

    def make_initializable_iterator(self, shared_name: str | None = None) -> Iterator:
        """An iterator that its `initializer` starts, any number of times.

        Args:
          shared_name: iterators of one name are one, in a session.

        Raises:
          RuntimeError: in eager mode.

        >>> import hybridflow as hf
        >>> with hf.Graph().as_default(), hf.Session() as session:
        ...     count = hf.placeholder(hf.int64, [])
        ...     iterator = hf.data.Dataset.range(count).make_initializable_iterator()
        ...     x = iterator.get_next()
        ...     session.run(iterator.initializer, {count: 2})
        ...     print([int(session.run(x)) for _ in range(2)])
        [0, 1]
        """
        if context.modes.top.eager:
            raise RuntimeError(_NOT_EAGER.format(method="make_initializable_iterator"))
        element = self.element
        resource = iterator_op(shared_name=shared_name or "", **element.attrs)
        initializer = make_iterator_op(self._as_variant_tensor(), resource)
        return Iterator(resource, initializer, element.types, element.shapes, element.classes)

    # -- options -----------------------------------------------------------------------------------

    def options(self) -> Options:
        """What `with_options` has said for this dataset."""
        return self._options.merge(Options())

    def with_options(self, options: Options) -> Any:
        """The same elements, with wishes for how they are made: see `hf.data.Options`.

        Raises:
          TypeError: for what is no `Options`. ValueError: for other wishes than there are already.

        >>> import hybridflow as hf
        >>> options = hf.data.Options()
        >>> options.experimental_threading.private_threadpool_size = 4
        >>> data = hf.data.Dataset.range(3).with_options(options)
        >>> data.options().experimental_threading.private_threadpool_size
        4
        """
        found = copy.copy(self)
        found._options = self._options.merge(options)
        return found

    def apply(self, transformation_func: Callable[[Any], Any]) -> Any:
        """What a function makes of the dataset: `hf.contrib.data` has some.

        Raises:
          TypeError: if that is no dataset.

        >>> import hybridflow as hf
        >>> with hf.eager_mode():
        ...     data = hf.data.Dataset.range(4).batch(2).apply(hf.contrib.data.unbatch())
        ...     print([int(x) for x in data])
        [0, 1, 2, 3]
        """
        dataset = transformation_func(self)
        if not isinstance(dataset, BaseDataset):
            raise TypeError(_NO_DATASET.format(result=dataset))
        return dataset
