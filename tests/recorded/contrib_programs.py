"""Programs on what TensorFlow 1.x gained after 1.4, and on contrib, as text.

`tf`, `np` and `run` are bound; each fills `out`.

Run by TensorFlow 1.15, hence no syntax newer than Python 3.6.
"""

PROGRAMS = {}

# Variables get numbers, since what initializers draw is recorded elsewhere.
PROGRAMS["layers/separable_conv1d"] = """
numbers = lambda shape, dtype=None, partition_info=None: tf.constant(
    np.cos(np.arange(np.prod(shape)).reshape(shape)).astype(np.float32))
x = tf.constant(np.sin(np.arange(42.0)).reshape(2, 7, 3).astype(np.float32))
kept = dict(
    depthwise_initializer=numbers, pointwise_initializer=numbers, bias_initializer=numbers)
y = {
    "plain": tf.layers.separable_conv1d(x, 4, 3, **kept),
    "strides": tf.layers.separable_conv1d(x, 4, 2, strides=2, padding="same", **kept),
    "dilated": tf.layers.SeparableConv1D(
        5, 3, dilation_rate=2, depth_multiplier=2, activation=tf.nn.relu, **kept)(x),
}
run(tf.global_variables_initializer())
out["grads"] = run(tf.gradients(list(y.values()), [x] + tf.trainable_variables()))
out["y"] = y
out["names"] = [v.op.name.encode() for v in tf.global_variables()]
"""

# What a distribution tells; samples under seeds, gradients of samples and of probabilities.
TELLING = """
d = tf.contrib.distributions
tf.set_random_seed(3)

usual = "mean variance stddev mode entropy covariance"

def tell(x, values, quantities=usual, functions="log_prob prob"):
    drawn = x.sample([2, 3], seed=7)
    found = {"sample": x.sample(seed=8), "samples": drawn, "log_prob of samples": x.log_prob(drawn)}
    for name in quantities.split():
        found[name] = getattr(x, name)()
    for name in functions.split():
        found[name] = getattr(x, name)(values)
    shapes = [x.batch_shape.as_list(), x.event_shape.as_list()]
    found["shapes"] = [np.array(shape, np.int32) for shape in shapes]
    found["shape tensors"] = [x.batch_shape_tensor(), x.event_shape_tensor()]
    return found

loc, deviations = tf.constant([[1.0, -1.0, 0.5], [0.0, 2.0, 4.0]]), tf.constant([1.0, 0.5, 2.0])
tril = tf.constant([[1.0, 9.0, 9.0], [0.5, 2.0, 9.0], [-1.0, 0.25, 0.5]])
x = tf.constant([[0.5, 0.25, -1.0], [2.0, -0.5, 1.0]])
"""

PROGRAMS["distributions/normal_diag"] = (
    TELLING
    + """
one = d.MultivariateNormalDiag(loc, deviations)
two = d.MultivariateNormalDiag(scale_diag=deviations, scale_identity_multiplier=2.0)
# TensorFlow 1.15 leaves the batch out of moments that do not depend on it.
some = "mean mode entropy"
out["one"] = tell(one, x, some)
out["two"] = tell(two, x)
out["multiplier"] = tell(d.MultivariateNormalDiag(loc, scale_identity_multiplier=[1.0, 3.0]), x)
out["softplus"] = tell(d.MultivariateNormalDiagWithSoftplusScale(loc, deviations), x, some)
out["kl"] = [d.kl_divergence(one, two), d.kl_divergence(two, one)]
out["cross"] = one.cross_entropy(two)
out["grads"] = run(tf.gradients(
    [one.sample(4, seed=3), one.log_prob(x), d.kl_divergence(one, two)], [loc, deviations]))
"""
)

