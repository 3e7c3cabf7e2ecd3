"""Cases of the math ops: (id, public name, args, kwargs); an array in them is a tensor."""

import numpy as np

FLOATS = ("float32", "float64")
INTS = ("int32", "int64")

GENERAL = np.array([[-2.5, -1.5, -0.75], [-0.5, 0.25, 0.5], [1.5, 2.5, 3.25]])
UNIT = np.array([[-0.95, -0.5, -0.25], [0.125, 0.5, 0.875]])
POSITIVE = np.array([[0.125, 0.5, 0.75], [1.0, 1.5, 6.5]])
ABOVE_ONE = POSITIVE + 1.0
SPECIAL = np.array(
    [
        *(np.nan, np.inf, -np.inf, -0.0, 0.0, 1.0, -1.0, 0.5, -0.5, 2.5, -2.5),
        *(1e-30, -1e-30, 30.0, -30.0, 88.5, -103.5, 1e4, -1e4),
    ]
)
PAIRED = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0, 1.0, -1.0, 0.5, -2.5, 3.0, -7.0])

ANYWHERE = (
    *("abs", "negative", "sign", "square", "exp", "expm1", "sin", "cos", "tan", "atan", "sinh"),
    *("cosh", "tanh", "asinh", "sigmoid", "log_sigmoid", "erf", "erfc", "floor", "ceil", "round"),
    "rint",
)
POSITIVE_ONLY = ("sqrt", "rsqrt", "log", "log1p", "lgamma", "digamma", "reciprocal")
UNARY = (
    *((name, GENERAL) for name in ANYWHERE),
    *((name, POSITIVE) for name in POSITIVE_ONLY),
    *((name, UNIT) for name in ("asin", "acos", "atanh")),
    ("acosh", ABOVE_ONE),
)
ARITHMETIC = (
    *("add", "subtract", "multiply", "divide", "div", "truediv", "realdiv", "floordiv"),
    *("floormod", "mod", "maximum", "minimum", "squared_difference"),
)
COMPARISONS = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")


def unary():
    """Elementwise functions of one argument."""
    for dtype in FLOATS:
        for name, values in UNARY:
            yield f"{name}/{dtype}", name, [values.astype(dtype)], {}
            yield f"{name}/{dtype}/special", name, [SPECIAL.astype(dtype)], {}
        halves = np.array([-3.5, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5, 0.49999997], dtype)
        for name in ("round", "rint"):
            yield f"{name}/{dtype}/halves", name, [halves], {}
        for name in ("lgamma", "digamma"):
            yield f"{name}/{dtype}/negative", name, [np.array([-0.5, -1.5, -2.25], dtype)], {}
        for name in ("is_nan", "is_inf", "is_finite"):
            yield f"{name}/{dtype}", name, [SPECIAL.astype(dtype)], {}
        yield f"abs/{dtype}/empty", "abs", [np.zeros([0, 3], dtype)], {}
        yield f"exp/{dtype}/scalar", "exp", [np.array(1.5, dtype)], {}
    for dtype in INTS:
        values = np.array([-7, -1, 0, 3], dtype)
        for name in ["abs", "negative", "sign", "square", "round"]:
            yield f"{name}/{dtype}", name, [values], {}
    flags = np.array([True, False])
    yield "logical_not", "logical_not", [flags], {}


