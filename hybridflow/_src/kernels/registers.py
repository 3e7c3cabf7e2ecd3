"""The kernel of a loop of scalars: they stay in registers from one turn to the next.

Its words: whether it goes on after a pause; where the work is counted that is left until it pauses,
and how much a turn is; where the number of the turn lies, and where that of all turns is put. Then
for each variable where its first value lies, and where the last one is put; and where each of the
other numbers lies that it reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hybridflow._src.kernels.kernel import Kernel
from hybridflow._src.kernels.looping import PAUSED
from hybridflow._src.kernels.loops import in_order, text_of
from hybridflow._src.kernels.memory import SHORT_NAMES
from hybridflow._src.kernels.text import filled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.kernels.expression import Node

# The words before those of variables.
HEAD = 5

_TEXT = """
def kernel(a):
    turn = 0
    place = 0
    if word(a, 0) != 0:
        turn = word(word(a, 3), 0)
        place = 1
    left = word(word(a, 1), 0)
    {loads}
    status = 0
    while True:
        {condition}
        {body}
        turn += 1
        left -= word(a, 2)
        if left < 0:
            status = {paused}
            break
    {stores}
    set_word(word(a, 1), 0, left)
    set_word(word(a, 3), 0, turn)
    set_word(a, 0, status)
    store_i32(word(a, 4), 0, 0, i32(turn))
    return status
"""


def loop_of_scalars(reads: Sequence[Node], goes_on: Node, new: Sequence[Node]) -> Kernel:
    """The kernel of a loop.

    Args:
      reads: the nodes for its variables, and for what else it reads; all are loads.
      goes_on: what its condition gives, computed from those. new: the variables after a turn.
    """
    names = {node: f"{'v' if i < len(new) else 'c'}{i}" for i, node in enumerate(reads)}
    loads = []
    for i, node in enumerate(reads):
        at = f"{HEAD + 2 * i} + place" if i < len(new) else str(HEAD + len(new) + i)
        loads.append(f"{names[node]} = load_{SHORT_NAMES[node.dtype]}(word(a, {at}), 0, 0)")
    condition = _lines([goes_on], names)
    condition += [f"if not {names[goes_on]}:", "    break"]
    body = _lines(new, names)
    # All are there before the first of them changes.
    body += [f"n{i} = {names[node]}" for i, node in enumerate(new)]
    body += [f"{names[node]} = n{i}" for i, node in enumerate(reads[: len(new)])]
    stores = [
        f"store_{SHORT_NAMES[node.dtype]}(word(a, {HEAD + 2 * i + 1}), 0, 0, {names[node]})"
        for i, node in enumerate(reads[: len(new)])
    ]
    source = filled(
        _TEXT,
        loads="\n".join(loads),
        condition="\n".join(condition),
        body="\n".join(body),
        stores="\n".join(stores),
        paused=str(PAUSED),
    )
    return Kernel(source + "\n", "loop of scalars")


def _lines(roots: Sequence[Node], names: dict[Node, str]) -> list[str]:
    """The lines that compute values, as far as they have no names yet."""
    lines = []
    for root in roots:
        for node in in_order(root, names):
            name = f"y{len(names)}"
            lines.append(f"{name} = {text_of(node, [names[arg] for arg in node.args])}")
            names[node] = name
    return lines
