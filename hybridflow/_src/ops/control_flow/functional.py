"""Functions over the rows of tensors: map_fn, foldl, foldr, scan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context, dtypes, nest
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import DTypeError
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.ops.arrays.reshaping import of_rows
from hybridflow._src.ops.control_flow.loops import loop_op

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["foldl", "foldr", "map_fn", "scan"]

_GIVE_DTYPE = (
    "The results of fn have the dtypes and the structure of elems unless `dtype` gives theirs: "
    "`dtype={dtype}`."
)


class _Rows:
    """The rows of a nested structure of tensors that share their first dimension."""

    def __init__(self, elems: Any) -> None:
        self.structure = elems
        self.flat = [convert_to_tensor(t, name="elem") for t in nest.flatten(elems)]
        if not self.flat:
            raise ValueError("elems must hold a tensor at least, got none.")
        sizes = set()
        for tensor in self.flat:
            dims = tensor._dims
            if dims == ():
                raise ValueError(f"elems must be at least 1-D, got the scalar {tensor}.")
            if dims is not None and dims[0] is not None:
                sizes.add(dims[0])
        if len(sizes) > 1:
            raise ValueError(f"elems must have one size in dimension 0, got {sorted(sizes)}.")
        self.flat = [of_rows(tensor) for tensor in self.flat]
        self.static_size: int | None = next(iter(sizes), None)

    def size(self) -> Any:
        if self.static_size is not None:
            return convert_to_tensor(self.static_size)
        return raw.StridedSlice(raw.Shape(self.flat[0]), [0], [1], [1], shrink_axis_mask=1)

    def at(self, index: Any) -> Any:
        rows = [raw.GatherV2(t, index, 0) for t in self.flat]
        return nest.pack_sequence_as(self.structure, rows)


def _tensors(structure: Any) -> list[Tensor]:
    return [convert_to_tensor(t) for t in nest.flatten(structure)]


def collect(
    function: Callable[..., Any],
    size: Any,
    static_size: int | None,
    state: list[Tensor],
    scope: str,
    reverse: bool = False,
) -> tuple[list[Tensor], list[Tensor]]:
    """Runs `function(index, *state)`, which gives (new state, items), for each index.

    Args:
      size: the number of indices, a tensor; `static_size` is the same where it is known.
      scope: name scope of the loop, with a slash at the end.
      reverse: whether the last index comes first.

    Returns: the final state, and for each item the tensor of its values by index; none in eager
      mode if there are no indices.
    """
    if context.modes.top.eager:
        columns: list[list[Tensor]] = []
        order = range(int(size))
        for index in reversed(order) if reverse else order:
            state, items = function(convert_to_tensor(index), *state)
            columns = columns or [[] for _ in items]
            for column, item in zip(columns, items, strict=True):
                column.append(item)
        return state, [raw.Pack(c[::-1] if reverse else c, axis=0) for c in columns]
    collected: list[Tensor] = []

    def step(index: Tensor, *current: Tensor) -> list[Any]:
        row = size - 1 - index if reverse else index
        new_state, items = function(row, *current)
        collected[:] = [raw.Identity(t) for t in items]
        return [index + 1, *new_state]

    dims = [(), *[t._dims for t in state]]
    results = loop_op(
        lambda index, *_: index < size,
        step,
        [convert_to_tensor(0), *state],
        dims,
        scope,
        collected,
    )
    stacks = []
    for stack in collected:
        (inner,) = [t for t, s in stack.op.bodies[1].saved.items() if s is stack]
        joined = raw.StackAll(
            stack, dtype=inner.dtype.base_dtype, shape=TensorShape.of(inner._dims)
        )
        joined = raw.ReverseV2(joined, [0]) if reverse else joined
        if static_size is not None and inner._dims is not None:
            joined.set_shape([static_size, *inner._dims])
        stacks.append(joined)
    return results[1:], stacks


def _collect(
    rows: _Rows, function: Callable[..., Any], state: list[Tensor], scope: str, reverse: bool
) -> tuple[list[Tensor], list[Tensor]]:
    """The same for each row."""
    return collect(function, rows.size(), rows.static_size, state, scope, reverse)


def map_fn(
    fn: Callable[..., Any],
    elems: Any,
    dtype: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    name: str | None = None,
) -> Any:
    """`fn` applied to each row of `elems`, the results stacked.

    Args:
      fn: function of a row (in the structure of `elems`).
      elems: tensor `[n, ...]` or nested structure of such tensors.
      dtype: dtypes of the results, in their structure; needed where it differs from that of
        `elems`.
      back_prop: whether gradients flow through.
      parallel_iterations, swap_memory, infer_shape: accepted for compatibility.
      name: name scope of the ops.

    Returns: tensor `[n, ...]`, or a structure of such tensors.

    Raises:
      TypeError: if `fn` is not callable, or gives another dtype.
      ValueError: if `elems` is a scalar, or structures do not match.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.map_fn(lambda x: x * x, hf.constant([1, 2, 3])).numpy())
    [1 4 9]
    """
    if not callable(fn):
        raise TypeError("fn must be callable.")
    with name_scope(name, "map", nest.flatten(elems)) as scope:
        rows = _Rows(elems)
        form = elems if dtype is None else dtype
        wanted = [
            t.dtype.base_dtype if dtype is None else dtypes.as_dtype(t).base_dtype
            for t in (rows.flat if dtype is None else nest.flatten(dtype))
        ]

        def step(index: Any) -> tuple[list[Tensor], list[Tensor]]:
            result = fn(rows.at(index))
            return [], _in_dtypes(result, form, wanted)

        _, stacked = _collect(rows, step, [], scope, reverse=False)
        if not stacked:
            stacked = [raw.Fill([0], convert_to_tensor(0, d)) for d in wanted]
        return nest.pack_sequence_as(form, _maybe_stop(stacked, back_prop))


def _in_dtypes(result: Any, form: Any, wanted: list[dtypes.DType]) -> list[Tensor]:
    """What a mapped function gave, as tensors of the dtypes that its results are to have."""
    try:
        nest.assert_same_structure(form, result)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{error} {_GIVE_DTYPE.format(dtype=_dtypes_of(result))}") from None
    flat = nest.flatten(result)
    for value, dtype in zip(flat, wanted, strict=True):
        if isinstance(value, Tensor) and value.dtype.base_dtype != dtype:
            got = value.dtype.base_dtype.name
            hint = _GIVE_DTYPE.format(dtype=_dtypes_of(result))
            raise DTypeError(f"fn gave {got} where {dtype.name} is expected. {hint}")
    return [convert_to_tensor(t, d) for t, d in zip(flat, wanted, strict=True)]


def _dtypes_of(result: Any) -> str:
    """The dtypes of a structure of tensors, as programs write them."""
    if isinstance(result, dict):
        return "{" + ", ".join(f"{k!r}: {_dtypes_of(v)}" for k, v in result.items()) + "}"
    if isinstance(result, list):
        return "[" + ", ".join(map(_dtypes_of, result)) + "]"
    if isinstance(result, tuple):
        return "(" + ", ".join(map(_dtypes_of, result)) + ("," if len(result) == 1 else "") + ")"
    return f"hf.{convert_to_tensor(result).dtype.base_dtype.name}"


def _maybe_stop(tensors: list[Tensor], back_prop: bool) -> list[Tensor]:
    return tensors if back_prop else [raw.StopGradient(t) for t in tensors]


def _fold(
    fn: Callable[..., Any],
    elems: Any,
    initializer: Any,
    back_prop: bool,
    name: str | None,
    default: str,
    reverse: bool,
) -> Any:
    if not callable(fn):
        raise TypeError("fn must be callable.")
    with name_scope(name, default, nest.flatten(elems)) as scope:
        rows = _Rows(elems)
        rows, first = _first(rows, initializer, reverse)

        def step(index: Any, *state: Tensor) -> tuple[list[Tensor], list[Tensor]]:
            result = fn(nest.pack_sequence_as(first, state), rows.at(index))
            nest.assert_same_structure(first, result)
            return _tensors(result), []

        final, _ = _collect(rows, step, _tensors(first), scope, reverse)
        return nest.pack_sequence_as(first, _maybe_stop(final, back_prop))


def _first(rows: _Rows, initializer: Any, reverse: bool) -> tuple[_Rows, Any]:
    """The first accumulator, and the rows that are left: without an initializer it is the first
    row.
    """
    if initializer is not None:
        return rows, initializer
    if rows.static_size == 0:
        raise ValueError("elems must have at least one row where there is no initializer.")
    bounds = ([0], [-1]) if reverse else ([1], [0])
    rest = [
        raw.StridedSlice(
            t, *bounds, [1], end_mask=0 if reverse else 1, begin_mask=1 if reverse else 0
        )
        for t in rows.flat
    ]
    first = rows.at(rows.size() - 1 if reverse else convert_to_tensor(0))
    return _Rows(nest.pack_sequence_as(rows.structure, rest)), first


def foldl(
    fn: Callable[..., Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """`fn(... fn(fn(initializer, elems[0]), elems[1]) ...)`: the rows combined from the first on.

    Args: as for `map_fn`; `fn` takes the accumulator and a row. Without `initializer` the first
      row is it.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(int(hf.foldl(lambda a, x: a + x, hf.constant([1, 2, 3]))))
    6
    """
    return _fold(fn, elems, initializer, back_prop, name, "foldl", reverse=False)


def foldr(
    fn: Callable[..., Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """As `foldl`, from the last row on.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(int(hf.foldr(lambda a, x: a - x, hf.constant([1, 2, 3]))))
    0
    """
    return _fold(fn, elems, initializer, back_prop, name, "foldr", reverse=True)


def scan(
    fn: Callable[..., Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    name: str | None = None,
) -> Any:
    """All the accumulators of `foldl`, stacked.

    Args: as for `foldl`.

    Returns: tensor `[n, ...]` (or structure of them) whose last row is what `foldl` gives.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.scan(lambda a, x: a + x, hf.constant([1, 2, 3])).numpy())
    [1 3 6]
    """
    if not callable(fn):
        raise TypeError("fn must be callable.")
    with name_scope(name, "scan", nest.flatten(elems)) as scope:
        rows, first = _first(_Rows(elems), initializer, reverse=False)
        start = _tensors(first)

        def step(index: Any, *state: Tensor) -> tuple[list[Tensor], list[Tensor]]:
            result = fn(nest.pack_sequence_as(first, state), rows.at(index))
            nest.assert_same_structure(first, result)
            new = _tensors(result)
            return new, new

        _, stacked = _collect(rows, step, start, scope, reverse=False)
        before = [raw.ExpandDims(s, 0) for s in start]
        if not stacked:  # there were no rows
            stacked = [raw.StridedSlice(s, [0], [0], [1]) for s in before]
        if initializer is None:
            stacked = [raw.ConcatV2([s, t], 0) for s, t in zip(before, stacked, strict=True)]
        return nest.pack_sequence_as(first, _maybe_stop(stacked, back_prop))
