"""Norms, and clipping by value and by norm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.indexed_slices import IndexedSlices
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.tensor_shape import merge
from hybridflow._src.ops.collectives.parts import half_of_squares, is_part, marked_as_part
from hybridflow._src.ops.families import conj
from hybridflow._src.ops.grad_helpers import all_axes, in_single
from hybridflow._src.ops.math.arg_reductions import squeeze_reduced
from hybridflow._src.ops.math.elementwise import abs as abs_
from hybridflow._src.ops.math.reducing import renamed
from hybridflow._src.ops.math.reductions import reduce_max, reduce_sum

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "clip_by_average_norm",
    "clip_by_global_norm",
    "clip_by_norm",
    "clip_by_value",
    "global_norm",
    "norm",
]


def _check_ord(ord: Any, axis: Any) -> None:
    """Checks the kind of norm and the axes.

    Raises:
      ValueError: if they are not supported.
    """
    pair = isinstance(axis, tuple | list) and len(axis) == 2
    whole = pair and all(isinstance(a, int | np.integer) for a in axis) and axis[0] != axis[1]
    if not (whole or axis is None or isinstance(axis, int | np.integer)):
        raise ValueError(
            f"'axis' must be None, an integer, or a tuple of 2 unique integers, got {axis!r}"
        )
    if pair:
        if ord not in ("euclidean", "fro", 1, np.inf):
            raise ValueError(
                f"'ord' must be a supported matrix norm in ['euclidean', 'fro', 1, inf], got {ord}"
            )
    elif ord != "euclidean" and not (isinstance(ord, int | float | np.number) and ord > 0):
        raise ValueError(f"'ord' must be a supported vector norm, got {ord}")


def norm(
    tensor: Any,
    ord: Any = "euclidean",
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
    keep_dims: bool | None = None,
) -> Tensor:
    """The norm of vectors, matrices, or of all elements.

    Args:
      tensor: tensor of a float or complex dtype.
      ord: "euclidean", a positive number p for `sum(|x| ** p) ** (1 / p)`, or `np.inf` for the
        largest `|x|`; for matrices "euclidean" or "fro", 1 (largest column sum) or `np.inf`
        (largest row sum).
      axis: an int: the axis of the vectors; two ints: the axes of the matrices; None: all elements
        are one vector.
      keepdims: keep the reduced axes, with size 1.
      name: name of the scope.
      keep_dims: an older name of `keepdims`.

    Returns: a tensor of the same dtype. The gradient where all elements are 0 is 0, the shortest of
      the subgradients; in TF it is NaN.

    Raises:
      ValueError: if `ord` or `axis` is not one of these.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.norm([[3.0, 4.0], [0.0, 2.0]], axis=1).numpy())
    [5. 2.]
    """
    keepdims = bool(renamed("keepdims", keepdims, "keep_dims", keep_dims))
    _check_ord(ord, axis)
    axes = None if axis is None else [int(a) for a in np.atleast_1d(axis)]
    matrix = axes is not None and len(axes) == 2
    with name_scope(name, "norm", [tensor]):
        x = convert_to_tensor(tensor, name="tensor")
        if ord in ("fro", "euclidean", 2):
            result = _length(x, axes)
        elif ord == 1:
            result = reduce_sum(abs_(x), axes and axes[0], keepdims=True)
            result = reduce_max(result, axes[-1], keepdims=True) if matrix and axes else result
        elif ord == np.inf:
            result = reduce_sum(abs_(x), axes[1], keepdims=True) if matrix and axes else abs_(x)
            result = reduce_max(result, axes and axes[0], keepdims=True)
        else:
            powers = reduce_sum(raw.Pow(abs_(x), ord), axes, keepdims=True)
            result = _root(powers, lambda total: raw.Pow(total, 1.0 / ord))
        return result if keepdims else squeeze_reduced(result, axes)


def _length(x: Tensor, axes: Any) -> Any:
    """The euclidean norm along axes, which are kept; of half precision it is computed as single."""
    return in_single(lambda x: _root(reduce_sum(x * conj(x), axes, keepdims=True)), x)


def _root(total: Tensor, root: Callable[[Tensor], Any] = lambda total: raw.Sqrt(total)) -> Any:
    """A root of sums, whose derivative at 0, where it is infinite, counts as 0."""
    present = raw.NotEqual(total, raw.ZerosLike(total))
    return raw.Select(present, root(raw.Select(present, total, raw.OnesLike(total))), total)


def clip_by_value(
    t: Any, clip_value_min: Any, clip_value_max: Any, name: str | None = None
) -> Tensor:
    """`max(min(t, clip_value_max), clip_value_min)` elementwise.

    Args:
      t: tensor of a real dtype.
      clip_value_min: number or tensor that broadcasts to the shape of `t`: the least value.
      clip_value_max: number or tensor that broadcasts to the shape of `t`: the largest value.
      name: name of the op.

    Returns: a tensor of the same dtype and shape. No gradient flows where a value was clipped.

    Raises:
      ValueError: if the bounds do not broadcast to the shape of `t`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.clip_by_value([-5.0, 0.5, 5.0], -1.0, 1.0).numpy())
    [-1.   0.5  1. ]
    """
    with name_scope(name, "clip_by_value", [t, clip_value_min, clip_value_max]) as scope:
        t = convert_to_tensor(t, name="t")
        below = raw.Minimum(t, clip_value_max)
        # Not broadcast to the shape of the bounds.
        merge(t._dims, below._dims)
        result = raw.Maximum(below, clip_value_min, name=scope)
        merge(t._dims, result._dims)
        return result


def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: str | None = None) -> Tensor:
    """`t * clip_norm / max(norm(t), clip_norm)`: scaled down where its euclidean norm is too large.

    Args:
      t: tensor of a float dtype.
      clip_norm: positive number or tensor: the largest norm.
      axes: list of ints: the axes along which the norm is taken; by default all.
      name: name of the op.

    Returns: a tensor of the same dtype and shape.

    Raises:
      ValueError: if `clip_norm` does not broadcast to the shape of `t`.

    Note: the gradient at 0 is that of the identity, which it is there; in TF 1.4 it is NaN.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.clip_by_norm([[3.0, 4.0], [0.3, 0.4]], 1.0, axes=[1]).numpy())
    [[0.6 0.8]
     [0.3 0.4]]
    """
    with name_scope(name, "clip_by_norm", [t, clip_norm]) as scope:
        t = convert_to_tensor(t, name="t")
        length = _length(t, axes)
        intermediate = t * clip_norm
        merge(t._dims, intermediate._dims)
        clipped = raw.RealDiv(intermediate, raw.Maximum(length, clip_norm), name="truediv")
        return raw.Identity(clipped, name=scope)


def clip_by_average_norm(t: Any, clip_norm: Any, name: str | None = None) -> Tensor:
    """Scales a tensor down if its euclidean norm per element is larger than `clip_norm`.

    `t * clip_norm / max(norm(t) / size(t), clip_norm)`.

    Args:
      t: tensor of a float dtype.
      clip_norm: positive number or scalar tensor: the largest average norm.
      name: name of the op.

    Returns: a tensor of the same dtype and shape.

    Note: the gradient at 0 is that of the identity, which it is there; in TF 1.4 it is NaN.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.clip_by_average_norm([3.0, 4.0], 1.0).numpy())
    [1.2 1.6]
    """
    with name_scope(name, "clip_by_average_norm", [t, clip_norm]) as scope:
        t = convert_to_tensor(t, name="t")

        def average(t: Any) -> Any:
            count = raw.Cast(raw.Size(t), DstT=t.dtype.base_dtype)
            return _root(reduce_sum(t * t, all_axes(t))) / count

        length = in_single(average, t)
        clipped = raw.RealDiv(t * clip_norm, raw.Maximum(length, clip_norm), name="truediv")
        return raw.Identity(clipped, name=scope)


def _values(t_list: Any) -> list[Any]:
    """The list of tensors; of `IndexedSlices` their values, of None None.

    Raises:
      TypeError: if it is no sequence.
    """
    if not isinstance(t_list, Sequence) or isinstance(t_list, str):
        raise TypeError(f"t_list should be a sequence, got {t_list!r:.200}")
    return [t.values if isinstance(t, IndexedSlices) else t for t in t_list]


def _tensors(values: list[Any]) -> list[Any]:
    return [
        None if value is None else convert_to_tensor(value, name=f"t_{i}")
        for i, value in enumerate(values)
    ]


def global_norm(t_list: Any, name: str | None = None) -> Tensor:
    """`sqrt(sum(l2norm(t) ** 2))` over a list of tensors.

    Args:
      t_list: list of tensors of one float dtype, `IndexedSlices`, or None, which is passed over.
      name: name of the scope.

    Returns: a scalar of that dtype. Gradients that `hf.distributed` gives of tables in parts count
      with the parts of all ranks, which ask together.

    Raises:
      TypeError: if `t_list` is no sequence.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.global_norm([hf.constant([3.0]), None, hf.constant([4.0])]).numpy())
    5.0
    """
    values = _values(t_list)
    with name_scope(name, "global_norm", values):
        parts = [t for t in t_list if is_part(t)]
        halves = [
            raw.L2Loss(value)
            for t, value in zip(t_list, _tensors(values), strict=True)
            if value is not None and not is_part(t)
        ]
        if parts:
            halves.append(half_of_squares(parts))
        if not halves:
            return convert_to_tensor(0.0, dtypes.float32, name="global_norm")
        half = reduce_sum(raw.Pack(halves, axis=0, name="stack"))
        two = convert_to_tensor(2.0, half.dtype, name="Const")
        return raw.Identity(_root(half * two), name="global_norm")


def clip_by_global_norm(
    t_list: Any, clip_norm: Any, use_norm: Any = None, name: str | None = None
) -> tuple[list[Any], Tensor]:
    """Scales all tensors of a list alike, if together their norm is larger than `clip_norm`.

    `t * clip_norm / max(global_norm, clip_norm)` for each tensor.

    Args:
      t_list: list of tensors of one float dtype, `IndexedSlices`, or None, which stays None.
      clip_norm: positive number or scalar tensor: the largest norm.
      use_norm: the global norm, where it is known already.
      name: name of the scope.

    Returns: the list of scaled tensors, and the global norm of what was given. If that norm is
      infinite or NaN, all elements are NaN, so that a step that diverged shows; in TF 1.4 finite
      elements become 0.

    Raises:
      TypeError: if `t_list` is no sequence.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     clipped, norm = hf.clip_by_global_norm([hf.constant([3.0]), hf.constant([4.0])], 1.0)
    ...     print([t.numpy().tolist() for t in clipped], norm.numpy())
    [[0.6000000238418579], [0.800000011920929]] 5.0
    """
    values = _values(t_list)
    if use_norm is None:
        use_norm = global_norm(t_list, name)
    with name_scope(name, "clip_by_global_norm", [*values, clip_norm]) as scope:
        use_norm = convert_to_tensor(use_norm, name="use_norm")
        scale = clip_norm / raw.Maximum(use_norm, clip_norm)
        # Of an infinite norm minus itself is NaN, of any other one 0.
        scale = scale + (use_norm - use_norm)
        clipped: list[Any] = []
        for i, (original, t) in enumerate(zip(t_list, _tensors(values), strict=True)):
            if t is None:
                clipped.append(None)
                continue
            scaled = raw.Identity(t * scale, name=f"{scope}_{i}")
            if isinstance(original, IndexedSlices):
                scaled = IndexedSlices(scaled, original.indices, original.dense_shape)
            clipped.append(marked_as_part(scaled) if is_part(original) else scaled)
    return clipped, use_norm
