"""Iterators as resources: ops by TensorFlow's names on where a pass through a dataset stands."""

from __future__ import annotations

import itertools
import threading
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.data.functions import ElementGraph, Traced
from hybridflow._src.framework.errors import (
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    OutOfRangeError,
)
from hybridflow._src.framework.locks import holding, new_lock
from hybridflow._src.framework.op_def import REQUIRED, OpDef, not_differentiable
from hybridflow._src.framework.resources import Named
from hybridflow._src.framework.waiting import Later, Waiting
from hybridflow._src.ops.shape_rules import scalar
from hybridflow._src.plan.nested import as_arrays
from hybridflow._src.plan.planning import Kernels, build

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.data.passes import Item, Pass, Source
    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.framework.tensor_shape import TensorShape

_UNINITIALIZED = (
    "GetNext() failed because the iterator has not been initialized. Ensure that you have run the "
    "initializer operation for this iterator before getting the next element."
)
_HANDLE = "hybridflow-iterator-"
_numbers = itertools.count(1)
_by_handle: weakref.WeakValueDictionary[bytes, IteratorResource] = weakref.WeakValueDictionary()


class IteratorResource:
    """Where a pass through a dataset stands, in one session.

    Args:
      types, shapes: of what it gives.
      make: gives the source where none is set, for iterators that initialize themselves.

    Attributes:
      handle: by which `IteratorFromStringHandle` finds it.
    """

    def __init__(
        self,
        types: Sequence[DType],
        shapes: Sequence[TensorShape],
        make: Callable[[], Source] | None = None,
    ) -> None:
        self.types, self.shapes = types, shapes
        self._make = make
        self._source: Source | None = None
        self._pass: Pass | None = None
        self._lock = new_lock()
        # What a thread was about to take when an interrupt came: its next call gives that.
        self._kept: dict[int, Item | None] = {}
        self.handle = f"{_HANDLE}{next(_numbers)}".encode()
        _by_handle[self.handle] = self

    def begin(self, source: Source) -> None:
        """Starts a pass through a source.

        Raises:
          InvalidArgumentError: if its elements are of another form.
        """
        check_form(self.types, self.shapes, source.types, source.shapes)
        started = source.begin()
        holding(self._lock, self._set, source, started)

    def _set(self, source: Source, started: Pass) -> None:
        self._source, self._pass = source, started
        self._kept.clear()

    def next(self) -> Item:
        """The next element.

        Raises:
          OutOfRangeError: at the end. FailedPreconditionError: before it is initialized.
        """
        thread = threading.get_ident()
        item = holding(self._lock, self._next, thread)
        # Not by a call: an interrupt comes before it, or after this is done.
        del self._kept[thread]
        if item is None:
            raise OutOfRangeError(None, None, "End of sequence")
        return item

    def _next(self, thread: int) -> Item | None:
        kept = self._kept
        if thread not in kept:
            kept[thread] = self._started().next()
        return kept[thread]

    def _started(self) -> Pass:
        if self._pass is None:
            if self._make is None:
                raise FailedPreconditionError(None, None, _UNINITIALIZED)
            source = self._make()
            self._set(source, source.begin())
        assert self._pass is not None
        return self._pass

    def state(self) -> Any:
        """Where the pass stands.

        Raises:
          FailedPreconditionError: before it is initialized. UnimplementedError: if that cannot be
            told.
        """
        return holding(self._lock, lambda: self._started().state())

    def restore(self, state: Any) -> None:
        """Begins a pass through the same source, and goes where another one stood.

        Raises:
          FailedPreconditionError: before it is initialized.
          LookupError, TypeError, ValueError: if the state is that of another source.
        """
        holding(self._lock, self._restore, state)

    def _restore(self, state: Any) -> None:
        self._started()
        assert self._source is not None
        fresh = self._source.begin()
        fresh.restore(state)
        self._set(self._source, fresh)


def check_form(
    types: Sequence[DType],
    shapes: Sequence[TensorShape],
    given_types: Sequence[DType],
    given_shapes: Sequence[TensorShape],
) -> None:
    """Checks what elements are against what they are expected to be.

    Raises:
      InvalidArgumentError: if they are something else.
    """
    if len(types) != len(given_types):
        raise InvalidArgumentError(
            None,
            None,
            f"Number of components does not match: expected {len(types)} types but got "
            f"{len(given_types)}.",
        )
    for number, (wanted, got) in enumerate(zip(types, given_types, strict=True)):
        if wanted is not got:
            raise InvalidArgumentError(
                None,
                None,
                f"Data type mismatch at component {number}: expected {wanted.name} but got "
                f"{got.name}.",
            )
    for number, (form, known) in enumerate(zip(shapes, given_shapes, strict=True)):
        if not form.is_compatible_with(known):
            raise InvalidArgumentError(
                None,
                None,
                f"Incompatible shapes at component {number}: expected {form} but got {known}.",
            )


class Factory(Traced):
    """A dataset whose op runs where an iterator needs it, with nothing of it in the graph.

    What it uses of the graph must be the same in every run.

    Args:
      variant: gives the tensor of the dataset.

    Raises:
      ValueError: if it uses a placeholder, or something with a state.
    """

    def __init__(self, variant: Callable[[], Tensor]) -> None:
        super().__init__([], lambda: [variant()], ElementGraph())
        # What constants were told to wait for does not change them.
        self._done: set[Operation] = set()
        for tensor in self.captured:
            _check_constant(tensor, self._done)

    def values(self) -> list[Any]:
        """What it uses of the graph."""
        nothing: frozenset[Tensor] = frozenset()
        done = frozenset(self._done)
        return as_arrays(build(self.captured, [], [], Kernels(), nothing, done).run([]))


