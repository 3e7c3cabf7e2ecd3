"""Which `Merge`s of TensorFlow 1's control flow belong to one `cond`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hybridflow._src.graphs.structure import PUSHES, Branch

if TYPE_CHECKING:
    from hybridflow._src.graphs.structure import Node, Place, Ref, Structure

# How many nodes are looked at to tell which belong together.
_MOST = 2_000_000


class Choices(NamedTuple):
    """The `cond`s of a graph.

    Attributes:
      merges: the `Merge`s of each, by each of them.
      last: the `Merge`s of the last one of a predicate in a place, which may use all that the
        others give.
      pushes: what is pushed to stacks in a branch, by its place.
    """

    merges: dict[str, list[str]]
    last: dict[tuple[Place, Ref], list[str]]
    pushes: dict[Place, list[str]]

    def holder(self, place: Place, name: str, of: Place) -> str:
        """What is to be built in a place so that a node `name` of the place `of` inside is built:
        the node itself, or a `Merge` of the `cond` around it.
        """
        if len(of) <= len(place) or of[: len(place)] != place:
            return name
        branch = of[len(place)]
        if not isinstance(branch, Branch):
            return name
        return self.last.get((place, branch.pred), [name])[0]

    def pushes_of(self, place: Place, merge: str) -> list[str]:
        """What the branches of a `cond` push: all those of its predicate, if it is the last one."""
        return [
            name
            for inside, names in self.pushes.items()
            if inside[: len(place)] == place and len(inside) > len(place)
            for name in names
            if self.holder(place, name, inside) in self.merges[merge]
        ]


def choices(structure: Structure) -> Choices:
    """The `Merge`s of each `cond`: those of one predicate that do not use each other.

    Raises:
      ValueError: if it takes too long to tell.
    """
    groups: dict[tuple[Place, Ref], list[list[str]]] = {}
    pushes: dict[Place, list[str]] = {}
    budget = _MOST
    for name, place in structure.places.items():
        node = structure.nodes[name]
        if node.op in PUSHES and place and isinstance(place[-1], Branch):
            pushes.setdefault(place, []).append(name)
        if node.op != "Merge" or name in structure.loop_of:
            continue
        branch = structure.place(node.inputs[0])[-1]
        assert isinstance(branch, Branch)
        known = groups.setdefault((place, branch.pred), [])
        if known:
            used = _upstream(structure, node, budget)
            budget -= len(used)
        if known and used.isdisjoint(known[-1]):
            known[-1].append(name)
        else:
            known.append([name])
    merges: dict[str, list[str]] = {}
    for known in groups.values():
        for merged in known:
            merges.update(dict.fromkeys(merged, merged))
    return Choices(merges, {key: known[-1] for key, known in groups.items()}, pushes)


def _upstream(structure: Structure, node: Node, most: int) -> set[str]:
    """All nodes that one uses."""
    seen: set[str] = set()
    pending = [node]
    while pending:
        for name in structure.sources(pending.pop()):
            if name not in seen and name in structure.nodes:
                seen.add(name)
                pending.append(structure.nodes[name])
        if len(seen) > most:
            raise ValueError("The conditions of the graph are too entangled to be imported.")
    return seen
