"""Sizes that a program asks for where they are unknown, as told to whoever traces it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hybridflow._src.framework.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Callable

# Called where a program asks for a size that is unknown; a function being traced with open sizes
# then is traced for the sizes that it has.
unknown_sizes: Stack[Callable[[], None] | None] = Stack(None, "function trace")


def miss_size() -> None:
    """Says that a program asked for a size which is unknown."""
    if unknown_sizes.top is not None:
        unknown_sizes.top()
