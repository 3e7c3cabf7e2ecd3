"""Helpers for tests of the native executor."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator
from typing import Any

import numpy as np

from hybridflow._src.kernels import driver, uncompiled
from hybridflow._src.kernels.compiler import COMPILER
from hybridflow._src.kernels.crew import Crew
from hybridflow._src.plan import building, nested, planning, recording
from hybridflow._src.plan import native as executor
from hybridflow._src.plan.plan import Plan

_CALL = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)


class PythonCompiler:
    """Stands in for the compiler: kernels run as Python functions."""

    forks = 0

    def __init__(self) -> None:
        self._functions: dict[Any, Any] = {}

    def needed(self, is_shared: bool) -> tuple[Any, ...]:
        return ()

    def missing(self, kernels: Any) -> list[Any]:
        return []

    def make(self, kernels: Any) -> Iterator[float]:
        yield from (0.0 for _ in kernels)

    def obtain(self, kernels: Any) -> dict[Any, int]:
        for kernel in kernels:
            if kernel not in self._functions:
                self._functions[kernel] = _CALL(_telling(uncompiled.function_of(kernel)))
        return {
            kernel: ctypes.cast(self._functions[kernel], ctypes.c_void_p).value or 0
            for kernel in kernels
        }

    def entry(self) -> Any:
        return PythonEntry

    def crew(self) -> Any:
        return Crew(run_program)


class AtOnce:
    """Stands in for the thread that does jobs: they are done when they are submitted."""

    def submit(self, owner: object, turns: Iterator[float], failed: Any) -> None:
        for _ in turns:
            pass

    def wait(self, seconds: float | None = None) -> bool:
        return True


_errors: list[Exception] = []


def _telling(function: Any) -> Any:
    """A function whose errors are not lost where native code calls it."""

    def call(args: int) -> int:
        try:
            return function(args)
        except Exception as error:
            _errors.append(error)
            return 255

    return call


class PythonEntry:
    """Stands in for the driver."""

    @staticmethod
    def enter(program: int) -> int:
        return run_program(program)

    @staticmethod
    def feeder(table: Any) -> Any:
        def feed(arrays: tuple[Any, ...]) -> int:
            words = iter(table.tolist())
            program = next(words)
            for array in arrays:
                _, kind, wanted = (next(words) for _ in range(3))
                if not kind:
                    if id(array) != wanted:
                        return driver.MISMATCH
                    continue
                shape = tuple(next(words) for _ in range(next(words)))
                places = [(next(words), next(words)) for _ in range(next(words))]
                if type(array) is not np.ndarray or id(array.dtype) != wanted:
                    return driver.MISMATCH
                if array.shape != shape or not (array.flags.c_contiguous and array.flags.aligned):
                    return driver.MISMATCH
                for word, offset in places:
                    ctypes.c_int64.from_address(word).value = array.ctypes.data + offset
            return run_program(program) if program else 0

        return feed


def run_program(program: int) -> int:
    """What the driver does with a program, in Python."""
    words = ctypes.cast(program, ctypes.POINTER(ctypes.c_int64))
    for position in range(words[driver.NEXT], words[0]):
        first = driver.HEAD_WORDS + 2 * position
        function, args = words[first], words[first + 1]
        status = _CALL(function)(args)
        if _errors:
            raise _errors.pop()
        if status:
            words[driver.NEXT] = position
            return 256 * position + status
    words[1], words[driver.NEXT] = 1, 0
    return 0


@contextlib.contextmanager
def uncompiled_kernels() -> Iterator[None]:
    """Programs made inside run their kernels as Python functions."""
    before = building.COMPILER, executor.JOBS
    building.COMPILER = PythonCompiler()  # type: ignore[assignment]
    executor.JOBS = AtOnce()  # type: ignore[assignment]
    try:
        yield
    finally:
        building.COMPILER, executor.JOBS = before


@contextlib.contextmanager
def interpreter_alone() -> Iterator[None]:
    """Plans made inside are never run natively."""
    before = planning.native_of
    planning.native_of = lambda plan: None
    try:
        yield
    finally:
        planning.native_of = before


@contextlib.contextmanager
def interpreted_bodies() -> Iterator[None]:
    """Bodies have no programs of their own, which half of the work is to make: the interpreter runs
    them, until the program around them does.
    """
    before = nested.run_body

    def run_body(plan: Any, feeds: list[Any], given: Any) -> list[Any]:
        results: list[Any] = plan.interpret(plan.ready(feeds), given=given)
        return results

    nested.run_body = recording.run_body = run_body  # type: ignore[attr-defined]
    try:
        yield
    finally:
        nested.run_body = recording.run_body = before  # type: ignore[attr-defined]


def wait() -> None:
    """Waits until everything is compiled."""
    assert COMPILER.wait(300), "compiling takes too long"


@contextlib.contextmanager
def assert_no_compile() -> Iterator[None]:
    """Fails if what runs inside needs a kernel that the process does not have."""
    wait()
    before = COMPILER.compiled, COMPILER.loaded, COMPILER.failed
    yield
    wait()
    assert before == (COMPILER.compiled, COMPILER.loaded, COMPILER.failed), "a kernel was needed"


def programs(plan: Plan) -> list[Any]:
    """The native programs of a plan."""
    assert plan.native is not None
    return list(plan.native.programs.values())


def fallbacks(plan: Plan) -> list[str]:
    """The ops of a plan that run by their NumPy meaning, and why; also why there is no program."""
    assert plan.native is not None
    found = list(plan.native.problems.values())
    for program in programs(plan):
        found += [f"{op}: {why}" for op, why in program.fallbacks]
    return found
