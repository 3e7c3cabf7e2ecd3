"""Models of hybridflow that are written for TensorFlow: `record_exported.py` runs them there.

Run as a program, it writes `graphs/exported/*.pb`, and `feeds.npz` with what is fed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import hybridflow as hf

FOLDER = Path(__file__).parent / "graphs" / "exported"
RNG = np.random.default_rng(5)
# What each model is fed, and what is fetched; for one that trains, what runs before.
CASES = {
    "mlp": ({"x:0": RNG.uniform(-1, 1, (4, 3)).astype(np.float32)}, ["probabilities:0"]),
    "convolutional": ({"x:0": RNG.uniform(-1, 1, (2, 6, 6, 1)).astype(np.float32)}, ["y:0"]),
    "recurrent": ({"x:0": RNG.uniform(-1, 1, (2, 5, 3)).astype(np.float32)}, ["states:0"]),
    "condition": ({"x:0": np.array([1.0, -3.0], np.float32)}, ["y:0", "z:0", "gradient:0"]),
    "loops": ({"n:0": np.array(4, np.int32)}, ["s:0", "rows:0", "gradient:0"]),
    "rows": ({"x:0": np.array([[0, 1], [1, 1], [3, 0]], np.int32)}, ["loss:0"]),
    "training": ({"x:0": RNG.uniform(-1, 1, (4, 3)).astype(np.float32)}, ["loss:0"]),
    "arrays": (
        {"x:0": RNG.uniform(-1, 1, (3, 2)).astype(np.float32)},
        ["fixed:0", "grown:0", "one:0", "size:0", "decoded:0", "lengths:0"],
    ),
    "dynamic": (
        {"x:0": RNG.uniform(-1, 1, (4, 2, 3)).astype(np.float32)},
        ["outputs:0", "state:0"],
    ),
    "dynamic_training": (
        {"x:0": RNG.uniform(-1, 1, (4, 2, 3)).astype(np.float32)},
        ["loss:0", "kernel:0"],
    ),
    "loops_training": ({"n:0": np.array(3, np.int32)}, ["loss:0", "v:0", "w_value:0"]),
    "arrays_training": (
        {"x:0": RNG.uniform(-1, 1, (4, 2)).astype(np.float32)},
        ["loss:0", "v:0", "gradient:0"],
    ),
    "data": ({}, ["a:0", "b:0"]),
    "lazy": ({"x:0": np.array([[0, 1], [1, 1], [3, 0]], np.int32)}, ["loss:0", "v:0", "w:0"]),
    "others": (
        {"x:0": RNG.permutation(70).reshape(2, 5, 7, 1).astype(np.float32) / 10},
        ["pooled:0", "dilated:0", "products:0", "projected:0"],
    ),
    "patches": ({"x:0": RNG.uniform(-1, 1, (2, 7, 6, 3)).astype(np.float32)}, ["y:0"]),
    "thrice": ({"x:0": RNG.uniform(0, 0.5, (4, 2)).astype(np.float32)}, ["rows:0", "items:0"]),
}


def constant(*shape):
    """Weights that are the same wherever this runs."""
    size = int(np.prod(shape))
    return hf.constant(np.sin(np.arange(size, dtype=np.float32)).reshape(shape))


def data():
    """Functions of datasets, one of which uses a constant from outside, stand in the library."""
    shift = hf.constant(3, hf.int64)
    d = hf.data.Dataset.range(9).map(lambda x: x * x + shift).filter(lambda x: x % 4 > 0)
    d = d.flat_map(lambda x: hf.data.Dataset.from_tensor_slices(hf.stack([x, -x])))
    d = d.map(lambda x: hf.cond(x > 4, lambda: x, lambda: x * 10), num_parallel_calls=2)
    d = hf.data.Dataset.zip((d, hf.data.Dataset.range(20).repeat().skip(1).shuffle(1)))
    a, b = d.batch(5, drop_remainder=True).make_one_shot_iterator().get_next()
    hf.identity(a, name="a")
    hf.identity(b, name="b")


def mlp():
    x = hf.placeholder(hf.float32, [None, 3], name="x")
    hidden = hf.nn.relu(hf.matmul(x, constant(3, 4)) + constant(4))
    hf.nn.softmax(
        hf.nn.bias_add(hf.matmul(hidden, constant(4, 2)), constant(2)), name="probabilities"
    )


def convolutional():
    x = hf.placeholder(hf.float32, [None, 6, 6, 1], name="x")
    y = hf.nn.relu(hf.nn.conv2d(x, constant(3, 3, 1, 2), [1, 1, 1, 1], "SAME"))
    y = hf.nn.max_pool(y, [1, 2, 2, 1], [1, 2, 2, 1], "VALID")
    y, _, _ = hf.nn.fused_batch_norm(
        y, constant(2), constant(2), constant(2), hf.exp(constant(2)), is_training=False
    )
    hf.matmul(hf.reshape(y, [-1, 18]), constant(18, 2), name="y")


def recurrent():
    x = hf.placeholder(hf.float32, [2, None, 3], name="x")
    w = constant(7, 4)

    def step(state, row):
        return hf.tanh(hf.matmul(hf.concat([row, state], 1), w))

    hf.identity(hf.scan(step, hf.transpose(x, [1, 0, 2]), hf.zeros([2, 4])), name="states")


def condition():
    x = hf.placeholder(hf.float32, [2], name="x")
    total = hf.reduce_sum(x)
    inner = lambda: hf.cond(total > -5.0, lambda: x * x, lambda: x + 1.0)  # noqa: E731
    y = hf.cond(total > 0.0, lambda: hf.exp(x), inner, name="outer")
    hf.identity(y, name="y")
    cases = [(total > 0.0, lambda: hf.constant(1.0)), (total > -1.0, lambda: hf.constant(2.0))]
    hf.identity(hf.case(cases, lambda: total), name="z")
    hf.identity(hf.gradients(y, x)[0], name="gradient")


def loops():
    n = hf.placeholder(hf.int32, [], name="n")
    w = constant(2, 2)

    def body(i, m):
        def step(j, t):
            return j + 1, hf.cond(j > 1, lambda: hf.tanh(hf.matmul(t, w)), lambda: t + 1.0)

        return i + 1, hf.while_loop(lambda j, t: j < i, step, [0, m])[1]

    hf.identity(hf.while_loop(lambda i, m: i < n, body, [0, hf.ones([2, 2])])[1], name="s")
    shapes = [hf.TensorShape([]), hf.TensorShape([None, 2])]
    grow = lambda i, r: (i + 1, hf.concat([r, w[:1]], 0))  # noqa: E731
    hf.identity(
        hf.while_loop(lambda i, r: i < n, grow, [0, hf.zeros([0, 2])], shapes)[1], name="rows"
    )
    x = constant(2, 2)
    power = hf.while_loop(lambda i, p: i < n, lambda i, p: (i + 1, hf.matmul(p, w)), [0, x])[1]
    hf.identity(hf.gradients(power, w)[0], name="gradient")


def training():
    x = hf.placeholder(hf.float32, [None, 3], name="x")
    w = hf.Variable(constant(3, 2), name="w")
    b = hf.ResourceVariable(constant(2), name="b")
    loss = hf.reduce_mean(hf.square(hf.matmul(x, w) + b), name="loss")
    hf.train.MomentumOptimizer(0.1, 0.9).minimize(loss, name="train")
    hf.train.AdamOptimizer(0.1).minimize(loss, name="other")
    hf.global_variables_initializer()


def rows():
    x = hf.placeholder(hf.int32, [None, 2], name="x")
    tables = [hf.Variable(constant(4, 3), name="v"), hf.ResourceVariable(constant(4, 3), name="r")]
    found = [hf.nn.embedding_lookup(table, x) for table in tables]
    sums = [hf.reduce_mean(hf.square(t), axis=[0, 2]) for t in found]
    loss = hf.reduce_sum(hf.add_n(sums), name="loss")
    hf.train.AdamOptimizer(0.1).minimize(loss, name="train")
    hf.train.GradientDescentOptimizer(0.1).minimize(loss, name="other")
    hf.global_variables_initializer()


class Sums(hf.nn.rnn_cell.RNNCell):
    state_size = output_size = 2

    def call(self, inputs, state):
        return inputs + state, inputs + state


def arrays():
    x = hf.placeholder(hf.float32, [3, 2], name="x")

    def filled(array):
        _, array = hf.while_loop(
            lambda i, a: i < 3, lambda i, a: (i + 1, a.write(i, x[i] * hf.to_float(i))), (0, array)
        )
        return array

    fixed = filled(hf.TensorArray(hf.float32, size=3))
    grown = filled(hf.TensorArray(hf.float32, size=0, dynamic_size=True))
    hf.identity(fixed.stack(), name="fixed")
    hf.identity(grown.stack(), name="grown")
    hf.identity(grown.read(1), name="one")
    hf.identity(grown.size(), name="size")
    helper = hf.contrib.seq2seq.TrainingHelper(hf.stack([x, -x]), [3, 2])
    decoder = hf.contrib.seq2seq.BasicDecoder(Sums(), helper, hf.zeros([2, 2]))
    outputs, _, lengths = hf.contrib.seq2seq.dynamic_decode(decoder, impute_finished=True)
    hf.identity(outputs.rnn_output, name="decoded")
    hf.identity(lengths, name="lengths")


def dynamic():
    x = hf.placeholder(hf.float32, [None, 2, 3], name="x")
    initializer = lambda shape, dtype=None, partition_info=None: constant(*shape)  # noqa: E731
    with hf.variable_scope("cells", initializer=initializer):
        outputs, (state, _) = hf.nn.bidirectional_dynamic_rnn(
            hf.nn.rnn_cell.LSTMCell(3),
            hf.nn.rnn_cell.GRUCell(2),
            x,
            hf.constant([4, 2]),
            dtype=hf.float32,
            time_major=True,
        )
    hf.identity(hf.concat(outputs, 2), name="outputs")
    hf.identity(state[0], name="state")
    hf.global_variables_initializer()


def dynamic_training():
    x = hf.placeholder(hf.float32, [None, 2, 3], name="x")
    initializer = lambda shape, dtype=None, partition_info=None: constant(*shape)  # noqa: E731
    with hf.variable_scope("cells", initializer=initializer):
        cell = hf.nn.rnn_cell.MultiRNNCell([hf.nn.rnn_cell.LSTMCell(3), hf.nn.rnn_cell.GRUCell(2)])
        lengths = hf.constant([4, 2])
        outputs, _ = hf.nn.dynamic_rnn(cell, x, lengths, dtype=hf.float32, time_major=True)
    loss = hf.reduce_mean(hf.square(outputs - 1.0), name="loss")
    hf.train.AdamOptimizer(0.1).minimize(loss, name="train")
    hf.train.GradientDescentOptimizer(0.1).minimize(loss, name="other")
    hf.identity(hf.trainable_variables()[0], name="kernel")
    hf.global_variables_initializer()


def loops_training():
    """Loops in loops, of which one has a branch."""
    n = hf.placeholder(hf.int32, [], name="n")
    v = hf.Variable(constant(2, 2), name="v")
    w = hf.ResourceVariable(constant(2, 2) + 0.5, name="w")
    first, second = v + 0.0, w + 0.0

    def body(i, m):
        def step(j, t):
            t = hf.cond(j > 1, lambda: hf.tanh(hf.matmul(t, first)), lambda: t * second)
            return j + 1, t

        return i + 1, hf.while_loop(lambda j, t: j <= i, step, [0, m])[1] + first

    m = hf.while_loop(lambda i, m: i < n, body, [0, hf.ones([2, 2])])[1]
    loss = hf.reduce_mean(hf.square(m), name="loss")
    hf.train.MomentumOptimizer(0.01, 0.9).minimize(loss, name="train")
    hf.train.AdamOptimizer(0.01).minimize(loss, name="other")
    hf.identity(w.read_value(), name="w_value")
    hf.global_variables_initializer()


def arrays_training():
    """All that can be done with arrays, and its gradients."""
    x = hf.placeholder(hf.float32, [4, 2], name="x")
    v = hf.Variable(constant(4, 2), name="v")
    rows = hf.TensorArray(hf.float32, size=4, clear_after_read=False).unstack(x * v)
    _, kept = hf.while_loop(
        lambda i, a: i < 4,
        lambda i, a: (i + 1, a.write(i, rows.read(i) * rows.read(3 - i) + v[0])),
        (0, hf.TensorArray(hf.float32, size=4)),
    )
    _, total = hf.while_loop(
        lambda i, t: i < 3,
        lambda i, t: (i + 1, t + kept.read(i) * kept.read(0)),
        (0, hf.zeros([2])),
    )
    parts = hf.TensorArray(hf.float32, size=2, infer_shape=False).split(v * v, [3, 1])
    placed = hf.TensorArray(hf.float32, size=5).scatter([3, 1, 0, 4, 2], hf.concat([v, v[:1]], 0))
    terms = [total, kept.stack(), parts.concat() * v, placed.gather([1, 3]) * placed.read(2)]
    loss = hf.add_n([hf.reduce_sum(hf.square(term)) for term in terms], name="loss")
    hf.identity(hf.gradients(loss, x)[0], name="gradient")
    hf.train.GradientDescentOptimizer(1e-3).minimize(loss, name="train")
    hf.train.AdamOptimizer(1e-3).minimize(loss, name="other")
    hf.global_variables_initializer()


def lazy():
    x = hf.placeholder(hf.int32, [None, 2], name="x")
    v = hf.Variable(constant(4, 3), name="v")
    r = hf.ResourceVariable(constant(4, 3), name="r")
    w = hf.Variable(constant(3, 1), name="w")
    found = [hf.matmul(hf.reshape(hf.nn.embedding_lookup(t, x), [-1, 3]), w) for t in (v, r)]
    loss = hf.reduce_mean(hf.square(hf.add_n(found)), name="loss")
    hf.contrib.opt.LazyAdamOptimizer(0.1).minimize(loss, name="train")
    hf.contrib.opt.LazyAdamOptimizer(0.01).minimize(loss, name="other")
    hf.global_variables_initializer()


def patches():
    """Gradients of patches, with strides, rates and both kinds of padding."""
    x = hf.placeholder(hf.float32, [None, 7, 6, 3], name="x")
    gradients = []
    for ksizes, strides, rates, padding in (
        ([1, 2, 3, 1], [1, 1, 2, 1], [1, 2, 1, 1], "SAME"),
        ([1, 3, 2, 1], [1, 2, 2, 1], [1, 1, 2, 1], "VALID"),
    ):
        seen = hf.extract_image_patches(x, ksizes, strides, rates, padding)
        gradients += hf.gradients(seen * seen * seen, x)
    hf.stack(gradients, name="y")


def second(y, x):
    """A gradient of a gradient."""
    (slope,) = hf.gradients(y, x, grad_ys=hf.sin(y))
    return hf.gradients(slope, x)[0]


def others():
    """What TensorFlow has no op for: others compute it."""
    x = hf.placeholder(hf.float32, [None, None, None, 1], name="x")
    ratio = [1.0, 1.4, 1.7, 1.0]
    pools = [
        pool(x, ratio, overlapping=True, deterministic=True, seed=3, seed2=4)[0]
        for pool in (hf.nn.fractional_max_pool, hf.nn.fractional_avg_pool)
    ]
    hf.identity(hf.add_n([second(y, x) for y in pools]), name="pooled")
    ones = [1, 1, 1, 1]
    dilated = hf.nn.dilation2d(x, constant(2, 3, 1), ones, [1, 1, 2, 1], "SAME")
    hf.identity(second(dilated, x), name="dilated")
    v = constant(2, 3, 2)
    product = hf.reduce_prod(v * v - v[:1], [1, 2])
    hf.identity(hf.gradients(second(product, v), v)[0], name="products")
    rows = hf.reshape(x, [2, 35])
    points = [hf.constraints.Simplex(2.0, 1)(rows), hf.constraints.L1Ball(3.0, 1)(rows)]
    hf.stack([p for y in points for p in (y, *hf.gradients(y * y, rows))], name="projected")


def thrice():
    """Third derivatives of loops that read rows, and elements of arrays."""
    x = hf.placeholder(hf.float32, [4, 2], name="x")
    kept = hf.TensorArray(hf.float32, size=4, clear_after_read=False).unstack(x * x)
    for name, read in (("rows", lambda i: x[i]), ("items", kept.read)):
        _, y = hf.while_loop(
            lambda i, y: i < 3,
            lambda i, y, read=read: (i + 1, y * read(i) + read(3 - i)),
            (0, hf.ones([2])),
        )
        for _ in range(3):
            y = hf.gradients(hf.reduce_sum(y * y) if y.shape[0] == 2 else y * y * x, x)[0]
        hf.identity(y, name=name)


_ALL = (
    *(mlp, convolutional, recurrent, condition, loops, training, rows, arrays, dynamic),
    *(dynamic_training, loops_training, arrays_training, lazy, data, others, patches, thrice),
)
MODELS = {model.__name__: model for model in _ALL}


def graph_of(name):
    """The graph of a model."""
    with hf.Graph().as_default() as graph:
        MODELS[name]()
    return graph


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    feeds = {}
    for name, (feed, fetches) in CASES.items():
        graph_def = graph_of(name).as_graph_def()
        (FOLDER / f"{name}.pb").write_bytes(graph_def.SerializeToString(deterministic=True))
        feeds.update({f"{name}/{key}": value for key, value in feed.items()})
        feeds[f"{name}/fetches"] = np.array(fetches)
    np.savez(FOLDER / "feeds.npz", **feeds)


if __name__ == "__main__":
    main()
