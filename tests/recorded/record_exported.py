"""What TensorFlow gives for graphs that hybridflow wrote: `exported_models.py` writes them first.

Run by TensorFlow 1.4.1, 1.15 and 2.x; each writes `graphs/exported/<major>_<minor>.npz`. 1.4.1
lacks ops of loops, lists and functions: it skips what uses them.
"""

import os

import numpy as np
import recording
from recording import tf

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "graphs", "exported")


def values_of(name, feed, fetches):
    graph_def = tf.GraphDef()
    with open(os.path.join(FOLDER, name + ".pb"), "rb") as file:
        graph_def.ParseFromString(file.read())
    with tf.Graph().as_default() as graph, tf.Session() as session:
        tf.import_graph_def(graph_def, name="")
        names = [op.name for op in graph.get_operations()]
        if "init" in names:
            session.run("init")
        if "train" in names:
            for _ in range(3):
                session.run(["train"], feed)
                session.run(["other"], feed)
        return session.run(fetches, feed)


def main():
    found = {}
    with np.load(os.path.join(FOLDER, "feeds.npz")) as feeds:
        names = sorted({key.split("/")[0] for key in feeds.files})
        for name in names:
            feed = {
                key.split("/")[1]: feeds[key]
                for key in feeds.files
                if key.startswith(name + "/") and not key.endswith("/fetches")
            }
            fetches = feeds[name + "/fetches"].tolist()
            try:
                values = values_of(name, feed, fetches)
            except (ValueError, tf.errors.NotFoundError) as error:
                lacks = "No op named" in str(error) or "Op type not registered" in str(error)
                if not lacks or not recording.VERSION.startswith("1.4."):
                    raise
                print(name, str(error)[:100])
                continue
            for key, value in zip(fetches, values):
                found[name + "/" + key] = value
    version = "_".join(recording.VERSION.split(".")[:2])
    np.savez(os.path.join(FOLDER, version + ".npz"), **found)


if __name__ == "__main__":
    main()
