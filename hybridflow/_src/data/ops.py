"""Op records of datasets: an op gives a variant, which holds a `Source`."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.op_def import REQUIRED, OpDef, not_differentiable
from hybridflow._src.ops.shape_rules import scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def dataset_op(
    name: str,
    inputs: str,
    source: Callable[..., Any],
    attrs: Mapping[str, Any] | None = None,
    written: Callable[[Any, Any], None] | None = None,
    read: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None,
) -> OpDef:
    """The record of an op that makes a dataset.

    Args:
      name: TF's op type.
      inputs: its inputs, as in a signature.
      source: called with their values, and with the attributes of `attrs` as keywords; gives the
        `Source`.
      attrs: attributes with default values, beside the dtypes and shapes of the components.
      written, read: how files have it, where that is another way; see `OpDef`.
    """

    def compute(*values: Any, output_types: Any, output_shapes: Any, **given: Any) -> Any:
        made = source(*values, **given)
        made.types, made.shapes = output_types, output_shapes
        return made

    return OpDef(
        name,
        f"{inputs} -> handle: variant",
        attrs={"output_types": REQUIRED, "output_shapes": REQUIRED, **(attrs or {})},
        shape=scalar,
        compute=compute,
        grad=not_differentiable,
        # A dataset may hold random numbers, which begin anew with each one that is made.
        stateful=True,
        written=written,
        read=functools.partial(_read, read),
    )


def _read(more: Callable[..., Mapping[str, Any]] | None, attrs: Mapping[str, Any]) -> Any:
    """What attributes of a file say in other words."""
    # So are the dtypes called of what the inputs alone tell.
    types = {"output_types": attrs["Toutput_types"]} if "Toutput_types" in attrs else {}
    return {**types, **(more(attrs) if more is not None else {})}
