"""Records summaries: their bytes, and the names that TensorFlow gives to their ops and tags."""

import numpy as np
from recording import IS_CONTRACT, Writer, tf

RNG = np.random.RandomState(7)
# What each case makes in a graph of its own: a function of `tf` and the values, and the values.
CASES = {
    "scalar": ("tf.summary.scalar('loss', x)", {"x": np.float32(0.1)}),
    "scalar/float64": ("tf.summary.scalar('loss', x)", {"x": np.float64(0.1)}),
    "scalar/int": ("tf.summary.scalar('count', x)", {"x": np.int32(-7)}),
    "scalar/uint8": ("tf.summary.scalar('count', x)", {"x": np.uint8(255)}),
    "scalar/nan": ("tf.summary.scalar('loss', x)", {"x": np.float32(np.nan)}),
    "scalar/illegal": ("tf.summary.scalar('/a loss: 1', x)", {"x": np.float32(1)}),
    "scalar/family": ("tf.summary.scalar('loss', x, family='train it')", {"x": np.float32(1)}),
    "scalar/scope": ("tf.summary.scalar('outer/loss', x, family='f')", {"x": np.float32(1)}),
    "histogram": ("tf.summary.histogram('h', x)", {"x": RNG.randn(1000).astype(np.float32)}),
    "histogram/float64": ("tf.summary.histogram('h', x)", {"x": RNG.randn(50, 3) * 1e9}),
    "histogram/half": ("tf.summary.histogram('h', x)", {"x": RNG.randn(99).astype(np.float16)}),
    "histogram/int": ("tf.summary.histogram('h', x)", {"x": np.arange(-9, 30)}),
    "histogram/one": ("tf.summary.histogram('h', x)", {"x": np.float32([0.0])}),
    "histogram/empty": ("tf.summary.histogram('h', x)", {"x": np.zeros([0, 2], np.float32)}),
    "histogram/extremes": (
        "tf.summary.histogram('h', x)",
        {"x": np.array([-1e300, -1e20, -1e-12, -1e-13, -0.0, 1e-12, 1.1e-12, 1e20, 1e300])},
    ),
    "histogram/many": (
        "tf.summary.histogram('h', x)",
        {"x": (np.arange(200000) % 1013 / 7.0 - 50).astype(np.float32)},
    ),
    "audio": (
        "tf.summary.audio('a', x, 44100.0)",
        {"x": RNG.uniform(-1.2, 1.2, (4, 20, 2)).astype(np.float32)},
    ),
    "audio/one": (
        "tf.summary.audio('a', x, 8000, max_outputs=1)",
        {"x": np.float32([[0, 1, -1, 0.5 / 32768, -0.5 / 32768, 1.5 / 32768]])},
    ),
    "text": ("tf.summary.text('t', tf.constant('*hello*'))", {}),
    "text/table": ("tf.summary.text('t', tf.constant([['a', 'b'], ['c', 'd']]))", {}),
    "tensor": ("tf.summary.tensor_summary('t', x)", {"x": np.arange(6).reshape(2, 3)}),
    "tensor/described": (
        "tf.summary.tensor_summary('t', x, summary_description='d', display_name='n')",
        {"x": np.float32(1.5)},
    ),
    "tensor/bool": ("tf.summary.tensor_summary('t', x)", {"x": np.array([True, False])}),
    "merge": (
        "tf.summary.merge([tf.summary.scalar('a', 1.0), tf.summary.histogram('b', [1.0])])",
        {},
    ),
    "merge/named": ("tf.summary.merge([tf.summary.scalar('a', 1.0)], name='all')", {}),
    "merge_all": (
        "(tf.summary.scalar('a', 1.0), tf.summary.scalar('a', 2.0), tf.summary.merge_all())[-1]",
        {},
    ),
    # Encoders of PNG differ in their bytes: of images the decoded ones are kept.
    "image": (
        "tf.summary.image('i', x)",
        {"x": RNG.uniform(0, 3, (4, 3, 5, 3)).astype(np.float32)},
    ),
    "image/negative": (
        "tf.summary.image('i', x, max_outputs=1)",
        {"x": RNG.uniform(-3, 1, (2, 3, 5, 1)).astype(np.float32)},
    ),
    "image/bad": (
        "tf.summary.image('i', x)",
        {"x": np.float32([[[[1, 2, np.nan], [3, 4, 5]]], [[[np.inf] * 3, [np.nan] * 3]]])},
    ),
    "image/zero": ("tf.summary.image('i', x)", {"x": np.zeros((1, 2, 2, 4), np.float32)}),
    "image/half": (
        "tf.summary.image('i', x)",
        {"x": RNG.uniform(-1, 3, (1, 4, 5, 3)).astype(np.float16)},
    ),
    "image/bytes": (
        "tf.summary.image('i', x)",
        {"x": RNG.randint(0, 256, (2, 3, 5, 4)).astype(np.uint8)},
    ),
}


def summary_case(source, values):
    """Runs one case; returns its bytes, tags, images, ops and collections."""
    with tf.Graph().as_default() as graph:
        scope = {"tf": tf}
        scope.update({name: tf.constant(value, name=name) for name, value in values.items()})
        summary = eval(source, scope)
        with tf.Session() as session:
            data = session.run(summary)
            found = tf.Summary.FromString(data)
            images = [
                session.run(tf.image.decode_png(v.image.encoded_image_string))
                for v in found.value
                if v.HasField("image")
            ]
        ops = [[op.name, op.type] for op in graph.get_operations()]
        ops = [op for op in ops if not op[0].startswith("DecodePng")]
        collected = [t.name for t in tf.get_collection(tf.GraphKeys.SUMMARIES)]
    case = {
        "source": source,
        "values": values,
        "tags": [v.tag for v in found.value],
        "collected": collected,
    }
    if IS_CONTRACT:
        case["ops"] = ops
    if images:
        case["images"] = images
    else:
        case["bytes"] = np.frombuffer(data, np.uint8)
    return case


def main():
    """Writes summaries.json and summaries.npz."""
    writer = Writer("summaries", only_in_contract=("ops",))
    for name in sorted(CASES):
        writer.attempt(name, summary_case, CASES[name])
    writer.save()


if __name__ == "__main__":
    main()
