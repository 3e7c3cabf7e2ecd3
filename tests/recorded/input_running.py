"""Runs the programs of `input_programs` and `contrib_programs`, by TensorFlow or by hybridflow.

Needs NumPy alone. No syntax newer than Python 3.6.
"""

import shutil
import tempfile

import numpy as np


def executed(tf, source):
    """What a program leaves in `out`: arrays, nested as they were."""
    out = {}
    folder = tempfile.mkdtemp()
    try:
        with tf.Graph().as_default(), tf.Session() as session:

            def error_of(tensor, feeds=None):
                try:
                    session.run(tensor, feeds)
                except tf.errors.OpError as error:
                    return np.array(type(error).__name__.encode(), object)
                return np.array(b"no error", object)

            names = {"tf": tf, "np": np, "run": session.run, "session": session, "out": out}
            exec(source, dict(names, error_of=error_of, folder=folder))
            return {key: plain(value, session) for key, value in out.items()}
    finally:
        shutil.rmtree(folder)


def plain(value, session):
    """A value as arrays: tensors are computed."""
    if isinstance(value, (list, tuple)):
        return [plain(item, session) for item in value]
    if isinstance(value, dict):
        return {key: plain(item, session) for key, item in value.items()}
    if hasattr(value, "op"):
        value = session.run(value)
    if isinstance(value, bytes):
        return np.array(value, object)
    return np.asarray(value)


def encoded(value):
    """Arrays of strings as lists of text: each byte is a character."""
    if isinstance(value, list):
        return [encoded(item) for item in value]
    if isinstance(value, dict):
        return {key: encoded(item) for key, item in value.items()}
    if value.dtype.kind != "O":
        return value
    texts = [item.decode("latin-1") for item in value.ravel()]
    return {"strings": texts, "shape": list(value.shape)}
