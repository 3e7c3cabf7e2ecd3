"""`tensorflow.python.util.nest`: structures that are taken apart no further than another one is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import nest

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["assert_shallow_structure", "flatten_up_to", "map_structure_up_to"]


def flatten_up_to(shallow_tree: Any, input_tree: Any) -> list[Any]:
    """The parts of a structure that stand where another one has its leaves.

    Raises:
      TypeError: if a part is no sequence where the other structure has one, or one of another kind.
      ValueError: if their lengths or keys differ.
    """
    if not nest.is_sequence(shallow_tree):
        return [input_tree]
    if not nest.is_sequence(input_tree):
        raise TypeError(
            "If shallow structure is a sequence, input must also be a sequence. Input has type: "
            f"{type(input_tree)}."
        )
    if isinstance(shallow_tree, dict) != isinstance(input_tree, dict):
        raise TypeError(f"The two structures differ: {type(shallow_tree)}, {type(input_tree)}.")
    if len(shallow_tree) != len(input_tree):
        raise ValueError(
            f"The two structures don't have the same sequence length. Input structure has length "
            f"{len(input_tree)}, while shallow structure has length {len(shallow_tree)}."
        )
    keys: Any = range(len(shallow_tree))
    if isinstance(shallow_tree, dict):
        if set(shallow_tree) != set(input_tree):
            raise ValueError(
                f"The two structures don't have the same keys: {sorted(shallow_tree)}, "
                f"{sorted(input_tree)}."
            )
        keys = sorted(shallow_tree)
    else:
        shallow_tree, input_tree = list(shallow_tree), list(input_tree)
    return [part for key in keys for part in flatten_up_to(shallow_tree[key], input_tree[key])]


def assert_shallow_structure(shallow_tree: Any, input_tree: Any, check_types: bool = True) -> None:
    """Checks that a structure has parts wherever another one has its leaves.

    Raises:
      TypeError, ValueError: as `flatten_up_to` does.
    """
    flatten_up_to(shallow_tree, input_tree)


def map_structure_up_to(shallow_tree: Any, func: Callable[..., Any], *inputs: Any) -> Any:
    """A function of the parts of structures that stand where another one has its leaves, as that.

    Raises:
      TypeError, ValueError: as `flatten_up_to` does, or if there is no structure.
    """
    if not inputs:
        raise ValueError("Cannot map over no sequences")
    parts = [flatten_up_to(shallow_tree, tree) for tree in inputs]
    found = [func(*each) for each in zip(*parts, strict=True)]
    return nest.pack_sequence_as(shallow_tree, found)
