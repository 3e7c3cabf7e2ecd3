"""Products of matrices in native programs: by register tiles, over those left to NumPy's BLAS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.kernels.compiler import COMPILER

# Rows, inner size, columns, and which matrices are transposed.
SIZES = {
    "a row": (1, 784, 128, ""),
    "few columns": (64, 1024, 10, ""),
    "MLP": (32, 784, 128, ""),
    "MLP, to the weights": (784, 32, 128, "a"),
    "MLP, to the inputs": (32, 128, 784, "b"),
    "dense layer": (64, 3136, 1024, ""),
    "dense layer, to the inputs": (64, 1024, 3136, "b"),
    "square": (512, 512, 512, ""),
    "large": (1024, 1024, 1024, ""),
}


@contextmanager
def product(size: tuple[int, int, int, str], dtype: str, *without: str) -> Iterator[Any]:
    """A function that runs a product on one thread."""
    rows, inner, columns, turned = size
    rng = np.random.default_rng(0)
    shapes = ([rows, inner], [inner, columns])
    given = [
        rng.standard_normal(shape[::-1] if name in turned else shape).astype(dtype)
        for name, shape in zip("ab", shapes, strict=True)
    ]
    config = hf.ConfigProto(intra_op_parallelism_threads=1)
    config.graph_options.optimizer_options.without_loop_passes = without
    with ExitStack() as stack:
        stack.enter_context(hf.Graph().as_default())
        session = stack.enter_context(hf.Session(config=config))
        a, b = (hf.placeholder(dtype, array.shape) for array in given)
        y = hf.matmul(a, b, transpose_a="a" in turned, transpose_b="b" in turned)
        run: Callable[..., Any] = session.make_callable(y, [a, b])
        for _ in range(3):
            run(*given)
        assert COMPILER.wait(120)
        yield lambda: run(*given)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SIZES)
def test_products(benchmark, figures, in_turns, name, dtype):
    size = SIZES[name]
    with product(size, dtype) as ours, product(size, dtype, "products by tiles") as theirs:
        benchmark(ours)
        work = 2 * size[0] * size[1] * size[2]
        left, found = in_turns(theirs, ours, number=max(1, 10**8 // work), rounds=9)
    note = f"{found * 1e6:.1f} us, {work / found / 1e9:.0f} GF/s; BLAS {work / left / 1e9:.0f} GF/s"
    figures.add(f"{name}, {dtype}, over BLAS", found / left, "times", 1.0, note)
