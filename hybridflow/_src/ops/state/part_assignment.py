"""Ops that write parts of a variable: a strided slice, `v[1:3].assign(x)`, or single places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import OpDef, not_differentiable
from hybridflow._src.framework.tensor_shape import merge
from hybridflow._src.ops.arrays.slice_specs import MASKS, index_of
from hybridflow._src.ops.families import INDICES, NUMBERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.storage import Storage


def _same_as_reference(attrs: dict[str, Any], ref: Any, *_: Any) -> Any:
    return ref._dims


def _nothing(attrs: dict[str, Any], *_: Any) -> list[Any]:
    return []


# -- strided slices --------------------------------------------------------------------------------


def _assign_slice(
    storage: Storage,
    begin: np.ndarray,
    end: np.ndarray,
    strides: np.ndarray,
    value: np.ndarray,
    **masks: int,
) -> np.ndarray:
    def update(whole: np.ndarray) -> np.ndarray:
        result = whole.copy()
        part = result[index_of(whole.shape, begin, end, strides, masks)]
        if not part.size:
            return result  # whatever the value's shape is, as in TensorFlow
        if part.shape != value.shape:
            raise InvalidArgumentError(
                None,
                None,
                f"A slice of shape {part.shape} of variable '{storage.name}' is assigned a value "
                f"of shape {value.shape}: they must be equal.",
            )
        part[...] = value
        return result

    return storage.update(update)


OpDef(
    "StridedSliceAssign",
    "ref: &T, begin: Index, end: Index, strides: Index, value: T -> output_ref: &T",
    types={"Index": INDICES},
    attrs=MASKS,
    shape=_same_as_reference,
    compute=_assign_slice,
    grad=not_differentiable,
    effect="write",
)
OpDef(
    "ResourceStridedSliceAssign",
    "resource: resource, begin: Index, end: Index, strides: Index, value: T ->",
    types={"Index": INDICES},
    attrs=MASKS,
    shape=_nothing,
    compute=_assign_slice,
    grad=not_differentiable,
    effect="write",
)


# -- places ----------------------------------------------------------------------------------------


def _put(value: np.ndarray, index: Any, updates: np.ndarray) -> None:
    value[index] = updates


def _scatter(function: Callable[..., None]) -> Callable[..., np.ndarray]:
    """The meaning of an op that changes `value[indices[i]]` by `updates[i]` for each i."""

    def compute(storage: Storage, indices: np.ndarray, updates: np.ndarray, **_: Any) -> np.ndarray:
        def update(value: np.ndarray) -> np.ndarray:
            sizes = value.shape[: indices.shape[-1]]
            bad = (indices < 0) | (indices >= np.array(sizes, indices.dtype))
            if bad.any():
                place = tuple(np.argwhere(bad.any(axis=-1))[0].tolist())
                raise InvalidArgumentError(
                    None,
                    None,
                    f"Invalid indices: {list(place)} = {indices[place].tolist()} does not index "
                    f"into variable '{storage.name}' of shape {list(value.shape)}",
                )
            result = value.copy()
            function(result, tuple(np.moveaxis(indices, -1, 0)), updates)
            return result

        return storage.update(update)

    return compute


def _scattered(attrs: dict[str, Any], ref: Any, indices: Any, updates: Any) -> Any:
    dims, picked = ref._dims, indices._dims
    if picked == ():
        raise ValueError("indices must be at least a vector")
    if dims is None or picked is None or picked[-1] is None:
        return dims
    depth = picked[-1]
    if depth > len(dims):
        raise ValueError(f"indices of depth {depth} do not index into {len(dims)} dimensions")
    merge((*picked[:-1], *dims[depth:]), updates._dims)
    return dims


for _suffix, _function in (("Update", _put), ("Add", np.add.at), ("Sub", np.subtract.at)):
    OpDef(
        f"ScatterNd{_suffix}",
        "ref: &T, indices: Tindices, updates: T -> output_ref: &T",
        attrs={"use_locking": False},
        types={"Tindices": INDICES} if _suffix == "Update" else {"Tindices": INDICES, "T": NUMBERS},
        shape=_scattered,
        compute=_scatter(_function),
        grad=not_differentiable,
        effect="write",
    )
    OpDef(
        f"ResourceScatterNd{_suffix}",
        "resource: resource, indices: Tindices, updates: T ->",
        types={"Tindices": INDICES} if _suffix == "Update" else {"Tindices": INDICES, "T": NUMBERS},
        shape=_nothing,
        compute=_scatter(_function),
        grad=not_differentiable,
        effect="write",
    )
