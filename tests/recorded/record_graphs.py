"""Graphs and SavedModels written by TensorFlow, with what they give.

Run by TensorFlow 1.4 and 1.15; each writes `graphs/<major>_<minor>/*.pb`: graphs whose variables
are constants, and `values.npz`: for each graph what is fed (`<graph>/feed/<tensor>`) and what comes
(`<graph>/fetch/<tensor>`). TensorFlow 1.15 writes control flow in both of its forms, and a
SavedModel.
"""

import os
import shutil

import numpy as np
import recording
from recording import tf
from tensorflow.python.ops import gen_nn_ops

FOLDER = os.path.join(
    os.path.dirname(os.path.abspath(__file__)),
    "graphs",
    "_".join(recording.VERSION.split(".")[:2]),
)
RNG = np.random.RandomState(7)


def draw(*shape):
    return RNG.uniform(-1, 1, shape).astype(np.float32)


def mlp():
    x = tf.placeholder(tf.float32, [None, 4], name="x")
    hidden = tf.layers.dense(x, 5, tf.nn.relu, name="hidden")
    hidden = tf.layers.batch_normalization(hidden, name="norm")
    logits = tf.layers.dense(hidden, 3, name="logits")
    tf.nn.softmax(logits, name="probabilities")
    tf.argmax(logits, 1, name="classes")
    return {"x:0": draw(6, 4)}, ["probabilities:0", "classes:0"]


def convolutional():
    x = tf.placeholder(tf.float32, [None, 8, 8, 1], name="x")
    y = tf.layers.conv2d(x, 4, 3, padding="same", activation=tf.nn.relu)
    y = tf.layers.max_pooling2d(y, 2, 2)
    y = tf.layers.conv2d(y, 2, 2, strides=2, use_bias=False)
    y = tf.nn.relu(tf.layers.batch_normalization(y))
    y = tf.reshape(y, [-1, 2 * 2 * 2])
    tf.nn.softmax(tf.layers.dense(y, 3), name="probabilities")
    return {"x:0": draw(2, 8, 8, 1)}, ["probabilities:0"]


def recurrent():
    x = tf.placeholder(tf.float32, [2, 5, 3], name="x")
    lengths = tf.placeholder(tf.int32, [2], name="lengths")
    cell = tf.nn.rnn_cell.LSTMCell(4)
    outputs, state = tf.nn.dynamic_rnn(cell, x, lengths, dtype=tf.float32)
    tf.identity(outputs, name="outputs")
    tf.identity(state[1], name="state")
    return {"x:0": draw(2, 5, 3), "lengths:0": np.array([5, 3], np.int32)}, [
        "outputs:0",
        "state:0",
    ]


def condition():
    x = tf.placeholder(tf.float32, [3], name="x")
    w = tf.get_variable("w", [3])
    inner = lambda: tf.cond(tf.reduce_sum(x) > 5.0, lambda: x * w, lambda: x - w)  # noqa: E731
    y, z = tf.cond(
        tf.reduce_sum(x) > 0.0,
        lambda: (inner(), tf.constant([1.0])),
        lambda: (tf.exp(x) + w, x[:1]),
    )
    tf.identity(y, name="y")
    tf.identity(z, name="z")
    return [{"x:0": np.array(v, np.float32)} for v in ([1, 2, 3], [1, 0, 0], [-1, 0, 0])], [
        "y:0",
        "z:0",
    ]


def loops():
    n = tf.placeholder(tf.int32, [], name="n")
    w = tf.get_variable("w", [2, 2])

    def body(i, m, rows):
        def step(j, t):
            t = tf.cond(j > 1, lambda: tf.tanh(tf.matmul(t, w)), lambda: t + 1.0)
            return j + 1, t

        _, m = tf.while_loop(lambda j, t: j < i, step, [0, m])
        return i + 1, m, tf.concat([rows, m[:1]], 0)

    shapes = [tf.TensorShape([]), tf.TensorShape([2, 2]), tf.TensorShape([None, 2])]
    start = [0, tf.ones([2, 2]), tf.zeros([0, 2])]
    i, m, rows = tf.while_loop(lambda i, m, rows: i < n, body, start, shapes)
    tf.identity(i, name="turns")
    tf.identity(m, name="m")
    tf.identity(rows, name="rows")
    return [{"n:0": np.int32(k)} for k in (4, 0)], ["turns:0", "m:0", "rows:0"]


