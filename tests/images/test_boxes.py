"""Boxes that leave out others: by a kernel as without one."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.kernels import uncompiled
from hybridflow._src.kernels.alone import Alone
from hybridflow._src.kernels.boxes import SUPPRESS
from hybridflow._src.ops.images import boxes as ops
from tests.kernels.building import built


def _boxes(rng, count):
    corners = rng.uniform(0, 20, (count, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(0, 9, (count, 2))], axis=1)
    turned = rng.random(count) < 0.3
    boxes[turned] = boxes[turned][:, [2, 3, 0, 1]]
    # Without area, of no numbers, without end; and such as share an exact part.
    boxes[rng.random(count) < 0.1, 2] = 3.0
    boxes[rng.random(count) < 0.1, 0] = boxes[0, 2]
    boxes[rng.random(count) < 0.05, rng.integers(4)] = np.nan
    boxes[rng.random(count) < 0.05, rng.integers(4)] = np.inf
    whole = rng.random(count) < 0.5
    boxes[whole] = np.round(boxes[whole])
    return boxes.astype(np.float32)


@pytest.mark.parametrize("way", ["compiled", "python"])
def test_the_kernel_chooses_what_numpy_does(monkeypatch, way):
    kernel = SUPPRESS.kernel
    function = built(kernel) if way == "compiled" else uncompiled.function_of(kernel)
    rng = np.random.default_rng(5)
    with hf.eager_mode():
        for count in (0, 1, 2, 17, 60) if way == "python" else (0, 1, 2, 17, 60, 300) * 4:
            boxes = _boxes(rng, count) if count else np.zeros((0, 4), np.float32)
            scores = rng.integers(0, 40, count).astype(np.float32)
            for most, threshold in ((0, 0.5), (3, 0.25), (count, 0.5), (count, 0.0), (500, 1.0)):
                found = []
                for there in (None, function):
                    alone = Alone(kernel, worth=1 << 60)
                    alone._function = there
                    monkeypatch.setattr(ops, "SUPPRESS", alone)
                    chosen = hf.image.non_max_suppression(boxes, scores, most, threshold)
                    found.append(chosen.numpy().tolist())
                assert found[0] == found[1], (boxes, scores, most, threshold)
