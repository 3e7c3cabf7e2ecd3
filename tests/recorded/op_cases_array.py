"""Cases of the array and creation ops: (id, public name, args, kwargs)."""

import numpy as np

FLOATS = ("float32", "float64")
EVERY = ("float32", "float64", "int32", "bool")


def table(dtype, *shape):
    """0, 1, 2 ... in a shape."""
    return np.arange(int(np.prod(shape))).reshape(shape).astype(dtype)


def creation():
    """Ops that make tensors from literals."""
    for dtype in ("float32", "float64", "int32", "int64"):
        yield f"constant/{dtype}", "constant", [[[1, 2], [3, 4]]], {"dtype": dtype}
        yield f"constant/{dtype}/fill", "constant", [7], {"dtype": dtype, "shape": [2, 3]}
        yield f"constant/{dtype}/last", "constant", [[1, 2]], {"dtype": dtype, "shape": [5]}
        for name in ("zeros", "ones"):
            yield f"{name}/{dtype}", name, [[2, 3]], {"dtype": dtype}
            yield f"{name}/{dtype}/scalar", name, [[]], {"dtype": dtype}
            yield f"{name}_like/{dtype}", f"{name}_like", [table(dtype, 2, 2)], {}
        yield f"eye/{dtype}", "eye", [3], {"dtype": dtype}
        yield f"range/{dtype}", "range", [2, 11, 3], {"dtype": dtype}
    yield "constant/infer_int", "constant", [[1, 2]], {}
    yield "constant/infer_float", "constant", [[1.5, 2]], {}
    yield "constant/infer_bool", "constant", [[True, False]], {}
    yield "constant/empty", "constant", [[]], {}
    yield "zeros_like/dtype", "zeros_like", [table("float32", 2)], {"dtype": "int32"}
    yield "zeros/bool", "zeros", [[2]], {"dtype": "bool"}
    yield "fill", "fill", [[2, 3], 1.5], {}
    yield "fill/int", "fill", [[2], 3], {}
    yield "fill/tensor", "fill", [np.array([2, 2], np.int32), np.array(2.5, np.float64)], {}
    yield "range/stop", "range", [5], {}
    yield "range/float", "range", [0.0, 1.0, 0.25], {}
    yield "range/down", "range", [5, 0, -2], {}
    yield "range/empty", "range", [3, 3], {}
    yield "range/mixed", "range", [1, 2.5], {}
    yield "range/inexact", "range", [0.0, 0.3, 0.1], {}
    yield "linspace", "linspace", [1.0, 2.0, 5], {}
    yield "linspace/one", "linspace", [1.0, 2.0, 1], {}
    yield "linspace/thirds", "linspace", [0.0, 1.0, 4], {}
    yield "linspace/down", "linspace", [3.0, -1.0, 3], {}
    yield "eye/rectangle", "eye", [2, 3], {}
    yield "eye/batch", "eye", [2], {"batch_shape": [3]}
    indices = np.array([[0, 2], [-1, 3]], np.int32)
    yield "one_hot", "one_hot", [indices, 3], {}
    yield "one_hot/values", "one_hot", [indices, 3], {"on_value": 5, "off_value": -1}
    yield "one_hot/floats", "one_hot", [indices, 3], {"on_value": 0.5, "off_value": 0.25}
    yield "one_hot/axis0", "one_hot", [indices, 3], {"axis": 0}
    yield "one_hot/axis1", "one_hot", [indices, 3], {"axis": 1, "dtype": "int64"}
    yield "one_hot/bool", "one_hot", [indices, 2, True, False], {}


def casts():
    """cast between kinds, the to_* shorthands."""
    numbers = np.array([-2.75, -0.5, 0.0, 0.5, 1.0, 2.99, 100.6])
    for source in ("float32", "float64", "float16", "int32", "int64", "bool"):
        for target in ("float32", "float64", "float16", "int32", "int64", "bool", "complex64"):
            yield f"cast/{source}/{target}", "cast", [numbers.astype(source), target], {}
    for target in ("uint8", "int8", "int16", "uint16"):
        whole = np.array([-1, 0, 127, 128, 255, 256, 65536], np.int32)
        yield f"cast/int32/{target}", "cast", [whole, target], {}
    extremes = np.array([np.nan, np.inf, -np.inf, 1e10, -1e10, 1e-45, 1e39, 65520.0])
    yield "cast/extremes/float32", "cast", [extremes, "float32"], {}
    yield "cast/extremes/float16", "cast", [extremes, "float16"], {}
    yield "cast/extremes/bool", "cast", [extremes, "bool"], {}
    for source in FLOATS:
        yield f"cast/extremes/{source}/int32", "cast", [extremes[:5].astype(source), "int32"], {}
    for name in ("to_float", "to_double", "to_int32", "to_int64"):
        for source in ("float64", "int32"):
            yield f"{name}/{source}", name, [numbers.astype(source)], {}
    for source in ("float32", "int32"):
        wide = np.array([-300.5, -1.0, 5.0, 300.0]).astype(source)
        yield f"saturate_cast/{source}", "saturate_cast", [wide, "uint8"], {}


