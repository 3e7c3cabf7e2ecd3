"""Records distributions: samples under seeds, probabilities, moments, divergences."""

import contextlib

import numpy as np
from recording import Writer, one_thread, tf

VALUES = [-30.0, -1.5, -0.25, 0.0, 0.75, 1.0, 2.5, 40.0]
POSITIVE = [0.125, 0.5, 1.0, 2.5, 40.0]
INSIDE = [0.001, 0.25, 0.5, 0.875]
SHARES = [[0.25, 0.25, 0.5], [0.125, 0.75, 0.125]]
COUNTS = [[1.0, 1.0, 2.0], [4.0, 0.0, 0.0]]
F32 = np.float32
# Class, arguments (lists are float32 tensors), values of which probabilities are wanted.
CASES = {
    "normal": ("Normal", {"loc": [0.0, 1.0], "scale": [[1.0], [2.5]]}, VALUES),
    "normal/one": ("Normal", {"loc": [0.5], "scale": [0.1]}, VALUES),
    "laplace": ("Laplace", {"loc": [0.0, 1.0], "scale": [[1.0], [2.5]]}, VALUES),
    "uniform": ("Uniform", {"low": [0.0, -1.0], "high": [1.0, 2.5]}, VALUES),
    "bernoulli": ("Bernoulli", {"probs": [0.25, 0.5, 0.9]}, [0.0, 1.0]),
    "bernoulli/logits": ("Bernoulli", {"logits": [[-3.0, 0.0], [0.25, 4.0]]}, [0.0, 1.0]),
    "categorical": ("Categorical", {"probs": [0.1, 0.2, 0.7]}, [0, 1, 2]),
    "categorical/logits": (
        "Categorical",
        {"logits": [[1.0, -2.0, 0.5], [3.0, 3.0, 0.0]]},
        [0, 1, 2],
    ),
    "gamma": ("Gamma", {"concentration": [0.5, 3.0], "rate": [[1.0], [2.5]]}, POSITIVE),
    "exponential": ("Exponential", {"rate": [0.5, 3.0]}, POSITIVE),
    "beta": ("Beta", {"concentration1": [0.5, 3.0], "concentration0": [[1.5], [4.0]]}, INSIDE),
    "beta/one": ("Beta", {"concentration1": 0.5, "concentration0": 1.5}, INSIDE),
    "student_t/one": ("StudentT", {"df": 3.0, "loc": 0.5, "scale": 2.0}, VALUES),
    "student_t": (
        "StudentT",
        {"df": [1.5, 4.0], "loc": [0.0, 1.0], "scale": [[1.0], [2.5]]},
        VALUES,
    ),
    "dirichlet": ("Dirichlet", {"concentration": [[0.5, 1.5, 3.0], [2.0, 4.0, 1.25]]}, SHARES),
    "multinomial": ("Multinomial", {"total_count": 4.0, "probs": [0.1, 0.2, 0.7]}, COUNTS),
    "multinomial/batch": (
        "Multinomial",
        {"total_count": [4.0, 2.0], "logits": [[1.0, -2.0, 0.5], [3.0, 3.0, 0.0]]},
        COUNTS,
    ),
    "dirichlet_multinomial": (
        "DirichletMultinomial",
        {"total_count": 4.0, "concentration": [[0.5, 1.5, 3.0], [2.0, 4.0, 1.25]]},
        COUNTS,
    ),
}
QUANTITIES = ("entropy", "mean", "variance", "stddev", "covariance", "mode")
# TensorFlow has no divergences of these.
WITHOUT_KL = (
    *("Laplace", "Uniform", "StudentT", "Dirichlet", "Multinomial", "DirichletMultinomial"),
)
FUNCTIONS = ("log_prob", "prob", "log_cdf", "cdf", "log_survival_function", "survival_function")


def make(name, arguments, shift=0.0):
    """The distribution; with all arguments moved by a number, for divergences."""
    values = {key: tf.constant(np.array(v, F32) + F32(shift)) for key, v in arguments.items()}
    return getattr(tf.distributions, name)(**values)


def case(name, arguments, values):
    """All that a distribution tells."""
    fields = {"cls": name, "arguments": {k: np.array(v, F32) for k, v in arguments.items()}}
    with tf.Graph().as_default():
        tf.set_random_seed(3)
        x = make(name, arguments)
        fetched = {}
        # Multinomial of TensorFlow 1.4 draws for one number of trials alone.
        with contextlib.suppress(NotImplementedError):
            fetched.update(samples=x.sample([4, 5], seed=7), sample=x.sample(seed=8))
        for quantity in QUANTITIES:
            try:
                fetched[quantity] = getattr(x, quantity)()
            except NotImplementedError:
                continue
        points = np.array(values, np.int32 if name == "Categorical" else F32)
        events = x.event_shape.as_list()
        points = points.reshape([-1] + [1] * x.batch_shape.ndims + events)
        fields["values"] = points
        for function in FUNCTIONS:
            try:
                fetched[function] = getattr(x, function)(points)
            except (NotImplementedError, ValueError):
                continue  # Of batches, betainc of TensorFlow 1.4 takes scalars alone.
        if name not in WITHOUT_KL:
            fetched["kl"] = tf.distributions.kl_divergence(x, make(name, arguments, 0.125))
        fields["batch_shape"] = x.batch_shape.as_list()
        with tf.Session(config=one_thread()) as session:
            results = session.run(fetched)
    fields["results"] = results
    return fields


def main():
    """Writes distributions.json and distributions.npz."""
    writer = Writer("distributions")
    for ident in sorted(CASES):
        writer.attempt(ident, case, CASES[ident])
    writer.save()


if __name__ == "__main__":
    main()
