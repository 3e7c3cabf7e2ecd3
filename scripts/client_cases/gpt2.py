"""GPT-2's model with random weights of a small configuration: logits and a continuation.

python gpt2.py FOLDER CHECKPOINT OUT [write]
"""

import sys

import numpy as np
import tensorflow as tf
from timing import rate

sys.path.insert(0, sys.argv[1])

import model
import sample

hparams = model.default_hparams()
hparams.override_from_dict({"n_vocab": 97, "n_ctx": 32, "n_embd": 48, "n_head": 4, "n_layer": 3})
tokens = np.random.RandomState(0).randint(0, 97, size=(1, 17)).astype(np.int32)
with tf.Graph().as_default(), tf.Session() as sess:
    tf.set_random_seed(1)
    context = tf.placeholder(tf.int32, [1, None])
    logits = model.model(hparams=hparams, X=context)["logits"]
    greedy = sample.sample_sequence(
        hparams=hparams, length=10, context=context, batch_size=1, temperature=1.0, top_k=1
    )
    saver = tf.train.Saver()
    if len(sys.argv) > 4:
        sess.run(tf.global_variables_initializer())
        saver.save(sess, sys.argv[2])
    else:
        saver.restore(sess, sys.argv[2])
    found = sess.run(logits, {context: tokens})
    steps = rate(lambda: sess.run(logits, {context: tokens}))
    text = sess.run(greedy, {context: tokens[:, :5]})
np.savez(sys.argv[3], logits=found, text=text, rate=steps)
