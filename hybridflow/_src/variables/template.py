"""Templates: functions whose variables are made at the first call, and used again by all others."""

from __future__ import annotations

import contextlib
import functools
import warnings
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context, traceback
from hybridflow._src.framework.described import Described
from hybridflow._src.framework.graph_keys import GraphKeys, get_collection
from hybridflow._src.variables.eager_store import EagerVariableStore
from hybridflow._src.variables.scope import variable_scope
from hybridflow._src.variables.variable import variables_are_eager

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from hybridflow._src.variables.scope_state import VariableScope

__all__ = ["Template", "make_template"]

_NEW_VARIABLES = (
    "Trainable variable created when calling a template after the first time, perhaps you used "
    "tf.Variable when you meant tf.get_variable: {variables}"
)


class _TemplateStore(EagerVariableStore):
    """Keeps the variables of a template, which are in the collections around it too."""

    def __init__(self) -> None:
        super().__init__()
        self._around = context.eager_collections.top

    def add_to_collection(self, name: Any, value: Any) -> None:
        """Appends `value` to a collection, here and in those around."""
        super().add_to_collection(name, value)
        self._around.add_to_collection(name, value)

    def add_weakly(self, names: Any, value: Any) -> None:
        """Appends to collections, here and in those around, what they do not keep alive."""
        super().add_weakly(names, value)
        self._around.add_weakly(names, value)


class Template(Described):
    """What `make_template` gives: call it as the function that it was made of."""

    def __init__(
        self,
        name: str,
        func: Callable[..., Any],
        create_scope_now: bool = False,
        unique_name: str | None = None,
        custom_getter: Any = None,
    ) -> None:
        if name is None:
            raise ValueError("name cannot be None.")
        self._name = name
        self._func = func
        self._unique_name = unique_name
        self._custom_getter = custom_getter
        self._frames = traceback.capture(2)
        self._scope: VariableScope | None = None
        self._variables_created = False
        # In eager mode the variables live as long as the template does.
        self._store: EagerVariableStore | None = None
        if create_scope_now:
            self._make_scope()

    def _new_scope(self, auxiliary_name_scope: bool) -> variable_scope:
        return variable_scope(
            self._unique_name,
            self._name,
            custom_getter=self._custom_getter,
            auxiliary_name_scope=auxiliary_name_scope,
        )

    def _make_scope(self) -> None:
        """Makes the variable scope, without a name scope."""
        with self._new_scope(False) as self._scope:
            pass

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if variables_are_eager():
            if self._scope is None:
                self._make_scope()
            self._keep_variables()
        with self._collections():
            if self._scope is None:
                with self._new_scope(True) as self._scope:
                    return self._first_call(args, kwargs)
            if not self._variables_created:
                with variable_scope(self._scope):
                    return self._first_call(args, kwargs)
            with variable_scope(self._scope, reuse=True):
                return self._later_call(args, kwargs)

    def _keep_variables(self) -> EagerVariableStore:
        """The store of its eager variables: that of the template inside which it is called first.

        So a template that is made anew in each call of another one finds its variables again.
        """
        if self._store is None:
            around = context.eager_collections.top
            self._store = around if isinstance(around, _TemplateStore) else _TemplateStore()
        return self._store

    @property
    def _template_store(self) -> EagerVariableStore:
        """The store of its eager variables, by TensorFlow's name.

        Raises:
          AttributeError: in graph mode.
        """
        if not variables_are_eager():
            raise AttributeError("There is no store of variables in graph mode.")
        return self._keep_variables()

    def _collections(self) -> AbstractContextManager[Any]:
        return contextlib.nullcontext() if self._store is None else self._store.as_default()

    def _first_call(self, args: Any, kwargs: Any) -> Any:
        result = self._run(args, kwargs)
        self._variables_created = True
        return result

    def _later_call(self, args: Any, kwargs: Any) -> Any:
        before = len(get_collection(GraphKeys.TRAINABLE_VARIABLES))
        result = self._run(args, kwargs)
        new = get_collection(GraphKeys.TRAINABLE_VARIABLES)[before:]
        if new:
            raise ValueError(self._placed(_NEW_VARIABLES.format(variables=new)))
        return result

    def _run(self, args: Any, kwargs: Any) -> Any:
        try:
            return self._func(*args, **kwargs)
        except Exception as error:
            first = error.args[0] if error.args else ""
            error.args = (self._placed(first), *error.args[1:])
            raise

    def _placed(self, message: Any) -> str:
        """A message with the place where the template was made."""
        place = "".join(
            f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}\n    {frame.line}\n'
            for frame in traceback.resolve(self._frames)[2::-1]
        )
        return f"{message}\n\noriginally defined at:\n{place}"

    @property
    def name(self) -> str:
        """The name that was given."""
        return self._name

    @property
    def func(self) -> Callable[..., Any]:
        """The function that is called."""
        return self._func

    @property
    def variable_scope(self) -> VariableScope | None:
        """The variable scope; None before it is made."""
        return self._scope

    @property
    def variable_scope_name(self) -> str | None:
        """The name of the variable scope, with a slash behind; None before it is made."""
        if self._scope is None:
            return None
        name = self._scope.name
        return name if name.endswith("/") else f"{name}/"

    def _variables_in(self, key: str) -> list[Any]:
        if not self._variables_created:
            return []
        if self._store is not None:
            return self._store.get_collection(key, self.variable_scope_name)
        return get_collection(key, self.variable_scope_name)

    @property
    def trainable_variables(self) -> list[Any]:
        """The trainable variables made by the first call."""
        return self._variables_in(GraphKeys.TRAINABLE_VARIABLES)

    @property
    def non_trainable_variables(self) -> list[Any]:
        """The global variables made by the first call that are not trainable."""
        trainable = set(self.trainable_variables)
        return [v for v in self.global_variables if v not in trainable]

    @property
    def global_variables(self) -> list[Any]:
        """The global variables made by the first call."""
        return self._variables_in(GraphKeys.GLOBAL_VARIABLES)

    @property
    def local_variables(self) -> list[Any]:
        """The local variables made by the first call."""
        return self._variables_in(GraphKeys.LOCAL_VARIABLES)

    @property
    def variables(self) -> list[Any]:
        """The global and local variables."""
        return self.global_variables + self.local_variables

    @property
    def var_scope(self) -> VariableScope | None:
        """Deprecated: use `variable_scope`."""
        warnings.warn(
            "The .var_scope property is deprecated. Please change your code to use the "
            ".variable_scope property",
            DeprecationWarning,
            stacklevel=2,
        )
        return self._scope


