"""The elementary functions of kernels against NumPy's, and SciPy's where NumPy has none."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from scipy import special

from hybridflow._src.kernels.vector_math import FUNCTIONS
from tests.kernels.compiling import Kernel

SIZE = 1_000_000
# Where the arguments are taken from, evenly.
RANGES = {"exp": (-80, 80), "log": (1e-3, 1e3), "log1p": (-0.9, 100), "pow": (0.1, 10)}
NUMPY = {"pow": np.power, "softplus": lambda x, out: np.logaddexp(0, x, out=out)}
SCIPY = {"sigmoid": special.expit, "erf": special.erf, "erfc": special.erfc}
TARGETS = {"exp": 0.5, "log": 0.5, "tanh": 0.5}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", sorted({name for name, _ in FUNCTIONS}))
def test_a_million_numbers(benchmark, figures, in_turns, name, dtype):
    function = FUNCTIONS[name, dtype]
    arity = len(inspect.signature(function).parameters)
    generator = np.random.default_rng(0)
    inputs = [generator.uniform(*RANGES.get(name, (-8, 8)), SIZE).astype(dtype)]
    inputs += [generator.uniform(-3, 3, SIZE).astype(dtype) for _ in range(arity - 1)]
    out = np.empty_like(inputs[0])
    peer = SCIPY.get(name) or NUMPY.get(name) or getattr(np, name)
    ours = Kernel(function, dtype, arity).bound(out, *inputs)
    benchmark(ours)
    theirs, found = in_turns(lambda: peer(*inputs, out=out), ours, number=3, rounds=15)
    whose = "SciPy" if name in SCIPY else "NumPy"
    note = f"{found * 1e3:.2f} ms, {whose} {theirs * 1e3:.2f} ms: {theirs / found:.1f} x as fast"
    target = TARGETS.get(name, 1.0)
    figures.add(f"{name}, {dtype}, over {whose}", found / theirs, "times", target, note)
