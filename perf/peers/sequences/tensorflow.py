"""TensorFlow: networks over time in a graph."""

from __future__ import annotations

import tensorflow.compat.v1 as tf

from perf.peers.sequences import tf1
from perf.peers.tensorflow import Program
from perf.workloads.sequences import Decoder, Mapped, Network, Scanned
from perf.workloads.subject import Subject, implements


@implements("network over time")
@implements("normed network over time")
def network(problem: Network) -> Subject:
    return tf1.network(tf, Program(), problem)


@implements("scanned")
def scanned(problem: Scanned) -> Subject:
    return tf1.scanned(tf, Program(), problem)


@implements("mapped")
def mapped(problem: Mapped) -> Subject:
    return tf1.mapped(tf, Program(), problem, at_once=False)


@implements("mapped", "at once")
def at_once(problem: Mapped) -> Subject:
    return tf1.mapped(tf, Program(), problem, at_once=True)


@implements("decoder")
def decoder(problem: Decoder) -> Subject:
    return tf1.decoder(tf, Program(), problem)
