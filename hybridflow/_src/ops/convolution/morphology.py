"""Grayscale dilation and erosion: convolutions with max and sum in place of sum and product."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import REQUIRED, OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.spelling import spelled
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.families import REALS
from hybridflow._src.ops.windows import Windows, check_attrs, count, each_dimension

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["dilation2d", "erosion2d"]

_ATTRS = {"strides": REQUIRED, "rates": REQUIRED, "padding": REQUIRED}


# -- shape rules -----------------------------------------------------------------------------------


def _output_dims(attrs: dict[str, Any], x: Tensor, filters: Tensor) -> Any:
    dims, filter_dims = shape_rules.with_rank(x, 4), shape_rules.with_rank(filters, 3)
    check_attrs(attrs, 4, "strides", "rates")
    for name in ("strides", "rates"):
        if attrs[name][0] != 1 or attrs[name][3] != 1:
            raise ValueError(f"{name} of batch and depth must be 1, got {list(attrs[name])}")
    depth = shape_rules.same_size(dims[3], filter_dims[2])
    sizes = zip(dims[1:3], filter_dims[:2], attrs["strides"][1:3], attrs["rates"][1:3], strict=True)
    return (dims[0], *[count(n, k, s, r, attrs["padding"]) for n, k, s, r in sizes], depth)


def _gradient_dims(attrs: dict[str, Any], x: Tensor, filters: Tensor, dy: Tensor) -> Any:
    """Checks the arguments of a gradient; gives the shape of the output."""
    outputs = _output_dims(attrs, x, filters)
    for wanted, got in zip(outputs, shape_rules.with_rank(dy, 4), strict=True):
        shape_rules.same_size(wanted, got)
    return outputs


def _to_input_shape(attrs: dict[str, Any], x: Tensor, filters: Tensor, dy: Tensor) -> Any:
    _gradient_dims(attrs, x, filters, dy)
    return shape_rules.with_rank(x, 4)


def _to_filter_shape(attrs: dict[str, Any], x: Tensor, filters: Tensor, dy: Tensor) -> Any:
    _gradient_dims(attrs, x, filters, dy)
    return shape_rules.with_rank(filters, 3)


# -- NumPy meanings --------------------------------------------------------------------------------


def _largest(
    x: np.ndarray, filters: np.ndarray, strides: Any, rates: Any, padding: str
) -> tuple[Windows, np.ndarray, np.ndarray]:
    """The windows, the largest sums, and which element of the window gives each, as `taps` counts.

    Of several that are equal the first one is meant.
    """
    if x.shape[-1] != filters.shape[-1]:
        raise ValueError(f"A filter of shape {filters.shape} does not fit {x.shape[-1]} channels")
    windows = Windows.over(x.shape[1:3], filters.shape[:2], strides[1:3], rates[1:3], padding)
    best = np.zeros((len(x), *windows.outputs, x.shape[-1]), x.dtype)
    places = np.full(best.shape, -1, np.int32)
    for number, (place, at, elements) in enumerate(windows.taps()):
        tap = x[(slice(None), *elements)] + filters[place]
        part, chosen = best[(slice(None), *at)], places[(slice(None), *at)]
        better = (tap > part) | (chosen < 0)
        np.copyto(part, tap, where=better)
        np.copyto(chosen, number, where=better)
    return windows, best, places


def _compute(x: np.ndarray, filters: np.ndarray, **attrs: Any) -> np.ndarray:
    return _largest(x, filters, **attrs)[1]


def _to_input(x: np.ndarray, filters: np.ndarray, dy: np.ndarray, **attrs: Any) -> np.ndarray:
    windows, _, places = _largest(x, filters, **attrs)
    dx = np.zeros(x.shape, x.dtype)
    for number, (_place, at, elements) in enumerate(windows.taps()):
        window = (slice(None), *at)
        dx[(slice(None), *elements)] += np.where(places[window] == number, dy[window], 0)
    return dx


def _to_filter(x: np.ndarray, filters: np.ndarray, dy: np.ndarray, **attrs: Any) -> np.ndarray:
    windows, _, places = _largest(x, filters, **attrs)
    result = np.zeros(filters.shape, filters.dtype)
    for number, (place, at, _elements) in enumerate(windows.taps()):
        window = (slice(None), *at)
        chosen = np.where(places[window] == number, dy[window], 0)
        result[place] = np.add.reduce(chosen, (0, 1, 2), x.dtype)
    return result


def _gathered(
    x: np.ndarray, filters: np.ndarray, dx: np.ndarray, df: np.ndarray, **attrs: Any
) -> np.ndarray:
    """`dx + df` where `x + filter` is largest."""
    windows, _, places = _largest(x, filters, **attrs)
    result = np.zeros(places.shape, x.dtype)
    for number, (place, at, elements) in enumerate(windows.taps()):
        window = (slice(None), *at)
        values = dx[(slice(None), *elements)] + df[place]
        np.copyto(result[window], values, where=places[window] == number)
    return result


# -- in files --------------------------------------------------------------------------------------


def _write_gathered(nodes: Any, op: Any) -> None:
    """TensorFlow has no gradient of a dilation's gradient. It needs the size of the filter."""
    dims = op.inputs[1]._dims
    if dims is None or None in dims:
        nodes.plain(op)
    else:
        nodes.composed(op, _gathered_of_ops)


