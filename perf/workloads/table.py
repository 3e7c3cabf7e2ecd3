"""The table of workloads: what is measured, on what, against what, and what it should come to."""

from __future__ import annotations

from typing import Any, NamedTuple


class Target(NamedTuple):
    """`subject` should take at most `limit` times what `base` takes.

    Subjects are named `peer:variant`; a name ending in `:` stands for all variants of a peer, of
    which the quickest counts.
    """

    subject: str
    base: str
    limit: float


class Workload(NamedTuple):
    """One row.

    Attributes:
      family, params: what `problems` makes the problem from.
      small: the parameters that differ where only correctness is at stake.
      base: the subject that ratios are reported against.
      measure: what of it is timed; one of `MEASURES`.
      steps: how many steps that takes, where the measure counts steps.
      targets: what it should come to.
      rounds: how often it is measured at most.
    """

    name: str
    family: str
    params: dict[str, Any]
    small: dict[str, Any]
    base: str
    targets: tuple[Target, ...] = ()
    measure: str = "step"
    steps: int = 1
    rounds: int = 15

    @property
    def in_process(self) -> bool:
        """Whether steps are timed in a process that stays."""
        return self.measure == "step"


# What can be timed. All but the first start a new process each time.
MEASURES = {
    "step": "one step, once it is as quick as it gets",
    "first": "the first step in a new process",
    "steps": "so many steps in a new process, from the first on",
    "settled": "from an empty program to full speed: building, compiling, and the steps it takes",
    "start": "from the start of a process to the end of its first steps",
    "quick start": "from the start of a process to the end of its first step at full speed",
    "import": "from the start of a process to the end of the import",
}
# How hybridflow can start: with an empty cache of kernels, with a filled one, without kernels.
STARTS = ("cold", "warm", "interpreted")
GRAPH = "hybridflow:graph"
TRAFFIC, TRAFFIC_1 = "numba:traffic", "numba, 1 thread:traffic"


def _updates() -> list[Workload]:
    """Every optimizer with and without row max-norm, and what else has a target."""
    large, small = {"rows": 4096, "columns": 2560}, {"rows": 7, "columns": 1030}

    def row(optimizer: str, constraint: str, limit: float, *more: Target) -> Workload:
        words = {"none": "", "rows": " + row max-norm", "columns": " + column max-norm"}
        words["columns, within"] = " + column max-norm, all within"
        name = optimizer + words.get(constraint, f" + {constraint}")
        params = {"optimizer": optimizer, "constraint": constraint, **large}
        # Beside busy neighbours one thread may be the quicker one.
        targets = (*[Target(GRAPH, base, limit) for base in (TRAFFIC, TRAFFIC_1)], *more)
        return Workload(f"{name}, 4096 x 2560", "update", params, small, TRAFFIC, targets)

    return [
        row("Adam", "rows", 1.15, Target(GRAPH, "torch:", 1 / 1.5)),
        row("Adam", "columns", 1.3),
        row("Adam", "columns, within", 1.3),
        row("SGD", "non-negative", 1.15),
        row("Adam", "none", 1.2),
        *[
            row(optimizer, constraint, 1.2)
            for optimizer in (
                "SGD",
                "Momentum",
                "Adagrad",
                "RMSProp",
                "centered RMSProp",
                "Ftrl",
                "Adadelta",
                "AdagradDA",
                "proximal SGD",
                "proximal Adagrad",
            )
            for constraint in ("none", "rows")
        ],
    ]


def _sparse() -> list[Workload]:
    small = {"rows": 50, "columns": 8, "touched": 10}

    def row(optimizer: str, constraint: str, rows: int, *targets: Target) -> Workload:
        params = {"optimizer": optimizer, "constraint": constraint, "rows": rows}
        words = " + row max-norm" if constraint == "rows" else ""
        return Workload(
            f"sparse {optimizer}{words}, 1,024 rows of {rows:,} x 64",
            "sparse",
            {**params, "columns": 64, "touched": 1024},
            small,
            "numpy:",
            targets,
        )

    jax, torch, tensorflow = ahead = [
        Target(GRAPH, f"{peer}:", 1.0) for peer in ("jax", "torch", "tensorflow")
    ]
    return [
        row("SGD", "none", 1_000_000, *ahead, Target(GRAPH, "numba:", 1.1)),
        # As TensorFlow does it, all rows move; PyTorch and JAX move the touched ones alone.
        row("Adam", "none", 1_000_000, tensorflow),
        row("lazy Adam", "none", 1_000_000, jax, torch),
        row("Adagrad", "none", 1_000_000, *ahead),
        row("SGD", "rows", 1_000_000, jax),
        row("SGD", "none", 10_000),
        row("Adagrad", "none", 10_000),
    ]


