"""Programs with losses; each fills a dict `out`."""

HEAD = """
out = {}
labels = tf.constant([[1.0, 0.0, 0.5], [0.0, 1.0, 0.25]], name='labels')
guess = tf.constant([[0.9, 0.2, 0.5], [0.3, 0.4, 0.75]], name='guess')
rows = tf.constant([[1.0], [3.0]], name='rows')
each = tf.constant([[0.0, 1.0, 2.0], [0.0, 0.0, 3.0]], name='each')
"""
REGRESSION = (
    ("absolute_difference", ""),
    ("mean_squared_error", ""),
    ("log_loss", ""),
    ("huber_loss", ", delta=0.3"),
    ("cosine_distance", ", dim=1"),
    ("hinge_loss", ""),
)
WEIGHTS = (("1.0", "unweighted"), ("2.5", "scalar"), ("rows", "rows"), ("each", "each"))


def _regression(name, extra):
    lines = [HEAD]
    for weights, label in WEIGHTS:
        if name == "cosine_distance" and label == "each":
            continue
        lines.append(
            f"out['{label}'] = tf.losses.{name}(labels, guess, weights={weights}{extra})\n"
        )
        lines.append(f"out['{label}_gradient'] = tf.gradients(out['{label}'], guess)[0] * 1.0\n")
    for reduction in ("NONE", "SUM", "MEAN"):
        lines.append(
            f"out['{reduction}'] = tf.losses.{name}(labels, guess, weights=rows{extra}, "
            f"reduction=tf.losses.Reduction.{reduction}, scope='named', loss_collection=None)\n"
        )
    lines.append(
        f"out['nothing'] = tf.losses.{name}(labels, guess, weights=0.0{extra}, "
        "loss_collection='mine')\n"
    )
    lines.append("out['total'] = tf.losses.get_total_loss()\n")
    return "".join(lines)


PROGRAMS = {f"losses/{name}": _regression(name, extra) for name, extra in REGRESSION}
PROGRAMS["losses/one"] = """
out = {}
x = tf.placeholder(tf.float32, [None, 3], name='x')
y = tf.placeholder(tf.float32, [None, 3], name='y')
out['loss'] = tf.losses.mean_squared_error(y, x)
out['named'] = tf.losses.absolute_difference(y, x, scope='distance')
with tf.name_scope('outer'):
    out['inner'] = tf.losses.log_loss(y, x)
"""
PROGRAMS["losses/pairwise"] = (
    HEAD
    + """
for weights, label in ((1.0, 'unweighted'), (2.5, 'scalar'), (rows, 'rows')):
    loss = tf.losses.mean_pairwise_squared_error(labels, guess, weights=weights)
    out[label] = loss
    out[label + '_gradient'] = tf.gradients(loss, guess)[0] * 1.0
"""
)
PROGRAMS["losses/cross_entropies"] = """
out = {}
logits = tf.constant([[1.0, -2.0, 0.5], [3.0, 10.0, -3.0]], name='logits')
onehot = tf.constant([[1, 0, 0], [0, 0, 1]], name='onehot')
classes = tf.constant([[0], [2]], name='classes')
for smoothing in (0, 0.1):
    for weights, label in ((1.0, 'unweighted'), (2.5, 'scalar'), ([1.0, 3.0], 'vector')):
        key = '%s_%s' % (label, smoothing)
        loss = tf.losses.softmax_cross_entropy(onehot, logits, weights, smoothing)
        out['softmax_' + key] = loss
        out['softmax_gradient_' + key] = tf.gradients(loss, logits)[0] * 1.0
        if label != 'vector':
            loss = tf.losses.sigmoid_cross_entropy(onehot, logits, weights, smoothing)
            out['sigmoid_' + key] = loss
            out['sigmoid_gradient_' + key] = tf.gradients(loss, logits)[0] * 1.0
for weights, label in ((1.0, 'unweighted'), (2.5, 'scalar'), ([[1.0], [3.0]], 'column')):
    out['sparse_' + label] = tf.losses.sparse_softmax_cross_entropy(classes, logits, weights)
    out['sparse_vector_' + label] = tf.losses.sparse_softmax_cross_entropy(
        tf.squeeze(classes), logits, weights, reduction='none')
"""
PROGRAMS["losses/collections"] = """
out = {}
tf.losses.add_loss(tf.constant(2.0, name='a'))
tf.losses.add_loss(tf.constant(3.0, name='b'), loss_collection='other')
with tf.variable_scope('scope', regularizer=tf.contrib.layers.l2_regularizer(0.5)):
    tf.get_variable('v', [2], initializer=tf.ones_initializer())
with tf.variable_scope('none'):
    tf.get_variable('v', [2], initializer=tf.ones_initializer())
out['regularization'] = tf.losses.get_regularization_loss()
out['in_scope'] = tf.losses.get_regularization_loss('none')
out['total'] = tf.losses.get_total_loss()
out['data'] = tf.losses.get_total_loss(False, name='data')
out['first'] = tf.losses.get_losses()[0]
out['other'] = tf.losses.get_losses(loss_collection='other')[0]
out['penalty'] = tf.losses.get_regularization_losses('scope')[0]
out['computed'] = tf.losses.compute_weighted_loss([1.0, 2.0], [1.0, 0.0])
out['matrix'] = tf.confusion_matrix([0, 1, 1, 2], [0, 1, 2, 2])
out['weighted_matrix'] = tf.confusion_matrix(
    tf.constant([0, 1, 1]), tf.constant([[0], [1], [0]]), num_classes=4, dtype=tf.float32,
    weights=tf.constant([0.5, 1.5, 2.0]))
"""
