"""What a body does otherwise than its instructions say, with the same results."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from hybridflow._src.plan.reading import Reading

if TYPE_CHECKING:
    from hybridflow._src.plan.instruction import Instruction
    from hybridflow._src.plan.values import Value


class RowOfProduct(NamedTuple):
    """A row of a product that was made before the loop.

    Attributes:
      pick: the instruction that picks the row that was multiplied. product: `[rows, ...]`.
    """

    pick: Instruction
    product: Any


class PartOfProduct(NamedTuple):
    """The product of some columns of the first matrix with as many rows of the other.

    Attributes:
      slot: the columns. rows: the first of those rows, and the one after the last.
    """

    slot: int
    rows: tuple[int, int]


# A part of the second matrix of a product: its first row and the one after the last, and so of its
# columns; None: all of them.
Part = tuple["tuple[int, int] | None", "tuple[int, int] | None"]
WHOLE: Part = (None, None)
# A product, as the sum of what it consists of.
Split = list[RowOfProduct | PartOfProduct]


class Changes(NamedTuple):
    """What is done otherwise.

    Attributes:
      without: the identities of instructions that are not done.
      known: values that are there, by their buffers.
      splits: products as sums, by the identities of their instructions.
      columns: products of which only some columns are used, by the identities of the instructions
        that take them out.
      panels: matrices that are packed, by the identities of products and the parts of them.
    """

    without: Collection[int] = ()
    known: Mapping[int, Value] = {}
    splits: Mapping[int, Split] = {}
    columns: Mapping[int, Instruction] = {}
    panels: Mapping[tuple[int, Part], Value] = {}


def second_of(lowering: Any, product: Instruction, matrix: Value, part: Part) -> Value:
    """A part of the second matrix of a product, of which `matrix` is the value."""
    turned = product.attrs["transpose_b"]
    rows, columns = (slice(None) if ends is None else slice(*ends) for ends in part)
    found: Value = lowering.view(lambda w: (w.T if turned else w)[rows, columns], matrix)
    return found


def columns_of(step: Instruction, body: Reading) -> dict[int, tuple[int, int]]:
    """For what an instruction takes out of a matrix, as far as it is used, which columns it is."""
    found = {}
    start = 0
    for slot in step.outputs:
        shape = body.shape(slot)
        assert shape is not None
        if body.uses[slot]:
            found[slot] = (start, start + shape[1])
        start += shape[1]
    return found


def used_columns(body: Reading) -> dict[int, Instruction]:
    """The products of which only some columns are used, by who takes them out."""
    found = {}
    for step in body.plan.instructions:
        if step.op.type not in ("Split", "SplitV"):
            continue
        value, axis = (step.inputs[i] for i in ((1, 0) if step.op.type == "Split" else (0, 2)))
        product, at = body.maker(value), body.known(axis)
        used = [slot for slot in step.outputs if body.uses[slot]]
        if (
            product is not None
            and product.op.type == "MatMul"
            and body.uses[value] == 1
            and at is not None
            and int(at) in (1, -1)
            and 0 < len(used) < len(step.outputs)
        ):
            found[id(step)] = product
    return found
