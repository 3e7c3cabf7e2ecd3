"""`while_loop`: a function repeated until a condition fails."""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context, dtypes, nest
from hybridflow._src.framework.body import Body
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.errors import DTypeError
from hybridflow._src.framework.op_def import OpDef
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.framework.tensor_shape import TensorShape, as_shape, compatible, to_string
from hybridflow._src.ops.control_flow import bodies, loop_gradients
from hybridflow._src.ops.control_flow.ordering import current_body
from hybridflow._src.ops.control_flow.writing import write_while
from hybridflow._src.ops.data_flow.flows import put_together, taken_apart, tensor_of
from hybridflow._src.plan.nested import Repeating

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


def _kernel(op: Operation, condition: Any, body: Any) -> Repeating:
    """Runs the plans of the condition and of the body in turn, and collects saved values."""
    cond_body, loop_body = op.bodies
    count = len(loop_body.inputs)
    return Repeating(
        f"the {loop_body.what}",
        bodies.is_true,
        bodies.part(op, cond_body, condition, count),
        bodies.part(op, loop_body, body, count),
        count,
        len(loop_body.saved),
    )


_op = OpDef(
    "While",
    "inputs: ... -> outputs: N*Tout",
    attrs={"Tout": ()},
    shape=lambda attrs, *_: [],
    kernel=_kernel,
    grad=lambda op, *dys: loop_gradients.gradients_of(op, dys, loop_op),
    written=write_while,
)
_NO_RETURN = (
    "{what} returned None. None values not supported: a function without `return` gives None."
)


class NotInvariant(ValueError):
    """A loop variable leaves a turn with a shape that it may not have.

    Attributes:
      leaves: the sizes with which each loop variable leaves.
    """

    leaves: list[Any]


def loop_op(
    condition: Callable[..., Any],
    step: Callable[..., Any],
    initial: Sequence[Tensor],
    dims: Sequence[Any],
    scope: str,
    collect: list[Tensor] | None = None,
) -> list[Tensor]:
    """Adds a `While` and gives the final values of its loop variables; for the rest see
    `add_loop`.

    Args:
      collect: tensors of the body (filled by `step`) whose values in each turn are wanted: they are
        replaced by their stacks.
    """
    op = add_loop(condition, step, initial, dims, f"{scope}While/")
    if collect is not None:
        body = op.bodies[1]
        collect[:] = [bodies.save_turns(op, body, t) for t in collect]  # type: ignore[misc]
    return [raw.Identity(t, name="Exit") for t in op.outputs[: len(initial)]]


def add_loop(
    condition: Callable[..., Any],
    step: Callable[..., Any],
    initial: Sequence[Tensor],
    dims: Sequence[Any],
    name: str,
) -> Operation:
    """Adds a `While`: its outputs are the final values of the loop variables, and the number of
    turns.

    Args:
      condition, step: functions of the loop variables; `step` gives as many new values.
      initial: the first values.
      dims: the shape that each loop variable keeps to.
      name: name of the op, with a slash at the end.

    Raises:
      DTypeError, NotInvariant: if a turn changes the dtype or shape of a variable.
    """
    graph = get_default_graph()
    outer = current_body()
    called = name.removesuffix("/").removesuffix("/While")
    parts = []
    for what in ("condition", "body"):
        body = Body(f"{what} of while_loop '{called}'", outer)
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
                f"Loop variable {index} of '{called}' enters the loop with dtype "
                f"{enters.dtype.base_dtype.name}, but "
                f"has dtype {leaves.dtype.base_dtype.name} after one iteration."
            )
        if not _keeps(dims[index], leaves._dims):
            error = NotInvariant(
                _NOT_INVARIANT.format(
                    name=f"loop variable {index} of '{called}'",
                    enters=to_string(dims[index]),
                    leaves=leaves.shape,
                )
            )
            error.leaves = [t._dims for t in body.outputs]
            raise error
    out_dtypes = [*[t.dtype.base_dtype for t in body.inputs], dtypes.int32]
    return bodies.add_op(
        _op,
        (test, body),
        initial,
        {"Tout": out_dtypes},
        name,
        out_dtypes,
        [*dims, ()],
    )


def _input(tensor: Tensor, dims: Any) -> Tensor:
    return raw.Placeholder(
        dtype=tensor.dtype.base_dtype, shape=TensorShape.of(dims), name="Identity"
    )


