"""Images: cases for `record_family.py`."""

import numpy as np


def floats(seed, *shape):
    """Float32 numbers with few digits, from 0 to 1."""
    return np.random.RandomState(seed).uniform(0, 1, shape).round(2).astype("float32")


def pixels(seed, *shape):
    """Bytes."""
    return np.random.RandomState(seed).randint(0, 256, shape).astype("uint8")


BOXES = np.array(
    [[0.1, 0.05, 0.8, 0.9], [0.9, 0.7, 0.2, 0.1], [-0.3, 0.2, 0.6, 1.4], [0, 0, 1, 1]], "float32"
)


def int32(*numbers):
    """An int32 vector."""
    return np.array(numbers, "int32")


def resizing():
    """All methods, larger and smaller, with and without corners; middles of pixels."""
    images = floats(1, 2, 5, 7, 3)
    for method in ("bilinear", "bicubic", "area", "nearest_neighbor"):
        for size in ([3, 4], [10, 14], [7, 3], [5, 7], [2, 2]):
            for corners in (False, True):
                fn, kwargs = "image.resize_" + method, {"align_corners": corners}
                ident = f"{fn}/{size[0]}x{size[1]}/{corners}"
                yield ident, fn, [images, size], kwargs
                yield ident + "/uint8", fn, [pixels(2, 1, 5, 7, 1), size], kwargs
            if method != "area":
                # 1.4 has no such argument.
                kwargs = {"half_pixel_centers": True}
                yield f"{fn}/{size[0]}x{size[1]}/middles", fn, [images, size], kwargs
    for number, image in enumerate((floats(3, 4, 6, 2), floats(4, 1, 4, 6, 2))):
        for method in range(4):
            ident = f"image.resize_images/{number}/{method}"
            yield ident, "image.resize_images", [image, [3, 5]], {"method": method}
        yield ident + "/same", "image.resize_images", [image, [4, 6]], {}


def parts():
    """Parts of images: stretched, cut, padded, seen through windows."""
    for label, images in (("floats", floats(5, 2, 6, 5, 2)), ("uint8", pixels(6, 2, 6, 5, 2))):
        for size in ([3, 4], [1, 1], [9, 2]):
            args = [images, BOXES, int32(1, 0, 1, 0), size]
            ident = f"image.crop_and_resize/{label}/{size[0]}x{size[1]}"
            yield ident, "image.crop_and_resize", args, {"extrapolation_value": -1.5}
    for number, image in enumerate((floats(7, 5, 8, 2), floats(8, 2, 5, 8, 2), pixels(9, 5, 8, 1))):
        for target in ((3, 4), (7, 9), (3, 11), (5, 8)):
            ident = f"image.resize_image_with_crop_or_pad/{number}/{target[0]}x{target[1]}"
            yield ident, "image.resize_image_with_crop_or_pad", [image, *target], {}
        ident = f"image.{{}}/{number}"
        fn = "image.crop_to_bounding_box"
        yield ident.format(fn), fn, [image, 1, 2, 3, 5], {}
        fn = "image.pad_to_bounding_box"
        yield ident.format(fn), fn, [image, 1, 2, 7, 12], {}
        if image.ndim == 3:
            for fraction in (0.3, 0.5, 0.75, 1.0):
                yield (
                    f"image.central_crop/{number}/{fraction}",
                    "image.central_crop",
                    [image, fraction],
                    {},
                )
    offsets = np.array([[0, 0], [0.2, -0.4]], "float32")
    for centered in (True, False):
        for normalized in (True, False):
            kwargs = {"centered": centered, "normalized": normalized}
            inside = offsets if centered else offsets * 0.5 + 0.5
            inside = inside if normalized else inside * 4 + 2 * (not centered)
            ident = f"image.extract_glimpse/{centered}/{normalized}"
            yield ident, "image.extract_glimpse", [floats(10, 2, 8, 9, 2), [3, 2], inside], kwargs


