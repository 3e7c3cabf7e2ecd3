"""Programs with datasets that draw random numbers, as text: each gives a dataset of numbers.

In them `D` is `tf.data.Dataset`, `C` is `tf.contrib.data`, `X` is `tf.data.experimental`.
"""

# (name, graph seed or None, program)
PROGRAMS = (
    ("all", None, "D.range(10).shuffle(10, seed=3)"),
    ("window", None, "D.range(20).shuffle(4, seed=3)"),
    ("one", None, "D.range(5).shuffle(1, seed=3)"),
    ("larger", None, "D.range(7).shuffle(100, seed=5)"),
    ("both_seeds", 7, "D.range(20).shuffle(6, seed=11)"),
    ("zero_seeds", 0, "D.range(9).shuffle(4, seed=0)"),
    ("large_seed", 2**33 + 5, "D.range(9).shuffle(9, seed=2**31 + 9)"),
    ("anew", 7, "D.range(7).shuffle(4, seed=3).repeat(3)"),
    ("the_same", 7, "D.range(7).shuffle(4, seed=3, reshuffle_each_iteration=False).repeat(3)"),
    ("across_epochs", 7, "D.range(7).repeat(3).shuffle(5, seed=3)"),
    ("twice", 7, "D.range(12).shuffle(4, seed=3).map(lambda x: x).shuffle(5, seed=2)"),
    ("batches", 7, "D.range(12).shuffle(5, seed=3).batch(4)"),
    ("taken", 7, "D.range(12).shuffle(5, seed=3).take(4)"),
    ("long", 1, "D.range(10000).shuffle(777, seed=2)"),
    ("and_repeat", 7, "D.range(5).apply(C.shuffle_and_repeat(5, 3, seed=3))"),
    ("and_repeat_wide", 7, "D.range(5).apply(C.shuffle_and_repeat(8, 4, seed=3))"),
    ("and_repeat_narrow", 7, "D.range(5).apply(C.shuffle_and_repeat(2, 3, seed=3))"),
    ("random_map", 7, "D.range(6).map(lambda x: tf.random_uniform([], 0, 100, tf.int64, seed=4))"),
    ("buckets", None, "sequences(D).apply(X.bucket_by_sequence_length(size, [3, 5], [2, 3, 2]))"),
    (
        "buckets_whole",
        None,
        "sequences(D).apply(X.bucket_by_sequence_length(size, [3, 6], [2, 3, 2], "
        "padding_values=tf.constant(-1, tf.int64), drop_remainder=True))",
    ),
    (
        "buckets_to_boundaries",
        None,
        "sequences(D).apply(X.bucket_by_sequence_length(size, [3, 6, 9], [2, 3, 2, 1], "
        "pad_to_bucket_boundary=True))",
    ),
    (
        "buckets_without_padding",
        None,
        "D.range(9).apply(X.bucket_by_sequence_length(lambda x: tf.cast(x % 5, tf.int32), "
        "[2, 4], [2, 3, 1], no_padding=True))",
    ),
)


def build(program, tf, contrib):
    """The dataset of a program."""
    names = {
        "tf": tf,
        "D": tf.data.Dataset,
        "C": contrib,
        "X": tf.data.experimental,
        "size": lambda x: tf.shape(x)[0],
        # Vectors of lengths 1, 8, 7, 6, 5, 4, 3, 2, 1, 8, ...
        "sequences": lambda data: data.range(19).map(lambda x: tf.fill([1 + 7 * x % 8], x)),
    }
    return eval(program, names)