def _steps() -> list[Workload]:
    mlp = {"batch": 32, "inputs": 784, "hidden": 128, "outputs": 10}
    small_mlp = {"batch": 4, "inputs": 10, "hidden": 8, "outputs": 3}
    many = {"count": 1000, "rows": 64, "columns": 64}
    few = {"count": 10, "rows": 100, "columns": 100}
    return [
        Workload(
            "linear regression step, 17 samples",
            "regression",
            {"samples": 17},
            {},
            "numpy:",
            (
                Target("hybridflow:run", "pytensor:", 0.5),
                Target("hybridflow:run", "jax:", 1 / 6),
            ),
        ),
        Workload(
            "MLP step, batch 32, 784-128-10",
            "mlp",
            mlp,
            small_mlp,
            "numpy:",
            (
                Target("hybridflow:run", "numpy:", 0.75),
                Target("hybridflow:run", "numpy, 1 thread:", 0.75),
                Target("hybridflow:run", "pytensor:", 0.9),
                Target("hybridflow:run", "jax:", 0.65),
                Target("hybridflow:eager", "torch:", 0.8),
            ),
        ),
        Workload(
            "layers of 4,096 rows, 32-64-10",
            "mlp",
            {"batch": 4096, "inputs": 32, "hidden": 64, "outputs": 10},
            small_mlp,
            "numpy:",
        ),
        Workload(
            "Adam, 1,000 variables of 64 x 64",
            "many",
            many,
            {"count": 5, "rows": 4, "columns": 4},
            "numba:flat",
            (Target(GRAPH, "numba:flat", 1.3),),
        ),
        Workload(
            "eager Adam step, 10 variables of 100 x 100",
            "many",
            few,
            {"count": 2, "rows": 4, "columns": 4},
            "numpy:",
            (
                Target("hybridflow:eager", "torch:foreach", 0.1),
                Target("hybridflow:eager", "torch:fused", 1 / 3),
            ),
        ),
    ]


