"""Programs about variable scopes and name scopes; each binds `tf` and fills a dict `out`."""

PROGRAMS = {
    "nested_scopes": """
out = {}
with tf.variable_scope('outer'):
    with tf.variable_scope('inner'):
        w = tf.get_variable('w', [2, 3], initializer=tf.constant_initializer(0.5))
        b = tf.get_variable('b', [3], initializer=tf.zeros_initializer())
        out['h'] = tf.nn.relu(tf.matmul(tf.ones([4, 2]), w) + b)
    with tf.variable_scope('inner2'):
        v = tf.get_variable('w', [3], initializer=tf.ones_initializer())
        out['y'] = out['h'] * v
    out['z'] = tf.reduce_sum(out['y'], name='total')
""",
    "slashes": """
out = {}
with tf.variable_scope('a/b'):
    v = tf.get_variable('c/d', [1], initializer=tf.zeros_initializer())
    out['v'] = v + 1.0
with tf.variable_scope('a'):
    with tf.variable_scope('b', reuse=True):
        out['same'] = tf.get_variable('c/d', [1]) + 2.0
with tf.variable_scope('a/'):
    out['w'] = tf.get_variable('w', [1], initializer=tf.zeros_initializer()) + 3.0
""",
    "reuse_true": """
out = {}

def layer(x):
    w = tf.get_variable('w', [2, 2], initializer=tf.constant_initializer(2.0))
    b = tf.get_variable('b', [2], initializer=tf.constant_initializer(0.5))
    return tf.matmul(x, w) + b

with tf.variable_scope('layer'):
    out['first'] = layer(tf.ones([1, 2]))
with tf.variable_scope('layer', reuse=True):
    out['second'] = layer(tf.zeros([1, 2]))
with tf.variable_scope('layer') as scope:
    scope.reuse_variables()
    out['third'] = layer(tf.ones([3, 2]))
""",
    "reuse_inherited": """
out = {}
with tf.variable_scope('root'):
    with tf.variable_scope('leaf'):
        tf.get_variable('v', [2], initializer=tf.ones_initializer())
with tf.variable_scope('root', reuse=True):
    with tf.variable_scope('leaf'):
        out['inherited'] = tf.get_variable('v', [2]) * 2.0
    with tf.variable_scope('leaf', reuse=False):
        out['still'] = tf.get_variable('v', [2]) * 3.0
""",
    "auto_reuse": """
out = {}

def dense(x, units, name):
    with tf.variable_scope(name, reuse=tf.AUTO_REUSE):
        w = tf.get_variable('kernel', [int(x.shape[1]), units],
                            initializer=tf.constant_initializer(0.25))
        return tf.tanh(tf.matmul(x, w), name='act')

x = tf.ones([2, 3])
out['a'] = dense(x, 4, 'dense')
out['b'] = dense(x, 4, 'dense')
out['c'] = dense(out['b'], 2, 'top')
""",
    "reopened_scope": """
out = {}
with tf.variable_scope('model') as scope:
    v = tf.get_variable('v', [1], initializer=tf.ones_initializer())
    out['first'] = tf.identity(v, name='read_it')
with tf.variable_scope(scope, reuse=True):
    v1 = tf.get_variable('v', [1])
    out['again'] = tf.identity(v1, name='read_it')
with tf.variable_scope('other'):
    with tf.variable_scope(scope):
        w = tf.get_variable('w', [1], initializer=tf.zeros_initializer())
        out['jumped'] = w + 1.0
    with tf.variable_scope(scope) as inner:
        out['names'] = tf.constant(inner.name + '|' + inner.original_name_scope)
with tf.variable_scope('model'):
    out['by_name'] = tf.constant(1.0)
    x = tf.get_variable('x', [1], initializer=tf.zeros_initializer())
""",
    "original_name_scope": """
out = {}
with tf.variable_scope('foo') as foo:
    out['one'] = tf.constant(1.0, name='c')
with tf.name_scope('ops'):
    with tf.variable_scope(foo):
        out['two'] = tf.constant(2.0, name='c')
        v = tf.get_variable('v', [], initializer=tf.zeros_initializer())
with tf.name_scope(foo.original_name_scope):
    out['three'] = tf.constant(3.0, name='c')
    out['four'] = v + 1.0
with tf.variable_scope('foo') as again:
    out['five'] = tf.constant(again.original_name_scope)
""",
    "root_scope": """
out = {}
root = tf.get_variable_scope()
with tf.variable_scope('deep'):
    with tf.variable_scope(root):
        v = tf.get_variable('v', [1], initializer=tf.zeros_initializer())
        out['c'] = tf.constant(1.0)
    w = tf.get_variable('w', [1], initializer=tf.zeros_initializer())
    out['d'] = tf.constant(2.0)
""",
    "default_names": """
out = {}

def cell(x):
    with tf.variable_scope(None, default_name='cell'):
        w = tf.get_variable('w', [2], initializer=tf.constant_initializer(3.0))
        return x * w

x = tf.ones([2])
out['a'] = cell(x)
out['b'] = cell(out['a'])
with tf.variable_scope('net'):
    out['c'] = cell(out['b'])
    out['d'] = cell(out['c'])
with tf.variable_scope('net', reuse=True):
    out['e'] = cell(x)
with tf.variable_scope('given', default_name='unused'):
    out['f'] = x * tf.get_variable('w', [2], initializer=tf.ones_initializer())
with tf.variable_scope('cell'):
    out['g'] = x * tf.get_variable('own', [2], initializer=tf.ones_initializer())
out['h'] = cell(x)
""",
    "name_and_variable_scopes": """
out = {}
with tf.name_scope('n1'):
    with tf.variable_scope('v1'):
        with tf.name_scope('n2'):
            a = tf.get_variable('a', [2], initializer=tf.ones_initializer())
            out['a'] = a + 1.0
            b = tf.Variable([1.0, 2.0], name='b')
            out['b'] = b * 2.0
    with tf.variable_scope('v1', reuse=True):
        with tf.name_scope('n2'):
            out['c'] = tf.get_variable('a', [2]) - 1.0
with tf.name_scope('n1'):
    out['d'] = tf.constant(0.0)
with tf.name_scope(None):
    out['e'] = tf.constant(0.0)
with tf.name_scope('n1/'):
    out['f'] = tf.constant(0.0)
with tf.name_scope('n3') as name:
    out['g'] = tf.add(1.0, 2.0, name=name)
with tf.name_scope(None, 'fallback', [out['g']]) as name:
    out['h'] = tf.negative(out['g'], name=name)
""",
    "variable_and_get_variable": """
out = {}
v0 = tf.Variable(1.0)
v1 = tf.Variable(2.0)
v2 = tf.Variable(3.0, name='weights')
v3 = tf.Variable(4.0, name='weights')
g0 = tf.get_variable('taken', initializer=5.0)
v4 = tf.Variable(6.0, name='taken')
with tf.variable_scope('scope'):
    v5 = tf.Variable(7.0, name='weights')
    g1 = tf.get_variable('weights', [], initializer=tf.constant_initializer(8.0))
    v6 = tf.Variable(lambda: tf.constant(9.0), name='lazy')
    v7 = tf.Variable(10, trainable=False, dtype=tf.int64)
with tf.variable_scope('scope', reuse=True):
    v8 = tf.Variable(11.0, name='weights')
    g2 = tf.get_variable('weights', [])
out['sum'] = tf.add_n([v0, v1, v2, v3, g0, v4, v5, g1, v6, v8, g2], name='all')
out['count'] = v7 + 1
""",
    "scope_properties": """
out = {}
half = tf.constant_initializer(0.5)
with tf.variable_scope('net', initializer=half, dtype=tf.float64) as scope:
    a = tf.get_variable('a', [2])
    with tf.variable_scope('sub'):
        b = tf.get_variable('b', [2])
        c = tf.get_variable('c', [2], initializer=tf.ones_initializer(), dtype=tf.float32)
    with tf.variable_scope('plain', initializer=tf.zeros_initializer(), dtype=tf.float32):
        d = tf.get_variable('d', [2])
    scope.set_initializer(tf.constant_initializer(2.5))
    e = tf.get_variable('e', [2])
with tf.variable_scope(scope):
    f = tf.get_variable('f', [2])
out['a'], out['b'], out['c'], out['d'] = a * 1, b * 1, c * 1, d * 1
out['e'], out['f'] = e * 1, f * 1
""",
    "regularizers": """
out = {}

def penalty(v):
    return tf.multiply(0.1, tf.nn.l2_loss(v), name='penalty')

with tf.variable_scope('net', regularizer=penalty):
    a = tf.get_variable('a', [2], initializer=tf.ones_initializer())
    with tf.variable_scope('sub'):
        b = tf.get_variable('b', [3], initializer=tf.ones_initializer())
    c = tf.get_variable('c', [3], initializer=tf.ones_initializer(),
                        regularizer=tf.no_regularizer)
    d = tf.get_variable('d', [1], initializer=tf.ones_initializer(),
                        regularizer=lambda v: tf.reduce_sum(tf.abs(v)))
    e = tf.get_variable('e', [1], initializer=tf.ones_initializer(), regularizer=lambda v: None)
with tf.variable_scope('net', reuse=True, regularizer=penalty):
    again = tf.get_variable('a', [2])
losses = tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)
out['total'] = tf.add_n(losses, name='total')
""",
    "collections": """
out = {}
a = tf.get_variable('a', [1], initializer=tf.zeros_initializer(), trainable=False)
b = tf.get_variable('b', [1], initializer=tf.zeros_initializer(), collections=['mine'])
c = tf.get_variable('c', [1], initializer=tf.zeros_initializer(),
                    collections=['mine', tf.GraphKeys.GLOBAL_VARIABLES])
d = tf.get_local_variable('d', [1], initializer=tf.ones_initializer())
e = tf.Variable(1.0, name='e', collections=[tf.GraphKeys.LOCAL_VARIABLES], trainable=False)
with tf.variable_scope('s'):
    f = tf.get_local_variable('f', [1], initializer=tf.ones_initializer())
    g = tf.get_variable('g', [1], initializer=tf.ones_initializer())
tf.add_to_collection(tf.GraphKeys.MODEL_VARIABLES, g)
out['in_s'] = tf.constant([v.op.name for v in tf.global_variables('s')])
out['sum'] = a + c + d + e + f + g
out['init'] = tf.global_variables_initializer()
out['init_local'] = tf.local_variables_initializer()
out['init_some'] = tf.variables_initializer([b], name='init_b')
""",
    "custom_getters": """
out = {}

def doubled(getter, name, *args, **kwargs):
    return tf.multiply(2.0, getter(name, *args, **kwargs), name='doubled')

def summed(getter, name, *args, **kwargs):
    first = getter(name + '_first', *args, **kwargs)
    second = getter(name + '_second', *args, **kwargs)
    return tf.add(first, second, name='summed')

ones = tf.ones_initializer()
with tf.variable_scope('one', custom_getter=doubled):
    out['a'] = tf.get_variable('a', [2], initializer=ones)
    with tf.variable_scope('two', custom_getter=summed):
        out['b'] = tf.get_variable('b', [2], initializer=ones)
with tf.variable_scope('one', reuse=True, custom_getter=summed):
    pass
with tf.variable_scope('call'):
    out['c'] = tf.get_variable('c', [2], initializer=ones, custom_getter=doubled)
with tf.variable_scope('one', reuse=True, custom_getter=doubled):
    out['again'] = tf.get_variable('a', [2])
""",
    "templates": """
out = {}

def affine(x, scale=1.0):
    w = tf.get_variable('w', [2], initializer=tf.constant_initializer(2.0))
    b = tf.Variable([0.5, 0.5], name='b', trainable=False)
    return tf.add(x * w * scale, b, name='result')

shared = tf.make_template('affine', affine)
x = tf.ones([2])
out['one'] = shared(x)
out['two'] = shared(x, scale=2.0)
other = tf.make_template('affine', affine, scale=3.0)
out['three'] = other(x)
with tf.variable_scope('inside'):
    early = tf.make_template('early', affine, create_scope_now_=True)
    late = tf.make_template('late', affine)
with tf.name_scope('names'):
    out['four'] = early(x)
    out['five'] = late(x)
with tf.variable_scope('elsewhere'):
    out['six'] = early(x)
    out['seven'] = late(x)
    unique = tf.make_template('unused', affine, unique_name_='unique')
    out['eight'] = unique(x)
out['scopes'] = tf.constant([shared.variable_scope.name, early.variable_scope.name])
""",
    "variable_op_scope": """
out = {}
x = tf.ones([2])
with tf.variable_scope('s', default_name='d', values=[x]):
    v = tf.get_variable('v', [2], initializer=tf.ones_initializer())
    out['y'] = x + v
with tf.variable_scope(None, 'd', [x]):
    v = tf.get_variable('v', [2], initializer=tf.ones_initializer())
    out['z'] = x - v
""",
    "entered_twice": """
out = {}
manager = tf.variable_scope('twice', reuse=tf.AUTO_REUSE)
with manager:
    v = tf.get_variable('v', [1], initializer=tf.zeros_initializer())
    out['a'] = v + 1.0
with manager:
    w = tf.get_variable('v', [1], initializer=tf.zeros_initializer())
    out['b'] = w + 2.0
""",
    "auxiliary_name_scope": """
out = {}
with tf.variable_scope('foo') as foo:
    out['a'] = tf.constant(1.0)
with tf.variable_scope(foo, auxiliary_name_scope=False) as again:
    v = tf.get_variable('v', [1], initializer=tf.zeros_initializer())
    out['b'] = tf.constant(2.0)
    with tf.name_scope(again.original_name_scope):
        out['c'] = tf.constant(3.0)
with tf.variable_scope('bar', auxiliary_name_scope=False):
    w = tf.get_variable('w', [1], initializer=tf.zeros_initializer())
    out['d'] = w + 1.0
""",
    "resource_variables": """
out = {}
with tf.variable_scope('net', use_resource=True):
    a = tf.get_variable('a', [2], initializer=tf.ones_initializer())
    with tf.variable_scope('sub'):
        b = tf.get_variable('b', [2], initializer=tf.constant_initializer(3.0))
    c = tf.get_variable('c', [2], initializer=tf.ones_initializer(), use_resource=False)
out['sum'] = a + b
out['read'] = a.read_value()
out['value'] = b.value()
out['plain'] = c + 1.0
out['set'] = tf.assign(a, [5.0, 6.0])
out['more'] = tf.assign_add(b, [1.0, 1.0])
with tf.variable_scope('net', reuse=True):
    out['again'] = tf.get_variable('a', [2]) * 2.0
""",
    "partitioned": """
out = {}
two = tf.fixed_size_partitioner(2)
with tf.variable_scope('emb', partitioner=two):
    table = tf.get_variable('table', [5, 2], initializer=tf.constant_initializer(1.5))
    wide = tf.get_variable('wide', [2, 4], initializer=tf.ones_initializer(),
                           partitioner=tf.fixed_size_partitioner(3, axis=1))
    whole = tf.get_variable('whole', [4], initializer=tf.ones_initializer(), partitioner=None)
out['tensor'] = tf.convert_to_tensor(table, name='as_one')
out['rows'] = tf.nn.embedding_lookup(table, [0, 3, 4], partition_strategy='div')
out['wide'] = wide * 1.0 if False else tf.convert_to_tensor(wide)
for number, part in enumerate(table):
    out['part%d' % number] = part + 1.0
with tf.variable_scope('emb', partitioner=two, reuse=True):
    again = tf.get_variable('table', [5, 2])
    out['again'] = tf.convert_to_tensor(again)
sliced = tf.get_variable('sliced', [6, 2], initializer=tf.zeros_initializer(),
                         partitioner=tf.variable_axis_size_partitioner(16))
few = tf.get_variable('few', [6, 2], initializer=tf.zeros_initializer(),
                      partitioner=tf.min_max_variable_partitioner(3, min_slice_size=16))
out['parts'] = tf.constant([len(list(sliced)), len(list(few))])
""",
    "create_partitioned": """
out = {}
pieces = tf.create_partitioned_variables([4, 3], [2, 1], tf.ones_initializer(), name='w')
out['n'] = tf.constant(len(pieces))
out['all'] = tf.concat(list(pieces), axis=0)
with tf.variable_scope('s'):
    more = tf.create_partitioned_variables([4], [3], tf.zeros_initializer())
    out['more'] = tf.concat(list(more), axis=0)
""",
    "caching_device": """
out = {}
with tf.variable_scope('near', caching_device='/cpu:0'):
    a = tf.get_variable('a', [2], initializer=tf.ones_initializer())
    out['use'] = a + 1.0
    out['value'] = a.value()
b = tf.get_variable('b', [2], initializer=tf.ones_initializer(),
                    caching_device=lambda op: '/device:CPU:0')
out['again'] = b * 2.0
""",
    "devices": """
out = {}
with tf.device('/cpu:0'):
    a = tf.get_variable('a', [1], initializer=tf.ones_initializer())
    out['a'] = a + 1.0
    with tf.device('/job:worker'):
        out['b'] = tf.constant(1.0)
    with tf.device(None):
        out['c'] = tf.constant(1.0)
with tf.device(lambda op: '/cpu:0' if op.type.startswith('Variable') else ''):
    b = tf.get_variable('b', [1], initializer=tf.ones_initializer())
    out['d'] = b + 1.0
with tf.colocate_with(b):
    out['e'] = tf.constant(2.0)
""",
}
