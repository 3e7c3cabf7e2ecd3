"""`tf.config.experimental`: what programs set of devices, of which there is the processor."""

from __future__ import annotations

from typing import Any, NamedTuple

from hybridflow._src.cli.shim.config import PhysicalDevice, list_physical_devices

__all__ = [
    "LogicalDevice",
    "get_memory_growth",
    "get_visible_devices",
    "list_logical_devices",
    "set_memory_growth",
    "set_visible_devices",
]

_NO_GPU = "{got!r} is no GPU of this machine, which has none: memory growth is a GPU's."


class LogicalDevice(NamedTuple):
    """A device as ops name it."""

    name: str
    device_type: str


def list_logical_devices(device_type: str | None = None) -> list[LogicalDevice]:
    """The processor; an empty list where another type of device is asked for."""
    return [LogicalDevice("/device:CPU:0", "CPU")] if device_type in (None, "CPU") else []


def get_visible_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The processor, as `list_physical_devices` gives it."""
    return list_physical_devices(device_type)


def set_visible_devices(devices: Any, device_type: str | None = None) -> None:
    """Does nothing: the processor is used, whichever GPUs there are.

    Raises:
      ValueError: for a device that is not there.
    """
    given = devices if isinstance(devices, list) else [devices]
    unknown = [each for each in given if each not in list_physical_devices()]
    if unknown:
        raise ValueError(f"Unrecognized device: {unknown[0]!r:.200}")


def get_memory_growth(device: Any) -> bool:
    """Whether a GPU's memory grows.

    Raises:
      ValueError: as there is no GPU.
    """
    raise ValueError(_NO_GPU.format(got=device))


def set_memory_growth(device: Any, enable: bool) -> None:
    """Sets whether a GPU's memory grows.

    Raises:
      ValueError: as there is no GPU.
    """
    raise ValueError(_NO_GPU.format(got=device))
