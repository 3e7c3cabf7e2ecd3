"""`Module`: what it finds in its attributes."""

from __future__ import annotations

from typing import Any

import pytest

import hybridflow as hf
from tests.variables.modes import Mode, names


class Line(hf.Module):
    def __init__(self, name: str | None = None) -> None:
        super().__init__(name=name)
        self.slope = hf.Variable(2.0, name="slope")
        self.fixed = hf.Variable(1.0, trainable=False, name="fixed")


class Net(hf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.b = [Line("first"), {"second": Line()}]
        self.a = hf.Variable(0.0, name="own")
        self.again = self.a
        self.itself = self

    @hf.Module.with_name_scope
    def called(self) -> Any:
        return hf.add(1.0, 1.0, name="sum")


def test_variables_of_modules_within(mode: Mode) -> None:
    net = Net()
    lines = net.submodules
    assert [line.name for line in lines] == ["first", "line"]
    own = [net.a, lines[0].fixed, lines[0].slope, lines[1].fixed, lines[1].slope]
    assert all(a is b for a, b in zip(net.variables, own, strict=True))
    trained = [net.a, lines[0].slope, lines[1].slope]
    assert all(a is b for a, b in zip(net.trainable_variables, trained, strict=True))


def test_paths(mode: Mode) -> None:
    found = dict(Net()._flatten(predicate=lambda v: isinstance(v, hf.Module), with_path=True))
    assert list(found) == [("b", 0), ("b", 1, "second")]


def test_attributes_that_are_left_out(mode: Mode) -> None:
    class Closed(Line):
        _TF_MODULE_IGNORED_PROPERTIES = frozenset({"fixed"})

    assert names(Closed().variables) == ["slope:0"]


@pytest.mark.parametrize(("cls", "name"), [("HMCKernel", "hmc_kernel"), ("A2C", "a2_c")])
def test_names_of_classes(cls: str, name: str, mode: Mode) -> None:
    assert type(cls, (hf.Module,), {})().name == name


def test_a_name_is_an_identifier() -> None:
    with pytest.raises(ValueError, match="2nd"):
        hf.Module("2nd")


def test_names_of_ops() -> None:
    with hf.Graph().as_default():
        assert Net().called().op.name == "net/sum"
