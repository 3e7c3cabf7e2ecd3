"""Training on many ranks, in the words of `horovod.tensorflow`."""
