"""A program in a process of its own: starts a peer, makes a few steps, and tells how long it took.

    python -m perf.suite.program PEER FAMILY VARIANT PARAMS STEPS SETTLE

PARAMS are JSON. With SETTLE 1 it waits after two steps until the next is as quick as it gets, and
makes that too. Prints two lines of JSON: how long what took, and other facts.
"""

from __future__ import annotations

import json
import os
import sys
import time

from perf.workloads.problems import FAMILIES
from perf.workloads.subject import IMPLEMENTATIONS, load


def main() -> None:
    """Runs the program that the arguments describe."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    peer, family, variant, params, steps, settle = sys.argv[1:]
    clock = time.perf_counter
    load(peer)
    problem = FAMILIES[family](**json.loads(params))
    start = clock()
    subject = IMPLEMENTATIONS[family, variant](problem)
    took = {"make": clock() - start}
    with subject.mode():
        before = clock()
        subject.step()
        took["first"] = clock() - before
        for _ in range(int(steps) - 1):
            subject.step()
        took["steps"] = clock() - before
        if settle == "1":
            if steps == "1":
                subject.step()
            subject.ready()
            took["settled"] = clock() - start
            subject.step()
    # Two lines: the first tells the time, the second may take some.
    print(json.dumps(took), file=answers, flush=True)
    more = {"facts": subject.facts(), "imports numba": "numba" in sys.modules}
    print(json.dumps(more), file=answers, flush=True)


if __name__ == "__main__":
    main()
