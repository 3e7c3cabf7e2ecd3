"""`RuleOptimizer`: an optimizer that is an update rule, hyperparameters and slots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import DTypeError, ShapeError
from hybridflow._src.framework.op_def import OPS
from hybridflow._src.framework.tensor_shape import compatible
from hybridflow._src.ops.arrays import constant
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.train.optimizer import Optimizer
from hybridflow._src.train.slots import make_slot
from hybridflow._src.variables.resource_variable import ResourceVariable

if TYPE_CHECKING:
    from hybridflow._src.ops.state.training import UpdateRule

_NOT_FITTING = "The gradient of shape {got} does not fit variable '{name}' of shape {shape}."
_NOT_ALIKE = (
    "The gradient has type {got} that does not match type {dtype} of variable '{name}': "
    "`hf.cast(gradient, hf.{dtype})` converts it."
)

# The kinds of NumPy's dtypes that are real numbers; ours has "f" for half precision too.
_NUMBERS = "biuf"


def sums_repeated(hook: Any) -> Any:
    """Marks a hook for sparse gradients that takes repeated indices: the ops made from rules do.

    A subclass that overrides the hook gets each index once, as `Optimizer` promises.
    """
    hook.sums_repeated = True
    return hook


class RuleOptimizer(Optimizer):
    """An optimizer whose updates are one op made from an `UpdateRule`.

    Attributes:
      _rule: the rule.
      _rule_slots: the names of the slots that are the rule's variables after the first.
    """

    _rule: UpdateRule
    _rule_slots: tuple[str, ...] = ()

    def _operands(self, dtype: Any) -> list[Any]:
        """The inputs of the rule in its order, without the gradient, in this dtype."""
        raise NotImplementedError(f"{type(self).__name__} does not define _operands.")

    def _rule_attrs(self) -> dict[str, Any]:
        return {}

    def _constant_slot(self, var: Any, value: float, slot_name: str, op_name: str) -> Any:
        """The slot of `var`, made with `value` everywhere if it is not there."""
        if not var.shape.is_fully_defined():
            return self._get_or_make_slot_with_initializer(
                var, _filled(value), var.shape, var.dtype, slot_name, op_name
            )
        return self._slot(
            var,
            slot_name,
            lambda: make_slot(
                var, constant.constant(value, var._dtype, var.shape.as_list()), op_name
            ),
        )

    def _run_rule(self, var: Any, grad: Any, indices: Any = None) -> Any:
        rule = self._rule
        dims = var._dims if indices is None or var._dims is None else (None, *var._dims[1:])
        if not compatible(grad._dims, dims):
            raise ShapeError(_NOT_FITTING.format(got=grad.shape, name=var.name, shape=var.shape))
        dtype = var._dtype.base_dtype
        if grad._dtype.base_dtype is not dtype:
            got = grad.dtype.base_dtype.name
            raise DTypeError(_NOT_ALIKE.format(got=got, name=var.name, dtype=dtype.name))
        operands = self._operands(var._dtype)
        operands.insert(rule.grad, grad)
        if indices is not None:
            operands.insert(rule.grad + 1, indices)
        slots = [self.get_slot(var, name).handle for name in self._rule_slots]
        op = OPS[rule.op_type(isinstance(var, ResourceVariable), indices is not None)]
        return op(
            var.handle, *slots, *operands, use_locking=bool(self._use_locking), **self._rule_attrs()
        )

    def _apply_dense(self, grad: Any, var: Any) -> Any:
        return self._run_rule(var, grad)

    @sums_repeated
    def _apply_sparse(self, grad: Any, var: Any) -> Any:
        return self._run_rule(var, grad.values, grad.indices)

    def _apply_sparse_duplicate_indices(self, grad: Any, var: Any) -> Any:
        if self._sums_repeated(var):
            return self._apply_sparse(grad, var)
        return super()._apply_sparse_duplicate_indices(grad, var)

    def _resource_apply_sparse_duplicate_indices(self, grad: Any, handle: Any, indices: Any) -> Any:
        if self._sums_repeated(handle):
            return self._resource_apply_sparse(grad, handle, indices)
        return super()._resource_apply_sparse_duplicate_indices(grad, handle, indices)

    def _changes_only_rows(self, var: Any) -> bool:
        return not self._rule.whole and self._sums_repeated(var)

    def _sums_repeated(self, var: Any) -> bool:
        """Whether the hook for sparse gradients of `var` is one of those here."""
        hook: Any = self._apply_sparse
        inherited = type(self)._resource_apply_sparse is Optimizer._resource_apply_sparse
        if isinstance(var, ResourceVariable) and not inherited:
            hook = self._resource_apply_sparse
        return getattr(hook, "sums_repeated", False)


def _filled(value: float) -> Any:
    """An initializer for shapes that are known only when it runs."""

    def initializer(shape: Any, dtype: Any) -> Any:
        return constant.fill(shape, constant.constant(value, dtype))

    return initializer


def hyperparameter(value: Any, name: str) -> Any:
    """A hyperparameter as a tensor; it may be given as a function without arguments.

    As in TF 1.4 a Python number becomes a float32 tensor first, whatever the dtype of the variables
    is.

    Raises:
      ValueError: for None.
      DTypeError: for a string, or anything else that is no number.
    """
    value = value() if callable(value) else value
    if value is None:
        raise ValueError(f"`{name}` must be a number or a scalar tensor, got None.")
    tensor = convert_to_tensor(value, name=name)
    if tensor._dtype.np.kind not in _NUMBERS:
        raise DTypeError(f"`{name}` must be a number or a scalar tensor, got {value!r:.200}.")
    return tensor


def in_dtype(values: list[Any], dtype: Any) -> list[Any]:
    """Hyperparameters in the dtype of a variable."""
    return [v if v.dtype is dtype else cast(v, dtype) for v in values]