def _formulas() -> list[Workload]:
    alone = ("tanh", "exp", "log")
    return [
        Workload(
            "relu(x*w+b)*mask + tanh(y), 1 M",
            "elementwise",
            {"formula": "relu", "size": 1_000_000},
            {"size": 1000},
            "numpy:",
            (
                Target("hybridflow, 1 thread:assign", "numpy:", 1 / 3.5),
                Target("hybridflow:assign", "jax:", 1.2),
                Target("hybridflow:graph", "jax:", 1.2),
            ),
        ),
        *[
            Workload(
                f"{formula}, 1 M",
                "elementwise",
                {"formula": formula, "size": 1_000_000},
                {"size": 1000},
                "numpy:",
                (Target("hybridflow, 1 thread:assign", "numpy:", 0.5),),
            )
            for formula in alone
        ],
        Workload(
            "projection onto the simplex, 4,096 rows of 1,000",
            "simplex",
            {"rows": 4096, "columns": 1000},
            {"rows": 5, "columns": 100},
            "numpy:",
            (Target(GRAPH, "jax:", 0.1),),
        ),
        *[
            Workload(
                f"graph of {ops:,} additions, built, planned, run once",
                "chain",
                {"ops": ops},
                {"ops": 50},
                "numpy:",
            )
            for ops in (1_000, 10_000, 100_000)
        ],
        Workload(
            "while_loop of 10,000 scalar turns",
            "turns",
            {"count": 10_000},
            {"count": 50},
            "numpy:",
            (
                Target(GRAPH, "tensorflow:", 0.1),
                Target(GRAPH, "numpy:", 0.5),
                Target(GRAPH, "jax:", 1.0),
            ),
        ),
        *[
            Workload(
                f"recurrence of {times} times, {batch} x {width}, and its gradient",
                "recurrence",
                {"times": times, "batch": batch, "width": width},
                {"times": 9, "batch": 3, "width": 5},
                "numpy:",
                (Target(GRAPH, "tensorflow:", 0.1 if width < 100 else 0.8),),
            )
            for times, batch, width in ((500, 4, 32), (100, 32, 128))
        ],
        *[
            Workload(
                f"LSTM of {times} times, {batch} x {inputs} to {width}, and its gradient",
                "lstm",
                {"times": times, "batch": batch, "inputs": inputs, "width": width},
                {"times": 5, "batch": 3, "inputs": 4, "width": 6},
                "numpy:",
                (Target(GRAPH, "torch:", torch), Target(GRAPH, "tensorflow:", tensorflow)),
            )
            for times, batch, inputs, width, torch, tensorflow in (
                (28, 64, 28, 128, 0.95, 0.7),
                (28, 1, 28, 128, 0.6, 0.25),
                (100, 32, 512, 512, 0.9, 0.6),
            )
        ],
        *[
            Workload(
                f"sparse matrix product, {rows:,} x {inner:,} with {each} a row, times {columns}",
                "product",
                {"rows": rows, "inner": inner, "columns": columns, "each": each},
                {"rows": 30, "inner": 20, "columns": 7, "each": 5},
                "numpy:SciPy",
                (Target(GRAPH, "numpy:SciPy", 1.0), Target(GRAPH, "tensorflow:", 1.0)),
            )
            for rows, inner, columns, each in ((20_000, 5_000, 64, 20), (4_000, 4_000, 256, 100))
        ],
        Workload(
            "CTC loss and its gradient, 32 sequences of 200 times, 64 classes, 40 labels",
            "spoken",
            {"times": 200, "batch": 32, "classes": 64, "labels": 40},
            {"times": 12, "batch": 3, "classes": 5, "labels": 4},
            "tensorflow:",
            (Target(GRAPH, "tensorflow:", 0.5), Target(GRAPH, "torch:", 1.0)),
        ),
    ]


def _sequences() -> list[Workload]:
    """Networks over time, loops and decoders."""
    tensorflow, torch, jax = "tensorflow:", "torch:", "jax:"
    small = {"times": 6, "batch": 3, "inputs": 4, "width": 5, "dropout": 0.0}
    common = {"times": 28, "batch": 64, "inputs": 28, "width": 128}

    def row(name: str, params: dict[str, Any], *targets: Target) -> Workload:
        params = {"kind": "lstm", **common, **params}
        return Workload(name, "network over time", params, small, torch, targets)

    sizes = (
        ({}, 0.95, 0.7),
        ({"batch": 1}, 0.6, 0.25),
        ({"times": 100, "batch": 32, "inputs": 512, "width": 512}, 0.9, 0.6),
    )
    normed = Workload(
        "layer-norm LSTM of one's own and its gradients, b64 t28 i28 h128",
        "normed network over time",
        common,
        small,
        torch,
        (Target(GRAPH, "hybridflow:plain", 1.5), Target(GRAPH, torch, 1 / 3)),
    )
    return [
        *[
            row(
                "LSTM training step, b{batch} t{times} i{inputs} h{width}".format_map(
                    {**common, **size}
                ),
                {**size, "trains": True},
                Target(GRAPH, torch, most),
                Target(GRAPH, tensorflow, rest),
            )
            for size, most, rest in sizes
        ],
        row(
            "GRU and its gradients, b64 t28 i28 h128",
            {"kind": "gru"},
            *_ahead(GRAPH, torch, jax, tensorflow),
        ),
        row(
            "LSTM forth and back with lengths, and its gradients, b32 t50 i64 h128",
            {"times": 50, "batch": 32, "inputs": 64, "ways": 2, "has_lengths": True},
            *_ahead(GRAPH, torch, jax, tensorflow),
        ),
        row(
            "two layers of LSTM with dropout, and their gradients, b64 t28 i28 h128",
            {"layers": 2, "dropout": 0.5},
            *_ahead(GRAPH, torch, jax, tensorflow),
        ),
        normed,
        Workload(
            "scan over 1,000 steps of a vector of 64",
            "scanned",
            {"times": 1000, "size": 64},
            {"times": 9, "size": 3},
            jax,
            (Target(GRAPH, tensorflow, 0.1), Target(GRAPH, jax, 1.0)),
        ),
        Workload(
            "map_fn of a network 32-32-8 over 1,000 rows",
            "mapped",
            {"rows": 1000, "inputs": 32, "width": 32, "outputs": 8},
            {"rows": 7, "inputs": 3, "width": 4, "outputs": 2},
            "hybridflow:at once",
            (Target(GRAPH, "hybridflow:at once", 2.0), Target(GRAPH, tensorflow, 0.1)),
        ),
        Workload(
            "attention decoder, greedy, b32, 50 steps, h256",
            "decoder",
            {"batch": 32, "seen": 30, "width": 256, "symbols": 500, "steps": 50},
            {"batch": 3, "seen": 4, "width": 6, "symbols": 7, "steps": 5},
            tensorflow,
            (Target(GRAPH, tensorflow, 0.5), Target("hybridflow:seq2seq", tensorflow, 0.5)),
        ),
        normed._replace(
            name="empty program to full speed, layer-norm LSTM of one's own",
            measure="settled",
            base="hybridflow, warm:graph",
            targets=(),
        ),
    ]


