"""Records optimizers (20 steps, variables and slots), learning-rate decays, moving averages."""

import numpy as np
from recording import Writer, lookup, one_thread, tf

STEPS = 20
NUMBERS = np.random.RandomState(7)
DENSE_START = NUMBERS.uniform(-1, 1, (3, 2))
DENSE_GRADS = NUMBERS.uniform(-1, 1, (STEPS, 3, 2))
DENSE_GRADS[4] = 0.0
DENSE_GRADS[:, 2, 1] = 0.0
SPARSE_START = NUMBERS.uniform(-1, 1, (5, 2))
SPARSE_GRADS = NUMBERS.uniform(-1, 1, (STEPS, 4, 2))
SPARSE_GRADS[9] = 0.0
SPARSE_INDICES = NUMBERS.randint(0, 5, (STEPS, 4)).astype(np.int32)
SPARSE_INDICES[0] = [1, 3, 1, 1]  # one row three times
SPARSE_INDICES[1] = [4, 2, 0, 3]  # none twice
SPARSE_INDICES[2] = [2, 2, 2, 2]

# (label, public name, keyword arguments)
OPTIMIZERS = (
    ("sgd", "GradientDescentOptimizer", {"learning_rate": 0.1}),
    ("momentum", "MomentumOptimizer", {"learning_rate": 0.1, "momentum": 0.9}),
    (
        "nesterov",
        "MomentumOptimizer",
        {"learning_rate": 0.1, "momentum": 0.9, "use_nesterov": True},
    ),
    ("adagrad", "AdagradOptimizer", {"learning_rate": 0.1}),
    ("adagrad_start", "AdagradOptimizer", {"learning_rate": 0.5, "initial_accumulator_value": 1.5}),
    ("adagrad_da", "AdagradDAOptimizer", {"learning_rate": 0.1}),
    (
        "adagrad_da_l1_l2",
        "AdagradDAOptimizer",
        {
            "learning_rate": 0.5,
            "initial_gradient_squared_accumulator_value": 0.2,
            "l1_regularization_strength": 0.02,
            "l2_regularization_strength": 0.01,
        },
    ),
    ("adadelta", "AdadeltaOptimizer", {"learning_rate": 1.0}),
    ("adadelta_rho", "AdadeltaOptimizer", {"learning_rate": 0.5, "rho": 0.7, "epsilon": 1e-2}),
    ("adam", "AdamOptimizer", {"learning_rate": 0.01}),
    (
        "adam_betas",
        "AdamOptimizer",
        {"learning_rate": 0.1, "beta1": 0.5, "beta2": 0.9, "epsilon": 0.01},
    ),
    ("rmsprop", "RMSPropOptimizer", {"learning_rate": 0.05}),
    (
        "rmsprop_momentum",
        "RMSPropOptimizer",
        {"learning_rate": 0.05, "decay": 0.8, "momentum": 0.7, "epsilon": 1e-3},
    ),
    ("rmsprop_centered", "RMSPropOptimizer", {"learning_rate": 0.05, "centered": True}),
    (
        "rmsprop_centered_momentum",
        "RMSPropOptimizer",
        {"learning_rate": 0.05, "momentum": 0.5, "centered": True, "epsilon": 1e-2},
    ),
    ("ftrl", "FtrlOptimizer", {"learning_rate": 0.3}),
    (
        "ftrl_l1_l2",
        "FtrlOptimizer",
        {
            "learning_rate": 0.3,
            "l1_regularization_strength": 0.4,
            "l2_regularization_strength": 0.2,
        },
    ),
    (
        "ftrl_power",
        "FtrlOptimizer",
        {
            "learning_rate": 0.3,
            "learning_rate_power": -0.7,
            "initial_accumulator_value": 0.3,
            "l1_regularization_strength": 0.1,
        },
    ),
    ("ftrl_power_zero", "FtrlOptimizer", {"learning_rate": 0.3, "learning_rate_power": 0.0}),
    (
        "ftrl_shrinkage",
        "FtrlOptimizer",
        {
            "learning_rate": 0.3,
            "l1_regularization_strength": 0.1,
            "l2_regularization_strength": 0.05,
            "l2_shrinkage_regularization_strength": 0.3,
        },
    ),
    ("proximal_sgd", "ProximalGradientDescentOptimizer", {"learning_rate": 0.1}),
    (
        "proximal_sgd_l1_l2",
        "ProximalGradientDescentOptimizer",
        {
            "learning_rate": 0.1,
            "l1_regularization_strength": 0.2,
            "l2_regularization_strength": 0.3,
        },
    ),
    ("proximal_adagrad", "ProximalAdagradOptimizer", {"learning_rate": 0.1}),
    (
        "proximal_adagrad_l1_l2",
        "ProximalAdagradOptimizer",
        {
            "learning_rate": 0.2,
            "initial_accumulator_value": 0.4,
            "l1_regularization_strength": 0.2,
            "l2_regularization_strength": 0.3,
        },
    ),
)
CONSTRAINED = ("sgd", "momentum", "adagrad", "adam", "rmsprop_centered", "ftrl")
CONSTRAINT = {"fn": "clip_by_value", "args": [-0.5, 0.4]}


