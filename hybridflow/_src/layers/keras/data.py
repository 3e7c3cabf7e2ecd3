"""Keras' functions on arrays of data: sequences of one length, classes as one-hot vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["pad_sequences", "to_categorical"]

_SIDES = ("pre", "post")


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Sequences as an array, the shorter ones filled up, the longer ones cut.

    Args:
      sequences: a list of sequences `[length, ...]`, each of its own length.
      maxlen: the length in the array; that of the longest by default.
      dtype: of the array, NumPy's; `object` for strings of several lengths.
      padding: where what is missing is filled in, "pre" or "post".
      truncating: where what is too much is cut off, "pre" or "post".
      value: what is filled in.

    Returns: an array `[sequences, maxlen, ...]`.

    Raises:
      ValueError: if the parts of sequences differ in shape, one of them has no length, or for
        another word than "pre" and "post".

    >>> import hybridflow as hf
    >>> pad = hf.keras.preprocessing.sequence.pad_sequences
    >>> pad([[1], [2, 3, 4]], maxlen=2).tolist()
    [[0, 1], [3, 4]]
    """
    for what, side in (("Padding", padding), ("Truncating", truncating)):
        if side not in _SIDES:
            raise ValueError(f'{what} type "{side}" not understood: it is "pre" or "post".')
    if not hasattr(sequences, "__len__"):
        raise ValueError("`sequences` must be iterable.")
    for sequence in sequences:
        if not hasattr(sequence, "__len__"):
            raise ValueError(
                f"`sequences` must be a list of iterables. Found non-iterable: {sequence!r:.200}"
            )
    if maxlen is None:
        maxlen = max(map(len, sequences), default=0)
    shape = next((np.shape(sequence)[1:] for sequence in sequences if len(sequence)), ())
    dtype = np.dtype(dtype)
    if isinstance(value, str) and dtype.kind not in "OSU":
        raise ValueError(
            f"`dtype` {dtype} is not compatible with `value`'s type: {type(value)}\n"
            "You should set `dtype=object` for variable length strings."
        )
    result = np.full((len(sequences), maxlen, *shape), value, dtype)
    for index, (row, sequence) in enumerate(zip(result, sequences, strict=True)):
        kept = sequence[max(len(sequence) - maxlen, 0) :]
        kept = np.asarray(kept if truncating == "pre" else sequence[:maxlen], dtype)
        if not len(kept):
            continue
        if kept.shape[1:] != shape:
            raise ValueError(
                f"Shape of sample {kept.shape[1:]} of sequence at position "
                f"{index} is different from expected shape {shape}"
            )
        row[slice(len(kept)) if padding == "post" else slice(maxlen - len(kept), None)] = kept
    return result


def to_categorical(y: Any, num_classes: int | None = None, dtype: Any = "float32") -> np.ndarray:
    """Numbers of classes as vectors that are 1 at the class and 0 elsewhere.

    Args:
      y: integers from 0 on, an array of any shape `[...]` or `[..., 1]`; negative ones count from
        the last class.
      num_classes: how many there are; one more than the largest number by default.
      dtype: of the result, NumPy's.

    Returns: an array `[..., num_classes]`.

    Raises:
      IndexError: for a number that is no class.

    >>> import hybridflow as hf
    >>> hf.keras.utils.to_categorical([0, 2], num_classes=3).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    numbers = np.array(y, dtype="int64")
    shape = numbers.shape
    if len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    numbers = numbers.reshape(-1)
    if num_classes is None:
        num_classes = int(numbers.max(initial=-1)) + 1
    result = np.zeros((numbers.size, num_classes), dtype)
    result[np.arange(numbers.size), numbers] = 1
    return result.reshape(*shape, num_classes)
