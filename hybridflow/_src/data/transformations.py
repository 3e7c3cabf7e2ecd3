"""What `hf.contrib.data` has: transformations for `Dataset.apply`, and datasets of other kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.data import (
    batching,
    choosing,
    grouping,
    mapping,
    parallel_interleaving,
    parallel_mapping,
    shuffling,
    sparse_batching,
)
from hybridflow._src.data.dataset import Dataset
from hybridflow._src.data.resources import single_element_op
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.device import DeviceSpec
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.math.elementwise import maximum

if TYPE_CHECKING:
    from collections.abc import Callable

    Transformation = Callable[[Dataset], Dataset]

__all__ = [
    "Counter",
    "batch_and_drop_remainder",
    "dense_to_sparse_batch",
    "enumerate_dataset",
    "get_single_element",
    "group_by_window",
    "ignore_errors",
    "map_and_batch",
    "padded_batch_and_drop_remainder",
    "parallel_interleave",
    "prefetch_to_device",
    "scan",
    "shuffle_and_repeat",
    "sloppy_interleave",
    "unbatch",
    "unique",
]


def Counter(start: Any = 0, step: Any = 1, dtype: Any = dtypes.int64) -> Dataset:
    """The numbers from `start` on, at equal steps, without end.

    Args:
      start, step: scalars.
      dtype: their dtype.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print([int(x) for x in hf.contrib.data.Counter(5, 2).take(3)])
    [5, 7, 9]
    """
    with name_scope(None, "counter"):
        first = convert_to_tensor(start, dtype, name="start")
        by = convert_to_tensor(step, dtype, name="step")
        ever = Dataset.from_tensors(0).repeat(None)
        return ever.apply(scan(first, lambda state, _: (state + by, state)))


def batch_and_drop_remainder(batch_size: Any) -> Transformation:
    """Batches, without a last one that has fewer elements.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     data = hf.data.Dataset.range(5)
    ...     data = data.apply(hf.contrib.data.batch_and_drop_remainder(2))
    ...     print(data.output_shapes, [b.numpy().tolist() for b in data])
    (2,) [[0, 1], [2, 3]]
    """
    return lambda dataset: dataset.batch(batch_size, drop_remainder=True)


def dense_to_sparse_batch(batch_size: Any, row_shape: Any) -> Transformation:
    """Dense elements of several shapes, as the rows of sparse tensors.

    Args:
      batch_size: how many elements make a sparse tensor.
      row_shape: the shape of its rows; None or -1 for the largest size in the batch.

    Raises (when applied):
      TypeError: for elements of several components. ValueError: for a size below -1. When it runs:
        InvalidArgumentError for elements of another rank, DataLossError for larger ones.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     data = hf.data.Dataset.range(1, 3).map(lambda n: hf.fill([n], n))
    ...     for s in data.apply(hf.contrib.data.dense_to_sparse_batch(2, [4])):
    ...         print(s.indices.numpy().tolist(), s.values.numpy(), s.dense_shape.numpy())
    [[0, 0], [1, 0], [1, 1]] [1 2 2] [2 4]
    """
    return lambda dataset: Dataset(sparse_batching.sparsely_batched(dataset, batch_size, row_shape))


def padded_batch_and_drop_remainder(
    batch_size: Any, padded_shapes: Any, padding_values: Any = None
) -> Transformation:
    """Padded batches, without a last one that has fewer elements.

    Args: as for `Dataset.padded_batch`.
    """
    return lambda dataset: dataset.padded_batch(
        batch_size, padded_shapes, padding_values, drop_remainder=True
    )


def map_and_batch(
    map_func: Callable[..., Any],
    batch_size: Any,
    num_parallel_batches: Any = None,
    drop_remainder: Any = False,
    num_parallel_calls: Any = None,
) -> Transformation:
    """`map` and then `batch`, in one.

    Args:
      map_func: as for `Dataset.map`.
      batch_size: how many elements make a batch.
      num_parallel_batches: for how many batches the function may be called at once; 1 if neither
        this nor `num_parallel_calls` is given.
      drop_remainder, num_parallel_calls: as for `batch` and `map`. (TF 1.4 has neither.)

    Raises:
      ValueError: if both numbers are given.
      InvalidArgumentError: if `batch_size` is not above zero.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     data = hf.data.Dataset.range(3).apply(
    ...         hf.contrib.data.map_and_batch(lambda x: x * x, 2))
    ...     print([b.numpy().tolist() for b in data])
    [[0, 1], [4]]
    """
    if num_parallel_batches is not None and num_parallel_calls is not None:
        raise ValueError(
            "The `num_parallel_batches` and `num_parallel_calls` arguments are mutually exclusive."
        )

    def apply(dataset: Dataset) -> Dataset:
        calls = num_parallel_calls
        if calls is None:
            batches = 1 if num_parallel_batches is None else num_parallel_batches
            # A wrong size of batches is told where they are made.
            calls = cast(batches, dtypes.int32) * maximum(cast(batch_size, dtypes.int32), 1)
        called = parallel_mapping.mapped_in_parallel(dataset, map_func, calls)
        return Dataset(batching.batched(Dataset(called), batch_size, drop_remainder))

    return apply


def unbatch() -> Transformation:
    """The rows of elements, one by one.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     data = hf.data.Dataset.from_tensors([[1, 2], [3, 4]]).apply(hf.contrib.data.unbatch())
    ...     print([row.numpy().tolist() for row in data])
    [[1, 2], [3, 4]]
    """
    return lambda dataset: Dataset(batching.unbatched(dataset))


def enumerate_dataset(start: Any = 0) -> Transformation:
    """Elements, each with its number: `Dataset.enumerate`."""
    return lambda dataset: dataset.enumerate(start)


def ignore_errors() -> Transformation:
    """The elements that can be computed: those with errors are left out.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     data = hf.data.Dataset.from_tensor_slices([1.0, 0.0, 4.0])
    ...     data = data.map(lambda x: hf.py_func(lambda y: 1 / float(y), [x], hf.float32))
    ...     print([float(x) for x in data.apply(hf.contrib.data.ignore_errors())])
    [1.0, 0.25]
    """
    return lambda dataset: Dataset(choosing.without_errors(dataset))


def unique() -> Transformation:
    """Each element once, where it comes first.

    Raises (when applied):
      TypeError: for elements of several components, or of other dtypes than int32, int64, string.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     data = hf.data.Dataset.from_tensor_slices([1, 37, 2, 37, 1])
    ...     print([int(x) for x in data.apply(hf.contrib.data.unique())])
    [1, 37, 2]
    """
    return lambda dataset: Dataset(choosing.unique(dataset))


def shuffle_and_repeat(buffer_size: Any, count: Any = None, seed: Any = None) -> Transformation:
    """Elements in a random order, several times over, in another order each time.

    With the same seeds that is TensorFlow's order. It differs from that of `shuffle` and `repeat`,
    which TF 1.4 runs one after the other; TF 1.15 runs this in their place where they follow each
    other.

    Args:
      buffer_size, seed: as for `Dataset.shuffle`.
      count: as for `Dataset.repeat`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     data = hf.data.Dataset.range(3).apply(hf.contrib.data.shuffle_and_repeat(3, 2, seed=1))
    ...     print(sorted(int(x) for x in data))
    [0, 0, 1, 1, 2, 2]
    """
    return lambda dataset: Dataset(
        shuffling.shuffled_and_repeated(dataset, buffer_size, count, seed)
    )


def scan(initial_state: Any, scan_func: Callable[..., Any]) -> Transformation:
    """What a function makes of a state and each element, beside the next state.

    Args:
      initial_state: a structure of tensors.
      scan_func: takes the state and an element; gives the next state and a new element.

    Raises (when applied):
      TypeError, ValueError: if the function gives no pair, or a state of another form.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     total = hf.contrib.data.scan(hf.constant(0, hf.int64), lambda s, x: (s + x, s + x))
    ...     print([int(x) for x in hf.data.Dataset.range(5).apply(total)])
    [0, 1, 3, 6, 10]
    """
    return lambda dataset: Dataset(mapping.scanned(dataset, initial_state, scan_func))


def group_by_window(
    key_func: Callable[..., Any],
    reduce_func: Callable[..., Any],
    window_size: Any = None,
    window_size_func: Callable[..., Any] | None = None,
) -> Transformation:
    """Windows of elements with one key, each as what a function makes of it.

    Args:
      key_func: takes an element, gives an int64 scalar.
      reduce_func: takes a key and the dataset of a window; gives a dataset.
      window_size: how many elements a window has, but for the last of each key.
      window_size_func: takes a key, gives the size of its windows.

    Raises:
      ValueError: unless one of the last two is given.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     parity = hf.contrib.data.group_by_window(
    ...         lambda x: x % 2, lambda key, window: window.batch(3), window_size=3)
    ...     print([b.numpy().tolist() for b in hf.data.Dataset.range(8).apply(parity)])
    [[0, 2, 4], [1, 3, 5], [6], [7]]
    """
    if (window_size is None) == (window_size_func is None):
        raise ValueError("Must pass either window_size or window_size_func.")
    size_of = window_size_func
    if size_of is None:

        def size_of(key: Any) -> Any:
            return convert_to_tensor(window_size, dtypes.int64)

    return lambda dataset: Dataset(
        grouping.grouped(dataset, key_func, reduce_func, size_of, Dataset)
    )


def parallel_interleave(
    map_func: Callable[..., Any],
    cycle_length: Any,
    block_length: Any = 1,
    sloppy: Any = False,
    buffer_output_elements: Any = None,
    prefetch_input_elements: Any = None,
) -> Transformation:
    """`Dataset.interleave`, in which a thread for each dataset makes elements ahead.

    Args:
      map_func, cycle_length, block_length: as there.
      sloppy: whether a dataset that has no element ready is passed over; the order is then not the
        same each time.
      buffer_output_elements: how many elements of each may wait.
      prefetch_input_elements: how many datasets begin before it is their turn.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     data = hf.data.Dataset.range(1, 3).apply(hf.contrib.data.parallel_interleave(
    ...         lambda x: hf.data.Dataset.from_tensors(x).repeat(2), cycle_length=2))
    ...     print([int(x) for x in data])
    [1, 2, 1, 2]
    """
    return lambda dataset: Dataset(
        parallel_interleaving.interleaved_in_parallel(
            dataset,
            map_func,
            cycle_length,
            block_length,
            sloppy,
            buffer_output_elements,
            prefetch_input_elements,
            Dataset,
        )
    )


def sloppy_interleave(
    map_func: Callable[..., Any], cycle_length: Any, block_length: Any = 1
) -> Transformation:
    """`parallel_interleave` with `sloppy=True`."""
    return parallel_interleave(map_func, cycle_length, block_length, sloppy=True)


def prefetch_to_device(device: Any, buffer_size: Any = None) -> Transformation:
    """`Dataset.prefetch`: there is one device, where all elements are.

    Args:
      device: the name of a device; programs for several may name any, as `hf.device` takes them.
      buffer_size: how many elements may be made ahead; by default that is left to us.

    Raises:
      ValueError: for what is no name of a device.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     data = hf.data.Dataset.range(3).apply(hf.contrib.data.prefetch_to_device("/gpu:0"))
    ...     print([int(x) for x in data])
    [0, 1, 2]
    """
    DeviceSpec.from_string(device)
    return lambda dataset: dataset.prefetch(buffer_size)


def get_single_element(dataset: Dataset) -> Any:
    """The element of a dataset that has one.

    Raises:
      TypeError: if it is no dataset. InvalidArgumentError: when it runs, if it has no element or
        several.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     data = hf.data.Dataset.range(3).batch(3)
    ...     print(hf.contrib.data.get_single_element(data).numpy())
    [0 1 2]
    """
    if not isinstance(dataset, Dataset):
        raise TypeError("`dataset` must be a `tf.data.Dataset` object.")
    element = dataset.element
    return element.pack(single_element_op(dataset._as_variant_tensor(), **element.attrs))
