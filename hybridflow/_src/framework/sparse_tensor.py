"""`SparseTensor`: a tensor of which only some elements are kept, with their places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.advice import explained
from hybridflow._src.framework.convert import (
    convert_to_tensor,
    register_tensor_conversion_function,
)
from hybridflow._src.framework.nest import Composite
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.static_value import constant_dims
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.framework.tensor_shape import TensorShape, dimension_at_index

_NO_TENSOR = (
    "A SparseTensor of shape {shape} does not become a dense tensor unasked: "
    "`hf.sparse_tensor_to_dense(s)` makes one, `hf.sparse_add` and the other sparse ops take it as "
    "it is, and `s.values` is the tensor of its elements."
)


class SparseTensorValue(NamedTuple):
    """The value of a `SparseTensor`, as `Session.run` gives and takes it.

    Attributes:
      indices: int64 array `[n, rank]`. values: array `[n]`. dense_shape: int64 array `[rank]`.

    >>> import hybridflow as hf
    >>> hf.SparseTensorValue([[0, 1]], [2.0], [1, 3]).dense_shape
    [1, 3]
    """

    indices: Any
    values: Any
    dense_shape: Any


class SparseTensor(Composite):
    """A tensor by its elements `values[i]` at `indices[i]`; all others are zero.

    Most sparse ops take the elements to stand in row-major order without repeats, as
    `hf.sparse_reorder` puts them; nothing checks that when the tensor is made.

    Args:
      indices: int64 tensor `[n, rank]`, or what can become one: the place of each element.
      values: tensor `[n]` of any dtype.
      dense_shape: int64 tensor `[rank]`: the shape of the whole tensor.

    Raises:
      ValueError: if the ranks or sizes of the three do not fit. TypeError: for indices that are no
        integers.

    In graph mode a `Session` takes values for one (see `hf.sparse_placeholder`) and gives
    `SparseTensorValue`s. The operators `sparse * dense`, `dense * sparse` and `sparse / dense` give
    sparse tensors; the dense side is broadcast.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     s = hf.SparseTensor([[0, 0], [1, 2]], [1.0, 2.0], [2, 4])
    ...     print(hf.sparse_tensor_to_dense(s).numpy())
    [[1. 0. 0. 0.]
     [0. 0. 2. 0.]]
    """

    # Programs may set attributes of their own, as Keras does.
    __slots__ = ("__dict__", "__weakref__", "_dense_shape", "_indices", "_values")

    # NumPy must leave `array * sparse` to the reflected operator.
    __array_priority__ = 100

    def __init__(self, indices: Any, values: Any, dense_shape: Any) -> None:
        with name_scope(None, "SparseTensor", [indices, values, dense_shape]):
            self._indices = convert_to_tensor(indices, dtypes.int64, "indices")
            self._values = convert_to_tensor(values, name="values")
            self._dense_shape = convert_to_tensor(dense_shape, dtypes.int64, "dense_shape")
        explained(self._check, self._described)

    def _check(self) -> None:
        places = self._indices.shape.with_rank(2)
        count = self._values.shape.with_rank(1)
        rank = self._dense_shape.shape.with_rank(1)
        dimension_at_index(places, 0).merge_with(count[0])
        dimension_at_index(places, 1).merge_with(rank[0])

    def _described(self) -> str:
        return (
            "A SparseTensor has indices [n, rank], values [n] and dense_shape [rank], got shapes "
            f"{self._indices.shape}, {self._values.shape}, {self._dense_shape.shape}"
        )

    @classmethod
    def from_value(cls, sparse_tensor_value: Any) -> SparseTensor:
        """A sparse tensor of the three parts of a `SparseTensorValue` or `SparseTensor`.

        Raises:
          TypeError: for anything else.
        """
        if not is_sparse(sparse_tensor_value):
            raise TypeError(
                f"Neither a SparseTensor nor SparseTensorValue: {sparse_tensor_value!r:.200}."
            )
        value = sparse_tensor_value
        return SparseTensor(value.indices, value.values, value.dense_shape)

    @property
    def indices(self) -> Tensor:
        """The places of the elements, int64 `[n, rank]`."""
        return self._indices

    @property
    def values(self) -> Tensor:
        """The elements, `[n]`."""
        return self._values

    @property
    def dense_shape(self) -> Tensor:
        """The shape of the whole tensor, int64 `[rank]`."""
        return self._dense_shape

    @property
    def shape(self) -> TensorShape:
        """What is known of the shape before the graph runs."""
        return TensorShape.of(constant_dims(self._dense_shape))

    def get_shape(self) -> TensorShape:
        """Alias of `shape`."""
        return self.shape

    @property
    def dtype(self) -> dtypes.DType:
        """The dtype of `values`."""
        return self._values.dtype

    @property
    def name(self) -> str:
        """The name of `values`."""
        return self._values.name

    @property
    def op(self) -> Any:
        """The operation of `values`."""
        return self._values.op

    @property
    def graph(self) -> Any:
        """The graph of `indices`."""
        return self._indices.graph

    def eval(self, feed_dict: Any = None, session: Any = None) -> Any:
        """Runs the graph for the value, in `session` or the default session.

        Returns: a `SparseTensorValue`.
        """
        return self.graph.evaluate(self, feed_dict, session)

    def with_values(self, values: Any) -> SparseTensor:
        """Other elements `[n]` at the same places.

        >>> import hybridflow as hf
        >>> with hf.eager_mode():
        ...     s = hf.SparseTensor([[1]], [2.0], [3])
        ...     print(s.with_values(s.values * 2.0).values.numpy())
        [4.]
        """
        return SparseTensor(self._indices, values, self._dense_shape)

    def _parts(self) -> list[Any]:
        return [self._indices, self._values, self._dense_shape]

    def _with_parts(self, parts: list[Any]) -> Any:
        """A sparse tensor of other parts; a `SparseTensorValue` where these are no tensors."""
        if all(isinstance(part, Tensor) for part in parts):
            return SparseTensor(*parts)
        return SparseTensorValue(*parts)

    def _part_shapes(self, shape: TensorShape) -> list[Any]:
        """Those of the parts where `dense_shape` has a shape: the number of elements may change."""
        shape = shape.with_rank(1)
        return [TensorShape([None, shape[0]]), TensorShape([None]), shape]

    if TYPE_CHECKING:
        # Installed by ops/operators.py.
        def __mul__(self, dense: Any) -> SparseTensor: ...
        def __rmul__(self, dense: Any) -> SparseTensor: ...
        def __truediv__(self, dense: Any) -> SparseTensor: ...

    def __str__(self) -> str:
        return (
            f"SparseTensor(indices={self._indices}, values={self._values}, "
            f"dense_shape={self._dense_shape})"
        )

    def __repr__(self) -> str:
        return (
            f"SparseTensor(indices={self._indices!r}, values={self._values!r}, "
            f"dense_shape={self._dense_shape!r})"
        )


def is_sparse(value: Any) -> bool:
    """Tells whether `value` is a `SparseTensor` or `SparseTensorValue`."""
    return isinstance(value, (SparseTensor, SparseTensorValue))


def as_sparse(value: Any, what: str = "Input") -> SparseTensor:
    """A `SparseTensor` as it is, a `SparseTensorValue` as one.

    Raises:
      TypeError: for anything else.
    """
    if isinstance(value, SparseTensor):
        return value
    if isinstance(value, SparseTensorValue):
        return SparseTensor.from_value(value)
    raise TypeError(
        f"{what} must be a SparseTensor, got {value!r:.200}. `hf.SparseTensor(indices, values, "
        "dense_shape)` makes one."
    )


def convert_to_tensor_or_sparse_tensor(
    value: Any, dtype: Any = None, name: str | None = None
) -> Any:
    """`convert_to_tensor`, except that sparse values become or stay a `SparseTensor`.

    Args:
      value: a `SparseTensor`, a `SparseTensorValue`, or what `convert_to_tensor` takes.
      dtype: the dtype that it must have.
      name: name of the op that is made, if one is.

    Returns: a `SparseTensor` or a tensor.

    Raises:
      RuntimeError: if a sparse value has another dtype. Otherwise as `convert_to_tensor` does.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     value = hf.SparseTensorValue([[1]], [2.0], [3])
    ...     print(hf.convert_to_tensor_or_sparse_tensor(value).shape)
    (3,)
    """
    if not is_sparse(value):
        return convert_to_tensor(value, dtype, name)
    sparse = as_sparse(value)
    if dtype is not None and not dtypes.as_dtype(dtype).is_compatible_with(sparse.dtype):
        raise RuntimeError(
            f"Sparse dtype: requested = {dtypes.as_dtype(dtype).name}, actual = {sparse.dtype.name}"
        )
    return sparse


def _refuse(value: SparseTensor, dtype: Any, name: str | None, as_ref: bool) -> Any:
    raise TypeError(_NO_TENSOR.format(shape=value.shape))


register_tensor_conversion_function(SparseTensor, _refuse)
