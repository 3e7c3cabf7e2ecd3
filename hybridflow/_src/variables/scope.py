"""Variable scopes: names, defaults and reuse for the variables made inside, and `get_variable`."""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.collections import Collections
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.default_graph import on_reset
from hybridflow._src.framework.graph_keys import GraphKeys, current_collections, get_collection
from hybridflow._src.framework.scopes import graph_of, init_scope, name_scope
from hybridflow._src.framework.stack import Stack
from hybridflow._src.variables.store import AUTO_REUSE, VariableStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hybridflow._src.framework.stack import Pushed

__all__ = [
    "AUTO_REUSE",
    "EagerVariableStore",
    "VariableScope",
    "get_local_variable",
    "get_variable",
    "get_variable_scope",
    "no_regularizer",
    "variable_op_scope",
    "variable_scope",
]

_KEY = "variables"


class _Variables:
    """What a graph (or eager store) keeps: its variables, and the stack of open scopes of each thread."""

    __slots__ = ("scopes", "store")

    def __init__(self, eager: bool) -> None:
        self.store = VariableStore(eager)
        self.scopes: Stack[VariableScope] = Stack(VariableScope(None), "variable scope")


def _current() -> _Variables:
    holder = current_collections()
    found = holder.extensions.get(_KEY)
    if found is None:
        found = holder.extensions.setdefault(_KEY, _Variables(context.modes.top.eager))
    return found  # type: ignore[no-any-return]


class VariableScope:
    """The defaults for variables made in a scope: a record that `variable_scope` pushes and restores.

    Args:
      reuse: True (only get), None or False (only make), or `AUTO_REUSE`. In eager mode always AUTO_REUSE.
      name: full name of the scope.
      initializer, regularizer, caching_device, partitioner, custom_getter, dtype, constraint: defaults for
        `get_variable`.
      name_scope: the name scope that was opened with it.
      use_resource: whether to make resource variables. In eager mode always True.
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
        self._name = name
        self._name_scope = name_scope
        self._initializer = initializer
        self._regularizer = regularizer
        self._caching_device = caching_device
        self._partitioner = partitioner
        self._custom_getter = custom_getter
        self._dtype = dtype
        self._constraint = constraint
        eager = context.modes.top.eager
        self._reuse = AUTO_REUSE if eager else reuse
        self._use_resource = True if eager else use_resource

    @property
    def name(self) -> str:
        """The full name of the scope."""
        return self._name

    @property
    def original_name_scope(self) -> str:
        """The name scope that was opened when the scope was first entered, with a trailing slash."""
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
        self._reuse = AUTO_REUSE if context.modes.top.eager else True

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
        if context.modes.top.eager and not use_resource:
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
        if dtype is not None and initializer is not None and not callable(initializer):
            _check_initializer_dtype(name, initializer, dtype)
        return var_store.get_variable(
            f"{self._name}/{name}" if self._name else name,
            shape=shape,
            dtype=self._dtype if dtype is None else dtype,
            initializer=self._initializer if initializer is None else initializer,
            regularizer=self._regularizer if regularizer is None else regularizer,
            reuse=self._reuse if reuse is None else reuse,
            trainable=trainable,
            collections=collections,
            caching_device=self._caching_device if caching_device is None else caching_device,
            partitioner=self._partitioner if partitioner is None else partitioner,
            validate_shape=validate_shape,
            use_resource=self._use_resource if use_resource is None else use_resource,
            custom_getter=self._custom_getter if custom_getter is None else custom_getter,
            constraint=self._constraint if constraint is None else constraint,
        )

    def __repr__(self) -> str:
        return f"<hf.VariableScope '{self._name}' reuse={self._reuse}>"


def _check_initializer_dtype(name: str, initializer: Any, dtype: Any) -> None:
    with init_scope():
        found = convert_to_tensor(initializer).dtype.base_dtype
    if found != dtype:
        raise ValueError(
            f"Initializer type '{found.name}' and explicit dtype '{dtypes.as_dtype(dtype).name}' don't match "
            f"(variable {name})."
        )


def no_regularizer(_: Any) -> None:
    """A regularizer that gives no loss: use it to keep a scope's default regularizer from a variable."""


