"""A convolutional autoencoder on handwritten digits, and a picture of what it makes of them.

Two convolutions with strides take an image of 64 numbers to a code of 16, and two transposed ones
make an image of it again; what is lost is the mean squared difference. Images that were held out
are shown above what their codes say. The data are described in data/README.md.

    python autoencoder.py [--mode eager|graph] [--steps N]
"""

from __future__ import annotations

from typing import Any

import numpy as np
import two_modes
from mlp_constraints import load
from nmf import show

import hybridflow as hf

BATCH, CODE = 64, 4


def code_of(images: Any) -> Any:
    """Codes `[n, 2, 2, CODE]` of images that are rows of 64 numbers."""
    with hf.variable_scope("encoder", reuse=hf.AUTO_REUSE):
        x = hf.reshape(images, [-1, 8, 8, 1])
        for name, channels in (("first", 16), ("second", 32)):
            x = hf.layers.conv2d(x, channels, 3, 2, "same", activation=hf.nn.relu, name=name)
        return hf.layers.conv2d(x, CODE, 1, name="code")


def images_of(codes: Any) -> Any:
    """What images the codes stand for."""
    with hf.variable_scope("decoder", reuse=hf.AUTO_REUSE):
        x = hf.layers.conv2d(codes, 32, 1, activation=hf.nn.relu, name="first")
        x = hf.layers.conv2d_transpose(x, 16, 3, 2, "same", activation=hf.nn.relu, name="second")
        x = hf.layers.conv2d_transpose(x, 1, 3, 2, "same", activation=hf.sigmoid, name="pixels")
        return hf.reshape(x, [-1, 64])


def made_of(images: Any) -> Any:
    return images_of(code_of(images))


def loss_of(images: Any) -> Any:
    return hf.losses.mean_squared_error(images, made_of(images))


def main(argv: list[str] | None = None) -> None:
    options = two_modes.parse(argv, __doc__, steps=1000)
    images, _ = load()
    test = np.arange(len(images)) % 5 == 0
    training = np.flatnonzero(~test)
    rng = np.random.RandomState(0)
    with two_modes.open_mode(options.mode) as run:
        step = run.trainer(loss_of, hf.train.AdamOptimizer(0.003))
        for i in range(options.steps):
            loss = step(images[rng.choice(training, BATCH)])
            if two_modes.is_shown(i, options.steps):
                print(f"step {i:4d}  loss {loss:.4f}")
        found = run.function(made_of)(images[test])
    lost = np.mean((found - images[test]) ** 2) / np.var(images[test])
    print(f"lost of the variance of images held out: {lost:.1%}")
    for rows in (images[test][:5], found[:5]):
        print("")
        for lines in zip(*map(show, rows), strict=True):
            print("   ".join(lines))


if __name__ == "__main__":
    main()