def turning():
    """Mirrored and turned."""
    for number, image in enumerate((floats(11, 3, 4, 2), pixels(12, 2, 5, 1))):
        for name in ("flip_left_right", "flip_up_down", "transpose_image"):
            yield f"image.{name}/{number}", "image." + name, [image], {}
        for k in (0, 1, 2, 3, -1):
            yield f"image.rot90/{number}/{k}", "image.rot90", [image], {"k": k}
        yield f"image.rot90/{number}/tensor", "image.rot90", [image, np.array(3, "int32")], {}


def coloring():
    """Colors, brightness, contrast, dtypes."""
    colors = np.concatenate([np.eye(3), np.ones((1, 3)), np.zeros((1, 3)), floats(13, 7, 3)])
    colors = colors.astype("float32").reshape(3, 4, 3)
    for name in ("rgb_to_hsv", "hsv_to_rgb"):
        yield "image." + name, "image." + name, [colors], {}
        yield f"image.{name}/float64", "image." + name, [colors.astype("float64")], {}
    for label, image in (("floats", colors), ("uint8", pixels(14, 3, 4, 3))):
        for name, numbers in (
            ("adjust_hue", (0.2, -0.35, 0.0)),
            ("adjust_saturation", (0.5, 1.6, 0.0)),
            ("adjust_contrast", (0.5, 1.7)),
            ("adjust_brightness", (0.2, -0.3)),
        ):
            for number in numbers:
                yield f"image.{name}/{label}/{number}", "image." + name, [image, number], {}
        yield f"image.rgb_to_grayscale/{label}", "image.rgb_to_grayscale", [image], {}
        yield f"image.grayscale_to_rgb/{label}", "image.grayscale_to_rgb", [image[..., :1]], {}
        for gamma, gain in ((1, 1), (2.0, 1), (0.5, 2.0)):
            ident = f"image.adjust_gamma/{label}/{gamma}"
            yield ident, "image.adjust_gamma", [image], {"gamma": gamma, "gain": gain}
        yield (
            f"image.per_image_standardization/{label}",
            ("image.per_image_standardization"),
            [image],
            {},
        )
    yield (
        "image.per_image_standardization/flat",
        ("image.per_image_standardization"),
        [np.full((2, 3, 1), 7, "uint8")],
        {},
    )
    yield "image.total_variation", "image.total_variation", [floats(15, 4, 5, 2)], {}
    yield "image.total_variation/several", "image.total_variation", [floats(16, 2, 4, 5, 2)], {}
    given = {
        "float32": np.array([-0.5, 0, 0.1, 0.5, 0.999, 1, 1.5], "float32"),
        "uint8": np.array([0, 1, 127, 128, 255], "uint8"),
        "int16": np.array([0, 1, 128, 16384, 32767], "int16"),
        "int32": np.array([0, 1, 1 << 24, (1 << 31) - 1], "int32"),
    }
    for source, values in sorted(given.items()):
        for target in ("float32", "float64", "uint8", "int16", "int32"):
            for saturate in (False, True):
                if saturate or values.dtype.kind != "f":
                    ident = f"image.convert_image_dtype/{source}/{target}/{saturate}"
                    args, kwargs = [values, target], {"saturate": saturate}
                    yield ident, "image.convert_image_dtype", args, kwargs


def boxes():
    """Boxes drawn and chosen."""
    corners = np.random.RandomState(17).uniform(0, 1, (30, 4)).round(3).astype("float32")
    scores = np.random.RandomState(18).permutation(30).astype("float32") / 30
    for threshold in (0.1, 0.5, 0.9):
        for most in (30, 4):
            ident = f"image.non_max_suppression/{threshold}/{most}"
            yield ident, "image.non_max_suppression", [corners, scores, most, threshold], {}
    drawn = np.random.RandomState(19).uniform(-0.2, 1.2, (2, 12, 4)).round(3).astype("float32")
    for channels in (1, 3, 4):
        ident = f"image.draw_bounding_boxes/{channels}"
        yield ident, "image.draw_bounding_boxes", [floats(20, 2, 9, 8, channels), drawn], {}


def cases():
    """All of them."""
    for group in (resizing, parts, turning, coloring, boxes):
        yield from group()
