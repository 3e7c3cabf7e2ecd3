"""`while_loop`: a function repeated until a condition fails."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import context, dtypes, nest
from hybridflow._src.framework.body import Body
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.errors import DTypeError
from hybridflow._src.framework.op_def import OpDef
from hybridflow._src.framework.registry import late, raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.framework.tensor_shape import TensorShape, as_shape, compatible, to_string
from hybridflow._src.ops.control_flow import bodies, dependence
from hybridflow._src.ops.control_flow.ordering import current_body

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.framework.operation import Operation

__all__ = ["while_loop"]

_NOT_INVARIANT = (
    "The shape for {name} is not an invariant for the loop. It enters the loop with shape "
    "{enters}, but has shape "
    "{leaves} after one iteration. Provide shape invariants using either the `shape_invariants` "
    "argument of "
    "tf.while_loop or set_shape() on the loop variables."
)


def _kernel(op: Operation, condition: Any, body: Any) -> Callable[..., list[Any]]:
    """Runs the plans of the condition and of the body in turn, and collects saved values."""
    cond_body, loop_body = op.bodies
    count = len(loop_body.inputs)
    condition_captures = bodies.capture_positions(op, cond_body, count)
    body_captures = bodies.capture_positions(op, loop_body, count)
    saved = len(loop_body.saved)

    def compute(*args: Any) -> list[Any]:
        state = list(args[:count])
        captures = args[count:]
        for_condition = [captures[i] for i in condition_captures]
        for_body = [captures[i] for i in body_captures]
        stacks = [bodies.Turns() for _ in range(saved)]
        turns = 0
        while condition.run_silenced([*state, *for_condition])[0]:
            values = body.run_silenced([*state, *for_body])
            state = values[:count]
            for stack, value in zip(stacks, values[count:], strict=True):
                stack.append(value)
            turns += 1
        return [*state, np.asarray(turns, np.int32), *stacks]

    return compute


def _save(op: Operation, body: Body, tensor: Tensor) -> Tensor | None:
    """Has the loop collect the values of a tensor of its body: a stack is one more output."""
    return bodies.save(op, body, tensor, dtypes.variant, ())


def _grad(op: Operation, *dys: Any) -> list[Any]:
    """A loop over the turns of the forward loop, last first, that runs the gradient of its body."""
    body = op.bodies[1]
    count = len(body.inputs)
    saved = [(t, dys[s.value_index]) for t, s in body.saved.items()]
    saved = [(t, grads) for t, grads in saved if grads is not None]
    asked = [t for t, dy in zip(body.outputs, dys, strict=False) if dy is not None]
    reached = dependence.reached(body, [*asked, *[t for t, _ in saved]])
    state = [i for i in range(count) if body.outputs[i] in reached]
    captures = [t for t in op.inputs[count:] if t in body.captures and t in reached]
    first: list[Tensor] = [
        bodies.zeros_for(op.outputs[i]) if dys[i] is None else convert_to_tensor(dys[i])
        for i in state
    ]
    sums = [bodies.zeros_for(t) for t in captures]

    def condition(turn: Tensor, *_: Any) -> Tensor:
        return turn > 0

    def step(turn: Tensor, *grads: Tensor) -> list[Any]:
        turn = turn - 1
        items: dict[Tensor, Tensor] = {}

        def resolve(tensor: Tensor) -> Tensor | None:
            stack = _save(op, body, tensor)
            if stack is None:
                return None
            item = items.get(tensor)
            if item is None:
                dtype, shape = tensor.dtype.base_dtype, TensorShape.of(tensor._dims)
                # Here, not in the branch or loop inside that asks first: others will ask too.
                with get_default_graph().body_scope(current):
                    item = items[tensor] = raw.StackItem(stack, turn, dtype=dtype, shape=shape)
            return item

        current = current_body()
        current.resolve = resolve
        ys = [body.outputs[i] for i in state]
        given: list[Any] = list(grads[: len(state)])
        for tensor, stack_grads in saved:
            ys.append(tensor)
            given.append(raw.StackGradientItem(stack_grads, tensor, turn))
        xs = [*[body.inputs[i] for i in state], *captures]
        outside = [*body.inputs, *body.captures]
        found = [bodies.dense(g) for g in late.gradients(ys, xs, given, stop_gradients=outside)]
        carried = [
            bodies.zeros_for(x) if g is None else _of_shape(g, x)
            for x, g in zip(xs[: len(state)], found, strict=False)
        ]
        added = [
            total if g is None else _of_shape(_add(total, g), total)
            for total, g in zip(grads[len(state) :], found[len(state) :], strict=True)
        ]
        return [turn, *carried, *added]

    with name_scope("While_grad") as scope:
        # A loop variable whose shape may change has a gradient whose shape may.
        shapes = [(), *[op.outputs[i]._dims for i in state], *[t._dims for t in sums]]
        results = loop_op(condition, step, [op.outputs[count], *first, *sums], shapes, scope)
    grads: list[Any] = [None] * len(op.inputs)
    for place, index in enumerate(state):
        grads[index] = results[1 + place]
    by_capture = dict(zip(captures, results[1 + len(state) :], strict=True))
    for index in range(count, len(grads)):
        grads[index] = by_capture.get(op.inputs[index])
    return grads


def _of_shape(grad: Tensor, like: Tensor) -> Tensor:
    """A gradient with the shape of what it belongs to, also where that could not be inferred."""
    if grad._dims == like._dims:
        return grad
    grad = raw.Identity(grad)
    grad.set_shape(like.shape)
    return grad


def _add(x: Tensor, y: Tensor) -> Tensor:
    if x.dtype is dtypes.variant:
        return raw.AddStackGradients(x, y)
    return x + y


_op = OpDef(
    "While",
    "inputs: ... -> outputs: N*Tout",
    attrs={"Tout": ()},
    shape=lambda attrs, *_: [],
    kernel=_kernel,
    grad=_grad,
)


def loop_op(
    condition: Callable[..., Any],
    step: Callable[..., Any],
    initial: Sequence[Tensor],
    dims: Sequence[Any],
    scope: str,
    collect: list[Tensor] | None = None,
) -> list[Tensor]:
    """Adds a `While` and gives the final values of its loop variables.

    Args:
      condition, step: functions of the loop variables; `step` gives as many new values.
      initial: the first values.
      dims: the shape that each loop variable keeps to.
      scope: name of the op's name scope.
      collect: tensors of the body (filled by `step`) whose values in each turn are wanted: they are
        replaced by their stacks.
    """
    graph = get_default_graph()
    outer = current_body()
    name = scope.rstrip("/")
    parts = []
    for what in ("condition", "body"):
        body = Body(f"{what} of while_loop '{name}'", outer)
        with graph.body_scope(body):
            for tensor, dim in zip(initial, dims, strict=True):
                body.inputs.append(_input(tensor, dim))
        parts.append(body)
    test, body = parts
    test.outputs = bodies.build(test, lambda: [_predicate(condition(*test.inputs))])
    body.outputs = bodies.build(body, lambda: [bodies.yielded(t) for t in step(*body.inputs)])
    for index, (enters, leaves) in enumerate(zip(body.inputs, body.outputs, strict=True)):
        if enters.dtype.base_dtype != leaves.dtype.base_dtype:
            raise DTypeError(
                f"Loop variable {index} of '{name}' enters the loop with dtype "
                f"{enters.dtype.base_dtype.name}, but "
                f"has dtype {leaves.dtype.base_dtype.name} after one iteration."
            )
        if not _keeps(dims[index], leaves._dims):
            raise ValueError(
                _NOT_INVARIANT.format(
                    name=f"loop variable {index} of '{name}'",
                    enters=to_string(dims[index]),
                    leaves=leaves.shape,
                )
            )
    out_dtypes = [*[t.dtype.base_dtype for t in body.inputs], dtypes.int32]
    op = bodies.add_op(
        _op,
        (test, body),
        initial,
        {"Tout": out_dtypes},
        f"{scope}While/",
        out_dtypes,
        [*dims, ()],
    )
    if collect is not None:
        collect[:] = [_save(op, body, t) for t in collect]  # type: ignore[misc]
    return [raw.Identity(t, name="Exit") for t in op.outputs[: len(body.inputs)]]


def _input(tensor: Tensor, dims: Any) -> Tensor:
    return raw.Placeholder(
        dtype=tensor.dtype.base_dtype, shape=TensorShape.of(dims), name="Identity"
    )


def _predicate(value: Any) -> Tensor:
    tensor = bodies.yielded(value)
    if tensor is None or tensor.dtype.base_dtype != dtypes.bool:
        raise DTypeError(f"cond of while_loop must return a boolean scalar tensor, got {value!r}.")
    return tensor


def _keeps(declared: Any, dims: Any) -> bool:
    """Tells whether a value of shape `dims` is sure to keep to the declared shape."""
    if declared is None:
        return True
    if dims is None or len(dims) != len(declared):
        return False
    return all(d is None or d == e for d, e in zip(declared, dims, strict=True))


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """Repeats `body` while `cond` is true; both are functions of the loop variables.

    Args:
      cond: gives a boolean scalar.
      body: gives the new loop variables, in the same structure.
      loop_vars: their first values: a list or tuple, items may be nested.
      shape_invariants: the shapes that the loop variables keep to, where these are less than the
        shapes of the first values; same structure as `loop_vars`.
      back_prop: whether gradients flow through the loop.
      parallel_iterations, swap_memory: accepted for compatibility.
      name: name scope of the ops.

    Returns: the final loop variables in the structure of `loop_vars`; one alone without its list.

    Raises:
      TypeError: if `cond` or `body` is not callable, or a dtype changes. ValueError: if there are
        no loop variables, or their number or shapes change.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     i, s = hf.while_loop(lambda i, s: i < 5, lambda i, s: (i + 1, s + i), [0, 0])
    ...     print(sess.run(s))
    10
    """
    if not loop_vars:
        raise ValueError("No loop variables provided")
    if not callable(cond):
        raise TypeError("cond must be callable.")
    if not callable(body):
        raise TypeError("body must be callable.")
    if parallel_iterations < 1:
        raise TypeError("parallel_iterations must be a positive integer.")
    if context.modes.top.eager:
        return _run_eagerly(cond, body, loop_vars)
    with name_scope(name, "while", nest.flatten(loop_vars)) as scope:
        initial = [convert_to_tensor(v) for v in nest.flatten(loop_vars)]
        dims = [t._dims for t in initial]
        if shape_invariants is not None:
            invariants = _invariants(loop_vars, shape_invariants)
            for tensor, shape in zip(initial, invariants, strict=True):
                if not compatible(tensor._dims, shape._dims) or not _keeps(
                    shape._dims, tensor._dims
                ):
                    raise ValueError(
                        f"The shape invariant specified for {tensor} is not compatible with its "
                        f"initial shape: "
                        f"{shape} and {tensor.shape}."
                    )
            dims = [shape._dims for shape in invariants]

        def packed(function: Callable[..., Any], *flat: Tensor) -> Any:
            return function(*nest.pack_sequence_as(loop_vars, flat))

        def step(*flat: Tensor) -> list[Any]:
            return _flat_results(packed(body, *flat), loop_vars)

        results = loop_op(functools.partial(packed, cond), step, initial, dims, scope)
        if not back_prop:
            results = [raw.StopGradient(t) for t in results]
    return _result(nest.pack_sequence_as(loop_vars, results))


def _invariants(loop_vars: Any, shape_invariants: Any) -> list[TensorShape]:
    """One shape for each loop variable; a shape may itself be a list."""
    flat: list[TensorShape] = []

    def visit(structure: Any, shapes: Any) -> None:
        if not nest.is_sequence(structure):
            flat.append(as_shape(shapes))
            return
        children = list(structure.values()) if isinstance(structure, dict) else list(structure)
        if not nest.is_sequence(shapes) or len(shapes) != len(children):
            raise ValueError("shape_invariants must have the same structure as loop_vars.")
        others = list(shapes.values()) if isinstance(shapes, dict) else list(shapes)
        for child, shape in zip(children, others, strict=True):
            visit(child, shape)

    visit(loop_vars, shape_invariants)
    return flat


def _flat_results(result: Any, loop_vars: Any) -> list[Any]:
    if (
        not isinstance(result, list | tuple)
        or (len(loop_vars) == 1 and len(result) != 1)
        or (hasattr(result, "_fields") and len(loop_vars) == 1)
    ):
        result = [result]
    flat, wanted = nest.flatten(result), nest.flatten(loop_vars)
    if len(flat) != len(wanted):
        raise ValueError(
            "The number of inputs and outputs of the loop body must be equal: the loop has "
            f"{len(wanted)} variables, the body returned {len(flat)}."
        )
    return flat


def _run_eagerly(cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any) -> Any:
    state = nest.map_structure(convert_to_tensor, list(loop_vars))
    while cond(*state):
        flat = _flat_results(body(*state), loop_vars)
        state = nest.pack_sequence_as(state, [convert_to_tensor(t) for t in flat])
    return _result(nest.pack_sequence_as(loop_vars, nest.flatten(state)))


def _result(state: Any) -> Any:
    return state[0] if isinstance(state, list | tuple) and len(state) == 1 else state
