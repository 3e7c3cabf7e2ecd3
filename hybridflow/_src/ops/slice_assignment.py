"""Ops that write a strided slice of a variable: `v[1:3].assign(x)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import OpDef, not_differentiable
from hybridflow._src.ops.families import INDICES
from hybridflow._src.ops.slicing import MASKS, index_of

if TYPE_CHECKING:
    import numpy as np

    from hybridflow._src.framework.storage import Storage


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
    shape=lambda attrs, ref, *_: ref._dims,
    compute=_assign_slice,
    grad=not_differentiable,
    effect="write",
)
OpDef(
    "ResourceStridedSliceAssign",
    "resource: resource, begin: Index, end: Index, strides: Index, value: T ->",
    types={"Index": INDICES},
    attrs=MASKS,
    shape=lambda attrs, *_: [],
    compute=_assign_slice,
    grad=not_differentiable,
    effect="write",
)
