"""PyTorch, with the fused form of its optimizers where there is one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch

from perf.workloads import rules
from perf.workloads.problems import (
    Elementwise,
    Lstm,
    Many,
    Mlp,
    Regression,
    Simplex,
    Sparse,
    Update,
)
from perf.workloads.subject import Answers, Subject, implements

_OPTIM, _RATE = torch.optim, rules.LEARNING_RATE
_FUSED = {"SGD", "Momentum", "Adagrad", "Adam"}
OPTIMIZERS: dict[str, Callable[..., Any]] = {
    "SGD": lambda p, **how: _OPTIM.SGD(p, _RATE, **how),
    "Momentum": lambda p, **how: _OPTIM.SGD(p, _RATE, rules.MOMENTUM, **how),
    "Adagrad": lambda p, **how: _OPTIM.Adagrad(
        p, _RATE, initial_accumulator_value=0.1, eps=0.0, **how
    ),
    "Adam": lambda p, **how: _OPTIM.Adam(
        p, _RATE, (rules.BETA1, rules.BETA2), rules.ADAM_EPSILON, **how
    ),
    "Adadelta": lambda p, **how: _OPTIM.Adadelta(p, _RATE, rules.RHO, rules.EPSILON, **how),
    "RMSProp": lambda p, **how: _from_one(
        _OPTIM.RMSprop(p, _RATE, rules.DECAY, 0.0, momentum=rules.MOMENTUM, **how), False
    ),
    "centered RMSProp": lambda p, **how: _from_one(
        _OPTIM.RMSprop(p, _RATE, rules.DECAY, 0.0, 0.0, rules.MOMENTUM, centered=True, **how), True
    ),
}


def _from_one(optimizer: Any, centered: bool) -> Any:
    """Mean squares of gradients that start at 1, as TensorFlow's do."""
    for group in optimizer.param_groups:
        for p in group["params"]:
            state = optimizer.state[p]
            state["step"] = torch.tensor(0.0)
            state["square_avg"] = torch.ones_like(p)
            state["momentum_buffer"] = torch.zeros_like(p)
            if centered:
                state["grad_avg"] = torch.zeros_like(p)
    return optimizer


def _tensors(arrays: Iterable[Any]) -> list[Any]:
    return [torch.from_numpy(a.copy()) for a in arrays]


@torch.no_grad()
def _project(p: Any, constraint: str) -> None:
    """Projects in place, in the quickest way that PyTorch has words for."""
    if constraint == "non-negative":
        p.clamp_(min=0)
    elif constraint != "none":
        axis = 1 if constraint == "rows" else 0
        most = 1e4 if constraint == "columns, within" else rules.MOST
        norms = torch.linalg.vector_norm(p, dim=axis, keepdim=True)
        p.mul_(norms.clamp(max=most) / (norms + 1e-7))


def _optimized(optimizer: Any, ps: list[Any], gs: list[Any], constraint: str = "none") -> Subject:
    for p, g in zip(ps, gs, strict=True):
        p.grad = g

    def step() -> None:
        optimizer.step()
        if constraint != "none":
            for p in ps:
                _project(p, constraint)

    return Subject(step, lambda: [p.detach().numpy() for p in ps])


def _parameters(arrays: Iterable[Any]) -> list[Any]:
    return [torch.nn.Parameter(t) for t in _tensors(arrays)]


@implements("update")
def update(problem: Update) -> Subject | None:
    if problem.optimizer not in OPTIMIZERS:
        return None
    ps = _parameters([problem.p])
    how = {"fused": True} if problem.optimizer in _FUSED else {"foreach": True}
    optimizer = OPTIMIZERS[problem.optimizer](ps, **how)
    subject = _optimized(optimizer, ps, _tensors([problem.g]), problem.constraint)
    # RMSProp's epsilon stands outside of the root: it is left out.
    return subject._replace(tolerance=1e-3 if "RMSProp" in problem.optimizer else 1e-4)


def _many(problem: Many, **how: Any) -> Subject:
    ps = _parameters(problem.ps)
    return _optimized(OPTIMIZERS["Adam"](ps, **how), ps, _tensors(problem.gs))


@implements("many", "fused")
def many_fused(problem: Many) -> Subject:
    return _many(problem, fused=True)


