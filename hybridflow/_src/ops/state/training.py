"""Update rules of optimizers, each written once, and the ops that derive from them.

A rule is data and one elementwise expression: given a variable, its slots, the hyperparameters and
the gradient, it gives the new variable and the new slots. From a rule come four ops: `Apply...` and
`SparseApply...` for variables kept by reference, `ResourceApply...` and `ResourceSparseApply...`
for resource variables. An update holds the lock of all that it changes, stores new arrays (those
it found may be in a reader's hands), and stores all of them or none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.eager_tensor import EagerTensor
from hybridflow._src.framework.errors import DTypeError, InvalidArgumentError
from hybridflow._src.framework.locks import holding
from hybridflow._src.framework.op_def import OpDef, not_differentiable
from hybridflow._src.framework.tensor_shape import merge, to_string
from hybridflow._src.ops.accumulation import accumulator
from hybridflow._src.ops.families import FLOATS, INDICES
from hybridflow._src.ops.state.variable_ops import check_rows
from hybridflow._src.ops.state.writing_updates import write_lazy_adam

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.framework.storage import Storage

__all__ = ["RULES", "UpdateRule"]

_SHAPES = (
    "Variable '{name}' has shape {shape}, its {what} has shape {got}: they must be equal. A "
    "gradient has the shape of its variable."
)
_ROWS = (
    "Variable '{name}' of shape {shape} cannot be updated by rows of shape {got} at indices of "
    "shape {indices}: indices must be a vector, and there must be one row of the variable's shape "
    "{row} for each."
)

# The rule behind each op type.
RULES: dict[str, UpdateRule] = {}


class UpdateRule:
    """How one optimizer updates a variable.

    Attributes:
      name: the op types are Apply<name>, SparseApply<name>, ...
      variables: names of the variable and its slots.
      operands: names of the other inputs, in the order of TF's ops; all are scalars but the
        gradient.
      grad: which of them is the gradient.
      linear: the update subtracts the gradient times the first operand, and that is all.
      whole: a sparse gradient, too, changes all rows of the variable.
      written: how the ops are written to files, if TensorFlow lacks them: see `OpDef`.
      attrs: attributes of the ops with their defaults.
      update: called with the values of the variables and operands, and attributes as keywords;
        gives the new values of the variables, computed elementwise in their dtype.
    """

    __slots__ = (
        "attrs",
        "grad",
        "linear",
        "name",
        "operands",
        "update",
        "variables",
        "whole",
        "written",
    )

    def __init__(
        self,
        name: str,
        variables: str,
        operands: str,
        update: Callable[..., tuple[Any, ...]],
        *,
        grad: str = "grad",
        whole: bool = False,
        linear: bool = False,
        written: Callable[[Any, Any], None] | None = None,
        **attrs: Any,
    ) -> None:
        self.name = name
        self.written = written
        self.variables = tuple(variables.split())
        self.operands = tuple(operands.split())
        self.grad = self.operands.index(grad)
        self.whole = whole
        self.linear = linear
        self.attrs = attrs
        self.update = update
        for prefix, kind in (("", "&T"), ("Resource", "resource")):
            self._make_op(f"{prefix}Apply{name}", kind, self.operands, self._dense, self._native)
            operands_with_rows = list(self.operands)
            operands_with_rows.insert(self.grad + 1, "indices")
            self._make_op(
                f"{prefix}SparseApply{name}",
                kind,
                operands_with_rows,
                self._sparse,
                self._native_sparse,
            )

    def op_type(self, resource: bool, sparse: bool) -> str:
        """The op type for such a variable and gradient."""
        return f"{'Resource' * resource}{'Sparse' * sparse}Apply{self.name}"

    def _make_op(
        self,
        op_type: str,
        kind: str,
        operands: Sequence[str],
        compute: Callable[..., None],
        native: Callable[..., Any] | None = None,
    ) -> None:
        in_whole = self.whole or self.linear
        inputs = [f"{v}: {kind}" for v in self.variables]
        inputs += [f"{o}: {_TYPES.get(o, 'T')}" for o in operands]
        types = {"T": FLOATS, "Tindices": INDICES}
        used = {text.rpartition(": ")[2].lstrip("&") for text in inputs}
        OpDef(
            op_type,
            f"{', '.join(inputs)} ->",
            types={var: allowed for var, allowed in types.items() if var in used},
            attrs={"use_locking": False, **self.attrs},
            shape=self._shape,
            compute=compute,
            grad=not_differentiable,
            effect="write",
            native=native,
            # TensorFlow has no such op: its optimizers make the update of others.
            written=self._write_dense if "Sparse" in op_type and in_whole else self.written,
        )
        RULES[op_type] = self

    def _write_dense(self, nodes: Any, op: Any) -> None:
        """Writes an update by rows as the dense one, with zeros for all other rows."""
        place = len(self.variables) + self.grad
        rows, indices = op.inputs[place : place + 2]
        dims = _form(op.inputs[0])[0]
        if not dims or dims[0] is None:
            nodes.plain(op)
            return
        inputs = [nodes.input(t) for t in op.inputs]
        count = np.array(dims[0], np.int32)
        size = nodes.add("Const", f"{op.name}/rows", [], dtype=dtypes.int32, value=count)
        given = [*inputs[place : place + 2], nodes.output(size)]
        kinds = {"T": rows.dtype, "Tindices": indices.dtype, "Tnumsegments": dtypes.int32}
        dense = nodes.add("UnsortedSegmentSum", f"{op.name}/grad", given, **kinds)
        inputs[place : place + 2] = [nodes.output(dense)]
        attrs = {key: op.attrs[key] for key in ("use_locking", *self.attrs)}
        nodes.node(op, op.type.replace("Sparse", ""), inputs, {"T": rows.dtype, **attrs})

    # -- what the ops do -----------------------------------------------------------------------

    def _dense(self, *inputs: Any, use_locking: bool, **attrs: Any) -> None:
        count = len(self.variables)
        storages, operands = inputs[:count], inputs[count:]
        # All of them have one lock: they belong to one session, or are eager.
        holding(storages[0].lock, self._update_all, storages, operands, attrs)

    def _update_all(
        self, storages: Sequence[Storage], operands: Sequence[Any], attrs: dict[str, Any]
    ) -> None:
        values = [s.read() for s in storages]
        self._check(storages[0].name, values, operands)
        _check_shape(storages[0].name, values[0], "gradient", operands[self.grad])
        self._store(storages, values, self.update(*values, *operands, **attrs))

    def _native(self, b: Any, *inputs: Any, use_locking: bool, **attrs: Any) -> list[Any]:
        """How kernels do a dense update."""
        count = len(self.variables)
        storages, operands = inputs[:count], inputs[count:]
        if operands[self.grad].shape != b.variable(storages[0]).shape:
            raise b.unsupported("a gradient of another shape")
        if self.linear and b.subtract_product(storages[0], operands[0], operands[1]):
            return []
        b.update(storages, self.update, *operands, **attrs)
        return []

    def _native_sparse(self, b: Any, *inputs: Any, use_locking: bool, **attrs: Any) -> list[Any]:
        """How kernels update the rows that a sparse gradient names."""
        count = len(self.variables)
        storages, operands = inputs[:count], list(inputs[count:])
        indices = operands.pop(self.grad + 1)
        rows = operands[self.grad]
        shape = b.variable(storages[0]).shape
        if not shape or len(indices.shape) != 1 or rows.shape != indices.shape + shape[1:]:
            raise b.unsupported("rows of another shape")
        if self.linear:
            b.subtract_rows(storages[0], operands[0], indices, rows)
        elif self.whole:
            operands[self.grad] = b.sum_rows(rows, indices, shape[0])
            b.update(storages, self.update, *operands, **attrs)
        else:
            b.update_rows(storages, self.update, indices, operands, self.grad, **attrs)
        return []

    def _sparse(self, *inputs: Any, use_locking: bool, **attrs: Any) -> None:
        count = len(self.variables)
        storages, operands = inputs[:count], list(inputs[count:])
        indices = operands.pop(self.grad + 1)
        holding(storages[0].lock, self._update_rows, storages, indices, operands, attrs)

    def _update_rows(
        self,
        storages: Sequence[Storage],
        indices: np.ndarray,
        operands: list[Any],
        attrs: dict[str, Any],
    ) -> None:
        values = [s.read() for s in storages]
        self._check(storages[0].name, values, operands)
        _check_row_shapes(
            storages[0].name, values[0].shape, indices.shape, operands[self.grad].shape
        )
        check_rows(storages[0].name, indices, values[0].shape)
        rows, operands[self.grad] = _sum_repeated(indices, operands[self.grad])
        if self.whole:
            grad = np.zeros_like(values[0])
            grad[rows] = operands[self.grad]
            operands[self.grad] = grad
            changed = self.update(*values, *operands, **attrs)
        else:
            parts = self.update(*[v[rows] for v in values], *operands, **attrs)
            changed = tuple([v.copy() for v in values])
            for value, part in zip(changed, parts, strict=True):
                value[rows] = part
        self._store(storages, values, changed)

    def _check(self, name: str, values: list[Any], operands: Sequence[Any]) -> None:
        """Checks the shapes of slots, that hyperparameters are scalars, and that dtypes agree."""
        variable = values[0]
        for what, value in zip(self.variables[1:], values[1:], strict=True):
            _check_shape(name, variable, f"slot '{what}'", value)
        for index, (what, value) in enumerate(zip(self.operands, operands, strict=True)):
            if index != self.grad and value.ndim:
                raise InvalidArgumentError(
                    None,
                    None,
                    f"{what} is not a scalar: {value.shape} (update of variable '{name}')",
                )
            if value.dtype != variable.dtype and what not in _TYPES:
                raise InvalidArgumentError(
                    None,
                    None,
                    f"Variable '{name}' has dtype {variable.dtype.name}, but {what} of its update "
                    "has dtype "
                    f"{value.dtype.name}.",
                )

    def _store(self, storages: Sequence[Storage], values: Sequence[Any], changed: Any) -> None:
        new = [np.asarray(array) for array in changed]
        for storage, before, array in zip(storages, values, new, strict=True):
            assert array.dtype == before.dtype, (self.name, storage.name, array.dtype)
            assert array.shape == before.shape, (self.name, storage.name, array.shape)
        for storage, array in zip(storages, new, strict=True):
            storage.write(array)

    # -- what is known before they run ---------------------------------------------------------

    def _shape(self, attrs: dict[str, Any], *inputs: Any) -> list[Any]:
        count = len(self.variables)
        variables, operands = inputs[:count], list(inputs[count:])
        forms = [_form(t) for t in variables]
        dims, dtype = forms[0]
        for other, _ in forms[1:]:
            dims = merge(dims, other)
        sparse = len(operands) > len(self.operands)
        indices = operands.pop(self.grad + 1) if sparse else None
        grad = operands.pop(self.grad)
        for operand in operands:
            merge(operand._dims, ())
        if dtype is not None and grad._dtype.base_dtype is not dtype:
            raise DTypeError(
                f"A gradient of dtype {grad._dtype.base_dtype.name} does not match the dtype "
                f"{dtype.name} of variable '{variables[0].op.name}'."
            )
        if indices is None:
            merge(dims, grad._dims)
        elif dims is not None:
            rows = merge(indices._dims, (None,)) or ()
            merge(grad._dims, (*rows, *dims[1:]))
        return []


_TYPES = {"indices": "Tindices", "global_step": "int64"}


def _form(variable: Any) -> tuple[Any, Any]:
    """The static shape of a variable and, for a handle, its dtype (for references see dispatch)."""
    if variable._dtype is not dtypes.resource:
        return variable._dims, None
    if variable.__class__ is EagerTensor:
        value = variable._a.value
        return (None, None) if value is None else (value.shape, dtypes.as_dtype(value.dtype))
    attrs = variable.op.attrs
    prefix = "handle_" if "handle_dtype" in attrs else ""
    shape = attrs.get(f"{prefix}shape")
    return (None if shape is None else shape._dims), attrs.get(f"{prefix}dtype")


def _check_shape(name: str, variable: np.ndarray, what: str, value: np.ndarray) -> None:
    if value.shape != variable.shape:
        raise InvalidArgumentError(
            None,
            None,
            _SHAPES.format(
                name=name, shape=to_string(variable.shape), what=what, got=to_string(value.shape)
            ),
        )


def _check_row_shapes(
    name: str, shape: tuple[int, ...], indices: tuple[int, ...], rows: tuple[int, ...]
) -> None:
    if not shape or len(indices) != 1 or rows != indices + shape[1:]:
        raise InvalidArgumentError(
            None,
            None,
            _ROWS.format(
                name=name,
                shape=to_string(shape),
                got=to_string(rows),
                indices=to_string(indices),
                row=to_string(shape[1:]),
            ),
        )


def _sum_repeated(indices: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each index once, with the sum of the rows given for it."""
    unique, position = np.unique(indices, return_inverse=True)
    if unique.size == indices.size:
        return indices, values
    summed = np.zeros((unique.size, *values.shape[1:]), accumulator(values.dtype))
    np.add.at(summed, position, values)
    return unique, summed.astype(values.dtype, copy=False)


