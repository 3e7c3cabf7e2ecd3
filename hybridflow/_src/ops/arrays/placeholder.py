"""Placeholders: tensors of a graph whose values come with each run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import REQUIRED, OpDef, Sample, not_differentiable
from hybridflow._src.framework.tensor_shape import TensorShape, as_shape, compatible, to_string

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["placeholder", "placeholder_with_default"]

_NOT_IN_EAGER = (
    "tf.placeholder() is not compatible with eager execution: ops run at once there, so pass the "
    "value itself, as a function argument for instance; or build a graph "
    "(`with hf.Graph().as_default():`)."
)


def _not_fed(dtype: Any, shape: TensorShape) -> Any:
    raise InvalidArgumentError(
        None,
        None,
        f"You must feed a value for placeholder tensor with dtype {dtype.name} and shape {shape}",
    )


_placeholder = OpDef(
    "Placeholder",
    "-> output: dtype",
    attrs={"dtype": REQUIRED, "shape": TensorShape(None)},
    shape=lambda attrs: attrs["shape"]._dims,
    compute=_not_fed,
    grad=not_differentiable,
    # It has no value of its own: nothing can be compared.
    samples=lambda rng: (),
)


def _default_shape(attrs: dict[str, Any], x: Tensor) -> Any:
    dims = attrs["shape"]._dims
    if not compatible(x._dims, dims):
        raise ValueError(
            f"The default has shape {to_string(x._dims)}, which is no {attrs['shape']}"
        )
    return dims


def _default_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for shape, declared in (((2, 3), None), ((2, 3), [None, 3]), ((), []), ((0, 2), [None, 2])):
            yield Sample(rng.normal(size=shape).astype(dtype), shape=TensorShape(declared))


_with_default = OpDef(
    "PlaceholderWithDefault",
    "input: T -> output: T",
    attrs={"shape": REQUIRED},
    shape=_default_shape,
    compute=lambda x, shape: x,
    aliases=True,
    checked=True,
    grad=lambda op, dy: dy,
    samples=_default_samples,
)


def placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> Tensor:
    """A tensor that must be fed: `session.run(fetches, feed_dict={placeholder: value})`.

    Args:
      dtype: dtype of the values to come.
      shape: their shape, where None stands for a size that is not known; None for any shape.
      name: name of the op.

    Returns: a tensor to build with; evaluating it without a feed is an error.

    Raises:
      RuntimeError: in eager mode, where values are there at once.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     print(hf.placeholder(hf.float32, [None, 3]))
    Tensor("Placeholder:0", shape=(?, 3), dtype=float32)
    """
    if context.modes.top.eager:
        raise RuntimeError(_NOT_IN_EAGER)
    return _placeholder(dtype=dtypes.as_dtype(dtype).base_dtype, shape=as_shape(shape), name=name)


def placeholder_with_default(input: Any, shape: Any, name: str | None = None) -> Tensor:
    """A tensor that may be fed, and is `input` where it is not.

    Args:
      input: the default, a tensor.
      shape: the shape of what may be fed: that of `input`, or a less specific one.
      name: name of the op.

    Returns: a tensor of the dtype of `input` and of shape `shape`.

    Raises:
      ValueError: if `input` has another shape.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     print(hf.placeholder_with_default([1.0, 2.0], [None]).shape)
    (?,)
    """
    return _with_default(input, shape=as_shape(shape), name=name)
