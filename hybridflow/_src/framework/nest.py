"""Nested structures of lists, tuples, namedtuples and dicts; dicts go by sorted key, as in TF."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Composite:
    """One value that several tensors make up, such as a sparse tensor: a leaf of structures.

    A subclass gives `_parts`, its tensors, `_with_parts`, a value like it of other ones, and
    `_part_shapes`, what a loop's shape invariant for it says of their shapes.
    """

    __slots__ = ()

    def _parts(self) -> list[Any]:
        raise NotImplementedError

    def _with_parts(self, parts: list[Any]) -> Any:
        raise NotImplementedError

    def _part_shapes(self, shape: Any) -> list[Any]:
        raise NotImplementedError


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


# So many sequences are looked at before a walk asks whether it goes in circles.
_MANY = 4096


def refuse_cycle(structure: Any, visits: int) -> None:
    """To be called by a walk for each sequence that it meets, with their number so far.

    Raises:
      ValueError: if a sequence is among its own items: the walk would never end.
    """
    # Asked at each power of two, so that the walk takes at most twice as long.
    if visits < _MANY or visits & (visits - 1):
        return
    around: set[int] = set()
    done: set[int] = set()
    pending = [(structure, False)]
    while pending:
        item, is_left = pending.pop()
        if is_left:
            around.remove(id(item))
            done.add(id(item))
        elif id(item) in around:
            raise ValueError(f"A {type(item).__name__} holds itself: such a structure has no end.")
        elif is_sequence(item) and id(item) not in done:
            around.add(id(item))
            pending.append((item, True))
            children = item.values() if isinstance(item, dict) else item
            pending += [(child, False) for child in children]


def flatten(structure: Any, expand_composites: bool = False) -> list[Any]:
    """The leaves of a structure, depth first, sparse tensors among them."""
    if not is_sequence(structure):
        return [structure]
    leaves: list[Any] = []
    pending = _children(structure)[::-1]
    visits = 0
    while pending:
        item = pending.pop()
        if is_sequence(item):
            visits += 1
            refuse_cycle(structure, visits)
            pending += _children(item)[::-1]
        else:
            leaves.append(item)
    return leaves


def written_out(structure: Any, leaf: Callable[[Any], Any]) -> tuple[Any, ...]:
    """A structure in one row: `leaf` of each leaf, and each sequence with its class and size or
    keys before what is in it.
    """
    row: list[Any] = []
    pending = [structure]
    visits = 0
    while pending:
        item = pending.pop()
        if is_sequence(item):
            visits += 1
            refuse_cycle(structure, visits)
        if isinstance(item, dict):
            row += item.__class__, tuple(item)
            pending.extend(reversed(item.values()))
        elif is_sequence(item):
            row += item.__class__, len(item)
            pending.extend(reversed(item))
        else:
            row.append(leaf(item))
    return tuple(row)


def pack_sequence_as(structure: Any, flat_sequence: Any, expand_composites: bool = False) -> Any:
    """The structure with its leaves replaced by those in `flat_sequence`.

    Args:
      expand_composites: without effect, as `flatten` takes sparse tensors as leaves.

    Raises:
      ValueError: if their number differs. TypeError: if `flat_sequence` is no sequence.
    """
    if isinstance(flat_sequence, (str, bytes)):
        raise TypeError(f"flat_sequence must be a sequence, got {flat_sequence!r:.200}")
    flat = list(flat_sequence)
    if not is_sequence(structure):
        if len(flat) == 1:
            return flat[0]
        raise ValueError(f"Structure is a scalar but len(flat_sequence) == {len(flat)}")
    expected = len(flatten(structure))
    if len(flat) != expected:
        raise ValueError(
            f"Could not pack sequence. Structure had {expected} elements, but flat_sequence had "
            f"{len(flat)} elements."
        )
    return _pack(structure, iter(flat))


def flatten_parts(structure: Any) -> list[Any]:
    """The leaves of a structure, depth first, with the parts of a composite in its place."""
    parts: list[Any] = []
    for leaf in flatten(structure):
        if isinstance(leaf, Composite):
            parts += leaf._parts()
        else:
            parts.append(leaf)
    return parts


def pack_parts(structure: Any, flat: Any) -> Any:
    """The structure with what `flatten_parts` gives replaced by what is in `flat`.

    Raises:
      ValueError: if their number differs.
    """
    flat = list(flat)
    leaves = flatten(structure)
    sizes = [len(leaf._parts()) if isinstance(leaf, Composite) else 1 for leaf in leaves]
    if len(flat) != sum(sizes):
        raise ValueError(f"The structure has {sum(sizes)} parts, but {len(flat)} were given.")
    parts = iter(flat)
    made = [
        leaf._with_parts([next(parts) for _ in range(size)])
        if isinstance(leaf, Composite)
        else next(parts)
        for leaf, size in zip(leaves, sizes, strict=True)
    ]
    return pack_sequence_as(structure, made)


def _pack(structure: Any, leaves: Iterator[Any]) -> Any:
    # The structures that are being packed, outermost first: what is left of each, what is done.
    around: list[tuple[Any, Iterator[Any], list[Any]]] = []
    around.append((structure, iter(_children(structure)), []))
    while True:
        parent, children, packed = around[-1]
        for child in children:
            if is_sequence(child):
                around.append((child, iter(_children(child)), []))
                break
            packed.append(next(leaves))
        else:
            around.pop()
            made = _like(parent, packed)
            if not around:
                return made
            around[-1][2].append(made)


def _like(structure: Any, children: list[Any]) -> Any:
    """A sequence of the kind of `structure`, of new children."""
    kind = type(structure)
    if isinstance(structure, dict):
        by_key = dict(zip(_sorted(structure), children, strict=True))
        return kind((key, by_key[key]) for key in structure)
    return kind(*children) if hasattr(structure, "_fields") else kind(children)


def map_structure(
    func: Callable[..., Any],
    *structures: Any,
    check_types: bool = True,
    expand_composites: bool = False,
    **others: Any,
) -> Any:
    """Applies `func` to corresponding leaves of structures of one form.

    Args:
      check_types: whether sequences must be of the same kinds.
      expand_composites: without effect, as `flatten` takes sparse tensors as leaves.

    Raises:
      TypeError: if `func` cannot be called. ValueError: if there is no structure, or another
        argument by name.
      ValueError, TypeError: if the forms differ.
    """
    if not callable(func):
        raise TypeError(f"func must be callable, got: {func!r:.200}")
    if others:
        raise ValueError(f"Only valid keyword argument is check_types, got {sorted(others)}.")
    if not structures:
        raise ValueError("Must provide at least one structure")
    for other in structures[1:]:
        assert_same_structure(structures[0], other, check_types)
    leaves = [func(*items) for items in zip(*map(flatten, structures), strict=True)]
    return pack_sequence_as(structures[0], leaves)


def assert_same_structure(nest1: Any, nest2: Any, check_types: bool = True) -> None:
    """Checks that two structures have the same form.

    Args:
      check_types: whether sequences must be of the same kinds.

    Raises:
      ValueError: if they have not. TypeError: if the kinds of sequences or leaves differ.
    """
    visits = 0
    pending = [(nest1, nest2)]
    while pending:
        a, b = pending.pop()
        if is_sequence(a) or is_sequence(b):
            visits += 1
            refuse_cycle(nest1, visits)
            problem = _difference(a, b, check_types)
            if problem is not None:
                raise _not_same(nest1, nest2, problem)
            pending.extend(zip(_children(a)[::-1], _children(b)[::-1], strict=True))
        elif isinstance(a, Composite) != isinstance(b, Composite):
            raise TypeError(f"The two structures don't have the same kinds of leaves: {a}, {b}.")


def _difference(a: Any, b: Any, check_types: bool) -> Exception | None:
    """What is different about two sequences, one of which may be none."""
    if is_sequence(a) != is_sequence(b):
        return ValueError()
    if check_types and type(a) is not type(b):
        return TypeError(
            f"The two structures don't have the same sequence type: {type(a).__name__} and "
            f"{type(b).__name__}."
        )
    if isinstance(a, dict) and isinstance(b, dict) and set(a) != set(b):
        return ValueError(
            f"The two dictionaries don't have the same set of keys: {sorted(a)}, {sorted(b)}."
        )
    return None if len(a) == len(b) else ValueError()


def _not_same(nest1: Any, nest2: Any, problem: Exception) -> Exception:
    """The error for two structures, of which numbers say most."""
    first, second = len(flatten(nest1)), len(flatten(nest2))
    if first != second:
        return ValueError(
            "The two structures don't have the same number of elements.\n\n"
            f"First structure ({first} elements): {nest1}\n\n"
            f"Second structure ({second} elements): {nest2}"
        )
    if problem.args:
        return problem
    return ValueError(
        "The two structures don't have the same nested structure.\n\n"
        f"First structure: {nest1}\n\nSecond structure: {nest2}"
    )
