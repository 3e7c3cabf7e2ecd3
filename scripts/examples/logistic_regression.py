"""Logistic regression: the species of an iris from four lengths, with an L2 penalty.

Every third of the 150 flowers is kept for testing. The data are described in data/README.md.

    python logistic_regression.py [--mode eager|graph] [--steps N]
"""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import two_modes

import hybridflow as hf

SPECIES = ("setosa", "versicolor", "virginica")


def load() -> tuple[np.ndarray, np.ndarray]:
    """Four lengths of each flower, standardized, and the number of its species."""
    path = pathlib.Path(__file__).parent / "data" / "iris.csv"
    rows = np.loadtxt(path, str, delimiter=",", skiprows=1)
    lengths = rows[:, :4].astype(np.float32)
    labels = np.array([SPECIES.index(name) for name in rows[:, 4]])
    return (lengths - lengths.mean(axis=0)) / lengths.std(axis=0), labels


def logits_of(lengths: Any) -> Any:
    with hf.variable_scope("iris", reuse=hf.AUTO_REUSE):
        weights = hf.get_variable("weights", [4, 3], regularizer=hf.keras.regularizers.l2(0.002))
        bias = hf.get_variable("bias", [3], initializer=hf.zeros_initializer())
    return hf.matmul(lengths, weights) + bias


def loss_of(lengths: Any, labels: Any) -> Any:
    """The mean cross-entropy plus the penalty, which the regularizer has put in its collection."""
    errors = hf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=labels, logits=logits_of(lengths)
    )
    penalties = hf.get_collection(hf.GraphKeys.REGULARIZATION_LOSSES)
    return hf.reduce_mean(errors) + hf.add_n(penalties)


def accuracy_of(lengths: Any, labels: Any) -> Any:
    right = hf.equal(hf.argmax(logits_of(lengths), axis=1), labels)
    return hf.reduce_mean(hf.cast(right, hf.float32))


def main(argv: list[str] | None = None) -> None:
    options = two_modes.parse(argv, __doc__, steps=300)
    lengths, labels = load()
    test = np.arange(len(labels)) % 3 == 0
    with two_modes.open_mode(options.mode) as run:
        step = run.trainer(loss_of, hf.train.AdamOptimizer(0.05))
        for i in range(options.steps):
            loss = step(lengths[~test], labels[~test])
            if two_modes.is_shown(i, options.steps):
                print(f"step {i:4d}  loss {loss:.4f}")
        accuracy = run.function(accuracy_of)
        print(f"training accuracy {accuracy(lengths[~test], labels[~test]):.1%}")
        print(f"test accuracy {accuracy(lengths[test], labels[test]):.1%}")


if __name__ == "__main__":
    main()
