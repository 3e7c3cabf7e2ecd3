"""Collections of the default graph, and their standard names."""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework import context
from hybridflow._src.framework.collections import Collections
from hybridflow._src.framework.default_graph import get_default_graph


class GraphKeys:
    """Names of the collections that the library itself uses; the same strings as TensorFlow's."""

    GLOBAL_VARIABLES = "variables"
    LOCAL_VARIABLES = "local_variables"
    METRIC_VARIABLES = "metric_variables"
    MODEL_VARIABLES = "model_variables"
    TRAINABLE_VARIABLES = "trainable_variables"
    SUMMARIES = "summaries"
    QUEUE_RUNNERS = "queue_runners"
    TABLE_INITIALIZERS = "table_initializer"
    ASSET_FILEPATHS = "asset_filepaths"
    MOVING_AVERAGE_VARIABLES = "moving_average_variables"
    REGULARIZATION_LOSSES = "regularization_losses"
    CONCATENATED_VARIABLES = "concatenated_variables"
    SAVERS = "savers"
    WEIGHTS = "weights"
    BIASES = "biases"
    ACTIVATIONS = "activations"
    UPDATE_OPS = "update_ops"
    LOSSES = "losses"
    SAVEABLE_OBJECTS = "saveable_objects"
    RESOURCES = "resources"
    LOCAL_RESOURCES = "local_resources"
    INIT_OP = "init_op"
    LOCAL_INIT_OP = "local_init_op"
    READY_OP = "ready_op"
    READY_FOR_LOCAL_INIT_OP = "ready_for_local_init_op"
    SUMMARY_OP = "summary_op"
    GLOBAL_STEP = "global_step"
    EVAL_STEP = "eval_step"
    TRAIN_OP = "train_op"
    COND_CONTEXT = "cond_context"
    WHILE_CONTEXT = "while_context"
    # Deprecated by TF, still used.
    VARIABLES = "variables"


def current_collections() -> Collections:
    """The default graph's collections, or those of the current variable store in eager mode and in
    a function traced for it.
    """
    if context.modes.top.eager:
        return context.eager_collections.top
    graph = get_default_graph()
    return context.eager_collections.top if graph.building_function else graph


def add_to_collection(name: Any, value: Any) -> None:
    """`Graph.add_to_collection` of the default graph (in eager mode: of the variable store)."""
    current_collections().add_to_collection(name, value)


def add_to_collections(names: Any, value: Any) -> None:
    """`Graph.add_to_collections` of the default graph (in eager mode: of the variable store)."""
    current_collections().add_to_collections(names, value)


def get_collection(key: Any, scope: str | None = None) -> list[Any]:
    """`Graph.get_collection` of the default graph (in eager mode: of the variable store)."""
    return current_collections().get_collection(key, scope)


def get_collection_ref(key: Any) -> list[Any]:
    """`Graph.get_collection_ref` of the default graph (in eager mode: of the variable store)."""
    return current_collections().get_collection_ref(key)
