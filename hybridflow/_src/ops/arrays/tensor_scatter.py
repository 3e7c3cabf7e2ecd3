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
