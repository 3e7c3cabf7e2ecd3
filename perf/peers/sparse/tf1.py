"""What hybridflow and TensorFlow write alike."""

from __future__ import annotations

from typing import Any

import numpy as np

from perf.workloads.sparse import SPOKEN, Product, Spoken
from perf.workloads.subject import Subject


def product(tf: Any, program: Any, problem: Product) -> Subject:
    with program:
        values = program.variable("values", problem.values)
        dense = program.variable("dense", problem.dense)
        matrix = tf.SparseTensor(problem.indices, tf.identity(values), problem.shape)
        result = tf.sparse_tensor_dense_matmul(matrix, dense)
    return program.subject(result)


def spoken(tf: Any, program: Any, problem: Spoken) -> Subject:
    times, batch, _ = problem.logits.shape
    with program:
        logits = tf.identity(program.variable("logits", problem.logits))
        labels = tf.SparseTensor(*problem.sparse)
        losses = tf.nn.ctc_loss(labels, logits, np.full(batch, times, np.int32))
        (gradient,) = tf.gradients(losses, [logits])
    return program.subject(gradient)._replace(tolerance=SPOKEN)
