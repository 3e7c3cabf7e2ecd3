"""Ops on variables: made, read, assigned, updated by rows. A variable is a reference or a resource
handle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.errors import InvalidArgumentError, OutOfRangeError
from hybridflow._src.framework.locks import holding
from hybridflow._src.framework.op_def import REQUIRED, OpDef, not_differentiable
from hybridflow._src.framework.storage import Storage
from hybridflow._src.framework.tensor_shape import merge, to_string
from hybridflow._src.ops.families import INDICES, NUMBERS
from hybridflow._src.ops.shape_rules import same, scalar

if TYPE_CHECKING:
    from collections.abc import Callable

_VARIABLE = {"shape": REQUIRED, "dtype": REQUIRED, "shared_name": "", "container": ""}


def _declared(attrs: dict[str, Any], *_: Any) -> Any:
    return attrs["shape"]._dims


def _read_dims(attrs: dict[str, Any], handle: Any) -> Any:
    """The shape that the reader knows, else what the handle says of its variable."""
    shape = attrs["shape"]
    if shape is None:
        known = handle.op.attrs
        shape = known.get("handle_shape", known.get("shape"))
    return None if shape is None else shape._dims


def _nothing(attrs: dict[str, Any], *_: Any) -> list[Any]:
    return []


def _make_storage(
    shape: Any, dtype: Any, shared_name: str, container: str
) -> Callable[[], Storage]:
    storage = Storage(shared_name)
    storage.dims = shape._dims
    return lambda: storage


def _write_variable(nodes: Any, op: Any) -> None:
    """Writes a variable without the name that it has: others of that name would share its value."""
    node = nodes.plain(op)
    if op.attrs["shared_name"] == op.name:
        node.attr["shared_name"].s = b""


OpDef(
    "VariableV2",
    "-> ref: &dtype",
    attrs=_VARIABLE,
    shape=_declared,
    kernel=_make_storage,
    grad=not_differentiable,
    stateful=True,
    written=_write_variable,
)
OpDef(
    "VarHandleOp",
    "-> resource: resource",
    attrs=_VARIABLE,
    shape=scalar,
    kernel=_make_storage,
    grad=not_differentiable,
    stateful=True,
)
OpDef(
    "ReadVariableOp",
    "resource: resource -> value: dtype",
    attrs={"dtype": REQUIRED, "shape": None},
    shape=_read_dims,
    compute=lambda storage, dtype, shape: storage.read(),
    grad=lambda op, dy: dy,
    effect="read",
    native=lambda b, storage, dtype, shape: b.variable(storage),
)
for _name in ("IsVariableInitialized", "VarIsInitializedOp"):
    OpDef(
        _name,
        "ref: &dtype -> is_initialized: bool",
        shape=scalar,
        compute=lambda storage: np.asarray(storage.value is not None),
        grad=not_differentiable,
        effect="read",
    )
# Who reads a variable gets no copy here: what TensorFlow 2's files ask for is so already. In those
# for TensorFlow 1, which lacks the op, it does nothing either.
OpDef(
    "DisableCopyOnRead",
    "resource: resource ->",
    shape=_nothing,
    compute=lambda storage: (),
    grad=not_differentiable,
    stateful=True,
    written=lambda nodes, op: nodes.node(op, "NoOp", [], {}),
)


# -- assignment ------------------------------------------------------------------------------------


def check_shape(name: str, got: tuple[int, ...], dims: Any) -> None:
    """Checks the shape of a value for a variable with static shape `dims`.

    Raises:
      InvalidArgumentError: if it does not fit.
    """
    fits = dims is None or (
        len(got) == len(dims) and all(d is None or d == g for d, g in zip(dims, got, strict=True))
    )
    if not fits:
        raise InvalidArgumentError(
            None,
            None,
            f"Assign requires shapes of both tensors to match. Variable '{name}' has shape "
            f"{to_string(dims)}, the "
            f"value {got}.",
        )


def _assign(
    storage: Storage, value: np.ndarray, shape: Any = None, validate_shape: bool = False, **_: Any
) -> np.ndarray:
    value = np.asarray(value)
    check_assigned(storage, value.shape, shape, validate_shape)
    return storage.write(value)


def check_assigned(
    storage: Storage,
    got: tuple[int, ...],
    shape: Any = None,
    validate_shape: bool = False,
    **_: Any,
) -> None:
    """Checks the shape of a value that an op with these attributes assigns.

    Raises:
      InvalidArgumentError: if it does not fit.
    """
    if shape is not None:
        check_shape(storage.name, got, shape._dims)
    elif validate_shape:
        known = storage.shape
        check_shape(storage.name, got, storage.dims if known is None else known)


def _assign_with(function: Callable[..., Any]) -> Callable[..., np.ndarray]:
    def compute(storage: Storage, delta: np.ndarray, **_: Any) -> np.ndarray:
        def update(value: np.ndarray) -> np.ndarray:
            if np.shape(delta) != np.shape(value):
                raise InvalidArgumentError(
                    None,
                    None,
                    f"Variable '{storage.name}' has shape {np.shape(value)}, the value to add, "
                    f"subtract or multiply "
                    f"{np.shape(delta)}: they must be equal.",
                )
            return np.asarray(function(value, delta))

        return storage.update(update)

    return compute


def _assigned_dims(attrs: dict[str, Any], ref: Any, value: Any) -> Any:
    """The variable's static shape, which the value must fit unless `validate_shape` is off."""
    if not attrs.get("validate_shape", True):
        return value._dims
    return merge(ref._dims, value._dims)


