"""The gradient of a loop: a loop over its turns, last first, that runs the gradient of its body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.indexed_slices import IndexedSlices
from hybridflow._src.framework.late import late
from hybridflow._src.framework.op_def import ZERO
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.ops.arrays.slice_specs import picks_row
from hybridflow._src.ops.control_flow import bodies, dependence
from hybridflow._src.ops.control_flow.ordering import current_body

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.framework.tensor import Tensor


def gradients_of(
    op: Operation, dys: Sequence[Any], loop_op: Callable[..., list[Tensor]]
) -> list[Any]:
    """The gradients for the inputs of a `While`, made by a loop that `loop_op` adds.

    That loop carries the gradients of the loop variables from turn to turn, and sums those of the
    captures. Where each turn picks rows of a capture, these are collected and summed in the end: to
    sum them turn by turn would take a whole array each time.
    """
    loop = _Backward(op, dys)
    first = [
        bodies.zeros_for(op.outputs[i]) if dys[i] is None else convert_to_tensor(dys[i])
        for i in loop.state
    ]
    sums = [bodies.zeros_for(t) for t in loop.captures]
    with name_scope("While_grad") as scope:
        # A loop variable whose shape may change has a gradient whose shape may.
        shapes = [(), *[op.outputs[i]._dims for i in loop.state], *[t._dims for t in sums]]
        initial = [op.outputs[loop.count], *first, *sums]
        results = loop_op(
            lambda turn, *_: turn > 0, loop.step, initial, shapes, scope, loop.collected
        )
        found: dict[Tensor, Any] = dict(
            zip(loop.captures, results[1 + len(loop.state) :], strict=True)
        )
        for tensor, total in zip(loop.captures, sums, strict=True):
            if tensor in loop.rows:
                found[tensor] = loop.sum_of_rows(tensor, total)
            elif tensor in loop.items:
                at = loop.items[tensor]
                items, indices = loop.collected[at : at + 2]
                found[tensor] = raw.SumStackGradients(tensor, indices, items)
    dtypes_of = [t.dtype.base_dtype for t in op.inputs]
    grads: list[Any] = [ZERO if d.is_floating or d.is_complex else None for d in dtypes_of]
    for place, index in enumerate(loop.state):
        grads[index] = results[1 + place]
    # As in TensorFlow, all that a loop uses has a gradient if one of its results has.
    used = dependence.reached(op.bodies[1], op.bodies[1].outputs)
    for index in range(loop.count, len(grads)):
        tensor = op.inputs[index]
        grads[index] = found.get(tensor, ZERO if tensor in used else None)
    return grads


class _Backward:
    """The gradient of one loop, for gradients `dys` of its outputs.

    Attributes:
      count: how many loop variables it has.
      state: which of them have a gradient.
      captures: the captures that have one.
      rows: the captures whose rows are collected, and for each part of their gradient where in
        `collected` the values stand, before the indices.
      lookups: those of them whose gradient consists of rows alone, as that of a lookup does.
      items: the captured stacks of which each turn reads an item, and where in `collected` the
        gradients for these stand, before the indices.
      collected: tensors of the body whose values in all turns are wanted, then their stacks.
    """

    def __init__(self, op: Operation, dys: Sequence[Any]) -> None:
        self._op = op
        self._body = body = op.bodies[1]
        self.count = len(body.inputs)
        saved = [(t, dys[s.value_index]) for t, s in body.saved.items()]
        self._saved = [(t, grads) for t, grads in saved if grads is not None]
        asked = [t for t, dy in zip(body.outputs, dys, strict=False) if dy is not None]
        reached = dependence.reached(body, [*asked, *[t for t, _ in self._saved]])
        self.state = [i for i in range(self.count) if body.outputs[i] in reached]
        inputs = op.inputs[self.count :]
        self.captures = [t for t in inputs if t in body.captures and t in reached]
        self.rows: dict[Tensor, list[int]] = {}
        self.lookups: set[Tensor] = set()
        self.items: dict[Tensor, int] = {}
        self.collected: list[Tensor] = []
        # The dtype and shape of each.
        self._forms: list[dict[str, Any]] = []

    def step(self, turn: Tensor, *grads: Tensor) -> list[Any]:
        """One turn: what is carried and summed, before and after it."""
        turn = turn - 1
        body, state = self._body, self.state
        self._take_items(turn)
        ys = [body.outputs[i] for i in state]
        given: list[Any] = list(grads[: len(state)])
        for tensor, stack_grads in self._saved:
            ys.append(tensor)
            given.append(raw.StackGradientItem(stack_grads, tensor, turn))
        variables = [body.inputs[i] for i in state]
        outside = [*body.inputs, *body.captures]
        found = late.gradients(ys, [*variables, *self.captures], given, stop_gradients=outside)
        carried = [
            bodies.zeros_for(x) if g is None else _of_shape(bodies.dense(g), x)
            for x, g in zip(variables, found, strict=False)
        ]
        added = [
            self._added(tensor, total, g)
            for tensor, total, g in zip(
                self.captures, grads[len(state) :], found[len(state) :], strict=True
            )
        ]
        return [turn, *carried, *added]

    def _take_items(self, turn: Tensor) -> None:
        """Has tensors of the forward body stand for their values in this turn."""
        items: dict[Tensor, Tensor] = {}
        current = current_body()

        def resolve(tensor: Tensor) -> Tensor | None:
            known = bodies.same_always(self._body, tensor)
            if known is not None:
                return known
            stack = bodies.save_turns(self._op, self._body, tensor)
            if stack is None:
                return None
            item = items.get(tensor)
            if item is None:
                dtype, shape = tensor.dtype.base_dtype, TensorShape.of(tensor._dims)
                # Here, not in the branch or loop inside that asks first: others will ask too.
                with get_default_graph().body_scope(current):
                    item = items[tensor] = raw.StackItem(stack, turn, dtype=dtype, shape=shape)
            return item

        current.resolve = resolve

    def _added(self, tensor: Tensor, total: Tensor, grad: Any) -> Tensor:
        """The sum of the gradients of a capture, with that of this turn."""
        if grad is None:
            return total
        if total.dtype is dtypes.variant:
            if grad.op.type != "StackGradient":
                return raw.AddStackGradients(total, grad)
            index, item = grad.op.inputs
            self.items[tensor] = len(self.collected)
            self._collect(item)
            self._collect(index)
            return total
        rows = _rows_of(grad)
        if rows and all(map(_is_one_form, rows)):
            self.rows[tensor] = []
            if isinstance(grad, IndexedSlices):
                self.lookups.add(tensor)
            for part in rows:
                self.rows[tensor].append(len(self.collected))
                self._collect(part.values)
                self._collect(part.indices)
            return total
        return _of_shape(total + bodies.dense(grad), total)

    def _collect(self, value: Any) -> None:
        inside = raw.Identity(value)
        shape = TensorShape.of(inside._dims)
        self._forms.append({"dtype": inside.dtype.base_dtype, "shape": shape})
        self.collected.append(inside)

    def sum_of_rows(self, tensor: Tensor, like: Tensor) -> Any:
        """The gradient for a capture, of the shape of `like`, from the rows of all turns: these
        rows if that is what each turn has.
        """
        parts = [self._rows_of_all(first, like) for first in self.rows[tensor]]
        if tensor in self.lookups:
            return parts[0]
        sums = [bodies.dense(part) for part in parts]
        return _of_shape(sums[0] if len(sums) == 1 else raw.AddN(sums), like)

    def _rows_of_all(self, first: int, like: Tensor) -> IndexedSlices:
        values, indices = (
            raw.StackAll(self.collected[i], **self._forms[i]) for i in (first, first + 1)
        )
        shape = raw.Shape(like)
        row = raw.StridedSlice(shape, [1], [0], [1], end_mask=1)
        count = raw.Reshape(raw.Size(indices), [1])
        values = raw.Reshape(values, raw.ConcatV2([count, row], 0))
        return IndexedSlices(values, raw.Reshape(indices, [-1]), shape)


def _rows_of(grad: Any) -> list[IndexedSlices]:
    """The parts of a gradient that consists of rows, each where a turn picked it; else nothing."""
    if isinstance(grad, IndexedSlices):
        return [grad]
    op = grad.op
    if op.type == "AddN":
        parts = [_rows_of(t) for t in op.inputs]
        return [part for found in parts for part in found] if all(parts) else []
    if op.type != "StridedSliceGrad" or not picks_row(op):
        return []
    shape, begin, _, _, dy = op.inputs
    size, index = (raw.StridedSlice(t, [0], [1], [1]) for t in (shape, begin))
    # Negative ones count from the end.
    return [IndexedSlices(raw.ExpandDims(dy, 0), raw.FloorMod(index, size), shape)]


def _is_one_form(grad: IndexedSlices) -> bool:
    """Whether there are as many rows each turn, so that those of all turns can be stacked."""
    dims = grad.indices._dims
    return dims is not None and None not in dims


def _of_shape(grad: Any, like: Tensor) -> Tensor:
    """A gradient with the shape of what it belongs to, also where that could not be inferred."""
    tensor: Tensor = grad
    if tensor._dims != like._dims:
        tensor = raw.Identity(tensor)
        tensor.set_shape(like.shape)
    return tensor
