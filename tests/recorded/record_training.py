"""Graphs that train, written by TensorFlow, with what their steps give.

Run by TensorFlow 1.4 and 1.15; each writes `graphs/<major>_<minor>/training/*.pb`: graphs with
variables, which the operation `start` initializes and `step` changes; and `values.npz`: what is fed
to a graph (`<graph>/feed/<tensor>`), the losses that its steps begin with (`<graph>/losses`), and
the variables after them (`<graph>/variable/<name>`).
"""

import os

import numpy as np
import recording
from recording import tf

FOLDER = os.path.join(
    os.path.dirname(os.path.abspath(__file__)),
    "graphs",
    "_".join(recording.VERSION.split(".")[:2]),
    "training",
)
RNG = np.random.RandomState(11)
STEPS = 4


def draw(*shape):
    return RNG.uniform(-1, 1, shape).astype(np.float32)


def drawn(shape, dtype=None, partition_info=None):
    """An initializer whose numbers are the file's."""
    return tf.constant(draw(*[int(size) for size in shape]))


def recurrent():
    x = tf.placeholder(tf.float32, [2, 5, 3], name="x")
    lengths = tf.placeholder(tf.int32, [2], name="lengths")
    with tf.variable_scope("cell", initializer=drawn):
        cell = tf.nn.rnn_cell.LSTMCell(4)
        outputs, state = tf.nn.dynamic_rnn(cell, x, lengths, dtype=tf.float32)
    loss = tf.reduce_mean(tf.square(outputs - 0.5)) + tf.reduce_mean(tf.square(state[0]))
    return loss, {"x:0": draw(2, 5, 3), "lengths:0": np.array([5, 3], np.int32)}


def both_ways():
    """Two cells, one from the end; time comes first, and how many steps there are is known late."""
    x = tf.placeholder(tf.float32, [None, 2, 3], name="x")
    with tf.variable_scope("cells", initializer=drawn):
        outputs, _ = tf.nn.bidirectional_dynamic_rnn(
            tf.nn.rnn_cell.GRUCell(3),
            tf.nn.rnn_cell.BasicRNNCell(2),
            x,
            tf.constant([4, 2]),
            dtype=tf.float32,
            time_major=True,
        )
    return tf.reduce_sum(tf.square(tf.concat(outputs, 2))), {"x:0": draw(4, 2, 3)}


def loops():
    """A loop inside of a loop, a condition inside of both."""
    x = tf.placeholder(tf.float32, [2, 2], name="x")
    w = tf.get_variable("w", [2, 2], initializer=drawn)

    def body(i, m):
        def step(j, t):
            product = tf.tanh(tf.matmul(t, w))
            return j + 1, tf.cond(j > 0, lambda: product * x, lambda: product + x)

        return i + 1, tf.while_loop(lambda j, t: j < i, step, [0, m])[1]

    _, last = tf.while_loop(lambda i, m: i < 4, body, [0, x])
    return tf.reduce_sum(tf.square(last)), {"x:0": draw(2, 2)}


def conditional_loops():
    """A loop inside of a condition inside of a loop."""
    x = tf.placeholder(tf.float32, [2], name="x")
    w = tf.get_variable("w", [2], initializer=drawn)

    def body(i, m):
        def repeated():
            step = lambda j, t: (j + 1, t + x * w)  # noqa: E731
            return tf.while_loop(lambda j, t: j < i, step, [0, m])[1]

        return i + 1, tf.cond(tf.reduce_sum(m) > 1.5, lambda: m * 0.5 * w, repeated)

    _, last = tf.while_loop(lambda i, m: i < 5, body, [0, x])
    return 0.05 * tf.reduce_sum(tf.square(last)), {"x:0": np.array([1.0, 0.4], np.float32)}


def write(model, values):
    name = model.__name__
    loss, feed = model()
    variables = tf.trainable_variables()
    tf.group(*[v.initializer for v in variables], name="start")
    tf.train.GradientDescentOptimizer(0.1).minimize(loss, name="step")
    tf.identity(loss, name="loss")
    for key, value in feed.items():
        values[name + "/feed/" + key] = value
    with tf.Session() as session:
        session.run("start")
        losses = []
        for _ in range(STEPS):
            losses.append(session.run("loss:0", feed))
            session.run("step", feed)
        values[name + "/losses"] = np.array(losses)
        for variable in variables:
            values[name + "/variable/" + variable.name] = session.run(variable)
    with open(os.path.join(FOLDER, name + ".pb"), "wb") as file:
        file.write(tf.get_default_graph().as_graph_def().SerializeToString())


def main():
    if not os.path.isdir(FOLDER):
        os.makedirs(FOLDER)
    values = {}
    for model in (recurrent, both_ways, loops, conditional_loops):
        with tf.Graph().as_default():
            write(model, values)
    np.savez_compressed(os.path.join(FOLDER, "values.npz"), **values)


if __name__ == "__main__":
    main()
