"""A multilayer perceptron with constraints, on handwritten digits.

The weights into each hidden unit lie in a ball; the weights out of the hidden layer are not
negative, so a unit can only speak for a digit, never against one. Optimizers project the variables
onto these sets after each update. The data are described in data/README.md.

    python mlp_constraints.py [--mode eager|graph] [--steps N]
"""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import two_modes

import hybridflow as hf

BATCH = 64
RADIUS = 1.0


def load() -> tuple[np.ndarray, np.ndarray]:
    """Images as rows of 64 numbers in [0, 1], and their labels."""
    path = pathlib.Path(__file__).parent / "data" / "digits.npz"
    with np.load(path, allow_pickle=False) as data:
        images = data["images"].reshape(-1, 64) / np.float32(16.0)
        return images.astype(np.float32), data["labels"].astype(np.int64)


def logits_of(images: Any) -> Any:
    with hf.variable_scope("mlp", reuse=hf.AUTO_REUSE):
        inner = hf.get_variable(
            "inner", [64, 100], constraint=hf.constraints.MaxNorm(RADIUS, axis=0)
        )
        bias = hf.get_variable("bias", [100], initializer=hf.zeros_initializer())
        outer = hf.get_variable("outer", [100, 10], constraint=hf.constraints.NonNeg())
    return hf.matmul(hf.nn.relu(hf.matmul(images, inner) + bias), outer)


def loss_of(images: Any, labels: Any) -> Any:
    return hf.reduce_mean(
        hf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits_of(images))
    )


def accuracy_of(images: Any, labels: Any) -> Any:
    right = hf.equal(hf.argmax(logits_of(images), axis=1), labels)
    return hf.reduce_mean(hf.cast(right, hf.float32))


def extremes() -> Any:
    """The largest norm of a hidden unit's weights, and the smallest weight behind them."""
    with hf.variable_scope("mlp", reuse=True):
        inner, outer = hf.get_variable("inner"), hf.get_variable("outer")
    return hf.stack([hf.reduce_max(hf.norm(inner, axis=0)), hf.reduce_min(outer)])


def main(argv: list[str] | None = None) -> None:
    options = two_modes.parse(argv, __doc__, steps=1000)
    images, labels = load()
    test = np.arange(len(labels)) % 5 == 0
    training = np.flatnonzero(~test)
    rng = np.random.RandomState(0)
    with two_modes.open_mode(options.mode) as run:
        step = run.trainer(loss_of, hf.train.AdamOptimizer(0.005))
        for i in range(options.steps):
            rows = rng.choice(training, BATCH)
            loss = step(images[rows], labels[rows])
            if two_modes.is_shown(i, options.steps):
                print(f"step {i:4d}  loss {loss:.4f}")
        norm, smallest = run.function(extremes)()
        print(f"largest norm {norm:.4f} (bound {RADIUS}), smallest outer weight {smallest:.4f}")
        print(f"test accuracy {run.function(accuracy_of)(images[test], labels[test]):.1%}")


if __name__ == "__main__":
    main()
