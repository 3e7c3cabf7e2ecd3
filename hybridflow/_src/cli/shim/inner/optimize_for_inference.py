"""`tensorflow.python.tools.optimize_for_inference`: a program that makes frozen graphs smaller."""

from __future__ import annotations

from hybridflow._src.cli.shim.inner.inference_programs import run
from hybridflow._src.graphs.inference import optimize_for_inference


def main() -> None:
    """Optimizes what the command line says."""
    run(
        "optimize_for_inference",
        "Writes what inference needs of a frozen graph.",
        optimize_for_inference,
        ("input", "output", "input_names", "output_names"),
        ("frozen_graph", True),
    )


if __name__ == "__main__":
    main()