def data():
    """A dataset whose functions are in the graph's library, and use a constant from outside."""
    shift = tf.constant(3, tf.int64)
    d = tf.data.Dataset.range(7).map(lambda x: x * x + shift).filter(lambda x: x % 4 > 0)
    d = d.flat_map(lambda x: tf.data.Dataset.from_tensor_slices(tf.stack([x, -x])))
    d = d.map(lambda x: (tf.cond(x > 4, lambda: x, lambda: x * 10), x), num_parallel_calls=2)
    d = tf.data.Dataset.zip((d, tf.data.Dataset.range(100).repeat().skip(1).shuffle(1)))
    (a, _), b = d.batch(5).prefetch(1).make_one_shot_iterator().get_next()
    words = tf.data.Dataset.from_tensors((["a", "bc"], [[1.0], [2.0]]))
    words = words.concatenate(words).padded_batch(2, ([3], [None, 2]))
    c, d = words.make_one_shot_iterator().get_next()
    for name, tensor in (("a", a), ("b", b), ("c", tf.to_int32(tf.equal(c, "a"))), ("d", d)):
        tf.identity(tensor, name=name)
    return {}, ["a:0", "b:0", "c:0", "d:0"]


def padded():
    """What `optimize_for_inference` of TensorFlow makes of resizing, padding and a convolution."""
    x = tf.placeholder(tf.float32, [None, 5, 6, 3], name="x")
    w = tf.constant(draw(3, 2, 3, 4))
    sizes = tf.constant([[0, 0], [1, 2], [2, 1], [0, 0]])
    for mode, strides, edges in (("REFLECT", 1, "VALID"), ("SYMMETRIC", 2, "SAME")):
        given = sizes, w, mode, [1, strides, strides, 1], edges
        gen_nn_ops.fused_pad_conv2d(x, *given, name=mode)
        for corners in (False, True):
            gen_nn_ops.fused_resize_and_pad_conv2d(
                *(x, tf.constant([9, 4])),
                *given,
                resize_align_corners=corners,
                name=mode + "_" + str(int(corners)),
            )
    fetches = [n + k for n in ("REFLECT", "SYMMETRIC") for k in (":0", "_0:0", "_1:0")]
    # One image: of further ones TensorFlow's results are wrong (1.15 and 2.21 too).
    return {"x:0": draw(1, 5, 6, 3)}, fetches


def write(name, model, values):
    tf.set_random_seed(3)
    feeds, fetches = model()
    graph = tf.get_default_graph()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for number, feed in enumerate(feeds if isinstance(feeds, list) else [feeds]):
            for key, value in feed.items():
                values[f"{name}/{number}/feed/{key}"] = value
            for key, value in zip(fetches, session.run(fetches, feed)):
                values[f"{name}/{number}/fetch/{key}"] = value
        frozen = tf.graph_util.convert_variables_to_constants(
            session, graph.as_graph_def(), [key.split(":")[0] for key in fetches]
        )
    with open(os.path.join(FOLDER, name + ".pb"), "wb") as file:
        file.write(frozen.SerializeToString())


def write_saved_model():
    """A model with variables, a signature, an asset, and an operation that runs on loading."""
    folder = os.path.join(FOLDER, "saved_model")
    shutil.rmtree(folder, ignore_errors=True)
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [None, 2], name="x")
        w = tf.get_variable("w", initializer=np.array([[1.0], [2.0]], np.float32))
        b = tf.get_variable("b", initializer=np.array([0.5], np.float32), use_resource=True)
        y = tf.add(tf.matmul(x, w), b, name="y")
        session.run(tf.global_variables_initializer())
        tf.saved_model.simple_save(session, folder, {"x": x}, {"y": y})


def main():
    if not os.path.isdir(FOLDER):
        os.makedirs(FOLDER)
    values = {}
    models = [mlp, convolutional, recurrent, condition, loops, data]
    for model in models:
        with tf.Graph().as_default():
            write(model.__name__, model, values)
    if recording.VERSION.startswith("1.15"):
        tf.enable_control_flow_v2()
        for model in (condition, loops):
            with tf.Graph().as_default():
                write(model.__name__ + "_functions", model, values)
        tf.disable_control_flow_v2()
        write_saved_model()
        with tf.Graph().as_default():
            write("padded", padded, values)
    np.savez_compressed(os.path.join(FOLDER, "values.npz"), **values)


if __name__ == "__main__":
    main()