# -- the rules -------------------------------------------------------------------------------------
#
# Names of arguments as in the signatures; `1 - beta` and the like keep the dtype of the variable.


def _gradient_descent(var: Any, alpha: Any, delta: Any) -> tuple[Any, ...]:
    return (var - alpha * delta,)


def _momentum(
    var: Any, accum: Any, lr: Any, grad: Any, momentum: Any, use_nesterov: bool
) -> tuple[Any, ...]:
    accum = accum * momentum + grad
    if use_nesterov:
        return var - (grad * lr + accum * momentum * lr), accum
    return var - accum * lr, accum


def _adagrad(var: Any, accum: Any, lr: Any, grad: Any) -> tuple[Any, ...]:
    accum = accum + grad * grad
    return var - grad * lr / np.sqrt(accum), accum


def _adagrad_da(
    var: Any, total: Any, squares: Any, grad: Any, lr: Any, l1: Any, l2: Any, global_step: Any
) -> tuple[Any, ...]:
    step = global_step.astype(var.dtype)
    total = total + grad
    squares = squares + grad * grad
    shrunk = np.sign(total) * np.maximum(np.abs(total) - l1 * step, 0)
    return -lr * shrunk / (l2 * step * lr + np.sqrt(squares)), total, squares


def _adadelta(
    var: Any, accum: Any, accum_update: Any, lr: Any, rho: Any, epsilon: Any, grad: Any
) -> tuple[Any, ...]:
    accum = accum * rho + grad * grad * (1 - rho)
    scaled = grad / np.sqrt(accum + epsilon)
    step = np.sqrt(accum_update + epsilon) * scaled
    return var - lr * step, accum, accum_update * rho + step * step * (1 - rho)


