"""Which `Merge`s of TensorFlow 1's control flow belong to one `cond`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hybridflow._src.graphs.builder import MOST_NODES
from hybridflow._src.graphs.structure import Branch

if TYPE_CHECKING:
    from hybridflow._src.graphs.structure import Node, Place, Ref, Structure


def choices(structure: Structure) -> dict[str, list[str]]:
    """The `Merge`s of each `cond`, by each of them: those of one predicate that do not use each
    other.

    Raises:
      ValueError: if it takes too long to tell.
    """
    groups: dict[tuple[Place, Ref], list[list[str]]] = {}
    budget = MOST_NODES
    for name in structure.places:
        node = structure.nodes[name]
        if node.op != "Merge" or name in structure.loop_of:
            continue
        branch = structure.place(node.inputs[0])[-1]
        assert isinstance(branch, Branch)
        known = groups.setdefault((structure.places[name], branch.pred), [])
        if known:
            used = _upstream(structure, node, budget)
            budget -= len(used)
        if known and used.isdisjoint(known[-1]):
            known[-1].append(name)
        else:
            known.append([name])
    found: dict[str, list[str]] = {}
    for merges in groups.values():
        for merged in merges:
            found.update(dict.fromkeys(merged, merged))
    return found


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
