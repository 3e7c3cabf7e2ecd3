"""Symbolic gradients of a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.autodiff.backprop import Gradients, backward, source_tensor
from hybridflow._src.autodiff.unconnected import UnconnectedGradients, fills, with_zeros
from hybridflow._src.framework import context
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.graph_scope import NameScope
from hybridflow._src.framework.indexed_slices import IndexedSlices
from hybridflow._src.framework.late import late
from hybridflow._src.framework.op_def import ZERO
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.stack import Opener, Together
from hybridflow._src.framework.tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.operation import Operation

_EAGER = (
    "tf.gradients is not supported when eager execution is enabled. Compute the loss inside `with "
    "hf.GradientTape() as tape:` and call `tape.gradient(loss, variables)`."
)


class AggregationMethod:
    """How gradients that meet are summed. All methods give the same sum here."""

    ADD_N = 0
    DEFAULT = ADD_N
    EXPERIMENTAL_TREE = 1
    EXPERIMENTAL_ACCUMULATE_N = 2


_AGGREGATION_METHODS = (
    None,
    AggregationMethod.ADD_N,
    AggregationMethod.EXPERIMENTAL_TREE,
    AggregationMethod.EXPERIMENTAL_ACCUMULATE_N,
)


def gradients(
    ys: Any,
    xs: Any,
    grad_ys: Any = None,
    name: str = "gradients",
    colocate_gradients_with_ops: bool = False,
    gate_gradients: bool = False,
    aggregation_method: int | None = None,
    stop_gradients: Any = None,
    unconnected_gradients: Any = UnconnectedGradients.NONE,
) -> list[Any]:
    """Builds the derivatives of the sum of `ys` with respect to each of `xs`, in graph mode.

    Args:
      ys: tensor or list of tensors.
      xs: tensor, variable, or list of them.
      grad_ys: a gradient for each of `ys` (ones where it is None), of its shape or another one of
        as many elements.
      name: name scope of the ops made.
      colocate_gradients_with_ops: whether gradient ops are colocated with the ops they belong to.
      gate_gradients: accepted; results do not depend on it.
      aggregation_method: one of `AggregationMethod`; results do not depend on it.
      stop_gradients: tensors that count as constants.
      unconnected_gradients: of TensorFlow 1.15; a member of `UnconnectedGradients`, or its value.

    Returns: for each of `xs` a tensor of its shape, `IndexedSlices` where only rows were used, or,
    where `ys` do not depend on it, what `unconnected_gradients` says.

    Raises:
      RuntimeError: in eager mode. ValueError: if `grad_ys` do not match `ys`, or for another
        `aggregation_method` or `unconnected_gradients`.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     x = hf.constant(3.0)
    ...     print(sess.run(hf.gradients(x * x, x)))
    [np.float32(6.0)]
    """
    if context.modes.top.eager:
        raise RuntimeError(_EAGER)
    check_aggregation_method(aggregation_method)
    filled = fills(unconnected_gradients)
    found = _gradients(
        ys, xs, grad_ys, name, colocate_gradients_with_ops, stop_gradients, Gradients.of_source
    )
    return with_zeros(found, _as_list(xs)) if filled else found


def _gradients(
    ys: Any,
    xs: Any,
    grad_ys: Any,
    name: str,
    colocate_gradients_with_ops: bool,
    stop_gradients: Any,
    of: Callable[[Gradients, Tensor], Any],
) -> list[Any]:
    """`gradients`, with what `of` gives for each source."""
    ys = _as_list(ys)
    xs = _as_list(xs)
    sources = [source_tensor(x) for x in xs]
    stopped = frozenset(source_tensor(t) for t in _as_list(stop_gradients))
    graph = get_default_graph()
    with name_scope(name, "gradients", [*ys, *xs]):
        targets = [y.values if isinstance(y, IndexedSlices) else convert_to_tensor(y) for y in ys]
        sources = [convert_to_tensor(s) for s in sources]
        given = _as_list(grad_ys) if grad_ys is not None else [None] * len(targets)
        if len(given) != len(targets):
            raise ValueError(
                f"Passed {len(given)} grad_ys for {len(targets)} ys: their numbers must be equal."
            )
        grads = Gradients(colocate_gradients_with_ops)
        for index, (y, grad) in enumerate(zip(targets, given, strict=True)):
            grads.add(y, _seed(y, grad, index))
        reached = set(sources)
        between = _between(targets, reached, stopped)

        def scope(op: Operation) -> Opener:
            names = NameScope(graph, f"{op.name}_grad", op)
            if colocate_gradients_with_ops:
                return Together(graph.colocate_with(op), names)
            return names

        backward(reversed(between), grads, reached.__contains__, stopped, scope)
        return [of(grads, s) for s in sources]


def check_aggregation_method(method: int | None) -> None:
    """Raises ValueError unless it is None or one of `AggregationMethod`."""
    if method not in _AGGREGATION_METHODS:
        raise ValueError(f"Invalid aggregation_method specified {method!r}.")


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list | tuple):
        value = [value]
    flat: list[Any] = []
    for item in value:
        parts = getattr(item, "_gradient_parts", None)
        flat.extend([item] if parts is None else parts)
    return flat


def _seed(y: Tensor, grad: Any, index: int) -> Any:
    """The gradient that flows into a target: ones, or what the caller gives."""
    dtype = y.dtype.base_dtype
    if grad is None:
        if dtype.is_complex:
            raise TypeError(
                f"Gradients of complex tensors must set grad_ys (y.dtype = {dtype.name})"
            )
        return raw.OnesLike(y, name=f"grad_ys_{index}")
    if isinstance(grad, IndexedSlices):
        return grad
    grad = convert_to_tensor(
        grad, None if isinstance(grad, Tensor) else dtype, name=f"grad_ys_{index}"
    )
    if grad.dtype.base_dtype != dtype:
        raise ValueError(
            f"Gradient type {grad.dtype.name} for y={y} does not match the type {dtype.name} of y."
        )
    if grad.shape.is_compatible_with(y.shape):
        return grad
    # Such as [1] for a scalar, which TensorFlow takes too.
    if grad.shape.num_elements() == y.shape.num_elements():
        return raw.Reshape(grad, y.shape.as_list())
    raise ValueError(f"Gradient of shape {grad.shape} does not fit y={y} of shape {y.shape}.")


def _between(
    targets: list[Tensor], reached: set[Tensor], stopped: frozenset[Tensor]
) -> list[Operation]:
    """The ops on a path from the tensors in `reached` to the targets, in order; adds their outputs
    to `reached`."""
    needed: set[Operation] = set()
    pending = [t.op for t in targets if t not in stopped]
    while pending:
        op = pending.pop()
        if op in needed:
            continue
        needed.add(op)
        pending.extend(t.op for t in op.inputs if t not in stopped and t.op not in needed)
    between = []
    for op in sorted(needed, key=lambda op: op._id):
        if any(t in reached for t in op.inputs):
            between.append(op)
            reached.update(t for t in op.outputs if t not in stopped)
    return between


def _of_body(ys: Any, xs: Any, grad_ys: Any, stop_gradients: Any) -> list[Any]:
    """`gradients` for those who know themselves what stands for a gradient of zero."""

    def of(grads: Gradients, source: Tensor) -> Any:
        known = grads.of(source)
        return None if known is ZERO else known

    return _gradients(ys, xs, grad_ys, "gradients", False, stop_gradients, of)


late.gradients = _of_body
