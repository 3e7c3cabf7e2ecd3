"""Softmax and its logarithm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.kernels import extremes
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.families import FLOATS
from hybridflow._src.ops.math.reducing import renamed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["log_softmax", "softmax"]


# -- records ---------------------------------------------------------------------------------------


def shifted(logits: np.ndarray) -> np.ndarray:
    """The logits less the largest of their row, so that no exponential overflows; half precision as
    single.
    """
    if not logits.ndim:
        raise ValueError("Logits cannot be a scalar")
    if logits.dtype == np.float16:
        logits = logits.astype(np.float32)
    return logits - extremes.reduced(np.maximum, logits, axis=-1, keepdims=True)


def _softmax_arrays(logits: np.ndarray) -> np.ndarray:
    result = np.exp(shifted(logits))
    result /= np.add.reduce(result, axis=-1, keepdims=True)
    return result.astype(logits.dtype, copy=False)


def _log_softmax_arrays(logits: np.ndarray) -> np.ndarray:
    result = shifted(logits)
    result -= np.log(np.add.reduce(np.exp(result), axis=-1, keepdims=True))
    return result.astype(logits.dtype, copy=False)


def _row_sums(x: Tensor) -> Any:
    return raw.Sum(x, [-1], keep_dims=True)


def _softmax_grad(op: Any, dy: Tensor) -> Any:
    y = op.outputs[0]
    return (dy - _row_sums(dy * y)) * y


def _log_softmax_grad(op: Any, dy: Tensor) -> Any:
    return dy - _row_sums(dy) * raw.Exp(op.outputs[0])


def _shape(attrs: dict[str, Any], logits: Tensor) -> shape_rules.Dims:
    return shape_rules.with_rank_at_least(logits, 1)


def _record(name: str, output: str, compute: Callable[..., Any], grad: Callable[..., Any]) -> OpDef:
    def samples(rng: np.random.Generator) -> Iterable[Sample]:
        for dtype in (np.float32, np.float64):
            for shape in ((2, 3), (4,), (2, 2, 3), (0, 3), (2, 0)):
                yield Sample(rng.uniform(-3, 3, shape).astype(dtype))

    return OpDef(
        name,
        f"logits: T -> {output}: T",
        types=FLOATS,
        shape=_shape,
        compute=compute,
        grad=grad,
        samples=samples,
        native=lambda b, logits: b.rowwise(
            lambda rows, column: compute(rows), logits, shapes=[logits.shape]
        ),
    )


_softmax = _record("Softmax", "softmax", _softmax_arrays, _softmax_grad)
_log_softmax = _record("LogSoftmax", "logsoftmax", _log_softmax_arrays, _log_softmax_grad)


# -- public functions ------------------------------------------------------------------------------


def axis_to_end(x: Tensor, axis: Any) -> Any:
    """The permutation that swaps an axis with the last one, or None if it is the last one.

    Raises:
      ValueError: if the axis is out of range.
    """
    dims = x._dims
    if dims is None:
        if axis == -1:
            return None
        rank = raw.Rank(x)
        at = raw.FloorMod(axis, rank)
        places = raw.Range(0, rank, 1)
        swapped = raw.Select(raw.Equal(places, at), raw.Fill(raw.Shape(places), rank - 1), places)
        return raw.Select(raw.Equal(places, rank - 1), raw.Fill(raw.Shape(places), at), swapped)
    at = shape_rules.axis_of(axis, len(dims))
    if at == len(dims) - 1:
        return None
    perm = np.arange(len(dims), dtype=np.int32)
    perm[[at, -1]] = perm[[-1, at]]
    return perm


def _along(op: OpDef, logits: Any, axis: Any, name: str | None, dim: Any) -> Tensor:
    axis = renamed("axis", axis, "dim", dim)
    logits = convert_to_tensor(logits, name="logits")
    if axis is None or logits._dims == ():
        return op(logits, name=name)
    perm = axis_to_end(logits, axis)
    if perm is None:
        return op(logits, name=name)
    # The permutation swaps two axes, so it is its own inverse.
    moved = op(raw.Transpose(logits, perm, name="transpose"))
    return raw.Transpose(moved, perm, name=name or "transpose")


def softmax(logits: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Tensor:
    """`exp(logits) / sum(exp(logits))` along an axis: positive numbers that add up to 1.

    Args:
      logits: tensor of a float dtype and of rank 1 or more.
      axis: the axis along which the numbers add up; by default the last.
      name: name of the op.
      dim: an older name of `axis`.

    Returns: a tensor of the same dtype and shape.

    Raises:
      ValueError: if the axis is out of range.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.nn.softmax([[1.0, 1.0], [1000.0, 0.0]]).numpy())
    [[0.5 0.5]
     [1.  0. ]]
    """
    return _along(_softmax, logits, axis, name, dim)


def log_softmax(logits: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Tensor:
    """`logits - log(sum(exp(logits)))` along an axis: the logarithm of `softmax`.

    Args:
      logits: tensor of a float dtype and of rank 1 or more.
      axis: the axis along which to normalize; by default the last.
      name: name of the op.
      dim: an older name of `axis`.

    Returns: a tensor of the same dtype and shape.

    Raises:
      ValueError: if the axis is out of range.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.nn.log_softmax([1000.0, 0.0]).numpy())
    [    0. -1000.]
    """
    return _along(_log_softmax, logits, axis, name, dim)
