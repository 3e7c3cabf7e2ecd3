"""Linear models trained by stochastic dual coordinate ascent: a pass over a batch, shrinking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.locks import holding
from hybridflow._src.framework.op_def import REQUIRED, OpDef, Sample, not_differentiable
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops.control_flow.ordering import group
from hybridflow._src.ops.linear_models.dual_ascent import (
    Batch,
    SparseGroup,
    ascend,
    invalid,
    shrink,
)
from hybridflow._src.ops.linear_models.dual_losses import LOSSES
from hybridflow._src.ops.shape_rules import with_rank
from hybridflow._src.ops.strings import hashes
from hybridflow._src.ops.strings.elementwise import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hybridflow._src.framework.storage import Storage
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["sdca_fprint", "sdca_optimizer", "sdca_shrink_l1"]

# An example's state: its dual variable, primal loss, dual loss and weight.
_STATE = 4


class SdcaOptimizer(NamedTuple):
    """What `sdca_optimizer` gives.

    Attributes:
      out_example_state_data: float32 `[n, 4]`: each example's dual variable, primal loss, dual loss
        and weight.
      out_delta_sparse_weights: list of float32 vectors: by how much weights change.
      out_delta_dense_weights: the same of the dense groups.
    """

    out_example_state_data: Tensor
    out_delta_sparse_weights: list[Tensor]
    out_delta_dense_weights: list[Tensor]


class _Lists(NamedTuple):
    """The inputs of the op, in its order."""

    sparse_example_indices: Sequence[Any]
    sparse_feature_indices: Sequence[Any]
    sparse_feature_values: Sequence[Any]
    dense_features: Sequence[Any]
    example_weights: Sequence[Any]
    example_labels: Sequence[Any]
    sparse_indices: Sequence[Any]
    sparse_weights: Sequence[Any]
    dense_weights: Sequence[Any]
    example_state_data: Sequence[Any]


def _lists(inputs: Sequence[Any], attrs: dict[str, Any]) -> _Lists:
    sparse, dense = attrs["num_sparse_features"], attrs["num_dense_features"]
    values = attrs["num_sparse_features_with_values"]
    parts, start = [], 0
    for size in (sparse, sparse, values, dense, 1, 1, sparse, sparse, dense, 1):
        parts.append(inputs[start : start + size])
        start += size
    return _Lists(*parts)


def _shapes(attrs: dict[str, Any], *inputs: Tensor) -> list[Any]:
    lists = _lists(inputs, attrs)
    for tensor in (*lists.example_weights, *lists.example_labels):
        with_rank(tensor, 1)
    weights = (*lists.sparse_weights, *lists.dense_weights)
    count = with_rank(lists.example_weights[0], 1)[0]
    return [(count, _STATE), *[tensor._dims for tensor in weights]]


def _optimize(*inputs: np.ndarray, **attrs: Any) -> list[np.ndarray]:
    lists = _lists(inputs, attrs)
    costs, labels = lists.example_weights[0], lists.example_labels[0]
    state, count = lists.example_state_data[0], costs.size
    if costs.ndim != 1 or labels.shape != costs.shape:
        raise invalid(
            f"Weights of examples have shape {costs.shape}, their labels {labels.shape}: both "
            "must be vectors of one size."
        )
    if state.shape != (count, _STATE):
        raise invalid(
            f"Expected shape [{count},{_STATE}] for example_state_data, got {list(state.shape)}"
        )
    values = [*lists.sparse_feature_values]
    values += [None] * (len(lists.sparse_weights) - len(values))
    sparse = [
        SparseGroup(*parts)
        for parts in zip(
            lists.sparse_example_indices,
            lists.sparse_feature_indices,
            values,
            lists.sparse_indices,
            lists.sparse_weights,
            strict=True,
        )
    ]
    dense = list(zip(lists.dense_features, lists.dense_weights, strict=True))
    batch = Batch(count, sparse, dense)
    found, changes = ascend(
        batch,
        LOSSES[attrs["loss_type"]],
        labels,
        costs,
        state,
        attrs["l1"],
        attrs["l2"],
        attrs["num_loss_partitions"],
        attrs["adaptative"],
    )
    weights = (*lists.sparse_weights, *lists.dense_weights)
    parts = [
        part.reshape(array.shape) for part, array in zip(batch.split(changes), weights, strict=True)
    ]
    with np.errstate(over="ignore"):
        return [array.astype(np.float32) for array in (found, *parts)]


_optimizer = OpDef(
    "SdcaOptimizer",
    "features: ... -> outputs: N*float32",
    attrs={
        "loss_type": REQUIRED,
        "adaptative": False,
        "num_sparse_features": REQUIRED,
        "num_sparse_features_with_values": REQUIRED,
        "num_dense_features": REQUIRED,
        "l1": REQUIRED,
        "l2": REQUIRED,
        "num_loss_partitions": REQUIRED,
        "num_inner_iterations": REQUIRED,
    },
    shape=_shapes,
    compute=_optimize,
    grad=not_differentiable,
    samples=lambda rng: (),
)


def sdca_optimizer(
    sparse_example_indices: Sequence[Any],
    sparse_feature_indices: Sequence[Any],
    sparse_feature_values: Sequence[Any],
    dense_features: Sequence[Any],
    example_weights: Any,
    example_labels: Any,
    sparse_indices: Sequence[Any],
    sparse_weights: Sequence[Any],
    dense_weights: Sequence[Any],
    example_state_data: Any,
    loss_type: str,
    l1: float,
    l2: float,
    num_loss_partitions: int,
    num_inner_iterations: int,
    adaptative: bool = False,
    name: str | None = None,
) -> SdcaOptimizer:
    """One pass of stochastic dual coordinate ascent, which trains linear models.

    The model is w with the least sum_i c_i * loss(w . x_i, y_i) + l2 / 2 * |w|^2 + l1 * |w|_1. Each
    example has a dual variable; the pass chooses one after the other as is best while all others
    stay. Weights are kept as they are before l1 shrinks them: see `sdca_shrink_l1`.

    Args:
      sparse_example_indices: list of int64 vectors `[m]`, one for each group of features of which
        examples have some: the example of each entry, in ascending order.
      sparse_feature_indices: list of int64 vectors `[m]`: the feature of each entry.
      sparse_feature_values: list of float32 vectors `[m]`, for the first groups: the values. In the
        other groups they are 1.
      dense_features: list of float32 matrices `[n, d]`: features that all examples have.
      example_weights: float32 vector `[n]`.
      example_labels: float32 vector `[n]`: 0 or 1, or for the squared loss any numbers.
      sparse_indices: list of int64 vectors `[k]`: the feature of each weight; one without elements
        says that feature i has weight i.
      sparse_weights: list of float32 vectors `[k]`.
      dense_weights: list of float32 vectors `[d]`.
      example_state_data: float32 `[n, 4]`: zeros at first, then what the last pass gave.
      loss_type: `"logistic_loss"`, `"squared_loss"`, `"hinge_loss"` or `"smooth_hinge_loss"`.
      l1, l2: how strongly weights are held small; `l2` is above 0.
      num_loss_partitions: how many such passes go on at the same time, whose changes are all added.
      num_inner_iterations: not looked at, as in TensorFlow.
      adaptative: examples from which much is to be gained come first, and more than once.
      name: name of the op.

    Returns: an `SdcaOptimizer`: the new state, and by how much weights change.

    Raises:
      ValueError: if there are no features, the loss is unknown, or `l2` is not above 0.
      InvalidArgumentError: if sizes do not fit, a feature has no weight, or a label is none.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     found = hf.train.sdca_optimizer(
    ...         [], [], [], [[[1.0], [2.0]]], [1.0, 1.0], [2.0, 4.0], [], [], [[0.0]],
    ...         hf.zeros([2, 4]), "squared_loss", l1=0.0, l2=1.0, num_loss_partitions=1,
    ...         num_inner_iterations=1)
    ...     print(found.out_delta_dense_weights[0].numpy())
    [1.8]

    References: Shalev-Shwartz and Zhang, "Stochastic Dual Coordinate Ascent Methods for Regularized
    Loss Minimization", 2013; with `num_loss_partitions`: Ma and others, "Adding vs. Averaging in
    Distributed Primal-Dual Optimization", 2015.
    """
    if loss_type not in LOSSES:
        raise ValueError(f"`loss_type` must be one of {', '.join(LOSSES)}, got {loss_type!r}.")
    if not l2 > 0.0:
        raise ValueError(f"`l2` must be above 0, got {l2}.")
    sparse, dense = len(sparse_weights), len(dense_weights)
    if not sparse + dense:
        raise ValueError("Requires at least one feature to train.")
    if num_loss_partitions < 1:
        raise ValueError(f"`num_loss_partitions` must be at least 1, got {num_loss_partitions}.")
    given = _Lists(
        sparse_example_indices,
        sparse_feature_indices,
        sparse_feature_values,
        dense_features,
        [example_weights],
        [example_labels],
        sparse_indices,
        sparse_weights,
        dense_weights,
        [example_state_data],
    )
    counts = dict.fromkeys(
        ("sparse_example_indices", "sparse_feature_indices", "sparse_indices"), sparse
    )
    for key, count in (*counts.items(), ("dense_features", dense)):
        if len(getattr(given, key)) != count:
            raise ValueError(
                f"There are {len(getattr(given, key))} `{key}` for {count} vectors of weights."
            )
    if len(sparse_feature_values) > sparse:
        raise ValueError(
            f"There are {len(sparse_feature_values)} `sparse_feature_values` for {sparse} groups."
        )
    with name_scope(name, "SdcaOptimizer") as scope:
        tensors = [
            convert_to_tensor(value, dtypes.int64 if "indices" in key else dtypes.float32)
            for key, values in given._asdict().items()
            for value in values
        ]
        found = _optimizer(
            tensors,
            loss_type=loss_type,
            adaptative=adaptative,
            num_sparse_features=sparse,
            num_sparse_features_with_values=len(sparse_feature_values),
            num_dense_features=dense,
            l1=float(l1),
            l2=float(l2),
            num_loss_partitions=num_loss_partitions,
            num_inner_iterations=num_inner_iterations,
            name=scope,
        )
    return SdcaOptimizer(found[0], found[1 : 1 + sparse], found[1 + sparse :])


# -- shrinking -------------------------------------------------------------------------------------


def _shrink_all(*storages: Storage, l1: float, l2: float) -> None:
    def update() -> None:
        new = [shrink(storage.read(), l1 / l2) for storage in storages]
        for storage, value in zip(storages, new, strict=True):
            storage.write(value)

    # All of them have one lock: they belong to one session.
    if storages:
        holding(storages[0].lock, update)


def _write_shrinking(nodes: Any, op: Any) -> None:
    """Writes it for a resource variable, of which TensorFlow has no such op."""
    if any(tensor.dtype.is_ref_dtype for tensor in op.inputs):
        nodes.plain(op)
        return
    (handle,) = [nodes.input(tensor) for tensor in op.inputs]
    amount = np.array(op.attrs["l1"] / op.attrs["l2"], np.float32)

    def add(kind: str, *inputs: str, **attrs: Any) -> str:
        node = nodes.add(kind, f"{op.name}/{kind}", list(inputs), **attrs)
        found: str = nodes.output(node)
        return found

    kinds = {"T": dtypes.float32}
    value = add("ReadVariableOp", handle, dtype=dtypes.float32)
    less = add("Const", dtype=dtypes.float32, value=amount)
    size = add("Sub", add("Abs", value, **kinds), less, **kinds)
    shrunk = add("Mul", add("Sign", value, **kinds), add("Relu", size, **kinds), **kinds)
    nodes.node(op, "AssignVariableOp", [handle, shrunk], {"dtype": dtypes.float32})


_shrink = OpDef(
    "SdcaShrinkL1",
    "weights: &N*float32 ->",
    attrs={"l1": REQUIRED, "l2": REQUIRED},
    shape=lambda attrs, *weights: [],
    compute=_shrink_all,
    grad=not_differentiable,
    effect="write",
    written=_write_shrinking,
)


def sdca_shrink_l1(weights: Sequence[Any], l1: float, l2: float, name: str | None = None) -> Any:
    """Shrinks weights by l1 / l2: what is nearer to zero becomes zero.

    w = sign(w) * max(|w| - l1 / l2, 0)

    It comes after the last pass of `sdca_optimizer`, before the model predicts.

    Args:
      weights: list of float32 variables.
      l1, l2: how strongly weights are held small; `l2` is above 0.
      name: name of the op.

    Returns: in a graph the `Operation` that does it; eagerly it is done.

    Raises:
      ValueError: if `l2` is not above 0.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     w = hf.Variable([0.5, -3.0])
    ...     hf.train.sdca_shrink_l1([w], l1=1.0, l2=1.0)
    ...     print(w.numpy())
    [ 0. -2.]
    """
    if not l2 > 0.0:
        raise ValueError(f"`l2` must be above 0, got {l2}.")
    settings: dict[str, Any] = {"l1": float(l1), "l2": float(l2)}
    if any(getattr(w, "handle", w).dtype is dtypes.resource for w in weights):
        return group(*[_shrink([variable], **settings) for variable in weights], name=name)
    return _shrink(list(weights), **settings, name=name)


# -- fingerprints ----------------------------------------------------------------------------------


def _fprint(strings: np.ndarray) -> np.ndarray:
    found = hashes.long_fingerprints(strings.tolist())
    # 0 and 1 mean something else where fingerprints are keys.
    low = found[:, 0]
    found[:, 0] = np.where(low < 2, low - np.uint64(2), low)
    return found.view(np.int64)


def _fprint_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for value in (words(), words(0)):
        yield Sample(value)


_fingerprint = OpDef(
    "SdcaFprint",
    "input: string -> output: int64",
    shape=lambda attrs, input: (*with_rank(input, 1), 2),
    compute=_fprint,
    grad=not_differentiable,
    samples=_fprint_samples,
    checked=True,
)


def sdca_fprint(input: Any, name: str | None = None) -> Tensor:
    """The 128-bit fingerprint of each string, by which examples are told apart.

    Args:
      input: vector of strings `[n]`.
      name: name of the op.

    Returns: int64 `[n, 2]`: the low and the high half, TensorFlow's. The low one is never 0 or 1.

    Raises:
      ValueError: if the strings are no vector.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.train.sdca_fprint(["a", "b"]).shape)
    (2, 2)
    """
    found: Tensor = _fingerprint(input, name=name)
    return found
