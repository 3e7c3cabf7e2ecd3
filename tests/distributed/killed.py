"""What `test_killed.py` runs on ranks and kills: training that goes on from its last checkpoint.

    mpiexec -n 2 python -m tests.distributed.killed (weights | tables) FOLDER

What each step is given is worked out from its number, so a job that goes on takes the same, on any
number of ranks that divides a batch. `weights`: one rank saves, and gives the others what it
restores. `tables`: all ranks save, each its part of a table.
"""

from __future__ import annotations

import os
import sys

import numpy as np

import hybridflow as hf
from hybridflow import distributed as hvd
from hybridflow._src.plan import planning

BATCH, ROWS, WIDTH = 12, 30, 4
TABLE = np.random.default_rng(0).normal(size=(ROWS, WIDTH)).astype(np.float32)
STEPS, SAVE_STEPS = 150, 3


def batch(step: int) -> tuple[np.ndarray, np.ndarray]:
    """This rank's part of what a step is given: rows of the table, and what they should be."""
    rng = np.random.default_rng(step)
    ids, targets = rng.integers(0, ROWS, (BATCH, 2)), rng.normal(size=(BATCH, WIDTH))
    each = BATCH // hvd.size()
    mine = slice(hvd.rank() * each, (hvd.rank() + 1) * each)
    return ids[mine], targets[mine].astype(np.float32)


def train(kind: str, folder: str) -> list[np.ndarray]:
    """Trains from the last checkpoint on; gives the table and the layer above it."""
    with hf.Graph().as_default():
        hf.set_random_seed(1)
        ids = hf.placeholder(hf.int64, [None, 2])
        targets = hf.placeholder(hf.float32, [None, WIDTH])
        table = hf.get_variable(
            "table",
            initializer=TABLE,
            partitioner=hvd.sharded_variable_partitioner() if kind == "tables" else None,
            constraint=hf.constraints.MaxNorm(1.5, axis=1),
        )
        found = hf.reduce_sum(hf.nn.embedding_lookup(table, ids), axis=1)
        with hf.variable_scope("above"):
            w = hf.get_variable("w", [WIDTH, WIDTH], constraint=hf.constraints.MaxNorm(2.0))
        loss = hf.reduce_mean(hf.squared_difference(found @ w, targets))
        step = hf.train.get_or_create_global_step()
        optimizer = hvd.DistributedOptimizer(hf.train.AdamOptimizer(0.02), sparse_as_dense=True)
        update = optimizer.minimize(loss, global_step=step)
        weights = [hf.convert_to_tensor(table), w.value()]
        saving = kind == "tables" or hvd.rank() == 0
        hooks = [hvd.BroadcastGlobalVariablesHook(0)]
        if saving:
            hooks.append(hf.train.CheckpointSaverHook(folder, save_steps=SAVE_STEPS))
        with hf.train.MonitoredTrainingSession(
            checkpoint_dir=folder if saving else None,
            hooks=hooks,
            save_checkpoint_secs=None,
            save_summaries_steps=None,
            log_step_count_steps=None,
        ) as session:
            done = int(session.run_step_fn(lambda step_context: step_context.session.run(step)))
            print(f"rank {hvd.rank()} pid {os.getpid()} begins at step {done}")
            while done < STEPS:
                mine = batch(done)
                session.run(update, {ids: mine[0], targets: mine[1]})
                done += 1
            return session.run_step_fn(lambda step_context: step_context.session.run(weights))


if __name__ == "__main__":
    # One executor throughout: native steps add in another order than interpreted ones, and when
    # the first comes depends on how long compiling takes.
    planning.native_of = lambda plan: None
    hvd.init()
    table, above = train(*sys.argv[1:])
    if hvd.rank() == 0:
        np.savez(os.path.join(sys.argv[2], f"weights{hvd.size()}.npz"), table=table, above=above)