PROGRAMS["distributions/normal_full"] = (
    TELLING
    + """
one = d.MultivariateNormalTriL(loc, tril)
covariance = tf.constant([[4.0, 1.0, 0.0], [1.0, 3.0, 0.5], [0.0, 0.5, 2.0]])
two = d.MultivariateNormalFullCovariance(covariance_matrix=covariance)
low = d.MultivariateNormalDiagPlusLowRank(
    loc, deviations, scale_perturb_factor=tf.constant([[1.0], [0.5], [0.0]]),
    scale_perturb_diag=tf.constant([2.0]))
batch = d.MultivariateNormalTriL(loc, tf.stack([tril, 2.0 * tril]))
# TensorFlow 1.15 leaves the batch out of moments that do not depend on it.
some = "mean mode entropy"
out["one"] = tell(one, x, some)
out["two"] = tell(two, x)
out["low"] = tell(low, x, some)
out["batch"] = tell(batch, x)
out["kl"] = [d.kl_divergence(one, two), d.kl_divergence(two, one), d.kl_divergence(low, batch)]
out["grads"] = run(tf.gradients([one.sample(4, seed=3), one.log_prob(x)], [loc, tril]))
"""
)

PROGRAMS["distributions/one_hot"] = (
    TELLING
    + """
logits = tf.constant([[1.0, -2.0, 0.5], [3.0, 3.0, 0.0]])
some = "mean variance stddev mode entropy"
out["logits"] = tell(
    d.OneHotCategorical(logits=logits), [[0, 0, 1], [1, 0, 0]], "mode entropy", "prob")
out["probs"] = tell(
    d.OneHotCategorical(probs=[0.1, 0.2, 0.7], dtype=tf.float32), [1.0, 0.0, 0.0], "mode entropy")
out["kl"] = d.kl_divergence(
    d.OneHotCategorical(logits=logits), d.OneHotCategorical(probs=[0.1, 0.2, 0.7]))
shares = tf.constant([[0.25, 0.25, 0.5], [0.125, 0.75, 0.125]])
relaxed = d.RelaxedOneHotCategorical(0.5, logits=logits)
out["relaxed"] = tell(relaxed, shares, "")
out["logarithms"] = tell(
    d.ExpRelaxedOneHotCategorical(0.5, probs=[0.1, 0.2, 0.7]), tf.log(shares), "")
out["bernoulli"] = tell(d.RelaxedBernoulli(0.5, probs=[0.25, 0.5]), [0.25, 0.5], "")
out["grads"] = run(tf.gradients([relaxed.sample(4, seed=3), relaxed.log_prob(shares)], logits))
"""
)

PROGRAMS["distributions/numbers"] = (
    TELLING
    + """
all_functions = "log_prob prob log_cdf cdf log_survival_function survival_function"
some = "mean variance stddev mode entropy"
counts = tf.constant([[0.0], [1.0], [2.0], [5.0]])
values = tf.constant([[-3.0], [-0.5], [0.0], [1.5], [8.0]])
out["logistic"] = tell(d.Logistic([0.0, 1.0], [1.0, 2.5]), values, some, all_functions)
out["cauchy"] = tell(d.Cauchy([0.0, 1.0], [1.0, 2.5]), values, "mode entropy", all_functions)
out["half_normal"] = tell(
    d.HalfNormal([1.0, 2.5]), tf.abs(values), some, "log_prob prob log_cdf cdf")
out["inverse_gamma"] = tell(
    d.InverseGamma([3.0, 4.5], [1.0, 2.5]), [[0.25], [1.0], [4.0]], some, all_functions)
out["chi2"] = tell(d.Chi2([3.0, 4.5]), [[0.25], [1.0], [4.0]], some, "log_prob cdf")
out["poisson"] = tell(
    d.Poisson([0.5, 4.25]), counts, "mean variance stddev mode", "log_prob prob log_cdf cdf")
out["poisson/log"] = tell(
    d.Poisson(log_rate=[0.5, 1.25]), counts, "mean variance stddev mode", "log_prob prob")
out["geometric"] = tell(
    d.Geometric(probs=[0.25, 0.75]), counts, "mean variance mode entropy", "log_prob prob cdf")
out["negative_binomial"] = tell(
    d.NegativeBinomial([2.0, 5.0], logits=[0.5, -1.0]), counts, "mean variance mode",
    "log_prob prob")
binomial = d.Binomial([6.0, 5.0], probs=[0.25, 0.75])
out["binomial"] = [binomial.log_prob(counts), binomial.prob(counts), binomial.mean(),
                   binomial.variance(), binomial.mode()]
out["deterministic"] = tell(d.Deterministic([0.0, 1.5]), values, "mean variance mode", "prob cdf")
out["vector"] = tell(d.VectorDeterministic([0.0, 1.5]), [[0.0, 1.5], [0.0, 1.0]],
                     "mean variance mode", "prob")
out["normal_softplus"] = tell(
    d.NormalWithSoftplusScale([0.0, 1.0], [-1.0, 2.0]), values, "mean stddev")
out["gamma_softplus"] = tell(
    d.GammaWithSoftplusConcentrationRate([0.0, 1.0], [-1.0, 2.0]), [[0.5], [1.5]], "mean stddev")
quantized = d.QuantizedDistribution(d.Normal([0.0, 3.0], [1.0, 2.5]), low=-2.0, high=5.0)
whole = tf.constant([[-2.0], [-1.0], [0.0], [3.0], [5.0]])
out["quantized"] = tell(quantized, whole, "", all_functions)
open_ended = d.QuantizedDistribution(d.Normal([0.0, 3.0], [1.0, 2.5]))
out["open"] = tell(open_ended, whole, "", "log_prob prob")
"""
)

