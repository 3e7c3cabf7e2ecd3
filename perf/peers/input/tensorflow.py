"""TensorFlow: a dataset in a graph."""

from __future__ import annotations

from typing import Any

import tensorflow.compat.v1 as tf

from perf.peers.input import tf1
from perf.peers.tensorflow import Program
from perf.workloads.input import Lines, Records, Rows, Training
from perf.workloads.subject import Subject, implements


@implements("batches")
def batches(problem: Rows) -> Subject:
    return tf1.shuffled(tf, Program(), problem)


def _table(words: list[str]) -> Any:
    numbers = tf.range(len(words), dtype=tf.int64)
    entries = tf.lookup.KeyValueTensorInitializer(tf.constant(words), numbers)
    return tf.lookup.StaticHashTable(entries, -1)


@implements("lines")
def lines(problem: Lines) -> Subject:
    return tf1.looked_up(tf, Program(), problem, _table)


@implements("records")
def records(problem: Records) -> Subject:
    return tf1.parsed_records(tf, Program(), problem)


@implements("fed")
def fed(problem: Training) -> Subject:
    return tf1.trained(tf, Program(), problem, True)


@implements("fed", "without input")
def without_input(problem: Training) -> Subject:
    return tf1.trained(tf, Program(), problem, False)
