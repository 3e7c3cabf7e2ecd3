"""`variable_scope`: names, defaults and reuse for the variables made inside."""

from __future__ import annotations

import warnings
from typing import Any

from hybridflow._src.framework import context
from hybridflow._src.framework.described import Described
from hybridflow._src.framework.graph_scope import Scope, check_name
from hybridflow._src.framework.scopes import current_name_scope, graph_of, name_scope
from hybridflow._src.framework.stack import Opened, Opener
from hybridflow._src.variables.request import check_getter, nested
from hybridflow._src.variables.scope_state import VariableScope, check_reuse, current
from hybridflow._src.variables.store import AUTO_REUSE

__all__ = ["AUTO_REUSE", "variable_op_scope", "variable_scope"]


class variable_scope(Described, Opener):
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

    _problem = "Improper nesting of variable_scope"
    _what = "variable_scope"

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

    def _setting(self, parameter: str) -> Any:
        return self._defaults.get(parameter) or super()._setting(parameter)

    def _open(self, opened: Opened) -> VariableScope:
        """Opens the name scope, then the variable scope."""
        if self._graph is not None and self._graph is not context.modes.top.graph:
            self._graph.as_default()._open(opened)
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

    def _open_names(self, opened: Opened, name: str) -> str:
        """Opens a name scope, except for the root variable scope; gives its name."""
        if not self._auxiliary_name_scope:
            return current_name_scope()
        if not name:
            return ""
        if context.modes.top.eager:
            check_name(name, Scope(current_name_scope()))
        return name_scope(name)._open(opened)

    def _nest(self, opened: Opened, name: str, opened_name: str) -> VariableScope:
        """Opens a scope inside the current one; scopes inside it are counted anew the next time."""
        state = current()
        outer = state.scopes.top
        full_name = f"{outer.name}/{name}" if outer.name else name
        counts = state.store.counts
        counts.open(full_name)
        opened.on_exit(counts.forget_inside, full_name)
        scope = self._evolved(outer, full_name, opened_name)
        return opened.push(state.scopes, scope)

    def _jump(self, opened: Opened, target: VariableScope) -> VariableScope:
        """Goes back to a scope; what is counted inside is forgotten when it is left."""
        state = current()
        counts = state.store.counts
        counts.open(target.name)
        opened.on_exit(counts.undo, counts.mark())
        scope = self._evolved(target, target.name, target.original_name_scope)
        return opened.push(state.scopes, scope)

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
) -> variable_scope:
    """Deprecated: `variable_scope` with `values` first."""
    warnings.warn(
        "tf.variable_op_scope(values, name, default_name) is deprecated, use "
        "tf.variable_scope(name, default_name, values)",
        DeprecationWarning,
        stacklevel=2,
    )
    return variable_scope(
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
    )
