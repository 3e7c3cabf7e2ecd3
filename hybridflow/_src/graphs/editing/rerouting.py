"""Tensors and subgraphs in place of others, and what operations wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.operation import Operation
from hybridflow._src.graphs.editing.elements import (
    get_unique_graph,
    make_list_of_op,
    make_list_of_t,
)
from hybridflow._src.graphs.editing.placeholders import make_placeholder_from_tensor
from hybridflow._src.graphs.editing.rewiring import Rewiring
from hybridflow._src.graphs.editing.selecting import ControlOutputs
from hybridflow._src.graphs.editing.subgraph import SubGraphView, make_view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "add_control_inputs",
    "bypass",
    "connect",
    "detach",
    "detach_control_inputs",
    "detach_control_outputs",
    "detach_inputs",
    "detach_outputs",
    "remove_control_inputs",
    "reroute_inputs",
    "reroute_ios",
    "reroute_outputs",
    "reroute_ts",
    "swap_inputs",
    "swap_ios",
    "swap_outputs",
    "swap_ts",
]


def _users(tensor: Tensor, can_modify: Any, cannot_modify: Any) -> list[Operation]:
    users = list(dict.fromkeys(tensor.consumers()))
    if can_modify is not None:
        users = [op for op in users if op in can_modify]
    return users if cannot_modify is None else [op for op in users if op not in cannot_modify]


def _reroute(
    pairs: Sequence[tuple[Tensor, Tensor]], can_modify: Any = None, cannot_modify: Any = None
) -> int:
    """Has users of the second tensor of each pair use the first; gives how many inputs changed."""
    if not pairs:
        return 0
    only = None if can_modify is None else set(make_list_of_op(can_modify))
    never = None if cannot_modify is None else set(make_list_of_op(cannot_modify))
    graph = get_unique_graph([tensor for pair in pairs for tensor in pair])
    rewiring = Rewiring(graph)
    count = 0
    for new, old in pairs:
        if new is old:
            continue
        for op in _users(old, only, never):
            for index, tensor in enumerate(op.inputs):
                if tensor is old:
                    rewiring.use(op, index, new)
                    count += 1
    if count:
        rewiring.apply()
    return count


def _paired(ts0: Any, ts1: Any) -> list[tuple[Tensor, Tensor]]:
    first, second = make_list_of_t(ts0), make_list_of_t(ts1)
    if len(first) != len(second):
        raise ValueError(f"There must be as many tensors: {len(first)}, {len(second)}.")
    return list(zip(first, second, strict=True))


def reroute_ts(ts0: Any, ts1: Any, can_modify: Any = None, cannot_modify: Any = None) -> int:
    """Has what uses the tensors of the second list use those of the first.

    Plans that sessions have made of the graph are made anew.

    Args:
      ts0: the tensors that are used from now on.
      ts1: as many tensors, in whose place they come.
      can_modify: the operations that may change; all by default.
      cannot_modify: operations that stay as they are.

    Returns: how many inputs have changed.

    Raises:
      TypeError: if dtypes differ. ValueError: if the lists are not as long, or an operation would
        need its own result, or one stands inside of a conditional or a loop; then nothing changes.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     x, other = hf.constant(1.0), hf.constant(5.0)
    ...     y = x + 1.0
    ...     before = session.run(y)
    ...     count = hf.contrib.graph_editor.reroute_ts([other], [x])
    ...     print(before, count, session.run(y))
    2.0 1 6.0
    """
    return _reroute(_paired(ts0, ts1), can_modify, cannot_modify)


def swap_ts(ts0: Any, ts1: Any, can_modify: Any = None, cannot_modify: Any = None) -> int:
    """Has what uses the tensors of one list use those of the other, and the other way round.

    Args:
      ts0, ts1: the tensors.
      can_modify, cannot_modify: as for `reroute_ts`.

    Returns: how many inputs have changed.

    Raises:
      TypeError, ValueError: as for `reroute_ts`.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     x, y = hf.constant(1.0), hf.constant(5.0)
    ...     difference = x - y
    ...     count = hf.contrib.graph_editor.swap_ts([x], [y])
    ...     print(count, session.run(difference))
    2 4.0
    """
    pairs = _paired(ts0, ts1)
    return _reroute([*pairs, *[(b, a) for a, b in pairs]], can_modify, cannot_modify)


def _of_views(sgv0: Any, sgv1: Any, inputs: bool, both: bool) -> tuple[SubGraphView, SubGraphView]:
    """Reroutes what goes into two subgraphs, or comes out of them."""
    one, two = make_view(sgv0), make_view(sgv1)
    first, second = (one.inputs, two.inputs) if inputs else (one.outputs, two.outputs)
    pairs = _paired(first, second)
    if inputs:
        _reroute(pairs, can_modify=two.ops)
        if both:
            _reroute([(b, a) for a, b in pairs], can_modify=one.ops)
    else:
        # Their own operations go on using what they compute.
        own = [*one.ops, *two.ops]
        swapped = [(b, a) for a, b in pairs] if both else []
        _reroute([*pairs, *swapped], cannot_modify=own)
    return SubGraphView(one.ops, one.passthroughs), SubGraphView(two.ops, two.passthroughs)


def reroute_inputs(sgv0: Any, sgv1: Any) -> tuple[SubGraphView, SubGraphView]:
    """Has the second subgraph take what goes into the first.

    Returns: views of both.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     one, two = hf.sqrt(hf.constant(4.0)), hf.negative(hf.constant(1.0))
    ...     views = hf.contrib.graph_editor.reroute_inputs(one.op, two.op)
    ...     print(session.run([one, two]))
    [np.float32(2.0), np.float32(-4.0)]
    """
    return _of_views(sgv0, sgv1, True, False)


def swap_inputs(sgv0: Any, sgv1: Any) -> tuple[SubGraphView, SubGraphView]:
    """Exchanges what goes into two subgraphs.

    Returns: views of both.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     one, two = hf.sqrt(hf.constant(4.0)), hf.negative(hf.constant(1.0))
    ...     views = hf.contrib.graph_editor.swap_inputs(one.op, two.op)
    ...     print(session.run([one, two]))
    [np.float32(1.0), np.float32(-4.0)]
    """
    return _of_views(sgv0, sgv1, True, True)


def reroute_outputs(sgv0: Any, sgv1: Any) -> tuple[SubGraphView, SubGraphView]:
    """Has what uses the outputs of the second subgraph use those of the first.

    Returns: views of both.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     one, two = hf.sqrt(hf.constant(4.0)), hf.negative(hf.constant(1.0))
    ...     y = two + 1.0
    ...     views = hf.contrib.graph_editor.reroute_outputs(one.op, two.op)
    ...     print(session.run(y))
    3.0
    """
    return _of_views(sgv0, sgv1, False, False)


def swap_outputs(sgv0: Any, sgv1: Any) -> tuple[SubGraphView, SubGraphView]:
    """Exchanges who uses the outputs of two subgraphs.

    Returns: views of both.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     one, two = hf.sqrt(hf.constant(4.0)), hf.negative(hf.constant(1.0))
    ...     difference = one - two
    ...     views = hf.contrib.graph_editor.swap_outputs(one.op, two.op)
    ...     print(session.run(difference))
    -3.0
    """
    return _of_views(sgv0, sgv1, False, True)


def reroute_ios(sgv0: Any, sgv1: Any) -> tuple[SubGraphView, SubGraphView]:
    """`reroute_inputs` and `reroute_outputs`: the first subgraph takes the second one's place.

    Returns: views of both.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     one, two = hf.sqrt(hf.constant(4.0)), hf.negative(hf.constant(9.0))
    ...     y = two + 1.0
    ...     views = hf.contrib.graph_editor.reroute_ios(two.op, one.op)
    ...     print(session.run(y))
    -8.0
    """
    one, two = make_view(sgv0), make_view(sgv1)
    reroute_outputs(one, two)
    return reroute_inputs(one, two)


def swap_ios(sgv0: Any, sgv1: Any) -> tuple[SubGraphView, SubGraphView]:
    """`swap_inputs` and `swap_outputs`: two subgraphs take each other's place.

    Returns: views of both.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     one, two = hf.sqrt(hf.constant(4.0)), hf.negative(hf.constant(9.0))
    ...     y, z = one + 0.0, two + 0.0
    ...     views = hf.contrib.graph_editor.swap_ios(one.op, two.op)
    ...     print(session.run([y, z]))
    [np.float32(-4.0), np.float32(3.0)]
    """
    one, two = make_view(sgv0), make_view(sgv1)
    swap_outputs(one, two)
    return swap_inputs(one, two)


def add_control_inputs(op: Operation, cops: Any) -> None:
    """Has an operation wait for others too.

    Args:
      op: the operation.
      cops: an operation, or a list of them, for which it does not wait yet.

    Raises:
      TypeError: if they are no operations. ValueError: if it waits for one of them already, or one
        needs its result.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     x, y = hf.constant(1.0, name="x"), hf.constant(2.0)
    ...     hf.contrib.graph_editor.add_control_inputs(y.op, x.op)
    ...     print([op.name for op in y.op.control_inputs])
    ['x']
    """
    if not isinstance(op, Operation):
        raise TypeError(f"Expected an Operation, got: {type(op)}")
    others = make_list_of_op(cops, allow_graph=False)
    known = [other.name for other in others if other in op.controls]
    if known:
        raise ValueError(f"{op.name} waits for {known} already.")
    if any(other.graph is not op.graph or other.body is not op.body for other in others):
        raise ValueError(f"{op.name} cannot wait for what is of another graph, or of a loop.")
    if others:
        rewiring = Rewiring(op.graph)
        rewiring.wait(op, [*op.controls, *others])
        rewiring.apply()


def remove_control_inputs(op: Operation, cops: Any) -> None:
    """Has an operation not wait for others.

    Args:
      op: the operation.
      cops: an operation, or a list of them, for which it waits.

    Raises:
      TypeError: if they are no operations. ValueError: if it does not wait for one of them.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     x = hf.constant(1.0)
    ...     with hf.control_dependencies([x]):
    ...         y = hf.no_op()
    ...     hf.contrib.graph_editor.remove_control_inputs(y, x.op)
    ...     print(y.control_inputs)
    []
    """
    if not isinstance(op, Operation):
        raise TypeError(f"Expected an Operation, got: {type(op)}")
    others = make_list_of_op(cops, allow_graph=False)
    unknown = [other.name for other in others if other not in op.controls]
    if unknown:
        raise ValueError(f"{op.name} does not wait for {unknown}.")
    rewiring = Rewiring(op.graph)
    rewiring.wait(op, [other for other in op.controls if other not in others])
    rewiring.apply()


def detach_control_inputs(sgv: Any) -> None:
    """Has the operations of a subgraph not wait for those outside.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     x = hf.constant(1.0)
    ...     with hf.control_dependencies([x]):
    ...         y = hf.no_op()
    ...     hf.contrib.graph_editor.detach_control_inputs(y)
    ...     print(y.control_inputs)
    []
    """
    view = make_view(sgv)
    members = set(view.ops)
    for op in view.ops:
        outside = [other for other in op.controls if other not in members]
        if outside:
            remove_control_inputs(op, outside)


def detach_control_outputs(sgv: Any, control_outputs: ControlOutputs) -> None:
    """Has operations outside not wait for those of a subgraph.

    Args:
      sgv: the subgraph.
      control_outputs: who waits for whom.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default() as graph:
    ...     x = hf.constant(1.0)
    ...     with hf.control_dependencies([x]):
    ...         y = hf.no_op()
    ...     editor = hf.contrib.graph_editor
    ...     editor.detach_control_outputs(x.op, editor.ControlOutputs(graph))
    ...     print(y.control_inputs)
    []
    """
    view = make_view(sgv)
    members = set(view.ops)
    for op in view.ops:
        for other in control_outputs.get(op):
            if other not in members:
                remove_control_inputs(other, op)
    control_outputs.update()


def detach_inputs(sgv: Any, control_inputs: bool = False) -> tuple[SubGraphView, list[Tensor]]:
    """Has a subgraph take placeholders in place of its inputs.

    Args:
      sgv: the subgraph.
      control_inputs: whether it does not wait for operations outside either.

    Returns: a view of it, and the placeholders.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     y = hf.sqrt(hf.constant(4.0))
    ...     _, (x,) = hf.contrib.graph_editor.detach_inputs(y.op)
    ...     print(session.run(y, {x: 9.0}))
    3.0
    """
    view = make_view(sgv)
    inputs = view.inputs
    stand_ins = [make_placeholder_from_tensor(tensor) for tensor in inputs]
    _reroute(list(zip(stand_ins, inputs, strict=True)), can_modify=view.ops)
    if control_inputs:
        detach_control_inputs(view)
    return SubGraphView(view.ops), stand_ins


def detach_outputs(
    sgv: Any, control_outputs: ControlOutputs | None = None
) -> tuple[SubGraphView, list[Tensor]]:
    """Has operations outside take placeholders in place of what comes out of a subgraph.

    Args:
      sgv: the subgraph.
      control_outputs: who waits for whom: then nobody waits for it either.

    Returns: a view of it, and the placeholders.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     y = hf.sqrt(hf.constant(4.0))
    ...     z = y + 1.0
    ...     _, (x,) = hf.contrib.graph_editor.detach_outputs(y.op)
    ...     print(session.run(z, {x: 9.0}))
    10.0
    """
    view = make_view(sgv)
    members = set(view.ops)
    used = [
        tensor
        for tensor in dict.fromkeys(view.outputs)
        if any(op not in members for op in tensor.consumers())
    ]
    stand_ins = [make_placeholder_from_tensor(tensor) for tensor in used]
    _reroute(list(zip(stand_ins, used, strict=True)), cannot_modify=view.ops)
    if control_outputs is not None:
        detach_control_outputs(view, control_outputs)
    return view, stand_ins


def detach(
    sgv: Any,
    control_inputs: bool = False,
    control_outputs: ControlOutputs | None = None,
    control_ios: ControlOutputs | None = None,
) -> tuple[SubGraphView, list[Tensor], list[Tensor]]:
    """`detach_inputs` and `detach_outputs`.

    Args:
      sgv: the subgraph.
      control_inputs, control_outputs: as for these.
      control_ios: who waits for whom: then neither it waits nor anybody for it.

    Returns: a view of it, and the placeholders of its inputs and outputs.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     y = hf.sqrt(hf.constant(4.0))
    ...     z = y + 1.0
    ...     _, (x,), (out,) = hf.contrib.graph_editor.detach(y.op)
    ...     print(session.run([y, z], {x: 9.0, out: 1.0}))
    [np.float32(3.0), np.float32(2.0)]
    """
    if control_ios is not None:
        control_inputs, control_outputs = True, control_ios
    _, inward = detach_inputs(sgv, control_inputs)
    view, outward = detach_outputs(sgv, control_outputs)
    return SubGraphView(view.ops), inward, outward


def connect(
    sgv0: Any, sgv1: Any, disconnect_first: bool = False
) -> tuple[SubGraphView, SubGraphView]:
    """Has the second subgraph take what comes out of the first.

    Args:
      sgv0, sgv1: the subgraphs; the first has as many outputs as the second has inputs.
      disconnect_first: whether what had used the outputs of the first, and the inputs of the
        second, are detached.

    Returns: views of both.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     one, two = hf.sqrt(hf.constant(4.0)), hf.negative(hf.constant(9.0))
    ...     views = hf.contrib.graph_editor.connect(one.op, two.op)
    ...     print(session.run(two))
    -2.0
    """
    one, two = make_view(sgv0), make_view(sgv1)
    if disconnect_first:
        detach_outputs(one)
    _reroute(_paired(one.outputs, two.inputs), can_modify=two.ops)
    return SubGraphView(one.ops), SubGraphView(two.ops)


def bypass(sgv: Any) -> tuple[SubGraphView, list[Tensor]]:
    """Has what uses the outputs of a subgraph use its inputs instead.

    Args:
      sgv: a subgraph with as many inputs as outputs.

    Returns: a view of it, which takes placeholders from now on, and these.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     y = hf.sqrt(hf.constant(4.0))
    ...     z = y + 1.0
    ...     _ = hf.contrib.graph_editor.bypass(y.op)
    ...     print(session.run(z))
    5.0
    """
    view = make_view(sgv)
    _reroute(_paired(view.inputs, view.outputs), cannot_modify=view.ops)
    return detach_inputs(view)
