"""`Dataset`: elements that come one after the other, and what can be made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.data import (
    batching,
    caching,
    combining,
    counting,
    files,
    flattening,
    mapping,
    memory,
    padding,
    parallel_interleaving,
    parallel_mapping,
    prefetching,
    reducing,
    shuffling,
)
from hybridflow._src.data.base_dataset import BaseDataset

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Dataset"]

_INT64_MAX = 2**63 - 1


class Dataset(BaseDataset):
    """Elements that come one after the other: tensors, or structures (tuples, dicts) of tensors.

    A dataset is made by `from_tensors`, `from_tensor_slices`, `from_generator`, `range`,
    `list_files`, or of files by `TextLineDataset`, `TFRecordDataset`, `FixedLengthRecordDataset`;
    each method makes another one of it. Nothing is computed before an iterator asks for elements.
    In eager mode a dataset is a Python iterable.

    A class of your own may define `_as_variant_tensor`, `output_types`, `output_shapes` and
    `output_classes`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     data = hf.data.Dataset.range(5).map(lambda x: x * x).batch(2)
    ...     for batch in data:
    ...         print(batch.numpy())
    [0 1]
    [4 9]
    [16]
    """

    @property
    def _title(self) -> str:
        is_plain = type(self) is Dataset and self._recipe is not None
        return self._recipe.name if is_plain else super()._title

    # -- where they come from ----------------------------------------------------------------------

    @staticmethod
    def from_tensors(tensors: Any) -> Dataset:
        """A dataset of one element.

        Args:
          tensors: a structure of tensors.

        >>> import hybridflow as hf
        >>> hf.data.Dataset.from_tensors([1.0, 2.0])
        <TensorDataset shapes: (2,), types: <dtype: float32>>
        """
        return Dataset(memory.of_tensors(tensors))

    @staticmethod
    def from_tensor_slices(tensors: Any) -> Dataset:
        """A dataset with an element for each row of tensors.

        Args:
          tensors: a structure of tensors with equally many rows, `[n, ...]`.

        Raises:
          ValueError: if there are scalars among them, or other numbers of rows.

        >>> import hybridflow as hf
        >>> with hf.eager_mode():
        ...     for x, y in hf.data.Dataset.from_tensor_slices(([1, 2], ["a", "b"])):
        ...         print(x.numpy(), y.numpy())
        1 b'a'
        2 b'b'
        """
        return Dataset(memory.of_slices(tensors))

    @staticmethod
    def from_sparse_tensor_slices(sparse_tensor: Any) -> Dataset:
        """The rows of a sparse tensor, each as its indices, values and shape.

        `from_tensor_slices` gives them as sparse tensors.

        Raises:
          TypeError: if it is no `SparseTensor`.

        >>> import hybridflow as hf
        >>> with hf.eager_mode():
        ...     s = hf.SparseTensor([[0, 2], [1, 0]], [5, 6], [2, 3])
        ...     for indices, values, shape in hf.data.Dataset.from_sparse_tensor_slices(s):
        ...         print(indices.numpy().tolist(), values.numpy(), shape.numpy())
        [[2]] [5] [3]
        [[0]] [6] [3]
        """
        return Dataset(memory.of_sparse_slices(sparse_tensor))

    @staticmethod
    def from_generator(
        generator: Callable[..., Any],
        output_types: Any,
        output_shapes: Any = None,
        args: Any = None,
    ) -> Dataset:
        """A dataset of what a Python generator gives.

        Args:
          generator: called for each pass; gives something that can be iterated over.
          output_types: dtypes of the components, in the structure of an element.
          output_shapes: their shapes; unknown ones if it is None.
          args: tensors whose values `generator` is called with. (TF 1.4 has no such argument.)

        Raises:
          TypeError: if `generator` is no function. InvalidArgumentError: when it gives an element
            of another form.

        >>> import hybridflow as hf
        >>> def count():
        ...     yield 1, [1]
        ...     yield 2, [2, 2]
        >>> with hf.eager_mode():
        ...     data = hf.data.Dataset.from_generator(count, (hf.int64, hf.float32), ([], [None]))
        ...     print([(int(n), x.numpy().tolist()) for n, x in data])
        [(1, [1.0]), (2, [2.0, 2.0])]
        """
        return Dataset(memory.of_generator(generator, output_types, output_shapes, args))

    @staticmethod
    def range(*args: Any) -> Dataset:
        """The numbers of a range, int64, as Python's `range` has them.

        Args:
          *args: `stop`, or `start, stop`, or `start, stop, step`; scalar tensors too.

        Raises:
          ValueError: for another number of arguments. InvalidArgumentError: for a step of 0.

        >>> import hybridflow as hf
        >>> with hf.eager_mode():
        ...     print([int(x) for x in hf.data.Dataset.range(1, 7, 2)])
        [1, 3, 5]
        """
        return Dataset(memory.of_range(*args))

    @staticmethod
    def list_files(file_pattern: Any, shuffle: bool | None = None, seed: Any = None) -> Dataset:
        """The names of the files that match a pattern.

        Args:
          file_pattern: a pattern of names, or a vector of them.
          shuffle: whether they come in a random order; in TF 1.4 there is no such argument, and
            they come in order, as they do here by default. Later versions shuffle.
          seed: for the random order.

        >>> import hybridflow as hf
        >>> hf.data.Dataset.list_files("data/*.txt")
        <MatchingFilesDataset shapes: (), types: <dtype: string>>
        """
        found = Dataset(files.of_names(file_pattern))
        return found.shuffle(_INT64_MAX, seed) if shuffle else found

    @staticmethod
    def zip(datasets: Any) -> Dataset:
        """The elements of several datasets side by side, as long as all have one.

        Args:
          datasets: a structure of datasets: that of the new elements.

        Raises:
          TypeError: if there is anything but datasets in it.

        >>> import hybridflow as hf
        >>> with hf.eager_mode():
        ...     a, b = hf.data.Dataset.range(2), hf.data.Dataset.range(5, 9)
        ...     print([(int(x), int(y)) for x, y in hf.data.Dataset.zip((a, b))])
        [(0, 5), (1, 6)]
        """
        return Dataset(combining.zipped(datasets, Dataset))

    # -- which of them, in which order -------------------------------------------------------------

    def concatenate(self, dataset: Dataset) -> Dataset:
        """These elements, then those of another dataset.

        Raises:
          TypeError, ValueError: if those have another form.

        >>> import hybridflow as hf
        >>> with hf.eager_mode():
        ...     data = hf.data.Dataset.range(2).concatenate(hf.data.Dataset.range(7, 9))
        ...     print([int(x) for x in data])
        [0, 1, 7, 8]
        """
        return Dataset(combining.concatenated(self, dataset))

    def repeat(self, count: Any = None) -> Dataset:
        """The elements several times over.

        Args:
          count: how often; for ever if it is None or -1.

        >>> import hybridflow as hf
        >>> with hf.eager_mode():
        ...     print([int(x) for x in hf.data.Dataset.range(2).repeat(2)])
        [0, 1, 0, 1]
        """
        return Dataset(counting.repeated(self, count))

    def take(self, count: Any) -> Dataset:
        """The first elements; all of them for a count of -1.

        >>> import hybridflow as hf
        >>> with hf.eager_mode():
        ...     print([int(x) for x in hf.data.Dataset.range(9).take(2)])
        [0, 1]
        """
        return Dataset(counting.taken(self, count))

    def skip(self, count: Any) -> Dataset:
        """The elements after the first ones; none for a count of -1.

        >>> import hybridflow as hf
        >>> with hf.eager_mode():
        ...     print([int(x) for x in hf.data.Dataset.range(5).skip(3)])
        [3, 4]
        """
        return Dataset(counting.skipped(self, count))

    def shard(self, num_shards: Any, index: Any) -> Dataset:
        """Every `num_shards`-th element, from number `index` on: one part of several.

        Raises:
          ValueError: unless `0 <= index < num_shards`; for values that are known when it runs only,
            InvalidArgumentError.

        >>> import hybridflow as hf
        >>> with hf.eager_mode():
        ...     print([int(x) for x in hf.data.Dataset.range(7).shard(3, 1)])
        [1, 4]
        """
        return Dataset(counting.sharded(self, num_shards, index))

    def shuffle(
        self, buffer_size: Any, seed: Any = None, reshuffle_each_iteration: bool | None = None
    ) -> Dataset:
        """The elements in a random order.

        A buffer holds some of the elements; each that comes is drawn from it, and the next one
        takes its place. With the same seeds the order is TensorFlow's.

        Args:
          buffer_size: how many elements the buffer holds: at least as many as there are, for an
            order in which all elements may come at any place.
          seed: see `hf.set_random_seed`.
          reshuffle_each_iteration: whether each pass (of `repeat`) has another order; it has by
            default.

        Raises:
          InvalidArgumentError: when it runs, for a buffer of size 0.

        >>> import hybridflow as hf
        >>> with hf.eager_mode():
        ...     hf.set_random_seed(1)
        ...     print([int(x) for x in hf.data.Dataset.range(6).shuffle(6, seed=2)])
        [4, 5, 2, 0, 1, 3]
        """
        return Dataset(shuffling.shuffled(self, buffer_size, seed, reshuffle_each_iteration))

    def cache(self, filename: Any = "") -> Dataset:
        """The elements, remembered after the first pass.

        Args:
          filename: where a file is made that holds them, `<filename>.elements`; in memory if it is
            empty. TensorFlow's caches are other files, which are neither read nor changed.

        >>> import hybridflow as hf
        >>> def numbers():
        ...     print("once")
        ...     yield from range(2)
        >>> with hf.eager_mode():
        ...     data = hf.data.Dataset.from_generator(numbers, hf.int64, []).cache().repeat(2)
        ...     print([int(x) for x in data])
        once
        [0, 1, 0, 1]
        """
        return Dataset(caching.cached(self, filename))

    def prefetch(self, buffer_size: Any) -> Dataset:
        """The elements, made by a thread of its own while the program works on others.

        Args:
          buffer_size: how many elements may wait; -1 leaves that to us.

        Raises:
          InvalidArgumentError: when it runs, for another negative size.
        """
        return Dataset(prefetching.prefetched(self, buffer_size))

    # -- what is made of them ----------------------------------------------------------------------

    def batch(self, batch_size: Any, drop_remainder: Any = False) -> Dataset:
        """Elements that follow each other, stacked.

        Args:
          batch_size: how many.
          drop_remainder: whether a last batch with fewer elements is left out. (TF 1.4 has no such
            argument.)

        Raises:
          InvalidArgumentError: when it runs, for elements of several shapes, or a size of 0.

        >>> import hybridflow as hf
        >>> with hf.eager_mode():
        ...     print([b.numpy().tolist() for b in hf.data.Dataset.range(5).batch(2)])
        [[0, 1], [2, 3], [4]]
        """
        return Dataset(batching.batched(self, batch_size, drop_remainder))

    def unbatch(self) -> Dataset:
        """The rows of elements, one by one. (TF 1.4 has `contrib.data.unbatch`.)

        Raises:
          ValueError: for elements with scalars.

        >>> import hybridflow as hf
        >>> with hf.eager_mode():
        ...     print([int(x) for x in hf.data.Dataset.range(5).batch(2).unbatch()])
        [0, 1, 2, 3, 4]
        """
        return Dataset(batching.unbatched(self))

    def padded_batch(
        self,
        batch_size: Any,
        padded_shapes: Any,
        padding_values: Any = None,
        drop_remainder: Any = False,
    ) -> Dataset:
        """Elements that follow each other, padded to one shape and stacked.

        Args:
          batch_size: how many.
          padded_shapes: the shape of each component, in the structure of an element; None or -1 for
            the largest size in the batch.
          padding_values: what is put in, a scalar for each component; 0 and empty strings if it is
            None.
          drop_remainder: as for `batch`.

        Raises:
          TypeError, ValueError: if shapes or values do not fit an element. DataLossError: when it
            runs, for an element that is larger than its shape.

        >>> import hybridflow as hf
        >>> with hf.eager_mode():
        ...     data = hf.data.Dataset.range(1, 4).map(lambda n: hf.fill([n], n))
        ...     for batch in data.padded_batch(2, [None]):
        ...         print(batch.numpy().tolist())
        [[1, 0], [2, 2]]
        [[3, 3, 3]]
        """
        return Dataset(
            padding.padded(self, batch_size, padded_shapes, padding_values, drop_remainder)
        )

    def map(self, map_func: Callable[..., Any], num_parallel_calls: Any = None) -> Dataset:
        """What a function makes of each element.

        The function is called once, to trace the ops that it runs; those run for each element.
        Python that is to run for each element goes into `hf.py_func`.

        Args:
          map_func: takes an element, the components of a tuple as several arguments; gives a
            structure of tensors.
          num_parallel_calls: how many elements may be worked on at once; -1 leaves that to us.

        Raises (when it runs): what the ops raise; the message says for which element, counted from
        0.

        >>> import hybridflow as hf
        >>> with hf.eager_mode():
        ...     print([float(x) for x in hf.data.Dataset.range(3).map(lambda x: x / 2)])
        [0.0, 0.5, 1.0]
        """
        if num_parallel_calls is None:
            return Dataset(mapping.mapped(self, map_func))
        return Dataset(parallel_mapping.mapped_in_parallel(self, map_func, num_parallel_calls))

    def flat_map(self, map_func: Callable[..., Any]) -> Dataset:
        """The elements of the datasets that a function makes of each element.

        Raises:
          TypeError: if it makes something else.

        >>> import hybridflow as hf
        >>> with hf.eager_mode():
        ...     print([int(x) for x in hf.data.Dataset.range(4).flat_map(hf.data.Dataset.range)])
        [0, 0, 1, 0, 1, 2]
        """
        return Dataset(flattening.flat_mapped(self, map_func, Dataset))

    def interleave(
        self,
        map_func: Callable[..., Any],
        cycle_length: Any = -1,
        block_length: Any = 1,
        num_parallel_calls: Any = None,
    ) -> Dataset:
        """Blocks of elements of the datasets that a function makes of each element, in turn.

        Args:
          map_func: makes a dataset of an element.
          cycle_length: how many datasets take turns; one that ends gives way to the next. -1 leaves
            that to us, and is not in TF 1.4.
          block_length: how many elements of one come in a row.
          num_parallel_calls: whether threads make the elements ahead. (TF 1.4 has no such
            argument.)

        >>> import hybridflow as hf
        >>> with hf.eager_mode():
        ...     data = hf.data.Dataset.range(1, 4).interleave(
        ...         lambda x: hf.data.Dataset.from_tensors(x).repeat(3), 2, block_length=2)
        ...     print([int(x) for x in data])
        [1, 1, 2, 2, 1, 2, 3, 3, 3]
        """
        if isinstance(cycle_length, int) and cycle_length == prefetching.AUTOTUNE:
            cycle_length = parallel_interleaving.CYCLE
        if num_parallel_calls is None:
            args = self, map_func, cycle_length, block_length, Dataset
            return Dataset(flattening.interleaved(*args))
        return Dataset(
            parallel_interleaving.interleaved_in_parallel(
                self, map_func, cycle_length, block_length, False, None, 0, Dataset
            )
        )

    def filter(self, predicate: Callable[..., Any]) -> Dataset:
        """The elements for which a function gives true.

        Raises:
          ValueError: if it gives no boolean scalar.

        >>> import hybridflow as hf
        >>> with hf.eager_mode():
        ...     print([int(x) for x in hf.data.Dataset.range(6).filter(lambda x: x % 2 > 0)])
        [1, 3, 5]
        """
        return Dataset(mapping.filtered(self, predicate))

    def reduce(self, initial_state: Any, reduce_func: Callable[..., Any]) -> Any:
        """All elements as one: the last state. (TF 1.4 has no such method.)

        Args:
          initial_state: a structure of tensors.
          reduce_func: takes the state and an element, gives the next state.

        Returns: tensors in the structure of the state.

        Raises:
          TypeError, ValueError: if it gives a state of another form.

        >>> import hybridflow as hf
        >>> with hf.eager_mode():
        ...     data, zero = hf.data.Dataset.range(5), hf.constant(0, hf.int64)
        ...     print(int(data.reduce(zero, lambda s, x: s + x)))
        10
        """
        return reducing.reduced(self, initial_state, reduce_func)

    def enumerate(self, start: Any = 0) -> Dataset:
        """The elements, each with its number. (TF 1.4 has `contrib.data.enumerate_dataset`.)

        >>> import hybridflow as hf
        >>> with hf.eager_mode():
        ...     data = hf.data.Dataset.from_tensor_slices(["a", "b"])
        ...     print([(int(i), x.numpy()) for i, x in data.enumerate(5)])
        [(5, b'a'), (6, b'b')]
        """
        return Dataset.zip((Dataset.range(start, _INT64_MAX), self))
