"""Objects of a kind by name and as plain data: Keras' `get`, `serialize` and `deserialize`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Names",
    "deserialize_keras_object",
    "get_custom_objects",
    "serialize_keras_object",
]

# What a program has made known by name, for all kinds.
_custom_objects: dict[str, Any] = {}


def get_custom_objects() -> dict[str, Any]:
    """The dict in which a program makes its own classes and functions known by name.

    Initializers and regularizers are looked for there.

    >>> import hybridflow as hf
    >>> known = hf.keras.utils.get_custom_objects()
    >>> known["twos"] = lambda: hf.keras.initializers.Constant(2.0)
    >>> hf.keras.initializers.get("twos").get_config()["value"]
    2.0
    >>> del known["twos"]
    """
    return _custom_objects


class Names:
    """What `serialize`, `deserialize` and `get` of one kind of objects know.

    Args:
      kind: how messages name the kind.
      known: classes and functions by name.
    """

    def __init__(self, kind: str, known: Mapping[str, Any]) -> None:
        self._kind = kind
        self._known = dict(known)

    def serialize(self, instance: Any) -> Any:
        """An object as plain data: its class and settings; a function as its name.

        Raises:
          ValueError: if it is neither.
        """
        if instance is None:
            return None
        if hasattr(instance, "get_config"):
            return {"class_name": type(instance).__name__, "config": instance.get_config()}
        if hasattr(instance, "__name__"):
            return instance.__name__
        raise ValueError(f"Cannot serialize {instance!r}: it has neither get_config nor a name.")

    def deserialize(self, config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """The object that a dict {"class_name", "config"} or a name describes.

        Args:
          config: as `serialize` gives it.
          custom_objects: classes and functions by name, besides those known.

        Raises:
          ValueError: if the name is not known, or `config` is anything else.
        """
        if isinstance(config, str):
            found = self._find(config, custom_objects)
            return found() if isinstance(found, type) else found
        if not isinstance(config, dict) or not {"class_name", "config"} <= config.keys():
            raise ValueError(
                f"Improper config format: {config!r}. Expected a name, or a dict with 'class_name' "
                "and 'config'."
            )
        found = self._find(config["class_name"], custom_objects)
        settings = config["config"]
        return found.from_config(settings) if hasattr(found, "from_config") else found(**settings)

    def _find(self, name: str, given: Mapping[str, Any] | None) -> Any:
        known = {**self._known, **_custom_objects, **(given or {})}
        if name not in known:
            raise ValueError(f"Unknown {self._kind}: {name}")
        return known[name]

    def get(self, identifier: Any) -> Any:
        """The object that a name, plain data, or an object itself stands for; None for None.

        Raises:
          ValueError: if it stands for none.
        """
        if identifier is None:
            return None
        if isinstance(identifier, dict):
            return self.deserialize(identifier)
        if isinstance(identifier, str):
            return self.deserialize({"class_name": identifier, "config": {}})
        if callable(identifier):
            return identifier
        raise ValueError(f"Could not interpret {self._kind} identifier: {identifier!r}")


def serialize_keras_object(instance: Any) -> Any:
    """An object as plain data: its class and settings; a function as its name.

    Raises:
      ValueError: if it is neither.
    """
    return Names("object", {}).serialize(instance)


def deserialize_keras_object(
    identifier: Any,
    module_objects: Mapping[str, Any] | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    printable_module_name: str = "object",
) -> Any:
    """The object that a dict {"class_name", "config"} or a name describes.

    Args:
      identifier: as `serialize_keras_object` gives it.
      module_objects, custom_objects: classes and functions by name.
      printable_module_name: how messages name the kind.

    Raises:
      ValueError: if the name is not known, or `identifier` is anything else.
    """
    return Names(printable_module_name, module_objects or {}).deserialize(
        identifier, custom_objects
    )
