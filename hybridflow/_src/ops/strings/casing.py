"""Letters and lengths of strings, as later TensorFlows' files ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.op_def import OpDef, Sample, not_differentiable
from hybridflow._src.framework.registry import raw
from hybridflow._src.ops.shape_rules import same
from hybridflow._src.ops.strings.elementwise import each, strings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["string_length", "string_lower", "string_strip", "string_upper"]

# What begins no letter of UTF-8, but goes on with one.
_GOING_ON = bytes(range(0x80, 0xC0))
_SPACE = b" \t\n\v\f\r"


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    yield Sample(strings([b" aB\xc3\x84 ", b"", b"\tx y\n", b"\xff\x80"], (2, 2)))
    yield Sample(np.array(b"Word", object))


def _change(name: str, change: Callable[[Any], Any], attrs: dict[str, Any]) -> None:
    OpDef(
        name,
        "input: string -> output: string",
        attrs=attrs,
        shape=same,
        compute=lambda input, **given: (
            each(change, input)
            if not any(given.values())
            else (each(_of_text(change, **given), input))
        ),
        grad=not_differentiable,
        samples=_samples,
    )


def _of_text(change: Callable[[Any], Any], encoding: str) -> Callable[[bytes], bytes]:
    """The same with the letters of a text."""
    if encoding.lower() != "utf-8":
        raise ValueError(f"Invalid encoding {encoding!r}: 'utf-8', or '' for ASCII.")
    method = change.__name__

    def changed(item: bytes) -> bytes:
        text: str = getattr(item.decode("utf-8", "surrogateescape"), method)()
        return text.encode("utf-8", "surrogateescape")

    return changed


_change("StringLower", bytes.lower, {"encoding": ""})
_change("StringUpper", bytes.upper, {"encoding": ""})
_change("StringStrip", lambda item: item.strip(_SPACE), {})


def _length(input: np.ndarray, unit: str) -> np.ndarray:
    if unit not in ("BYTE", "UTF8_CHAR"):
        raise ValueError(f"unit must be 'BYTE' or 'UTF8_CHAR', got {unit!r}.")
    going_on = _GOING_ON if unit == "UTF8_CHAR" else b""
    found = [len(item.translate(None, going_on)) for item in input.reshape(-1).tolist()]
    return np.array(found, np.int32).reshape(input.shape)


def _length_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for sample in _samples(rng):
        for unit in ("BYTE", "UTF8_CHAR"):
            yield Sample(*sample.args, unit=unit)


OpDef(
    "StringLength",
    "input: string -> output: int32",
    attrs={"unit": "BYTE"},
    shape=same,
    compute=_length,
    grad=not_differentiable,
    samples=_length_samples,
)


# -- functions -------------------------------------------------------------------------------------


def string_lower(input: Any, encoding: str = "", name: str | None = None) -> Tensor:
    """Strings with small letters. Of TensorFlow 1.15, as `tf.strings.lower`.

    Args:
      input: string tensor.
      encoding: "utf-8" for all letters; "" for those of ASCII.
      name: name of the op.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.string_lower(["Ab", "C"]).numpy())
    [b'ab' b'c']
    """
    return raw.StringLower(input, encoding=encoding, name=name)


def string_upper(input: Any, encoding: str = "", name: str | None = None) -> Tensor:
    """Strings with capital letters. Of TensorFlow 1.15, as `tf.strings.upper`.

    Arguments as of `string_lower`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.string_upper("ab").numpy())
    b'AB'
    """
    return raw.StringUpper(input, encoding=encoding, name=name)


def string_strip(input: Any, name: str | None = None) -> Tensor:
    """Strings without white space at both ends. Of TensorFlow 1.15.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.string_strip([" a b", "c "]).numpy())
    [b'a b' b'c']
    """
    return raw.StringStrip(input, name=name)


def string_length(input: Any, name: str | None = None, unit: str = "BYTE") -> Tensor:
    """The lengths of strings, int32. Of TensorFlow 1.15, as `tf.strings.length`.

    Args:
      input: string tensor.
      name: name of the op.
      unit: "BYTE", or "UTF8_CHAR" for letters.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.string_length(["ab", ""]).numpy())
    [2 0]
    """
    return raw.StringLength(input, unit=unit, name=name)
