"""A SavedModel of TensorFlow 2: functions with control flow, variables kept by objects.

Run by TensorFlow 2.21; writes `graphs/2_21/saved_model`. It gives [[28.0]] for [[1.0, 1.0]], and
[[-5.5]] for [[-1.0, -1.0]].
"""

import os

import tensorflow as tf

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "graphs", "2_21", "saved_model")


class Model(tf.Module):
    def __init__(self):
        self.w = tf.Variable([[1.0], [2.0]], name="w")
        self.b = tf.Variable([0.5], name="b")

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32)])
    def f(self, x):
        y = tf.matmul(x, self.w) + self.b
        for _ in tf.range(3):
            if tf.reduce_sum(y) > 0.0:  # noqa: SIM108 - becomes a conditional of the graph
                y = y * 2.0
            else:
                y = y - 1.0
        return {"y": y}


if __name__ == "__main__":
    model = Model()
    tf.saved_model.save(model, FOLDER, signatures=model.f)
    print(model.f(tf.ones([1, 2])), model.f(-tf.ones([1, 2])))
