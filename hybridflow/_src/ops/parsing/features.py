"""What programs say of the features of examples."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.framework.tensor_shape import TensorShape, as_shape, dimension_at_index
from hybridflow._src.ops.sparse.merging import sparse_merge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hybridflow._src.framework.dtypes import DType

__all__ = ["FixedLenFeature", "FixedLenSequenceFeature", "SparseFeature", "VarLenFeature"]

_TYPES = (dtypes.float32, dtypes.int64, dtypes.string)
_NO_NAME = re.compile(r"[^A-Za-z0-9_.\-/]")


class VarLenFeature(NamedTuple):
    """A feature with any number of values: it becomes a `SparseTensor`.

    Attributes:
      dtype: float32, int64 or string.
    """

    dtype: Any


class SparseFeature(NamedTuple):
    """The values of one feature, at the places that others name: a `SparseTensor`.

    Attributes:
      index_key: the name of the feature with the places, or a list of names, one for each
        dimension.
      value_key: the name of the feature with the values.
      dtype: that of the values.
      size: the size of the dimension, or a list of them.
      already_sorted: whether the places are in order.
    """

    index_key: Any
    value_key: str
    dtype: Any
    size: Any
    already_sorted: bool = False


class FixedLenFeature(NamedTuple):
    """A feature with a fixed number of values: it becomes a dense tensor.

    Attributes:
      shape: that of one example's values.
      dtype: float32, int64 or string.
      default_value: stands for the values where an example lacks the feature; it is an error if
        there is none.
    """

    shape: Any
    dtype: Any
    default_value: Any = None


class FixedLenSequenceFeature(NamedTuple):
    """A feature with values of a fixed shape, any number of times: a dense tensor, padded.

    Attributes:
      shape: that of one of the values.
      dtype: float32, int64 or string.
      allow_missing: whether an example may lack the feature.
      default_value: what is padded with: a scalar, by default 0 or "".
    """

    shape: Any
    dtype: Any
    allow_missing: bool = False
    default_value: Any = None


class Specs:
    """Features in the order in which ops take them.

    Attributes:
      sparse: dtypes by key. dense: `Dense` by key.
    """

    def __init__(self, features: Mapping[str, Any] | None, allowed: tuple[type, ...]) -> None:
        self.sparse: dict[str, DType] = {}
        self.dense: dict[str, Dense] = {}
        self._features = dict(features or {})
        for key in sorted(self._features):
            feature: Any = self._features[key]
            _check_kind(key, feature, allowed)
            if not feature.dtype:
                raise ValueError(f"Missing type for feature {key}.")
            if isinstance(feature, VarLenFeature):
                self._add_sparse(key, feature.dtype)
            elif isinstance(feature, SparseFeature):
                self._add_parts(feature)
            else:
                self.dense[key] = Dense(key, feature)

    def _add_sparse(self, key: str, dtype: Any) -> None:
        wanted = _checked(dtype, key)
        known = self.sparse.setdefault(key, wanted)
        if known is not wanted:
            raise ValueError(f"Conflicting type {known.name} vs {wanted.name} for feature {key}.")

    def _add_parts(self, feature: SparseFeature) -> None:
        if not feature.index_key:
            raise ValueError(f"Missing index_key for SparseFeature {feature}.")
        if not feature.value_key:
            raise ValueError(f"Missing value_key for SparseFeature {feature}.")
        for key in sorted(_listed(feature.index_key)):
            self._add_sparse(key, dtypes.int64)
        self._add_sparse(feature.value_key, feature.dtype)

    def check(self) -> None:
        """Checks that there is something, and nothing twice.

        Raises:
          ValueError: if not.
        """
        if not self.sparse and not self.dense:
            raise ValueError("Must provide at least one sparse key or dense key")
        both = set(self.sparse) & set(self.dense)
        if both:
            raise ValueError(f"Dense and sparse keys must not intersect; intersection: {both}")

    def named(self, found: dict[str, Any]) -> dict[str, Any]:
        """What programs asked for, of the tensors that were parsed for each key."""
        result = {}
        for key, feature in self._features.items():
            if isinstance(feature, SparseFeature):
                ids = [found[name] for name in _listed(feature.index_key)]
                result[key] = sparse_merge(
                    ids[0] if isinstance(feature.index_key, str) else ids,
                    found[feature.value_key],
                    vocab_size=feature.size,
                    already_sorted=feature.already_sorted,
                )
            else:
                result[key] = found[key]
        return result


def _check_kind(key: str, feature: object, allowed: tuple[type, ...]) -> None:
    if isinstance(feature, allowed):
        return
    known = VarLenFeature | SparseFeature | FixedLenFeature | FixedLenSequenceFeature
    if isinstance(feature, known):
        raise ValueError(f"Unsupported {type(feature).__name__} {feature}.")
    raise ValueError(f"Invalid feature {key}:{feature}.")


def _listed(keys: Any) -> list[str]:
    return [keys] if isinstance(keys, str) else list(keys)


def _checked(dtype: Any, key: str) -> DType:
    found = dtypes.as_dtype(dtype).base_dtype
    if found not in _TYPES:
        names = ", ".join(d.name for d in _TYPES)
        raise ValueError(f"Feature {key} is of dtype {found.name}: examples have {names}.")
    return found


class Dense:
    """A feature that becomes a dense tensor.

    Attributes:
      shape: that of one example's values, the first size unknown if it `varies`.
      allow_missing: whether it may be missing in a sequence.
    """

    def __init__(self, key: str, feature: FixedLenFeature | FixedLenSequenceFeature) -> None:
        self.key = key
        self.dtype = _checked(feature.dtype, key)
        if feature.shape is None:
            raise ValueError(f"Missing shape for feature {key}.")
        self.shape: TensorShape = as_shape(feature.shape)
        self.varies = isinstance(feature, FixedLenSequenceFeature)
        self.allow_missing = bool(getattr(feature, "allow_missing", False))
        self._default = feature.default_value
        if not self.varies and not self.shape.is_fully_defined():
            if self.shape.ndims and dimension_at_index(self.shape, 0).value is None:
                raise ValueError(
                    f"First dimension of shape for feature {key} unknown. Consider using "
                    "FixedLenSequenceFeature."
                )
            raise ValueError(
                f"All dimensions of shape for feature {key} need to be known but received "
                f"{feature.shape}."
            )

    def in_batches(self) -> None:
        """Has the values of an example stand along a first dimension, if they vary in number.

        Raises:
          ValueError: if it may not be missing then.
        """
        if self.varies:
            if not self.allow_missing:
                raise ValueError(
                    "Unsupported: FixedLenSequenceFeature requires allow_missing to be True."
                )
            self.shape = as_shape([None]).concatenate(self.shape)

    def default(self) -> Tensor:
        """The tensor that stands for it, empty if there is none; a scalar to pad with."""
        value = self._default
        name = _NO_NAME.sub("_", self.key)
        if self.varies:
            if value is None:
                value = "" if self.dtype is dtypes.string else 0
            padding = convert_to_tensor(value, self.dtype, name=f"padding_{name}")
            found: Tensor = raw.Reshape(padding, [])
            return found
        if value is None:
            return convert_to_tensor([], self.dtype, name="Const")
        if isinstance(value, Tensor):
            return value
        found = raw.Reshape(
            convert_to_tensor(value, self.dtype, name=f"key_{name}"), self.shape.as_list()
        )
        return found
