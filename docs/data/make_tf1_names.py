"""Writes tf1_names.json from a record of TensorFlow 1.x's public modules.

    python docs/data/make_tf1_names.py RECORD.json

The record maps the path of each public module and class to its functions or methods with their
signatures, its properties, and other members. Here only names and signatures of modules are kept:
for each module its functions, with their parameters, and its other names.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

# What `from __future__ import ...` leaves behind in a module.
FUTURE = {"absolute_import", "division", "print_function"}

OUT = Path(__file__).with_name("tf1_names.json")


def main(record: str) -> None:
    """Writes the file."""
    entries = json.loads(Path(record).read_text("utf-8"))
    modules = {path: entry for path, entry in entries.items() if entry["kind"] == "module"}
    kept = {
        path: {
            "functions": dict(sorted(entry["functions"].items())),
            "others": sorted(
                name
                for name in entry["members"]
                if not name.startswith("_") and name not in FUTURE
                if f"{path}.{name}" not in modules
            ),
        }
        for path, entry in sorted(modules.items())
    }
    OUT.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
