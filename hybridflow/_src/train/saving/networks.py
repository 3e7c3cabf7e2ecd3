"""Checkpoints of networks, whose variables may be made after they are restored."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context
from hybridflow._src.layers.network import Network
from hybridflow._src.runtime.session import get_default_session
from hybridflow._src.train.saving.reader import load_checkpoint
from hybridflow._src.train.saving.saver import Saver
from hybridflow._src.train.training_util import get_global_step

if TYPE_CHECKING:
    from collections.abc import Callable

    Names = Callable[[str], str]

__all__ = ["restore_network_checkpoint", "save_network_checkpoint"]

_DEFAULT = (
    "The default checkpoint variable name mapping strategy for Network '{network}' resulted in a "
    "naming conflict. The prefix '{scope}' of the Network is left out, and two variables are named "
    "'{name}' ('{first}' and '{second}'). This happens where layers are shared with other "
    "Networks: give a `map_func` that tells them apart."
)
_GIVEN = (
    "The map_func passed to {function} for the Network '{network}' resulted in two variables named "
    "'{name}' ('{first}' and '{second}'). Leave out less of the variables' names, or rename parts "
    "of the Network."
)


def _session() -> Any:
    return None if context.modes.top.eager else get_default_session()


def _path(network: Network, path: str) -> str:
    if not os.path.isdir(path):
        return path
    return os.path.join(path, network.name.replace("/", "_"))


class _Mapping:
    """Which name a variable has in a checkpoint.

    Args:
      given: a program's own function of the full name, or None to leave out the network's prefix.
      function: the function that it was passed to, in errors.
    """

    def __init__(self, network: Network, given: Names | None, function: str) -> None:
        self._function = function
        self._network, self._scope = network.name, network.scope_name
        self._given = given

    def name(self, full_name: str) -> str:
        """The name in the checkpoint."""
        if self._given is not None:
            return self._given(full_name)
        return full_name.removeprefix(f"{self._scope}/")

    def add(self, found: dict[str, Any], variable: Any) -> None:
        """Notes a variable under its name.

        Raises:
          ValueError: if another one has it.
        """
        name = self.name(variable._shared_name)
        first = found.setdefault(name, variable)
        if first is not variable:
            raise ValueError(
                (_DEFAULT if self._given is None else _GIVEN).format(
                    function=self._function,
                    network=self._network,
                    scope=self._scope,
                    name=name,
                    first=first._shared_name,
                    second=variable._shared_name,
                )
            )

    def of(self, variables: list[Any]) -> dict[str, Any]:
        """Variables by their names in the checkpoint."""
        found: dict[str, Any] = {}
        for variable in variables:
            self.add(found, variable)
        return found


def save_network_checkpoint(
    network: Network, save_path: str, global_step: Any = None, map_func: Names | None = None
) -> str | None:
    """Saves the variables of a network.

    Args:
      network: a `Network` that has been called.
      save_path: the path of the checkpoint, or a folder, where it gets the network's name.
      global_step: a number for the path; the global step by default, if there is one.
      map_func: gives the name in the checkpoint for the full name of a variable, such as
        `net/dense/kernel`; by default the network's name in front is left out.

    Returns: the path of the checkpoint.

    Raises:
      ValueError: if the network has no variables yet, or two have one name.
    """
    if not network.built:
        raise ValueError(
            "Attempt to save the Network before it was first called. This means variables have not "
            "yet been created, so there is nothing to save."
        )
    variables = _Mapping(network, map_func, "save_network_checkpoint").of(network.variables)
    step = get_global_step() if global_step is None else global_step
    path = _path(network, save_path)
    return Saver(variables).save(_session(), path, step, write_meta_graph=False)


class _Deferred:
    """Values of a checkpoint for variables that are made later.

    Args:
      values: by their names in the checkpoint. restored: the variables that have theirs.
    """

    def __init__(self, mapping: _Mapping, values: dict[str, Any], restored: dict[str, Any]) -> None:
        self._mapping = mapping
        self._values = values
        self._restored = restored
        self._session = _session()

    def attach(self, network: Network) -> None:
        """Has the variables of a network's layers begin with the values."""
        for layer in network.layers:
            if isinstance(layer, Network):
                layer._set_scope()
                self.attach(layer)
                continue
            network._open_for(layer)
            scope = layer._scope
            getter = scope.custom_getter  # type: ignore[union-attr]
            if not isinstance(getter, _Getter):
                getter = _Getter(getter)
                scope.set_custom_getter(getter)  # type: ignore[union-attr]
            getter.deferred.insert(0, self)

    def has(self, name: str) -> bool:
        """Whether the checkpoint has a variable."""
        key = self._mapping.name(name)
        return key in self._values or key in self._restored

    def get(self, real: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        """Makes a variable that begins with its value."""
        key = self._mapping.name(name)
        value = self._values.pop(key, None)
        if value is not None:
            kwargs.update(shape=None, initializer=value)
        variable = real(name, *args, **kwargs)
        self._mapping.add(self._restored, variable)
        if value is not None and self._session is not None:
            self._session.run(variable.initializer)
        return variable


class _Getter:
    """The custom getter of a layer's scope: the last checkpoint that has a variable gives it.

    Args:
      inner: the getter that the scope had.
    """

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.deferred: list[_Deferred] = []

    def __call__(self, real: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        if self._inner is not None:
            real = functools.partial(self._inner, real)
        for deferred in self.deferred:
            if deferred.has(name):
                return deferred.get(real, name, *args, **kwargs)
        return real(name, *args, **kwargs)


def restore_network_checkpoint(
    network: Network, save_path: str, map_func: Names | None = None
) -> None:
    """Gives the variables of a network the values of a checkpoint.

    What is made later begins with its value from there; of several checkpoints that of the last one
    that has it. In a graph the default session is used.

    Args:
      network: a `Network`, called or not.
      save_path: what `save_network_checkpoint` gave, or its folder.
      map_func: that of `save_network_checkpoint`.

    Raises:
      ValueError: if two variables have one name in the checkpoint. NotFoundError: if there is no
        such checkpoint, or a variable is not in it.
    """
    network._set_scope()
    path = _path(network, save_path)
    mapping = _Mapping(network, map_func, "restore_network_checkpoint")
    existing = mapping.of(network.variables)
    reader = load_checkpoint(path)
    if existing:
        Saver(existing).restore(_session(), path)
    names = [name for name in reader.get_variable_to_shape_map() if name not in existing]
    if names:
        values = {name: reader.get_tensor(name) for name in names}
        _Deferred(mapping, values, existing).attach(network)
