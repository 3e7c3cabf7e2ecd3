"""Texts as numbers of their words, before they are fed: no tensors yet."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.platform.gfile import GFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["CategoricalVocabulary", "VocabularyProcessor"]

# Runs of capitals, a word before a capital, and else what letters, digits, "'", "_" and "-" are in.
_WORDS = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z][a-z]+(?=[A-Z])|['\w\-]+")
_NOT_SAVED = (
    "{filename} is no vocabulary that `VocabularyProcessor.save` has written here. Those of "
    "TensorFlow are pickles, which are never loaded, since they may run anything: fit the "
    "processor anew."
)


class CategoricalVocabulary:
    """Numbers of categories, words for instance, in the order in which they came. 0 is unknown.

    Args:
      unknown_token: what `reverse` gives for 0.
      support_reverse: whether `reverse` is needed.

    >>> import hybridflow as hf
    >>> vocabulary = hf.contrib.learn.preprocessing.CategoricalVocabulary()
    >>> [vocabulary.get(word) for word in ["to", "be", "or", "not", "to", "be"]]
    [1, 2, 3, 4, 1, 2]
    >>> vocabulary.freeze()
    >>> vocabulary.get("that"), vocabulary.reverse(4)
    (0, 'not')
    """

    def __init__(self, unknown_token: str = "<UNK>", support_reverse: bool = True) -> None:
        # The names that programs look at, TensorFlow's own.
        self._unknown_token = unknown_token
        self._mapping: dict[Any, int] = {unknown_token: 0}
        self._reverse_mapping = [unknown_token]
        self._support_reverse = support_reverse
        self._freq: dict[Any, int] = {}
        self._freeze = False

    def __len__(self) -> int:
        """The number of categories, the unknown one among them."""
        return len(self._mapping)

    def freeze(self, freeze: bool = True) -> None:
        """From now on no categories are added, or again if `freeze` is false."""
        self._freeze = freeze

    def get(self, category: Any) -> int:
        """The number of a category: a new one, if there is none and it is not frozen, else 0."""
        if category not in self._mapping:
            if self._freeze:
                return 0
            self._mapping[category] = len(self._mapping)
            self._reverse_mapping.append(category)
        return self._mapping[category]

    def add(self, category: Any, count: int = 1) -> None:
        """Notes that a category has come so many times more."""
        if self.get(category) > 0:
            self._freq[category] = self._freq.get(category, 0) + count

    def trim(self, min_frequency: int, max_frequency: int = -1) -> None:
        """Keeps what has come more than `min_frequency` times, and numbers it by how often it came.

        Args:
          min_frequency: what has come so many times or fewer goes.
          max_frequency: if it is positive, so does what has come so many times or more.
        """
        by_count = sorted(self._freq.items(), key=lambda item: (-item[1], str(item[0])))
        kept = {
            category: count
            for category, count in by_count
            if count > min_frequency and (max_frequency <= 0 or count < max_frequency)
        }
        self._freq = kept
        self._reverse_mapping = [self._unknown_token, *kept]
        self._mapping = {category: n for n, category in enumerate(self._reverse_mapping)}

    def reverse(self, class_id: int) -> Any:
        """The category that has a number.

        Raises:
          ValueError: if `support_reverse` is false. IndexError: if none has it.
        """
        if not self._support_reverse:
            raise ValueError(
                "This vocabulary wasn't initialized with support_reverse to support reverse() "
                "function."
            )
        return self._reverse_mapping[class_id]


class VocabularyProcessor:
    """Texts as rows of numbers, one for each word, cut or filled with zeros to one length.

    Args:
      max_document_length: the length of a row.
      min_frequency: words that come so many times or fewer in the texts it is fitted to are 0.
      vocabulary: the numbers of words; a new `CategoricalVocabulary` by default.
      tokenizer_fn: takes texts one after the other, and gives lists of words; by default words are
        letters, digits, "'", "_" and "-" in a row, parted where a small letter or capitals end.

    >>> import hybridflow as hf
    >>> processor = hf.contrib.learn.preprocessing.VocabularyProcessor(max_document_length=5)
    >>> rows = list(processor.fit_transform(["to be or not to be", "that is it"]))
    >>> [row.tolist() for row in rows]
    [[1, 2, 3, 4, 1], [5, 6, 7, 0, 0]]
    >>> len(processor.vocabulary_)
    8
    """

    def __init__(
        self,
        max_document_length: int,
        min_frequency: int = 0,
        vocabulary: CategoricalVocabulary | None = None,
        tokenizer_fn: Callable[[Iterable[str]], Iterable[list[str]]] | None = None,
    ) -> None:
        self.max_document_length = max_document_length
        self.min_frequency = min_frequency
        self.vocabulary_ = CategoricalVocabulary() if vocabulary is None else vocabulary
        self._tokenizer = tokenizer_fn or _words_of

    def fit(self, raw_documents: Iterable[str], unused_y: Any = None) -> VocabularyProcessor:
        """Gives numbers to the words of texts, and to no others from now on; gives itself."""
        for words in self._tokenizer(raw_documents):
            for word in words:
                self.vocabulary_.add(word)
        if self.min_frequency > 0:
            self.vocabulary_.trim(self.min_frequency)
        self.vocabulary_.freeze()
        return self

    def fit_transform(
        self, raw_documents: Iterable[str], unused_y: Any = None
    ) -> Iterator[np.ndarray]:
        """`fit`, then `transform`; the texts must be there twice, as in a list."""
        self.fit(raw_documents)
        return self.transform(raw_documents)

    def transform(self, raw_documents: Iterable[str]) -> Iterator[np.ndarray]:
        """Gives the row of each text: int64 `[max_document_length]`."""
        for words in self._tokenizer(raw_documents):
            row = np.zeros(self.max_document_length, np.int64)
            numbers = [self.vocabulary_.get(word) for word in words[: self.max_document_length]]
            row[: len(numbers)] = numbers
            yield row

    def reverse(self, documents: Iterable[Iterable[int]]) -> Iterator[str]:
        """Gives the words of each row, with spaces between them."""
        for row in documents:
            yield " ".join(self.vocabulary_.reverse(int(number)) for number in row)

    def save(self, filename: str) -> None:
        """Writes it to a file, as JSON: `tokenizer_fn` is not part of it."""
        vocabulary = self.vocabulary_
        kept = {
            "max_document_length": self.max_document_length,
            "min_frequency": self.min_frequency,
            "unknown_token": vocabulary._unknown_token,
            "support_reverse": vocabulary._support_reverse,
            "frozen": vocabulary._freeze,
            "words": vocabulary._reverse_mapping[1:],
            "counts": [vocabulary._freq.get(word, 0) for word in vocabulary._reverse_mapping[1:]],
        }
        with GFile(filename, "w") as file:
            file.write(json.dumps(kept))

    @classmethod
    def restore(cls, filename: str) -> VocabularyProcessor:
        """Reads what `save` wrote.

        Raises:
          ValueError: if the file holds something else, such as a pickle of TensorFlow's.
        """
        with GFile(filename, "rb") as file:
            data = file.read()
        try:
            kept = json.loads(data)
            vocabulary = CategoricalVocabulary(kept["unknown_token"], kept["support_reverse"])
            for word, count in zip(kept["words"], kept["counts"], strict=True):
                vocabulary.add(word, count)
            vocabulary.freeze(kept["frozen"])
            return cls(kept["max_document_length"], kept["min_frequency"], vocabulary)
        except (ValueError, KeyError, TypeError):
            raise ValueError(_NOT_SAVED.format(filename=filename)) from None


def _words_of(texts: Iterable[str]) -> Iterator[list[str]]:
    for text in texts:
        yield _WORDS.findall(text)
