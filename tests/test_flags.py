"""Flags of the command line, as programs for TensorFlow 1.4 and for absl define and read them."""

from __future__ import annotations

import enum
import json

import pytest

import hybridflow as hf
from hybridflow._src.platform import flags

Color = enum.Enum("Color", "RED BLUE")


@pytest.fixture
def values(monkeypatch):
    values = flags._FlagValues()
    monkeypatch.setattr(flags, "FLAGS", values)
    return values


def test_each_kind_by_either_names_of_arguments(values):
    hf.flags.DEFINE_string("text", "a", "What 100% of programs say.")
    hf.flags.DEFINE_string(name="nothing", default=None, help="None.")
    hf.flags.DEFINE_integer(name="number", default=3, help="A number.")
    hf.flags.DEFINE_bool("on", default=True, help="Whether.")
    hf.flags.DEFINE_enum("kind", "x", ["x", "y"], "One of two.")
    hf.flags.DEFINE_enum_class("color", "red", Color, "A color.")
    hf.flags.DEFINE_list("sizes", ["1", "2"], "Sizes.")
    hf.flags.DEFINE_spaceseplist("words", "a b", "Words.")
    hf.flags.DEFINE_multi_string("inputs", "in", "Inputs.")
    hf.flags.DEFINE_multi_integer("steps", None, "Steps.")
    hf.flags.DEFINE_multi_float("rates", [0.5], "Rates.")
    hf.flags.DEFINE_multi_enum("parts", None, ["u", "v"], "Parts.")
    assert values(["p"]) == ["p"]
    assert values.is_parsed()
    expected = {"text": "a", "nothing": None, "number": 3, "on": True, "kind": "x"}
    expected |= {"color": Color.RED, "sizes": ["1", "2"], "words": ["a", "b"], "inputs": ["in"]}
    expected |= {"steps": None, "rates": [0.5], "parts": None}
    assert values.flag_values_dict() == expected
    assert values["text"] == ("text", "a", "a", "What 100% of programs say.")
    line = "p --text=b --noon --kind y --color BLUE --sizes=3, --words= --inputs 1 --inputs 2"
    line += " --steps=4 --rates 1 --rates=2 --parts v file"
    assert values(line.split()) == ["p", "file"]
    expected |= {"text": "b", "on": False, "kind": "y", "color": Color.BLUE, "sizes": ["3", ""]}
    expected |= {"words": [], "inputs": ["1", "2"], "steps": [4], "rates": [1.0, 2.0]}
    assert values.flag_values_dict() == {**expected, "parts": ["v"]}


def test_other_defaults(values):
    hf.flags.DEFINE_integer("number", 3, "A number.")
    values.set_default("number", 5)
    assert values(["p"]) == ["p"]
    assert values.number == 5
    values.set_default("number", 7)
    assert (values.number, values["number"].default) == (7, 7)
    values.number = 1
    values.set_default("number", 9)
    assert values.number == 1
    with pytest.raises(AttributeError, match="'other'"):
        values.set_default("other", 1)


def test_what_is_no_flag(values):
    hf.flags.DEFINE_enum_class("color", None, Color, "A color.")
    with pytest.raises(AttributeError, match="Unknown command line flag 'size=3'"):
        values(["p", "--size=3"])
    assert values(["p", "--size=3", "-"], known_only=True) == ["p", "--size=3", "-"]
    with pytest.raises(SystemExit):
        values(["p", "--color=green"])
    with pytest.raises(ValueError, match="Cannot specify both"):
        hf.flags.DEFINE_string(flag_name="a", name="b")


def test_flags_without_a_command_line(values):
    hf.flags.DEFINE_integer("number", 3, "A number.")
    hf.flags.DEFINE_string("nothing", None, "None.")
    values.mark_as_parsed()
    assert values.is_parsed()
    assert values.number == 3
    assert values.get_flag_value("number", 5) == 3
    assert values.get_flag_value("nothing", 5) == 5


def test_values_as_flags_and_as_they_are(values):
    hf.flags.DEFINE_string("text", "a", "Text.")
    hf.flags.DEFINE_string("nothing", None, "None.")
    hf.flags.DEFINE_integer("number", 3, "A number.")
    hf.flags.DEFINE_float("rate", 0.5, "A rate.")
    hf.flags.DEFINE_bool("on", False, "Whether.")
    hf.flags.DEFINE_list("sizes", ["1"], "Sizes.")
    values(["p", "--number=4"])
    values.rate = 0.25
    given = {"text": "a", "nothing": None, "number": 4, "rate": 0.25, "on": False, "sizes": ["1"]}
    # Since TensorFlow 1.5 there are flags, of which programs take the value ...
    assert {name: flag.value for name, flag in values._flags().items()} == given
    # ... and in 1.4 there were the values.
    flags_of_14 = values.__dict__["__flags"]
    assert flags_of_14 == given
    assert [f"{flag}" for flag in flags_of_14.values()] == [f"{x}" for x in given.values()]
    assert repr(flags_of_14) == repr(given)
    assert flags_of_14["number"] + 1 == 5
    assert not flags_of_14["on"]
    assert len({flags_of_14["on"], flags_of_14["nothing"], False, None}) == 2
    assert json.loads(json.dumps({name: flags_of_14[name] for name in ("text", "number")}))
    # By attributes they are what they were.
    assert {name: type(value) for name, value in values.flag_values_dict().items()} == {
        name: type(value) for name, value in given.items()
    }


def test_a_flag_is_taken_away(values):
    hf.flags.DEFINE_integer("number", 3, "A number.")
    hf.flags.DEFINE_bool("on", True, "Whether.")
    for name in list(values._flags()):
        values.__delattr__(name)
    assert len(values) == 0
    with pytest.raises(AttributeError, match="No flag 'on'"):
        del values.on
    hf.flags.DEFINE_bool("on", False, "Whether, again.")
    assert values(["p", "--on"]) == ["p"]
    assert values.on is True
