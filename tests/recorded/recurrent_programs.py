"""Programs with recurrent networks; each fills a dict `out`.

`given(name, shape)` makes an input, for which gradients are recorded too.
"""

import zlib

import numpy as np


def values_for(name, shape):
    """Numbers in [-0.6, 0.6] that a name and a shape determine."""
    start = zlib.crc32(name.encode()) % 1000
    size = int(np.prod(shape, dtype=np.int64))
    numbers = 0.6 * np.cos(1.7 * np.arange(size) + start)
    return numbers.reshape(shape).astype(np.float32)


def _step(cell):
    """A program that calls a cell twice."""
    return (
        f"cell = {cell}\n"
        "state = cell.zero_state(2, tf.float32)\n"
        "first, state = cell(given('x', [2, 3]), state)\n"
        "second, state = cell(given('y', [2, 3]), state)\n"
        "out = {'first': first, 'second': second, 'state': state}\n"
    )


_CELLS = {
    "basic_rnn": "tf.nn.rnn_cell.BasicRNNCell(4)",
    "basic_rnn_relu": "tf.nn.rnn_cell.BasicRNNCell(4, activation=tf.nn.relu)",
    "gru": "tf.nn.rnn_cell.GRUCell(4)",
    "basic_lstm": "tf.nn.rnn_cell.BasicLSTMCell(4, forget_bias=0.5)",
    "basic_lstm_joined": "tf.nn.rnn_cell.BasicLSTMCell(4, state_is_tuple=False)",
    "lstm": "tf.nn.rnn_cell.LSTMCell(4)",
    "lstm_peepholes": "tf.nn.rnn_cell.LSTMCell(4, use_peepholes=True)",
    "lstm_clipped": "tf.nn.rnn_cell.LSTMCell(4, use_peepholes=True, cell_clip=0.1)",
    "lstm_projected": "tf.nn.rnn_cell.LSTMCell(4, num_proj=3, proj_clip=0.1)",
    "lstm_joined": "tf.nn.rnn_cell.LSTMCell(4, num_proj=3, state_is_tuple=False)",
    "lstm_all": "tf.nn.rnn_cell.LSTMCell(4, True, 0.3, num_proj=2, proj_clip=0.2, forget_bias=0.1)",
    "multi": """tf.nn.rnn_cell.MultiRNNCell(
    [tf.nn.rnn_cell.BasicLSTMCell(4), tf.nn.rnn_cell.GRUCell(2)])""",
    "multi_joined": """tf.nn.rnn_cell.MultiRNNCell(
    [tf.nn.rnn_cell.BasicRNNCell(4), tf.nn.rnn_cell.GRUCell(2)], state_is_tuple=False)""",
    "residual": "tf.nn.rnn_cell.ResidualWrapper(tf.nn.rnn_cell.GRUCell(3))",
    "device": "tf.nn.rnn_cell.DeviceWrapper(tf.nn.rnn_cell.GRUCell(3), '/cpu:0')",
    "layer_norm": "tf.contrib.rnn.LayerNormBasicLSTMCell(4)",
    "layer_norm_off": "tf.contrib.rnn.LayerNormBasicLSTMCell(4, layer_norm=False)",
    "attention": "tf.contrib.rnn.AttentionCellWrapper(tf.nn.rnn_cell.GRUCell(4), 3)",
    "attention_lstm": """tf.contrib.rnn.AttentionCellWrapper(
    tf.nn.rnn_cell.BasicLSTMCell(4), 3, attn_size=2, attn_vec_size=5)""",
    "attention_joined": """tf.contrib.rnn.AttentionCellWrapper(
    tf.nn.rnn_cell.GRUCell(4), 2, state_is_tuple=False)""",
    "input_projection": """tf.contrib.rnn.InputProjectionWrapper(
    tf.nn.rnn_cell.GRUCell(4), 2, activation=tf.tanh)""",
    "output_projection": """tf.contrib.rnn.OutputProjectionWrapper(
    tf.nn.rnn_cell.GRUCell(4), 2)""",
    "dropout": """tf.nn.rnn_cell.DropoutWrapper(
    tf.nn.rnn_cell.BasicLSTMCell(4), input_keep_prob=0.7, output_keep_prob=0.6,
    state_keep_prob=0.8, seed=11)""",
    "dropout_variational": """tf.nn.rnn_cell.DropoutWrapper(
    tf.nn.rnn_cell.GRUCell(4), input_keep_prob=0.7, output_keep_prob=0.6, state_keep_prob=0.8,
    variational_recurrent=True, input_size=3, dtype=tf.float32, seed=12)""",
}