def _gathered_of_ops(op: Any, x: Tensor, filters: Tensor, dx: Tensor, df: Tensor) -> Tensor:
    """`_gathered` by TensorFlow's ops."""
    height, width, depth = [int(size or 0) for size in filters._dims or ()]
    count = height * width

    def taps(image: Tensor) -> Tensor:
        """The elements of each window, `[batch, out_height, out_width, count, depth]`."""
        patches = raw.ExtractImagePatches(image, ksizes=(1, height, width, 1), **_attrs_of(op))
        return raw.Reshape(patches, raw.ConcatV2([raw.Shape(patches)[:3], [count, depth]], 0))

    sums = taps(x) + raw.Reshape(filters, [count, depth])
    lowest = raw.Fill(raw.Shape(sums), _lowest(x.dtype.np))
    inside = raw.Greater(taps(raw.OnesLike(x)), 0)
    best = raw.ExpandDims(raw.ArgMax(raw.Select(inside, sums, lowest), 3), 3)
    chosen = raw.Equal(best, np.arange(count).reshape(count, 1))
    values = taps(dx) + raw.Reshape(df, [count, depth])
    return raw.Sum(raw.Select(chosen, values, raw.ZerosLike(values)), [3])


def _lowest(dtype: np.dtype[Any]) -> np.ndarray:
    return np.array(-np.inf if dtype.kind == "f" else np.iinfo(dtype).min, dtype)


# -- records ---------------------------------------------------------------------------------------


def _attrs_of(op: Any) -> dict[str, Any]:
    return {key: op.get_attr(key) for key in _ATTRS}


def _grad(op: Any, dy: Tensor) -> tuple[Any, Any]:
    attrs = _attrs_of(op)
    return (
        raw.Dilation2DBackpropInput(*op.inputs, dy, **attrs),
        raw.Dilation2DBackpropFilter(*op.inputs, dy, **attrs),
    )


# Which sum is the largest does not change with small changes.
def _grad_of_input(op: Any, dz: Tensor) -> tuple[None, None, Any]:
    x, filters, _ = op.inputs
    return None, None, raw.Dilation2DAt(x, filters, dz, raw.ZerosLike(filters), **_attrs_of(op))


def _grad_of_filter(op: Any, dz: Tensor) -> tuple[None, None, Any]:
    x, filters, _ = op.inputs
    return None, None, raw.Dilation2DAt(x, filters, raw.ZerosLike(x), dz, **_attrs_of(op))


def _drawn(rng: np.random.Generator) -> Iterable[tuple[Any, Any, dict[str, Any]]]:
    for dtype in (np.float32, np.float64):
        for shape, filter_shape, strides, rates, padding in (
            ((2, 4, 3, 2), (2, 2, 2), [1, 1, 1, 1], [1, 1, 1, 1], "SAME"),
            ((1, 5, 5, 1), (2, 3, 1), [1, 2, 1, 1], [1, 1, 2, 1], "VALID"),
            ((1, 3, 4, 2), (1, 1, 2), [1, 1, 2, 1], [1, 1, 1, 1], "VALID"),
        ):
            # Sums differ by more than a difference moves them.
            x = rng.permutation(int(np.prod(shape))).reshape(shape) * 0.1
            filters = rng.permutation(int(np.prod(filter_shape))).reshape(filter_shape) * 0.013
            attrs = {"strides": strides, "rates": rates, "padding": padding}
            yield x.astype(dtype), filters.astype(dtype), attrs


def _grad_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for x, filters, attrs in _drawn(rng):
        y = _compute(x, filters, **attrs)
        yield Sample(x, filters, rng.normal(size=y.shape).astype(x.dtype), **attrs)


def _gathered_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for x, filters, attrs in _drawn(rng):
        more = [rng.normal(size=a.shape).astype(a.dtype) for a in (x, filters)]
        yield Sample(x, filters, *more, **attrs)


