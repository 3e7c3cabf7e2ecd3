"""`Barrier`: elements whose components come one by one, in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.framework import context
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import REQUIRED, OpDef, not_differentiable
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.framework.tensor_shape import TensorShape, as_shape
from hybridflow._src.framework.waiting import Waiting
from hybridflow._src.ops.data_flow.barrier_state import Barrier as BarrierState
from hybridflow._src.ops.data_flow.components import dtype_list, shape_list
from hybridflow._src.ops.data_flow.handles import named, new_handle

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["Barrier"]


# -- ops -------------------------------------------------------------------------------------------


def _made(name: str, component_types: Any, shapes: Any, capacity: int) -> BarrierState:
    if capacity != -1:
        raise InvalidArgumentError(
            None,
            None,
            "Barrier only accepts capacity=-1.  Feed the inputs to your Barrier through a queue to "
            "enforce a limited capacity.",
        )
    return BarrierState(name, component_types, [as_shape(shape)._dims for shape in shapes])


_barrier = named(
    "barrier", "Barrier", _made, {"component_types": REQUIRED, "shapes": (), "capacity": -1}
)


def _taken(
    barrier: BarrierState,
    n: Any,
    allow_small_batch: bool,
    timeout_ms: int,
    **_: Any,
) -> Any:
    if timeout_ms != -1:
        raise InvalidArgumentError(
            None,
            None,
            "Barrier: a timeout of one op is not supported: give the run one, by "
            "`RunOptions(timeout_in_ms=...)`.",
        )
    return barrier.take_many(n, allow_small_batch)


def _op(name: str, signature: str, shapes: Any, compute: Callable[..., Any], **attrs: Any) -> OpDef:
    return OpDef(
        name,
        f"handle: resource{signature}",
        attrs=attrs,
        shape=shapes,
        compute=compute,
        grad=not_differentiable,
        stateful=True,
    )


_insert_many = _op(
    "BarrierInsertMany",
    ", keys: string, values: T ->",
    lambda attrs, *_: [],
    Waiting(lambda b, keys, values, component_index: b.insert(component_index, keys, values)),
    component_index=REQUIRED,
)
_take_many = _op(
    "BarrierTakeMany",
    ", num_elements: int32 -> indices: int64, keys: string, values: N*component_types",
    lambda attrs, *_: [(None,), (None,), *[None] * len(attrs["component_types"])],
    Waiting(_taken),
    component_types=REQUIRED,
    allow_small_batch=False,
    wait_for_incomplete=False,
    timeout_ms=-1,
)
_close = _op(
    "BarrierClose",
    " ->",
    lambda attrs, *_: [],
    Waiting(lambda b, cancel_pending_enqueues: b.close(cancel_pending_enqueues)),
    cancel_pending_enqueues=False,
)
_ready_size = _op(
    "BarrierReadySize",
    " -> size: int32",
    lambda attrs, *_: (),
    lambda b: np.asarray(b.size(), np.int32),
)
_incomplete_size = _op(
    "BarrierIncompleteSize",
    " -> size: int32",
    lambda attrs, *_: (),
    lambda b: np.asarray(b.incomplete_size(), np.int32),
)


# -- the class -------------------------------------------------------------------------------------


class _Taken(NamedTuple):
    """What `take_many` gives."""

    indices: Tensor
    keys: Tensor
    values: list[Tensor]


class Barrier:
    """Elements that have keys, and whose components come one by one, from any threads.

    Whole elements are taken, those whose first component came first in front. Like a queue it lives
    in the session; who waits for elements holds no lock.

    Args:
      types: the dtypes of an element's components: one, or a list of them.
      shapes: their shapes, without unknown sizes; None if elements may have any, which must agree
        where they are taken together.
      shared_name: barriers of this name are one, within a session.
      name: name of the op.

    Raises:
      ValueError: for shapes that are not known or hold nothing.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     barrier = hf.contrib.framework.Barrier([hf.string, hf.int32], shapes=[[], []])
    ...     indices, keys, (texts, numbers) = barrier.take_many(1)
    ...     sess.run(barrier.insert_many(0, keys=["a", "b"], values=["x", "y"]))
    ...     sess.run(barrier.insert_many(1, keys=["b"], values=[2]))
    ...     print(*sess.run([keys, texts, numbers]))
    [b'b'] [b'y'] [2]
    """

    def __init__(
        self,
        types: Any,
        shapes: Any = None,
        shared_name: str | None = None,
        name: str = "barrier",
    ) -> None:
        self._types = dtype_list(types)
        found = shape_list(shapes)
        if found is not None and len(found) != len(self._types):
            raise ValueError(
                f"Barrier shapes must be as many as types: {len(found)} and {len(self._types)}."
            )
        for index, shape in enumerate(found or ()):
            if shape.num_elements() == 0:
                raise ValueError(
                    f"Empty tensors are not supported, but received shape '{shape}' at index "
                    f"{index}"
                )
        self._shapes = found or [as_shape(None)] * len(self._types)
        self._barrier_ref = new_handle(
            _barrier,
            name,
            component_types=self._types,
            shapes=found or [],
            shared_name=shared_name or "",
        )
        eager = context.modes.top.eager
        self._full_name = name if eager else self._barrier_ref.op.name
        self._name = self._full_name.split("/")[-1]

    @property
    def barrier_ref(self) -> Tensor:
        """The handle of the barrier."""
        return self._barrier_ref

    @property
    def name(self) -> str:
        """The name of the barrier's op."""
        return self._full_name

    def insert_many(
        self, component_index: int, keys: Any, values: Any, name: str | None = None
    ) -> Any:
        """Sets one component of the elements of some keys; those that are new begin so.

        Args:
          component_index: which component, a number from 0.
          keys: a string vector `[n]`. values: a tensor `[n, ...]` of the component's dtype.
          name: name of the op.

        Returns: the operation.

        Raises:
          InvalidArgumentError: when it runs, for shapes that do not fit, values without elements,
            another component, and where a component is there already. CancelledError: when it
            runs, if the barrier is closed, but for elements that were begun before.
        """
        dtype = None
        if 0 <= component_index < len(self._types):
            dtype = self._types[component_index]
        return _insert_many(
            self._barrier_ref,
            keys,
            convert_to_tensor(values, dtype),
            component_index=component_index,
            name=name or f"{self._name}_BarrierInsertMany",
        )

    def take_many(
        self,
        num_elements: Any,
        allow_small_batch: bool = False,
        timeout: int | None = None,
        name: str | None = None,
    ) -> _Taken:
        """Takes so many whole elements; waits until there are as many.

        Args:
          num_elements: how many, an int32 scalar.
          allow_small_batch: when the barrier is closed, take those that are whole, if fewer.
          timeout: is not supported: a run may have one.
          name: name of the op.

        Returns: `(indices, keys, values)`: an int64 vector with the numbers of the insertions that
          the elements began with, from -2**63; a string vector; a list of tensors `[num, ...]`, one
          for each component.

        Raises:
          OutOfRangeError: when it runs, if the barrier is closed and has fewer elements, with those
            that lack components. InvalidArgumentError: when it runs, for a negative number, or a
            timeout. CancelledError: if the session is closed while it waits.
        """
        taken = _take_many(
            self._barrier_ref,
            num_elements,
            component_types=self._types,
            allow_small_batch=bool(allow_small_batch),
            timeout_ms=-1 if timeout is None else int(timeout),
            name=name or f"{self._name}_BarrierTakeMany",
        )
        indices, keys, *values = taken
        if not context.modes.top.eager:
            number = constant_value(indices.op.inputs[1])
            size = None if allow_small_batch or number is None else int(number)
            for tensor in (indices, keys):
                tensor.set_shape([size])
            for tensor, shape in zip(values, self._shapes, strict=True):
                tensor.set_shape(TensorShape([size]).concatenate(shape))
        return _Taken(indices, keys, values)

    def close(self, cancel_pending_enqueues: bool = False, name: str | None = None) -> Any:
        """Closes it: no new keys come, and who waits for more than there is gets an error.

        Args:
          cancel_pending_enqueues: drop the elements that lack components, too.
          name: name of the op.

        Returns: the operation.

        Raises:
          CancelledError: when it runs, if the barrier is closed, unless it is cancelled now.
        """
        return _close(
            self._barrier_ref,
            cancel_pending_enqueues=bool(cancel_pending_enqueues),
            name=name or f"{self._name}_BarrierClose",
        )

    def ready_size(self, name: str | None = None) -> Tensor:
        """The number of whole elements: an int32 scalar."""
        size: Tensor = _ready_size(self._barrier_ref, name=name or f"{self._name}_BarrierReadySize")
        return size

    def incomplete_size(self, name: str | None = None) -> Tensor:
        """The number of elements that lack a component: an int32 scalar."""
        size: Tensor = _incomplete_size(
            self._barrier_ref, name=name or f"{self._name}_BarrierIncompleteSize"
        )
        return size