PROGRAMS = {"cell/" + name: _step(cell) for name, cell in _CELLS.items()}
PROGRAMS["cell/embedding"] = """
cell = tf.contrib.rnn.EmbeddingWrapper(tf.nn.rnn_cell.GRUCell(4), 6, 3)
first, state = cell(tf.constant([[5], [0]]), cell.zero_state(2, tf.float32))
second, state = cell(tf.constant([[5], [2]]), state)
out = {'first': first, 'second': second, 'state': state}
"""
PROGRAMS["cell/shared"] = """
cell = tf.nn.rnn_cell.GRUCell(3)
x, zero = given('x', [2, 3]), tf.zeros([2, 3])
with tf.variable_scope('here'):
    first, _ = cell(x, zero)
with tf.variable_scope('there'):
    second, _ = cell(first, zero)
    third, _ = tf.nn.rnn_cell.GRUCell(3)(x, zero)
fourth, _ = tf.nn.rnn_cell.GRUCell(3)(x, zero, scope='mine')
out = {'first': first, 'second': second, 'third': third, 'fourth': fourth}
"""
PROGRAMS["cell/own"] = """
class Own(tf.nn.rnn_cell.RNNCell):
    state_size = 4
    output_size = 2
    def call(self, inputs, state):
        w = tf.get_variable('w', [inputs.shape[1].value, 4])
        state = tf.tanh(tf.matmul(inputs, w) + state)
        return tf.layers.dense(state, 2, name='out'), state
out = {}
out['outputs'], out['state'] = tf.nn.dynamic_rnn(Own(), given('x', [2, 5, 3]), dtype=tf.float32)
"""

_NETWORK = """
outputs, state = {}
out = {{'outputs': outputs, 'state': state}}
"""
_LSTM = "tf.nn.rnn_cell.BasicLSTMCell(4)"
_GRU = "tf.nn.rnn_cell.GRUCell(4)"
_X = "given('x', [3, 5, 2])"
_LENGTHS = "sequence_length=[5, 2, 0]"
_LIST = "[given('x%d' % i, [3, 2]) for i in range(4)]"
_FEWER = "sequence_length=[3, 2, 0]"
_DTYPE = "dtype=tf.float32"

