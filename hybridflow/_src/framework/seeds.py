"""Seeds of random ops: from the graph's (or eager mode's) seed and the op's own."""

from __future__ import annotations

import operator
from typing import Any

from hybridflow._src.framework import context
from hybridflow._src.framework.default_graph import get_default_graph

# TF's default for the graph seed where only the op has one.
DEFAULT_GRAPH_SEED = 87654321
# TF takes seeds modulo this number.
LARGEST_SEED = 2**31 - 1


class _EagerSeeds:
    """Eager mode's counterpart of a graph's seed and count of random ops."""

    __slots__ = ("seed", "unseeded_random_ops")

    def __init__(self) -> None:
        self.seed: int | None = None
        self.unseeded_random_ops = 0


_eager = _EagerSeeds()
# The seed of graphs, and of eager mode, that the program sets none for.
_unset: int | None = None


def _index(seed: Any) -> int | None:
    """A seed as Python's int, which has no largest one, whatever integer it is; None stays."""
    try:
        return None if seed is None else operator.index(seed)
    except TypeError:
        raise TypeError(f"A seed must be an integer, got {seed!r:.80}.") from None


def set_seed_of_unset(seed: int | None) -> None:
    """Gives a seed to every graph, made or yet to be made, that the program sets none for."""
    global _unset
    _unset = seed


def set_random_seed(seed: int | None) -> None:
    """Sets the seed of the default graph, or in eager mode of the process.

    Random ops combine it with their own `seed`. An op without one takes the number of random ops
    that were made without a seed before it, so that a program draws the same numbers in eager and
    in graph mode. (TF 1.4 takes the number of *all* ops of the graph there, and other numbers still
    in eager mode.) Eagerly that number begins at 0 again when a seed is set; in a graph it goes on,
    as in TensorFlow, so that two networks built under one seed do not begin with equal weights.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     hf.set_random_seed(1)
    ...     a = hf.random_uniform([2])
    ...     hf.set_random_seed(1)
    ...     b = hf.random_uniform([2])
    >>> a.numpy().tolist() == b.numpy().tolist()
    True
    """
    seed = _index(seed)
    if not context.modes.top.eager:
        # The count goes on: what is built under the same seed again is to draw other numbers.
        get_default_graph().seed = seed
        return
    _eager.seed = seed
    _eager.unseeded_random_ops = 0
    context.eager_kernels.clear()


def get_seed(op_seed: int | None) -> tuple[int | None, int | None]:
    """The two seeds of a random op, given its own (or None).

    Returns: (graph seed, op seed); (None, None) if neither is set: then the op seeds itself from
    the operating system. (0, 0), which TF also takes to mean that, becomes (0, 2**31 - 1).

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     hf.set_random_seed(1)
    ...     print(hf.get_seed(5))
    (1, 5)
    """
    op_seed = _index(op_seed)
    graph = get_default_graph()
    # A function being traced belongs to the eager program around it, unless a graph is.
    traced = graph.building_function and graph.outer_graph is None
    eager = context.modes.entries[-1].item.eager or traced
    holder = _eager if eager else graph
    seed = _unset if holder.seed is None else holder.seed
    if seed is None:
        if op_seed is None:
            return None, None
        seeds = DEFAULT_GRAPH_SEED, op_seed
    elif op_seed is None:
        seeds = seed, holder.unseeded_random_ops
        holder.unseeded_random_ops += 1
    else:
        seeds = seed, op_seed
    graph_part, op_part = seeds[0] % LARGEST_SEED, seeds[1] % LARGEST_SEED
    if graph_part == op_part == 0:
        op_part = LARGEST_SEED
    return graph_part, context.OwnSeed(op_part) if op_seed is None else op_part
