"""Padding: with a constant, or with the tensor's own elements mirrored at its edges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import context, settings
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import REQUIRED, OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.static_value import constant_rows, constant_value
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.allocation import allocatable
from hybridflow._src.ops.families import INDICES
from hybridflow._src.ops.grad_helpers import all_axes, shape_of

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["pad"]

_TYPES = {"Tpaddings": INDICES}


def _padded_shape(
    attrs: dict[str, Any], x: Tensor, paddings: Tensor, *_: Tensor
) -> shape_rules.Dims:
    rank, two = shape_rules.with_rank(paddings, 2)
    if two not in (2, None):
        raise ValueError(f"Dimension must be 2 but is {two}: paddings have shape [rank, 2]")
    dims = x._dims if rank is None else shape_rules.with_rank(x, rank)
    pads = constant_value(paddings)
    if dims is None:
        return None
    if pads is None:
        rows = None if context.modes.top.eager else constant_rows(paddings)
        return tuple(map(_padded, dims, rows or (None,) * len(dims)))
    if pads.size and pads.min() < 0:
        raise ValueError("Paddings must be non-negative")
    before_after = zip(dims, pads.sum(axis=1).tolist(), strict=True)
    return tuple([None if dim is None else dim + more for dim, more in before_after])


def _padded(size: int | None, pad: shape_rules.Dims) -> int | None:
    """A size with what is known of its padding."""
    if size is None or pad is None or None in pad:
        return None
    return size + sum(pad)  # type: ignore[arg-type]


def _check(paddings: np.ndarray, rank: int) -> list[list[int]]:
    if paddings.shape != (rank, 2):
        raise ValueError(
            f"The first dimension of paddings must be the rank of inputs {rank}, and the second 2: "
            f"got shape {list(paddings.shape)}"
        )
    if paddings.size and paddings.min() < 0:
        raise ValueError("Paddings must be non-negative")
    pads: list[list[int]] = paddings.tolist()
    return pads


def _inner(dims: tuple[int, ...], pads: list[list[int]]) -> tuple[slice, ...]:
    """Where the tensor itself lies in its padded form."""
    return tuple([slice(pad[0], pad[0] + dim) for dim, pad in zip(dims, pads, strict=True)])


# -- constant --------------------------------------------------------------------------------------


def _pad_v2(x: np.ndarray, paddings: np.ndarray, constant_values: np.ndarray) -> np.ndarray:
    pads = _check(paddings, x.ndim)
    if constant_values.ndim:
        raise ValueError("constant_values must be a scalar")
    dims = [dim + sum(pad) for dim, pad in zip(x.shape, pads, strict=True)]
    result = np.full(allocatable("Pad", dims, x.dtype), constant_values, x.dtype)
    result[_inner(x.shape, pads)] = x
    return result


def _pad(x: np.ndarray, paddings: np.ndarray) -> np.ndarray:
    nothing = np.array(b"", object) if x.dtype.kind == "O" else np.zeros((), x.dtype)
    return _pad_v2(x, paddings, nothing)


def _unpadded(op: Any, dy: Tensor) -> Any:
    x, paddings = op.inputs[:2]
    begin = raw.StridedSlice(
        paddings, [0, 0], [0, 1], [1, 1], begin_mask=1, end_mask=1, shrink_axis_mask=2
    )
    return raw.Slice(dy, begin, shape_of(x, paddings.dtype.base_dtype))


def _pad_v2_grad(op: Any, dy: Tensor) -> tuple[Any, None, Any]:
    dx = _unpadded(op, dy)
    around = raw.Sub(raw.Sum(dy, all_axes(dy)), raw.Sum(dx, all_axes(dx)))
    return dx, None, around


def _native_pad(b: Any, x: Any, paddings: Any, filling: Any) -> Any:
    pads = _check(b.known(paddings), len(x.shape))
    shape = tuple([dim + sum(pad) for dim, pad in zip(x.shape, pads, strict=True)])
    inner = _inner(x.shape, pads)
    around = b.broadcast(filling, shape)
    return b.assemble(shape, x.dtype, [(around, lambda a: a), (x, lambda a: a[inner])])


def _pad_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for dims, pads in (
            ((2, 3), [[1, 0], [0, 2]]),
            ((3,), [[0, 0]]),
            ((), np.zeros((0, 2))),
            ((0, 2), [[1, 1], [0, 0]]),
        ):
            yield Sample(rng.normal(size=dims).astype(dtype), np.array(pads, np.int32))


def _pad_v2_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for sample in _pad_samples(rng):
        x, paddings = sample.args
        yield Sample(x, paddings.astype(np.int64), np.array(rng.normal(), x.dtype))


_pad_op = OpDef(
    "Pad",
    "input: T, paddings: Tpaddings -> output: T",
    types=_TYPES,
    shape=_padded_shape,
    compute=_pad,
    grad=lambda op, dy: (_unpadded(op, dy), None),
    samples=_pad_samples,
    native=lambda b, x, paddings: _native_pad(b, x, paddings, b.constant(np.zeros((), x.dtype))),
)
_pad_v2_op = OpDef(
    "PadV2",
    "input: T, paddings: Tpaddings, constant_values: T -> output: T",
    types=_TYPES,
    shape=_padded_shape,
    compute=_pad_v2,
    grad=_pad_v2_grad,
    samples=_pad_v2_samples,
    native=_native_pad,
)


# -- mirror ----------------------------------------------------------------------------------------


def _sources(dims: tuple[int, ...], pads: list[list[int]], mode: str) -> list[np.ndarray]:
    """For each dimension of the padded tensor, the indices that its elements come from."""
    sources = []
    for dim, (before, after) in zip(dims, pads, strict=True):
        most = max(before, after)
        if mode == "REFLECT" and most >= dim and most:
            raise InvalidArgumentError(
                None,
                None,
                "paddings must be less than the dimension size: "
                f"{before}, {after} not less than {dim}",
            )
        if mode == "SYMMETRIC" and most > dim:
            raise InvalidArgumentError(
                None,
                None,
                "paddings must be no greater than the dimension size: "
                f"{before}, {after} greater than {dim}",
            )
        index: np.ndarray = np.arange(-before, dim + after)
        # Beyond an edge the indices count back; the edge itself comes once or twice.
        edge = 0 if mode == "REFLECT" else 1
        index = np.where(index < 0, -index - edge, index)
        sources.append(np.where(index >= dim, 2 * dim - 2 + edge - index, index))
    return sources


def _mirror_pad(x: np.ndarray, paddings: np.ndarray, mode: str) -> np.ndarray:
    sources = _sources(x.shape, _check(paddings, x.ndim), mode)
    return np.array(x[np.ix_(*sources)]) if sources else np.array(x)


def _mirror_pad_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for mode, pads in (
            ("REFLECT", [[1, 2], [2, 0]]),
            ("SYMMETRIC", [[1, 3], [3, 0]]),
            ("SYMMETRIC", [[0, 0], [0, 0]]),
        ):
            x = rng.normal(size=(3, 4)).astype(dtype)
            yield Sample(x, np.array(pads, np.int32), mode=mode)
        yield Sample(np.zeros((), dtype), np.zeros((0, 2), np.int64), mode="REFLECT")


_mirror_pad_op = OpDef(
    "MirrorPad",
    "input: T, paddings: Tpaddings -> output: T",
    types=_TYPES,
    attrs={"mode": REQUIRED},
    shape=_padded_shape,
    compute=_mirror_pad,
    grad=lambda op, dy: (
        raw.MirrorPadGrad(dy, op.inputs[1], mode=op.get_attr("mode")),
        None,
    ),
    samples=_mirror_pad_samples,
)


def _folded_shape(attrs: dict[str, Any], dy: Tensor, paddings: Tensor) -> shape_rules.Dims:
    rank, _ = shape_rules.with_rank(paddings, 2)
    dims = dy._dims if rank is None else shape_rules.with_rank(dy, rank)
    pads = constant_value(paddings)
    if pads is None or dims is None:
        return None if dims is None else (None,) * len(dims)
    before_after = zip(dims, pads.sum(axis=1).tolist(), strict=True)
    return tuple([None if dim is None else dim - less for dim, less in before_after])


def _mirror_pad_grad(dy: np.ndarray, paddings: np.ndarray, mode: str) -> np.ndarray:
    pads = _check(paddings, dy.ndim)
    dims = tuple([dim - sum(pad) for dim, pad in zip(dy.shape, pads, strict=True)])
    if not dims:
        return np.array(dy)
    result = dy
    for axis, source in enumerate(_sources(dims, pads, mode)):
        # Add up, along one axis, all that was copied from the same element.
        folded = np.zeros((dims[axis], *np.delete(result.shape, axis)), dy.dtype)
        np.add.at(folded, source, np.moveaxis(result, axis, 0))
        result = np.moveaxis(folded, 0, axis)
    return np.ascontiguousarray(result)


def _mirror_pad_grad_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for sample in _mirror_pad_samples(rng):
        padded = _mirror_pad(*sample.args, **sample.attrs)
        yield Sample(padded, sample.args[1], **sample.attrs)


OpDef(
    "MirrorPadGrad",
    "input: T, paddings: Tpaddings -> output: T",
    types=_TYPES,
    attrs={"mode": REQUIRED},
    shape=_folded_shape,
    compute=_mirror_pad_grad,
    grad=lambda op, dz: (
        raw.MirrorPad(dz, op.inputs[1], mode=op.get_attr("mode")),
        None,
    ),
    samples=_mirror_pad_grad_samples,
)


def pad(
    tensor: Any,
    paddings: Any,
    mode: str = "CONSTANT",
    name: str | None = None,
    constant_values: Any = 0,
) -> Tensor:
    """A tensor with elements added before and after it in each dimension.

    Args:
      tensor: a tensor.
      paddings: integers `[rank, 2]`: how many before, how many after.
      mode: "CONSTANT"; "REFLECT", the tensor mirrored at its edges; or "SYMMETRIC", the same with
        the edge itself repeated.
      name: name of the op.
      constant_values: the element to add in mode "CONSTANT", a scalar.

    Returns: a tensor of size `paddings[i, 0] + tensor.shape[i] + paddings[i, 1]` in dimension i.

    Raises:
      ValueError: for another mode, or paddings that are negative or do not fit the rank.
      InvalidArgumentError: if there is not enough to mirror.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.pad([1, 2, 3], [[1, 2]]).numpy())
    ...     print(hf.pad([1, 2, 3], [[1, 2]], "REFLECT").numpy())
    [0 1 2 3 0 0]
    [2 1 2 3 2 1]

    In TF 1.4 no gradient flows to `constant_values`; here one does.
    """
    kind = settings.string(mode, "mode").upper()
    if kind == "CONSTANT":
        if isinstance(constant_values, Tensor) or constant_values != 0:
            return _pad_v2_op(tensor, paddings, constant_values, name=name)
        return _pad_op(tensor, paddings, name=name)
    if kind in ("REFLECT", "SYMMETRIC"):
        return _mirror_pad_op(tensor, paddings, mode=kind, name=name)
    raise ValueError(f"Unknown padding mode: {mode}")
