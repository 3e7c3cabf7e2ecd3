"""Whose speech is it: a text classifier that reads lines of files.

A Midsummer Night's Dream is played by nobles, fairies and craftsmen. A line of the files is a
number for these and what one of them says. A dataset reads, shuffles and splits the lines, and a
table numbers the words; the mean of their vectors, each of them in a ball, tells who speaks.

    python speeches.py [--mode eager|graph] [--steps N]
"""

from __future__ import annotations

import collections
import pathlib
import tempfile
from typing import Any

import numpy as np
import play
import two_modes

import hybridflow as hf

BATCH, LENGTH, SIZE, RARE = 32, 60, 16, 3


def write(folder: pathlib.Path) -> list[str]:
    """Writes train.txt, test.txt, and words.txt, the words of the first; gives the words."""
    lines: dict[str, list[str]] = {"train.txt": [], "test.txt": []}
    counts: collections.Counter[str] = collections.Counter()
    for i, speech in enumerate(play.speeches()):
        world = next(w for w, names in enumerate(play.WORLDS) if speech.speaker in names)
        name = "train.txt" if i % 5 else "test.txt"
        lines[name].append(f"{world}\t{' '.join(speech.words)}")
        if i % 5:
            counts.update(speech.words)
    words = [word for word, count in counts.most_common() if count >= RARE]
    for name, written in (*lines.items(), ("words.txt", words)):
        (folder / name).write_text("\n".join(written) + "\n", encoding="utf-8")
    return words


def examples(folder: pathlib.Path, name: str) -> Any:
    """The lines of a file as numbers of words [LENGTH], -1 behind the last, and who speaks."""
    table = hf.contrib.lookup.index_table_from_file(str(folder / "words.txt"), num_oov_buckets=1)

    def parsed(line: Any) -> Any:
        who, text = hf.unstack(hf.string_split([line], "\t").values, num=2)
        words = hf.string_split([text]).values[:LENGTH]
        return table.lookup(words), hf.string_to_number(who, hf.int32)

    return hf.data.TextLineDataset(str(folder / name)).map(parsed)


def batches(folder: pathlib.Path, name: str, epochs: int | None) -> Any:
    """Batches of the examples of a file, shuffled if there is to be more than one epoch."""
    data = examples(folder, name)
    if epochs != 1:
        data = data.shuffle(1000, seed=two_modes.SEED).repeat(epochs)
    pad = (np.int64(-1), np.int32(0))
    return data.padded_batch(BATCH, ([LENGTH], []), pad, drop_remainder=epochs != 1).prefetch(2)


def model(words: int) -> Any:
    """Scores of the three worlds [b, 3], as a function of numbers of words [b, LENGTH]."""

    def scores(numbers: Any) -> Any:
        with hf.variable_scope("words", reuse=hf.AUTO_REUSE):
            vectors = hf.get_variable(
                "vectors", [words + 1, SIZE], constraint=hf.constraints.MaxNorm(2.0, axis=1)
            )
            weights = hf.get_variable("weights", [SIZE, len(play.WORLDS)])
            bias = hf.get_variable("bias", [len(play.WORLDS)], initializer=hf.zeros_initializer())
        there = hf.cast(numbers >= 0, hf.float32)
        found = hf.nn.embedding_lookup(vectors, hf.maximum(numbers, 0))
        total = hf.reduce_sum(found * hf.expand_dims(there, 2), axis=1)
        count = hf.maximum(hf.reduce_sum(there, axis=1, keep_dims=True), 1.0)
        return hf.matmul(total / hf.sqrt(count), weights) + bias

    return scores


def main(argv: list[str] | None = None) -> None:
    options = two_modes.parse(argv, __doc__, steps=300)
    with tempfile.TemporaryDirectory() as place, two_modes.open_mode(options.mode) as run:
        folder = pathlib.Path(place)
        scores = model(len(write(folder)))

        def loss_of(numbers: Any, worlds: Any) -> Any:
            return hf.losses.sparse_softmax_cross_entropy(worlds, scores(numbers))

        def right_of(numbers: Any, worlds: Any) -> Any:
            found = hf.argmax(scores(numbers), axis=1, output_type=hf.int32)
            return hf.cast(hf.equal(found, worlds), hf.float32)

        step = run.trainer(loss_of, hf.train.AdamOptimizer(0.01))
        losses = []
        training = run.batches(lambda: batches(folder, "train.txt", None))
        for i, (numbers, worlds) in zip(range(options.steps), training, strict=False):
            losses.append(step(numbers, worlds))
            if two_modes.is_shown(i, options.steps):
                print(f"step {i:4d}  loss {np.mean(losses[-20:]):.4f}")
        right, truth = run.function(right_of), []
        found = []
        for numbers, worlds in run.batches(lambda: batches(folder, "test.txt", 1)):
            found.extend(right(numbers, worlds))
            truth.extend(worlds)
    most = np.bincount(truth).max()
    print(f"of {len(found)} speeches, told right: {100 * np.mean(found):.1f} %")
    print(f"all taken for the most frequent ones': {100 * most / len(truth):.1f} %")


if __name__ == "__main__":
    main()