def _predicate(value: Any) -> Tensor:
    tensor = bodies.yielded(value)
    if tensor is None or tensor.dtype.base_dtype != dtypes.bool:
        hint = "a function without `return` gives None" if tensor is None else "`i < 3` is one"
        raise DTypeError(
            f"cond of while_loop must return a boolean scalar tensor, got {value!r}: {hint}."
        )
    bodies.check_scalar(tensor, "what cond of while_loop returns")
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
    maximum_iterations: Any = None,
) -> Any:
    """Repeats `body` while `cond` is true; both are functions of the loop variables.

    Args:
      cond: gives a boolean scalar.
      body: gives the new loop variables, in the same structure.
      loop_vars: their first values: a list or tuple, items may be nested, tensor arrays
        sparse tensors and `IndexedSlices`.
      shape_invariants: the shapes that the loop variables keep to, where these are less than the
        shapes of the first values; same structure as `loop_vars`. For a sparse tensor of rank r
        that of its `dense_shape`, `[r]`: the number of its elements may then change. For
        `IndexedSlices` that of its `values`.
      back_prop: whether gradients flow through the loop.
      parallel_iterations, swap_memory: accepted for compatibility.
      name: name scope of the ops.
      maximum_iterations: a number of turns, or an integer scalar, after which the loop ends.

    Returns: the final loop variables, in a list or tuple as `body` returns one; one alone without.

    Raises:
      TypeError: if `cond` or `body` is not callable, `loop_vars` is no list, or a dtype or kind of
        sequence changes. ValueError: if there are no loop variables, or their number, structure or
        shapes change, or `maximum_iterations` is no scalar.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     i, s = hf.while_loop(lambda i, s: i < 5, lambda i, s: (i + 1, s + i), [0, 0])
    ...     print(sess.run(s))
    10
    """
    if not nest.is_sequence(loop_vars):
        raise TypeError(
            f"loop_vars must be a list or tuple of the first values, got {loop_vars!r}. Write "
            "`[x]` for one loop variable x."
        )
    if not loop_vars:
        raise ValueError("No loop variables provided")
    if not callable(cond):
        raise TypeError("cond must be callable.")
    if not callable(body):
        raise TypeError("body must be callable.")
    if parallel_iterations < 1:
        raise TypeError("parallel_iterations must be a positive integer.")
    if context.modes.top.eager:
        return _run_eagerly(cond, body, loop_vars, _limit(maximum_iterations), name)
    given = taken_apart(loop_vars)
    with name_scope(name, "while", given) as scope:
        limit = _limit(maximum_iterations)
        initial = [convert_to_tensor(v) for v in given]
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
            return function(*put_together(loop_vars, flat))

        form: Any = loop_vars

        def step(*flat: Tensor) -> list[Any]:
            nonlocal form
            form = _in_a_row(packed(body, *flat), loop_vars, scope.rstrip("/"))
            return taken_apart(form)

        test: Callable[..., Any] = functools.partial(packed, cond)
        if limit is None:
            results = loop_op(test, step, initial, dims, scope)
        else:
            results = _limited(limit, test, step, initial, dims, scope)
        if not back_prop:
            results = [raw.StopGradient(t) for t in results]
    return _result(put_together(loop_vars, results), form)


def _limit(maximum_iterations: Any) -> Tensor | None:
    """The number of turns after which a loop ends.

    Raises:
      ValueError: if it is no scalar.
    """
    if maximum_iterations is None:
        return None
    limit = convert_to_tensor(maximum_iterations, name="maximum_iterations")
    if limit._dims != ():
        raise ValueError(f"maximum_iterations must be a scalar, saw shape: {limit.shape}")
    return limit


def _limited(
    limit: Tensor,
    test: Callable[..., Any],
    step: Callable[..., Any],
    initial: list[Tensor],
    dims: list[Any],
    scope: str,
) -> list[Tensor]:
    """The final values of a loop that ends after some turns at the latest."""
    results = loop_op(
        lambda turn, *flat: raw.LogicalAnd(turn < limit, test(*flat)),
        lambda turn, *flat: [turn + 1, *step(*flat)],
        [convert_to_tensor(0, limit.dtype.base_dtype), *initial],
        [(), *dims],
        scope,
    )
    return results[1:]


def _invariants(loop_vars: Any, shape_invariants: Any) -> list[TensorShape]:
    """One shape for each loop variable, or part of one; a shape may itself be a list."""
    flat: list[TensorShape] = []

    def visit(structure: Any, shapes: Any) -> None:
        if isinstance(structure, nest.Composite):
            flat.extend(structure._part_shapes(as_shape(shapes)))
            return
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


def _in_a_row(result: Any, loop_vars: Any, called: str) -> Any:
    """What a body gave as a list or tuple of the loop variables, which one alone need not be.

    Raises:
      ValueError: if it has another structure than they have, or one is None. TypeError: if a kind
        of sequence is another one.
    """
    if (
        not isinstance(result, list | tuple)
        or (len(loop_vars) == 1 and len(result) != 1)
        or (hasattr(result, "_fields") and len(loop_vars) == 1)
    ):
        result = [result]
    if result == [None]:
        raise ValueError(_NO_RETURN.format(what=f"The body of while_loop '{called}'"))
    flat, wanted = nest.flatten_parts(result), nest.flatten_parts(loop_vars)
    if len(flat) != len(wanted):
        raise ValueError(
            "The inputs and outputs of the loop body must have the same number of elements: the "
            f"loop has {len(wanted)} variables, the body returned {len(flat)}."
        )
    for index, (kept, new) in enumerate(zip(loop_vars, result, strict=False)):
        what = f"loop variable {index} of '{called}'"
        if new is None:
            raise ValueError(f"None values not supported: {what} is None after one iteration.")
        try:
            nest.assert_same_structure(kept, new)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{error} They are {what} before and after one iteration.") from None
    return result


def _run_eagerly(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    limit: Tensor | None,
    name: str | None,
) -> Any:
    state = nest.map_structure(tensor_of, list(loop_vars))
    form = loop_vars
    turns = itertools.count() if limit is None else range(int(limit))
    for _ in turns:
        if not cond(*state):
            break
        form = _in_a_row(body(*state), loop_vars, name or "while")
        state = nest.pack_parts(state, [tensor_of(t) for t in taken_apart(form)])
    return _result(state, form)


def _result(state: Any, form: Any) -> Any:
    """The loop variables in the kind of list or tuple that the body gave; one alone by itself."""
    if len(state) == 1:
        return state[0]
    if isinstance(form, list | tuple):
        return type(form)(*state) if hasattr(form, "_fields") else type(form)(state)
    return state
