"""Cases of the nn ops: (id, public name, args, kwargs)."""

import numpy as np
from op_cases_math import FLOATS, GENERAL, SPECIAL

LOGITS = np.array([[1.0, -2.0, 0.5], [30.0, 10.0, -30.0], [0.0, 0.0, 0.0], [-1000.0, 5.0, 1000.0]])
PLAIN = LOGITS[:3]


def activations():
    """Elementwise activations."""
    names = [
        "relu",
        "relu6",
        "elu",
        "selu",
        "leaky_relu",
        "softplus",
        "softsign",
        "tanh",
        "sigmoid",
        "crelu",
        "swish",
    ]
    around_six = np.array([[-1.0, 0.0, 3.0], [6.0, 5.5, 7.0], [1e-3, -1e-3, 20.0]])
    for dtype in FLOATS:
        for name in names:
            yield f"nn.{name}/{dtype}", f"nn.{name}", [GENERAL.astype(dtype)], {}
            yield f"nn.{name}/{dtype}/special", f"nn.{name}", [SPECIAL.astype(dtype)], {}
            yield f"nn.{name}/{dtype}/six", f"nn.{name}", [around_six.astype(dtype)], {}
        kwargs = {"alpha": 0.05}
        yield f"nn.leaky_relu/{dtype}/alpha", "nn.leaky_relu", [GENERAL.astype(dtype)], kwargs
    yield "nn.relu/int32", "nn.relu", [np.array([-2, 0, 3], np.int32)], {}
    yield "nn.relu6/int32", "nn.relu6", [np.array([-2, 4, 9], np.int32)], {}


def softmaxes():
    """softmax and the cross entropies."""
    for dtype in FLOATS:
        logits, plain = LOGITS.astype(dtype), PLAIN.astype(dtype)
        cube = np.linspace(-2, 2, 24).reshape(2, 3, 4).astype(dtype)
        odd = np.array([[np.nan, 1.0], [np.inf, 1.0], [-np.inf, 1.0], [-np.inf, -np.inf]], dtype)
        for name in ("nn.softmax", "nn.log_softmax"):
            yield f"{name}/{dtype}", name, [logits], {}
            yield f"{name}/{dtype}/vector", name, [plain[0]], {}
            yield f"{name}/{dtype}/cube", name, [cube], {}
            yield f"{name}/{dtype}/dim", name, [cube], {"dim": 1}
            yield f"{name}/{dtype}/axis", name, [cube], {"axis": 0}
            yield f"{name}/{dtype}/special", name, [odd], {}
        soft = np.array([[0.2, 0.5, 0.3], [1.0, 0.0, 0.0], [0.1, 0.1, 0.8]], dtype)
        loose = np.array([[0.2, 0.5, 0.1], [2.0, 0.0, 1.0], [0.0, 0.0, 0.0]], dtype)
        for name in (
            "nn.softmax_cross_entropy_with_logits",
            "nn.softmax_cross_entropy_with_logits_v2",
        ):
            for label, labels in (("", soft), ("/unnormalised", loose)):
                kwargs = {"labels": labels, "logits": plain}
                yield f"{name}/{dtype}{label}", name, [], kwargs
            kwargs = {"labels": soft, "logits": plain, "dim": 0}
            yield f"{name}/{dtype}/dim", name, [], kwargs
            kwargs = {"labels": cube / 3, "logits": cube}
            yield f"{name}/{dtype}/cube", name, [], kwargs
        name = "nn.sparse_softmax_cross_entropy_with_logits"
        for index in ("int32", "int64"):
            kwargs = {"labels": np.array([2, 0, 1], index), "logits": plain}
            yield f"{name}/{dtype}/{index}", name, [], kwargs
        kwargs = {"labels": np.array([[0, 3, 2], [1, 1, 0]], np.int32), "logits": cube}
        yield f"{name}/{dtype}/cube", name, [], kwargs
        kwargs = {"labels": np.array([2, 3, 1], np.int32), "logits": plain}
        yield f"{name}/{dtype}/label_out_of_range", name, [], kwargs
        name = "nn.sigmoid_cross_entropy_with_logits"
        yield f"{name}/{dtype}", name, [], {"labels": soft, "logits": plain}
        big = np.array([-1000.0, -50.0, 0.0, 50.0, 1000.0], dtype)
        half = np.full([5], 0.5, dtype)
        yield f"{name}/{dtype}/large", name, [], {"labels": half, "logits": big}
        name = "nn.weighted_cross_entropy_with_logits"
        yield f"{name}/{dtype}", name, [soft, plain, 2.5], {}
        weight = np.array([0.5, 1.0, 3.0], dtype)
        yield f"{name}/{dtype}/vector", name, [soft, plain, weight], {}
        yield f"{name}/{dtype}/large", name, [half, big, 0.25], {}


