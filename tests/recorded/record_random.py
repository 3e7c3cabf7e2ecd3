"""Records random ops (three runs of one op) and initializers under seeds."""

import numpy as np
from recording import IS_CONTRACT, Writer, lookup, one_thread, tf

SIZES = (1, 3, 4, 5, 17, 1000)
HEAD, TAIL = 40, 8
SEEDS = (
    (1, 2),
    (None, 5),
    (7, None),
    (0, 0),
    (87654321, 0),
    (-3, 2**31 + 10),
)
FLOATS = ("float32", "float64", "float16")

# (label, public name, keyword arguments without the shape)
DRAWS = (
    [("random_uniform/" + t, "random_uniform", {"dtype": t}) for t in FLOATS]
    + [
        ("random_uniform_range/" + t, "random_uniform", {"minval": -2, "maxval": 3.5, "dtype": t})
        for t in FLOATS
    ]
    + [
        (f"random_uniform/{t}/{low}..{high}", "random_uniform",
         {"minval": low, "maxval": high, "dtype": t})
        for t, low, high in (
            ("int32", 0, 10),
            ("int32", -5, 7),
            ("int32", -(2**31), 2**31 - 1),
            ("int64", 0, 10),
            ("int64", -(2**40), 2**40 + 3),
        )
    ]
    + [("random_normal/" + t, "random_normal", {"dtype": t}) for t in FLOATS]
    + [("random_normal_scaled/" + t, "random_normal", {"mean": 1.5, "stddev": 0.25, "dtype": t})
       for t in FLOATS]
    + [("truncated_normal/" + t, "truncated_normal", {"dtype": t}) for t in FLOATS]
    + [("truncated_normal_scaled/" + t, "truncated_normal",
        {"mean": -1.0, "stddev": 0.1, "dtype": t}) for t in FLOATS]
)  # fmt: skip


def three_runs(build, graph_seed):
    """Runs one op three times in one session; returns [3, ...] and the op's two seeds."""
    with tf.Graph().as_default() as graph:
        if graph_seed is not None:
            tf.set_random_seed(graph_seed)
        tensor = build()
        seeded = [op for op in graph.get_operations() if "seed2" in op.node_def.attr]
        with tf.Session(config=one_thread()) as session:
            runs = np.stack([session.run(tensor) for _ in range(3)])
    return runs, [int(seeded[0].get_attr("seed")), int(seeded[0].get_attr("seed2"))]


def shorten(runs):
    """The fields of a case: all values, or head, tail and sums of long runs."""
    if runs[0].size <= HEAD + TAIL:
        return {"runs": runs}
    flat = runs.reshape(3, -1)
    return {
        "head": flat[:, :HEAD],
        "tail": flat[:, -TAIL:],
        "sums": flat.astype(np.float64).sum(axis=1),
    }


def draw_case(name, args, kwargs, graph_seed, op_seed):
    """One case: `name(*args, seed=op_seed, **kwargs)` run three times."""
    function = lookup(name)
    # The op itself is made first in its graph, so that without an op seed it gets the
    # seed that TensorFlow gives to a program's first random op.
    # random_gamma of TensorFlow 1.4 takes no name for a dtype.
    given = {key: tf.as_dtype(v) if key == "dtype" else v for key, v in kwargs.items()}
    runs, pair = three_runs(lambda: function(*args, seed=op_seed, **given), graph_seed)
    case = {
        "fn": name,
        "args": list(args),
        "kwargs": kwargs,
        "graph_seed": graph_seed,
        "op_seed": op_seed,
        "op_attrs": pair,
        "shape": list(runs.shape[1:]),
        "dtype": runs.dtype.name,
    }
    case.update(shorten(runs))
    return case


def record_draws(writer):
    """Uniform, normal and truncated normal of every size under every pair of seeds."""
    for label, name, kwargs in DRAWS:
        for number, (graph_seed, op_seed) in enumerate(SEEDS):
            sizes = SIZES if number < 2 else (5, 17)
            for size in sizes:
                ident = f"{label}/seeds{number}/{size}"
                writer.attempt(
                    ident,
                    draw_case,
                    (name, [[size]], kwargs, graph_seed, op_seed),
                )
    for name in ("random_uniform", "random_normal", "truncated_normal"):
        writer.attempt(name + "/matrix", draw_case, (name, [[7, 3]], {"dtype": "float32"}, 11, 12))
        writer.attempt(
            name + "/large", draw_case, (name, [[100, 1003]], {"dtype": "float32"}, 11, 12)
        )
        writer.attempt(
            name + "/large64", draw_case, (name, [[100, 1003]], {"dtype": "float64"}, 11, 12)
        )