PROGRAMS["distributions/mixtures"] = (
    TELLING
    + """
cat = d.Categorical(probs=[0.25, 0.75])
parts = [d.Normal(0.0, 1.0), d.Normal(4.0, 2.0)]
values = tf.constant([-1.0, 0.5, 3.0])
functions = "log_prob prob log_cdf cdf"
out["mixture"] = tell(d.Mixture(cat, parts), values, "mean", functions)
out["static"] = tell(
    d.Mixture(cat, parts, use_static_graph=True), values, "mean", functions)
batch = d.Mixture(
    d.Categorical(probs=[[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]]),
    [d.MultivariateNormalDiag(loc + i, deviations) for i in (0.0, 1.0, 5.0)])
out["batch"] = tell(batch, x, "mean", "log_prob")
out["bound"] = batch.entropy_lower_bound()
family = d.MixtureSameFamily(
    d.Categorical(probs=[0.5, 0.5]), d.MultivariateNormalDiag(loc, deviations))
out["family"] = [family.log_prob(x), family.mean(), family.variance(), family.covariance()]
same = d.MixtureSameFamily(d.Categorical(probs=[0.25, 0.75]), d.Normal([0.0, 4.0], [1.0, 2.0]))
out["numbers"] = [same.log_prob(values), same.cdf(values), same.mean(), same.stddev()]
alone = d.Independent(d.Normal(loc, deviations), 1)
out["independent"] = tell(alone, x, "mean variance stddev mode entropy")
all_but_one = d.Independent(d.Normal(tf.zeros([2, 3, 4]), tf.ones([2, 3, 4])))
out["all"] = tell(all_but_one, tf.ones([3, 4]), "entropy")
out["kl"] = d.kl_divergence(alone, d.Independent(d.Normal(tf.zeros([2, 3]), 1.0), 1))
"""
)

