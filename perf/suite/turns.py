"""Times subjects in turns: A B C, A B C, ... so that all meet the same state of the machine."""

from __future__ import annotations

import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from perf.suite import peers
from perf.suite.peers import Peer, PeerError, Server
from perf.suite.server import settled
from perf.workloads.problems import FAMILIES
from perf.workloads.subject import IMPLEMENTATIONS, REFERENCE, load
from perf.workloads.table import STARTS, Workload

# A turn lasts about so long, and there is a pause before it, in which threads that still spin stop.
_TURN = 0.03
_PAUSE = 0.005


class Measured(dict[str, Any]):
    """What was measured of a subject: its times, one a round, and facts; or why there are none."""


def check(arrays: Sequence[np.ndarray], wanted: Sequence[np.ndarray], tolerance: float) -> float:
    """How far a subject's result is from NumPy's, in tolerances.

    Raises:
      PeerError: if it is further away than one.
    """
    if [a.shape for a in arrays] != [w.shape for w in wanted]:
        shapes = [a.shape for a in arrays], [w.shape for w in wanted]
        raise PeerError(f"results of shapes {shapes[0]} where NumPy has {shapes[1]}")
    worst = 0.0
    for array, exact in zip(arrays, wanted, strict=True):
        size = np.abs(exact)
        # What many terms cancel to has the rounding of the terms, not of what is left.
        least = 0.01 * max(1, size.max(initial=0))
        error = np.abs(array.astype(np.float64) - exact) / (size + least)
        if not np.isfinite(error).all():
            raise PeerError("results that are not finite")
        worst = max(worst, float(error.max(initial=0.0)) / tolerance)
    if worst > 1:
        raise PeerError(f"wrong results: {worst:.1f} tolerances away from NumPy's")
    return worst


def reference(family: str, params: dict[str, Any]) -> list[np.ndarray]:
    """NumPy's result for a problem."""
    load("numpy")
    make = IMPLEMENTATIONS.get((family, "")) or IMPLEMENTATIONS[family, REFERENCE]
    return settled(make(FAMILIES[family](**params)))


class Suite:
    """The servers of all peers, and what is measured with them.

    Args:
      tell: told what is going on.
    """

    def __init__(self, found: Sequence[Peer], tell: Callable[[str], None]) -> None:
        self.servers: dict[str, Server] = {}
        self._tell = tell
        for peer in found:
            try:
                self.servers[peer.label] = Server(peer)
            except PeerError as error:
                tell(str(error))

    def close(self) -> None:
        """Ends all servers."""
        for server in self.servers.values():
            server.close()

    def measure(
        self, workload: Workload, rounds: int, only: Callable[[str], bool], small: bool = False
    ) -> dict[str, Measured]:
        """What was measured of each subject `peer:variant` of a workload that `only` takes."""
        params = {**workload.params, **(workload.small if small else {})}
        if workload.in_process:
            return self._steps(workload, params, rounds, only)
        return self._starts(workload, params, rounds, only)

    # -- in processes that stay --------------------------------------------------------------------

    def _steps(
        self, workload: Workload, params: dict[str, Any], rounds: int, only: Callable[[str], bool]
    ) -> dict[str, Measured]:
        found: dict[str, Measured] = {}
        ready: list[tuple[str, Server, dict[str, Any]]] = []
        wanted: list[np.ndarray] | None = None
        with tempfile.TemporaryDirectory() as folder:
            for label, server, variant in self._subjects(workload.family, only):
                try:
                    prepared = self._prepare(server, workload.family, variant, params, folder)
                    if prepared is None:
                        continue
                    measured, file = prepared
                    if measured["compared"]:
                        if wanted is None:
                            wanted = reference(workload.family, params)
                        with np.load(file) as arrays:
                            measured["tolerances away"] = check(
                                list(arrays.values()), wanted, measured["tolerance"]
                            )
                    request = {"variant": variant}
                    request |= server.ask("number", wanted=_TURN, **request) if rounds else {}
                except PeerError as error:
                    self._tell(f"{workload.name}, {label}: {error}")
                    found[label] = Measured(failed=str(error))
                    continue
                found[label] = Measured(measured, seconds=[], **request)
                ready.append((label, server, request))
        for round_number in range(rounds):
            random.Random(round_number).shuffle(ready)
            for label, server, request in ready:
                time.sleep(_PAUSE)
                found[label]["seconds"].append(server.ask("time", **request)["seconds"])
        for server in self.servers.values():
            server.ask("drop")
        return found

    def _subjects(
        self, family: str, only: Callable[[str], bool]
    ) -> Iterator[tuple[str, Server, str]]:
        for name, server in self.servers.items():
            for known, variant in server.has:
                label = f"{name}:{variant}"
                if known == family and variant != REFERENCE and only(label):
                    yield label, server, variant

    def _prepare(
        self, server: Server, family: str, variant: str, params: dict[str, Any], folder: str
    ) -> tuple[dict[str, Any], Path] | None:
        file = Path(folder) / "result.npz"
        answer = server.ask("prepare", family=family, variant=variant, params=params, to=str(file))
        return None if answer.get("none") else (answer, file)

    # -- in new processes --------------------------------------------------------------------------

    def _starts(
        self, workload: Workload, params: dict[str, Any], rounds: int, only: Callable[[str], bool]
    ) -> dict[str, Measured]:
        found: dict[str, Measured] = {}
        subjects = []
        with tempfile.TemporaryDirectory() as scratch:
            for _, server, variant in self._subjects(workload.family, lambda label: True):
                for peer in _ways_to_start(server.peer, Path(scratch)):
                    label = f"{peer.label}:{variant}"
                    if workload.measure == "import":
                        label = f"{peer.label}:"
                    if only(label) and label not in found and _is_first(server, workload, variant):
                        found[label] = Measured(seconds=[], number=1)
                        subjects.append((label, peer, variant))
            for round_number in range(max(min(rounds, workload.rounds), 1)):
                random.Random(round_number).shuffle(subjects)
                for label, peer, variant in list(subjects):
                    try:
                        seconds, facts = _started(peer, workload, variant, params)
                    except (PeerError, OSError) as error:
                        self._tell(f"{workload.name}, {label}: {error}")
                        found[label] = Measured(failed=str(error))
                        subjects.remove((label, peer, variant))
                        continue
                    found[label]["seconds"].append(seconds)
                    found[label]["facts"] = facts
        return found


