"""Networks over images, written once for all peers, and parts of them.

What a layer is, each peer says itself: `Layers` lists what it has to have.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol

import numpy as np

# What is added to variances, and how much of a moving average a step keeps.
EPSILON, KEPT = 1e-3, 0.9


class Layers(Protocol):
    """The layers of a peer, on values of its own; images are `[n, h, w, c]` in name."""

    def convolution(self, x: Any, filters: Any, stride: int, bias: Any = None) -> Any:
        """With as many results as images have elements, by each stride."""

    def norm(self, x: Any, scale: Any, offset: Any, mean: Any, variance: Any) -> Any:
        """Of a batch; the last two are moving averages, with which to infer."""

    def relu(self, x: Any) -> Any:
        """The positive part."""

    def pool(self, x: Any) -> Any:
        """The largest of each 2 x 2 elements."""

    def mean(self, x: Any) -> Any:
        """Over the elements of an image."""

    def flat(self, x: Any) -> Any:
        """A row for each image."""

    def dense(self, x: Any, w: Any, b: Any) -> Any:
        """x w + b."""

    def dropout(self, x: Any) -> Any:
        """With the problem's rate."""


def lenet(layers: Layers, parameters: Sequence[Any], statistics: Sequence[Any], x: Any) -> Any:
    """Two convolutions, each with a bias, relu and pooling; a hidden layer with dropout."""
    filters1, b1, filters2, b2, w3, b3, w4, b4 = parameters
    for filters, b in ((filters1, b1), (filters2, b2)):
        x = layers.pool(layers.relu(layers.convolution(x, filters, 1, b)))
    hidden = layers.relu(layers.dense(layers.flat(x), w3, b3))
    return layers.dense(layers.dropout(hidden), w4, b4)


def resnet(
    blocks: int, layers: Layers, parameters: Sequence[Any], statistics: Sequence[Any], x: Any
) -> Any:
    """A residual network: three stages of blocks of two convolutions, shortcuts by 1 x 1 ones."""
    ps, averages = iter(parameters), iter(statistics)

    def normed(x: Any, stride: int = 1) -> Any:
        x = layers.convolution(x, next(ps), stride)
        return layers.norm(x, next(ps), next(ps), next(averages), next(averages))

    x = layers.relu(normed(x))
    for stage in range(3):
        for block in range(blocks):
            narrows = stage > 0 and block == 0
            shortcut = normed(x, 2) if narrows else x
            inner = layers.relu(normed(x, 2 if narrows else 1))
            x = layers.relu(normed(inner) + shortcut)
    return layers.dense(layers.mean(x), next(ps), next(ps))


class Network(NamedTuple):
    """A network with softmax cross-entropy, and how it is trained.

    Attributes:
      logits: from layers, parameters, moving averages and images.
      decay: half of it times the squares of filters and matrices is added to the loss.
    """

    logits: Callable[[Layers, Sequence[Any], Sequence[Any], Any], Any]
    x: np.ndarray
    labels: np.ndarray
    parameters: list[np.ndarray]
    statistics: list[np.ndarray]
    optimizer: str
    rate: float
    decay: float
    dropout: float


def _normal(rng: Any, *shape: int, scale: float = 1.0) -> np.ndarray:
    return (rng.standard_normal(shape, np.float32) * np.float32(scale)).astype(np.float32)


def _filters(rng: Any, *shape: int) -> np.ndarray:
    return _normal(rng, *shape, scale=float(np.sqrt(2 / np.prod(shape[:-1]))))


def _lenet(batch: int, size: int, widths: Sequence[int], dropout: float) -> Network:
    rng = np.random.default_rng(1)
    first, second, hidden = widths
    shapes = [(5, 5, 1, first), (5, 5, first, second), (size * size // 16 * second, hidden)]
    parameters = []
    for shape in [*shapes, (hidden, 10)]:
        parameters += [_filters(rng, *shape), np.full(shape[-1], 0.1, np.float32)]
    x, labels = _normal(rng, batch, size, size, 1), rng.integers(0, 10, batch).astype(np.int32)
    return Network(lenet, x, labels, parameters, [], "Adam", 1e-4, 0.0, dropout)


def _resnet(batch: int, size: int, widths: Sequence[int], blocks: int) -> Network:
    rng = np.random.default_rng(2)
    parameters: list[np.ndarray] = []
    statistics: list[np.ndarray] = []

    def add(*shape: int) -> None:
        width = np.ones(shape[-1], np.float32)
        parameters.extend([_filters(rng, *shape), width, 0 * width])
        statistics.extend([0 * width, width])

    add(3, 3, 3, widths[0])
    for stage, width in enumerate(widths):
        for block in range(blocks):
            before = widths[stage - 1] if stage and not block else width
            if before != width:
                add(1, 1, before, width)
            add(3, 3, before, width)
            add(3, 3, width, width)
    parameters += [_filters(rng, widths[-1], 10), np.zeros(10, np.float32)]
    x, labels = _normal(rng, batch, size, size, 3), rng.integers(0, 10, batch).astype(np.int32)
    logits = partial(resnet, blocks)
    return Network(logits, x, labels, parameters, statistics, "Momentum", 1e-3, 1e-4, 0.0)


class Convolution(NamedTuple):
    """A convolution, or its gradient to the images or to the filters.

    Attributes:
      of: `forward`, `input` or `filter`. dy: gradients of the results.
      depthwise: whether each channel has filters of its own.
    """

    of: str
    x: np.ndarray
    filters: np.ndarray
    dy: np.ndarray
    stride: int
    same: bool
    depthwise: bool


def _convolution(
    of: str,
    x: Sequence[int],
    filters: Sequence[int],
    stride: int = 1,
    same: bool = True,
    depthwise: bool = False,
) -> Convolution:
    rng = np.random.default_rng(3)
    sizes = [
        -(-(n if same else n - k + 1) // stride) for n, k in zip(x[1:3], filters[:2], strict=True)
    ]
    channels = filters[2] * filters[3] if depthwise else filters[3]
    arrays = _normal(rng, *x), _filters(rng, *filters), _normal(rng, x[0], *sizes, channels)
    return Convolution(of, *arrays, stride, same, depthwise)


class Pooling(NamedTuple):
    """The largest of each 2 x 2 elements, and their gradient where there is one of the results."""

    x: np.ndarray
    dy: np.ndarray | None


def _pooling(x: Sequence[int], both: bool) -> Pooling:
    rng = np.random.default_rng(4)
    n, h, w, c = x
    return Pooling(_normal(rng, *x), _normal(rng, n, h // 2, w // 2, c) if both else None)


class Norm(NamedTuple):
    """The normalization of a batch, then relu; all gradients where there is one of the results."""

    x: np.ndarray
    scale: np.ndarray
    offset: np.ndarray
    dy: np.ndarray | None


def _norm(x: Sequence[int], both: bool) -> Norm:
    rng = np.random.default_rng(5)
    channels = [_normal(rng, x[-1], scale=0.3) + np.float32(m) for m in (1, 0)]
    return Norm(_normal(rng, *x), *channels, _normal(rng, *x) if both else None)


FAMILIES: dict[str, Any] = {
    "lenet": _lenet,
    "resnet": _resnet,
    "resnet inference": _resnet,
    "convolution": _convolution,
    "pooling": _pooling,
    "norm": _norm,
}
