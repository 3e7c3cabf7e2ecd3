"""Texts as numbers of words. What is expected is what TensorFlow 1.15 gave."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from hybridflow._src.data.vocabulary import CategoricalVocabulary, VocabularyProcessor

TEXTS = ["I'm Winning at chess-games", "The  NBAPlayer wins, 3 times!", "", "at at at chess"]
ROWS = [[1, 2, 3, 4, 0], [5, 6, 7, 8, 9], [0, 0, 0, 0, 0], [3, 3, 3, 11, 0]]


def test_words_by_their_order():
    processor = VocabularyProcessor(5)
    rows = list(processor.fit_transform(TEXTS))
    assert [row.dtype for row in rows] == [np.int64] * 4
    assert [row.tolist() for row in rows] == ROWS
    assert len(processor.vocabulary_) == 12
    assert processor.vocabulary_._mapping["times"] == 10
    assert list(processor.reverse(rows))[:2] == [
        "I'm Winning at chess-games <UNK>",
        "The NBA Player wins 3",
    ]
    assert next(processor.transform(["chess at unknown"])).tolist() == [11, 3, 0, 0, 0]


def test_rare_words_are_unknown():
    processor = VocabularyProcessor(4, min_frequency=1)
    rows = [row.tolist() for row in processor.fit_transform(TEXTS)]
    assert rows == [[0, 0, 1, 0], [0] * 4, [0] * 4, [1, 1, 1, 0]]
    assert processor.vocabulary_._mapping == {"<UNK>": 0, "at": 1}


def test_words_of_the_callers_own_kind():
    processor = VocabularyProcessor(2, tokenizer_fn=lambda texts: map(str.split, texts))
    assert [row.tolist() for row in processor.fit_transform(["a,b c", "c"])] == [[1, 2], [2, 0]]


def test_categories():
    vocabulary = CategoricalVocabulary("other", support_reverse=False)
    assert [vocabulary.get(name) for name in "aba"] == [1, 2, 1]
    with pytest.raises(ValueError, match="support_reverse"):
        vocabulary.reverse(1)
    for name in "cbacbc":
        vocabulary.add(name)
    vocabulary.trim(1, 3)
    assert vocabulary._mapping == {"other": 0, "b": 1}


def test_it_is_saved(tmp_path):
    path = str(tmp_path / "vocab")
    processor = VocabularyProcessor(5, min_frequency=0)
    processor.fit(TEXTS)
    processor.save(path)
    again = VocabularyProcessor.restore(path)
    assert [row.tolist() for row in again.transform(TEXTS)] == ROWS
    assert again.vocabulary_._freq == processor.vocabulary_._freq


@pytest.mark.parametrize(
    "data", [pickle.dumps({"words": []}), b"", b"[]", b"{}", b'{"unknown_token": 1}', b"\xff\x00"]
)
def test_what_is_no_vocabulary_is_never_loaded(tmp_path, data):
    path = tmp_path / "vocab"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"is no vocabulary .* never loaded"):
        VocabularyProcessor.restore(str(path))
