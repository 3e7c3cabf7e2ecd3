"""Images: files, sizes, parts, colors, boxes. Files are decoded and encoded by Pillow, an extra."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.ops.images.adjusting import (
        adjust_brightness,
        adjust_contrast,
        adjust_gamma,
        adjust_hue,
        adjust_saturation,
        random_brightness,
        random_contrast,
        random_hue,
        random_saturation,
    )
    from hybridflow._src.ops.images.boxes import draw_bounding_boxes, non_max_suppression
    from hybridflow._src.ops.images.broadcast_colors import (
        image_gradients,
        rgb_to_yiq,
        rgb_to_yuv,
        sobel_edges,
        yiq_to_rgb,
        yuv_to_rgb,
    )
    from hybridflow._src.ops.images.colors import hsv_to_rgb, rgb_to_hsv
    from hybridflow._src.ops.images.converting import (
        convert_image_dtype,
        grayscale_to_rgb,
        rgb_to_grayscale,
    )
    from hybridflow._src.ops.images.crop_and_resize import crop_and_resize
    from hybridflow._src.ops.images.cropping import (
        central_crop,
        crop_to_bounding_box,
        pad_to_bounding_box,
        resize_image_with_crop_or_pad,
    )
    from hybridflow._src.ops.images.decoding import (
        decode_and_crop_jpeg,
        decode_bmp,
        decode_gif,
        decode_image,
        decode_jpeg,
        decode_png,
        extract_jpeg_shape,
        is_jpeg,
    )
    from hybridflow._src.ops.images.distorted_boxes import sample_distorted_bounding_box
    from hybridflow._src.ops.images.encoding import encode_jpeg, encode_png
    from hybridflow._src.ops.images.flipping import (
        flip_left_right,
        flip_up_down,
        random_flip_left_right,
        random_flip_up_down,
        rot90,
        transpose_image,
    )
    from hybridflow._src.ops.images.glimpses import extract_glimpse
    from hybridflow._src.ops.images.measuring import per_image_standardization, total_variation
    from hybridflow._src.ops.images.resizing import (
        resize_area,
        resize_bicubic,
        resize_bilinear,
        resize_nearest_neighbor,
    )
    from hybridflow._src.ops.images.resizing_images import ResizeMethod, resize_images
    from hybridflow._src.ops.images.similarity import psnr, ssim, ssim_multiscale

__all__ = [
    "ResizeMethod",
    "adjust_brightness",
    "adjust_contrast",
    "adjust_gamma",
    "adjust_hue",
    "adjust_saturation",
    "central_crop",
    "convert_image_dtype",
    "crop_and_resize",
    "crop_to_bounding_box",
    "decode_and_crop_jpeg",
    "decode_bmp",
    "decode_gif",
    "decode_image",
    "decode_jpeg",
    "decode_png",
    "draw_bounding_boxes",
    "encode_jpeg",
    "encode_png",
    "extract_glimpse",
    "extract_jpeg_shape",
    "flip_left_right",
    "flip_up_down",
    "grayscale_to_rgb",
    "hsv_to_rgb",
    "image_gradients",
    "is_jpeg",
    "non_max_suppression",
    "pad_to_bounding_box",
    "per_image_standardization",
    "psnr",
    "random_brightness",
    "random_contrast",
    "random_flip_left_right",
    "random_flip_up_down",
    "random_hue",
    "random_saturation",
    "resize_area",
    "resize_bicubic",
    "resize_bilinear",
    "resize_image_with_crop_or_pad",
    "resize_images",
    "resize_nearest_neighbor",
    "rgb_to_grayscale",
    "rgb_to_hsv",
    "rgb_to_yiq",
    "rgb_to_yuv",
    "rot90",
    "sample_distorted_bounding_box",
    "sobel_edges",
    "ssim",
    "ssim_multiscale",
    "total_variation",
    "transpose_image",
    "yiq_to_rgb",
    "yuv_to_rgb",
]
