"""The global step: the variable that counts training steps."""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.graph_keys import GraphKeys, current_collections
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.variables.getting import get_variable
from hybridflow._src.variables.initializers import Zeros
from hybridflow._src.variables.variable import Variable

__all__ = [
    "assert_global_step",
    "assert_or_get_global_step",
    "create_global_step",
    "get_global_step",
    "get_or_create_global_step",
    "global_step",
]

# The collection of a graph with the tensor that hooks read.
_READ = "global_step_read_op_cache"


def global_step(sess: Any, global_step_tensor: Any) -> int:
    """The value of the global step in a session.

    Args:
      sess: a `Session`; in eager mode it is not used.
      global_step_tensor: the global step, a variable or tensor.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as sess:
    ...     step = hf.train.create_global_step()
    ...     _ = sess.run(hf.global_variables_initializer())
    ...     hf.train.global_step(sess, step)
    0
    """
    eager = context.modes.top.eager
    return int(global_step_tensor if eager else sess.run(global_step_tensor))


def get_global_step(graph: Any = None) -> Any:
    """The global step of `graph` or the current one, or None if it has none.

    It is the one in `GraphKeys.GLOBAL_STEP`, or else the one named "global_step".

    Raises:
      TypeError: if that is no integer scalar.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     print(hf.train.get_global_step())
    None
    """
    collections = current_collections() if graph is None else graph
    found = collections.get_collection(GraphKeys.GLOBAL_STEP)
    if len(found) > 1:
        raise ValueError(f"Multiple items found in collection {GraphKeys.GLOBAL_STEP!r}: {found}.")
    if found:
        step = found[0]
    elif graph is None and context.modes.top.eager:
        return None
    else:
        try:
            step = (graph or get_default_graph()).get_tensor_by_name("global_step:0")
        except KeyError:
            return None
    assert_global_step(step)
    return step


def create_global_step(graph: Any = None) -> Any:
    """Makes the global step: an int64 variable "global_step" that starts at 0 and is not trained.

    Raises:
      ValueError: if there is one.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     hf.train.create_global_step()
    <hf.Variable 'global_step:0' shape=() dtype=int64_ref>
    """
    if graph is not None and graph is not get_default_graph():
        with graph.as_default():
            return create_global_step()
    if get_global_step() is not None:
        raise ValueError('"global_step" already exists.')
    return get_variable(
        "global_step",
        shape=[],
        dtype=dtypes.int64,
        initializer=Zeros(),
        trainable=False,
        collections=[GraphKeys.GLOBAL_VARIABLES, GraphKeys.GLOBAL_STEP],
    )


def get_or_create_global_step(graph: Any = None) -> Any:
    """The global step; made if there is none.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     hf.train.get_or_create_global_step() is hf.train.get_or_create_global_step()
    True
    """
    step = get_global_step(graph)
    return create_global_step(graph) if step is None else step


def assert_global_step(global_step_tensor: Any) -> None:
    """Checks that something can be a global step: an integer scalar.

    Raises:
      TypeError: if it is not.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     hf.train.assert_global_step(hf.constant(1.5))
    Traceback (most recent call last):
    TypeError: Existing "global_step" does not have integer type: <dtype: 'float32'>
    """
    step = global_step_tensor
    if not isinstance(step, Variable | Tensor):
        raise TypeError(f'Existing "global_step" must be a Variable or Tensor: {step!r:.200}.')
    if not step.dtype.base_dtype.is_integer:
        raise TypeError(f'Existing "global_step" does not have integer type: {step.dtype!r}')
    if step.shape.ndims not in (0, None):
        raise TypeError(f'Existing "global_step" is not scalar: {step.shape}')


def assert_or_get_global_step(graph: Any = None, global_step_tensor: Any = None) -> Any:
    """Checks a global step that is given; without one gives that of a graph, or None.

    Raises:
      TypeError: if it is no integer scalar.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     step = hf.train.create_global_step()
    ...     hf.contrib.framework.assert_or_get_global_step() is step
    True
    """
    if global_step_tensor is None:
        return get_global_step(graph)
    assert_global_step(global_step_tensor)
    return global_step_tensor


def global_step_read(user: str) -> Tensor:
    """The tensor by which hooks read the global step of the default graph: its value before a run.

    Args:
      user: who asks, for the error.

    Raises:
      RuntimeError: if there is no global step.
    """
    graph = get_default_graph()
    found = graph.get_collection(_READ)
    if found:
        return found[0]
    step = get_global_step(graph)
    if step is None:
        raise RuntimeError(
            f"Global step should be created to use {user}. `hf.train.get_or_create_global_step()` "
            "makes it, and `optimizer.minimize(loss, global_step=...)` counts with it."
        )
    with graph.name_scope(f"{step.op.name}/"):
        value: Tensor = step + 0
    graph.add_to_collection(_READ, value)
    return value
