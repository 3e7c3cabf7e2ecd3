"""Saves in processes that are killed, and looks at what is there then.

    python -m tests.train.killing COUNT FOLDER

Each process goes on from the latest checkpoint, under one of several kinds of savers. In a
checkpoint that is whole all variables have the value of its step.
"""

from __future__ import annotations

import functools
import os
import random
import signal
import sys
import time
from collections.abc import Callable

import numpy as np

import hybridflow as hf

KINDS = ("steps", "one name", "sharded", "one name, sharded")
VARIABLES = 5


def save(kind: str, folder: str, start: int, begun: Callable[[], object]) -> None:
    """Saves step after step, for ever; `begun` is called before."""
    with hf.Graph().as_default(), hf.Session() as session:
        value = hf.placeholder(hf.float32, [])
        kept = []
        for number in range(VARIABLES):
            with hf.device(f"/cpu:{number % 2}"):
                kept.append(hf.get_variable(f"v{number}", [300 * (number + 1)]))
        assigned = [hf.assign(v, hf.fill(v.shape, value)).op for v in kept]
        saver = hf.train.Saver(max_to_keep=2, sharded="sharded" in kind)
        state = hf.train.get_checkpoint_state(folder)
        if state is not None:
            saver.recover_last_checkpoints(state.all_model_checkpoint_paths)
        begun()
        while True:
            session.run(assigned, {value: start})
            step = start if kind in ("steps", "sharded") else None
            saver.save(session, os.path.join(folder, "model"), step)
            start += 1


def look(folder: str) -> int:
    """The step of the latest checkpoint; -1 if there is none.

    Raises:
      AssertionError: if it is not whole. OpError: if it cannot be read.
    """
    latest = hf.train.latest_checkpoint(folder)
    if latest is None:
        assert not os.path.exists(os.path.join(folder, "checkpoint"))
        return -1
    reader = hf.train.NewCheckpointReader(latest)
    values = np.concatenate([reader.get_tensor(f"v{number}") for number in range(VARIABLES)])
    step = int(values[0])
    assert len(values) == 300 * sum(range(1, VARIABLES + 1))
    assert (values == step).all()
    return step


def main(count: int, root: str) -> None:
    rng = random.Random(count)
    steps = dict.fromkeys(KINDS, -1)
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        folder = os.path.join(root, kind)
        os.makedirs(folder, exist_ok=True)
        reader, writer = os.pipe()
        process = os.fork()
        if not process:
            try:
                save(kind, folder, steps[kind] + 1, functools.partial(os.write, writer, b"!"))
            finally:
                os._exit(1)
        os.close(writer)
        os.read(reader, 1)
        os.close(reader)
        time.sleep(rng.uniform(0, 0.2 if "sharded" in kind else 0.06))
        os.kill(process, signal.SIGKILL)
        _, status = os.waitpid(process, 0)
        assert os.WIFSIGNALED(status), f"{kind}: the process failed: {status}"
        step = look(folder)
        assert step >= steps[kind], f"{kind}: step {step} after {steps[kind]}"
        steps[kind] = step
    print(steps)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
