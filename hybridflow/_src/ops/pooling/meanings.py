"""What pooling ops share: rules, and the NumPy meanings over all dimensions at once.

Windows lie over every dimension of the tensor in the order in which it is stored, so one meaning
serves all formats and ranks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from hybridflow._src.framework.errors import UnimplementedError
from hybridflow._src.framework.op_def import REQUIRED, Sample
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.windows import FORMATS, Windows, check_attrs, count

Dims = shape_rules.Dims


def attrs_for(rank: int, data_format: bool = True) -> dict[str, Any]:
    """The attributes of a pooling op of tensors of a rank."""
    formats = {"data_format": FORMATS[rank][0]} if data_format else {}
    return {"ksize": REQUIRED, "strides": REQUIRED, "padding": REQUIRED, **formats}


def attrs_of(op: Any) -> dict[str, Any]:
    """The attributes of an op, for another one of its kind."""
    return {name: op.get_attr(name) for name in op.record.defaults}


def _unimplemented(message: str) -> UnimplementedError:
    return UnimplementedError(None, None, message)


def pooled_dims(attrs: dict[str, Any], dims: Any, depthwise: bool = False) -> Dims:
    """The shape of what is pooled from a tensor of a shape that may be known in part.

    Raises:
      ValueError: for attributes of a wrong form.
      UnimplementedError: for windows over several images, or over channels where that is not known.
    """
    rank = len(dims)
    check_attrs(attrs, rank, "ksize", "strides")
    sizes, strides = attrs["ksize"], attrs["strides"]
    if sizes[0] != 1 or strides[0] != 1:
        raise _unimplemented("Pooling is not yet supported on the batch dimension.")
    at = 1 if attrs.get("data_format", "").startswith("NC") else rank - 1
    if sizes[at] != 1 or strides[at] != 1:
        if not depthwise or at != rank - 1:
            raise _unimplemented("Pooling is not yet supported on the depth dimension.")
        _check_depthwise(sizes, strides, dims[at])
    return tuple(
        [count(n, k, s, 1, attrs["padding"]) for n, k, s in zip(dims, sizes, strides, strict=True)]
    )


def _check_depthwise(sizes: Any, strides: Any, depth: int | None) -> None:
    if max(sizes[1:-1]) > 1:
        raise _unimplemented(
            "MaxPooling supports exactly one of pooling across depth or pooling across "
            "width/height."
        )
    if sizes[-1] != strides[-1]:
        raise _unimplemented(
            "Depthwise max pooling requires the depth window to equal the depth stride"
        )
    if depth is not None and depth % sizes[-1]:
        raise _unimplemented(
            "Depthwise max pooling requires the depth window to evenly divide the input depth"
        )


def shape(rank: int, depthwise: bool = False) -> Callable[..., Dims]:
    """The shape rule of a pooling op."""
    return lambda attrs, x: pooled_dims(attrs, shape_rules.with_rank(x, rank), depthwise)


def gradient_shape(rank: int, depthwise: bool = False) -> Callable[..., Dims]:
    """The shape rule of `op(input, output, gradient of the output)`, which gives what is like the
    input.
    """

    def rule(attrs: dict[str, Any], x: Tensor, y: Tensor, dy: Tensor) -> Dims:
        dims = shape_rules.with_rank(x, rank)
        pooled = pooled_dims(attrs, dims, depthwise)
        for tensor in (y, dy):
            fits(pooled, shape_rules.with_rank(tensor, rank))
        return dims

    return rule


def fits(wanted: Any, dims: Any) -> None:
    """Checks sizes, known in part, against those that are wanted."""
    for a, b in zip(wanted, dims, strict=True):
        shape_rules.same_size(a, b)


def windows_of(dims: Any, ksize: Any, strides: Any, padding: str) -> Windows:
    """The windows over all dimensions of a tensor of a shape."""
    return Windows.over(dims, ksize, strides, [1] * len(ksize), padding)


def like_pooled(windows: Windows, *arrays: np.ndarray) -> None:
    """Checks that arrays have the shape of what is pooled."""
    for array in arrays:
        if array.shape != windows.outputs:
            raise ValueError(f"Expected a tensor of shape {windows.outputs}, got {array.shape}")


# -- samples ---------------------------------------------------------------------------------------

_ROWS_2D: tuple[Any, ...] = (
    ((2, 4, 4, 2), [1, 2, 2, 1], [1, 2, 2, 1], "VALID", "NHWC"),
    ((1, 5, 4, 2), [1, 3, 2, 1], [1, 2, 1, 1], "SAME", "NHWC"),
    ((1, 5, 6, 1), [1, 2, 3, 1], [1, 1, 2, 1], "VALID", "NHWC"),
    ((1, 2, 4, 3), [1, 1, 2, 2], [1, 1, 1, 1], "SAME", "NCHW"),
    ((1, 5, 5, 1), [1, 1, 1, 1], [1, 3, 2, 1], "SAME", "NHWC"),
    ((0, 3, 3, 2), [1, 2, 2, 1], [1, 1, 1, 1], "SAME", "NHWC"),
)
_ROWS_3D: tuple[Any, ...] = (
    ((1, 2, 4, 3, 2), [1, 2, 2, 2, 1], [1, 1, 2, 1, 1], "VALID", "NDHWC"),
    ((1, 3, 3, 2, 1), [1, 2, 2, 3, 1], [1, 2, 1, 1, 1], "SAME", "NDHWC"),
    ((1, 2, 2, 3, 3), [1, 1, 2, 1, 2], [1, 1, 1, 2, 1], "SAME", "NCDHW"),
)


def drawn(
    rng: np.random.Generator, rank: int, *more: tuple[Any, ...]
) -> Iterable[tuple[np.ndarray, dict[str, Any]]]:
    """Inputs whose elements differ by more than a difference moves them, and attributes."""
    for dtype in (np.float32, np.float64):
        for dims, ksize, strides, padding, data_format in (
            *(_ROWS_2D if rank == 4 else _ROWS_3D),
            *more,
        ):
            x = rng.permutation(int(np.prod(dims))).reshape(dims) * 0.1
            attrs = {
                "ksize": ksize,
                "strides": strides,
                "padding": padding,
                "data_format": data_format,
            }
            yield x.astype(dtype), attrs


def like_output(rng: np.random.Generator, x: np.ndarray, attrs: dict[str, Any]) -> np.ndarray:
    """Random numbers in the shape of what is pooled from `x`."""
    dims = pooled_dims(attrs, x.shape, True)
    return np.asarray(rng.normal(size=dims), x.dtype)  # type: ignore[arg-type]


def samples(rank: int, *more: Any) -> Callable[[np.random.Generator], Iterable[Sample]]:
    """Samples of a pooling op."""
    return lambda rng: (Sample(x, **attrs) for x, attrs in drawn(rng, rank, *more))
