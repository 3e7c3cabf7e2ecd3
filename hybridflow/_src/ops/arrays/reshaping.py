"""Tensors as they are, or with the same elements in the same order in another shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes, settings
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import (
    REQUIRED,
    OpDef,
    Sample,
    no_gradient,
    not_differentiable,
)
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.static_value import constant_dims, constant_value
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.families import INDICES
from hybridflow._src.ops.grad_helpers import reshape_like

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "expand_dims",
    "guarantee_const",
    "identity",
    "identity_n",
    "reshape",
    "squeeze",
    "stop_gradient",
]


def _as_it_is(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64, np.int32, np.bool_):
        for dims in ((2, 3), (), (0, 2)):
            yield Sample(rng.uniform(-2, 2, dims).astype(dtype))


# -- identity --------------------------------------------------------------------------------------

_identity = OpDef(
    "Identity",
    "input: T -> output: T",
    shape=shape_rules.same,
    compute=lambda x: x,
    aliases=True,
    grad=lambda op, dy: dy,
    samples=_as_it_is,
)
_guarantee_const = OpDef(
    "GuaranteeConst",
    "input: T -> output: T",
    shape=shape_rules.same,
    compute=lambda x: x,
    aliases=True,
    grad=no_gradient,
    samples=_as_it_is,
)
_stop_gradient = OpDef(
    "StopGradient",
    "input: T -> output: T",
    shape=shape_rules.same,
    compute=lambda x: x,
    aliases=True,
    grad=not_differentiable,
    samples=_as_it_is,
)


def _identity_n_samples(rng: np.random.Generator) -> Iterable[Sample]:
    yield Sample([rng.normal(size=(2, 3)), rng.normal(size=2)], T=[dtypes.float64, dtypes.float64])
    yield Sample(
        [rng.normal(size=(2, 3)).astype(np.float32), np.array(3)], T=[dtypes.float32, dtypes.int64]
    )


_identity_n = OpDef(
    "IdentityN",
    "input: ... -> output: N*T",
    attrs={"T": REQUIRED},
    shape=lambda attrs, *inputs: [x._dims for x in inputs],
    compute=lambda *inputs, T: list(inputs),
    native=lambda b, *inputs, T: list(inputs),
    aliases=True,
    grad=lambda op, *dy: dy,
    samples=_identity_n_samples,
)


def identity(input: Any, name: str | None = None) -> Tensor:
    """A tensor with the shape and contents of `input`.

    Args:
      input: a tensor.
      name: name of the op.

    Returns: a tensor like `input`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.identity([1, 2]).numpy())
    [1 2]
    """
    return _identity(input, name=name)


def guarantee_const(input: Any, name: str | None = None) -> Tensor:
    """A tensor of which the program says that it does not change from run to run.

    TensorFlow hands that on to its compilers; here the value is what it is. There is no gradient.

    Args:
      input: tensor of any dtype.
      name: name of the op.

    Returns: the same tensor.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.guarantee_const([1, 2]).numpy())
    [1 2]
    """
    return _guarantee_const(input, name=name)


def identity_n(input: Any, name: str | None = None) -> list[Tensor]:
    """A list of tensors like those of a list, made by one op.

    Args:
      input: list of tensors of any dtypes.
      name: name of the op.

    Returns: a list of tensors.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     [t.dtype.name for t in hf.identity_n([1, 2.0])]
    ['int32', 'float32']
    """
    with name_scope(name, "IdentityN", input) as scope:
        tensors = [convert_to_tensor(x, name=f"input_{i}") for i, x in enumerate(input)]
        return _identity_n(tensors, T=[t.dtype.base_dtype for t in tensors], name=scope)


def stop_gradient(input: Any, name: str | None = None) -> Tensor:
    """`input`, taken as a constant when gradients are computed.

    Args:
      input: a tensor.
      name: name of the op.

    Returns: a tensor like `input` through which no gradient flows.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.GradientTape() as tape:
    ...     x = hf.constant(3.0)
    ...     tape.watch(x)
    ...     y = x * hf.stop_gradient(x)
    >>> with hf.eager_mode():
    ...     print(float(tape.gradient(y, x)))
    3.0
    """
    return _stop_gradient(input, name=name)


# -- reshape ---------------------------------------------------------------------------------------


def _product(sizes: Iterable[int]) -> int:
    product = 1
    for size in sizes:
        product *= size
    return product


def _reshape_shape(attrs: dict[str, Any], tensor: Tensor, shape: Tensor) -> shape_rules.Dims:
    shape_rules.with_rank(shape, 1)
    dims: Any = tensor._dims
    known = dims is not None and None not in dims
    value = constant_value(shape)
    if value is not None and known:
        return tuple(_resolved(value.tolist(), dims))
    if value is not None:
        _check_sizes(value.tolist())
    target = constant_dims(shape)
    if target is None or not known or target.count(None) > 1:
        return target
    # One size that is not known yet must be what the others leave, whether it will be -1 or not.
    sizes = [-1 if size is None else size for size in target]
    return target if 0 in sizes else tuple(_resolved(sizes, dims))


def _resolved(sizes: list[int], dims: tuple[int, ...]) -> list[int]:
    """The sizes that a tensor of shape `dims` gets, with the one that is -1 worked out."""
    _check_sizes(sizes)
    count = _product(dims)
    known = _product(size for size in sizes if size != -1)
    if -1 not in sizes:
        if known != count:
            listed = ",".join(map(str, sizes))
            raise ValueError(
                f"Cannot reshape a tensor with {count} elements to shape [{listed}] "
                f"({known} elements)"
            )
        return sizes
    if known == 0:
        # Any size would do: TF takes what is left when sizes of 0 do not count.
        count, known = (_product(size for size in part if size > 0) for part in (dims, sizes))
    if count % known:
        raise ValueError(f"Dimension size must be evenly divisible by {known} but is {count}")
    return [count // known if size == -1 else size for size in sizes]


def _check_sizes(sizes: list[int]) -> None:
    """Refuses sizes below -1, and -1 more than once."""
    free = None
    for index, size in enumerate(sizes):
        if size == -1 and free is not None:
            raise ValueError(f"Only one input size may be -1, not both {free} and {index}")
        if size == -1:
            free = index
        elif size < 0:
            raise ValueError(f"Size {index} must be non-negative, not {size}")


def _reshape(tensor: np.ndarray, shape: np.ndarray) -> np.ndarray:
    sizes = shape.tolist()
    if min(sizes, default=0) < -1 or (0 in sizes and -1 in sizes):
        # NumPy takes any negative size for -1, and finds no size next to a 0.
        sizes = _resolved(sizes, tensor.shape)
    return tensor.reshape(sizes)


def _reshape_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for dims, target in (
            ((2, 3), [3, 2]),
            ((2, 3), [-1]),
            ((4, 3), [2, -1, 3]),
            ((1,), []),
            ((), [1, 1]),
            ((0, 3), [-1, 3]),
            ((0, 3), [3, 0]),
            ((0, 3), [0, -1]),
        ):
            yield Sample(rng.normal(size=dims).astype(dtype), np.array(target, np.int32))
    yield Sample(rng.normal(size=(2, 3)), np.array([6], np.int64))


_reshape_op = OpDef(
    "Reshape",
    "tensor: T, shape: Tshape -> output: T",
    types={"Tshape": INDICES},
    shape=_reshape_shape,
    compute=_reshape,
    aliases=True,
    grad=lambda op, dy: (reshape_like(dy, op.inputs[0]), None),
    samples=_reshape_samples,
)


def reshape(tensor: Any, shape: Any, name: str | None = None) -> Tensor:
    """The elements of a tensor, in row-major order, in another shape.

    Args:
      tensor: a tensor.
      shape: the new shape, an integer vector; one size may be -1: it is what is left over.
      name: name of the op.

    Returns: a tensor of shape `shape`.

    Raises:
      ValueError: if the number of elements differs.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.reshape([1, 2, 3, 4, 5, 6], [2, -1]).numpy())
    [[1 2 3]
     [4 5 6]]
    """
    return _reshape_op(tensor, shape, name=name)


# -- expand_dims, squeeze --------------------------------------------------------------------------


def _expand_dims_shape(attrs: dict[str, Any], x: Tensor, dim: Tensor) -> shape_rules.Dims:
    dims = x._dims
    axis = constant_value(dim)
    if dims is None:
        return None
    if axis is None:
        return (None,) * (len(dims) + 1)
    at, rank = int(axis.reshape(())), len(dims)
    if not -rank - 1 <= at <= rank:
        raise ValueError(f"dim {at} not in the interval [{-rank - 1}, {rank}]")
    at %= rank + 1
    return (*dims[:at], 1, *dims[at:])


def _expand_dims_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for dims, axis in (((2, 3), 0), ((2, 3), 2), ((2, 3), -2), ((), -1), ((0, 2), 1)):
            yield Sample(rng.normal(size=dims).astype(dtype), np.array(axis, np.int32))


_expand_dims_op = OpDef(
    "ExpandDims",
    "input: T, dim: Tdim -> output: T",
    types={"Tdim": INDICES},
    shape=_expand_dims_shape,
    compute=lambda x, dim: np.expand_dims(x, int(dim.reshape(()))),
    aliases=True,
    grad=lambda op, dy: (reshape_like(dy, op.inputs[0]), None),
    samples=_expand_dims_samples,
)


def expand_dims(input: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Tensor:
    """A tensor with one more dimension, of size 1.

    Args:
      input: a tensor `[d0, ..., dn]`.
      axis: where the new dimension comes in; a negative one counts from the end of the result.
      name: name of the op.
      dim: an older name of `axis`.

    Returns: a tensor of rank `rank(input) + 1`.

    Raises:
      ValueError: if `axis` is out of range, or given twice.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.expand_dims([1, 2], 1).numpy())
    [[1]
     [2]]
    """
    if dim is not None:
        if axis is not None:
            raise ValueError("can't specify both 'dim' and 'axis'")
        axis = dim
    return _expand_dims_op(input, axis, name=name)


def _squeeze_shape(attrs: dict[str, Any], x: Tensor) -> shape_rules.Dims:
    dims = x._dims
    axes = attrs["squeeze_dims"]
    if dims is None:
        return None
    if not axes:
        # A size that is not known may turn out to be 1.
        return None if None in dims else tuple([d for d in dims if d != 1])
    rank = len(dims)
    drop = set()
    for index, axis in enumerate(axes):
        if not -rank <= axis < rank:
            raise ValueError(f"squeeze_dims[{index}] not in [{-rank},{rank})")
        if dims[axis] not in (1, None):
            raise ValueError(
                f"Can not squeeze dim[{axis % rank}], expected a dimension of 1, got {dims[axis]}"
            )
        drop.add(axis % rank)
    return tuple([d for i, d in enumerate(dims) if i not in drop])


def _squeeze_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        yield Sample(rng.normal(size=(1, 3, 1, 2)).astype(dtype))
        yield Sample(rng.normal(size=(1, 3, 1, 2)).astype(dtype), squeeze_dims=(-2,))
        yield Sample(rng.normal(size=(1, 1)).astype(dtype), squeeze_dims=(0, 1))
        yield Sample(rng.normal(size=(1, 0)).astype(dtype), squeeze_dims=(0,))
        yield Sample(rng.normal(size=()).astype(dtype))


_squeeze_op = OpDef(
    "Squeeze",
    "input: T -> output: T",
    attrs={"squeeze_dims": ()},
    shape=_squeeze_shape,
    compute=lambda x, squeeze_dims: np.squeeze(x, tuple(squeeze_dims) or None),
    aliases=True,
    grad=lambda op, dy: reshape_like(dy, op.inputs[0]),
    samples=_squeeze_samples,
)


def squeeze(
    input: Any, axis: Any = None, name: str | None = None, squeeze_dims: Any = None
) -> Tensor:
    """A tensor without its dimensions of size 1.

    Args:
      input: a tensor.
      axis: an int or list of ints: the dimensions to drop, which must have size 1; by default all
        that have.
      name: name of the op.
      squeeze_dims: an older name of `axis`.

    Returns: a tensor with the elements of `input`.

    Raises:
      ValueError: if a dimension named does not have size 1 or does not exist, or `axis` is given
        twice.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.squeeze([[[1], [2]]], axis=[0]).numpy())
    [[1]
     [2]]
    """
    if squeeze_dims is not None:
        if axis is not None:
            raise ValueError("Cannot specify both 'squeeze_dims' and 'axis'")
        axis = squeeze_dims
    axes = () if axis is None else tuple(settings.whole(a, "axis") for a in np.atleast_1d(axis))
    return _squeeze_op(input, squeeze_dims=axes, name=name)


def of_rows(tensor: Tensor) -> Tensor:
    """A tensor of which rows are looked up, though its gradient is to be a whole tensor: that of
    the lookups alone would be these rows.
    """
    same: Tensor = raw.Reshape(tensor, raw.Shape(tensor))
    same.set_shape(tensor.shape)
    return same
