"""Records what TensorFlow 1.4 quantizes numbers to: writes quantizing.json beside this file.

python tests/recorded/record_quantizing.py    # with TensorFlow 1.4
"""

import json
import os

import numpy as np
import tensorflow as tf

X = [-9.0, -2.0, -1.26, -0.7, -0.01, 0.0, 0.004, 0.5, 1.23, 2.4999, 7.0]
RANGES = ((-2.0, 2.5), (0.5, 3.0), (-3.0, -1.0), (0.0, 0.0))
MODES = "MIN_COMBINED", "MIN_FIRST", "SCALED"


def rows():
    with tf.Session() as session:
        for dtype in (tf.qint8, tf.quint8, tf.qint16, tf.quint16, tf.qint32):
            for mode in MODES:
                for low, high in RANGES:
                    made = tf.quantize_v2(np.array(X, np.float32), low, high, dtype, mode)
                    back = tf.dequantize(made[0], made[1], made[2], mode)
                    levels, least, most, floats = session.run([made[0], made[1], made[2], back])
                    yield {
                        "dtype": dtype.name,
                        "mode": mode,
                        "range": [low, high],
                        "levels": levels.tolist(),
                        "found": [float(least), float(most)],
                        "floats": [float(format(value, ".9g")) for value in floats],
                    }


path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "quantizing.json")
with open(path, "w") as file:
    head = json.dumps({"version": tf.VERSION, "x": X})[:-1]
    lines = ",\n ".join(json.dumps(row, sort_keys=True) for row in rows())
    file.write(head + ', "rows": [\n ' + lines + "\n]}\n")
