"""`hf.function`: an eager function traced into a graph once for each kind of arguments, and run as
a plan.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import context, dtypes, nest
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.eager_tensor import EagerTensor, wrap
from hybridflow._src.framework.graph_inputs import add_input
from hybridflow._src.framework.locks import holding, new_lock
from hybridflow._src.framework.operation import Operation
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.framework.tensor_shape import as_shape, to_string
from hybridflow._src.framework.unknown_sizes import unknown_sizes
from hybridflow._src.ops.control_flow.conditional import common_dims
from hybridflow._src.plan.planning import Kernels
from hybridflow._src.runtime.func_graph import FuncGraph
from hybridflow._src.runtime.graph_function import GraphFunction
from hybridflow._src.variables.scope_state import get_variable_scope
from hybridflow._src.variables.variable import Variable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hybridflow._src.plan.plan import Plan

_NEW_VARIABLE = (
    "The function '{name}' tried to create variable '{variable}' when it was called again. A "
    "function traced by "
    "hf.function may create variables only the first time: create it outside, or use "
    "hf.get_variable, which gets "
    "the one that exists."
)


class TensorSpec:
    """The dtype and shape of a tensor argument, for `input_signature`.

    >>> import hybridflow as hf
    >>> hf.TensorSpec([None, 2])
    TensorSpec(shape=(?, 2), dtype=float32)
    """

    __slots__ = ("dtype", "name", "shape")

    def __init__(self, shape: Any, dtype: Any = dtypes.float32, name: str | None = None) -> None:
        self.shape = as_shape(shape)
        self.dtype = dtypes.as_dtype(dtype)
        self.name = name

    def __repr__(self) -> str:
        return f"TensorSpec(shape={self.shape}, dtype={self.dtype.name})"


class _SizeNeeded(BaseException):
    """A function being traced with open sizes asked for one: not for its `except Exception`."""


class _Argument:
    """One leaf of the arguments of a call: a tensor, or a Python value that is part of the
    program.
    """

    __slots__ = ("dims", "key", "name", "tensor", "value")

    def __init__(self, name: str, value: Any) -> None:
        self.name = name
        self.value = value
        self.tensor: EagerTensor | None = None
        # The sizes of a tensor: None where a `TensorSpec` leaves one open.
        self.dims: Any = ()
        if isinstance(value, (EagerTensor, np.ndarray, np.generic, TensorSpec)):
            tensor: Any = convert_to_tensor(_example(value))
            self.tensor = tensor
            self.dims = value.shape._dims if isinstance(value, TensorSpec) else tensor._dims
            # Shapes are compared apart from this: a trace may serve several.
            self.key: Any = (tensor._dtype, len(tensor._dims))
        elif isinstance(value, Variable) or not _hashable(value):
            self.key = id(value)
        else:
            self.key = (type(value), _told_apart(value))

    def text(self) -> str:
        if self.tensor is not None:
            return f"a {self.tensor._dtype.name} tensor of shape {to_string(self.dims)}"
        return f"{self.value!r:.80}"


def _told_apart(value: Any) -> Any:
    """What stands for a Python value in a key: 0.0 differs from -0.0, a NaN equals another."""
    if isinstance(value, float):
        return float.hex(value)
    if isinstance(value, complex):
        return float.hex(value.real), float.hex(value.imag)
    return value


def _hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


class ConcreteFunction:
    """A function traced for one kind of arguments.

    Attributes:
      graph: the traced graph.
      inputs: its placeholders for the tensor arguments, then for captured tensors.
      tensor_count: how many of `inputs` are arguments.
      captured_inputs: the captured eager tensors and variable handles.
      structured_outputs: what the function returned, with tensors of the graph.
    """

    def __init__(
        self,
        graph: FuncGraph,
        arguments: list[_Argument],
        inputs: list[Tensor],
        outputs: Any,
        kernels: Kernels,
    ) -> None:
        self.graph = graph
        self._arguments = arguments
        self.structured_outputs = outputs
        self.tensor_count = len(inputs)
        self._single = isinstance(outputs, Tensor)
        self.captured_inputs: list[EagerTensor] = list(graph.captures)
        self.inputs = [*inputs, *graph.captures.values()]
        flat = [t for t in nest.flatten_parts(outputs) if t is not None]
        self._function = GraphFunction(graph, self.inputs, flat, graph.effects, kernels)

    @property
    def outputs(self) -> list[Tensor]:
        """The tensors of the graph that are returned."""
        return self._function.outputs

    def accepts(self, arguments: list[_Argument]) -> bool:
        """Tells whether tensor arguments of these shapes fit the trace."""
        shapes = [a.dims for a in arguments if a.tensor is not None]
        return all(
            _fits(dims, placeholder._dims)
            for dims, placeholder in zip(shapes, self.inputs[: self.tensor_count], strict=True)
        )

    def __call__(self, *args: Any) -> Any:
        """Runs the trace with tensors for the tensor arguments, in order."""
        tensors = [
            convert_to_tensor(a, p.dtype)
            for a, p in zip(args, self.inputs[: self.tensor_count], strict=True)
        ]
        return self._run(tensors)  # type: ignore[arg-type]

    def plans(self) -> list[Plan]:
        """The plans that have run it."""
        return self._function.plans()

    def run_quickly(self, args: tuple[Any, ...]) -> Any:
        """`_run` for eager tensors that the trace's native program can take as they are.

        Returns: the result, or None if it does not apply.
        """
        if context.tapes.top:
            return None
        arrays = []
        for arg, placeholder in zip(args, self.inputs, strict=False):
            if arg.__class__ is not EagerTensor or arg._dtype is not placeholder._dtype:
                return None
            arrays.append(arg._a)
        values = self._function.quick(arrays)
        if values is None:
            return None
        if self._single:
            return wrap(values[0], self.outputs[0]._dtype)
        found = iter([wrap(v, t._dtype) for v, t in zip(values, self.outputs, strict=True)])
        return self._filled(found)

    def _run(self, tensors: list[EagerTensor]) -> Any:
        for tape in context.tapes.top:
            for handle in self.captured_inputs:
                if handle._dtype is dtypes.resource and handle._a.variable is not None:
                    variable = handle._a.variable()
                    if variable is not None:
                        tape.watch_variable(variable)
        return self._filled(iter(self._function([*tensors, *self.captured_inputs])))

    def _filled(self, results: Iterator[Any]) -> Any:
        """What the function returned, with results in place of the graph's tensors."""
        form = self.structured_outputs
        filled = [None if t is None else next(results) for t in nest.flatten_parts(form)]
        return nest.pack_parts(form, filled)


