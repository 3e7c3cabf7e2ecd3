"""Datasets of those who have TensorFlow 1's names."""

from __future__ import annotations

from typing import Any

from perf.workloads.input import BATCH, Lines, Rows, batches, numbered
from perf.workloads.subject import Subject


def shuffled(tf: Any, program: Any, problem: Rows) -> Subject:
    with program.graph.as_default():
        values = tf.placeholder(tf.float32, problem.values.shape)
        data = tf.data.Dataset.from_tensor_slices(values).shuffle(len(problem.values))
        data = data.repeat().batch(BATCH)
        make = getattr(data, "make_initializable_iterator", None)
        iterator = make() if make else tf.data.make_initializable_iterator(data)
        batch = iterator.get_next()
        program.session.run(iterator.initializer, {values: problem.values})
    return batches(problem, program.session.make_callable(batch))


def looked_up(tf: Any, program: Any, problem: Lines, table: Any) -> Subject:
    """Lines split and looked up in a table that `table` makes of the words."""
    with program.graph.as_default():
        numbers = table(problem.words)
        data = tf.data.TextLineDataset(problem.file.name).repeat().batch(BATCH)
        data = data.map(lambda lines: numbers.lookup(tf.string_split(lines).values)).prefetch(1)
        make = getattr(data, "make_initializable_iterator", None)
        iterator = make() if make else tf.data.make_initializable_iterator(data)
        batch = iterator.get_next()
        program.session.run(tf.tables_initializer())
        program.session.run(iterator.initializer)
    return numbered(problem, program.session.make_callable(batch))
