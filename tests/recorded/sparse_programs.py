"""Programs with sparse tensors; each fills a dict `out`.

`given(name, shape)` makes an input, for which gradients are recorded too; `sparse(name, indices,
shape)` a sparse tensor of such elements; `places` are some indices in [3, 4].
"""

import zlib

import numpy as np

PLACES = [[0, 1], [0, 3], [1, 0], [2, 0], [2, 2], [2, 3]]


def values_for(name, shape):
    """Numbers in [-0.6, 0.6] that a name and a shape determine."""
    start = zlib.crc32(name.encode()) % 1000
    size = int(np.prod(shape, dtype=np.int64))
    numbers = 0.6 * np.cos(1.7 * np.arange(size) + start)
    return numbers.reshape(shape).astype(np.float32)


def _simple(expression):
    """A program with one expression of `a` and `b`, sparse `[3, 4]`, and `x`, dense `[3, 4]`."""
    lines = []
    if "a" in _words(expression):
        lines.append("a = sparse('a', places, [3, 4])")
    if "b" in _words(expression):
        lines.append("b = sparse('b', [[0, 0], [0, 3], [2, 2]], [3, 4])")
    if "x" in _words(expression):
        lines.append("x = given('x', [3, 4])")
    if "c" in _words(expression):
        lines.append(
            "c = sparse('c', [[0, 0, 1], [0, 1, 0], [0, 1, 1], [1, 0, 1], [1, 2, 0]], [2, 3, 2])"
        )
    if "s" in _words(expression):
        lines.append(
            "s = tf.SparseTensor(places, tf.constant(['a', 'bb', '', 'd', 'e', 'ff']), [3, 4])"
        )
    lines.append("out = {'it': " + expression + "}")
    return "\n".join(lines) + "\n"


def _words(text):
    return "".join(c if c.isalnum() or c == "_" else " " for c in text).split()


