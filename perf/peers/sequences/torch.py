"""PyTorch: its own modules where it has them, else a loop in Python."""

from __future__ import annotations

from typing import Any

import torch

from perf.workloads import rules
from perf.workloads.sequences import Decoder, Mapped, Network, Scanned
from perf.workloads.subject import Answers, Subject, implements


class Ops:
    """PyTorch's names."""

    product = staticmethod(torch.matmul)
    tanh = staticmethod(torch.tanh)
    sigmoid = staticmethod(torch.sigmoid)
    total = staticmethod(torch.sum)
    rsqrt = staticmethod(torch.rsqrt)

    @staticmethod
    def joined(parts: Any) -> Any:
        return torch.cat(parts, -1)

    @staticmethod
    def split(x: Any, count: int) -> Any:
        return x.chunk(count, -1)

    @staticmethod
    def mean(x: Any) -> Any:
        return x.mean(-1, keepdim=True)

    @staticmethod
    def softmax(x: Any) -> Any:
        return x.softmax(-1)

    @staticmethod
    def rows(table: Any, numbers: Any) -> Any:
        return table[numbers]

    @staticmethod
    def scores(keys: Any, h: Any) -> Any:
        return torch.bmm(keys, h[:, :, None])[:, :, 0]

    @staticmethod
    def weighted(memory: Any, weights: Any) -> Any:
        return torch.bmm(weights[:, None], memory)[:, 0]

    @staticmethod
    def best(scores: Any) -> Any:
        return scores.argmax(-1)

    @classmethod
    def over(cls, problem: Network, weights: Any, x: Any, back: bool) -> Any:
        states = [torch.zeros(x.shape[1], problem.width) for _ in range(problem.states)]
        outputs = []
        for row in reversed(x) if back else x:
            states = problem.turn(cls, weights, row, states)
            outputs.append(states[-1])
        return torch.stack(outputs[::-1] if back else outputs)


def _swapped(parts: Any) -> Any:
    """An LSTM's gates in PyTorch's order, or back."""
    i, j, f, o = parts.chunk(4, -1)
    return torch.cat([i, f, j, o], -1)


def _module(problem: Network) -> Any:
    """A module of PyTorch's; an LSTM has the problem's weights."""
    made = torch.nn.GRU if problem.kind == "gru" else torch.nn.LSTM
    module = made(
        problem.x.shape[2],
        problem.width,
        num_layers=problem.layers,
        dropout=problem.dropout,
        bidirectional=problem.ways == 2,
    )
    if problem.kind == "gru":
        return module
    given = map(torch.from_numpy, problem.weights)
    for layer in module.all_weights:
        for at in range(0, len(layer), 4):
            inputs, states, bias, other = layer[at : at + 4]
            kernel, start = _swapped(next(given)), _swapped(next(given))
            with torch.no_grad():
                inputs.copy_(kernel[: inputs.shape[1]].T)
                states.copy_(kernel[inputs.shape[1] :].T)
                bias.copy_(start)
                other.zero_()
    return module


def _gradients(module: Any) -> list[Any]:
    """Those of an LSTM's weights, in the problem's order."""
    found = []
    names = [name for layer in module._all_weights for name in layer]
    for at in range(0, len(names), 4):
        inputs, states, bias, _ = (getattr(module, name).grad for name in names[at : at + 4])
        found += [_swapped(torch.cat([inputs, states], 1).T), _swapped(bias)]
    return found


@implements("network over time")
@implements("normed network over time")
def network(problem: Network) -> Subject:
    """Its GRU resets after the product, which is another function: it is not compared."""
    x, lengths = torch.from_numpy(problem.x.copy()), problem.lengths
    if problem.kind == "normed":
        weights = [torch.from_numpy(w.copy()).requires_grad_() for w in problem.weights]

        def forward() -> Any:
            return problem.loss(Ops, weights, x)

    else:
        module = _module(problem)
        weights = list(module.parameters())
        ends = None if lengths is None else torch.from_numpy(lengths).long()

        def forward() -> Any:
            if ends is None:
                y, _ = module(x)
                return (y * y).sum() * (1.0 / x.shape[1])
            packed = torch.nn.utils.rnn.pack_padded_sequence(x, ends, enforce_sorted=False)
            y, _ = module(packed)
            return (y.data * y.data).sum() * (1.0 / x.shape[1])

    optimizer = (
        torch.optim.Adam(
            weights,
            rules.LEARNING_RATE,
            (rules.BETA1, rules.BETA2),
            rules.ADAM_EPSILON,
            fused=True,
        )
        if problem.trains
        else None
    )

    def step() -> None:
        for w in weights:
            w.grad = None
        forward().backward()
        if optimizer is not None:
            optimizer.step()

    def result() -> list[Any]:
        step()
        found = [w.grad for w in weights] if problem.kind == "normed" else _gradients(module)
        return problem.reduced([g.numpy() for g in found])

    compared = problem.kind != "gru" and not problem.dropout and not problem.trains
    return Subject(step, result if compared else list, compared=compared)


@implements("scanned")
def scanned(problem: Scanned) -> Subject:
    x, w = (torch.from_numpy(a.copy()) for a in problem)

    @torch.no_grad()
    def step() -> Any:
        h, outputs = torch.zeros_like(w), []
        for row in x:
            h = torch.tanh(w * h + row)
            outputs.append(h)
        return torch.stack(outputs)

    return Answers(step)


@implements("mapped", "at once")
def mapped(problem: Mapped) -> Subject:
    x, w, v = (torch.from_numpy(a.copy()) for a in problem)
    compute = torch.no_grad()(lambda: problem.row(Ops, x, w, v))
    return Answers(compute)


@implements("decoder")
def decoder(problem: Decoder) -> Subject:
    arrays = [torch.from_numpy(a.copy()) for a in problem.arrays]

    @torch.no_grad()
    def step() -> Any:
        memory = arrays[0]
        keys = memory @ arrays[6]
        h = attended = torch.zeros(len(memory), memory.shape[2])
        symbols, written = torch.zeros(len(memory), dtype=torch.long), []
        for _ in range(problem.steps):
            symbols, attended, h = problem.turn(Ops, arrays, keys, symbols, attended, h)
            written.append(symbols)
        return torch.stack(written)

    return Answers(step)