for _name, _program in {
    "dynamic": f"tf.nn.dynamic_rnn({_LSTM}, {_X}, {_DTYPE})",
    "dynamic_lengths": f"tf.nn.dynamic_rnn({_LSTM}, {_X}, {_LENGTHS}, {_DTYPE})",
    "dynamic_time_major": (
        f"tf.nn.dynamic_rnn({_GRU}, {_X}, sequence_length=[1, 2, 3, 0, 2], {_DTYPE}, "
        "time_major=True, scope='mine')"
    ),
    "dynamic_state": (
        f"tf.nn.dynamic_rnn({_GRU}, {_X}, {_LENGTHS}, initial_state=given('s', [3, 4]))"
    ),
    "dynamic_multi": (
        f"tf.nn.dynamic_rnn(tf.nn.rnn_cell.MultiRNNCell([{_LSTM}, {_GRU}]), {_X}, {_DTYPE})"
    ),
    "bidirectional": (
        f"tf.nn.bidirectional_dynamic_rnn({_LSTM}, {_GRU}, {_X}, {_LENGTHS}, {_DTYPE})"
    ),
    "bidirectional_whole": f"tf.nn.bidirectional_dynamic_rnn({_GRU}, {_GRU}, {_X}, {_DTYPE})",
    "static": f"tf.nn.static_rnn({_LSTM}, {_LIST}, {_DTYPE})",
    "static_lengths": f"tf.nn.static_rnn({_LSTM}, {_LIST}, {_FEWER}, {_DTYPE})",
    "lstm_block": f"tf.nn.static_rnn(tf.contrib.rnn.LSTMBlockCell(4), {_LIST}, {_DTYPE})",
    "lstm_block_peephole": (
        f"tf.nn.static_rnn(tf.contrib.rnn.LSTMBlockCell(4, use_peephole=True), {_LIST}, {_DTYPE})"
    ),
    "gru_block": f"tf.nn.static_rnn(tf.contrib.rnn.GRUBlockCell(4), {_LIST}, {_DTYPE})",
    "fused": f"tf.contrib.rnn.LSTMBlockFusedCell(4)({_X}, {_DTYPE})",
    "fused_lengths": (
        f"tf.contrib.rnn.LSTMBlockFusedCell(4, use_peephole=True)({_X}, {_DTYPE}, "
        "sequence_length=[1, 2, 3, 0, 2])"
    ),
    "adaptor": (
        f"tf.contrib.rnn.FusedRNNCellAdaptor({_GRU}, use_dynamic_rnn=True)({_X}, {_DTYPE})"
    ),
    "adaptor_static": f"tf.contrib.rnn.FusedRNNCellAdaptor({_GRU})({_X}, {_DTYPE})",
    "reversed": (
        "tf.contrib.rnn.TimeReversedFusedRNN(tf.contrib.rnn.FusedRNNCellAdaptor("
        f"{_GRU}, use_dynamic_rnn=True))({_X}, {_DTYPE}, sequence_length=[1, 2, 3, 0, 2])"
    ),
}.items():
    PROGRAMS["network/" + _name] = _NETWORK.format(_program)

_BOTH = """
outputs, forth, back = {}
out = {{'outputs': outputs, 'forth': forth, 'back': back}}
"""
for _name, _program in {
    "static_bidirectional": f"tf.nn.static_bidirectional_rnn({_LSTM}, {_GRU}, {_LIST}, {_DTYPE})",
    "static_bidirectional_lengths": (
        f"tf.nn.static_bidirectional_rnn({_GRU}, {_GRU}, {_LIST}, {_FEWER}, {_DTYPE})"
    ),
    "stack": (
        f"tf.contrib.rnn.stack_bidirectional_rnn([{_GRU}, {_LSTM}], [{_GRU}, {_GRU}], "
        f"{_LIST}, {_DTYPE})"
    ),
    "stack_dynamic": (
        "tf.contrib.rnn.stack_bidirectional_dynamic_rnn("
        f"[{_GRU}, {_LSTM}], [{_GRU}, {_GRU}], {_X}, {_LENGTHS}, {_DTYPE})"
    ),
}.items():
    PROGRAMS["network/" + _name] = _BOTH.format(_program)

PROGRAMS["network/raw"] = """
x, lengths = given('x', [5, 3, 2]), tf.constant([4, 2, 1])
inputs = tf.TensorArray(tf.float32, size=5, clear_after_read=False).unstack(x)
cell = tf.nn.rnn_cell.GRUCell(4)
def loop_fn(time, output, state, loop_state):
    if output is None:
        state, loop_state = cell.zero_state(3, tf.float32), tf.constant(0)
    else:
        loop_state = loop_state + 2
    finished = time >= lengths
    read = tf.cond(tf.reduce_all(finished), lambda: tf.zeros([3, 2]), lambda: inputs.read(time))
    read.set_shape([3, 2])
    return finished, read, state, output, loop_state
emitted, state, loop_state = tf.nn.raw_rnn(cell, loop_fn)
outputs = emitted.stack()
outputs.set_shape([4, 3, 4])
out = {'outputs': outputs, 'state': state, 'turns': tf.to_float(loop_state)}
"""

