"""What readers of checkpoints have in common, whatever their files are."""

from __future__ import annotations

import abc
import contextlib
import math
from typing import TYPE_CHECKING

import numpy as np

from hybridflow._src.formats import messages
from hybridflow._src.formats.slices import Extent, assemble, bounds
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.errors import DataLossError, NotFoundError, UnimplementedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.dtypes import DType

_DAMAGED = (
    "Unable to read file ({path}). Perhaps the file is corrupt or was produced by a newer version "
    "of TensorFlow with format changes: {problem}."
)


class TensorReader(abc.ABC):
    """The tensors of a checkpoint.

    Attributes:
      prefix: the checkpoint.
      shapes: the shape of each tensor, by name.
      kinds: the dtype of each, as a number of TensorFlow's `DataType`; some are none of ours.
      reads_twice: whether `check` keeps nothing, and what it has found right is read again from the
        same files inside of `opened`, also where others have taken their names.
    """

    reads_twice = False

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.kinds: dict[str, int] = {}

    @property
    @abc.abstractmethod
    def most(self) -> int:
        """How many elements the files hold at most, so that damage asks for no more."""

    @abc.abstractmethod
    def slices(self, name: str) -> list[tuple[Extent, ...]]:
        """The slices in which a tensor is kept; none if it is kept whole."""

    @abc.abstractmethod
    def _kept(
        self, name: str, extents: tuple[Extent, ...] | None, out: np.ndarray | None
    ) -> np.ndarray:
        """A slice that is kept, or for None a tensor that is kept whole; into `out` if it is given.

        Raises:
          DataLossError: if it is damaged.
        """

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor.

        Raises:
          NotFoundError: if there is none of this name.
        """
        if name not in self.shapes:
            raise NotFoundError(None, None, f"Key {name} not found in checkpoint {self.prefix}")
        return self.shapes[name]

    def dtypes(self) -> dict[str, DType]:
        """The dtypes of all tensors whose dtype is one of ours."""
        found = {name: _dtype(kind) for name, kind in self.kinds.items()}
        return {name: dtype for name, dtype in found.items() if dtype is not None}

    def dtype(self, name: str) -> DType:
        """The dtype of a tensor.

        Raises:
          NotFoundError: if there is none of this name. UnimplementedError: if we lack the dtype.
        """
        self.shape(name)
        found = _dtype(self.kinds[name])
        if found is None:
            raise UnimplementedError(
                None,
                None,
                f"Tensor {name} of checkpoint {self.prefix} is of dtype {self.kind(name)}, which "
                "hybridflow does not have.",
            )
        return found

    def kind(self, name: str) -> str:
        """The name of a tensor's dtype, which need not be one of ours."""
        number = self.kinds[name]
        known = messages.enum("DataType").values()
        word = messages.enum("DataType").Name(number) if number in known else f"number {number}"
        return word.removeprefix("DT_").lower()

    def size(self, name: str) -> int | None:
        """How many bytes a tensor has; None where that is not known before it is read."""
        dtype = _dtype(self.kinds[name])
        if dtype is None or dtype == dtypes.string:
            return None
        return math.prod(self.shapes[name]) * dtype.size

    def read(self, name: str, out: np.ndarray | None = None) -> np.ndarray:
        """A tensor, new and the caller's own, or in `out` if it can be.

        Raises:
          NotFoundError: if there is none of this name. DataLossError: if its bytes are damaged.
        """
        self.dtype(name)
        if self.slices(name):
            return self.read_slice(name, [(0, size) for size in self.shapes[name]], out)
        return self._kept(name, None, out)

    def opened(self) -> contextlib.AbstractContextManager[object]:
        """Keeps the files open that are read inside."""
        return contextlib.nullcontext()

    def check(self, name: str, extents: Sequence[Extent] | None = None) -> None:
        """Reads a tensor, or part of it, and keeps nothing of it if it can.

        Raises:
          NotFoundError, DataLossError: as `read` and `read_slice` do.
        """
        shape = self.shape(name)
        whole = [(0, size) for size in shape]
        try:
            wanted = bounds(whole if extents is None else extents, shape)
            kept = [held for held in self.slices(name) if bounds(held, shape) == wanted]
        except ValueError as error:
            raise self._damaged(self.prefix, f"of tensor {name}, {error}") from error
        if kept:
            self._check(name, kept[0], [length for _, length in wanted])
        elif wanted == whole and not self.slices(name):
            self._check(name, None, shape)
        else:
            self.read_slice(name, wanted)

    def _check(self, name: str, extents: tuple[Extent, ...] | None, shape: Sequence[int]) -> None:
        """Reads what `_kept` gives, which is of this shape."""
        self._kept(name, extents, None)

    def read_slice(
        self, name: str, extents: Sequence[Extent], out: np.ndarray | None = None
    ) -> np.ndarray:
        """Part of a tensor, however it is kept: start and length along each axis."""
        shape, dtype = self.shape(name), self.dtype(name)

        def create(sizes: Sequence[int]) -> np.ndarray:
            if math.prod(sizes) > self.most:
                raise ValueError(f"tensor {name} is larger than the files that hold it")
            return np.empty(sizes, dtype.np) if out is None else out

        try:
            if self.slices(name):
                return assemble(
                    extents,
                    shape,
                    self.slices(name),
                    create,
                    lambda kept, out: self._kept(name, kept, out),
                )
            part = [slice(start, start + length) for start, length in bounds(extents, shape)]
        except ValueError as error:
            raise self._damaged(self.prefix, f"of tensor {name}, {error}") from error
        return self._kept(name, None, None)[tuple(part)].copy()

    def _damaged(self, path: str, problem: str) -> DataLossError:
        return DataLossError(None, None, _DAMAGED.format(path=path, problem=problem))


def _dtype(kind: int) -> DType | None:
    try:
        return dtypes.as_dtype(kind)
    except TypeError:
        return None
