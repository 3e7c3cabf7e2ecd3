"""Records candidate samplers, three runs each, and the losses that are made with them."""

import numpy as np
from recording import Writer, one_thread, tf

CLASSES = np.array([[0, 3], [2, 7]], "int64")
WEIGHTS = [1.0, 2.0, 0.5, 4.0, 3.0, 9.0, 1.5, 2.5, 0.25, 6.0]
SAMPLERS = (
    ("uniform", {}),
    ("log_uniform", {}),
    ("learned_unigram", {}),
    ("fixed_unigram", {"unigrams": WEIGHTS, "distortion": 0.75}),
    ("fixed_unigram", {"unigrams": WEIGHTS[:8], "num_reserved_ids": 2}),
)


def sampled(fn, args, kwargs):
    """What three runs of a sampler give."""
    with tf.Graph().as_default(), tf.Session(config=one_thread()) as session:
        outputs = getattr(tf.nn, fn)(CLASSES, *args, **kwargs)
        runs = [session.run(outputs) for _ in range(3)]
    outputs = [np.stack(values) for values in zip(*runs)]
    return {"fn": fn, "classes": CLASSES, "args": args, "kwargs": kwargs, "runs": outputs}


def lost(fn, hits):
    """The value and the gradients of a loss, all its inputs given."""
    numbers = np.random.RandomState(1)
    table, biases, inputs = (
        numbers.uniform(-1, 1, shape).astype("float32") for shape in ((10, 3), (10,), (2, 3))
    )
    drawn = np.array([3, 9, 1, 2], "int64")
    counts = [numbers.uniform(0.1, 1, shape).astype("float32") for shape in ((2, 2), (4,))]
    with tf.Graph().as_default(), tf.Session(config=one_thread()) as session:
        tensors = [tf.constant(value) for value in (table, biases, inputs)]
        loss = getattr(tf.nn, fn)(
            *tensors[:2],
            labels=tf.constant(CLASSES),
            inputs=tensors[2],
            num_sampled=4,
            num_classes=10,
            num_true=2,
            sampled_values=[tf.constant(value) for value in (drawn, *counts)],
            remove_accidental_hits=hits,
        )
        grads = [tf.convert_to_tensor(grad) for grad in tf.gradients(loss, tensors)]
        value, *grads = session.run([loss, *grads])
    return {
        "fn": fn,
        "classes": CLASSES,
        "inputs": [table, biases, inputs],
        "sampled": [drawn, *counts],
        "hits": hits,
        "loss": value,
        "grads": grads,
    }


def main():
    """Writes candidates.json and candidates.npz."""
    writer = Writer("candidates")
    for number, (name, kwargs) in enumerate(SAMPLERS):
        for unique in (False, True):
            args = [2, 6, unique, 10]
            fn = name + "_candidate_sampler"
            ident = f"{fn}/{number}/{unique}"
            writer.attempt(ident, sampled, (fn, args, dict(kwargs, seed=5)))
    for fn in ("nce_loss", "sampled_softmax_loss"):
        for hits in (False, True):
            writer.attempt(f"{fn}/{hits}", lost, (fn, hits))
    writer.save()


if __name__ == "__main__":
    main()