def statistics():
    """What is known of sums and of weighted numbers; losses of counts."""
    numbers = np.random.RandomState(10)
    for dtype in FLOATS:
        x = numbers.uniform(-1, 1, (4, 3)).round(3).astype(dtype)
        image = numbers.uniform(-1, 1, (2, 3, 2, 3)).round(3).astype(dtype)
        weights = np.array([[0.5], [2.0], [0.0], [1.5]], dtype)
        shift = np.array([0.5, -1.0, 0.25], dtype)
        for label, args, kwargs in (
            ("rows", [x, [0], weights], {}),
            ("keep", [x, [1], np.abs(x)], {"keep_dims": True}),
            ("image", [image, [0, 1, 2], image[..., :1] ** 2], {}),
        ):
            yield f"nn.weighted_moments/{dtype}/{label}", "nn.weighted_moments", args, kwargs
        name = "nn.sufficient_statistics"
        yield f"{name}/{dtype}", name, [x, [0], shift], {}
        yield f"{name}/{dtype}/keep", name, [image, [0, 2], shift[:1]], {"keep_dims": True}
        name = "nn.normalize_moments"
        count, total, squares = np.array(4, dtype), x.sum(0), (x**2).sum(0)
        yield f"{name}/{dtype}", name, [count, total, squares, None], {}
        yield f"{name}/{dtype}/shift", name, [count, total, squares, shift], {}
        name = "nn.log_poisson_loss"
        targets = np.array([[0.0, 1.0, 3.0], [0.5, 20.0, 2.0]], dtype)
        yield f"{name}/{dtype}", name, [targets, x[:2] * 3], {}
        yield f"{name}/{dtype}/full", name, [targets, x[:2] * 3], {"compute_full_loss": True}
        if dtype == "float32":
            name = "nn.batch_norm_with_global_normalization"
            args = [image, shift, shift**2, shift + 1, 2 - shift, 1e-2]
            yield f"{name}/scale", name, [*args, True], {}
            yield f"{name}/plain", name, [*args, False], {}


