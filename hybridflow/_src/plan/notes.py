"""What is noted of a run, for a program to be made from."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias


class Seen(NamedTuple):
    """What one run gave for a buffer: shape and dtype, or `value` where it is always the same."""

    shape: tuple[int, ...] | None
    dtype: Any
    value: Any


# For a plan and those of bodies in it, what a run gave for each buffer.
Notes: TypeAlias = dict[Any, dict[int, Seen]]
