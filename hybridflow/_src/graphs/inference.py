"""Frozen graphs made smaller: what only training needs is gone, norms are part of convolutions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.formats.tensors import dtype_of, make_ndarray, tensor_proto
from hybridflow._src.framework import dtypes
from hybridflow._src.graphs.graph_util import (
    extract_sub_graph,
    node_of,
    remove_training_nodes,
    with_nodes,
)
from hybridflow._src.platform import tf_logging

if TYPE_CHECKING:
    from collections.abc import Sequence


def optimize_for_inference(
    input_graph_def: Any,
    input_node_names: Sequence[str],
    output_node_names: Sequence[str],
    placeholder_type_enum: Any,
) -> Any:
    """What inference needs of a frozen graph.

    Args:
      input_graph_def: a `GraphDef`, with constants in place of variables.
      input_node_names: names of the nodes that are fed: they become placeholders.
      output_node_names: names of the nodes whose values are wanted.
      placeholder_type_enum: the dtype of the placeholders, or a list with one for each.

    Returns: a `GraphDef` that computes the same: without `CheckNumerics`, without `Identity` nodes
      that order nothing, and with norms of batches as parts of the convolutions before them.
      (TensorFlow also joins resizing and padding with convolutions; here it does not help.)

    Raises:
      ValueError: if names occur twice or are not there.
    """
    ensure_graph_is_valid(input_graph_def)
    found = strip_unused(
        input_graph_def, input_node_names, output_node_names, placeholder_type_enum
    )
    found = fold_batch_norms(remove_training_nodes(found, output_node_names))
    ensure_graph_is_valid(found)
    return found


def ensure_graph_is_valid(graph_def: Any) -> None:
    """Checks that each name occurs once, and that inputs are there.

    Raises:
      ValueError: if not.
    """
    names: set[str] = set()
    for node in graph_def.node:
        if node.name in names:
            raise ValueError(f"Duplicate node names detected for {node.name!r}.")
        names.add(node.name)
    for node in graph_def.node:
        for text in node.input:
            if node_of(text) not in names:
                raise ValueError(f"Input for {node.name!r} not found: {text!r}.")


def strip_unused(
    input_graph_def: Any,
    input_node_names: Sequence[str],
    output_node_names: Sequence[str],
    placeholder_type_enum: Any,
) -> Any:
    """What some nodes need of a graph in which others are fed.

    The arguments are those of `optimize_for_inference`.

    Raises:
      ValueError: if an input is not there, or there is another number of dtypes than of inputs.
    """
    names = list(input_node_names)
    kinds = placeholder_type_enum
    kinds = list(kinds) if isinstance(kinds, list | tuple) else [kinds] * len(names)
    if len(kinds) != len(names):
        raise ValueError(f"There are {len(names)} inputs, but {len(kinds)} dtypes for them.")
    fed = dict(zip(names, kinds, strict=True))
    missing = sorted(fed.keys() - {node.name for node in input_graph_def.node})
    if missing:
        raise ValueError(f"Inputs that are not in the graph: {', '.join(missing)}.")
    found = type(input_graph_def)()
    found.CopyFrom(input_graph_def)
    for node in found.node:
        if node.name in fed:
            _make_placeholder(node, fed[node.name])
    return extract_sub_graph(found, list(output_node_names))


def _make_placeholder(node: Any, kind: Any) -> None:
    kept = {key: node.attr[key] for key in ("shape", "_output_shapes") if key in node.attr}
    new = type(node)(name=node.name, op="Placeholder", device=node.device)
    for key, value in kept.items():
        new.attr[key].CopyFrom(value)
    new.attr["dtype"].type = dtypes.as_dtype(kind).as_datatype_enum
    node.CopyFrom(new)


# -- norms of batches ------------------------------------------------------------------------------


class _Norm(NamedTuple):
    """Where an op has its inputs, and what it calls epsilon."""

    mean: int
    variance: int
    offset: int
    scale: int
    epsilon: str


_FUSED = _Norm(mean=3, variance=4, offset=2, scale=1, epsilon="epsilon")
_NORMS = {
    "BatchNormWithGlobalNormalization": _Norm(1, 2, 3, 4, "variance_epsilon"),
    "FusedBatchNorm": _FUSED,
    "FusedBatchNormV2": _FUSED,
    "FusedBatchNormV3": _FUSED,
}
_CONVOLUTIONS = ("Conv2D", "DepthwiseConv2dNative")


def fold_batch_norms(input_graph_def: Any) -> Any:
    """A frozen graph in which norms of batches are part of the convolutions before them.

    A norm of constants is y = (x - mean) * f + offset, where f = scale / sqrt(variance + epsilon).
    The filters are multiplied by f, and offset - mean * f is added behind.

    Args:
      input_graph_def: a `GraphDef`, with constants in place of variables.

    Returns: a `GraphDef`. Norms stay where something is no constant, where they are of a batch at
      hand (`is_training`), and where something else uses the convolution.

    Raises:
      ValueError: if names occur twice or are not there.
    """
    ensure_graph_is_valid(input_graph_def)
    folding = _Folding(input_graph_def)
    for node in input_graph_def.node:
        if node.op in _NORMS:
            problem = folding.fold(node, _NORMS[node.op])
            if problem:
                tf_logging.warning("%r (%s) is not folded: %s.", node.name, node.op, problem)
    return with_nodes(input_graph_def, folding.nodes())


class _Folding:
    """A graph whose norms are folded one by one."""

    def __init__(self, graph_def: Any) -> None:
        self._nodes = {node.name: node for node in graph_def.node}
        self._users: dict[str, list[str]] = {name: [] for name in self._nodes}
        for node in graph_def.node:
            for text in node.input:
                self._users[node_of(text)].append(text)
        # By the name of a node, what stands in its place.
        self._instead: dict[str, list[Any]] = {}
        self._released: list[str] = []

    def fold(self, node: Any, norm: _Norm) -> str:
        """Folds one; gives the reason if it cannot."""
        convolution = self._nodes[node_of(node.input[0])]
        if convolution.op not in _CONVOLUTIONS:
            return f"{convolution.name!r} before it is no convolution"
        if len(self._users[convolution.name]) > 1:
            return f"{convolution.name!r} has other users"
        if "is_training" in node.attr and node.attr["is_training"].b:
            return "it is the norm of the batch at hand"
        if any(text.startswith("^") or ":" in text for text in self._users[node.name]):
            return "something uses its statistics or waits for it"
        filters = self._constant(convolution.input[1])
        at = (norm.mean, norm.variance, norm.offset, norm.scale)
        values = [self._constant(node.input[i]) for i in at]
        if filters is None or any(value is None for value in values):
            return "its inputs or the filters are no constants: was the graph frozen?"
        of_filter = filters.shape[2:] if convolution.op != "Conv2D" else filters.shape[3:]
        count = int(np.prod(of_filter))
        if any(value.shape != (count,) for value in values):  # type: ignore[union-attr]
            return f"there are {count} channels, and other numbers in {[v.shape for v in values]}"  # type: ignore[union-attr]
        mean, variance, offset, scale = [np.asarray(v, np.float64) for v in values]
        if (
            "scale_after_normalization" in node.attr
            and not node.attr["scale_after_normalization"].b
        ):
            scale = np.ones_like(scale)
        factor = scale / np.sqrt(variance + node.attr[norm.epsilon].f)
        self._put(node, convolution, filters * factor.reshape(of_filter), offset - mean * factor)
        self._released += [convolution.input[1], *[node.input[i] for i in at]]
        return ""

    def _put(self, node: Any, convolution: Any, filters: np.ndarray, offset: np.ndarray) -> None:
        kind = convolution.attr["T"].type
        new = type(node)()
        new.CopyFrom(convolution)
        added = type(node)(name=node.name, op="BiasAdd", device=node.device)
        added.attr["T"].type = kind
        if "data_format" in convolution.attr:
            added.attr["data_format"].CopyFrom(convolution.attr["data_format"])
        for user, name, value in (
            (new, f"{convolution.name}/folded", filters),
            (added, f"{convolution.name}_bn_offset", offset),
        ):
            while name in self._nodes:
                name += "_"
            constant = type(node)(name=name, op="Const", device=node.device)
            dtype = dtype_of(kind)
            constant.attr["dtype"].type = kind
            constant.attr["value"].tensor.CopyFrom(tensor_proto(value.astype(dtype.np), dtype))
            self._nodes[name] = constant
            self._instead.setdefault(user.name, []).append(constant)
            if user is new:
                new.input[1] = name
            else:
                added.input.extend([new.name, name])
                added.input.extend([text for text in node.input if text.startswith("^")])
            self._instead[user.name].append(user)

    def _constant(self, text: str) -> np.ndarray | None:
        """The value of an input that is a constant, or the same as one."""
        node = self._nodes[node_of(text)]
        while node.op == "Identity" and not any(t.startswith("^") for t in node.input):
            node = self._nodes[node_of(node.input[0])]
        return make_ndarray(node.attr["value"].tensor) if node.op == "Const" else None

    def nodes(self) -> list[Any]:
        """The nodes, without the constants that only norms used."""
        found = [
            new for name, node in self._nodes.items() for new in self._instead.get(name, [node])
        ]
        found = list({node.name: node for node in found}.values())
        pending = [node_of(text) for text in self._released]
        used: dict[str, int] = {}
        for node in found:
            for text in node.input:
                used[node_of(text)] = used.get(node_of(text), 0) + 1
        gone: set[str] = set()
        while pending:
            name = pending.pop()
            if not used.get(name) and name not in gone:
                gone.add(name)
                for text in self._nodes[name].input:
                    used[node_of(text)] -= 1
                    pending.append(node_of(text))
        return [node for node in found if node.name not in gone]
