"""Strings that match a pattern: what the savers in TensorFlow 2's files ask of a path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hybridflow._src.framework.op_def import REQUIRED, OpDef, Sample, not_differentiable
from hybridflow._src.ops.shape_rules import same
from hybridflow._src.ops.strings import expressions

if TYPE_CHECKING:
    from collections.abc import Iterable


def _matches(input: np.ndarray, pattern: str) -> np.ndarray:
    expression = expressions.compiled(pattern.encode("utf-8", "surrogateescape"))
    found = [expression.fullmatch(item) is not None for item in input.reshape(-1)]
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
