"""Graphs as TensorFlow's messages, and graphs of messages."""
