"""Reads the recorded oracle values; needs NumPy alone.

A recording is `<stem>.json` (structure) and `<stem>.npz` (one flat array a dtype). An array
stands in the JSON as `{"array": [dtype, offset, shape]}`; `load` puts the array in its place.
"""

import json
import pathlib

import numpy as np

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


def exists(stem, folder=FOLDER):
    """Tells whether `stem` was recorded."""
    return (folder / (stem + ".json")).exists()
