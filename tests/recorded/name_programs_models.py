"""Programs that build models, train them, or use control flow; each fills a dict `out`."""

PROGRAMS = {
    "op_names": """
out = {}
x = tf.constant([[1.0, -2.0], [3.0, 4.0]])
y = tf.constant([[0.5, 1.5], [2.5, -0.5]], name='y')
i = tf.constant([1, 0])
calls = [
    x + y, x - y, x * y, x / y, x // y, x % y, x ** 2.0, -x, abs(x), 1.0 + x, 2.0 - x, x < y,
    x >= 1.0, tf.add(x, y), tf.subtract(x, y), tf.multiply(x, y), tf.divide(x, y), tf.div(x, y),
    tf.truediv(x, y), tf.floordiv(x, y), tf.mod(x, y), tf.pow(x, y), tf.negative(x), tf.abs(x),
    tf.sign(x), tf.reciprocal(x), tf.square(x), tf.sqrt(x), tf.rsqrt(x), tf.exp(x), tf.expm1(x),
    tf.log(x), tf.log1p(x), tf.sin(x), tf.tan(x), tf.asin(x), tf.atan2(x, y), tf.sinh(x),
    tf.tanh(x), tf.sigmoid(x), tf.erf(x), tf.lgamma(x), tf.digamma(x), tf.floor(x), tf.ceil(x),
    tf.round(x), tf.rint(x), tf.maximum(x, y), tf.minimum(x, y), tf.squared_difference(x, y),
    tf.equal(x, y), tf.not_equal(x, y), tf.less_equal(x, y), tf.greater(x, y),
    tf.logical_not(tf.is_nan(x)), tf.logical_and(x > 0.0, y > 0.0), tf.is_finite(x), tf.is_inf(x),
    tf.add_n([x, y]), tf.accumulate_n([x, y]), tf.cumsum(x), tf.cumprod(x, axis=1),
    tf.reduce_sum(x), tf.reduce_mean(x, axis=1), tf.reduce_max(x), tf.reduce_min(x),
    tf.reduce_prod(x), tf.reduce_any(x > 0.0), tf.reduce_all(x > 0.0), tf.reduce_logsumexp(x),
    tf.argmax(x, axis=1), tf.argmin(x, axis=0), tf.matmul(x, y), tf.tensordot(x, y, 1),
    tf.einsum('ij,jk->ik', x, y), tf.norm(x), tf.clip_by_value(x, -1.0, 1.0),
    tf.clip_by_norm(x, 1.0), tf.clip_by_average_norm(x, 1.0), tf.global_norm([x, y]),
    tf.clip_by_global_norm([x, y], 1.0)[0][0], tf.segment_sum(x, tf.constant([0, 0])),
    tf.unsorted_segment_sum(x, i, 2), tf.nn.top_k(x).values, tf.bincount(i),
    tf.identity(x), tf.cast(x, tf.int32), tf.to_float(i), tf.to_int32(x), tf.reshape(x, [4]),
    tf.transpose(x), tf.expand_dims(x, 0), tf.squeeze(x), tf.concat([x, y], 0), tf.stack([x, y]),
    tf.unstack(x)[1], tf.split(x, 2)[0], tf.slice(x, [0, 0], [1, 1]), x[0], x[:, 1:],
    tf.gather(x, i), tf.gather_nd(x, [[0, 1]]), tf.tile(x, [1, 2]), tf.pad(x, [[1, 1], [0, 0]]),
    tf.pad(x, [[1, 1], [0, 0]], 'REFLECT'), tf.shape(x), tf.size(x), tf.rank(x),
    tf.where(x > y), tf.where(x > y, x, y), tf.boolean_mask(x, [True, False]), tf.reverse(x, [0]),
    tf.sequence_mask(i), tf.unique(i)[0], tf.invert_permutation(i), tf.meshgrid(i, i)[0],
    tf.zeros([2]), tf.ones([2]), tf.zeros_like(x), tf.ones_like(x), tf.fill([2], 1.0),
    tf.range(3), tf.linspace(0.0, 1.0, 3), tf.eye(2), tf.one_hot(i, 2),
    tf.placeholder_with_default(x, [2, 2]), tf.stop_gradient(x),
    tf.nn.relu(x), tf.nn.relu6(x), tf.nn.elu(x), tf.nn.selu(x), tf.nn.leaky_relu(x),
    tf.nn.softplus(x), tf.nn.softsign(x), tf.nn.tanh(x), tf.nn.sigmoid(x), tf.nn.softmax(x),
    tf.nn.log_softmax(x), tf.nn.softmax_cross_entropy_with_logits(labels=y, logits=x),
    tf.nn.sparse_softmax_cross_entropy_with_logits(labels=i, logits=x),
    tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=x),
    tf.nn.weighted_cross_entropy_with_logits(y, x, 2.0), tf.nn.bias_add(x, [1.0, 2.0]),
    tf.nn.xw_plus_b(x, y, [1.0, 2.0]), tf.nn.dropout(x, 0.5, seed=1), tf.nn.l2_loss(x),
    tf.nn.l2_normalize(x, 1), tf.nn.moments(x, [0])[1],
    tf.nn.batch_normalization(x, 0.0, 1.0, None, None, 1e-3), tf.nn.embedding_lookup(x, i),
    tf.nn.in_top_k(x, i, 1), tf.nn.zero_fraction(x), tf.random_uniform([2], seed=1),
    tf.random_normal([2], seed=1), tf.truncated_normal([2], seed=1), tf.random_shuffle(x, seed=1),
    tf.multinomial(x, 2, seed=1), tf.group(x, y), tf.no_op(), tf.tuple([x, y])[0],
    tf.Print(x, [y]), tf.Assert(True, [x]), tf.placeholder(tf.float32),
]
for number, call in enumerate(calls):
    out['%03d' % number] = call
""",
    "towers": """
out = {}

def tower(x):
    with tf.variable_scope('conv'):
        w = tf.get_variable('w', [2, 2], initializer=tf.constant_initializer(0.5))
        b = tf.get_variable('b', [2], initializer=tf.zeros_initializer())
    return tf.nn.relu(tf.nn.xw_plus_b(x, w, b), name='relu')

step = tf.get_variable('step', [], initializer=tf.zeros_initializer(), trainable=False)
for number in range(3):
    with tf.name_scope('tower_%d' % number):
        with tf.variable_scope('model', reuse=number > 0):
            out['t%d' % number] = tower(tf.ones([1, 2]) * number)
            tf.add_to_collection('losses', tf.reduce_sum(out['t%d' % number], name='loss'))
out['mean'] = tf.add_n(tf.get_collection('losses')) / 3.0
out['in_tower'] = tf.add_n(tf.get_collection('losses', 'tower_1'))
""",
    "rnn_loop": """
out = {}

def cell(x, state, size):
    with tf.variable_scope('cell'):
        joined = tf.concat([x, state], 1)
        w = tf.get_variable('kernel', [joined.shape[1].value, 4 * size],
                            initializer=tf.constant_initializer(0.1))
        b = tf.get_variable('bias', [4 * size], initializer=tf.zeros_initializer())
        i, j, f, o = tf.split(tf.matmul(joined, w) + b, 4, axis=1)
        memory = state * tf.sigmoid(f + 1.0) + tf.sigmoid(i) * tf.tanh(j)
        return tf.tanh(memory) * tf.sigmoid(o)

inputs = tf.ones([3, 2, 5])
state = tf.zeros([2, 4])
with tf.variable_scope('rnn') as scope:
    for t, x in enumerate(tf.unstack(inputs)):
        if t > 0:
            scope.reuse_variables()
        state = cell(x, state, 4)
        out['state%d' % t] = state
""",
    "lstm_stack": """
out = {}

class LSTMCell(object):
    def __init__(self, size):
        self.size = size

    def __call__(self, x, state, scope=None):
        c, h = state
        with tf.variable_scope(scope, 'lstm_cell', [x, c, h]):
            joined = tf.concat([x, h], 1)
            w = tf.get_variable('kernel', [joined.shape[1].value, 4 * self.size])
            b = tf.get_variable('bias', [4 * self.size], initializer=tf.zeros_initializer())
            i, j, f, o = tf.split(tf.nn.bias_add(tf.matmul(joined, w), b), 4, 1)
            c = tf.add(c * tf.sigmoid(f + 1.0), tf.sigmoid(i) * tf.tanh(j), name='c')
            return c, tf.multiply(tf.tanh(c), tf.sigmoid(o), name='h')

cells = [LSTMCell(3), LSTMCell(2)]
states = [(tf.zeros([2, cell.size]), tf.zeros([2, cell.size])) for cell in cells]
with tf.variable_scope('rnn', initializer=tf.constant_initializer(0.1)):
    for t, x in enumerate(tf.unstack(tf.ones([2, 2, 4]))):
        with tf.variable_scope('multi_rnn_cell', reuse=True if t else None) as scope:
            for layer, cell in enumerate(cells):
                with tf.variable_scope('cell_%d' % layer):
                    states[layer] = cell(x, states[layer])
                    x = states[layer][1]
        out['h%d' % t] = x
        out['c%d' % t] = states[-1][0]
""",
    "gru_both_ways": """
out = {}

def gru(x, state, size):
    with tf.variable_scope('gru_cell'):
        with tf.variable_scope('gates', initializer=tf.ones_initializer()):
            w = tf.get_variable('kernel', [x.shape[1].value + size, 2 * size])
            both = tf.sigmoid(tf.matmul(tf.concat([x, state], 1), w))
            r, u = tf.split(value=both, num_or_size_splits=2, axis=1)
        with tf.variable_scope('candidate'):
            w = tf.get_variable('kernel', [x.shape[1].value + size, size],
                                initializer=tf.constant_initializer(0.5))
            c = tf.tanh(tf.matmul(tf.concat([x, r * state], 1), w))
        return u * state + (1 - u) * c

steps = tf.unstack(tf.ones([3, 1, 2]), name='steps')
for way, inputs in (('fw', steps), ('bw', steps[::-1])):
    with tf.variable_scope('bidirectional_rnn/%s' % way, reuse=tf.AUTO_REUSE):
        state = tf.zeros([1, 2], name='state')
        for x in inputs:
            state = gru(x, state, 2)
        out[way] = state
with tf.variable_scope('bidirectional_rnn'):
    out['joined'] = tf.concat([out['fw'], out['bw']], 1, name='joined')
""",
    "template_cells": """
out = {}

def step(x, state):
    with tf.variable_scope(None, 'core'):
        w = tf.get_variable('w', [3, 3], initializer=tf.ones_initializer())
    with tf.variable_scope(None, 'core'):
        b = tf.get_variable('b', [3], initializer=tf.zeros_initializer())
    return tf.add(tf.matmul(state, w) + b, x, name='state')

core = tf.make_template('recurrent', step)
with tf.variable_scope('network'):
    state = tf.zeros([1, 3])
    for t in range(3):
        state = core(tf.ones([1, 3]), state)
        out['state%d' % t] = state
other = tf.make_template('recurrent', step)
with tf.variable_scope('decoder'):
    out['other'] = other(tf.ones([1, 3]), state)
""",
    "replicated": """
out = {}

def place(op):
    return '/job:ps/task:0' if op.type in ('VariableV2', 'VarHandleOp') else '/job:worker/task:1'

with tf.device(place):
    with tf.variable_scope('model'):
        w = tf.get_variable('w', [2, 2], initializer=tf.ones_initializer())
        r = tf.get_variable('r', [2], initializer=tf.ones_initializer(), use_resource=True)
        c = tf.get_variable('c', [2], initializer=tf.ones_initializer(), caching_device='/cpu:0')
    out['w'], out['r'], out['c'] = w, r, c
    out['read_w'], out['read_r'], out['read_c'] = w.value(), r.value(), c.value()
    out['init_w'], out['init_r'] = w.initializer, r.initializer
    out['moved'] = w.assign_add(tf.ones([2, 2]))
    out['row'] = tf.scatter_sub(w, [0], tf.ones([1, 2]))
    out['loss'] = tf.reduce_sum(tf.matmul(w, w) * r * c)
with tf.device('/job:chief'):
    local = tf.get_local_variable('local', [], initializer=tf.zeros_initializer())
out['init'] = tf.global_variables_initializer()
out['ready'] = tf.group(out['init'], local.initializer, name='ready')
out['beside'] = tf.group(w.initializer, out['moved'])
""",
    "sgd": """
out = {}
x = tf.placeholder_with_default([[1.0, 2.0]], [1, 2], name='x')
with tf.variable_scope('linear'):
    w = tf.get_variable('w', [2, 1], initializer=tf.ones_initializer())
    b = tf.get_variable('b', [1], initializer=tf.zeros_initializer())
    y = tf.matmul(x, w) + b
loss = tf.reduce_mean(tf.square(y - 1.0), name='loss')
step = tf.train.get_or_create_global_step()
optimizer = tf.train.GradientDescentOptimizer(0.1)
out['loss'] = loss
out['train'] = optimizer.minimize(loss, global_step=step)
out['named'] = optimizer.minimize(loss, name='train_it')
grads = tf.gradients(loss, [w, b])
out['gw'], out['gb'] = grads
out['apply'] = optimizer.apply_gradients(list(zip(grads, [w, b])))
""",
    "adam": """
out = {}
with tf.variable_scope('net'):
    a = tf.get_variable('a', [2], initializer=tf.ones_initializer())
    b = tf.get_variable('b', [3], initializer=tf.ones_initializer())
    c = tf.get_variable('c', [1], initializer=tf.ones_initializer(), trainable=False)
loss = tf.reduce_sum(a) + tf.reduce_sum(b * b) + tf.reduce_sum(c)
step = tf.Variable(0, name='global_step', trainable=False)
optimizer = tf.train.AdamOptimizer(0.1)
out['train'] = optimizer.minimize(loss, global_step=step, name='train')
out['m'] = optimizer.get_slot(a, 'm')
out['v'] = optimizer.get_slot(b, 'v')
out['step'] = step
second = tf.train.AdamOptimizer(0.01, name='Second')
out['second'] = second.minimize(loss, var_list=[a])
third = tf.train.AdamOptimizer(0.01)
out['third'] = third.minimize(loss, var_list=[b])
""",
    "optimizer_in_scope": """
out = {}
with tf.variable_scope('net'):
    v = tf.get_variable('v', [2], initializer=tf.ones_initializer())
    loss = tf.reduce_sum(tf.square(v))
with tf.variable_scope('training'):
    out['momentum'] = tf.train.MomentumOptimizer(0.1, 0.9).minimize(loss)
with tf.name_scope('more'):
    out['adagrad'] = tf.train.AdagradOptimizer(0.1).minimize(loss)
with tf.variable_scope('net', reuse=tf.AUTO_REUSE):
    out['rms'] = tf.train.RMSPropOptimizer(0.1, centered=True).minimize(loss)
out['ftrl'] = tf.train.FtrlOptimizer(0.1).minimize(loss)
out['delta'] = tf.train.AdadeltaOptimizer(0.1).minimize(loss)
step = tf.train.get_or_create_global_step()
out['da'] = tf.train.AdagradDAOptimizer(0.1, step).minimize(loss, global_step=step)
out['pgd'] = tf.train.ProximalGradientDescentOptimizer(0.1).minimize(loss)
out['pad'] = tf.train.ProximalAdagradOptimizer(0.1).minimize(loss)
""",
    "optimizer_resource": """
out = {}
with tf.variable_scope('net', use_resource=True):
    v = tf.get_variable('v', [2], initializer=tf.ones_initializer())
    table = tf.get_variable('table', [4, 2], initializer=tf.ones_initializer())
rows = tf.nn.embedding_lookup(table, [1, 3, 1])
loss = tf.reduce_sum(v * v) + tf.reduce_sum(rows)
optimizer = tf.train.AdamOptimizer(0.1)
out['train'] = optimizer.minimize(loss)
out['m'] = optimizer.get_slot(table, 'm')
sgd = tf.train.GradientDescentOptimizer(0.5)
out['sgd'] = sgd.minimize(loss, name='sgd_step')
""",
    "optimizer_partitioned": """
out = {}
with tf.variable_scope('net', partitioner=tf.fixed_size_partitioner(2)):
    v = tf.get_variable('v', [4, 1], initializer=tf.ones_initializer())
loss = tf.reduce_sum(tf.square(tf.convert_to_tensor(v)))
optimizer = tf.train.MomentumOptimizer(0.1, 0.9)
out['train'] = optimizer.minimize(loss)
out['slots'] = tf.constant(optimizer.get_slot_names())
""",
    "optimizer_constraint": """
out = {}

def unit(v):
    return tf.clip_by_norm(v, 1.0, name='unit')

with tf.variable_scope('net', constraint=unit):
    v = tf.get_variable('v', [2], initializer=tf.ones_initializer())
    w = tf.get_variable('w', [2], initializer=tf.ones_initializer(), use_resource=True)
out['train'] = tf.train.MomentumOptimizer(0.1, 0.9).minimize(tf.reduce_sum(v * w))
""",
    "gradients": """
out = {}
v = tf.get_variable('v', [2, 2], initializer=tf.constant_initializer(2.0))
x = tf.constant([[1.0, 2.0]], name='x')
h = tf.tanh(tf.matmul(x, v), name='h')
y = tf.reduce_sum(h * h + h, name='y')
out['dv'] = tf.gradients(y, v)[0]
out['dx'], out['dh'] = tf.gradients([y], [x, h])
out['named'] = tf.gradients(y, x, name='mine')[0]
out['weighted'] = tf.gradients(h, v, grad_ys=[tf.ones([1, 2])])[0]
out['second'] = tf.gradients(out['dx'], x)[0]
out['stopped'] = tf.gradients(y, v, stop_gradients=[h], name='stopped')[0]
if out['stopped'] is None:
    del out['stopped']
gathered = tf.gradients(tf.reduce_sum(tf.gather(v, [0, 0])), v)[0]
out['rows'], out['at'] = gathered.values, gathered.indices
""",
    "moving_averages": """
out = {}
with tf.variable_scope('net'):
    v = tf.get_variable('v', [2], initializer=tf.ones_initializer())
    w = tf.get_variable('w', [2], initializer=tf.ones_initializer(), trainable=False)
    y = tf.multiply(v, 2.0, name='y')
step = tf.train.get_or_create_global_step()
ema = tf.train.ExponentialMovingAverage(0.9, num_updates=step)
out['update'] = ema.apply()
out['v'] = ema.average(v)
out['more'] = ema.apply([w, y])
out['y'] = ema.average(y)
out['w_name'] = tf.constant(ema.average_name(w))
with tf.variable_scope('second'):
    other = tf.train.ExponentialMovingAverage(0.5, name='Slow', zero_debias=True)
    out['slow'] = other.apply([v, y])
    out['slow_y'] = other.average(y)
""",
    "decays": """
out = {}
step = tf.train.get_or_create_global_step()
out['exponential'] = tf.train.exponential_decay(0.1, step, 10, 0.9)
out['staircase'] = tf.train.exponential_decay(0.1, step, 10, 0.9, staircase=True, name='stairs')
out['inverse'] = tf.train.inverse_time_decay(0.1, step, 10, 0.9)
out['polynomial'] = tf.train.polynomial_decay(0.1, step, 10)
out['train'] = tf.train.GradientDescentOptimizer(out['exponential']).minimize(
    tf.square(tf.get_variable('v', [], initializer=tf.ones_initializer())), global_step=step)
""",
    "cond_variables": """
out = {}
x = tf.constant(2.0, name='x')

def yes():
    v = tf.get_variable('v', [], initializer=tf.constant_initializer(3.0))
    return v * x

def no():
    w = tf.get_variable('w', [], initializer=tf.constant_initializer(4.0))
    return w + x

with tf.variable_scope('branches'):
    out['y'] = tf.cond(x > 1.0, yes, no)
    out['z'] = tf.cond(x > 5.0, lambda: x, lambda: x * 2.0, name='pick')
with tf.variable_scope('branches', reuse=True):
    out['again'] = tf.cond(x < 1.0, yes, no)
""",
    "while_variables": """
out = {}

def body(i, total):
    step = tf.get_variable('step', [], initializer=tf.constant_initializer(0.5))
    return i + 1, total + step

with tf.variable_scope('loop'):
    out['n'], out['total'] = tf.while_loop(lambda i, total: i < 4, body, [0, 1.0])
with tf.variable_scope('loop', reuse=True):
    out['m'], out['again'] = tf.while_loop(lambda i, total: i < 2, body, [0, 0.0], name='short')
""",
    "map_and_scan": """
out = {}
elems = tf.constant([1.0, 2.0, 3.0])

def scaled(x):
    w = tf.get_variable('w', [], initializer=tf.constant_initializer(2.0))
    return x * w

with tf.variable_scope('mapped'):
    out['map'] = tf.map_fn(scaled, elems)
with tf.variable_scope('folded', reuse=tf.AUTO_REUSE):
    out['fold'] = tf.foldl(lambda a, x: a + scaled(x), elems)
    out['scan'] = tf.scan(lambda a, x: a + scaled(x), elems)
""",
    "control_dependencies": """
out = {}
a = tf.constant(1.0, name='a')
with tf.control_dependencies([a]):
    v = tf.get_variable('v', [], initializer=tf.constant_initializer(1.5))
    w = tf.Variable(2.5, name='w')
    out['sum'] = v + w
    with tf.control_dependencies(None):
        out['free'] = tf.constant(0.0, name='free')
out['assign'] = tf.assign(v, 3.0)
out['add'] = tf.assign_add(v, 1.0)
out['sub'] = v.assign_sub(1.0)
out['init'] = v.initialized_value()
doubled = tf.Variable(v.initialized_value() * 2.0, name='doubled')
out['doubled'] = doubled.read_value()
out['group'] = tf.group(out['assign'], out['add'], name='both')
out['tuple'] = tf.tuple([out['sum'], a], name='tied')[0]
""",
    "scatters": """
out = {}
v = tf.get_variable('v', [4, 2], initializer=tf.ones_initializer())
i, u = tf.constant([0, 2]), tf.ones([2, 2])
out['update'] = tf.scatter_update(v, i, u)
out['add'] = tf.scatter_add(v, i, u, name='bump')
out['sub'] = tf.scatter_sub(v, i, u)
out['row'] = v[1]
out['count'] = tf.count_up_to(tf.get_variable('n', [], tf.int32, tf.zeros_initializer(),
                                              trainable=False), 3)
out['initialized'] = tf.is_variable_initialized(v)
out['report'] = tf.report_uninitialized_variables()
""",
    "classifier": """
out = {}

def network(images, reuse):
    with tf.variable_scope('classifier', reuse=reuse,
                           initializer=tf.glorot_uniform_initializer(seed=1)):
        hidden = images
        for number, units in enumerate([5, 3]):
            with tf.variable_scope('layer%d' % number):
                w = tf.get_variable('weights', [hidden.shape[1].value, units])
                b = tf.get_variable('biases', [units], initializer=tf.zeros_initializer())
                hidden = tf.nn.bias_add(tf.matmul(hidden, w), b)
                if number == 0:
                    hidden = tf.nn.relu(hidden)
        return hidden

images = tf.placeholder(tf.float32, [None, 4], name='images')
labels = tf.placeholder(tf.int64, [None], name='labels')
logits = network(images, None)
with tf.name_scope('loss'):
    each = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    out['loss'] = tf.reduce_mean(each)
with tf.name_scope('train'):
    step = tf.train.get_or_create_global_step()
    optimizer = tf.train.AdamOptimizer(0.01)
    pairs = optimizer.compute_gradients(out['loss'])
    clipped, out['norm'] = tf.clip_by_global_norm([g for g, _ in pairs], 5.0)
    out['train'] = optimizer.apply_gradients(
        [(g, v) for g, (_, v) in zip(clipped, pairs)], global_step=step)
evaluation = network(images, True)
with tf.name_scope('eval'):
    right = tf.equal(tf.argmax(evaluation, 1), labels)
    out['accuracy'] = tf.reduce_mean(tf.cast(right, tf.float32), name='accuracy')
out['init'] = tf.global_variables_initializer()
""",
}
