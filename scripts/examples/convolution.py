"""A convolutional network, on handwritten digits.

Two convolutions, pooling, and two dense layers with dropout between them, written with `hf.layers`
and `hf.losses`: the layers' names are what the two uses, training and testing, share. The data are
described in data/README.md.

    python convolution.py [--mode eager|graph] [--steps N]
"""

from __future__ import annotations

from typing import Any

import numpy as np
import two_modes
from mlp_constraints import load

import hybridflow as hf

BATCH = 64


def logits_of(images: Any, training: bool) -> Any:
    x = hf.reshape(images, [-1, 8, 8, 1])
    with hf.variable_scope("network", reuse=hf.AUTO_REUSE):
        x = hf.layers.conv2d(x, 32, 3, padding="same", activation=hf.nn.relu, name="first")
        x = hf.layers.conv2d(x, 64, 3, padding="same", activation=hf.nn.relu, name="second")
        x = hf.layers.flatten(hf.layers.max_pooling2d(x, 2, 2))
        x = hf.layers.dense(x, 128, activation=hf.nn.relu, name="hidden")
        x = hf.layers.dropout(x, 0.5, seed=2, training=training)
        return hf.layers.dense(x, 10, name="digits")


def loss_of(images: Any, labels: Any) -> Any:
    return hf.losses.sparse_softmax_cross_entropy(labels, logits_of(images, training=True))


def accuracy_of(images: Any, labels: Any) -> Any:
    right = hf.equal(hf.argmax(logits_of(images, training=False), axis=1), labels)
    return hf.reduce_mean(hf.cast(right, hf.float32))


def main(argv: list[str] | None = None) -> None:
    options = two_modes.parse(argv, __doc__, steps=600)
    images, labels = load()
    test = np.arange(len(labels)) % 5 == 0
    training = np.flatnonzero(~test)
    rng = np.random.RandomState(0)
    with two_modes.open_mode(options.mode) as run:
        step = run.trainer(loss_of, hf.train.AdamOptimizer(0.001))
        for i in range(options.steps):
            rows = rng.choice(training, BATCH)
            loss = step(images[rows], labels[rows])
            if two_modes.is_shown(i, options.steps):
                print(f"step {i:4d}  loss {loss:.4f}")
        print(f"test accuracy {run.function(accuracy_of)(images[test], labels[test]):.1%}")


if __name__ == "__main__":
    main()
