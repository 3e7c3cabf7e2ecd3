"""Savers of those who have TensorFlow 1's names."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from perf.workloads.files import Kept, folder
from perf.workloads.subject import Subject


def _saver(tf: Any, program: Any, problem: Kept) -> tuple[Any, list[Any], str]:
    with program:
        kept = [program.variable(f"v{i:04d}", value) for i, value in enumerate(problem.values)]
        saver = tf.train.Saver(kept)
    return saver, kept, os.path.join(folder(), "model")


def saved(tf: Any, program: Any, problem: Kept) -> Subject:
    saver, _, path = _saver(tf, program, problem)

    def step() -> None:
        with program.graph.as_default():  # TensorFlow 2 takes it for eager mode else
            saver.save(program.session, path, write_meta_graph=False)

    def result() -> list[np.ndarray]:
        reader = tf.train.NewCheckpointReader(path)
        return [reader.get_tensor(f"v{i:04d}") for i in range(len(problem.values))]

    return Subject(step, result)


def restored(tf: Any, program: Any, problem: Kept) -> Subject:
    saver, kept, path = _saver(tf, program, problem)
    with program.graph.as_default():
        saver.save(program.session, path, write_meta_graph=False)
        program.session.run([tf.assign(variable, variable * 0) for variable in kept])

    def step() -> None:
        with program.graph.as_default():
            saver.restore(program.session, path)

    return Subject(step, lambda: program.session.run(kept))