def get_variable_scope() -> VariableScope:
    """The current variable scope.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.variable_scope("a"):
    ...     hf.get_variable_scope().name
    'a'
    """
    return _current().scopes.top


def get_variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = True,
    collections: Any = None,
    caching_device: Any = None,
    partitioner: Any = None,
    validate_shape: bool = True,
    use_resource: bool | None = None,
    custom_getter: Any = None,
    constraint: Any = None,
) -> Any:
    """Gets an existing variable of the current variable scope, or makes it.

    What is not given comes from the scope. In eager mode a variable that exists is always returned: the
    same object each time (TF makes a new one).

    Args:
      name: name of the variable within the scope.
      shape: its shape; not given where `initializer` is a tensor or array.
      dtype: its dtype (float32 by default).
      initializer: an `Initializer`, a function of shape and dtype, or a value;
        `glorot_uniform_initializer()` by default for floating dtypes, zeros for others.
      regularizer: function from the variable to a loss, which is added once to
        `GraphKeys.REGULARIZATION_LOSSES`; in eager mode it is computed anew when they are asked for.
      trainable: adds it to `GraphKeys.TRAINABLE_VARIABLES`.
      collections: keys of the collections it joins; `[GraphKeys.GLOBAL_VARIABLES]` by default.
      caching_device: a device (or function) where a copy is kept for readers.
      partitioner: function of shape and dtype that gives the number of parts along each axis.
      validate_shape: if False, the shape may be unknown.
      use_resource: whether to make a `ResourceVariable`.
      custom_getter: called as `custom_getter(getter, name, ...)` in place of the usual way.
      constraint: projection applied by optimizers after an update.

    Returns: a `Variable`, a `PartitionedVariable`, or whatever the custom getter returns.

    Raises:
      ValueError: if it exists and may not be reused, does not exist and may not be made, or differs in
        shape or dtype from what is asked for. TypeError: for arguments of the wrong type.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.variable_scope("foo"):
    ...     with hf.variable_scope("bar"):
    ...         print(hf.get_variable("v", [1]).name)
    foo/bar/v:0
    """
    current = _current()
    return current.scopes.top.get_variable(
        current.store,
        name,
        shape=shape,
        dtype=dtype,
        initializer=initializer,
        regularizer=regularizer,
        trainable=trainable,
        collections=collections,
        caching_device=caching_device,
        partitioner=partitioner,
        validate_shape=validate_shape,
        use_resource=use_resource,
        custom_getter=custom_getter,
        constraint=constraint,
    )


def get_local_variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = False,
    collections: Any = None,
    caching_device: Any = None,
    partitioner: Any = None,
    validate_shape: bool = True,
    use_resource: bool | None = None,
    custom_getter: Any = None,
    constraint: Any = None,
) -> Any:
    """`get_variable` for a variable that is not trained and joins `GraphKeys.LOCAL_VARIABLES`."""
    collections = [*(collections or ()), GraphKeys.LOCAL_VARIABLES]
    return get_variable(
        name,
        shape=shape,
        dtype=dtype,
        initializer=initializer,
        regularizer=regularizer,
        trainable=False,
        collections=collections,
        caching_device=caching_device,
        partitioner=partitioner,
        validate_shape=validate_shape,
        use_resource=use_resource,
        custom_getter=custom_getter,
        constraint=constraint,
    )


