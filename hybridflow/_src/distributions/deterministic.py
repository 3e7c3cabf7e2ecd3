"""`Deterministic` and `VectorDeterministic`: always the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.distributions.distribution import FULLY_REPARAMETERIZED, Distribution
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.reshaping import identity, reshape
from hybridflow._src.ops.math.comparison import greater_equal, less_equal
from hybridflow._src.ops.math.reductions import reduce_all

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["Deterministic", "VectorDeterministic"]


class _AtOnePlace(Distribution):
    """A distribution of one value, `loc`, and of what is as near to it as tolerances say."""

    def __init__(
        self,
        loc: Any,
        atol: Any,
        rtol: Any,
        validate_args: bool,
        allow_nan_stats: bool,
        name: str,
        parameters: dict[str, Any],
    ) -> None:
        with name_scope(name, values=[loc, atol, rtol]):
            self._loc = convert_to_tensor(loc, name="loc")
            dtype = self._loc.dtype.base_dtype
            self._atol = convert_to_tensor(0 if atol is None else atol, dtype, name="atol")
            self._rtol = convert_to_tensor(0 if rtol is None else rtol, dtype, name="rtol")
        super().__init__(
            dtype,
            FULLY_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            parameters,
            [self._loc, self._atol, self._rtol],
            name,
        )

    @property
    def loc(self) -> Tensor:
        """The value."""
        return self._loc

    @property
    def atol(self) -> Tensor:
        """How far from the value others may be that count as the same."""
        return self._atol

    @property
    def rtol(self) -> Tensor:
        """The same, as a part of the value."""
        return self._rtol

    def _near(self, x: Tensor) -> Tensor:
        return less_equal(raw.Abs(x - self._loc), self._slack())

    def _slack(self) -> Any:
        return self._atol + self._rtol * raw.Abs(self._loc)

    def _sample_n(self, n: Any, seed: int | None) -> Any:
        sizes = concat([reshape(n, [1]), raw.Shape(self._loc)], 0)
        return self._loc + raw.Fill(sizes, convert_to_tensor(0, self.dtype))

    def _mean(self) -> Tensor:
        return identity(self._loc)

    def _mode(self) -> Tensor:
        return self._mean()

    def _variance(self) -> Tensor:
        return raw.ZerosLike(self._loc)

    def _entropy(self) -> Tensor:
        return raw.Fill(self.batch_shape_tensor(), convert_to_tensor(0, self.dtype))


class Deterministic(_AtOnePlace):
    """The distribution of one number, which comes always.

    Args:
      loc: tensor, the number.
      atol, rtol: a value x counts as that number if `|x - loc| <= atol + rtol |loc|`; 0 by default.
      validate_args: accepted; there is nothing to check.
      allow_nan_stats: whether a quantity that is not defined is NaN; else it is an error.
      name: how scopes of ops begin.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.distributions.Deterministic([1.0, 2.0])
    ...     print(x.sample().numpy(), x.prob(2.0).numpy(), x.cdf(1.5).numpy())
    [1. 2.] [0. 1.] [1. 0.]
    """

    def __init__(
        self,
        loc: Any,
        atol: Any = None,
        rtol: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Deterministic",
    ) -> None:
        super().__init__(loc, atol, rtol, validate_args, allow_nan_stats, name, locals())

    def _batch_shape(self) -> TensorShape:
        return self._loc.shape

    def _batch_shape_tensor(self) -> Tensor:
        return raw.Shape(self._loc)

    def _event_shape(self) -> TensorShape:
        return TensorShape([])

    def _event_shape_tensor(self) -> Tensor:
        return convert_to_tensor([], dtypes.int32)

    def _prob(self, x: Tensor) -> Tensor:
        return cast(self._near(x), self.dtype)

    def _cdf(self, x: Tensor) -> Tensor:
        return cast(greater_equal(x, self._loc - self._slack()), self.dtype)


class VectorDeterministic(_AtOnePlace):
    """The distribution of one vector, which comes always.

    Args:
      loc: tensor `[..., k]`, the vector.
      atol, rtol: as for `Deterministic`.
      validate_args, allow_nan_stats, name: as for `Deterministic`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.contrib.distributions.VectorDeterministic([1.0, 2.0])
    ...     print(x.prob([[1.0, 2.0], [1.0, 1.0]]).numpy())
    [1. 0.]
    """

    def __init__(
        self,
        loc: Any,
        atol: Any = None,
        rtol: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "VectorDeterministic",
    ) -> None:
        super().__init__(loc, atol, rtol, validate_args, allow_nan_stats, name, locals())

    def _batch_shape(self) -> TensorShape:
        return self._loc.shape[:-1]

    def _batch_shape_tensor(self) -> Tensor:
        return raw.Shape(self._loc)[:-1]

    def _event_shape(self) -> TensorShape:
        return self._loc.shape[-1:]

    def _event_shape_tensor(self) -> Tensor:
        return raw.Shape(self._loc)[-1:]

    def _prob(self, x: Tensor) -> Tensor:
        return cast(reduce_all(self._near(x), -1), self.dtype)
