"""Batches of parsed examples out of files, in one call."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.ops.parsing.examples import parse_example
from hybridflow._src.platform import gfile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["read_batch_features"]


def read_batch_features(
    file_pattern: Any,
    batch_size: Any,
    features: dict[str, Any],
    reader: Callable[..., Any],
    reader_args: Sequence[Any] | None = None,
    randomize_input: bool = True,
    num_epochs: int | None = None,
    capacity: int = 10000,
) -> Any:
    """Batches of parsed examples out of files.

    Args:
      file_pattern: a pattern of names of files, or a list of them.
      batch_size: how many examples a batch has.
      features: features by their names, as for `hf.parse_example`.
      reader: gives the dataset of the examples in files, such as `hf.data.TFRecordDataset`; called
        with their names and `reader_args`.
      randomize_input: whether files and examples are shuffled.
      num_epochs: how often all of them come; None for no end.
      capacity: how many examples are there to choose from at random.

    Returns: a dict of a `Tensor` or `SparseTensor` for each feature: those of another batch each
    time that they are computed.

    Raises:
      ValueError: if there are no patterns, or no files. OutOfRangeError: when it runs, after
        `num_epochs`.

    >>> import hybridflow as hf, os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "some.tfrecords")
    >>> with hf.python_io.TFRecordWriter(path) as writer:
    ...     for n in range(4):
    ...         feature = hf.train.Feature(int64_list=hf.train.Int64List(value=[n]))
    ...         features = hf.train.Features(feature={"n": feature})
    ...         writer.write(hf.train.Example(features=features).SerializeToString())
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     batch = hf.contrib.data.read_batch_features(
    ...         path, 3, {"n": hf.FixedLenFeature([], hf.int64)}, hf.data.TFRecordDataset,
    ...         randomize_input=False)
    ...     print(sess.run(batch["n"]), sess.run(batch["n"]))
    [0 1 2] [3 0 1]
    """
    names = _names(file_pattern)
    if randomize_input:
        random.shuffle(names)
    examples = reader(names, *(reader_args or ()))
    if examples.output_types == (dtypes.string, dtypes.string):
        examples = examples.map(lambda _, value: value)
    if num_epochs != 1:
        examples = examples.repeat(num_epochs)
    if randomize_input:
        examples = examples.shuffle(capacity)
    batches = examples.batch(batch_size).map(lambda texts: parse_example(texts, features))
    return batches.prefetch(1).make_one_shot_iterator().get_next()


def _names(file_pattern: Any) -> list[str]:
    patterns = file_pattern if isinstance(file_pattern, list) else [file_pattern]
    if not patterns or not all(patterns):
        raise ValueError("File pattern is empty.")
    names = [name for pattern in patterns for name in gfile.Glob(pattern)]
    if not names:
        raise ValueError(f"No files match {file_pattern}.")
    return names
