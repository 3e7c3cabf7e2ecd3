"""hybridflow: networks over time in a graph."""

from __future__ import annotations

import hybridflow as hf
from perf.peers.hybridflow import Program
from perf.peers.sequences import tf1
from perf.workloads.sequences import Decoder, Mapped, Network, Scanned
from perf.workloads.subject import Subject, implements


@implements("network over time", "graph")
@implements("normed network over time", "graph")
def network(problem: Network) -> Subject:
    return tf1.network(hf, Program(), problem)


@implements("normed network over time", "plain")
def plain(problem: Network) -> Subject:
    """The same without normalization."""
    subject = tf1.network(hf, Program(), problem._replace(kind="lstm"))
    return subject._replace(compared=False)


@implements("scanned", "graph")
def scanned(problem: Scanned) -> Subject:
    return tf1.scanned(hf, Program(), problem)


@implements("mapped", "graph")
def mapped(problem: Mapped) -> Subject:
    return tf1.mapped(hf, Program(), problem, at_once=False)


@implements("mapped", "at once")
def at_once(problem: Mapped) -> Subject:
    return tf1.mapped(hf, Program(), problem, at_once=True)


@implements("decoder", "graph")
def decoder(problem: Decoder) -> Subject:
    return tf1.decoder(hf, Program(), problem)


@implements("decoder", "seq2seq")
def by_classes(problem: Decoder) -> Subject:
    """As `contrib.seq2seq` writes it, with weights of its own."""
    seq2seq, width = hf.contrib.seq2seq, problem.memory.shape[2]
    batch, symbols = len(problem.memory), problem.out.shape[1]
    with Program() as program:
        memory = hf.identity(program.variable("memory", problem.memory))
        embedding = program.variable("embedding", problem.embedding)
        attention = seq2seq.LuongAttention(width, memory)
        cell = seq2seq.AttentionWrapper(
            hf.nn.rnn_cell.GRUCell(width), attention, attention_layer_size=width
        )
        # No symbol is the end: all steps are made.
        helper = seq2seq.GreedyEmbeddingHelper(embedding, hf.fill([batch], 0), symbols)
        layer = hf.layers.Dense(symbols, use_bias=False)
        first = cell.zero_state(batch, hf.float32)
        made = seq2seq.BasicDecoder(cell, helper, first, layer)
        outputs, _, _ = seq2seq.dynamic_decode(
            made, output_time_major=True, maximum_iterations=problem.steps
        )
    return program.subject(outputs.sample_id)._replace(compared=False)
