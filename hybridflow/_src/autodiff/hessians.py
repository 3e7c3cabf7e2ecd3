"""Second derivatives of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from hybridflow._src.autodiff.gradients import gradients
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.control_flow.functional import map_fn

__all__ = ["hessians"]


def hessians(
    ys: Any,
    xs: Any,
    name: str = "hessians",
    colocate_gradients_with_ops: bool = False,
    gate_gradients: bool = False,
    aggregation_method: int | None = None,
) -> list[Any]:
    """Builds the matrices of second derivatives of the sum of `ys`, in graph mode.

    Args:
      ys: tensor or list of tensors.
      xs: tensor, variable or list of them, of floating dtypes.
      name: scope of the ops.
      colocate_gradients_with_ops, gate_gradients, aggregation_method: see `gradients`.

    Returns: a tensor for each of `xs`, of its shape twice: `[..., ...]`, `[n, n]` for a vector.

    Raises:
      ValueError: if `ys` does not depend on one of `xs`.
      RuntimeError: in eager mode.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     x = hf.constant([1.0, 2.0])
    ...     print(session.run(hf.hessians(x[0] ** 2 * x[1], x)[0]))
    [[4. 2.]
     [2. 0.]]
    """
    options = (colocate_gradients_with_ops, gate_gradients, aggregation_method)
    sources = list(xs) if isinstance(xs, list | tuple) else [xs]
    with name_scope(name, "hessians", sources):
        slopes = gradients(ys, sources, None, "gradients", *options)
        for x, slope in zip(sources, slopes, strict=True):
            if slope is None:
                raise ValueError(f"{ys!r} does not depend on {x!r}: it has no second derivatives.")
        pairs = zip(sources, slopes, strict=True)
        return [_matrix(x, convert_to_tensor(slope), options) for x, slope in pairs]


def _matrix(x: Any, slope: Any, options: tuple[Any, ...]) -> Any:
    """The derivatives of a gradient's elements, row by row."""
    flat = raw.Reshape(slope, np.array([-1], np.int32))

    def row(place: Any) -> Any:
        (grad,) = gradients(flat[place], x, None, "row", *options)
        return convert_to_tensor(raw.ZerosLike(convert_to_tensor(x)) if grad is None else grad)

    rows = map_fn(row, raw.Range(0, raw.Size(flat), 1), dtype=slope.dtype.base_dtype)
    shape = raw.Shape(slope)
    return raw.Reshape(rows, raw.ConcatV2([shape, shape], 0))
