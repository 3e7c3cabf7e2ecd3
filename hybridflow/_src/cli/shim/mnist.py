"""`tensorflow.examples.tutorials.mnist.input_data`: reads the idx files that lie on this machine.

Format: http://yann.lecun.com/exdb/mnist, "The IDX file format".
"""

from __future__ import annotations

import gzip
import math
import pathlib
import zlib
from typing import Any, NamedTuple

import numpy as np

from hybridflow._src.framework import dtypes, errors

__all__ = ["DataSet", "Datasets", "dense_to_one_hot", "read_data_sets"]

TRAIN_IMAGES = "train-images-idx3-ubyte"
TRAIN_LABELS = "train-labels-idx1-ubyte"
TEST_IMAGES = "t10k-images-idx3-ubyte"
TEST_LABELS = "t10k-labels-idx1-ubyte"
FILES = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)

# A header may claim any size; what is larger than this is no set of small images.
_LARGEST = 2**31

_NOT_THERE = (
    "The MNIST data are not in {folder}: {names} missing. Nothing is downloaded: put the four "
    "files {files} there, each as it is or with .gz at the end, or pass the folder that holds them "
    "to read_data_sets."
)


class Datasets(NamedTuple):
    """The three sets that `read_data_sets` gives."""

    train: DataSet
    validation: DataSet
    test: DataSet


