"""A recogniser of strings: rows of handwritten digits, of which nobody says where one ends.

Digits of one test set stand beside each other in an image, closer or further apart. A network reads
the image column by column in both directions; connectionist temporal classification (Graves et
al. 2006) trains it on what the whole row says. What it tells is decoded in two ways: the most
probable label of each column, and a search for the most probable string. The data are described in
data/README.md.

    python digit_strings.py [--mode eager|graph] [--steps N]
"""

from __future__ import annotations

from typing import Any

import numpy as np
import two_modes
from mlp_constraints import load

import hybridflow as hf

BATCH, SIZE, MOST, COLUMNS, DIGITS = 24, 32, 4, 40, 10


def strings(rng: Any, images: np.ndarray, labels: np.ndarray, count: int) -> Any:
    """Rows of two to five digits, as many of each length.

    Returns: images as columns [t, b, 8], their lengths [b], and what they say: the indices [n, 2]
      and the values [n] of a sparse matrix [b, 4].
    """
    columns = np.zeros([COLUMNS, count, 8], np.float32)
    lengths, indices, values = [], [], []
    for row in range(count):
        at = rng.randint(3)
        for place in range(2 + row % (MOST - 1)):
            chosen = rng.randint(len(images))
            columns[at : at + 8, row] += images[chosen].reshape(8, 8).T
            at += 8 + rng.randint(-1, 2)
            indices.append((row, place))
            values.append(labels[chosen])
        lengths.append(at + 1)
    return columns, np.array(lengths), np.array(indices), np.array(values)


def logits_of(columns: Any, lengths: Any) -> Any:
    """For each column [t, b] a score for each digit, and for none."""
    cells = [hf.nn.rnn_cell.GRUCell(SIZE) for _ in range(2)]
    with hf.variable_scope("reader", reuse=hf.AUTO_REUSE) as scope:
        outputs, _ = hf.nn.bidirectional_dynamic_rnn(
            *cells, columns, lengths, dtype=hf.float32, time_major=True, scope=scope
        )
        return hf.layers.dense(hf.concat(outputs, 2), DIGITS + 1, name="digit")


def said(indices: Any, values: Any, count: Any) -> Any:
    """What rows say, as a sparse matrix."""
    shape = hf.stack([hf.cast(count, hf.int64), np.int64(MOST)])
    return hf.SparseTensor(indices, hf.cast(values, hf.int32), shape)


def loss_of(columns: Any, lengths: Any, indices: Any, values: Any) -> Any:
    labels = said(indices, values, hf.shape(lengths)[0])
    losses = hf.nn.ctc_loss(labels, logits_of(columns, lengths), hf.cast(lengths, hf.int32))
    return hf.reduce_mean(losses)


def read(columns: Any, lengths: Any) -> Any:
    """What both decoders read, as rows [b, 4] of digits, -1 behind the last one."""
    logits, ends = logits_of(columns, lengths), hf.cast(lengths, hf.int32)
    best, _ = hf.nn.ctc_greedy_decoder(logits, ends)
    searched, _ = hf.nn.ctc_beam_search_decoder(logits, ends, beam_width=20, merge_repeated=False)
    rows = [hf.sparse_tensor_to_dense(found, default_value=-1) for found in (*best, *searched)]
    wide = [hf.pad(found, [[0, 0], [0, COLUMNS]], constant_values=-1) for found in rows]
    return hf.stack([found[:, : MOST + 1] for found in wide])


def errors_of(columns: Any, lengths: Any, indices: Any, values: Any) -> Any:
    """How many digits of a hundred are wrong, missing, or too many."""
    labels = hf.cast(said(indices, values, hf.shape(lengths)[0]), hf.int64)
    found, _ = hf.nn.ctc_greedy_decoder(logits_of(columns, lengths), hf.cast(lengths, hf.int32))
    wrong = hf.edit_distance(found[0], labels, normalize=False)
    return 100.0 * hf.reduce_sum(wrong) / hf.cast(hf.size(values), hf.float32)


def picture(columns: np.ndarray) -> list[str]:
    """An image as text."""
    return ["".join(" .:*#"[min(int(v * 5), 4)] for v in line) for line in columns.T]


def main(argv: list[str] | None = None) -> None:
    options = two_modes.parse(argv, __doc__, steps=600)
    images, labels = load()
    test = np.arange(len(labels)) % 5 == 0
    rng = np.random.RandomState(0)
    losses = []
    with two_modes.open_mode(options.mode) as run:
        step = run.trainer(loss_of, hf.train.AdamOptimizer(0.01))
        for i in range(options.steps):
            losses.append(step(*strings(rng, images[~test], labels[~test], BATCH)))
            if two_modes.is_shown(i, options.steps):
                print(f"step {i:4d}  loss {np.mean(losses[-20:]):.4f}")
        shown = strings(rng, images[test], labels[test], 200)
        print(f"wrong of 100 digits: {float(run.function(errors_of)(*shown)):.2f}")
        columns, lengths, indices, values = shown
        rows = run.function(read)(columns, lengths)
    for row in range(3):
        print(*picture(columns[: lengths[row], row]), sep="\n")
        greedy, searched = ("".join(str(d) for d in found[row] if d >= 0) for found in rows)
        truth = "".join(map(str, values[indices[:, 0] == row]))
        print(f"says {truth}, read {greedy}, by searching {searched}")


if __name__ == "__main__":
    main()
