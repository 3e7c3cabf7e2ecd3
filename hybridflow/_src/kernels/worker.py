"""The compile worker: a process that turns kernel sources into object code, one after the other.

Numba holds the interpreter's lock while it compiles and takes long to import, so it lives here and
not in the program's own process. Requests and answers are messages of `pipes`. A request is the
name of a function, a new line, and the source; the answer starts with `+` before the object code or
with `-` before what is wrong. A first answer, before any request, tells that the worker is there.
"""

from __future__ import annotations

import gc
import os

from hybridflow._src.kernels import loader
from hybridflow._src.kernels.lowering import compile_kernel
from hybridflow._src.kernels.pipes import receive, send
from hybridflow._src.ranks import launching


def main(requests: int, answers: int) -> None:
    """Serves requests until there are no more: from one file descriptor, to another."""
    if hasattr(os, "nice") and launching.launch() is None:
        os.nice(10)  # the program comes first; ranks of a job wait for kernels
    # A compiler makes many objects, few of them in cycles: these are looked for less often.
    gc.freeze()
    gc.set_threshold(20_000)
    send(answers, b"+")
    while True:
        try:
            symbol, _, source = receive(requests).decode().partition("\n")
        except EOFError:
            return
        try:
            code = compile_kernel(source, symbol)
            # LLVM ends a process that loads code which refers to nothing: better this one.
            loader.load(code, symbol)
        except Exception as error:
            send(answers, f"-{type(error).__name__}: {error}".encode())
        else:
            send(answers, b"+" + code)
