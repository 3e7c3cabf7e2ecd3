"""A siamese network: do two images show the same digit?

Both images of a pair go through one tower: the second call finds the variables of the first by
AUTO_REUSE. The contrastive loss (Hadsell, Chopra, LeCun 2006) pulls equal digits together and
pushes others apart, up to a margin. The data are described in data/README.md.

    python siamese.py [--mode eager|graph] [--steps N]
"""

from __future__ import annotations

from typing import Any

import numpy as np
import two_modes
from mlp_constraints import load

import hybridflow as hf

BATCH, MARGIN = 128, 1.0


def tower(images: Any) -> Any:
    """Points in a space of eight dimensions."""
    with hf.variable_scope("tower", reuse=hf.AUTO_REUSE):
        first = hf.get_variable("first", [64, 64])
        bias = hf.get_variable("bias", [64], initializer=hf.zeros_initializer())
        second = hf.get_variable("second", [64, 8])
    return hf.matmul(hf.nn.relu(hf.matmul(images, first) + bias), second)


def distances(left: Any, right: Any) -> Any:
    squares = hf.reduce_sum(hf.squared_difference(tower(left), tower(right)), axis=1)
    return hf.sqrt(squares + 1e-6)


def loss_of(left: Any, right: Any, same: Any) -> Any:
    apart = distances(left, right)
    pull = same * hf.square(apart)
    push = (1.0 - same) * hf.square(hf.maximum(MARGIN - apart, 0.0))
    return hf.reduce_mean(pull + push)


def pairs(rng: Any, images: np.ndarray, labels: np.ndarray, count: int) -> Any:
    """Pairs of images, about half of them of the same digit, and whether they are."""
    left = rng.randint(len(labels), size=count)
    right = rng.randint(len(labels), size=count)
    for i in np.flatnonzero(rng.rand(count) < 0.5):
        right[i] = rng.choice(np.flatnonzero(labels == labels[left[i]]))
    return images[left], images[right], (labels[left] == labels[right]).astype(np.float32)


def main(argv: list[str] | None = None) -> None:
    options = two_modes.parse(argv, __doc__, steps=800)
    images, labels = load()
    test = np.arange(len(labels)) % 5 == 0
    rng = np.random.RandomState(0)
    with two_modes.open_mode(options.mode) as run:
        step = run.trainer(loss_of, hf.train.AdamOptimizer(0.002))
        for i in range(options.steps):
            loss = step(*pairs(rng, images[~test], labels[~test], BATCH))
            if two_modes.is_shown(i, options.steps):
                print(f"step {i:4d}  loss {loss:.4f}")
        left, right, same = pairs(rng, images[test], labels[test], 2000)
        near = run.function(distances)(left, right) < MARGIN / 2
        print(f"test pairs told right: {np.mean(near == (same > 0.5)):.1%}")
        print("one tower:", *(v.name for v in hf.trainable_variables()))


if __name__ == "__main__":
    main()
