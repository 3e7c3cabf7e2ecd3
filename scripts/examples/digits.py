"""Handwritten digits: one model function, trained eagerly and as a graph from the same seeds.

The network's weights are made by `get_variable` in nested variable scopes. A max-norm constraint
keeps the incoming weights of every unit at norm 1.5 at most, an L2 regularizer keeps them small,
and the evaluation tower shares them by AUTO_REUSE. The data are 1,797 real 8x8 images (see
data/README.md).

    hybridflow demo [--steps N] [--plot FILE]
"""

from __future__ import annotations

import argparse
import functools
import pathlib
import time
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

import hybridflow as hf

MAX_NORM = 1.5
BATCH = 64
LEARNING_RATE = 0.002
WEIGHT_DECAY = 1e-4


class Split(NamedTuple):
    """Images as rows of 64 numbers in [0, 1], and their labels."""

    images: np.ndarray
    labels: np.ndarray


class Result(NamedTuple):
    """What one training run showed."""

    mode: str
    losses: list[float]
    accuracy: float
    largest_norm: float
    seconds: float


def load() -> tuple[Split, Split]:
    """The training images, and every fifth image held out for testing."""
    path = pathlib.Path(__file__).parent / "data" / "digits.npz"
    with np.load(path, allow_pickle=False) as data:
        images = (data["images"].reshape(-1, 64) / 16.0).astype(np.float32)
        labels = data["labels"].astype(np.int64)
    held_out = np.arange(len(images)) % 5 == 0
    return Split(images[~held_out], labels[~held_out]), Split(images[held_out], labels[held_out])


def max_norm(weights: Any) -> Any:
    """Scales rows of norm above `MAX_NORM` back to it."""
    norms = hf.sqrt(hf.reduce_sum(hf.square(weights), axis=1, keepdims=True))
    return weights * (MAX_NORM / hf.maximum(norms, MAX_NORM))


def l2(weights: Any) -> Any:
    return WEIGHT_DECAY * hf.nn.l2_loss(weights)


def dense(x: Any, units: int, name: str) -> Any:
    """A fully connected layer; row i of its weights holds what comes into unit i."""
    with hf.variable_scope(name, regularizer=l2, constraint=max_norm):
        weights = hf.get_variable("weights", [units, int(x.shape[1])])
        bias = hf.get_variable(
            "bias",
            [units],
            initializer=hf.zeros_initializer(),
            regularizer=hf.no_regularizer,
            constraint=lambda b: b,
        )
        return hf.matmul(x, weights, transpose_b=True) + bias


def model(images: Any) -> Any:
    """The logits for a batch of images: training and evaluation share the variables."""
    with hf.variable_scope("digits", reuse=hf.AUTO_REUSE):
        with hf.variable_scope("hidden"):
            hidden = hf.nn.relu(dense(images, 64, "first"))
            hidden = hf.nn.relu(dense(hidden, 32, "second"))
        return dense(hidden, 10, "output")


def loss_of(images: Any, labels: Any) -> Any:
    """The mean cross-entropy of a batch plus the regularization losses."""
    cross_entropy = hf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=labels, logits=model(images)
    )
    penalties = hf.get_collection(hf.GraphKeys.REGULARIZATION_LOSSES)
    return hf.reduce_mean(cross_entropy) + hf.add_n(penalties)


def accuracy_of(images: Any, labels: Any) -> Any:
    correct = hf.equal(hf.argmax(model(images), axis=1), labels)
    return hf.reduce_mean(hf.cast(correct, hf.float32))


def largest_norm_of(variables: Any) -> Any:
    """The largest row norm among all weight matrices."""
    matrices = [v for v in variables if v.shape.ndims == 2]
    return hf.reduce_max(hf.stack([hf.reduce_max(hf.norm(v, axis=1)) for v in matrices]))


def batches(train: Split, steps: int) -> Any:
    """The same sequence of batches for every run."""
    rng = np.random.RandomState(0)
    for _ in range(steps):
        rows = rng.randint(0, len(train.images), BATCH)
        yield train.images[rows], train.labels[rows]