class variable_scope:  # noqa: N801 - TF's name
    """A context manager for code that makes or gets variables: opens a variable scope and a name scope.

    Args:
      name_or_scope: name of the scope, put under the current one; or a `VariableScope`, which is gone back
        to whatever the current one is.
      default_name: used, made unique in the enclosing scope, where `name_or_scope` is None.
      values: tensors passed to the code inside; they must be of one graph, which becomes the default.
      initializer, regularizer, caching_device, partitioner, custom_getter, dtype, use_resource, constraint:
        defaults for variables in the scope; what is None is inherited.
      reuse: True, None (inherit; False is the same) or `AUTO_REUSE`. In eager mode always AUTO_REUSE.
      auxiliary_name_scope: whether a name scope is opened too.

    `with` gives the `VariableScope`, which can be kept and entered again.

    Raises:
      ValueError: for `reuse` without a name, or values of different graphs. TypeError: for arguments of the
        wrong type.

    >>> import hybridflow as hf
    >>> def layer():
    ...     with hf.variable_scope("layer", reuse=hf.AUTO_REUSE):
    ...         return hf.get_variable("w", [2])
    >>> with hf.Graph().as_default():
    ...     layer() is layer()
    True
    """

    def __init__(
        self,
        name_or_scope: Any,
        default_name: str | None = None,
        values: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        custom_getter: Any = None,
        reuse: Any = None,
        dtype: Any = None,
        use_resource: bool | None = None,
        constraint: Any = None,
        auxiliary_name_scope: bool = True,
    ) -> None:
        if name_or_scope is None and default_name is None:
            raise TypeError("If default_name is None then name_or_scope is required")
        if name_or_scope is not None and not isinstance(name_or_scope, str | VariableScope):
            raise TypeError(
                f"VariableScope: name_or_scope must be a string or VariableScope, got {name_or_scope!r}."
            )
        if name_or_scope is None and not isinstance(default_name, str):
            raise TypeError(f"default_name must be a string, got {default_name!r}.")
        if reuse not in (None, True, False, AUTO_REUSE):
            raise ValueError(
                f"The reuse parameter must be True or False or None or tf.AUTO_REUSE, got {reuse!r}."
            )
        if not isinstance(auxiliary_name_scope, bool):
            raise TypeError(
                f"The auxiliary_name_scope must be `True` or `False`, while get {auxiliary_name_scope}"
            )
        if custom_getter is not None and not callable(custom_getter):
            raise ValueError(f"Passed a custom_getter which is not callable: {custom_getter}")
        self._name_or_scope = name_or_scope
        self._default_name = default_name
        self._values = list(values or ())
        self._reuse = reuse or None
        self._auxiliary_name_scope = auxiliary_name_scope
        self._changes = {
            "initializer": initializer,
            "regularizer": regularizer,
            "caching_device": caching_device,
            "partitioner": partitioner,
            "custom_getter": custom_getter,
            "dtype": dtype,
            "use_resource": use_resource,
            "constraint": constraint,
        }
        self._opened: list[contextlib.ExitStack] = []

    def __enter__(self) -> VariableScope:
        with contextlib.ExitStack() as opened:
            if not context.modes.top.eager and self._values:
                graph = graph_of(self._values)
                if graph is not context.modes.top.graph:
                    opened.enter_context(graph.as_default())
            scope = self._open(opened)
            self._opened.append(opened.pop_all())
        return scope

    def __exit__(self, *exc: Any) -> None:
        self._opened.pop().__exit__(*exc)

    def _open(self, opened: contextlib.ExitStack) -> VariableScope:
        """Opens the name scope and the variable scope."""
        target = self._name_or_scope
        if target is None:
            if self._reuse and not context.modes.top.eager:
                raise ValueError("reuse=True cannot be used without a name_or_scope")
            opened_name = self._open_names(opened, self._default_name)
            name = _unique_name(self._default_name or "")
            return opened.enter_context(self._push(name, opened_name))
        if isinstance(target, VariableScope):
            self._open_names(opened, target.name.rpartition("/")[2])
            return opened.enter_context(self._push(target, target.original_name_scope))
        opened_name = self._open_names(opened, target)
        return opened.enter_context(self._push(target, opened_name))

    def _open_names(self, opened: contextlib.ExitStack, name: str | None) -> str:
        # The root variable scope, reopened, has no name scope of its own.
        if not name:
            return ""
        if not self._auxiliary_name_scope:
            with name_scope("") as root:
                return root
        return opened.enter_context(name_scope(name))

    @contextlib.contextmanager
    def _push(self, target: str | VariableScope, opened_name: str) -> Iterator[VariableScope]:
        """Makes the new scope the current one, and counts it."""
        current = _current()
        counts = current.store.counts
        outer = current.scopes.top
        base = target if isinstance(target, VariableScope) else outer
        if isinstance(target, VariableScope):
            name = target.name
            counts.open(name)
            inside = counts.subscopes(name)
        else:
            name = f"{outer.name}/{target}" if outer.name else target
            counts.open(name)
            inside = {}
        scope = VariableScope(
            self._reuse or base.reuse, name, name_scope=opened_name, **self._evolved(base)
        )
        with current.scopes.scope(scope):
            try:
                yield scope
            finally:
                # Scopes opened inside count anew next time; a scope gone back to gets its counts back.
                counts.restore(name, inside)

    def _evolved(self, base: VariableScope) -> dict[str, Any]:
        """The defaults of the new scope: those of `base`, except what was given."""
        values = {
            field: getattr(base, field) if given is None else given
            for field, given in self._changes.items()
        }
        given = self._changes["custom_getter"]
        if given is not None and base.custom_getter is not None:
            values["custom_getter"] = _nested_getter(given, base.custom_getter)
        return values