def layers():
    """Affine ops, normalisation, embeddings, statistics."""
    numbers = np.random.RandomState(9)
    for dtype in FLOATS:
        x = numbers.uniform(-1, 1, (4, 3)).round(3).astype(dtype)
        image = numbers.uniform(-1, 1, (2, 3, 2, 3)).round(3).astype(dtype)
        vector = np.array([0.5, -1.0, 2.0], dtype)
        yield f"nn.bias_add/{dtype}", "nn.bias_add", [x, vector], {}
        yield f"nn.bias_add/{dtype}/image", "nn.bias_add", [image, vector], {}
        yield f"nn.bias_add/{dtype}/NHWC", "nn.bias_add", [image, vector, "NHWC"], {}
        yield f"nn.bias_add/{dtype}/NCHW", "nn.bias_add", [image, vector, "NCHW"], {}
        weights = numbers.uniform(-1, 1, (3, 2)).round(3).astype(dtype)
        bias = np.array([0.25, -0.5], dtype)
        yield f"nn.xw_plus_b/{dtype}", "nn.xw_plus_b", [x, weights, bias], {}
        yield f"nn.relu_layer/{dtype}", "nn.relu_layer", [x, weights, bias], {}
        yield f"nn.l2_loss/{dtype}", "nn.l2_loss", [x], {}
        for label, kwargs in (
            ("dim0", {"dim": 0}),
            ("dim1", {"dim": 1}),
            ("both", {"dim": [0, 1]}),
            ("epsilon", {"dim": 1, "epsilon": 0.5}),
            ("axis", {"axis": 1}),
        ):
            yield f"nn.l2_normalize/{dtype}/{label}", "nn.l2_normalize", [x], kwargs
        zero = np.zeros([2, 3], dtype)
        yield f"nn.l2_normalize/{dtype}/zero", "nn.l2_normalize", [zero], {"dim": 1}
        for label, args, kwargs in (
            ("0", [x, [0]], {}),
            ("01", [x, [0, 1]], {}),
            ("keep", [x, [0]], {"keep_dims": True}),
            ("image", [image, [0, 1, 2]], {}),
            ("shift", [x, [0]], {"shift": vector}),
        ):
            yield f"nn.moments/{dtype}/{label}", "nn.moments", args, kwargs
        mean, variance = vector * 0.1, np.array([0.5, 1.5, 0.25], dtype)
        scale, offset = vector + 2.0, vector * 0.3
        for label, args in (
            ("full", [x, mean, variance, offset, scale, 1e-3]),
            ("no_scale", [x, mean, variance, offset, None, 1e-3]),
            ("no_offset", [x, mean, variance, None, scale, 1e-3]),
            ("bare", [image, mean, variance, None, None, 1e-2]),
        ):
            yield f"nn.batch_normalization/{dtype}/{label}", "nn.batch_normalization", args, {}
        yield from embeddings(dtype, x)
        tied = np.array([[1.0, 3.0, 3.0], [0.5, 0.25, 0.125], [np.inf, 1.0, 2.0]], dtype)
        if dtype == "float32":
            for k in (1, 2):
                targets = np.array([2, 1, 2], np.int32)
                yield f"nn.in_top_k/{k}", "nn.in_top_k", [tied, targets, k], {}
            targets = np.array([0, 0, 1], np.int64)
            yield "nn.in_top_k/int64", "nn.in_top_k", [tied, targets, 1], {}
            infinite = np.array([[np.nan, 1.0, 2.0]], dtype)
            yield "nn.in_top_k/nan", "nn.in_top_k", [infinite, np.array([2], np.int32), 1], {}
        some = np.array([[0.0, 1.0], [-0.0, 2.0], [3.0, 0.0]], dtype)
        yield f"nn.zero_fraction/{dtype}", "nn.zero_fraction", [some], {}
    yield "nn.zero_fraction/int32", "nn.zero_fraction", [np.array([0, 1, 0], np.int32)], {}


def embeddings(dtype, x):
    """embedding_lookup in one table and in parts, with a largest norm."""
    ids = np.array([[3, 0], [1, 3]], np.int64)
    yield f"nn.embedding_lookup/{dtype}", "nn.embedding_lookup", [x, ids], {}
    yield f"nn.embedding_lookup/{dtype}/int32", "nn.embedding_lookup", [x, ids.astype("int32")], {}
    for strategy in ("mod", "div"):
        parts = [x[:2], x[2:]] if strategy == "div" else [x[::2].copy(), x[1::2].copy()]
        kwargs = {"partition_strategy": strategy}
        yield f"nn.embedding_lookup/{dtype}/{strategy}", "nn.embedding_lookup", [parts, ids], kwargs
        uneven = [x[:2], x[2:3]]
        few = np.array([2, 0, 1], np.int64)
        yield (
            f"nn.embedding_lookup/{dtype}/{strategy}_uneven",
            "nn.embedding_lookup",
            [uneven, few],
            kwargs,
        )
    yield f"nn.embedding_lookup/{dtype}/norm", "nn.embedding_lookup", [x, ids], {"max_norm": 0.5}
    kwargs = {"max_norm": 0.5}
    parts = [x[::2].copy(), x[1::2].copy()]
    yield f"nn.embedding_lookup/{dtype}/mod_norm", "nn.embedding_lookup", [parts, ids], kwargs


def cases():
    """All cases of this file."""
    for part in (activations, softmaxes, layers, statistics):
        yield from part()
