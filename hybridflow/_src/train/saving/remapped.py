"""Initializers that load matrices of checkpoints whose vocabularies have changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.framework.tensor_shape import as_shape
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.sequences import range as range_of
from hybridflow._src.variables.initializers import TruncatedNormal, Zeros

__all__ = [
    "load_and_remap_matrix_initializer",
    "load_embedding_initializer",
    "load_linear_multiclass_bias_initializer",
    "load_variable_slot_initializer",
]

Initializer = Callable[..., Any]

_NO_FILES = (
    "Must provide either row or column vocab files. If no remapping is necessary, use "
    "`hf.contrib.framework.init_from_checkpoint` instead."
)


class _Words(NamedTuple):
    """The rows or the columns of a matrix.

    Attributes:
      name: which they are, in errors.
      size: how many are taken by words.
      old, new: the files with the words.
      buckets: how many come behind, for words that no vocabulary has.
    """

    name: str
    size: int
    old: Any
    new: Any
    buckets: int

    @property
    def total(self) -> int:
        """How many there are."""
        return self.size + self.buckets

    @property
    def change(self) -> bool:
        """Whether they are other words than before."""
        return _is_given(self.new)

    def check(self) -> None:
        """Checks what a program gave.

        Raises:
          ValueError: for a negative number of buckets, and for one file without the other.
        """
        if self.buckets < 0:
            raise ValueError(
                f"num_{self.name}_oov_buckets must be >= 0, but received {self.buckets}"
            )
        if _is_given(self.old) != _is_given(self.new):
            raise ValueError(
                f"old_{self.name}_vocab_file and new_{self.name}_vocab_file must both be specified "
                f"or left unspecified. old_{self.name}_vocab_file={self.old!r}, "
                f"new_{self.name}_vocab_file={self.new!r}"
            )


@dataclass(frozen=True)
class _Remapped:
    """Loads a matrix, or the part of it that a partitioned variable has.

    Attributes:
      checkpoint: a checkpoint, and the name of the matrix there.
      rows, columns: what stands for which words.
      initializer, old_row_vocab_size, max_rows_in_memory: as for
        `load_and_remap_matrix_initializer`.
    """

    checkpoint: tuple[Any, Any]
    rows: _Words
    columns: _Words
    initializer: Initializer
    old_row_vocab_size: int
    max_rows_in_memory: int

    def __call__(self, shape: Any, dtype: Any = dtypes.float32, partition_info: Any = None) -> Any:
        if dtypes.as_dtype(dtype) != dtypes.float32:
            raise TypeError(f"Currently, only float32 is supported. Received dtype: {dtype!r}")
        sizes: list[Any] = as_shape(shape).as_list()
        if len(sizes) != 2 or sizes[0] <= 0:
            raise ValueError(f"Expected 2-dim shape with rows, but received: {sizes}")
        rows, columns = self.rows, self.columns
        if sizes[1] != columns.total:
            raise ValueError(
                f"Expected 2nd dim of shape to be new_col_vocab_size ({columns.size}) + "
                f"num_col_oov_buckets ({columns.buckets}) = {columns.total}, but "
                f"received shape: {sizes}"
            )
        offset = 0 if partition_info is None else partition_info.single_offset(sizes)
        if offset + sizes[0] > rows.total:
            raise ValueError(
                f"Trying to initialize {sizes[0]} additional rows after {offset} rows have already "
                "been initialized, which would exceed expected total row count of "
                f"new_row_vocab_size ({rows.size}) + num_row_oov_buckets ({rows.buckets}) = "
                f"{rows.total}."
            )
        loaded = max(0, min(sizes[0], rows.size - offset))
        if not loaded:
            return self.initializer(sizes)
        matrix = self._loaded(offset, loaded)
        if sizes[0] > loaded:
            matrix = concat([matrix, self._new([sizes[0] - loaded, columns.size])], 0)
        if columns.buckets:
            matrix = concat([matrix, self._new([sizes[0], columns.buckets])], 1)
        return matrix

    def _new(self, shape: Any) -> Tensor:
        return convert_to_tensor(self.initializer(shape), dtypes.float32)

    def _loaded(self, offset: int, rows: int) -> Tensor:
        """So many rows from an offset on, without those for words that no vocabulary has."""
        columns = self.columns.size
        remapping: Any = range_of(offset, offset + rows, dtype=dtypes.int64)
        rows_here: Any = rows
        if self.rows.change:
            remapping, rows_here = raw.GenerateVocabRemapping(
                self.rows.new,
                self.rows.old,
                new_vocab_offset=offset,
                num_new_vocab=rows,
                old_vocab_size=self.old_row_vocab_size,
            )
        of_columns: Any = convert_to_tensor([], dtypes.int64)
        columns_here: Any = columns
        if self.columns.change:
            of_columns, columns_here = raw.GenerateVocabRemapping(
                self.columns.new, self.columns.old, new_vocab_offset=0, num_new_vocab=columns
            )
        matrix: Tensor = raw.LoadAndRemapMatrix(
            *self.checkpoint,
            remapping,
            of_columns,
            self._new([rows * columns - rows_here * columns_here, 1]),
            num_rows=rows,
            num_cols=columns,
            max_rows_in_memory=self.max_rows_in_memory,
        )
        return matrix


def _is_given(file: Any) -> bool:
    return isinstance(file, Tensor) or bool(file)


def load_and_remap_matrix_initializer(
    ckpt_path: Any,
    old_tensor_name: Any,
    new_row_vocab_size: int,
    new_col_vocab_size: int,
    old_row_vocab_size: int = -1,
    old_row_vocab_file: Any = None,
    new_row_vocab_file: Any = None,
    old_col_vocab_file: Any = None,
    new_col_vocab_file: Any = None,
    num_row_oov_buckets: int = 0,
    num_col_oov_buckets: int = 0,
    initializer: Initializer | None = None,
    max_rows_in_memory: int = -1,
) -> Initializer:
    r"""An initializer that loads a matrix for another vocabulary than it was saved with.

    A row of the new matrix is the old row of the same word: the one that has, in the new file, the
    line of the new row's number, and in the old file that of the old row's. Likewise for columns.
    Rows and columns of words that are new come from `initializer`, and so do those behind, for
    words that no vocabulary has.

    Args:
      ckpt_path: the checkpoint, of version 2.
      old_tensor_name: the matrix in it, of float32.
      new_row_vocab_size, new_col_vocab_size: how many rows and columns are taken by words.
      old_row_vocab_size: how many lines of the old file count; all if it is -1.
      old_row_vocab_file, new_row_vocab_file: files with a word a line; without both, rows stay.
      old_col_vocab_file, new_col_vocab_file: likewise for columns.
      num_row_oov_buckets, num_col_oov_buckets: how many rows and columns come behind.
      initializer: called with a shape, for what is new; zeros without it.
      max_rows_in_memory: how many rows are read at once of a matrix that is kept in slices.

    Returns: an initializer for variables of float32 and shape
      `[new_row_vocab_size + num_row_oov_buckets, new_col_vocab_size + num_col_oov_buckets]`, which
      may be partitioned along rows.

    Raises:
      ValueError: without files, with one of a pair, and for negative numbers of buckets.
        TypeError: if `initializer` is not callable. When it is called, TypeError for another dtype,
        ValueError for another shape; when it runs, InvalidArgumentError for files that do not fit,
        NotFoundError for those that are not there.

    >>> import hybridflow as hf
    >>> import os, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> def vocabulary(name, *words):
    ...     path = os.path.join(folder, name)
    ...     with open(path, "w") as file:
    ...         _ = file.write("".join(word + "\n" for word in words))
    ...     return path
    >>> old, new = vocabulary("old", "sun", "moon"), vocabulary("new", "moon", "star")
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     w = hf.get_variable("w", initializer=[[1.0, 2.0], [3.0, 4.0]])
    ...     session.run(w.initializer)
    ...     checkpoint = hf.train.Saver([w]).save(session, os.path.join(folder, "model"))
    >>> load = hf.contrib.framework.load_and_remap_matrix_initializer(
    ...     checkpoint, "w", 2, 2, old_row_vocab_file=old, new_row_vocab_file=new
    ... )
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     w = hf.get_variable("w", [2, 2], initializer=load)
    ...     session.run(w.initializer)
    ...     print(session.run(w))
    [[3. 4.]
     [0. 0.]]
    """
    rows = _Words(
        "row", new_row_vocab_size, old_row_vocab_file, new_row_vocab_file, num_row_oov_buckets
    )
    columns = _Words(
        "col", new_col_vocab_size, old_col_vocab_file, new_col_vocab_file, num_col_oov_buckets
    )
    rows.check()
    columns.check()
    if not rows.change and not columns.change:
        raise ValueError(_NO_FILES)
    if initializer is None:
        initializer = Zeros()
    if not callable(initializer):
        raise TypeError(
            f"initializer must be callable, instead of being {initializer!r} of type "
            f"{type(initializer)}."
        )
    return _Remapped(
        (ckpt_path, old_tensor_name),
        rows,
        columns,
        initializer,
        old_row_vocab_size,
        max_rows_in_memory,
    )


def load_embedding_initializer(
    ckpt_path: Any,
    embedding_tensor_name: Any,
    new_vocab_size: int,
    embedding_dim: int,
    old_vocab_file: Any,
    new_vocab_file: Any,
    old_vocab_size: int = -1,
    num_oov_buckets: int = 0,
    initializer: Initializer | None = None,
    max_rows_in_memory: int = -1,
) -> Initializer:
    """An initializer that loads an embedding for another vocabulary.

    Args:
      ckpt_path, embedding_tensor_name: the checkpoint, and the embedding in it.
      new_vocab_size, embedding_dim: how many words there are, and how long their vectors are.
      old_vocab_file, new_vocab_file: files with a word a line.
      old_vocab_size: how many lines of the old file count; all if it is -1.
      num_oov_buckets: how many rows come behind, for words that no vocabulary has.
      initializer: for new words; without it a truncated normal with a standard deviation of
        1 / sqrt(embedding_dim).
      max_rows_in_memory: as for `load_and_remap_matrix_initializer`.

    Returns: an initializer for a variable `[new_vocab_size + num_oov_buckets, embedding_dim]`.

    Raises:
      ValueError, TypeError: as `load_and_remap_matrix_initializer` does.
    """
    return load_and_remap_matrix_initializer(
        ckpt_path,
        embedding_tensor_name,
        new_vocab_size,
        embedding_dim,
        old_vocab_size,
        old_vocab_file,
        new_vocab_file,
        num_row_oov_buckets=num_oov_buckets,
        initializer=initializer or TruncatedNormal(stddev=embedding_dim**-0.5),
        max_rows_in_memory=max_rows_in_memory,
    )


def load_linear_multiclass_bias_initializer(
    ckpt_path: Any,
    bias_tensor_name: Any,
    new_class_vocab_size: int,
    old_class_vocab_file: Any,
    new_class_vocab_file: Any,
    num_class_oov_buckets: int = 0,
    initializer: Initializer | None = None,
    max_rows_in_memory: int = -1,
) -> Initializer:
    """An initializer that loads the biases of classes, `[classes, 1]`, for other classes.

    Args:
      ckpt_path, bias_tensor_name: the checkpoint, and the biases in it.
      new_class_vocab_size: how many classes there are.
      old_class_vocab_file, new_class_vocab_file: files with a class a line.
      num_class_oov_buckets: how many rows come behind.
      initializer, max_rows_in_memory: as for `load_and_remap_matrix_initializer`.

    Returns: an initializer for a variable `[new_class_vocab_size + num_class_oov_buckets, 1]`.

    Raises:
      ValueError, TypeError: as `load_and_remap_matrix_initializer` does.
    """
    return load_and_remap_matrix_initializer(
        ckpt_path,
        bias_tensor_name,
        new_class_vocab_size,
        1,
        old_row_vocab_file=old_class_vocab_file,
        new_row_vocab_file=new_class_vocab_file,
        num_row_oov_buckets=num_class_oov_buckets,
        initializer=initializer,
        max_rows_in_memory=max_rows_in_memory,
    )


def load_variable_slot_initializer(
    ckpt_path: Any,
    old_tensor_name: Any,
    primary_partition_info: Any,
    new_row_vocab_size: int,
    new_col_vocab_size: int,
    old_row_vocab_file: Any = None,
    new_row_vocab_file: Any = None,
    old_col_vocab_file: Any = None,
    new_col_vocab_file: Any = None,
    num_row_oov_buckets: int = 0,
    num_col_oov_buckets: int = 0,
    initializer: Initializer | None = None,
    max_rows_in_memory: int = -1,
) -> Initializer:
    """An initializer that loads a slot of a variable, such as an accumulator of an optimizer.

    Args:
      primary_partition_info: which part of a partitioned variable the slot belongs to: slots are
        created without that.
      ckpt_path, old_tensor_name, new_row_vocab_size, new_col_vocab_size, old_row_vocab_file,
        new_row_vocab_file, old_col_vocab_file, new_col_vocab_file,
        num_row_oov_buckets, num_col_oov_buckets, initializer, max_rows_in_memory: as for
        `load_and_remap_matrix_initializer`.

    Returns: an initializer.

    Raises:
      ValueError, TypeError: as `load_and_remap_matrix_initializer` does.
    """
    load = load_and_remap_matrix_initializer(
        ckpt_path,
        old_tensor_name,
        new_row_vocab_size,
        new_col_vocab_size,
        -1,
        old_row_vocab_file,
        new_row_vocab_file,
        old_col_vocab_file,
        new_col_vocab_file,
        num_row_oov_buckets,
        num_col_oov_buckets,
        initializer,
        max_rows_in_memory,
    )

    def initialize(shape: Any, dtype: Any = dtypes.float32, partition_info: Any = None) -> Any:
        return load(shape, dtype, partition_info=primary_partition_info)

    return initialize
