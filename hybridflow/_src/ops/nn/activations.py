"""Activation functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import ZERO, OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import op_scope
from hybridflow._src.kernels import extremes
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.families import FLOATS, REALS, gradient_op, unary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "crelu",
    "elu",
    "leaky_relu",
    "log_sigmoid",
    "relu",
    "relu6",
    "selu",
    "softplus",
    "softsign",
    "swish",
]

_NAMES = ("features", "activations")
_OF_FEATURES = ("gradients", "features", "backprops")
_OF_OUTPUTS = ("gradients", "outputs", "backprops")

# The constants of Klambauer et al., Self-Normalizing Neural Networks (2017).
_SELU_SCALE = 1.0507009873554804934193349852946
_SELU_SCALE_ALPHA = 1.6732632423543772848170429916717 * _SELU_SCALE


# -- records ---------------------------------------------------------------------------------------

# In `<Name>Grad(gradients, features)` nothing flows to the features of piecewise linear functions.
gradient_op(
    "ReluGrad",
    lambda dy, x: np.where(x > 0, dy, 0),
    lambda op, dz: (raw.ReluGrad(dz, op.inputs[1]), ZERO),
    types=REALS,
    names=_OF_FEATURES,
)
gradient_op(
    "Relu6Grad",
    lambda dy, x: np.where((x > 0) & (x < 6), dy, 0),
    lambda op, dz: (raw.Relu6Grad(dz, op.inputs[1]), ZERO),
    types=REALS,
    names=_OF_FEATURES,
)


def _leaky_samples(rng: np.random.Generator, inputs: int) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for shape in ((2, 3), (), (0, 2)):
            signs = rng.choice([-1.0, 1.0], shape)
            args = [(signs * rng.uniform(0.2, 2, shape)).astype(dtype) for _ in range(inputs)]
            yield Sample(*args, alpha=0.3)


# `leaky_relu` is made of other ops, as TensorFlow 1.4 has it; files of later ones have these.
OpDef(
    "LeakyRelu",
    "features: T -> activations: T",
    types=FLOATS,
    attrs={"alpha": 0.2},
    shape=shape_rules.same,
    compute=lambda features, alpha: np.where(
        features > 0, features, features * features.dtype.type(alpha)
    ),
    grad=lambda op, dy: raw.LeakyReluGrad(dy, op.inputs[0], alpha=op.get_attr("alpha")),
    samples=lambda rng: _leaky_samples(rng, 1),
)
OpDef(
    "LeakyReluGrad",
    "gradients: T, features: T -> backprops: T",
    types=FLOATS,
    attrs={"alpha": 0.2},
    shape=shape_rules.merging,
    compute=lambda gradients, features, alpha: np.where(
        features > 0, gradients, gradients * features.dtype.type(alpha)
    ),
    grad=lambda op, dz: (
        raw.LeakyReluGrad(dz, op.inputs[1], alpha=op.get_attr("alpha")),
        None,
    ),
    samples=lambda rng: _leaky_samples(rng, 2),
)


def _where_negative(condition: Tensor, value: Any) -> Any:
    zeros = raw.ZerosLike(condition)
    return raw.Select(raw.Less(condition, zeros), value, zeros)


gradient_op(
    "EluGrad",
    lambda dy, y: np.where(y < 0, dy * (y + 1), dy),
    lambda op, dz: (
        raw.EluGrad(dz, op.inputs[1]),
        _where_negative(op.inputs[1], dz * op.inputs[0]),
    ),
    names=_OF_OUTPUTS,
    domain=(-0.8, 0.8),
)
gradient_op(
    "SeluGrad",
    lambda dy, y: dy * np.where(y < 0, y + _SELU_SCALE_ALPHA, _SELU_SCALE),
    lambda op, dz: (
        raw.SeluGrad(dz, op.inputs[1]),
        _where_negative(op.inputs[1], dz * op.inputs[0]),
    ),
    names=_OF_OUTPUTS,
    domain=(-0.8, 0.8),
)


def _softplus_grad_grad(op: Any, dz: Tensor) -> tuple[Any, Any]:
    dy, x = op.inputs
    return raw.SoftplusGrad(dz, x), dz * dy / (raw.Exp(-x) + 2.0 + raw.Exp(x))


gradient_op(
    "SoftplusGrad",
    lambda dy, x: dy / (np.exp(-x) + 1),
    _softplus_grad_grad,
    names=_OF_FEATURES,
    domain=(-2.0, 2.0),
)


def _softsign_grad_grad(op: Any, dz: Tensor) -> tuple[Any, Any]:
    dy, x = op.inputs
    inverse = 1.0 / (1.0 + raw.Abs(x))
    slope = -2.0 * raw.Sign(x) * raw.Square(inverse) * inverse
    return raw.SoftsignGrad(dz, x), dz * dy * slope


gradient_op(
    "SoftsignGrad",
    lambda dy, x: dy / np.square(1 + np.abs(x)),
    _softsign_grad_grad,
    names=_OF_FEATURES,
    domain=(-2.0, 2.0),
)

_relu = unary(
    "Relu",
    lambda x: extremes.maximum(x, 0),
    lambda op, dy: raw.ReluGrad(dy, op.outputs[0]),
    types=REALS,
    names=_NAMES,
    kernels_from=1 << 16,
)
_relu6 = unary(
    "Relu6",
    lambda x: extremes.minimum(extremes.maximum(x, 0), 6),
    lambda op, dy: raw.Relu6Grad(dy, op.outputs[0]),
    types=REALS,
    names=_NAMES,
    domain=(-4.0, 10.0),
)
_elu = unary(
    "Elu",
    lambda x: np.where(x < 0, np.expm1(x), x),
    lambda op, dy: raw.EluGrad(dy, op.outputs[0]),
    types=FLOATS,
    names=_NAMES,
)


_selu = unary(
    "Selu",
    lambda x: np.where(x < 0, _SELU_SCALE_ALPHA * np.expm1(x), _SELU_SCALE * x),
    lambda op, dy: raw.SeluGrad(dy, op.outputs[0]),
    types=FLOATS,
    names=_NAMES,
)
_softplus = unary(
    "Softplus",
    lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
    lambda op, dy: raw.SoftplusGrad(dy, op.inputs[0]),
    types=FLOATS,
    names=_NAMES,
)
_softsign = unary(
    "Softsign",
    lambda x: x / (1 + np.abs(x)),
    lambda op, dy: raw.SoftsignGrad(dy, op.inputs[0]),
    types=FLOATS,
    names=_NAMES,
)


# -- public functions ------------------------------------------------------------------------------


def relu(features: Any, name: str | None = None) -> Tensor:
    """`max(x, 0)` elementwise.

    Args:
      features: tensor of a real dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape. The gradient at 0 is 0.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.nn.relu([-1.0, 0.0, 2.0]).numpy())
    [0. 0. 2.]
    """
    return _relu(features, name=name)


def relu6(features: Any, name: str | None = None) -> Tensor:
    """`min(max(x, 0), 6)` elementwise.

    Args:
      features: tensor of a real dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape. The gradient at 0 and at 6 is 0.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.nn.relu6([-1.0, 2.0, 9.0]).numpy())
    [0. 2. 6.]
    """
    return _relu6(features, name=name)


def elu(features: Any, name: str | None = None) -> Tensor:
    """`x` where it is positive, else `exp(x) - 1`, elementwise.

    Args:
      features: tensor of a float dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.nn.elu([-1.0, 2.0]).numpy().round(4))
    [-0.6321  2.    ]
    """
    return _elu(features, name=name)


def selu(features: Any, name: str | None = None) -> Tensor:
    """`scale * x` where `x` is positive, else `scale * alpha * (exp(x) - 1)`, elementwise.

    With `scale` 1.0507 and `alpha` 1.6733, activations keep zero mean and unit variance.

    Args:
      features: tensor of a float dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.nn.selu([-1.0, 2.0]).numpy().round(4))
    [-1.1113  2.1014]
    """
    return _selu(features, name=name)


def softplus(features: Any, name: str | None = None) -> Tensor:
    """`log(1 + exp(x))` elementwise.

    Args:
      features: tensor of a float dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.nn.softplus([0.0, 100.0]).numpy().round(4))
    [  0.6931 100.    ]
    """
    return _softplus(features, name=name)


def softsign(features: Any, name: str | None = None) -> Tensor:
    """`x / (1 + |x|)` elementwise.

    Args:
      features: tensor of a float dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.nn.softsign([1.0, -3.0]).numpy())
    [ 0.5  -0.75]
    """
    return _softsign(features, name=name)


def leaky_relu(features: Any, alpha: Any = 0.2, name: str | None = None) -> Tensor:
    """`max(alpha * x, x)` elementwise.

    Args:
      features: tensor of a float dtype.
      alpha: slope for negative `x`, a number or scalar tensor.
      name: name of the op.

    Returns: a tensor of the same dtype and shape. The gradient at 0 is `alpha`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.nn.leaky_relu([-1.0, 2.0]).numpy())
    [-0.2  2. ]
    """
    with op_scope(name, "LeakyRelu", [features, alpha]):
        features = convert_to_tensor(features, name="features")
        alpha = convert_to_tensor(alpha, features.dtype.base_dtype, name="alpha")
        return raw.Maximum(alpha * features, features)


def crelu(features: Any, name: str | None = None) -> Tensor:
    """`relu` of `x` and of `-x`, joined along the last axis.

    Args:
      features: tensor `[..., n]` of a real dtype.
      name: name of the op.

    Returns: a tensor `[..., 2 n]` of the same dtype.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.nn.crelu([1.0, -3.0]).numpy())
    [1. 0. 0. 3.]
    """
    with op_scope(name, "CRelu", [features]) as scope:
        features = convert_to_tensor(features, name="features")
        return _relu(raw.ConcatV2([features, -features], -1, name=scope))


def swish(features: Any) -> Tensor:
    """`x * sigmoid(x)` elementwise.

    Args:
      features: tensor of a float dtype.

    Returns: a tensor of the same dtype and shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.nn.swish(hf.constant([0.0, 2.0])).numpy().round(4))
    [0.     1.7616]
    """
    features = convert_to_tensor(features, name="features")
    return features * raw.Sigmoid(features)


def log_sigmoid(x: Any, name: str | None = None) -> Tensor:
    """`log(1 / (1 + exp(-x)))` elementwise, that is `-softplus(-x)`.

    Args:
      x: tensor of a float dtype.
      name: name of the op.

    Returns: a tensor of the same dtype and shape.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.log_sigmoid([0.0, -100.0]).numpy().round(4))
    [  -0.6931 -100.    ]
    """
    with op_scope(name, "LogSigmoid", [x]) as scope:
        x = convert_to_tensor(x, name="x")
        return raw.Neg(_softplus(-x), name=scope)
