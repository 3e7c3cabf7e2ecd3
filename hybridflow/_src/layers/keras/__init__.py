"""Keras' layers and activations, as programs of TensorFlow 1 use them in graphs of their own."""
