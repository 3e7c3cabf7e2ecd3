"""A translator with attention, from English to French: the numbers below a thousand, in words.

An encoder reads the words in both directions; a decoder looks back at them by attention (Bahdanau,
Cho, Bengio 2015, arXiv:1409.0473) while it writes. French counts otherwise (97 is four twenties,
ten, seven), so each word depends on several. It learns from a third of the numbers, and then
translates those that it has never seen: word by word, and by a search for the most probable
sentence. The corpus is described in data/README.md.

    python translator.py [--mode eager|graph] [--steps N]
"""

from __future__ import annotations

import pathlib
import re
from typing import Any, NamedTuple

import numpy as np
import two_modes

import hybridflow as hf
from hybridflow.contrib import seq2seq

BATCH, SIZE, BEAMS, MOST = 32, 48, 4, 9
# The words that every language has: nothing behind the end, the beginning, the end.
NOTHING, BEGIN, END = 0, 1, 2


class Language(NamedTuple):
    """A language: its words, and sentences as rows of their numbers, filled up with zeros."""

    words: list[str]
    rows: np.ndarray
    lengths: np.ndarray


def language(sentences: list[str]) -> Language:
    split = [re.findall("[a-z]+", sentence) for sentence in sentences]
    words = ["", "<", ">", *sorted({word for sentence in split for word in sentence})]
    number = {word: i for i, word in enumerate(words)}
    rows = np.zeros([len(split), max(map(len, split))], np.int32)
    for row, sentence in zip(rows, split, strict=True):
        row[: len(sentence)] = [number[word] for word in sentence]
    return Language(words, rows, np.array([len(sentence) for sentence in split], np.int32))


def load() -> tuple[Language, Language]:
    """English and French, sentence by sentence."""
    path = pathlib.Path(__file__).parent / "data" / "numbers.tsv"
    lines = path.read_text(encoding="utf-8").splitlines()
    english, french = zip(*(line.split("\t") for line in lines), strict=True)
    return language(list(english)), language(list(french))


