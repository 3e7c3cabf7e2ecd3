"""Checkpoints written by TensorFlow, for the tests of reading and writing them.

Run by TensorFlow 1.4, 1.15 and 2.x; each writes `checkpoints/<major>_<minor>.*`: of version 2, and
`.v1` of version 1, in one file and in two. 2.x writes one more that is based on objects.
"""

import os

import checkpoint_values
import recording
from recording import tf

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "checkpoints")
PREFIX = os.path.join(FOLDER, "_".join(recording.VERSION.split(".")[:2]))


def variables():
    """The variables, on two devices."""
    for index, (name, value) in enumerate(checkpoint_values.values().items()):
        with tf.device(f"/cpu:{index % 2}"):
            if value.dtype == object:
                tf.Variable(tf.constant(value, tf.string), name=name)
            else:
                tf.Variable(value, name=name)
    scope, name = checkpoint_values.PARTS.split("/")
    whole = checkpoint_values.PARTS_VALUE

    def initial(shape, dtype, partition_info):
        first = partition_info.var_offset[0]
        return tf.constant(whole[first : first + int(shape[0])], dtype)

    with tf.variable_scope(scope, partitioner=tf.fixed_size_partitioner(3)):
        tf.get_variable(name, whole.shape, initializer=initial)


def main():
    config = tf.ConfigProto(device_count={"CPU": 2})
    with tf.Graph().as_default(), tf.Session(config=config) as session:
        variables()
        session.run(tf.global_variables_initializer())
        tf.train.Saver().save(session, PREFIX, write_meta_graph=False)
        for sharded in (False, True):
            saver = tf.train.Saver(sharded=sharded, write_version=tf.train.SaverDef.V1)
            saver.save(session, PREFIX + ".v1", write_meta_graph=False)
    os.remove(os.path.join(FOLDER, "checkpoint"))


def objects():
    """What the objects of TensorFlow 2 keep: tensors, one of them bfloat16, and their graph."""
    from tensorflow.python.eager import context

    modern = recording.tensorflow
    with context.eager_mode():
        modern.train.Checkpoint(
            dense=modern.Variable([[1.0, 2.0], [3.0, 4.0]]),
            brain=modern.Variable(modern.constant([1.5, -2.0], modern.bfloat16)),
            step=modern.Variable(7, dtype=modern.int64),
        ).write(PREFIX + ".objects")


if __name__ == "__main__":
    main()
    if not recording.IS_CONTRACT:
        objects()