def _starts() -> list[Workload]:
    mlp, small = _steps()[1].params, _steps()[1].small
    many = _steps()[2]
    interpreted = "hybridflow, interpreted:run"

    def row(name: str, measure: str, base: str, *targets: Target, steps: int = 1) -> Workload:
        return Workload(name, "mlp", mlp, small, base, targets, measure, steps)

    cold = "hybridflow, cold:run"
    adam = _updates()[0]
    return [
        row("first step of the MLP", "first", interpreted, Target(cold, interpreted, 1.3)),
        row(
            "1,000 steps of the MLP from the first on",
            "steps",
            interpreted,
            Target(cold, interpreted, 1.0),
            steps=1000,
        ),
        row("process to full speed, MLP", "quick start", "numpy:"),
        row("empty program to full speed, MLP", "settled", "numpy:"),
        Workload(
            "empty program to full speed, Adam + row max-norm",
            "update",
            {**adam.params, "rows": 512, "columns": 320},
            adam.small,
            "numpy:",
            (),
            "settled",
        ),
        Workload(
            "process to the first step, Adam, 1,000 variables",
            "many",
            many.params,
            many.small,
            "numpy:",
            (),
            "start",
        ),
        row("import", "import", "numpy:", Target("hybridflow, warm:", "numpy:", 1.4)),
    ]


def _ahead(subject: str, *bases: str, limit: float = 1.0) -> tuple[Target, ...]:
    """Targets of a subject against several bases."""
    return tuple(Target(subject, base, limit) for base in bases)


_PEERS = ("jax:", "torch:", "tensorflow:")
# Convolutions by name: images, filters, stride, and whether they are padded.
_CONVOLUTIONS: dict[str, tuple[Any, ...]] = {
    "5x5, 1 to 32, 28x28, b64": ((64, 28, 28, 1), (5, 5, 1, 32), 1, True),
    "5x5, 32 to 64, 14x14, b64": ((64, 14, 14, 32), (5, 5, 32, 64), 1, True),
    "3x3, 64 to 64, 56x56, b32": ((32, 56, 56, 64), (3, 3, 64, 64), 1, True),
    "3x3, 64 to 64, 56x56, b1": ((1, 56, 56, 64), (3, 3, 64, 64), 1, True),
    "3x3, 256 to 256, 14x14, b32": ((32, 14, 14, 256), (3, 3, 256, 256), 1, True),
    "3x3, 256 to 256, 14x14, b1": ((1, 14, 14, 256), (3, 3, 256, 256), 1, True),
    "1x1, 128 to 256, 28x28, b32": ((32, 28, 28, 128), (1, 1, 128, 256), 1, True),
    "1x1, 128 to 256, 28x28, b1": ((1, 28, 28, 128), (1, 1, 128, 256), 1, True),
    "3x3 by 2, 64 to 128, 56x56, b32": ((32, 56, 56, 64), (3, 3, 64, 128), 2, True),
    "3x3 VALID, 128 to 128, 28x28, b32": ((32, 28, 28, 128), (3, 3, 128, 128), 1, False),
}
_GRADIENTS = {"forward": "", "input": ", gradient to input", "filter": ", gradient to filter"}


