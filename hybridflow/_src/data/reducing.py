"""All elements of a dataset as one: what a function makes of a state and each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.data import nest
from hybridflow._src.data.element import Element, flat_tensors
from hybridflow._src.data.functions import note_element
from hybridflow._src.data.mapping import of_states, write_states
from hybridflow._src.framework.errors import OpError
from hybridflow._src.framework.op_def import REQUIRED, OpDef, not_differentiable
from hybridflow._src.framework.waiting import Later, Waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.data.functions import Traced
    from hybridflow._src.data.passes import Source


def _state_after(source: Source, values: tuple[Any, ...], f: Traced, states: int) -> Any:
    function = f.bound(values[states:])
    state = list(values[:states])
    started = source.begin()
    number = 0
    while (item := started.next()) is not None:
        try:
            state = function([*state, *item])
        except OpError as error:
            note_element(error, number, "reduce")
            raise
        number += 1
    return tuple(state)


def _compute(source: Source, *values: Any, f: Traced, states: int, **_: Any) -> Later:
    return Later(_state_after, source, values, f, states)


_reduce = OpDef(
    "ReduceDataset",
    "input_dataset: variant, initial_state_and_other_arguments: ... -> components: N*output_types",
    attrs={"output_types": REQUIRED, "output_shapes": REQUIRED, "f": REQUIRED, "states": REQUIRED},
    shape=lambda attrs, *_: [shape._dims for shape in attrs["output_shapes"]],
    # All elements may be long in coming.
    compute=Waiting(_compute),
    grad=not_differentiable,
    stateful=True,
    written=write_states,
    read=lambda attrs: {"states": len(attrs["Tstate"])},
)


def reduced(dataset: Any, initial_state: Any, function: Callable[..., Any]) -> Any:
    """The state after all elements of a dataset.

    Raises:
      TypeError, ValueError: if the function gives a state of another form.
    """
    state, f = of_states(initial_state, lambda s, x: (function(s, x), ()), dataset.element)
    flat = flat_tensors(state)
    form = Element.of(state)
    if not form.has_sparse:
        form = Element(form.types, nest.pack_sequence_as(state, f.shapes))
    variant = dataset._as_variant_tensor()
    return form.pack(_reduce(variant, [*flat, *f.captured], f=f, states=len(flat), **form.attrs))
