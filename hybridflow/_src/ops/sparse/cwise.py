"""Elementwise ops of a sparse and a dense tensor: the operators of sparse tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.sparse_tensor import SparseTensor
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.families import NUMBERS, conj
from hybridflow._src.ops.sparse.coordinates import (
    check_inside,
    check_parts,
    invalid,
    sampled,
    shown,
    static_sizes,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hybridflow._src.framework.tensor import Tensor


def _shape(
    attrs: dict[str, Any], indices: Tensor, values: Tensor, shape: Tensor, dense: Tensor
) -> Any:
    count, rank = static_sizes(indices, values, shape)
    if rank is not None and dense._dims is not None and len(dense._dims) > rank:
        raise ValueError(f"dense has rank {len(dense._dims)}, more than the {rank} of the sparse")
    return (count,)


def _picked(indices: np.ndarray, sizes: np.ndarray, dense: np.ndarray) -> np.ndarray:
    """The elements of the dense tensor, broadcast to the sparse one's shape, at its indices."""
    spare = len(sizes) - dense.ndim
    fits = spare >= 0 and all(
        own in (1, size) for own, size in zip(dense.shape, sizes[spare:].tolist(), strict=True)
    )
    if not fits:
        raise invalid(
            "the dense side is broadcast to the sparse one's shape only; got incompatible shapes: "
            f"{shown(sizes)} vs. {shown(dense.shape)}"
        )
    check_inside(indices, sizes)
    places = tuple(
        [
            indices[:, spare + axis] if size != 1 else np.zeros(len(indices), np.int64)
            for axis, size in enumerate(dense.shape)
        ]
    )
    return dense[places] if dense.ndim else np.full(len(indices), dense, dense.dtype)


def _dense_grad(op: Any, dvalues: Any) -> Any:
    """The gradient of the dense side, from those of what was picked of it."""
    indices, _, shape, dense = op.inputs
    sizes = raw.Shape(dense, out_type=shape.dtype)
    spare = raw.Size(shape) - raw.Size(sizes)
    own = raw.Slice(indices, raw.Pack([0, spare], axis=0), [-1, -1])
    own = own * raw.Cast(raw.NotEqual(sizes, np.int64(1)), DstT=sizes.dtype)
    return raw.SparseTensorDenseAdd(own, dvalues, sizes, raw.ZerosLike(dense))


def _spread(op: Any) -> Any:
    """What is picked of the dense side."""
    indices, values, shape, dense = op.inputs
    return raw.SparseDenseCwiseMul(indices, raw.OnesLike(values), shape, dense)


def _mul_grad(op: Any, dy: Tensor) -> tuple[None, Any, None, Any]:
    return (
        None,
        lambda: dy * conj(_spread(op)),
        None,
        lambda: _dense_grad(op, dy * conj(op.inputs[1])),
    )


def _div_grad(op: Any, dy: Tensor) -> tuple[None, Any, None, Any]:
    below = conj(_spread(op))
    return (
        None,
        lambda: dy / below,
        None,
        lambda: _dense_grad(op, -dy * conj(op.inputs[1]) / (below * below)),
    )


def _add_grad(op: Any, dy: Tensor) -> tuple[None, Any, None, Any]:
    return None, dy, None, lambda: _dense_grad(op, dy)


def _divided(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    if x.dtype.kind not in "iu":
        return np.divide(x, y)
    if not np.all(y):
        raise invalid("Integer division by zero")
    # As C divides: towards zero.
    return (np.sign(x) * np.sign(y) * (np.abs(x) // np.abs(y))).astype(x.dtype)


def _cwise(name: str, function: Callable[..., np.ndarray], grad: Callable[..., Any]) -> OpDef:
    def compute(
        sp_indices: np.ndarray, sp_values: np.ndarray, sp_shape: np.ndarray, dense: np.ndarray
    ) -> np.ndarray:
        check_parts(sp_indices, sp_values, sp_shape)
        return function(sp_values, _picked(sp_indices, sp_shape, dense))

    def samples(rng: np.random.Generator) -> Iterable[Sample]:
        for dtype in (np.float32, np.float64, np.int32):
            for sizes, dense, count in (
                ((3, 4), (3, 4), 6),
                ((3, 4), (3, 1), 6),
                ((3, 4), (4,), 6),
                ((2, 3, 2), (3, 1), 5),
                ((3, 4), (), 3),
                ((5,), (5,), 0),
            ):
                other = np.ceil(rng.uniform(0.5, 3, dense)).astype(dtype)
                yield Sample(*sampled(rng, sizes, count, dtype), other)

    return OpDef(
        name,
        "sp_indices: int64, sp_values: T, sp_shape: int64, dense: T -> output: T",
        types=NUMBERS,
        shape=_shape,
        compute=compute,
        grad=grad,
        samples=samples,
    )


_mul = _cwise("SparseDenseCwiseMul", np.multiply, _mul_grad)
_div = _cwise("SparseDenseCwiseDiv", _divided, _div_grad)
_add = _cwise("SparseDenseCwiseAdd", np.add, _add_grad)


def _with_dense(op: OpDef, sparse: SparseTensor, dense: Any, name: str) -> SparseTensor:
    with name_scope(None, name, [*sparse._parts(), dense]) as scope:
        other = convert_to_tensor(dense, sparse.dtype.base_dtype, "y")
        return SparseTensor(
            sparse.indices, op(*sparse._parts(), other, name=scope), sparse.dense_shape
        )


def multiply(sparse: SparseTensor, dense: Any) -> SparseTensor:
    """`sparse * dense`: products at the elements of the sparse tensor.

    Args:
      sparse: a `SparseTensor`.
      dense: tensor or number of its dtype; it is broadcast to the shape of `sparse`.

    Returns: a `SparseTensor` with elements at the same places.

    Raises:
      InvalidArgumentError: if `dense` does not broadcast to that shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     s = hf.SparseTensor([[0, 1], [1, 0]], [2.0, 3.0], [2, 2])
    ...     print((s * [[10.0], [100.0]]).values.numpy())
    [ 20. 300.]
    """
    return _with_dense(_mul, sparse, dense, "mul")


def divide(sparse: SparseTensor, dense: Any) -> SparseTensor:
    """`sparse / dense`: quotients at the elements of the sparse tensor.

    Args:
      sparse: a `SparseTensor`.
      dense: tensor or number of its dtype; it is broadcast to the shape of `sparse`.

    Returns: a `SparseTensor` with elements at the same places; of integers one of float64 (of
      float32 for those of one or two bytes).

    Raises:
      InvalidArgumentError: if `dense` does not broadcast to that shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     s = hf.SparseTensor([[0, 1], [1, 0]], [2.0, 3.0], [2, 2])
    ...     print((s / 2.0).values.numpy())
    [1.  1.5]
    """
    dtype = sparse.dtype.base_dtype
    if not dtype.is_integer:
        return _with_dense(_div, sparse, dense, "truediv")
    wide = dtypes.float32 if dtype.size <= 2 else dtypes.float64
    other = cast(convert_to_tensor(dense, dtype, "y"), wide)
    return _with_dense(_div, sparse.with_values(cast(sparse.values, wide)), other, "truediv")