def binary():
    """Elementwise functions of two arguments, broadcasting, and Python operators."""
    for dtype in FLOATS:
        x = GENERAL.astype(dtype)
        y = np.array([2.0, -0.75, 1.25], dtype)
        column = np.array([[0.5], [-3.0]], dtype)
        for name in [*ARITHMETIC, "atan2"]:
            yield f"{name}/{dtype}", name, [x, x[::-1] + 0.25], {}
            yield f"{name}/{dtype}/row", name, [x, y], {}
            yield f"{name}/{dtype}/outer", name, [y, column], {}
            yield f"{name}/{dtype}/special", name, special_pair(dtype), {}
        for name in ARITHMETIC:
            yield f"{name}/{dtype}/number", name, [x, 2], {}
        for name in COMPARISONS:
            yield f"{name}/{dtype}/special", name, special_pair(dtype), {}
            yield f"{name}/{dtype}/outer", name, [y, column], {}
        base = np.array([[0.5, 1.0, 2.0]], dtype)
        power = np.array([[-1.5], [0.0], [2.0], [3.0]], dtype)
        yield f"pow/{dtype}", "pow", [base, power], {}
        yield f"pow/{dtype}/number", "pow", [x, 3.0], {}
        yield f"pow/{dtype}/special", "pow", special_pair(dtype), {}
        yield f"add/{dtype}/empty", "add", [np.zeros([0, 3], dtype), y], {}
        yield f"maximum/{dtype}/ties", "maximum", [y, y.copy()], {}
        yield f"minimum/{dtype}/ties", "minimum", [y, y.copy()], {}
    for dtype in INTS:
        x = np.array([[-7, -6, -1], [0, 5, 7]], dtype)
        y = np.array([3, -4, 2], dtype)
        for name in [*ARITHMETIC, "truncatediv", "truncatemod", *COMPARISONS]:
            if name != "realdiv":
                yield f"{name}/{dtype}", name, [x, y], {}
        yield f"pow/{dtype}", "pow", [x, np.array([0, 3, 2], dtype)], {}
        for name in ("div", "floordiv", "floormod", "truncatediv"):
            yield f"{name}/{dtype}/by_zero", name, [x, np.zeros([3], dtype)], {}
    for dtype in ("uint8", "int8", "int16"):
        x = np.array([7, 100, 250], "int64").astype(dtype)
        y = np.array([3, 2, 9], dtype)
        for name in ("add", "multiply", "truediv", "floordiv", "maximum"):
            yield f"{name}/{dtype}", name, [x, y], {}
    left = np.array([True, True, False, False])
    right = np.array([True, False, True, False])
    for name in ("logical_and", "logical_or", "logical_xor", "equal", "not_equal"):
        yield f"{name}/bool", name, [left, right], {}
    yield from operators(left, right)


def special_pair(dtype):
    """Every special value against every other."""
    return [PAIRED.astype(dtype).reshape(-1, 1), PAIRED.astype(dtype).reshape(1, -1)]


def operators(left, right):
    """Python's operators, the tensor on either side."""
    for dtype in ("float32", "int32"):
        x = np.array([-7, -2, 3, 5], dtype)
        y = np.array([2, 3, -4, 2], dtype)
        for name in ("add", "sub", "mul", "truediv", "floordiv", "mod"):
            yield f"operator.{name}/{dtype}", f"operator.{name}", [x, y], {}
            yield f"operator.{name}/{dtype}/right", f"operator.{name}", [x, 3], {}
            yield f"operator.{name}/{dtype}/left", f"operator.{name}", [11, x], {}
        for name in ("lt", "le", "gt", "ge"):
            yield f"operator.{name}/{dtype}", f"operator.{name}", [x, 3], {}
        for name in ("neg", "abs"):
            yield f"operator.{name}/{dtype}", f"operator.{name}", [x], {}
        yield f"operator.pow/{dtype}", "operator.pow", [x, 2], {}
    positive = np.array([0.5, 2.0], np.float32)
    yield "operator.pow/float32/left", "operator.pow", [2.0, positive], {}
    square = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
    yield "operator.matmul", "operator.matmul", [square, square], {}
    for name in ("and_", "or_", "xor"):
        yield f"operator.{name}", f"operator.{name}", [left, right], {}
    yield "operator.invert", "operator.invert", [left], {}


