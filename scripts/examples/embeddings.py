"""Word embeddings with sparse updates, from A Midsummer Night's Dream.

Skip-grams with negative samples (Mikolov et al. 2013, arXiv:1310.4546): a word's vector should tell
its neighbours from words drawn at random. The gradient of `embedding_lookup` is sparse, so each
step touches the rows of its own words alone, and projects these alone into the ball. The text is
described in data/README.md.

    python embeddings.py [--mode eager|graph] [--steps N]
"""

from __future__ import annotations

import collections
import pathlib
import re
from typing import Any

import numpy as np
import two_modes

import hybridflow as hf

BATCH, NEGATIVES, WINDOW, SIZE = 256, 5, 4, 32
RARE = 5


def load() -> tuple[list[str], np.ndarray]:
    """The words that come at least `RARE` times, and the text as their numbers."""
    text = (pathlib.Path(__file__).parent / "data" / "midsummer.txt").read_text(encoding="utf-8")
    words = re.findall(r"[a-z']+", text.lower())
    counts = collections.Counter(words)
    vocabulary = sorted(word for word, count in counts.items() if count >= RARE)
    number = {word: i for i, word in enumerate(vocabulary)}
    return vocabulary, np.array([number[word] for word in words if word in number])


def batches(text: np.ndarray, steps: int) -> Any:
    """Words [b], words near them [b], and words drawn by their frequency to the 3/4 [b, k]."""
    rng = np.random.RandomState(0)
    counts = np.bincount(text).astype(float)
    noise = counts**0.75 / (counts**0.75).sum()
    # Frequent words tell little: most of their occurrences are passed over.
    kept = np.sqrt(1e-3 / (counts / counts.sum()))[text]
    for _ in range(steps):
        centers = rng.randint(WINDOW, len(text) - WINDOW, 4 * BATCH)
        centers = centers[rng.rand(4 * BATCH) < kept[centers]][:BATCH]
        near = rng.randint(1, WINDOW + 1, len(centers)) * rng.choice([-1, 1], len(centers))
        drawn = rng.choice(len(counts), (len(centers), NEGATIVES), p=noise)
        yield text[centers], text[centers + near], drawn


def tables(count: int) -> tuple[Any, Any]:
    """A vector for each word, and one for each word as a neighbour."""
    with hf.variable_scope(
        "words", reuse=hf.AUTO_REUSE, constraint=hf.constraints.MaxNorm(3.0, axis=1)
    ):
        near = hf.get_variable("near", [count, SIZE], initializer=hf.zeros_initializer())
        return hf.get_variable("vectors", [count, SIZE]), near


def loss_of(count: int) -> Any:
    """The loss as a function of a batch."""

    def loss(words: Any, neighbours: Any, drawn: Any) -> Any:
        vectors, near = tables(count)
        word = hf.expand_dims(hf.nn.embedding_lookup(vectors, words), 1)
        candidates = hf.concat([hf.expand_dims(neighbours, 1), drawn], axis=1)
        scores = hf.reduce_sum(word * hf.nn.embedding_lookup(near, candidates), axis=2)
        right = hf.concat([hf.ones_like(scores[:, :1]), hf.zeros_like(scores[:, 1:])], axis=1)
        errors = hf.nn.sigmoid_cross_entropy_with_logits(labels=right, logits=scores)
        return hf.reduce_mean(hf.reduce_sum(errors, axis=1))

    return loss


def main(argv: list[str] | None = None) -> None:
    options = two_modes.parse(argv, __doc__, steps=3000)
    vocabulary, text = load()
    print(f"{len(text)} words of text, {len(vocabulary)} of them different")
    losses = []
    with two_modes.open_mode(options.mode) as run:
        step = run.trainer(loss_of(len(vocabulary)), hf.train.AdagradOptimizer(0.5))
        for i, batch in enumerate(batches(text, options.steps)):
            losses.append(step(*batch))
            if two_modes.is_shown(i, options.steps):
                print(f"step {i:4d}  loss {np.mean(losses[-200:]):.4f}")
        vectors = run.function(lambda: hf.nn.l2_normalize(tables(len(vocabulary))[0], 1))()
    for word in ("love", "night", "moon", "queen", "wall"):
        closeness = vectors @ vectors[vocabulary.index(word)]
        nearest = [vocabulary[i] for i in np.argsort(-closeness)[1:6]]
        print(f"{word:6} {' '.join(nearest)}")


if __name__ == "__main__":
    main()
