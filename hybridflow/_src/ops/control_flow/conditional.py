"""`cond` and `case`: one of several functions, chosen when the program runs."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context, dtypes, nest
from hybridflow._src.framework.body import Body
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.errors import DTypeError
from hybridflow._src.framework.late import late
from hybridflow._src.framework.op_def import OpDef
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import control_dependencies, name_scope
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.ops.control_flow import bodies
from hybridflow._src.ops.control_flow.ordering import current_body
from hybridflow._src.ops.control_flow.writing import write_case, write_if
from hybridflow._src.ops.data_flow.flows import put_together, taken_apart
from hybridflow._src.plan.nested import Choosing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.framework.operation import Operation

__all__ = ["case", "cond"]


def _kernel(choose: Callable[[Any], int], op: Operation, *plans: Any) -> Choosing:
    """Runs the plan of one branch; what the other ones would have saved is nothing."""
    places = {t: place for place, t in enumerate(op.outputs)}
    return Choosing(
        choose,
        [bodies.part(op, *item, 1) for item in zip(op.bodies, plans, strict=True)],
        [
            [*range(len(body.outputs)), *[places[t] for t in body.saved.values()]]
            for body in op.bodies
        ],
        [bodies.nothing(t.dtype, t._dims) for t in op.outputs],
    )


def _grad(op: Operation, *dys: Any) -> list[Any]:
    """An op that chooses as this one does, among the gradients of the branches."""
    captures = [t for t in op.inputs[1:] if bodies.differentiable(t)]
    found: dict[Tensor, None] = {}

    def branch(body: Body) -> Callable[[], list[Any]]:
        given = [*dys[: len(body.outputs)], *[dys[t.value_index] for t in body.saved.values()]]
        pairs = zip([*body.outputs, *body.saved], given, strict=True)
        flowing = [(y, dy) for y, dy in pairs if dy is not None]
        mine = [t for t in captures if t in body.captures]

        def gradient() -> list[Any]:
            if not flowing:
                return [None] * len(captures)
            ys = [y for y, _ in flowing]
            grad_ys = [_fitting(dy, y) for y, dy in flowing]
            grads = late.gradients(ys, mine, grad_ys, stop_gradients=list(body.captures))
            by_capture = dict(zip(mine, map(bodies.dense, grads), strict=True))
            found.update((t, None) for t, g in by_capture.items() if g is not None)
            return [by_capture.get(t) for t in captures]

        return gradient

    def complete(grads: list[Any]) -> list[Any]:
        return [
            bodies.zeros_for(t) if g is None else g
            for t, g in zip(captures, grads, strict=True)
            if t in found
        ]

    with name_scope(f"{op.type}_grad") as scope:
        results = _branch_op(
            op.record,
            op.inputs[0],
            [(f"gradient of the {body.what}", branch(body)) for body in op.bodies],
            scope,
            [functools.partial(_save, op, body) for body in op.bodies],
            complete,
        )
    ordered = [t for t in captures if t in found]
    by_capture = dict(zip(ordered, results, strict=True))
    return [None, *[by_capture.get(t) for t in op.inputs[1:]]]


def _fitting(dy: Any, y: Tensor) -> Any:
    """A gradient for an output of a branch.

    Branches may give other shapes than each other. Where a gradient has a shape that this one never
    gives, another branch was chosen: here nobody asks what it is.
    """
    if not isinstance(dy, Tensor) or y.shape.is_compatible_with(dy.shape):
        return dy
    return raw.PlaceholderWithDefault(dy, shape=TensorShape(None))


def _save(op: Operation, body: Body, tensor: Tensor) -> Tensor | None:
    """Hands a tensor of a branch out, for the gradient."""
    known = bodies.same_always(body, tensor)
    if known is not None:
        return known
    return bodies.save(op, body, tensor, tensor.dtype.base_dtype, tensor._dims)


def _record(
    name: str, chooser: str, choose: Callable[[Any], int], written: Callable[[Any, Any], None]
) -> OpDef:
    return OpDef(
        name,
        f"{chooser}, captures: ... -> outputs: N*Tout",
        attrs={"Tout": ()},
        shape=lambda attrs, *_: [],
        kernel=functools.partial(_kernel, choose),
        grad=_grad,
        written=written,
    )


_cond = _record("If", "pred: bool", lambda pred: 0 if bodies.is_true(pred) else 1, write_if)
_case = _record("Case", "branch: int64", int, write_case)


def _branch_op(
    op_def: OpDef,
    chooser: Tensor,
    functions: Sequence[tuple[str, Callable[[], list[Any]]]],
    scope: str,
    resolve: list[Any] | None = None,
    complete: Callable[[list[Any]], list[Any]] | None = None,
) -> list[Tensor]:
    """What an op yields whose branches yield what `functions`, each with its name, give."""
    # Outside of all scopes nothing else makes the name unique.
    name = f"{scope}{op_def.name}/" if scope else op_def.name
    op = add_choice(op_def, chooser, functions, name, resolve, complete)
    return [raw.Identity(t, name="Merge") for t in op.outputs[: len(op.bodies[0].outputs)]]


def add_choice(
    op_def: OpDef,
    chooser: Tensor,
    functions: Sequence[tuple[str, Callable[[], list[Any]]]],
    name: str,
    resolve: list[Any] | None = None,
    complete: Callable[[list[Any]], list[Any]] | None = None,
) -> Operation:
    """Adds an op of several branches; a name with a slash at the end is taken as it is."""
    outer = current_body()
    branches = []
    results = []
    for index, (what, function) in enumerate(functions):
        body = Body(what, outer)
        body.resolve = resolve[index] if resolve else None
        results.append(bodies.build(body, function))
        branches.append(body)
    for body, result in zip(branches, results, strict=True):
        with get_default_graph().body_scope(body):
            final = complete(result) if complete else result
            yielded: list[Any] = [bodies.yielded(t) for t in final]
        body.outputs = yielded
    first = branches[0]
    out_dtypes = [t.dtype.base_dtype for t in first.outputs]
    out_dims = [t._dims for t in first.outputs]
    for body in branches[1:]:
        _check_alike(first, body)
        out_dims = [common_dims(d, t._dims) for d, t in zip(out_dims, body.outputs, strict=True)]
    return bodies.add_op(
        op_def,
        tuple(branches),
        [chooser],
        {"Tout": out_dtypes},
        name,
        out_dtypes,
        out_dims,
    )


def _check_alike(first: Body, other: Body) -> None:
    names = f"{first.what} and {other.what}"
    if len(first.outputs) != len(other.outputs):
        raise ValueError(
            f"{names} must return the same number of results, got {len(first.outputs)} and "
            f"{len(other.outputs)}."
        )
    for x, y in zip(first.outputs, other.outputs, strict=True):
        if x.dtype.base_dtype != y.dtype.base_dtype:
            raise DTypeError(
                f"Outputs of {names} must have the same type: {x.dtype.base_dtype.name}, "
                f"{y.dtype.base_dtype.name}"
            )


def common_dims(a: Any, b: Any) -> Any:
    """What two shapes have in common: unknown where they differ."""
    if a is None or b is None or len(a) != len(b):
        return None
    return tuple([x if x == y else None for x, y in zip(a, b, strict=True)])


def cond(
    pred: Any,
    true_fn: Any = None,
    false_fn: Any = None,
    strict: bool = False,
    name: str | None = None,
    fn1: Any = None,
    fn2: Any = None,
) -> Any:
    """`true_fn()` if `pred`, else `false_fn()`: in a graph, decided each time that it runs.

    Args:
      pred: boolean scalar tensor.
      true_fn, false_fn: functions without arguments that return tensors, operations, or one nested
        structure of them. In a graph both are called once, to build their branches; only the ops
        that their results need run, and only those of the branch taken.
      strict: keeps a list of one result a list.
      name: name scope of the ops.
      fn1, fn2: deprecated names of the functions.

    Returns: what the functions return, with a tensor in place of an operation.

    Raises:
      TypeError: if `pred` is a Python bool (in graph mode), or a function is not callable.
        ValueError: if `pred` is no scalar, or the functions return None, or different structures,
        numbers or dtypes. InvalidArgumentError: when it runs, if `pred` is no scalar.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     x = hf.placeholder(hf.float32, [])
    ...     y = hf.cond(x > 0.0, lambda: x * 2.0, lambda: -x)
    ...     print(sess.run(y, {x: 3.0}), sess.run(y, {x: -3.0}))
    6.0 3.0
    """
    true_fn = _one_of("true_fn", true_fn, "fn1", fn1)
    false_fn = _one_of("false_fn", false_fn, "fn2", fn2)
    if context.modes.top.eager:
        return _unpacked(true_fn() if pred else false_fn(), strict)
    if isinstance(pred, bool):
        raise TypeError("pred must not be a Python bool")
    with name_scope(name, "cond", [pred]) as scope:
        pred = convert_to_tensor(pred, name="pred")
        if pred.dtype.base_dtype != dtypes.bool:
            raise DTypeError(
                f"pred of cond must be a bool tensor, got {pred}. `hf.cast(pred, hf.bool)` is true "
                "where it is not 0."
            )
        name = scope.rstrip("/")
        bodies.check_scalar(pred, f"pred of cond '{name}'")
        functions = [
            (f"true_fn of cond '{name}'", true_fn),
            (f"false_fn of cond '{name}'", false_fn),
        ]
        return _chosen(_cond, pred, functions, scope, strict)


def _chosen(
    op_def: OpDef,
    chooser: Tensor,
    functions: list[tuple[str, Callable[[], Any]]],
    scope: str,
    strict: bool,
) -> Any:
    """What the function gives that is chosen when it runs; all give one structure.

    Unless `strict`, a list of one result is that result.
    """
    structures: list[Any] = []

    def check(number: int) -> None:
        try:
            nest.assert_same_structure(structures[0], structures[number])
        except (TypeError, ValueError) as error:
            names = f"{functions[0][0]} and {functions[number][0]}"
            raise type(error)(f"Incompatible return values of {names}: {error}") from None

    def flat(function: Callable[[], Any]) -> list[Any]:
        result = _unpacked(function(), strict)
        if result is None:
            what = functions[len(structures)][0]
            raise ValueError(
                f"{what} must have a return value, but gave None: a function without `return` does."
            )
        structures.append(result)
        if len(nest.flatten(result)) == len(nest.flatten(structures[0])):
            check(len(structures) - 1)
        return [t for t in taken_apart(result) if t is not None]

    named = [(what, functools.partial(flat, function)) for what, function in functions]
    leaves = iter(_branch_op(op_def, chooser, named, scope))
    first = structures[0]
    for number in range(len(functions)):
        check(number)
    filled = [None if t is None else next(leaves) for t in nest.flatten_parts(first)]
    return put_together(first, filled)


def _one_of(name: str, value: Any, old_name: str, old_value: Any) -> Any:
    if old_value is not None:
        if value is not None:
            raise TypeError(f"cond(): {name} and {old_name} may not be set simultaneously.")
        value = old_value
    if value is None:
        raise TypeError(f"cond(): {name} argument required")
    if not callable(value):
        raise TypeError(f"{name} must be callable.")
    return value


def _unpacked(result: Any, strict: bool) -> Any:
    if not strict and isinstance(result, list | tuple) and len(result) == 1:
        return result[0]
    return result


def case(
    pred_fn_pairs: Any,
    default: Any = None,
    exclusive: bool = False,
    strict: bool = False,
    name: str = "case",
) -> Any:
    """The result of the function whose predicate is the first to be true.

    Args:
      pred_fn_pairs: list of (boolean scalar tensor, function) pairs, or a dict.
      default: function for the case that none is true; without one that is an error when it
        happens.
      exclusive: makes it an error that more than one predicate is true.
      strict: keeps a list of one result a list.
      name: name scope of the ops.

    Raises:
      TypeError: if the pairs or functions are none. InvalidArgumentError: when it runs, as said
        above.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.constant(5)
    ...     y = hf.case([(x < 3, lambda: hf.constant(0)), (x < 9, lambda: hf.constant(1))])
    ...     print(int(y))
    1
    """
    pairs: list[Any]
    if isinstance(pred_fn_pairs, dict):
        pairs = list(pred_fn_pairs.items())
    elif isinstance(pred_fn_pairs, list | tuple):
        pairs = list(pred_fn_pairs)
    else:
        raise TypeError("fns must be a list, tuple, or dict")
    for pair in pairs:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError(f"Each entry in pred_fn_pairs must be a 2-tuple, got {pair!r}.")
        if not callable(pair[1]):
            raise TypeError(f"fn for pred {pair[0]!r} must be callable.")
    if default is not None and not callable(default):
        raise TypeError("default must be callable.")
    if not pairs:
        if default is None:
            raise ValueError("case() needs at least one pair or a default.")
        return _unpacked(default(), strict)
    with name_scope(name, "case") as scope:
        preds = [convert_to_tensor(p) for p, _ in pairs]
        for pred in preds:
            if pred.dtype.base_dtype != dtypes.bool:
                raise DTypeError(f"The predicates of case must be bool tensors, got {pred}.")
        functions = [function for _, function in pairs]
        checks = (
            [raw.Assert(_at_most_one(preds), [_EXCLUSIVE, *preds], summarize=len(preds))]
            if exclusive
            else []
        )
        functions.append(default or functools.partial(_none_true, preds, functions[-1]))
        if context.modes.top.eager:
            true = [function for pred, function in zip(preds, functions, strict=False) if pred]
            return _unpacked((true or functions[-1:])[0](), strict)
        named = [
            (f"branch {index} of case '{scope.rstrip('/')}'", function)
            for index, function in enumerate(_in_scopes(functions))
        ]
        with name_scope("cond") as scope:
            chooser = _first_true(checks, preds)
            return _chosen(_case, chooser, named, scope, strict)


def _in_scopes(functions: list[Callable[[], Any]]) -> list[Callable[[], Any]]:
    """The functions, whose ops will have the names that a `cond` inside a `cond` gives them.

    They have to be called in order.
    """
    graph = get_default_graph()
    inner = ""

    def call(index: int, function: Callable[[], Any]) -> Any:
        nonlocal inner
        if index == 0:
            inner = f"{graph.get_name_scope()}/"
        elif index < len(functions) - 1:
            with graph.name_scope(inner), graph.name_scope("cond") as inner:
                pass
        with graph.name_scope(inner):
            return function()

    return [functools.partial(call, *item) for item in enumerate(functions)]


def _first_true(checks: list[Any], preds: list[Tensor]) -> Tensor:
    """The position of the first that is true, or their number if none is."""
    with control_dependencies(checks):
        flags = raw.Cast(raw.Pack([*preds, True], axis=0), DstT=dtypes.int32)
    return raw.ArgMax(flags, 0)


_EXCLUSIVE = "Input error: More than one condition evaluated as True but exclusive=True."
_NONE_TRUE = "Input error: None of the conditions evaluated as True, and case() has no default."


def _at_most_one(preds: list[Tensor]) -> Tensor:
    count = raw.AddN([raw.Cast(p, DstT=dtypes.int32) for p in preds])
    return raw.Less(count, 2)


def _none_true(preds: list[Tensor], last: Callable[[], Any]) -> Any:
    """The branch for the case that nothing is true: it fails, and has results of the right form."""
    check = raw.Assert(raw.Identity(preds[-1]), [_NONE_TRUE], summarize=1)
    with control_dependencies([check] if check is not None else []):
        form = last()
        parts = [raw.Identity(convert_to_tensor(t)) for t in taken_apart(form)]
        return put_together(form, parts)
