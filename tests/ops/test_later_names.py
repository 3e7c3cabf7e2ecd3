"""Functions that TensorFlow gained after 1.4, made of ops that are here; against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 3, 4))


# ---- arrays ----


@pytest.mark.parametrize(
    ("shape", "repeats", "axis"),
    [
        ((2, 3), 2, None),
        ((2, 3), [1, 0, 3, 2, 0, 1], None),
        ((2, 3), 3, 1),
        ((2, 3), [2, 0, 1], -1),
        ((2, 3), [2], 0),
        ((), 3, None),
        ((0, 3), 2, 0),
        ((2, 3), 0, 0),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_parts_several_times(execution, shape, repeats, axis, dtype):
    x = RNG.integers(0, 9, shape).astype(dtype)
    found = execution(lambda x: hf.repeat(x, repeats, axis), x)
    np.testing.assert_array_equal(found, np.repeat(x, repeats, axis), strict=True)


def test_parts_several_times_by_numbers_that_a_run_tells(execution):
    found = execution(lambda x, n: hf.repeat(x, n, 1), X, np.array([2, 0, 1]))
    np.testing.assert_array_equal(found, np.repeat(X, [2, 0, 1], 1))
    (grad,) = execution.gradient(lambda x: hf.repeat(x, [2, 0, 1], 1), X)
    np.testing.assert_array_equal(grad, np.ones_like(X) * np.array([2, 0, 1])[:, None])
    with pytest.raises(ValueError, match="repeats must be an integer or a vector of 3"):
        execution(lambda x: hf.repeat(x, [1, 2], 1), X)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
def test_places_in_sorted_rows(execution, side, dtype):
    rows = np.sort(RNG.integers(0, 9, (2, 3, 7)), -1).astype(dtype)
    values = RNG.integers(-1, 10, (2, 3, 5)).astype(dtype)
    found = execution(lambda a, v: hf.searchsorted(a, v, side, out_type=hf.int64), rows, values)
    wanted = [
        [np.searchsorted(a, v, side) for a, v in zip(*pair, strict=True)]
        for pair in zip(rows, values, strict=True)
    ]
    np.testing.assert_array_equal(found, np.array(wanted, np.int64), strict=True)


def test_places_that_are_refused(execution):
    with pytest.raises(ValueError, match="side must be either"):
        hf.searchsorted([1.0], [1.0], "middle")
    with pytest.raises((ValueError, hf.errors.InvalidArgumentError)):
        execution(lambda a, v: hf.searchsorted(a, v), np.ones((2, 3)), np.ones((3, 3)))


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_elements_by_their_numbers(execution, dtype):
    numbers = np.array([[0, 5], [11, 23]], dtype)
    dims = np.array([2, 3, 4], dtype)
    found = execution(hf.unravel_index, numbers, dims)
    wanted = np.array(np.unravel_index(numbers, (2, 3, 4)), dtype)
    np.testing.assert_array_equal(found, wanted, strict=True)
    for number in (24, -1):
        with pytest.raises(hf.errors.InvalidArgumentError, match=f"out of bound.*: {number}"):
            execution(hf.unravel_index, np.array(number, dtype), dims)


def test_choices_that_broadcast(execution):
    condition = np.array([[True], [False]])
    found = execution(hf.where_v2, condition, X[:, 0], np.float64(0.0))
    np.testing.assert_array_equal(found, np.where(condition, X[:, 0], 0.0))
    grads = execution.gradient(lambda x, y: hf.where_v2(condition, x, y), X[0, 0], np.array(1.0))
    np.testing.assert_array_equal(grads[0], np.ones(4))
    assert grads[1] == 4
    assert execution(hf.where_v2, condition).tolist() == [[0, 0]]
    with pytest.raises(ValueError, match="both be non-None"):
        hf.where_v2(condition, 1.0)


def test_elements_replaced(execution):
    x, rows, values = np.arange(4.0), np.array([[3], [0]]), np.array([7.0, 8.0])
    for function, wanted, of_x, of_values in (
        (hf.tensor_scatter_update, [8, 1, 2, 7], [0, 1, 1, 0], [1, 1]),
        (hf.tensor_scatter_add, [8, 1, 2, 10], [1, 1, 1, 1], [1, 1]),
        (hf.tensor_scatter_sub, [-8, 1, 2, -4], [1, 1, 1, 1], [-1, -1]),
    ):
        assert execution(function, x, rows, values).tolist() == wanted
        grads = execution.gradient(lambda x, v, f=function: f(x, rows, v), x, values)
        assert [grad.tolist() for grad in grads] == [of_x, of_values]
        with pytest.raises(hf.errors.InvalidArgumentError, match="outside of a tensor"):
            execution(function, x, np.array([[4], [0]]), values)


# ---- mathematics ----


@pytest.mark.parametrize("axis", [None, 1, [0, -1]])
@pytest.mark.parametrize("keepdims", [False, True])
def test_how_far_numbers_spread(execution, axis, keepdims):
    for values in (X, X.astype(np.float32), X + 1j * X[::-1]):
        along = tuple(axis) if isinstance(axis, list) else axis
        found = execution(
            lambda x: [
                hf.reduce_variance(x, axis, keepdims),
                hf.reduce_std(x, axis, keepdims),
                hf.reduce_euclidean_norm(x, axis, keepdims),
            ],
            values,
        )
        rtol = 1e-5 if values.dtype == np.float32 else 1e-12
        wanted = values.var(along, keepdims=keepdims)
        np.testing.assert_allclose(found[0], wanted, rtol)
        assert found[0].dtype == wanted.dtype
        np.testing.assert_allclose(found[1], np.sqrt(wanted), rtol)
        squares = (np.abs(values) ** 2).sum(along, keepdims=keepdims)
        np.testing.assert_allclose(found[2], np.sqrt(squares), rtol)


def test_how_spread_changes(execution):
    (grad,) = execution.gradient(hf.reduce_std, X)
    np.testing.assert_allclose(grad, (X - X.mean()) / X.std() / X.size, 1e-10, 1e-14)


def test_polynomials(execution):
    found = execution(lambda x: hf.polyval([2.0, -1.0, 0.5], x), X)
    np.testing.assert_allclose(found, np.polyval([2.0, -1.0, 0.5], X), 1e-12)
    (grad,) = execution.gradient(lambda x: hf.polyval([2.0, -1.0, 0.5], x), X)
    np.testing.assert_allclose(grad, 4.0 * X - 1.0, 1e-12)
    assert execution(lambda x: hf.polyval([], x), X).tolist() == np.zeros_like(X).tolist()
    with pytest.raises(ValueError, match="must be list type"):
        hf.polyval(hf.constant([1.0]), 1.0)


def test_segments_in_any_order(execution):
    rows, ids = X.reshape(6, 4), np.array([3, 0, 3, 1, 0, 3])
    mean, root, least = execution(
        lambda x: [
            hf.unsorted_segment_mean(x, ids, 5),
            hf.unsorted_segment_sqrt_n(x, ids, 5),
            hf.unsorted_segment_min(x, ids, 5),
        ],
        rows,
    )
    for segment in range(5):
        part = rows[ids == segment]
        if not len(part):
            assert mean[segment].tolist() == root[segment].tolist() == [0] * 4
            assert (least[segment] == np.finfo(np.float64).max).all()
            continue
        np.testing.assert_allclose(mean[segment], part.mean(0), 1e-12)
        np.testing.assert_allclose(root[segment], part.sum(0) / np.sqrt(len(part)), 1e-12)
        np.testing.assert_array_equal(least[segment], part.min(0))
    (grad,) = execution.gradient(lambda x: hf.unsorted_segment_mean(x, ids, 5), rows)
    np.testing.assert_allclose(grad[:, 0], 1 / np.array([3, 2, 3, 1, 2, 3]))


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "float32"])
def test_the_least_of_segments_of_each_dtype(execution, dtype):
    x, ids = np.array([[5, 2], [1, 9]], dtype), np.array([[2, 0], [2, 2]])
    found = execution(lambda x: hf.unsorted_segment_min(x, ids, 3), x)
    info = np.finfo(dtype) if dtype == "float32" else np.iinfo(dtype)
    np.testing.assert_array_equal(found, np.array([2, info.max, 1], dtype), strict=True)


# ---- matrices ----


def test_matrices_times_vectors(execution):
    vectors = RNG.normal(size=(2, 4))
    found = execution(hf.linalg.matvec, X, vectors)
    np.testing.assert_allclose(found, np.einsum("bij,bj->bi", X, vectors), 1e-12)
    turned = execution(lambda a, b: hf.linalg.matvec(a, b, transpose_a=True), X, X[:, :, 0])
    np.testing.assert_allclose(turned, np.einsum("bji,bj->bi", X, X[:, :, 0]), 1e-12)


def test_vectors_of_length_one(execution):
    unit, length = execution(lambda x: hf.linalg.normalize(x, axis=-1), X)
    np.testing.assert_allclose(length, np.linalg.norm(X, axis=-1, keepdims=True), 1e-12)
    np.testing.assert_allclose(unit, X / length, 1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_ranks_and_inverses_of_any_matrices(execution, dtype):
    low = (X[:, :, :2] @ X[:, :2, :]).astype(dtype)
    rank, inverse = execution(lambda a: [hf.linalg.matrix_rank(a), hf.linalg.pinv(a)], low)
    assert rank.tolist() == [2, 2]
    atol = {"float32": 1e-3, "float64": 1e-10}[dtype]
    rcond = 40 * np.finfo(dtype).eps
    np.testing.assert_allclose(inverse, np.linalg.pinv(low, rcond=rcond), atol, atol)
    few = execution(lambda a: hf.linalg.matrix_rank(a, tol=1e6), low)
    assert few.tolist() == [0, 0]
    whole = execution(lambda a: hf.linalg.pinv(a, rcond=2.0), low)
    np.testing.assert_array_equal(whole, np.zeros((2, 4, 3), dtype))


def test_gradients_of_inverses(execution):
    square = X[0, :, :3] + 2 * np.eye(3)
    (grad,) = execution.gradient(hf.linalg.pinv, square)
    inverse = np.linalg.inv(square)
    np.testing.assert_allclose(grad, -np.outer(inverse.sum(0), inverse.sum(1)), 1e-8, 1e-10)


# ---- strings ----


def test_letters(execution):
    words = [b" Ab\xc3\x84 ", b"", b"\tx"]
    found = execution(
        lambda: [
            hf.string_lower(words),
            hf.string_upper(words, encoding="utf-8"),
            hf.string_strip(words),
            hf.string_length(words),
            hf.string_length(words, unit="UTF8_CHAR"),
        ]
    )
    assert found[0].tolist() == [b" ab\xc3\x84 ", b"", b"\tx"]
    assert found[1].tolist() == [" AB\u00c4 ".encode(), b"", b"\tX"]
    assert found[2].tolist() == [b"Ab\xc3\x84", b"", b"x"]
    assert (found[3].tolist(), found[4].tolist()) == ([6, 0, 2], [5, 0, 2])


# ---- images ----


def test_colors_of_television(execution):
    """What TensorFlow 1.15.5 gives."""
    image = np.arange(12.0, dtype=np.float32).reshape(1, 2, 2, 3)
    found = execution(
        lambda x: [
            hf.image.rgb_to_yuv(x),
            hf.image.rgb_to_yiq(x),
            hf.image.yuv_to_rgb(x),
            hf.image.yiq_to_rgb(x),
            hf.image.yuv_to_rgb(hf.image.rgb_to_yuv(x)),
            hf.image.yiq_to_rgb(hf.image.rgb_to_yiq(x)),
        ],
        image,
    )
    first = [
        [0.815, 0.58315158, -0.71498561],
        [0.815, -0.91724455, 0.0996629],
        [2.27976608, -1.55588603, 2.03206182],
        [2.19763589, -1.56642127, 2.30172086],
    ]
    for got, wanted in zip(found[:4], first, strict=True):
        assert (got.dtype, got.shape) == (np.float32, image.shape)
        # TensorFlow's way back from YIQ is right to four digits.
        np.testing.assert_allclose(got[0, 0, 0], wanted, 1e-4)
    for back in found[4:]:
        np.testing.assert_allclose(back, image, 1e-4, 1e-5)


def test_slopes_of_images(execution):
    """What TensorFlow 1.15.5 gives."""
    image = np.arange(12.0).reshape(1, 3, 4, 1) ** 2
    edges, down, right = execution(
        lambda x: [hf.image.sobel_edges(x), *hf.image.image_gradients(x)], image
    )
    assert edges.shape == (1, 3, 4, 1, 2)
    assert edges[0, :, :, 0, 0].tolist() == [[0.0] * 4, [288.0, 320.0, 384.0, 416.0], [0.0] * 4]
    assert edges[0, :, :, 0, 1].tolist() == [
        [0.0, 48.0, 64.0, 0.0],
        [0.0, 80.0, 96.0, 0.0],
        [0.0, 112.0, 128.0, 0.0],
    ]
    assert down[0, :, :, 0].tolist() == [[16, 24, 32, 40], [48, 56, 64, 72], [0] * 4]
    assert right[0, :, :, 0].tolist() == [[1, 3, 5, 0], [9, 11, 13, 0], [17, 19, 21, 0]]
    (grad,) = execution.gradient(lambda x: hf.image.sobel_edges(x) ** 2, image)
    assert np.isfinite(grad).all()


def test_slopes_of_images_of_unknown_sizes():
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.float32, [None, None, None, None])
        edges = hf.image.sobel_edges(x)
        assert edges.shape.as_list() == [None] * 4 + [2]
        assert session.run(edges, {x: np.ones((2, 5, 6, 3))}).shape == (2, 5, 6, 3, 2)
        with pytest.raises(ValueError, match="expects a 4D tensor"):
            hf.image.image_gradients(hf.zeros([3, 3]))


# ---- Python's functions ----


def test_functions_of_eager_tensors(execution):
    def function(x, y):
        return x * y if float(hf.reduce_sum(x)) > 0 else -x, hf.cast(hf.size(x), hf.int32)

    def called(x, y):
        return hf.py_function(function, [x, y], [hf.float64, hf.int32])

    x, y = np.array([1.0, 2.0]), np.array([3.0, 5.0])
    for sign, wanted, of_x, of_y in ((1, x * y, y, x), (-1, x, -np.ones(2), np.zeros(2))):
        product, size = execution(called, sign * x, y)
        np.testing.assert_array_equal(product, wanted)
        assert (size, size.dtype) == (2, np.int32)
        grads = execution.gradient(lambda x, y: called(x, y)[0], sign * x, y)
        np.testing.assert_array_equal(grads[0], of_x)
        if grads[1] is not None:  # eagerly, what does not depend on it has no gradient
            np.testing.assert_array_equal(grads[1], of_y)
        else:
            assert execution.name == "eager"
            assert sign == -1


def test_functions_of_arrays(execution):
    found = execution(lambda x: hf.numpy_function(lambda x: x.sum(0), [x], hf.float64), X)
    np.testing.assert_allclose(found, X.sum(0))


def test_what_functions_of_eager_tensors_raise(execution):
    def fails(x):
        raise ValueError("not today")

    with pytest.raises((ValueError, hf.errors.InvalidArgumentError), match="not today"):
        execution(lambda x: hf.py_function(fails, [x], hf.float64), X)
    with pytest.raises(TypeError, match="func must be callable"):
        hf.py_function(3, [X], hf.float64)


def test_gradients_that_pass(execution):
    (grad,) = execution.gradient(lambda x: hf.grad_pass_through(hf.round)(x) * 2.0, X)
    np.testing.assert_array_equal(grad, np.full_like(X, 2.0))
    np.testing.assert_array_equal(execution(hf.grad_pass_through(hf.round), X), np.round(X))
