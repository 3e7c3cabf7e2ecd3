"""What programs take from modules inside TensorFlow, which are no part of its interface."""
