"""TensorFlow: networks in a Session, and a gradient by a tape."""

from __future__ import annotations

from typing import Any

import tensorflow.compat.v1 as tf

from perf.peers.networks import tf1
from perf.peers.tensorflow import Program
from perf.workloads.networks import Convolution, Network, Norm, Pooling
from perf.workloads.problems import Tape
from perf.workloads.subject import Answers, Subject, implements


@implements("lenet", "callable")
@implements("resnet", "callable")
def trained(problem: Network) -> Subject:
    return tf1.trained(tf, Program(), problem, run=False)


@implements("resnet inference", "callable")
def inferred(problem: Network) -> Subject:
    return tf1.inferred(tf, Program(), problem)


@implements("convolution")
def convolution(problem: Convolution) -> Subject:
    return tf1.convolution(tf, Program(), problem)


@implements("pooling")
def pooling(problem: Pooling) -> Subject:
    return tf1.pooling(tf, Program(), problem)


@implements("norm")
def norm(problem: Norm) -> Subject:
    return tf1.norm(tf, Program(), problem)


@implements("tape", "eager")
def tape(problem: Tape) -> Subject:
    x = tf.constant(problem.x)

    def step() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(x * x)
        return tape.gradient(y, x)

    return Answers(step)
