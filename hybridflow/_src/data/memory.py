"""Datasets of what lies in memory: tensors, their slices, numbers, what a generator gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.data import nest
from hybridflow._src.data.batching import stacked
from hybridflow._src.data.element import SCALAR, Element, flat_tensors, tensors_of
from hybridflow._src.data.ops import dataset_op
from hybridflow._src.data.passes import Pass, RowPass, Rows, Source
from hybridflow._src.data.recipe import Recipe, whole
from hybridflow._src.data.sparse import to_variant
from hybridflow._src.framework import dtypes, traceback
from hybridflow._src.framework.arrays import to_array
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import InvalidArgumentError, OpError, foreign_error
from hybridflow._src.framework.op_def import REQUIRED
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.sparse_tensor import SparseTensor
from hybridflow._src.framework.tensor_shape import TensorShape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hybridflow._src.data.passes import Item, State


# -- rows ------------------------------------------------------------------------------------------


class RowSource(Source):
    """Rows in their order."""

    def __init__(self, rows: Rows) -> None:
        self.rows: Rows = rows

    def begin(self) -> Pass:
        return _InOrder(self.rows)


class _InOrder(RowPass):
    def __init__(self, rows: Rows) -> None:
        super().__init__(rows)
        self._position = 0

    def next(self) -> Item | None:
        position = self._position
        if position >= len(self.rows):
            return None
        self._position = position + 1
        return self.rows.item(position)

    def numbers(self, most: int) -> np.ndarray:
        start = self._position
        self._position = min(start + most, len(self.rows))
        return np.arange(start, self._position)

    def state(self) -> State:
        return self._position

    def restore(self, state: State) -> None:
        self._position = int(state)


class _Whole(Rows):
    """One element: tensors as they are."""

    def __len__(self) -> int:
        return 1

    def item(self, number: int) -> Item:
        return tuple(self._arrays)

    def batch(self, numbers: np.ndarray) -> Item:
        items = [self.item(0)] * len(numbers)
        return stacked(items)


def _slices(*components: Any) -> Source:
    if not all(np.ndim(array) for array in components):
        raise InvalidArgumentError(
            None, None, "All components must be at least 1-dimensional to be sliced."
        )
    sizes = {len(array) for array in components}
    if len(sizes) > 1:
        raise InvalidArgumentError(
            None,
            None,
            "All components must have the same size in dimension 0, got shapes: "
            f"{', '.join(str(list(np.shape(a))) for a in components)}.",
        )
    return RowSource(Rows(components))


_tensors = dataset_op(
    "TensorDataset", "components: ...", lambda *components: RowSource(_Whole(components))
)
_tensor_slices = dataset_op("TensorSliceDataset", "components: ...", _slices)


class _SparseRows(Rows):
    """The rows of a sparse tensor, each as indices, values and shape."""

    def item(self, number: int) -> Item:
        row: Any = self._arrays[0][number, ...]
        return row.indices, row.values, np.array(row.shape, np.int64)

    def batch(self, numbers: np.ndarray) -> Item:
        return stacked([self.item(number) for number in numbers.tolist()])


_sparse_slices = dataset_op(
    "SparseTensorSliceDataset",
    "sparse_tensor: variant",
    lambda sparse: RowSource(_SparseRows([sparse])),
)


def of_tensors(tensors: Any) -> Recipe:
    """One element, a structure of tensors."""
    with name_scope(None, "tensors"):
        structure = tensors_of(tensors)
    flat = flat_tensors(structure)
    return Recipe(_tensors, Element.of(structure), lambda: (flat,))


def of_slices(tensors: Any) -> Recipe:
    """An element for each row of a structure of tensors.

    Raises:
      ValueError: if they have other numbers of rows, or one is a scalar.
    """
    with name_scope(None, "tensors"):
        structure = tensors_of(tensors)
    flat = flat_tensors(structure)
    leaves = nest.flatten(structure)
    for tensor in leaves:
        if tensor.shape.ndims == 0:
            raise ValueError(
                f"A dataset of slices needs tensors of rank 1 at least, got the scalar {tensor}: "
                "`Dataset.from_tensors` makes one element of it."
            )
    sizes = [None if t.shape.ndims is None else t.shape.as_list()[0] for t in leaves]
    if len(set(sizes) - {None}) > 1:
        raise ValueError(
            "`from_tensor_slices` needs as many rows in each component, got "
            f"{', '.join(str(size) for size in sizes)} rows: shapes "
            f"{', '.join(str(tensor.shape) for tensor in leaves)}."
        )
    return Recipe(_tensor_slices, Element.of(structure).unbatched(), lambda: (flat,))


def of_sparse_slices(sparse_tensor: Any) -> Recipe:
    """The rows of a sparse tensor, each as three tensors.

    Raises:
      TypeError: if it is no `SparseTensor`.
    """
    if not isinstance(sparse_tensor, SparseTensor):
        raise TypeError("`sparse_tensor` must be a `tf.SparseTensor` object.")
    rank = sparse_tensor.shape.ndims
    less = None if rank is None else rank - 1
    element = Element(
        (dtypes.int64, sparse_tensor.dtype, dtypes.int64),
        (TensorShape([None, less]), TensorShape([None]), TensorShape([less])),
    )
    variant = to_variant(sparse_tensor)
    return Recipe(_sparse_slices, element, lambda: (variant,))


# -- numbers ---------------------------------------------------------------------------------------


class _Steps(Rows):
    """Numbers at equal steps."""

    def __init__(self, start: int, stop: int, step: int) -> None:
        self._range = range(start, stop, step)

    def __len__(self) -> int:
        return len(self._range)

    def item(self, number: int) -> Item:
        return (np.array(self._range[number], np.int64),)

    def batch(self, numbers: np.ndarray) -> Item:
        return (numbers * self._range.step + self._range.start,)


def _range(start: Any, stop: Any, step: Any) -> Source:
    if not step:
        raise InvalidArgumentError(None, None, "step must be a non-zero integer.")
    return RowSource(_Steps(int(start), int(stop), int(step)))


_range_op = dataset_op("RangeDataset", "start: int64, stop: int64, step: int64", _range)


def of_range(*args: Any) -> Recipe:
    """The numbers of a range.

    Raises:
      ValueError: for another number of arguments than 1, 2 or 3.
    """
    if not 1 <= len(args) <= 3:
        raise ValueError(f"Invalid arguments to RangeDataset: {args}")
    values = (0, args[0], 1) if len(args) == 1 else (*args, 1)[:3]
    named = zip(values, ("start", "stop", "step"), strict=True)
    inputs = tuple([whole(value, name) for value, name in named])
    return Recipe(_range_op, Element(dtypes.int64, SCALAR), lambda: inputs)


# -- generators ------------------------------------------------------------------------------------


class _Generated(Source):
    """What a Python generator gives; each pass begins it anew."""

    def __init__(self, *args: Any, generator: Callable[..., Any], form: Element) -> None:
        self.generator = generator
        self.args = args
        self.form = form

    def begin(self) -> Pass:
        return _GeneratorPass(self)


class _GeneratorPass(Pass):
    def __init__(self, source: _Generated) -> None:
        self._source = source
        self._iterator: Any = None
        self._ended = False

    def next(self) -> Item | None:
        if self._ended:
            return None
        source = self._source
        try:
            if self._iterator is None:
                self._iterator = _iterator(source.generator(*[_own(a) for a in source.args]))
            values = next(self._iterator)
            return _element_of(values, source.form)
        except StopIteration:
            self._ended, self._iterator = True, None
            return None
        except OpError:
            raise
        except (TypeError, ValueError) as error:
            text = f"{type(error).__name__}: {error}{traceback.raised_at(error)}"
            raise InvalidArgumentError(None, None, text) from error
        except Exception as error:
            where = traceback.raised_at(error)
            raise foreign_error(error, f" in the generator of a dataset{where}.") from error


def _iterator(given: Any) -> Iterator[Any]:
    try:
        return iter(given)
    except TypeError:
        raise TypeError(
            f"`generator` must return something to iterate over, got {given!r:.200}."
        ) from None


def _own(array: np.ndarray) -> Any:
    return array.copy() if array.ndim else array[()]


def _element_of(values: Any, element: Element) -> Item:
    """What a generator gave as an element.

    Raises:
      TypeError, ValueError: if it is of another form.
    """
    try:
        flat = nest.flatten_up_to(element.types, values)
    except (TypeError, ValueError) as error:
        raise TypeError(
            "`generator` yielded an element that did not match the expected structure. The "
            f"expected structure was {element.types}, but the yielded element was {values}. "
            f"({error})"
        ) from None
    arrays = []
    for value, dtype, shape in zip(flat, element.flat_types, element.flat_shapes, strict=True):
        array = _array_of(value, dtype)
        if not shape.is_compatible_with(array.shape):
            raise ValueError(
                f"`generator` yielded an element of shape {array.shape} where an element of shape "
                f"{shape} was expected."
            )
        arrays.append(array)
    return tuple(arrays)


def _array_of(value: Any, dtype: dtypes.DType) -> np.ndarray:
    given = value.dtype if isinstance(value, np.ndarray | np.generic) else None
    if given is not None and given != dtype.np and given.kind not in "OUS":
        raise TypeError(
            f"`generator` yielded an element of type {given} where an element of type "
            f"{dtype.name} was expected."
        )
    try:
        return to_array(value, dtype)
    except (TypeError, ValueError) as error:
        raise TypeError(
            "`generator` yielded an element that could not be converted to the expected type. The "
            f"expected type was {dtype.name}, but the yielded element was {value!r:.200}. "
            f"({error})"
        ) from None


def _no_generator(*_: Any) -> Any:
    """What stands for the generator of a graph that was read."""
    raise InvalidArgumentError(
        None,
        None,
        "The generator of this dataset is a Python function, and the file that the graph comes "
        "from holds none. Feed what it gives, or make the dataset anew.",
    )


_generator = dataset_op(
    "GeneratorDataset",
    "args: ...",
    _Generated,
    {"generator": REQUIRED, "form": REQUIRED},
    read=lambda attrs: {"generator": _no_generator, "form": None},
)


def of_generator(
    generator: Callable[..., Any], output_types: Any, output_shapes: Any, args: Any
) -> Recipe:
    """What the iterators that a function gives yield.

    Raises:
      TypeError: if `generator` is no function, or types and shapes differ in structure.
    """
    if not callable(generator):
        raise TypeError("`generator` must be callable.")
    element = Element.given(output_types, output_shapes)
    tensors = [convert_to_tensor(a, name="args") for a in args or ()]
    return Recipe(_generator, element, lambda: (tensors,), generator=generator, form=element)
