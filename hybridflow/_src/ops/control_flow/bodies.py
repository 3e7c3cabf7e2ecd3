"""What `cond` and `while_loop` share: building a body, collecting what it yields, keeping values
for gradients.

The gradient of a control flow op is a control flow op again. Its bodies use tensors from inside
the bodies of the first one; such a tensor is *saved*: it becomes one more output of the first op.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.body import Body
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.errors import InvalidArgumentError, ShapeError
from hybridflow._src.framework.indexed_slices import IndexedSlices
from hybridflow._src.framework.op_def import OpDef, not_differentiable
from hybridflow._src.framework.operation import Operation
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import control_dependencies
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops.control_flow import writing_lists as _writing
from hybridflow._src.ops.shape_rules import scalar
from hybridflow._src.plan.nested import Part, Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.framework.dtypes import DType

_ONE_BOOL = (
    "`hf.reduce_all` or `hf.reduce_any` makes one bool of many; `hf.where` chooses element by "
    "element."
)


def build(body: Body, function: Callable[[], Any]) -> Any:
    """Runs `function` with its ops going into `body`, and gives what it returns."""
    with get_default_graph().body_scope(body):
        return function()


def save(op: Operation, body: Body, tensor: Tensor, dtype: DType, dims: Any) -> Tensor | None:
    """Makes a tensor inside `body` an output of the op, once; gives None for other tensors."""
    if tensor.op.body is not body:
        return None
    outer = body.saved.get(tensor)
    if outer is None:
        outer = body.saved[tensor] = Tensor(op, len(op.outputs), dtype, dims)
        op.outputs.append(outer)
    return outer


def same_always(body: Body, tensor: Tensor) -> Tensor | None:
    """A constant for a tensor inside `body` that has one value in every run."""
    value = constant_value(tensor) if tensor.op.body is body else None
    return None if value is None else raw.Const(value=value, dtype=tensor.dtype.base_dtype)


def save_turns(op: Operation, body: Body, tensor: Tensor) -> Tensor | None:
    """Has a loop collect the values of a tensor of its body: a stack is one more output."""
    return save(op, body, tensor, dtypes.variant, ())


def yielded(value: Any) -> Tensor | None:
    """What a body hands out for one result of the user's function."""
    if value is None:
        return None
    if isinstance(value, Operation):
        with control_dependencies([value]):
            return raw.Const(value=np.asarray(True), dtype=dtypes.bool)
    tensor = convert_to_tensor(value)
    # A tensor from outside, or one that is yielded under control dependencies, still needs an op
    # here.
    return raw.Identity(tensor)


def check_scalar(condition: Tensor, what: str) -> None:
    """Checks the shape of a condition, as far as it is known.

    Raises:
      ShapeError: if it is no scalar; `what` says what it is.
    """
    if condition._dims:
        rank = len(condition._dims)
        raise ShapeError(f"Shape must be rank 0 but is rank {rank} for {what}. {_ONE_BOOL}")


def is_true(condition: Any) -> bool:
    """The value of a condition.

    Raises:
      InvalidArgumentError: if it is no scalar.
    """
    if np.ndim(condition):
        shape = list(np.shape(condition))
        text = f"A condition must be a scalar, but it has shape {shape}. {_ONE_BOOL}"
        raise InvalidArgumentError(None, None, text)
    return bool(condition)


def add_op(
    op_def: OpDef,
    bodies: tuple[Body, ...],
    inputs: Sequence[Tensor],
    attrs: dict[str, Any],
    name: str,
    out_dtypes: list[Any],
    out_dims: list[Any],
) -> Operation:
    """Adds the op that runs `bodies`: its inputs are `inputs` and all that the bodies capture."""
    captures: dict[Tensor, None] = {}
    waits: dict[Operation, None] = {}
    for body in bodies:
        captures.update(body.captures)
        waits.update(dict.fromkeys(body.awaited()))
    with control_dependencies(list(waits)):
        return get_default_graph().add_op(
            op_def, (*inputs, *captures), attrs, name, out_dtypes, out_dims, bodies
        )


