"""Arrays that are changed while a run uses them: no kernel goes astray by an index."""

from __future__ import annotations

import os

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.kernels import uncompiled
from hybridflow._src.kernels.memory import SHORT_NAMES
from tests.kernels import processes
from tests.native import uncompiled_kernels
from tests.plan.sessions import program_of

COUNT, ROWS = 6, 4


def _variable(rows=ROWS):
    return hf.get_variable("v", initializer=np.ones((rows, 3), np.float32))


def _sparse(optimizer):
    def build(i):
        v = _variable()
        slices = hf.IndexedSlices(hf.ones([hf.size(i), 3]), i, hf.constant([ROWS, 3]))
        return optimizer().apply_gradients([(slices, v)])

    return build


# Ops that take addresses from indices, as functions of `[COUNT]` indices.
OPS = {
    "gather": lambda i: hf.gather(_variable(), i),
    "gather along an axis": lambda i: hf.gather(hf.transpose(_variable()), i, axis=1),
    "gather_nd": lambda i: hf.gather_nd(_variable(), i[:, None]),
    "scatter_nd": lambda i: hf.scatter_nd(i[:, None], hf.ones([COUNT, 3]), [ROWS, 3]),
    "embedding_lookup": lambda i: hf.nn.embedding_lookup(_variable(), i),
    "unsorted_segment_sum": lambda i: hf.unsorted_segment_sum(hf.ones([COUNT, 3]), i, ROWS),
    "scatter_update": lambda i: hf.scatter_update(_variable(), i, hf.ones([COUNT, 3])).op,
    "scatter_add": lambda i: hf.scatter_add(_variable(), i, hf.ones([COUNT, 3])).op,
    "scatter_sub": lambda i: hf.scatter_sub(_variable(), i, hf.ones([COUNT, 3])).op,
    "sparse labels": lambda i: hf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=i, logits=hf.ones([COUNT, ROWS])
    ),
    "sparse gradient descent": _sparse(lambda: hf.train.GradientDescentOptimizer(0.1)),
    "sparse Adagrad": _sparse(lambda: hf.train.AdagradOptimizer(0.1)),
    "sparse Adam": _sparse(lambda: hf.train.AdamOptimizer(0.1)),
}


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
@pytest.mark.parametrize("name", OPS)
def test_an_index_is_read_once(monkeypatch, name, dtype):
    """What was checked is what is used, whatever lies there later."""
    reads: dict[int, int] = {}
    kind = f"load_{SHORT_NAMES[np.dtype(dtype)]}"
    load = uncompiled.NAMESPACE[kind]

    def counted(address, index, scope):
        at = int(address) + int(index) * np.dtype(dtype).itemsize
        reads[at] = reads.get(at, 0) + 1
        return load(address, index, scope)

    monkeypatch.setitem(uncompiled.NAMESPACE, kind, counted)
    with hf.Graph().as_default(), hf.Session() as session, uncompiled_kernels():
        i = hf.placeholder(dtype, [COUNT])
        op = OPS[name](i)
        session.run(hf.global_variables_initializer())
        indices = np.array([0, 3, 1, 1, 2, 0], dtype)
        program_of(session, op, {i: indices})
        reads.clear()
        session.run(op, {i: indices})
        start = indices.ctypes.data
        found = [reads.get(start + k * indices.itemsize, 0) for k in range(COUNT)]
        assert max(found) <= 1


ATTACK = """
import threading, time
import numpy as np
import hybridflow as hf
from tests.plan import test_hostile_arrays as hostile
from tests.plan.sessions import program_of

hostile.COUNT = 5000
with hf.Graph().as_default(), hf.Session() as session:
    i = hf.placeholder(hf.int32, [hostile.COUNT])
    op = hostile.OPS[NAME](i)
    session.run(hf.global_variables_initializer())
    indices = np.zeros(hostile.COUNT, np.int32)
    program_of(session, op, {i: indices})
    done = False

    def change():
        while not done:
            indices[2000:] = 900_000_000
            indices[2000:] = -2_000_000_000
            indices[2000:] = 3

    thread = threading.Thread(target=change)
    thread.start()
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        try:
            session.run(op, {i: indices})
        except hf.errors.InvalidArgumentError:
            pass
    done = True
    thread.join()
print("survived")
"""


@pytest.mark.parametrize("name", ["gather", "scatter_add", "unsorted_segment_sum", "sparse Adam"])
def test_indices_that_another_thread_changes(name):
    seconds = float(os.environ.get("HYBRIDFLOW_STRESS", "0")) / 100 + 0.5
    program = f"NAME, SECONDS = {name!r}, {seconds}\n" + ATTACK
    assert processes.finished(processes.started(program)).strip() == "survived"


# -- results that their owner changes -----------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Setting the:DeprecationWarning")
@pytest.mark.parametrize(
    "change",
    [
        lambda a: setattr(a, "shape", (-1,)),
        lambda a: setattr(a, "dtype", np.int32),
        lambda a: setattr(a, "strides", (4, 4)),
        lambda a: a.setflags(write=False),
        lambda a: a.fill(0),
    ],
    ids=["shape", "dtype", "strides", "flags", "elements"],
)
def test_a_result_changed_in_place_does_not_come_back(change):
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.float32, [None, 128])
        y = x * 2.0 + 1.0
        feed = np.arange(128 * 128, dtype=np.float32).reshape(128, 128)
        program_of(session, y, {x: feed})
        result = session.run(y, {x: feed})
        change(result)
        del result
        for _ in range(3):
            found = session.run(y, {x: feed})
            assert found.dtype == np.float32
            assert found.flags.writeable
            np.testing.assert_array_equal(found, feed * 2 + 1)
