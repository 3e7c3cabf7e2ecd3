"""What `bench_network.py` runs on ranks of several machines: how long sums take, as JSON.

mpiexec -n 2 python -m perf.network BYTES...
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np

import hybridflow as hf
from hybridflow import distributed as hvd


def seconds(size: int, rounds: int = 5) -> float:
    """The best time that all ranks take to sum so many bytes of gradients."""
    from mpi4py import MPI

    best = float("inf")
    grads = np.full(size // 4, hvd.rank() + 1.0, np.float32)
    with hf.Graph().as_default(), hf.Session() as session:
        given = hf.placeholder(hf.float32, [size // 4])
        run = session.make_callable(hvd.allreduce(given, op=hvd.Sum), [given])
        for _ in range(rounds):
            MPI.COMM_WORLD.Barrier()
            start = time.perf_counter()
            total = run(grads)
            best = min(best, MPI.COMM_WORLD.allreduce(time.perf_counter() - start, MPI.MAX))
            assert (total == sum(range(1, hvd.size() + 1))).all()
    return best


if __name__ == "__main__":
    hvd.init()
    found = [seconds(int(size)) for size in sys.argv[1:]]
    if hvd.rank() == 0:
        print(json.dumps({"local_size": hvd.local_size(), "seconds": found}))