def reductions():
    """Reductions over every kind of axis argument, and cumulative sums."""
    cube = np.random.RandomState(3).uniform(-2, 2, (2, 3, 4)).round(3)
    ties = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
    names = [
        "reduce_sum",
        "reduce_mean",
        "reduce_max",
        "reduce_min",
        "reduce_prod",
        "reduce_logsumexp",
    ]
    variants = [
        ("all", {}),
        ("axis0", {"axis": 0}),
        ("axis-1", {"axis": -1}),
        ("axes02", {"axis": [0, 2]}),
        ("no_axes", {"axis": []}),
        ("keep", {"axis": 1, "keep_dims": True}),
        ("keep_all", {"keep_dims": True}),
        ("keepdims", {"axis": 1, "keepdims": True}),
        ("old", {"reduction_indices": [1]}),
    ]
    for dtype in FLOATS:
        for name in names:
            for label, kwargs in variants:
                yield f"{name}/{dtype}/{label}", name, [cube.astype(dtype)], kwargs
            yield f"{name}/{dtype}/ties", name, [ties.astype(dtype)], {"axis": 1}
            yield f"{name}/{dtype}/empty", name, [np.zeros([0, 2], dtype)], {"axis": 0}
            for label, values in (
                ("nan", [[1.0, np.nan], [np.inf, -np.inf], [np.inf, 2.0], [-np.inf, -np.inf]]),
                ("zeros", [[0.0, 2.0], [0.0, 0.0], [3.0, 4.0], [-0.0, 1.0]]),
            ):
                yield f"{name}/{dtype}/{label}", name, [np.array(values, dtype)], {"axis": 1}
        yield (
            f"reduce_logsumexp/{dtype}/large",
            "reduce_logsumexp",
            [np.array([[1000.0, 1000.5], [-1000.0, -999.0]], dtype)],
            {"axis": 1},
        )
        for name in ("cumsum", "cumprod"):
            for axis in (0, 1, -1):
                for exclusive in (False, True):
                    for reverse in (False, True):
                        yield (
                            f"{name}/{dtype}/{axis}/{exclusive:d}{reverse:d}",
                            name,
                            [ties.astype(dtype)],
                            {"axis": axis, "exclusive": exclusive, "reverse": reverse},
                        )
        yield f"cumprod/{dtype}/zeros", "cumprod", [np.array([2.0, 0.0, 3.0], dtype)], {}
    for dtype in INTS:
        whole = np.array([[-7, 2, 4], [5, 5, -3]], dtype)
        for name in ["reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_prod"]:
            yield f"{name}/{dtype}", name, [whole], {"axis": 1}
        yield f"cumsum/{dtype}", "cumsum", [whole], {"axis": 1}
    flags = np.array([[True, True], [False, True], [False, False]])
    for name in ("reduce_any", "reduce_all"):
        for label, kwargs in (("all", {}), ("axis", {"axis": 1}), ("keep", {"keep_dims": True})):
            yield f"{name}/{label}", name, [flags], kwargs
        yield f"{name}/empty", name, [np.zeros([0], bool)], {}


