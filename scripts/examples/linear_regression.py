"""Linear regression: carbon dioxide in the air over Mauna Loa, 1958 to 2001.

Monthly means are a parabola in time plus a yearly wave. The weights are fitted to the months
before 1990 and tried on those after. The data are described in data/README.md.

    python linear_regression.py [--mode eager|graph] [--steps N]
"""

from __future__ import annotations

import csv
import pathlib
from typing import Any

import numpy as np
import two_modes

import hybridflow as hf

SPLIT = 1990.0


def load() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Time in years, features, and carbon dioxide in parts per million."""
    path = pathlib.Path(__file__).parent / "data" / "co2.csv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    months = [row["month"].split("-") for row in rows]
    years = np.array([int(year) + (int(month) - 0.5) / 12 for year, month in months])
    time = (years - 1975.0) / 10.0
    waves = [f(2 * np.pi * k * years) for k in (1, 2) for f in (np.sin, np.cos)]
    features = np.stack([np.ones_like(time), time, time**2, *waves], axis=1)
    ppm = np.array([float(row["ppm"]) for row in rows])
    return years, features.astype(np.float32), ppm.astype(np.float32)


def predict(features: Any) -> Any:
    with hf.variable_scope("co2", reuse=hf.AUTO_REUSE):
        weights = hf.get_variable("weights", [7, 1], initializer=hf.zeros_initializer())
    return hf.squeeze(hf.matmul(features, weights), axis=1)


def loss_of(features: Any, ppm: Any) -> Any:
    """The mean squared error."""
    return hf.reduce_mean(hf.square(predict(features) - ppm))


def main(argv: list[str] | None = None) -> None:
    options = two_modes.parse(argv, __doc__, steps=600)
    years, features, ppm = load()
    early = years < SPLIT
    with two_modes.open_mode(options.mode) as run:
        step = run.trainer(loss_of, hf.train.MomentumOptimizer(0.05, 0.9))
        for i in range(options.steps):
            loss = step(features[early], ppm[early])
            if two_modes.is_shown(i, options.steps):
                print(f"step {i:4d}  mean squared error {loss:12.4f}")
        predicted = run.function(predict)(features)
    for name, rows in (("before", early), ("from", ~early)):
        error = np.sqrt(np.mean((predicted[rows] - ppm[rows]) ** 2))
        print(f"root mean squared error {name} {SPLIT:.0f}: {error:.2f} ppm")


if __name__ == "__main__":
    main()
