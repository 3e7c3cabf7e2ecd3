"""Cross-entropies and another loss, from unscaled scores ("logits")."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import InvalidArgumentError, ShapeError
from hybridflow._src.framework.op_def import OpDef, Sample
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import op_scope
from hybridflow._src.framework.spelling import spelled
from hybridflow._src.framework.tensor_shape import compatible, merge
from hybridflow._src.ops import shape_rules
from hybridflow._src.ops.families import FLOATS, INDICES
from hybridflow._src.ops.nn.softmax import shifted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "log_poisson_loss",
    "sigmoid_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits_v2",
    "sparse_softmax_cross_entropy_with_logits",
    "weighted_cross_entropy_with_logits",
]


# -- SoftmaxCrossEntropyWithLogits -----------------------------------------------------------------


def _column(row_values: Tensor) -> Any:
    return raw.ExpandDims(row_values, -1)


def _through_backprop(logits: Tensor, dbackprop: Tensor) -> Any:
    """What flows to the logits through the second output, softmax(logits) less constants."""
    y = raw.Softmax(logits)
    return (dbackprop - raw.Sum(dbackprop * y, [-1], keep_dims=True)) * y


def _dense_shape(attrs: dict[str, Any], features: Tensor, labels: Tensor) -> list[Any]:
    dims = merge(shape_rules.with_rank(features, 2), shape_rules.with_rank(labels, 2))
    assert dims is not None
    return [dims[:1], dims]


def _dense_arrays(features: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if features.ndim != 2 or features.shape != labels.shape:
        raise ValueError(
            f"logits and labels must be matrices of one shape, got {features.shape} and "
            f"{labels.shape}"
        )
    return _dense_rows(features, labels)


def _dense_rows(features: Any, labels: Any) -> tuple[Any, Any]:
    """Losses and their gradients, row by row."""
    scores = shifted(features)
    exponentials = np.exp(scores)
    sums = np.add.reduce(exponentials, axis=-1, keepdims=True)
    losses = np.add.reduce(labels * (np.log(sums) - scores), axis=-1, initial=-0.0)
    backprop = exponentials / sums - labels
    dtype = features.dtype
    return losses.astype(dtype, copy=False), backprop.astype(dtype, copy=False)


def _dense_grad(op: Any, dloss: Tensor | None, dbackprop: Tensor | None) -> tuple[Any, Any]:
    logits = op.inputs[0]
    dlogits = dlabels = None
    if dloss is not None:
        dloss = _column(dloss)
        dlogits, dlabels = dloss * op.outputs[1], -dloss * raw.LogSoftmax(logits)
    if dbackprop is not None:
        through = _through_backprop(logits, dbackprop)
        dlogits = through if dlogits is None else dlogits + through
        dlabels = -dbackprop if dlabels is None else dlabels - dbackprop
    return dlogits, dlabels


def _dense_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for shape in ((2, 3), (3, 1), (0, 2)):
            labels = rng.uniform(0.1, 1, shape)
            labels /= labels.sum(-1, keepdims=True)
            yield Sample(rng.uniform(-3, 3, shape).astype(dtype), labels.astype(dtype))


_dense = OpDef(
    "SoftmaxCrossEntropyWithLogits",
    "features: T, labels: T -> loss: T, backprop: T",
    types=FLOATS,
    shape=_dense_shape,
    compute=_dense_arrays,
    grad=_dense_grad,
    samples=_dense_samples,
    native=lambda b, features, labels: b.rowwise(
        lambda x, y, column: _dense_rows(x, y),
        features,
        labels,
        shapes=[features.shape[:-1], features.shape],
    ),
)


# -- SparseSoftmaxCrossEntropyWithLogits -----------------------------------------------------------


def _sparse_shape(attrs: dict[str, Any], features: Tensor, labels: Tensor) -> list[Any]:
    rows, classes = shape_rules.with_rank(features, 2)
    (count,) = shape_rules.with_rank(labels, 1)
    rows = shape_rules.same_size(rows, count)
    return [(rows,), (rows, classes)]


def _sparse_arrays(features: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if labels.ndim != 1:
        raise InvalidArgumentError(
            None, None, f"labels must be 1-D, but got shape {list(labels.shape)}"
        )
    if features.ndim != 2 or labels.shape != features.shape[:1]:
        raise ValueError(
            "logits must be a matrix and labels a vector with an entry for each row, got shapes "
            f"{features.shape} and {labels.shape}"
        )
    classes = features.shape[1]
    wrong = (labels < 0) | (labels >= classes)
    if wrong.any():
        shown = " ".join(map(str, labels[:10].tolist())) + (" ..." if len(labels) > 10 else "")
        raise InvalidArgumentError(
            None,
            None,
            f"Received a label value of {labels[wrong][0]} which is outside the valid range of "
            f"[0, {classes}).  Label values: {shown}",
        )
    scores = shifted(features)
    exponentials = np.exp(scores)
    sums = np.add.reduce(exponentials, axis=-1, keepdims=True)
    rows = np.arange(len(labels))
    losses = np.log(sums[:, 0]) - scores[rows, labels]
    exponentials /= sums
    exponentials[rows, labels] -= 1
    dtype = features.dtype
    return losses.astype(dtype, copy=False), exponentials.astype(dtype, copy=False)


def _sparse_grad(op: Any, dloss: Tensor | None, dbackprop: Tensor | None) -> tuple[Any, None]:
    dlogits = None if dloss is None else _column(dloss) * op.outputs[1]
    if dbackprop is not None:
        through = _through_backprop(op.inputs[0], dbackprop)
        dlogits = through if dlogits is None else dlogits + through
    return dlogits, None


def _native_sparse(b: Any, features: Any, labels: Any) -> Any:
    def meaning(features: Any, labels: Any, column: Any) -> tuple[Any, Any]:
        scores = shifted(features)
        exponentials = np.exp(scores)
        sums = np.add.reduce(exponentials, axis=-1, keepdims=True)
        hit = column == labels
        losses = np.log(sums) - np.add.reduce(np.where(hit, scores, 0), axis=-1, keepdims=True)
        shares = exponentials / sums
        return losses, np.where(hit, shares - 1, shares)

    rows, classes = features.shape
    labels = b.reshape(b.checked_indices(labels, classes), (rows, 1))
    return b.rowwise(meaning, features, labels, shapes=[(rows,), (rows, classes)])


def _sparse_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        for index in (np.int32, np.int64):
            for shape in ((2, 3), (3, 1), (0, 2)):
                labels = rng.integers(0, shape[1], shape[0]).astype(index)
                yield Sample(rng.uniform(-3, 3, shape).astype(dtype), labels)


_sparse = OpDef(
    "SparseSoftmaxCrossEntropyWithLogits",
    "features: T, labels: Tlabels -> loss: T, backprop: T",
    types={"T": FLOATS, "Tlabels": INDICES},
    shape=_sparse_shape,
    compute=_sparse_arrays,
    grad=_sparse_grad,
    samples=_sparse_samples,
    native=_native_sparse,
)


# -- public functions ------------------------------------------------------------------------------


def _check_arguments(function: str, sentinel: Any, labels: Any, logits: Any) -> None:
    if sentinel is not None:
        raise ValueError(
            f"Only call `{function}` with named arguments (labels=..., logits=..., ...)"
        )
    if labels is None or logits is None:
        raise ValueError("Both labels and logits must be provided.")


def _moved_to_end(x: Tensor, axis: int) -> Any:
    """The permutation that makes an axis the last one and keeps the order of the others."""
    dims = x._dims
    if dims is not None:
        rank = len(dims)
        at = shape_rules.axis_of(axis, rank)
        return np.array([*range(at), *range(at + 1, rank), at], np.int32)
    rank = raw.Rank(x)
    at = raw.FloorMod(axis, rank)
    places = raw.Range(0, rank - 1, 1)
    others = places + raw.Cast(raw.GreaterEqual(places, at), DstT=dtypes.int32)
    return raw.ConcatV2([others, raw.Reshape(at, [1])], 0)


def _as_matrix(x: Tensor) -> Any:
    """`x` with all dimensions but the last made one."""
    dims = x._dims
    if dims and dims[-1]:
        return raw.Reshape(x, np.array([-1, dims[-1]], np.int32))
    shape = raw.Shape(x)
    rows = raw.Prod(raw.StridedSlice(shape, [0], [-1], [1], begin_mask=1), [0])
    return raw.Reshape(x, raw.Pack([rows, shape[-1]], axis=0))


def _dense_loss(labels: Any, logits: Any, dim: int, name: str | None) -> Tensor:
    """The dense softmax cross-entropy along any axis of tensors of any rank."""
    logits = convert_to_tensor(logits, name="logits")
    dtype = logits.dtype.base_dtype
    wide = dtypes.float32 if dtype is dtypes.float16 else dtype
    if wide is not dtype:
        logits = raw.Cast(logits, DstT=wide)
    labels = convert_to_tensor(labels, name="labels")
    if labels.dtype.base_dtype is not wide:
        labels = raw.Cast(labels, DstT=wide)
    dims = logits._dims
    if dim != -1:
        perm = _moved_to_end(logits, dim)
        logits, labels = (raw.Transpose(t, perm, name="transpose") for t in (logits, labels))
    if context.modes.top.eager and len(dims) == 2:
        loss = _dense(logits, labels, name=name)[0]
    else:
        # Reshaped whatever the rank is, as in TF: so the names of ops in a graph are the same.
        shape = raw.Shape(logits)
        loss = _dense(_as_matrix(logits), _as_matrix(labels), name=name)[0]
        loss = raw.Reshape(loss, raw.StridedSlice(shape, [0], [-1], [1], begin_mask=1))
        if dims is not None:
            at = shape_rules.axis_of(dim, len(dims))
            loss.set_shape(dims[:at] + dims[at + 1 :])
    return loss if wide is dtype else raw.Cast(loss, DstT=dtype)


@spelled(axis="dim")
def softmax_cross_entropy_with_logits_v2(
    _sentinel: Any = None,
    labels: Any = None,
    logits: Any = None,
    dim: int = -1,
    name: str | None = None,
) -> Tensor:
    """`-sum(labels * log_softmax(logits))` along the axis of the classes.

    Args:
      labels: tensor `[batch, classes]`; each row holds probabilities that add up to 1.
      logits: tensor `[batch, classes]` of a float dtype: unscaled scores.
      dim: the axis of the classes; by default the last. Tensors may have any rank from 1.
      name: name of the op.

    Returns: a tensor `[batch]` of the dtype of `logits`: the loss of each row. Gradients flow to
      the logits and to the labels.

    Raises:
      ValueError: if an argument is missing or not named, or the shapes differ.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     loss = hf.nn.softmax_cross_entropy_with_logits_v2(
    ...         labels=[[0.0, 1.0]], logits=[[1.0, 2.0]])
    ...     print(loss.numpy().round(4))
    [0.3133]
    """
    _check_arguments("softmax_cross_entropy_with_logits_v2", _sentinel, labels, logits)
    return _dense_loss(labels, logits, dim, name)


@spelled(axis="dim")
def softmax_cross_entropy_with_logits(
    _sentinel: Any = None,
    labels: Any = None,
    logits: Any = None,
    dim: int = -1,
    name: str | None = None,
) -> Tensor:
    """`softmax_cross_entropy_with_logits_v2` with labels to which no gradient flows.

    Args:
      labels: tensor `[batch, classes]`; each row holds probabilities that add up to 1.
      logits: tensor `[batch, classes]` of a float dtype: unscaled scores.
      dim: the axis of the classes; by default the last. Tensors may have any rank from 1.
      name: name of the op.

    Returns: a tensor `[batch]` of the dtype of `logits`: the loss of each row.

    Raises:
      ValueError: if an argument is missing or not named, or the shapes differ.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     loss = hf.nn.softmax_cross_entropy_with_logits(labels=[[0.0, 1.0]], logits=[[1.0, 2.0]])
    ...     print(loss.numpy().round(4))
    [0.3133]
    """
    _check_arguments("softmax_cross_entropy_with_logits", _sentinel, labels, logits)
    labels = raw.StopGradient(convert_to_tensor(labels, name="labels"), name="labels_stop_gradient")
    return _dense_loss(labels, logits, dim, name)


def sparse_softmax_cross_entropy_with_logits(
    _sentinel: Any = None, labels: Any = None, logits: Any = None, name: str | None = None
) -> Tensor:
    """`-log_softmax(logits)[label]` for each row of `logits`.

    Args:
      labels: int32 or int64 tensor `[batch...]`: the class of each row.
      logits: tensor `[batch..., classes]` of a float dtype: unscaled scores.
      name: name of the op.

    Returns: a tensor `[batch...]` of the dtype of `logits`: the loss of each row.

    Raises:
      ValueError: if an argument is missing or not named, or the shapes do not fit.
      InvalidArgumentError: if a label is not in `[0, classes)`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     loss = hf.nn.sparse_softmax_cross_entropy_with_logits(labels=[1], logits=[[1.0, 2.0]])
    ...     print(loss.numpy().round(4))
    [0.3133]
    """
    _check_arguments("sparse_softmax_cross_entropy_with_logits", _sentinel, labels, logits)
    with op_scope(name, "SparseSoftmaxCrossEntropyWithLogits", [labels, logits]):
        labels = convert_to_tensor(labels, name="labels")
        logits = convert_to_tensor(logits, name="logits")
        shape, dims = labels._dims, logits._dims
        if dims == ():
            raise ValueError("Logits cannot be scalars - received shape ().")
        if dims is not None and shape is not None and len(shape) != len(dims) - 1:
            raise ValueError(
                f"Rank mismatch: Rank of labels (received {len(shape)}) should equal rank of "
                f"logits minus 1 (received {len(dims)})."
            )
        dtype = logits.dtype.base_dtype
        wide = dtypes.float32 if dtype is dtypes.float16 else dtype
        if wide is not dtype:
            logits = raw.Cast(logits, DstT=wide)
        if dims is not None and len(dims) == 2:
            loss = _sparse(logits, labels)[0]
        else:
            loss = _sparse(_as_matrix(logits), raw.Reshape(labels, [-1]))[0]
            loss = raw.Reshape(loss, raw.Shape(labels))
        return loss if wide is dtype else raw.Cast(loss, DstT=dtype)


def _check_shapes(logits: Tensor, targets: Tensor, name: str) -> None:
    if not compatible(logits._dims, targets._dims):
        raise ShapeError(
            f"logits and {name} must have the same shape ({logits.shape} vs {targets.shape})"
        )


def sigmoid_cross_entropy_with_logits(
    _sentinel: Any = None, labels: Any = None, logits: Any = None, name: str | None = None
) -> Tensor:
    """`-z log(sigmoid(x)) - (1 - z) log(1 - sigmoid(x))` for labels `z` and logits `x`.

    Computed as `max(x, 0) - x z + log(1 + exp(-|x|))`, which does not overflow.

    Args:
      labels: tensor of probabilities.
      logits: tensor of the same float dtype and shape: unscaled scores.
      name: name of the op.

    Returns: a tensor of that dtype and shape.

    Raises:
      ValueError: if an argument is missing or not named, or the shapes differ.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     loss = hf.nn.sigmoid_cross_entropy_with_logits(labels=[0.0, 1.0], logits=[1.0, 2.0])
    ...     print(loss.numpy().round(4))
    [1.3133 0.1269]
    """
    _check_arguments("sigmoid_cross_entropy_with_logits", _sentinel, labels, logits)
    with op_scope(name, "logistic_loss", [logits, labels]) as scope:
        logits = convert_to_tensor(logits, name="logits")
        labels = convert_to_tensor(labels, name="labels")
        _check_shapes(logits, labels, "labels")
        # Not relu and abs: at 0 these have no gradient that would be right here.
        zeros = raw.ZerosLike(logits)
        positive = raw.GreaterEqual(logits, zeros)
        relu_logits = raw.Select(positive, logits, zeros)
        negative_abs = raw.Select(positive, -logits, logits)
        rest = raw.Log1p(raw.Exp(negative_abs))
        return raw.Add(relu_logits - logits * labels, rest, name=scope)


@spelled(labels="targets")
def weighted_cross_entropy_with_logits(
    targets: Any, logits: Any, pos_weight: Any, name: str | None = None
) -> Tensor:
    """`-q z log(sigmoid(x)) - (1 - z) log(1 - sigmoid(x))` for targets `z` and logits `x`.

    Args:
      targets: tensor of probabilities.
      logits: tensor of the same float dtype and shape: unscaled scores.
      pos_weight: the weight `q` of positive examples; above 1 it favours recall, below 1 precision.
      name: name of the op.

    Returns: a tensor of that dtype and shape.

    Raises:
      ValueError: if the shapes differ.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     loss = hf.nn.weighted_cross_entropy_with_logits([0.0, 1.0], [1.0, 2.0], 2.0)
    ...     print(loss.numpy().round(4))
    [1.3133 0.2539]
    """
    with op_scope(name, "logistic_loss", [logits, targets]) as scope:
        logits = convert_to_tensor(logits, name="logits")
        targets = convert_to_tensor(targets, name="targets")
        _check_shapes(logits, targets, "targets")
        log_weight = 1.0 + (pos_weight - 1.0) * targets
        rest = raw.Log1p(raw.Exp(-raw.Abs(logits))) + raw.Relu(-logits)
        return raw.Add((1.0 - targets) * logits, log_weight * rest, name=scope)


def log_poisson_loss(
    targets: Any, log_input: Any, compute_full_loss: bool = False, name: str | None = None
) -> Tensor:
    """`exp(c) - z c` elementwise, the Poisson loss of counts `z` for the log of their mean `c`.

    Args:
      targets: tensor of counts.
      log_input: tensor of the same float dtype and shape: the logarithm of the predicted mean.
      compute_full_loss: add Stirling's approximation of `log(z!)`, a constant, where `z > 1`.
      name: name of the op.

    Returns: a tensor of that dtype and shape.

    Raises:
      ValueError: if the shapes differ.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.nn.log_poisson_loss([0.0, 3.0], [1.0, 2.0]).numpy().round(4))
    [2.7183 1.3891]
    """
    with op_scope(name, "log_poisson_loss", [log_input, targets]):
        log_input = convert_to_tensor(log_input, name="log_input")
        targets = convert_to_tensor(targets, name="targets")
        if not compatible(log_input._dims, targets._dims):
            raise ShapeError(
                "log_input and targets must have the same shape "
                f"({log_input.shape} vs {targets.shape})"
            )
        loss = raw.Exp(log_input) - log_input * targets
        if compute_full_loss:
            stirling = targets * raw.Log(targets) - targets + 0.5 * raw.Log(2.0 * math.pi * targets)
            zeros, ones = raw.ZerosLike(targets), raw.OnesLike(targets)
            small = raw.LogicalAnd(raw.GreaterEqual(targets, zeros), raw.LessEqual(targets, ones))
            loss = loss + raw.Select(small, zeros, stirling)
        return loss
