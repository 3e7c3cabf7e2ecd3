"""Symbolic tensors: what an `Operation` of a graph will yield."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from hybridflow._src.framework import described, dtypes
from hybridflow._src.framework.advice import advise_on_attributes, made_at
from hybridflow._src.framework.reference import Referable
from hybridflow._src.framework.tensor_shape import TensorShape, as_shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hybridflow._src.framework.graph import Graph
    from hybridflow._src.framework.operation import Operation

_NO_TRUTH_VALUE = (
    "Using a `tf.Tensor` as a Python `bool` is not allowed: {tensor} belongs to a graph and has no "
    "value while the graph is built{made}. Use `if t is not None:` to test whether a tensor is "
    "defined, and `hf.cond(t, f, g)`, `hf.where` or `hf.while_loop` to make the program depend on "
    "its value."
)
_NOT_ITERABLE = (
    "`Tensor` objects are not iterable when eager execution is not enabled: {tensor} belongs to a "
    "graph, and its values are known only when a Session runs it. Use `hf.unstack(t)` for a list "
    "of its rows, or `hf.map_fn`."
)


def _no_value(tensor: Tensor, wanted: str) -> str:
    """Why a tensor of a graph cannot be what Python asks for while the graph is built."""
    if tensor.graph.building_function:
        return (
            f"{tensor} cannot become {wanted}: this function is being traced, once for all its "
            "calls (as one for `dataset.map` or `hf.function` is), and tensors have no values "
            "meanwhile. Give it a Python number instead of the tensor (each is traced by itself), "
            "let `hf.while_loop` or `hf.cond` depend on the tensor, or run Python on its value by "
            "`hf.py_func`."
        )
    return (
        f"{tensor} cannot become {wanted}: it belongs to a graph, and has no value while the graph "
        f"is built{made_at(tensor.op)}. `session.run(t)` gives its value; in eager mode "
        "(`with hf.eager_mode():`) it has one at once."
    )


class Tensor(Referable):
    """One output of an `Operation`: a dtype, a static shape (parts may be unknown), no value.

    Tensors compare and hash by identity, as in TF 1.4. Python operators build ops.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     x = hf.placeholder(hf.float32, [None, 3], name="x")
    ...     print(x)
    Tensor("x:0", shape=(?, 3), dtype=float32)
    """

    # `assign` is set where the tensor is a part of a variable: `v[1:2].assign(x)`. Programs set
    # attributes of their own, as on TensorFlow's.
    __slots__ = (
        "__dict__",
        "__weakref__",
        "_consumers",
        "_dims",
        "_dtype",
        "assign",
        "op",
        "value_index",
    )

    # Names of the methods that make tensors of operators, for classes that pass them on.
    OVERLOADABLE_OPERATORS: ClassVar[set[str]] = set()

    op: Operation
    value_index: int
    _dims: tuple[int | None, ...] | None

    # NumPy must leave `array + tensor` to the reflected operator below.
    __array_priority__ = 100

    def __init__(
        self,
        op: Operation,
        value_index: int,
        dtype: dtypes.DType,
        dims: tuple[int | None, ...] | None,
    ) -> None:
        self.op = op
        self.value_index = value_index
        self._dtype = dtype
        self._dims = dims
        self._consumers: list[Operation] | None = None

    @property
    def dtype(self) -> dtypes.DType:
        """The `DType` of the elements."""
        return self._dtype

    @property
    def graph(self) -> Graph:
        """The `Graph` that this tensor belongs to."""
        return self.op.graph

    @property
    def name(self) -> str:
        """The name of the tensor: "<op name>:<output index>"."""
        return f"{self.op.name}:{self.value_index}"

    @property
    def device(self) -> str:
        """The name of the device on which the tensor will be made, or ""."""
        return self.op.device

    @property
    def shape(self) -> TensorShape:
        """The static shape; unknown parts are None."""
        return TensorShape.of(self._dims)

    def get_shape(self) -> TensorShape:
        """Alias of `shape`."""
        return TensorShape.of(self._dims)

    def _shape_tuple(self) -> tuple[int | None, ...] | None:
        """The static shape as a tuple, as TensorFlow's own code asks for it."""
        return self._dims

    def _shape_as_list(self) -> list[int | None] | None:
        """The static shape as a list."""
        return None if self._dims is None else list(self._dims)

    def set_shape(self, shape: Any) -> None:
        """Adds what is known of the shape (it is merged with the shape so far).

        Raises:
          ValueError: if `shape` contradicts what is known.
        """
        self._dims = self.shape.merge_with(as_shape(shape))._dims

    def consumers(self) -> list[Operation]:
        """The operations that take this tensor as an input."""
        return list(self._consumers or ())

    def eval(self, feed_dict: Any = None, session: Any = None) -> Any:
        """Runs the graph for this tensor's value, in `session` or the default session.

        Returns: a NumPy array or scalar.
        """
        return self.graph.evaluate(self, feed_dict, session)

    def _as_tf_output(self) -> Tensor:
        """The tensor: what TensorFlow's C interface knows it by."""
        return self

    def __nonzero__(self) -> bool:
        """`bool(self)`, by Python 2's name, which libraries look for."""
        return bool(self)

    def __bool__(self) -> bool:
        raise TypeError(_NO_TRUTH_VALUE.format(tensor=self, made=made_at(self.op)))

    def __int__(self) -> int:
        raise TypeError(_no_value(self, "an int"))

    def __float__(self) -> float:
        raise TypeError(_no_value(self, "a float"))

    def __index__(self) -> int:
        raise TypeError(_no_value(self, "an index, or a number for `range`"))

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        raise TypeError(
            f"{self!r} cannot be changed: tensors are values. Make a new one, with `hf.where` for "
            "instance; a part of a variable is written by `v[...].assign(value)`."
        )

    if not TYPE_CHECKING:

        @property
        def numpy(self) -> Any:
            raise AttributeError(f"numpy() is for eager tensors. {_no_value(self, 'an array')}")

    def __iter__(self) -> Iterator[Tensor]:
        raise TypeError(_NOT_ITERABLE.format(tensor=self))

    def __len__(self) -> int:
        raise TypeError(
            f"len() is not defined for {self}: its size may be known only when the graph runs. "
            "Use `t.shape[0]` for the static size, `hf.shape(t)[0]` for the size in the graph."
        )

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError(
            f"{self} has no value while its graph is built, so NumPy cannot use it"
            f"{made_at(self.op)}. Use hybridflow's op of the same name, or `session.run(t)` for "
            "its value."
        )

    def __copy__(self) -> Tensor:
        return self

    def __deepcopy__(self, memo: Any) -> Tensor:
        return self

    def __reduce__(self) -> Any:
        raise TypeError(
            f"{self} is part of a graph and cannot be pickled. Pickle its name or its value, "
            "`session.run(t)`."
        )

    def __str__(self) -> str:
        shape = "" if self._dims is None else f", shape={self.shape}"
        device = f", device={self.device}" if self.device else ""
        return f'Tensor("{self.name}"{shape}, dtype={self._dtype.name}{device})'

    def __repr__(self) -> str:
        form = f"shape={self.shape} dtype={self._dtype.name}"
        return f"<{described.library}.Tensor '{self.name}' {form}>"

    if TYPE_CHECKING:
        # Installed by ops/operators.py on tensors and variables alike.
        def _binary(self, other: Any) -> Tensor: ...
        def _unary(self) -> Tensor: ...

        __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _binary
        __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _binary
        __pow__ = __rpow__ = __matmul__ = __rmatmul__ = _binary
        __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = _binary
        __lt__ = __le__ = __gt__ = __ge__ = _binary
        __neg__ = __abs__ = __invert__ = _unary

        def __getitem__(self, index: Any) -> Tensor: ...


advise_on_attributes(Tensor)


def is_dense_tensor_like(value: object) -> bool:
    """Tells whether `value` is a tensor, or a variable that reads as one."""
    return isinstance(value, Tensor) or hasattr(type(value), "_as_tensor")
