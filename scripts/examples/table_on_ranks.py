"""Word embeddings whose tables lie on many ranks: each has a part of the words, and no others.

The skip-grams of embeddings.py, in the words of TensorFlow 1 and Horovod. Ids travel to the ranks
that have their rows; gradients, and so Adagrad's slots and the projection into the ball, stay
there. All ranks save one checkpoint together. Killed and started again, also on another number of
ranks, it goes on from the last one.

    mpiexec -n 4 hybridflow run table_on_ranks.py [--steps N] [--folder FOLDER]
"""

from __future__ import annotations

import argparse

import embeddings
import horovod.tensorflow as hvd
import numpy as np
import tensorflow as tf


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--folder", help="where checkpoints are kept, on a disk of all ranks")
    options = parser.parse_args()
    hvd.init()
    tf.logging.set_verbosity(tf.logging.ERROR)
    tf.set_random_seed(1)
    vocabulary, text = embeddings.load()

    partitioner = hvd.sharded_variable_partitioner()
    with tf.variable_scope("", partitioner=partitioner):
        vectors, near = embeddings.tables(len(vocabulary))
    words, others = tf.placeholder(tf.int64, [None]), tf.placeholder(tf.int64, [None, None])
    word = tf.expand_dims(tf.nn.embedding_lookup(vectors, words), 1)
    scores = tf.reduce_sum(word * tf.nn.embedding_lookup(near, others), axis=2)
    right = tf.concat([tf.ones_like(scores[:, :1]), tf.zeros_like(scores[:, 1:])], axis=1)
    errors = tf.nn.sigmoid_cross_entropy_with_logits(labels=right, logits=scores)
    loss = tf.reduce_mean(tf.reduce_sum(errors, axis=1))
    step = tf.train.get_or_create_global_step()
    optimizer = hvd.DistributedOptimizer(tf.train.AdagradOptimizer(0.5))
    train = optimizer.minimize(loss, global_step=step)
    mean = hvd.allreduce(loss, name="mean_loss")

    hooks = [hvd.BroadcastGlobalVariablesHook(0)]
    if options.folder:  # all ranks save, each what it has
        hooks.append(tf.train.CheckpointSaverHook(options.folder, save_steps=500))
    with tf.train.MonitoredTrainingSession(
        checkpoint_dir=options.folder,
        save_checkpoint_secs=None,
        save_summaries_steps=None,
        hooks=hooks,
    ) as session:
        first, losses = int(session.run(step)), []
        rows = sum(part.shape[0].value for part in vectors)
        print(f"rank {hvd.rank()}: {rows} of {len(vocabulary)} words")
        for number, batch in enumerate(embeddings.batches(text, options.steps)):
            if number < first:
                continue
            centers, neighbours, drawn = [a[hvd.rank() :: hvd.size()] for a in batch]
            candidates = np.concatenate([neighbours[:, None], drawn], axis=1)
            losses.append(session.run([mean, train], {words: centers, others: candidates})[0])
            if hvd.rank() == 0 and (number % 500 == 0 or number == options.steps - 1):
                print(f"step {number}  loss {np.mean(losses[-200:]):.4f}")


if __name__ == "__main__":
    main()