_SIMPLE = {
    "to_dense": "tf.sparse_tensor_to_dense(a)",
    "to_dense/default": "tf.sparse_tensor_to_dense(a, 7.0)",
    "to_dense/strings": "tf.sparse_tensor_to_dense(s, '-')",
    "to_dense/repeated": """tf.sparse_to_dense(
    [[0, 1], [1, 0], [0, 1]], [2, 2], [1.0, 2.0, 3.0], validate_indices=False)""",
    "to_dense/vector": "tf.sparse_to_dense([1, 3], [5], [1.5, 2.5], -1.0)",
    "to_dense/scalar": "tf.sparse_to_dense(2, [4], 1)",
    "to_dense/one_value": "tf.sparse_to_dense([[0, 1], [2, 0]], [3, 2], 5, 1)",
    "reorder": "tf.sparse_reorder(sparse('r', [[2, 1], [0, 3], [0, 1], [2, 0]], [3, 4]))",
    "reorder/three": """tf.sparse_reorder(
    sparse('r', [[1, 0, 1], [0, 1, 1], [1, 0, 0], [0, 0, 2]], [2, 2, 3]))""",
    "transpose": "tf.sparse_transpose(a)",
    "transpose/perm": "tf.sparse_transpose(c, [1, 2, 0])",
    "transpose/same": "tf.sparse_transpose(c, [0, 1, 2])",
    "concat/0": "tf.sparse_concat(0, [a, b])",
    "concat/1": "tf.sparse_concat(1, [a, b, a])",
    "concat/-1": "tf.sparse_concat(-1, [b, a])",
    "concat/expanded": """tf.sparse_concat(
    1, [a, sparse('d', [[0, 0], [4, 1]], [5, 2])], expand_nonconcat_dim=True)""",
    "concat/expanded_last": """tf.sparse_concat(
    -1, [a, sparse('d', [[0, 0], [4, 1]], [5, 2])], expand_nonconcat_dim=True)""",
    "split": "tf.sparse_split(sp_input=a, num_split=2, axis=1)",
    "split/uneven": "tf.sparse_split(sp_input=a, num_split=2, axis=0)",
    "split/three": "tf.sparse_split(sp_input=c, num_split=3, axis=1)",
    "slice": "tf.sparse_slice(a, [0, 1], [2, 3])",
    "slice/outside": "tf.sparse_slice(a, [1, 2], [9, 9])",
    "slice/nothing": "tf.sparse_slice(a, [1, 1], [1, 2])",
    "add": "tf.sparse_add(a, b)",
    "add/thresh": "tf.sparse_add(a, b, 0.3)",
    "add/opposite": "tf.sparse_add(a, tf.negative(a), 0.001)",
    "add/dense": "tf.sparse_add(a, x)",
    "add/to_dense": "tf.sparse_add(x, a)",
    "reduce_sum": "tf.sparse_reduce_sum(a)",
    "reduce_sum/0": "tf.sparse_reduce_sum(a, 0)",
    "reduce_sum/-1": "tf.sparse_reduce_sum(a, -1)",
    "reduce_sum/kept": "tf.sparse_reduce_sum(a, 1, keep_dims=True)",
    "reduce_sum/both": "tf.sparse_reduce_sum(c, [0, 2])",
    "reduce_sum/both_kept": "tf.sparse_reduce_sum(c, [0, -1], keep_dims=True)",
    "reduce_sum_sparse/0": "tf.sparse_reduce_sum_sparse(a, 0)",
    "reduce_sum_sparse/kept": "tf.sparse_reduce_sum_sparse(c, [1], keep_dims=True)",
    "reduce_sum_sparse/all": "tf.sparse_reduce_sum_sparse(c)",
    "reduce_max": "tf.sparse_reduce_max(a)",
    "reduce_max/0": "tf.sparse_reduce_max(a, 0)",
    "reduce_max/1": "tf.sparse_reduce_max(c, 1, keep_dims=True)",
    "reduce_max_sparse": "tf.sparse_reduce_max_sparse(c, [0])",
    "softmax": "tf.sparse_softmax(a)",
    "softmax/three": "tf.sparse_softmax(c)",
    "maximum": "tf.sparse_maximum(a, b)",
    "minimum": "tf.sparse_minimum(a, b)",
    "retain": "tf.sparse_retain(a, [True, False, True, True, False, True])",
    "retain/nothing": "tf.sparse_retain(b, [False, False, False])",
    "reset_shape": "tf.sparse_reset_shape(b)",
    "reset_shape/new": "tf.sparse_reset_shape(b, [5, 4])",
    "reset_shape/nothing": "tf.sparse_reset_shape(tf.sparse_retain(b, [False, False, False]))",
    "fill_empty_rows": "tf.sparse_fill_empty_rows(b, 2.5)",
    "fill_empty_rows/full": "tf.sparse_fill_empty_rows(a, 2.5)",
    "fill_empty_rows/given": "tf.sparse_fill_empty_rows(b, given('d', []))",
    "fill_empty_rows/strings": "tf.sparse_fill_empty_rows(s, 'none')",
    "reshape": "tf.sparse_reshape(a, [2, 6])",
    "reshape/open": "tf.sparse_reshape(c, [4, -1])",
    "reshape/flat": "tf.sparse_reshape(a, [-1])",
    "times": "a * x",
    "times/row": "a * given('r', [4])",
    "times/column": "a * given('r', [3, 1])",
    "times/number": "a * 3.0",
    "dense_times": "x * a",
    "divided": "a / (x + 2.0)",
    "divided/integers": "tf.SparseTensor([[0], [1]], [7, -7], [2]) / tf.constant([2, 2])",
    "matmul": "tf.sparse_tensor_dense_matmul(a, given('m', [4, 5]))",
    "matmul/adjoint_a": "tf.sparse_tensor_dense_matmul(a, given('m', [3, 5]), adjoint_a=True)",
    "matmul/adjoint_b": "tf.sparse_tensor_dense_matmul(a, given('m', [5, 4]), adjoint_b=True)",
    "matmul/both": "tf.sparse_tensor_dense_matmul(a, given('m', [5, 3]), True, True)",
    "elementwise": """[
    tf.abs(a), tf.negative(a), tf.sign(a), tf.square(a), tf.erf(a), tf.tanh(a), tf.to_double(a),
    tf.sqrt(tf.square(a)), tf.cast(a, tf.int32)]""",
    "shapes": "[tf.shape(c), tf.size(c), tf.rank(c)]",
    "serialized": "tf.serialize_sparse(a)",
    "serialized/strings": "tf.serialize_sparse(s)",
    "serialized/rows": "tf.serialize_many_sparse(c)",
    "deserialized": "tf.deserialize_many_sparse(tf.serialize_many_sparse(c), tf.float32)",
    "deserialized/strings": "tf.deserialize_many_sparse(tf.serialize_many_sparse(s), tf.string)",
}
PROGRAMS = {name: _simple(text) for name, text in _SIMPLE.items()}
PROGRAMS["merge"] = """
ids = tf.SparseTensor([[0, 0], [1, 0], [1, 1], [2, 0]], tf.constant([3, 4, 1, 0], tf.int64), [3, 2])
values = sparse('v', [[0, 0], [1, 0], [1, 1], [2, 0]], [3, 2])
out = {'it': tf.sparse_merge(ids, values, 6)}
"""
PROGRAMS["merge/several"] = """
ids = tf.SparseTensor([[0, 0], [1, 0], [1, 1]], [3, 4, 1], [2, 2])
others = tf.SparseTensor([[0, 0], [1, 0], [1, 1]], [0, 2, 2], [2, 2])
values = sparse('v', [[0, 0], [1, 0], [1, 1]], [2, 2])
out = {'it': tf.sparse_merge([ids, others], values, [6, 3]),
       'sorted': tf.sparse_merge([ids, others], values, [6, 3], already_sorted=True)}
"""
PROGRAMS["to_indicator"] = """
ids = tf.SparseTensor(
    [[0, 0], [1, 0], [1, 1], [1, 2]], tf.constant([3, 4, 1, 4], tf.int64), [3, 3])
out = {'it': tf.sparse_to_indicator(ids, 6)}
"""
PROGRAMS["mask"] = """
rows = tf.IndexedSlices(given('r', [4, 2]), tf.constant([3, 1, 7, 1]), tf.constant([9, 2]))
masked = tf.sparse_mask(rows, tf.constant([1, 2]))
out = {'values': masked.values, 'indices': masked.indices}
"""
PROGRAMS["setdiff1d"] = """
out = {'it': tf.setdiff1d(tf.constant([1, 2, 3, 2, 5]), tf.constant([3, 1, 9]))}
"""
for _how in ("sum", "mean", "sqrt_n"):
    PROGRAMS["segment/" + _how] = (
        "out = {'it': tf.sparse_segment_" + _how + "(\n"
        "    given('x', [4, 3]), tf.constant([0, 3, 0, 1]), tf.constant([0, 0, 1, 3]))}\n"
    )
