"""`tensorflow.python.tools.freeze_graph`: freezes a graph, as a function and as a program."""

from __future__ import annotations

import argparse

from hybridflow._src.cli.shim.inner.inference_programs import is_true
from hybridflow._src.saved_model import constants
from hybridflow._src.saved_model.freezing import freeze_graph, freeze_graph_with_def_protos

__all__ = ["freeze_graph", "freeze_graph_with_def_protos"]

_TEXTS = {
    "input_graph": "file of a GraphDef",
    "input_saver": "file of a SaverDef",
    "input_checkpoint": "the checkpoint",
    "output_graph": "file to write",
    "output_node_names": "names of the nodes to keep, with commas between",
    "restore_op_name": "not used",
    "filename_tensor_name": "not used",
    "initializer_nodes": "operations to run before, with commas between",
    "variable_names_whitelist": "the only variables to convert, with commas between",
    "variable_names_blacklist": "variables to leave, with commas between",
    "input_meta_graph": "file of a MetaGraphDef",
    "input_saved_model_dir": "folder of a SavedModel",
}


def main() -> None:
    """Freezes what the command line says."""
    parser = argparse.ArgumentParser(
        "freeze_graph", description="Writes a graph with constants in place of variables."
    )
    for name, text in _TEXTS.items():
        parser.add_argument(f"--{name}", default="", help=text)
    for name, default, text in (
        ("input_binary", False, "not used: files may hold bytes or text"),
        ("clear_devices", True, "whether nodes lose the devices that they ask for"),
    ):
        parser.add_argument(
            f"--{name}", nargs="?", const=True, default=default, type=is_true, help=text
        )
    parser.add_argument("--saved_model_tags", default=constants.SERVING, help="tags of its graph")
    freeze_graph(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
