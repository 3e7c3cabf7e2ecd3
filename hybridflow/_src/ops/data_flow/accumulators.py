"""`ConditionalAccumulator` and its like: means of the gradients that several threads compute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import ShapeError
from hybridflow._src.framework.indexed_slices import IndexedSlices
from hybridflow._src.framework.op_def import REQUIRED, OpDef, not_differentiable
from hybridflow._src.framework.tensor_shape import as_shape
from hybridflow._src.framework.waiting import Waiting
from hybridflow._src.ops.arrays.casting import to_int64
from hybridflow._src.ops.data_flow.accumulator_state import Accumulator, SparseAccumulator
from hybridflow._src.ops.data_flow.handles import named, new_handle
from hybridflow._src.ops.families import FLOATS

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "ConditionalAccumulator",
    "ConditionalAccumulatorBase",
    "SparseConditionalAccumulator",
]


# -- ops -------------------------------------------------------------------------------------------


def _maker(kind: type[Accumulator]) -> Callable[..., Accumulator]:
    return lambda name, dtype, shape: kind(name, dtype, as_shape(shape)._dims)


_ATTRS = {"dtype": REQUIRED, "shape": None}
_accumulator = named("accumulator", "ConditionalAccumulator", _maker(Accumulator), _ATTRS)
_sparse_accumulator = named(
    "accumulator", "SparseConditionalAccumulator", _maker(SparseAccumulator), _ATTRS
)


def _op(
    name: str,
    inputs: str,
    outputs: str,
    shapes: list[Any],
    begin: Callable[..., Any],
    attrs: dict[str, Any] | None = None,
) -> OpDef:
    return OpDef(
        name,
        f"handle: resource{inputs} -> {outputs}",
        attrs=attrs or {},
        shape=lambda attrs, *_: shapes,
        compute=Waiting(begin),
        grad=not_differentiable,
        stateful=True,
    )


_size = OpDef(
    "AccumulatorNumAccumulated",
    "handle: resource -> num_accumulated: int32",
    shape=lambda attrs, handle: (),
    compute=lambda accumulator: np.asarray(accumulator.size(), np.int32),
    grad=not_differentiable,
    stateful=True,
)
_set_step = _op(
    "AccumulatorSetGlobalStep",
    ", new_global_step: int64",
    "",
    [],
    lambda accumulator, step: accumulator.set_step(step),
)
_apply = _op(
    "AccumulatorApplyGradient",
    ", local_step: int64, gradient: dtype",
    "",
    [],
    lambda accumulator, step, gradient: accumulator.apply(step, np.asarray(gradient)),
)
_take = _op(
    "AccumulatorTakeGradient",
    ", num_required: int32",
    "average: dtype",
    [None],
    lambda accumulator, number, dtype: accumulator.take(number),
    {"dtype": REQUIRED},
)
_apply_sparse = _op(
    "SparseAccumulatorApplyGradient",
    ", local_step: int64, gradient_indices: int64, gradient_values: dtype, gradient_shape: int64",
    "",
    [],
    lambda accumulator, step, indices, values, shape, has_known_shape: accumulator.apply_slices(
        step, np.asarray(indices), np.asarray(values), np.asarray(shape), has_known_shape
    ),
    {"has_known_shape": REQUIRED},
)
_take_sparse = _op(
    "SparseAccumulatorTakeGradient",
    ", num_required: int32",
    "indices: int64, values: dtype, shape: int64",
    [(None,), None, (None,)],
    lambda accumulator, number, dtype: accumulator.take(number),
    {"dtype": REQUIRED},
)


# -- classes ---------------------------------------------------------------------------------------


class ConditionalAccumulatorBase:
    """What accumulators of gradients can do.

    Threads bring gradients, each with the step at which it was computed; one takes their mean as
    soon as there are enough. Then the accumulator's own step is one more: gradients of earlier
    steps, which come too late, are dropped.

    Args:
      dtype: of the gradients. shape: their shape, as far as it is known.
      accumulator_ref: the handle of the accumulator.
    """

    def __init__(self, dtype: Any, shape: Any, accumulator_ref: Tensor) -> None:
        self._dtype = dtypes.as_dtype(dtype)
        self._shape = as_shape(shape)
        self._accumulator_ref = accumulator_ref
        eager = context.modes.top.eager
        self._name = "" if eager else accumulator_ref.op.name.split("/")[-1]

    @property
    def accumulator_ref(self) -> Tensor:
        """The handle of the accumulator."""
        return self._accumulator_ref

    @property
    def name(self) -> str:
        """The name of the accumulator."""
        return self._name

    @property
    def dtype(self) -> DType:
        """The dtype of the gradients."""
        return self._dtype

    def num_accumulated(self, name: str | None = None) -> Tensor:
        """How many gradients have come since a mean was taken: an int32 scalar."""
        found: Tensor = _size(self._accumulator_ref, name=name or f"{self._name}_NumAccumulated")
        return found

    def set_global_step(self, new_global_step: Any, name: str | None = None) -> Any:
        """Has gradients dropped that are of an earlier step than this one.

        Args:
          new_global_step: an integer scalar; a smaller one than before gives a warning.
          name: name of the op.

        Returns: the operation.
        """
        return _set_step(self._accumulator_ref, to_int64(new_global_step), name=name)


def _new(record: OpDef, dtype: Any, shape: Any, shared_name: str | None, name: str | None) -> Any:
    kind = dtypes.as_dtype(dtype)
    if kind not in FLOATS:
        raise TypeError(
            f"An accumulator takes the mean of gradients of {', '.join(t.name for t in FLOATS)}, "
            f"got dtype {kind.name}."
        )
    return new_handle(
        record, name, dtype=kind, shape=as_shape(shape), shared_name=shared_name or ""
    )


class ConditionalAccumulator(ConditionalAccumulatorBase):
    """The mean of gradients, taken when enough have come.

    Args:
      dtype: a floating dtype. shape: the shape of gradients, as far as it is known.
      shared_name: accumulators of this name are one, within a session.
      name: name of the op.

    Raises:
      TypeError: for another dtype.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     mean = hf.ConditionalAccumulator(hf.float32, shape=[2])
    ...     sess.run(mean.apply_grad([1.0, 2.0]))
    ...     sess.run(mean.apply_grad([3.0, 4.0]))
    ...     print(sess.run(mean.take_grad(2)))
    ...     sess.run(mean.apply_grad([9.0, 9.0], local_step=0))  # it comes too late
    ...     print(sess.run(mean.num_accumulated()))
    [2. 3.]
    0
    """

    def __init__(
        self,
        dtype: Any,
        shape: Any = None,
        shared_name: str | None = None,
        name: str | None = "conditional_accumulator",
    ) -> None:
        super().__init__(dtype, shape, _new(_accumulator, dtype, shape, shared_name, name))

    def apply_grad(self, grad: Any, local_step: Any = 0, name: str | None = None) -> Any:
        """Adds a gradient, unless it is of an earlier step than the accumulator's.

        Args:
          grad: the gradient, a tensor of the accumulator's dtype and shape.
          local_step: the step at which it was computed, an integer scalar.
          name: name of the op.

        Returns: the operation.

        Raises:
          ValueError: if the shape does not fit. TypeError: for another dtype.
            InvalidArgumentError: when it runs, for a shape that does not fit.
        """
        tensor = convert_to_tensor(grad, self._dtype)
        if not tensor.shape.is_compatible_with(self._shape):
            raise ShapeError(
                f"Shapes {tensor.shape} and {self._shape} are incompatible: the accumulator takes "
                f"gradients of shape {self._shape}, got {tensor.shape}."
            )
        return _apply(self._accumulator_ref, to_int64(local_step), tensor, name=name)

    def take_grad(self, num_required: Any, name: str | None = None) -> Tensor:
        """The mean of the gradients, as soon as there are so many; the sum begins anew.

        Args:
          num_required: an int32 scalar, at least 1.
          name: name of the op.

        Returns: a tensor of the accumulator's dtype and shape.

        Raises:
          InvalidArgumentError: when it runs, if `num_required` is not positive. CancelledError: if
            the session is closed while it waits.
        """
        found: Tensor = _take(self._accumulator_ref, num_required, dtype=self._dtype, name=name)
        if not context.modes.top.eager:
            found.set_shape(self._shape)
        return found


class SparseAccumulatorTakeGradient(NamedTuple):
    """What `SparseConditionalAccumulator.take_grad` gives."""

    indices: Any
    values: Any
    shape: Any


class SparseConditionalAccumulator(ConditionalAccumulatorBase):
    """The mean of sparse gradients, of each row over the gradients that have it.

    Args:
      dtype, shape, shared_name, name: as for `ConditionalAccumulator`.

    Raises:
      TypeError: for another dtype.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     mean = hf.SparseConditionalAccumulator(hf.float32)
    ...     sess.run(mean.apply_grad([0, 2], [[1.0], [2.0]]))
    ...     sess.run(mean.apply_grad([2, 3], [[4.0], [5.0]]))
    ...     indices, values, shape = sess.run(mean.take_grad(2))
    ...     print(indices, values.ravel(), shape)
    [0 2 3] [1. 3. 5.] [-1  1]
    """

    def __init__(
        self,
        dtype: Any,
        shape: Any = None,
        shared_name: str | None = None,
        name: str | None = "sparse_conditional_accumulator",
    ) -> None:
        super().__init__(dtype, shape, _new(_sparse_accumulator, dtype, shape, shared_name, name))

    def apply_indexed_slices_grad(
        self, grad: IndexedSlices, local_step: Any = 0, name: str | None = None
    ) -> Any:
        """`apply_grad` of `IndexedSlices`."""
        return self.apply_grad(grad.indices, grad.values, grad.dense_shape, local_step, name)

    def apply_grad(
        self,
        grad_indices: Any,
        grad_values: Any,
        grad_shape: Any = None,
        local_step: Any = 0,
        name: str | None = None,
    ) -> Any:
        """Adds a gradient, unless it is of an earlier step than the accumulator's.

        Args:
          grad_indices: an integer vector `[n]`: which rows the gradient has.
          grad_values: a tensor `[n, ...]`: the rows.
          grad_shape: the shape of the gradient, if it is known.
          local_step: the step at which it was computed, an integer scalar.
          name: name of the op.

        Returns: the operation.

        Raises:
          InvalidArgumentError: when it runs, if the parts do not fit each other, the accumulator's
            shape or the gradients before.
        """
        return _apply_sparse(
            self._accumulator_ref,
            to_int64(local_step),
            to_int64(grad_indices),
            convert_to_tensor(grad_values, self._dtype),
            to_int64(convert_to_tensor([], dtypes.int64) if grad_shape is None else grad_shape),
            has_known_shape=grad_shape is not None,
            name=name,
        )

    def take_grad(self, num_required: Any, name: str | None = None) -> Any:
        """The mean of the gradients, as soon as there are so many; the sum begins anew.

        Args:
          num_required: an int32 scalar, at least 1.
          name: name of the op.

        Returns: a named tuple of `indices` `[n]`, in order, `values` `[n, ...]` and `shape`, which
        has -1 for the number of rows where the accumulator has no shape.

        Raises:
          InvalidArgumentError, CancelledError: as `ConditionalAccumulator.take_grad` does.
        """
        parts = _take_sparse(self._accumulator_ref, num_required, dtype=self._dtype, name=name)
        return SparseAccumulatorTakeGradient(*parts)

    def take_indexed_slices_grad(self, num_required: Any, name: str | None = None) -> IndexedSlices:
        """`take_grad`, as `IndexedSlices`."""
        indices, values, shape = self.take_grad(num_required, name)
        return IndexedSlices(values=values, indices=indices, dense_shape=shape)
