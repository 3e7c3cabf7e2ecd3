"""A BERT encoder with random weights of a small configuration: outputs, and steps of fine-tuning.

python bert.py FOLDER CHECKPOINT OUT [write]
"""

import sys

import numpy as np
import tensorflow as tf
from timing import rate

sys.path.insert(0, sys.argv[1])

import modeling

config = modeling.BertConfig(
    vocab_size=101,
    hidden_size=48,
    num_hidden_layers=3,
    num_attention_heads=4,
    intermediate_size=96,
    max_position_embeddings=32,
    type_vocab_size=2,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
)
rng = np.random.RandomState(0)
ids = rng.randint(0, 101, size=(4, 20)).astype(np.int32)
mask = (np.arange(20)[None] < np.array([20, 13, 7, 18])[:, None]).astype(np.int32)
labels = rng.randint(0, 3, size=4)
with tf.Graph().as_default(), tf.Session() as sess:
    tf.set_random_seed(1)
    model = modeling.BertModel(
        config=config,
        is_training=True,
        input_ids=tf.constant(ids),
        input_mask=tf.constant(mask),
        token_type_ids=tf.constant(ids % 2),
        use_one_hot_embeddings=False,
    )
    w = tf.get_variable(
        "output_weights", [3, 48], initializer=tf.truncated_normal_initializer(stddev=0.02)
    )
    logits = tf.matmul(model.get_pooled_output(), w, transpose_b=True)
    loss = tf.losses.sparse_softmax_cross_entropy(labels, logits)
    import optimization

    # `create_optimizer` reads the global step while it is being assigned; its optimizer does not.
    optimizer = optimization.AdamWeightDecayOptimizer(
        learning_rate=1e-3,
        weight_decay_rate=0.01,
        exclude_from_weight_decay=["LayerNorm", "layer_norm", "bias"],
    )
    variables = tf.trainable_variables()
    grads, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), 1.0)
    train_op = optimizer.apply_gradients(list(zip(grads, variables)))  # noqa: B905 - also of Python 3.7
    saver = tf.train.Saver(tf.trainable_variables())
    sess.run(tf.global_variables_initializer())
    if len(sys.argv) > 4:
        saver.save(sess, sys.argv[2])
    else:
        saver.restore(sess, sys.argv[2])
    sequence, first = sess.run([model.get_sequence_output(), logits])
    losses = []
    for _ in range(100):
        losses.append(sess.run(loss))
        sess.run(train_op)
    steps = rate(lambda: sess.run(train_op))
np.savez(sys.argv[3], sequence=sequence, logits=first, losses=losses, rate=steps)
