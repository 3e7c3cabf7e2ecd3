"""`Layer`: a function with variables of its own."""

from __future__ import annotations

import contextlib
import copy
import inspect
import itertools
import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes, nest
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.graph_keys import GraphKeys
from hybridflow._src.framework.scopes import colocate_with, graph_of, name_scope
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.layers.contributions import Contributions, add_missing
from hybridflow._src.layers.input_spec import as_list, check_inputs
from hybridflow._src.layers.nodes import (
    Connected,
    are_connected,
    connect,
    layer_state,
    only_in_graphs,
)
from hybridflow._src.ops.arrays.reshaping import identity
from hybridflow._src.variables.constraints import serialization as constraints
from hybridflow._src.variables.getting import get_variable
from hybridflow._src.variables.keras_names import INITIALIZERS, REGULARIZERS
from hybridflow._src.variables.partitioned import PartitionedVariable
from hybridflow._src.variables.scope import variable_scope
from hybridflow._src.variables.scope_state import VariableScope, current
from hybridflow._src.variables.variable import Variable, variables_are_eager

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Layer"]

_ALLOWED = ("_scope", "_reuse", "input_shape", "batch_size")
_UNNAMED = (
    'No name available for layer scope because the layer "{name}" has not been used yet. The scope '
    "name is determined the first time the layer instance is called. You must therefore call the "
    "layer before querying `scope_name`."
)
_NO_ACTIVITY = (
    "{layer}: activity_regularizer is not supported in eager mode. Add the loss of the output to "
    "the loss of the step."
)


