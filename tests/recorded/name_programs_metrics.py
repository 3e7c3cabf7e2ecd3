"""Programs with metrics; each fills a dict `out` with values and updates."""

HEAD = """
out = {}
labels = tf.constant([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]], name='labels')
guess = tf.constant([[0.9, 0.2, 0.4], [0.7, 0.6, 0.1]], name='guess')
hard = tf.constant([[1, 0, 0], [1, 1, 0]], name='hard')
rows = tf.constant([[1.0], [3.0]], name='rows')
classes = tf.constant([0, 1, 2, 2, 1, 0], name='classes')
found = tf.constant([0, 1, 2, 1, 1, 2], name='found')
scores = tf.constant([[0.1, 0.6, 0.3], [0.5, 0.2, 0.3]], name='scores')
several = tf.constant([[1, 2], [2, 2]], tf.int64, name='several')
places = [[0, 0], [0, 1], [0, 2], [1, 0]]
sparse = tf.SparseTensor(places, tf.constant([1, 1, 5, 2], tf.int64), [2, 3])

def keep(name, result):
    out[name], out[name + '_update'] = result

m = tf.metrics
"""
PROGRAMS = {
    "metrics/means": HEAD
    + """
keep('mean', m.mean(guess))
keep('mean_weighted', m.mean(guess, rows))
keep('mean_named', m.mean(guess, 2.0, name='average'))
keep('none', m.mean(guess, 0.0))
keep('tensor', m.mean_tensor(guess, rows))
keep('accuracy', m.accuracy(classes, found))
keep('accuracy_weighted', m.accuracy(labels, hard, rows))
keep('absolute', m.mean_absolute_error(labels, guess, rows))
keep('squared', m.mean_squared_error(labels, guess))
keep('root', m.root_mean_squared_error(labels, guess, rows))
keep('relative', m.mean_relative_error(labels, guess, tf.ones([2, 3]) * 0.5))
keep('cosine', m.mean_cosine_distance(labels, guess, 1))
keep('below', m.percentage_below(guess, 0.5, rows))
""",
    "metrics/counts": HEAD
    + """
for name in ('true_positives', 'false_positives', 'false_negatives', 'precision', 'recall'):
    keep(name, getattr(m, name)(labels, hard))
    keep(name + '_weighted', getattr(m, name)(labels, hard, rows))
keep('inside', m.precision(labels, hard, name='share'))
""",
    "metrics/thresholds": HEAD
    + """
t = [0.15, 0.5, 0.65]
for name in ('true_positives', 'false_positives', 'false_negatives', 'true_negatives',
             'precision', 'recall'):
    keep(name, getattr(m, name + '_at_thresholds')(labels, guess, t))
    keep(name + '_weighted', getattr(m, name + '_at_thresholds')(labels, guess, t, rows))
""",
    "metrics/curves": HEAD
    + """
for curve in ('ROC', 'PR'):
    for method in ('trapezoidal', 'minoring', 'majoring'):
        key = curve + '_' + method
        keep(key, m.auc(labels, guess, curve=curve, summation_method=method))
    keep(curve + '_weighted', m.auc(labels, guess, rows, num_thresholds=11, curve=curve))
keep('sensitivity', m.sensitivity_at_specificity(labels, guess, 0.6))
keep('specificity', m.specificity_at_sensitivity(labels, guess, 0.6, rows))
""",
    "metrics/classes": HEAD
    + """
keep('iou', m.mean_iou(classes, found, 3))
keep('iou_weighted', m.mean_iou(classes, found, 3, tf.constant([1.0, 2.0, 0.0, 1.0, 3.0, 1.0])))
keep('per_class', m.mean_per_class_accuracy(classes, found, 4))
""",
    "metrics/ranking": HEAD
    + """
keep('recall', m.recall_at_k(several, scores, 1))
keep('recall_2', m.recall_at_k(several, scores, 2, weights=[1.0, 3.0]))
keep('recall_class', m.recall_at_k(several, scores, 2, class_id=2))
keep('precision', m.sparse_precision_at_k(several, scores, 2))
keep('precision_class', m.sparse_precision_at_k(several, scores, 2, class_id=2, name='chosen'))
keep('average', m.sparse_average_precision_at_k(several, scores, 2))
keep('average_weighted', m.sparse_average_precision_at_k(several, scores, 3, [1.0, 3.0]))
""",
    "metrics/ranking of sparse labels": HEAD
    + """
keep('recall', m.recall_at_k(sparse, scores, 2))
keep('recall_class', m.recall_at_k(sparse, scores, 2, class_id=1))
keep('precision', m.sparse_precision_at_k(sparse, scores, 2))
keep('average', m.sparse_average_precision_at_k(sparse, scores, 2))
""",
    "metrics/ranking of given classes": HEAD
    + """
best = tf.constant([[1, 2], [0, 2]], tf.int64)
keep('recall', m.recall_at_top_k(sparse, best, 2))
keep('recall_dense', m.recall_at_top_k(several, best, weights=[1.0, 3.0]))
keep('precision', m.precision_at_top_k(sparse, best, 2))
keep('precision_class', m.precision_at_top_k(sparse, best, 2, class_id=1))
""",
    "metrics/collections": HEAD
    + """
keep('mean', m.mean(guess, None, ['values'], 'updates'))
keep('auc', m.auc(labels, guess, None, 5, 'values', ['updates', 'more']))
with tf.variable_scope('evaluation'):
    keep('inner', m.mean(guess))
    keep('again', m.mean(guess))
with tf.name_scope('names'):
    keep('named', m.recall_at_k(several, scores, 1))
""",
}
