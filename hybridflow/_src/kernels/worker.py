"""The compile worker: a process that turns kernel sources into object code, one after the other.

Numba holds the interpreter's lock while it compiles and takes long to import, so it lives here and
not in the program's own process. Requests come on standard input, answers go to standard output,
each as a length (8 bytes) and that many bytes: of JSON with `symbol` and `source`, and of JSON with
an `error` or, if that is empty, a second message with the object code.
"""

from __future__ import annotations

import json
import os

from hybridflow._src.kernels.lowering import compile_kernel
from hybridflow._src.kernels.pipes import receive, send


def main() -> None:
    """Serves requests until standard input ends."""
    requests, answers = os.dup(0), os.dup(1)
    # What compiling prints must not get between the answers.
    os.dup2(2, 1)
    while True:
        try:
            request = json.loads(receive(requests))
        except EOFError:
            return
        code, problem = b"", ""
        try:
            code = compile_kernel(request["source"], request["symbol"])
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
        send(answers, json.dumps({"error": problem}).encode())
        if not problem:
            send(answers, code)


if __name__ == "__main__":
    main()
