"""`Defun`: functions of graphs, each call of which is one op."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.graph import Graph
from hybridflow._src.framework.graph_keys import GraphKeys
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.tensor_shape import as_shape
from hybridflow._src.graphs.attributes import attr_value
from hybridflow._src.graphs.exporting import graph_def_of
from hybridflow._src.ops.arrays.placeholder import placeholder
from hybridflow._src.ops.control_flow.calls import add_call
from hybridflow._src.variables.scope import AUTO_REUSE, variable_scope
from hybridflow._src.variables.scope_state import get_variable_scope

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.framework.operation import Operation

__all__ = ["Defun"]

_DEFAULTS = (
    "Functions with argument defaults or keyword arguments are not supported: '{name}' has {which}."
)
_TYPES = (
    "The function has fewer arguments than the number of specified input types: '{name}' takes "
    "{least}{most}, the specified input types are {types}."
)
_NEW_VARIABLES = (
    "The function '{name}' made variables {variables} when it was called again: calls share the "
    "variables that hf.get_variable makes, so make them with it, or outside."
)


class Defun:
    """Makes a function of a graph of a Python function: each call of it is one op.

    The Python function builds the ops of the function, for each call. Calls share the variables
    that `hf.get_variable` makes inside, in the variable scope of the first call. In files the
    function stands once in the library of the graph, and a call is a node of its name. In eager
    mode the Python function is called as it is.

    Args:
      input_types: the dtypes of the arguments; without them those of each call.
      func_name: the name of the function, and of its calls.
      grad_func: another function made by `Defun`, of the inputs and the gradients of the outputs,
        which gives the gradients of the inputs.
      python_grad_func: a Python function of the op of a call and the gradients of its outputs,
        which gives those of its inputs, as for `hf.RegisterGradient`.
      out_names: a name for each output.
      shape_func: gives the shapes of the outputs of the op of a call.
      kwargs: other settings of TensorFlow's, which change no result.

    Raises:
      ValueError: if both gradients are given.

    >>> import hybridflow as hf
    >>> @hf.contrib.framework.Defun(hf.float32, hf.float32)
    ... def scaled(x, y):
    ...     return x * y + 1.0
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     z = scaled([2.0], [3.0])
    ...     print(z.op.name, z.op.type, session.run(z))
    scaled Call [7.]
    """

    def __init__(
        self,
        *input_types: Any,
        func_name: str | None = None,
        grad_func: Any = None,
        python_grad_func: Callable[..., Any] | None = None,
        out_names: Sequence[str] | None = None,
        shape_func: Callable[[Operation], Sequence[Any]] | None = None,
        **kwargs: Any,
    ) -> None:
        if grad_func is not None and python_grad_func is not None:
            raise ValueError("Gradient defined twice: give `grad_func` or `python_grad_func`.")
        self._types = input_types
        self._settings = {
            "func_name": func_name,
            "grad_func": grad_func,
            "python_grad_func": python_grad_func,
            "out_names": out_names,
            "shape_func": shape_func,
            "extra": kwargs,
        }

    def __call__(self, func: Callable[..., Any]) -> Any:
        """The function of graphs.

        Raises:
          ValueError: if `func` is no function, has defaults or keywords, or does not take as many
            arguments as there are input types.
        """
        if not callable(func):
            raise ValueError(f"func {func} must be callable")
        name = getattr(func, "__name__", "function")
        parameters = inspect.signature(func).parameters.values()
        for parameter in parameters:
            if parameter.kind in (parameter.VAR_KEYWORD, parameter.KEYWORD_ONLY):
                raise ValueError(_DEFAULTS.format(name=name, which=f"`{parameter}`"))
            if parameter.default is not parameter.empty:
                raise ValueError(_DEFAULTS.format(name=name, which=f"`{parameter}`"))
        several = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        least = sum(p.kind is not p.VAR_POSITIONAL for p in parameters)
        given = len(self._types)
        if given and (given < least or (given > least and not several)):
            types = [dtypes.as_dtype(t).name for t in self._types]
            most = " or more" if several else ""
            raise ValueError(_TYPES.format(name=name, least=least, most=most, types=types))
        if given or not (least or several):
            return DefinedFunction(func, self._types, **self._settings)
        return _Overloaded(func, self._settings)


class DefinedFunction:
    """A function of graphs: see `Defun`.

    Attributes:
      python_grad_func: as it was given.
      captured_inputs: what the last call took from around it.
    """

    def __init__(
        self,
        func: Callable[..., Any],
        input_types: Sequence[Any],
        func_name: str | None,
        grad_func: Any,
        python_grad_func: Callable[..., Any] | None,
        out_names: Sequence[str] | None,
        shape_func: Callable[[Operation], Sequence[Any]] | None,
        extra: dict[str, Any],
    ) -> None:
        self._func = func
        self._types = tuple(dtypes.as_dtype(t) for t in input_types)
        name = getattr(func, "__name__", "function")
        self._name = func_name or name.replace("<lambda>", "lambda")
        self._grad_func = grad_func
        self.python_grad_func = python_grad_func
        self._out_names = list(out_names or ())
        self._shape_func = shape_func
        self._extra = extra
        self.captured_inputs: list[Any] = []
        # The variable scope of the first call.
        self._scope: Any = None
        functools.update_wrapper(self, func, updated=())

    @property
    def name(self) -> str:
        """The name of the function."""
        return self._name

    @property
    def declared_input_types(self) -> tuple[Any, ...]:
        """The dtypes of the arguments."""
        return self._types

    @property
    def grad_func_name(self) -> str | None:
        """The name of the function that gives its gradient."""
        return None if self._grad_func is None else str(self._grad_func.name)

    def set_grad_func(self, grad_func: Any) -> None:
        """Gives it another function as its gradient."""
        self._grad_func = grad_func

    @property
    def definition(self) -> Any:
        """The function as a `FunctionDef` message; what it captures are its last arguments."""
        try:
            with Graph().as_default() as graph:
                return self._defined(graph)
        except ValueError:  # it uses what the default graph has
            graph = get_default_graph()
            mark = graph.mark()
            try:
                return self._defined(graph)
            finally:
                graph.forget(mark)

    def _defined(self, graph: Graph) -> Any:
        op = self._call([placeholder(t) for t in self._types], self._name)
        found = graph_def_of(graph, [op]).library.function
        message = next(f for f in found if f.signature.name.rstrip("_") == self._name.rstrip("_"))
        message.signature.description = inspect.getdoc(self._func) or ""
        for key, value in self._extra.items():
            message.attr[f"_{key}"].CopyFrom(attr_value(value, ""))
        return message

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Adds a call to the default graph.

        Args:
          args: tensors, or what becomes one. name: the name of the op.

        Returns: a tensor, several, or for a function without results the operation.

        Raises:
          ValueError: for another number of arguments, for results that are None, and if variables
            are made again. InvalidArgumentError: if there are not as many results as names.
        """
        if len(args) != len(self._types):
            raise ValueError(
                f"Expected number of arguments: {len(self._types)}, received: {len(args)}, for "
                f"function '{self._name}'."
            )
        name = kwargs.pop("name", None)
        if kwargs:
            raise ValueError(f"Unknown keyword arguments: {sorted(kwargs)}")
        tensors = [convert_to_tensor(a, t) for a, t in zip(args, self._types, strict=True)]
        if context.modes.top.eager:
            return self._func(*tensors)
        op = self._call(tensors, name or self._name)
        outputs = op.outputs[: len(op.bodies[0].outputs)]
        return op if not outputs else outputs[0] if len(outputs) == 1 else tuple(outputs)

    def _call(self, tensors: list[Any], name: str) -> Operation:
        gradient = self._gradient if self._has_gradient() else None
        with name_scope(name) as scope:
            op = add_call(self._name, self._results, tensors, scope, gradient)
        self.captured_inputs = list(op.inputs[len(tensors) :])
        if self._shape_func is not None:
            for tensor, shape in zip(op.outputs, self._shape_func(op), strict=True):
                tensor.set_shape(as_shape(shape))
        return op

    def _results(self, *args: Any) -> list[Any]:
        """What the Python function gives, as a list."""
        again = self._scope is not None
        before = self._variables()
        with variable_scope(self._scope or get_variable_scope(), reuse=again and AUTO_REUSE):
            self._scope = get_variable_scope()
            found = self._func(*args)
        made = [v.name for v in self._variables()[len(before) :]]
        if again and made:
            raise ValueError(_NEW_VARIABLES.format(name=self._name, variables=made))
        results = list(found) if isinstance(found, (list, tuple)) else [found]
        if results == [None]:
            results = []
        if any(result is None for result in results):
            raise ValueError(f"Function '{self._name}' can not return None.")
        if self._out_names and len(self._out_names) != len(results):
            raise InvalidArgumentError(
                None,
                None,
                "output names must be either empty or equal in size to outputs. output names size "
                f"= {len(self._out_names)} outputs size = {len(results)}",
            )
        return results

    @staticmethod
    def _variables() -> list[Any]:
        return get_default_graph().get_collection(GraphKeys.GLOBAL_VARIABLES)

    def _has_gradient(self) -> bool:
        return self._grad_func is not None or self.python_grad_func is not None

    def _gradient(self, op: Operation, *dys: Any) -> Any:
        """The gradient that was given."""
        if self.python_grad_func is not None:
            return self.python_grad_func(op, *dys)
        found = self._grad_func(*op.inputs, *dys)
        grads = list(found) if isinstance(found, (list, tuple)) else [found]
        if len(grads) != len(op.inputs):
            raise InvalidArgumentError(
                None,
                op,
                f"SymGrad expects to return {len(op.inputs)} (but get {len(grads)}) gradients "
                f"instead: those of the inputs of '{self._name}', from '{self._grad_func.name}'.",
            )
        return grads


