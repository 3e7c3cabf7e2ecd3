"""Records ops: results, gradients and static shapes, for the cases of `op_cases_*.py`."""

import numpy as np
import op_cases_array
import op_cases_math
import op_cases_nn
import reader
from recording import Writer, lookup, one_thread, tf

WEIGHTS = np.random.RandomState(11).uniform(0.5, 1.5, 512) * np.resize([1.0, 1.0, -1.0], 512)


def weights_for(array):
    """The weights by which an output goes into the differentiated sum."""
    return np.resize(WEIGHTS, array.size).reshape(array.shape).astype(array.dtype)


def replace_arrays(node, make):
    """`node` with every array replaced by `make(array)`; literals stay."""
    if isinstance(node, np.ndarray):
        return make(node)
    if isinstance(node, list):
        return [replace_arrays(item, make) for item in node]
    if isinstance(node, tuple):
        return tuple(replace_arrays(item, make) for item in node)
    return node


def flatten(result, leaves):
    """Appends the tensors of `result` to `leaves`; returns the structure as positions."""
    if isinstance(result, (list, tuple)):
        return [flatten(item, leaves) for item in result]
    leaves.append(tf.convert_to_tensor(result))
    return len(leaves) - 1


def call(fn, args, kwargs, shape_of):
    """Builds the op on placeholders; returns placeholders, their values, outputs, structure."""
    placeholders, values = [], []

    def make(array):
        placeholder = tf.placeholder(array.dtype, shape_of(array))
        placeholders.append(placeholder)
        values.append(array)
        return placeholder

    args = [replace_arrays(item, make) for item in args]
    kwargs = {key: replace_arrays(kwargs[key], make) for key in sorted(kwargs)}
    if fn == "operator.getitem":
        result = args[0][reader.decode_index(args[1])]
    elif fn.startswith("operator."):
        result = reader.OPERATORS[fn](*args)
    else:
        result = lookup(fn)(*args, **kwargs)
    outputs = []
    structure = flatten(result, outputs)
    return placeholders, values, outputs, structure


def static_shapes(fn, args, kwargs, shape_of):
    """The static shapes of the outputs; "raises" where the op needs to know more."""
    with tf.Graph().as_default():
        try:
            outputs = call(fn, args, kwargs, shape_of)[2]
        except (ValueError, TypeError, IndexError):
            return "raises"
        return [
            None if out.shape.ndims is None else out.shape.as_list()  # None: unknown rank
            for out in outputs
        ]


def gradients_of(outputs, results, placeholders):
    """The gradient fields of a case, and the tensors to run for them."""
    floats = [i for i, x in enumerate(placeholders) if x.dtype.is_floating]
    ys = [out for out in outputs if out.dtype.is_floating]
    if not floats or not ys:
        return {}, [], []
    weights = [tf.constant(weights_for(value)) for value in results if value.dtype.kind == "f"]
    try:
        found = tf.gradients(ys, [placeholders[i] for i in floats], weights)
    except LookupError as error:
        return {"gradient_error": "LookupError: " + str(error).split("\n")[0]}, [], []
    connected = [i for i, grad in zip(floats, found) if grad is not None]
    tensors = [tf.convert_to_tensor(grad) for grad in found if grad is not None]
    sparse = [i for i, grad in zip(floats, found) if isinstance(grad, tf.IndexedSlices)]
    fields = {}
    if len(connected) < len(floats):
        fields["unconnected"] = [i for i in floats if i not in connected]
    if sparse:
        fields["sparse_grads"] = sparse
    return fields, connected, tensors


def op_case(fn, args, kwargs):
    """Runs one op; returns its case."""
    with tf.Graph().as_default(), tf.Session(config=one_thread()) as session:
        placeholders, values, outputs, structure = call(fn, args, kwargs, lambda x: x.shape)
        feed = dict(zip(placeholders, values))
        results = [np.asarray(value) for value in session.run(outputs, feed)]
        fields, connected, tensors = gradients_of(outputs, results, placeholders)
        grads = session.run(tensors, feed) if tensors else []
    case = {
        "fn": fn,
        "args": list(args),
        "kwargs": kwargs,
        "outputs": results,
        "structure": structure,
        "grads": {str(i): np.asarray(grad) for i, grad in zip(connected, grads)},
    }
    case.update(fields)
    if values:
        case["static"] = {
            "dims_unknown": static_shapes(fn, args, kwargs, lambda x: [None] * x.ndim),
            "rank_unknown": static_shapes(fn, args, kwargs, lambda x: None),
        }
    return case


def main():
    """Writes ops.json and ops.npz."""
    writer = Writer("ops")
    for module in (op_cases_array, op_cases_math, op_cases_nn):
        for ident, fn, args, kwargs in module.cases():
            writer.attempt(ident, op_case, (fn, args, kwargs))
    writer.save(weights=WEIGHTS)


if __name__ == "__main__":
    main()
