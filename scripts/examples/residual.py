"""A small residual network on handwritten digits, whose filters cannot grow.

Blocks of two convolutions with batch normalization, around which a shortcut goes (He et al. 2015,
arXiv:1512.03385). A constraint keeps the norm of each filter at 1 at most: what follows is
normalized, so nothing is lost by it, and steps cannot get smaller because filters get larger. The
data are described in data/README.md.

    python residual.py [--mode eager|graph] [--steps N]
"""

from __future__ import annotations

from typing import Any

import numpy as np
import two_modes
from mlp_constraints import load

import hybridflow as hf

BATCH, RADIUS = 64, 1.0
FILTERS = hf.constraints.MaxNorm(RADIUS, axis=[0, 1, 2])


def convolution(x: Any, channels: int, training: bool, size: int = 3, strides: int = 1) -> Any:
    x = hf.layers.conv2d(
        x,
        channels,
        size,
        strides,
        padding="same",
        use_bias=False,
        kernel_initializer=hf.variance_scaling_initializer(2.0),
        kernel_constraint=FILTERS,
    )
    return hf.layers.batch_normalization(x, momentum=0.9, training=training)


def block(x: Any, channels: int, training: bool, strides: int = 1) -> Any:
    shortcut = x if strides == 1 else convolution(x, channels, training, 1, strides)
    x = hf.nn.relu(convolution(x, channels, training, strides=strides))
    return hf.nn.relu(convolution(x, channels, training) + shortcut)


def logits_of(images: Any, training: bool) -> Any:
    x = hf.reshape(images, [-1, 8, 8, 1])
    with hf.variable_scope("residual", reuse=hf.AUTO_REUSE):
        x = hf.nn.relu(convolution(x, 16, training))
        x = block(x, 16, training)
        x = block(x, 32, training, strides=2)
        return hf.layers.dense(hf.reduce_mean(x, axis=[1, 2]), 10)


def loss_of(images: Any, labels: Any) -> Any:
    loss = hf.losses.sparse_softmax_cross_entropy(labels, logits_of(images, training=True))
    # In a graph the moving averages are ops of their own; eagerly they have been updated already.
    with hf.control_dependencies(hf.get_collection(hf.GraphKeys.UPDATE_OPS)):
        return hf.identity(loss)


def accuracy_of(images: Any, labels: Any) -> Any:
    right = hf.equal(hf.argmax(logits_of(images, training=False), axis=1), labels)
    return hf.reduce_mean(hf.cast(right, hf.float32))


def largest_norm() -> Any:
    """The largest norm of a filter."""
    filters = [v for v in hf.trainable_variables("residual") if v.shape.ndims == 4]
    squares = [hf.reduce_max(hf.reduce_sum(hf.square(f), axis=[0, 1, 2])) for f in filters]
    return hf.sqrt(hf.reduce_max(hf.stack(squares)))


def main(argv: list[str] | None = None) -> None:
    options = two_modes.parse(argv, __doc__, steps=300)
    images, labels = load()
    test = np.arange(len(labels)) % 5 == 0
    training = np.flatnonzero(~test)
    rng = np.random.RandomState(0)
    with two_modes.open_mode(options.mode) as run:
        step = run.trainer(loss_of, hf.train.MomentumOptimizer(0.05, 0.9))
        for i in range(options.steps):
            rows = rng.choice(training, BATCH)
            loss = step(images[rows], labels[rows])
            if two_modes.is_shown(i, options.steps):
                print(f"step {i:4d}  loss {loss:.4f}")
        print(f"largest norm of a filter {run.function(largest_norm)():.4f} (bound {RADIUS})")
        print(f"test accuracy {run.function(accuracy_of)(images[test], labels[test]):.1%}")


if __name__ == "__main__":
    main()