PROGRAMS["distributions/bijectors"] = (
    TELLING
    + """
b = d.bijectors
positive = tf.constant([[0.25, 0.5, 0.125], [0.75, 0.0625, 0.5]])
every = {
    "exp": b.Exp(), "softplus": b.Softplus(), "hinge": b.Softplus(hinge_softness=0.5),
    "sigmoid": b.Sigmoid(), "softsign": b.Softsign(), "square": b.Square(),
    "power": b.PowerTransform(power=0.5), "power/0": b.PowerTransform(),
    "scalar": b.AffineScalar(shift=1.0, scale=[2.0, -0.5, 1.5]), "shift": b.AffineScalar(shift=1.0),
    "invert": b.Invert(b.Exp()),
    "chain": b.Chain([b.Softplus(), b.AffineScalar(scale=0.5), b.Exp()]),
}
for name, each in every.items():
    y = each.forward(positive)
    inside = positive if name != "chain" else positive + 1.0
    out[name] = [
        y, each.inverse(inside),
        each.forward_log_det_jacobian(positive, event_ndims=0),
        each.forward_log_det_jacobian(positive, event_ndims=1),
        each.inverse_log_det_jacobian(inside, 1),
        each.inverse_log_det_jacobian(inside, event_ndims=2),
    ]
ones = tf.constant([0.5, 2.0, 1.0])
vectors = {
    "affine": b.Affine(ones, scale_diag=deviations),
    "tril": b.Affine(ones, scale_tril=tril),
    "identity": b.Affine(ones, scale_identity_multiplier=3.0),
    "sum": b.Affine(ones, 0.5, deviations, tril),
    "perturbed": b.Affine(
        ones, scale_diag=deviations, scale_perturb_factor=tf.constant([[1.0], [0.5], [0.0]])),
    "nothing": b.Affine(),
    "permute": b.Permute([2, 0, 1]),
    "chain of vectors": b.Chain([b.Exp(), b.Affine(ones, scale_tril=tril)]),
}
for name, each in vectors.items():
    y = each.forward(positive)
    out[name] = [
        y, each.inverse(y + 1.0),
        each.forward_log_det_jacobian(positive, event_ndims=1) + tf.zeros([2]),
        each.inverse_log_det_jacobian(y + 1.0, event_ndims=1) + tf.zeros([2]),
    ]
shares = tf.constant([[0.25, 0.25, 0.5], [0.125, 0.75, 0.125]])
softmax = b.SoftmaxCentered()
out["softmax"] = [
    softmax.forward(positive), softmax.inverse(shares),
    softmax.forward_log_det_jacobian(positive, event_ndims=1),
    softmax.inverse_log_det_jacobian(shares, event_ndims=1),
    np.array(softmax.forward_event_shape([3]).as_list()),
    softmax.inverse_event_shape_tensor([3]),
]
out["softplus_inverse"] = d.softplus_inverse([1e-6, 0.5, 3.0, 90.0])
"""
)

PROGRAMS["distributions/transformed"] = (
    TELLING
    + """
b = d.bijectors
values = tf.constant([0.25, 1.0, 3.0])
functions = "log_prob prob log_cdf cdf log_survival_function survival_function"
log_normal = d.TransformedDistribution(d.Normal(0.5, 2.0), b.Exp(), name="LogNormalTransformed")
out["log_normal"] = tell(log_normal, values, "", functions)
affine = d.TransformedDistribution(
    d.Normal(0.0, 1.0), b.Affine(tf.constant([0.5, 2.0, 1.0]), scale_tril=tril), event_shape=[3])
out["affine"] = tell(affine, x, "entropy")
batch = d.TransformedDistribution(
    d.Normal(0.0, 1.0), b.Affine(loc, scale_tril=tril), batch_shape=[2], event_shape=[3])
out["batch"] = tell(batch, x, "entropy")
rotated = d.TransformedDistribution(
    d.Normal([0.0, 1.0], 1.0), b.Affine(scale_tril=tril), event_shape=[3])
out["rotated"] = tell(rotated, x, "entropy")
squashed = d.TransformedDistribution(d.MultivariateNormalDiag(loc, deviations), b.Sigmoid())
out["squashed"] = tell(squashed, tf.constant([[0.5, 0.25, 0.75], [0.125, 0.5, 0.25]]), "")
out["grads"] = run(tf.gradients([squashed.sample(2, seed=3)], [loc, deviations]))
"""
)

PROGRAMS["image/projected"] = """
i = tf.contrib.image
x = tf.constant(np.sin(np.arange(2 * 6 * 5 * 2)).reshape(2, 6, 5, 2).astype(np.float32))
whole = tf.constant(np.arange(30).reshape(6, 5), tf.uint8)
skew = [1.0, 0.25, -1.0, 0.125, 0.75, 0.5, 0.03125, -0.0625]
for kind in ("NEAREST", "BILINEAR"):
    out["rotate " + kind] = [
        i.rotate(x, [0.3, -1.25], kind), i.rotate(whole, 0.7, kind), i.rotate(x[0], 2.0, kind)]
    out["translate " + kind] = [
        i.translate(x, [1.25, -0.75], kind), i.translate(x, [[1.0, 0.0], [-2.5, 1.0]], kind)]
    out["transform " + kind] = [i.transform(x, skew, kind), i.transform(x[0], skew, kind)]
out["angles"] = i.angles_to_projective_transforms([0.3, -1.25], 6, 5)
out["moves"] = i.translations_to_projective_transforms([[1.0, 2.0], [0.5, -1.0]])
out["matrices"] = i.flat_transforms_to_matrices(skew)
out["flat"] = i.matrices_to_flat_transforms([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 2.0]])
out["composed"] = i.compose_transforms(skew, i.angles_to_projective_transforms(0.3, 6, 5))
"""