def rearranging():
    """reshape, transpose, squeeze, concat and their like."""
    for dtype in EVERY:
        x = table(dtype, 2, 3)
        yield f"identity/{dtype}", "identity", [x], {}
        yield f"reshape/{dtype}", "reshape", [x, [3, 2]], {}
        yield f"reshape/{dtype}/infer", "reshape", [x, [-1]], {}
        yield f"transpose/{dtype}", "transpose", [x], {}
        yield f"concat/{dtype}", "concat", [[x, x[:1]]], {"axis": 0}
        yield f"stack/{dtype}", "stack", [[x, x]], {"axis": 1}
        yield f"tile/{dtype}", "tile", [x, [2, 1]], {}
        yield f"reverse/{dtype}", "reverse", [x], {"axis": [1]}
    for dtype in FLOATS:
        x = table(dtype, 2, 3, 4)
        y = table(dtype, 1, 3, 1, 2)
        yield f"reshape/{dtype}/tensor", "reshape", [x, np.array([4, -1], np.int32)], {}
        yield f"transpose/{dtype}/perm", "transpose", [x], {"perm": [2, 0, 1]}
        for axis in (0, 1, -1, -3):
            yield f"expand_dims/{dtype}/{axis}", "expand_dims", [table(dtype, 2, 3)], {"axis": axis}
        yield f"squeeze/{dtype}", "squeeze", [y], {}
        yield f"squeeze/{dtype}/axis", "squeeze", [y], {"axis": [0]}
        yield f"squeeze/{dtype}/negative", "squeeze", [y], {"axis": [-2]}
        yield f"squeeze/{dtype}/old", "squeeze", [y], {"squeeze_dims": [2]}
        for axis in (1, -1):
            parts = [table(dtype, 2, 3), table(dtype, 2, 3) + 10, table(dtype, 2, 3) - 5]
            yield f"concat/{dtype}/{axis}", "concat", [parts, axis], {}
            yield f"stack/{dtype}/{axis}", "stack", [parts], {"axis": axis}
        yield f"concat/{dtype}/one", "concat", [[table(dtype, 2, 3)], 0], {}
        yield f"unstack/{dtype}", "unstack", [x], {}
        yield f"unstack/{dtype}/axis", "unstack", [x], {"axis": -2}
        yield f"split/{dtype}", "split", [x, 2], {"axis": 2}
        yield f"split/{dtype}/sizes", "split", [x, [1, 3]], {"axis": -1}
        yield f"split/{dtype}/rest", "split", [x, [1, -1]], {"axis": 1}
        yield f"tile/{dtype}/cube", "tile", [x, [1, 2, 2]], {}
        yield f"reverse/{dtype}/two", "reverse", [x], {"axis": [0, -1]}
        yield f"pad/{dtype}/unequal", "pad", [table(dtype, 2, 3), [[1, 0], [0, 2]]], {}
        kwargs = {"constant_values": 7}
        yield f"pad/{dtype}/value", "pad", [table(dtype, 2, 3), [[1, 1], [2, 1]]], kwargs
        for mode in ("CONSTANT", "REFLECT", "SYMMETRIC", "reflect"):
            args = [table(dtype, 3, 4), [[1, 2], [2, 1]], mode]
            yield f"pad/{dtype}/{mode}", "pad", args, {}
    yield "pad/int32", "pad", [table("int32", 2, 2), [[1, 0], [0, 1]]], {}
    for order in ([2, 0, 1], [0], []):
        label = "".join(map(str, order)) or "empty"
        values = np.array(order, np.int32)
        yield f"invert_permutation/{label}", "invert_permutation", [values], {}
    a, b, c = np.array([1.0, 2.0]), np.array([3.0, 4.0, 5.0]), np.array([6.0, 7.0])
    yield "meshgrid", "meshgrid", [a, b], {}
    yield "meshgrid/ij", "meshgrid", [a, b], {"indexing": "ij"}
    yield "meshgrid/three", "meshgrid", [a, b, c], {}


