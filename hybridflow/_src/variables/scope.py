"""`variable_scope`: names, defaults and reuse for the variables made inside."""

from __future__ import annotations

import contextlib
import threading
import warnings
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context
from hybridflow._src.framework.described import Described
from hybridflow._src.framework.graph_scope import Scope, check_name
from hybridflow._src.framework.scopes import current_name_scope, graph_of, name_scope
from hybridflow._src.variables.request import check_getter, nested
from hybridflow._src.variables.scope_state import VariableScope, check_reuse, current
from hybridflow._src.variables.store import AUTO_REUSE

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["AUTO_REUSE", "variable_op_scope", "variable_scope"]

_NESTING = (
    "Improper nesting of variable_scope. Scopes are closed in the reverse order in which they were "
    "opened, in the thread that opened them, once."
)


class variable_scope(Described):
    """A context manager for code that makes or gets variables: opens a variable and a name scope.

    Args:
      name_or_scope: name of the scope, put under the current one; or a `VariableScope`, which is
        gone back to whatever the current one is.
      default_name: used, made unique in the enclosing scope, where `name_or_scope` is None.
      values: tensors passed to the code inside; they must be of one graph, which becomes the
        default.
      initializer, regularizer, caching_device, partitioner, custom_getter, dtype, use_resource,
        constraint: defaults for variables in the scope; what is None is inherited. A custom getter
        calls that of the scope around as its `getter`.
      reuse: True, `AUTO_REUSE`, or None (inherit; False is the same). In eager mode always
        AUTO_REUSE.
      auxiliary_name_scope: whether a name scope is opened too.

    `with` gives the `VariableScope`, which can be kept and entered again.

    Raises:
      ValueError: for `reuse` without a name, another value of `reuse`, a name that is not legal, or
        values of different graphs. TypeError: for arguments of the wrong type. RuntimeError: when
        scopes are closed out of order.

    >>> import hybridflow as hf
    >>> def layer():
    ...     with hf.variable_scope("layer", reuse=hf.AUTO_REUSE):
    ...         return hf.get_variable("w", [2])
    >>> with hf.Graph().as_default():
    ...     layer() is layer()
    True

    In TF 1.4 the constraint is not inherited, and partitioners and caching devices are refused in
    eager mode.
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
        if name_or_scope is not None and not isinstance(name_or_scope, (str, VariableScope)):
            raise TypeError(
                "VariableScope: name_or_scope must be a string or VariableScope, got "
                f"{name_or_scope!r}."
            )
        if name_or_scope is None and not isinstance(default_name, str):
            raise TypeError(f"default_name must be a string, got {default_name!r}.")
        check_reuse(reuse)
        if not isinstance(auxiliary_name_scope, bool):
            raise TypeError(
                "The auxiliary_name_scope must be `True` or `False`, while get "
                f"{auxiliary_name_scope}"
            )
        check_getter(custom_getter)
        values = () if values is None else list(values)
        self._graph = graph_of(values) if values and not context.modes.top.eager else None
        self._name_or_scope = name_or_scope
        self._default_name = default_name
        self._reuse = reuse
        self._auxiliary_name_scope = auxiliary_name_scope
        self._custom_getter = custom_getter
        self._defaults = {
            "initializer": initializer,
            "regularizer": regularizer,
            "caching_device": caching_device,
            "partitioner": partitioner,
            "dtype": dtype,
            "use_resource": use_resource,
            "constraint": constraint,
        }
        # For each thread what its entries have opened.
        self._opened: dict[int, list[contextlib.ExitStack]] = {}

    def _setting(self, parameter: str) -> Any:
        return self._defaults.get(parameter) or super()._setting(parameter)

    def __enter__(self) -> VariableScope:
        with contextlib.ExitStack() as opened:
            if self._graph is not None and self._graph is not context.modes.top.graph:
                opened.enter_context(self._graph.as_default())
            scope = self._open(opened)
            self._opened.setdefault(threading.get_ident(), []).append(opened.pop_all())
        return scope

    def __exit__(self, *exc: Any) -> None:
        entries = self._opened.get(threading.get_ident())
        if not entries:
            raise RuntimeError(_NESTING)
        try:
            entries.pop().__exit__(*exc)
        except RuntimeError as error:
            raise RuntimeError(_NESTING) from error

    def _open(self, opened: contextlib.ExitStack) -> VariableScope:
        """Opens the name scope, then the variable scope."""
        target = self._name_or_scope
        if isinstance(target, VariableScope):
            self._open_names(opened, target.name.rpartition("/")[2])
            return self._jump(opened, target)
        if target is not None:
            return self._nest(opened, target, self._open_names(opened, target))
        if self._reuse:
            raise ValueError("reuse=True cannot be used without a name_or_scope")
        name = self._default_name or ""
        opened_name = self._open_names(opened, name)
        state = current()
        unique = state.store.counts.unique(state.scopes.top.name, name)
        return self._nest(opened, unique, opened_name)

    def _open_names(self, opened: contextlib.ExitStack, name: str) -> str:
        """Opens a name scope, except for the root variable scope; gives its name."""
        if not self._auxiliary_name_scope:
            return current_name_scope()
        if not name:
            return ""
        if context.modes.top.eager:
            check_name(name, Scope(current_name_scope()))
        return opened.enter_context(name_scope(name))

    def _nest(self, opened: contextlib.ExitStack, name: str, opened_name: str) -> VariableScope:
        """Opens a scope inside the current one; scopes inside it are counted anew the next time."""
        state = current()
        outer = state.scopes.top
        full_name = f"{outer.name}/{name}" if outer.name else name
        counts = state.store.counts
        counts.open(full_name)
        opened.callback(counts.forget_inside, full_name)
        scope = self._evolved(outer, full_name, opened_name)
        return opened.enter_context(state.scopes.scope(scope))

    def _jump(self, opened: contextlib.ExitStack, target: VariableScope) -> VariableScope:
        """Goes back to a scope; what is counted inside is forgotten when it is left."""
        state = current()
        counts = state.store.counts
        counts.open(target.name)
        opened.callback(counts.undo, counts.mark())
        scope = self._evolved(target, target.name, target.original_name_scope)
        return opened.enter_context(state.scopes.scope(scope))

    def _evolved(self, base: VariableScope, name: str, opened_name: str) -> VariableScope:
        """The new scope: the defaults of `base`, except those that were given."""
        getter = base.custom_getter
        if self._custom_getter is not None:
            getter = nested(self._custom_getter, getter)
        return VariableScope(
            self._reuse or base.reuse,
            name,
            name_scope=opened_name,
            custom_getter=getter,
            **{
                field: getattr(base, field) if given is None else given
                for field, given in self._defaults.items()
            },
        )


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
    warnings.warn(
        "tf.variable_op_scope(values, name, default_name) is deprecated, use "
        "tf.variable_scope(name, default_name, values)",
        DeprecationWarning,
        stacklevel=3,
    )
    with variable_scope(
        name_or_scope,
        default_name,
        values,
        initializer,
        regularizer,
        caching_device,
        partitioner,
        custom_getter,
        reuse,
        dtype,
        use_resource,
        constraint,
    ) as scope:
        yield scope
