"""`Metric`, `Mean`, `Accuracy` of `tf.contrib.eager.metrics`: objects that gather what they see."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.graph_keys import GraphKeys, current_collections
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.shape_ops import size
from hybridflow._src.ops.control_flow.ordering import group
from hybridflow._src.ops.math.comparison import equal
from hybridflow._src.ops.math.reductions import reduce_sum
from hybridflow._src.ops.math.summing import add_n
from hybridflow._src.train.recording import scalar
from hybridflow._src.variables.getting import get_variable
from hybridflow._src.variables.initializers import Zeros
from hybridflow._src.variables.scope import variable_scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["Accuracy", "Mean", "Metric"]

_KEY = "metrics"
_NO_NAME = re.compile("[^A-Za-z0-9.]")


class Metric:
    """What is gathered over batches, in variables, until its result is asked for.

    A class of one's own defines `build`, which makes variables by `add_variable`, `call`, which
    moves them by a batch, and `result`. In a graph a call gives the operation that moves them.

    Args:
      name: its name, and that of its variables' scope; that of the class by default.
    """

    def __init__(self, name: str | None = None) -> None:
        name = name or type(self).__name__
        scope = _NO_NAME.sub("_", name)
        self._eager = context.modes.top.eager
        if self._eager:
            # Eager variables of one name are one: each metric has its own.
            used: dict[str, int] = current_collections().extensions.setdefault(_KEY, {})
            used[scope] = number = used.get(scope, -1) + 1
            if number:
                name, scope = f"{name}_{number}", f"{scope}_{number}"
        self._name = name
        with variable_scope(scope, use_resource=True, reuse=False) as self._scope:
            pass
        self._graph = None if self._eager else get_default_graph()
        self._built = False
        self._vars: list[Any] = []
        self._initial: list[Any] = []

    @property
    def name(self) -> str:
        """Its name."""
        return self._name

    @property
    def variables(self) -> list[Any]:
        """Its variables, once it has been called."""
        return self._vars

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Moves the variables by a batch: see `call`.

        Returns: in a graph the operation that does it.
        """
        if not self._built:
            mode = context.eager_mode() if self._graph is None else self._graph.as_default()
            with mode, variable_scope(self._scope):
                self.build(*args, **kwargs)
            self._built = True
        if self._graph is None:
            return self.call(*args, **kwargs)
        first = len(self._graph.get_operations())
        self.call(*args, **kwargs)
        made = self._graph.get_operations()[first:]
        return group(*[op for op in made if op.record.effect == "write"])

    def init_variables(self) -> Any:
        """Begins anew. In a graph: gives the operation that does it.

        There it must run before all others, after the first call has made the variables.
        """
        if self._graph is not None:
            return group(*[variable.initializer for variable in self._vars])
        for variable, value in zip(self._vars, self._initial, strict=True):
            variable.assign(value)
        return None

    def build(self, *args: Any, **kwargs: Any) -> None:
        """Makes the variables; called with the arguments of the first call."""
        raise NotImplementedError("Metrics must define a build() member function")

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Moves the variables by a batch."""
        raise NotImplementedError("Metrics must define a call() member function")

    def result(self) -> Any:
        """What has been found."""
        raise NotImplementedError("Metrics must define a result() member function")

    def value(self) -> Any:
        """In a graph the result; eagerly the function that gives it."""
        return self.result if self._graph is None else self.result()

    def aggregate(self, metrics: Sequence[Metric]) -> Any:
        """Adds what others of its class have gathered. In a graph: gives the operation.

        Raises:
          TypeError: if they are of another class. ValueError: if they have other variables.
        """
        for metric in metrics:
            if type(metric) is not type(self):
                raise TypeError(
                    f"All metrics must be the same type, '{type(self)}' != '{type(metric)}'."
                )
            if len(metric._vars) != len(self._vars):
                raise ValueError("All metrics must have variables in the same order.")
        columns = zip(*[metric._vars for metric in metrics], strict=True)
        added = [
            mine.assign_add(add_n([v.read_value() for v in theirs]))
            for mine, theirs in zip(self._vars, columns, strict=False)
        ]
        return None if self._graph is None else group(*[update.op for update in added])

    def add_variable(
        self, name: str, shape: Any = None, dtype: Any = None, initializer: Any = None
    ) -> Any:
        """Makes a variable, in `build`.

        Raises:
          RuntimeError: elsewhere.
        """
        if self._built:
            raise RuntimeError("Can't call add_variable() except in build().")
        keys = None if self._eager else [GraphKeys.LOCAL_VARIABLES, GraphKeys.METRIC_VARIABLES]
        variable = get_variable(
            name,
            shape,
            dtype,
            initializer,
            trainable=False,
            collections=keys,
            use_resource=True,
        )
        self._vars.append(variable)
        if self._eager:
            self._initial.append(variable.read_value())
        return variable


class Mean(Metric):
    """The mean of values, weighted if there are weights; writes a summary with its result.

    Args:
      name: as for `Metric`. dtype: of the sums.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     mean = hf.contrib.eager.metrics.Mean()
    ...     mean([1.0, 2.0, 6.0])
    ...     mean([7.0], weights=[3.0])
    ...     print(mean.result().numpy())
    5.0
    """

    def __init__(self, name: str | None = None, dtype: Any = dtypes.float64) -> None:
        super().__init__(name=name)
        self.dtype = dtypes.as_dtype(dtype)

    def build(self, *args: Any, **kwargs: Any) -> None:
        """Makes two sums."""
        zeros = Zeros()
        self.numer = self.add_variable("numer", (), self.dtype, zeros)
        self.denom = self.add_variable("denom", (), self.dtype, zeros)

    def call(self, values: Any, weights: Any = None) -> None:
        """Adds values `[...]`, each with its weight `[...]`, 1 by default."""
        if weights is None:
            self.denom.assign_add(cast(size(values), self.dtype))
            self.numer.assign_add(cast(reduce_sum(values), self.dtype))
            return
        weights = cast(weights, self.dtype)
        self.denom.assign_add(reduce_sum(weights))
        self.numer.assign_add(reduce_sum(cast(values, self.dtype) * weights))

    def result(self) -> Tensor:
        """The mean, a scalar of the metric's dtype."""
        mean: Tensor = self.numer / self.denom
        scalar(self.name, mean)
        return mean


class Accuracy(Mean):
    """How often predictions are the labels.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     accuracy = hf.contrib.eager.metrics.Accuracy()
    ...     accuracy(labels=[1, 2, 3, 4], predictions=[0, 2, 3, 4])
    ...     print(accuracy.result().numpy())
    0.75
    """

    def call(  # type: ignore[override]
        self, labels: Any, predictions: Any, weights: Any = None
    ) -> None:
        """Adds labels and predictions `[...]` of one dtype, each with its weight, 1 by default."""
        super().call(cast(equal(labels, predictions), dtypes.float64), weights=weights)