def searches():
    """argmax, argmin, top_k, bincount, segment sums."""
    table = np.array([[1.0, 3.0, 3.0], [2.0, -1.0, -1.0]])
    for dtype in (*FLOATS, "int32"):
        for name in ("argmax", "argmin"):
            yield f"{name}/{dtype}", name, [table.astype(dtype)], {}
            yield f"{name}/{dtype}/axis", name, [table.astype(dtype)], {"axis": -1}
            yield f"{name}/{dtype}/dimension", name, [table.astype(dtype)], {"dimension": 1}
        kwargs = {"axis": 0, "output_type": "int32"}
        yield f"argmax/{dtype}/int32", "argmax", [table.astype(dtype)], kwargs
        data = np.arange(12).reshape(6, 2).astype(dtype)
        ids = np.array([0, 0, 1, 3, 3, 3], np.int32)
        mixed = np.array([2, 0, 2, 1, 0, 0], np.int64)
        yield f"segment_sum/{dtype}", "segment_sum", [data, ids], {}
        yield f"unsorted_segment_sum/{dtype}", "unsorted_segment_sum", [data, mixed, 4], {}
        yield f"unsorted_segment_max/{dtype}", "unsorted_segment_max", [data, mixed, 4], {}
        grid = np.array([[0, 1], [2, 0], [1, 1]], np.int32)
        flat = data.reshape(3, 2, 2)
        yield f"unsorted_segment_sum/{dtype}/grid", "unsorted_segment_sum", [flat, grid, 3], {}
        values = np.array([[3, 1, 4, 1, 5], [9, 2, 6, 5, 9]], dtype)
        yield f"top_k/{dtype}", "nn.top_k", [values], {"k": 3}
        yield f"top_k/{dtype}/one", "nn.top_k", [values], {}
    counts = np.array([1, 5, 2, 1, 1], np.int32)
    yield "bincount", "bincount", [counts], {}
    yield "bincount/minlength", "bincount", [counts], {"minlength": 8}
    yield "bincount/maxlength", "bincount", [counts], {"maxlength": 3}
    yield "bincount/empty", "bincount", [np.zeros([0], np.int32)], {}
    yield "bincount/dtype", "bincount", [counts], {"dtype": "int64"}
    for dtype in FLOATS:
        weights = np.array([0.5, 1.0, 1.5, 2.0, 2.5], dtype)
        yield f"bincount/{dtype}", "bincount", [counts], {"weights": weights}


def products():
    """matmul, tensordot, einsum."""
    numbers = np.random.RandomState(5)
    for dtype in FLOATS:

        def draw(*shape):
            return numbers.uniform(-1, 1, shape).round(3).astype(dtype)  # noqa: B023

        for a, b in (
            ("", ""),
            ("transpose_a", ""),
            ("", "transpose_b"),
            ("adjoint_a", "adjoint_b"),
        ):
            left, right = draw(2, 3), draw(3, 4)
            kwargs = {key: True for key in (a, b) if key}
            args = [left.T.copy() if a else left, right.T.copy() if b else right]
            yield f"matmul/{dtype}/{a}{b}", "matmul", args, kwargs
        yield f"matmul/{dtype}/batch", "matmul", [draw(2, 3, 2), draw(2, 2, 4)], {}
        kwargs = {"transpose_b": True}
        yield f"matmul/{dtype}/batch_t", "matmul", [draw(2, 3, 2), draw(2, 4, 2)], kwargs
        kwargs = {"adjoint_a": True}
        yield f"matmul/{dtype}/batch_h", "matmul", [draw(2, 2, 2, 3), draw(2, 2, 2, 1)], kwargs
        yield f"matmul/{dtype}/empty", "matmul", [draw(2, 0), draw(0, 3)], {}
        for label, axes in (("0", 0), ("1", 1), ("2", 2), ("lists", [[0], [1]]), ("pair", [1, 0])):
            shapes = {
                "0": ((2,), (3, 2)),
                "1": ((2, 3), (3, 2)),
                "2": ((2, 3, 2), (3, 2, 2)),
                "lists": ((3, 2), (2, 3)),
                "pair": ((2, 3), (3, 2)),
            }[label]
            yield f"tensordot/{dtype}/{label}", "tensordot", [draw(*s) for s in shapes] + [axes], {}
        args = [draw(2, 3, 4), draw(4, 3, 2), [[0, 1], [2, 1]]]
        yield f"tensordot/{dtype}/two", "tensordot", args, {}
        for equation, shapes in (
            ("ij,jk->ik", ((2, 3), (3, 4))),
            ("ij,jk", ((2, 3), (3, 4))),
            ("ij,ij->i", ((2, 3), (2, 3))),
            ("bij,bjk->bik", ((2, 3, 2), (2, 2, 3))),
            ("ij->ji", ((2, 3),)),
            ("ij->j", ((2, 3),)),
            ("ij->", ((2, 3),)),
            ("i,j->ij", ((2,), (3,))),
            ("ij,jk,kl->il", ((2, 3), (3, 2), (2, 2))),
            ("abc,cd->abd", ((2, 2, 3), (3, 2))),
            ("ijk,ikl->ijl", ((2, 2, 3), (2, 3, 2))),
            ("ii->i", ((3, 3),)),
            ("...ij,...jk->...ik", ((2, 2, 3), (2, 3, 2))),
        ):
            args = [equation] + [draw(*shape) for shape in shapes]
            yield f"einsum/{dtype}/{equation}", "einsum", args, {}
    whole = np.array([[1, -2], [3, 4]], np.int32)
    yield "matmul/int32", "matmul", [whole, whole], {}


