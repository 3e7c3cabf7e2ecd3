"""`RecordInput`: records of files in random order, without end."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.data.ahead import Ahead
from hybridflow._src.formats.record_files import TFRecordOptions, tf_record_iterator
from hybridflow._src.framework import context, dtypes, settings
from hybridflow._src.framework.eager_tensor import EagerTensor
from hybridflow._src.framework.errors import NotFoundError
from hybridflow._src.framework.op_def import REQUIRED, OpDef, not_differentiable
from hybridflow._src.ops.arrays.joining import unstack
from hybridflow._src.ops.files.whole import objects
from hybridflow._src.platform.gfile import Glob

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["RecordInput"]

# How many batches a thread has ready.
_AHEAD = 2


class _Shuffled:
    """Batches of records, epoch after epoch.

    Args:
      pattern: of the names of files, several with commas between them.
      shift: by which part of the files the order of an epoch is shifted.
      buffer_size: among how many records one is chosen. parallelism: from how many files they come
        in turns. batch_size: how many at a time.
    """

    def __init__(
        self,
        pattern: str,
        seed: int,
        shift: float,
        buffer_size: int,
        parallelism: int,
        batch_size: int,
        compression: str,
    ) -> None:
        self._pattern = pattern
        self._generator = np.random.Generator(np.random.Philox(seed))
        self._shift = shift
        self._buffer_size = buffer_size
        self._parallelism = parallelism
        self._batch_size = batch_size
        self._compression = compression
        self._records = self._without_end()
        self._error: Exception | None = None

    def batch(self) -> np.ndarray:
        """The next batch.

        Raises:
          NotFoundError: if no file matches. DataLossError: for a damaged one. Each time anew.
        """
        if self._error is not None:
            raise self._error
        try:
            return objects([next(self._records) for _ in range(self._batch_size)])
        except Exception as error:
            self._error = error
            raise

    def _without_end(self) -> Iterator[bytes]:
        while True:
            ready: list[bytes] = []
            for record in self._of_epoch():
                ready.append(record)
                if len(ready) >= self._buffer_size:
                    yield self._some(ready)
            while ready:
                yield self._some(ready)

    def _some(self, ready: list[bytes]) -> bytes:
        at = int(self._generator.integers(len(ready)))
        ready[at], ready[-1] = ready[-1], ready[at]
        return ready.pop()

    def _of_epoch(self) -> Iterator[bytes]:
        """The records of all files, once each."""
        paths = Glob(self._pattern.split(","))
        self._generator.shuffle(paths)
        if 0 <= self._shift < 1:
            first = int(self._shift * len(paths))
            paths = [*paths[first:], *paths[:first]]
        parts = [self._of_files(paths[i :: self._parallelism]) for i in range(self._parallelism)]
        is_empty = True
        while parts:
            for part in list(parts):
                record = next(part, None)
                if record is None:
                    parts.remove(part)
                else:
                    is_empty = False
                    yield record
        if is_empty:
            raise NotFoundError(
                None, None, f"Found no {'records in' if paths else 'files at'} {self._pattern}"
            )

    def _of_files(self, paths: list[str]) -> Iterator[bytes]:
        for path in paths:
            yield from tf_record_iterator(path, self._compression)


def _kernel(
    file_pattern: Any,
    file_random_seed: int,
    file_shuffle_shift_ratio: float,
    file_buffer_size: int,
    file_parallelism: int,
    batch_size: int,
    compression_type: Any,
) -> Any:
    shuffled = _Shuffled(
        os.fsdecode(file_pattern),
        file_random_seed,
        file_shuffle_shift_ratio,
        file_buffer_size,
        file_parallelism,
        batch_size,
        os.fsdecode(compression_type),
    )
    return Ahead(shuffled.batch, _AHEAD).take


_record_input = OpDef(
    "RecordInput",
    "-> records: string",
    attrs={
        "file_pattern": REQUIRED,
        "file_random_seed": 301,
        "file_shuffle_shift_ratio": 0.0,
        "file_buffer_size": 10000,
        "file_parallelism": 16,
        "batch_size": 32,
        "compression_type": "",
    },
    shape=lambda attrs: (attrs["batch_size"],),
    kernel=_kernel,
    grad=not_differentiable,
    stateful=True,
)


class RecordInput:
    """Records of TFRecord files in random order, epoch after epoch without end.

    A thread reads ahead. Each record comes once an epoch, which ends before the next one begins;
    the order is another one each time. It is determined by the seed, but not TensorFlow's, which
    depends on how its threads take turns.

    Args:
      file_pattern: of the names of files, several with commas between them.
      batch_size: how many records come at a time.
      buffer_size: among how many records that have been read one is chosen.
      parallelism: from how many files records are read in turns.
      shift_ratio: by which part of the files, in [0, 1), the order is shifted in each epoch.
      seed: of the random numbers.
      name: name of the op.
      batches: if given, so many batches come at a time, lists of scalars.
      compression_type: a `TFRecordCompressionType`.

    Raises:
      ValueError: for sizes below 1.

    >>> import hybridflow as hf, os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "a.tfrecord")
    >>> with hf.python_io.TFRecordWriter(path) as writer:
    ...     for text in (b"x", b"y", b"z"):
    ...         writer.write(text)
    >>> records = hf.contrib.framework.RecordInput(path, batch_size=3, buffer_size=3)
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     print(sorted(sess.run(records.get_yield_op())))
    [b'x', b'y', b'z']
    """

    def __init__(
        self,
        file_pattern: str,
        batch_size: int = 1,
        buffer_size: int = 1,
        parallelism: int = 1,
        shift_ratio: float = 0,
        seed: int = 0,
        name: str | None = None,
        batches: int | None = None,
        compression_type: Any = None,
    ) -> None:
        for what, size in (
            ("batch_size", batch_size),
            ("buffer_size", buffer_size),
            ("parallelism", parallelism),
            ("batches", 1 if batches is None else batches),
        ):
            if settings.whole(size, what) < 1:
                raise ValueError(f"{what} must be at least 1, got {size}.")
        compression = TFRecordOptions.get_compression_type_string(compression_type)
        self._batches = batches
        self._name = name
        self._attrs: dict[str, Any] = {
            "file_pattern": file_pattern,
            "file_random_seed": int(seed),
            "file_shuffle_shift_ratio": float(shift_ratio),
            "file_buffer_size": int(buffer_size),
            "file_parallelism": int(parallelism),
            "batch_size": int(batch_size) * (batches or 1),
            "compression_type": compression,
        }
        self._take: Any = None

    def get_yield_op(self) -> Any:
        """The next records: a string vector `[batch_size]`; with `batches` a list of lists.

        Raises:
          NotFoundError: when it runs, if no file matches. DataLossError: for a damaged file.
        """
        found = self._next()
        if self._batches is None:
            return found
        each = unstack(found)
        return [each[number :: self._batches] for number in range(self._batches)]

    def _next(self) -> Tensor:
        if not context.modes.top.eager:
            found: Tensor = _record_input(name=self._name, **self._attrs)
            return found
        if self._take is None:
            self._take = _kernel(**self._attrs)
        return EagerTensor(self._take(), dtypes.string)