PROGRAMS["image/similarity"] = """
x = np.sin(np.arange(2 * 40 * 38 * 3) * 0.7).reshape(2, 40, 38, 3).astype(np.float32) * 0.5 + 0.5
y = np.clip(x + 0.25 * np.cos(np.arange(x.size)).reshape(x.shape), 0.0, 1.0).astype(np.float32)
a, b = tf.constant(x), tf.constant(y)
bytes1, bytes2 = tf.constant((x * 255).astype(np.uint8)), tf.constant((y * 255).astype(np.uint8))
out["psnr"] = [tf.image.psnr(a, b, 1.0), tf.image.psnr(bytes1, bytes2, 255)]
out["ssim"] = [
    tf.image.ssim(a, b, 1.0), tf.image.ssim(bytes1, bytes2, 255), tf.image.ssim(a, b[:1], 1.0)]
weights = [0.2, 0.5, 0.3]
out["scales"] = [
    tf.image.ssim_multiscale(a, b, 1.0, weights[:2]),
    tf.image.ssim_multiscale(bytes1[0, :, :37], bytes2[0, :, :37], 255, weights[:2])]
out["grads"] = run(tf.gradients([tf.image.ssim(a, b, 1.0), tf.image.psnr(a, b, 1.0)], [a, b]))
"""

PROGRAMS["signal"] = """
s = tf.contrib.signal
x = tf.constant(np.sin(np.arange(100) * 0.3).reshape(2, 50).astype(np.float32))
out["frame"] = [
    s.frame(x, 8, 3), s.frame(x, 8, 3, pad_end=True, pad_value=7), s.frame(x, 60, 3),
    s.frame(tf.range(24), 5, 5, pad_end=True),
    s.frame(tf.reshape(tf.range(24), [8, 3]), 3, 2, axis=0)]
frames = s.frame(x, 8, 3)
out["added"] = [s.overlap_and_add(frames, 3), s.overlap_and_add(frames, 8)]
out["windows"] = [f(n, p) for f in (s.hann_window, s.hamming_window)
                  for n in (1, 2, 7, 8) for p in (False, True)]
out["float64"] = s.hann_window(6, dtype=tf.float64)
out["stft"] = [
    s.stft(x, 16, 4), s.stft(x, 12, 6, fft_length=20, window_fn=s.hamming_window, pad_end=True),
    s.stft(x, 12, 5, window_fn=None)]
window = s.inverse_stft_window_fn(4)
out["inverse window"] = [window(16, tf.float32), s.inverse_stft_window_fn(5)(12, tf.float32)]
back = s.inverse_stft(s.stft(x, 16, 4), 16, 4, window_fn=window)
out["inverse"] = [back, s.inverse_stft(s.stft(x, 12, 5), 12, 5, window_fn=None),
                  s.inverse_stft(s.stft(x, 12, 5, fft_length=8), 12, 5, fft_length=8)]
out["mel"] = [s.linear_to_mel_weight_matrix(),
              s.linear_to_mel_weight_matrix(10, 65, 16000, 20.0, 8000.0)]
bands = tf.tensordot(tf.abs(s.stft(x, 32, 8)), s.linear_to_mel_weight_matrix(8, 17), 1)
logs = tf.log(bands + 1e-3)
out["mfccs"] = s.mfccs_from_log_mel_spectrograms(logs)
out["grads"] = run(tf.gradients([tf.abs(s.stft(x, 16, 4)) + 1.0, back, out["added"][0] ** 2], x))
"""

PROGRAMS["math/zero_products"] = """
x, y = tf.constant([0.0, 0.0, 2.0, -1.5]), tf.constant([0.0, 3.0, 0.5, 2.0])
for name in ("xlogy", "xdivy"):
    z = getattr(getattr(tf, "math", tf), name)(x, y)
    out[name] = [z] + run(tf.gradients(z, [x, y]))
"""
