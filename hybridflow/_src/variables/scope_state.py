"""The current variable scope: `VariableScope`, the one record, and the stack on which it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.default_graph import on_reset
from hybridflow._src.framework.graph_keys import GraphKeys, current_collections, get_collection
from hybridflow._src.framework.scopes import init_scope, name_scope
from hybridflow._src.framework.stack import Stack
from hybridflow._src.variables.request import Request, check_getter, through
from hybridflow._src.variables.store import AUTO_REUSE, VariableStore
from hybridflow._src.variables.variable import variables_are_eager

if TYPE_CHECKING:
    from hybridflow._src.framework.collections import Collections

__all__ = ["VariableScope", "get_variable_scope", "no_regularizer"]

_KEY = "variables"

_NO_NAME = (
    "The name of a variable must be a string, got {got!r:.200}: `hf.get_variable(name, shape)`."
)

# What a scope's `repr` shows where it has been given.
_SHOWN = (
    "initializer",
    "regularizer",
    "caching_device",
    "partitioner",
    "custom_getter",
    "constraint",
)


class VariableScope:
    """The defaults for variables made in a scope: a record that `variable_scope` pushes.

    Args:
      reuse: True (only get), None or False (only make), or `AUTO_REUSE`. In eager mode always
        AUTO_REUSE.
      name: full name of the scope.
      initializer, regularizer, caching_device, partitioner, custom_getter, dtype, constraint:
        defaults for `get_variable`.
      name_scope: the name scope that was opened with it.
      use_resource: whether to make resource variables. In eager mode always True.

    Raises:
      TypeError: for a name that is no string. ValueError: for another value of `reuse`, or a custom
        getter that is not callable.
    """

    __slots__ = (
        "_caching_device",
        "_constraint",
        "_custom_getter",
        "_dtype",
        "_initializer",
        "_name",
        "_name_scope",
        "_partitioner",
        "_regularizer",
        "_reuse",
        "_use_resource",
    )

    def __init__(
        self,
        reuse: Any,
        name: str = "",
        initializer: Any = None,
        regularizer: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        custom_getter: Any = None,
        name_scope: str = "",
        dtype: Any = dtypes.float32,
        use_resource: bool | None = None,
        constraint: Any = None,
    ) -> None:
        if not all(isinstance(text, str) for text in (name, name_scope)):
            raise TypeError(
                f"VariableScope: name and name_scope must be strings, got {name!r}, {name_scope!r}."
            )
        check_reuse(reuse)
        check_getter(custom_getter)
        self._name = name
        self._name_scope = name_scope
        self._initializer = initializer
        self._regularizer = regularizer
        self._caching_device = caching_device
        self._partitioner = partitioner
        self._custom_getter = custom_getter
        self._dtype = dtype
        self._constraint = constraint
        eager = variables_are_eager()
        self._reuse = AUTO_REUSE if eager else reuse
        self._use_resource = True if eager else use_resource

    @property
    def name(self) -> str:
        """The full name of the scope."""
        return self._name

    @property
    def original_name_scope(self) -> str:
        """The name scope that was opened when the scope was first entered, with a slash behind."""
        return self._name_scope

    @property
    def reuse(self) -> Any:
        """False or None, True, or `AUTO_REUSE`."""
        return self._reuse

    @property
    def initializer(self) -> Any:
        """The default initializer."""
        return self._initializer

    @property
    def dtype(self) -> Any:
        """The default dtype."""
        return self._dtype

    @property
    def use_resource(self) -> bool | None:
        """Whether variables are resource variables."""
        return self._use_resource

    @property
    def regularizer(self) -> Any:
        """The default regularizer."""
        return self._regularizer

    @property
    def caching_device(self) -> Any:
        """The default caching device."""
        return self._caching_device

    @property
    def partitioner(self) -> Any:
        """The default partitioner."""
        return self._partitioner

    @property
    def custom_getter(self) -> Any:
        """The default custom getter."""
        return self._custom_getter

    @property
    def constraint(self) -> Any:
        """The default constraint."""
        return self._constraint

    def reuse_variables(self) -> None:
        """From now on existing variables are reused here, and in scopes opened inside."""
        if not variables_are_eager():
            self._reuse = True

    def set_initializer(self, initializer: Any) -> None:
        """Sets the default initializer."""
        self._initializer = initializer

    def set_dtype(self, dtype: Any) -> None:
        """Sets the default dtype."""
        self._dtype = dtype

    def set_use_resource(self, use_resource: bool) -> None:
        """Sets whether variables are resource variables.

        Raises:
          ValueError: for False in eager mode, where they always are.
        """
        if not use_resource and variables_are_eager():
            raise ValueError("In eager mode, use_resource cannot be set to false.")
        self._use_resource = use_resource

    def set_regularizer(self, regularizer: Any) -> None:
        """Sets the default regularizer."""
        self._regularizer = regularizer

    def set_caching_device(self, caching_device: Any) -> None:
        """Sets the default caching device."""
        self._caching_device = caching_device

    def set_partitioner(self, partitioner: Any) -> None:
        """Sets the default partitioner."""
        self._partitioner = partitioner

    def set_custom_getter(self, custom_getter: Any) -> None:
        """Sets the default custom getter."""
        self._custom_getter = custom_getter

    def set_constraint(self, constraint: Any) -> None:
        """Sets the default constraint."""
        self._constraint = constraint

    def get_collection(self, name: Any) -> list[Any]:
        """The items of a collection whose names lie in this scope."""
        return get_collection(name, f"{self._name}/" if self._name else "")

    def trainable_variables(self) -> list[Any]:
        """The trainable variables of this scope."""
        return self.get_collection(GraphKeys.TRAINABLE_VARIABLES)

    def global_variables(self) -> list[Any]:
        """The global variables of this scope."""
        return self.get_collection(GraphKeys.GLOBAL_VARIABLES)

    def local_variables(self) -> list[Any]:
        """The local variables of this scope."""
        return self.get_collection(GraphKeys.LOCAL_VARIABLES)

    def get_variable(
        self,
        var_store: VariableStore,
        name: str,
        shape: Any = None,
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        reuse: Any = None,
        trainable: bool = True,
        collections: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        validate_shape: bool = True,
        use_resource: bool | None = None,
        custom_getter: Any = None,
        constraint: Any = None,
    ) -> Any:
        """Gets or makes a variable: what is not given here comes from the scope."""
        if not isinstance(name, str):
            raise TypeError(_NO_NAME.format(got=name))
        if dtype is not None and initializer is not None and not callable(initializer):
            _check_dtype(name, initializer, dtype)
        request = Request(
            f"{self._name}/{name}" if self._name else name,
            shape,
            self._dtype if dtype is None else dtype,
            self._initializer if initializer is None else initializer,
            self._regularizer if regularizer is None else regularizer,
            self._reuse if reuse is None else reuse,
            trainable,
            collections,
            self._caching_device if caching_device is None else caching_device,
            self._partitioner if partitioner is None else partitioner,
            validate_shape,
            self._use_resource if use_resource is None else use_resource,
            self._constraint if constraint is None else constraint,
        )
        custom_getter = self._custom_getter if custom_getter is None else custom_getter
        if custom_getter is None:
            return var_store.get(request)
        with name_scope(None):
            return through(custom_getter, request, var_store.get)

    def __repr__(self) -> str:
        given = {name: getattr(self, f"_{name}") for name in _SHOWN}
        settings = "".join(f" {k}={v!r}" for k, v in given.items() if v is not None)
        return f"<hf.VariableScope '{self._name}' reuse={self._reuse!r}{settings}>"


def check_reuse(reuse: Any) -> None:
    """Raises ValueError unless `reuse` is one of its values."""
    if not (reuse is None or isinstance(reuse, bool) or reuse is AUTO_REUSE):
        raise ValueError(
            f"The reuse parameter must be True or False or None (or tf.AUTO_REUSE), got {reuse!r}."
        )


def _check_dtype(name: str, initializer: Any, dtype: Any) -> None:
    """Checks that an initial value has the dtype that is asked for."""
    with init_scope(), name_scope(None):
        found = convert_to_tensor(initializer).dtype.base_dtype
    if found != dtype:
        raise ValueError(
            f"Initializer type '{found!r}' and explicit dtype '{dtypes.as_dtype(dtype)!r}' don't "
            f"match (variable {name})."
        )


def no_regularizer(_: Any) -> None:
    """A regularizer without a loss: keeps the scope's default regularizer from a variable.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     v = hf.get_variable("v", [1], regularizer=hf.no_regularizer)
    ...     hf.get_collection(hf.GraphKeys.REGULARIZATION_LOSSES)
    []
    """


class ScopeState:
    """What a graph keeps, or an eager store: its variables, and each thread's stack of open scopes.

    All eager stores share one stack: a scope stays open where another store becomes the default.
    """

    __slots__ = ("scopes", "store")

    def __init__(self, store: VariableStore, scopes: Stack[VariableScope]) -> None:
        self.store = store
        self.scopes = scopes


def _new_stack(eager: bool) -> Stack[VariableScope]:
    root = VariableScope(AUTO_REUSE if eager else False, use_resource=eager or None)
    return Stack(root, "variable_scope")


_eager_scopes = _new_stack(True)


def current() -> ScopeState:
    """The state of the current graph or eager store."""
    holder = current_collections()
    return holder.extensions.get(_KEY) or state_of(holder, variables_are_eager())


def state_of(holder: Collections, eager: bool) -> ScopeState:
    """The state of a graph or eager store, made where it is missing."""
    scopes = _eager_scopes if eager else _new_stack(False)
    return holder.extensions.setdefault(_KEY, ScopeState(VariableStore(eager), scopes))


def get_variable_scope() -> VariableScope:
    """The current variable scope.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.variable_scope("a"):
    ...     hf.get_variable_scope().name
    'a'
    """
    return current().scopes.top


def _reset_eager_state() -> None:
    """Empties the process's eager store."""
    global _eager_scopes
    bottom = next(iter(context.eager_collections))
    bottom._collections.clear()
    bottom.extensions.clear()
    _eager_scopes = _new_stack(True)


on_reset.append(_reset_eager_state)
