"""Strings that match a pattern: what the savers in TensorFlow 2's files ask of a path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hybridflow._src.framework.op_def import REQUIRED, OpDef, Sample, not_differentiable
from hybridflow._src.ops.shape_rules import same
from hybridflow._src.ops.strings.elementwise import text_of
from hybridflow._src.ops.strings.pattern_matching import matcher
from hybridflow._src.ops.strings.patterns import PatternError, read

if TYPE_CHECKING:
    from collections.abc import Iterable


def _matches(input: np.ndarray, pattern: str) -> np.ndarray:
    try:
        read(pattern)
        whole = matcher(rf"\A(?:{pattern})\z")
    except PatternError as error:
        raise ValueError(f"Invalid pattern: {pattern}, error: {error}") from None
    found = [whole.search(text_of(item), 0) is not None for item in input.reshape(-1)]
    return np.array(found, np.bool_).reshape(input.shape)


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    words = np.array([[b"s3://a", b""], [b"a", b"s3:/"]], object)
    for value in (words, words[0, 0:1], np.array(b"s3://", object)):
        yield Sample(value, pattern="^s3://.*")


OpDef(
    "StaticRegexFullMatch",
    "input: string -> output: bool",
    attrs={"pattern": REQUIRED},
    shape=same,
    compute=_matches,
    grad=not_differentiable,
    samples=_samples,
)