def _same_as_reference(attrs: dict[str, Any], ref: Any, value: Any) -> Any:
    return merge(ref._dims, value._dims)


def _native_assign(function: Callable[..., Any]) -> Callable[..., Any]:
    """How kernels assign what a function gives for the variable's value and another."""

    def native(b: Any, storage: Storage, value: Any, **_: Any) -> Any:
        if value.shape != b.variable(storage).shape:
            raise b.unsupported("a value of another shape")
        return b.update([storage], function, value)[0]

    return native


def _write_product(nodes: Any, op: Any) -> None:
    """Writes `AssignMul`, which TensorFlow lacks: the product, assigned."""
    variable, factor = [nodes.input(t) for t in op.inputs]
    dtype = op.inputs[1].dtype.base_dtype
    if op.type == "AssignMul":
        product = nodes.add("Mul", f"{op.name}/mul", [variable, factor], T=dtype)
        attrs = {"T": dtype, "use_locking": op.attrs["use_locking"], "validate_shape": True}
        nodes.node(op, "Assign", [variable, nodes.output(product)], attrs)
        return
    value = nodes.add("ReadVariableOp", f"{op.name}/read", [variable], dtype=dtype)
    product = nodes.add("Mul", f"{op.name}/mul", [nodes.output(value), factor], T=dtype)
    nodes.node(op, "AssignVariableOp", [variable, nodes.output(product)], {"dtype": dtype})


for _suffix, _compute, _function in (
    ("", _assign, lambda variable, value: value),
    ("Add", _assign_with(np.add), np.add),
    ("Sub", _assign_with(np.subtract), np.subtract),
    ("Mul", _assign_with(np.multiply), np.multiply),
):
    _flags = {"use_locking": False}
    if not _suffix:
        _flags["validate_shape"] = True
    OpDef(
        f"Assign{_suffix}",
        "ref: &T, value: T -> output_ref: &T",
        attrs=_flags,
        types=NUMBERS if _suffix else (),
        shape=_assigned_dims if not _suffix else _same_as_reference,
        compute=_compute,
        grad=not_differentiable,
        effect="write",
        native=_native_assign(_function),
        written=_write_product if _suffix == "Mul" else None,
    )
    OpDef(
        f"Assign{_suffix}VariableOp",
        "resource: resource, value: dtype ->",
        attrs={"shape": None},
        types=NUMBERS if _suffix else (),
        shape=_nothing,
        compute=_compute,
        grad=not_differentiable,
        effect="write",
        native=_native_assign(_function),
        written=_write_product if _suffix == "Mul" else None,
    )


