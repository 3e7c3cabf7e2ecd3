"""Who speaks next in A Midsummer Night's Dream: a recommender on sparse features.

What is known are those who spoke before in the scene, up to four, the last with the largest weight,
and the words that were said last: sparse tensors, whose rows have as many elements as there are.
`safe_embedding_lookup_sparse` makes a vector of each row, also of an empty one, when a scene
begins; the products with the vectors of all roles are what they are recommended by.

    python recommender.py [--mode eager|graph] [--steps N]
"""

from __future__ import annotations

import collections
from typing import Any, NamedTuple

import numpy as np
import play
import two_modes

import hybridflow as hf

BATCH, SIZE, BEFORE, RARE, SHOWN = 64, 12, 4, 3, 3


class Known(NamedTuple):
    """What is known before a speech, and who holds it."""

    speakers: list[int]
    weights: list[float]
    words: list[int]
    next: int


def load() -> tuple[list[str], list[Known]]:
    """The words that come often enough, and what is known before each speech."""
    spoken = play.speeches()
    counts = collections.Counter(word for speech in spoken for word in speech.words)
    vocabulary = [word for word, count in counts.most_common() if count >= RARE]
    number = {word: i for i, word in enumerate(vocabulary)}
    found = []
    for i, speech in enumerate(spoken):
        before = [s for s in spoken[max(i - BEFORE, 0) : i] if s.scene == speech.scene]
        speakers = [play.ROLES.index(s.speaker) for s in reversed(before)]
        words = [number[w] for w in before[-1].words if w in number] if before else []
        weights = [1.0 / (1 + k) for k in range(len(speakers))]
        found.append(Known(speakers, weights, words, play.ROLES.index(speech.speaker)))
    return vocabulary, found


def sparse(rows: list[list[Any]], dtype: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of any length as the parts of a sparse tensor."""
    indices = [[i, k] for i, row in enumerate(rows) for k in range(len(row))]
    values = np.array([value for row in rows for value in row], dtype)
    shape = np.array([len(rows), max(map(len, rows))], np.int64)
    return np.array(indices, np.int64).reshape(-1, 2), values, shape


def arrays(some: list[Known]) -> list[np.ndarray]:
    """What the model takes."""
    places, speakers, shape = sparse([k.speakers for k in some], np.int64)
    weights = sparse([k.weights for k in some], np.float32)[1]
    words = sparse([k.words for k in some], np.int64)
    return [places, speakers, weights, shape, *words, np.array([k.next for k in some], np.int32)]


def model(words: int) -> Any:
    """Scores of all roles [b, roles], as a function of the parts of the sparse features."""
    roles = len(play.ROLES)

    def scores(*parts: Any) -> Any:
        places, speakers, weights, shape, *said = parts
        with hf.variable_scope("roles", reuse=hf.AUTO_REUSE):
            spoke = hf.get_variable("spoke", [roles, SIZE])
            heard = hf.get_variable("heard", [words, SIZE])
            vectors = hf.get_variable("vectors", [roles, SIZE])
            bias = hf.get_variable("bias", [roles], initializer=hf.zeros_initializer())
        lookup = hf.contrib.layers.safe_embedding_lookup_sparse
        before = lookup(
            [spoke],
            hf.SparseTensor(places, speakers, shape),
            hf.SparseTensor(places, weights, shape),
            combiner="sum",
        )
        last = lookup([heard], hf.SparseTensor(*said), combiner="sqrtn")
        return hf.matmul(before + last, vectors, transpose_b=True) + bias

    return scores


def main(argv: list[str] | None = None) -> None:
    options = two_modes.parse(argv, __doc__, steps=400)
    vocabulary, known = load()
    held = [k for i, k in enumerate(known) if i % 5 == 0]
    learned = [k for i, k in enumerate(known) if i % 5]
    rng = np.random.RandomState(0)
    with two_modes.open_mode(options.mode) as run:
        scores = model(len(vocabulary))

        def loss_of(*parts: Any) -> Any:
            *features, who = parts
            return hf.losses.sparse_softmax_cross_entropy(who, scores(*features))

        def best_of(*parts: Any) -> Any:
            return hf.nn.top_k(scores(*parts), SHOWN).indices

        step = run.trainer(loss_of, hf.train.AdagradOptimizer(0.2))
        losses = []
        for i in range(options.steps):
            some = [learned[k] for k in rng.randint(0, len(learned), BATCH)]
            losses.append(step(*arrays(some)))
            if two_modes.is_shown(i, options.steps):
                print(f"step {i:4d}  loss {np.mean(losses[-20:]):.4f}")
        *features, who = arrays(held)
        best = run.function(best_of)(*features)
    often = [role for role, _ in collections.Counter(k.next for k in learned).most_common(SHOWN)]
    print(f"of {len(held)} speeches, among the {SHOWN} recommended: ", end="")
    print(f"{100 * np.mean((best == who[:, None]).any(1)):.1f} %")
    print(f"among those who speak most: {100 * np.isin(who, often).mean():.1f} %")
    names = [play.ROLES[role] for role in best[0]]
    print(f"when the play begins: {', '.join(names)}")


if __name__ == "__main__":
    main()
