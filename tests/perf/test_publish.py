"""What is kept of a run for the site."""

from __future__ import annotations

import json

from perf.suite.publish import publish, reduced
from perf.workloads.table import TABLE

ROW = next(w for w in TABLE if w.name == "linear regression step, 17 samples")
RUN = {
    "machine": {
        "time": "2026-01-02T03:04:05+0000",
        "system": "Linux-of-a-name",
        "processor": "A processor",
        "cores": 2,
        "load": [0.12, 1.0, 1.0],
        "load after": [1.56, 1.0, 1.0],
        "revision": "0123456789abcdef",
        "changed": True,
        "python": "3.12.0 (built somewhere)",
    },
    "peers": {
        "hybridflow": {"python": "3.12.0", "numpy": "2.4.6"},
        "jax": {"python": "3.11.0", "numpy": "2.0.0", "jax": "0.5.0"},
    },
    "workloads": {
        ROW.name: {
            "numpy:": {"seconds": [2.0, 2.0, 4.0]},
            "hybridflow:function": {"seconds": [1.0, 1.23456789, 1.0], "facts": {}},
            "jax:": {"failed": "in /some/folder"},
        },
        TABLE[0].name: {"torch:": {"failed": "no memory"}},
    },
}


def test_what_is_kept():
    kept = reduced(RUN)
    assert kept == {
        "date": "2026-01-02",
        "revision": "0123456789ab with changes",
        "processor": "A processor",
        "cores": 2,
        "load": [0.1, 1.6],
        "versions": {"python": "3.12.0", "numpy": "2.4.6", "jax": "0.5.0"},
        "workloads": {
            ROW.name: {
                "base": "numpy:",
                "subjects": {
                    "hybridflow:function": {"seconds": 1.0, "ratio": [0.375, 0.5, 0.5586]},
                    "numpy:": {"seconds": 2.0, "ratio": [1.0, 1.0, 1.0]},
                },
                "targets": [],
            }
        },
    }


def test_a_target_that_was_missed():
    run = {**RUN, "workloads": {ROW.name: {"pytensor:": {"seconds": [1.0, 1.0]}}}}
    run["workloads"][ROW.name]["hybridflow:run"] = {"seconds": [0.75, 0.75]}
    (found,) = reduced(run)["workloads"].values()
    assert found["base"] is None
    assert [subject["ratio"] for subject in found["subjects"].values()] == [None, None]
    assert found["targets"] == [
        {
            "what": "hybridflow:run / pytensor:",
            "found": [0.75, 0.75, 0.75],
            "limit": 0.5,
            "unit": "x",
            "met": False,
        },
        {
            "what": "hybridflow:run",
            "found": [0.75, 0.75, 0.75],
            "limit": 3e-06,
            "unit": "s",
            "met": False,
        },
    ]


def test_the_file(tmp_path):
    path = tmp_path / "performance.json"
    publish(RUN, path)
    assert json.loads(path.read_text("utf-8")) == reduced(RUN)
    assert len(path.read_text("utf-8").splitlines()) == 18