def norms():
    """norm, clips, global norms, add_n, accumulate_n."""
    for dtype in FLOATS:
        x = np.array([[3.0, -4.0, 0.5], [1.0, 2.0, -2.0]], dtype)
        y = np.array([0.5, -1.5], dtype)
        for label, kwargs in (
            ("euclidean", {}),
            ("1", {"ord": 1}),
            ("2", {"ord": 2}),
            ("3", {"ord": 3}),
            ("fro", {"ord": "fro", "axis": [0, 1]}),
            ("axis", {"axis": 1}),
            ("axis_keep", {"axis": 0, "keep_dims": True}),
            ("1_axis", {"ord": 1, "axis": 1}),
        ):
            yield f"norm/{dtype}/{label}", "norm", [x], kwargs
        yield f"norm/{dtype}/inf", "norm", [x], {"ord": float("inf"), "axis": 1}
        yield f"norm/{dtype}/zero", "norm", [np.zeros([2], dtype)], {}
        yield f"clip_by_value/{dtype}", "clip_by_value", [x, -1.0, 1.5], {}
        at_edge = np.array([-1.0, 0.0, 1.0, np.nan, np.inf], dtype)
        yield f"clip_by_value/{dtype}/edge", "clip_by_value", [at_edge, -1.0, 1.0], {}
        bound = np.array([1.0, 0.5, 0.25], dtype)
        yield f"clip_by_value/{dtype}/tensors", "clip_by_value", [x, -bound, bound], {}
        yield f"clip_by_norm/{dtype}", "clip_by_norm", [x, 2.0], {}
        yield f"clip_by_norm/{dtype}/inside", "clip_by_norm", [x, 20.0], {}
        yield f"clip_by_norm/{dtype}/axes", "clip_by_norm", [x, 2.5], {"axes": [1]}
        yield f"clip_by_norm/{dtype}/zero", "clip_by_norm", [np.zeros([3], dtype), 1.0], {}
        yield f"clip_by_average_norm/{dtype}", "clip_by_average_norm", [x, 0.25], {}
        yield f"clip_by_average_norm/{dtype}/inside", "clip_by_average_norm", [x, 9.0], {}
        yield f"global_norm/{dtype}", "global_norm", [[x, y]], {}
        yield f"clip_by_global_norm/{dtype}", "clip_by_global_norm", [[x, y], 2.0], {}
        yield f"clip_by_global_norm/{dtype}/inside", "clip_by_global_norm", [[x, y], 50.0], {}
        norm = np.array(10.0, dtype)
        yield f"clip_by_global_norm/{dtype}/use", "clip_by_global_norm", [[x, y], 2.0, norm], {}
        bad = np.array([np.inf, 1.0], dtype)
        yield f"clip_by_global_norm/{dtype}/inf", "clip_by_global_norm", [[x, bad], 2.0], {}
        yield f"add_n/{dtype}", "add_n", [[x, x * 2, x * 3]], {}
        yield f"accumulate_n/{dtype}", "accumulate_n", [[x, x * 2, x * 3]], {}
        yield f"scalar_mul/{dtype}", "scalar_mul", [2.5, x], {}
    whole = np.array([1, -2], np.int32)
    yield "add_n/int32", "add_n", [[whole, whole]], {}
    yield "clip_by_value/int32", "clip_by_value", [whole, -1, 1], {}


def cases():
    """All cases of this file."""
    for part in (unary, binary, reductions, searches, products, norms):
        yield from part()