def record_shuffle(writer):
    """random_shuffle of vectors and of rows."""
    for number, (graph_seed, op_seed) in enumerate(SEEDS):
        for size in SIZES if number < 2 else (5, 17):
            values = np.arange(size, dtype=np.int32)
            writer.attempt(
                f"random_shuffle/seeds{number}/{size}",
                draw_case,
                ("random_shuffle", [values], {}, graph_seed, op_seed),
            )
    rows = np.arange(18, dtype=np.float32).reshape(6, 3)
    writer.attempt("random_shuffle/rows", draw_case, ("random_shuffle", [rows], {}, 3, 4))


def record_crop(writer):
    """random_crop of images and of a vector."""
    image = np.arange(5 * 7 * 3, dtype=np.float32).reshape(5, 7, 3)
    for number, (graph_seed, op_seed) in enumerate(SEEDS):
        for label, value, size in (("image", image, [3, 4, 3]), ("vector", image[0, :, 0], [2])):
            writer.attempt(
                f"random_crop/{label}/seeds{number}",
                draw_case,
                ("random_crop", [value, size], {}, graph_seed, op_seed),
            )


def record_multinomial(writer):
    """multinomial with few and many classes, with impossible classes."""
    for dtype in ("float32", "float64"):
        two = np.array([[0.1, 0.2]], dtype)
        three = np.array([[0.5, -1.0, 2.0, 0.0], [3, 3, 3, 3], [-9, 1, -9, 1.5]], dtype)
        barred = np.array([[-np.inf, 0.0, 1.0], [2.0, -np.inf, -np.inf]], dtype)
        for label, logits in (("two", two), ("four", three), ("barred", barred)):
            for number, (graph_seed, op_seed) in enumerate(SEEDS[:3]):
                for size in SIZES if number < 2 else (5, 17):
                    writer.attempt(
                        f"multinomial/{dtype}/{label}/seeds{number}/{size}",
                        draw_case,
                        ("multinomial", [logits, size], {}, graph_seed, op_seed),
                    )


def record_parametric(writer):
    """random_gamma and random_poisson, by each of their algorithms."""
    for dtype in FLOATS:
        alpha = np.array([[0.01, 0.5, 1.0], [1.5, 8.0, 900.0]], dtype)
        beta = np.array([2.0, 0.25, 1.0], dtype)
        rate = np.array([[0.0, 0.3, 2.5, 9.99], [10.0, 11.5, 40.0, 900.0]], dtype)
        for number, (graph_seed, op_seed) in enumerate(SEEDS[:3]):
            seeds = f"{dtype}/seeds{number}"
            for size in (1, 40):
                writer.attempt(
                    f"random_gamma/{seeds}/{size}",
                    draw_case,
                    ("random_gamma", [[size], alpha], {"dtype": dtype}, graph_seed, op_seed),
                )
                writer.attempt(
                    f"random_poisson/{seeds}/{size}",
                    draw_case,
                    ("random_poisson", [rate, [size]], {"dtype": dtype}, graph_seed, op_seed),
                )
        kwargs = {"beta": beta, "dtype": dtype}
        writer.attempt(
            f"random_gamma/{dtype}/rates",
            draw_case,
            ("random_gamma", [[3, 2], alpha], kwargs, 11, 12),
        )
        writer.attempt(
            f"random_poisson/{dtype}/many",
            draw_case,
            ("random_poisson", [rate[1], [3000]], {"dtype": "int32"}, 11, 12),
        )
    writer.attempt(
        "random_gamma/many", draw_case, ("random_gamma", [[5000], [0.75, 3.0]], {}, 11, 12)
    )
    for dtype in ("int32", "int64"):
        writer.attempt(
            f"random_poisson/{dtype}",
            draw_case,
            ("random_poisson", [np.array([3, 20], dtype), [30]], {"dtype": dtype}, 11, 12),
        )


