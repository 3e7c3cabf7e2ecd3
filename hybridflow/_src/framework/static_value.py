"""What is known of a tensor's value while the graph is built: shapes may depend on it."""

from __future__ import annotations

from typing import Any

import numpy as np

from hybridflow._src.framework import fp
from hybridflow._src.framework.eager_tensor import EagerTensor
from hybridflow._src.framework.tensor import Tensor

Dims = tuple[int | None, ...] | None

# Larger values are not folded: shapes are small, and building a graph must stay cheap.
_MAX_ELEMENTS = 1 << 16


def constant_value(tensor: Any) -> np.ndarray | None:
    """The value of a tensor that is the same in every run, or None; never write to it.

    A constant has one; so has an op without state whose inputs all have one, and `shape`, `size`
    and `rank` of a tensor whose shape is known.

    >>> import hybridflow as hf
    >>> from hybridflow._src.framework.static_value import constant_value
    >>> with hf.Graph().as_default():
    ...     x = hf.placeholder(hf.float32, [2, 3])
    ...     print(constant_value(hf.shape(x) * 2))
    [4 6]
    """
    if tensor.__class__ is EagerTensor:
        return tensor._a
    op = tensor.op
    kind = op.type
    if kind == "Const":
        return op.attrs["value"]
    if kind in ("Shape", "Size", "Rank"):
        return _of_shape(kind, op)
    op_def = op.op_def
    if op_def.stateful or op_def.effect or op.bodies or op_def.compute is None:
        return None
    if kind in ("Placeholder", "PlaceholderWithDefault") or len(op.outputs) != 1:
        return None
    if tensor._dims is None or _size(tensor._dims) > _MAX_ELEMENTS:
        return None
    values = []
    for item in op.inputs:
        value = constant_value(item)
        if value is None or value.size > _MAX_ELEMENTS:
            return None
        values.append(value)
    token = fp.silence()
    try:
        return np.asarray(op_def.compute(*values, **op.attrs))
    except Exception:
        # The op will fail when it runs, and say why there.
        return None
    finally:
        fp.restore(token)


def _size(dims: tuple[int | None, ...]) -> int:
    size = 1
    for dim in dims:
        size *= 1 if dim is None else dim
    return size


def _of_shape(kind: str, op: Any) -> np.ndarray | None:
    dims = op.inputs[0]._dims
    if dims is None or (kind != "Rank" and None in dims):
        return None
    dtype = op.outputs[0]._dtype.np
    if kind == "Shape":
        return np.array(dims, dtype)
    return np.array(len(dims) if kind == "Rank" else _size(dims), dtype)


def constant_dims(tensor: Any) -> Dims:
    """The dims that an integer vector holds, as far as they are known: for ops that take a shape.

    A value below zero counts as unknown. None if not even the number of dims is known.
    """
    value = constant_value(tensor)
    if value is not None:
        if value.ndim == 0:
            return None
        return tuple([int(v) if v >= 0 else None for v in value.tolist()])
    op = tensor.op
    kind = op.type
    if kind == "Shape":
        return op.inputs[0]._dims
    if kind == "Pack" and op.inputs[0]._dims == ():
        return tuple([_constant_dim(t) for t in op.inputs])
    if kind == "ConcatV2":
        parts = [constant_dims(t) for t in op.inputs[:-1]]
        if all(part is not None for part in parts):
            return tuple([d for part in parts for d in part])  # type: ignore[union-attr]
    elif kind == "StridedSlice":
        return _sliced_dims(tensor, op)
    elif kind in ("Identity", "Cast"):
        return constant_dims(op.inputs[0])
    dims = tensor._dims
    return (
        (None,) * dims[0] if dims is not None and len(dims) == 1 and dims[0] is not None else None
    )


def _constant_dim(tensor: Tensor) -> int | None:
    value = constant_value(tensor)
    if value is not None:
        return int(value) if value >= 0 else None
    op = tensor.op
    # x.shape[i] in the graph: an element of a shape of which that much may be known.
    if op.type == "StridedSlice" and op.attrs["shrink_axis_mask"] == 1:
        dims = constant_dims(op.inputs[0])
        begin = constant_value(op.inputs[1])
        if dims is not None and begin is not None and -len(dims) <= begin[0] < len(dims):
            return dims[int(begin[0])]
    return None


def _sliced_dims(tensor: Tensor, op: Any) -> Dims:
    dims = constant_dims(op.inputs[0])
    bounds = [constant_value(t) for t in op.inputs[1:]]
    attrs = op.attrs
    plain = not (attrs["ellipsis_mask"] or attrs["new_axis_mask"] or attrs["shrink_axis_mask"])
    if dims is None or any(b is None or b.size != 1 for b in bounds) or not plain:
        out = tensor._dims
        return (
            (None,) * out[0] if out is not None and len(out) == 1 and out[0] is not None else None
        )
    begin, end, step = (int(b[0]) for b in bounds)  # type: ignore[index]
    start = None if attrs["begin_mask"] & 1 else begin
    stop = None if attrs["end_mask"] & 1 else end
    return dims[start:stop:step]
