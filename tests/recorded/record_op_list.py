"""The op definitions of TensorFlow 1.15: names, inputs, outputs, attributes, defaults.

Run by TensorFlow 1.15; writes `tensorflow_ops.binpb.z` beside the module that reads it: an
`OpList` without descriptions, deflated. Run by 1.4.1 afterwards, it writes `later_attributes.json`
there: which attributes of them 1.4 lacks.
"""

import json
import os
import zlib

import tensorflow as tf
from tensorflow.core.framework import op_def_pb2
from tensorflow.python import pywrap_tensorflow

FOLDER = os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "..", "hybridflow", "_src", "graphs"
)
OPS = os.path.join(FOLDER, "tensorflow_ops.binpb.z")


def write_ops(ops):
    for op in ops.op:
        op.ClearField("summary")
        op.ClearField("description")
        for part in [*op.attr, *op.input_arg, *op.output_arg]:
            part.ClearField("description")
    with open(OPS, "wb") as file:
        file.write(zlib.compress(ops.SerializeToString(), 9))


def write_later_attributes(ops):
    known = {op.name: {attr.name for attr in op.attr} for op in ops.op}
    with open(OPS, "rb") as file:
        all_ops = op_def_pb2.OpList.FromString(zlib.decompress(file.read()))
    later = {
        op.name: sorted({attr.name for attr in op.attr} - known[op.name])
        for op in all_ops.op
        if op.name in known
    }
    with open(os.path.join(FOLDER, "later_attributes.json"), "w") as file:
        found = {name: names for name, names in later.items() if names}
        json.dump(found, file, indent=0, sort_keys=True)
        file.write("\n")


def main():
    ops = op_def_pb2.OpList()
    ops.ParseFromString(pywrap_tensorflow.TF_GetBuffer(pywrap_tensorflow.TF_GetAllOpList()))
    if tf.__version__.startswith("1.4."):
        write_later_attributes(ops)
    else:
        write_ops(ops)


if __name__ == "__main__":
    main()
