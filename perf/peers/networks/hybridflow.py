"""hybridflow: networks in a Session and eagerly, and gradients by a tape."""

from __future__ import annotations

from typing import Any

import hybridflow as hf
from perf.peers.hybridflow import Program, eager, made, mlp_loss
from perf.peers.networks import tf1
from perf.workloads.networks import Convolution, Network, Norm, Pooling
from perf.workloads.problems import Mlp, Tape
from perf.workloads.subject import Subject, implements


@implements("lenet", "run")
@implements("resnet", "run")
def trained(problem: Network) -> Subject:
    return tf1.trained(hf, Program(), problem, run=True)


@implements("lenet", "callable")
@implements("resnet", "callable")
def trained_by_a_callable(problem: Network) -> Subject:
    return tf1.trained(hf, Program(), problem, run=False)


@implements("resnet inference", "callable")
def inferred(problem: Network) -> Subject:
    return tf1.inferred(hf, Program(), problem)


@implements("convolution", "graph")
def convolution(problem: Convolution) -> Subject:
    return tf1.convolution(hf, Program(), problem)


@implements("pooling", "graph")
def pooling(problem: Pooling) -> Subject:
    return tf1.pooling(hf, Program(), problem)


@implements("norm", "graph")
def norm(problem: Norm) -> Subject:
    return tf1.norm(hf, Program(), problem)


@implements("tape", "eager")
def tape(problem: Tape) -> Subject:
    def make() -> Subject:
        x = hf.constant(problem.x)

        def step() -> Any:
            with hf.GradientTape() as tape:
                tape.watch(x)
                y = hf.reduce_sum(x * x)
            return tape.gradient(y, x)

        return made(step)

    return eager(make)


def _taped(loss: Any, ps: list[Any], optimizer: Any) -> Any:
    """A step of training by a tape."""

    def step() -> Any:
        with hf.GradientTape() as tape:
            value = loss()
        optimizer.apply_gradients(zip(tape.gradient(value, ps), ps, strict=True))
        return value

    return step


@implements("mlp", "eager")
def mlp(problem: Mlp) -> Subject:
    def make() -> Subject:
        ps = [hf.Variable(w) for w in problem.weights]
        x, labels = hf.constant(problem.x), hf.constant(problem.labels)
        optimizer = hf.train.GradientDescentOptimizer(problem.rate)
        step = _taped(lambda: mlp_loss(ps, x, labels), ps, optimizer)
        return made(step, lambda: [p.numpy() for p in ps])

    return eager(make)


@implements("lenet", "eager")
def trained_eagerly(problem: Network) -> Subject:
    def make() -> Subject:
        ps = [hf.Variable(p) for p in problem.parameters]
        x, labels = hf.constant(problem.x), hf.constant(problem.labels)
        layers = tf1.Layers(hf, problem.dropout)

        def loss() -> Any:
            logits = problem.logits(layers, ps, [], x)
            return tf1.loss(hf, problem, logits, labels, ps)

        step = _taped(loss, ps, tf1.optimizer(hf, problem))
        subject = made(step, lambda: [problem.logits(layers, ps, [], x).numpy()])
        return subject._replace(compared=not problem.dropout, tolerance=1e-2)

    return eager(make)
