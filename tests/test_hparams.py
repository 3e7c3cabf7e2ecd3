"""`tf.contrib.training.HParams`."""

from __future__ import annotations

import pytest

import hybridflow as hf


def hparams():
    return hf.contrib.training.HParams(
        rate=0.1, steps=100, name="a", bias=True, units=[64, 32], act=None
    )


def test_values_are_attributes():
    h = hparams()
    assert (h.rate, h.steps, h.name, h.bias, h.units) == (0.1, 100, "a", True, [64, 32])
    assert "rate" in h
    assert "other" not in h
    assert (h.get("steps"), h.get("other"), h.get("other", 3)) == (100, None, 3)
    assert h.values() == {
        "rate": 0.1,
        "steps": 100,
        "name": "a",
        "bias": True,
        "units": [64, 32],
        "act": None,
    }
    h.rate = 0.5
    assert h.values()["rate"] == 0.5
    assert hf.contrib.training.HParams(**h.values()).values() == h.values()


def test_text_sets_values():
    h = hparams()
    assert h.parse("rate=1, steps=5,name=b c,bias=false") is h
    assert (h.rate, h.steps, h.name, h.bias) == (1.0, 5, "b c", False)
    assert isinstance(h.rate, float)
    assert h.parse("units=[1,2,3]").units == [1, 2, 3]
    assert h.parse("units[1]=7,units[0]=8").units == [8, 7, 3]
    assert h.parse("").units == [8, 7, 3]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("other=1", "Unknown hyperparameter type for other"),
        ("steps=1.5", "Could not parse hparam of type 'int' with value '1.5' in steps"),
        ("bias=maybe", "type 'bool' with value 'maybe'"),
        ("steps", "Malformed hyperparameter value: steps"),
        ("steps=1,steps=2", "Multiple assignments to variable 'steps'"),
        ("units=3", "one value for a list"),
        ("steps=[3]", "a list for one value"),
        ("units[2]=3", "has no item 2"),
        ("steps[0]=3", "has no item 0"),
    ],
)
def test_wrong_text_sets_nothing(text, message):
    h = hparams()
    with pytest.raises(ValueError) as caught:
        h.parse(f"rate=0.7,{text}")
    assert message in str(caught.value)
    assert h.values() == hparams().values()


def test_values_keep_their_types():
    h = hparams()
    h.set_hparam("rate", 2)
    assert isinstance(h.rate, float)
    h.set_hparam("steps", 3.0)
    assert h.steps == 3
    assert isinstance(h.steps, int)
    h.set_hparam("units", (1, 2.0))
    assert h.units == [1, 2]
    h.set_hparam("act", "relu")
    wrong = (("steps", 1.5), ("steps", "3"), ("steps", True), ("name", 3), ("rate", "1"))
    for name, value in wrong:
        with pytest.raises(ValueError, match=f"Could not cast hparam '{name}'"):
            h.set_hparam(name, value)
    with pytest.raises(ValueError, match="single-valued"):
        h.set_hparam("steps", [1])
    with pytest.raises(ValueError, match="multi-valued"):
        h.set_hparam("units", 1)
    with pytest.raises(KeyError):
        h.set_hparam("other", 1)


def test_names_come_and_go():
    h = hparams()
    h.add_hparam("more", 1)
    for name in ("more", "rate", "parse"):
        with pytest.raises(ValueError, match=f"name is reserved: {name}"):
            h.add_hparam(name, 2)
    with pytest.raises(ValueError, match="cannot be empty: none"):
        h.add_hparam("none", [])
    h.del_hparam("more")
    h.del_hparam("more")
    assert not hasattr(h, "more")
    assert "more" not in h


def test_json():
    h = hparams()
    h.add_hparam("call", len)
    again = hparams().parse_json(h.to_json())
    assert again.values() == hparams().values()
    assert h.parse_json('{"steps": 7, "units": [3]}').units == [3]
    assert h.to_json(sort_keys=True).startswith('{"act": null, "bias": true')
    assert str(h).startswith("[('act', None)")
    h.set_model_structure("s")
    assert h.get_model_structure() == "s"
