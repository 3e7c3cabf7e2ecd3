"""deepxde's examples: losses after 1,000 steps of Adam in two precisions, then L-BFGS.

python pinns.py FOLDER WEIGHTS OUT [write]
"""

import os
import re
import sys

import matplotlib as mpl
import numpy as np
from timing import rate

os.environ["DDE_BACKEND"] = "tensorflow.compat.v1"
mpl.use("Agg")

import deepxde as dde
from deepxde.backend import tf

EXAMPLES = {
    "Poisson": "pinn_forward/Poisson_Dirichlet_1d",
    "Burgers": "pinn_forward/Burgers",
    "Helmholtz": "pinn_forward/Helmholtz_Dirichlet_2d",
    "heat": "pinn_forward/heat",
    "Lorenz": "pinn_inverse/Lorenz_inverse",
}
# What an example does once its model is compiled is done here.
COMPILED = r"^(losshistory, train_state = |    )?model\.train\(|^losshistory, train_state"
folder, weights, out = (os.path.abspath(path) for path in sys.argv[1:4])
write = len(sys.argv) > 4


def compiled_model(path):
    """Runs an example up to its training: its model, compiled for Adam, and what that trains."""
    with open(f"{folder}/{path}.py", encoding="utf-8") as file:
        text = file.read()
    os.chdir(os.path.dirname(f"{folder}/{path}"))
    names = {"__name__": "__main__"}
    exec(compile(text[: re.search(COMPILED, text, re.M).start()], path, "exec"), names)
    return names["model"], names.get("external_trainable_variables")


def trained(name, path, kind):
    """An example's model after 1,000 steps of Adam, its losses, and what else it trains."""
    dde.config.set_default_float(kind)
    dde.config.set_random_seed(1)
    model, external = compiled_model(path)
    variables = tf.trainable_variables()
    model.train(iterations=0, verbose=0)  # makes the initial values
    initial = f"{weights}.{name}.{kind}.npz"
    if write:
        np.savez(initial, *model.sess.run(variables))
    else:
        load(model, np.load(initial).values())
    _, state = model.train(iterations=1000, verbose=0)
    return model, external, state


def load(model, values):
    for variable, value in zip(tf.trainable_variables(), values):  # noqa: B905 - also of Python 3.7
        variable.load(value, model.sess)


def losses(state):
    return np.concatenate([state.loss_train, state.loss_test])


def examined(name, path):
    """The losses of an example in float32, steps a second; then L-BFGS goes on."""
    model, external, state = trained(name, path, "float32")
    found = losses(state)
    before = float(np.sum(state.loss_train))
    data = state.X_train, state.y_train, state.train_aux_vars
    kept = model.sess.run(tf.trainable_variables())
    steps = rate(lambda: model._train_step(*data))
    load(model, kept)
    dde.optimizers.set_LBFGS_options(maxiter=200)
    model.compile("L-BFGS", external_trainable_variables=external)
    _, state = model.train(verbose=0)
    # TensorFlow's line search ends at once where rounding hides what is to be gained.
    after = float(np.sum(state.loss_train))
    assert after <= 1.001 * before, f"{name}: {before}, after L-BFGS {after}"
    model.sess.close()
    return {f"{name}/float32 losses": found, f"{name}/L-BFGS": after, f"{name}/rate": steps}


found = {}
for name, path in EXAMPLES.items():
    # Rounding grows with the steps: what float32 hides float64 shows.
    with tf.Graph().as_default():
        model, _, state = trained(name, path, "float64")
        found[f"{name}/float64 losses"] = losses(state)
        model.sess.close()
    with tf.Graph().as_default():
        found.update(examined(name, path))
np.savez(out, **found)
