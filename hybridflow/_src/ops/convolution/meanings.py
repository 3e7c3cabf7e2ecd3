"""Shape rules, NumPy meanings and gradients that convolutions in two and three dimensions share."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from hybridflow._src.framework.op_def import Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.static_value import constant_dims
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.convolution import products
from hybridflow._src.ops.grad_helpers import shape_of
from hybridflow._src.ops.windows import (
    Windows,
    channels,
    channels_last,
    check_attrs,
    count,
    in_format,
    inner,
)
from hybridflow._src.ops.windows import (
    shape_of as sizes_in,
)

Dims = shape_rules.Dims


def check(attrs: dict[str, Any], rank: int) -> None:
    """Checks the attributes of a convolution of tensors of a rank.

    Raises:
      ValueError: if a list has another length, or the batch or the channels are strided.
    """
    check_attrs(attrs, rank, "strides", "dilations")
    for name in ("strides", "dilations"):
        values, data_format = attrs[name], attrs["data_format"]
        if values[0] != 1 or channels(values, data_format) != 1:
            raise ValueError(
                f"Current implementation does not yet support {name} in the batch and depth "
                f"dimensions, got {list(values)} for {data_format}"
            )


def windows_of(attrs: dict[str, Any], dims: Any, filter_dims: Any) -> Windows:
    """How the filter slides over an input of a shape, given in the format of the attributes."""
    data_format = attrs["data_format"]
    return Windows.over(
        inner(dims, data_format),
        filter_dims[:-2],
        inner(attrs["strides"], data_format),
        inner(attrs["dilations"], data_format),
        attrs["padding"],
    )


def output_dims(attrs: dict[str, Any], dims: Any, filter_dims: Any, depth: int | None) -> Dims:
    """The shape of the output for an input and a filter of shapes, which may be known in part."""
    data_format = attrs["data_format"]
    sizes = [
        count(n, k, s, r, attrs["padding"])
        for n, k, s, r in zip(
            inner(dims, data_format),
            filter_dims[:-2],
            inner(attrs["strides"], data_format),
            inner(attrs["dilations"], data_format),
            strict=True,
        )
    ]
    return sizes_in(dims[0], sizes, depth, data_format)


# -- shape rules -----------------------------------------------------------------------------------


def shape(rank: int) -> Callable[..., Dims]:
    """The shape rule of a convolution."""

    def rule(attrs: dict[str, Any], x: Tensor, filters: Tensor) -> Dims:
        dims, filter_dims = shape_rules.with_rank(x, rank), shape_rules.with_rank(filters, rank)
        check(attrs, rank)
        shape_rules.same_size(channels(dims, attrs["data_format"]), filter_dims[-2])
        return output_dims(attrs, dims, filter_dims, filter_dims[-1])

    return rule


def input_gradient_shape(rank: int) -> Callable[..., Dims]:
    """The shape rule of a gradient with respect to the input."""

    def rule(attrs: dict[str, Any], sizes: Tensor, filters: Tensor, dy: Tensor) -> Dims:
        shape_rules.with_rank(filters, rank)
        shape_rules.with_rank(dy, rank)
        check(attrs, rank)
        return given(sizes, rank)

    return rule


def filter_gradient_shape(rank: int) -> Callable[..., Dims]:
    """The shape rule of a gradient with respect to the filter."""

    def rule(attrs: dict[str, Any], x: Tensor, sizes: Tensor, dy: Tensor) -> Dims:
        shape_rules.with_rank(x, rank)
        shape_rules.with_rank(dy, rank)
        check(attrs, rank)
        return given(sizes, rank)

    return rule


def given(sizes: Tensor, rank: int) -> Dims:
    """The shape that a vector of sizes says.

    Raises:
      ValueError: if they are not those of `rank` dimensions.
    """
    dims = constant_dims(sizes)
    if dims is None:
        return (None,) * rank
    if len(dims) != rank:
        raise ValueError(f"Sizes of {rank} dimensions are needed, got {len(dims)}")
    return dims


# -- NumPy meanings --------------------------------------------------------------------------------


def compute(x: np.ndarray, filters: np.ndarray, **attrs: Any) -> np.ndarray:
    windows = windows_of(attrs, x.shape, filters.shape)
    x = channels_last(x, attrs["data_format"])
    return in_format(products.convolved(x, filters, windows), attrs["data_format"])


def compute_input_gradient(
    sizes: np.ndarray, filters: np.ndarray, dy: np.ndarray, **attrs: Any
) -> np.ndarray:
    windows = windows_of(attrs, sizes.tolist(), filters.shape)
    check_output(output_dims(attrs, sizes.tolist(), filters.shape, filters.shape[-1]), dy)
    if filters.shape[-2] != channels(sizes, attrs["data_format"]):
        raise ValueError(f"Filters of shape {filters.shape} do not fit an input of {sizes}")
    dy = channels_last(dy, attrs["data_format"])
    return in_format(products.input_gradient(dy, filters, windows), attrs["data_format"])


def compute_filter_gradient(
    x: np.ndarray, sizes: np.ndarray, dy: np.ndarray, **attrs: Any
) -> np.ndarray:
    filter_dims = sizes.tolist()
    windows = windows_of(attrs, x.shape, filter_dims)
    check_output(output_dims(attrs, x.shape, filter_dims, filter_dims[-1]), dy)
    x, dy = (channels_last(a, attrs["data_format"]) for a in (x, dy))
    if filter_dims[-2] != x.shape[-1]:
        raise ValueError(f"Filters of shape {filter_dims} do not fit {x.shape[-1]} channels")
    return products.filter_gradient(x, dy, windows)


def check_output(dims: Dims, dy: np.ndarray) -> None:
    """Checks the shape of the gradient of an output."""
    if dy.shape != dims:
        raise ValueError(
            f"Size of out_backprop doesn't match computed: actual = {dy.shape}, computed = {dims}"
        )


# -- gradients -------------------------------------------------------------------------------------


def attrs_of(op: Any) -> dict[str, Any]:
    """The attributes of an op, for another one of its kind."""
    return {name: op.get_attr(name) for name in op.record.defaults}


class Gradients:
    """The gradient functions of a convolution, of its gradient to the input, and to the filter.

    Each of the three is linear in two of its inputs, so its gradients are the other two.

    Args:
      forward, to_input, to_filter: the names of the three ops.
    """

    def __init__(self, forward: str, to_input: str, to_filter: str) -> None:
        self._names = forward, to_input, to_filter

    def _ops(self, op: Any) -> list[Any]:
        attrs = attrs_of(op)
        return [functools.partial(getattr(raw, name), **attrs) for name in self._names]

    def of_forward(self, op: Any, dy: Tensor) -> tuple[Any, Any]:
        x, filters = op.inputs
        _, to_input, to_filter = self._ops(op)
        return (
            lambda: to_input(shape_of(x), filters, dy),
            lambda: to_filter(x, shape_of(filters), dy),
        )

    def of_input_gradient(self, op: Any, dz: Tensor) -> tuple[Any, Any, Any]:
        _, filters, dy = op.inputs
        forward, _, to_filter = self._ops(op)
        return None, lambda: to_filter(dz, shape_of(filters), dy), lambda: forward(dz, filters)

    def of_filter_gradient(self, op: Any, dz: Tensor) -> tuple[Any, Any, Any]:
        x, _, dy = op.inputs
        forward, to_input, _ = self._ops(op)
        return lambda: to_input(shape_of(x), dz, dy), None, lambda: forward(x, dz)


# -- samples ---------------------------------------------------------------------------------------


class Samples:
    """Samples of the three ops.

    Args:
      rows: of input shape, filter shape, attributes.
      meaning: the NumPy meaning, which tells the shape of the output.
    """

    def __init__(
        self, rows: Sequence[tuple[Any, Any, dict[str, Any]]], meaning: Callable[..., np.ndarray]
    ) -> None:
        self._rows, self._meaning = rows, meaning

    def _drawn(self, rng: np.random.Generator) -> Iterable[tuple[Any, Any, Any, dict[str, Any]]]:
        for dtype in (np.float32, np.float64):
            for shape, filter_shape, attrs in self._rows:
                x, filters = (rng.normal(size=s).astype(dtype) for s in (shape, filter_shape))
                dy = rng.normal(size=self._meaning(x, filters, **attrs).shape).astype(dtype)
                yield x, filters, dy, attrs

    def of_forward(self, rng: np.random.Generator) -> Iterable[Sample]:
        for x, filters, _, attrs in self._drawn(rng):
            yield Sample(x, filters, **attrs)

    def of_input_gradient(self, rng: np.random.Generator) -> Iterable[Sample]:
        for x, filters, dy, attrs in self._drawn(rng):
            yield Sample(np.array(x.shape, np.int32), filters, dy, **attrs)

    def of_filter_gradient(self, rng: np.random.Generator) -> Iterable[Sample]:
        for x, filters, dy, attrs in self._drawn(rng):
            yield Sample(x, np.array(filters.shape, np.int32), dy, **attrs)
