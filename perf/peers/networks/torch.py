"""PyTorch: networks with images in both of its layouts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from perf.workloads.networks import EPSILON, KEPT, Convolution, Network, Norm, Pooling
from perf.workloads.problems import Tape
from perf.workloads.subject import Answers, Subject, implements

# How images lie in memory: by elements, as everywhere else here, or by channels.
LAYOUTS = {"NHWC": torch.channels_last, "NCHW": torch.contiguous_format}


def _images(array: np.ndarray, layout: str) -> Any:
    found = torch.from_numpy(np.ascontiguousarray(array.transpose(0, 3, 1, 2)))
    return found.contiguous(memory_format=LAYOUTS[layout])


def _filters(array: np.ndarray, layout: str) -> Any:
    found = torch.from_numpy(np.ascontiguousarray(array.transpose(3, 2, 0, 1)))
    return found.contiguous(memory_format=LAYOUTS[layout])


def _pads_alike(x: np.ndarray) -> bool:
    """Whether images are padded as by TensorFlow where there are strides: both sides alike."""
    return x.shape[1] % 2 == 1 and x.shape[2] % 2 == 1


class Layers:
    """Layers."""

    def __init__(self, dropout: float = 0.0, training: bool = True) -> None:
        self._dropout, self._training = dropout, training

    def convolution(self, x: Any, filters: Any, stride: int, bias: Any = None) -> Any:
        return F.conv2d(x, filters, bias, stride, padding=filters.shape[-1] // 2)

    def norm(self, x: Any, scale: Any, offset: Any, mean: Any, variance: Any) -> Any:
        return F.batch_norm(
            x, mean, variance, scale, offset, self._training, momentum=1 - KEPT, eps=EPSILON
        )

    def relu(self, x: Any) -> Any:
        return torch.relu(x)

    def pool(self, x: Any) -> Any:
        return F.max_pool2d(x, 2)

    def mean(self, x: Any) -> Any:
        return x.mean((2, 3))

    def flat(self, x: Any) -> Any:
        return x.permute(0, 2, 3, 1).flatten(1)

    def dense(self, x: Any, w: Any, b: Any) -> Any:
        return torch.addmm(b, x, w)

    def dropout(self, x: Any) -> Any:
        return F.dropout(x, self._dropout) if self._dropout else x


def _values(problem: Network, layout: str) -> tuple[Any, list[Any], list[Any]]:
    """Images, parameters and moving averages."""

    def of(array: np.ndarray) -> Any:
        return _filters(array, layout) if array.ndim == 4 else torch.from_numpy(array.copy())

    parameters, statistics = ([of(a) for a in given] for given in problem[3:5])
    return _images(problem.x, layout), parameters, statistics


def _trained(problem: Network, layout: str) -> Subject:
    x, ps, averages = _values(problem, layout)
    for p in ps:
        p.requires_grad_()
    labels, layers = torch.from_numpy(problem.labels).long(), Layers(problem.dropout)
    groups: Any = [
        {"params": [p for p in ps if p.ndim > 1], "weight_decay": problem.decay},
        {"params": [p for p in ps if p.ndim == 1], "weight_decay": 0.0},
    ]
    optimizer: Any = (
        torch.optim.Adam(groups, problem.rate, fused=True)
        if problem.optimizer == "Adam"
        else torch.optim.SGD(groups, problem.rate, 0.9, fused=True)
    )

    def step() -> float:
        optimizer.zero_grad()
        loss = F.cross_entropy(problem.logits(layers, ps, averages, x), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    def result() -> list[Any]:
        first = [average.numpy().copy() for average in averages[:2]]
        with torch.no_grad():
            return [problem.logits(layers, ps, averages, x).numpy(), *first]

    is_same = not problem.statistics or _pads_alike(problem.x)
    return Subject(step, result, compared=is_same and not problem.dropout, tolerance=1e-2)


def _inferred(problem: Network, layout: str) -> Subject:
    x, ps, averages = _values(problem, layout)
    layers = Layers(training=False)

    def step() -> Any:
        with torch.inference_mode():
            return problem.logits(layers, ps, averages, x)

    return Answers(step, compared=_pads_alike(problem.x), tolerance=1e-3)


def _answers(step: Callable[[], Iterable[Any]], result: Callable[[Any], Any] | None = None) -> Any:
    """Steps that give tensors, images of which are compared as elsewhere."""

    def found(x: Any) -> Any:
        x = x.detach()
        return (x.permute(0, 2, 3, 1) if x.ndim == 4 else x).numpy()

    return Subject(step, lambda: [(result or found)(x) for x in step()], tolerance=1e-3)


def _convolution(problem: Convolution, layout: str) -> Subject:
    x, dy = (_images(a, layout) for a in (problem.x, problem.dy))
    filters, stride, groups = problem.filters, problem.stride, 1
    if problem.depthwise:
        groups = x.shape[1]
        filters = filters.reshape(*filters.shape[:2], 1, -1)
    w, padding = _filters(filters, layout), filters.shape[0] // 2 * problem.same

    def forward() -> list[Any]:
        with torch.no_grad():
            return [F.conv2d(x, w, None, stride, padding, groups=groups)]

    wanted = [problem.of == "input", problem.of == "filter", False]

    def backward() -> list[Any]:
        found = torch.ops.aten.convolution_backward(
            dy, x, w, None, [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], groups, wanted
        )
        return [value for value, is_wanted in zip(found, wanted, strict=True) if is_wanted]

    def result(found: Any) -> Any:
        if problem.of != "filter":
            return found.permute(0, 2, 3, 1).numpy()
        return found.permute(2, 3, 1, 0).numpy().reshape(problem.filters.shape)

    made = _answers(forward if problem.of == "forward" else backward, result)
    return made._replace(compared=stride == 1 or _pads_alike(problem.x))


def _differentiated(
    compute: Callable[..., Any], inputs: list[Any], dy: Any
) -> Callable[[], list[Any]]:
    """Steps that compute something, and with `dy` its gradients."""
    if dy is None:

        def forward() -> list[Any]:
            with torch.no_grad():
                return [compute(*inputs)]

        return forward
    for value in inputs:
        value.requires_grad_()

    def both() -> list[Any]:
        y = compute(*inputs)
        return [y, *torch.autograd.grad(y, inputs, dy)]

    return both


def _pooling(problem: Pooling, layout: str) -> Subject:
    dy = None if problem.dy is None else _images(problem.dy, layout)
    return _answers(_differentiated(Layers().pool, [_images(problem.x, layout)], dy))


def _norm(problem: Norm, layout: str) -> Subject:
    def compute(x: Any, scale: Any, offset: Any) -> Any:
        return torch.relu_(F.batch_norm(x, None, None, scale, offset, True, eps=EPSILON))

    vectors = [torch.from_numpy(v.copy()) for v in (problem.scale, problem.offset)]
    dy = None if problem.dy is None else _images(problem.dy, layout)
    # Sums over many elements in single precision.
    made = _answers(_differentiated(compute, [_images(problem.x, layout), *vectors], dy))
    return made._replace(tolerance=1e-2)


def _implement(family: str, make: Callable[[Any, str], Subject]) -> None:
    for layout in LAYOUTS:
        implements(family, layout)(lambda problem, layout=layout: make(problem, layout))


for _family, _make in (
    ("lenet", _trained),
    ("resnet", _trained),
    ("resnet inference", _inferred),
    ("convolution", _convolution),
    ("pooling", _pooling),
    ("norm", _norm),
):
    _implement(_family, _make)


@implements("tape")
def tape(problem: Tape) -> Subject:
    x = torch.from_numpy(problem.x.copy()).requires_grad_()
    return Answers(lambda: torch.autograd.grad((x * x).sum(), x)[0])
