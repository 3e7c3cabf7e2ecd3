"""Records ops of families: `record_family.py NAME...` for the cases of `op_cases_NAME.py`."""

import importlib
import sys

from record_ops import WEIGHTS, op_case
from recording import Writer


def main():
    """Writes NAME.json and NAME.npz for each name."""
    for name in sys.argv[1:]:
        writer = Writer(name)
        for ident, fn, args, kwargs in importlib.import_module("op_cases_" + name).cases():
            writer.attempt(ident, op_case, (fn, args, kwargs))
        writer.save(weights=WEIGHTS)


if __name__ == "__main__":
    main()
