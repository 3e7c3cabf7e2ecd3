"""The command line: `hybridflow demo`."""

from __future__ import annotations

import argparse
import pathlib
import runpy
import sys

import hybridflow


def _examples() -> pathlib.Path:
    """The example programs: inside an installed package, or beside the package in a checkout."""
    package = pathlib.Path(hybridflow.__file__).parent
    installed = package / "_examples"
    return installed if installed.is_dir() else package.parent / "scripts" / "examples"


def _demo(arguments: list[str]) -> int:
    program = runpy.run_path(str(_examples() / "digits.py"), run_name="hybridflow_demo")
    program["main"](arguments)
    return 0


def main(argv: list[str] | None = None) -> int:
    """Runs the command line and gives its exit status."""
    parser = argparse.ArgumentParser(
        prog="hybridflow",
        description="One runtime, two modes: TF 1.4's names, eager or as a graph.",
    )
    parser.add_argument(
        "--version", action="version", version=f"hybridflow {hybridflow.__version__}"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser(
        "demo",
        help="train a digit classifier eagerly and as a graph (options: hybridflow demo --help)",
        add_help=False,
    )
    _, rest = parser.parse_known_args(argv)
    return _demo(rest)


if __name__ == "__main__":
    sys.exit(main())
