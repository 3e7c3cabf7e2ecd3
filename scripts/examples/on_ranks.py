"""Handwritten digits on many ranks: a program for TensorFlow 1 and Horovod, as it stands.

Each rank reads a part of the images of its own, all make the same update by the mean of their
gradients, and one saves and shows the progress. Killed and started again, also on another number of
ranks, it goes on from the last checkpoint.

    mpiexec -n 4 hybridflow run on_ranks.py [--steps N] [--folder FOLDER]
"""

from __future__ import annotations

import argparse
import pathlib

import horovod.tensorflow as hvd
import numpy as np
import tensorflow as tf

BATCH = 60  # of all ranks together


def images_and_labels(test: bool) -> tuple[np.ndarray, np.ndarray]:
    """The images as rows of 64 numbers in [0, 1]: every fifth is held out for testing."""
    path = pathlib.Path(__file__).parent / "data" / "digits.npz"
    with np.load(path, allow_pickle=False) as data:
        images = (data["images"].reshape(-1, 64) / 16.0).astype(np.float32)
        labels = data["labels"].astype(np.int64)
    chosen = (np.arange(len(images)) % 5 == 0) == test
    return images[chosen], labels[chosen]


def model(images: tf.Tensor) -> tf.Tensor:
    with tf.variable_scope("digits", reuse=tf.AUTO_REUSE):
        hidden = tf.layers.dense(
            images, 64, tf.nn.relu, kernel_constraint=tf.keras.constraints.MaxNorm(3.0)
        )
        return tf.layers.dense(hidden, 10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--folder", help="where checkpoints are kept")
    options = parser.parse_args()
    hvd.init()
    tf.logging.set_verbosity(tf.logging.ERROR)
    tf.set_random_seed(1)

    data = tf.data.Dataset.from_tensor_slices(images_and_labels(test=False))
    data = data.shard(hvd.size(), hvd.rank()).shuffle(2000, seed=hvd.rank()).repeat()
    images, labels = data.batch(BATCH // hvd.size()).make_one_shot_iterator().get_next()
    loss = tf.losses.sparse_softmax_cross_entropy(labels, model(images))
    step = tf.train.get_or_create_global_step()
    optimizer = hvd.DistributedOptimizer(tf.train.AdamOptimizer(0.003))
    train = optimizer.minimize(loss, global_step=step)
    mean = hvd.allreduce(loss, name="mean_loss")

    test_images, test_labels = images_and_labels(test=True)
    guesses = tf.argmax(model(tf.constant(test_images)), axis=1)
    accuracy = tf.reduce_mean(tf.cast(tf.equal(guesses, test_labels), tf.float32))

    hooks = [hvd.BroadcastGlobalVariablesHook(0), tf.train.StopAtStepHook(last_step=options.steps)]
    folder = options.folder if hvd.rank() == 0 else None
    if folder:  # one rank saves, and gives what it restores to the others
        hooks.append(tf.train.CheckpointSaverHook(folder, save_steps=50))
    with tf.train.MonitoredTrainingSession(
        checkpoint_dir=folder, save_checkpoint_secs=None, save_summaries_steps=None, hooks=hooks
    ) as session:
        while not session.should_stop():
            number, value, right, _ = session.run([step, mean, accuracy, train])
            if hvd.rank() == 0 and (number % 50 == 0 or number == options.steps - 1):
                print(f"step {number}  loss {value:.4f}  accuracy {right:.2%}")


if __name__ == "__main__":
    main()