def trajectory(name, kwargs, kind, dtype, use_resource, constraint):
    """Applies 20 gradients to one variable; returns the case."""
    sparse = kind == "sparse"
    start = (SPARSE_START if sparse else DENSE_START).astype(dtype)
    grads = (SPARSE_GRADS if sparse else DENSE_GRADS).astype(dtype)
    project = None
    if constraint is not None:

        def project(value):
            return lookup(constraint["fn"])(value, *constraint["args"])

    with tf.Graph().as_default():
        step = tf.train.get_or_create_global_step()
        variable = tf.get_variable(
            "v", initializer=tf.constant(start), use_resource=use_resource, constraint=project
        )
        values = tf.placeholder(dtype, [None, 2])
        indices = tf.placeholder(tf.int32, [None])
        grad = values
        if sparse:
            grad = tf.IndexedSlices(values, indices, tf.constant(start.shape, tf.int32))
        arguments = dict(kwargs)
        if name == "AdagradDAOptimizer":
            arguments["global_step"] = step
        optimizer = lookup("train." + name)(**arguments)
        train = optimizer.apply_gradients([(grad, variable)], global_step=step)
        slots = {key: optimizer.get_slot(variable, key) for key in optimizer.get_slot_names()}
        slots = {key: slot for key, slot in slots.items() if slot is not None}
        listed = tf.global_variables()
        known = {variable.name, step.name} | {slot.name for slot in slots.values()}
        extra = {other.op.name: other for other in listed if other.name not in known}
        watched = {"var": variable, "slots": slots, "extra": extra}
        history = []
        with tf.Session(config=one_thread()) as session:
            session.run(tf.global_variables_initializer())
            before = session.run({"slots": slots, "extra": extra})
            for i in range(STEPS):
                feed = {values: grads[i]}
                if sparse:
                    feed[indices] = SPARSE_INDICES[i]
                session.run(train, feed)
                history.append(session.run(watched))
            last_step = int(session.run(step))
    case = {
        "optimizer": "train." + name,
        "kwargs": kwargs,
        "kind": kind,
        "dtype": dtype,
        "use_resource": use_resource,
        "initial": start,
        "grads": grads,
        "var": np.stack([state["var"] for state in history]),
        "slots": {
            key: {
                "name": slots[key].op.name,
                "initial": before["slots"][key],
                "values": np.stack([state["slots"][key] for state in history]),
            }
            for key in slots
        },
        "extra": {
            key: {
                "initial": before["extra"][key],
                "values": np.stack([state["extra"][key] for state in history]),
            }
            for key in extra
        },
        "variables": [other.op.name for other in listed],
        "trainable": [other.op.name for other in trainable_of(listed)],
        "train_op": train.name,
        "global_step": last_step,
    }
    if sparse:
        case["indices"] = SPARSE_INDICES
    if constraint is not None:
        case["constraint"] = constraint
    return case


