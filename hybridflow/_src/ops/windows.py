"""Windows that slide over the inner dimensions of a tensor: what convolution and pooling share.

In each dimension there is a window of `size` elements, `rate` apart, every `stride` elements:
`ceil(input / stride)` windows with "SAME" padding, those that lie inside the input with "VALID".
Functions that take the attributes of ops raise ValueError for values that TensorFlow does not
allow.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from hybridflow._src.framework import settings

# Patches are copied into at most about so many bytes at a time.
_PATCH_BYTES = 1 << 24


# -- attributes ------------------------------------------------------------------------------------


def allowed(name: str, value: Any, values: Sequence[str]) -> None:
    """Checks the value of an attribute that is one of a few strings."""
    if value not in values:
        shown = ", ".join(f'"{text}"' for text in values)
        raise ValueError(
            f"Value for attr '{name}' of \"{value}\" is not in the list of allowed values: {shown}"
        )


def each_dimension(name: str, value: Any, rank: int) -> list[int]:
    """A list of integers, one for each of `rank` dimensions.

    Raises:
      TypeError: if it is one number alone.
    """
    if not isinstance(value, Iterable):
        inner = ", ".join([str(value)] * (rank - 2))
        raise TypeError(
            f"{name} are {rank} ints, one for each dimension: `{name}=[1, {inner}, 1]` "
            f"(with the channels last); got {value!r}."
        )
    return list(value)


def each_inner_dimension(name: str, value: Any, rank: int) -> list[int]:
    """A list of integers, one for each of `rank` inner dimensions: neither batch nor channels.

    Raises:
      TypeError: if it is one number alone. ValueError: if one is no whole number.
    """
    if not isinstance(value, Iterable):
        each = ", ".join([str(value)] * rank)
        count = "1 int" if rank == 1 else f"{rank} ints"
        raise TypeError(
            f"`{name}` holds {count}, one for each inner dimension: `{name}=[{each}]`; "
            f"got {value!r}."
        )
    return [settings.whole(v, name) for v in value]


def check_attrs(attrs: dict[str, Any], rank: int, *lists: str) -> None:
    """Checks padding, data format and lists of integers, one for each of `rank` dimensions."""
    allowed("padding", attrs["padding"], ("SAME", "VALID"))
    if "data_format" in attrs:
        allowed("data_format", attrs["data_format"], FORMATS[rank])
    for name in lists:
        values = list(attrs[name])
        if len(values) != rank:
            raise ValueError(
                f"{name} must contain {rank} values, but got: {len(values)}. They are for each "
                f"dimension, those of batch and channels too; got {values}."
            )
        if min(values) < 1:
            raise ValueError(f"{name} must be positive, but got: {values}")


# The layouts of data by rank; the first one is the default.
FORMATS = {3: ("NWC", "NCW"), 4: ("NHWC", "NCHW"), 5: ("NDHWC", "NCDHW")}


def is_channels_first(data_format: str) -> bool:
    return data_format.startswith("NC")


def inner(values: Any, data_format: str) -> tuple[Any, ...]:
    """Of a value for each dimension, those of the inner dimensions."""
    values = tuple(values)
    return values[2:] if is_channels_first(data_format) else values[1:-1]


def channels(values: Any, data_format: str) -> Any:
    """Of a value for each dimension, that of the channels."""
    return values[1] if is_channels_first(data_format) else values[-1]


def shape_of(batch: Any, inner_sizes: Any, depth: Any, data_format: str) -> tuple[Any, ...]:
    """Sizes in the order of the format."""
    if is_channels_first(data_format):
        return (batch, depth, *inner_sizes)
    return (batch, *inner_sizes, depth)


def channels_last(x: np.ndarray, data_format: str) -> np.ndarray:
    """A view of `x` with the channels in the last dimension."""
    return np.moveaxis(x, 1, -1) if is_channels_first(data_format) else x


def moved_in_format(x: np.ndarray, data_format: str) -> np.ndarray:
    """A view of `x`, whose channels are in the last dimension, in another format."""
    return np.moveaxis(x, -1, 1) if is_channels_first(data_format) else x


def in_format(x: np.ndarray, data_format: str) -> np.ndarray:
    """`x`, whose channels are in the last dimension, in another format."""
    return np.ascontiguousarray(moved_in_format(x, data_format))


def lowered_last(b: Any, x: Any, attrs: dict[str, Any]) -> Any:
    """What a lowering has for `channels_last`, by the attributes of an op."""
    return b.view(channels_last, x, data_format=attrs["data_format"])


def lowered_in_format(b: Any, x: Any, attrs: dict[str, Any]) -> Any:
    """What a lowering has for `moved_in_format`, by the attributes of an op."""
    return b.view(moved_in_format, x, data_format=attrs["data_format"])


# -- geometry --------------------------------------------------------------------------------------


def count(size: int | None, window: int | None, stride: int, rate: int, padding: str) -> int | None:
    """How many windows there are along a dimension of a size.

    Raises:
      ValueError: if the window is larger than the dimension and nothing is padded.
    """
    if size is None:
        return None
    if padding == "SAME":
        return -(-size // stride)
    if window is None:
        return None
    reach = (window - 1) * rate + 1
    if reach > max(size, 1):  # of nothing, windows of one element are nothing
        raise ValueError(f"Negative dimension size caused by subtracting {reach} from {size}")
    return (size - reach) // stride + 1


class Windows(NamedTuple):
    """Windows over some dimensions, a value for each of them.

    Attributes:
      inputs, outputs: sizes of the dimensions, numbers of windows.
      sizes, strides, rates: of the windows.
      before: how much is padded before the first element.
    """

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    rates: tuple[int, ...]
    before: tuple[int, ...]

    @classmethod
    def over(
        cls,
        inputs: Sequence[int],
        sizes: Sequence[int],
        strides: Sequence[int],
        rates: Sequence[int],
        padding: str,
    ) -> Windows:
        outputs, before = [], []
        for n, k, s, r in zip(inputs, sizes, strides, rates, strict=True):
            windows = count(n, k, s, r, padding)
            assert windows is not None
            outputs.append(windows)
            missing = (windows - 1) * s + (k - 1) * r + 1 - n if padding == "SAME" else 0
            before.append(max(missing, 0) // 2)
        return cls(*map(tuple, (inputs, outputs, sizes, strides, rates, before)))

    @property
    def padded(self) -> tuple[int, ...]:
        """The sizes of the dimensions, padded so that all windows and elements lie inside."""
        return tuple(
            [
                max(b + n, (o - 1) * s + (k - 1) * r + 1)
                for n, o, k, s, r, b in zip(*self, strict=True)
            ]
        )

    def taps(self) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...], tuple[slice, ...]]]:
        """For each element of a window, in their order: its place in the window, the windows in
        which it is no padding, and where it stands in the input for each of these.
        """
        along = [list(_taps(*dimension)) for dimension in zip(*self, strict=True)]
        for tap in itertools.product(*along):
            places, windows, elements = zip(*tap, strict=True) if tap else ((), (), ())
            yield places, windows, elements


def _taps(
    size: int, windows: int, window: int, stride: int, rate: int, before: int
) -> Iterator[tuple[int, slice, slice]]:
    # Of a window that is larger than what it looks at, those that meet it.
    least = -(((windows - 1) * stride - before) // rate)
    most = (size - 1 + before) // rate
    for place in range(max(0, least), min(window, most + 1)):
        offset = place * rate - before
        first = max(0, -(offset // stride))
        last = min(windows, (size - 1 - offset) // stride + 1)
        if first < last:
            start = first * stride + offset
            elements = slice(start, start + (last - first - 1) * stride + 1, stride)
            yield place, slice(first, last), elements


# -- patches ---------------------------------------------------------------------------------------


def padded(x: np.ndarray, windows: Windows) -> np.ndarray:
    """`x` `[batch, *inputs, channels]` with zeros around it; `x` itself where nothing is padded."""
    if windows.padded == windows.inputs:
        return x
    result = np.zeros((len(x), *windows.padded, x.shape[-1]), x.dtype)
    at = [slice(b, b + n) for b, n in zip(windows.before, windows.inputs, strict=True)]
    result[(slice(None), *at)] = x
    return result


def view(x: np.ndarray, windows: Windows) -> np.ndarray:
    """What each window sees of a padded `x`: a view `[batch, *outputs, *sizes, channels]`."""
    steps = x.strides[1:-1]
    return np.lib.stride_tricks.as_strided(
        x,
        (len(x), *windows.outputs, *windows.sizes, x.shape[-1]),
        (
            x.strides[0],
            *[step * s for step, s in zip(steps, windows.strides, strict=True)],
            *[step * r for step, r in zip(steps, windows.rates, strict=True)],
            x.strides[-1],
        ),
        writeable=False,
    )


def blocks(batch: int, windows: Windows, bytes_per_window: int) -> Iterator[tuple[slice, slice]]:
    """Ranges of the batch and of the windows along the first dimension, for patches of a bounded
    size.
    """
    rows = windows.outputs[0]
    row = max(1, int(np.prod(windows.outputs[1:], dtype=np.int64)) * bytes_per_window)
    images = max(1, _PATCH_BYTES // (row * max(rows, 1)))
    rows_at_once = max(1, min(rows, _PATCH_BYTES // row))
    for image in range(0, batch, images):
        for first in range(0, rows, rows_at_once):
            yield slice(image, image + images), slice(first, min(first + rows_at_once, rows))
