"""`join`, which is refused."""

from __future__ import annotations

from typing import NoReturn

__all__ = ["join"]

_REFUSED = (
    "hvd.join() is refused: a rank that has run out of batches cannot stand by while the others "
    "train on, since all make each update together, with the mean of all gradients. Give every "
    "rank as many batches: `dataset.shard(hvd.size(), hvd.rank()).repeat()`, and the same number "
    "of steps."
)


def join(device: int = -1) -> NoReturn:
    """Refused: all ranks train for the same number of steps.

    Raises:
      NotImplementedError: always; it says what to write instead.

    >>> import hybridflow as hf
    >>> hf.distributed.join()
    Traceback (most recent call last):
    NotImplementedError: hvd.join() is refused: a rank that has run out of batches ...
    """
    raise NotImplementedError(_REFUSED)
