"""`tf.contrib.summary`: summaries that are written where they are made, in both modes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.formats import messages
from hybridflow._src.framework import context
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.graph import Graph
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import control_dependencies, device
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops.arrays.constant import constant
from hybridflow._src.ops.control_flow.conditional import cond
from hybridflow._src.ops.control_flow.ordering import no_op
from hybridflow._src.summary.summary import tagged
from hybridflow._src.train.summary_writers import (
    NO_WRITER,
    SUMMARIES,
    chosen_step,
    serialized,
    should_record_summaries,
    write_graph,
    writers,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["audio", "generic", "graph", "histogram", "image", "import_event", "scalar"]

_RED = (255, 0, 0, 255)


def generic(
    name: str, tensor: Any, metadata: Any = None, family: str | None = None, step: Any = None
) -> Any:
    """Writes a tensor as a summary, if summaries are recorded here and there is a writer.

    Args:
      name: the tag, with the name scopes around it.
      tensor: a tensor of any dtype and shape.
      metadata: a `SummaryMetadata` message, that serialized, or None.
      family: put before the tag.
      step: the training step; the global step if it is None, which is made if there is none.

    Returns: in a graph, the tensor or operation to run; `all_summary_ops` gives them all. What is
      made inside of a branch or a loop's body runs with it.
    """
    described = metadata.SerializeToString() if hasattr(metadata, "SerializeToString") else metadata
    return _record(
        name,
        tensor,
        family,
        step,
        lambda writer, at, tag, scope: raw.WriteSummary(
            writer, at, tensor, tag, described or "", name=scope
        ),
    )


def scalar(name: str, tensor: Any, family: str | None = None, step: Any = None) -> Any:
    """Writes a number: see `generic` and `hf.summary.scalar`."""
    return _record(
        name,
        tensor,
        family,
        step,
        lambda writer, at, tag, scope: raw.WriteScalarSummary(writer, at, tag, tensor, name=scope),
    )


def histogram(name: str, tensor: Any, family: str | None = None, step: Any = None) -> Any:
    """Writes how numbers are distributed: see `generic` and `hf.summary.histogram`."""
    return _record(
        name,
        tensor,
        family,
        step,
        lambda writer, at, tag, scope: raw.WriteHistogramSummary(
            writer, at, tag, tensor, name=scope
        ),
    )


def image(
    name: str,
    tensor: Any,
    bad_color: Any = None,
    max_images: int = 3,
    family: str | None = None,
    step: Any = None,
) -> Any:
    """Writes images: see `generic` and `hf.summary.image`.

    Args:
      name, tensor, family, step: as there.
      bad_color: uint8, a value a channel: the color of what is not finite; red by default.
      max_images: how many images of the batch are shown.
    """
    color = np.asarray(_RED if bad_color is None else bad_color, np.uint8)
    return _record(
        name,
        tensor,
        family,
        step,
        lambda writer, at, tag, scope: raw.WriteImageSummary(
            writer, at, tag, tensor, color, max_images=max_images, name=scope
        ),
    )


def audio(
    name: str,
    tensor: Any,
    sample_rate: Any,
    max_outputs: int,
    family: str | None = None,
    step: Any = None,
) -> Any:
    """Writes sounds: see `generic` and `hf.summary.audio`."""
    return _record(
        name,
        tensor,
        family,
        step,
        lambda writer, at, tag, scope: raw.WriteAudioSummary(
            writer, at, tag, tensor, sample_rate, max_outputs=max_outputs, name=scope
        ),
    )


def graph(param: Any, step: Any = None, name: str | None = None) -> Any:
    """Writes a graph, for TensorBoard to show, whether or not summaries are recorded here.

    Args:
      param: a string tensor, a `GraphDef` serialized; in eager mode also a `Graph` or `GraphDef`.
      step: the training step; the global step if it is None.
      name: name of the operation.

    Raises:
      TypeError: in a graph, if `param` is no tensor.
    """
    if not context.modes.top.eager and not isinstance(param, Tensor):
        raise TypeError(
            "graph() needs a tf.Tensor (e.g. tf.placeholder) in graph mode, but was: "
            f"{type(param)}. `initialize(graph=...)` takes graphs."
        )
    writer = writers.top
    if writer is None:
        return no_op()
    is_graph = isinstance(param, (Graph, messages.GraphDef))
    return write_graph(writer, step, serialized(param) if is_graph else param, name)


def import_event(tensor: Any, name: str | None = None) -> Any:
    """Writes an `Event` message, serialized, as it is, whether or not summaries are recorded here.

    Raises:
      RuntimeError: without a default writer.
    """
    writer = writers.top
    if writer is None:
        raise RuntimeError(NO_WRITER)
    return raw.ImportEvent(writer.resource, tensor, name=name)


def _record(
    name: str, tensor: Any, family: str | None, step: Any, write: Callable[..., Any]
) -> Any:
    """Writes a summary, if it is to be recorded.

    Args:
      write: called with the writer's handle, the step, the tag and the name of the op.
    """
    writer = writers.top
    if writer is None:
        return no_op()

    def written(tag: str, scope: str) -> Tensor:
        done = write(writer.resource, chosen_step(step), tag, scope)
        with control_dependencies([] if done is None else [done]):
            return constant(True)

    def record() -> Tensor:
        return tagged(written, name, [tensor], (), family)

    with device("cpu:0"):
        due = should_record_summaries()
        if isinstance(due, bool):
            result = record() if due else constant(False)
        else:
            result = cond(due, record, lambda: constant(False), name="")
    if not context.modes.top.eager:
        body = result.op.body
        if body is None:
            get_default_graph().add_to_collection(SUMMARIES, result)
        elif result.op not in body.effects:
            body.effects.append(result.op)
    return result
