"""The reader of MNIST's idx files that TF-1.x tutorials import."""

from __future__ import annotations

import gzip
import os
import struct
import subprocess
import sys

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.cli.shim import mnist


def idx(array):
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return head + array.tobytes()


ARRAYS = {
    mnist.TRAIN_IMAGES: np.arange(20 * 6, dtype=np.uint8).reshape(20, 2, 3),
    mnist.TRAIN_LABELS: (np.arange(20) % 10).astype(np.uint8),
    mnist.TEST_IMAGES: np.full((4, 2, 3), 255, np.uint8),
    mnist.TEST_LABELS: np.array([3, 1, 4, 1], np.uint8),
}


@pytest.fixture
def folder(tmp_path):
    """A folder with data, two files plain and two compressed."""
    for index, (name, array) in enumerate(ARRAYS.items()):
        if index % 2:
            (tmp_path / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
        else:
            (tmp_path / name).write_bytes(idx(array))
    return tmp_path


def test_the_three_sets(folder):
    data = mnist.read_data_sets(str(folder), validation_size=5)
    assert [d.num_examples for d in data] == [15, 5, 4]
    wanted = ARRAYS[mnist.TRAIN_IMAGES].reshape(20, 6).astype(np.float32) * np.float32(1 / 255)
    np.testing.assert_array_equal(data.validation.images, wanted[:5])
    np.testing.assert_array_equal(data.train.images, wanted[5:])
    np.testing.assert_array_equal(data.train.labels, ARRAYS[mnist.TRAIN_LABELS][5:])
    assert data.train.images.dtype == np.float32
    assert data.test.images.max() == 1.0


def test_forms(folder):
    data = mnist.read_data_sets(
        str(folder), one_hot=True, dtype=hf.uint8, reshape=False, validation_size=0
    )
    assert data.train.images.shape == (20, 2, 3, 1)
    assert data.train.images.dtype == np.uint8
    np.testing.assert_array_equal(data.test.labels, np.eye(10)[[3, 1, 4, 1]])


def test_batches_go_through_each_epoch_once(folder):
    train = mnist.read_data_sets(str(folder), validation_size=0, seed=1).train
    seen = [train.next_batch(8) for _ in range(5)]
    labels = np.concatenate([labels for _, labels in seen])
    for epoch in (labels[:20], labels[20:]):
        assert sorted(epoch) == sorted(ARRAYS[mnist.TRAIN_LABELS])
    assert not np.array_equal(labels[:20], labels[20:])
    for images, found in seen:
        rows = np.rint(images[:, 0] * 255).astype(int) // 6
        np.testing.assert_array_equal(found, rows % 10)
    # 40 images handed out: two epochs, the second of which ends with the next image asked for.
    assert train.epochs_completed == 1
    train.next_batch(1)
    assert train.epochs_completed == 2


def test_without_shuffling_the_order_is_that_of_the_file(folder):
    train = mnist.read_data_sets(str(folder), validation_size=0).train
    labels = np.concatenate([train.next_batch(8, shuffle=False)[1] for _ in range(3)])
    np.testing.assert_array_equal(labels, np.arange(24) % 20 % 10)


def test_missing_files_are_asked_for(folder):
    (folder / mnist.TRAIN_IMAGES).unlink()
    with pytest.raises(hf.errors.NotFoundError) as caught:
        mnist.read_data_sets(str(folder))
    text = str(caught.value)
    assert f"{mnist.TRAIN_IMAGES} is missing" in text
    assert str(folder.resolve()) in text
    assert "put the four files" in text
    assert all(name in text for name in mnist.FILES)


GOOD = idx(ARRAYS[mnist.TEST_LABELS])


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        GOOD[:6],
        GOOD[:-1],
        GOOD + b"x",
        b"\x00\x00\x09\x01" + GOOD[4:],
        b"\x00\x00\x08\x02" + GOOD[4:],
        b"\x00\x00\x08\x01\xff\xff\xff\xff",
        b"<html>",
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_damaged_files(folder, damaged, packed):
    (folder / f"{mnist.TEST_LABELS}.gz").unlink()
    path = folder / (f"{mnist.TEST_LABELS}.gz" if packed else mnist.TEST_LABELS)
    path.write_bytes(gzip.compress(damaged) if packed else damaged)
    with pytest.raises(hf.errors.DataLossError, match=mnist.TEST_LABELS):
        mnist.read_data_sets(str(folder), validation_size=0)


def test_a_damaged_archive(folder):
    path = folder / f"{mnist.TEST_LABELS}.gz"
    packed = path.read_bytes()
    for damaged in (packed[:-4], packed[:15], b"\x1f\x8bnonsense", b"plain"):
        path.write_bytes(damaged)
        with pytest.raises(hf.errors.DataLossError, match="cannot be read"):
            mnist.read_data_sets(str(folder), validation_size=0)


def test_a_header_that_claims_too_much(folder):
    path = folder / mnist.TRAIN_IMAGES
    path.write_bytes(struct.pack(">BBBB3I", 0, 0, 8, 3, 2**31, 2**31, 2**31))
    with pytest.raises(hf.errors.DataLossError):
        mnist.read_data_sets(str(folder))


def test_other_mistakes(folder):
    with pytest.raises(ValueError, match="between 0 and 20"):
        mnist.read_data_sets(str(folder))
    with pytest.raises(NotImplementedError, match="fake_data"):
        mnist.read_data_sets(str(folder), fake_data=True)
    with pytest.raises(TypeError, match="uint8 or float32"):
        mnist.read_data_sets(str(folder), dtype=hf.int32, validation_size=0)
    train = mnist.read_data_sets(str(folder), validation_size=0).train
    with pytest.raises(ValueError, match="21 from a set of 20"):
        train.next_batch(21)


SCRIPT = """
from tensorflow.examples.tutorials.mnist import input_data
import tensorflow as tf

mnist = input_data.read_data_sets("data", one_hot=True, validation_size=0)
x = tf.placeholder(tf.float32, [None, 6])
W = tf.Variable(tf.zeros([6, 10]))
b = tf.Variable(tf.zeros([10]))
y = tf.matmul(x, W) + b
y_ = tf.placeholder(tf.float32, [None, 10])
cross_entropy = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=y_, logits=y))
train_step = tf.train.GradientDescentOptimizer(0.5).minimize(cross_entropy)
sess = tf.InteractiveSession()
tf.global_variables_initializer().run()
for _ in range(10):
    batch_xs, batch_ys = mnist.train.next_batch(5)
    sess.run(train_step, feed_dict={x: batch_xs, y_: batch_ys})
correct_prediction = tf.equal(tf.argmax(y, 1), tf.argmax(y_, 1))
accuracy = tf.reduce_mean(tf.cast(correct_prediction, tf.float32))
print(sess.run(accuracy, feed_dict={x: mnist.test.images, y_: mnist.test.labels}) >= 0)
"""


def test_the_tutorial_for_beginners_runs(folder, tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "script.py").write_text(SCRIPT)
    (tmp_path / "work" / "data").symlink_to(folder)
    done = subprocess.run(
        [sys.executable, "-m", "hybridflow", "run", "script.py"],
        cwd=tmp_path / "work",
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout == "True\n"
