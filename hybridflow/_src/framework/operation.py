"""Operations: the nodes of a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import described, dtypes, traceback
from hybridflow._src.framework.device import DeviceSpec
from hybridflow._src.framework.late import late
from hybridflow._src.framework.tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.body import Body
    from hybridflow._src.framework.graph import Graph
    from hybridflow._src.framework.op_def import OpDef


class Operation:
    """A node of a graph: an op record applied to tensors, with the tensors that it will yield.

    Ops are made by calling op functions in graph mode, never directly.

    Attributes:
      record: the op record.
    """

    __slots__ = (
        "__weakref__",
        "_frames",
        "_id",
        "_original_op",
        "attrs",
        "bodies",
        "body",
        "controls",
        "device",
        "graph",
        "inputs",
        "name",
        "outputs",
        "record",
    )

    def __init__(
        self,
        graph: Graph,
        record: OpDef,
        name: str,
        inputs: tuple[Tensor, ...],
        attrs: dict[str, Any],
        controls: tuple[Operation, ...],
        body: Body | None,
        bodies: tuple[Body, ...],
        op_id: int,
        frames: traceback.RawFrames,
    ) -> None:
        self.graph = graph
        self.record = record
        self.name = name
        self.inputs = inputs
        self.attrs = attrs
        self.controls = controls
        self.body = body
        self.bodies = bodies
        self.device = ""
        self.outputs: list[Tensor] = []
        self._id = op_id
        self._frames = frames
        self._original_op: Operation | None = None

    @property
    def type(self) -> str:
        """The op type, such as "MatMul"."""
        return self.record.name

    @property
    def node_def(self) -> Any:
        """The operation as a `NodeDef` message."""
        return late.node_def(self)

    @property
    def op_def(self) -> Any:
        """The definition of its op type, an `OpDef` message."""
        return late.op_def(self.record)

    def set_frames(self, frames: traceback.RawFrames) -> None:
        """Says where the user asked for the op, if that was somewhere else."""
        self._frames = frames

    @property
    def traceback(self) -> list[traceback.Frame]:
        """The user's lines that made the op, outermost first."""
        return traceback.resolve(self._frames)[::-1]

    @property
    def user_frame(self) -> tuple[str, int, str] | None:
        """The user's line that made the op: file, line number, text."""
        frames = traceback.resolve(self._frames[:2])
        return (frames[0].filename, frames[0].lineno, frames[0].line) if frames else None

    @property
    def control_inputs(self) -> list[Operation]:
        """The operations that run before this one though it uses none of their outputs."""
        return list(self.controls)

    @property
    def _outputs(self) -> list[Tensor]:
        """The outputs, as programs name them that look into TensorFlow 1's operations."""
        return self.outputs

    @property
    def _inputs(self) -> list[Tensor]:
        """The inputs, likewise."""
        return list(self.inputs)

    def values(self) -> tuple[Tensor, ...]:
        """The outputs as a tuple."""
        return tuple(self.outputs)

    def get_attr(self, name: str) -> Any:
        """The value of an attribute; a type attribute such as "T" is read off the inputs.

        Raises:
          ValueError: if the op has no such attribute.
        """
        if name in self.attrs:
            return self.attrs[name]
        dtype = self.record.type_attr(name, self.inputs)
        if dtype is None:
            raise ValueError(f"No attr named '{name}' in op '{self.name}' of type {self.type}.")
        return dtype

    def colocation_groups(self) -> list[bytes]:
        """The names of the ops that this one was asked to stand beside, as TF writes them."""
        return list(self.attrs.get("_class", [b"loc:@" + self.name.encode()]))

    def run(self, feed_dict: Any = None, session: Any = None) -> None:
        """Runs the operation in `session` or the default session."""
        self.graph.evaluate(self, feed_dict, session)

    def _set_device(self, device: str | DeviceSpec | None) -> None:
        self.device = device.to_string() if isinstance(device, DeviceSpec) else (device or "")

    # -- changes, as tools that rewrite graphs make them -------------------------------------------

    def _update_input(self, index: int, tensor: Tensor) -> None:
        """Replaces an input. Sessions that have run the operation keep to what it was.

        Raises:
          TypeError: if it is given no tensor. IndexError: if there is no such input.
          ValueError: for a tensor of another graph, of another part of a conditional or loop, that
            depends on this operation, or of another dtype.
        """
        if not isinstance(tensor, Tensor):
            raise TypeError(f"tensor must be a Tensor: {tensor!r:.200}")
        old = list(self.inputs)[index]
        self.graph.place_before(tensor.op, self)
        if tensor._dtype is not old._dtype:
            raise ValueError(
                f"Input {index} of node {self.name} was passed {tensor.dtype.name} from "
                f"{tensor.name} incompatible with expected {old.dtype.name}."
            )
        self.inputs = (*self.inputs[:index], tensor, *self.inputs[index + 1 :])
        assert old._consumers is not None
        old._consumers.remove(self)
        tensor._consumers = [*(tensor._consumers or ()), self]

    def _add_control_inputs(self, ops: Sequence[Operation]) -> None:
        """Has the operation wait for others too."""
        for op in ops:
            if not isinstance(op, Operation):
                raise TypeError(f"op must be an Operation: {op!r:.200}")
            self.graph.place_before(op, self)
            self.controls = (*self.controls, op)

    def _add_control_input(self, op: Operation) -> None:
        """Has the operation wait for another one too."""
        self._add_control_inputs([op])

    def _remove_all_control_inputs(self) -> None:
        """Has the operation wait for its inputs alone."""
        self.controls = ()

    # -- what Python asks for ----------------------------------------------------------------------

    def __copy__(self) -> Operation:
        return self

    def __deepcopy__(self, memo: Any) -> Operation:
        return self

    def __reduce__(self) -> Any:
        raise TypeError(f"Operation {self.name!r} is part of a graph and cannot be pickled.")

    def __repr__(self) -> str:
        return f"<{described.library}.Operation '{self.name}' type={self.type}>"

    def __str__(self) -> str:
        return str(self.node_def)


def make_outputs(
    op: Operation,
    out_dtypes: Sequence[dtypes.DType],
    out_dims: Sequence[tuple[int | None, ...] | None],
) -> None:
    """Gives `op` its output tensors; also used to add outputs later (see `Body.save`)."""
    outputs = op.outputs
    if len(out_dims) == 1 == len(out_dtypes):
        outputs.append(Tensor(op, len(outputs), out_dtypes[0], out_dims[0]))
        return
    for dtype, dims in zip(out_dtypes, out_dims, strict=True):
        outputs.append(Tensor(op, len(outputs), dtype, dims))
