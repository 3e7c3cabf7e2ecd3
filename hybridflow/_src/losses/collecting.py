"""The collection that losses join, and their sums."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.graph_keys import GraphKeys, add_to_collection, get_collection
from hybridflow._src.ops.arrays.constant import constant
from hybridflow._src.ops.math.summing import add_n
from hybridflow._src.variables.variable import variables_are_eager

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "add_loss",
    "get_losses",
    "get_regularization_loss",
    "get_regularization_losses",
    "get_total_loss",
]


_NOT_NOTED = (
    "hf.losses.get_total_loss knows of no loss: in eager mode losses are not noted. Add up what "
    "the functions of hf.losses give, and `hf.losses.get_regularization_loss()`."
)
_NONE = (
    "hf.losses.get_total_loss found no losses: neither in the collection GraphKeys.LOSSES, where "
    "the functions of hf.losses note theirs (`hf.losses.add_loss(loss)` notes another one), nor of "
    "regularizers."
)


def add_loss(loss: Any, loss_collection: Any = GraphKeys.LOSSES) -> None:
    """Adds a loss to a collection of the graph.

    In eager mode, and in functions traced for it, it does nothing: such a loss is the value of one
    step. Keep what loss functions return.

    Args:
      loss: a tensor.
      loss_collection: key of the collection; None adds it nowhere.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     hf.losses.add_loss(hf.constant(1.0, name="penalty"))
    ...     print([loss.name for loss in hf.losses.get_losses()])
    ['penalty:0']
    """
    if loss_collection and not variables_are_eager():
        add_to_collection(loss_collection, loss)


def get_losses(scope: str | None = None, loss_collection: Any = GraphKeys.LOSSES) -> list[Any]:
    """The losses in a collection.

    Args:
      scope: a regular expression that their names must match from the start.
      loss_collection: key of the collection.

    Returns: a list of tensors; in eager mode it holds what programs have put there themselves.
    """
    return get_collection(loss_collection, scope)


def get_regularization_losses(scope: str | None = None) -> list[Any]:
    """The regularization losses of variables and layers; in eager mode computed anew.

    Args:
      scope: a regular expression that their names must match from the start.

    Returns: a list of scalar tensors.
    """
    return get_collection(GraphKeys.REGULARIZATION_LOSSES, scope)


def get_regularization_loss(
    scope: str | None = None, name: str = "total_regularization_loss"
) -> Tensor:
    """The sum of the regularization losses, 0 if there are none.

    Args:
      scope: a regular expression that their names must match from the start.
      name: name of the sum.

    Returns: a scalar tensor.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     w = hf.get_variable("w", [2], initializer=hf.ones_initializer(),
    ...                         regularizer=hf.l2_regularizer(0.1))
    ...     print(hf.losses.get_regularization_loss().numpy())
    0.1
    """
    losses = get_regularization_losses(scope)
    return add_n(losses, name=name) if losses else constant(0.0)


def get_total_loss(add_regularization_losses: bool = True, name: str = "total_loss") -> Tensor:
    """The sum of the losses in `GraphKeys.LOSSES`, and of the regularization losses.

    Args:
      add_regularization_losses: whether those are added.
      name: name of the sum.

    Returns: a scalar tensor.

    Raises:
      ValueError: if there are no losses; in eager mode they are not noted.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     _ = hf.losses.absolute_difference([1.0, 2.0], [1.0, 4.0])
    ...     print(session.run(hf.losses.get_total_loss()))
    1.0
    """
    losses = get_losses()
    if not losses and variables_are_eager():
        raise ValueError(_NOT_NOTED)
    if add_regularization_losses:
        losses += get_regularization_losses()
    if not losses:
        raise ValueError(_NONE)
    return add_n(losses, name=name)
