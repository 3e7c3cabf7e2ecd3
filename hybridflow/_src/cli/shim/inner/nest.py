"""`tensorflow.python.util.nest`: structures that are taken apart no further than another one is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import nest

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "_is_namedtuple",
    "assert_shallow_structure",
    "flatten_dict_items",
    "flatten_up_to",
    "get_traverse_shallow_structure",
    "map_structure_up_to",
]


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


def _items(sequence: Any) -> list[Any]:
    """The items of a sequence; those of a dict by sorted key."""
    if isinstance(sequence, dict):
        return [sequence[key] for key in sorted(sequence)]
    return list(sequence)


def _like(sequence: Any, items: list[Any]) -> Any:
    """A sequence like another one, with other items."""
    if isinstance(sequence, dict):
        return dict(zip(sorted(sequence), items, strict=True))
    return type(sequence)(*items) if _is_namedtuple(sequence) else type(sequence)(items)


def _is_namedtuple(instance: Any, strict: bool = False) -> bool:
    """Whether it is a tuple whose items have names; with `strict`, of no subclass of its class."""
    names = getattr(instance, "_fields", None)
    is_named = isinstance(instance, tuple) and isinstance(names, tuple | list)
    return is_named and (not strict or type(instance).__bases__ == (tuple,))


def get_traverse_shallow_structure(
    traverse_fn: Callable[[Any], Any], structure: Any, expand_composites: bool = False
) -> Any:
    """A structure of bools: which parts of another one are to be taken apart.

    Args:
      traverse_fn: called with each part that is; gives a bool, for the part as a whole, or a bool
        for each of its items, in a sequence of its kind.
      structure: what is taken apart.
      expand_composites: without effect, as sparse tensors are taken apart nowhere.

    Returns: what `flatten_up_to` and `map_structure_up_to` take.

    Raises:
      TypeError: if the function gives something else.
    """
    wanted = traverse_fn(structure)
    if not nest.is_sequence(structure):
        if not isinstance(wanted, bool):
            raise TypeError(
                f"traverse_fn returned structure: {wanted} for non-structure: {structure}"
            )
        return wanted
    if wanted is False:
        return False
    if wanted is not True:
        if not nest.is_sequence(wanted):
            raise TypeError(
                f"traverse_fn returned a non-bool scalar: {wanted} for input: {structure}"
            )
        assert_shallow_structure(wanted, structure)
        if not all(isinstance(item, bool) for item in _items(wanted)):
            raise TypeError(
                "traverse_fn didn't return a depth=1 structure of bools.  saw: "
                f"{wanted}  for structure: {structure}"
            )
    parts = _items(structure)
    chosen = [True] * len(parts) if wanted is True else _items(wanted)
    return _like(
        structure,
        [
            get_traverse_shallow_structure(traverse_fn, part) if is_taken else False
            for part, is_taken in zip(parts, chosen, strict=True)
        ],
    )


def flatten_dict_items(dictionary: Any) -> dict[Any, Any]:
    """A dict whose keys may be structures, with an item for each part of a key.

    Raises:
      TypeError: if it is no dict. ValueError: if a value has not as many parts as its key, or a
        part of keys comes twice.
    """
    if not isinstance(dictionary, Mapping):
        raise TypeError("input must be a dictionary")
    result: dict[Any, Any] = {}
    for key, value in dictionary.items():
        parts = [(key, value)]
        if nest.is_sequence(key):
            keys, values = nest.flatten(key), nest.flatten(value)
            if len(keys) != len(values):
                raise ValueError(
                    f"Could not flatten dictionary. Key had {len(keys)} elements, but value had "
                    f"{len(values)} elements. Key: {keys}, value: {values}."
                )
            parts = list(zip(keys, values, strict=True))
        for name, part in parts:
            if name in result:
                raise ValueError(f"Could not flatten dictionary: key {name} is not unique.")
            result[name] = part
    return result