@implements("many", "foreach")
def many_foreach(problem: Many) -> Subject:
    return _many(problem, foreach=True)


torch.sparse.check_sparse_tensor_invariants.disable()


@implements("sparse")
def sparse(problem: Sparse) -> Subject | None:
    """Optimizers that take sparse gradients; of Adam that is the lazy form alone."""
    if problem.constraint != "none" or problem.rule.whole:
        return None
    ps = _parameters([problem.p])
    if problem.optimizer == "lazy Adam":
        betas = rules.BETA1, rules.BETA2
        optimizer: Any = _OPTIM.SparseAdam(ps, _RATE, betas, rules.ADAM_EPSILON)
    else:
        optimizer = OPTIMIZERS[problem.optimizer](ps)
    indices = torch.from_numpy(problem.indices.copy())[None]
    rows = torch.from_numpy(problem.g.copy())

    def step() -> None:
        # As a backward pass through an embedding leaves it: not summed yet.
        ps[0].grad = torch.sparse_coo_tensor(indices, rows, ps[0].shape)
        optimizer.step()

    def result() -> list[Any]:
        p = ps[0].detach().numpy()
        return [p[problem.indices], p[:: max(len(p) // 1000, 1)]]

    return Subject(step, result)


def _trained(ps: list[Any], rate: float, loss: Callable[[], Any]) -> Subject:
    optimizer = torch.optim.SGD(ps, rate, fused=True)

    def step() -> float:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        optimizer.step()
        return value.item()

    return Subject(step, lambda: [p.detach().numpy() for p in ps])


@implements("regression")
def regression(problem: Regression) -> Subject:
    w, b = ps = [torch.nn.Parameter(torch.tensor(v)) for v in (-1.0, 0.0)]

    def loss() -> Any:
        x, y = torch.from_numpy(problem.x), torch.from_numpy(problem.y)
        return (w * x + b - y).square().mean()

    return _trained(ps, problem.rate, loss)


@implements("mlp")
def mlp(problem: Mlp) -> Subject:
    w1, b1, w2, b2 = ps = _parameters(problem.weights)

    def loss() -> Any:
        x, labels = torch.from_numpy(problem.x), torch.from_numpy(problem.labels)
        logits = torch.addmm(b2, torch.relu(torch.addmm(b1, x, w1)), w2)
        return torch.nn.functional.cross_entropy(logits, labels.long())

    return _trained(ps, problem.rate, loss)


@implements("elementwise")
def elementwise(problem: Elementwise) -> Subject:
    arrays = _tensors(problem.arrays)
    if problem.formula != "relu":
        function = getattr(torch, problem.formula)
        return Answers(lambda: function(arrays[0]))
    x, w, b, mask, y = arrays
    return Answers(lambda: torch.relu(x * w + b) * mask + torch.tanh(y))


@implements("simplex")
def simplex(problem: Simplex) -> Subject:
    (x,) = _tensors([problem.x])
    counts = torch.arange(1, x.shape[1] + 1, dtype=torch.float32)

    def step() -> Any:
        u = torch.sort(x, dim=1, descending=True).values
        t = ((torch.cumsum(u, 1) - 1.0) / counts).amax(1, keepdim=True)
        return (x - t).clamp_(min=0)

    return Answers(step)


@implements("lstm")
def lstm(problem: Lstm) -> Subject:
    x, kernel, bias = _tensors(problem)
    inputs, width = x.shape[2], len(bias) // 4
    cell = torch.nn.LSTM(inputs, width)

    def swapped(parts: Any) -> Any:
        """Gates in PyTorch's order, or back."""
        i, j, f, o = parts.chunk(4, -1)
        return torch.cat([i, f, j, o], -1)

    with torch.no_grad():
        cell.weight_ih_l0.copy_(swapped(kernel[:inputs]).T)
        cell.weight_hh_l0.copy_(swapped(kernel[inputs:]).T)
        cell.bias_ih_l0.copy_(swapped(bias))
        cell.bias_hh_l0.zero_()

    def step() -> None:
        cell.zero_grad()
        _, (h, _) = cell(x)
        (h * h).sum().backward()

    def result() -> list[Any]:
        step()
        found = torch.cat([cell.weight_ih_l0.grad, cell.weight_hh_l0.grad], 1)
        return [swapped(found.T).numpy()]

    return Subject(step, result)
