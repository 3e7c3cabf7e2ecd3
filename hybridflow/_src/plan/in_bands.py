"""Which steps are done band by band: some images at a time, so that these stay in a core's cache.

Layers follow each other: what a convolution gives, elementwise work reads, then the sums of a
batch's norm, then the next convolution. Where each of these steps takes images one after the other,
they are *joined*: all of them do their part for a band of images before the next band begins. None
of them computes anything else than alone, so a convolution has biases, activations, residuals and
masks of gradients before and behind it as if they were part of its kernel.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

from hybridflow._src.kernels.loops import BY_COLUMN
from hybridflow._src.plan.groups import GroupCall
from hybridflow._src.plan.joining import Bands, Chain, Member, Turn, is_joinable, of_positions
from hybridflow._src.plan.steps import Call

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.plan.values import Buffer

# What all steps of a band read and write may take so much of a core's own cache, in bytes; an image
# alone at most as much as `_LARGEST`. With fewer bytes to be read again, nothing is gained.
_BAND, _LARGEST, _WORTH = 512 << 10, 2 << 20, 1 << 20
# Sums over columns, of which each band has some of its own, have so many bytes at most.
_TOTAL = 16 << 10
# So many steps are looked at for what could join.
_FAR = 48


def join(steps: Sequence[tuple[int, Any]], threads: int) -> list[tuple[int, Any]]:
    """The steps, with those that are done band by band as one: where its first member was."""
    if not any(isinstance(step, Call) and step.images for _, step in steps):
        return list(steps)
    members = [_Member(*item) if is_joinable(item[1]) else None for item in steps]
    found: list[tuple[int, Any]] = []
    done: set[int] = set()
    for number, (position, step) in enumerate(steps):
        if position in done:
            continue
        chain = _chain(
            [m for m in members[number : number + _FAR] if m is None or m.position not in done]
        )
        bands = None if chain is None else chain.bands(threads)
        if bands is None:
            found.append((position, step))
            continue
        found += [*bands.before, (position, bands)]
        done.update(at for at, _ in (*bands.before, *bands.members))
    return found


class _Member(Member):
    """A step that may be done band by band.

    Attributes:
      is_fit: whether it may be.
      images: how many it goes over; 0 if it does not know.
      marks: if one of these is set it does what it does, and else nothing. repeats: whether it does
        so for each band all over.
    """

    def __init__(self, position: int, step: Call | GroupCall) -> None:
        super().__init__(position, step)
        self.images = 0
        self.marks: Buffer | None = None
        self.repeats = False
        if isinstance(step, GroupCall):
            self._take_group(step)
        else:
            self._take_call(step)

    def _take_group(self, step: GroupCall) -> None:
        buffers = [place.buffer for place in step.places]
        self.count = step.sizes[step.divided]
        uneven = {
            place.buffer
            for place, strides in zip(step.places, step.strides, strict=True)
            if not _follows(step.sizes, strides, place)
        }
        self.even = set(buffers) - uneven
        self.is_fit = (
            len(step.sizes) == 2
            # Sums of all cells have one rounding, not one for each band.
            and all(
                total.over == BY_COLUMN and buffers[total.operand].size <= _TOTAL
                for total in step.nest.totals
            )
            and self.is_planned
        )

    def _take_call(self, step: Call) -> None:
        self.images, self.marks = step.images, step.marks
        self.repeats = self.marks is not None and not self.images
        self.count = step.args[1] if step.divisible else 0
        self.even = set(step.even)
        self.is_fit = not step.fallible and (bool(self.images) or self.repeats) and self.is_planned

    @property
    def bytes(self) -> int:
        """Of what it takes in order."""
        return sum(buffer.size for buffer in self.even)


def _follows(sizes: Sequence[int], strides: Sequence[int], place: Any) -> bool:
    """Whether a walk takes the elements of a buffer one after the other, and all of them."""
    buffer, expected = place.buffer, place.buffer.dtype.itemsize
    if place.offset or math.prod(sizes) * expected != buffer.size:
        return False
    for size, stride in zip(reversed(sizes), reversed(strides), strict=True):
        if size != 1 and stride != expected:
            return False
        expected *= size
    return True


class _Chain(Chain):
    """Steps that may be done band by band.

    Attributes:
      images: over how many they go; 0 as long as none of them knows.
    """

    members: list[_Member]  # type: ignore[assignment]

    def __init__(self, first: _Member) -> None:
        super().__init__(first)
        self.images = first.images
        # What the members take in order, and its bytes.
        self._even = set(first.even)
        self._bytes = first.bytes
        # What is read again while it is in the cache.
        self._again: set[Buffer] = set()

    def add(self, member: _Member) -> bool:
        """Adds a step, if it may be done band by band with those that are there."""
        needed = member.reads & self._made
        more = sum(buffer.size for buffer in member.even - self._even)
        if not needed or not self._has_room(member, more) or not self.may_join(member):
            return False
        self._again.update(key for key in needed & member.even if key not in member.writes)
        self.append(member)
        self.images = self.images or member.images
        self._even |= member.even
        self._bytes += more
        return True

    def _has_room(self, member: _Member, more: int) -> bool:
        """Whether an image of all members, with so many bytes more, is small enough."""
        if member.images and self.images and member.images != self.images:
            return False
        images = self.images or member.images
        return not images or self._bytes + more <= images * _LARGEST

    def _is_apart(self, other: Member, member: Member, key: Any) -> bool:
        assert isinstance(other, _Member)
        assert isinstance(member, _Member)
        return other.repeats or key is member.marks

    def bands(self, threads: int) -> Bands | None:
        """What is done band by band; None if that gains nothing."""
        images = self.images
        if images < 2 or sum(buffer.size for buffer in self._again) < _WORTH:
            return None
        parts = min(threads, images)
        # Threads that do as much as each other do more at once than cuts between images allow.
        if parts > 1 and images % parts and images < 8 * parts:
            return None
        ends = [images * part // parts for part in range(parts + 1)]
        if any(m.count * end % images for m in self.members if not m.repeats for end in ends):
            return None
        each = max(1, images * _BAND // self._bytes)
        shares = [self._turns(*share, each) for share in itertools.pairwise(ends)]
        return Bands(of_positions(self.members), tuple(shares), of_positions(self.before))

    def _turns(self, first: int, last: int, each: int) -> tuple[Turn, ...]:
        """The turns for some of the images, so many at a time.

        A step whose range has no end where a band ends goes beyond it if it is the first one; any
        other one does what is there for it, and the rest with the next band.
        """
        images = self.images
        done = [images if m.repeats else m.count * first // images for m in self.members]
        ready = [first] * len(self.members)
        # For whom each has to wait.
        waits = [
            [
                i
                for i, other in enumerate(self.members[:number])
                if member.reads & other.writes or member.writes & other.touches
            ]
            for number, member in enumerate(self.members)
        ]
        turns = []
        for start in range(first, last, each):
            for number, member in enumerate(self.members):
                there = [ready[i] for i in waits[number]]
                end = min(there, default=min(start + each, last))
                marks = (0, 0)
                if member.marks is not None:
                    marks = self._marks(member.marks, ready[number], end)
                if member.repeats:
                    if end > ready[number]:
                        turns.append(Turn(number, 0, member.count, marks))
                    ready[number] = end
                    continue
                to = member.count * end // images if there else -(-member.count * end // images)
                if to > done[number]:
                    turns.append(Turn(number, done[number], to, marks))
                done[number], ready[number] = to, to * images // member.count
        return tuple(turns)

    def _marks(self, marks: Buffer, first: int, last: int) -> tuple[int, int]:
        """Those that belong to some images."""
        for member in self.members:
            if marks in member.writes:
                return member.count * first // self.images, -(-member.count * last // self.images)
        raise AssertionError("marks that no member sets")


def _chain(members: Sequence[_Member | None]) -> _Chain | None:
    """What can be joined with the first of some steps."""
    first = members[0]
    if first is None or not first.is_fit or first.marks is not None or first.bytes < _WORTH:
        return None
    chain = _Chain(first)
    for member in members[1:]:
        if member is None:
            break
        if not (member.is_fit and chain.add(member)):
            chain.skip(member)
    return chain
