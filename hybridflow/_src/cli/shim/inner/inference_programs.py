"""What the programs that make graphs smaller have in common: files, and names with commas."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from hybridflow._src.formats import messages
from hybridflow._src.framework import dtypes
from hybridflow._src.graphs.files import read_message, write_message

if TYPE_CHECKING:
    from collections.abc import Callable


def run(
    name: str,
    description: str,
    change: Callable[[Any, list[str], list[str], int], Any],
    words: tuple[str, str, str, str],
    binary: tuple[str, bool],
) -> None:
    """Does what the command line says.

    Args:
      name: the name of the program.
      description: what it does.
      change: gives the graph to write, of the graph that was read, the names of its inputs and
        outputs, and the dtype of placeholders.
      words: what the flags for the file to read, the file to write, inputs, and outputs are called.
      binary: the flag that says whether bytes are written or text, and its default.
    """
    parser = argparse.ArgumentParser(name, description=description)
    texts = ("file of a GraphDef, in bytes or text", "file to write", "inputs", "outputs")
    for word, text in zip(words, texts, strict=True):
        names = text in texts[2:]
        parser.add_argument(f"--{word}", required=True, help=f"names of {text}" if names else text)
    flag, default = binary
    parser.add_argument(
        f"--{flag}", nargs="?", const=True, default=default, type=is_true, help="write bytes"
    )
    parser.add_argument("--input_binary", nargs="?", help="not used: it is found out")
    parser.add_argument(
        "--placeholder_type_enum",
        type=int,
        default=dtypes.float32.as_datatype_enum,
        help="the dtype of inputs, as a number; float32 by default",
    )
    given = vars(parser.parse_args())
    source, target, inputs, outputs = (given[word] for word in words)
    try:
        graph_def = change(
            read_message(source, messages.GraphDef),
            inputs.split(","),
            outputs.split(","),
            given["placeholder_type_enum"],
        )
        write_message(target, graph_def, as_text=not given[flag])
    except (OSError, ValueError, TypeError, AssertionError) as error:
        parser.exit(1, f"{name}: {error}\n")


def is_true(word: str) -> bool:
    """The value of a flag."""
    return word.lower() == "true"
