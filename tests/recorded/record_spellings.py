"""Records what TensorFlow 1.15 says of names that 1.4 lacks: python record_spellings.py

Needs TensorFlow 1.15 alone; writes `spellings.json` beside it: which names are one function, and
what functions give that 1.4 has not.
"""

import contextlib
import inspect
import io
import json
import os
import pathlib
import sys

import tensorflow as tf

# Function, arguments, keywords; lists of lists become tensors.
X = [[3.0, 1.0, 2.0], [4.0, 0.0, 1.0]]
N = [[3, 1, 2, 2], [-4, 0, 7, -4]]
T3 = [[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [[7.0, 8.0], [9.0, 10.0], [11.0, 12.0]]]
CASES = [
    *[["roll", [X, s, a], {}] for s, a in ((1, 0), (-1, 1), (4, -1), ([1, 2], [0, 1]))],
    ["roll", [N, [1, 1], [1, 1]], {}],
    *[
        [f, [x], {"axis": axis, "direction": direction}]
        for f in ("sort", "argsort")
        for x in (X, N, T3)
        for axis in (-1, 0, 1)
        for direction in ("ASCENDING", "DESCENDING")
    ],
    ["batch_gather", [X, [[2], [0]]], {}],
    ["batch_gather", [T3, [[2, 0], [1, 1]]], {}],
    ["batch_gather", [[1.0, 2.0, 3.0], [2, 0]], {}],
    ["batch_gather", [T3, [[[1], [0], [1]], [[0], [0], [1]]]], {}],
    ["gather", [T3, [[2, 0], [1, 1]]], {"batch_dims": 1}],
    ["gather", [T3, [[1, 0], [1, 1]]], {"batch_dims": 1, "axis": 2}],
    ["gather", [T3, [[1, 0], [1, 1]]], {"batch_dims": -1, "axis": -1}],
    ["ensure_shape", [X, [None, 3]], {}],
    ["math.divide_no_nan", [[1.0, 2.0, -3.0], [2.0, 0.0, 0.5]], {}],
    ["nn.moments", [X, [0]], {"keepdims": True}],
    ["nn.conv1d", [], {"input": T3, "filters": [[[1.0], [2.0]]], "stride": 1, "padding": "SAME"}],
    ["reduce_sum", [X], {"axis": 1, "keepdims": True}],
    ["math.count_nonzero", [], {"input": X, "axis": 0}],
    ["compat.v1.dimension_value", [7], {}],
    ["nn.dropout", [X], {"rate": 0.0}],
]

PRINTED = [
    [["x:", {"range": 10}, [1.5]], {}],
    [[[[1, 2], [3, 4]], {"range": 27, "shape": [3, 3, 3]}], {}],
    [[0.1, [0.1, 1e10, 1e-7, 123456.789, 1234567.0], True, [True, False], "a"], {}],
    [[{"range": 27, "shape": [3, 3, 3]}], {"summarize": 1}],
    [[{"range": 10}], {"summarize": -1, "end": "E\n"}],
    [[["a", "b"], 3], {"sep": "|"}],
    [[[]], {}],
]


def values(result):
    if isinstance(result, (list, tuple)):
        return [values(item) for item in result]
    return result.numpy().tolist() if hasattr(result, "numpy") else result


def tensor(value):
    is_nested = isinstance(value, list) and value and isinstance(value[0], list)
    return tf.constant(value) if is_nested else value


def called(path, args, kwargs):
    return function(path)(*map(tensor, args), **{k: tensor(v) for k, v in kwargs.items()})


def function(path):
    found = tf
    for name in path.split("."):
        found = getattr(found, name)
    return found


def printed(items, kwargs):
    made = [
        tf.reshape(tf.range(i["range"]), i.get("shape", [-1]))
        if isinstance(i, dict)
        else i
        if isinstance(i, str)
        else tf.constant(i)
        for i in items
    ]
    reading, writing = os.pipe()
    kept = os.dup(1)
    os.dup2(writing, 1)
    try:
        tf.print(*made, output_stream=sys.stdout, **kwargs)
        sys.stdout.flush()
    finally:
        os.dup2(kept, 1)
        os.close(writing)
    with open(reading, encoding="utf-8") as file:
        return file.read()


def names(module, path, found, depth=0):
    for name in dir(module):
        value = None if name.startswith("_") else getattr(module, name, None)
        if inspect.ismodule(value):
            if "_api.v1" in value.__name__ and depth < 4 and name not in ("compat", "contrib"):
                names(value, f"{path}{name}.", found, depth + 1)
        elif callable(value):
            found.setdefault(id(value), []).append(path + name)


def main():
    by_object = {}
    names(tf, "", by_object)
    tf.enable_eager_execution()
    document = {
        "version": tf.__version__,
        "groups": sorted(sorted(group) for group in by_object.values() if len(group) > 1),
        "cases": [[*case, values(called(*case))] for case in CASES],
        "printed": [[*case, printed(*case)] for case in PRINTED],
    }
    path = pathlib.Path(__file__).with_name("spellings.json")
    path.write_text(json.dumps(document, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    with contextlib.redirect_stderr(io.StringIO()):
        main()
