"""Checkpoints of what lies on several ranks: each writes what it has, the first one all else too.

All ranks save together, into a folder that all of them see, and their files become one checkpoint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import control_dependencies
from hybridflow._src.ops.arrays.constant import constant
from hybridflow._src.ops.collectives.reducing import sums
from hybridflow._src.ops.control_flow.ordering import with_dependencies
from hybridflow._src.ops.strings.joining import string_join
from hybridflow._src.ranks import job
from hybridflow._src.ranks.roll import Roll
from hybridflow._src.train.saving.saveables import VariableSaveable
from hybridflow._src.variables.sharded import rank_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.train.saving.saveables import SaveableObject


def _rank_of(saveable: SaveableObject) -> int | None:
    return rank_of(saveable.variable) if isinstance(saveable, VariableSaveable) else None


def is_spread(saveables: Sequence[SaveableObject]) -> bool:
    """Whether something of it lies on one of several ranks alone."""
    return job.has_others() and any(_rank_of(saveable) is not None for saveable in saveables)


def save(
    filename: Any,
    saveables: Sequence[SaveableObject],
    write: Callable[[Any, Sequence[SaveableObject]], Any],
) -> Any:
    """Saves, together with all other ranks.

    Args:
      filename: the path of the checkpoint. saveables: what this rank knows of. write: writes some
        of it to a path, and gives that.

    Returns: the path, once the checkpoint is whole, on the first rank.
    """
    here = job.current()
    mine = [s for s in saveables if here.rank == 0 or _rank_of(s) is not None]
    # All ranks know this name, and later saves write over what one that is ended has left.
    folder = string_join([filename, "_temp_ranks/part"])
    prefixes = [raw.ShardedFilename(folder, rank, here.size) for rank in range(here.size)]
    with control_dependencies([write(prefixes[here.rank], mine)]):
        all_have_written = sums([constant(1)])
    if here.rank:
        return with_dependencies(all_have_written, filename)
    with control_dependencies(all_have_written):
        merged = raw.MergeV2Checkpoints(prefixes, filename)
    return with_dependencies([merged], filename)


def meet(path: str) -> None:
    """Waits for all ranks, the first of which has merged and noted the checkpoint by now.

    Raises:
      FailedPreconditionError: if another one is not about to do so.
    """
    job.current().agree(Roll([f"Saver.save: {path}"], 0))
