"""Checkpoints written by TensorFlow, for the tests of reading and writing them.

Run by TensorFlow 1.4, 1.15 and 2.x; each writes `checkpoints/<major>_<minor>.*`.
"""

import os

import checkpoint_values
import recording
from recording import tf

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "checkpoints")


def main():
    prefix = os.path.join(FOLDER, "_".join(recording.VERSION.split(".")[:2]))
    with tf.Graph().as_default(), tf.Session() as session:
        for name, value in checkpoint_values.values().items():
            if value.dtype == object:
                tf.Variable(tf.constant(value, tf.string), name=name)
            else:
                tf.Variable(value, name=name)
        scope, name = checkpoint_values.PARTS.split("/")
        with tf.variable_scope(scope, partitioner=tf.fixed_size_partitioner(3)):
            whole = checkpoint_values.PARTS_VALUE

            def initial(shape, dtype, partition_info):
                first = partition_info.var_offset[0]
                return tf.constant(whole[first : first + int(shape[0])], dtype)

            tf.get_variable(name, whole.shape, initializer=initial)
        session.run(tf.global_variables_initializer())
        tf.train.Saver().save(session, prefix, write_meta_graph=False)
    os.remove(os.path.join(FOLDER, "checkpoint"))


if __name__ == "__main__":
    main()
