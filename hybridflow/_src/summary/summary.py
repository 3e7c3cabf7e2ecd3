"""`hf.summary`: ops that make summaries of values, under TensorFlow's names and tags."""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING, Any

from hybridflow._src.formats import messages
from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.graph_keys import GraphKeys, add_to_collections, get_collection
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops.summaries import media as _media  # noqa: F401 - registers ops
from hybridflow._src.ops.summaries import values as _values  # noqa: F401 - registers ops
from hybridflow._src.platform import tf_logging

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


__all__ = [
    "audio",
    "get_summary_description",
    "histogram",
    "image",
    "merge",
    "merge_all",
    "scalar",
    "tensor_summary",
    "text",
]

_ILLEGAL = re.compile(r"[^-/\w\.]")
_NOT_EAGER = (
    "Merging tf.summary.* ops is not compatible with eager execution. Use tf.contrib.summary "
    "instead."
)


def clean_tag(name: str | None) -> str | None:
    """A name as a tag and as the name of an op: what may not stand in it becomes "_"."""
    if isinstance(name, Tensor):
        raise TypeError(
            f'The name of a summary is a string, got {name!r}: `hf.summary.scalar("loss", tensor)`.'
        )
    if name is None:
        return None
    clean = _ILLEGAL.sub("_", name).lstrip("/")
    if clean != name:
        tf_logging.info("Summary name %s is illegal; using %s instead.", name, clean)
    return clean


def tagged(
    add: Callable[[str, str], Tensor],
    name: str,
    values: Sequence[Any],
    collections: Iterable[Any] | None,
    family: str | None,
    default_name: str | None = None,
) -> Tensor:
    """What `add` makes of a tag and the name of an op, which joins the collections."""
    name_, family = clean_tag(name), clean_tag(family)
    base = name_ if family is None else f"{family}/{name_}"
    with name_scope(base, default_name, values) as scope:
        tag = scope.rstrip("/")
        summary = add(tag if family is None else f"{family}/{tag}", scope)
        add_to_collections([GraphKeys.SUMMARIES] if collections is None else collections, summary)
    return summary


def scalar(
    name: str, tensor: Any, collections: Iterable[Any] | None = None, family: str | None = None
) -> Tensor:
    """A summary of one number: a curve in TensorBoard.

    Args:
      name: name of the op and, with the name scopes around it, the curve's tag.
      tensor: a scalar of a real dtype.
      collections: keys of collections that it joins; `[GraphKeys.SUMMARIES]` by default.
      family: put before the tag; TensorBoard shows curves of one family together.

    Returns: a string scalar: a `Summary` message, serialized.

    Raises:
      TypeError: for strings, truth values, complex numbers.
      InvalidArgumentError: when it runs, if `tensor` is no scalar.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     summary = hf.summary.scalar("loss", 0.5)
    ...     print(hf.Summary.FromString(session.run(summary)))
    value {
      tag: "loss"
      simple_value: 0.5
    }
    <BLANKLINE>
    """
    return tagged(
        lambda tag, scope: raw.ScalarSummary(tag, tensor, name=scope),
        name,
        [tensor],
        collections,
        family,
    )


def image(
    name: str,
    tensor: Any,
    max_outputs: int = 3,
    collections: Iterable[Any] | None = None,
    family: str | None = None,
) -> Tensor:
    """A summary of images, encoded by Pillow (the extra `image`).

    Floats are scaled, one image at a time: so that the largest is 255, or, where some are below
    zero, that zero is 128 and the one farthest from it at an end of the range. What is not finite
    is red. Bytes stay as they are.

    Args:
      name: name of the op. Tags are "<name>/image/0" and so on, or "<name>/image" if `max_outputs`
        is 1.
      tensor: `[batch, height, width, channels]`, of floats or uint8; 1, 3 (RGB) or 4 (RGBA)
        channels.
      max_outputs: how many images of the batch are shown.
      collections, family: as in `scalar`.

    Returns: a string scalar: a `Summary` message, serialized.

    Raises:
      InvalidArgumentError: when it runs, for another shape. ImportError: without Pillow.

    >>> import hybridflow as hf
    >>> import numpy as np
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     summary = hf.summary.image("digits", np.zeros([2, 8, 8, 1], np.float32))
    ...     [v.tag for v in hf.Summary.FromString(session.run(summary)).value]
    ['digits/image/0', 'digits/image/1']
    """
    return tagged(
        lambda tag, scope: raw.ImageSummary(tag, tensor, max_images=max_outputs, name=scope),
        name,
        [tensor],
        collections,
        family,
    )


def histogram(
    name: str, values: Any, collections: Iterable[Any] | None = None, family: str | None = None
) -> Tensor:
    """A summary of how numbers are distributed, in TensorFlow's buckets, which grow by a tenth.

    Args:
      name: name of the op and, with the name scopes around it, the tag.
      values: finite numbers of any real dtype and shape.
      collections, family: as in `scalar`.

    Returns: a string scalar: a `Summary` message, serialized.

    Raises:
      InvalidArgumentError: when it runs, if a value is not finite.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     summary = hf.summary.histogram("weights", [0.0, 1.0, 1.0])
    ...     found = hf.Summary.FromString(session.run(summary)).value[0].histo
    ...     print(found.num, found.sum, sum(found.bucket))
    3.0 2.0 3.0
    """
    return tagged(
        lambda tag, scope: raw.HistogramSummary(tag, values, name=scope),
        name,
        [values],
        collections,
        family,
        "HistogramSummary",
    )


