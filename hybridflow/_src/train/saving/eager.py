"""`tf.contrib.eager`'s saver, which needs no session."""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework import context
from hybridflow._src.train.saving import saver as _saver

__all__ = ["Saver", "get_optimizer_variables"]


class Saver:
    """Saves eager variables to checkpoints and restores them.

    Args:
      var_list: the variables, as a list or as a dict from the names that they have in checkpoints.

    Raises:
      RuntimeError: in graph mode.

    >>> import hybridflow as hf
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, hf.eager_mode():
    ...     with hf.EagerVariableStore().as_default():
    ...         v = hf.get_variable("v", initializer=[1.0, 2.0])
    ...         saver = hf.contrib.eager.Saver([v])
    ...         path = saver.save(folder + "/model", global_step=7)
    ...         _ = v.assign([0.0, 0.0])
    ...         saver.restore(path)
    ...         print(path[len(folder):], v.numpy())
    /model-7 [1. 2.]
    """

    def __init__(self, var_list: Any) -> None:
        if not context.modes.top.eager:
            raise RuntimeError(
                "tfe.Saver can only be used when eager execution is enabled. Use tf.train.Saver "
                "when building graphs."
            )
        self._saver = _saver.Saver(var_list)

    def save(self, file_prefix: str, global_step: Any = None) -> str | None:
        """Saves the variables.

        Args:
          file_prefix: the path of the checkpoint; `global_step` is added to it if it is given.
          global_step: a number, tensor or variable.

        Returns: the path of the checkpoint, for `restore`.
        """
        return self._saver.save(None, file_prefix, global_step, write_meta_graph=False)

    def restore(self, file_prefix: str) -> None:
        """Gives the variables the values of a checkpoint, or on error leaves them as they are."""
        self._saver.restore(None, file_prefix)


def get_optimizer_variables(optimizer: Any) -> list[Any]:
    """The variables that an optimizer has made: `optimizer.variables()`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     v = hf.get_variable("v", initializer=[1.0])
    ...     optimizer = hf.train.MomentumOptimizer(0.1, 0.9)
    ...     optimizer.apply_gradients([([1.0], v)])
    ...     print([slot.name for slot in hf.contrib.eager.get_optimizer_variables(optimizer)])
    ['v/Momentum:0']
    """
    found: list[Any] = optimizer.variables()
    return found
