"""TensorFlow: a saver in a graph."""

from __future__ import annotations

import tensorflow.compat.v1 as tf

from perf.peers.files import tf1
from perf.peers.tensorflow import Program
from perf.workloads.files import Kept
from perf.workloads.subject import Subject, implements


@implements("save")
def save(problem: Kept) -> Subject:
    return tf1.saved(tf, Program(), problem)


@implements("restore")
def restore(problem: Kept) -> Subject:
    return tf1.restored(tf, Program(), problem)
