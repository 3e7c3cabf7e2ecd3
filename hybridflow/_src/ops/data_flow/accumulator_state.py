"""Accumulators of gradients as they run: sums, and the threads that wait for enough of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.tensor_shape import bracketed
from hybridflow._src.framework.waiting import Attempt, Exchange
from hybridflow._src.platform import tf_logging

if TYPE_CHECKING:
    from hybridflow._src.framework.dtypes import DType

    Dims = tuple[int | None, ...] | None

APPLY, TAKE = 0, 1


class _State(NamedTuple):
    """All that changes, replaced at once.

    Attributes:
      step: gradients of earlier steps are dropped. number: how many have come since one was taken.
      total: what they sum up to. last: the attempt that has brought it about.
    """

    step: int
    number: int
    total: Any
    last: Attempt | None


class Accumulator(Exchange):
    """Sums of gradients.

    Args:
      name: in errors.
      dtype: of the gradients. dims: their shape, as far as it is known.
    """

    kind = "ConditionalAccumulator"

    def __init__(self, name: str, dtype: DType, dims: Dims) -> None:
        super().__init__()
        self.name = name
        self.dtype = dtype
        self.dims = dims
        self._state = _State(0, 0, None, None)

    # -- what is summed up -------------------------------------------------------------------------

    def check(self, gradient: Any, total: Any) -> None:
        """Checks that a gradient fits the others.

        Raises:
          InvalidArgumentError: if it does not.
        """
        dims = self.dims if total is None else total.shape
        if not _fits(gradient.shape, dims):
            raise _invalid(
                f"Shape mismatch: expected {bracketed(dims)}, got {bracketed(gradient.shape)}"
            )

    def added(self, total: Any, gradient: Any) -> Any:
        """The sum with one gradient more, or the first one; an array of its own."""
        return gradient.copy() if total is None else total + gradient

    def mean(self, total: Any, count: int) -> Any:
        """What is taken."""
        return total / total.dtype.type(count)

    # -- what is asked -----------------------------------------------------------------------------

    def size(self) -> int:
        """How many gradients have come since one was taken."""
        return self._state.number

    def set_step(self, step: Any) -> Attempt:
        """Begins to drop the gradients of steps before this one."""

        def serve(attempt: Attempt) -> bool:
            state = self._state
            if int(step) < state.step:
                tf_logging.warning(
                    "The global step of accumulator '%s' is set from %d to %d, which is earlier.",
                    self.name,
                    state.step,
                    int(step),
                )
            self._state = state._replace(step=int(step))
            attempt.result, attempt.done = (), True
            return True

        return self.begin(Attempt(self, APPLY, serve, "Accumulator operation"))

    def apply(self, local_step: Any, gradient: Any) -> Attempt:
        """Begins to add a gradient, unless it is of an earlier step."""

        def serve(attempt: Attempt) -> bool:
            state = self._state
            if state.last is not attempt and int(local_step) >= state.step:
                try:
                    self.check(gradient, state.total)
                except InvalidArgumentError as error:
                    return attempt.fail(error)
                total = self.added(state.total, gradient)
                self._state = _State(state.step, state.number + 1, total, attempt)
            attempt.result, attempt.done = (), True
            return True

        return self.begin(Attempt(self, APPLY, serve, "Accumulator operation"))

    def take(self, num_required: Any) -> Attempt:
        """Begins to take the mean, when there are so many gradients.

        Raises:
          InvalidArgumentError: if it is not a positive number.
        """
        number = int(num_required)
        if number <= 0:
            raise _invalid(f"Argument num_required must be positive, but was {number}")

        def serve(attempt: Attempt) -> bool:
            state = self._state
            if state.last is not attempt:
                if state.number < number:
                    return False
                attempt.result = self.mean(state.total, state.number)
                self._state = _State(state.step + 1, 0, None, attempt)
            attempt.done = True
            return True

        return self.begin(Attempt(self, TAKE, serve, "TakeGrad operation"))

    @property
    def traits(self) -> dict[str, Any]:
        """What it is, where others may have its name."""
        return {"kind": self.kind, "dtype": self.dtype.name, "shape": bracketed(self.dims)}


class _Slices(NamedTuple):
    """A sparse gradient: rows `values[i]` at `indices[i]`, of which `counts[i]` gradients tell."""

    indices: np.ndarray
    values: np.ndarray
    counts: np.ndarray


class SparseAccumulator(Accumulator):
    """Sums of gradients of which some rows are given.

    The mean of a row is over the gradients that have it. A row that one gradient has several times
    is the sum of those.
    """

    kind = "SparseConditionalAccumulator"

    def apply_slices(
        self,
        local_step: Any,
        indices: np.ndarray,
        values: np.ndarray,
        shape: np.ndarray,
        has_known_shape: bool,
    ) -> Attempt:
        """Begins to add a gradient, unless it is of an earlier step.

        Raises:
          InvalidArgumentError: if the parts do not fit each other, or the shape that is known.
        """
        if indices.ndim != 1:
            raise _invalid(
                f"Input indices should be vector but received shape: {bracketed(indices.shape)}"
            )
        if not values.ndim:
            raise _invalid("Values cannot be 0-dimensional.")
        if len(indices) != len(values):
            raise _invalid(f"Expected {len(indices)} non-empty input values, got {len(values)}")
        if has_known_shape and shape.ndim != 1:
            raise _invalid(f"Input shape should be a vector but has shape {bracketed(shape.shape)}")
        dims = self.dims or ()
        if has_known_shape:
            _check_dims("shape", tuple(shape.tolist()), dims, 0)
        _check_dims("values", values.shape, dims, 1)
        limit = dims[0] if dims else None
        for slot, index in enumerate(indices.tolist()):
            if index < 0 or (limit is not None and index >= limit):
                raise _invalid(
                    f"Shape mismatch: index of slice {slot} exceeded limits of shape; index is "
                    f"{index} exceeded {limit if index >= 0 else 0}"
                )
        return self.apply(local_step, _summed(indices, values, np.ones(len(indices), np.int64), 1))

    def check(self, gradient: _Slices, total: _Slices | None) -> None:
        """Checks that a gradient's rows are as large as the others'."""
        if total is None:
            return
        wanted, got = total.values.shape, gradient.values.shape
        if len(wanted) != len(got):
            raise _invalid(f"Shape mismatch: expected values rank {len(wanted)}, got {len(got)}")
        _check_dims("values", got, wanted, 1)

    def added(self, total: _Slices | None, gradient: _Slices) -> _Slices:
        """The sum with one gradient more."""
        if total is None:
            return gradient
        indices, values, counts = map(np.concatenate, zip(total, gradient, strict=True))
        return _summed(indices, values, counts)

    def mean(self, total: _Slices, count: int) -> Any:
        """Indices in order, rows, and the shape, with -1 where the number of rows is not known."""
        values = total.values
        counts = total.counts.astype(values.dtype).reshape(-1, *[1] * (values.ndim - 1))
        rows = self.dims[0] if self.dims else None
        shape = np.array([-1 if rows is None else rows, *values.shape[1:]], np.int64)
        return [total.indices, values / counts, shape]


def _summed(
    indices: np.ndarray, values: np.ndarray, counts: np.ndarray, most: int | None = None
) -> _Slices:
    """Rows of one index as one row; `most`: what one row counts at most."""
    found, places = np.unique(indices, return_inverse=True)
    sums = np.zeros((len(found), *values.shape[1:]), values.dtype)
    np.add.at(sums, places, values)
    numbers = np.zeros(len(found), np.int64)
    np.add.at(numbers, places, counts)
    return _Slices(found, sums, numbers if most is None else np.minimum(numbers, most))


def _check_dims(what: str, got: tuple[int, ...], wanted: Any, first: int) -> None:
    """Checks sizes from the axis `first` on, as far as they are wanted."""
    if len(got) < len(wanted):
        raise _invalid(
            f"Shape mismatch: expected {what} rank at least {len(wanted)}, got {len(got)}"
        )
    for axis, (size, expected) in enumerate(zip(got, wanted, strict=False)):
        if axis >= first and expected is not None and size != expected:
            raise _invalid(
                f"Shape mismatch: expected {what} dim {axis} to be {expected}, got {size}"
            )


def _fits(shape: tuple[int, ...], dims: Any) -> bool:
    return dims is None or (
        len(shape) == len(dims)
        and all(d is None or d == n for d, n in zip(dims, shape, strict=True))
    )


def _invalid(message: str) -> InvalidArgumentError:
    return InvalidArgumentError(None, None, message)
