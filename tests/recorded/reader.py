"""Reads the recorded oracle values; needs NumPy alone.

A recording is `<stem>.json` (structure) and `<stem>.npz` (one flat array a dtype). An array
stands in the JSON as `{"array": [dtype, offset, shape]}`; `load` puts the array in its place.
"""

import json
import operator
import pathlib

import numpy as np

# Recorded names "operator.<name>" are Python's own operators on tensors.
NAMES = (
    *("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "neg"),
    *("lt", "le", "gt", "ge", "and_", "or_", "xor", "invert"),
)
OPERATORS = {f"operator.{name}": getattr(operator, name) for name in NAMES}
OPERATORS["operator.abs"] = abs

FOLDER = pathlib.Path(__file__).resolve().parent


def _fill(node, pool):
    if isinstance(node, list):
        return [_fill(item, pool) for item in node]
    if isinstance(node, dict):
        if len(node) == 1 and "array" in node:
            dtype, offset, shape = node["array"]
            size = int(np.prod(shape, dtype=np.int64))
            array = pool[dtype][offset : offset + size].reshape(shape)
            array.flags.writeable = False
            return array
        return {key: _fill(value, pool) for key, value in node.items()}
    return node


def load(stem, folder=FOLDER):
    """Returns the document of `stem`, arrays in place (read-only views)."""
    document = json.loads((folder / (stem + ".json")).read_text(encoding="utf-8"))
    with np.load(str(folder / (stem + ".npz")), allow_pickle=False) as packed:
        pool = {name: packed[name] for name in packed.files}
    return _fill(document, pool)


def table(stem, folder=FOLDER):
    """The cases of `stem` by id, those of `<stem>_later` with them.

    A case that TensorFlow 2.x answers otherwise has 2.x's answer under "later". A case that
    1.4 lacks is 2.x's, with "in_1_4": "missing".
    """
    cases = {case["id"]: case for case in load(stem, folder)["cases"]}
    for case in load(f"{stem}_later", folder)["cases"]:
        if case["in_1_4"] == "missing":
            cases[case["id"]] = case
        else:
            cases[case["id"]]["later"] = case
    return cases


def decode_index(spec):
    """The index that a recorded "operator.getitem" stands for; tensors in it stay.

    A recorded index is a list of ints, tensors, "...", None (a new axis) and
    `["slice", start, stop, step]`.
    """
    parts = []
    for item in spec:
        if isinstance(item, list):
            parts.append(slice(*item[1:]))
        elif isinstance(item, str):
            parts.append(Ellipsis)
        else:
            parts.append(item)
    return parts[0] if len(parts) == 1 else tuple(parts)
