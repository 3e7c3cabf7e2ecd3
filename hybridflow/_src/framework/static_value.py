"""What is known of a tensor's value while the graph is built: shapes may depend on it."""

from __future__ import annotations

from typing import Any

import numpy as np

from hybridflow._src.framework import fp
from hybridflow._src.framework.eager_tensor import EagerTensor
from hybridflow._src.framework.tensor import Tensor

Dims = tuple[int | None, ...] | None

# Neither larger values nor longer programs are folded: shapes are small, and building a graph must
# stay cheap.
_MAX_ELEMENTS = 1 << 16
_MAX_OPS = 256
_MAX_DEPTH = 32
# Arrays have far fewer.
_MOST_DIMS = 1 << 10


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
    if tensor.op.record.name == "Const":
        return tensor.op.attrs["value"]
    known: dict[Tensor, np.ndarray] = {}
    pending = [tensor]
    while pending:
        current = pending[-1]
        if current not in known:
            missing = [t for t in _operands(current) if t not in known]
            if len(missing) + len(pending) + len(known) > _MAX_OPS:
                return None
            pending.extend(missing)
            if missing:
                continue
            value = _value(current, known)
            if value is None:
                # What depends on it has no value either.
                return None
            known[current] = value
        pending.pop()
    return known[tensor]


def get_static_value(tensor: Any, partial: bool = False) -> Any:
    """The value of a tensor that is the same in every run, or None.

    Of TensorFlow 1.15. The shape of a tensor whose shape is known has one, and so has what is
    computed from such values without state.

    Args:
      tensor: a tensor; anything else is its own value.
      partial: whether an object array is wanted of a packed vector of which only some elements are
        known, with None for the others.

    Returns: an array of one's own, or None.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     x = hf.placeholder(hf.float32, [2, 3])
    ...     print(hf.get_static_value(hf.shape(x) * 2), hf.get_static_value(x))
    [4 6] None
    """
    if not isinstance(tensor, Tensor):
        return tensor
    value = constant_value(tensor)
    if value is not None:
        return np.array(value)
    if partial and not isinstance(tensor, EagerTensor) and tensor.op.type == "Pack":
        parts = [constant_value(part) for part in tensor.op.inputs]
        if all(part is None or not part.ndim for part in parts):
            return np.array([None if part is None else part[()] for part in parts], object)
    return None


def _operands(tensor: Tensor) -> tuple[Tensor, ...]:
    """The tensors whose values are needed for that of `tensor`."""
    return tensor.op.inputs if _folds(tensor) else ()


def _folds(tensor: Tensor) -> bool:
    """Tells whether `tensor` can be computed from the values of its op's inputs."""
    op = tensor.op
    op_def = op.record
    if op_def.stateful or op_def.effect or op.bodies or op_def.compute is None:
        return False
    if op_def.name in _OF_SHAPE or op_def.name in ("Placeholder", "PlaceholderWithDefault"):
        return False
    dims = tensor._dims
    return dims is not None and _size(dims) <= _MAX_ELEMENTS and len(op.outputs) == 1


def _value(tensor: Tensor, known: dict[Tensor, np.ndarray]) -> np.ndarray | None:
    op = tensor.op
    kind = op.record.name
    if kind == "Const":
        return op.attrs["value"]
    if kind in _OF_SHAPE:
        return _of_shape(kind, op)
    if not _folds(tensor):
        return None
    values = [known[t] for t in op.inputs]
    if any(value.size > _MAX_ELEMENTS for value in values):
        return None
    attrs = {key: value for key, value in op.attrs.items() if key in op.record.defaults}
    try:
        return np.asarray(fp.quietly(lambda: op.record.compute(*values, **attrs)))  # type: ignore[misc]
    except Exception:
        # The op will fail when it runs, and say why there.
        return None


def _size(dims: tuple[int | None, ...]) -> int:
    size = 1
    for dim in dims:
        size *= 1 if dim is None else dim
    return size


_OF_SHAPE = ("Rank", "Shape", "Size")


def _of_shape(kind: str, op: Any) -> np.ndarray | None:
    dims = op.inputs[0]._dims
    if dims is None or (kind != "Rank" and None in dims):
        return None
    dtype = op.outputs[0]._dtype.np
    if kind == "Shape":
        return np.array(dims, dtype)
    return np.array(len(dims) if kind == "Rank" else _size(dims), dtype)


# -- values that are shapes, known in part ---------------------------------------------------------


def constant_dims(tensor: Any) -> Dims:
    """The dims that an integer vector holds, as far as they are known: for ops that take a shape.

    A value below zero counts as unknown. None if not even the number of dims is known.
    """
    return _dims(tensor, _MAX_DEPTH)


def constant_rows(tensor: Any) -> list[Dims] | None:
    """The rows of an integer matrix that is put together of them, each as far as it is known."""
    op = tensor.op
    if op.type != "Pack" or op.attrs["axis"] != 0:
        return None
    return [constant_dims(row) for row in op.inputs]


def _dims(tensor: Any, depth: int) -> Dims:
    value = constant_value(tensor)
    if value is not None:
        if value.ndim != 1:
            return None
        return tuple([int(v) if v >= 0 else None for v in value.tolist()])
    op = tensor.op
    kind = op.type
    if kind == "Shape":
        return op.inputs[0]._dims
    found: Dims = None
    if depth:
        if kind == "Pack" and any(t._dims == () for t in op.inputs):
            found = tuple([_dim(t, depth - 1) for t in op.inputs])
        elif kind == "ConcatV2":
            found = _joined([_dims(t, depth - 1) for t in op.inputs[:-1]])
        elif kind == "StridedSlice":
            found = _sliced(op, depth - 1)
        elif kind in ("Identity", "Cast"):
            found = _dims(op.inputs[0], depth - 1)
    own = tensor._dims
    if found is None and own is not None and len(own) == 1 and own[0] is not None:
        # What is longer is no shape: who takes it says so when it runs.
        return (None,) * own[0] if own[0] <= _MOST_DIMS else None
    return found


def _dim(tensor: Tensor, depth: int) -> int | None:
    value = constant_value(tensor)
    if value is not None:
        return int(value) if value >= 0 else None
    op = tensor.op
    # x.shape[i] in the graph: an element of a shape of which that much may be known.
    if depth and op.type == "StridedSlice" and op.attrs["shrink_axis_mask"] == 1:
        dims = _dims(op.inputs[0], depth - 1)
        begin = constant_value(op.inputs[1])
        if dims is not None and begin is not None and -len(dims) <= begin[0] < len(dims):
            return dims[int(begin[0])]
    return None


def _joined(parts: list[Dims]) -> Dims:
    joined: list[int | None] = []
    for part in parts:
        if part is None:
            return None
        joined.extend(part)
    return tuple(joined)


def _sliced(op: Any, depth: int) -> Dims:
    """A plain slice of a vector that holds dims."""
    attrs = op.attrs
    if attrs["ellipsis_mask"] or attrs["new_axis_mask"] or attrs["shrink_axis_mask"]:
        return None
    dims = _dims(op.inputs[0], depth)
    bounds = [constant_value(t) for t in op.inputs[1:]]
    if dims is None or any(b is None or b.size != 1 for b in bounds):
        return None
    begin, end, step = (int(b[0]) for b in bounds)  # type: ignore[index]
    start = None if attrs["begin_mask"] & 1 else begin
    stop = None if attrs["end_mask"] & 1 else end
    return dims[start:stop:step]