class _Overloaded:
    """A function whose arguments have the dtypes of each call."""

    def __init__(self, func: Callable[..., Any], settings: dict[str, Any]) -> None:
        self._func = func
        self._settings = settings
        self._defined: dict[tuple[Any, ...], DefinedFunction] = {}
        functools.update_wrapper(self, func, updated=())

    def instantiate(self, input_types: Sequence[Any]) -> DefinedFunction:
        """The function for arguments of these dtypes."""
        key = tuple(dtypes.as_dtype(t).base_dtype for t in input_types)
        found = self._defined.get(key)
        if found is None:
            settings = dict(self._settings)
            if isinstance(settings["grad_func"], _Overloaded):
                # Its arguments are the inputs, then the gradients of the outputs.
                settings["grad_func"] = _AnyTypes(settings["grad_func"])
            found = self._defined[key] = DefinedFunction(self._func, key, **settings)
        return found

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Adds a call to the default graph: see `DefinedFunction`."""
        tensors = [convert_to_tensor(a) for a in args]
        return self.instantiate([t.dtype for t in tensors])(*tensors, **kwargs)


class _AnyTypes:
    """An overloaded function as the gradient of another."""

    def __init__(self, function: _Overloaded) -> None:
        self._function = function
        self.name = getattr(function, "__name__", "function")

    def __call__(self, *args: Any) -> Any:
        return self._function(*args)
