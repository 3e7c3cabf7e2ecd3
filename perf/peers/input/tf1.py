"""Datasets of those who have TensorFlow 1's names."""

from __future__ import annotations

from typing import Any

import numpy as np

from perf.workloads.input import BATCH, Lines, Records, Rows, Training, batches, numbered, parsed
from perf.workloads.subject import Subject


def shuffled(tf: Any, program: Any, problem: Rows) -> Subject:
    with program.graph.as_default():
        values = tf.placeholder(tf.float32, problem.values.shape)
        data = tf.data.Dataset.from_tensor_slices(values).shuffle(len(problem.values))
        iterator = _iterator(tf, data.repeat().batch(BATCH).prefetch(1))
        batch = iterator.get_next()
        program.session.run(iterator.initializer, {values: problem.values})
    return batches(problem, program.session.make_callable(batch))


def looked_up(tf: Any, program: Any, problem: Lines, table: Any) -> Subject:
    """Lines split and looked up in a table that `table` makes of the words."""
    with program.graph.as_default():
        numbers = table(problem.words)
        data = tf.data.TextLineDataset(problem.file.name).repeat().batch(BATCH)
        data = data.map(lambda lines: numbers.lookup(tf.string_split(lines).values)).prefetch(1)
        iterator = _iterator(tf, data)
        batch = iterator.get_next()
        program.session.run(tf.tables_initializer())
        program.session.run(iterator.initializer)
    return numbered(problem, program.session.make_callable(batch))


def parsed_records(tf: Any, program: Any, problem: Records) -> Subject:
    """Records that are parsed, a batch at a time."""
    spec = {
        "x": tf.FixedLenFeature([problem.width], tf.float32),
        "label": tf.FixedLenFeature([1], tf.int64),
    }

    def parse(records: Any) -> Any:
        found = tf.parse_example(records, spec)
        return tf.concat([found["x"], tf.cast(found["label"], tf.float32)], 1)

    with program.graph.as_default():
        data = tf.data.TFRecordDataset(problem.file.name).repeat().batch(BATCH)
        iterator = _iterator(tf, data.map(parse).prefetch(1))
        batch = iterator.get_next()
        program.session.run(iterator.initializer)
    return parsed(problem, program.session.make_callable(batch))


def trained(tf: Any, program: Any, problem: Training, is_fed: bool) -> Subject:
    """Steps of training; unless they are fed, on the same batch again and again."""
    width = problem.images.shape[1]
    rng = np.random.default_rng(8)

    def pixels(images: Any, labels: Any) -> Any:
        return tf.cast(images, tf.float32) / 255.0, labels

    with program:
        data = tf.data.Dataset.from_tensor_slices((problem.images, problem.labels))
        data = data.shuffle(len(problem.images)).repeat().batch(BATCH).map(pixels).prefetch(1)
        iterator = _iterator(tf, data)
        x, labels = iterator.get_next()
        program.session.run(iterator.initializer)
        if not is_fed:
            x, labels = map(tf.constant, program.session.run([x, labels]))
        sizes = {"hidden": (width, problem.hidden), "out": (problem.hidden, 10)}
        weights = {
            name: program.variable(name, rng.normal(0, 0.05, size).astype(np.float32))
            for name, size in sizes.items()
        }
        logits = tf.matmul(tf.nn.relu(tf.matmul(x, weights["hidden"])), weights["out"])
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        step = tf.train.GradientDescentOptimizer(0.01).minimize(tf.reduce_mean(loss))
    return Subject(program.session.make_callable(step), list, compared=False)


def _iterator(tf: Any, data: Any) -> Any:
    make = getattr(data, "make_initializable_iterator", None)
    return make() if make else tf.data.make_initializable_iterator(data)