def trainable_of(listed):
    """Those of `listed` that are in the trainable collection of their graph."""
    collection = listed[0].graph.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES)
    return [variable for variable in listed if any(variable is other for other in collection)]


def agreement(left, right):
    """How two trajectories compare: "bitwise", or the largest difference."""
    pairs = [(left["var"], right["var"])]
    pairs += [
        (left["slots"][key]["values"], right["slots"][key]["values"]) for key in left["slots"]
    ]
    largest = 0.0
    for one, other in pairs:
        gap = np.abs(one.astype(np.float64) - other.astype(np.float64))
        largest = max(largest, float(np.nan_to_num(gap).max()))
    return "bitwise" if largest == 0.0 else largest


def record_pair(writer, ident, name, kwargs, kind, dtype, constraint=None):
    """Records the plain variable, and the resource variable where it is not bitwise the same."""
    writer.attempt(ident, trajectory, (name, kwargs, kind, dtype, False, constraint))
    plain = writer.cases[-1] if ident not in writer.unsupported else None
    other = ident + "/resource"
    writer.attempt(other, trajectory, (name, kwargs, kind, dtype, True, constraint))
    if plain is None or other in writer.unsupported:
        return
    resource = writer.cases[-1]
    plain["resource_agrees"] = agreement(plain, resource)
    names = ("variables", "train_op", "global_step")
    if plain["resource_agrees"] == "bitwise" and all(plain[k] == resource[k] for k in names):
        writer.cases.pop()


def record_optimizers(writer):
    """Every optimizer, dense and sparse, in all float types; some with a constraint."""
    for label, name, kwargs in OPTIMIZERS:
        for kind in ("dense", "sparse"):
            for dtype in ("float32", "float64", "float16"):
                record_pair(writer, f"{label}/{kind}/{dtype}", name, kwargs, kind, dtype)
        if label in CONSTRAINED:
            for kind in ("dense", "sparse"):
                ident = f"{label}/{kind}/float32/constraint"
                record_pair(writer, ident, name, kwargs, kind, "float32", CONSTRAINT)


