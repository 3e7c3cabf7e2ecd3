"""Records the order of shuffled datasets: two runs of each program, each from the initializer on.

TensorFlow 1.15 would run `shuffle` and `repeat` as one, in an order of its own; 1.4 does not, so
that is switched off.
"""

import json

import dataset_programs
import reader
from recording import VERSION, tf


def plainly(dataset):
    """The dataset, run as it is written."""
    if not hasattr(tf.data, "Options"):
        return dataset
    options = tf.data.Options()
    options.experimental_optimization.apply_default_optimizations = False
    return dataset.with_options(options)


def run(seed, program):
    with tf.Graph().as_default(), tf.Session() as session:
        if seed is not None:
            tf.set_random_seed(seed)
        dataset = dataset_programs.build(program, tf, tf.contrib.data)
        iterator = plainly(dataset).make_initializable_iterator()
        element = iterator.get_next()
        runs = []
        for _ in range(2):
            session.run(iterator.initializer)
            found = []
            try:
                while True:
                    found.append(session.run(element).tolist())
            except tf.errors.OutOfRangeError:
                runs.append(found)
        return runs


cases = [
    {"id": name, "runs": run(seed, program)} for name, seed, program in dataset_programs.PROGRAMS
]
path = reader.FOLDER / "datasets.json"
path.write_text(json.dumps({"tensorflow": VERSION, "cases": cases}, indent=None) + "\n")
print(path, len(cases))
