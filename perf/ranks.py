"""What `bench_ranks.py` runs on ranks: times, as JSON on standard output.

mpiexec -n 2 python -m perf.ranks (costs | transfers | steps)
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from mpi4py import MPI

import hybridflow as hf
from hybridflow import distributed as hvd
from hybridflow._src.distributed.gradients import Reduction
from hybridflow._src.kernels.compiler import COMPILER

ROUNDS = 25


def seconds(*calls: Callable[[], Any], number: int = 1) -> list[float]:
    """The best time of each call, in turns; all ranks begin each together.

    The best, since a rank that waits for a processor makes all wait.
    """
    found: list[list[float]] = [[] for _ in calls]
    for _ in range(ROUNDS):
        for call, times in zip(calls, found, strict=True):
            MPI.COMM_WORLD.Barrier()
            start = time.perf_counter()
            for _ in range(number):
                call()
            times.append((time.perf_counter() - start) / number)
    return [min(times) for times in found]


def transfer(count: int, shape: list[int]) -> list[float]:
    """MPI's own sum of one buffer, and that of gradients which are as large together."""
    size = count * int(np.prod(shape))
    buffer, total = np.ones(size, np.float32), np.empty(size, np.float32)
    with hf.Graph().as_default(), hf.Session() as session:
        grads = [
            hf.get_variable(f"grad{i}", shape, initializer=hf.ones_initializer())
            for i in range(count)
        ]
        reduced = Reduction("sums", hvd.Compression.none, hvd.Sum, False)
        sums = reduced([v.value() for v in grads], grads)
        # Sums of which nothing is used would not be made.
        run = session.make_callable(hf.stack([hf.reshape(total, [-1])[0] for total in sums]))
        session.run(hf.global_variables_initializer())
        for _ in range(4):
            assert (run() == hvd.size()).all()
            COMPILER.wait(120)
        return seconds(lambda: MPI.COMM_WORLD.Allreduce(buffer, total), lambda: run())


def _digits(images: Any) -> Any:
    x = hf.layers.dense(images, 64, hf.nn.relu)
    return hf.layers.dense(hf.layers.dense(x, 32, hf.nn.relu), 10)


def _convolution(images: Any) -> Any:
    x = hf.layers.conv2d(hf.reshape(images, [-1, 8, 8, 1]), 16, 3, activation=hf.nn.relu)
    x = hf.layers.conv2d(x, 32, 3, activation=hf.nn.relu)
    return hf.layers.dense(hf.layers.flatten(x), 10)


def step(network: Callable[[Any], Any], batch: int) -> list[float]:
    """One training step of Adam's, and MPI's own sum of one buffer as large as its gradients."""
    rng = np.random.default_rng(0)
    with hf.Graph().as_default(), hf.Session() as session:
        images = hf.placeholder("float32", [batch, 64])
        labels = hf.placeholder("int64", [batch])
        loss = hf.losses.sparse_softmax_cross_entropy(labels, network(images))
        train = hvd.DistributedOptimizer(hf.train.AdamOptimizer(1e-3)).minimize(loss)
        session.run(hf.global_variables_initializer())
        run = session.make_callable(train, [images, labels])
        feeds = rng.normal(size=(batch, 64)).astype(np.float32), rng.integers(0, 10, batch)
        for _ in range(4):
            run(*feeds)
            COMPILER.wait(120)
        size = sum(v.shape.num_elements() for v in hf.trainable_variables())
        buffer, total = np.ones(size, np.float32), np.empty(size, np.float32)
        allreduce = lambda: MPI.COMM_WORLD.Allreduce(buffer, total)  # noqa: E731
        return seconds(lambda: run(*feeds), allreduce, number=10)


def costs() -> list[float]:
    """Of a sum by MPI the time that it takes at least, and the time of each byte."""
    small, large = np.zeros(4), np.zeros(5_000_000)
    least = seconds(lambda: MPI.COMM_WORLD.Allreduce(MPI.IN_PLACE, small), number=20)[0]
    most = seconds(lambda: MPI.COMM_WORLD.Allreduce(MPI.IN_PLACE, large))[0]
    return [least, most / large.nbytes]


def main() -> None:
    hvd.init()
    found: Any
    if sys.argv[1] == "costs":
        found = costs()
    elif sys.argv[1] == "transfers":
        found = [transfer(1, [10_000_000]), transfer(1000, [64, 64])]
    else:
        found = [step(_digits, 512), step(_convolution, 64)]
    if hvd.rank() == 0:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
