"""Tensors with some elements changed, as later TensorFlows' files ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.ops.families import INDICES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["tensor_scatter_add", "tensor_scatter_sub", "tensor_scatter_update"]


def _changed(
    change: Callable[[np.ndarray, Any, np.ndarray], Any],
) -> Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]:
    """The NumPy meaning: `change` is called with a copy, an index and the updates."""

    def compute(tensor: np.ndarray, indices: np.ndarray, updates: np.ndarray) -> np.ndarray:
        depth = indices.shape[-1] if indices.ndim else 0
        wanted = (*indices.shape[:-1], *tensor.shape[depth:])
        if not indices.ndim or depth > tensor.ndim or updates.shape != wanted:
            raise InvalidArgumentError(
                None,
                None,
                f"Updates of shape {list(updates.shape)} do not fit indices of shape "
                f"{list(indices.shape)} into a tensor of shape {list(tensor.shape)}.",
            )
        outside = (indices < 0) | (indices >= np.array(tensor.shape[:depth]))
        if outside.any():
            row = tuple(np.argwhere(outside)[0][:-1])
            raise InvalidArgumentError(
                None,
                None,
                f"Index {indices[row].tolist()} is outside of a tensor of shape "
                f"{list(tensor.shape)}.",
            )
        result = tensor.copy()
        change(result, tuple(np.moveaxis(indices, -1, 0)), updates)
        return result

    return compute


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for shape, indices, updates in (((4,), [[1], [3]], (2,)), ((3, 2), [[2], [0]], (2, 2))):
            arrays = [rng.normal(size=size).astype(dtype) for size in (shape, updates)]
            yield Sample(arrays[0], np.array(indices, np.int32), arrays[1])


def _op(name: str, change: Any, grad: Callable[..., Any]) -> None:
    OpDef(
        name,
        "tensor: T, indices: Tindices, updates: T -> output: T",
        types={"Tindices": INDICES},
        shape=lambda attrs, tensor, *_: tensor._dims,
        compute=_changed(change),
        grad=grad,
        samples=_samples,
    )


def _at(op: Any, dy: Tensor) -> Tensor:
    found: Tensor = raw.GatherNd(dy, op.inputs[1])
    return found


_op(
    "TensorScatterUpdate",
    lambda array, index, updates: array.__setitem__(index, updates),
    lambda op, dy: (
        raw.TensorScatterUpdate(dy, op.inputs[1], raw.ZerosLike(op.inputs[2])),
        None,
        _at(op, dy),
    ),
)
_op("TensorScatterAdd", np.add.at, lambda op, dy: (dy, None, _at(op, dy)))
_op("TensorScatterSub", np.subtract.at, lambda op, dy: (dy, None, raw.Neg(_at(op, dy))))


# -- functions -------------------------------------------------------------------------------------


def tensor_scatter_update(
    tensor: Any, indices: Any, updates: Any, name: str | None = None
) -> Tensor:
    """A tensor with elements or slices replaced. Of TensorFlow 1.15.

    Args:
      tensor: `[...]` of any dtype.
      indices: int32 or int64 tensor `[..., depth]`: each row says where, along the first `depth`
        axes.
      updates: tensor of the dtype of `tensor` and the shape
        `indices.shape[:-1] + tensor.shape[depth:]`. Where indices repeat the last one counts.
      name: name of the op.

    Returns: a tensor of the shape of `tensor`; differentiable in `tensor` and `updates`.

    Raises:
      InvalidArgumentError: for shapes that do not fit, or an index outside of the tensor.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.tensor_scatter_update([1, 2, 3, 4], [[3], [0]], [7, 8]).numpy())
    [8 2 3 7]
    """
    return raw.TensorScatterUpdate(tensor, indices, updates, name=name)


def tensor_scatter_add(tensor: Any, indices: Any, updates: Any, name: str | None = None) -> Tensor:
    """A tensor with `updates` added at `indices`, each time that one is named. Of TensorFlow 1.15.

    Arguments and errors as of `tensor_scatter_update`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.tensor_scatter_add([1, 2, 3], [[0], [0]], [10, 20]).numpy())
    [31  2  3]
    """
    return raw.TensorScatterAdd(tensor, indices, updates, name=name)


def tensor_scatter_sub(tensor: Any, indices: Any, updates: Any, name: str | None = None) -> Tensor:
    """A tensor with `updates` subtracted at `indices`. Of TensorFlow 1.15.

    Arguments and errors as of `tensor_scatter_update`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.tensor_scatter_sub([1, 2, 3], [[0], [2]], [10, 20]).numpy())
    [ -9   2 -17]
    """
    return raw.TensorScatterSub(tensor, indices, updates, name=name)
