"""`tensorflow.python.framework.op_def_registry`: the definitions of all op types."""

from __future__ import annotations

from typing import Any

from hybridflow._src.graphs.op_list import tensorflow_ops
from hybridflow._src.graphs.operations import record_of

__all__ = ["get", "get_registered_ops"]


def get_registered_ops() -> dict[str, Any]:
    """An `OpDef` message for each op type of TensorFlow's that exists here, by its name."""
    known = tensorflow_ops()
    return {type_: known[type_] for type_ in known if record_of(type_) is not None}


def get(name: str) -> Any:
    """The `OpDef` message of an op type; None if there is no such type here."""
    return get_registered_ops().get(name)