def audio(
    name: str,
    tensor: Any,
    sample_rate: Any,
    max_outputs: int = 3,
    collections: Iterable[Any] | None = None,
    family: str | None = None,
) -> Tensor:
    """A summary of sounds, as WAV files of 16 bits.

    Args:
      name: name of the op. Tags are "<name>/audio/0" and so on, or "<name>/audio" if `max_outputs`
        is 1.
      tensor: float32 `[batch, frames, channels]` or `[batch, frames]`, between -1 and 1.
      sample_rate: frames a second, a number or a float32 scalar.
      max_outputs: how many sounds of the batch are kept.
      collections, family: as in `scalar`.

    Returns: a string scalar: a `Summary` message, serialized.

    Raises:
      InvalidArgumentError: when it runs, for another shape or a rate that is not above zero.

    >>> import hybridflow as hf
    >>> import numpy as np
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     tone = np.sin(np.arange(800, dtype=np.float32) / 3)[None]
    ...     summary = hf.summary.audio("tone", tone, 8000.0, max_outputs=1)
    ...     hf.Summary.FromString(session.run(summary)).value[0].audio.length_frames
    800
    """

    def add(tag: str, scope: str) -> Tensor:
        rate = convert_to_tensor(sample_rate, dtypes.float32, name="sample_rate")
        return raw.AudioSummaryV2(tag, tensor, rate, max_outputs=max_outputs, name=scope)

    return tagged(add, name, [tensor], collections, family)


def tensor_summary(
    name: str,
    tensor: Any,
    summary_description: str | None = None,
    collections: Iterable[Any] | None = None,
    summary_metadata: Any = None,
    family: str | None = None,
    display_name: str | None = None,
) -> Tensor:
    r"""A summary that holds a tensor of any dtype and shape.

    Args:
      name: name of the op and, with the name scopes around it, the tag.
      tensor: the tensor.
      summary_description: what it shows, in Markdown.
      collections: keys of collections that it joins; `[GraphKeys.SUMMARIES]` by default.
      summary_metadata: a `SummaryMetadata` message that says which plugin of TensorBoard shows it.
      family: put before the tag.
      display_name: what it is called in TensorBoard instead of its tag.

    Returns: a string scalar: a `Summary` message, serialized.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     summary = hf.summary.tensor_summary("pair", hf.constant([1, 2]))
    ...     hf.Summary.FromString(session.run(summary)).value[0].tensor.tensor_content
    b'\x01\x00\x00\x00\x02\x00\x00\x00'
    """
    metadata = messages.SummaryMetadata()
    if summary_metadata is not None:
        metadata.ParseFromString(summary_metadata.SerializeToString())
    if summary_description is not None:
        metadata.summary_description = summary_description
    if display_name is not None:
        metadata.display_name = display_name
    return tagged(
        lambda tag, scope: raw.TensorSummaryV2(
            tag, tensor, metadata.SerializeToString(), name=scope
        ),
        name,
        [tensor],
        collections,
        family,
    )


def text(name: str, tensor: Any, collections: Iterable[Any] | None = None) -> Tensor:
    """A summary of text in Markdown; of a matrix of strings TensorBoard makes a table.

    Args:
      name: name of the op and, with the name scopes around it, the tag.
      tensor: a string tensor.
      collections: keys of collections that it joins; `[GraphKeys.SUMMARIES]` by default.

    Returns: a string scalar: a `Summary` message, serialized.

    Raises:
      ValueError: if the dtype is not string.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     summary = hf.summary.text("note", hf.constant("*begun*"))
    ...     hf.Summary.FromString(session.run(summary)).value[0].tensor.string_val[0]
    b'*begun*'
    """
    if tensor.dtype != dtypes.string:
        raise ValueError(f"Expected tensor {tensor!r} to have dtype string, got {tensor.dtype!r}")
    metadata = messages.SummaryMetadata()
    metadata.plugin_data.plugin_name = "text"
    return tensor_summary(name, tensor, collections=collections, summary_metadata=metadata)


def merge(
    inputs: Sequence[Any], collections: Iterable[Any] | None = None, name: str | None = None
) -> Tensor:
    """Several summaries as one.

    Args:
      inputs: string tensors: summaries, serialized.
      collections: keys of collections that it joins; none by default.
      name: name of the op.

    Raises:
      InvalidArgumentError: when it runs, if two values have one tag.
      RuntimeError: in eager mode.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     both = hf.summary.merge([hf.summary.scalar("a", 1.0), hf.summary.scalar("b", 2.0)])
    ...     [v.tag for v in hf.Summary.FromString(session.run(both)).value]
    ['a', 'b']
    """
    if context.modes.top.eager:
        raise RuntimeError(_NOT_EAGER)
    name = clean_tag(name)
    with name_scope(name, "Merge", inputs):
        merged: Tensor = raw.MergeSummary(list(inputs), name=name)
        add_to_collections(collections or (), merged)
    return merged


def merge_all(key: str = GraphKeys.SUMMARIES) -> Tensor | None:
    """All summaries of a collection of the default graph as one; None if there are none.

    Raises:
      RuntimeError: in eager mode.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     print(hf.summary.merge_all())
    None
    """
    if context.modes.top.eager:
        raise RuntimeError(_NOT_EAGER)
    found = get_collection(key)
    return merge(found) if found else None


def get_summary_description(node_def: Any) -> Any:
    """The `SummaryDescription` message of the node of a `TensorSummary` op.

    Raises:
      ValueError: if it is another op.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     hf.summary.get_summary_description(hf.constant(1.0).op.node_def)
    Traceback (most recent call last):
    ValueError: Can't get_summary_description on Const
    """
    if node_def.op != "TensorSummary":
        raise ValueError(f"Can't get_summary_description on {node_def.op}")
    description = messages.SummaryDescription()
    json_format = importlib.import_module("google.protobuf.json_format")
    json_format.Parse(node_def.attr["description"].s.decode(), description)
    return description
