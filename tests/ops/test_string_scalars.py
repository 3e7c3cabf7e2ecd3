"""A string that was taken out of others is a scalar like any other, for all that takes strings."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf


def table(**kwargs):
    return hf.contrib.lookup.index_table_from_tensor(["1", "2"], **kwargs)


TAKERS = {
    "string_to_number": hf.string_to_number,
    "string_join": lambda s: hf.string_join([s, s], "-"),
    "string_split": lambda s: hf.string_split([s]).values,
    "substr": lambda s: hf.substr(s, 0, 1),
    "reduce_join": lambda s: hf.reduce_join(s, []),
    "hash": lambda s: hf.string_to_hash_bucket(s, 1000),
    "hash_fast": lambda s: hf.string_to_hash_bucket_fast(s, 1000),
    "hash_strong": lambda s: hf.string_to_hash_bucket_strong(s, 1000, [1, 2]),
    "base64": lambda s: hf.decode_base64(hf.encode_base64(s)),
    "regex_replace": lambda s: hf.regex_replace(s, "1", "one"),
    "decode_raw": lambda s: hf.decode_raw(s, hf.uint8),
    "decode_csv": lambda s: hf.decode_csv(s, [["x"]])[0],
    "where": lambda s: hf.where(hf.equal(s, s), s, s),
    "cond": lambda s: hf.cond(hf.equal(s, s), lambda: s, lambda: s),
    "stack": lambda s: hf.stack([s, s]),
    "reshape": lambda s: hf.reshape(s, [1]),
    "fill": lambda s: hf.fill([3], s),
    "py_func": lambda s: hf.py_func(lambda x: x + b"!", [s], hf.string),
    "sparse_to_dense": lambda s: hf.sparse_to_dense([0], [2], s, default_value=s),
    "table": lambda s: table().lookup(s),
    "buckets": lambda s: table(num_oov_buckets=3).lookup(s),
    "while_loop": lambda s: hf.while_loop(
        lambda i, x: i < 2, lambda i, x: (i + 1, hf.string_join([x, s])), [0, s]
    )[1],
    "array": lambda s: hf.TensorArray(hf.string, 1).write(0, s).stack(),
    "map_fn": lambda s: hf.map_fn(lambda x: hf.string_join([x, s]), hf.reshape(s, [1])),
}
SOURCES = {
    "unstack": lambda pair: hf.unstack(pair, num=2)[0],
    "unstack an axis": lambda pair: hf.unstack(hf.unstack(hf.expand_dims(pair, 0), 2, 1)[0], 1)[0],
    "index": lambda pair: pair[0],
    "gather": lambda pair: hf.gather(pair, 0),
    "split": lambda pair: hf.string_split(pair[:1]).values[0],
}


@pytest.mark.parametrize("take", TAKERS)
@pytest.mark.parametrize("source", SOURCES)
def test_as_if_it_was_fed(source, take):
    with hf.Graph().as_default(), hf.Session() as session:
        pair, alone = hf.placeholder(hf.string, [2]), hf.placeholder(hf.string, [])
        found, wanted = (TAKERS[take](s) for s in (SOURCES[source](pair), alone))
        session.run(hf.tables_initializer())
        for _ in range(3):
            got, expected = session.run([found, wanted], {pair: [b"1", b"22"], alone: b"1"})
            np.testing.assert_array_equal(got, expected)
    with hf.eager_mode():
        got = TAKERS[take](SOURCES[source](hf.constant([b"1", b"22"])))
        np.testing.assert_array_equal(got.numpy(), expected)


@pytest.mark.parametrize("buckets", [0, 3])
def test_tables_in_functions_of_datasets(buckets):
    """The table is outside of the function, what is looked up inside."""

    def build():
        words = table(num_oov_buckets=buckets)
        data = hf.data.TextLineDataset(__file__).take(1).map(lambda line: "1 2 1")
        return data.map(lambda line: words.lookup(hf.string_split([line]).values))

    with hf.Graph().as_default(), hf.Session() as session:
        iterator = build().make_initializable_iterator()
        numbers = iterator.get_next()
        session.run(hf.tables_initializer())
        session.run(iterator.initializer)
        assert session.run(numbers).tolist() == [0, 1, 0]
    with hf.eager_mode():
        assert [n.numpy().tolist() for n in build()] == [[0, 1, 0]]
