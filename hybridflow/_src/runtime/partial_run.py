"""Partial runs: a run in steps, each with some of the feeds and some of the fetches.

Each step runs what its fetches need and no step before has run. What later steps will need of what
it computes is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.dtypes import resource
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.locks import new_lock
from hybridflow._src.plan.pruning import prune

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.plan.plan import Plan
    from hybridflow._src.runtime.fetches import Fetches


class PartialRun:
    """A run in steps.

    Args:
      fetches: all that is fetched in the steps.
      feeds: all that is fed.
      build: gives the plan for tensors, operations and feeds, where some operations are done.

    Attributes:
      lock: held during a step.

    Raises:
      InvalidArgumentError: if nothing is fetched.
    """

    def __init__(
        self, fetches: Fetches, feeds: Sequence[Tensor], build: Callable[..., Plan]
    ) -> None:
        if not fetches.tensors and not fetches.operations:
            raise _invalid("specify at least one target to fetch or execute.")
        self.lock = new_lock()
        self._build = build
        self._feeds = frozenset(feeds)
        self._fetches = frozenset([*fetches.tensors, *fetches.operations])
        self._unfed = set(feeds)
        self._tensors = set(fetches.tensors)
        self._operations = set(fetches.operations)
        self._ops = prune(fetches.tensors, fetches.operations, frozenset(feeds))
        self._done: set[Operation] = set()
        self._values: dict[Tensor, Any] = {}

    def step(self, fetches: Fetches, feeds: Sequence[Tensor], arrays: Sequence[Any]) -> list[Any]:
        """The values of the tensors that are fetched in one step.

        Raises:
          InvalidArgumentError: for what was fetched or fed before, was not named when the run was
            set up, or needs a feed that is still to come.
        """
        for tensor in feeds:
            if tensor not in self._feeds:
                raise _invalid(f"{tensor.name} was not specified in partial_run_setup.")
            if tensor not in self._unfed:
                raise _invalid(f"The tensor {tensor.name} has already been fed.")
        elements: list[Any] = [*fetches.tensors, *fetches.operations]
        for element in elements:
            if element not in self._fetches:
                raise _invalid(f"{element.name} was not specified in partial_run_setup.")
            if element not in self._tensors and element not in self._operations:
                raise _invalid(f"{element.name} has already been fetched.")
        unfed = self._unfed - set(feeds)
        values = {**self._values, **dict(zip(feeds, arrays, strict=True))}
        now = prune(fetches.tensors, fetches.operations, frozenset(values), frozenset(self._done))
        for tensor in unfed:
            if tensor.op in now:
                raise _invalid(
                    f"What is fetched needs the tensor {tensor.name!r}, which is to be fed in this "
                    "partial run, and has not been."
                )
        kept = self._kept(now, values)
        wanted = [*fetches.tensors, *kept]
        given = [t for t in values if any(t in op.inputs for op in now) or t in wanted]
        plan = self._build(wanted, fetches.operations, given, frozenset(self._done))
        results = plan.run([values[t] for t in given], owned=True)
        # The step has run: from here on nothing of it is run again.
        self._done.update(now)
        self._unfed = unfed
        self._values = {**values, **dict(zip(kept, results[len(fetches.tensors) :], strict=True))}
        self._tensors.difference_update(fetches.tensors)
        self._operations.difference_update(fetches.operations)
        return list(results[: len(fetches.tensors)])

    def _kept(self, now: list[Operation], values: dict[Tensor, Any]) -> list[Tensor]:
        """What the ops of this step compute and later ones use: no handles of variables."""
        running = set(now)
        later = [op for op in self._ops if op not in running and op not in self._done]
        used = dict.fromkeys(t for op in later for t in op.inputs)
        used.update(dict.fromkeys(self._tensors))
        return [
            t
            for t in used
            if t.op in running
            and t not in values
            and not t.dtype.is_ref_dtype
            and t.dtype is not resource
        ]


def _invalid(message: str) -> InvalidArgumentError:
    return InvalidArgumentError(None, None, message)
