"""How batch normalization is computed natively: sums in one pass, and the rest as elementwise work.

So what follows is done in the same pass over the images as the normalization itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hybridflow._src.ops.windows import lowered_in_format, lowered_last


def _cast(b: Any, x: Any, dtype: Any) -> Any:
    return x if x.dtype == dtype else b.elementwise(lambda x: x.astype(dtype), x)


def normalized(
    b: Any,
    x: Any,
    scale: Any,
    offset: Any,
    mean: Any,
    variance: Any,
    epsilon: float,
    data_format: str,
    is_training: bool,
) -> list[Any]:
    attrs = {"data_format": data_format}
    dtype, x = x.dtype, lowered_last(b, x, attrs)
    wide = b.packed(_cast(b, x, scale.dtype))
    unbiased = variance
    if is_training:
        count = wide.size // scale.size

        def statistics(mean: Any, squares: Any, count: Any, bias: Any) -> Any:
            square = np.maximum(squares / count, 0.0)
            return +mean, square, square * bias

        # Sizes are values: a new batch size is no new kernel.
        sizes = [b.constant(np.float64(size)) for size in (count, count / max(count - 1, 1))]
        found = b.elementwise(statistics, *b.moments(wide), *sizes)
        mean, variance, unbiased = (_cast(b, value, scale.dtype) for value in found)
    factor = b.elementwise(lambda s, v: s / np.sqrt(v + epsilon), scale, variance)
    y = b.elementwise(lambda x, m, f, o: (x - m) * f + o, wide, mean, factor, offset)
    return [lowered_in_format(b, _cast(b, y, dtype), attrs), mean, unbiased, mean, variance]


def gradients(
    b: Any,
    dy: Any,
    x: Any,
    scale: Any,
    mean: Any,
    variance: Any,
    epsilon: float,
    data_format: str,
    is_training: bool,
) -> list[Any]:
    attrs = {"data_format": data_format}
    dtype = x.dtype
    dy, x = (b.packed(_cast(b, lowered_last(b, value, attrs), scale.dtype)) for value in (dy, x))
    count = x.size // scale.size
    none = b.constant(np.zeros(scale.shape, scale.dtype))
    total, product = (_cast(b, s, scale.dtype) for s in b.paired_sums(dy, none, x, mean))
    inverse = b.elementwise(lambda v: 1 / np.sqrt(v + epsilon), variance)
    size = b.constant(np.asarray(count, scale.dtype))
    slope = b.elementwise(lambda r, p, n: r * r * p / n, inverse, product, size)
    factor = b.elementwise(lambda s, r: s * r, scale, inverse)
    if is_training:
        dx = b.elementwise(
            lambda dy, x, m, t, s, f: (dy - t - (x - m) * s) * f,
            *(dy, x, mean, b.elementwise(lambda t, n: t / n, total, size), slope, factor),
        )
    else:
        dx = b.elementwise(lambda dy, f: dy * f, dy, factor)
    dscale = b.elementwise(lambda r, p: r * p, inverse, product)
    empty = b.constant(np.zeros(0, scale.dtype))
    return [lowered_in_format(b, _cast(b, dx, dtype), attrs), dscale, total, empty, empty]