def _adam(
    var: Any,
    m: Any,
    v: Any,
    beta1_power: Any,
    beta2_power: Any,
    lr: Any,
    beta1: Any,
    beta2: Any,
    epsilon: Any,
    grad: Any,
    use_nesterov: bool = False,
) -> tuple[Any, ...]:
    rate = lr * np.sqrt(1 - beta2_power) / (1 - beta1_power)
    m = m + (grad - m) * (1 - beta1)
    v = v + (grad * grad - v) * (1 - beta2)
    direction = m * beta1 + (1 - beta1) * grad if use_nesterov else m
    return var - rate * direction / (np.sqrt(v) + epsilon), m, v


def _rms_prop(
    var: Any, ms: Any, mom: Any, lr: Any, rho: Any, momentum: Any, epsilon: Any, grad: Any
) -> tuple[Any, ...]:
    ms = ms + (grad * grad - ms) * (1 - rho)
    mom = mom * momentum + lr * grad / np.sqrt(ms + epsilon)
    return var - mom, ms, mom


def _centered_rms_prop(
    var: Any, mg: Any, ms: Any, mom: Any, lr: Any, rho: Any, momentum: Any, epsilon: Any, grad: Any
) -> tuple[Any, ...]:
    mg = mg + (grad - mg) * (1 - rho)
    ms = ms + (grad * grad - ms) * (1 - rho)
    mom = mom * momentum + lr * grad / np.sqrt(ms - mg * mg + epsilon)
    return var - mom, mg, ms, mom