def train_eagerly(train: Split, test: Split, steps: int, tick: Any) -> Result:
    """Trains step by step: each op runs at once."""
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        hf.set_random_seed(1)
        optimizer = hf.train.AdamOptimizer(LEARNING_RATE)
        losses, norm = [], 0.0
        start = time.perf_counter()
        for images, labels in batches(train, steps):
            with hf.GradientTape() as tape:
                loss = loss_of(images, labels)
            variables = hf.trainable_variables()
            optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
            losses.append(float(loss))
            norm = max(norm, float(largest_norm_of(variables)))
            tick()
        seconds = time.perf_counter() - start
        accuracy = float(accuracy_of(test.images, test.labels))
    return Result("eager", losses, accuracy, norm, seconds)


def train_as_graph(train: Split, test: Split, steps: int, tick: Any) -> Result:
    """Builds the step once; a Session runs it."""
    with hf.Graph().as_default(), hf.Session() as session:
        hf.set_random_seed(1)
        images = hf.placeholder(hf.float32, [None, 64])
        labels = hf.placeholder(hf.int64, [None])
        loss = loss_of(images, labels)
        step = hf.train.AdamOptimizer(LEARNING_RATE).minimize(loss)
        with hf.control_dependencies([step]):
            norm_after = largest_norm_of([v.read_value() for v in hf.trainable_variables()])
        accuracy = accuracy_of(images, labels)
        session.run(hf.global_variables_initializer())
        losses, norm = [], 0.0
        start = time.perf_counter()
        for batch_images, batch_labels in batches(train, steps):
            feed = {images: batch_images, labels: batch_labels}
            value, norm_now, _ = session.run([loss, norm_after, step], feed)
            losses.append(float(value))
            norm = max(norm, float(norm_now))
            tick()
        seconds = time.perf_counter() - start
        score = float(session.run(accuracy, {images: test.images, labels: test.labels}))
    return Result("graph", losses, score, norm, seconds)


def report(results: list[Result], console: Console) -> None:
    table = Table(title="Handwritten digits: one model, two modes")
    for heading in ("mode", "steps/s", "last loss", "test accuracy", "largest row norm"):
        table.add_column(heading, justify="left" if heading == "mode" else "right")
    for result in results:
        table.add_row(
            result.mode,
            f"{len(result.losses) / result.seconds:,.0f}",
            f"{result.losses[-1]:.6f}",
            f"{result.accuracy:.2%}",
            f"{result.largest_norm:.6f}",
        )
    console.print(table)
    eager, graph = results
    gap = max(abs(a - b) for a, b in zip(eager.losses, graph.losses, strict=True))
    console.print(
        f"The two loss curves differ by at most {gap:.1e}; row norms are bounded by {MAX_NORM}."
    )


def plot(results: list[Result], path: str, console: Console) -> None:
    """Draws the loss curves, where matplotlib is installed."""
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        hint = "No picture of the loss curves: the extra 'plots' (matplotlib) draws one."
        console.print(hint)
        return
    figure, axes = plt.subplots()
    for result, style in zip(results, ("-", "--"), strict=True):
        axes.semilogy(result.losses, style, label=result.mode)
    axes.set(xlabel="step", ylabel="loss", title="Handwritten digits")
    axes.legend()
    figure.savefig(path)
    plt.close(figure)
    console.print(f"Loss curves: {path}")


def main(argv: list[str] | None = None) -> list[Result]:
    parser = argparse.ArgumentParser(prog="hybridflow demo", description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1000, help="training steps (1000)")
    parser.add_argument("--plot", default="digits_loss.png", help="file for the loss curves")
    arguments = parser.parse_args(argv)
    console = Console()
    train, test = load()
    results = []
    with Progress(console=console) as progress:
        for run in (train_eagerly, train_as_graph):
            task = progress.add_task(run.__name__.replace("_", " "), total=arguments.steps)
            tick = functools.partial(progress.advance, task)
            results.append(run(train, test, arguments.steps, tick))
    report(results, console)
    plot(results, arguments.plot, console)
    return results


if __name__ == "__main__":
    main()
