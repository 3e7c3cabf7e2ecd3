"""Which steps threads share row by row: each does all of them for rows of its own, strip by strip.

A network of dense layers computes each row of a batch by itself: products with weights, biases,
activations, and the gradients of these. No step of it may be worth sharing, and all of them
together are. Threads wait for each other but once, and what lies between the steps stays in a
core's own cache: of a strip of rows it takes little memory, which the next strip uses again. Sums
over the rows, as gradients of weights and biases are, are added up from what each thread has.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.plan import products, sharing
from hybridflow._src.plan.groups import GroupCall
from hybridflow._src.plan.joining import (
    Bands,
    Chain,
    Member,
    Turn,
    is_joinable,
    of_positions,
    touched,
)
from hybridflow._src.plan.placing import placed
from hybridflow._src.plan.products import is_product
from hybridflow._src.plan.values import PLANNED, Buffer

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from hybridflow._src.plan.steps import Call

# What a strip takes of memory of a thread's own, in bytes; it has so many rows at least, and so
# does the share of each thread.
_STRIP, _FEWEST = 512 << 10, 64
# Matrices that all threads read have so many bytes at most, and so have sums of which each thread
# has one of its own.
_MATRIX, _SUM = 256 << 10, 256 << 10
# So many steps are looked at for what could join.
_FAR = 512
# Parts begin at multiples of so many rows: tiles of products are whole.
_ALIGNED = 16
_BYTE = np.dtype(np.uint8)


def join(
    steps: Sequence[tuple[int, Any]], threads: int, taken: Collection[Buffer]
) -> list[tuple[int, Any]]:
    """The steps, with those that threads share row by row as one: where its first member was.

    Args:
      taken: buffers that somebody reads after the program.
    """
    found: list[tuple[int, Any]] = []
    done: set[int] = set()
    # Members of chains: of one that was not worth it the same ones would be found again.
    tried: set[int] = set()
    for number, (position, step) in enumerate(steps):
        if position in done:
            continue
        rows = 0 if position in tried or threads == 1 else _rows_of(step)
        bands: Bands | None = None
        if rows >= _FEWEST * threads:
            left = [item for item in steps[number : number + _FAR] if item[0] not in done]
            chain = _chain(left, rows)
            members = {member.position for member in chain.members}
            tried |= members
            if chain.is_worth_it:
                others = [step for at, step in steps if at not in members]
                bands = chain.bands(threads, others, taken)
        if bands is None:
            found.append((position, step))
            continue
        found += [*bands.before, (position, bands)]
        done.update(at for at, _ in (*bands.before, *bands.members))
    return found


def _rows_of(step: Any) -> int:
    """Over how many rows a product goes that could be the first of a chain; 0 for all else."""
    if not is_joinable(step) or isinstance(step, GroupCall) or not is_product(step):
        return 0
    return max([m.rows for m in _as_product(0, step)], default=0)


class _Member(Member):
    """A step that goes over rows.

    Attributes:
      rows: how many. sums: whether it is a product that adds something up over them.
    """

    rows = 0
    sums = False


def _members(position: int, step: Call | GroupCall, rows: int) -> Iterator[_Member]:
    """A step as what may join others that go over so many rows, in each of the ways it can."""
    if isinstance(step, GroupCall):
        yield from _as_group(position, step, rows)
    elif is_product(step):
        yield from (m for m in _as_product(position, step) if m.rows == rows)


def _as_group(position: int, step: GroupCall, rows: int) -> Iterator[_Member]:
    count = step.sizes[step.divided]
    member = _Member(position, step)
    totals = {total.operand for total in step.nest.totals}
    partial = {total.operand for total in step.partial()}
    if (
        count % rows
        or len(step.sizes) != 2
        or not member.is_planned
        or totals != partial
        or any(step.places[operand].buffer.size > _SUM for operand in totals)
    ):
        return
    uneven = {
        place.buffer
        for operand, place in enumerate(step.places)
        if operand in totals or not step.has_rows(operand, step.divided, rows)
    }
    member.rows, member.count = rows, count
    member.even = {place.buffer for place in step.places} - uneven
    yield member


def _as_product(position: int, step: Call) -> Iterator[_Member]:
    a, b = step.reads[:2]
    if step.fallible or len(step.reads) != 2 or len(a.shape) != 2:
        return
    result = step.writes[0]
    if not Member(position, step).is_planned:
        return
    if products.is_by_rows(step) and b.shape[0] * b.shape[1] * b.dtype.itemsize <= _MATRIX:
        member = _Member(position, step)
        member.rows = member.count = a.shape[0]
        member.even = {v.buffer for v in (a,) if v.has_rows(0)} - {b.buffer} | {result}
        yield member
    if result.size <= min(_SUM, (a.size + b.size) * a.dtype.itemsize // 2):
        member = _Member(position, step)
        member.rows = member.count = b.shape[0]
        member.even = {a.buffer, b.buffer}
        member.even -= {v.buffer for v, axis in ((a, 1), (b, 0)) if not v.has_rows(axis)}
        member.sums = True
        yield member


def _chain(steps: Sequence[tuple[int, Any]], rows: int) -> _Chain:
    """What goes over rows like the first of some steps, a product."""
    (position, step), *rest = steps
    first = next(member for member in _as_product(position, step) if member.rows == rows)
    chain = _Chain(first)
    for position, step in rest:
        if not is_joinable(step):
            break
        ways = _members(position, step, rows)
        member = next((member for member in ways if chain.may_join(member)), None)
        if member is not None:
            chain.append(member)
        else:
            chain.skip(Member(position, step))
    return chain


class _Chain(Chain):
    """Steps that go over the same number of rows."""

    members: list[_Member]  # type: ignore[assignment]

    @property
    def is_worth_it(self) -> bool:
        """Whether threads had better share these steps."""
        made = {key for member in self.members for key in member.writes}
        follows = any(member.reads & (made - member.writes) for member in self.members)
        return follows and sum(m.step.work for m in self.members) >= sharing.WORTH_SHARING

    def bands(self, threads: int, others: Iterable[Any], taken: Collection[Buffer]) -> Bands:
        """These steps as one that threads share.

        Args:
          others: the other steps of the program. taken: buffers that somebody reads after it.
        """
        rows = self.members[0].rows
        own = self._own(others, taken)
        _, size = _placed(own, rows, _FEWEST)
        most = max(_FEWEST, _STRIP * _FEWEST // max(size, 1))
        shares = _parts(range(rows), threads)
        strips = [_parts(share, -(-len(share) // most)) for share in shares]
        longest = max(len(strip) for found in strips for strip in found)
        offsets, size = _placed(own, rows, longest)
        position = self.members[0].position
        memory = [Buffer(PLANNED, (size,), _BYTE, position) for _ in range(threads if own else 0)]
        return Bands(
            of_positions(self.members),
            tuple(tuple(self._turns(found)) for found in strips),
            of_positions(self.before),
            rows,
            frozenset(n for n, member in enumerate(self.members) if member.sums),
            offsets,
            tuple(memory),
        )

    def _own(
        self, others: Iterable[Any], taken: Collection[Buffer]
    ) -> dict[Buffer, tuple[int, int]]:
        """The buffers that nothing else uses, with the first and the last member that does."""
        known = {buffer for step in others for buffer in touched(step)}
        own: dict[Buffer, tuple[int, int]] = {}
        for number, member in enumerate(self.members):
            for key in member.touches:
                if key not in member.even:
                    known.add(key)
                elif key in member.writes or key in own:
                    own[key] = own.get(key, (number,))[0], number
        return {b: users for b, users in own.items() if b not in known and b not in taken}

    def _turns(self, strips: Iterable[range]) -> Iterator[Turn]:
        for strip in strips:
            for number, member in enumerate(self.members):
                each = member.count // member.rows
                yield Turn(number, each * strip.start, each * strip.stop, rows=strip)


def _parts(rows: range, count: int) -> list[range]:
    """Rows in so many parts, as BLAS' own tiles divide them if they can."""
    ends = [rows.start + len(rows) * n // count // _ALIGNED * _ALIGNED for n in range(count)]
    return [range(*pair) for pair in itertools.pairwise([*ends, rows.stop]) if pair[0] < pair[1]]


def _placed(
    own: Mapping[Buffer, tuple[int, int]], rows: int, strip: int
) -> tuple[dict[Buffer, int], int]:
    """Where a strip of buffers lies in memory of a thread's own, and how much that is."""
    parts = {}
    for buffer, (first, last) in own.items():
        part = Buffer(PLANNED, (buffer.size // rows * strip,), _BYTE, first)
        part.last = last
        parts[buffer] = part
    offsets, size = placed(parts.values())
    return {buffer: offsets[part] for buffer, part in parts.items()}, size
