"""Images of other sizes: gradients of linear ops are their transposes, natively too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.ops.images import sampling
from tests import native
from tests.execution import Execution
from tests.plan.sessions import plan_of, program_of

RNG = np.random.default_rng(0)
METHODS = {
    "bilinear": hf.image.resize_bilinear,
    "bicubic": hf.image.resize_bicubic,
    "nearest": hf.image.resize_nearest_neighbor,
}
SIZES = [([7, 3], {}), ([2, 9], {"align_corners": True}), ([5, 4], {"half_pixel_centers": True})]
BOXES = np.array([[0.1, 0.05, 0.8, 0.9], [0.9, 0.7, 0.2, 0.1], [-0.3, 0.2, 0.6, 1.4]], np.float32)
NUMBERS = np.array([1, 0, 1], np.int32)


@pytest.fixture(params=["compiled", "uncompiled"])
def kernels(request: pytest.FixtureRequest) -> Any:
    if request.param == "compiled":
        yield
        return
    with native.uncompiled_kernels():
        yield


@pytest.mark.parametrize(("size", "kwargs"), SIZES)
@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_gradient_is_the_transpose(
    dtype: Any, name: str, size: Any, kwargs: Any, execution: Execution
) -> None:
    """<resize(x), y> = <x, gradient(y)>; and the gradient of the gradient is the op again."""
    x = RNG.normal(size=(2, 4, 6, 3)).astype(dtype)
    u = RNG.normal(size=x.shape).astype(dtype)
    y = RNG.normal(size=(2, *size, 3)).astype(dtype if name == "nearest" else np.float32)

    def parts(x: Any, y: Any, u: Any) -> Any:
        resized = METHODS[name](x, size, **kwargs)

        def first(y: Any) -> Any:
            return gradient(lambda x: METHODS[name](x, size, **kwargs) * y, x)

        return resized, first(y), gradient(lambda y: first(y) * u, y)

    def gradient(function: Any, at: Any) -> Any:
        if not hf.executing_eagerly():
            return hf.gradients(function(at), at)[0]
        with hf.GradientTape() as tape:
            tape.watch(at)
            found = function(at)
        return tape.gradient(found, at)

    resized, first, second = execution(parts, x, y, u)
    assert first.dtype == dtype
    assert np.vdot(resized, y) == pytest.approx(np.vdot(x, first), abs=1e-3)
    with hf.eager_mode():
        wanted = METHODS[name](u, size, **kwargs).numpy()
    np.testing.assert_allclose(second, wanted, 1e-4, 1e-5)


@pytest.mark.parametrize("function", [*METHODS.values(), hf.image.resize_area])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_natively(function: Any, dtype: Any, kernels: Any) -> None:
    x = RNG.integers(0, 256, (2, 5, 6, 3)).astype(dtype)
    with hf.Graph().as_default(), hf.Session() as session:
        feed = hf.placeholder(dtype, x.shape)
        resized = function(feed, [8, 4])
        wanted = session.run(resized, {feed: x})
        program_of(session, resized, {feed: x})
        found = session.run(resized, {feed: x})
        assert not native.fallbacks(plan_of(session, resized))
    assert found.dtype == wanted.dtype
    np.testing.assert_allclose(found, wanted, 1e-5)


@pytest.mark.parametrize("function", [*METHODS.values(), hf.image.resize_area])
def test_what_is_the_same_everywhere_stays(function: Any, execution: Execution) -> None:
    """A bilinear image of one value is that value, to the bit: bytes stay what they are."""
    x = np.full((1, 3, 7, 1), 255, np.uint8)
    found = execution(lambda x: function(x, [11, 5]), x)
    exact = function in (hf.image.resize_bilinear, hf.image.resize_nearest_neighbor)
    np.testing.assert_allclose(found, 255, rtol=0 if exact else 1e-6)


def test_what_is_no_number_stays_where_it_is(execution: Execution) -> None:
    x = np.zeros((1, 1, 5, 1), np.float32)
    x[0, 0, 2] = np.nan
    found = execution(lambda x: hf.image.resize_bilinear(x, [1, 9], align_corners=True), x)
    np.testing.assert_array_equal(np.isnan(found.ravel()), [False] * 3 + [True] * 3 + [False] * 3)


def test_shares_of_an_area_are_all_of_it() -> None:
    for size, new in ((10, 3), (3, 10), (7, 7), (1000, 37)):
        taps = sampling.area_taps(size, new)
        shares = np.add.reduceat(taps.weights, taps.starts[:-1]) / sampling.scale(size, new, False)
        np.testing.assert_allclose(shares, 1, 1e-4)


def test_boxes_have_the_gradient_of_where_they_are(execution: Execution) -> None:
    """Against differences: parts are linear in boxes between pixels."""
    image = RNG.normal(size=(2, 6, 7, 2)).astype(np.float32)
    weights = RNG.normal(size=(3, 3, 2, 2)).astype(np.float32)
    direction = RNG.normal(size=BOXES.shape).astype(np.float32) * np.float32(1e-3)

    def total(boxes: Any) -> Any:
        return hf.image.crop_and_resize(image, boxes, NUMBERS, [3, 2]) * weights

    # No edge is on a pixel, where the slope changes.
    boxes = BOXES + np.float32(0.013)
    (gradient,) = execution.gradient(total, boxes)
    with hf.eager_mode():
        apart = [total(boxes + side * direction).numpy().sum(dtype=np.float64) for side in (1, -1)]
    assert np.vdot(gradient, direction) == pytest.approx((apart[0] - apart[1]) / 2, rel=2e-2)


def test_the_gradient_of_images_is_the_transpose_of_parts(execution: Execution) -> None:
    image = RNG.normal(size=(2, 6, 7, 2))
    weights = RNG.normal(size=(3, 4, 2, 2)).astype(np.float32)

    def parts(image: Any) -> Any:
        return hf.image.crop_and_resize(image, BOXES, NUMBERS, [4, 2])

    (gradient,) = execution.gradient(lambda x: parts(x) * weights, image)
    assert gradient.dtype == np.float64
    assert np.vdot(execution(parts, image), weights) == pytest.approx(np.vdot(image, gradient))


def test_a_part_of_no_image(execution: Execution) -> None:
    image, boxes = np.zeros((2, 3, 3, 1), np.float32), BOXES[:1]
    for number in (-1, 2):
        bad = np.array([number], np.int32)
        with pytest.raises(hf.errors.OutOfRangeError, match=rf"outside \[0, 2\).*: {number} for"):
            execution(lambda i: hf.image.crop_and_resize(image, boxes, i, [2, 2]), bad)


def test_a_part_of_no_image_natively(kernels: Any) -> None:
    image = np.zeros((2, 3, 3, 1), np.float32)
    with hf.Graph().as_default(), hf.Session() as session:
        numbers = hf.placeholder(hf.int32, [3])
        parts = hf.image.crop_and_resize(image, BOXES, numbers, [2, 2])
        program_of(session, parts, {numbers: NUMBERS})
        with pytest.raises(hf.errors.OutOfRangeError):
            session.run(parts, {numbers: NUMBERS + 1})


@pytest.mark.parametrize("size", [[0, 3], [3, -1]])
@pytest.mark.parametrize("function", [*METHODS.values(), hf.image.resize_area])
def test_sizes_that_are_none(function: Any, size: Any, execution: Execution) -> None:
    image = np.zeros((1, 3, 3, 1), np.float32)
    with pytest.raises((ValueError, hf.errors.InvalidArgumentError)):
        execution(lambda s: function(image, s), np.array(size, np.int32))


def test_a_size_that_no_machine_holds(execution: Execution) -> None:
    image, size = np.zeros((1, 3, 3, 1), np.float32), np.array([2**31 - 1, 2**31 - 1], np.int32)
    with pytest.raises((hf.errors.ResourceExhaustedError, hf.errors.InvalidArgumentError)):
        execution(lambda s: hf.image.resize_bilinear(image, s), size)
