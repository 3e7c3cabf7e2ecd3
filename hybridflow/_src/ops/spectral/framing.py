"""Signals cut into frames that overlap, and put together again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import ShapeError
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.ops.arrays.arranging import transpose
from hybridflow._src.ops.arrays.gather import gather
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.reshaping import reshape
from hybridflow._src.ops.arrays.sequences import range as numbers
from hybridflow._src.ops.checks.comparing import assert_positive
from hybridflow._src.ops.control_flow.ordering import with_dependencies
from hybridflow._src.ops.math.segments import unsorted_segment_sum

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["frame", "overlap_and_add"]


def _whole(value: Any, name: str) -> Tensor:
    tensor = convert_to_tensor(value, dtypes.int32, name=name)
    if tensor.shape.ndims not in (None, 0):
        raise ValueError(f"{name} must be a scalar, got shape {tensor.shape}.")
    return tensor


def _step(value: Any) -> Tensor:
    """How far frames are apart, above 0.

    Raises:
      InvalidArgumentError: if it is not: at once where it is known, else when it runs.
    """
    step = _whole(value, "frame_step")
    known = constant_value(step)
    if known is None:
        check = assert_positive(step, message="frame_step must be above 0")
        return step if check is None else with_dependencies([check], step)
    if known <= 0:
        raise ShapeError(
            f"frame_step must be above 0, got {int(known)}: frames begin so far apart."
        )
    return step


def _places(count: Any, length: Tensor, step: Tensor) -> Any:
    """Where each number of each frame stands in the signal, `[count, length]`."""
    return raw.ExpandDims(numbers(count) * step, 1) + raw.ExpandDims(numbers(length), 0)


def frame(
    signal: Any,
    frame_length: Any,
    frame_step: Any,
    pad_end: bool = False,
    pad_value: Any = 0,
    axis: int = -1,
    name: str | None = None,
) -> Tensor:
    """Cuts a signal into frames of one length, which begin one step after the other.

    Args:
      signal: tensor `[..., samples, ...]` of a known rank.
      frame_length: int32 scalar, how many samples a frame has.
      frame_step: int32 scalar, how far the beginnings of frames are apart.
      pad_end: whether the last frames may reach over the end, beyond which there is `pad_value`.
      pad_value: scalar.
      axis: the axis of samples.
      name: scope of the ops.

    Returns: a tensor `[..., frames, frame_length, ...]` of the dtype of `signal`.

    Raises:
      ValueError: if the rank of the signal is not known, or a number is no scalar.
        InvalidArgumentError: if `frame_step` is not above 0.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.contrib.signal.frame([1, 2, 3, 4, 5], 3, 2).numpy().tolist())
    ...     print(hf.contrib.signal.frame([1, 2, 3, 4], 3, 2, pad_end=True).numpy().tolist())
    [[1, 2, 3], [3, 4, 5]]
    [[1, 2, 3], [3, 4, 0]]
    """
    with name_scope(name, "frame", [signal, frame_length, frame_step, pad_value]):
        signal = convert_to_tensor(signal, name="signal")
        rank = signal.shape.ndims
        if not rank:
            raise ValueError(f"The signal must have a known rank above 0, got {signal.shape}.")
        axis = axis % rank
        length, step = _whole(frame_length, "frame_length"), _step(frame_step)
        size = signal.shape.as_list()[axis]
        samples = raw.Shape(signal)[axis] if size is None else convert_to_tensor(size, dtypes.int32)
        if pad_end:
            count = raw.Maximum((samples + step - 1) // step, convert_to_tensor(0, dtypes.int32))
            missing = raw.Maximum(
                length + step * (count - 1) - samples, convert_to_tensor(0, dtypes.int32)
            )
            before = raw.Shape(signal)[:axis]
            filled = concat([before, raw.ExpandDims(missing, 0), raw.Shape(signal)[axis + 1 :]], 0)
            value = convert_to_tensor(pad_value, signal.dtype.base_dtype)
            signal = concat([signal, raw.Fill(filled, value)], axis)
        else:
            count = raw.Maximum((samples - length) // step + 1, convert_to_tensor(0, dtypes.int32))
        found = gather(signal, _places(count, length, step), axis=axis)
        known = [constant_value(t) for t in (samples, length, step)]
        if all(value is not None for value in known):
            total, width, by = (int(value) for value in known)  # type: ignore[arg-type]
            frames = -(-total // by) if pad_end else (total - width) // by + 1
            sizes = signal.shape.as_list()
            found.set_shape([*sizes[:axis], max(0, frames), width, *sizes[axis + 1 :]])
        return found


def overlap_and_add(signal: Any, frame_step: Any, name: str | None = None) -> Tensor:
    """Puts frames together into a signal: where they overlap they are added.

    Args:
      signal: tensor `[..., frames, frame_length]` of a known rank.
      frame_step: int32 scalar, how far the beginnings of frames are apart.
      name: scope of the ops.

    Returns: a tensor `[..., (frames - 1) * frame_step + frame_length]`, zeros where there is no
      frame.

    Raises:
      ValueError: if the rank is not known or below 2, or `frame_step` is no scalar of integers.
        InvalidArgumentError: if it is not above 0.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.contrib.signal.overlap_and_add([[1, 2, 3], [10, 20, 30]], 2).numpy())
    [ 1  2 13 20 30]
    """
    with name_scope(name, "overlap_and_add", [signal, frame_step]):
        signal = convert_to_tensor(signal, name="signal")
        rank = signal.shape.ndims
        if rank is None or rank < 2:
            raise ValueError(f"The signal must have a known rank above 1, got {signal.shape}.")
        step = convert_to_tensor(frame_step, name="frame_step")
        if not step.dtype.is_integer:
            raise ValueError(f"frame_step must be an integer. Got {step.dtype.name}")
        step = _step(step)
        sizes = raw.Shape(signal)
        frames, length = sizes[-2], sizes[-1]
        total = raw.Maximum((frames - 1) * step + length, convert_to_tensor(0, dtypes.int32))
        # Frames first, since sums are of rows.
        signals = raw.Prod(sizes[:-2], 0)
        rows = transpose(reshape(signal, raw.Pack([signals, frames * length], axis=0)))
        places = reshape(_places(frames, length, step), [-1])
        summed = transpose(unsorted_segment_sum(rows, places, total))
        found = reshape(summed, concat([sizes[:-2], raw.ExpandDims(total, 0)], 0))
        known, by = signal.shape.as_list(), constant_value(step)
        whole = None
        if None not in known[-2:] and by is not None:
            whole = max(0, (known[-2] - 1) * int(by) + known[-1])
        found.set_shape([*known[:-2], whole])
        return found