def _ftrl(
    var: Any, accum: Any, linear: Any, grad: Any, lr: Any, l1: Any, l2: Any, lr_power: Any
) -> tuple[Any, ...]:
    new_accum = accum + grad * grad
    power = new_accum**-lr_power
    linear = linear + grad - (power - accum**-lr_power) / lr * var
    var = (np.sign(linear) * l1 - linear) / (power / lr + 2 * l2)
    return np.where(np.abs(linear) > l1, var, var.dtype.type(0)), new_accum, linear


def _ftrl_shrinkage(
    var: Any,
    accum: Any,
    linear: Any,
    grad: Any,
    lr: Any,
    l1: Any,
    l2: Any,
    l2_shrinkage: Any,
    lr_power: Any,
) -> tuple[Any, ...]:
    shrunk = grad + 2 * l2_shrinkage * var
    var, _, linear = _ftrl(var, accum, linear, shrunk, lr, l1, l2, lr_power)
    # As TF 1.4 computes it: what is added to accum is the square of a gradient at the *new*
    # variable.
    shrunk = grad + 2 * l2_shrinkage * var
    return var, accum + shrunk * shrunk, linear


def _proximal(var: Any, rate: Any, l1: Any, l2: Any, grad: Any) -> Any:
    """A gradient step at `rate`, then the proximal operator of `l1 |x| + l2 x^2 / 2`."""
    step = var - rate * grad
    return np.sign(step) * np.maximum(np.abs(step) - rate * l1, 0) / (1 + l2 * rate)


