"""`Optimizer`, the base class of all optimizers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.autodiff.gradients import check_aggregation_method, gradients
from hybridflow._src.autodiff.tape import GradientTape
from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.described import Described
from hybridflow._src.framework.graph_keys import GraphKeys, get_collection, get_collection_ref
from hybridflow._src.framework.indexed_slices import IndexedSlices, sum_repeated
from hybridflow._src.framework.locks import holding, new_lock
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import control_dependencies, init_scope, name_scope
from hybridflow._src.framework.storage import undone_on_error
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops.control_flow import ordering
from hybridflow._src.train.arguments import NO_GRADIENT, check_mode, checked_pairs, variables_of
from hybridflow._src.train.eager_step import EagerSteps
from hybridflow._src.train.projection import check_synchronous, project_after
from hybridflow._src.train.slots import SlotSets, make_slot
from hybridflow._src.train.updates import count_step
from hybridflow._src.variables.initializers import Zeros
from hybridflow._src.variables.partitioned import PartitionedVariable
from hybridflow._src.variables.resource_variable import ResourceVariable
from hybridflow._src.variables.updates import colocated
from hybridflow._src.variables.variable import Variable

if TYPE_CHECKING:
    from hybridflow._src.framework.dtypes import DType

__all__ = ["Optimizer"]

_NOT_FUNCTION = (
    "`loss` passed to Optimizer.compute_gradients should be a function when eager execution is "
    "enabled, got {loss!r:.200}. The function computes the loss from variables and returns it: "
    "`optimizer.minimize(lambda: loss_of(model(x), y))`."
)
_FUNCTION = (
    "`loss` passed to Optimizer.compute_gradients is a function, {loss!r:.200}. In graph mode pass "
    "the loss tensor itself, `optimizer.minimize(loss())`; functions are for eager mode (`with "
    "hf.eager_mode():`)."
)


class Optimizer(Described):
    """Base class: computes gradients, and applies them by an update that subclasses define.

    A subclass defines `_apply_dense(grad, var)` and `_apply_sparse(grad, var)` (for gradients that
    are `IndexedSlices`, of which each index comes once), and where it needs them `_prepare()`,
    `_create_slots(var_list)` and `_finish(update_ops, name_scope)`. Resource variables go through
    `_resource_apply_dense(grad, var)` and `_resource_apply_sparse(grad, var, indices)`, which by
    default call the former.

    After the update of a variable with a constraint the constraint is applied to it, whether its
    gradient is dense or sparse (TF 1.4 refuses sparse ones).

    Args:
      use_locking: whether updates are safe when several threads run them at once: an update, with
        the constraint after it, is then one step for each variable.
      name: name of the optimizer and of the operation that applies gradients.

    Raises:
      ValueError: without a name.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     v = hf.Variable([1.0, 2.0])
    ...     optimizer = hf.train.GradientDescentOptimizer(0.5)
    ...     optimizer.minimize(lambda: hf.reduce_sum(v * v))
    ...     print(v.numpy())
    [0. 0.]
    """

    GATE_NONE = 0
    GATE_OP = 1
    GATE_GRAPH = 2

    def __init__(self, use_locking: bool, name: str) -> None:
        if not name:
            raise ValueError("Must specify the optimizer name")
        self._use_locking = use_locking
        self._name = name
        self._slot_sets = SlotSets()
        self._slot_names: set[str] = set()
        # `_prepare` leaves what it prepared in attributes: one thread at a time.
        self._lock = new_lock()
        self._eager_steps = EagerSteps(self)

    def __getstate__(self) -> dict[str, Any]:
        """By `copy` and `pickle`: all but what belongs to this one, and what `_prepare` makes."""
        return {
            key: value
            for key, value in vars(self).items()
            if key not in ("_lock", "_eager_steps")
            and not (isinstance(value, Tensor) and key.endswith(("_t", "_tensor")))
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._lock = new_lock()
        self._eager_steps = EagerSteps(self)

    def get_name(self) -> str:
        """The name given to the constructor."""
        return self._name

    # -- gradients -----------------------------------------------------------------------------

    def minimize(
        self,
        loss: Any,
        global_step: Any = None,
        var_list: Any = None,
        gate_gradients: int = GATE_OP,
        aggregation_method: int | None = None,
        colocate_gradients_with_ops: bool = False,
        name: str | None = None,
        grad_loss: Any = None,
    ) -> Any:
        """Computes gradients of `loss` and applies them.

        It calls `compute_gradients`, then `apply_gradients`.

        Args: as for these two.

        Returns: the operation that updates the variables and `global_step`; None in eager mode.

        Raises:
          ValueError: if no variable has a gradient. Otherwise as these two.

        >>> import hybridflow as hf
        >>> with hf.Graph().as_default(), hf.Session() as sess:
        ...     v = hf.get_variable("v", initializer=[1.0, 2.0])
        ...     train = hf.train.GradientDescentOptimizer(0.25).minimize(hf.reduce_sum(v * v))
        ...     _ = sess.run(hf.global_variables_initializer())
        ...     _ = sess.run(train)
        ...     print(train.name, sess.run(v))
        GradientDescent [0.5 1. ]
        """
        grads_and_vars = self.compute_gradients(
            loss,
            var_list=var_list,
            gate_gradients=gate_gradients,
            aggregation_method=aggregation_method,
            colocate_gradients_with_ops=colocate_gradients_with_ops,
            grad_loss=grad_loss,
        )
        if all(grad is None for grad, _ in grads_and_vars):
            raise ValueError(
                "No gradients provided for any variable, check your graph for ops that do not "
                f"support gradients, between variables {[v.name for _, v in grads_and_vars]} and "
                f"loss {loss}. {NO_GRADIENT}"
            )
        return self.apply_gradients(grads_and_vars, global_step=global_step, name=name)

    def compute_gradients(
        self,
        loss: Any,
        var_list: Any = None,
        gate_gradients: int = GATE_OP,
        aggregation_method: int | None = None,
        colocate_gradients_with_ops: bool = False,
        grad_loss: Any = None,
    ) -> list[tuple[Any, Any]]:
        """The gradients of `loss` with respect to variables.

        Args:
          loss: float tensor, whose sum is the loss; in eager mode a function without arguments that
            computes it.
          var_list: variables, or a nested structure of them; partitioned ones stand for their
            parts. By default the graph's trainable variables, or in eager mode those that `loss`
            reads.
          gate_gradients: `GATE_NONE` or `GATE_OP` (results do not depend on these), or
            `GATE_GRAPH`: no gradient is available before all are.
          aggregation_method: see `AggregationMethod`.
          colocate_gradients_with_ops: colocates gradient ops with the ops they belong to.
          grad_loss: gradient that flows into `loss`; ones by default.

        Returns: a list of (gradient, variable) pairs; a gradient is a tensor, `IndexedSlices`, or
        None where `loss` does not depend on the variable.

        Raises:
          TypeError: if `var_list` holds anything but variables. ValueError: for dtypes that are not
            floating, without any variable, or for other arguments out of range. RuntimeError: in
            eager mode, if `loss` is not a function.
        """
        if gate_gradients not in (self.GATE_NONE, self.GATE_OP, self.GATE_GRAPH):
            raise ValueError(
                "gate_gradients must be one of: Optimizer.GATE_NONE, Optimizer.GATE_OP, "
                f"Optimizer.GATE_GRAPH. Not {gate_gradients}"
            )
        check_aggregation_method(aggregation_method)
        variables = None if var_list is None else variables_of(var_list)
        if grad_loss is not None:
            grad_loss = convert_to_tensor(grad_loss)
            self._assert_valid_dtypes([grad_loss])
        eager = context.modes.top.eager
        if not isinstance(loss, Tensor | Variable) and callable(loss):
            if not eager and not get_default_graph().building_function:
                raise ValueError(_FUNCTION.format(loss=loss))
            grads, variables = self._tape_gradients(loss, variables, grad_loss)
        elif eager:
            raise RuntimeError(_NOT_FUNCTION.format(loss=loss))
        else:
            loss = convert_to_tensor(loss)
            self._assert_valid_dtypes([loss])
            if variables is None:
                variables = variables_of(get_collection(GraphKeys.TRAINABLE_VARIABLES))
            _check_some(variables)
            grads = gradients(
                loss,
                variables,
                grad_ys=grad_loss,
                gate_gradients=gate_gradients == self.GATE_OP,
                aggregation_method=aggregation_method,
                colocate_gradients_with_ops=colocate_gradients_with_ops,
            )
        if gate_gradients == self.GATE_GRAPH and any(g is not None for g in grads):
            grads = ordering.tuple(grads)
        pairs = list(zip(grads, variables, strict=True))
        self._assert_valid_dtypes([v for g, v in pairs if g is not None])
        return pairs

    def _tape_gradients(
        self, function: Any, variables: list[Any] | None, grad_loss: Any
    ) -> tuple[list[Any], list[Any]]:
        """Runs a function that gives the loss; gives gradients, and the variables they are for."""
        with GradientTape(watch_accessed_variables=variables is None) as tape:
            if variables is not None:
                tape.watch(variables)
            loss = function()
            if loss is None:
                raise ValueError(
                    f"The function {function!r:.200} returned None: it must return the loss."
                )
            loss = convert_to_tensor(loss)
        self._assert_valid_dtypes([loss])
        if variables is None:
            variables = list(tape.watched_variables())
        _check_some(variables)
        return tape.gradient(loss, variables, grad_loss), variables

    # -- updates -------------------------------------------------------------------------------

    def apply_gradients(
        self, grads_and_vars: Any, global_step: Any = None, name: str | None = None
    ) -> Any:
        """Updates variables by their gradients.

        Args:
          grads_and_vars: (gradient, variable) pairs; those whose gradient is None are left out.
          global_step: variable to add 1 to after the updates.
          name: name of the operation; that of the optimizer by default.

        Returns: the operation that is done when all variables are updated, constraints applied, and
        `global_step` counted; None in eager mode, where that has happened. After an error in eager
        mode the variables are as they were.

        Raises:
          TypeError: for something else than gradients and variables. ValueError: if there are no
            pairs, or all gradients are None. RuntimeError: for variables of the other mode.
            NotImplementedError: for a variable with a constraint on a cluster's device, since its
            updates would be asynchronous.

        >>> import hybridflow as hf
        >>> with hf.eager_mode():
        ...     v = hf.Variable([1.0, 2.0])
        ...     optimizer = hf.train.GradientDescentOptimizer(0.5)
        ...     optimizer.apply_gradients([(hf.constant([2.0, 2.0]), v)])
        ...     print(v.numpy())
        [0. 1.]
        """
        if context.modes.top.eager:
            if grads_and_vars.__class__ is zip:  # can be read once
                grads_and_vars = list(grads_and_vars)
            if self._eager_steps.again(grads_and_vars, global_step):
                return None
        pairs = checked_pairs(grads_and_vars)
        variables = [v for _, v in pairs]
        for variable in variables:
            check_synchronous(variable)
        if global_step is not None:
            if not isinstance(global_step, Variable):
                raise TypeError(f"global_step must be a hf.Variable, got {global_step!r:.200}.")
            check_mode([global_step])
        return holding(self._lock, self._step, pairs, global_step, name)

    def _step(self, pairs: list[tuple[Any, Any]], global_step: Any, name: str | None) -> Any:
        # What happens here is no part of what a tape around it differentiates.
        with context.tapes.scope(()):
            with init_scope():
                self._create_slots([variable for _, variable in pairs])
            if context.modes.top.eager:
                step = self._eager_steps.find(self, pairs, global_step)
                if step is not None:
                    step.run([grad for grad, _ in pairs], self._apply)
                    return None
            return undone_on_error(self._apply, pairs, global_step, name)

    def _apply(self, pairs: list[tuple[Any, Any]], global_step: Any, name: str | None) -> Any:
        with name_scope(name, self._name) as scope:
            self._prepare()
            if context.modes.top.eager:
                self._finish([self._update(grad, variable) for grad, variable in pairs], scope)
                if global_step is not None:
                    count_step(global_step, scope)
                return None
            updates = []
            for grad, variable in pairs:
                with name_scope(f"update_{variable._shared_name}"), colocated(variable):
                    updates.append(self._update(grad, variable))
            if global_step is None:
                done = self._finish(updates, scope)
            else:
                last = self._finish(updates, "update")
                with control_dependencies([last]), colocated(global_step):
                    done = count_step(global_step, scope)
            if not get_default_graph().building_function:
                train_ops = get_collection_ref(GraphKeys.TRAIN_OP)
                if done not in train_ops:
                    train_ops.append(done)
            return done

    def _update(self, grad: Any, variable: Any) -> Any:
        """Updates one variable, and applies its constraint."""
        if variable.constraint is None:
            return self._update_by(grad, variable)
        only_rows = isinstance(grad, IndexedSlices) and self._changes_only_rows(variable)
        return project_after(
            variable,
            lambda: self._update_by(grad, variable),
            self._use_locking,
            grad.indices if only_rows else None,
        )

    def _update_by(self, grad: Any, variable: Any) -> Any:
        """Calls the hook for this kind of variable and gradient."""
        resource = isinstance(variable, ResourceVariable)
        if isinstance(grad, IndexedSlices):
            if resource:
                return self._resource_apply_sparse_duplicate_indices(
                    grad.values, variable, grad.indices
                )
            return self._apply_sparse_duplicate_indices(grad, variable)
        return (self._resource_apply_dense if resource else self._apply_dense)(grad, variable)

    def _changes_only_rows(self, var: Any) -> bool:
        """Whether a sparse gradient is sure to change no rows but its own."""
        return False

    # -- slots ---------------------------------------------------------------------------------

    def get_slot(self, var: Any, name: str) -> Any:
        """The slot `name` of a variable, or None; for a partitioned one the slots of its parts."""
        if isinstance(var, PartitionedVariable):
            slots = [self.get_slot(part, name) for part in var]
            if None in slots:
                return None
            first = var._get_variable_list()[0]
            title = var.name + slots[0]._shared_name.removeprefix(first._shared_name)
            return PartitionedVariable(
                title, var.shape, slots[0]._dtype, slots, var._get_partitions()
            )
        named = self._slot_sets.of(var).slots.get(name)
        return None if named is None else named.get(var)

    def get_slot_names(self) -> list[str]:
        """The names of all slots that were made, sorted."""
        return sorted(self._slot_names)

    def variables(self) -> list[Any]:
        """All variables that it made for the current graph, or for eager mode, by name."""
        return sorted(self._slot_sets.current().variables(), key=lambda v: v.name)

    def _slot(self, var: Any, slot_name: str, make: Any) -> Any:
        named = self._slot_sets.of(var).named(slot_name)
        slot = named.get(var)
        if slot is None:
            slot = named[var] = make()
            self._slot_names.add(slot_name)
        return slot

    def _get_or_make_slot(self, var: Any, val: Any, slot_name: str, op_name: str) -> Any:
        """The slot of `var`, made with the initial value `val` if it is not there."""
        return self._slot(var, slot_name, lambda: make_slot(var, val, op_name))

    def _get_or_make_slot_with_initializer(
        self, var: Any, initializer: Any, shape: Any, dtype: Any, slot_name: str, op_name: str
    ) -> Any:
        """The slot of `var`, made by an initializer if it is not there."""
        dtype = dtypes.as_dtype(dtype).base_dtype
        known = shape.is_fully_defined()

        def value() -> Any:
            dims = shape.as_list() if known else raw.Shape(var.initialized_value())
            return initializer(dims, dtype=dtype)

        return self._slot(
            var, slot_name, lambda: make_slot(var, value, op_name, dtype, validate_shape=known)
        )

    def _zeros_slot(self, var: Any, slot_name: str, op_name: str) -> Any:
        """The slot of `var`, made with zeros if it is not there."""
        return self._get_or_make_slot_with_initializer(
            var, Zeros(), var.shape, var.dtype, slot_name, op_name
        )

    def _create_non_slot_variable(self, initial_value: Any, name: str, colocate_with: Any) -> Any:
        """A variable that belongs to no single variable: one for each graph, and for eager mode."""
        others = self._slot_sets.current().others
        variable = others.get(name)
        if variable is None:
            with init_scope(), colocated(colocate_with):
                variable = others[name] = Variable(initial_value, name=name, trainable=False)
        return variable

    def _get_non_slot_variable(self, name: str, graph: Any = None) -> Any:
        """What `_create_non_slot_variable` made for `graph` or the current one, or None."""
        found = self._slot_sets.current() if graph is None else self._slot_sets.of_graph(graph)
        return found.others.get(name)

    # -- what subclasses define ----------------------------------------------------------------

    def _prepare(self) -> None:
        """Makes tensors of hyperparameters; called once for each `apply_gradients`."""

    def _create_slots(self, var_list: list[Any]) -> None:
        """Makes the slots for these variables."""

    def _finish(self, update_ops: list[Any], name_scope: str) -> Any:
        """What is done after the updates; gives the operation to run for all of it."""
        return ordering.group(*update_ops, name=name_scope)

    def _apply_dense(self, grad: Any, var: Any) -> Any:
        """Updates `var` by a gradient tensor; gives the operation."""
        raise NotImplementedError(f"{type(self).__name__} does not define _apply_dense.")

    def _apply_sparse(self, grad: Any, var: Any) -> Any:
        """Updates `var` by `IndexedSlices` in which each index comes once; gives the operation."""
        raise NotImplementedError(
            f"{type(self).__name__} does not define _apply_sparse: it takes no sparse gradients, "
            f"such as that of variable '{var.name}'."
        )

    def _resource_apply_dense(self, grad: Any, handle: Any) -> Any:
        """`_apply_dense` for a resource variable."""
        return self._apply_dense(grad, handle)

    def _resource_apply_sparse(self, grad: Any, handle: Any, indices: Any) -> Any:
        """`_apply_sparse` for a resource variable."""
        return self._apply_sparse(IndexedSlices(grad, indices), handle)

    def _apply_sparse_duplicate_indices(self, grad: Any, var: Any) -> Any:
        """`_apply_sparse` with rows that have the same index summed first."""
        values, indices = sum_repeated(grad.values, grad.indices)
        return self._apply_sparse(IndexedSlices(values, indices, grad.dense_shape), var)

    def _resource_apply_sparse_duplicate_indices(self, grad: Any, handle: Any, indices: Any) -> Any:
        """`_resource_apply_sparse` with rows that have the same index summed first."""
        values, indices = sum_repeated(grad, indices)
        return self._resource_apply_sparse(values, handle, indices)

    def _valid_dtypes(self) -> set[DType]:
        """The dtypes that losses and variables may have."""
        return {dtypes.float16, dtypes.float32, dtypes.float64}

    def _assert_valid_dtypes(self, tensors: list[Any]) -> None:
        valid = self._valid_dtypes()
        for tensor in tensors:
            dtype = tensor.dtype.base_dtype
            if dtype not in valid:
                what = tensor.name if isinstance(tensor, Variable) else tensor
                names = sorted(d.name for d in valid)
                raise ValueError(f"Invalid type {dtype!r} for {what}, expected: {names}.")


def _check_some(variables: list[Any]) -> None:
    if not variables:
        raise ValueError(
            "No variables to optimize. The loss must be computed from trainable variables: make "
            "them with hf.get_variable before, in eager mode inside the function that gives the "
            "loss."
        )
