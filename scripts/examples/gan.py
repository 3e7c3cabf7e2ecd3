"""A generative adversarial network on handwritten digits, in two variable scopes.

The generator makes images out of noise, the discriminator tells them from real ones (Goodfellow et
al. 2014, arXiv:1406.2661). Each optimizer trains the variables of one scope alone. The data are
described in data/README.md.

    python gan.py [--mode eager|graph] [--steps N]
"""

from __future__ import annotations

from typing import Any

import numpy as np
import two_modes
from mlp_constraints import load
from nmf import show

import hybridflow as hf

BATCH, NOISE = 64, 16


def dense(x: Any, units: int, name: str) -> Any:
    with hf.variable_scope(name):
        weights = hf.get_variable("weights", [int(x.shape[1]), units])
        bias = hf.get_variable("bias", [units], initializer=hf.zeros_initializer())
    return hf.matmul(x, weights) + bias


def generate(noise: Any) -> Any:
    """Images as rows of 64 numbers in [0, 1]."""
    with hf.variable_scope("generator", reuse=hf.AUTO_REUSE):
        hidden = hf.nn.relu(dense(noise, 128, "hidden"))
        return hf.sigmoid(dense(hidden, 64, "pixels"))


def judge(images: Any) -> Any:
    """Logits: how real the images look."""
    with hf.variable_scope("discriminator", reuse=hf.AUTO_REUSE):
        hidden = hf.nn.leaky_relu(dense(images, 128, "hidden"))
        return dense(hidden, 1, "verdict")


def taken_for(logits: Any, real: float) -> Any:
    """How far logits are from a verdict."""
    labels = real * hf.ones_like(logits)
    return hf.reduce_mean(hf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits))


def discriminator_loss(images: Any, noise: Any) -> Any:
    # Not quite 1 for real images, so that the discriminator does not become too sure.
    return taken_for(judge(images), 0.9) + taken_for(judge(generate(noise)), 0.0)


def generator_loss(noise: Any) -> Any:
    return taken_for(judge(generate(noise)), 1.0)


def main(argv: list[str] | None = None) -> None:
    options = two_modes.parse(argv, __doc__, steps=2000)
    images, _ = load()
    rng = np.random.RandomState(0)

    def noise(count: int) -> np.ndarray:
        return rng.normal(size=(count, NOISE)).astype(np.float32)

    with two_modes.open_mode(options.mode) as run:
        judging = run.trainer(
            discriminator_loss, hf.train.AdamOptimizer(0.0005, beta1=0.5), "discriminator"
        )
        generating = run.trainer(
            generator_loss, hf.train.AdamOptimizer(0.001, beta1=0.5), "generator"
        )
        made_of = run.function(generate)
        for i in range(options.steps):
            judged = judging(images[rng.randint(len(images), size=BATCH)], noise(BATCH))
            generated = generating(noise(BATCH))
            if two_modes.is_shown(i, options.steps):
                # How far the mean image is from that of real ones.
                gap = np.abs(made_of(noise(500)).mean(axis=0) - images.mean(axis=0)).mean()
                print(
                    f"step {i:4d}  discriminator {judged:.3f}  generator {generated:.3f}  "
                    f"means differ by {gap:.3f}"
                )
        samples = made_of(noise(5))
    print("five images:")
    for lines in zip(*map(show, samples), strict=True):
        print("   ".join(lines))


if __name__ == "__main__":
    main()
