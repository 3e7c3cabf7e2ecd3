"""`EagerVariable`: the resource variable of eager mode, which has its value at once."""

from __future__ import annotations

import copy
import itertools
import operator
import weakref
from typing import TYPE_CHECKING, Any, NoReturn

from hybridflow._src.framework import context, described, dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.dispatch import EagerOp, record
from hybridflow._src.framework.eager_tensor import EagerTensor, wrap
from hybridflow._src.framework.graph_keys import current_collections
from hybridflow._src.framework.graph_scope import Scope, check_name
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import (
    current_device,
    current_name_scope,
    init_scope,
    name_scope,
)
from hybridflow._src.framework.storage import Storage
from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.framework.traceback import capture, resolve
from hybridflow._src.variables.initial_value import check_initial
from hybridflow._src.variables.overload import overload
from hybridflow._src.variables.replication import is_trainable
from hybridflow._src.variables.resource_variable import ResourceVariable
from hybridflow._src.variables.variable import Variable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np

    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.framework.traceback import Frame

_DEVICE = "/job:localhost/replica:0/task:0/device:CPU:0"
# Tapes give variables in the order in which they were made.
_numbers = itertools.count()


class EagerVariable(ResourceVariable):
    """What `Variable(...)`, `ResourceVariable(...)` and `get_variable(...)` make in eager mode.

    Its value is an array that is replaced by each write, so what was read stays as it was. It can
    be used in functions that `hf.function` traces.

    Args: as for `Variable`; a caching device has no effect.

    Raises:
      ValueError: as for `Variable`, and for a `variable_def`, which belongs to a graph.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     v = hf.Variable([1.0, 2.0], name="v")
    ...     _ = v.assign_add([1.0, 1.0])
    >>> v
    <hf.Variable 'v:0' shape=(2,) dtype=float32 device=CPU:0, numpy=array([2., 3.], dtype=float32)>
    """

    _eager = True
    _cached = None

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool | None = True,
        collections: Any = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: Any = None,
        dtype: Any = None,
        expected_shape: Any = None,
        import_scope: str | None = None,
        constraint: Callable[[Tensor], Tensor] | None = None,
        use_resource: bool | None = None,
        synchronization: Any = None,
        aggregation: Any = None,
        shape: Any = None,
    ) -> None:
        trainable = is_trainable(trainable, synchronization, aggregation)
        expected_shape = shape if expected_shape is None else expected_shape
        if variable_def is not None:
            raise ValueError(
                "Creating a variable from variable_def is only supported in graph mode."
            )
        collections = self._admit(initial_value, trainable, collections, name, constraint)
        with init_scope(), _checked_scope(name or "Variable") as scope:
            with name_scope("Initializer"), context.eager_kernels.anew():
                value = initial_value() if callable(initial_value) else initial_value
                initial = convert_to_tensor(value, dtype, "initial_value")
            check_initial(initial, scope, validate_shape, expected_shape)
            self._name = scope.rstrip("/")
            self._dtype = initial._dtype.base_dtype
            self._dims = initial._dims if validate_shape else None
            self._device = current_device() or _DEVICE
            self._storage = Storage(self._name, initial._a)  # type: ignore[attr-defined]
            self._storage.variable = weakref.ref(self)
            self._frames = capture(2)
            self._number = next(_numbers)
            self._handle = EagerTensor(self._storage, dtypes.resource)
            current_collections().add_weakly(collections, self)

    # -- what it is --------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The name, ending in ":0"."""
        return f"{self._name}:0"

    @property
    def device(self) -> str:
        """The device of the variable."""
        return self._device

    @property
    def initializer(self) -> None:
        """None: it has its initial value."""
        return None

    @property
    def initial_value(self) -> Tensor:
        """Not kept in eager mode.

        Raises:
          RuntimeError: always.
        """
        raise RuntimeError(
            f"initial_value not supported in EAGER mode: '{self.name}' does not keep it."
        )

    if not TYPE_CHECKING:

        @property
        def op(self) -> Any:
            raise self._of_no_graph("op")

        @property
        def graph(self) -> Any:
            raise self._of_no_graph("graph")

    def _of_no_graph(self, what: str) -> AttributeError:
        return AttributeError(
            f"`{what}` is meaningless when eager execution is enabled: variable '{self.name}' "
            "belongs to no graph, and has its value already (`v.numpy()`)."
        )

    def to_proto(self, export_scope: str | None = None) -> Any:
        """Not available: there are no ops to name.

        Raises:
          RuntimeError: always.
        """
        raise RuntimeError(f"to_proto not supported in EAGER mode (variable '{self.name}').")

    # -- its value ---------------------------------------------------------------------------------

    def _read(self) -> Tensor:
        if not context.modes.entries[-1].item.eager:
            return super()._read()
        tapes = context.tapes.entries[-1].item
        if not tapes:
            return wrap(self._storage.read(), self._dtype)
        if self._trainable:
            for tape in tapes:
                tape.watch_variable(self)
        value = wrap(self._storage.read(), self._dtype)
        attrs = {"dtype": self._dtype, "shape": TensorShape.of(self._dims)}
        record(EagerOp(raw.ReadVariableOp, (self._handle,), [value], attrs))
        return value

    def value(self) -> Tensor:
        """The value as a tensor."""
        return self._read()

    def read_value(self) -> Tensor:
        """The value as a tensor."""
        return self._read() if context.modes.entries[-1].item.eager else super().read_value()

    def initialized_value(self) -> Tensor:
        """The value: it always has one."""
        return self._read()

    def eval(self, session: Any = None) -> Any:
        """Not available in eager mode: use `numpy()`.

        Raises:
          RuntimeError: always.
        """
        raise RuntimeError(
            f"Trying to eval in EAGER mode: use `v.numpy()` (variable '{self.name}')."
        )

    def numpy(self) -> Any:
        """The value as an array of the caller's own, or a NumPy scalar for rank 0.

        Raises:
          RuntimeError: in a function being traced, where the value is not known yet.
        """
        value: Any = self._here()
        if value.__class__ is not EagerTensor:
            raise RuntimeError(
                "numpy() is only available when eager execution is enabled: variable "
                f"'{self.name}' is used in a function being traced, where `read_value()` gives it."
            )
        return value.numpy()

    def load(self, value: Any, session: Any = None) -> None:
        """Writes a Python or NumPy value into the variable."""
        self.assign(value)

    def _now(self) -> EagerTensor:
        return wrap(self._storage.read(), self._dtype)

    def _here(self) -> Any:
        """The value now; in a function being traced the tensor of its graph that will have it."""
        traced = not context.modes.entries[-1].item.eager and get_default_graph().building_function
        return self._read() if traced else self._now()

    def _as_graph_element(self) -> Any:
        return self._here()

    # -- Python and NumPy protocols ----------------------------------------------------------------

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        return self._here().__array__(*args, **kwargs)

    def __bool__(self) -> bool:
        return bool(self._here())

    def __int__(self) -> int:
        return int(self._here())

    def __float__(self) -> float:
        return float(self._here())

    def __complex__(self) -> complex:
        return complex(self._here())

    def __index__(self) -> int:
        return operator.index(self._here())

    def __format__(self, spec: str) -> str:
        return format(self._here(), spec) if spec else str(self)

    def __len__(self) -> int:
        return len(self._here())

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self._read())

    def __reduce__(self) -> tuple[Callable[..., EagerVariable], tuple[Any, ...]]:
        """By `copy` and `pickle`: another variable of the same name and value."""
        return _another, (
            self._now().numpy(),
            self._trainable,
            self._dims is not None,
            self._name,
            self._dtype,
            self._constraint,
            self._save_slice_info,
        )

    def __copy__(self) -> EagerVariable:
        make, parts = self.__reduce__()
        return make(*parts)

    def __deepcopy__(self, memo: dict[int, Any]) -> EagerVariable:
        make, parts = self.__reduce__()
        return make(*copy.deepcopy(parts, memo))

    def __iadd__(self, value: Any) -> NoReturn:
        raise _in_place("+", "`v.assign_add(value)`")

    def __isub__(self, value: Any) -> NoReturn:
        raise _in_place("-", "`v.assign_sub(value)`")

    def __imul__(self, value: Any) -> NoReturn:
        raise _in_place("*", "`v.assign(v * value)`")

    def __itruediv__(self, value: Any) -> NoReturn:
        raise _in_place("/", "`v.assign(v / value)`")

    def __ipow__(self, value: Any) -> NoReturn:
        raise _in_place("**", "`v.assign(v ** value)`")

    def __repr__(self) -> str:
        return (
            f"<{described.library}.Variable {self._description()}, numpy={self._now()._text(repr)}>"
        )

    def _made_at(self) -> list[Frame]:
        return resolve(self._frames)[::-1]


def _another(
    value: Any,
    trainable: bool,
    validate_shape: bool,
    name: str,
    dtype: Any,
    constraint: Any,
    save_slice_info: Any,
) -> EagerVariable:
    """A copy of a variable, made of its parts."""
    with context.eager_mode(), name_scope(None):
        made = EagerVariable(
            value, trainable, None, validate_shape, name=name, dtype=dtype, constraint=constraint
        )
    made._save_slice_info = save_slice_info
    return made


def _checked_scope(name: str) -> name_scope:
    """The name scope of a variable; in eager mode names are legal where they are in a graph."""
    check_name(name, Scope(current_name_scope()))
    return name_scope(name)


def _in_place(operator: str, instead: str) -> RuntimeError:
    """As in TensorFlow 1.15: `v += 1` would put a tensor in the place of the variable."""
    return RuntimeError(
        f"Variable {operator}= value not supported. {instead} changes the variable; "
        f"`t = v {operator} value` makes a new tensor."
    )


overload(EagerVariable, EagerTensor)
Variable.eager_class = EagerVariable
