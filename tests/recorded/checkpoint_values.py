"""What the recorded checkpoints hold, by name; in every Python and without TensorFlow."""

import numpy as np


def values():
    """Tensors of many dtypes and shapes; keys that share their beginnings."""
    found = {
        "empty": np.zeros([0, 3], np.float32),
        "scalar": np.float64(3.5),
        "half": np.array([1.5, -2.0], np.float16),
        "complex": np.array([1 + 2j], np.complex64),
        "flags": np.array([True, False, True]),
        "bytes": np.arange(250, 256).astype(np.uint8),
        "whole": np.arange(-3, 4),
        "strings": np.array([[b"", b"yes"], [b"z" * 200, b"\xff\x00\x01"]], object),
        "layer/kernel": np.arange(12, dtype=np.float32).reshape(3, 4) / 7,
    }
    for name in ("int8", "int16", "int32", "uint16", "complex128", "float64"):
        found["kinds/" + name] = np.array([[0, 1, 127], [5, 6, 7]], name)
    found["kinds/int32"][0] = [-(2**31), 2**31 - 1, -1]
    found["kinds/int8"][0] = [-128, 127, -1]
    for index in range(40):
        found[f"many/layer_{index:02d}/bias"] = np.full([2], index, np.float32)
    return found


# Kept in three slices along the first axis.
PARTS = "parts/w"
PARTS_VALUE = np.arange(14, dtype=np.float32).reshape(7, 2)
