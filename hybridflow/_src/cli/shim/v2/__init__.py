"""`tensorflow.compat.v2`: what has other arguments or another meaning there than in TensorFlow 1.

All else is what TensorFlow 1 has under the same name.
"""
