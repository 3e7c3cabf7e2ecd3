"""Benchmarks beside unit tests."""

from __future__ import annotations

import inspect
import re
import time
from typing import Any

import numpy as np

__all__ = ["Benchmark", "run_benchmarks"]

_CLASSES: list[type[Benchmark]] = []


class Benchmark:
    """A class of benchmarks: methods whose names begin with `benchmark`.

    `hf.test.main()` runs them instead of tests where the program is given `--benchmarks=REGEXP`.

    >>> import hybridflow as hf
    >>> class Additions(hf.test.Benchmark):
    ...     def benchmarkAdd(self):
    ...         with hf.Graph().as_default(), hf.Session() as session:
    ...             y = hf.constant(1.0) + 1.0
    ...             return self.run_op_benchmark(session, y, min_iters=3, name="add")
    >>> results = Additions().benchmarkAdd()  # doctest: +ELLIPSIS
    benchmark Additions.add: 3 iterations, ... s each
    >>> results["iters"]
    3
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _CLASSES.append(cls)

    @classmethod
    def is_abstract(cls) -> bool:
        """Whether the class has no benchmarks of its own."""
        return not any(name.startswith("benchmark") for name in vars(cls))

    def _name(self, name: str | None) -> str:
        if name is None:
            frames = (frame.function for frame in inspect.stack())
            name = next((f for f in frames if f.startswith("benchmark")), "benchmark")
        return f"{type(self).__name__}.{name}"

    def report_benchmark(
        self,
        iters: int | None = None,
        cpu_time: float | None = None,
        wall_time: float | None = None,
        throughput: float | None = None,
        extras: dict[str, Any] | None = None,
        name: str | None = None,
    ) -> None:
        """Prints what was measured.

        Args:
          iters: the number of iterations.
          cpu_time, wall_time: seconds of one iteration.
          throughput: in MB a second.
          extras: further values by name.
          name: of the benchmark; None: of the method that calls.
        """
        parts = [
            words.format(value)
            for words, value in (
                ("{} iterations", iters),
                ("{:.3g} s each", wall_time),
                ("{:.3g} s of the processor", cpu_time),
                ("{:.4g} MB/s", throughput),
            )
            if value is not None
        ]
        parts += [f"{key} {value}" for key, value in (extras or {}).items()]
        print(f"benchmark {self._name(name)}: {', '.join(parts)}")

    def run_op_benchmark(
        self,
        sess: Any,
        op_or_tensor: Any,
        feed_dict: dict[Any, Any] | None = None,
        burn_iters: int = 2,
        min_iters: int = 10,
        store_trace: bool = False,
        store_memory_usage: bool = True,
        name: str | None = None,
        extras: dict[str, Any] | None = None,
        mbs: float = 0,
    ) -> dict[str, Any]:
        """Runs an operation again and again, and reports the median time.

        Args:
          sess: the session.
          op_or_tensor: what to run.
          feed_dict: what to feed.
          burn_iters: runs that are not measured.
          min_iters: runs that are.
          store_trace, store_memory_usage: accepted for compatibility.
          name: of the benchmark; None: of the method that calls.
          extras: further values to report.
          mbs: megabytes that a run handles, for the throughput.

        Returns: a dict of what was reported: `iters`, `wall_time`, `throughput`, `extras`, `name`.
        """
        for _ in range(burn_iters):
            sess.run(op_or_tensor, feed_dict)
        times = []
        for _ in range(min_iters):
            began = time.perf_counter()
            sess.run(op_or_tensor, feed_dict)
            times.append(time.perf_counter() - began)
        median = float(np.median(times)) if times else float("nan")
        results: dict[str, Any] = {
            "iters": min_iters,
            "wall_time": median,
            "throughput": mbs / median if mbs else None,
            "extras": {**(extras or {})},
            "name": name,
        }
        self.report_benchmark(**results)
        return results


def run_benchmarks(pattern: str) -> None:
    """Runs all benchmarks whose `Class.method` contains a pattern.

    Args:
      pattern: a regular expression; "all" stands for every one.
    """
    expression = re.compile("" if pattern == "all" else pattern)
    for cls in list(_CLASSES):
        for name in sorted(vars(cls)):
            if name.startswith("benchmark") and expression.search(f"{cls.__name__}.{name}"):
                getattr(cls(), name)()
