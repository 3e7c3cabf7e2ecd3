"""`visualize_embeddings`: which variables TensorBoard shows as points, with what labels."""

from __future__ import annotations

import os
from typing import Any

from hybridflow._src.formats import messages
from hybridflow._src.graphs.files import write_message
from hybridflow._src.platform.system_errors import translated

_FILE = "projector_config.pbtxt"


def visualize_embeddings(summary_writer: Any, config: Any) -> None:
    """Writes beside the events which embeddings TensorBoard's projector shows.

    It reads their values from the latest checkpoint of that folder.

    Args:
      summary_writer: a `hf.summary.FileWriter`, whose folder it is.
      config: a `ProjectorConfig` message.

    Raises:
      ValueError: if the writer has no folder.
      OpError: if the file cannot be written.

    >>> import hybridflow as hf
    >>> import tempfile
    >>> projector = hf.contrib.tensorboard.plugins.projector
    >>> with tempfile.TemporaryDirectory() as folder, hf.Graph().as_default():
    ...     config = projector.ProjectorConfig()
    ...     embedding = config.embeddings.add(tensor_name="words:0", metadata_path="words.tsv")
    ...     projector.visualize_embeddings(hf.summary.FileWriter(folder), config)
    ...     with open(folder + "/projector_config.pbtxt") as file:
    ...         print(file.read())
    embeddings {
      tensor_name: "words:0"
      metadata_path: "words.tsv"
    }
    <BLANKLINE>
    """
    logdir = summary_writer.get_logdir()
    if not logdir:
        raise ValueError("Summary writer must have a logdir.")
    config = messages.ProjectorConfig.FromString(config.SerializeToString())
    with translated(logdir):
        os.makedirs(logdir, exist_ok=True)
    write_message(os.path.join(os.fspath(logdir), _FILE), config, as_text=True)
