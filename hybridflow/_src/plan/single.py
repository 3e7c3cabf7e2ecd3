"""Heavy ops of eager mode by kernels: a plan of one op for each kind of call that comes often.

An op whose record says so (`kernels_from`) is run by its NumPy meaning until its plan has a native
program: nothing waits for a kernel, and what no kernel computes goes on as before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import constant_of
from hybridflow._src.framework.eager_tensor import EagerTensor
from hybridflow._src.framework.errors import OpError
from hybridflow._src.framework.graph import Graph
from hybridflow._src.framework.graph_inputs import add_input
from hybridflow._src.framework.late import late
from hybridflow._src.plan.frequent import Frequent, is_static, plain
from hybridflow._src.plan.planning import Kernels, build

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from hybridflow._src.framework.op_def import OpDef
    from hybridflow._src.plan.plan import Plan

# A plan costs about a millisecond, and keeps memory for its results.
_OFTEN = 2
_MOST_KEYS = 64

_plans: Frequent[Plan] = Frequent(_OFTEN, _MOST_KEYS)


def run_single(op: OpDef, arrays: Sequence[np.ndarray], attrs: dict[str, Any]) -> Any:
    """What an op gives for its inputs, as its NumPy meaning does; None if that has to tell.

    The shape rule has seen inputs of these shapes if there is a plan.
    """
    parts: list[Any] = [op, plain(attrs)]
    feeds = []
    for index, array in enumerate(arrays):
        static = is_static(array, op, index)
        parts += array.dtype.num, array.shape, array.tobytes() if static else None
        if not static:
            feeds.append(array)
    plan = _plans.get(tuple(parts), lambda: _planned(op, arrays, attrs))
    if plan is None:
        return None
    values = plan.quick(feeds)
    if values is None:
        try:
            values = plan.run(feeds)
        except OpError:  # The ordinary way shows what is wrong.
            return None
    return values[0] if len(values) == 1 else values


def _planned(op: OpDef, arrays: Sequence[np.ndarray], attrs: dict[str, Any]) -> Plan:
    graph = Graph()
    feeds = []
    with graph.as_default():
        inputs = []
        for index, array in enumerate(arrays):
            dtype = dtypes.as_dtype(array.dtype)
            if is_static(array, op, index):
                inputs.append(constant_of(graph, array.copy(), dtype, "Const"))
            else:
                feeds.append(add_input(graph, EagerTensor(array, dtype), array.shape, "value"))
                inputs.append(feeds[-1])
        found = op(*inputs, **attrs)
    outputs = found if isinstance(found, list) else [found]
    return build(outputs, (), feeds, Kernels())


late.run_single = run_single