def part(op: Operation, body: Body, plan: Any, first: int) -> Part:
    """A body as a part of what the op computes: its captures stand among the inputs from `first`
    on.
    """
    positions = {t: i for i, t in enumerate(op.inputs[first:])}
    return Part(plan, tuple(positions[t] for t in body.captures))


def dense(grad: Any) -> Tensor | None:
    """A gradient as one tensor, which is what a body can yield."""
    return convert_to_tensor(grad) if isinstance(grad, IndexedSlices) else grad


def differentiable(tensor: Tensor) -> bool:
    """Tells whether a gradient can flow to a capture."""
    dtype = tensor.dtype.base_dtype
    return bool(dtype.is_floating or dtype.is_complex) or dtype in (dtypes.resource, dtypes.variant)


def zeros_for(tensor: Tensor) -> Tensor:
    """The zero gradient for a tensor: for a variable's handle, zeros of the variable's shape.

    Where the shape is known the tensor is not used, so a body need not save it for that.
    """
    if tensor.dtype is dtypes.variant:
        return raw.NoGradients(dtype=_writing.element_dtype(tensor))
    dtype, dims = tensor.dtype.base_dtype, tensor._dims
    if tensor.dtype is dtypes.resource:
        form = handle_form(tensor)
        dtype, dims = form["dtype"], form["shape"]._dims
    sizes = [d for d in dims or () if d is not None]
    if dims is not None and len(sizes) == len(dims):
        return raw.Const(value=np.broadcast_to(np.zeros((), dtype.np), sizes), dtype=dtype)
    return raw.ZerosLike(
        raw.ReadVariableOp(tensor, **form) if tensor.dtype is dtypes.resource else tensor
    )


def handle_form(handle: Any) -> dict[str, Any]:
    """The dtype and shape of the variable behind a handle, as attributes of `ReadVariableOp`."""
    attrs = handle.op.attrs
    return (
        {"dtype": attrs["handle_dtype"], "shape": attrs["handle_shape"]}
        if "handle_dtype" in attrs
        else {
            "dtype": attrs["dtype"],
            "shape": attrs["shape"],
        }
    )


# -- stacks: the values that one tensor of a loop's body had, turn by turn -------------------------
#
# The gradient for a stack is a dict from turn to gradient, with nothing where that is zero. Both
# are values of dtype variant and are never changed once they are made. What a loop inside a loop
# saves is a stack of stacks, and its gradient a dict of dicts.


def nothing(dtype: DType, dims: Any = None) -> Any:
    """What stands for a value that a run did not come to: nobody uses it, but it can be added up
    and passed through. It has the value's shape where that is known.
    """
    if dtype is dtypes.variant:
        return Turns()
    shape = () if dims is None or None in dims else dims
    return np.broadcast_to(np.zeros((), dtype.np), shape)


def _item(stack: Any, index: np.ndarray, dtype: Any, shape: Any) -> np.ndarray:
    return stack[int(index)]


OpDef(
    "StackItem",
    "stack: variant, index: int32 -> item: dtype",
    attrs={"dtype": None, "shape": None},
    shape=lambda attrs, stack, index: attrs["shape"]._dims,
    compute=_item,
    native=lambda b, stack, index, dtype, shape: b.stack_item(
        stack, index, dtype is dtypes.variant
    ),
    grad=lambda op, dy: (raw.StackGradient(op.inputs[1], dy), None),
    written=_writing.write_stack_item,
)
OpDef(
    "StackGradient",
    "index: int32, item: T -> grads: variant",
    shape=scalar,
    compute=lambda index, item: {int(index): item},
    grad=lambda op, dy: (None, raw.StackGradientItem(dy, op.inputs[1], op.inputs[0])),
    written=_writing.write_gradient,
)
OpDef(
    "StackGradientItem",
    "grads: variant, like: T, index: int32 -> item: T",
    shape=lambda attrs, grads, like, index: like._dims,
    compute=lambda grads, like, index: gradient_item(grads, int(index), like),
    native=lambda b, grads, like, index: b.gradient_item(grads, like, index),
    grad=lambda op, dy: (raw.StackGradient(op.inputs[2], dy), None, None),
    written=_writing.write_gradient_item,
)
OpDef(
    "NoGradients",
    "-> grads: variant",
    attrs={"dtype": None},
    shape=scalar,
    compute=lambda dtype: {},
    grad=not_differentiable,
    written=_writing.write_no_gradients,
)


