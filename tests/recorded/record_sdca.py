"""Records passes of TensorFlow 1.4's dual coordinate ascent: writes sdca.json beside this file.

python tests/recorded/record_sdca.py    # with TensorFlow 1.4
"""

import json
import os

import numpy as np
import tensorflow as tf

N, SPARSE, DENSE, PASSES = 12, 7, 3, 4
LOSSES = "logistic_loss", "squared_loss", "hinge_loss", "smooth_hinge_loss"
LENGTHS = 0, 1, 3, 8, 9, 15, 16, 17, 31, 32, 33, 48, 64, 127, 143, 144, 145, 200, 271, 272, 300, 900


def batch():
    rng = np.random.RandomState(0)
    examples = np.sort(rng.randint(0, N, 20))
    second = np.sort(rng.randint(0, N, 9))
    return {
        "sparse_example_indices": [examples.tolist(), second.tolist()],
        "sparse_feature_indices": [
            rng.randint(0, SPARSE, 20).tolist(),
            rng.choice([3, 11, 40], 9).tolist(),
        ],
        "sparse_feature_values": [rng.randn(20).round(3).tolist()],
        "dense_features": [rng.randn(N, DENSE).round(3).tolist()],
        "example_weights": rng.uniform(0.5, 2.0, N).round(3).tolist(),
        "example_labels": rng.randint(0, 2, N).astype(float).tolist(),
        "sparse_indices": [list(range(SPARSE)), [40, 3, 11]],
    }


def passes(inputs, loss, l1, l2, partitions):
    """The state, and all weights, after each of some passes; then the weights shrunk."""
    with tf.Graph().as_default():
        state = tf.Variable(tf.zeros([N, 4]))
        sparse = [tf.Variable(tf.zeros([SPARSE])), tf.Variable(tf.zeros([3]))]
        dense = [tf.Variable(tf.zeros([DENSE]))]
        given = {}
        for key, values in inputs.items():
            dtype = tf.int64 if "indices" in key else tf.float32
            nested = isinstance(values[0], list)
            given[key] = (
                [tf.constant(value, dtype) for value in values]
                if nested
                else tf.constant(values, dtype)
            )
        found = tf.train.sdca_optimizer(
            sparse_weights=sparse,
            dense_weights=dense,
            example_state_data=state,
            loss_type=loss,
            l1=l1,
            l2=l2,
            num_loss_partitions=partitions,
            num_inner_iterations=2,
            **given,
        )
        weights = sparse + dense
        deltas = found.out_delta_sparse_weights + found.out_delta_dense_weights
        with tf.control_dependencies([found.out_example_state_data, *deltas]):
            step = tf.group(
                tf.assign(state, found.out_example_state_data),
                *[tf.assign_add(w, delta) for w, delta in zip(weights, deltas)],
            )
        shrunk = tf.train.sdca_shrink_l1(weights, l1, l2)
        every = tf.concat(weights, 0)
        # One thread takes the examples in their order.
        with tf.Session(config=tf.ConfigProto(intra_op_parallelism_threads=1)) as session:
            session.run(tf.global_variables_initializer())
            rows = []
            for _ in range(PASSES):
                session.run(step)
                rows.append([short(session.run(state)), short(session.run(every))])
            session.run(shrunk)
            return {"passes": rows, "shrunk": short(session.run(every))}


def short(array):
    return [float(format(value, ".7g")) for value in array.reshape(-1).tolist()]


def fingerprints():
    rng = np.random.RandomState(1)
    texts = ["".join(map(chr, rng.randint(32, 127, length))) for length in LENGTHS]
    with tf.Session() as session:
        found = session.run(tf.train.sdca_fprint(tf.constant(texts)))
    return [[text, row] for text, row in zip(texts, found.tolist())]


inputs = batch()
document = {"version": tf.VERSION, "batch": inputs, "fingerprints": fingerprints(), "cases": []}
for loss in LOSSES:
    for l1, l2, partitions in ((0.0, 1.0, 1), (0.3, 0.5, 1), (0.1, 2.0, 3)):
        case = {"loss_type": loss, "l1": l1, "l2": l2, "num_loss_partitions": partitions}
        document["cases"].append(dict(case, **passes(inputs, loss, l1, l2, partitions)))
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sdca.json")
with open(path, "w") as file:
    json.dump(document, file, sort_keys=True)
    file.write("\n")