def _nested_getter(inner: Callable[..., Any], outer: Callable[..., Any]) -> Callable[..., Any]:
    """Getters of nested scopes: the inner one is called first, and reaches the outer one as its getter."""

    def custom_getter(getter: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return inner(functools.partial(outer, getter), *args, **kwargs)

    return custom_getter


def _unique_name(prefix: str) -> str:
    """`prefix`, or with _1, _2, ... where the enclosing scope was opened with it already."""
    current = _current()
    outer = current.scopes.top.name
    counts = current.store.counts
    name = prefix
    index = 0
    while counts.count_of(f"{outer}/{name}" if outer else name):
        index += 1
        name = f"{prefix}_{index}"
    return name


@contextlib.contextmanager
def variable_op_scope(
    values: Any,
    name_or_scope: Any,
    default_name: str | None = None,
    initializer: Any = None,
    regularizer: Any = None,
    caching_device: Any = None,
    partitioner: Any = None,
    custom_getter: Any = None,
    reuse: Any = None,
    dtype: Any = None,
    use_resource: bool | None = None,
    constraint: Any = None,
) -> Iterator[VariableScope]:
    """Deprecated: `variable_scope` with `values` first."""
    with variable_scope(
        name_or_scope,
        default_name=default_name,
        values=values,
        initializer=initializer,
        regularizer=regularizer,
        caching_device=caching_device,
        partitioner=partitioner,
        custom_getter=custom_getter,
        reuse=reuse,
        dtype=dtype,
        use_resource=use_resource,
        constraint=constraint,
    ) as scope:
        yield scope


class EagerVariableStore(Collections):
    """Holds the variables that `get_variable` makes in eager mode while it is the default.

    Without one, eager variables live in a store of the process, which `reset_default_graph` empties.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     container = hf.EagerVariableStore()
    ...     with container.as_default():
    ...         v = hf.get_variable("v", [1])
    ...         print(hf.get_variable("v", [1]) is v)
    ...     print(container.variables() == [v])
    True
    True
    """

    def __init__(self) -> None:
        super().__init__()
        self.extensions[_KEY] = _Variables(eager=True)

    @property
    def _variables(self) -> _Variables:
        return self.extensions[_KEY]  # type: ignore[no-any-return]

    def as_default(self) -> Pushed[Collections, EagerVariableStore]:
        """A context manager in which `get_variable` uses this store."""
        return context.eager_collections.scope(self, self)

    def variables(self) -> list[Any]:
        """All variables, in order of name."""
        return sorted(self._variables.store.variables.values(), key=lambda v: v.name)

    def trainable_variables(self) -> list[Any]:
        """The trainable ones."""
        return [v for v in self.variables() if v.trainable]

    def non_trainable_variables(self) -> list[Any]:
        """The others."""
        return [v for v in self.variables() if not v.trainable]

    def copy(self) -> EagerVariableStore:
        """A store with new variables of the same names and values."""
        copied = EagerVariableStore()
        store = copied._variables.store
        with context.eager_mode(), copied.as_default():
            for name, variable in self._variables.store.variables.items():
                with name_scope(None):
                    made = type(variable)(
                        variable.read_value(),
                        trainable=variable.trainable,
                        name=name,
                        constraint=variable.constraint,
                    )
                store.variables[name] = made
        return copied


def _reset_eager_store() -> None:
    """Empties the process's eager store."""
    bottom = next(iter(context.eager_collections))
    bottom._collections.clear()
    bottom.extensions.clear()


on_reset.append(_reset_eager_store)