class DataSet:
    """Images with their labels, handed out in batches.

    Args:
      images: [n, rows, columns, 1] (or [n, pixels] with `reshape=False`), uint8.
      labels: [n] or, one-hot, [n, classes].
      fake_data: not available.
      one_hot: without effect here.
      dtype: float32, for pixels in [0, 1]; or uint8, for pixels as they are.
      reshape: whether to make each image a row of pixels.
      seed: seed of the shuffling; different in each process by default.

    Raises:
      ValueError: if there are not as many labels as images. TypeError: for another dtype.
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        fake_data: bool = False,
        one_hot: bool = False,
        dtype: Any = dtypes.float32,
        reshape: bool = True,
        seed: int | None = None,
    ) -> None:
        _refuse_fake(fake_data)
        dtype = dtypes.as_dtype(dtype).base_dtype
        if dtype not in (dtypes.uint8, dtypes.float32):
            raise TypeError(f"Invalid image dtype {dtype.name!r}, expected uint8 or float32")
        if len(images) != len(labels):
            raise ValueError(f"{len(images)} images, but {len(labels)} labels.")
        if reshape:
            images = images.reshape(len(images), math.prod(images.shape[1:]))
        if dtype is dtypes.float32:
            images = images.astype(np.float32) * np.float32(1.0 / 255.0)
        self._images, self._labels = images, labels
        self._random = np.random.RandomState(seed)
        self._order = np.arange(len(images))
        self._next = 0
        self._epochs = 0
        self._begun = False

    @property
    def images(self) -> np.ndarray:
        """All images."""
        return self._images

    @property
    def labels(self) -> np.ndarray:
        """All labels, in the order of the images."""
        return self._labels

    @property
    def num_examples(self) -> int:
        """The number of images."""
        return len(self._images)

    @property
    def epochs_completed(self) -> int:
        """How often all images have been handed out."""
        return self._epochs

    def next_batch(
        self, batch_size: int, fake_data: bool = False, shuffle: bool = True
    ) -> tuple[np.ndarray, np.ndarray]:
        """The next images and labels; after the last ones it goes on with the first of an epoch.

        Raises:
          ValueError: if the batch is larger than the set.
        """
        _refuse_fake(fake_data)
        count = len(self._images)
        if not 0 <= batch_size <= count:
            raise ValueError(f"A batch of {batch_size} from a set of {count} images.")
        if shuffle and not self._begun:
            self._random.shuffle(self._order)
        self._begun = True
        rows = self._order[self._next : self._next + batch_size]
        self._next += len(rows)
        if len(rows) < batch_size:
            self._epochs += 1
            if shuffle:
                self._order = self._random.permutation(count)
            self._next = batch_size - len(rows)
            rows = np.concatenate([rows, self._order[: self._next]])
        return self._images[rows], self._labels[rows]


def read_data_sets(
    train_dir: str,
    fake_data: bool = False,
    one_hot: bool = False,
    dtype: Any = dtypes.float32,
    reshape: bool = True,
    validation_size: int = 5000,
    seed: int | None = None,
    source_url: str | None = None,
) -> Datasets:
    """The MNIST data from the idx files in `train_dir`; nothing is downloaded.

    Args:
      train_dir: the folder with the files, plain or compressed by gzip.
      fake_data: not available.
      one_hot: whether labels are rows with a single 1.
      dtype, reshape, seed: as for `DataSet`.
      validation_size: how many of the training images, from the first on, are for validation.
      source_url: without effect.

    Raises:
      NotFoundError: if a file is missing; it says where to put it. DataLossError: if a file is no
        idx file, or is cut off. ValueError: for a validation size larger than the training set.
    """
    _refuse_fake(fake_data)
    folder = pathlib.Path(train_dir)
    paths = _locate(folder)
    train_images, test_images = (_read(paths[name], 3)[..., None] for name in FILES[::2])
    train_labels, test_labels = (_read(paths[name], 1) for name in FILES[1::2])
    if one_hot:
        train_labels = dense_to_one_hot(train_labels, 10)
        test_labels = dense_to_one_hot(test_labels, 10)
    if not 0 <= validation_size <= len(train_images):
        raise ValueError(
            f"Validation size should be between 0 and {len(train_images)}. "
            f"Received: {validation_size}."
        )
    held = slice(0, validation_size)
    rest = slice(validation_size, None)
    parts = (
        (train_images[rest], train_labels[rest]),
        (train_images[held], train_labels[held]),
        (test_images, test_labels),
    )
    return Datasets(*(DataSet(i, t, dtype=dtype, reshape=reshape, seed=seed) for i, t in parts))


def dense_to_one_hot(labels_dense: np.ndarray, num_classes: int) -> np.ndarray:
    """Rows of zeros with a single 1 where the label says.

    Raises:
      DataLossError: for a label that is no class.
    """
    if labels_dense.size and int(labels_dense.max()) >= num_classes:
        raise errors.DataLossError(
            None, None, f"Label {labels_dense.max()} where there are {num_classes} classes."
        )
    return np.eye(num_classes)[labels_dense]


def _refuse_fake(fake_data: bool) -> None:
    if fake_data:
        raise NotImplementedError("fake_data is not available: feed arrays of your own instead.")


def _locate(folder: pathlib.Path) -> dict[str, pathlib.Path]:
    """The path of each file."""
    found = {}
    for name in FILES:
        for path in (folder / name, folder / f"{name}.gz"):
            if path.is_file():
                found[name] = path
                break
    lacking = [name for name in FILES if name not in found]
    if lacking:
        names = ", ".join(lacking) + (" is" if len(lacking) == 1 else " are")
        message = _NOT_THERE.format(folder=folder.resolve(), names=names, files=", ".join(FILES))
        raise errors.NotFoundError(None, None, message)
    return found


def _read(path: pathlib.Path, rank: int) -> np.ndarray:
    """The unsigned bytes of an idx file of `rank` dimensions.

    Raises:
      DataLossError: if it is none.
    """
    opened: Any = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rb") as file:
            head = file.read(4 + 4 * rank)
            shape = [int.from_bytes(head[i : i + 4], "big") for i in range(4, len(head), 4)]
            size = math.prod(shape)
            wrong = head[:4] != bytes((0, 0, 8, rank)) or len(head) != 4 + 4 * rank
            if wrong or size > _LARGEST:
                raise _damaged(path, f"it is no idx file of unsigned bytes of rank {rank}")
            body = file.read(size + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _damaged(path, str(error)) from error
    if len(body) != size:
        more = "more" if len(body) > size else f"{len(body)}"
        raise _damaged(path, f"it holds {more} bytes where its header promises {size}")
    return np.frombuffer(body, np.uint8).reshape(shape)


def _damaged(path: pathlib.Path, why: str) -> errors.DataLossError:
    return errors.DataLossError(None, None, f"{path} cannot be read: {why}.")
