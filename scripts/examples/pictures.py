"""A folder of pictures to records, and back into training.

Handwritten digits lie in a folder as PNG files, a folder for each digit. They are written to
TFRecord files, examples of a file's bytes and its digit; datasets read these, decode and
stretch the pictures, and a small convolutional network learns from them.

It needs Pillow: `pip install 'hybridflow[image]'`.

    python pictures.py [--mode eager|graph] [--steps N]
"""

from __future__ import annotations

import pathlib
import tempfile
from typing import Any

import numpy as np
import two_modes
from mlp_constraints import load

import hybridflow as hf

BATCH, SIZE = 32, 12


def draw(folder: pathlib.Path) -> None:
    """Writes each digit to `folder`/digit/number.png."""
    images, labels = load()
    pixels = np.uint8(255 * images).reshape(-1, 8, 8, 1)
    for digit in range(10):
        (folder / str(digit)).mkdir(parents=True)
    with hf.eager_mode():
        for number, (picture, digit) in enumerate(zip(pixels, labels, strict=True)):
            file = hf.image.encode_png(picture).numpy()
            (folder / str(digit) / f"{number:04d}.png").write_bytes(file)


def record(folder: pathlib.Path) -> None:
    """Writes the pictures of a folder to test.tfrecord, every fifth one, and train.tfrecord."""
    names = ("test.tfrecord", "train.tfrecord")
    with (
        hf.python_io.TFRecordWriter(str(folder / names[0])) as test,
        hf.python_io.TFRecordWriter(str(folder / names[1])) as train,
    ):
        for number, path in enumerate(sorted(folder.glob("*/*.png"), key=lambda path: path.name)):
            feature = {
                "picture": hf.train.Feature(
                    bytes_list=hf.train.BytesList(value=[path.read_bytes()])
                ),
                "digit": hf.train.Feature(
                    int64_list=hf.train.Int64List(value=[int(path.parent.name)])
                ),
            }
            example = hf.train.Example(features=hf.train.Features(feature=feature))
            (train if number % 5 else test).write(example.SerializeToString())


def parsed(text: Any) -> Any:
    """The picture in an example, float32 [SIZE, SIZE, 1], and its digit."""
    spec = {
        "picture": hf.FixedLenFeature([], hf.string),
        "digit": hf.FixedLenFeature([], hf.int64),
    }
    example = hf.parse_single_example(text, spec)
    picture = hf.image.decode_png(example["picture"], channels=1)
    picture.set_shape([8, 8, 1])
    picture = hf.image.convert_image_dtype(picture, hf.float32)
    return hf.image.resize_images(picture, [SIZE, SIZE]), example["digit"]


def batches(folder: pathlib.Path, name: str, epochs: int | None) -> Any:
    """Batches of a file's pictures, shuffled if there is to be more than one epoch."""
    data = hf.data.TFRecordDataset(str(folder / name)).map(parsed)
    if epochs != 1:
        data = data.shuffle(2000, seed=two_modes.SEED).repeat(epochs)
    return data.apply(hf.contrib.data.batch_and_drop_remainder(BATCH)).prefetch(2)


def scores_of(pictures: Any) -> Any:
    with hf.variable_scope("network", reuse=hf.AUTO_REUSE):
        x = hf.layers.conv2d(pictures, 16, 3, activation=hf.nn.relu, name="strokes")
        x = hf.layers.flatten(hf.layers.max_pooling2d(x, 2, 2))
        return hf.layers.dense(x, 10, name="digits")


def loss_of(pictures: Any, digits: Any) -> Any:
    return hf.losses.sparse_softmax_cross_entropy(digits, scores_of(pictures))


def right_of(pictures: Any, digits: Any) -> Any:
    return hf.cast(hf.equal(hf.argmax(scores_of(pictures), axis=1), digits), hf.float32)


def main(argv: list[str] | None = None) -> None:
    options = two_modes.parse(argv, __doc__, steps=300)
    with tempfile.TemporaryDirectory() as place, two_modes.open_mode(options.mode) as run:
        folder = pathlib.Path(place)
        draw(folder)
        record(folder)
        step = run.trainer(loss_of, hf.train.AdamOptimizer(0.005))
        training = run.batches(lambda: batches(folder, "train.tfrecord", None))
        for i, (pictures, digits) in zip(range(options.steps), training, strict=False):
            loss = step(pictures, digits)
            if two_modes.is_shown(i, options.steps):
                print(f"step {i:4d}  loss {loss:.4f}")
        right, found = run.function(right_of), []
        for pictures, digits in run.batches(lambda: batches(folder, "test.tfrecord", 1)):
            found.extend(right(pictures, digits))
    print(f"of {len(found)} pictures, told right: {100 * np.mean(found):.1f} %")


if __name__ == "__main__":
    main()
