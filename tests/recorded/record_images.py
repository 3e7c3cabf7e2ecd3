"""Records images out of files, and ops of images that draw random numbers."""

import numpy as np
from recording import IS_CONTRACT, Writer, reader, tf

DECODERS = {
    "png": [
        ("decode_png", {"channels": channels, "dtype": dtype})
        for channels in (0, 1, 3, 4)
        for dtype in ("uint8", "uint16")
    ],
    "jpg": [
        ("decode_jpeg", {"channels": channels, "ratio": ratio, "dct_method": "INTEGER_ACCURATE"})
        for channels in (0, 1, 3)
        for ratio in (1, 2, 4, 8)
    ]
    + [
        ("decode_jpeg", {"try_recover_truncated": True, "dct_method": "INTEGER_ACCURATE"}),
        ("decode_and_crop_jpeg", {"crop_window": [3, 2, 9, 17], "dct_method": "INTEGER_ACCURATE"}),
        ("extract_jpeg_shape", {}),
    ],
    "gif": [("decode_gif", {}), ("decode_image", {}), ("decode_image", {"channels": 4})],
    "bmp": [("decode_bmp", {"channels": channels}) for channels in (0, 1, 3, 4)],
}
IMAGE = np.random.RandomState(0).uniform(0, 1, (4, 5, 3)).round(2).astype("float32")
BOXES = np.array([[[0.2, 0.3, 0.7, 0.9], [0.0, 0.0, 0.4, 0.5]]], "float32")
RANDOM = [
    ("random_flip_left_right", [IMAGE], {}),
    ("random_flip_up_down", [IMAGE], {}),
    ("random_brightness", [IMAGE, 0.3], {}),
    ("random_contrast", [IMAGE, 0.5, 1.5], {}),
    ("random_hue", [IMAGE, 0.3], {}),
    ("random_saturation", [IMAGE, 0.5, 1.5], {}),
]
SAMPLED = [
    {"min_object_covered": 0.1},
    {"min_object_covered": 0.6},
    {"min_object_covered": 0.0, "aspect_ratio_range": [0.5, 2.0], "area_range": [0.3, 0.9]},
    {"min_object_covered": 0.9, "area_range": [0.05, 0.2], "max_attempts": 3},
]


def file_case(name, fn, kwargs):
    """An image out of a file, or the class of the error."""
    contents = (reader.FOLDER / "images" / name).read_bytes()
    arguments = dict(kwargs)
    if "dtype" in arguments:
        arguments["dtype"] = tf.as_dtype(arguments["dtype"])
    case = {"file": name, "fn": fn, "kwargs": kwargs}
    with tf.Graph().as_default(), tf.Session() as session:
        try:
            result = session.run(getattr(tf.image, fn)(contents, **arguments))
        except tf.errors.InvalidArgumentError as error:
            return dict(case, error=type(error).__name__)
        return dict(case, result=result)


def runs(make):
    """Three runs in a graph with a seed."""
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(3)
        tensors = make()
        return [[np.asarray(x) for x in session.run(tensors)] for _ in range(3)]


def random_case(fn, args, kwargs, seed):
    """Three runs of an op."""
    function = getattr(tf.image, fn)
    return {
        "fn": fn,
        "args": args,
        "kwargs": kwargs,
        "seed": seed,
        "runs": runs(lambda: [function(*args, seed=seed, **kwargs)]),
    }


def sampled_case(kwargs, seed):
    """Three parts of an image."""
    args = [np.array([50, 80, 3], "int32"), BOXES]
    function = tf.image.sample_distorted_bounding_box
    return {
        "fn": "sample_distorted_bounding_box",
        "args": args,
        "kwargs": kwargs,
        "seed": seed,
        "runs": runs(lambda: list(function(*args, seed=seed, **kwargs))),
    }


def main():
    """Writes images.json and images.npz."""
    writer = Writer("images")
    for path in sorted((reader.FOLDER / "images").iterdir()):
        for number, (fn, kwargs) in enumerate(DECODERS[path.suffix[1:]]):
            ident = f"{path.name}/{fn}/{number}"
            writer.attempt(ident, file_case, (path.name, fn, kwargs))
    for fn, args, kwargs in RANDOM:
        for seed in (7, 11):
            writer.attempt(f"{fn}/{seed}", random_case, (fn, args, kwargs, seed))
    for number, kwargs in enumerate(SAMPLED):
        for seed in (5, 9):
            ident = f"sample_distorted_bounding_box/{number}/{seed}"
            writer.attempt(ident, sampled_case, (kwargs, seed))
    writer.save()


if __name__ == "__main__":
    assert IS_CONTRACT
    main()
