"""A character model that writes, from A Midsummer Night's Dream.

A long short-term memory reads the text letter by letter and tells the next one (Graves 2013,
arXiv:1308.0850). It is trained through `dynamic_rnn`; it writes in `raw_rnn`, whose function draws
a letter from what the step before told and hands it to the next step. The text is described in
data/README.md.

    python characters.py [--mode eager|graph] [--steps N]
"""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import two_modes

import hybridflow as hf

BATCH, TIMES, SIZE, WRITTEN = 32, 32, 96, 200


def load() -> tuple[str, np.ndarray]:
    """The letters that there are, and the text as their numbers."""
    text = (pathlib.Path(__file__).parent / "data" / "midsummer.txt").read_text(encoding="utf-8")
    text = text.lower()
    letters = "".join(sorted(set(text)))
    number = {letter: i for i, letter in enumerate(letters)}
    return letters, np.array([number[letter] for letter in text], np.int32)


def batches(text: np.ndarray, steps: int) -> Any:
    """Pieces of the text [b, t + 1]."""
    rng = np.random.RandomState(0)
    for _ in range(steps):
        starts = rng.randint(0, len(text) - TIMES - 1, BATCH)
        yield text[starts[:, np.newaxis] + np.arange(TIMES + 1)]


def cell_of(count: int) -> Any:
    """The network: a memory, and from its output a number for each letter."""
    return hf.contrib.rnn.OutputProjectionWrapper(hf.nn.rnn_cell.BasicLSTMCell(SIZE), count)


def loss_of(count: int) -> Any:
    """The loss as a function of pieces of text."""

    def loss(pieces: Any) -> Any:
        given, wanted = hf.one_hot(pieces[:, :-1], count), pieces[:, 1:]
        with hf.variable_scope("text", reuse=hf.AUTO_REUSE) as scope:
            logits, _ = hf.nn.dynamic_rnn(cell_of(count), given, dtype=hf.float32, scope=scope)
        return hf.contrib.seq2seq.sequence_loss(logits, wanted, hf.ones_like(given[:, :, 0]))

    return loss


def writer_of(count: int) -> Any:
    """What is written, as a function of the first letter and of noise [n, letters].

    The largest sum of a logit and Gumbel noise draws a letter by its probability.
    """

    def write(first: Any, noise: Any) -> Any:
        cell = cell_of(count)

        def lead(time: Any, logits: Any, state: Any, _: Any) -> Any:
            if logits is None:
                state = cell.zero_state(1, hf.float32)
                letter, emitted = hf.reshape(first, [1]), hf.constant(0)
            else:
                scores = logits / 0.7 + noise[time - 1]
                letter = emitted = hf.cast(hf.argmax(scores, 1), hf.int32)
            ended = hf.fill([1], time >= WRITTEN)
            return ended, hf.one_hot(letter, count), state, emitted, None

        with hf.variable_scope("text", reuse=hf.AUTO_REUSE) as scope:
            written, _, _ = hf.nn.raw_rnn(cell, lead, scope=scope)
        return written.stack()[:, 0]

    return write


def main(argv: list[str] | None = None) -> None:
    options = two_modes.parse(argv, __doc__, steps=1500)
    letters, text = load()
    print(f"{len(text)} letters of text, {len(letters)} of them different")
    losses = []
    with two_modes.open_mode(options.mode) as run:
        step = run.trainer(loss_of(len(letters)), hf.train.AdamOptimizer(0.01))
        for i, pieces in enumerate(batches(text, options.steps)):
            losses.append(step(pieces))
            if two_modes.is_shown(i, options.steps):
                print(f"step {i:4d}  loss {np.mean(losses[-20:]):.4f}")
        noise = np.random.RandomState(1).gumbel(size=[WRITTEN, len(letters)])
        start = np.array(letters.index("t"), np.int32)
        written = run.function(writer_of(len(letters)))(start, noise.astype(np.float32))
    print("t" + "".join(letters[i] for i in written))


if __name__ == "__main__":
    main()
