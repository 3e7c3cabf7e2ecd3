"""Placeholders that stand for tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.ops.arrays.placeholder import placeholder

if TYPE_CHECKING:
    from hybridflow._src.framework.graph import Graph
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["make_placeholder_from_dtype_and_shape", "make_placeholder_from_tensor"]


def stand_in(t: Tensor, graph: Graph, scope: str, prefix: str = "geph") -> Tensor:
    """A placeholder for a tensor, in the graph that is the default, below a name scope."""
    name = f"{prefix}__{t.op.name.rpartition('/')[2]}_{t.value_index}"
    above = scope.rstrip("/")
    with graph.root_scope():
        return placeholder(t.dtype.base_dtype, t.shape, name=f"{above}/{name}" if above else name)


def make_placeholder_from_tensor(
    t: Tensor, scope: str | None = None, prefix: str = "geph"
) -> Tensor:
    """A placeholder of the dtype and shape of a tensor, and of a name that tells which it was.

    Args:
      t: the tensor.
      scope: the name scope; that of the tensor by default.
      prefix: how the name begins.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     x = hf.constant([1.0, 2.0], name="a/x")
    ...     print(hf.contrib.graph_editor.make_placeholder_from_tensor(x).name)
    a/geph__x_0:0
    """
    above = t.op.name.rpartition("/")[0] if scope is None else scope
    with t.graph.as_default():
        return stand_in(t, t.graph, above, prefix)


def make_placeholder_from_dtype_and_shape(
    dtype: Any, shape: Any = None, scope: str | None = None, prefix: str = "geph"
) -> Tensor:
    """A placeholder.

    Args:
      dtype, shape: of its values.
      scope: the name scope.
      prefix: its name.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     print(hf.contrib.graph_editor.ph(hf.float32, [2]).name)
    geph:0
    """
    return placeholder(dtype, shape, name=f"{scope.rstrip('/')}/{prefix}" if scope else prefix)
