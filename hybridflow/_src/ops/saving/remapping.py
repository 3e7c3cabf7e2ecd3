"""Matrices of checkpoints whose rows and columns stand for words of a vocabulary that has changed.

A *remapping* says for each new row (or column) which old one it is; -1 for one that is new.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.formats.bundle_reader import BundleReader
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.errors import InvalidArgumentError, UnimplementedError
from hybridflow._src.framework.op_def import REQUIRED, OpDef, not_differentiable
from hybridflow._src.ops.data_flow.elements import array_of
from hybridflow._src.ops.tables.table_state import lines_of
from hybridflow._src.platform.system_errors import translated

if TYPE_CHECKING:
    from collections.abc import Iterator


def _invalid(message: str) -> InvalidArgumentError:
    return InvalidArgumentError(None, None, message)


# -- vocabularies ----------------------------------------------------------------------------------


def _words(file: Any, size: int, what: str) -> list[bytes]:
    """The words of a vocabulary, or so many of them."""
    path = os.fsdecode(array_of(file).item())
    if not path:
        raise _invalid(f"{what} vocab filename cannot be empty.")
    with translated(path):
        words = list(lines_of(path, size))
    if len(words) < size:
        raise _invalid(f"Invalid vocab_size in {path}: expected {size} but got {len(words)} lines")
    return words


def _generate(
    new_vocab_file: Any,
    old_vocab_file: Any,
    new_vocab_offset: int,
    num_new_vocab: int,
    old_vocab_size: int,
) -> tuple[np.ndarray, np.ndarray]:
    new = _words(new_vocab_file, -1, "new")
    if new_vocab_offset + num_new_vocab > len(new):
        raise _invalid(
            f"lookup table size must be larger than last new vocab entry's line: {num_new_vocab} "
            f"words from line {new_vocab_offset} on were asked for, the file has {len(new)}."
        )
    old: dict[bytes, int] = {}
    for number, word in enumerate(_words(old_vocab_file, old_vocab_size, "old")):
        if old.setdefault(word, number) != number:
            raise _invalid(f"The old vocabulary has {word!r} in lines {old[word]} and {number}.")
    wanted = new[new_vocab_offset : new_vocab_offset + num_new_vocab]
    remapping = np.array([old.get(word, -1) for word in wanted], np.int64)
    return remapping, np.array(np.count_nonzero(remapping >= 0), np.int32)


OpDef(
    "GenerateVocabRemapping",
    "new_vocab_file: string, old_vocab_file: string -> remapping: int64, num_present: int32",
    attrs={"new_vocab_offset": REQUIRED, "num_new_vocab": REQUIRED, "old_vocab_size": -1},
    shape=lambda attrs, *files: [(attrs["num_new_vocab"],), ()],
    compute=_generate,
    grad=not_differentiable,
    stateful=True,
)


# -- matrices --------------------------------------------------------------------------------------


def _load(
    ckpt_path: Any,
    old_tensor_name: Any,
    row_remapping: np.ndarray,
    col_remapping: np.ndarray,
    initializing_values: np.ndarray,
    num_rows: int,
    num_cols: int,
    max_rows_in_memory: int,
) -> np.ndarray:
    path = os.fsdecode(array_of(ckpt_path).item())
    name = os.fsdecode(array_of(old_tensor_name).item())
    _check(row_remapping, "row_remapping", num_rows, "num_rows")
    cols = np.arange(num_cols)
    if col_remapping.size:
        cols = col_remapping
        _check(cols, "col_remapping", num_cols, "num_cols")
    with translated(path):
        reader = BundleReader(path)
    shape = _shape_of(reader, name)
    if not col_remapping.size and shape[1] != num_cols:
        raise _invalid(
            f"Tensor {name} has shape {list(shape)}, where the size of its 2nd dimension is "
            f"{shape[1]} instead of being equal to num_cols={num_cols}"
        )
    for remapping, size, axis in ((row_remapping, shape[0], "row"), (cols, shape[1], "column")):
        if remapping.size and remapping.max() >= size:
            raise _invalid(
                f"{axis} {remapping.max()} was asked for of tensor {name}, whose shape is "
                f"{list(shape)}."
            )
    result = np.empty([num_rows, num_cols], np.float32)
    missing = np.add.outer(row_remapping < 0, cols < 0)
    values = initializing_values.reshape(-1)
    if values.size != np.count_nonzero(missing):
        raise _invalid(
            f"initializing_values contained {values.size} elements, but "
            f"{np.count_nonzero(missing)} values are missing."
        )
    result[missing] = values
    here = np.flatnonzero(cols >= 0)
    with translated(f"{path} (tensor {name})"):
        for start, rows in _pieces(reader, name, row_remapping, shape, max_rows_in_memory):
            new = np.flatnonzero((row_remapping >= start) & (row_remapping < start + len(rows)))
            result[np.ix_(new, here)] = rows[np.ix_(row_remapping[new] - start, cols[here])]
    return result


def _check(remapping: np.ndarray, what: str, size: int, of: str) -> None:
    if remapping.size != size:
        raise _invalid(f"Size of {what} is {remapping.size} instead of being equal to {of}={size}")
    seen: dict[int, int] = {}
    for new, old in enumerate(remapping.tolist()):
        if old >= 0 and seen.setdefault(old, new) != new:
            raise UnimplementedError(
                None,
                None,
                f"{what}: Old ID {old} is mapped to both new ID {seen[old]} and {new}, which is "
                "not supported.",
            )


def _shape_of(reader: BundleReader, name: str) -> tuple[int, ...]:
    shape, dtype = reader.shape(name), reader.dtype(name)
    if dtype != dtypes.float32:
        raise _invalid(
            f"Tensor {name} has invalid type {dtype.name} instead of expected type float32"
        )
    if len(shape) != 2:
        raise _invalid(
            f"Tensor {name} has shape {list(shape)} of invalid rank {len(shape)} instead of "
            "expected shape of rank 2."
        )
    return shape


def _pieces(
    reader: BundleReader, name: str, wanted: np.ndarray, shape: tuple[int, ...], most: int
) -> Iterator[tuple[int, np.ndarray]]:
    """The old rows from the first that is wanted to the last, and where each piece begins."""
    known = wanted[wanted >= 0]
    if not known.size:
        return
    first, end = int(known.min()), int(known.max()) + 1
    # What is kept whole is read whole, and checked.
    length = most if most > 0 and reader.slices(name) else end - first
    with reader.opened():
        for start in range(first, end, length):
            count = min(length, end - start)
            yield start, reader.read_slice(name, [(start, count), (0, shape[1])])


OpDef(
    "LoadAndRemapMatrix",
    "ckpt_path: string, old_tensor_name: string, row_remapping: int64, col_remapping: int64, "
    "initializing_values: float32 -> output_matrix: float32",
    attrs={"num_rows": REQUIRED, "num_cols": REQUIRED, "max_rows_in_memory": -1},
    shape=lambda attrs, *inputs: (attrs["num_rows"], attrs["num_cols"]),
    compute=_load,
    grad=not_differentiable,
    stateful=True,
)
