"""`tensorflow.python.tools.strip_unused`: a program that takes out what outputs do not need."""

from __future__ import annotations

from hybridflow._src.cli.shim.inner.inference_programs import run
from hybridflow._src.graphs.inference import strip_unused


def main() -> None:
    """Strips what the command line says."""
    run(
        "strip_unused",
        "Writes what some nodes need of a graph in which others are fed.",
        strip_unused,
        ("input_graph", "output_graph", "input_node_names", "output_node_names"),
        ("output_binary", True),
    )


if __name__ == "__main__":
    main()