_IDS = """
ids = tf.SparseTensor(
    [[0, 0], [0, 1], [1, 0], [2, 0], [2, 1], [2, 2]],
    tf.constant([4, 0, 4, 1, 2, 1], tf.int64), [3, 3])
"""
for _how in ("sum", "mean", "sqrtn"):
    PROGRAMS["embedding/" + _how] = _IDS + (
        "out = {'it': tf.nn.embedding_lookup_sparse(\n"
        "    given('table', [5, 2]), ids, None, combiner='" + _how + "')}\n"
    )
    PROGRAMS["embedding/weighted_" + _how] = _IDS + (
        "weights = tf.SparseTensor(ids.indices, tf.abs(given('w', [6])) + 0.1, ids.dense_shape)\n"
        "out = {'it': tf.nn.embedding_lookup_sparse(\n"
        "    given('table', [5, 2]), ids, weights, combiner='" + _how + "')}\n"
    )
for _how in ("mod", "div"):
    PROGRAMS["embedding/parts_" + _how] = _IDS + (
        "parts = [given('p', [3, 2]), given('q', [2, 2])]\n"
        "out = {'it': tf.nn.embedding_lookup_sparse(\n"
        "    parts, ids, None, '" + _how + "', combiner='sum', max_norm=0.5)}\n"
    )
_SAFE = """
ids = tf.SparseTensor(
    [[0, 0, 0], [0, 0, 1], [0, 1, 0], [1, 1, 0], [1, 1, 1]],
    tf.constant([4, -1, -1, 1, 2], tf.int64), [2, 2, 3])
weights = tf.SparseTensor(ids.indices, tf.constant([0.5, 1.0, 2.0, 0.0, 1.5]), ids.dense_shape)
lookup = tf.contrib.layers.safe_embedding_lookup_sparse
"""
for _name, _arguments in {
    "plain": "ids",
    "weights": "ids, weights",
    "sqrtn": "ids, weights, 'sqrtn'",
    "default": "ids, None, 'mean', 3",
}.items():
    PROGRAMS["safe_embedding/" + _name] = _SAFE + (
        "out = {'it': lookup([given('table', [5, 2])], " + _arguments + ")}\n"
    )
