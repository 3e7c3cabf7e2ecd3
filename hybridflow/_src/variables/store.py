"""Variable stores: where `get_variable` looks up a name, and makes the variable if it may."""

from __future__ import annotations

import enum
import weakref
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context
from hybridflow._src.framework.collections import Deferred
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.dtypes import as_dtype
from hybridflow._src.framework.graph_keys import (
    GraphKeys,
    add_to_collection,
    current_collections,
)
from hybridflow._src.framework.locks import holding, mending, new_lock
from hybridflow._src.framework.scopes import colocate_with, init_scope, name_scope, root_scope
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.framework.tensor_shape import TensorShape, as_shape
from hybridflow._src.framework.traceback import is_library
from hybridflow._src.variables.initializers import Initializer
from hybridflow._src.variables.partitioning import Partitioning
from hybridflow._src.variables.replication import resource_variables_enabled
from hybridflow._src.variables.request import Request, takes
from hybridflow._src.variables.scaling_initializers import default_initializer
from hybridflow._src.variables.scope_names import ScopeCounts
from hybridflow._src.variables.variable import Variable

if TYPE_CHECKING:
    from hybridflow._src.variables.partitioned import PartitionedVariable
    from hybridflow._src.variables.partitioning import PartitionInfo

_EXISTS = (
    "Variable {name} already exists, disallowed. Did you mean to set reuse=True or "
    "reuse=tf.AUTO_REUSE in VarScope? Originally defined at:\n\n{place}\n"
    "To share it, ask for it inside `with hf.variable_scope(name, reuse=hf.AUTO_REUSE):`; for one "
    "more variable, use another name or scope. hf.reset_default_graph() starts over."
)
_MISSING = (
    "Variable {name} does not exist, or was not created with tf.get_variable(). Did you mean to "
    "set reuse=tf.AUTO_REUSE in VarScope?{near} With reuse=True a scope gives variables that exist "
    "and makes none; with hf.AUTO_REUSE it does both."
)
_OTHER = "Trying to share variable {name}, but specified {what} {wanted} and found {what} {found}."
_OTHER_GRAPH = (
    "\n\nIt was made at:\n\n{place}\n"
    "Ask for what was made there, or use another name or scope for another variable."
)
_OTHER_EAGER = (
    "\n\nIn eager mode a name keeps its variable, even where the function that made it has been "
    "written anew. This one was made at:\n\n{place}\n"
    "Use another name or scope for the new one, or start over with hf.reset_default_graph()."
)
_PARTITIONED = (
    "No partitioner was provided, but a partitioned version of the variable was found: "
    "{name}/part_0. Perhaps a variable of the same name was already created with partitioning?"
)
_NO_SHAPE = (
    "Shape of a new variable ({name}) must be fully defined, but instead was {shape}. Pass "
    "`shape`, or an initializer that is a tensor or array."
)
_SHAPE_TWICE = (
    "If initializer is a constant, do not specify shape. Variable {name} is given shape {shape}, "
    "and as initializer the constant {value!r:.80}, which has its own; a function of the shape is "
    "`hf.constant_initializer(value)`, or `hf.keras.initializers.get(name)` for a name of Keras."
)
_NOT_REGULARIZER = (
    "The `regularizer` argument must be a callable that gives a loss, got {got!r} for variable "
    "'{name}'. hf.contrib.layers.l2_regularizer(0.01) does, or `lambda w: hf.nn.l2_loss(w)`."
)
_CYCLE = (
    "The initial value of variable {name} depends on itself: it is asked for while it is made "
    "({chain}). Give one of these variables an initial value that uses no other."
)


class ReuseMode(enum.Enum):
    """What `reuse` may be beside True, False and None."""

    AUTO_REUSE = 1

    def __repr__(self) -> str:
        return f"hf.{self.name}"


AUTO_REUSE = ReuseMode.AUTO_REUSE


