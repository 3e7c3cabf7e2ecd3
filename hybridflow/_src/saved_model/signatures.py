"""Signatures: which tensors of a graph are its inputs and outputs, by names of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.formats import messages
from hybridflow._src.formats.tensors import shape_proto
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.sparse_tensor import SparseTensor
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.graphs.scoped_names import add_scope
from hybridflow._src.saved_model import constants

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.graph import Graph

__all__ = [
    "build_signature_def",
    "build_tensor_info",
    "classification_signature_def",
    "get_tensor_from_tensor_info",
    "is_valid_signature",
    "predict_signature_def",
    "regression_signature_def",
]


def build_tensor_info(tensor: Any) -> Any:
    """What a signature says of a tensor, its name, dtype and shape: a `TensorInfo` message.

    A sparse tensor has the names of its three tensors there.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     x = hf.placeholder(hf.float32, [2], name="x")
    ...     hf.saved_model.utils.build_tensor_info(x).name
    'x:0'
    """
    if isinstance(tensor, SparseTensor):
        found = messages.TensorInfo(
            dtype=tensor.dtype.as_datatype_enum, tensor_shape=shape_proto(tensor.shape._dims)
        )
        found.coo_sparse.values_tensor_name = tensor.values.name
        found.coo_sparse.indices_tensor_name = tensor.indices.name
        found.coo_sparse.dense_shape_tensor_name = tensor.dense_shape.name
        return found
    # A variable stands for what `session.run` fetches for it.
    element = getattr(tensor, "_as_graph_element", None)
    tensor = convert_to_tensor(tensor) if element is None else element()
    return messages.TensorInfo(
        name=tensor.name,
        dtype=tensor.dtype.as_datatype_enum,
        tensor_shape=shape_proto(tensor._dims),
    )


def get_tensor_from_tensor_info(
    tensor_info: Any, graph: Graph | None = None, import_scope: str | None = None
) -> Tensor | SparseTensor:
    """The tensor, dense or sparse, that a `TensorInfo` is about.

    Args:
      tensor_info: the message.
      graph: the graph, by default the default one.
      import_scope: the name scope that its graph was imported into.

    Raises:
      KeyError: if the graph has no such tensor. ValueError: if it says none.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     x = hf.placeholder(hf.float32, [2], name="x")
    ...     info = hf.saved_model.utils.build_tensor_info(x)
    ...     hf.saved_model.utils.get_tensor_from_tensor_info(info) is x
    True
    """
    home = graph or get_default_graph()

    def named(name: str) -> Tensor:
        return home.get_tensor_by_name(add_scope(name, import_scope))

    encoding = tensor_info.WhichOneof("encoding")
    if encoding == "name":
        return named(tensor_info.name)
    if encoding != "coo_sparse":
        raise ValueError(f"Invalid TensorInfo.encoding: {encoding} of {tensor_info}")
    sparse = tensor_info.coo_sparse
    with home.as_default():
        return SparseTensor(
            named(sparse.indices_tensor_name),
            named(sparse.values_tensor_name),
            named(sparse.dense_shape_tensor_name),
        )


def build_signature_def(
    inputs: Mapping[str, Any] | None = None,
    outputs: Mapping[str, Any] | None = None,
    method_name: str | None = None,
) -> Any:
    """A `SignatureDef` message.

    Args:
      inputs, outputs: `TensorInfo` messages by name.
      method_name: what kind of signature it is.

    >>> import hybridflow as hf
    >>> hf.saved_model.signature_def_utils.build_signature_def(method_name="f").method_name
    'f'
    """
    found = messages.SignatureDef(method_name=method_name or "")
    for key, info in (inputs or {}).items():
        found.inputs[key].CopyFrom(info)
    for key, info in (outputs or {}).items():
        found.outputs[key].CopyFrom(info)
    return found


def _checked(tensor: Any, dtype: DType, what: str) -> Any:
    """The `TensorInfo` of a tensor that must have a dtype."""
    if not isinstance(tensor, Tensor) or tensor.dtype.base_dtype is not dtype:
        kind = "string" if dtype is dtypes.string else "float"
        raise ValueError(f"{what} must be a {kind} Tensor.")
    return build_tensor_info(tensor)


def regression_signature_def(examples: Any, predictions: Any) -> Any:
    """The signature of a model that gives a number for each example.

    Args:
      examples: string tensor of serialized `Example` messages.
      predictions: float tensor.

    Raises:
      ValueError: for other tensors, or None.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     utils = hf.saved_model.signature_def_utils
    ...     signature = utils.regression_signature_def(hf.constant(["a"]), hf.constant([1.0]))
    >>> utils.is_valid_signature(signature)
    True
    """
    if examples is None:
        raise ValueError("Regression examples cannot be None.")
    if predictions is None:
        raise ValueError("Regression predictions cannot be None.")
    return build_signature_def(
        {constants.REGRESS_INPUTS: _checked(examples, dtypes.string, "Regression examples")},
        {constants.REGRESS_OUTPUTS: _checked(predictions, dtypes.float32, "Regression output")},
        constants.REGRESS_METHOD_NAME,
    )


def classification_signature_def(examples: Any, classes: Any, scores: Any) -> Any:
    """The signature of a model that gives classes, scores or both for each example.

    Args:
      examples: string tensor of serialized `Example` messages.
      classes: string tensor, or None.
      scores: float tensor, or None.

    Raises:
      ValueError: for other tensors, or None for both.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     utils = hf.saved_model.signature_def_utils
    ...     x, scores = hf.constant(["a"]), hf.constant([1.0])
    ...     signature = utils.classification_signature_def(x, None, scores)
    >>> utils.is_valid_signature(signature)
    True
    """
    if examples is None:
        raise ValueError("Classification examples cannot be None.")
    if classes is None and scores is None:
        raise ValueError("Classification classes and scores cannot both be None.")
    inputs = _checked(examples, dtypes.string, "Classification examples")
    outputs = {}
    if classes is not None:
        info = _checked(classes, dtypes.string, "Classification classes")
        outputs[constants.CLASSIFY_OUTPUT_CLASSES] = info
    if scores is not None:
        info = _checked(scores, dtypes.float32, "Classification scores")
        outputs[constants.CLASSIFY_OUTPUT_SCORES] = info
    method = constants.CLASSIFY_METHOD_NAME
    return build_signature_def({constants.CLASSIFY_INPUTS: inputs}, outputs, method)


def _infos(what: str, tensors: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of each tensor; errors say which one it is."""
    found = {}
    for key, tensor in tensors.items():
        try:
            found[key] = build_tensor_info(tensor)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{what} {key!r} of the signature: {error}") from error
    return found


