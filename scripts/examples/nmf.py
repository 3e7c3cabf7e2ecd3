"""Non-negative matrix factorisation by projected gradients: digits as sums of parts.

    images (n x 64)  ~  amounts (n x 16) times parts (16 x 64),  nothing negative

`constraint=NonNeg()` projects both factors after each step. The data are described in
data/README.md.

    python nmf.py [--mode eager|graph] [--steps N]
"""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import two_modes

import hybridflow as hf

COUNT, PARTS = 500, 16
SHADES = " .:-=+*#%@"


def load() -> np.ndarray:
    """Images as rows of 64 numbers in [0, 1]."""
    path = pathlib.Path(__file__).parent / "data" / "digits.npz"
    with np.load(path, allow_pickle=False) as data:
        return (data["images"][:COUNT].reshape(COUNT, 64) / 16.0).astype(np.float32)


def factors() -> tuple[Any, Any]:
    with hf.variable_scope(
        "nmf",
        reuse=hf.AUTO_REUSE,
        initializer=hf.random_uniform_initializer(0.0, 0.5),
        constraint=hf.constraints.NonNeg(),
    ):
        return hf.get_variable("amounts", [COUNT, PARTS]), hf.get_variable("parts", [PARTS, 64])


def loss_of(images: Any) -> Any:
    """Half the squared distance, for each image."""
    amounts, parts = factors()
    return hf.nn.l2_loss(images - hf.matmul(amounts, parts)) / COUNT


def show(part: np.ndarray) -> list[str]:
    """A part as eight lines of text."""
    scale = (len(SHADES) - 1) / max(part.max(), 1e-6)
    return ["".join(SHADES[int(v * scale)] * 2 for v in row) for row in part.reshape(8, 8)]


def main(argv: list[str] | None = None) -> None:
    options = two_modes.parse(argv, __doc__, steps=600)
    images = load()
    energy = float(np.square(images).sum()) / (2 * COUNT)
    with two_modes.open_mode(options.mode) as run:
        step = run.trainer(loss_of, hf.train.AdamOptimizer(0.02))
        for i in range(options.steps):
            loss = step(images)
            if two_modes.is_shown(i, options.steps):
                print(f"step {i:4d}  unexplained {loss / energy:.2%}")
        amounts = run.function(lambda: hf.identity(factors()[0]))()
        parts = run.function(lambda: hf.identity(factors()[1]))()
    print(f"smallest entries {amounts.min():.4f} and {parts.min():.4f}")
    print("the first four parts:")
    for lines in zip(*map(show, parts[:4]), strict=True):
        print("   ".join(lines))


if __name__ == "__main__":
    main()