def _is_first(server: Server, workload: Workload, variant: str) -> bool:
    """New processes run the first variant that a peer has, but for hybridflow's many threads."""
    variants = [v for family, v in server.has if family == workload.family]
    return variant == variants[0] and server.peer.label == server.peer.module


def _ways_to_start(peer: Peer, scratch: Path) -> list[Peer]:
    """hybridflow with an empty cache, a filled one, and without kernels; others as they are."""
    if peer.module != "hybridflow":
        return [peer]
    settings = {
        "cold": {"HYBRIDFLOW_CACHE_DIR": str(scratch / "new-{}")},
        "warm": {"HYBRIDFLOW_CACHE_DIR": str(scratch / "kept")},
        "interpreted": {"NUMBA_DISABLE_JIT": "1"},
    }
    return [
        peer._replace(
            label=f"{peer.label}, {how}", environment={**peer.environment, **settings[how]}
        )
        for how in STARTS
    ]


def _started(
    peer: Peer, workload: Workload, variant: str, params: dict[str, Any]
) -> tuple[float, dict[str, Any]]:
    """What one new process gives for a workload."""
    if workload.measure == "import":
        return peers.imported(peer), {}
    folder = peer.environment.get("HYBRIDFLOW_CACHE_DIR", "")
    if "{}" in folder:
        number = len(list(Path(folder).parent.glob("new-*")))
        new = folder.format(number)
        Path(new).mkdir(mode=0o700)
        peer = peer._replace(environment={**peer.environment, "HYBRIDFLOW_CACHE_DIR": new})
    elif folder and not Path(folder).exists():
        # The cache is filled once.
        Path(folder).mkdir(mode=0o700)
        peers.start(peer, workload.family, variant, json.dumps(params), 2, 1)
    settle = workload.measure in ("settled", "quick start")
    done = peers.start(
        peer, workload.family, variant, json.dumps(params), workload.steps, int(settle)
    )
    seconds = done.seconds if "start" in workload.measure else done.took[workload.measure]
    return seconds, {**done.more.pop("facts"), **done.more, "took": done.took}


@contextmanager
def suite(found: Sequence[Peer], tell: Callable[[str], None]) -> Iterator[Suite]:
    """The servers of peers, which end with the block."""
    made = Suite(found, tell)
    try:
        yield made
    finally:
        made.close()
