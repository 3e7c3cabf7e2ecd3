"""A peer's server: makes subjects in the peer's own Python and times them when it is their turn.

    python -m perf.suite.server PEER

Requests come on standard input, answers go to standard output, one line of JSON each. Steps are
timed with Python's garbage collector off, after one step that is not.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
import traceback
from typing import Any

import numpy as np

from perf.suite import machine
from perf.workloads.problems import FAMILIES
from perf.workloads.subject import IMPLEMENTATIONS, Subject, load

# A subject has made so many steps when its result is compared; it is `ready` after two.
STEPS = 4
# So many loops are timed, of which the quickest counts.
_LOOPS = 10
# Steps that take longer (in seconds) are not repeated to warm up.
_LONG = 0.5


def settled(subject: Subject) -> list[Any]:
    """Takes a subject to full speed and gives its result after `STEPS` steps."""
    with subject.mode():
        for count in range(1, STEPS + 1):
            subject.step()
            if count == 2:
                subject.ready()
        return [np.asarray(array) for array in subject.result()]


def seconds(subject: Subject, number: int, warm: bool = True) -> float:
    """The time of one step, from a loop of `number`; if `warm`, after one that is not timed.

    Many steps are several loops, of which the quickest counts: the machine may take the processor
    away in some of them.
    """
    step = subject.step
    loops = _LOOPS if number >= 4 * _LOOPS else 1
    found = []
    with subject.mode():
        if warm:
            step()
        gc.disable()
        try:
            for _ in range(loops):
                start = time.perf_counter()
                for _ in range(number // loops):
                    step()
                found.append((time.perf_counter() - start) / (number // loops))
        finally:
            gc.enable()
    return min(found)


class _Server:
    """The subjects that are there, by variant."""

    def __init__(self) -> None:
        self._subjects: dict[str, Subject] = {}

    def hello(self) -> dict[str, Any]:
        """What this peer has."""
        return {
            "versions": machine.versions(),
            "package": sys.modules[sys.argv[1]].__file__,
            "has": [list(key) for key in IMPLEMENTATIONS],
        }

    def prepare(self, family: str, variant: str, params: dict[str, Any], to: str) -> dict[str, Any]:
        """Makes a subject and keeps its result in the file `to`."""
        subject = IMPLEMENTATIONS[family, variant](FAMILIES[family](**params))
        if subject is None:
            return {"none": True}
        np.savez(to, *settled(subject))
        self._subjects[variant] = subject
        return {
            "compared": subject.compared,
            "tolerance": subject.tolerance,
            "facts": subject.facts(),
        }

    def number(self, variant: str, wanted: float) -> dict[str, Any]:
        """How many steps take the wanted seconds, at least one."""
        number = 1
        while True:
            took = seconds(self._subjects[variant], number) * number
            if took >= wanted / 4:
                return {"number": max(1, round(number * wanted / took)), "warm": took < _LONG}
            number *= 4

    def time(self, variant: str, number: int, warm: bool) -> dict[str, Any]:
        """The time of one step."""
        return {"seconds": seconds(self._subjects[variant], number, warm)}

    def drop(self) -> dict[str, Any]:
        """Forgets all subjects."""
        self._subjects.clear()
        gc.collect()
        return {}


def main() -> None:
    """Serves requests until standard input ends."""
    answers = os.fdopen(os.dup(1), "w")
    # What libraries print must not get between the answers.
    os.dup2(2, 1)
    load(sys.argv[1])
    server = _Server()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(server, request.pop("do"))(**request)
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"[:2000]}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