def _fits(shape: Any, dims: Any) -> bool:
    return dims is None or (
        len(shape) == len(dims)
        and all(d is None or d == s for d, s in zip(dims, shape, strict=True))
    )


class Function:
    """A Python function that runs as a graph when it is called in eager mode. See `hf.function`.

    Attributes:
      python_function: the function itself.
      trace_log: one line for each trace, which says why it was made.
    """

    def __init__(
        self,
        python_function: Callable[..., Any],
        input_signature: Any = None,
        name: str | None = None,
    ) -> None:
        if not callable(python_function):
            raise TypeError(f"hf.function takes a function, got {python_function!r}.")
        self.python_function = python_function
        self.trace_log: list[str] = []
        self._name = name or getattr(python_function, "__name__", "function")
        self._signature = inspect.signature(python_function)
        self._input_signature = input_signature
        self._lock = new_lock()
        self._traces: dict[Any, list[ConcreteFunction]] = {}
        # The kinds of arguments whose sizes the function asks for: these are part of the kind.
        self._sized: set[Any] = set()
        self._last: list[_Argument] | None = None
        # The trace of the last call, if it takes nothing but tensors and gives some.
        self._quick: ConcreteFunction | None = None
        self._kernels = Kernels()
        functools.update_wrapper(self, python_function, updated=())

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self.__call__, instance)

    def __reduce__(self) -> tuple[type[Function], tuple[Any, ...]]:
        """By `copy` and `pickle`: another one of the same function, which has no traces yet."""
        return Function, (self.python_function, self._input_signature, self._name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not context.modes.top.eager:
            return self.python_function(*args, **kwargs)
        quick = self._quick
        if quick is not None and not kwargs and len(args) == quick.tensor_count:
            result = quick.run_quickly(args)
            if result is not None:
                return result
        bound, arguments = self._bind(args, kwargs)
        concrete = self._concrete(bound, arguments)
        tensors = [a.tensor for a in arguments if a.tensor is not None]
        plain = len(tensors) == len(arguments) == len(args) and self._input_signature is None
        self._quick = concrete if plain and concrete.outputs else None
        return concrete._run(tensors)

    def plans(self) -> list[tuple[str, Plan]]:
        """The plans made so far, each with a name that tells for which kind of arguments."""
        found = []
        for traces in self._traces.values():
            for concrete in traces:
                inputs = ", ".join(
                    f"{t.dtype.name} {t.shape}" for t in concrete.inputs[: concrete.tensor_count]
                )
                for plan in concrete.plans():
                    found.append((f"{self._name}({inputs})", plan))
        return found

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> ConcreteFunction:
        """The trace that a call with these arguments runs; `TensorSpec`s stand for tensors.

        Its `graph`, `inputs` and `outputs` show what runs.
        """
        with context.eager_mode():
            bound, arguments = self._bind(args, kwargs)
            return self._concrete(bound, arguments)

    def _bind(self, args: Any, kwargs: Any) -> tuple[inspect.BoundArguments, list[_Argument]]:
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        if self._input_signature is not None:
            self._apply_signature(bound)
        arguments = []
        for name, value in bound.arguments.items():
            leaves = nest.flatten_parts(value)
            for index, leaf in enumerate(leaves):
                label = name if leaves == [value] or len(leaves) == 1 else f"{name}[{index}]"
                arguments.append(_Argument(label, leaf))
        return bound, arguments

    def _apply_signature(self, bound: inspect.BoundArguments) -> None:
        specs = list(self._input_signature)
        names = list(bound.arguments)
        if len(specs) > len(names):
            raise ValueError(
                f"'{self._name}' takes {len(names)} arguments, its input_signature has "
                f"{len(specs)}."
            )
        for name, spec in zip(names, specs, strict=False):
            tensor = convert_to_tensor(_example(bound.arguments[name]), spec.dtype)
            if not _fits(tensor._dims, spec.shape._dims):
                raise ValueError(
                    f"Python inputs incompatible with input_signature: '{name}' has shape "
                    f"{tensor.shape}, expected "
                    f"{spec.shape}."
                )
            bound.arguments[name] = tensor

    def _concrete(
        self, bound: inspect.BoundArguments, arguments: list[_Argument]
    ) -> ConcreteFunction:
        forms = [
            nest.written_out(value, lambda leaf: isinstance(leaf, nest.Composite))
            for value in bound.arguments.values()
            if nest.is_sequence(value) or isinstance(value, nest.Composite)
        ]
        key = (*[a.key for a in arguments], *forms)
        return holding(self._lock, self._found_or_traced, key, bound, arguments)

    def _found_or_traced(
        self, key: Any, bound: inspect.BoundArguments, arguments: list[_Argument]
    ) -> ConcreteFunction:
        for concrete in self._traces.get(key, ()):
            if concrete.accepts(arguments):
                self._last = arguments
                return concrete
        concrete = self._with_open_sizes(key, bound, arguments) or self._trace(
            bound, arguments, self._dims(arguments)
        )
        self._traces.setdefault(key, []).append(concrete)
        self._note(arguments)
        return concrete

    def _dims(self, arguments: list[_Argument]) -> list[Any]:
        """The shapes to trace for."""
        dims = [a.dims for a in arguments if a.tensor is not None]
        specs = [s.shape._dims for s in self._input_signature or ()]
        return [*specs, *dims[len(specs) :]]

    def _with_open_sizes(
        self, key: Any, bound: inspect.BoundArguments, arguments: list[_Argument]
    ) -> ConcreteFunction | None:
        """A trace for all sizes that differ from those of earlier traces, or None.

        There is none if the function asks for such a size as a number, in whatever way: then its
        program may depend on it.
        """
        if self._input_signature is not None or key in self._sized:
            return None
        dims = given = self._dims(arguments)
        for earlier in self._traces.get(key, ()):
            dims = [common_dims(d, p._dims) for d, p in zip(dims, earlier.inputs, strict=False)]
        if dims == given:
            return None
        asked = False

        def ask() -> None:
            nonlocal asked
            asked = True
            raise _SizeNeeded

        concrete = None
        collections = context.eager_collections.top
        before = collections.snapshot()
        with contextlib.suppress(Exception, _SizeNeeded), unknown_sizes.scope(ask):
            # An error is that of the sizes it has, if they raise one too.
            concrete = self._trace(bound, arguments, dims)
        if concrete is None or asked:
            collections.restore(before)
            self._sized.add(key)
            return None
        return concrete

    def _note(self, arguments: list[_Argument]) -> None:
        """Says why a trace was made."""
        last, self._last = self._last, arguments
        if last is None:
            self.trace_log.append("first call")
            return
        before = {a.name: a.text() for a in last}
        after = {a.name: a.text() for a in arguments}
        changes = [
            f"argument '{name}' changed from {before.get(name, 'nothing')} to "
            f"{after.get(name, 'nothing')}"
            for name in dict.fromkeys((*before, *after))
            if before.get(name) != after.get(name)
        ]
        text = "; ".join(changes) or "an object passed as argument is another one than before"
        self.trace_log.append(text)
        # Imported when first needed: it costs as much as a tenth of our own import.
        import logging

        logging.getLogger("hybridflow").info(
            "hf.function '%s' is traced again: %s", self._name, text
        )

    def _trace(
        self, bound: inspect.BoundArguments, arguments: list[_Argument], dims: list[Any]
    ) -> ConcreteFunction:
        # The function's variables go to the store that is current outside: it must exist by now.
        get_variable_scope()
        graph = FuncGraph()
        sizes = iter(dims)
        with graph.as_default(), context.variable_creation.scope(self._may_create()):
            inputs: list[Tensor] = []
            leaves = []
            for argument in arguments:
                if argument.tensor is None:
                    leaves.append(argument.value)
                    continue
                name = (
                    "".join(c if c.isalnum() else "_" for c in argument.name).strip("_")
                    or "argument"
                )
                inputs.append(add_input(graph, argument.tensor, next(sizes), name))
                leaves.append(inputs[-1])
            values = iter(leaves)
            inside = inspect.BoundArguments(bound.signature, bound.arguments.copy())
            for name, value in bound.arguments.items():
                flat = [next(values) for _ in nest.flatten_parts(value)]
                inside.arguments[name] = nest.pack_parts(value, flat)
            result = self.python_function(*inside.args, **inside.kwargs)
            outputs = nest.map_structure(_output, result)
        return ConcreteFunction(graph, arguments, inputs, outputs, self._kernels)

    def _may_create(self) -> Callable[[str], None]:
        first = not self._traces

        def check(variable: str) -> None:
            if not first:
                raise ValueError(_NEW_VARIABLE.format(name=self._name, variable=variable))

        return check

    def __repr__(self) -> str:
        return f"<hf.function {self._name}>"


def _example(value: Any) -> Any:
    """A tensor for a `TensorSpec`; other values as they are."""
    if not isinstance(value, TensorSpec):
        return value
    dims = [1 if d is None else d for d in value.shape.as_list()]
    return EagerTensor(np.zeros(dims, value.dtype.np), value.dtype)


def _output(value: Any) -> Any:
    if value is None or isinstance(value, Operation):
        return None
    return value if isinstance(value, nest.Composite) else convert_to_tensor(value)


def function(
    func: Callable[..., Any] | None = None, input_signature: Any = None, name: str | None = None
) -> Any:
    """Makes a Python function run as a graph when it is called in eager mode.

    The function is called once for each kind of arguments (dtypes and ranks of tensors, values of
    other arguments) to trace the ops that it runs; later calls run the traced graph. Sizes that
    differ between calls become unknown in the trace, unless the function asks for one as a number
    (say `int(x.shape[0])`): then it is traced for each size. It works on eager variables, and tapes
    differentiate through it. Called in graph mode, it is called as it is. Usable as a decorator,
    with or without arguments.

    Args:
      func: the function; it takes and returns tensors and nested structures of them.
      input_signature: a `TensorSpec` for each of the first arguments: one trace then serves all
        calls.
      name: a name for messages.

    Returns: a callable with `get_concrete_function(...)`, and `trace_log`, which says for each
    trace which argument changed.

    Raises (when called):
      ValueError: if it creates a variable in a later trace.

    >>> import hybridflow as hf
    >>> @hf.function
    ... def square(x):
    ...     print("tracing")
    ...     return x * x
    >>> with hf.eager_mode():
    ...     print(float(square(hf.constant(3.0))), float(square(hf.constant(4.0))))
    tracing
    9.0 16.0
    """
    if func is None:
        return functools.partial(function, input_signature=input_signature, name=name)
    return Function(func, input_signature, name)
