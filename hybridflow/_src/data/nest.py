"""Structures of elements: tuples, namedtuples and dicts. A list is a tensor here, as in TF."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.sparse_tensor import SparseTensorValue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


_NOT_SAME = "The two structures don't have the same {what}. First structure: {a}, second: {b}."


def is_sequence(value: Any) -> bool:
    """Whether a value is a structure, and no leaf."""
    return isinstance(value, (tuple, dict)) and not isinstance(value, SparseTensorValue)


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
    """The leaves of a structure, depth first; dicts go by sorted key."""
    return list(_leaves(structure))


def _leaves(structure: Any) -> Iterator[Any]:
    if is_sequence(structure):
        for child in _children(structure):
            yield from _leaves(child)
    else:
        yield structure


def pack_sequence_as(structure: Any, flat_sequence: Any) -> Any:
    """The structure with its leaves replaced by those given, in order.

    Raises:
      TypeError: if `flat_sequence` is no list or tuple. ValueError: if their number differs.
    """
    if not isinstance(flat_sequence, (list, tuple)):
        raise TypeError(f"flat_sequence must be a sequence, got {flat_sequence!r:.200}.")
    if not is_sequence(structure):
        if len(flat_sequence) != 1:
            raise ValueError(
                f"Structure is a scalar but len(flat_sequence) == {len(flat_sequence)} > 1"
            )
        return flat_sequence[0]
    count = len(flatten(structure))
    if count != len(flat_sequence):
        raise ValueError(
            f"Could not pack sequence. Structure had {count} elements, but flat_sequence had "
            f"{len(flat_sequence)} elements. Structure: {structure}, flat_sequence: "
            f"{flat_sequence}."
        )
    return _packed(structure, iter(flat_sequence))


def _packed(structure: Any, leaves: Iterator[Any]) -> Any:
    if not is_sequence(structure):
        return next(leaves)
    return _like(structure, [_packed(child, leaves) for child in _children(structure)])


def _like(structure: Any, children: list[Any]) -> Any:
    """A sequence of the kind of `structure`, of new children."""
    kind: Any = type(structure)
    if isinstance(structure, dict):
        by_key = dict(zip(_sorted(structure), children, strict=True))
        return kind((key, by_key[key]) for key in structure)
    return kind(*children) if hasattr(structure, "_fields") else kind(children)


def map_structure(func: Callable[..., Any], *structure: Any, **check_types_dict: bool) -> Any:
    """`func` of the corresponding leaves of structures of one form, in that form.

    Args:
      check_types: whether the kinds of sequences must be the same too; they must by default.

    Raises:
      TypeError, ValueError: if the forms differ, or `func` is no function.
    """
    if not callable(func):
        raise TypeError(f"func must be callable, got: {func}")
    if not structure:
        raise ValueError("Must provide at least one structure")
    check_types = check_types_dict.pop("check_types", True)
    if check_types_dict:
        raise ValueError("Only valid keyword argument is check_types")
    for other in structure[1:]:
        assert_same_structure(structure[0], other, check_types=check_types)
    flat = [flatten(item) for item in structure]
    return pack_sequence_as(structure[0], [func(*items) for items in zip(*flat, strict=True)])


def assert_same_structure(nest1: Any, nest2: Any, check_types: bool = True) -> None:
    """Checks that two structures have one form.

    Raises:
      ValueError: if they have not. TypeError: if `check_types` and the kinds of sequences differ.
    """
    first = len(flatten(nest1)) if is_sequence(nest1) else 1
    second = len(flatten(nest2)) if is_sequence(nest2) else 1
    if first != second:
        raise ValueError(_NOT_SAME.format(what="number of elements", a=nest1, b=nest2))
    _assert_same(nest1, nest2, check_types)


def _assert_same(a: Any, b: Any, check_types: bool) -> None:
    if is_sequence(a) != is_sequence(b):
        raise ValueError(_NOT_SAME.format(what="nested structure", a=a, b=b))
    if not is_sequence(a):
        return
    if check_types and type(a) is not type(b):
        raise TypeError(
            f"The two structures don't have the same sequence type. First structure has type "
            f"{type(a)}, while second structure has type {type(b)}."
        )
    if isinstance(a, dict) and isinstance(b, dict) and set(a) != set(b):
        raise ValueError(_NOT_SAME.format(what="set of keys", a=a, b=b))
    for one, other in zip(_children(a), _children(b), strict=False):
        _assert_same(one, other, check_types)


# -- a form that goes less deep than what it is held against --------------------------------------


def assert_shallow_structure(shallow_tree: Any, input_tree: Any, check_types: bool = True) -> None:
    """Checks that `shallow_tree` is the upper part of `input_tree`.

    Raises:
      TypeError, ValueError: if it is not.
    """
    if not is_sequence(shallow_tree):
        return
    if not is_sequence(input_tree):
        raise TypeError(
            f"If shallow structure is a sequence, input must also be a sequence. Input has type: "
            f"{type(input_tree)}."
        )
    if check_types and type(shallow_tree) is not type(input_tree):
        raise TypeError(
            f"The two structures don't have the same sequence type. Input structure has type "
            f"{type(input_tree)}, while shallow structure has type {type(shallow_tree)}."
        )
    if len(shallow_tree) != len(input_tree):
        raise ValueError(
            f"The two structures don't have the same sequence length. Input structure has length "
            f"{len(input_tree)}, while shallow structure has length {len(shallow_tree)}."
        )
    if check_types and isinstance(shallow_tree, dict) and set(shallow_tree) != set(input_tree):
        raise ValueError(
            f"The two structures don't have the same keys. Input structure has keys "
            f"{list(input_tree)}, while shallow structure has keys {list(shallow_tree)}."
        )
    for upper, whole in zip(_children(shallow_tree), _children(input_tree), strict=True):
        assert_shallow_structure(upper, whole, check_types=check_types)


def flatten_up_to(shallow_tree: Any, input_tree: Any) -> list[Any]:
    """What stands in `input_tree` where `shallow_tree` has leaves.

    Raises:
      TypeError, ValueError: if that is not its upper part.
    """
    assert_shallow_structure(shallow_tree, input_tree)
    return list(_up_to(shallow_tree, input_tree))


def _up_to(shallow: Any, whole: Any) -> Iterator[Any]:
    if is_sequence(shallow):
        for upper, part in zip(_children(shallow), _children(whole), strict=True):
            yield from _up_to(upper, part)
    else:
        yield whole


def map_structure_up_to(shallow_tree: Any, func: Callable[..., Any], *inputs: Any) -> Any:
    """`func` of what stands in each of `inputs` where `shallow_tree` has leaves, in that form.

    Raises:
      TypeError, ValueError: if `shallow_tree` is not the upper part of each.
    """
    if not inputs:
        raise ValueError("Cannot map over no sequences")
    flat = [flatten_up_to(shallow_tree, item) for item in inputs]
    return pack_sequence_as(shallow_tree, [func(*items) for items in zip(*flat, strict=True)])