def _convolutions() -> list[Workload]:
    def limit(of: str, name: str) -> float:
        if of != "forward":
            return 1.1
        return 0.65 if name.startswith(("3x3,", "3x3 VALID")) else 1.05

    def row(of: str, name: str) -> Workload:
        x, filters, stride, same = _CONVOLUTIONS[name]
        params = {"of": of, "x": x, "filters": filters, "stride": stride, "same": same}
        small = {"x": (2, 9, 11, min(x[3], 5)), "filters": (*filters[:2], min(x[3], 5), 7)}
        targets = _ahead(GRAPH, *_PEERS, limit=limit(of, name))
        title = f"convolution {name}{_GRADIENTS[of]}"
        return Workload(title, "convolution", params, small, "torch:", targets)

    def depthwise(of: str) -> Workload:
        params = {"of": of, "x": (32, 28, 28, 128), "filters": (3, 3, 128, 1), "depthwise": True}
        return Workload(
            f"depthwise convolution 3x3, 128 channels, 28x28, b32{_GRADIENTS[of]}",
            "convolution",
            params,
            {"x": (2, 7, 8, 5), "filters": (3, 3, 5, 2)},
            "torch:",
            _ahead(GRAPH, *_PEERS),
        )

    return [
        *[row(of, name) for name in _CONVOLUTIONS for of in _GRADIENTS],
        *[depthwise(of) for of in _GRADIENTS],
    ]


def _networks() -> list[Workload]:
    callable_, eager, cold = "hybridflow:callable", "hybridflow:eager", "hybridflow, cold:run"
    interpreted = "hybridflow, interpreted:run"
    lenet = {"batch": 64, "size": 28, "widths": (32, 64, 1024), "dropout": 0.5}
    small_lenet = {"batch": 4, "size": 8, "widths": (4, 6, 16), "dropout": 0.0}
    resnet = {"batch": 128, "size": 32, "widths": (16, 32, 64), "blocks": 3}
    small_resnet = {"batch": 4, "size": 9, "widths": (4, 6, 8), "blocks": 1}
    rows = [
        Workload(
            "LeNet-like step, b64",
            "lenet",
            lenet,
            small_lenet,
            "torch:",
            (*_ahead(callable_, *_PEERS, limit=0.8), Target(eager, "torch:", 0.9)),
        ),
        Workload(
            "ResNet-20 step, b128",
            "resnet",
            resnet,
            small_resnet,
            "torch:",
            _ahead(callable_, *_PEERS, limit=0.75),
        ),
        Workload(
            "ResNet-20 inference, b1",
            "resnet inference",
            {**resnet, "batch": 1},
            {**small_resnet, "batch": 1},
            "torch:",
            (Target(callable_, "tensorflow:", 0.5), Target(callable_, "torch:", 0.8)),
        ),
        Workload(
            "100 steps of the LeNet-like network from the first on",
            "lenet",
            lenet,
            small_lenet,
            interpreted,
            (Target(cold, interpreted, 1.3),),
            "steps",
            steps=100,
            rounds=3,
        ),
        Workload(
            "eager sum(x * x) of 16 numbers and its gradient",
            "tape",
            {"size": 16},
            {},
            "torch:",
            (Target(eager, "torch:", 1.0),),
        ),
    ]
    for name, family, most, params, small in (
        ("max pooling 2x2", "pooling", 0.35, (64, 28, 28, 32), (2, 4, 6, 5)),
        ("batch norm and relu", "norm", 0.5, (32, 28, 28, 128), (2, 4, 5, 6)),
    ):
        for both in (False, True):
            rows.append(
                Workload(
                    f"{name}, {'x'.join(map(str, params))}{', and gradients' * both}",
                    family,
                    {"x": params, "both": both},
                    {"x": small},
                    "torch:",
                    _ahead(GRAPH, "torch:", limit=most),
                )
            )
    return rows


def _files() -> list[Workload]:
    """Checkpoints beside the same bytes in a plain file."""
    targets = (Target(GRAPH, "numpy:", 1 / 0.8), Target(GRAPH, "tensorflow:", 1.0))
    return [
        Workload(
            f"{family} 1 GB, {tensors} tensors",
            family,
            {"megabytes": 1000, "tensors": tensors},
            {"megabytes": 0.1},
            "numpy:",
            targets,
        )
        for family in ("save", "restore")
        for tensors in (4, 100)
    ]


