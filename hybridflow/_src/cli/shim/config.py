"""`tf.config`: what devices there are."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["PhysicalDevice", "list_physical_devices"]


class PhysicalDevice(NamedTuple):
    """A device of this machine."""

    name: str
    device_type: str


def list_physical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The processor; an empty list where another type of device is asked for."""
    return [PhysicalDevice("/physical_device:CPU:0", "CPU")] if device_type in (None, "CPU") else []
