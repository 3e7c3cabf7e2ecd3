"""TensorFlow: a dataset in a graph."""

from __future__ import annotations

import tensorflow.compat.v1 as tf

from perf.peers.input import tf1
from perf.peers.tensorflow import Program
from perf.workloads.input import Rows
from perf.workloads.subject import Subject, implements


@implements("batches")
def batches(problem: Rows) -> Subject:
    return tf1.shuffled(tf, Program(), problem)
