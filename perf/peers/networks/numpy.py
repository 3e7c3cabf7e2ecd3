"""NumPy: what networks of all peers are compared with; written to be read, it is not timed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from perf.workloads.networks import EPSILON, KEPT, Convolution, Network, Norm, Pooling
from perf.workloads.problems import Tape
from perf.workloads.subject import REFERENCE, Answers, Subject, implements


class _Taps:
    """What each element of a filter meets: a part of the padded images."""

    def __init__(self, x: np.ndarray, kernel: Sequence[int], stride: int, same: bool) -> None:
        self._kernel, self._stride = kernel[:2], stride
        self._size = x.shape[1:3]
        self._outputs = [
            -(-(n if same else n - k + 1) // stride)
            for n, k in zip(self._size, self._kernel, strict=True)
        ]
        whole = [
            max((o - 1) * stride + k - n, 0)
            for o, k, n in zip(self._outputs, self._kernel, self._size, strict=True)
        ]
        self._pads = [(0, 0), *[(n // 2, n - n // 2) for n in whole], (0, 0)]
        self.x = np.pad(x, self._pads)

    def __iter__(self) -> Iterator[tuple[int, int, tuple[Any, ...]]]:
        """Rows and columns of the filter, each with where in the padded images its part is."""
        for i in range(self._kernel[0]):
            for j in range(self._kernel[1]):
                rows, columns = (
                    slice(start, start + (n - 1) * self._stride + 1, self._stride)
                    for start, n in zip((i, j), self._outputs, strict=True)
                )
                yield i, j, (slice(None), rows, columns)

    def without_padding(self, padded: np.ndarray) -> np.ndarray:
        (top, _), (left, _) = self._pads[1:3]
        return padded[:, top : top + self._size[0], left : left + self._size[1]]


def convolve(x: np.ndarray, filters: np.ndarray, stride: int, same: bool = True) -> np.ndarray:
    """A convolution, the sum of products over the elements of the filters."""
    taps = _Taps(x, filters.shape, stride, same)
    found: Any = sum(taps.x[part] @ filters[i, j] for i, j, part in taps)
    return found


def to_input(
    x: np.ndarray, filters: np.ndarray, dy: np.ndarray, stride: int, same: bool = True
) -> np.ndarray:
    """Its gradient to the images."""
    taps = _Taps(x, filters.shape, stride, same)
    padded = np.zeros_like(taps.x)
    for i, j, part in taps:
        padded[part] += dy @ filters[i, j].T
    return taps.without_padding(padded)


def to_filters(
    x: np.ndarray, filters: np.ndarray, dy: np.ndarray, stride: int, same: bool = True
) -> np.ndarray:
    """Its gradient to the filters."""
    taps, found = _Taps(x, filters.shape, stride, same), np.empty_like(filters)
    for i, j, part in taps:
        found[i, j] = np.tensordot(taps.x[part], dy, ([0, 1, 2], [0, 1, 2]))
    return found


def _whole(filters: np.ndarray) -> np.ndarray:
    """Filters of single channels as filters of all, with zeros for the others."""
    *kernel, channels, each = filters.shape
    found = np.zeros((*kernel, channels, channels * each), filters.dtype)
    for channel in range(channels):
        found[..., channel, channel * each : (channel + 1) * each] = filters[..., channel, :]
    return found


def _diagonal(filters: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """The other way round."""
    channels, each = shape[2:]
    parts = [filters[..., c, c * each : (c + 1) * each] for c in range(channels)]
    return np.stack(parts, axis=-2)


@implements("convolution", REFERENCE)
def convolution(problem: Convolution) -> Subject:
    x, filters, dy, stride, same = (
        problem.x,
        _whole(problem.filters) if problem.depthwise else problem.filters,
        problem.dy,
        problem.stride,
        problem.same,
    )

    def step() -> np.ndarray:
        if problem.of == "forward":
            return convolve(x, filters, stride, same)
        if problem.of == "input":
            return to_input(x, filters, dy, stride, same)
        found = to_filters(x, filters, dy, stride, same)
        return _diagonal(found, problem.filters.shape) if problem.depthwise else found

    return Answers(step)


# -- networks --------------------------------------------------------------------------------------


class _Node:
    """A value, and what is known of its gradient."""

    def __init__(self, value: np.ndarray) -> None:
        self.value = value
        self.gradient: Any = np.float32(0)
        self.tape: Layers | None = None

    def __add__(self, other: _Node) -> _Node:
        assert self.tape is not None
        return self.tape.made(self.value + other.value, (self, lambda g: g), (other, lambda g: g))


class Layers:
    """Layers that note how to go back; `averages` are the new moving averages."""

    def __init__(self, training: bool = True) -> None:
        self._training = training
        self._back: list[Callable[[], None]] = []
        self.averages: list[np.ndarray] = []

    def made(self, value: np.ndarray, *inputs: tuple[_Node, Callable[[Any], Any]]) -> _Node:
        """A value with what its gradient means for each input."""
        node = _Node(value)
        node.tape = self

        def back() -> None:
            for given, pulled in inputs:
                given.gradient = given.gradient + pulled(node.gradient)

        self._back.append(back)
        return node

    def back(self) -> None:
        """Goes back from the last value that was made."""
        for step in reversed(self._back):
            step()

    def convolution(self, x: _Node, filters: _Node, stride: int, bias: _Node | None = None) -> Any:
        images, w = x.value, filters.value
        y = self.made(
            convolve(images, w, stride),
            (x, lambda g: to_input(images, w, g, stride)),
            (filters, lambda g: to_filters(images, w, g, stride)),
        )
        if bias is None:
            return y
        return self.made(y.value + bias.value, (y, lambda g: g), (bias, lambda g: g.sum((0, 1, 2))))

    def norm(self, x: _Node, scale: _Node, offset: _Node, mean: Any, variance: Any) -> _Node:
        axes, count = (0, 1, 2), x.value.size // x.value.shape[-1]
        found = (mean.value, variance.value)
        if self._training:
            found = _mean(x.value), _mean(np.square(x.value - _mean(x.value)))
            moments = found[0], found[1] * np.float32(count / (count - 1))
            self.averages += [
                np.float32(KEPT) * old.value + np.float32(1 - KEPT) * new
                for old, new in zip((mean, variance), moments, strict=True)
            ]
        inverse = 1 / np.sqrt(found[1] + np.float32(EPSILON))
        normed = (x.value - found[0]) * inverse

        def to_x(g: np.ndarray) -> np.ndarray:
            g = g * scale.value
            return inverse * (g - _mean(g) - normed * _mean(g * normed))

        return self.made(
            normed * scale.value + offset.value,
            (x, to_x),
            (scale, lambda g: (g * normed).sum(axes, np.float64).astype(np.float32)),
            (offset, lambda g: g.sum(axes, np.float64).astype(np.float32)),
        )

    def relu(self, x: _Node) -> _Node:
        return self.made(np.maximum(x.value, 0), (x, lambda g: g * (x.value > 0)))

    def pool(self, x: _Node) -> _Node:
        return self.made(_pooled(x.value), (x, lambda g: _unpooled(x.value, g)))

    def mean(self, x: _Node) -> _Node:
        n, h, w, c = x.value.shape
        back = lambda g: np.broadcast_to(g[:, None, None] / np.float32(h * w), (n, h, w, c))  # noqa: E731
        return self.made(x.value.mean((1, 2)), (x, back))

    def flat(self, x: _Node) -> _Node:
        shape = x.value.shape
        return self.made(x.value.reshape(shape[0], -1), (x, lambda g: g.reshape(shape)))

    def dense(self, x: _Node, w: _Node, b: _Node) -> _Node:
        return self.made(
            x.value @ w.value + b.value,
            (x, lambda g: g @ w.value.T),
            (w, lambda g: x.value.T @ g),
            (b, lambda g: g.sum(0)),
        )

    def dropout(self, x: _Node) -> _Node:
        return x


def _mean(x: np.ndarray) -> np.ndarray:
    """Over all axes but the last, summed up exactly enough to compare others with."""
    found: np.ndarray = x.mean((0, 1, 2), np.float64).astype(np.float32)
    return found


def _pooled(x: np.ndarray) -> np.ndarray:
    n, h, w, c = x.shape
    found: np.ndarray = x.reshape(n, h // 2, 2, w // 2, 2, c).max((2, 4))
    return found


def _unpooled(x: np.ndarray, dy: np.ndarray) -> np.ndarray:
    wide = [np.repeat(np.repeat(a, 2, axis=1), 2, axis=2) for a in (_pooled(x), dy)]
    return np.where(x == wide[0], wide[1], np.float32(0))


def _nodes(arrays: Sequence[np.ndarray]) -> list[_Node]:
    return [_Node(array) for array in arrays]


@implements("lenet", REFERENCE)
@implements("resnet", REFERENCE)
def trained(problem: Network) -> Subject:
    ps, averages = [p.copy() for p in problem.parameters], list(problem.statistics)
    slots = [(np.zeros_like(p), np.zeros_like(p)) for p in ps]
    one_hot, steps = np.eye(10, dtype=np.float32)[problem.labels], [0]

    def forward() -> tuple[Layers, list[_Node], _Node]:
        layers, nodes = Layers(), _nodes(ps)
        return layers, nodes, problem.logits(layers, nodes, _nodes(averages), _Node(problem.x))

    def step() -> None:
        steps[0] += 1
        layers, nodes, logits = forward()
        exps = np.exp(logits.value - logits.value.max(1, keepdims=True))
        logits.gradient = (exps / exps.sum(1, keepdims=True) - one_hot) / np.float32(len(one_hot))
        layers.back()
        averages[:] = layers.averages
        for p, node, (m, v) in zip(ps, nodes, slots, strict=True):
            g = node.gradient + np.float32(problem.decay * (p.ndim > 1)) * p
            if problem.optimizer == "Adam":
                m += 0.1 * (g - m)
                v += 0.001 * (g * g - v)
                rate = problem.rate * np.sqrt(1 - 0.999 ** steps[0]) / (1 - 0.9 ** steps[0])
                p -= np.float32(rate) * m / (np.sqrt(v) + np.float32(1e-8))
            else:
                m *= 0.9
                m += g
                p -= np.float32(problem.rate) * m

    return Subject(step, lambda: [forward()[2].value, *averages[:2]])


@implements("resnet inference", REFERENCE)
def inferred(problem: Network) -> Subject:
    def step() -> np.ndarray:
        nodes = _nodes(problem.parameters), _nodes(problem.statistics), _Node(problem.x)
        return problem.logits(Layers(training=False), *nodes).value

    return Answers(step)


def _with_gradients(compute: Callable[..., _Node], inputs: list[np.ndarray], dy: Any) -> Subject:
    def step() -> list[np.ndarray]:
        layers, nodes = Layers(), _nodes(inputs)
        y = compute(layers, *nodes)
        if dy is None:
            return [y.value]
        y.gradient = dy
        layers.back()
        return [y.value, *[node.gradient for node in nodes]]

    return Answers(step)


@implements("pooling", REFERENCE)
def pooling(problem: Pooling) -> Subject:
    return _with_gradients(lambda layers, x: layers.pool(x), [problem.x], problem.dy)


@implements("norm", REFERENCE)
def norm(problem: Norm) -> Subject:
    def compute(layers: Layers, x: _Node, scale: _Node, offset: _Node) -> _Node:
        unused = _nodes([scale.value] * 2)
        return layers.relu(layers.norm(x, scale, offset, *unused))

    return _with_gradients(compute, [problem.x, problem.scale, problem.offset], problem.dy)


@implements("tape", REFERENCE)
def tape(problem: Tape) -> Subject:
    return Answers(lambda: 2 * problem.x)
