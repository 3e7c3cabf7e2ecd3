"""Datasets that remember their elements after the first pass: in memory, or in a file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.data.ops import dataset_op
from hybridflow._src.data.passes import Pass, Source
from hybridflow._src.data.recipe import Recipe
from hybridflow._src.data.state import packed, unpacked
from hybridflow._src.formats import records
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import (
    AlreadyExistsError,
    DataLossError,
)
from hybridflow._src.platform.system_errors import translated

if TYPE_CHECKING:
    from typing import BinaryIO

    from hybridflow._src.data.passes import Item, State


class _InMemory(Source):
    """Elements that are kept once a pass has come to its end.

    Attributes:
      kept: the elements, or where these are rows their numbers; None before that.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.rows = source.rows
        self.kept: Any = None

    def begin(self) -> Pass:
        if self.rows is not None:
            return _KeptNumbers(self)
        return _KeptItems(self)


class _KeptItems(Pass):
    def __init__(self, source: _InMemory) -> None:
        self._source = source
        self._input = source.source.begin() if source.kept is None else None
        self._items: list[Item] = []
        self._position = 0

    def next(self) -> Item | None:
        if self._input is not None:
            item = self._input.next()
            if item is not None:
                self._items.append(item)
                self._position += 1
                return item
            self._input = None
            if self._source.kept is None:
                self._source.kept = self._items
            return None
        kept = self._source.kept if self._source.kept is not None else self._items
        if self._position >= len(kept):
            return None
        self._position += 1
        item = kept[self._position - 1]
        return item

    def state(self) -> State:
        items = self._items if self._input is not None else self._source.kept
        inner = None if self._input is None else self._input.state()
        return [[list(item) for item in items], self._position, inner]

    def restore(self, state: State) -> None:
        items, self._position, inner = state
        self._items = [tuple(item) for item in items]
        if inner is None:
            self._input = None
            self._source.kept = self._items
        else:
            self._input = self._source.source.begin()
            self._input.restore(inner)


class _KeptNumbers(Pass):
    def __init__(self, source: _InMemory) -> None:
        self._source = source
        self._input = source.source.begin() if source.kept is None else None
        self._numbers: list[np.ndarray] = []
        self._position = 0

    def next(self) -> Item | None:
        numbers = self.numbers(1)
        assert self._source.rows is not None
        return self._source.rows.item(int(numbers[0])) if len(numbers) else None

    def numbers(self, most: int) -> np.ndarray:
        if self._input is None:
            kept: np.ndarray = self._source.kept
            start = self._position
            self._position = min(start + most, len(kept))
            return kept[start : self._position]
        numbers = self._input.numbers(most)
        self._position += len(numbers)
        self._numbers.append(numbers)
        if len(numbers) < most:
            self._input = None
            if self._source.kept is None:
                self._source.kept = np.concatenate(self._numbers)
            self._numbers = []
        return numbers

    def state(self) -> State:
        found = np.concatenate([*self._numbers, np.empty(0, np.int64)])
        if self._input is None:
            found = self._source.kept
        return [found, self._position, None if self._input is None else self._input.state()]

    def restore(self, state: State) -> None:
        found, self._position, inner = state
        self._numbers = [found]
        if inner is None:
            self._input = None
            self._source.kept = found
        else:
            self._input = self._source.source.begin()
            self._input.restore(inner)


# -- in a file -------------------------------------------------------------------------------------

_WRITING = (
    "There appears to be a concurrent caching iterator running - cache lockfile already exists "
    "('{lock}'). If you are sure no other running TF computations are using this cache prefix, "
    "delete the lockfile and re-initialize the iterator."
)


class _InFile(Source):
    """Elements that are in a file, or will be once a pass has come to its end."""

    def __init__(self, source: Source, path: str) -> None:
        self.source = source
        self.path = path

    @property
    def file(self) -> str:
        """The file of records, one for each element.

        TensorFlow's caches are checkpoints, `.index` and `.data-...`, which are read whole: theirs
        and ours do not meet.
        """
        return self.path + ".elements"

    @property
    def lock(self) -> str:
        """A file that is there while the other is being written."""
        return self.path + ".lockfile"

    def begin(self) -> Pass:
        return _FilePass(self)


class _FilePass(Pass):
    def __init__(self, source: _InFile) -> None:
        self._source = source
        self._input: Pass | None = None
        self._writing: BinaryIO | None = None
        self._reading: BinaryIO | None = None
        self._ended = False

    def __del__(self) -> None:
        for file in (self._writing, self._reading):
            if file is not None:
                file.close()

    def next(self) -> Item | None:
        if self._ended:
            return None
        if self._writing is None and self._reading is None:
            self._open()
        if self._writing is None:
            return self._read()
        assert self._input is not None
        item = self._input.next()
        with translated(self._source.path):
            if item is not None:
                self._writing.write(records.frame(packed(list(item))))
            else:
                self._finish()
        return item

    def _open(self) -> None:
        source = self._source
        with translated(source.path):
            if os.path.exists(source.file):
                self._reading = open(source.file, "rb")  # noqa: SIM115
                return
            try:
                self._writing = open(source.lock, "xb")  # noqa: SIM115
            except FileExistsError:
                raise AlreadyExistsError(None, None, _WRITING.format(lock=source.lock)) from None
            self._input = source.source.begin()

    def _finish(self) -> None:
        assert self._writing is not None
        self._writing.close()
        os.replace(self._source.lock, self._source.file)
        self._writing, self._ended = None, True

    def _read(self) -> Item | None:
        assert self._reading is not None
        try:
            with translated(self._source.file):
                record = records.read_one(self._reading)
            if record is None:
                self._ended = True
                return None
            return tuple(unpacked(record))
        except ValueError as error:
            raise DataLossError(None, None, f"{self._source.file}: {error}") from error


def _cache_source(source: Source, filename: Any) -> Source:
    path = os.fsdecode(filename[()])
    return _InFile(source, path) if path else _InMemory(source)


_cache = dataset_op("CacheDataset", "input_dataset: variant, filename: string", _cache_source)


def cached(dataset: Any, filename: Any) -> Recipe:
    """The elements of a dataset, remembered after the first pass."""
    path = convert_to_tensor(filename, dtypes.string, name="filename")
    return Recipe(_cache, dataset.element, lambda: (dataset._as_variant_tensor(), path))
