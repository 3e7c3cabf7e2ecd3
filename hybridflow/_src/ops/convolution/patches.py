"""Patches of images laid out as channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.op_def import REQUIRED, OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.spelling import spelled
from hybridflow._src.framework.static_value import constant_dims
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.families import REALS
from hybridflow._src.ops.grad_helpers import shape_of
from hybridflow._src.ops.windows import Windows, check_attrs, count, each_dimension, padded, view

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["extract_image_patches"]

_ATTRS = {"ksizes": REQUIRED, "strides": REQUIRED, "rates": REQUIRED, "padding": REQUIRED}


def _output_dims(attrs: dict[str, Any], dims: Any) -> Any:
    lists = ("ksizes", "strides", "rates")
    check_attrs(attrs, 4, *lists)
    for name in lists:
        if attrs[name][0] != 1 or attrs[name][3] != 1:
            raise ValueError(f"{name} of batch and depth must be 1, got {list(attrs[name])}")
    sizes = zip(dims[1:3], *(attrs[name][1:3] for name in lists), strict=True)
    outputs = [count(n, k, s, r, attrs["padding"]) for n, k, s, r in sizes]
    area = attrs["ksizes"][1] * attrs["ksizes"][2]
    return (dims[0], *outputs, None if dims[3] is None else dims[3] * area)


def _windows(dims: Any, ksizes: Any, strides: Any, rates: Any, padding: str) -> Windows:
    return Windows.over(dims[1:3], ksizes[1:3], strides[1:3], rates[1:3], padding)


def _compute(x: np.ndarray, **attrs: Any) -> np.ndarray:
    windows = _windows(x.shape, **attrs)
    return np.array(view(padded(x, windows), windows), order="C").reshape(
        len(x), *windows.outputs, int(np.prod(windows.sizes)) * x.shape[-1]
    )


def _folded(sizes: np.ndarray, patches: np.ndarray, **attrs: Any) -> np.ndarray:
    """Patches added up where they stand."""
    dims = sizes.tolist()
    windows = _windows(dims, **attrs)
    patches = patches.reshape(dims[0], *windows.outputs, *windows.sizes, dims[3])
    x = np.zeros(dims, patches.dtype)
    for place, at, elements in windows.taps():
        seen: Any = (slice(None), *at, *place)
        x[(slice(None), *elements)] += patches[seen]
    return x


def _write_folded(nodes: Any, op: Any) -> None:
    """Writes it as the gradient of a convolution, of each channel by itself, that picks elements.

    Elements that are not seen between those of a window are zeros in the filters: TensorFlow 1.4
    has no rates there. Where sizes are not known, the op is written as what it is.
    """
    _, *outputs, _ = op.inputs[1].shape.as_list()
    _, rows, columns, depth = op.outputs[0].shape.as_list()
    dtype = op.get_attr("T")
    known = None not in (rows, columns, depth, *outputs)
    if not known or not dtype.is_floating:
        nodes.plain(op)
        return
    ksizes, rates = op.get_attr("ksizes")[1:3], op.get_attr("rates")[1:3]
    places = list(np.ndindex(*ksizes))
    reach = [(size - 1) * rate + 1 for size, rate in zip(ksizes, rates, strict=True)]
    filters = np.zeros([*reach, 1, len(places)], dtype.np)
    for number, (i, j) in enumerate(places):
        filters[i * rates[0], j * rates[1], 0, number] = 1

    def constant(value: Any, of: DType = dtypes.int32) -> str:
        array = np.asarray(value, of.np)
        found: str = nodes.output(nodes.add("Const", f"{op.name}/const", [], value=array, dtype=of))
        return found

    def reshaped(given: str, shape: list[int]) -> str:
        kinds = {"T": dtype, "Tshape": dtypes.int32}
        node = nodes.add("Reshape", f"{op.name}/reshape", [given, constant(shape)], **kinds)
        found: str = nodes.output(node)
        return found

    def arithmetic(type_: str, given: str, value: list[int]) -> str:
        node = nodes.add(type_, f"{op.name}/sizes", [given, constant(value)], T=dtypes.int32)
        found: str = nodes.output(node)
        return found

    swap = {"T": dtype, "Tperm": dtypes.int32}
    apart = reshaped(nodes.input(op.inputs[1]), [-1, *outputs, len(places), depth])
    given = [apart, constant([0, 4, 1, 2, 3])]
    by_channel = nodes.output(nodes.add("Transpose", f"{op.name}/channels", given, **swap))
    alone = reshaped(by_channel, [-1, *outputs, len(places)])
    sizes = arithmetic("Mul", nodes.input(op.inputs[0]), [depth, 1, 1, 0])
    images = nodes.add(
        "Conv2DBackpropInput",
        f"{op.name}/images",
        [arithmetic("Add", sizes, [0, 0, 0, 1]), constant(filters, dtype), alone],
        T=dtype,
        strides=op.get_attr("strides"),
        padding=op.get_attr("padding"),
    )
    whole = reshaped(nodes.output(images), [-1, depth, rows, columns])
    nodes.node(op, "Transpose", [whole, constant([0, 2, 3, 1])], swap)


def _folded_shape(attrs: dict[str, Any], sizes: Tensor, patches: Tensor) -> shape_rules.Dims:
    dims = constant_dims(sizes)
    dims = (None,) * 4 if dims is None else dims
    if len(dims) != 4:
        raise ValueError(f"Sizes of 4 dimensions are needed, got {len(dims)}")
    outputs = _output_dims(attrs, dims)
    for wanted, got in zip(outputs, shape_rules.with_rank(patches, 4), strict=True):
        shape_rules.same_size(wanted, got)
    return dims


def _attrs_of(op: Any) -> dict[str, Any]:
    return {key: op.get_attr(key) for key in _ATTRS}


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for shape, ksizes, strides, rates, padding in (
            ((2, 4, 3, 2), [1, 2, 2, 1], [1, 1, 1, 1], [1, 1, 1, 1], "SAME"),
            ((1, 5, 4, 1), [1, 3, 2, 1], [1, 2, 1, 1], [1, 1, 2, 1], "VALID"),
            ((1, 3, 3, 2), [1, 1, 1, 1], [1, 2, 2, 1], [1, 1, 1, 1], "VALID"),
        ):
            x = rng.normal(size=shape).astype(dtype)
            yield Sample(x, ksizes=ksizes, strides=strides, rates=rates, padding=padding)


def _folded_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for sample in _samples(rng):
        (x,) = sample.args
        patches = _compute(x, **sample.attrs)
        yield Sample(np.array(x.shape, np.int32), patches, **sample.attrs)


_extract = OpDef(
    "ExtractImagePatches",
    "images: T -> patches: T",
    types=REALS,
    attrs=_ATTRS,
    shape=lambda attrs, x: _output_dims(attrs, shape_rules.with_rank(x, 4)),
    compute=_compute,
    grad=lambda op, dy: raw.FoldImagePatches(shape_of(op.inputs[0]), dy, **_attrs_of(op)),
    samples=_samples,
    checked=True,
)
OpDef(
    "FoldImagePatches",
    "sizes: int32, patches: T -> images: T",
    types=REALS,
    attrs=_ATTRS,
    shape=_folded_shape,
    compute=_folded,
    grad=lambda op, dz: (None, raw.ExtractImagePatches(dz, **_attrs_of(op))),
    samples=_folded_samples,
    checked=True,
    written=_write_folded,
)


@spelled(sizes="ksizes")
def extract_image_patches(
    images: Any,
    ksizes: Sequence[int],
    strides: Sequence[int],
    rates: Sequence[int],
    padding: str,
    name: str | None = None,
) -> Tensor:
    """What windows that slide over images see, each patch as one vector.

    Args:
      images: tensor `[batch, height, width, depth]` of a real dtype.
      ksizes: 4 ints, the sizes of the windows, `[1, rows, columns, 1]`.
      strides: 4 ints, how far the windows are apart.
      rates: 4 ints, how far apart the elements of a window are.
      padding: "SAME", windows may stand out from the images and see zeros there; or "VALID".
      name: name of the op.

    Returns: a tensor `[batch, out_height, out_width, rows * columns * depth]` of the same dtype.

    Raises:
      ValueError: if the windows do not fit or an attribute has a value that is not allowed.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     images = hf.reshape(hf.range(6), [1, 2, 3, 1])
    ...     ones = [1, 1, 1, 1]
    ...     print(hf.extract_image_patches(images, [1, 2, 2, 1], ones, ones, "VALID").numpy())
    [[[[0 1 3 4]
       [1 2 4 5]]]]
    """
    return _extract(
        images,
        ksizes=each_dimension("ksizes", ksizes, 4),
        strides=each_dimension("strides", strides, 4),
        rates=each_dimension("rates", rates, 4),
        padding=padding,
        name=name,
    )