_dilation2d = OpDef(
    "Dilation2D",
    "input: T, filter: T -> output: T",
    types=REALS,
    attrs=_ATTRS,
    shape=_output_dims,
    compute=_compute,
    grad=_grad,
    samples=lambda rng: (Sample(x, filters, **attrs) for x, filters, attrs in _drawn(rng)),
    checked=True,
)
OpDef(
    "Dilation2DBackpropInput",
    "input: T, filter: T, out_backprop: T -> in_backprop: T",
    types=REALS,
    attrs=_ATTRS,
    shape=_to_input_shape,
    compute=_to_input,
    grad=_grad_of_input,
    samples=_grad_samples,
    checked=True,
)
OpDef(
    "Dilation2DBackpropFilter",
    "input: T, filter: T, out_backprop: T -> filter_backprop: T",
    types=REALS,
    attrs=_ATTRS,
    shape=_to_filter_shape,
    compute=_to_filter,
    grad=_grad_of_filter,
    samples=_grad_samples,
    checked=True,
)
OpDef(
    "Dilation2DAt",
    "input: T, filter: T, input_values: T, filter_values: T -> output: T",
    types=REALS,
    attrs=_ATTRS,
    shape=lambda attrs, x, filters, *_: _output_dims(attrs, x, filters),
    compute=_gathered,
    grad=lambda op, dz: (
        None,
        None,
        raw.Dilation2DBackpropInput(*op.inputs[:2], dz, **_attrs_of(op)),
        raw.Dilation2DBackpropFilter(*op.inputs[:2], dz, **_attrs_of(op)),
    ),
    samples=_gathered_samples,
    checked=True,
    written=_write_gathered,
)


# -- public functions ------------------------------------------------------------------------------


@spelled(filters="filter", dilations="rates")
def dilation2d(
    input: Any,
    filter: Any,
    strides: Sequence[int],
    rates: Sequence[int],
    padding: str,
    name: str | None = None,
) -> Tensor:
    """The grayscale dilation of images by a structuring function for each channel:

        output[b, y, x, c] = max over dy, dx of
            input[b, strides[1] * y + rates[1] * dy, strides[2] * x + rates[2] * dx, c]
            + filter[dy, dx, c]

    Args:
      input: tensor `[batch, height, width, depth]` of a real dtype.
      filter: tensor `[filter_height, filter_width, depth]` of the same dtype.
      strides: 4 ints, how far the windows are apart; those of batch and depth are 1.
      rates: 4 ints, how far apart the elements of the filter are laid.
      padding: "SAME", windows may stand out from the images; or "VALID", they lie inside.
      name: name of the op.

    Returns: a tensor `[batch, out_height, out_width, depth]` of the same dtype.

    Raises:
      ValueError: if shapes do not fit or an attribute has a value that is not allowed.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     image = hf.reshape(hf.constant([1.0, 5.0, 2.0]), [1, 1, 3, 1])
    ...     ones = [1, 1, 1, 1]
    ...     y = hf.nn.dilation2d(image, hf.zeros([1, 3, 1]), ones, ones, "SAME")
    ...     print(y.numpy().ravel())
    [5. 5. 5.]
    """
    return _dilation2d(
        input,
        filter,
        strides=each_dimension("strides", strides, 4),
        rates=each_dimension("rates", rates, 4),
        padding=padding,
        name=name,
    )


def erosion2d(
    value: Any,
    kernel: Any,
    strides: Sequence[int],
    rates: Sequence[int],
    padding: str,
    name: str | None = None,
) -> Tensor:
    """The grayscale erosion of images by a structuring function for each channel:

        output[b, y, x, c] = min over dy, dx of
            value[b, strides[1] * y - rates[1] * dy, strides[2] * x - rates[2] * dx, c]
            - kernel[dy, dx, c]

    It is the dilation of `-value` by the reflected kernel, negated.

    Args:
      value: tensor `[batch, height, width, depth]` of a real dtype.
      kernel: tensor `[kernel_height, kernel_width, depth]` of the same dtype.
      strides: 4 ints, how far the windows are apart; those of batch and depth are 1.
      rates: 4 ints, how far apart the elements of the kernel are laid.
      padding: "SAME" or "VALID", as in `dilation2d`.
      name: name of the op.

    Returns: a tensor `[batch, out_height, out_width, depth]` of the same dtype.

    Raises:
      ValueError: if shapes do not fit or an attribute has a value that is not allowed.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     image = hf.reshape(hf.constant([1.0, 5.0, 2.0]), [1, 1, 3, 1])
    ...     ones = [1, 1, 1, 1]
    ...     y = hf.nn.erosion2d(image, hf.zeros([1, 2, 1]), ones, ones, "VALID")
    ...     print(y.numpy().ravel())
    [1. 2.]
    """
    with name_scope(name, "erosion2d", [value, kernel]) as scope:
        value = convert_to_tensor(value, name="value")
        kernel = convert_to_tensor(kernel, value.dtype.base_dtype, name="kernel")
        dilated = _dilation2d(
            raw.Neg(value),
            raw.ReverseV2(kernel, np.array([0, 1], np.int32)),
            strides=each_dimension("strides", strides, 4),
            rates=each_dimension("rates", rates, 4),
            padding=padding,
            name=scope,
        )
        return raw.Neg(dilated)
