"""The speeches of A Midsummer Night's Dream, which is described in data/README.md."""

from __future__ import annotations

import pathlib
import re
from typing import NamedTuple

# Who speaks: nobles and lovers, fairies, craftsmen.
WORLDS = (
    ["THESEUS", "HIPPOLYTA", "EGEUS", "PHILOSTRATE", "LYSANDER", "DEMETRIUS", "HERMIA", "HELENA"],
    ["OBERON", "TITANIA", "PUCK", "PEASEBLOSSOM", "COBWEB", "MOTH", "MUSTARDSEED"],
    ["QUINCE", "BOTTOM", "FLUTE", "SNOUT", "SNUG", "STARVELING"],
)
ROLES = [name for world in WORLDS for name in world]


class Speech(NamedTuple):
    """What one says at a time."""

    scene: int
    speaker: str
    words: list[str]


def speeches() -> list[Speech]:
    """All of them, in order."""
    path = pathlib.Path(__file__).parent / "data" / "midsummer.txt"
    found: list[Speech] = []
    scene = 0
    for block in re.split(r"\n\s*\n", path.read_text(encoding="utf-8")):
        first, *lines = block.strip().splitlines()
        if first.startswith("SCENE"):
            scene += 1
        elif first in ROLES and lines:
            words = re.findall(r"[a-z']+", " ".join(lines).lower())
            found.append(Speech(scene, first, words))
    return found