def _input() -> list[Workload]:
    """What feeds programs: rows in a random order, lines, records; and steps that are fed."""
    return [
        Workload(
            "117 shuffled batches, 128 of 60,000 x 784",
            "batches",
            {"count": 468 * 128, "width": 784},
            {"count": 4 * 128, "width": 3},
            "numpy:",
            (Target(GRAPH, "tensorflow:", 1 / 5), Target(GRAPH, "torch:", 1.0)),
        ),
        Workload(
            "6,400 lines split and looked up, 128 at a time",
            "lines",
            {"count": 200 * 128, "words": 10_000},
            {"count": 4 * 128, "words": 50},
            "numpy:",
            (Target(GRAPH, "tensorflow:", 1.0), Target(GRAPH, "torch:", 1.0)),
        ),
        Workload(
            "6,400 records parsed, 128 at a time",
            "records",
            {"count": 200 * 128, "width": 64},
            {"count": 4 * 128, "width": 5},
            "numpy:",
            (Target(GRAPH, "tensorflow:", 1.0),),
        ),
        Workload(
            "MLP step 128 x 784-512-10, its batches shuffled",
            "fed",
            {"count": 60_000, "width": 784, "hidden": 512},
            {"count": 300, "width": 3, "hidden": 4},
            "hybridflow:without input",
            (Target(GRAPH, "hybridflow:without input", 1.05), Target(GRAPH, "tensorflow:", 1.0)),
        ),
    ]


TABLE: list[Workload] = [
    *_updates(),
    *_sparse(),
    *_steps(),
    *_formulas(),
    *_sequences(),
    *_starts(),
    *_convolutions(),
    *_networks(),
    *_files(),
    *_input(),
]
# Seconds that some things should take at most, whatever else is running.
SECONDS = {
    ("linear regression step, 17 samples", "hybridflow:run"): 3e-6,
    ("linear regression step, 17 samples", "hybridflow:callable"): 2e-6,
    ("process to full speed, MLP", "hybridflow, warm:run"): 0.5,
    ("process to the first step, Adam, 1,000 variables", "hybridflow, cold:graph"): 2.0,
    (
        "empty program to full speed, layer-norm LSTM of one's own",
        "hybridflow, cold:graph",
    ): 3.0,
}


class Quick(NamedTuple):
    """A row of the quick form.

    Attributes:
      limit: how much of the base's time it may take. steps: how many native steps it may have.
    """

    workload: Workload
    subject: str
    base: str
    limit: float
    steps: int


def _quick(
    family: str, subject: str, limit: float, steps: int, base: str = "numpy:", **params: Any
) -> Quick:
    name = ", ".join([family, *map(str, params.values())])
    return Quick(Workload(name, family, params, {}, base), subject, base, limit, steps)


QUICK: list[Quick] = [
    _quick("regression", "hybridflow:run", 0.4, 4, samples=17),
    _quick("regression", "hybridflow:callable", 0.35, 4, samples=17),
    _quick("mlp", "hybridflow:run", 1.6, 13, batch=32, inputs=784, hidden=128, outputs=10),
    _quick("update", GRAPH, 0.5, 2, optimizer="Adam", constraint="rows", rows=256, columns=320),
    _quick("update", GRAPH, 0.5, 4, optimizer="Adam", constraint="columns", rows=256, columns=320),
    _quick(
        "update", GRAPH, 0.6, 1, optimizer="SGD", constraint="non-negative", rows=256, columns=320
    ),
    _quick("many", GRAPH, 0.1, 21, count=100, rows=16, columns=16),
    _quick(
        "sparse",
        GRAPH,
        0.1,
        2,
        optimizer="SGD",
        constraint="none",
        rows=10_000,
        columns=64,
        touched=1024,
    ),
    _quick("elementwise", "hybridflow:assign", 1.0, 1, formula="relu", size=100_000),
    # On processors with AVX-512 NumPy has vector math for it too.
    _quick("elementwise", "hybridflow:assign", 2.5, 1, formula="tanh", size=100_000),
    _quick("elementwise", "hybridflow:assign", 1.0, 1, formula="exp", size=100_000),
]
