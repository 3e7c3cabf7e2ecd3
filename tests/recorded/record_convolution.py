"""Records convolution, pooling and their kin: the cases of `op_cases_convolution.py`."""

import op_cases_convolution
from record_ops import WEIGHTS, op_case
from recording import Writer


def main():
    """Writes convolution.json and convolution.npz."""
    writer = Writer("convolution")
    for ident, fn, args, kwargs in op_cases_convolution.cases():
        writer.attempt(ident, op_case, (fn, args, kwargs))
    writer.save(weights=WEIGHTS)


if __name__ == "__main__":
    main()