class Translator:
    """The network, with as many words as both languages have.

    Its methods are functions of rows of words [b, t] and of their lengths [b].
    """

    def __init__(self, source: int, target: int) -> None:
        self.source, self.target = source, target

    def encoded(self, rows: Any, lengths: Any) -> tuple[Any, Any]:
        """What is told of each word [b, t, 2 size], and of all [b, size]."""
        words = hf.get_variable("source", [self.source, SIZE])
        cells = [hf.nn.rnn_cell.GRUCell(SIZE) for _ in range(2)]
        outputs, states = hf.nn.bidirectional_dynamic_rnn(
            *cells, hf.nn.embedding_lookup(words, rows), lengths, dtype=hf.float32
        )
        return hf.concat(outputs, 2), states[1]

    def cell(self, memory: Any, lengths: Any) -> Any:
        attention = seq2seq.BahdanauAttention(SIZE, memory, lengths)
        return seq2seq.AttentionWrapper(
            hf.nn.rnn_cell.GRUCell(SIZE), attention, attention_layer_size=SIZE
        )

    def start(self, cell: Any, state: Any) -> Any:
        """The first state of the decoder: what was read last."""
        count = hf.shape(state)[0]
        return cell.zero_state(count, hf.float32).clone(cell_state=state)

    def loss(self, rows: Any, lengths: Any, wanted: Any, ends: Any) -> Any:
        """How improbable the right sentences are, word by word; the end is a word too."""
        with hf.variable_scope("translator", reuse=hf.AUTO_REUSE):
            memory, state = self.encoded(rows, lengths)
            embedding = hf.get_variable("target", [self.target, SIZE])
            begin = hf.fill([hf.shape(wanted)[0], 1], BEGIN)
            given = hf.concat([begin, wanted[:, :-1]], 1)
            cell = self.cell(memory, lengths)
            helper = seq2seq.TrainingHelper(hf.nn.embedding_lookup(embedding, given), ends)
            decoder = seq2seq.BasicDecoder(cell, helper, self.start(cell, state), self.layer())
            outputs, _, _ = seq2seq.dynamic_decode(decoder, scope="decoder")
        weights = hf.sequence_mask(ends, dtype=hf.float32)
        times = hf.shape(weights)[1]
        return seq2seq.sequence_loss(outputs.rnn_output, wanted[:, :times], weights)

    def layer(self) -> Any:
        return hf.layers.Dense(self.target, use_bias=False, name="word")

    def greedy(self, rows: Any, lengths: Any) -> Any:
        """Sentences [b, t], each word the most probable one."""
        with hf.variable_scope("translator", reuse=hf.AUTO_REUSE):
            memory, state = self.encoded(rows, lengths)
            embedding = hf.get_variable("target", [self.target, SIZE])
            cell = self.cell(memory, lengths)
            begin = hf.fill([hf.shape(rows)[0]], BEGIN)
            helper = seq2seq.GreedyEmbeddingHelper(embedding, begin, END)
            decoder = seq2seq.BasicDecoder(cell, helper, self.start(cell, state), self.layer())
            outputs, _, _ = seq2seq.dynamic_decode(
                decoder, maximum_iterations=MOST, scope="decoder"
            )
        return outputs.sample_id

    def searched(self, rows: Any, lengths: Any) -> Any:
        """Sentences [b, t], the most probable of those that a search has followed."""
        with hf.variable_scope("translator", reuse=hf.AUTO_REUSE):
            encoded = self.encoded(rows, lengths)
            embedding = hf.get_variable("target", [self.target, SIZE])
            memory, state, ends = seq2seq.tile_batch((*encoded, lengths), BEAMS)
            cell = self.cell(memory, ends)
            begin = hf.fill([hf.shape(rows)[0]], BEGIN)
            decoder = seq2seq.BeamSearchDecoder(
                cell, embedding, begin, END, self.start(cell, state), BEAMS, self.layer()
            )
            outputs, _, _ = seq2seq.dynamic_decode(
                decoder, maximum_iterations=MOST, scope="decoder"
            )
        return outputs.predicted_ids[:, :, 0]


def sentence(words: list[str], row: np.ndarray) -> str:
    """A row of words as text, up to its end."""
    return " ".join(words[i] for i in row.tolist() if i > END)


def main(argv: list[str] | None = None) -> None:
    options = two_modes.parse(argv, __doc__, steps=400)
    english, french = load()
    # The end is a word that the translator has to write.
    ends = french.lengths + 1
    wanted = np.pad(french.rows, [(0, 0), (0, 1)])
    wanted[np.arange(len(ends)), french.lengths] = END
    rng = np.random.RandomState(0)
    is_known = np.arange(len(ends)) % 3 == 0
    known, unknown = np.flatnonzero(is_known), np.flatnonzero(~is_known)
    print(f"{len(known)} sentences to learn from, {len(unknown)} others")
    network = Translator(len(english.words), len(french.words))
    losses = []
    with two_modes.open_mode(options.mode) as run:
        step = run.trainer(network.loss, hf.train.AdamOptimizer(0.005))
        for i in range(options.steps):
            some = rng.choice(known, BATCH)
            losses.append(step(english.rows[some], english.lengths[some], wanted[some], ends[some]))
            if two_modes.is_shown(i, options.steps):
                print(f"step {i:4d}  loss {np.mean(losses[-20:]):.4f}")
        given = english.rows[unknown], english.lengths[unknown]
        for how, translate in (("word by word", network.greedy), ("by search", network.searched)):
            found = [sentence(french.words, row) for row in run.function(translate)(*given)]
            truth = [sentence(french.words, french.rows[i]) for i in unknown]
            right = np.mean([a == b for a, b in zip(found, truth, strict=True)])
            print(f"{how}: {right:.1%} of the others are right")
            for i in range(40, len(unknown), 150):
                print(f"  {sentence(english.words, given[0][i])}: {found[i]}")


if __name__ == "__main__":
    main()