def gradient_item(grads: Any, index: int, like: Any) -> Any:
    """The gradient of one item of a stack; zeros, like the item, where there is none."""
    found = grads.get(index) if isinstance(grads, dict) else grads[index]
    if found is not None:
        return found
    return {} if isinstance(like, Turns | dict) else np.zeros_like(like)


def _add(x: Any, y: Any) -> Any:
    if not isinstance(x, Turns | dict):
        return x + y
    total = dict(x) if isinstance(x, dict) else dict(enumerate(x))
    for index, grad in y.items() if isinstance(y, dict) else enumerate(y):
        total[index] = _add(total[index], grad) if index in total else grad
    return total


OpDef(
    "AddStackGradients",
    "x: variant, y: variant -> sum: variant",
    shape=scalar,
    compute=_add,
    native=lambda b, x, y: b.add_gradients(x, y),
    grad=lambda op, dy: (dy, dy),
    written=_writing.write_sum,
)


def _sum_turns(like: Any, indices: Any, items: Any) -> dict[int, Any]:
    total: dict[int, Any] = {}
    for index, item in zip(indices, items, strict=True):
        total[int(index)] = _add(total[int(index)], item) if int(index) in total else item
    return total


# The gradient for a stack of which each turn of a loop read an item.
OpDef(
    "SumStackGradients",
    "like: variant, indices: variant, items: variant -> grads: variant",
    shape=scalar,
    compute=_sum_turns,
    native=lambda b, like, indices, items: b.sum_of_turns(like, indices, items),
    grad=lambda op, dy: (None, None, raw.StackGradientItems(dy, *op.inputs[1:])),
    written=_writing.write_sum_of_turns,
)
OpDef(
    "StackGradientItems",
    "grads: variant, indices: variant, like: variant -> items: variant",
    shape=scalar,
    compute=lambda grads, indices, like: Turns(
        gradient_item(grads, int(index), item) for index, item in zip(indices, like, strict=True)
    ),
    native=lambda b, grads, indices, like: b.gradient_items(grads, indices, like),
    grad=lambda op, dy: (raw.SumStackGradients(op.inputs[2], op.inputs[1], dy), None, None),
    written=_writing.write_gradient_items,
)


def _stack_all(stack: Any, dtype: Any, shape: Any) -> np.ndarray:
    if not stack:
        dims = [0 if d is None else d for d in shape._dims or ()]
        return np.zeros([0, *dims], dtype.np)
    first = stack[0].shape
    for index, item in enumerate(stack):
        if item.shape != first:
            raise InvalidArgumentError(
                None,
                None,
                f"The function gave a value of shape {item.shape} for element {index}, but "
                f"{first} for element 0: "
                "the results for all elements must have one shape.",
            )
    return np.stack(stack)


OpDef(
    "StackAll",
    "stack: variant -> tensor: dtype",
    attrs={"dtype": None, "shape": None},
    shape=lambda attrs, stack: (
        None if attrs["shape"]._dims is None else (None, *attrs["shape"]._dims)
    ),
    compute=_stack_all,
    native=lambda b, stack, dtype, shape: b.all_turns(stack),
    grad=lambda op, dy: raw.UnstackAll(dy),
    written=_writing.write_stack_all,
)
OpDef(
    "UnstackAll",
    "tensor: T -> stack: variant",
    shape=scalar,
    compute=lambda tensor: Turns(tensor),
    native=lambda b, tensor: b.stack_of(tensor),
    grad=lambda op, dy: raw.StackGradientAll(dy, op.inputs[0]),
    written=_writing.write_unstack_all,
)
OpDef(
    "StackGradientAll",
    "grads: variant, like: T -> tensor: T",
    shape=lambda attrs, grads, like: like._dims,
    compute=lambda grads, like: (
        np.stack([gradient_item(grads, i, x) for i, x in enumerate(like)])
        if len(like)
        else np.zeros_like(like)
    ),
    native=lambda b, grads, like: b.gradient_all(grads, like),
    grad=lambda op, dy: (raw.UnstackAll(dy), None),
    written=_writing.write_gradient_all,
)
