"""The peers that can be measured here, and talking to their servers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from perf.suite.machine import ROOT

# What a peer's module imports.
MODULES = {
    "hybridflow": ("hybridflow",),
    "numpy": ("numpy",),
    "numba": ("numba",),
    "pytensor": ("pytensor",),
    "jax": ("jax", "optax"),
    "torch": ("torch",),
    "tensorflow": ("tensorflow",),
}
# Pythons of other environments, apart by the separator of paths.
PYTHONS = "HYBRIDFLOW_BENCH_PYTHONS"
_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}
_FIND = (
    "import importlib.util as u, sys; sys.exit(any(u.find_spec(m) is None for m in sys.argv[1:]))"
)


class Peer(NamedTuple):
    """A peer as it is run: in an empty folder, since Python imports from the current one first.

    Attributes:
      label: what reports call it. module: its module in `perf.peers`.
      python: the interpreter. environment: settings that its processes get.
    """

    label: str
    module: str
    python: str
    environment: dict[str, str]

    def settings(self) -> dict[str, str]:
        """The environment of a process of this peer."""
        path = [self.environment["PYTHONPATH"]] if "PYTHONPATH" in self.environment else []
        # Compiled files must be there the second time, or imports are not what users see.
        dropped = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
        inherited = {k: v for k, v in os.environ.items() if k not in dropped}
        found = {**inherited, **_QUIET, **self.environment}
        return {**found, "PYTHONPATH": os.pathsep.join([*path, str(ROOT)])}


def find(wanted: Sequence[str] = (), pythons: Iterable[str] = ()) -> list[Peer]:
    """The peers that are installed here or in other environments, each in the first that has it."""
    given = [*pythons, *filter(None, os.environ.get(PYTHONS, "").split(os.pathsep))]
    found = []
    for name, modules in MODULES.items():
        if wanted and name not in wanted:
            continue
        # The three that ratios are most about come from one environment.
        places = [sys.executable] if name in ("hybridflow", "numpy", "numba") else given
        places = [sys.executable, *places]
        python = next((p for p in places if _has(p, modules)), None)
        if python is not None:
            found.append(Peer(name, name, python, {}))
    return found


def _has(python: str, modules: Sequence[str]) -> bool:
    command = [python, "-c", _FIND, *modules]
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


# With this each of the peers uses one thread.
ONE_THREAD = {
    "HYBRIDFLOW_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
}


def one_thread(peer: Peer) -> Peer:
    """A peer that uses one thread."""
    environment = {**peer.environment, **ONE_THREAD}
    return peer._replace(label=f"{peer.label}, 1 thread", environment=environment)


class PeerError(Exception):
    """A peer could not do what it was asked."""


class Server:
    """A running peer.

    Attributes:
      versions: of the libraries beside it. package: the file that its own was imported from.
      has: the families and variants that it can do.
    """

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self._folder = tempfile.TemporaryDirectory()
        self._log = Path(self._folder.name) / "log"
        with self._log.open("w") as log:
            self._process = self._start(log)
        hello = self.ask("hello")
        self.versions: dict[str, str] = hello["versions"]
        self.package: str = hello["package"]
        self.has: list[tuple[str, str]] = [(family, variant) for family, variant in hello["has"]]

    def _start(self, log: Any) -> subprocess.Popen[str]:
        peer = self.peer
        return subprocess.Popen(
            [peer.python, "-m", "perf.suite.server", peer.module],
            cwd=self._folder.name,
            env=peer.settings(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """Sends a request and gives the answer.

        Raises:
          PeerError: if there is none, or it is an error.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            stdin.write(json.dumps({"do": do, **request}) + "\n")
            stdin.flush()
            line = stdout.readline()
        except OSError:
            line = ""
        if not line:
            raise PeerError(f"{self.peer.label} is gone: {self._last_words()}")
        answer = json.loads(line)
        if "error" in answer:
            raise PeerError(f"{self.peer.label}: {answer['error']}")
        return answer

    def _last_words(self) -> str:
        return self._log.read_text(errors="replace")[-2000:].strip()

    def close(self) -> None:
        """Ends the server."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()


class Started(NamedTuple):
    """What a program told: when (in seconds from its start), and its two lines."""

    seconds: float
    took: dict[str, float]
    more: dict[str, Any]


def start(peer: Peer, *args: Any) -> Started:
    """Runs `perf.suite.program` in a new process.

    Raises:
      PeerError: if it fails.
    """
    command = [peer.python, "-m", "perf.suite.program", peer.module, *map(str, args)]
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as log:
        before = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=peer.settings(), stdout=subprocess.PIPE, stderr=log, text=True
        )
        assert process.stdout is not None
        first = process.stdout.readline()
        seconds = time.perf_counter() - before
        rest = process.stdout.read()
        process.stdout.close()
        if process.wait() or not rest:
            log.seek(0)
            raise PeerError(f"{peer.label}: {log.read()[-2000:].strip()}")
    return Started(seconds, json.loads(first), json.loads(rest))


def imported(peer: Peer) -> float:
    """The seconds from the start of a process to the end of the import."""
    program = f"import {', '.join(MODULES[peer.module])}; print(flush=True)"
    before = time.perf_counter()
    process = subprocess.Popen(
        [peer.python, "-c", program],
        cwd=Path(tempfile.gettempdir()),
        env=peer.settings(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    seconds = time.perf_counter() - before
    process.stdout.close()
    if process.wait() or not line:
        raise PeerError(f"{peer.label} cannot be imported")
    return seconds