class Layer(Connected, Contributions):
    """A function of tensors with variables: made once, called as often as needed.

    A subclass makes its variables in `build`, by `add_variable`, and computes in `call`. The first
    call builds; all calls use the same variables. Variables get their names from a variable scope
    that is opened by then.

    Args:
      trainable: whether its variables are.
      name: name of the variable scope, made unique; that of the class in small letters by default.
      dtype: dtype of the variables; that of the first input by default.
      activity_regularizer: function from an output to a loss; in graphs alone.
      _scope: a variable scope, or its name, to use as it is. _reuse: `reuse` of that scope.
      input_shape, batch_size: kept, as Keras' layers do.

    Attributes:
      trainable: whether variables are told as trainable ones.
      built: whether `build` was called.
      input_spec: an `InputSpec`, or a list of them, for the inputs.

    Raises:
      TypeError: for an unknown keyword argument. ValueError: when called, for inputs that do not
        fit `input_spec`, or are of another graph.

    >>> import hybridflow as hf
    >>> class Scale(hf.layers.Layer):
    ...     def build(self, input_shape):
    ...         self.factors = self.add_variable("factors", [input_shape[-1]], initializer="ones")
    ...         super().build(input_shape)
    ...     def call(self, inputs):
    ...         return inputs * self.factors
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     scale = Scale()
    ...     print(scale(hf.constant([[1.0, 2.0]])).numpy(), scale.variables[0].name)
    [[1. 2.]] scale/factors:0
    """

    def __init__(
        self,
        trainable: bool = True,
        name: Any = None,
        dtype: Any = None,
        activity_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        Connected.__init__(self)
        Contributions.__init__(self)
        for key in kwargs:
            if key not in _ALLOWED:
                raise TypeError("Keyword argument not understood:", key)
        self.trainable = trainable
        self.built = False
        self.input_spec: Any = None
        if activity_regularizer is not None and variables_are_eager():
            raise ValueError(_NO_ACTIVITY.format(layer=type(self).__name__))
        self._activity_regularizer = _named(REGULARIZERS.get, activity_regularizer)
        self._trainable_weights: list[Any] = []
        self._non_trainable_weights: list[Any] = []
        self._reuse = kwargs.get("_reuse")
        self._graph = None if variables_are_eager() else get_default_graph()
        self._dtype = None if dtype is None else dtypes.as_dtype(dtype).name
        self._call_has_scope_arg = "scope" in inspect.signature(self.call).parameters
        self._base_name = name.name if isinstance(name, VariableScope) else name
        self._name = self._base_name
        if not name:
            self._base_name = snake_case(type(self).__name__)
            counts = layer_state().counts
            counts[self._base_name] = counts.get(self._base_name, 0) + 1
            self._name = f"{self._base_name}_{counts[self._base_name]}"
        self._scope: VariableScope | None = None
        if kwargs.get("_scope"):
            with variable_scope(kwargs["_scope"]) as self._scope:
                pass
        if "input_shape" in kwargs:
            self._batch_input_shape = (kwargs.get("batch_size"), *kwargs["input_shape"])

    @property
    def name(self) -> str:  # type: ignore[override]
        """Its name: that which was given, or one made of the class."""
        return self._name

    @property
    def dtype(self) -> str | None:
        """The name of the variables' dtype; None before it is known."""
        return self._dtype

    @property
    def graph(self) -> Any:
        """The graph in which it was made.

        Raises:
          RuntimeError: in eager mode.
        """
        only_in_graphs("Layer.graph")
        return self._graph

    @property
    def activity_regularizer(self) -> Callable[[Any], Any] | None:
        """The regularizer of its outputs."""
        return self._activity_regularizer

    @property
    def scope_name(self) -> str:
        """The name of its variable scope.

        Raises:
          ValueError: before the first call.
        """
        if self._scope is None:
            raise ValueError(_UNNAMED.format(name=self._name))
        return self._scope.name

    # -- variables ---------------------------------------------------------------------------------

    @property
    def trainable_weights(self) -> list[Any]:
        """The variables that are trained; none where `trainable` is False."""
        return list(self._trainable_weights) if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Any]:
        """The variables that are not trained."""
        if self.trainable:
            return list(self._non_trainable_weights)
        return self._trainable_weights + self._non_trainable_weights

    @property
    def weights(self) -> list[Any]:
        """All variables, those that are trained first."""
        return self.trainable_weights + self.non_trainable_weights

    @property
    def trainable_variables(self) -> list[Any]:
        """The same as `trainable_weights`."""
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Any]:
        """The same as `non_trainable_weights`."""
        return self.non_trainable_weights

    @property
    def variables(self) -> list[Any]:
        """The same as `weights`."""
        return self.weights

    def count_params(self) -> int:
        """The number of elements of all variables.

        Raises:
          ValueError: if the layer is not built.
        """
        if not self.built:
            raise ValueError(
                f"You tried to call `count_params` on {self.name}, but the layer isn't built. You "
                f"can build it manually via: `{self.name}.build(batch_input_shape)`."
            )
        return sum(math.prod(w.shape.as_list()) for w in self.weights)

    # Whether its ops are named as its variables are: in networks.
    _names_ops_as_variables = False

    def _op_scope(self, scope: VariableScope) -> str:
        """The name scope of its ops."""
        return f"{scope.name}/" if self._names_ops_as_variables else scope.original_name_scope

    def _set_scope(self, scope: Any = None) -> None:
        """Opens the variable scope for the first time."""
        if self._scope is None:
            if self._reuse:
                opened = variable_scope(self._base_name if scope is None else scope)
            else:
                opened = variable_scope(scope, default_name=self._base_name)
            with opened as self._scope:
                pass

    def add_variable(
        self,
        name: str,
        shape: Any,
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        trainable: bool = True,
        constraint: Any = None,
        partitioner: Any = None,
    ) -> Any:
        """Makes a variable in the layer's scope, or gets it where the scope is reused.

        Args:
          name: its name within the scope.
          shape, dtype, initializer, constraint, partitioner: as for `hf.get_variable`; initializer
            and constraint may be Keras' names. The dtype is the layer's by default.
          regularizer: function from the variable to a loss (or Keras' name for one), which joins
            the layer's losses and `GraphKeys.REGULARIZATION_LOSSES`, once for each variable.
          trainable: whether it is trained; never where the layer is not.

        Returns: a `Variable`, or what a custom getter gives.
        """
        dtype = dtypes.as_dtype(dtype or self.dtype or dtypes.float32)
        regularizer = _named(REGULARIZERS.get, regularizer)
        if regularizer is not None and not callable(regularizer):
            raise TypeError(
                f"The regularizer of '{name}' must be a function from a variable to a loss, as "
                f"hf.l2_regularizer(0.01), or Keras' name for one. Received: {regularizer!r}"
            )
        self._set_scope()
        with (
            variable_scope(self._scope, reuse=self.built or self._reuse) as scope,
            name_scope(self._op_scope(scope)),
        ):
            full_name = f"{scope.name}/{name}" if scope.name else name
            store = current().store
            cut, count = store.partitioned.get(full_name), len(store.variables)
            variable = get_variable(
                name,
                shape=shape,
                dtype=dtype,
                initializer=_named(INITIALIZERS.get, initializer),
                trainable=trainable and self.trainable,
                partitioner=partitioner,
                constraint=_named(constraints.get, constraint),
            )
            # A custom getter may have given it another name.
            known = any(variable is v for v in itertools.islice(store.variables.values(), count))
            shared = variable is cut or known
            if regularizer and not shared:
                whole = isinstance(variable, PartitionedVariable)
                for part in list(variable) if whole else [variable]:
                    self._regularize(part, name, regularizer)
        # What a graph had before belongs to the layer that made it.
        if shared and not variables_are_eager():
            return variable
        # A custom getter may have decided otherwise.
        trained = trainable and (not self.trainable or getattr(variable, "trainable", True))
        weights = self._trainable_weights if trained else self._non_trainable_weights
        if not any(variable is known for known in weights):
            weights.append(variable)
        return variable

    add_weight = add_variable

    def _regularize(self, variable: Any, name: str, regularizer: Callable[[Any], Any]) -> None:
        eager = variables_are_eager()
        with (
            contextlib.nullcontext() if eager else colocate_with(variable.op),
            name_scope(f"{name}/Regularizer"),
        ):
            loss = regularizer(variable)
        if loss is not None:
            self.add_loss((lambda: regularizer(variable)) if eager else loss)

    # -- calls -------------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Makes the variables; called by the first call with the shape of the input, or a list."""
        self.built = True

    def call(self, inputs: Any, **kwargs: Any) -> Any:
        """Computes the outputs; subclasses define it."""
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for a shape of the input, as far as it can be told."""
        return input_shape

    def apply(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The same as calling the layer."""
        return self(inputs, *args, **kwargs)

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Computes the outputs for inputs, by `call`; builds the layer at first.

        Args:
          inputs: a tensor, or a structure of them.
          *args, **kwargs: for `call`; `scope` is the variable scope to use, at the first call.

        Returns: what `call` returns.
        """
        self._set_scope(kwargs.pop("scope", None))
        eager = variables_are_eager()
        inputs = nest.map_structure(_tensor_of, inputs)
        if not eager:
            try:
                graph_of(nest.flatten(inputs), self._graph)
            except ValueError as error:
                raise ValueError(f"Input graph and Layer graph are not the same: {error}") from None
        arguments = dict(kwargs)
        with (
            variable_scope(self._scope, reuse=self.built or self._reuse) as scope,
            name_scope(self._op_scope(scope)),
        ):
            check_inputs(self._name, self.input_spec, inputs)
            if not self.built:
                self._build_for(inputs)
                check_inputs(self._name, self.input_spec, inputs)
            if self._call_has_scope_arg:
                kwargs["scope"] = scope
            outputs = self.call(inputs, *args, **kwargs)
            if outputs is None:
                raise ValueError(
                    "A layer's `call` method should return a Tensor or a list of Tensors, not None."
                )
            if self._activity_regularizer is not None:
                for output in as_list(outputs):
                    with name_scope("ActivityRegularizer"):
                        loss = self._activity_regularizer(output)
                    self.add_loss(loss, inputs)
        if not eager:
            if are_connected(inputs):
                outputs = self._distinct(inputs, outputs, self._op_scope(scope))
                connect(self, inputs, outputs, arguments)
            add_missing(self.updates, GraphKeys.UPDATE_OPS)
        self.built = True
        return outputs

    def _build_for(self, inputs: Any) -> None:
        leaves = nest.flatten(inputs)
        if leaves and self._dtype is None:
            self._dtype = leaves[0].dtype.base_dtype.name
        shapes = [leaf.shape for leaf in leaves]
        self.build(shapes[0] if len(shapes) == 1 else shapes)

    def _distinct(self, inputs: Any, outputs: Any, scope: str) -> Any:
        """The outputs, those that are inputs as tensors of their own: a tensor has one origin."""
        given = nest.flatten(inputs)

        def distinct(output: Any) -> Any:
            if not any(output is tensor for tensor in given):
                return output
            with name_scope(scope):
                return identity(output)

        return nest.map_structure(distinct, outputs)

    def __deepcopy__(self, memo: dict[int, Any]) -> Layer:
        copied = type(self).__new__(type(self))
        memo[id(self)] = copied
        for key, value in vars(self).items():
            first = next(iter(nest.flatten(value)), None)
            if key == "_graph" or isinstance(first, (Tensor, Variable, PartitionedVariable)):
                new = copy.copy(value) if isinstance(value, (list, dict)) else value
            elif key == "_scope":
                new = copy.copy(value)
            elif key in ("_inbound_nodes", "_outbound_nodes"):
                new = []
            elif key in ("_losses", "_updates"):
                new = {inputs: list(items) for inputs, items in value.items()}
            else:
                new = copy.deepcopy(value, memo)
            setattr(copied, key, new)
        return copied


def _named(get: Callable[[Any], Any], value: Any) -> Any:
    """What one of Keras' names stands for; anything else as it is."""
    return get(value) if isinstance(value, str) else value


def snake_case(name: str) -> str:
    """`MaxPooling2D` as `max_pooling2d`."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=.)(?=[A-Z][a-z0-9])", "_", name).lower()
    return f"private{words}" if words.startswith("_") else words


def _tensor_of(value: Any) -> Any:
    if not hasattr(value, "shape"):
        raise TypeError(f"The inputs of a layer must be tensors, got {value!r:.80}.")
    return convert_to_tensor(value) if isinstance(value, np.ndarray) else value
