"""Matrices of checkpoints, for vocabularies that have changed."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.framework.registry import raw
from hybridflow._src.variables.partitioning import PartitionInfo

INVALID = hf.errors.InvalidArgumentError
W = np.arange(80, dtype=np.float32).reshape(5, 16)
framework = hf.contrib.framework


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A checkpoint of `w`, whole, and of `parts`, in slices; vocabularies of it."""
    folder = tmp_path_factory.mktemp("remapped")
    with hf.Graph().as_default(), hf.Session() as session:
        hf.get_variable("w", initializer=W)
        hf.get_variable("parts", initializer=W, partitioner=hf.fixed_size_partitioner(3))
        hf.get_variable("b", initializer=W[:, :1])
        hf.get_variable("wide", initializer=W.astype(np.float64))
        hf.get_variable("flat", initializer=W[0])
        session.run(hf.global_variables_initializer())
        hf.train.Saver().save(session, str(folder / "model"))
    for name, words in {
        "old": ["knitting", "eminem", "mma", "go", "chess"],
        "new": ["knitting", "flamenco", "mma", "eminem", "tango"],
        "columns": [f"c{i}" for i in range(16)],
        "other_columns": ["c3", "d", "c0"],
        "twice": ["a", "b", "a"],
    }.items():
        (folder / name).write_text("".join(f"{word}\n" for word in words))
    return folder


@pytest.fixture
def session():
    with hf.Graph().as_default(), hf.Session() as session:
        yield session


@pytest.mark.parametrize(
    ("offset", "count", "size", "wanted"),
    [
        (0, 5, -1, [0, -1, 2, 1, -1]),
        (2, 2, -1, [2, 1]),
        (0, 4, 1, [0, -1, -1, -1]),
        (5, 0, -1, []),
    ],
)
def test_vocabularies(folder, session, offset, count, size, wanted):
    found, present = raw.GenerateVocabRemapping(
        str(folder / "new"),
        str(folder / "old"),
        new_vocab_offset=offset,
        num_new_vocab=count,
        old_vocab_size=size,
    )
    assert found.shape.as_list() == [count]
    found, present = session.run([found, present])
    assert (found.tolist(), found.dtype, present.dtype) == (wanted, np.int64, np.int32)
    assert present == sum(old >= 0 for old in wanted)


@pytest.mark.parametrize(
    ("new", "old", "count", "size", "error", "text"),
    [
        ("new", "old", 6, -1, INVALID, "last new vocab entry's line"),
        ("new", "old", 5, 6, INVALID, "expected 6 but got 5 lines"),
        ("new", "twice", 5, -1, INVALID, "has b'a' in lines 0 and 2"),
        ("new", "nowhere", 5, -1, hf.errors.NotFoundError, "nowhere"),
        ("", "old", 5, -1, INVALID, "new vocab filename cannot be empty"),
    ],
)
def test_vocabularies_that_do_not_fit(folder, session, new, old, count, size, error, text):
    found, _ = raw.GenerateVocabRemapping(
        str(folder / new) if new else "",
        str(folder / old),
        new_vocab_offset=0,
        num_new_vocab=count,
        old_vocab_size=size,
    )
    with pytest.raises(error, match=text):
        session.run(found)


def load(folder, name, rows, columns, values, num_cols=None, most=-1, num_rows=None):
    return raw.LoadAndRemapMatrix(
        str(folder / "model"),
        name,
        hf.constant(rows, hf.int64),
        hf.constant(columns, hf.int64),
        hf.constant(values, hf.float32),
        num_rows=len(rows) if num_rows is None else num_rows,
        num_cols=num_cols or len(columns) or 16,
        max_rows_in_memory=most,
    )


@pytest.mark.parametrize("name", ["w", "parts"])
def test_matrices(folder, session, name):
    cases = [
        ([1, 0], [], 1),
        ([0, 1, 2, 3, 4], [2, 0], -1),
        ([1, 0, 4], [1, 15], 2),
        ([2, -1, 0], [1, -1], 100),
        ([-1, -1], [], 2),
        ([-1, 4], [-1, -1, 3], 3),
        ([], [], -1),
    ]
    loaded, wanted = [], []
    for rows, columns, most in cases:
        new = itertools.count(-1.0, -1.0)
        old = columns or range(16)
        wanted.append([[W[r, c] if r >= 0 <= c else next(new) for c in old] for r in rows])
        values = -np.arange(1.0, -next(new))
        loaded.append(load(folder, name, rows, columns, values, most=most))
    for found, value in zip(session.run(loaded), wanted, strict=True):
        np.testing.assert_array_equal(found, np.reshape(value, found.shape))


@pytest.mark.parametrize(
    ("args", "kwargs", "error", "text"),
    [
        (("w", [1, 0, 0], [], []), {}, hf.errors.UnimplementedError, "Old ID 0 .* both new ID 1"),
        (("w", [1], [2, 2], []), {}, hf.errors.UnimplementedError, "Old ID 2 is mapped to both"),
        (("w", [2, -1], [1, -1], [0.0]), {}, INVALID, "contained 1 elements, but 3 values"),
        (("w", [2, -1], [1, -1], [0.0] * 5), {}, INVALID, "contained 5 elements, but 3 values"),
        (("w", [1], [], []), {"num_rows": 2}, INVALID, "row_remapping is 1 instead of .*=2"),
        (("w", [1], [0, 1], []), {"num_cols": 3}, INVALID, "col_remapping is 2 instead of .*=3"),
        (("w", [1], [], []), {"num_cols": 3}, INVALID, "2nd dimension is 16"),
        (("w", [5], [], []), {}, INVALID, "row 5 was asked for of tensor w"),
        (("w", [1], [16], []), {}, INVALID, "column 16 was asked for of tensor w"),
        (("wide", [1], [], []), {}, INVALID, "has invalid type float64"),
        (("flat", [1], [], []), {}, INVALID, "of invalid rank 1"),
        (("nothing", [1], [], []), {}, hf.errors.NotFoundError, "nothing"),
    ],
)
def test_matrices_that_do_not_fit(folder, session, args, kwargs, error, text):
    with pytest.raises(error, match=text):
        session.run(load(folder, *args, **kwargs))