# -- rows ------------------------------------------------------------------------------------------


def _scatter(function: Callable[..., None]) -> Callable[..., np.ndarray]:
    def compute(storage: Storage, indices: np.ndarray, updates: np.ndarray, **_: Any) -> np.ndarray:
        def update(value: np.ndarray) -> np.ndarray:
            check_rows(storage.name, indices, value.shape)
            result = value.copy()
            function(result, indices, updates)
            return result

        return storage.update(update)

    return compute


def check_rows(name: str, indices: np.ndarray, shape: tuple[int, ...]) -> None:
    """Checks row indices into a variable.

    Raises:
      InvalidArgumentError: if one is out of range.
    """
    rows = shape[0] if shape else 0
    bad = (indices < 0) | (indices >= rows)
    if np.any(bad):
        where = tuple(int(i[0]) for i in np.nonzero(np.atleast_1d(bad)))
        raise InvalidArgumentError(
            None,
            None,
            f"indices{list(where)} = {np.atleast_1d(indices)[where]} is not in [0, {rows}) for "
            f"variable '{name}'",
        )


def _put(value: np.ndarray, indices: np.ndarray, updates: np.ndarray) -> None:
    value[indices] = updates


def _scattered_dims(attrs: dict[str, Any], ref: Any, indices: Any, updates: Any) -> Any:
    dims, index_dims, update_dims = ref._dims, indices._dims, updates._dims
    if dims is not None and index_dims is not None and update_dims not in (None, ()):
        merge(update_dims, (*index_dims, *dims[1:]))
    return dims


_SCATTER: dict[str, Callable[..., None]] = {
    "Update": _put,
    "Add": np.add.at,
    "Sub": np.subtract.at,
    "Mul": np.multiply.at,
    "Div": np.divide.at,
}


def _native_scatter(how: str) -> Callable[..., Any] | None:
    """How kernels write rows; integers divide by NumPy's rules alone."""
    if how == "Div":
        return None

    def native(b: Any, storage: Storage, indices: Any, updates: Any, **_: Any) -> Any:
        return b.scatter(storage, how, indices, updates)

    return native


for _suffix, _function in _SCATTER.items():
    OpDef(
        f"Scatter{_suffix}",
        "ref: &T, indices: Tindices, updates: T -> output_ref: &T",
        attrs={"use_locking": False},
        types={"Tindices": INDICES, "T": NUMBERS} if _suffix != "Update" else {"Tindices": INDICES},
        shape=_scattered_dims,
        compute=_scatter(_function),
        grad=not_differentiable,
        effect="write",
        native=_native_scatter(_suffix),
    )
    OpDef(
        f"ResourceScatter{_suffix}",
        "resource: resource, indices: Tindices, updates: dtype ->",
        types={"Tindices": INDICES, "dtype": NUMBERS}
        if _suffix != "Update"
        else {"Tindices": INDICES},
        shape=_nothing,
        compute=_scatter(_function),
        grad=not_differentiable,
        effect="write",
        native=_native_scatter(_suffix),
    )


# -- counters --------------------------------------------------------------------------------------


def _count_up_to(storage: Storage, limit: int, **_: Any) -> np.ndarray:
    return holding(storage.lock, _counted, storage, limit)


def _counted(storage: Storage, limit: int) -> np.ndarray:
    before = storage.read()
    if before >= limit:
        raise OutOfRangeError(None, None, f"Reached limit of {limit} ('{storage.name}')")
    storage.write(np.asarray(before + 1, before.dtype))
    return before


OpDef(
    "CountUpTo",
    "ref: &T -> output: T",
    attrs={"limit": REQUIRED, "T": None},
    types={"T": (dtypes.int32, dtypes.int64)},
    shape=same,
    compute=_count_up_to,
    grad=not_differentiable,
    effect="write",
)
