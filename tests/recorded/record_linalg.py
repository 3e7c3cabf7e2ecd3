"""Records linear algebra: the cases of `op_cases_linalg.py`."""

import op_cases_linalg
from record_ops import WEIGHTS, op_case
from recording import Writer


def main():
    """Writes linalg.json and linalg.npz."""
    writer = Writer("linalg")
    for ident, fn, args, kwargs in op_cases_linalg.cases():
        writer.attempt(ident, op_case, (fn, args, kwargs))
    writer.save(weights=WEIGHTS)


if __name__ == "__main__":
    main()
