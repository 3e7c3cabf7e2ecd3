"""Device names: parsing, merging and writing them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from hybridflow._src.framework import settings

__all__ = ["DeviceSpec", "canonical_name", "check_valid", "merge_device"]


class DeviceSpec:
    """A device name in parts, any of which may be left open (None).

    Args:
      job: The job's name.
      replica: The replica's number.
      task: The task's number.
      device_type: The kind of device, such as `"CPU"`.
      device_index: The device's number among those of its kind.

    Raises:
      ValueError: A number is not a whole number >= 0.

    >>> import hybridflow as hf
    >>> hf.DeviceSpec(job="worker", task=1, device_type="cpu", device_index=0).to_string()
    '/job:worker/task:1/device:CPU:0'
    """

    __slots__ = ("_job", "_replica", "_task", "device_index", "device_type")

    _job: str | None
    _replica: int | None
    _task: int | None
    device_type: str | None
    device_index: int | None

    def __init__(
        self,
        job: str | None = None,
        replica: int | None = None,
        task: int | None = None,
        device_type: str | None = None,
        device_index: int | None = None,
    ) -> None:
        self.job = job
        self.replica = replica
        self.task = task
        self.device_type = None if device_type is None else _kind(device_type)
        self.device_index = _number("device_index", device_index)

    @classmethod
    def from_string(cls, spec: str) -> DeviceSpec:
        """The parts of a device name such as `/job:worker/task:1/cpu:0`; "" leaves all open.

        Raises:
          ValueError: The name has a part that is none of a device's. TypeError: it is no string.

        >>> import hybridflow as hf
        >>> hf.DeviceSpec.from_string("/gpu:1").device_index
        1
        """
        return cls().parse_from_string(settings.string(spec, "device"))

    @property
    def job(self) -> str | None:
        """The job's name, or None."""
        return self._job

    @job.setter
    def job(self, job: str | None) -> None:
        self._job = None if job is None else str(job)

    @property
    def replica(self) -> int | None:
        """The replica's number, or None."""
        return self._replica

    @replica.setter
    def replica(self, replica: int | None) -> None:
        self._replica = _number("replica", replica)

    @property
    def task(self) -> int | None:
        """The task's number, or None."""
        return self._task

    @task.setter
    def task(self, task: int | None) -> None:
        self._task = _number("task", task)

    def parse_from_string(self, spec: str) -> DeviceSpec:
        """Replaces every part by those of a device name, and returns this object.

        Raises:
          ValueError: The name has a part that is none of a device's; nothing is changed then.
        """
        job, replica, task, self.device_type, self.device_index = _parse(spec)
        self._job, self._replica, self._task = job, replica, task
        return self

    def merge_from(self, dev: DeviceSpec) -> None:
        """Takes over every part that `dev` does not leave open."""
        for part in self.__slots__:
            value = getattr(dev, part)
            if value is not None:
                setattr(self, part, value)

    def to_string(self) -> str:
        """The name in TensorFlow's canonical form, such as `/job:worker/task:1/device:CPU:0`."""
        text = "" if self._job is None else f"/job:{self._job}"
        if self._replica is not None:
            text += f"/replica:{self._replica}"
        if self._task is not None:
            text += f"/task:{self._task}"
        if self.device_type is not None:
            index = "*" if self.device_index is None else self.device_index
            text += f"/device:{self.device_type}:{index}"
        return text

    def __repr__(self) -> str:
        return f"<DeviceSpec {self.to_string()!r}>"


def check_valid(spec: str) -> None:
    """Raises ValueError unless `spec` is a well-formed device name, TypeError if it is no name."""
    _parse(settings.string(spec, "device"))


def canonical_name(device: DeviceSpec | str | None) -> str:
    """A device's name in canonical form; "" for None.

    Raises:
      ValueError: The name has a part that is none of a device's.
    """
    if device is None:
        return ""
    return device.to_string() if isinstance(device, DeviceSpec) else _canonical(device)


def merge_device(spec: DeviceSpec | str | None) -> Callable[[Any], DeviceSpec]:
    """A device function: gives an op the device `spec` wherever the op's own leaves parts open.

    Args:
      spec: A device or its name; None and "" leave every part open.

    Returns:
      A function of anything with a `device` name (an operation), returning the merged DeviceSpec.
    """
    outer = canonical_name(spec)

    def device_function(op: Any) -> DeviceSpec:
        merged = DeviceSpec.from_string(outer)
        merged.merge_from(DeviceSpec.from_string(op.device or ""))
        return merged

    return device_function


def _number(part: str, value: Any) -> int | None:
    if value is None:
        return None
    number = int(value)
    if number < 0 or (number != value and not isinstance(value, str)):
        raise ValueError(f"A device's {part} must be a whole number >= 0, got {value!r}.")
    return number


def _kind(name: str) -> str:
    """A device kind as written canonically: only of cpu and gpu the case is free."""
    upper = name.upper()
    return upper if upper in ("CPU", "GPU") else name


_Parts = tuple[str | None, int | None, int | None, str | None, int | None]


@lru_cache(maxsize=1024)
def _parse(spec: str) -> _Parts:
    """Job, replica, task, device type and device index of a device name."""
    named: dict[str, str] = {}
    kind: str | None = None
    index: int | None = None
    for part in spec.split("/"):
        if not part:
            continue
        words = part.split(":")
        head = words[0]
        if head in ("job", "replica", "task") and len(words) == 2:
            named[head] = words[1]
            continue
        if head == "device" and len(words) > 1:
            words = words[1:]
        elif head.upper() not in ("CPU", "GPU"):
            raise ValueError(f"Unknown attribute: {part!r} in the device name {spec!r}.")
        if kind is not None:
            raise ValueError(f"Cannot specify multiple device types: {spec!r}.")
        kind = _kind(words[0])
        if len(words) > 2:
            raise ValueError(f"Unknown attribute: {part!r} in the device name {spec!r}.")
        index = _parsed_number(spec, words[1]) if len(words) == 2 else None
    return (
        named.get("job"),
        _parsed_number(spec, named.get("replica", "*")),
        _parsed_number(spec, named.get("task", "*")),
        kind,
        index,
    )


def _parsed_number(spec: str, text: str) -> int | None:
    if text == "*":
        return None
    if not text.isdecimal():
        raise ValueError(f"Expected a number or *, got {text!r} in the device name {spec!r}.")
    return int(text)


@lru_cache(maxsize=1024)
def _canonical(spec: str) -> str:
    return DeviceSpec.from_string(spec).to_string()
