"""`batch_normalization`: makes a layer and calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.layers.arguments import with_dtype
from hybridflow._src.layers.normalization import ONES, ZEROS, BatchNormalization

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["batch_normalization"]


def batch_normalization(
    inputs: Any,
    axis: Any = -1,
    momentum: float = 0.99,
    epsilon: float = 1e-3,
    center: bool = True,
    scale: bool = True,
    beta_initializer: Any = ZEROS,
    gamma_initializer: Any = ONES,
    moving_mean_initializer: Any = ZEROS,
    moving_variance_initializer: Any = ONES,
    beta_regularizer: Any = None,
    gamma_regularizer: Any = None,
    beta_constraint: Any = None,
    gamma_constraint: Any = None,
    training: Any = False,
    trainable: bool = True,
    name: str | None = None,
    reuse: Any = None,
    renorm: bool = False,
    renorm_clipping: Any = None,
    renorm_momentum: float = 0.99,
    fused: bool | None = None,
    virtual_batch_size: int | None = None,
    adjustment: Any = None,
) -> Tensor:
    """Makes a `BatchNormalization` layer and calls it.

    Args:
      inputs: tensor of a float dtype.
      training: whether to normalize by the batch and to move the running means: a bool, or a bool
        tensor.
      name: name of the variable scope; "batch_normalization", made unique, by default.
      reuse: as for `hf.variable_scope`: whether variables of that name are used again.
      axis, momentum, epsilon, center, scale, beta_initializer, gamma_initializer,
        moving_mean_initializer, moving_variance_initializer, beta_regularizer, gamma_regularizer,
        beta_constraint, gamma_constraint, trainable, renorm, renorm_clipping, renorm_momentum,
        fused, virtual_batch_size, adjustment: as for `BatchNormalization`.

    Returns: a tensor like `inputs`.

    Raises:
      ValueError: for arguments or inputs that do not fit.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     x = hf.placeholder(hf.float32, [None, 4])
    ...     y = hf.layers.batch_normalization(x, training=True)
    ...     print([update.name for update in hf.get_collection(hf.GraphKeys.UPDATE_OPS)])
    ['batch_normalization/AssignMovingAvg:0', 'batch_normalization/AssignMovingAvg_1:0']
    """
    inputs = with_dtype(inputs)
    layer = BatchNormalization(
        axis=axis,
        momentum=momentum,
        epsilon=epsilon,
        center=center,
        scale=scale,
        beta_initializer=beta_initializer,
        gamma_initializer=gamma_initializer,
        moving_mean_initializer=moving_mean_initializer,
        moving_variance_initializer=moving_variance_initializer,
        beta_regularizer=beta_regularizer,
        gamma_regularizer=gamma_regularizer,
        beta_constraint=beta_constraint,
        gamma_constraint=gamma_constraint,
        renorm=renorm,
        renorm_clipping=renorm_clipping,
        renorm_momentum=renorm_momentum,
        fused=fused,
        trainable=trainable,
        virtual_batch_size=virtual_batch_size,
        adjustment=adjustment,
        name=name,
        dtype=inputs.dtype.base_dtype,
        _reuse=reuse,
        _scope=name,
    )
    return layer(inputs, training=training)
