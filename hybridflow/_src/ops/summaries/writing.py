"""Ops that write summaries to event files at once. A writer is a resource, like a variable."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.formats import messages
from hybridflow._src.formats.event_file_writer import EventFileWriter
from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.eager_tensor import EagerTensor
from hybridflow._src.framework.errors import InvalidArgumentError, NotFoundError
from hybridflow._src.framework.locks import holding, new_lock
from hybridflow._src.framework.op_def import OPS, OpDef, not_differentiable
from hybridflow._src.framework.registry import raw
from hybridflow._src.ops.families import REALS
from hybridflow._src.ops.shape_rules import scalar
from hybridflow._src.ops.summaries import media as _media  # noqa: F401 - registers ops
from hybridflow._src.ops.summaries.values import text
from hybridflow._src.platform.system_errors import translated

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.tensor import Tensor

_NO_FILE = (
    "A summary writer has no file yet. In graph mode run what makes it: "
    "`hf.contrib.summary.initialize()`, or `summary_writer_initializer_op()`."
)


class _Resource:
    """What the handle of a summary writer stands for: a writer, once its file is made."""

    def __init__(self) -> None:
        self._lock = new_lock()
        self._writer: EventFileWriter | None = None

    def create(self, folder: str, *args: Any) -> None:
        """Makes the file; a second time nothing happens."""
        holding(self._lock, self._create, folder, args)

    def _create(self, folder: str, args: Any) -> None:
        if self._writer is None:
            with translated(folder):
                if not os.path.isdir(folder):
                    os.mkdir(folder)
            self._writer = EventFileWriter(folder, *args)

    @property
    def writer(self) -> EventFileWriter:
        if self._writer is None:
            raise NotFoundError(None, None, _NO_FILE)
        return self._writer


def _handle(**_: Any) -> Callable[[], _Resource]:
    resource = _Resource()
    return lambda: resource


def new_handle(name: str | None) -> Tensor:
    """The handle of a new summary writer; of a graph's one, in each session."""
    if context.modes.top.eager:
        return EagerTensor(_Resource(), dtypes.resource)
    return raw.SummaryWriter(shared_name=name or "")


def _create(
    writer: _Resource, logdir: Any, max_queue: Any, flush_millis: Any, filename_suffix: Any
) -> None:
    seconds = int(flush_millis) / 1000
    writer.create(text(logdir), int(max_queue), seconds, text(filename_suffix))


def _add(writer: _Resource, event: Any, step: np.ndarray) -> None:
    event.step = int(step)
    event.wall_time = time.time()
    writer.writer.add_event(event)


def _adding(kind: str) -> Callable[..., None]:
    """Writes the summary that another op makes."""

    def compute(writer: _Resource, step: np.ndarray, *values: np.ndarray, **attrs: Any) -> None:
        made = OPS[kind].compute(*values, **attrs)  # type: ignore[misc]
        _add(writer, messages.Event(summary=messages.Summary.FromString(made.item())), step)

    return compute


def _add_tensor(writer: Any, step: Any, tensor: Any, tag: Any, summary_metadata: Any) -> None:
    _adding("TensorSummaryV2")(writer, step, tag, tensor, summary_metadata)


def _add_image(
    writer: Any, step: Any, tag: Any, tensor: Any, bad_color: Any, max_images: int
) -> None:
    attrs = {"bad_color": bad_color, "max_images": max_images}
    _adding("ImageSummary")(writer, step, tag, tensor, **attrs)


def _add_graph(writer: Any, step: Any, tensor: Any) -> None:
    try:
        messages.GraphDef.FromString(tensor.item())
    except messages.decode_error():
        raise InvalidArgumentError(None, None, "A graph to write is no GraphDef.") from None
    _add(writer, messages.Event(graph_def=tensor.item()), step)


def _import_event(writer: Any, event: Any) -> None:
    try:
        found = messages.Event.FromString(event.item())
    except messages.decode_error():
        raise InvalidArgumentError(None, None, "An event to write is no Event.") from None
    writer.writer.add_event(found)


def _op(
    name: str, inputs: str, compute: Callable[..., None], types: Any = (), attrs: Any = None
) -> None:
    OpDef(
        name,
        f"writer: resource{inputs} ->",
        types=types,
        attrs=attrs,
        shape=lambda attrs, *_: [],
        compute=compute,
        grad=not_differentiable,
        stateful=True,
    )


OpDef(
    "SummaryWriter",
    "-> writer: resource",
    attrs={"shared_name": "", "container": ""},
    shape=scalar,
    kernel=_handle,
    grad=not_differentiable,
    stateful=True,
)
_op(
    "CreateSummaryFileWriter",
    ", logdir: string, max_queue: int32, flush_millis: int32, filename_suffix: string",
    _create,
)
_op("FlushSummaryWriter", "", lambda writer: writer.writer.flush())
_op("CloseSummaryWriter", "", lambda writer: writer.writer.close())
_op("WriteSummary", ", step: int64, tensor: T, tag: string, summary_metadata: string", _add_tensor)
_op(
    "WriteScalarSummary",
    ", step: int64, tag: string, value: T",
    _adding("ScalarSummary"),
    {"T": REALS},
)
_op(
    "WriteHistogramSummary",
    ", step: int64, tag: string, values: T",
    _adding("HistogramSummary"),
    {"T": REALS},
)
_op(
    "WriteImageSummary",
    ", step: int64, tag: string, tensor: T, bad_color: uint8",
    _add_image,
    {"T": REALS},
    {"max_images": 3},
)
_op(
    "WriteAudioSummary",
    ", step: int64, tag: string, tensor: float32, sample_rate: float32",
    _adding("AudioSummaryV2"),
    attrs={"max_outputs": 3},
)
_op("WriteGraphSummary", ", step: int64, tensor: string", _add_graph)
_op("ImportEvent", ", event: string", _import_event)
