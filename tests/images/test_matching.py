"""Parts of images that hang together, pairs of rows and columns, images whose pixels move."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from hybridflow.contrib import image as contrib

RNG = np.random.default_rng(0)


def test_parts_that_hang_together(execution):
    """What TensorFlow 1.15.5 gives for random numbers of seed 0."""
    images = np.random.RandomState(0).randint(0, 3, (2, 5, 6))
    found = execution(contrib.connected_components, images)
    assert found.dtype == np.int32
    assert found.tolist() == [
        [
            *([0, 1, 0, 2, 2, 3], [0, 4, 0, 0, 0, 3], [5, 4, 4, 0, 6, 6]),
            *([5, 5, 0, 7, 0, 0], [5, 8, 0, 9, 0, 10]),
        ],
        [
            *([11, 12, 0, 13, 13, 13], [0, 12, 0, 14, 14, 0], [15, 0, 0, 0, 16, 16]),
            *([15, 0, 0, 16, 0, 16], [15, 15, 0, 16, 16, 16]),
        ],
    ]


@pytest.mark.parametrize("dtype", ["bool", "uint8", "float32", "int64"])
def test_parts_of_long_ways(execution, dtype):
    # A spiral is one part, and what lies between its arms, of another value, another one.
    spiral = np.ones((31, 31), dtype)
    for ring in range(0, 15, 2):
        spiral[ring + 1, ring : 30 - ring] = 0
        spiral[ring + 1 : 30 - ring, 30 - ring - 1] = 0
        spiral[30 - ring - 1, ring + 1 : 30 - ring] = 0
        spiral[ring + 3 : 30 - ring, ring + 1] = 0
    found = execution(contrib.connected_components, spiral)
    assert ((found == 0) == (spiral == 0)).all()
    for number in range(1, found.max() + 1):
        part = found == number
        grown = part.copy()
        grown[1:] |= part[:-1]
        grown[:-1] |= part[1:]
        grown[:, 1:] |= part[:, :-1]
        grown[:, :-1] |= part[:, 1:]
        assert ((found[grown] == number) | (found[grown] == 0)).all()
    assert (
        execution(contrib.connected_components, np.zeros((2, 3), dtype)).tolist() == [[0] * 3] * 2
    )


def test_images_of_another_rank():
    with pytest.raises(TypeError, match="rank 2"):
        contrib.connected_components(hf.zeros([3]))


def test_pairs_of_rows_and_columns(execution):
    distances = np.array([[3.0, 1.0, 4.0], [2.0, 0.5, 0.5], [0.1, 0.2, 9.0], [7, 8, 9]], np.float32)
    for (valid, top_k), wanted in {
        (-1, -1): ([2, 1, 0, -1], [2, 1, 0]),
        (-1.0, 1): ([-1, -1, 0, -1], [2, -1, -1]),
        (2, -1): ([0, 1, -1, -1], [0, 1, -1]),
        (0, -1): ([-1] * 4, [-1] * 3),
    }.items():
        found = execution(
            lambda x, v=valid, k=top_k: contrib.bipartite_match(x, v, top_k=k), distances
        )
        assert [part.tolist() for part in found] == list(wanted)
        assert found[0].dtype == np.int32


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_pixels_that_move(execution, dtype):
    image = RNG.normal(size=(2, 4, 5, 3)).astype(dtype)
    flow = RNG.uniform(-3, 3, (2, 4, 5, 2)).astype(dtype)
    found = execution(contrib.dense_image_warp, image, flow)
    assert found.dtype == dtype
    wanted = np.empty_like(image)
    for b, j, i in np.ndindex(2, 4, 5):
        row, column = np.clip([j, i] - flow[b, j, i], 0, [3, 4])
        y, x = min(int(row), 2), min(int(column), 3)
        down, right = row - y, column - x
        top = image[b, y, x] * (1 - right) + image[b, y, x + 1] * right
        bottom = image[b, y + 1, x] * (1 - right) + image[b, y + 1, x + 1] * right
        wanted[b, j, i] = top * (1 - down) + bottom * down
    np.testing.assert_allclose(found, wanted, 1e-4, 1e-5)
    still = execution(lambda x: contrib.dense_image_warp(x, np.zeros((2, 4, 5, 2))), image * 1.0)
    np.testing.assert_allclose(still, image, 1e-5)


def test_gradients_of_pixels_that_move(execution):
    image, flow = RNG.normal(size=(1, 3, 4, 2)), RNG.uniform(-1, 1, (1, 3, 4, 2))
    weights = RNG.normal(size=image.shape)

    def total(image, flow):
        return contrib.dense_image_warp(image, flow) * weights

    grads = execution.gradient(total, image, flow)
    for index, place in ((0, (0, 1, 2, 0)), (1, (0, 1, 1, 0)), (1, (0, 2, 2, 1))):
        ends = []
        for sign in (-1, 1):
            moved = [image.copy(), flow.copy()]
            moved[index][place] += sign * 1e-6
            ends.append(execution(lambda *xs: hf.reduce_sum(total(*xs)), *moved))
        np.testing.assert_allclose(grads[index][place], (ends[1] - ends[0]) / 2e-6, 1e-5, 1e-7)


def test_images_that_are_refused():
    with pytest.raises(ValueError, match="at least 2x2"):
        contrib.dense_image_warp(hf.zeros([1, 1, 4, 1]), hf.zeros([1, 1, 4, 2]))
    with pytest.raises(ValueError, match="flow must have 4 dimensions"):
        contrib.dense_image_warp(hf.zeros([1, 2, 4, 1]), hf.zeros([2, 4, 2]))
