"""Saving and restoring: what a saver saves, the ops of its graph, the files beside checkpoints."""