for _name, _averages in {
    "both": "True, True",
    "time": "True, False",
    "batch": "False, True",
}.items():
    PROGRAMS["loss/" + _name] = f"""
x, weights = given('x', [2, 3, 4]), tf.constant([[1.0, 1.0, 0.5], [1.0, 0.0, 0.0]])
targets = tf.constant([[3, 0, 1], [2, 0, 0]])
out = {{'loss': tf.contrib.seq2seq.sequence_loss(x, targets, weights, {_averages})}}
"""

PROGRAMS["crf/log_likelihood"] = """
x, pairs = given('x', [3, 4, 2]), given('pairs', [2, 2])
tags, lengths = tf.constant([[1, 0, 0, 1], [0, 1, 0, 0], [1, 0, 0, 0]]), tf.constant([4, 2, 1])
likelihood, _ = tf.contrib.crf.crf_log_likelihood(x, tags, lengths, pairs)
norm = tf.contrib.crf.crf_log_norm(x, lengths, pairs)
out = {'likelihood': tf.identity(likelihood, name='likelihood'), 'norm': norm}
"""
PROGRAMS["crf/variable"] = """
x, tags = given('x', [3, 4, 2]), tf.constant([[1, 0, 0, 1], [0, 1, 0, 0], [1, 0, 0, 0]])
likelihood, _ = tf.contrib.crf.crf_log_likelihood(x, tags, tf.constant([4, 2, 1]))
out = {'likelihood': tf.identity(likelihood, name='likelihood')}
"""
PROGRAMS["crf/decode"] = """
x, pairs = given('x', [3, 4, 2]), given('pairs', [2, 2])
tags, score = tf.contrib.crf.crf_decode(x, pairs, tf.constant([4, 2, 1]))
tags.set_shape([3, 4])
score.set_shape([3])
out = {'tags': tf.to_float(tags), 'score': score}
"""
PROGRAMS["crf/scores"] = """
x, pairs = given('x', [3, 4, 2]), given('pairs', [2, 2])
tags, lengths = tf.constant([[1, 0, 0, 1], [0, 1, 0, 0], [1, 0, 0, 0]]), tf.constant([4, 2, 1])
whole = tf.contrib.crf.crf_sequence_score(x, tags, lengths, pairs)
unary = tf.contrib.crf.crf_unary_score(tags, lengths, x)
binary = tf.contrib.crf.crf_binary_score(tags, lengths, pairs)
out = {'whole': tf.identity(whole, name='whole'), 'unary': tf.identity(unary, name='unary'),
       'binary': tf.identity(binary, name='binary')}
"""

_DECODED = """
memory, x = given('memory', [2, 4, 3]), given('x', [2, 3, 2])
attention = {}
cell = tf.contrib.seq2seq.AttentionWrapper(tf.nn.rnn_cell.GRUCell(4), attention{})
helper = tf.contrib.seq2seq.TrainingHelper(x, tf.constant([3, 2]))
decoder = tf.contrib.seq2seq.BasicDecoder(
    cell, helper, cell.zero_state(2, tf.float32), tf.layers.Dense(5, name='last'))
outputs, state, lengths = tf.contrib.seq2seq.dynamic_decode(decoder, impute_finished=True)
told = outputs.rnn_output
told.set_shape([2, 3, 5])
out = {{'told': told, 'lengths': tf.to_float(lengths), 'attention': state.attention,
       'alignments': state.alignments, 'cell': state.cell_state}}
"""
_S = "tf.contrib.seq2seq."
_ENDS = "memory_sequence_length=tf.constant([4, 2])"
for _name, _attention, _options in (
    ("luong", "LuongAttention(4, memory)", ""),
    ("luong_scaled", f"LuongAttention(4, memory, {_ENDS}, scale=True)", ", attention_layer_size=3"),
    ("bahdanau", "BahdanauAttention(5, memory)", ", attention_layer_size=3"),
    ("bahdanau_normed", f"BahdanauAttention(5, memory, {_ENDS}, normalize=True)", ""),
    ("cell_output", f"BahdanauAttention(5, memory, {_ENDS})", ", output_attention=False"),
    ("luong_monotonic", "LuongMonotonicAttention(4, memory, score_bias_init=0.5)", ""),
    ("bahdanau_monotonic", f"BahdanauMonotonicAttention(5, memory, {_ENDS}, normalize=True)", ""),
    ("recursive", "LuongMonotonicAttention(4, memory, mode='recursive')", ""),
):
    PROGRAMS["seq2seq/" + _name] = _DECODED.format(_S + _attention, _options)

