"""Programs on what TensorFlow 1.x gained after 1.4, and on contrib, as text.

`tf`, `np` and `run` are bound; each fills `out`.

Run by TensorFlow 1.15, hence no syntax newer than Python 3.6.
"""

PROGRAMS = {}

# Variables get numbers, since what initializers draw is recorded elsewhere.
PROGRAMS["layers/separable_conv1d"] = """
numbers = lambda shape, dtype=None, partition_info=None: tf.constant(
    np.cos(np.arange(np.prod(shape)).reshape(shape)).astype(np.float32))
x = tf.constant(np.sin(np.arange(42.0)).reshape(2, 7, 3).astype(np.float32))
kept = dict(
    depthwise_initializer=numbers, pointwise_initializer=numbers, bias_initializer=numbers)
y = {
    "plain": tf.layers.separable_conv1d(x, 4, 3, **kept),
    "strides": tf.layers.separable_conv1d(x, 4, 2, strides=2, padding="same", **kept),
    "dilated": tf.layers.SeparableConv1D(
        5, 3, dilation_rate=2, depth_multiplier=2, activation=tf.nn.relu, **kept)(x),
}
out["grads"] = tf.gradients(list(y.values()), [x] + tf.trainable_variables())
run(tf.global_variables_initializer())
out["y"] = y
out["names"] = [v.op.name.encode() for v in tf.global_variables()]
"""