def record_dropout(writer):
    """nn.dropout: which entries stay follows random_uniform."""
    for dtype in ("float32", "float64"):
        x = (np.arange(20, dtype=dtype) + 1).reshape(4, 5)
        for keep in (0.3, 0.75):
            writer.attempt(
                f"dropout/{dtype}/{keep}",
                draw_case,
                ("nn.dropout", [x], {"keep_prob": keep}, 5, 6),
            )
        writer.attempt(
            f"dropout/{dtype}/noise_shape",
            draw_case,
            ("nn.dropout", [x], {"keep_prob": 0.5, "noise_shape": [4, 1]}, 5, 6),
        )


INITIALIZERS = (
    [
        ("random_uniform", "random_uniform_initializer", {}),
        ("random_uniform_range", "random_uniform_initializer", {"minval": -0.5, "maxval": 2.0}),
        ("random_normal", "random_normal_initializer", {}),
        ("random_normal_scaled", "random_normal_initializer", {"mean": 1.0, "stddev": 0.05}),
        ("truncated_normal", "truncated_normal_initializer", {}),
        ("truncated_normal_scaled", "truncated_normal_initializer", {"mean": 1.0, "stddev": 0.05}),
        ("uniform_unit_scaling", "uniform_unit_scaling_initializer", {}),
        ("uniform_unit_scaling_relu", "uniform_unit_scaling_initializer", {"factor": 1.43}),
        ("glorot_uniform", "glorot_uniform_initializer", {}),
        ("glorot_normal", "glorot_normal_initializer", {}),
        ("orthogonal", "orthogonal_initializer", {}),
        ("orthogonal_gain", "orthogonal_initializer", {"gain": 1.5}),
        ("keras_random_uniform", "keras.initializers.RandomUniform", {}),
        ("keras_random_normal", "keras.initializers.RandomNormal", {}),
        ("keras_truncated_normal", "keras.initializers.TruncatedNormal", {}),
        ("keras_orthogonal", "keras.initializers.Orthogonal", {}),
        ("keras_variance_scaling", "keras.initializers.VarianceScaling", {}),
        ("lecun_normal", "keras.initializers.lecun_normal", {}),
        ("lecun_uniform", "keras.initializers.lecun_uniform", {}),
        ("he_normal", "keras.initializers.he_normal", {}),
        ("he_uniform", "keras.initializers.he_uniform", {}),
        ("keras_glorot_normal", "keras.initializers.glorot_normal", {}),
        ("keras_glorot_uniform", "keras.initializers.glorot_uniform", {}),
    ]
    + [
        (f"variance_scaling_{mode}_{distribution}", "variance_scaling_initializer",
         {"scale": 2.0, "mode": mode, "distribution": distribution})
        for mode in ("fan_in", "fan_out", "fan_avg")
        for distribution in ("normal", "uniform", "truncated_normal", "untruncated_normal")
    ]
)  # fmt: skip
SHAPES = ((5,), (4, 3), (3, 4), (2, 2, 3, 4))


def initializer_case(name, kwargs, shape, dtype, graph_seed, op_seed):
    """One case: `name(seed=op_seed, **kwargs)(shape, dtype)`, three runs."""
    arguments = dict(kwargs) if op_seed is None else dict(kwargs, seed=op_seed)
    initializer = lookup(name)(**arguments)
    runs, pair = three_runs(lambda: initializer(list(shape), tf.as_dtype(dtype)), graph_seed)
    return {
        "fn": name,
        "kwargs": kwargs,
        "shape": list(shape),
        "dtype": dtype,
        "graph_seed": graph_seed,
        "op_seed": op_seed,
        "op_attrs": pair,
        "runs": runs[:1] if runs[0].size > 30 else runs,
    }


def fixed_case(name, kwargs, shape, dtype):
    """One case of an initializer without randomness."""
    with tf.Graph().as_default(), tf.Session() as session:
        value = session.run(lookup(name)(**kwargs)(list(shape), tf.as_dtype(dtype)))
    return {
        "fn": name,
        "kwargs": kwargs,
        "shape": list(shape),
        "dtype": dtype,
        "runs": value[np.newaxis],
    }


