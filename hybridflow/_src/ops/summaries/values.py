"""Summaries of numbers and of any tensors, and several as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.formats import messages
from hybridflow._src.formats.histograms import histogram
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import OpDef, Sample, not_differentiable
from hybridflow._src.ops.families import REALS
from hybridflow._src.ops.shape_rules import scalar

if TYPE_CHECKING:
    from collections.abc import Iterable

_NOT_FINITE = (
    "{what} in summary histogram for: {tag}. A histogram shows finite numbers alone: "
    "`hf.is_finite` tells which of the values are."
)


def text(array: np.ndarray) -> str:
    """The tag that a scalar of strings holds.

    Raises:
      InvalidArgumentError: if it is no scalar.
    """
    if array.ndim:
        raise InvalidArgumentError(None, None, f"tag must be a scalar, got shape {array.shape}.")
    tag: bytes = array.item()
    return tag.decode("utf-8", "surrogateescape")


def packed(values: Iterable[Any]) -> np.ndarray:
    """A summary of these values, as an op gives it."""
    summary = messages.Summary(value=values)
    return np.array(summary.SerializeToString(), object)


def _scalars(tags: np.ndarray, values: np.ndarray) -> np.ndarray:
    if tags.shape != values.shape:
        raise InvalidArgumentError(
            None,
            None,
            f"tags and values not the same shape: {list(tags.shape)} != {list(values.shape)}"
            + (f" (tag '{text(tags)}')" if not tags.ndim else ""),
        )
    pairs = zip(tags.reshape(-1), values.reshape(-1), strict=True)
    return packed(
        messages.Summary.Value(tag=text(np.array(tag, object)), simple_value=float(value))
        for tag, value in pairs
    )


def _histogram(tag: np.ndarray, values: np.ndarray) -> np.ndarray:
    name = text(tag)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        what = "Nan" if np.isnan(values).any() else "Infinity"
        raise InvalidArgumentError(None, None, _NOT_FINITE.format(what=what, tag=name))
    return packed([messages.Summary.Value(tag=name, histo=histogram(values))])


def _tensor_value(tensor: np.ndarray) -> Any:
    """A tensor as a message: numbers as they lie in memory, strings one by one."""
    proto = messages.TensorProto(dtype=dtypes.as_dtype(tensor.dtype).as_datatype_enum)
    # An empty one says that the rank is known.
    proto.tensor_shape.SetInParent()
    for size in tensor.shape:
        proto.tensor_shape.dim.add(size=size)
    if tensor.dtype.kind == "O":
        proto.string_val.extend(tensor.reshape(-1))
    else:
        proto.tensor_content = tensor.tobytes()
    return proto


def _tensor(tag: np.ndarray, tensor: np.ndarray, metadata: np.ndarray) -> np.ndarray:
    value = messages.Summary.Value(tag=text(tag), tensor=_tensor_value(tensor))
    value.metadata.ParseFromString(metadata.item())
    return packed([value])


def _old_tensor(tensor: np.ndarray, description: Any, labels: Any, display_name: Any) -> np.ndarray:
    return packed([messages.Summary.Value(tensor=_tensor_value(tensor))])


def _merge(*inputs: np.ndarray) -> np.ndarray:
    merged = messages.Summary()
    seen: set[str] = set()
    for summary in inputs:
        for item in summary.reshape(-1):
            try:
                found = messages.Summary.FromString(item)
            except messages.decode_error():
                raise InvalidArgumentError(
                    None, None, "Could not parse one of the summary inputs: it is no summary."
                ) from None
            for value in found.value:
                if value.tag in seen:
                    raise InvalidArgumentError(
                        None, None, f"Duplicate tag {value.tag} found in summary inputs"
                    )
                seen.add(value.tag)
            merged.MergeFrom(found)
    return packed(merged.value)


# -- records ---------------------------------------------------------------------------------------


def _word(text: bytes) -> np.ndarray:
    return np.array(text, object)


def _scalar_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.int32, np.uint8):
        yield Sample(_word(b"loss"), np.array(rng.uniform(0, 9)).astype(dtype))
    yield Sample(np.array([b"a", b"b"], object), np.array([1.5, np.nan], np.float32))


def _histogram_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.int32, np.uint8):
        yield Sample(_word(b"h"), rng.uniform(0, 9, (3, 4)).astype(dtype))
    yield Sample(_word(b"h"), np.array([-1e30, -0.0, 1e-13, 3e38], np.float32))
    yield Sample(_word(b"h"), np.empty((0, 2), np.float32))


def _tensor_samples(rng: np.random.Generator) -> Iterable[Sample]:
    metadata = _word(messages.SummaryMetadata(display_name="shown").SerializeToString())
    yield Sample(_word(b"t"), np.array([[1, 2], [3, 4]], np.int32), metadata)
    yield Sample(_word(b"t"), np.array([b"one", b"two"], object), metadata)
    yield Sample(_word(b"t"), np.array(True), _word(b""))


def _old_tensor_samples(rng: np.random.Generator) -> Iterable[Sample]:
    yield Sample(np.array([1.0, 2.0], np.float32))
    yield Sample(np.array(b"text", object), description="{}", labels=["a"])


def _merge_samples(rng: np.random.Generator) -> Iterable[Sample]:
    summaries = [_scalars(_word(b"%d" % n), np.array(float(n))) for n in range(3)]
    yield Sample(summaries)
    yield Sample(summaries[:1])


OpDef(
    "ScalarSummary",
    "tags: string, values: T -> summary: string",
    types={"T": REALS},
    shape=scalar,
    compute=_scalars,
    grad=not_differentiable,
    samples=_scalar_samples,
)
OpDef(
    "HistogramSummary",
    "tag: string, values: T -> summary: string",
    types={"T": REALS},
    shape=scalar,
    compute=_histogram,
    grad=not_differentiable,
    samples=_histogram_samples,
)
OpDef(
    "TensorSummaryV2",
    "tag: string, tensor: T, serialized_summary_metadata: string -> summary: string",
    shape=scalar,
    compute=_tensor,
    grad=not_differentiable,
    samples=_tensor_samples,
)
OpDef(
    "TensorSummary",
    "tensor: T -> summary: string",
    attrs={"description": "", "labels": (), "display_name": ""},
    shape=scalar,
    compute=_old_tensor,
    grad=not_differentiable,
    samples=_old_tensor_samples,
)
OpDef(
    "MergeSummary",
    "inputs: N*string -> summary: string",
    shape=scalar,
    compute=_merge,
    grad=not_differentiable,
    samples=_merge_samples,
)
