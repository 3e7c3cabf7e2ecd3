"""The command line: `hybridflow` with `repl`, `run`, `explain`, `show`, `checkpoint` and others."""

from __future__ import annotations

import argparse
import importlib
import os
import pathlib
import runpy
import sys
from typing import TYPE_CHECKING, Any

import hybridflow

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.cli.program import Program


def _examples() -> pathlib.Path:
    """The example programs: inside an installed package, or beside the package in a checkout."""
    package = pathlib.Path(hybridflow.__file__).parent
    installed = package / "_examples"
    return installed if installed.is_dir() else package.parent / "scripts" / "examples"


def _demo(arguments: list[str]) -> int:
    program = runpy.run_path(str(_examples() / "digits.py"), run_name="hybridflow_demo")
    program["main"](arguments)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hybridflow",
        description="One runtime, two modes: TF 1.4's names, eager or as a graph. "
        "Before SCRIPT, -m MODULE and -c CODE, and where a program comes on standard input, `run` "
        "may be left out.",
    )
    parser.add_argument(
        "--version", action="version", version=f"hybridflow {hybridflow.__version__}"
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser(
        "repl", help="open a prompt in eager mode; so does no command at a terminal"
    )
    commands.add_parser(
        "demo",
        help="train a digit classifier eagerly and as a graph (options: hybridflow demo --help)",
        add_help=False,
    )
    run = commands.add_parser(
        "run",
        help="run a program written for TensorFlow 1 as it is",
        description="Runs a program written for TensorFlow 1 as `python` would: in this process "
        "`import tensorflow` gives hybridflow.",
        epilog=_PROGRAM,
        allow_abbrev=False,
        usage="%(prog)s [OPTIONS] (SCRIPT | -m MODULE | -c CODE | -) [ARGS ...]",
    )
    run.add_argument(
        "--check",
        action="store_true",
        help="run nothing: list the names of TensorFlow that the program uses, and which of them "
        "are missing (exit status 1 if any is)",
    )
    run.add_argument(
        "--seed",
        type=int,
        help="seed of random, NumPy, and all graphs that the program sets no seed for",
    )
    run.add_argument(
        "--explain",
        action="store_true",
        help="say at the end what its plans did, as `hybridflow explain` does",
    )
    run.add_argument(
        "--profile",
        metavar="OUT.json",
        help="write a trace of the first runs of its plans, for chrome://tracing",
    )
    _add_program(run)
    explain = commands.add_parser(
        "explain",
        help="run a program and say what its plans did: passes, steps, kernels, bytes, times",
        description="Runs a program as `hybridflow run` does. When it has ended, a report says for "
        "each plan that ran which passes made it, which ops went into which kernel, which ran by "
        "their NumPy meaning and why, what memory they moved, and how long each step took.",
        epilog=_PROGRAM,
        allow_abbrev=False,
        usage="%(prog)s [OPTIONS] (SCRIPT | -m MODULE | -c CODE | -) [ARGS ...]",
    )
    explain.add_argument("--source", action="store_true", help="show the source of the kernels")
    _add_program(explain)
    cache = commands.add_parser(
        "cache",
        help="look at the folder of compiled kernels, or empty it",
        description="Compiled kernels are kept in HYBRIDFLOW_CACHE_DIR or, where that is not set, "
        "in the user's cache folder.",
    )
    cache.add_argument("action", choices=("info", "clear"), help="look at it, or empty it")
    show = commands.add_parser(
        "show",
        help="say what a model is: signatures, inputs, outputs, ops, sizes, what is missing",
        description="Prints what is in a SavedModel's folder, a graph (.pb, .pbtxt) or a graph "
        "with collections (.meta), and runs nothing of it.",
    )
    show.add_argument("model", metavar="MODEL", help="the folder or file")
    checkpoint = commands.add_parser(
        "checkpoint",
        help="list the tensors of a checkpoint, or convert it from or to safetensors",
        description="Prints names, dtypes, shapes and sizes of the tensors in a checkpoint, or "
        "writes them to another one.",
    )
    checkpoint.add_argument(
        "file",
        metavar="FILE",
        help="a checkpoint's path, a folder whose latest one is meant, or a file of safetensors",
    )
    checkpoint.add_argument(
        "--convert",
        metavar="OUT",
        help="write it here: as safetensors if OUT ends so, else as a checkpoint of TensorFlow's",
    )
    checkpoint.add_argument(
        "--leave-out",
        metavar="NAME",
        action="append",
        default=[],
        help="leave out a tensor; may be given several times",
    )
    return parser


# The options of `run` and `explain` that the next word belongs to.
_WITH_VALUE = ("--mode", "--seed", "--profile")

_PROGRAM = """The program is a script's file, -m MODULE, -c CODE, or what comes on standard input \
(- or nothing). What follows it are its own arguments."""


def _add_program(parser: argparse.ArgumentParser) -> None:
    """Adds what is said of a program that runs."""
    parser.add_argument(
        "--mode",
        choices=("eager", "graph"),
        default="graph",
        help="the mode that the program starts in (graph)",
    )


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """Divides what follows `run`, as `python` does: options, and the program with all its own."""
    start = 0
    while start < len(words) and words[start].startswith("-"):
        if words[start] in ("-", "--") or words[start][:2] in ("-m", "-c"):
            break
        start += 2 if words[start] in _WITH_VALUE else 1
    rest = words[start:]
    return words[:start], rest[1:] if rest[:1] == ["--"] else rest


def _program(words: list[str], parser: argparse.ArgumentParser) -> Program:
    """The program that a command line names, with its arguments."""
    kinds: Any = _module("program")
    if not words:
        if sys.stdin is None or sys.stdin.isatty():
            parser.error("the following arguments are required: SCRIPT")
        return kinds.Input("", [])
    first, *arguments = words
    kind = {"-m": kinds.Module, "-c": kinds.Code}.get(first[:2])
    if kind is None:
        kind = kinds.Input if first == "-" else kinds.Script
        return kind(first, arguments)
    if first[2:]:
        return kind(first[2:], arguments)
    if not arguments:
        parser.error(f"argument {first}: expected one argument")
    return kind(arguments[0], arguments[1:])


def _module(name: str) -> Any:
    """A module of the command line: each command imports no more than it needs."""
    return importlib.import_module(f"hybridflow._src.cli.{name}")


def _with_command(argv: list[str]) -> list[str]:
    """`hybridflow SCRIPT`, `-m MODULE`, `-c CODE` and `-` run it, as `python` does.

    So does no word at all where standard input is a file or a pipe.
    """
    if not argv:
        return argv if sys.stdin is None or sys.stdin.isatty() else ["run"]
    first = argv[0] if argv else ""
    names_program = first == "-" or first[:2] in ("-m", "-c") or first.endswith(".py")
    return ["run", *argv] if names_program or pathlib.Path(first).is_file() else argv


def _printing(print_it: Callable[..., int], *args: Any) -> int:
    """Has something printed, as far as anybody reads it."""
    try:
        status = print_it(*args)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # What Python writes when it ends, nobody reads either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def main(argv: list[str] | None = None) -> int:
    """Runs the command line and gives its exit status."""
    parser = _parser()
    words = _with_command(sys.argv[1:] if argv is None else argv)
    program: list[str] = []
    if words[:1] in (["run"], ["explain"]):
        ours, program = _split(words[1:])
        words = [*words[:1], *ours]
    options, rest = parser.parse_known_args(words)
    if options.command == "demo":
        return _demo(rest)
    if rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if options.command in ("run", "explain"):
        problem = _module("shim.version").problem()
        if problem is not None:
            parser.error(problem)
    status: int
    if options.command == "show":
        status = _printing(_module("show").show, options.model)
    elif options.command == "checkpoint":
        list_or_convert = _module("checkpoint").checkpoint
        status = _printing(list_or_convert, options.file, options.convert, options.leave_out)
    elif options.command == "cache":
        status = _printing(getattr(_module("cache"), options.action))
    elif options.command == "explain":
        explain = _module("explain").explain
        status = explain(_program(program, parser), options.mode, options.source)
    elif options.command != "run":
        status = _module("repl").start()
    elif options.check:
        status = _printing(_module("check").check, _program(program, parser))
    elif options.explain or options.profile is not None:
        run = _module("explain").run
        given = options.seed, options.explain, options.profile
        status = run(_program(program, parser), options.mode, *given)
    else:
        status = _module("script").run(_program(program, parser), options.mode, options.seed)
    return status


if __name__ == "__main__":
    sys.exit(main())
