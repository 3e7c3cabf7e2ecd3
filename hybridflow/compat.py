"""Bytes, texts and numbers of any Python."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.platform.texts import (
        as_bytes,
        as_str,
        as_str_any,
        as_text,
        bytes_or_text_types,
        complex_types,
        integral_types,
        real_types,
    )

__all__ = [
    "as_bytes",
    "as_str",
    "as_str_any",
    "as_text",
    "bytes_or_text_types",
    "complex_types",
    "integral_types",
    "real_types",
]
