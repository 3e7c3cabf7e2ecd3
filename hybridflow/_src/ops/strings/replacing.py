"""Strings rewritten: `regex_replace`, base 64."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import REQUIRED, OpDef, Sample, not_differentiable
from hybridflow._src.ops.shape_rules import same, with_rank
from hybridflow._src.ops.strings import expressions
from hybridflow._src.ops.strings.elementwise import each, strings, words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["decode_base64", "encode_base64", "regex_replace"]


# -- regex_replace ---------------------------------------------------------------------------------


def _regex_replace(
    array: np.ndarray, pattern: np.ndarray, rewrite: np.ndarray, replace_global: bool
) -> np.ndarray:
    if pattern.ndim or rewrite.ndim:
        raise ValueError("pattern and rewrite must be scalars")
    expression = expressions.compiled(pattern.item())
    make = expressions.rewriter(rewrite.item(), expression.groups)
    return each(lambda text: expressions.replaced(text, expression, make, replace_global), array)


def _replace_shape(attrs: dict[str, Any], source: Any, pattern: Any, rewrite: Any) -> Any:
    with_rank(pattern, 0)
    with_rank(rewrite, 0)
    return source._dims


def _replace_samples(rng: np.random.Generator) -> Iterable[Sample]:
    texts = strings([b"abbbc", b"", b"\xffb", b"\xc3\xa4b"], (2, 2))
    for pattern, rewrite in ((b"b+", b"-"), (b"b*", b"x"), (b"(.)b", b"<\\1\\0\\\\>")):
        for every in (True, False):
            arrays = [np.array(p, object) for p in (pattern, rewrite)]
            yield Sample(texts, *arrays, replace_global=every)
    yield Sample(words(0), np.array(b"a", object), np.array(b"b", object))


_regex_replace_op = OpDef(
    "RegexReplace",
    "input: string, pattern: string, rewrite: string -> output: string",
    attrs={"replace_global": True},
    shape=_replace_shape,
    compute=_regex_replace,
    grad=not_differentiable,
    samples=_replace_samples,
    checked=True,
)


# With a pattern that is a constant.
OpDef(
    "StaticRegexReplace",
    "input: string -> output: string",
    attrs={"pattern": REQUIRED, "rewrite": REQUIRED, "replace_global": True},
    shape=same,
    compute=lambda input, pattern, rewrite, replace_global: _regex_replace(
        input, _constant(pattern), _constant(rewrite), replace_global
    ),
    grad=not_differentiable,
    samples=lambda rng: (
        Sample(strings([b"abbbc", b"b"], (2,)), pattern="b+", rewrite="-", replace_global=every)
        for every in (True, False)
    ),
)


def _constant(text: str) -> np.ndarray:
    return np.array(text.encode("utf-8", "surrogateescape"), object)


def regex_replace(
    input: Any, pattern: Any, rewrite: Any, replace_global: bool = True, name: str | None = None
) -> Tensor:
    r"""Replaces in strings what a regular expression matches.

    Args:
      input: string tensor of any shape.
      pattern: string scalar: the expression, as RE2 reads it: it has no references to groups and
        no looking around, so that the time is linear in the text.
      rewrite: string scalar: what comes in its place; `\1` to `\9` are groups, `\0` the match.
      replace_global: whether all matches are replaced, or the first of each string.
      name: name of the op.

    Returns: a string tensor of that shape.

    Raises:
      InvalidArgumentError: for what is no expression, or a rewrite of groups that it lacks.
        ImportError: without google-re2 (`pip install 'hybridflow[re2]'`).

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.regex_replace(["a1b22"], "[0-9]+", "#").numpy())
    [b'a#b#']
    """
    found: Tensor = _regex_replace_op(
        input, pattern, rewrite, replace_global=bool(replace_global), name=name
    )
    return found


# -- base 64 ---------------------------------------------------------------------------------------

_LETTERS = re.compile(rb"[A-Za-z0-9_-]*\Z")


def _encoded(text: bytes, pad: bool) -> bytes:
    found = base64.urlsafe_b64encode(text)
    return found if pad else found.rstrip(b"=")


def _decoded(text: bytes) -> bytes:
    letters = text
    if len(text) % 4 == 0:
        letters = text.removesuffix(b"==") if text.endswith(b"==") else text.removesuffix(b"=")
    if not _LETTERS.match(letters):
        raise InvalidArgumentError(None, None, "Invalid character found in base64.")
    if len(letters) % 4 == 1:
        raise InvalidArgumentError(None, None, "Base64 string length cannot be 1 modulo 4.")
    return base64.urlsafe_b64decode(letters + b"=" * (-len(letters) % 4))


def _encode_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for pad in (True, False):
        yield Sample(words(), pad=pad)
        yield Sample(words(1).reshape(()), pad=pad)
        yield Sample(words(0), pad=pad)


def _decode_samples(rng: np.random.Generator) -> Iterable[Sample]:
    yield Sample(each(lambda text: _encoded(text, False), words()))
    yield Sample(each(lambda text: _encoded(text, True), words().reshape(4, 2)))
    yield Sample(words(0))


_encode_base64 = OpDef(
    "EncodeBase64",
    "input: string -> output: string",
    attrs={"pad": False},
    shape=same,
    compute=lambda array, pad: each(lambda text: _encoded(text, pad), array),
    grad=not_differentiable,
    samples=_encode_samples,
)
_decode_base64 = OpDef(
    "DecodeBase64",
    "input: string -> output: string",
    shape=same,
    compute=lambda array: each(_decoded, array),
    grad=not_differentiable,
    samples=_decode_samples,
)


def encode_base64(input: Any, pad: bool = False, name: str | None = None) -> Tensor:
    """Strings in base 64, with the letters that URLs may have.

    Args:
      input: string tensor of any shape.
      pad: whether `=` fills the last four letters.
      name: name of the op.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.encode_base64(["any text"]).numpy())
    [b'YW55IHRleHQ']
    """
    found: Tensor = _encode_base64(input, pad=bool(pad), name=name)
    return found


def decode_base64(input: Any, name: str | None = None) -> Tensor:
    """The strings that others are in base 64, with the letters that URLs may have.

    Args:
      input: string tensor of any shape; with `=` at the end or without.
      name: name of the op.

    Raises:
      InvalidArgumentError: for other letters, or a length that there cannot be.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.decode_base64(["YW55IHRleHQ"]).numpy())
    [b'any text']
    """
    found: Tensor = _decode_base64(input, name=name)
    return found