def make_template(
    name_: str,
    func_: Callable[..., Any],
    create_scope_now_: bool = False,
    unique_name_: str | None = None,
    custom_getter_: Any = None,
    **kwargs: Any,
) -> Template:
    """Makes a function share its variables between calls.

    The first call makes the variables that the function gets by `get_variable`; all other calls get
    the same ones. In eager mode they are kept by the template itself, and freed with it.

    Args:
      name_: name of the variable scope, made unique.
      func_: the function.
      create_scope_now_: whether the scope is made (and named) now, not at the first call.
      unique_name_: used instead of `name_`, as it is.
      custom_getter_: custom getter of the scope.
      **kwargs: arguments with which the function is always called.

    Returns: a `Template`, called as `func_` is.

    Raises:
      ValueError: if `name_` is None; and when called, if a later call makes a trainable variable.

    >>> import hybridflow as hf
    >>> def scaled(x):
    ...     return x * hf.get_variable("w", [], initializer=hf.constant_initializer(3.0))
    >>> layer = hf.make_template("layer", scaled)
    >>> with hf.eager_mode():
    ...     print(float(layer(1.0)), float(layer(2.0)), layer.variables[0].name)
    3.0 6.0 layer/w:0
    """
    if kwargs:
        func_ = functools.partial(func_, **kwargs)
    return Template(name_, func_, create_scope_now_, unique_name_, custom_getter_)
