"""Portfolio weights on the simplex: the best mixture of four stocks, 2000 to 2010.

Maximizes the mean monthly return less a price for risk; the weights are not negative and sum to
one, which `constraint=Simplex()` sees to after each step. It looks back, so it is no advice. The
data are described in data/README.md.

    python portfolio.py [--mode eager|graph] [--steps N]
"""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import two_modes

import hybridflow as hf

AVERSION = 6.0


def load() -> tuple[list[str], np.ndarray]:
    """Names, and monthly returns [months, stocks]."""
    path = pathlib.Path(__file__).parent / "data" / "stocks.csv"
    with path.open() as file:
        names = file.readline().strip().split(",")[1:]
        prices = np.loadtxt(file, delimiter=",", usecols=range(1, len(names) + 1))
    return names, (prices[1:] / prices[:-1] - 1.0).astype(np.float32)


def weights() -> Any:
    with hf.variable_scope("portfolio", reuse=hf.AUTO_REUSE):
        return hf.get_variable(
            "weights",
            [4],
            initializer=hf.constant_initializer(0.25),
            constraint=hf.constraints.Simplex(),
        )


def loss_of(returns: Any) -> Any:
    """The price of risk less the mean return."""
    earned = hf.reduce_sum(returns * weights(), axis=1)
    mean, variance = hf.nn.moments(earned, axes=[0])
    return 0.5 * AVERSION * variance - mean


def main(argv: list[str] | None = None) -> None:
    options = two_modes.parse(argv, __doc__, steps=400)
    names, returns = load()
    with two_modes.open_mode(options.mode) as run:
        step = run.trainer(loss_of, hf.train.GradientDescentOptimizer(0.5))
        for i in range(options.steps):
            loss = step(returns)
            if two_modes.is_shown(i, options.steps):
                print(f"step {i:4d}  loss {loss:.6f}")
        chosen = run.function(lambda: hf.identity(weights()))()
    print("  ".join(f"{name} {w:.1%}" for name, w in zip(names, chosen, strict=True)))
    print(f"sum of the weights {chosen.sum():.6f}, smallest {chosen.min():.6f}")
    earned = returns @ chosen
    print(f"mean monthly return {earned.mean():.2%}, deviation {earned.std():.2%}")


if __name__ == "__main__":
    main()