class VariableStore:
    """The variables of one graph, or of one eager store, by full name.

    Attributes:
      eager: the variables are eager ones: reuse is always AUTO_REUSE, all are resource variables.
      variables: variables and parts of partitioned ones, by name.
      partitioned: partitioned variables, by name.
      counts: how often each scope was opened.
    """

    def __init__(self, eager: bool) -> None:
        self.eager = eager
        self.variables: dict[str, Variable] = {}
        self.partitioned: dict[str, PartitionedVariable] = {}
        self.counts = ScopeCounts()
        # Held while a variable is made: two threads that ask for one name get one variable.
        self._lock = new_lock()
        self._being_made: dict[str, None] = {}

    def get(self, request: Request) -> Any:
        """The variable that is asked for: the one of that name, or a new one.

        Raises:
          ValueError: if it exists and may not be shared, does not exist and may not be made, or
            differs from what is asked for. TypeError: for arguments of the wrong type.
        """
        name = request.name
        if self.eager:
            request.reuse, request.use_resource = AUTO_REUSE, True
        cut = request.partitioner is not None and as_shape(request.shape)._dims != ()
        # As in TF, reuse=True finds a partitioned variable without a partitioner, but AUTO_REUSE,
        # which might make another one, does not. In eager mode a name always gives its variable.
        if cut or ((self.eager or request.reuse is True) and name in self.partitioned):
            return holding(self._lock, self._get_partitioned, request)
        if name not in self.variables and f"{name}/part_0" in self.variables:
            raise ValueError(_PARTITIONED.format(name=name))
        return self.get_single(request)

    def get_single(self, request: Request, part: PartitionInfo | None = None) -> Variable:
        """`get` without partitioning; `part` says which part of a partitioned variable it is."""
        dims = as_shape(request.shape)._dims
        if dims is not None and request.from_value:
            shape, value = TensorShape.of(dims), request.initializer
            raise ValueError(_SHAPE_TWICE.format(name=request.name, shape=shape, value=value))
        found = self.variables.get(request.name)
        if found is None:
            found, is_new = holding(self._lock, self._found_or_made, request, dims, part)
            if is_new:
                return found
        if not request.reuse:
            raise ValueError(_EXISTS.format(name=request.name, place=_place(found)))
        _check_same(found, request, dims)
        return found

    def _get_partitioned(self, request: Request) -> Any:
        with root_scope():
            return Partitioning(self, request).get()

    def _found_or_made(
        self, request: Request, dims: Any, part: PartitionInfo | None
    ) -> tuple[Variable, bool]:
        # Another thread may have been quicker.
        found = self.variables.get(request.name)
        return (self._make(request, dims, part), True) if found is None else (found, False)

    def _make(self, request: Request, dims: Any, part: PartitionInfo | None) -> Variable:
        name = request.name
        if request.reuse is True:
            raise ValueError(_MISSING.format(name=name, near=self._near(name)))
        if not request.from_value and (dims is None or None in dims):
            raise ValueError(_NO_SHAPE.format(name=name, shape=TensorShape.of(dims)))
        if request.regularizer and not callable(request.regularizer):
            raise TypeError(_NOT_REGULARIZER.format(name=name, got=request.regularizer))
        if name in self._being_made:
            chain = " -> ".join([*self._being_made, name])
            raise ValueError(_CYCLE.format(name=name, chain=chain))
        self._being_made[name] = None
        try:
            return mending(lambda: self._made(request, dims, part), lambda: self.forget([name]))
        finally:
            del self._being_made[name]

    def _made(self, request: Request, dims: Any, part: PartitionInfo | None) -> Variable:
        is_resource = request.use_resource
        if is_resource is None:
            is_resource = resource_variables_enabled()
        with root_scope():
            value = _initial_value(request, dims, part)
            made = Variable(
                value,
                name=request.name,
                trainable=request.trainable,
                collections=request.collections,
                caching_device=request.caching_device,
                dtype=request.dtype if callable(value) else None,
                validate_shape=request.validate_shape,
                use_resource=is_resource,
                expected_shape=TensorShape.of(dims),
                constraint=request.constraint,
            )
            self.variables[request.name] = made
            if request.regularizer:
                self._regularize(made, request.regularizer, request.name)
        return made

    def _near(self, name: str) -> str:
        """A question for the variable that may be meant by a name that is not there."""
        # The same name in another scope, or else one that is spelled alike.
        last = name.rpartition("/")[2]
        names = [other for other in self.variables if other.rpartition("/")[2] == last]
        if not names:
            import difflib  # for an error alone

            names = difflib.get_close_matches(name, self.variables)
        return f" Or is it {names[0]!r}?" if names else ""

    def forget(self, names: list[str]) -> None:
        """Drops variables again, since something went wrong after they were made."""
        dropped = {self.variables[name] for name in names if name in self.variables}
        if dropped:
            with root_scope():
                losses = tuple(f"{name}/Regularizer" for name in names)
                for items in current_collections()._collections.values():
                    items[:] = [item for item in items if not _is_of(dropped, losses, item)]
            for name in names:
                self.variables.pop(name, None)

    def _regularize(self, variable: Variable, regularizer: Any, name: str) -> None:
        """Adds the variable's regularization loss, if there is one, to its collection."""
        with colocate_with(None if self.eager else variable.op), name_scope(f"{name}/Regularizer/"):
            loss = regularizer(variable)
        if loss is None:
            return
        if callable(loss):
            raise TypeError(_NOT_REGULARIZER.format(name=name, got=regularizer))
        if self.eager:
            loss = Deferred(f"{name}/Regularizer", lambda: regularizer(variable))
        add_to_collection(GraphKeys.REGULARIZATION_LOSSES, loss)


