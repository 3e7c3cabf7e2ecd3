"""Constraints by name and as plain data, as in Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.variables.constraints.base import KNOWN, Constraint

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["deserialize", "get", "serialize"]


def serialize(constraint: Any) -> Any:
    """A constraint as plain data: its class and settings; a function as its name.

    Args:
      constraint: an object with `get_config`, a function, or None.

    Returns: a dict {"class_name", "config"}, a string, or None.

    Raises:
      ValueError: if `constraint` is anything else.

    >>> import hybridflow as hf
    >>> hf.constraints.serialize(hf.constraints.MaxNorm(3))
    {'class_name': 'MaxNorm', 'config': {'max_value': 3, 'axis': 0}}
    """
    if constraint is None:
        return None
    if hasattr(constraint, "get_config"):
        return {"class_name": type(constraint).__name__, "config": constraint.get_config()}
    if hasattr(constraint, "__name__"):
        return constraint.__name__
    raise ValueError(f"Cannot serialize {constraint!r}: it has neither get_config nor a name.")


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The constraint that `serialize` described.

    Args:
      config: a dict {"class_name", "config"}, or a name.
      custom_objects: classes and functions by name, besides those of this library.

    Raises:
      ValueError: if the name is not known, or `config` is anything else.

    >>> import hybridflow as hf
    >>> hf.constraints.deserialize({"class_name": "L2Ball", "config": {"radius": 2.0}})
    L2Ball(radius=2.0, axis=None)
    """
    if isinstance(config, str):
        found = _named(config, custom_objects)
        return found() if isinstance(found, type) else found
    if not isinstance(config, dict) or not {"class_name", "config"} <= config.keys():
        raise ValueError(
            f"Improper config format: {config!r}. Expected a name, or a dict with 'class_name' and "
            "'config'."
        )
    found = _named(config["class_name"], custom_objects)
    if isinstance(found, type) and issubclass(found, Constraint):
        return found._restored(config["config"], custom_objects)
    return getattr(found, "from_config", lambda settings: found(**settings))(config["config"])


def _named(name: str, custom_objects: dict[str, Any] | None) -> Any:
    found = {**KNOWN, **(custom_objects or {})}.get(name)
    if found is None:
        names = ", ".join(sorted({cls.__name__ for cls in KNOWN.values()}))
        raise ValueError(
            f"Unknown constraint: {name}. Known are {names}; give others in `custom_objects`."
        )
    return found


def get(identifier: Any) -> Callable[[Any], Any] | None:
    """The constraint that a name, a configuration or a constraint itself stands for.

    Args:
      identifier: a name such as "non_neg" or "NonNeg", a dict as `serialize` gives, a callable, or
        None.

    Returns: a callable, or None.

    Raises:
      ValueError: if it stands for none.

    >>> import hybridflow as hf
    >>> hf.constraints.get("max_norm")
    MaxNorm(max_value=2, axis=0)
    """
    if identifier is None:
        return None
    if isinstance(identifier, (str, dict)):
        return deserialize(identifier)
    if isinstance(identifier, type):
        return identifier()
    if callable(identifier):
        return identifier
    raise ValueError(f"Could not interpret constraint identifier: {identifier!r}")
