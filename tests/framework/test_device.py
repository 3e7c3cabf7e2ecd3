"""Device names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridflow._src.framework import device
from hybridflow._src.framework.device import DeviceSpec, canonical_name, merge_device

numbers = st.one_of(st.none(), st.integers(0, 99))
specs = st.builds(
    DeviceSpec,
    job=st.one_of(st.none(), st.sampled_from(["worker", "ps"])),
    replica=numbers,
    task=numbers,
    device_type=st.one_of(st.none(), st.sampled_from(["cpu", "CPU", "GPU", "TPU"])),
    device_index=numbers,
)


class Op:
    def __init__(self, device):
        self.device = device


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("", ""),
        ("/cpu:0", "/device:CPU:0"),
        ("/CPU:3", "/device:CPU:3"),
        ("gpu:1", "/device:GPU:1"),
        ("/gpu", "/device:GPU:*"),
        ("/cpu:*", "/device:CPU:*"),
        ("/device:CPU:0", "/device:CPU:0"),
        ("/device:cpu:0", "/device:CPU:0"),
        ("/device:TPU:2", "/device:TPU:2"),
        ("/job:worker/task:1", "/job:worker/task:1"),
        ("/job:ps/replica:0/task:2/cpu:0", "/job:ps/replica:0/task:2/device:CPU:0"),
        ("/task:1/job:ps/replica:*", "/job:ps/task:1"),
    ],
)
def test_canonical_names(name, canonical):
    assert canonical_name(name) == canonical
    assert canonical_name(DeviceSpec.from_string(name)) == canonical
    assert canonical_name(canonical) == canonical
    device.check_valid(name)


def test_no_device_has_the_empty_name():
    assert canonical_name(None) == ""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("/jbo:worker", "'jbo:worker' in the device name '/jbo:worker'"),
        ("/job", "Unknown attribute: 'job'"),
        ("/fpga:0", "Unknown attribute: 'fpga:0'"),
        ("/device", "Unknown attribute: 'device'"),
        ("/cpu:0/gpu:0", "multiple device types: '/cpu:0/gpu:0'"),
        ("/cpu:x", "got 'x' in the device name '/cpu:x'"),
        ("/task:-1", "got '-1'"),
        ("/cpu:0:1", "Unknown attribute: 'cpu:0:1'"),
    ],
)
def test_malformed_names(name, text):
    spec = DeviceSpec(job="kept")
    for call in (device.check_valid, canonical_name, spec.parse_from_string, merge_device):
        with pytest.raises(ValueError) as info:
            call(name)
        assert text in str(info.value)
    assert spec.to_string() == "/job:kept"


def test_parts():
    spec = DeviceSpec.from_string("/job:ps/replica:1/task:2/gpu:3")
    assert (spec.job, spec.replica, spec.task) == ("ps", 1, 2)
    assert (spec.device_type, spec.device_index) == ("GPU", 3)
    spec.job, spec.replica, spec.task = "worker", None, "7"
    assert spec.to_string() == "/job:worker/task:7/device:GPU:3"
    assert spec.parse_from_string("/cpu:0") is spec
    assert spec.to_string() == "/device:CPU:0"
    assert repr(spec) == "<DeviceSpec '/device:CPU:0'>"
    for bad in (-1, 1.5):
        with pytest.raises(ValueError, match=f"task must be a whole number >= 0, got {bad}"):
            spec.task = bad
    with pytest.raises(ValueError, match="device_index"):
        DeviceSpec(device_index=-1)


@given(specs)
def test_names_and_parts_say_the_same(spec):
    back = DeviceSpec.from_string(spec.to_string())
    assert (back.job, back.replica, back.task) == (spec.job, spec.replica, spec.task)
    assert back.device_type == spec.device_type
    if spec.device_type is not None:
        assert back.device_index == spec.device_index


@given(specs, specs)
def test_merging_takes_what_the_other_says(a, b):
    parts = ("job", "replica", "task", "device_type", "device_index")
    before = [getattr(a, p) for p in parts]
    a.merge_from(b)
    for part, old in zip(parts, before, strict=True):
        new = getattr(b, part)
        assert getattr(a, part) == (old if new is None else new)


def test_device_function_fills_what_the_op_leaves_open():
    outer = merge_device("/job:worker/cpu:0")
    assert outer(Op("")).to_string() == "/job:worker/device:CPU:0"
    assert outer(Op("/job:ps")).to_string() == "/job:ps/device:CPU:0"
    assert outer(Op(None)).to_string() == "/job:worker/device:CPU:0"
    assert merge_device(None)(Op("/gpu:1")).to_string() == "/device:GPU:1"
    spec = DeviceSpec(task=1)
    function = merge_device(spec)
    assert function(Op("/gpu:1")).to_string() == "/task:1/device:GPU:1"
    assert spec.to_string() == "/task:1"