_SETS = """
a = tf.SparseTensor(
    [[0, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0], [1, 0, 1], [1, 0, 2]],
    [5, 1, 1, 2, 2, 9], [2, 2, 3])
b = tf.SparseTensor(
    [[0, 0, 0], [0, 1, 0], [0, 1, 1], [1, 0, 0], [1, 1, 0]], [1, 7, 1, 9, 4], [2, 2, 2])
d = tf.constant([[[1, 1], [7, 8]], [[2, 9], [4, 4]]])
"""
for _name in ("intersection", "difference", "union"):
    PROGRAMS["sets/" + _name] = _SETS + (
        f"f = tf.sets.set_{_name}\n"
        "out = {'sparse': f(a, b), 'dense': f(d, d + 1), 'mixed': f(d, b), 'other': f(b, d)}\n"
    )
PROGRAMS["sets/difference/turned"] = _SETS + (
    "out = {'sparse': tf.sets.set_difference(a, b, False),\n"
    "       'mixed': tf.sets.set_difference(b, d, False)}\n"
)
PROGRAMS["sets/strings"] = """
a, b = tf.constant([['x', 'y'], ['z', 'z']]), tf.constant([['y', 'w'], ['z', 'a']])
out = {'both': tf.sets.set_intersection(a, b), 'all': tf.sets.set_union(a, b)}
"""
PROGRAMS["sets/size"] = _SETS + "out = {'a': tf.sets.set_size(a), 'b': tf.sets.set_size(b)}\n"
_SPOKEN = """
said = tf.SparseTensor(
    [[0, 0], [0, 1], [0, 2], [1, 0], [3, 0]], [1, 2, 3, 1, 4], [4, 3])
meant = tf.SparseTensor([[0, 0], [0, 1], [1, 0], [1, 1], [2, 0]], [2, 3, 1, 5, 5], [4, 2])
"""
PROGRAMS["edit_distance"] = _SPOKEN + "out = {'it': tf.edit_distance(said, meant)}\n"
PROGRAMS["edit_distance/counts"] = _SPOKEN + (
    "out = {'it': tf.edit_distance(said, meant, normalize=False)}\n"
)
PROGRAMS["edit_distance/strings"] = """
said = tf.SparseTensor([[0, 0, 0], [0, 0, 1], [1, 0, 0]], ['a', 'b', 'c'], [2, 1, 2])
meant = tf.SparseTensor([[0, 0, 0], [1, 0, 0], [1, 0, 1]], ['b', 'c', 'c'], [2, 1, 2])
out = {'it': tf.edit_distance(said, meant)}
"""
_CONTROL = """
a = sparse('a', places, [3, 4])
b = sparse('b', [[0, 0], [0, 3], [2, 2]], [3, 4])
"""
PROGRAMS["cond"] = _CONTROL + (
    "out = {'it': tf.cond(tf.constant(1) > 0, lambda: tf.square(a), lambda: b)}\n"
)
PROGRAMS["while_loop"] = _CONTROL + (
    "out = {'it': tf.while_loop(lambda i, s: i < 3, lambda i, s: (i + 1, tf.square(s)), [0, a])}\n"
)
_LABELS = """
labels = tf.SparseTensor(
    [[0, 0], [0, 1], [1, 0], [1, 1], [1, 2], [2, 0]], tf.constant([1, 0, 2, 2, 3, 1]), [3, 3])
lengths = tf.constant([5, 6, 3])
x = 6.0 * given('x', [6, 3, 5])
"""
for _name, _arguments in {
    "plain": "labels, x, lengths",
    "batch_major": "labels, tf.transpose(x, [1, 0, 2]), lengths, time_major=False",
    "collapsed": "labels, x, lengths, preprocess_collapse_repeated=True",
    "unmerged": "labels, x, lengths, ctc_merge_repeated=False",
    "ignoring": "labels, x, tf.constant([1, 2, 3]), ignore_longer_outputs_than_inputs=True",
}.items():
    PROGRAMS["ctc_loss/" + _name] = _LABELS + "out = {'it': tf.nn.ctc_loss(" + _arguments + ")}\n"
_DECODED = "x = 9.0 * given('x', [6, 3, 5])\nlengths = tf.constant([5, 6, 3])\n"
for _name, _call in {
    "greedy": "greedy_decoder(x, lengths)",
    "greedy/unmerged": "greedy_decoder(x, lengths, merge_repeated=False)",
    "beams": "beam_search_decoder(x, lengths, 8, 1)",
    "beams/top": "beam_search_decoder(x, lengths, 16, 3, merge_repeated=False)",
    "beams/narrow": "beam_search_decoder(x, lengths, 2, 2, merge_repeated=False)",
}.items():
    PROGRAMS["ctc_decoder/" + _name] = _DECODED + "out = {'it': tf.nn.ctc_" + _call + "}\n"
