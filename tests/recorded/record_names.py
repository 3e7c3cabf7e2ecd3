"""Records the names that programs give to variables, ops and results."""

import name_programs_layers
import name_programs_losses
import name_programs_metrics
import name_programs_models
import name_programs_scopes
import numpy as np
from recording import IS_CONTRACT, Writer, one_thread, tf

# Collections that hold TensorFlow's own bookkeeping.
PRIVATE = ("cond_context", "while_context")
# Of larger graphs only the ops of variables are kept.
MOST_OPS = 60


def name_of(item):
    """The name of a member of a collection, or how it prints."""
    return getattr(item, "name", None) or str(item)


def describe(item):
    """What a program's result is called."""
    if isinstance(item, tf.Operation):
        return {"name": item.name, "kind": "operation"}
    entry = {
        "name": item.name,
        "kind": "tensor" if isinstance(item, tf.Tensor) else "variable",
        "dtype": item.dtype.base_dtype.name,
        "shape": None if item.shape.ndims is None else item.shape.as_list(),
    }
    if item.device:
        entry["device"] = item.device
    return entry


def evaluate(out):
    """The values of results that need no feed and are the same in every session."""
    values = {}
    for key in sorted(out):
        item = out[key]
        if isinstance(item, tf.Operation) or item.dtype.base_dtype == tf.string:
            continue
        runs = []
        for _ in range(2):
            with tf.Session(config=one_thread()) as session:
                try:
                    session.run([tf.global_variables_initializer()])
                    session.run([tf.local_variables_initializer()])
                    runs.append(np.asarray(session.run(item)))
                except tf.errors.InvalidArgumentError:
                    break  # it needs a feed
        if len(runs) == 2 and np.array_equal(*runs):
            values[key] = runs[0]
    return values


def program_case(source):
    """Runs a program in a fresh graph; returns all names."""
    with tf.Graph().as_default() as graph:
        scope = {"tf": tf}
        exec(source, scope)
        out = scope["out"]
        listed = {
            "global": [v.name for v in tf.global_variables()],
            "local": [v.name for v in tf.local_variables()],
            "trainable": [v.name for v in tf.trainable_variables()],
        }
        collections = {
            key: [name_of(item) for item in graph.get_collection(key)]
            for key in graph.get_all_collection_keys()
            if isinstance(key, str) and key not in PRIVATE
        }
        mine = sorted({v.op.name for v in tf.global_variables() + tf.local_variables()})
        ops = [[op.name, op.type] for op in graph.get_operations()]
        results = {key: describe(out[key]) for key in out}
        strings = {
            key: item
            for key, item in out.items()
            if not isinstance(item, tf.Operation) and item.dtype.base_dtype == tf.string
        }
        with tf.Session() as session:
            texts = {
                key: np.asarray(session.run(item)).astype(str).tolist()
                for key, item in strings.items()
                if item.op.type == "Const"
            }
        values = evaluate(out)
    case = {
        "source": source.lstrip(),
        "variables": listed,
        "collections": collections,
        "out": results,
        "texts": texts,
        "values": values,
    }
    if IS_CONTRACT:
        case["variable_ops"] = [
            [name, kind]
            for name, kind in ops
            if any(name == v or name.startswith(v + "/") for v in mine)
        ]
        case["result_types"] = {key: getattr(out[key], "op", out[key]).type for key in out}
        if len(ops) <= MOST_OPS:
            case["ops"] = ops
    return case


STEMS = {
    "names": (name_programs_scopes, name_programs_models),
    "layers": (name_programs_losses, name_programs_metrics, name_programs_layers),
}


def main():
    """Writes names.json and names.npz, layers.json and layers.npz."""
    for stem, modules in STEMS.items():
        writer = Writer(stem, only_in_contract=("variable_ops", "result_types", "ops"))
        for module in modules:
            for name, source in module.PROGRAMS.items():
                writer.attempt(name, program_case, (source,))
        writer.save()


if __name__ == "__main__":
    main()