def _is_of(variables: set[Variable], losses: tuple[str, ...], item: Any) -> bool:
    """Whether an item of a collection is one of the variables, or one of their losses."""
    item = item() if item.__class__ is weakref.ref else item
    if isinstance(item, Variable):
        return item in variables
    return isinstance(item, Tensor | Deferred) and item.name.startswith(losses)


def _initial_value(request: Request, dims: Any, part: PartitionInfo | None) -> Any:
    """The initial value, or a function without arguments that gives it."""
    if request.from_value:
        return request.initializer
    dtype, shape = request.dtype, list(dims)
    initializer = request.initializer
    if initializer is None:
        initializer = default_initializer(request.name, dtype)
        if not dtype.is_floating:
            return initializer(shape, dtype)  # as TF does: this names the op
    elif isinstance(initializer, type):
        initializer = initializer(dtype=dtype)
    if isinstance(initializer, Initializer) or takes(initializer, "partition_info"):
        return lambda: initializer(shape, dtype=dtype, partition_info=part)
    return lambda: initializer(shape, dtype=dtype)


def _check_same(found: Variable, request: Request, dims: Any) -> None:
    """Checks that a variable has the shape and dtype that are asked for."""
    shape, dtype = TensorShape.of(dims), request.dtype
    if request.from_value:
        shape, dtype = _form_of(request.initializer, dtype)
    if dims != found._dims and not shape.is_compatible_with(found.shape):
        raise _other(found, request.name, "shape", shape, found.shape)
    if dtype is not found._dtype:
        raise _other(found, request.name, "dtype", dtype.name, found.dtype.name)


def _other(variable: Variable, name: str, what: str, wanted: Any, found: Any) -> ValueError:
    text = _OTHER.format(name=name, what=what, wanted=wanted, found=found)
    more = _OTHER_EAGER if variable._eager else _OTHER_GRAPH
    return ValueError(text + more.format(place=_place(variable)))


def _form_of(value: Any, dtype: Any) -> Any:
    """Shape and dtype of an initial value that is not needed, since the variable exists."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return as_shape(value.shape), as_dtype(value.dtype).base_dtype
    with init_scope(), context.eager_mode():
        tensor = convert_to_tensor(value, preferred_dtype=dtype)
    return tensor.shape, tensor.dtype.base_dtype


def _place(variable: Variable) -> str:
    """The user's innermost lines that made a variable, for a message."""
    made_at = variable._made_at()
    frames = [f for f in made_at if not is_library(f.filename)] or made_at
    return "".join(
        f'  File "{f.filename}", line {f.lineno}, in {f.name}\n    {f.line}\n'
        for f in frames[::-1][:3]
    )
