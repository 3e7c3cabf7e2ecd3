"""Every workload of `perf/` on hybridflow, small, gives what NumPy gives; and the tools work."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

import hybridflow
from perf.suite import report, results
from perf.suite.peers import Peer, PeerError, Server
from perf.suite.server import settled
from perf.suite.turns import check
from perf.workloads.problems import FAMILIES
from perf.workloads.subject import IMPLEMENTATIONS, REFERENCE, load
from perf.workloads.table import MEASURES, QUICK, SECONDS, TABLE, Target, Workload


def _makers(peer):
    before = dict(IMPLEMENTATIONS)
    IMPLEMENTATIONS.clear()
    for module in load(peer):
        importlib.reload(module)
    found = dict(IMPLEMENTATIONS)
    IMPLEMENTATIONS.clear()
    IMPLEMENTATIONS.update(before)
    return found


NUMPY, OURS = _makers("numpy"), _makers("hybridflow")
PROBLEMS = {
    json.dumps([w.family, {**w.params, **w.small}]): w for w in TABLE if w.measure == "step"
}


@pytest.mark.parametrize("key", PROBLEMS)
def test_hybridflow_gives_what_numpy_gives(key):
    family, params = json.loads(key)
    problem = FAMILIES[family](**params)
    for variant in (v for f, v in OURS if f == family):
        subject = OURS[family, variant](problem)
        found = settled(subject)
        if subject.compared:
            make = NUMPY.get((family, "")) or NUMPY[family, REFERENCE]
            check(found, settled(make(problem)), subject.tolerance)


def test_a_wrong_result_is_noticed():
    with pytest.raises(PeerError, match=r"wrong results: 49\.. tolerances"):
        check([np.array([1.0])], [np.array([1.005])], 1e-4)
    with pytest.raises(PeerError, match="not finite"):
        check([np.array([np.nan])], [np.array([1.0])], 1e-4)
    with pytest.raises(PeerError, match="shapes"):
        check([np.zeros(2)], [np.zeros(3)], 1e-4)


def test_names_are_unique_and_targets_name_what_there_is():
    names = [w.name for w in TABLE]
    assert len(set(names)) == len(names)
    assert {w.measure for w in TABLE} == set(MEASURES)
    assert {name for name, _ in SECONDS} <= set(names)
    for workload in TABLE:
        for target in workload.targets:
            for label in (target.subject, target.base):
                peer, _, variant = label.partition(":")
                if peer.startswith("hybridflow") and variant:
                    assert (workload.family, variant) in OURS, label
    for row in QUICK:
        assert (row.workload.family, row.subject.split(":")[1]) in OURS


def test_a_server_makes_times_and_forgets_subjects(tmp_path):
    server = Server(Peer("numpy", "numpy", sys.executable, {}))
    try:
        assert ["regression", ""] in [list(key) for key in server.has]
        file = tmp_path / "result.npz"
        made = {"family": "regression", "variant": "", "params": {"samples": 17}}
        server.ask("prepare", **made, to=str(file))
        assert [array.shape for array in np.load(file).values()] == [(), ()]
        found = server.ask("number", variant="", wanted=0.001)
        assert 1 <= found["number"] < 10_000
        assert found["warm"]
        assert server.ask("time", variant="", **found)["seconds"] > 0
        server.ask("drop")
        with pytest.raises(PeerError, match="numpy: KeyError"):
            server.ask("time", variant="", number=1, warm=True)
    finally:
        server.close()


def test_a_server_measures_the_package_that_it_is_given(tmp_path):
    """Not the one in the folder that the tool is started in."""
    (tmp_path / "hybridflow").symlink_to(Path(hybridflow.__file__).parent)
    peer = Peer("head", "hybridflow", sys.executable, {"PYTHONPATH": str(tmp_path)})
    server = Server(peer)
    try:
        assert Path(server.package) == tmp_path / "hybridflow" / "__init__.py"
    finally:
        server.close()


@pytest.fixture
def row():
    targets = (Target("hybridflow:graph", "numpy:", 0.5), Target("hybridflow:graph", "jax:", 1))
    workload = Workload("one", "mlp", {}, {}, "numpy:", targets)
    subjects = {
        "hybridflow:graph": {"seconds": [1.0, 2.0, 3.0], "facts": {"fallbacks": ["Sum: why"]}},
        "numpy:": {"seconds": [4.0, 8.0, 12.0]},
        "numpy:temporaries": {"seconds": [2.0, 4.0, 4.0]},
        "jax:": {"failed": "no"},
    }
    return results.Row(workload, subjects)


def test_a_target_is_judged_by_the_quickest_of_a_peer_that_has_times(row):
    assert row.timed == ["hybridflow:graph", "numpy:temporaries", "numpy:"]
    (verdict,) = row.verdicts()
    assert verdict.found == 0.25
    assert verdict.met
    assert row.fallbacks == {"hybridflow:graph": ["Sum: why"]}


@pytest.mark.parametrize(
    ("seconds", "text"), [(2.5, "2.5 s"), (0.0123, "12.3 ms"), (4.56e-6, "4.56 us"), (3e-9, "3 ns")]
)
def test_durations_are_written_in_the_unit_that_fits(seconds, text):
    assert report.duration(seconds) == text


def test_a_run_is_kept_whole(tmp_path):
    path = tmp_path / "folder" / "run.json"
    results.store({"workloads": {}}, path)
    assert results.load(path) == {"workloads": {}}
    assert [p.name for p in path.parent.iterdir()] == ["run.json"]


def test_no_workload_of_that_name():
    with pytest.raises(ValueError, match="No workload has nothing in its name"):
        results.select(["nothing"])
    assert [w.name for w in results.select(["MLP step, batch"])] == [
        "MLP step, batch 32, 784-128-10"
    ]