def taking():
    """slice, strided slices, gather, where, masks, unique, shapes."""
    for dtype in FLOATS:
        x = table(dtype, 3, 4) * 0.5
        cube = table(dtype, 2, 3, 4)
        yield f"slice/{dtype}", "slice", [x, [1, 0], [2, 3]], {}
        yield f"slice/{dtype}/rest", "slice", [x, [1, 1], [-1, -1]], {}
        yield f"slice/{dtype}/empty", "slice", [x, [0, 0], [0, 2]], {}
        for label, index in (
            ("row", [1]),
            ("negative", [-1]),
            ("range", [["slice", 1, 3, None]]),
            ("from", [["slice", 1, None, None], ["slice", None, -1, None]]),
            ("step", [["slice", None, None, 2], ["slice", 1, None, 2]]),
            ("backward", [["slice", None, None, -1], ["slice", 3, 0, -2]]),
            ("corner", [1, 2]),
            ("column", [["slice", None, None, None], 1]),
            ("ellipsis", ["...", 0]),
            ("newaxis", [None, 1]),
            ("newaxis_last", ["...", None]),
            ("mixed", [["slice", None, 2, None], None, -1]),
            ("nothing", [["slice", 2, 2, None]]),
            ("beyond", [["slice", -10, 10, None]]),
            ("all", [["slice", None, None, None]]),
        ):
            yield f"getitem/{dtype}/{label}", "operator.getitem", [x, index], {}
        yield f"getitem/{dtype}/tensor", "operator.getitem", [x, [np.array(2, np.int32)]], {}
        bound = ["slice", np.array(1, np.int32), np.array(3, np.int32), None]
        yield f"getitem/{dtype}/tensor_slice", "operator.getitem", [x, [bound]], {}
        yield f"getitem/{dtype}/middle", "operator.getitem", [cube, [0, "...", 1]], {}
        yield f"strided_slice/{dtype}", "strided_slice", [x, [0, 1], [3, 4], [2, 1]], {}
        kwargs = {"begin_mask": 1, "end_mask": 2, "shrink_axis_mask": 0}
        yield f"strided_slice/{dtype}/masks", "strided_slice", [x, [1, 1], [2, 2]], kwargs
        indices = np.array([[2, 0], [1, 1]], np.int32)
        yield f"gather/{dtype}", "gather", [x, indices], {}
        yield f"gather/{dtype}/scalar", "gather", [x, np.array(1, np.int64)], {}
        yield f"gather/{dtype}/axis", "gather", [x, indices], {"axis": 1}
        yield f"gather/{dtype}/negative", "gather", [cube, indices], {"axis": -1}
        yield f"gather/{dtype}/empty", "gather", [x, np.zeros([0], np.int32)], {}
        yield f"gather_nd/{dtype}", "gather_nd", [x, np.array([[0, 1], [2, 3]], np.int32)], {}
        yield f"gather_nd/{dtype}/rows", "gather_nd", [x, np.array([[2], [0]], np.int32)], {}
        yield f"gather_nd/{dtype}/deep", "gather_nd", [cube, np.array([[[1, 2]]], np.int32)], {}
        flags = np.array([[True, False], [False, True]])
        left, right = table(dtype, 2, 2), -table(dtype, 2, 2)
        yield f"where/{dtype}", "where", [flags, left, right], {}
        yield f"where/{dtype}/rows", "where", [flags[0], left, right], {}
        bad = np.array([[np.nan, 1.0], [np.inf, 2.0]], dtype)
        yield f"where/{dtype}/nan", "where", [flags, left, bad], {}
        keep = np.array([True, False, True])
        yield f"boolean_mask/{dtype}", "boolean_mask", [x, keep], {}
        yield f"boolean_mask/{dtype}/matrix", "boolean_mask", [x, x > 2.0], {}
        yield f"boolean_mask/{dtype}/axis", "boolean_mask", [cube, keep], {"axis": 1}
        yield f"boolean_mask/{dtype}/none", "boolean_mask", [x, np.zeros([3], bool)], {}
        yield f"unique/{dtype}", "unique", [np.array([3, 1, 3, 2, 1], dtype)], {}
    yield "where/indices", "where", [np.array([[True, False], [True, True]])], {}
    yield "where/no_indices", "where", [np.zeros([2, 2], bool)], {}
    yield "where/scalar", "where", [np.array(True), np.array(1.5), np.array(2.5)], {}
    yield "unique/int32", "unique", [np.array([7, 7, 5, 9, 5], np.int32)], {}
    yield "unique/int64", "unique", [np.array([7, 7, 5], np.int64)], {"out_idx": "int64"}
    lengths = np.array([1, 3, 0], np.int32)
    yield "sequence_mask", "sequence_mask", [lengths], {}
    yield "sequence_mask/maxlen", "sequence_mask", [lengths, 5], {}
    yield "sequence_mask/short", "sequence_mask", [lengths, 2], {}
    yield "sequence_mask/dtype", "sequence_mask", [lengths], {"dtype": "float32"}
    yield "sequence_mask/matrix", "sequence_mask", [np.array([[1, 3], [2, 0]], np.int64)], {}
    for label, x in (("cube", table("float32", 2, 3, 4)), ("scalar", np.array(3.0))):
        for name in ("shape", "size", "rank"):
            yield f"{name}/{label}", name, [x], {}
        yield f"shape/{label}/int64", "shape", [x], {"out_type": "int64"}
        yield f"size/{label}/int64", "size", [x], {"out_type": "int64"}


def cases():
    """All cases of this file."""
    for part in (creation, casts, rearranging, taking):
        yield from part()
