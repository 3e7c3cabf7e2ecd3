"""Texts as numbers of their words."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.data.vocabulary import CategoricalVocabulary, VocabularyProcessor

__all__ = ["CategoricalVocabulary", "VocabularyProcessor"]