PROGRAMS["seq2seq/several"] = """
memories = given('memory', [2, 4, 3]), given('other', [2, 2, 5])
cell = tf.contrib.seq2seq.AttentionWrapper(
    tf.nn.rnn_cell.BasicLSTMCell(4),
    [tf.contrib.seq2seq.LuongAttention(4, m) for m in memories],
    attention_layer_size=[3, 2], alignment_history=True)
state = cell.zero_state(2, tf.float32)
first, state = cell(given('x', [2, 2]), state)
second, state = cell(given('y', [2, 2]), state)
kept = [history.stack() for history in state.alignment_history]
kept[0].set_shape([2, 2, 4])
kept[1].set_shape([2, 2, 2])
out = {'first': first, 'second': second, 'alignments': state.alignments, 'kept': kept}
"""
PROGRAMS["seq2seq/greedy"] = """
table = given('table', [6, 3])
helper = tf.contrib.seq2seq.GreedyEmbeddingHelper(table, tf.constant([0, 1, 2]), tf.constant(4))
cell = tf.nn.rnn_cell.GRUCell(4)
decoder = tf.contrib.seq2seq.BasicDecoder(
    cell, helper, given('s', [3, 4]), tf.layers.Dense(6, name='last'))
outputs, state, lengths = tf.contrib.seq2seq.dynamic_decode(
    decoder, maximum_iterations=4, scope='mine')
ids, told = outputs.sample_id, outputs.rnn_output
ids.set_shape([3, 4])
told.set_shape([3, 4, 6])
lengths.set_shape([3])
out = {'ids': tf.to_float(ids), 'told': told, 'lengths': tf.to_float(lengths), 'state': state}
"""
PROGRAMS["seq2seq/parts"] = """
seq, x, before = tf.contrib.seq2seq, given('x', [2, 4]), given('before', [2, 4])
ways = {mode: seq.monotonic_attention(tf.sigmoid(x), tf.nn.softmax(before), mode)
        for mode in ('recursive', 'parallel')}
ways['hard'] = seq.monotonic_attention(tf.round(tf.sigmoid(x)), tf.one_hot([1, 0], 4), 'hard')
out = {mode: tf.identity(way, name=mode) for mode, way in ways.items()}
out['hardmax'] = tf.identity(seq.hardmax(x), name='hardmax')
out['products'] = tf.identity(seq.safe_cumprod(tf.sigmoid(x), axis=1), name='products')
"""
PROGRAMS["seq2seq/beam"] = """
seq, table, width = tf.contrib.seq2seq, given('table', [6, 3]), 3
memory = seq.tile_batch(given('memory', [2, 4, 3]), width)
cell = seq.AttentionWrapper(tf.nn.rnn_cell.GRUCell(4), seq.LuongAttention(4, memory))
first = cell.zero_state(2 * width, tf.float32)
first = first.clone(cell_state=seq.tile_batch(given('s', [2, 4]), width))
decoder = seq.BeamSearchDecoder(cell, table, tf.constant([0, 1]), 4, first, width,
                                tf.layers.Dense(6, name='last'), length_penalty_weight=0.5)
outputs, state, lengths = seq.dynamic_decode(decoder, maximum_iterations=5)
probabilities = tf.identity(state.log_probs, name='probabilities')
probabilities.set_shape([2, 3])
out = {'probabilities': probabilities}
"""
PROGRAMS["network/state_saving"] = """
class Saver(object):
    def __init__(self):
        self.kept = {}
    def state(self, name):
        return given(name, [2, 4])
    def save_state(self, name, value):
        self.kept[name] = value
        return tf.no_op()
saver = Saver()
outputs, state = tf.nn.static_state_saving_rnn(
    tf.nn.rnn_cell.BasicLSTMCell(4), [given('x%d' % i, [2, 3]) for i in range(3)], saver,
    ('c', 'h'), sequence_length=tf.constant([3, 1]))
out = {'outputs': outputs, 'state': state, 'kept': [saver.kept['c'], saver.kept['h']]}
"""

