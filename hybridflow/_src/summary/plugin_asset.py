"""Files that plugins of TensorBoard find beside event files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.platform import gfile

if TYPE_CHECKING:
    from hybridflow._src.framework.graph import Graph

_PREFIX = "__tensorboard_plugin_asset__"
_FOLDER = "plugins"


class PluginAsset:
    """What a plugin keeps for a graph; a class of your own has a name and defines `assets`.

    Attributes:
      plugin_name: the plugin.
    """

    plugin_name: str | None = None

    def assets(self) -> dict[str, str]:
        """The contents of files by name."""
        raise NotImplementedError(f"{type(self).__name__} defines no `assets`.")


def get_plugin_asset(plugin_asset_cls: type[PluginAsset], graph: Graph | None = None) -> Any:
    """The one object of a class that a graph (the default one) has; made if there is none.

    Raises:
      ValueError: if the class has no `plugin_name`, or another class has the same.
    """
    graph = graph or get_default_graph()
    name = plugin_asset_cls.plugin_name
    if not name:
        raise ValueError(f"Class {plugin_asset_cls.__name__} has no plugin_name")
    found = graph.get_collection(_PREFIX + name)
    if not found:
        asset = plugin_asset_cls()
        graph.add_to_collection(_PREFIX + name, asset)
        graph.add_to_collection(_PREFIX, name)
        return asset
    if not isinstance(found[0], plugin_asset_cls):
        raise ValueError(
            f"Plugin name collision between classes {plugin_asset_cls.__name__} and "
            f"{type(found[0]).__name__}"
        )
    return found[0]


def get_all_plugin_assets(graph: Graph | None = None) -> list[Any]:
    """All of these objects that a graph (the default one) has."""
    graph = graph or get_default_graph()
    return [graph.get_collection(_PREFIX + name)[0] for name in graph.get_collection(_PREFIX)]


def write_plugin_assets(graph: Graph, logdir: str) -> None:
    """Writes the files of all plugins of a graph beside its event file."""
    for asset in get_all_plugin_assets(graph):
        folder = os.path.join(logdir, _FOLDER, asset.plugin_name)
        gfile.MakeDirs(folder)
        for name, content in asset.assets().items():
            with gfile.GFile(os.path.join(folder, name), "w") as file:
                file.write(content)
