"""Strings taken apart: `string_split`, `substr`."""

from __future__ import annotations

import re
from itertools import chain, count, repeat
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import OpDef, Sample, not_differentiable
from hybridflow._src.framework.sparse_tensor import SparseTensor
from hybridflow._src.framework.tensor_shape import broadcast, merge
from hybridflow._src.ops.families import INDICES
from hybridflow._src.ops.shape_rules import with_rank
from hybridflow._src.ops.strings.elementwise import strings, words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["string_split", "substr"]


# -- string_split ----------------------------------------------------------------------------------


def _parts(texts: list[bytes], delimiter: bytes) -> list[list[bytes]]:
    """The parts of each text, also empty ones."""
    if not delimiter:
        return [[text[i : i + 1] for i in range(len(text))] for text in texts]
    if len(delimiter) == 1:
        return list(map(bytes.split, texts, repeat(delimiter)))
    # Each of several bytes divides.
    return list(map(re.compile(b"[" + re.escape(delimiter) + b"]").split, texts))


def _split(
    array: np.ndarray, delimiter: np.ndarray, skip_empty: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if array.ndim != 1 or delimiter.ndim:
        raise ValueError(f"Expected a vector and a scalar, got {array.shape}, {delimiter.shape}")
    parts = _parts(array.tolist(), delimiter.item())
    values = list(chain.from_iterable(parts))
    if all(values):
        return _table(parts, values)
    # As in TensorFlow, nothing has no parts.
    parts = [list(filter(None, one)) if skip_empty or one == [b""] else one for one in parts]
    return _table(parts, list(chain.from_iterable(parts)))


def _table(
    parts: list[list[bytes]], values: list[bytes]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The parts of each text, which are `values` one after the other, as a sparse tensor."""
    counts = np.fromiter(map(len, parts), np.int64, len(parts))
    indices = np.empty((len(values), 2), np.int64)
    indices[:, 0] = np.repeat(np.arange(len(parts)), counts)
    starts = np.repeat(np.cumsum(counts) - counts, counts)
    np.subtract(np.arange(len(values)), starts, out=indices[:, 1])
    shape = np.array([len(parts), counts.max(initial=0)], np.int64)
    return indices, strings(values, (len(values),)), shape


def _split_shape(attrs: dict[str, Any], source: Any, delimiter: Any) -> list[Any]:
    with_rank(source, 1)
    with_rank(delimiter, 0)
    return [(None, 2), (None,), (2,)]


def _split_samples(rng: np.random.Generator) -> Iterable[Sample]:
    texts = strings([b"a b  c", b"", b" x,y"], (3,))
    for delimiter in (b" ", b"", b" ,"):
        for skip in (True, False):
            yield Sample(texts, np.array(delimiter, object), skip_empty=skip)
    yield Sample(words(0), np.array(b" ", object))


_string_split = OpDef(
    "StringSplit",
    "input: string, delimiter: string -> indices: int64, values: string, shape: int64",
    attrs={"skip_empty": True},
    shape=_split_shape,
    compute=_split,
    grad=not_differentiable,
    samples=_split_samples,
    checked=True,
)


def _split_by(
    array: np.ndarray, sep: np.ndarray, maxsplit: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if array.ndim != 1 or sep.ndim:
        raise ValueError(f"Expected a vector and a scalar, got {array.shape}, {sep.shape}")
    parts = [text.split(sep.item() or None, maxsplit) for text in array.tolist()]
    return _table(parts, list(chain.from_iterable(parts)))


# As `str.split`: at each `sep`, or where there is space if it is empty.
OpDef(
    "StringSplitV2",
    "input: string, sep: string -> indices: int64, values: string, shape: int64",
    attrs={"maxsplit": -1},
    shape=_split_shape,
    compute=_split_by,
    grad=not_differentiable,
    samples=lambda rng: (
        Sample(strings([b"a b  c", b"", b" x, ,y"], (3,)), np.array(sep, object), maxsplit=most)
        for sep in (b"", b" ", b", ")
        for most in (-1, 1)
    ),
    checked=True,
)


def string_split(source: Any, delimiter: Any = " ", skip_empty: bool = True) -> SparseTensor:
    """Splits strings at each delimiter.

    Args:
      source: string vector `[n]`.
      delimiter: string scalar: each of its bytes divides; with none, all bytes stand alone.
      skip_empty: whether empty parts are left out.

    Returns: a `SparseTensor` `[n, most]` with the parts of each string in its row.

    Raises:
      ShapeError: if `source` is no vector.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     parts = hf.string_split(["hello world", "a b c"])
    ...     print(parts.values.numpy(), parts.dense_shape.numpy())
    [b'hello' b'world' b'a' b'b' b'c'] [2 3]
    """
    indices, values, shape = _string_split(source, delimiter, skip_empty=bool(skip_empty))
    return SparseTensor(indices, values, shape)


# -- substr ----------------------------------------------------------------------------------------


def _part(text: bytes, at: int, length: int, index: int) -> bytes:
    if not -len(text) <= at <= len(text):
        raise InvalidArgumentError(
            None, None, f"pos {at} out of range for string {text!r:.100} at index {index}"
        )
    begin = at + len(text) if at < 0 else at
    return text[begin:] if length < 0 else text[begin : begin + length]


def _substr(array: np.ndarray, pos: np.ndarray, len: np.ndarray) -> np.ndarray:
    if pos.shape != len.shape:
        raise ValueError(f"pos and len must have the same shape, got {pos.shape} and {len.shape}")
    everything = np.broadcast_arrays(array, pos, len)
    texts, places, lengths = [a.reshape(-1).tolist() for a in everything]
    return strings(map(_part, texts, places, lengths, count()), everything[0].shape)


def _substr_shape(attrs: dict[str, Any], source: Any, pos: Any, length: Any) -> Any:
    return broadcast(source._dims, merge(pos._dims, length._dims))


def _substr_samples(rng: np.random.Generator) -> Iterable[Sample]:
    texts = strings([b"hello", b"a\xffc", b"word"], (3,))
    for kind in (np.int32, np.int64):
        yield Sample(texts, np.array(1, kind), np.array(2, kind))
        yield Sample(texts, np.array([0, -2, 4], kind), np.array([9, 1, 1], kind))
        yield Sample(texts.reshape(3, 1), np.array([0, 1], kind), np.array([1, 2], kind))
        yield Sample(words(0), np.array(0, kind), np.array(1, kind))


_substr_op = OpDef(
    "Substr",
    "input: string, pos: T, len: T -> output: string",
    types=INDICES,
    shape=_substr_shape,
    compute=_substr,
    grad=not_differentiable,
    samples=_substr_samples,
    checked=True,
)


def substr(input: Any, pos: Any, len: Any, name: str | None = None) -> Tensor:
    """Parts of strings, by bytes.

    Args:
      input: string tensor.
      pos: integer tensor: where each part begins; negative ones count from the end.
      len: integer tensor of the same shape and dtype: how long each is at most.
      name: name of the op.

    Returns: a string tensor of the shape to which all are broadcast.

    Raises:
      InvalidArgumentError: for a position outside a string. ShapeError: for shapes that do not fit.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.substr(["hello", "world"], 1, 3).numpy())
    [b'ell' b'orl']
    """
    found: Tensor = _substr_op(input, pos, len, name=name)
    return found
