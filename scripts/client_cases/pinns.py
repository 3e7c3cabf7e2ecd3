"""deepxde's examples: losses after 1,000 steps of Adam, then L-BFGS.

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


def examined(name, path):
    """The losses of an example after 1,000 steps, steps a second; then L-BFGS goes on."""
    dde.config.set_random_seed(1)
    model, external = compiled_model(path)
    variables, session = tf.trainable_variables(), model.sess

    def load(values):
        for variable, value in zip(variables, values):  # noqa: B905 - also of Python 3.7
            variable.load(value, session)

    model.train(iterations=0, verbose=0)  # makes the initial values
    kept = f"{weights}.{name}.npz"
    if write:
        np.savez(kept, *session.run(variables))
    else:
        load(np.load(kept).values())
    _, state = model.train(iterations=1000, verbose=0)
    losses = np.concatenate([state.loss_train, state.loss_test])
    data = state.X_train, state.y_train, state.train_aux_vars
    before = session.run(variables)
    steps = rate(lambda: model._train_step(*data))
    load(before)
    dde.optimizers.set_LBFGS_options(maxiter=200)
    model.compile("L-BFGS", external_trainable_variables=external)
    _, state = model.train(verbose=0)
    assert sum(state.loss_train) < losses[: len(state.loss_train)].sum(), name
    session.close()
    return {f"{name}/losses": losses, f"{name}/rate": steps}


found = {}
for name, path in EXAMPLES.items():
    with tf.Graph().as_default():
        found.update(examined(name, path))
np.savez(out, **found)
