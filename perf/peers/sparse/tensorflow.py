"""TensorFlow: sparse matrices and labels in a graph."""

from __future__ import annotations

import tensorflow.compat.v1 as tf

from perf.peers.sparse import tf1
from perf.peers.tensorflow import Program
from perf.workloads.sparse import Product, Spoken
from perf.workloads.subject import Subject, implements


@implements("product")
def product(problem: Product) -> Subject:
    return tf1.product(tf, Program(), problem)


@implements("spoken")
def spoken(problem: Spoken) -> Subject:
    return tf1.spoken(tf, Program(), problem)
