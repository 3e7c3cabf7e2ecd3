"""The op definitions of TensorFlow 1.15: names, inputs, outputs, attributes, defaults.

Run by TensorFlow 1.15; writes `tensorflow_ops.binpb.z` beside the module that reads it: an
`OpList` without descriptions, deflated.
"""

import os
import zlib

from tensorflow.core.framework import op_def_pb2
from tensorflow.python import pywrap_tensorflow

TARGET = "../../hybridflow/_src/graphs/tensorflow_ops.binpb.z"


def main():
    ops = op_def_pb2.OpList()
    ops.ParseFromString(pywrap_tensorflow.TF_GetBuffer(pywrap_tensorflow.TF_GetAllOpList()))
    for op in ops.op:
        op.ClearField("summary")
        op.ClearField("description")
        for part in [*op.attr, *op.input_arg, *op.output_arg]:
            part.ClearField("description")
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), TARGET)
    with open(path, "wb") as file:
        file.write(zlib.compress(ops.SerializeToString(), 9))


if __name__ == "__main__":
    main()