def predict_signature_def(inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> Any:
    """The signature of a model with any inputs and outputs.

    Args:
      inputs, outputs: tensors by name.

    Raises:
      ValueError: if there are none.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default():
    ...     utils = hf.saved_model.signature_def_utils
    ...     x = hf.placeholder(hf.float32, [])
    ...     signature = utils.predict_signature_def({"x": x}, {"y": x * 2.0})
    >>> signature.outputs["y"].name
    'mul:0'
    """
    if not inputs:
        raise ValueError("Prediction inputs cannot be None or empty.")
    if not outputs:
        raise ValueError("Prediction outputs cannot be None or empty.")
    return build_signature_def(
        _infos("input", inputs),
        _infos("output", outputs),
        constants.PREDICT_METHOD_NAME,
    )


# For each method the names and dtypes of inputs and outputs; of several outputs one will do.
_FORMS = {
    constants.REGRESS_METHOD_NAME: (
        {constants.REGRESS_INPUTS: dtypes.string},
        {constants.REGRESS_OUTPUTS: dtypes.float32},
    ),
    constants.CLASSIFY_METHOD_NAME: (
        {constants.CLASSIFY_INPUTS: dtypes.string},
        {
            constants.CLASSIFY_OUTPUT_CLASSES: dtypes.string,
            constants.CLASSIFY_OUTPUT_SCORES: dtypes.float32,
        },
    ),
}


def is_valid_signature(signature_def: Any) -> bool:
    """Tells whether TensorFlow Serving can serve a signature.

    >>> import hybridflow as hf
    >>> hf.saved_model.signature_def_utils.is_valid_signature(None)
    False
    """
    if signature_def is None or not signature_def.inputs or not signature_def.outputs:
        return False
    if signature_def.method_name == constants.PREDICT_METHOD_NAME:
        return True
    if signature_def.method_name not in _FORMS:
        return False
    inputs, outputs = _FORMS[signature_def.method_name]
    return set(signature_def.inputs) == set(inputs) and all(
        key in known and info.dtype == known[key].as_datatype_enum
        for known, given in ((inputs, signature_def.inputs), (outputs, signature_def.outputs))
        for key, info in given.items()
    )
