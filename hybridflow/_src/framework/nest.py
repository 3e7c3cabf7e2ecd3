"""Nested structures of lists, tuples, namedtuples and dicts; dicts go by sorted key, as in TF."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def is_sequence(value: Any) -> bool:
    """Tells whether `value` is a list, tuple or dict."""
    return isinstance(value, (list, tuple, dict))


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [value[key] for key in _sorted(value)]
    return list(value)


def _sorted(mapping: dict[Any, Any]) -> list[Any]:
    try:
        return sorted(mapping)
    except TypeError:
        raise TypeError("nest only supports dicts with sortable keys.") from None


def flatten(structure: Any) -> list[Any]:
    """The leaves of a structure, depth first."""
    if not is_sequence(structure):
        return [structure]
    leaves: list[Any] = []
    for child in _children(structure):
        leaves.extend(flatten(child))
    return leaves


def pack_sequence_as(structure: Any, flat: Any) -> Any:
    """The structure with its leaves replaced by those in `flat`.

    Raises:
      ValueError: if their number differs.
    """
    flat = list(flat)
    expected = len(flatten(structure))
    if len(flat) != expected:
        raise ValueError(f"The structure has {expected} elements, but {len(flat)} were given.")
    return _pack(structure, iter(flat))


def _pack(structure: Any, leaves: Iterator[Any]) -> Any:
    if not is_sequence(structure):
        return next(leaves)
    if isinstance(structure, dict):
        packed = {key: _pack(structure[key], leaves) for key in _sorted(structure)}
        return type(structure)((key, packed[key]) for key in structure)
    items = [_pack(child, leaves) for child in structure]
    return type(structure)(*items) if hasattr(structure, "_fields") else type(structure)(items)


def map_structure(function: Callable[..., Any], *structures: Any) -> Any:
    """Applies `function` to corresponding leaves of structures of one form.

    Raises:
      ValueError, TypeError: if the forms differ.
    """
    for other in structures[1:]:
        assert_same_structure(structures[0], other)
    leaves = [function(*items) for items in zip(*map(flatten, structures), strict=True)]
    return pack_sequence_as(structures[0], leaves)


def assert_same_structure(a: Any, b: Any) -> None:
    """Checks that two structures have the same form.

    Raises:
      ValueError: if they have not. TypeError: if the kinds of sequences differ.
    """
    if is_sequence(a) != is_sequence(b):
        raise ValueError(f"The two structures don't have the same nested structure: {a!r}, {b!r}.")
    if not is_sequence(a):
        return
    if type(a) is not type(b):
        raise TypeError(
            f"The two structures don't have the same sequence type: {type(a).__name__} and "
            f"{type(b).__name__}."
        )
    if isinstance(a, dict) and set(a) != set(b):
        raise ValueError(
            f"The two dictionaries don't have the same keys: {sorted(a)}, {sorted(b)}."
        )
    left, right = _children(a), _children(b)
    if len(left) != len(right):
        raise ValueError(
            f"The two structures don't have the same number of elements: {a!r}, {b!r}."
        )
    for x, y in zip(left, right, strict=True):
        assert_same_structure(x, y)