def _check_constant(tensor: Tensor, controls: set[Operation]) -> None:
    """Checks that the value of a tensor depends on nothing but constants.

    Args:
      controls: gets what ops on the way were told to wait for.

    Raises:
      ValueError: if it does.
    """
    pending, seen = [tensor.op], {tensor.op}
    while pending:
        op = pending.pop()
        if op.record.name in ("Placeholder", "PlaceholderWithDefault"):
            raise ValueError(
                f"Cannot capture a placeholder (name:{op.name}, type:{op.type}) by value."
            )
        if op.record.stateful or op.record.effect is not None:
            raise ValueError(
                "Failed to create a one-shot iterator for a dataset. "
                "`Dataset.make_one_shot_iterator()` does not support datasets that capture "
                "stateful objects, such as a `Variable` or `LookupTable`. In these cases, use "
                "`Dataset.make_initializable_iterator()`. (Original error: Cannot capture a "
                f"stateful node (name:{op.name}, type:{op.type}) by value.)"
            )
        controls.update(op.controls)
        for source in op.inputs:
            if source.op not in seen:
                seen.add(source.op)
                pending.append(source.op)


# -- ops -------------------------------------------------------------------------------------------


def _kernel(**attrs: Any) -> Named:
    types, shapes = attrs["output_types"], attrs["output_shapes"]

    def check(found: Any) -> None:
        check_form(types, shapes, found.types, found.shapes)

    def make(name: str) -> IteratorResource:
        return IteratorResource(types, shapes)

    return Named("iterator", make, check, attrs["container"], attrs["shared_name"])


def _one_shot_kernel(**attrs: Any) -> Callable[[], IteratorResource]:
    factory: Traced = attrs["dataset_factory"]

    def make() -> Source:
        source: Source = factory.bound(factory.values() or ())([])[0]
        return source

    resource = IteratorResource(attrs["output_types"], attrs["output_shapes"], make)
    return lambda: resource


def _from_handle(handle: Any, output_types: Any, output_shapes: Any) -> IteratorResource:
    found = _by_handle.get(handle[()])
    if found is None:
        raise NotFoundError(
            None,
            None,
            f"{handle[()]!r:.80} is the handle of no iterator: it is what `string_handle()` of one "
            "gives in a session that is still there.",
        )
    if output_types:
        check_form(output_types, output_shapes, found.types, found.shapes)
    return found


def _make(dataset: Source, iterator: IteratorResource) -> tuple[()]:
    iterator.begin(dataset)
    return ()


_FORM = {"output_types": REQUIRED, "output_shapes": REQUIRED}

iterator_op = OpDef(
    "Iterator",
    "-> handle: resource",
    attrs={"shared_name": "", "container": "", **_FORM},
    shape=scalar,
    kernel=_kernel,
    grad=not_differentiable,
)
one_shot_iterator_op = OpDef(
    "OneShotIterator",
    "-> handle: resource",
    attrs={"dataset_factory": REQUIRED, "shared_name": "", "container": "", **_FORM},
    shape=scalar,
    kernel=_one_shot_kernel,
    grad=not_differentiable,
)
make_iterator_op = OpDef(
    "MakeIterator",
    "dataset: variant, iterator: resource ->",
    shape=lambda attrs, *_: [],
    compute=_make,
    grad=not_differentiable,
    stateful=True,
)
get_next_op = OpDef(
    "IteratorGetNext",
    "iterator: resource -> components: N*output_types",
    attrs=_FORM,
    shape=lambda attrs, iterator: [shape._dims for shape in attrs["output_shapes"]],
    # The next element may be long in coming.
    compute=Waiting(lambda iterator, output_types, output_shapes: Later(iterator.next)),
    grad=not_differentiable,
    stateful=True,
)
to_string_handle_op = OpDef(
    "IteratorToStringHandle",
    "resource_handle: resource -> string_handle: string",
    shape=scalar,
    compute=lambda iterator: np.array(iterator.handle, object),
    grad=not_differentiable,
    stateful=True,
)
from_string_handle_op = OpDef(
    "IteratorFromStringHandle",
    "string_handle: string -> resource_handle: resource",
    attrs={"output_types": (), "output_shapes": ()},
    shape=scalar,
    compute=_from_handle,
    grad=not_differentiable,
    stateful=True,
)


def _single(dataset: Source, output_types: Any, output_shapes: Any) -> Item:
    started = dataset.begin()
    item = started.next()
    if item is None:
        raise InvalidArgumentError(None, None, "Dataset was empty.")
    if started.next() is not None:
        raise InvalidArgumentError(None, None, "Dataset had more than one element.")
    return item


single_element_op = OpDef(
    "DatasetToSingleElement",
    "dataset: variant -> components: N*output_types",
    attrs=_FORM,
    shape=lambda attrs, dataset: [shape._dims for shape in attrs["output_shapes"]],
    compute=_single,
    grad=not_differentiable,
    stateful=True,
)
