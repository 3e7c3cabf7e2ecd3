"""Trains, is killed, and goes on from its last checkpoint.

The weights at the end are those of a run that was not killed: bit by bit under
`TF_DETERMINISTIC_OPS=1`, else but for last bits where compiled steps have taken over at another
moment.

    python recovering.py FOLDER             # trains, with checkpoints and events in FOLDER
    python recovering.py FOLDER --die-at 70 # kills itself on the way; then run it again without
    tensorboard --logdir FOLDER             # shows the loss, the weights and the graph

The input of each step is worked out from its number, so a run that goes on takes the same.
"""

from __future__ import annotations

import argparse
import os
import signal
import zlib

import numpy as np

import hybridflow as hf

SIZE, BATCH = 8, 16


def batch(step: int) -> tuple[np.ndarray, np.ndarray]:
    """The input and the targets of a step: a plane, and noise."""
    rng = np.random.default_rng(step)
    x = rng.standard_normal((BATCH, SIZE), np.float32)
    slope = np.arange(1, SIZE + 1, dtype=np.float32)[:, None]
    return x, x @ slope + 0.1 * rng.standard_normal((BATCH, 1), np.float32)


def train(folder: str, steps: int, die_at: int | None, save_steps: int) -> np.ndarray:
    """Trains to a step, from the latest checkpoint in a folder on; gives the weights."""
    with hf.Graph().as_default():
        x = hf.placeholder(hf.float32, [None, SIZE], name="x")
        y = hf.placeholder(hf.float32, [None, 1], name="y")
        w = hf.get_variable("w", [SIZE, 1], initializer=hf.zeros_initializer())
        b = hf.get_variable("b", [1], initializer=hf.zeros_initializer())
        loss = hf.reduce_mean(hf.square(hf.matmul(x, w) + b - y))
        step = hf.train.get_or_create_global_step()
        train_op = hf.train.AdamOptimizer(0.05).minimize(loss, global_step=step)
        hf.summary.scalar("loss", loss)
        hf.summary.histogram("weights", w)
        scaffold = hf.train.Scaffold()
        saving = hf.train.CheckpointSaverHook(folder, save_steps=save_steps, scaffold=scaffold)
        with hf.train.MonitoredTrainingSession(
            checkpoint_dir=folder,
            scaffold=scaffold,
            hooks=[saving],
            save_checkpoint_secs=None,
            save_summaries_steps=10,
        ) as session:
            # What follows has no hooks: it counts no step.
            done = session.run_step_fn(lambda step_context: step_context.session.run(step))
            print(f"begins at step {done}")
            # Not `StopAtStepHook`: it looks after a step, so that a run that was killed when its
            # last checkpoint was written would take one step more.
            while done < steps:
                inputs, targets = batch(int(done))
                value, _, weights = session.run([loss, train_op, w], {x: inputs, y: targets})
                done += 1
                if done % max(steps // 10, 1) == 0:
                    print(f"step {done:4d}  loss {value:.4f}")
                if done == die_at:
                    os.kill(os.getpid(), signal.SIGKILL)
            weights = session.run_step_fn(lambda step_context: step_context.session.run(w))
    return weights


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="where checkpoints and events are kept")
    parser.add_argument("--steps", type=int, default=200, help="the last step")
    parser.add_argument("--die-at", type=int, help="the step after which it kills itself")
    parser.add_argument("--save-steps", type=int, default=20, help="steps between checkpoints")
    given = parser.parse_args(arguments)
    weights = train(given.folder, given.steps, given.die_at, given.save_steps)
    print(f"weights {zlib.crc32(weights.tobytes()):08x}")


if __name__ == "__main__":
    main()