def counting(shape, *_, **__):
    """1, 2, 3, ... in each call."""
    size = hf.reduce_prod(hf.convert_to_tensor(shape))
    return hf.reshape(hf.cast(hf.range(1, size + 1), hf.float32), shape)


@pytest.mark.parametrize("parts", [1, 2, 3, 7])
def test_initializers(folder, session, parts):
    """Rows 0 -1 2 1 -1, columns 3 -1 0, and two rows and a column behind, in any partitioning."""
    load = framework.load_and_remap_matrix_initializer(
        str(folder / "model"),
        "w",
        5,
        3,
        old_row_vocab_file=str(folder / "old"),
        new_row_vocab_file=str(folder / "new"),
        old_col_vocab_file=str(folder / "columns"),
        new_col_vocab_file=hf.constant(str(folder / "other_columns")),
        num_row_oov_buckets=2,
        num_col_oov_buckets=1,
        initializer=lambda shape: hf.fill(shape, -7.0),
    )
    partitioner = hf.fixed_size_partitioner(parts)
    v = hf.get_variable("v", [7, 4], initializer=load, partitioner=partitioner)
    session.run(hf.global_variables_initializer())
    wanted = np.full([7, 4], -7.0)
    for new, old in ((0, 0), (2, 2), (3, 1)):
        wanted[new, [0, 2]] = W[old, [3, 0]]
    np.testing.assert_array_equal(session.run(hf.convert_to_tensor(v)), wanted)


def test_in_which_order_new_values_come(folder, session):
    load = framework.load_and_remap_matrix_initializer(
        str(folder / "model"),
        "w",
        3,
        16,
        old_row_vocab_file=str(folder / "old"),
        new_row_vocab_file=str(folder / "new"),
        initializer=counting,
    )
    found = session.run(load([3, 16]))
    np.testing.assert_array_equal(found, [W[0], np.arange(1, 17), W[2]])


def test_the_other_initializers(folder, session):
    model, old, new = (str(folder / name) for name in ("model", "old", "new"))
    embedding = framework.load_embedding_initializer(model, "parts", 5, 16, old, new, 5, 1)
    e = hf.get_variable("e", [6, 16], initializer=embedding)
    bias = framework.load_linear_multiclass_bias_initializer(model, "b", 4, old, new, 1)
    b = hf.get_variable("b", [5, 1], initializer=bias)
    slot = framework.load_variable_slot_initializer(
        model,
        "w",
        PartitionInfo([5, 16], [2, 0]),
        5,
        16,
        old_row_vocab_file=old,
        new_row_vocab_file=new,
    )
    s = hf.get_variable("s", [3, 16], initializer=slot)
    session.run(hf.global_variables_initializer())
    e, b, s = session.run([e, b, s])
    np.testing.assert_array_equal(e[[0, 2, 3]], W[[0, 2, 1]])
    assert (np.abs(e[[1, 4, 5]]) < 0.5 + 1e-6).all()
    assert e[[1, 4, 5]].std() > 0.1
    assert b.tolist() == [[0.0], [0.0], [32.0], [16.0], [0.0]]
    np.testing.assert_array_equal(s, [W[2], W[1], 0 * W[0]])


def test_eagerly(folder):
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        load = framework.load_linear_multiclass_bias_initializer(
            str(folder / "model"), "b", 3, str(folder / "old"), str(folder / "new")
        )
        b = hf.get_variable("b", [3, 1], initializer=load)
        assert b.numpy().tolist() == [[0.0], [0.0], [32.0]]


def test_arguments_that_do_not_fit(folder):
    make = framework.load_and_remap_matrix_initializer
    files = {"old_row_vocab_file": "a", "new_row_vocab_file": "b"}
    for kwargs, text in (
        ({}, "either row or column vocab files"),
        ({"old_row_vocab_file": "a"}, "new_row_vocab_file must both be specified"),
        ({"new_col_vocab_file": "a"}, "new_col_vocab_file must both be specified"),
        ({**files, "num_row_oov_buckets": -1}, "num_row_oov_buckets must be >= 0"),
        ({**files, "num_col_oov_buckets": -1}, "num_col_oov_buckets must be >= 0"),
    ):
        with pytest.raises(ValueError, match=text):
            make("model", "w", 5, 16, **kwargs)
    with pytest.raises(TypeError, match="initializer must be callable"):
        make("model", "w", 5, 16, initializer=3, **files)
    load = make("model", "w", 5, 16, **files)
    with pytest.raises(TypeError, match="only float32 is supported"):
        load([5, 16], hf.float64)
    for shape, text in (
        ([5], "Expected 2-dim shape"),
        ([0, 16], "Expected 2-dim shape with rows"),
        ([5, 17], r"Expected 2nd dim of shape .* = 16"),
        ([6, 16], "Trying to initialize 6 additional rows after 0"),
    ):
        with pytest.raises(ValueError, match=text):
            load(shape)
