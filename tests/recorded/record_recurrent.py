"""Records recurrent networks: names of variables, values, gradients."""

from recording import Writer, one_thread, tf
from recurrent_programs import PROGRAMS, values_for
from tensorflow.python.util import nest


def _getter(getter, name, *args, **kwargs):
    """Gives every variable the numbers that go with its name."""

    def initializer(shape, dtype=None, partition_info=None):
        return tf.constant(values_for(name, [int(size) for size in shape]))

    if isinstance(kwargs.get("initializer"), float):
        kwargs["shape"] = []
    kwargs["initializer"] = initializer
    return getter(name, *args, **kwargs)


def program_case(source):
    """Runs a program in a fresh graph."""
    inputs = {}

    def given(name, shape):
        inputs[name] = tf.constant(values_for(name, shape), name=name)
        return inputs[name]

    with tf.Graph().as_default(), tf.Session(config=one_thread()) as session:
        tf.set_random_seed(5)
        with tf.variable_scope(tf.get_variable_scope(), custom_getter=_getter):
            scope = {"tf": tf, "given": given}
            exec(source, scope)
        results = {}
        for key, structure in scope["out"].items():
            for index, tensor in enumerate(nest.flatten(structure)):
                results[key + "_" + str(index)] = tensor
        weighted = [
            tf.reduce_sum(results[key] * values_for(key, results[key].shape.as_list()))
            for key in sorted(results)
        ]
        variables = tf.trainable_variables()
        sources = [inputs[key] for key in sorted(inputs)] + variables
        names = sorted(inputs) + [v.op.name for v in variables]
        grads = tf.gradients(tf.add_n(weighted), sources)
        session.run(tf.global_variables_initializer())
        present = {
            name: tf.convert_to_tensor(grad) for name, grad in zip(names, grads) if grad is not None
        }
        values, found = session.run([results, present])
        return {
            "source": source.lstrip(),
            "variables": [v.op.name for v in tf.global_variables()],
            "shapes": [v.shape.as_list() for v in tf.global_variables()],
            "trainable": [v.op.name for v in variables],
            "names": {key: results[key].op.name for key in sorted(results)},
            "values": values,
            "grads": found,
        }


def main():
    """Writes recurrent.json and recurrent.npz."""
    writer = Writer("recurrent")
    for name in PROGRAMS:
        writer.attempt(name, program_case, (PROGRAMS[name],))
    writer.save()


if __name__ == "__main__":
    main()
