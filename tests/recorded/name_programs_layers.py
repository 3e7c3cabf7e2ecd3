"""Programs with layers; each fills a dict `out`."""

PROGRAMS = {
    "layers/dense": """
out = {}
x = tf.constant([[1.0, -2.0, 0.5]], name='x')
ones = tf.ones_initializer()
out['first'] = tf.layers.dense(x, 2, kernel_initializer=ones)
out['second'] = tf.layers.dense(x, 2, activation=tf.nn.relu, kernel_initializer=ones)
out['named'] = tf.layers.dense(x, 2, activation=tf.tanh, kernel_initializer=ones, name='named')
out['again'] = tf.layers.dense(x, 2, name='named', reuse=True)
out['plain'] = tf.layers.dense(x, 2, use_bias=False, kernel_initializer=ones)
""",
    "layers/dense_scopes": """
out = {}
x = tf.placeholder(tf.float32, [None, 3], name='x')
with tf.variable_scope('tower'):
    out['a'] = tf.layers.dense(x, 4)
    out['b'] = tf.layers.dense(out['a'], 4, name='top')
with tf.variable_scope('tower', reuse=True):
    out['c'] = tf.layers.dense(x, 4)
    out['d'] = tf.layers.dense(out['c'], 4, name='top')
with tf.name_scope('outer'):
    out['e'] = tf.layers.dense(x, 4)
with tf.variable_scope('other', initializer=tf.ones_initializer()):
    with tf.name_scope('deep'):
        out['f'] = tf.layers.dense(x, 2, bias_initializer=tf.ones_initializer(), name='g/h')
out['frozen'] = tf.layers.dense(x, 2, trainable=False)
""",
    "layers/dense_objects": """
out = {}
x = tf.placeholder(tf.float32, [None, 3], name='x')
one = tf.layers.Dense(3)
two = tf.layers.Dense(3, name='two')
out['one_x'] = one(x)
out['two_x'] = two(x)
out['one_one_x'] = one(out['one_x'])
with tf.variable_scope('inside'):
    out['two_again'] = two(x)
    three = tf.layers.Dense(3, activation=tf.sigmoid)
    out['three'] = three(x)
out['one_kernel'] = one.kernel
out['two_bias'] = two.bias
with tf.variable_scope('late') as scope:
    late = tf.layers.Dense(2, _scope=scope)
out['late'] = late(x)
""",
    "layers/dense_losses": """
out = {}
x = tf.constant([[1.0, -2.0, 0.5]], name='x')
l2 = tf.contrib.layers.l2_regularizer(0.5)
ones = tf.ones_initializer()
out['y'] = tf.layers.dense(x, 2, kernel_initializer=ones, kernel_regularizer=l2)
out['z'] = tf.layers.dense(x, 2, kernel_initializer=ones, kernel_regularizer=l2,
                           bias_regularizer=l2, activity_regularizer=l2, name='z')
out['again'] = tf.layers.dense(x, 2, kernel_regularizer=l2, name='z', reuse=True)
for number, loss in enumerate(tf.losses.get_regularization_losses()):
    out['loss_%d' % number] = loss
out['total'] = tf.losses.get_regularization_loss()
with tf.variable_scope('regular', regularizer=l2):
    out['in_scope'] = tf.layers.dense(x, 2, kernel_initializer=ones)
""",
    "layers/dense_ranks": """
out = {}
x = tf.placeholder(tf.float32, [None, 5, 3], name='x')
out['cube'] = tf.layers.dense(x, 2, name='cube')
out['half'] = tf.layers.dense(tf.placeholder(tf.float64, [4, 3]), 2)
""",
    "layers/dense_partitioned": """
out = {}
x = tf.placeholder(tf.float32, [None, 4], name='x')
with tf.variable_scope('parts', partitioner=tf.fixed_size_partitioner(2)):
    out['y'] = tf.layers.dense(x, 6, kernel_regularizer=tf.contrib.layers.l2_regularizer(0.1))
""",
    "layers/dropout_and_flatten": """
out = {}
x = tf.constant([[[1.0, 2.0], [3.0, 4.0]]], name='x')
out['off'] = tf.layers.dropout(x)
out['on'] = tf.layers.dropout(x, 0.25, seed=1, training=True)
out['named'] = tf.layers.dropout(x, name='drop')
out['flat'] = tf.layers.flatten(x)
out['flat_named'] = tf.layers.flatten(x, name='rows')
out['flat_unknown'] = tf.layers.flatten(tf.placeholder(tf.float32, [None, 3, 2]))
""",
    "layers/connected": """
out = {}
x = tf.layers.Input([3], name='pixels')
y = tf.layers.Input([3])
hidden = tf.layers.Dense(4)
out['hidden_x'] = hidden(x)
out['hidden_y'] = hidden(y)
drop = tf.layers.Dropout()
out['dropped'] = drop(out['hidden_x'])
out['input'] = hidden.get_input_at(1)
out['output'] = hidden.get_output_at(0)
out['only'] = drop.input
layer = tf.layers.Layer()
out['same'] = layer(x)
""",
    "layers/conv": """
out = {}
ones = tf.ones_initializer()
x1 = tf.constant([[[1.0], [2.0], [4.0], [8.0], [3.0]]], name='x1')
x2 = tf.reshape(tf.range(50.0), [1, 5, 5, 2], name='x2')
x3 = tf.reshape(tf.range(27.0), [1, 3, 3, 3, 1], name='x3')
out['one'] = tf.layers.conv1d(x1, 2, 3, kernel_initializer=ones)
out['one_same'] = tf.layers.conv1d(x1, 2, 3, 2, 'same', kernel_initializer=ones, use_bias=False)
out['two'] = tf.layers.conv2d(x2, 3, 3, kernel_initializer=ones)
out['two_relu'] = tf.layers.conv2d(x2, 3, [3, 2], (2, 1), 'same', activation=tf.nn.relu,
                                   kernel_initializer=ones, name='relu')
out['two_plain'] = tf.layers.conv2d(x2, 1, 3, kernel_initializer=ones, use_bias=False)
out['two_again'] = tf.layers.conv2d(x2, 3, [3, 2], name='relu', reuse=True)
out['dilated'] = tf.layers.conv2d(x2, 1, 2, dilation_rate=2, kernel_initializer=ones)
out['three'] = tf.layers.conv3d(x3, 2, 2, kernel_initializer=ones)
out['separable'] = tf.layers.separable_conv2d(
    x2, 3, 2, depth_multiplier=2, depthwise_initializer=ones, pointwise_initializer=ones)
out['transposed'] = tf.layers.conv2d_transpose(x2, 3, 2, 2, kernel_initializer=ones)
out['transposed_same'] = tf.layers.conv2d_transpose(x2, 3, 3, 2, 'same', kernel_initializer=ones)
out['transposed_three'] = tf.layers.conv3d_transpose(x3, 2, 2, 2, kernel_initializer=ones)
""",
    "layers/conv_unknown": """
out = {}
x = tf.placeholder(tf.float32, [None, None, None, 3], name='x')
l2 = tf.contrib.layers.l2_regularizer(0.1)
with tf.variable_scope('tower', reuse=tf.AUTO_REUSE):
    for number in range(2):
        y = tf.layers.conv2d(x, 4, 5, padding='same', activation=tf.nn.relu, name='c1',
                             kernel_regularizer=l2)
        out['pool_%d' % number] = tf.layers.max_pooling2d(y, 2, 2)
        out['y_%d' % number] = tf.layers.conv2d_transpose(y, 2, 3, 2, 'same', name='up')
""",
    "layers/pooling": """
out = {}
x1 = tf.reshape(tf.range(10.0), [1, 5, 2])
x2 = tf.reshape(tf.range(50.0), [1, 5, 5, 2])
x3 = tf.reshape(tf.range(64.0), [1, 4, 4, 4, 1])
for kind in ('max', 'average'):
    for number, x in enumerate([x1, x2, x3]):
        pool = getattr(tf.layers, '%s_pooling%dd' % (kind, number + 1))
        out['%s_%d' % (kind, number)] = pool(x, 2, 2)
        out['%s_%d_same' % (kind, number)] = pool(x, 3, 2, 'same', name='pool')
""",
    "layers/batch_normalization": """
out = {}
x = tf.reshape(tf.range(24.0), [2, 3, 2, 2], name='x')
rows = tf.constant([[1.0, 2.0], [3.0, 5.0], [-1.0, 0.0]], name='rows')
b = tf.layers.batch_normalization
for training in (False, True):
    out['fused_%s' % training] = b(x, training=training)
    out['plain_%s' % training] = b(x, training=training, fused=False)
    out['rows_%s' % training] = b(rows, training=training, momentum=0.9)
    out['bare_%s' % training] = b(rows, training=training, center=False, scale=False)
    out['axis_%s' % training] = b(x, 1, training=training, fused=False, epsilon=0.1)
    out['renorm_%s' % training] = b(
        rows, training=training, renorm=True, name='renorm_%s' % training,
        renorm_clipping={'rmax': 1.1, 'rmin': 0.9, 'dmax': 0.1})
for number, update in enumerate(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
    out['update_%d' % number] = update
with tf.variable_scope('again', reuse=tf.AUTO_REUSE):
    out['first'] = b(rows, training=True, name='norm')
    out['second'] = b(rows, training=False, name='norm')
""",
    "layers/objects": """
out = {}
x = tf.constant([[[[0.5 * i - j] * 2 for j in range(4)] for i in range(4)]], tf.float32, name='x')
ones = tf.ones_initializer()
kinds = [
    ('conv', x, tf.layers.Conv2D(3, 2, kernel_initializer=ones)),
    ('line', x[0], tf.layers.Conv1D(3, 2, kernel_initializer=ones)),
    ('volume', x[:, None], tf.layers.Conv3D(3, [1, 2, 2], kernel_initializer=ones)),
    ('transposed', x, tf.layers.Conv2DTranspose(3, 2, 2, kernel_initializer=ones)),
    ('separable', x, tf.layers.SeparableConv2D(
        3, 2, depthwise_initializer=ones, pointwise_initializer=ones)),
    ('average_1', x[0], tf.layers.AveragePooling1D(2, 2)),
    ('average_2', x, tf.layers.AveragePooling2D(2, 1, 'same')),
    ('average_3', x[:, None], tf.layers.AveragePooling3D([1, 2, 2], 1)),
    ('most_1', x[0], tf.layers.MaxPooling1D(3, 1, 'same')),
    ('most_2', x, tf.layers.MaxPooling2D([2, 3], 1)),
    ('most_3', x[:, None], tf.layers.MaxPooling3D([1, 2, 2], [1, 2, 1])),
    ('flat', x, tf.layers.Flatten()),
    ('dropped', x, tf.layers.Dropout(0.5)),
    ('norm', x, tf.layers.BatchNormalization(fused=False)),
]
for name, given, layer in kinds:
    out[name] = layer(given)
    out[name + '_again'] = layer.apply(given)
out['volumes'] = tf.layers.Conv3DTranspose(3, 2, kernel_initializer=ones)(x[:, None])
""",
    "layers/with_space_to_batch": """
out = {}
x = tf.constant([[[[0.5 * i - j * j] for j in range(6)] for i in range(5)]], tf.float32, name='x')
filters = tf.constant([[[[1.0]], [[-0.5]]], [[[2.0]], [[0.25]]]])
def op(given, spatial, padding):
    return tf.nn.conv2d(given, filters, [1, 1, 1, 1], padding)
out['valid'] = tf.nn.with_space_to_batch(x, [2, 3], 'VALID', op)
out['same'] = tf.nn.with_space_to_batch(x, [2, 1], 'SAME', op, filter_shape=[2, 2])
out['dense'] = tf.nn.with_space_to_batch(x, [1, 1], 'VALID', op)
""",
}