def record_initializers(writer):
    """Every seeded initializer over shapes and float types, and the fixed ones."""
    for label, name, kwargs in INITIALIZERS:
        if name.startswith("keras.") and not IS_CONTRACT:
            continue  # Keras 3 has its own random numbers
        for shape in SHAPES:
            for dtype in ("float32", "float64"):
                ident = "init/{}/{}/{}".format(label, "x".join(map(str, shape)), dtype)
                writer.attempt(ident, initializer_case, (name, kwargs, shape, dtype, 21, 22))
    for label, name, kwargs in (
        ("identity", "initializers.identity", {}),
        ("identity_gain", "initializers.identity", {"gain": 0.5}),
        ("constant_list", "constant_initializer", {"value": [1, 2, 3, 4, 5]}),
        ("constant_full", "constant_initializer", {"value": list(range(12))}),
        ("constant", "constant_initializer", {"value": -1.5}),
    ):
        for shape in ((3, 3), (4, 3), (3, 4)):
            writer.attempt(
                "init/{}/{}".format(label, "x".join(map(str, shape))),
                fixed_case,
                (name, kwargs, shape, "float32"),
            )


# Programs that set the graph seed alone: the op seeds come from the graph's op count.
PROGRAMS = {
    "first_ops": """
a = tf.random_uniform([3])
b = tf.random_normal([3])
c = tf.truncated_normal([3])
out = {'a': a, 'b': b, 'c': c}
""",
    "variables": """
with tf.variable_scope('net'):
    w = tf.get_variable('w', [3, 2])
    b = tf.get_variable('b', [2], initializer=tf.zeros_initializer())
    u = tf.get_variable('u', [2, 2], initializer=tf.random_normal_initializer())
v = tf.Variable(tf.truncated_normal([3]), name='v')
out = {'w': w, 'b': b, 'u': u, 'v': v}
""",
    "seeded_variables": """
init = tf.glorot_uniform_initializer(seed=9)
with tf.variable_scope('net', initializer=init):
    w = tf.get_variable('w', [3, 2])
    x = tf.get_variable('x', [3, 2])
    d = tf.get_variable('d', [3, 2], dtype=tf.float64)
out = {'w': w, 'x': x, 'd': d}
""",
    "resource_variables": """
with tf.variable_scope('net', use_resource=True):
    w = tf.get_variable('w', [3, 2])
    u = tf.get_variable('u', [2, 2], initializer=tf.random_normal_initializer())
out = {'w': w, 'u': u}
""",
    "parts": """
split = tf.fixed_size_partitioner(2)
with tf.variable_scope('net', partitioner=split):
    g = tf.get_variable('g', [4, 3], initializer=tf.glorot_uniform_initializer(seed=3))
    h = tf.get_variable('h', [4, 3], initializer=tf.variance_scaling_initializer(seed=3))
    s = tf.get_variable('s', [4, 3], initializer=tf.uniform_unit_scaling_initializer(seed=3))
    i = tf.get_variable('i', [4, 3], initializer=tf.initializers.identity())
    n = tf.get_variable('n', [4, 3])
out = {'g': g.as_tensor(), 'h': h.as_tensor(), 's': s.as_tensor(), 'i': i.as_tensor(),
       'n': n.as_tensor()}
""",
}


def program_case(source):
    """Runs a program under graph seed 42; values twice, and the seeds of its random ops."""
    with tf.Graph().as_default() as graph:
        tf.set_random_seed(42)
        scope = {"tf": tf}
        exec(source, scope)
        with tf.Session(config=one_thread()) as session:
            session.run(tf.global_variables_initializer())
            values = session.run(scope["out"])
            session.run(tf.global_variables_initializer())
            again = session.run(scope["out"])
        seeds = [
            [op.name, op.type, int(op.get_attr("seed")), int(op.get_attr("seed2"))]
            for op in graph.get_operations()
            if "seed2" in op.node_def.attr
        ]
    return {
        "source": source.lstrip(),
        "graph_seed": 42,
        "values": values,
        "after_second_initialisation": again,
        "random_ops": seeds,
    }


def main():
    """Writes random.json and random.npz."""
    writer = Writer("random")
    record_draws(writer)
    record_shuffle(writer)
    record_crop(writer)
    record_multinomial(writer)
    record_parametric(writer)
    record_dropout(writer)
    record_initializers(writer)
    for name in sorted(PROGRAMS):
        writer.attempt("program/" + name, program_case, (PROGRAMS[name],))
    writer.save()


if __name__ == "__main__":
    main()