def _proximal_gradient_descent(
    var: Any, alpha: Any, l1: Any, l2: Any, delta: Any
) -> tuple[Any, ...]:
    return (_proximal(var, alpha, l1, l2, delta),)


def _proximal_adagrad(
    var: Any, accum: Any, lr: Any, l1: Any, l2: Any, grad: Any
) -> tuple[Any, ...]:
    accum = accum + grad * grad
    return _proximal(var, lr / np.sqrt(accum), l1, l2, grad), accum


GRADIENT_DESCENT = UpdateRule(
    "GradientDescent", "var", "alpha delta", _gradient_descent, grad="delta", linear=True
)
MOMENTUM = UpdateRule("Momentum", "var accum", "lr grad momentum", _momentum, use_nesterov=False)
ADAGRAD = UpdateRule("Adagrad", "var accum", "lr grad", _adagrad)
ADAGRAD_DA = UpdateRule(
    "AdagradDA",
    "var gradient_accumulator gradient_squared_accumulator",
    "grad lr l1 l2 global_step",
    _adagrad_da,
)
ADADELTA = UpdateRule("Adadelta", "var accum accum_update", "lr rho epsilon grad", _adadelta)
ADAM = UpdateRule(
    "Adam",
    "var m v",
    "beta1_power beta2_power lr beta1 beta2 epsilon grad",
    _adam,
    whole=True,
    use_nesterov=False,
)
LAZY_ADAM = UpdateRule(
    "LazyAdam",
    "var m v",
    "beta1_power beta2_power lr beta1 beta2 epsilon grad",
    _adam,
    written=write_lazy_adam,
)
RMS_PROP = UpdateRule("RMSProp", "var ms mom", "lr rho momentum epsilon grad", _rms_prop)
CENTERED_RMS_PROP = UpdateRule(
    "CenteredRMSProp", "var mg ms mom", "lr rho momentum epsilon grad", _centered_rms_prop
)
FTRL = UpdateRule("Ftrl", "var accum linear", "grad lr l1 l2 lr_power", _ftrl)
FTRL_SHRINKAGE = UpdateRule(
    "FtrlV2", "var accum linear", "grad lr l1 l2 l2_shrinkage lr_power", _ftrl_shrinkage
)
PROXIMAL_GRADIENT_DESCENT = UpdateRule(
    "ProximalGradientDescent",
    "var",
    "alpha l1 l2 delta",
    _proximal_gradient_descent,
    grad="delta",
)
PROXIMAL_ADAGRAD = UpdateRule("ProximalAdagrad", "var accum", "lr l1 l2 grad", _proximal_adagrad)
