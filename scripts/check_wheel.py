"""Uses an installed wheel as its reader would: import, both modes, the command, the demo's files.

Run from an empty folder with the wheel's folder as the argument and on PYTHONPATH.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

import hybridflow as hf

site = Path(sys.argv[1]).resolve()
package = Path(hf.__file__).resolve().parent
assert package == site / "hybridflow", f"imported {package}, not the wheel's copy in {site}"
assert not list(Path.cwd().iterdir()), f"{Path.cwd()} is not empty"

with hf.eager_mode():
    total = hf.reduce_sum(hf.constant([1.0, 2.0]) * 3.0)
    assert total.numpy() == 9.0, total

with hf.Graph().as_default(), hf.Session() as session:
    x = hf.placeholder(hf.float32, [None])
    y = session.run(2.0 * x + 1.0, feed_dict={x: [1.0, 2.0]})
    assert y.tolist() == [3.0, 5.0], y

for command in ([sys.executable, "-m", "hybridflow"], [str(site / "bin" / "hybridflow")]):
    shown = subprocess.run([*command, "--help"], check=True, capture_output=True, text=True)
    assert "demo" in shown.stdout, shown.stdout

assert (package / "_examples" / "digits.py").is_file()
assert (package / "py.typed").is_file()
with np.load(package / "_examples" / "data" / "digits.npz", allow_pickle=False) as digits:
    assert digits["images"].shape == (1797, 8, 8)
    assert digits["labels"].shape == (1797,)

print(f"the wheel's copy works: {hf.__name__} in {site}")