_LEGACY = """
seq = tf.contrib.legacy_seq2seq
xs = [given('x%d' % i, [2, 3]) for i in range(3)]
ys = [given('y%d' % i, [2, 3]) for i in range(2)]
ids, other = [tf.constant([1, 3])] * 3, [tf.constant([2, 0])] * 2
cell = tf.nn.rnn_cell.GRUCell(4)
outputs, state = {}
out = {{'outputs': outputs, 'state': state}}
"""
for _name, _call in {
    "rnn_decoder": "rnn_decoder(xs, given('s', [2, 4]), cell)",
    "looped": "rnn_decoder(xs, given('s', [2, 4]), cell, lambda y, i: y[:, :3])",
    "basic": "basic_rnn_seq2seq(xs, ys, cell)",
    "tied": "tied_rnn_seq2seq(xs, ys, cell)",
    "embedding": "embedding_rnn_seq2seq(ids, other, cell, 5, 6, 3)",
    "embedding_fed": "embedding_rnn_seq2seq(ids, other, cell, 5, 6, 3, feed_previous=True)",
    "embedding_chosen": (
        "embedding_rnn_seq2seq(ids, other, cell, 5, 6, 3, feed_previous=tf.constant(True))"
    ),
    "embedding_tied": "embedding_tied_rnn_seq2seq(ids, other, cell, 5, 3)",
    "attention": "attention_decoder(ys, given('s', [2, 4]), given('m', [2, 3, 5]), cell)",
    "attention_first": (
        "attention_decoder(ys, given('s', [2, 4]), given('m', [2, 3, 5]), cell, output_size=3, "
        "num_heads=2, initial_state_attention=True)"
    ),
    "embedding_attention": "embedding_attention_seq2seq(ids, other, cell, 5, 6, 3)",
    "embedding_decoder": (
        "embedding_rnn_decoder(ids, given('s', [2, 4]), cell, 4, 3, feed_previous=True)"
    ),
    "embedding_attention_decoder": (
        "embedding_attention_decoder(other, given('s', [2, 4]), given('m', [2, 3, 5]), cell, 6, 3, "
        "feed_previous=True)"
    ),
    "one2many": (
        "one2many_rnn_seq2seq(ids, {'a': other, 'b': ids}, cell, {'a': tf.nn.rnn_cell.GRUCell(4), "
        "'b': tf.nn.rnn_cell.GRUCell(4)}, 5, {'a': 3, 'b': 4}, 3)"
    ),
}.items():
    PROGRAMS["legacy/" + _name] = _LEGACY.format("seq." + _call)

PROGRAMS["legacy/losses"] = """
seq = tf.contrib.legacy_seq2seq
logits = [given('x%d' % i, [2, 3]) for i in range(2)]
targets, weights = [tf.constant([1, 2])] * 2, [tf.constant([1.0, 0.5]), tf.constant([1.0, 0.0])]
out = {'each': seq.sequence_loss_by_example(logits, targets, weights),
       'sums': seq.sequence_loss_by_example(logits, targets, weights, False),
       'mean': seq.sequence_loss(logits, targets, weights),
       'total': seq.sequence_loss(logits, targets, weights, average_across_batch=False)}
"""
PROGRAMS["legacy/buckets"] = """
seq = tf.contrib.legacy_seq2seq
xs = [given('x%d' % i, [2, 3]) for i in range(3)]
weights = [tf.constant([1.0, 0.5]), tf.constant([1.0, 0.0]), tf.constant([0.5, 1.0])]
targets = [tf.constant([1, 2])] * 3
outputs, losses = seq.model_with_buckets(
    xs, xs, targets, weights, [(2, 1), (3, 3)],
    lambda x, y: seq.basic_rnn_seq2seq(x, y, tf.nn.rnn_cell.GRUCell(4)))
out = {'outputs': outputs, 'losses': losses}
"""
