"""Hyperparameters of a model: named values that keep their types."""

from __future__ import annotations

import json
import re
from typing import Any

__all__ = ["HParams"]

_ITEM = re.compile(
    r"\s*(?P<name>[a-zA-Z][\w.]*)\s*(\[\s*(?P<index>\d+)\s*\])?\s*="
    r"\s*((?P<value>[^,\[]*)|\[(?P<list>[^\]]*)\])\s*($|,)"
)


class HParams:
    """Named values, read and set as attributes; a value that is set keeps the type of the first.

    Args:
      hparam_def, model_structure: not used.
      kwargs: the hyperparameters. Each has a value, or a list of at least one.

    >>> import hybridflow as hf
    >>> hparams = hf.contrib.training.HParams(learning_rate=0.1, units=[64, 32], name="a")
    >>> _ = hparams.parse("learning_rate=1,units[1]=16,name=b")
    >>> print(hparams.learning_rate, hparams.units, hparams.name)
    1.0 [64, 16] b
    """

    def __init__(self, hparam_def: Any = None, model_structure: Any = None, **kwargs: Any) -> None:
        self._types: dict[str, tuple[type, bool]] = {}
        self._model_structure = model_structure
        for name, value in kwargs.items():
            self.add_hparam(name, value)

    def add_hparam(self, name: str, value: Any) -> None:
        """Adds a hyperparameter.

        Raises:
          ValueError: if the name is taken, or the value is an empty list.
        """
        if getattr(self, name, None) is not None:
            raise ValueError(f"Hyperparameter name is reserved: {name}")
        is_list = isinstance(value, list | tuple)
        if is_list and not value:
            raise ValueError(f"Multi-valued hyperparameters cannot be empty: {name}")
        self._types[name] = (type(value[0] if is_list else value), is_list)
        setattr(self, name, value)

    def set_hparam(self, name: str, value: Any) -> None:
        """Gives a hyperparameter another value, of its type.

        Raises:
          KeyError: if there is none of the name.
          ValueError: for another type, or a list in place of a value or the other way round.
        """
        kind, is_list = self._types[name]
        if isinstance(value, list | tuple):
            if not is_list:
                raise ValueError(f"Must not pass a list for single-valued parameter: {name}")
            setattr(self, name, [_cast(name, kind, item) for item in value])
        elif is_list:
            raise ValueError(f"Must pass a list for multi-valued parameter: {name}.")
        else:
            setattr(self, name, _cast(name, kind, value))

    def del_hparam(self, name: str) -> None:
        """Removes a hyperparameter, if there is one of the name."""
        if name in self._types:
            delattr(self, name)
            del self._types[name]

    def parse(self, values: str) -> HParams:
        """Sets hyperparameters from a text such as `rate=0.1,units=[64,32],units[1]=16`.

        Returns: this object.

        Raises:
          ValueError: for text that is not of this form, an unknown name, or a value of another
            type; then nothing is set.
        """
        found: dict[str, Any] = {}
        at = 0
        while at < len(values):
            match = _ITEM.match(values, at)
            if match is None:
                raise ValueError(f"Malformed hyperparameter value: {values[at:]}")
            at = match.end()
            name, index = match["name"], match["index"]
            if name not in self._types:
                raise ValueError(f"Unknown hyperparameter type for {name}")
            kind, is_list = self._types[name]
            if match["list"] is not None:
                items = [item.strip() for item in match["list"].split(",") if item.strip()]
                if not is_list or index is not None:
                    raise ValueError(f"Could not parse hparam {name!r}: a list for one value.")
                found[name] = [_parsed(name, kind, item) for item in items]
            elif index is not None:
                items = list(found.get(name, getattr(self, name))) if is_list else []
                if not is_list or int(index) >= len(items):
                    raise ValueError(f"Could not parse hparam {name!r}: it has no item {index}.")
                items[int(index)] = _parsed(name, kind, match["value"].strip())
                found[name] = items
            elif is_list:
                raise ValueError(f"Could not parse hparam {name!r}: one value for a list.")
            elif name in found:
                raise ValueError(f"Multiple assignments to variable {name!r} in {values!r}")
            else:
                found[name] = _parsed(name, kind, match["value"].strip())
        return self.override_from_dict(found)

    def override_from_dict(self, values_dict: dict[str, Any]) -> HParams:
        """Sets hyperparameters from a dict, and gives this object."""
        for name, value in values_dict.items():
            self.set_hparam(name, value)
        return self

    def parse_json(self, values_json: str) -> HParams:
        """Sets hyperparameters from an object in JSON, and gives this object."""
        return self.override_from_dict(json.loads(values_json))

    def to_json(self, indent: Any = None, separators: Any = None, sort_keys: bool = False) -> str:
        """The hyperparameters as an object in JSON; of functions and other objects, nothing."""
        values = {name: value for name, value in self.values().items() if not callable(value)}
        return json.dumps(values, indent=indent, separators=separators, sort_keys=sort_keys)

    def values(self) -> dict[str, Any]:
        """The hyperparameters as a dict."""
        return {name: getattr(self, name) for name in self._types}

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a hyperparameter, or the default where there is none."""
        return getattr(self, key) if key in self._types else default

    def get_model_structure(self) -> Any:
        """What `model_structure` was given as."""
        return self._model_structure

    def set_model_structure(self, model_structure: Any) -> None:
        """Sets what `get_model_structure` gives."""
        self._model_structure = model_structure

    def __contains__(self, key: str) -> bool:
        return key in self._types

    def __str__(self) -> str:
        return str(sorted(self.values().items()))

    def __repr__(self) -> str:
        return f"HParams({self})"


def _parsed(name: str, kind: type, text: str) -> Any:
    """A value of a type, from text."""
    try:
        if kind is bool:
            return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
        return text if kind in (str, type(None)) else kind(text)
    except (KeyError, ValueError, TypeError):
        raise ValueError(
            f"Could not parse hparam of type {kind.__name__!r} with value {text!r} in {name}"
        ) from None


def _cast(name: str, kind: type, value: Any) -> Any:
    """A value as one of a type that holds it."""
    text = f"Could not cast hparam {name!r} of type {kind.__name__!r} from value {value!r}"
    if kind is type(None) or value is None or isinstance(value, kind):
        if kind is int and isinstance(value, bool):
            raise ValueError(text)
        return value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind is int and isinstance(value, float) and value.is_integer():
        return int(value)
    if callable(value) or kind not in (bool, int, float, str):
        return value
    raise ValueError(text)
