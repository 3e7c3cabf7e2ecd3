"""Records what TensorFlow rewrites matches of regular expressions to; None for what it refuses."""

import json

import pattern_cases
import reader
from recording import VERSION, tf


def rewritten(session, nodes, case):
    inputs, outputs = nodes
    try:
        found = session.run(outputs, dict(zip(inputs, case)))
    except tf.errors.InvalidArgumentError:
        return None
    return [text.decode("latin-1") for text in found]


with tf.Graph().as_default(), tf.Session() as session:
    inputs = [tf.placeholder(tf.string, []) for _ in range(3)]
    outputs = [tf.strings.regex_replace(*inputs, replace_global=every) for every in (True, False)]
    cases = [rewritten(session, (inputs, outputs), case) for case in pattern_cases.cases()]
path = reader.FOLDER / "patterns.json"
path.write_text(json.dumps({"tensorflow": VERSION, "cases": cases}, indent=None) + "\n")
print(path, len(cases))
