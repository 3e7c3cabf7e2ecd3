"""Arguments that layers share: sizes of windows, data formats, padding, whether one trains."""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import settings
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.static_value import constant_value as value_of
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.framework.tensor_shape import dimension_at_index
from hybridflow._src.ops.control_flow.conditional import cond
from hybridflow._src.variables.variable import Variable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_FORMATS = {
    "channels_last": {3: "NWC", 4: "NHWC", 5: "NDHWC"},
    "channels_first": {3: "NCW", 4: "NCHW", 5: "NCDHW"},
}


def convert_data_format(data_format: str, ndim: int) -> str:
    """ "channels_first" or "channels_last" as ops call it for a rank."""
    if data_format not in _FORMATS:
        raise ValueError("Invalid data_format:", data_format)
    if ndim not in _FORMATS[data_format]:
        raise ValueError("Input rank not supported:", ndim)
    return _FORMATS[data_format][ndim]


def normalize_tuple(value: Any, n: int, name: str) -> tuple[int, ...]:
    """A number, or n numbers, as a tuple of n numbers.

    Raises:
      ValueError: if it is neither; `name` names the argument.
    """
    if isinstance(value, numbers.Integral):
        value = (int(value),) * n
    problem = f"The `{name}` argument must be a tuple of {n} integers. Received: {value}"
    try:
        found = tuple(value)
    except TypeError:
        raise ValueError(problem) from None
    if len(found) != n:
        raise ValueError(problem)
    for item in found:
        try:
            int(item)
        except (ValueError, TypeError):
            raise ValueError(f"{problem} including element {item} of type {type(item)}") from None
    if min(map(int, found)) < 1:
        raise ValueError(f"{problem}, of which one is less than 1")
    return found


def check_activation(activation: Any) -> None:
    """Checks what a layer applies to its outputs.

    Raises:
      TypeError: if it is neither None nor a function.
    """
    if activation is not None and not callable(activation):
        raise TypeError(
            "The `activation` argument must be a callable, such as hf.nn.relu. Received: "
            f"{activation!r}"
        )


def normalize_data_format(value: str) -> str:
    """The data format in small letters.

    Raises:
      ValueError: if there is no such format.
    """
    if settings.string(value, "data_format").lower() not in _FORMATS:
        raise ValueError(
            'The `data_format` argument must be one of "channels_first", "channels_last". '
            f"Received: {value}"
        )
    return value.lower()


def normalize_padding(value: str) -> str:
    """The padding in small letters.

    Raises:
      ValueError: if there is no such padding.
    """
    if settings.string(value, "padding").lower() not in ("valid", "same"):
        raise ValueError(
            f'The `padding` argument must be one of "valid", "same". Received: {value.lower()}'
        )
    return value.lower()


def conv_output_length(
    input_length: int | None, filter_size: int, padding: str, stride: int, dilation: int = 1
) -> int | None:
    """The size that a convolution or pooling gives along an axis; None for an unknown one."""
    if input_length is None:
        return None
    reach = (filter_size - 1) * dilation
    more = {"same": 0, "valid": -reach, "full": reach}[padding]
    return (input_length + more + stride - 1) // stride


def conv_input_length(
    output_length: int | None, filter_size: int, padding: str, stride: int
) -> int | None:
    """The size of which a convolution gives `output_length`, as TF works it out."""
    if output_length is None:
        return None
    pad = {"same": filter_size // 2, "valid": 0, "full": filter_size - 1}[padding]
    return (output_length - 1) * stride - 2 * pad + filter_size


def deconv_output_length(input_length: Any, filter_size: int, padding: str, stride: int) -> Any:
    """The size that a transposed convolution gives along an axis, a number or a tensor."""
    if input_length is None:
        return None
    length = input_length * stride
    if padding == "valid":
        length += max(filter_size - stride, 0)
    elif padding == "full":
        length -= stride + filter_size - 2
    return length


def known_value(condition: Any) -> bool | None:
    """The value of a condition, None if it is known only when it runs.

    Raises:
      TypeError: if it is neither a bool nor a tensor or variable.
    """
    if isinstance(condition, (bool, int)):
        return bool(condition)
    if isinstance(condition, Variable):
        return None
    if not isinstance(condition, Tensor):
        raise TypeError("`pred` must be a Tensor, a Variable, or a Python bool.")
    value = value_of(condition)
    return None if value is None else bool(value)


def smart_cond(
    pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any], name: str | None = None
) -> Any:
    """`cond`, or one of the functions at once where the condition is known.

    Args:
      pred: a Python bool, the numbers 0 and 1, or a tensor or variable of dtype bool, `[]`.
      true_fn, false_fn: functions of no arguments, which give tensors of the same structure.
      name: name of the conditional.

    Raises:
      TypeError: if `pred` is something else.

    >>> import hybridflow as hf
    >>> hf.contrib.framework.smart_cond(True, lambda: "yes", lambda: "no")
    'yes'
    """
    known = known_value(pred)
    if known is None:
        return cond(pred, true_fn, false_fn, name=name)
    return true_fn() if known else false_fn()


def with_dtype(inputs: Any) -> Any:
    """Inputs of a layer that takes its dtype from them: a list or number becomes a tensor."""
    return inputs if hasattr(inputs, "get_shape") else convert_to_tensor(inputs)


def channel_axis(data_format: str) -> int:
    """The axis of the channels."""
    return 1 if data_format == "channels_first" else -1


def known_channels(layer_name: str, input_shape: Any, axis: int) -> int:
    """The number of channels in a shape.

    Raises:
      ValueError: if it is unknown.
    """
    size = dimension_at_index(input_shape, axis).value
    if size is None:
        raise ValueError(
            f"The channel dimension of the inputs to `{layer_name}` should be defined. Found "
            f"`None` in {input_shape}."
        )
    return int(size)


def space_of(shape: Sequence[Any], data_format: str) -> list[Any]:
    """The sizes that are neither batch nor channels."""
    return list(shape[2:] if data_format == "channels_first" else shape[1:-1])


def around_space(batch: Any, space: Sequence[Any], channels: Any, data_format: str) -> list[Any]:
    """A shape of its parts."""
    if data_format == "channels_first":
        return [batch, channels, *space]
    return [batch, *space, channels]
