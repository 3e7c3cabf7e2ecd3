"""Linear algebra: cases for `record_family.py`."""

import numpy as np


def numbers(seed, *shape):
    """Float64 numbers with few digits."""
    return np.random.RandomState(seed).uniform(-1, 1, shape).round(2)


def regular(seed, *shape):
    """Matrices far from singular."""
    return numbers(seed, *shape) + 2 * np.eye(shape[-1])


def positive(seed, *shape):
    """Positive definite matrices."""
    x = numbers(seed, *shape)
    return np.matmul(x, np.swapaxes(x, -1, -2)) + np.eye(shape[-1])


def systems():
    """Inverses, equations, factors, determinants."""
    for label, shape in (("one", (3, 3)), ("batch", (2, 3, 3)), ("none", (0, 2, 2))):
        a, b = regular(1, *shape), numbers(2, *shape[:-1], 2)
        c = positive(3, *shape)
        yield f"inverse/{label}", "matrix_inverse", [a], {}
        yield f"inverse/{label}/adjoint", "matrix_inverse", [a], {"adjoint": True}
        yield f"solve/{label}", "matrix_solve", [a, b], {}
        yield f"solve/{label}/adjoint", "matrix_solve", [a, b], {"adjoint": True}
        yield f"triangular/{label}", "matrix_triangular_solve", [a, b], {}
        upper = {"lower": False, "adjoint": True}
        yield f"triangular/{label}/upper", "matrix_triangular_solve", [a, b], upper
        yield f"cholesky/{label}", "cholesky", [c], {}
        yield f"cholesky_solve/{label}", "cholesky_solve", [a, b], {}
        yield f"determinant/{label}", "matrix_determinant", [a], {}
        yield f"slogdet/{label}", "linalg.slogdet", [a], {}
        yield f"logdet/{label}", "linalg.logdet", [c], {}
        yield f"expm/{label}", "linalg.expm", [numbers(4, *shape)], {}
    yield "inverse/float32", "matrix_inverse", [regular(5, 4, 4).astype("float32")], {}
    yield "inverse/singular", "matrix_inverse", [np.ones([2, 2])], {}
    yield "cholesky/indefinite", "cholesky", [np.array([[1.0, 2.0], [2.0, 1.0]])], {}


def least_squares():
    """Tall, wide and square ones, both ways."""
    for label, shape in (("tall", (4, 2)), ("wide", (2, 4)), ("batch", (2, 4, 2))):
        a = numbers(6, *shape) + 2 * np.eye(*shape[-2:])
        b = numbers(7, *shape[:-1], 2)
        yield f"ls/{label}", "matrix_solve_ls", [a, b], {}
        yield f"ls/{label}/l2", "matrix_solve_ls", [a, b], {"l2_regularizer": 0.5}
        yield f"ls/{label}/slow", "matrix_solve_ls", [a, b], {"fast": False}
    deficient = np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]])
    yield "ls/deficient", "matrix_solve_ls", [deficient, numbers(8, 3, 1)], {"fast": False}


def cases():
    """All of them."""
    for family in (systems, least_squares):
        yield from family()
