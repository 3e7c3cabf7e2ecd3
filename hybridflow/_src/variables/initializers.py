"""Initializers: functions from a shape and dtype to an initial value, with their settings."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.described import Described
from hybridflow._src.framework.registry import raw
from hybridflow._src.ops.arrays import constant, slicing
from hybridflow._src.ops.arrays.arranging import matrix_transpose
from hybridflow._src.ops.arrays.diagonal import diag_part, eye
from hybridflow._src.ops.arrays.reshaping import reshape
from hybridflow._src.ops.random import sampling

if TYPE_CHECKING:
    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "Constant",
    "Identity",
    "Initializer",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "Zeros",
]


class Initializer(Described):
    """Base of all initializers: `init(shape, dtype=None, partition_info=None)` gives a tensor.

    `partition_info`, where given, says which part of a partitioned variable is wanted (see
    `PartitionInfo`): scales then follow the whole variable's shape.
    """

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} must define __call__.")

    def get_config(self) -> dict[str, Any]:
        """The settings, as the constructor takes them."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        """The initializer with these settings."""
        return cls(**config)


class WithDtype(Initializer):
    """An initializer whose dtype can be set beforehand."""

    dtype: DType

    def _dtype_for(self, dtype: Any) -> DType:
        return self.dtype if dtype is None else dtypes.as_dtype(dtype)


def floating(dtype: Any) -> DType:
    """A dtype, checked to be a floating point one."""
    dtype = dtypes.as_dtype(dtype)
    if not dtype.is_floating:
        raise ValueError(f"Expected floating point type, got {dtype!r}.")
    return dtype


class Zeros(WithDtype):
    """All elements 0.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.zeros_initializer()([2]).numpy())
    [0. 0.]
    """

    def __init__(self, dtype: Any = dtypes.float32) -> None:
        self.dtype = dtypes.as_dtype(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        return constant.zeros(shape, self._dtype_for(dtype))

    def get_config(self) -> dict[str, Any]:
        return {"dtype": self.dtype.name}


class Ones(WithDtype):
    """All elements 1."""

    def __init__(self, dtype: Any = dtypes.float32) -> None:
        self.dtype = dtypes.as_dtype(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        return constant.ones(shape, self._dtype_for(dtype))

    def get_config(self) -> dict[str, Any]:
        return {"dtype": self.dtype.name}


class Constant(WithDtype):
    """Given values, in row-major order; missing ones repeat the last.

    Args:
      value: a number, or a list or array of at most as many elements as the variable has.
      dtype: used where the call names none.
      verify_shape: whether `value` must have exactly the shape asked for.

    Raises:
      TypeError: if `value` is of another type. ValueError (when called): if it has too many
        elements.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.constant_initializer([1, 2])([3]).numpy())
    [1. 2. 2.]
    """

    def __init__(
        self, value: Any = 0, dtype: Any = dtypes.float32, verify_shape: bool = False
    ) -> None:
        if not (np.isscalar(value) or isinstance(value, list | tuple | np.ndarray)):
            raise TypeError(
                f"Invalid type for initial value: {type(value)} (expected Python scalar, list or "
                "tuple of values, or numpy.ndarray)."
            )
        self.value = value
        self.dtype = dtypes.as_dtype(dtype)
        self._verify_shape = verify_shape

    def __call__(
        self,
        shape: Any,
        dtype: Any = None,
        partition_info: Any = None,
        verify_shape: bool | None = None,
    ) -> Tensor:
        verify = self._verify_shape if verify_shape is None else verify_shape
        return constant.constant(
            self.value, self._dtype_for(dtype), shape=shape, verify_shape=verify
        )

    def get_config(self) -> dict[str, Any]:
        return {"value": self.value, "dtype": self.dtype.name}


class RandomUniform(WithDtype):
    """Numbers from the uniform distribution on [minval, maxval).

    Args:
      minval, maxval: the range (for integers, maxval must be given).
      seed: see `set_random_seed`.
      dtype: used where the call names none.
    """

    def __init__(
        self,
        minval: Any = 0,
        maxval: Any = None,
        seed: int | None = None,
        dtype: Any = dtypes.float32,
    ) -> None:
        self.minval = minval
        self.maxval = maxval
        self.seed = seed
        self.dtype = dtypes.as_dtype(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        return sampling.random_uniform(
            shape, self.minval, self.maxval, self._dtype_for(dtype), seed=self.seed
        )

    def get_config(self) -> dict[str, Any]:
        return {
            "minval": self.minval,
            "maxval": self.maxval,
            "seed": self.seed,
            "dtype": self.dtype.name,
        }


class _Normal(WithDtype):
    def __init__(
        self,
        mean: float = 0.0,
        stddev: float = 1.0,
        seed: int | None = None,
        dtype: Any = dtypes.float32,
    ) -> None:
        self.mean = mean
        self.stddev = stddev
        self.seed = seed
        self.dtype = floating(dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            "mean": self.mean,
            "stddev": self.stddev,
            "seed": self.seed,
            "dtype": self.dtype.name,
        }


class RandomNormal(_Normal):
    """Numbers from the normal distribution with the given mean and standard deviation."""

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        return sampling.random_normal(
            shape, self.mean, self.stddev, self._dtype_for(dtype), seed=self.seed
        )


class TruncatedNormal(_Normal):
    """Normal numbers, drawn again where they lie farther than 2 stddev from the mean."""

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        return sampling.truncated_normal(
            shape, self.mean, self.stddev, self._dtype_for(dtype), seed=self.seed
        )


class Orthogonal(WithDtype):
    """A matrix with orthonormal columns (or rows, where it has fewer rows), times `gain`.

    All but the last dimension count as rows. It is the Q of the QR decomposition of a normal random
    matrix, with signs chosen so that Q is uniformly distributed.

    Reference: Saxe, McClelland, Ganguli: Exact solutions to the nonlinear dynamics of learning in
    deep linear neural networks (2014), arXiv:1312.6120.

    Raises:
      ValueError (when called): for fewer than two dimensions.

    >>> import hybridflow as hf
    >>> import numpy as np
    >>> with hf.eager_mode():
    ...     q = hf.orthogonal_initializer(seed=1)([4, 3]).numpy()
    >>> bool(np.allclose(q.T @ q, np.eye(3), atol=1e-6))
    True
    """

    def __init__(
        self, gain: float = 1.0, seed: int | None = None, dtype: Any = dtypes.float32
    ) -> None:
        self.gain = gain
        self.dtype = floating(dtype)
        self.seed = seed

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        dtype = self._dtype_for(dtype)
        shape = [int(d) for d in shape]
        if len(shape) < 2:
            raise ValueError("The tensor to initialize must be at least two-dimensional")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        tall = (max(rows, columns), min(rows, columns))
        normal = sampling.random_normal(tall, dtype=dtype, seed=self.seed)
        q, r = raw.Qr(normal, full_matrices=False)
        diagonal = diag_part(r)
        q = q * (diagonal / abs(diagonal))
        if rows < columns:
            q = matrix_transpose(q)
        return self.gain * reshape(q, shape)

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain, "seed": self.seed, "dtype": self.dtype.name}


class Identity(WithDtype):
    """The identity matrix times `gain`.

    Raises:
      ValueError (when called): for a shape that is not 2-D.
    """

    def __init__(self, gain: float = 1.0, dtype: Any = dtypes.float32) -> None:
        self.gain = gain
        self.dtype = floating(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        full_shape = shape if partition_info is None else partition_info.full_shape
        if len(full_shape) != 2:
            raise ValueError("Identity matrix initializer can only be used for 2D matrices.")
        rows, columns = map(int, full_shape)
        identity = eye(rows, columns, dtype=self._dtype_for(dtype))
        if partition_info is not None:
            identity = slicing.slice(identity, partition_info.var_offset, shape)
        return self.gain * identity

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain, "dtype": self.dtype.name}
