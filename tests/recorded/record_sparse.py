"""Records sparse tensors: what programs give, static shapes, gradients."""

import numpy as np
from recording import Writer, one_thread, tf
from sparse_programs import PLACES, PROGRAMS, values_for


def flat(structure):
    """The tensors of a structure, sparse ones in their three parts."""
    if isinstance(structure, tf.SparseTensor):
        return [structure.indices, structure.values, structure.dense_shape]
    if isinstance(structure, (list, tuple)):
        return [tensor for item in structure for tensor in flat(item)]
    return [structure]


def results_of(source, given):
    """The tensors that a program gives, by name and number."""

    def sparse(name, indices, shape):
        return tf.SparseTensor(indices, given(name, [len(indices)]), shape)

    scope = {"tf": tf, "given": given, "sparse": sparse, "places": PLACES}
    exec(source, scope)
    return {
        key + "_" + str(number): tensor
        for key, structure in scope["out"].items()
        for number, tensor in enumerate(flat(structure))
    }


def gradients(results, inputs, session):
    """The gradients of the sum of results times numbers, which gives no error; or that error."""
    floats = [key for key in sorted(results) if results[key].dtype in (tf.float32, tf.float64)]
    if not floats or not inputs:
        return {}, None
    values = session.run([results[key] for key in floats])
    total = tf.add_n(
        [
            tf.reduce_sum(tf.cast(results[key], tf.float32) * values_for(key, np.shape(value)))
            for key, value in zip(floats, values)
        ]
    )
    names = sorted(inputs)
    try:
        grads = tf.gradients(total, [inputs[name] for name in names])
        present = {
            name: tf.convert_to_tensor(grad) for name, grad in zip(names, grads) if grad is not None
        }
        return session.run(present) if present else {}, None
    except Exception as error:  # any class: the library's refusal is the result
        return {}, type(error).__name__


def program_case(source):
    """Runs a program in a fresh graph."""
    inputs = {}

    def given(name, shape):
        if name not in inputs:
            inputs[name] = tf.constant(values_for(name, shape), name=name)
        return inputs[name]

    with tf.Graph().as_default(), tf.Session(config=one_thread()) as session:
        results = results_of(source, given)
        values = session.run(results)
        texts = {}
        for key in sorted(values):
            if results[key].dtype == tf.string:
                array = np.asarray(values.pop(key))
                texts[key] = [list(array.shape), [item.hex() for item in array.ravel().tolist()]]
        grads, error = gradients(results, inputs, session)
        return {
            "source": source.lstrip(),
            "shapes": {
                key: None if results[key].shape.ndims is None else results[key].shape.as_list()
                for key in sorted(results)
            },
            "values": values,
            "texts": texts,
            "grads": grads,
            "gradient_error": error,
        }


def main():
    """Writes sparse.json and sparse.npz."""
    writer = Writer("sparse")
    for name in PROGRAMS:
        writer.attempt(name, program_case, (PROGRAMS[name],))
    writer.save()


if __name__ == "__main__":
    main()