DECAY_STEPS = (0, 1, 2, 3, 5, 9, 10, 11, 19, 20, 21, 35, 50, 99, 100, 101, 250)
# (label, public name, name of the step argument, keyword arguments)
DECAYS = (
    (
        "exponential",
        "exponential_decay",
        "global_step",
        {"learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.9},
    ),
    (
        "exponential_staircase",
        "exponential_decay",
        "global_step",
        {"learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.9, "staircase": True},
    ),
    (
        "natural_exp",
        "natural_exp_decay",
        "global_step",
        {"learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5},
    ),
    (
        "natural_exp_staircase",
        "natural_exp_decay",
        "global_step",
        {"learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5, "staircase": True},
    ),
    (
        "inverse_time",
        "inverse_time_decay",
        "global_step",
        {"learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5},
    ),
    (
        "inverse_time_staircase",
        "inverse_time_decay",
        "global_step",
        {"learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5, "staircase": True},
    ),
    ("polynomial", "polynomial_decay", "global_step", {"learning_rate": 0.1, "decay_steps": 50}),
    (
        "polynomial_power",
        "polynomial_decay",
        "global_step",
        {"learning_rate": 0.1, "decay_steps": 50, "end_learning_rate": 0.01, "power": 0.5},
    ),
    (
        "polynomial_cycle",
        "polynomial_decay",
        "global_step",
        {
            "learning_rate": 0.1,
            "decay_steps": 20,
            "end_learning_rate": 0.01,
            "power": 2.0,
            "cycle": True,
        },
    ),
    (
        "piecewise",
        "piecewise_constant",
        "x",
        {"boundaries": [3, 20, 100], "values": [1.0, 0.5, 0.25, 0.125]},
    ),
    ("piecewise_one", "piecewise_constant", "x", {"boundaries": [10], "values": [1.0, 0.5]}),
    ("cosine", "cosine_decay", "global_step", {"learning_rate": 0.1, "decay_steps": 50}),
    (
        "cosine_alpha",
        "cosine_decay",
        "global_step",
        {"learning_rate": 0.1, "decay_steps": 50, "alpha": 0.2},
    ),
    (
        "cosine_restarts",
        "cosine_decay_restarts",
        "global_step",
        {"learning_rate": 0.1, "first_decay_steps": 10},
    ),
    (
        "linear_cosine",
        "linear_cosine_decay",
        "global_step",
        {"learning_rate": 0.1, "decay_steps": 50},
    ),
)


def decay_case(name, step_name, kwargs, step_dtype):
    """The decayed rate at each of the steps; the step is fed, as a variable would be."""
    with tf.Graph().as_default():
        step = tf.placeholder(step_dtype, [], name="step")
        rate = lookup("train." + name)(**dict(kwargs, **{step_name: step}))
        result = rate.op.name
        with tf.Session() as session:
            values = np.stack([session.run(rate, {step: number}) for number in DECAY_STEPS])
    return {
        "fn": "train." + name,
        "step_argument": step_name,
        "step_dtype": step_dtype,
        "kwargs": kwargs,
        "steps": list(DECAY_STEPS),
        "values": values,
        "result": result,
    }


def record_decays(writer):
    """Every learning-rate decay over the steps."""
    for label, name, step_name, kwargs in DECAYS:
        for dtype in ("int32", "int64"):
            writer.attempt(f"decay/{label}/{dtype}", decay_case, (name, step_name, kwargs, dtype))


AVERAGES = (
    ("plain", {"decay": 0.9}),
    ("num_updates", {"decay": 0.9, "num_updates": "step"}),
    ("zero_debias", {"decay": 0.9, "zero_debias": True}),
    ("named", {"decay": 0.75, "name": "Mean"}),
)


def average_case(kwargs, target, dtype):
    """Twenty `apply`s to a variable or to a tensor, the step going up by one each."""
    series = DENSE_GRADS[:, 0].astype(dtype)
    with tf.Graph().as_default():
        step = tf.Variable(0, name="step", trainable=False)
        holder = tf.placeholder(dtype, [2], name="holder")
        with tf.variable_scope("model"):
            variable = tf.get_variable("v", initializer=tf.constant(series[0]))
            tensor = tf.identity(holder * 2.0, name="doubled")
        chosen = variable if target == "variable" else tensor
        arguments = dict(kwargs)
        if "num_updates" in arguments:
            arguments["num_updates"] = step
        averages = tf.train.ExponentialMovingAverage(**arguments)
        update = averages.apply([chosen])
        average = averages.average(chosen)
        move = tf.assign(variable, holder)
        count = tf.assign_add(step, 1)
        restored = averages.variables_to_restore()
        with tf.Session() as session:
            session.run(tf.global_variables_initializer(), {holder: series[0]})
            initial = session.run(average)
            values = []
            for number in range(STEPS):
                session.run(move, {holder: series[number]})
                session.run(update, {holder: series[number]})
                values.append(session.run(average))
                session.run(count)
        collected = tf.get_collection(tf.GraphKeys.MOVING_AVERAGE_VARIABLES)
        return {
            "kwargs": kwargs,
            "target": target,
            "dtype": dtype,
            "series": series,
            "initial": initial,
            "values": np.stack(values),
            "average": average.op.name,
            "average_name": averages.average_name(chosen),
            "update_op": update.name,
            "variables": [other.op.name for other in tf.global_variables()],
            "trainable": [other.op.name for other in tf.trainable_variables()],
            "moving_average_variables": [other.op.name for other in collected],
            "restore": {key: other.op.name for key, other in sorted(restored.items())},
        }


def record_averages(writer):
    """ExponentialMovingAverage over variables and tensors."""
    for label, kwargs in AVERAGES:
        for target in ("variable", "tensor"):
            for dtype in ("float32", "float64"):
                writer.attempt(
                    f"average/{label}/{target}/{dtype}",
                    average_case,
                    (kwargs, target, dtype),
                )


def main():
    """Writes optimizers.json and optimizers.npz."""
    writer = Writer("optimizers")
    record_optimizers(writer)
    record_decays(writer)
    record_averages(writer)
    writer.save()


if __name__ == "__main__":
    main()
