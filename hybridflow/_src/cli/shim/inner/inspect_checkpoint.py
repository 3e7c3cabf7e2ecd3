"""`tensorflow.python.tools.inspect_checkpoint`: what is in a checkpoint, as text."""

from __future__ import annotations

import argparse

from hybridflow._src.framework.errors import OpError
from hybridflow._src.train.saving.reader import NewCheckpointReader

__all__ = ["print_tensors_in_checkpoint_file"]


def print_tensors_in_checkpoint_file(
    file_name: str,
    tensor_name: str | None,
    all_tensors: bool,
    all_tensor_names: bool = False,
    count_exclude_pattern: str = "",
) -> None:
    """Prints names and shapes, or values, of a checkpoint's tensors; of an error what it says.

    Args:
      file_name: the checkpoint.
      tensor_name: the only tensor whose value is printed.
      all_tensors: print the values of all.
      all_tensor_names: print the names of all.
      count_exclude_pattern: accepted; nothing is counted.
    """
    try:
        reader = NewCheckpointReader(file_name)
        if not (all_tensors or all_tensor_names or tensor_name):
            print(reader.debug_string().decode())
            return
        every = all_tensors or all_tensor_names
        for name in sorted(reader.get_variable_to_shape_map()) if every else [tensor_name or ""]:
            print("tensor_name: ", name)
            if all_tensors or not every:
                print(reader.get_tensor(name))
    except (OpError, OSError, ValueError) as error:
        print(error)


def main() -> None:
    """Prints what the command line says."""
    parser = argparse.ArgumentParser(
        "inspect_checkpoint", description="Prints the tensors of a checkpoint."
    )
    parser.add_argument("--file_name", required=True, help="the checkpoint")
    parser.add_argument("--tensor_name", default="", help="the tensor to print")
    for name, text in (("all_tensors", "values"), ("all_tensor_names", "names")):
        parser.add_argument(
            f"--{name}",
            nargs="?",
            const=True,
            default=False,
            type=lambda word: word.lower() == "true",
            help=f"print the {text} of all tensors",
        )
    print_tensors_in_checkpoint_file(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
