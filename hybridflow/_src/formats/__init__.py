"""What is read from files and written to them, byte for byte as TensorFlow does; no graphs."""
