"""Shuffled datasets, in TensorFlow's own order under the same seeds.

A pass holds a buffer of elements; each that it gives is drawn from there, and the next one of the
input takes its place. What draws it is a random word, modulo the number of elements to choose from.
Where the elements are rows it is their numbers that are shuffled, many at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.data.ops import dataset_op
from hybridflow._src.data.passes import NONE, Pass, Source, whole_number
from hybridflow._src.data.recipe import Recipe, optional, seeds, whole
from hybridflow._src.data.words import Seeds, Words
from hybridflow._src.kernels.drawing import DRAW

if TYPE_CHECKING:
    from hybridflow._src.data.passes import Item, State

# So many numbers of rows are shuffled at a time at least.
_AHEAD = 512


class Shuffled(Source):
    """The elements of another source in a random order.

    Args:
      size: how many elements the buffer holds.
      epochs: how many passes through the input make one through this source, -1 for passes without
        end: elements of one are not mixed with those of the next.
    """

    def __init__(self, source: Source, size: int, chosen: Seeds, epochs: int) -> None:
        self.source = source
        self.size = size
        self.seeds = chosen
        self.epochs = epochs
        self.rows = source.rows

    def begin(self) -> Pass:
        return _ItemShuffle(self) if self.rows is None else _RowShuffle(self)


class _Shuffle(Pass):
    """A ring of elements to draw from, in which the parts of several epochs follow each other."""

    def __init__(self, source: Shuffled) -> None:
        self._source = source
        self._words = Words(*source.seeds.next())
        self._places: list[Any] = []
        # How many elements have left the ring, and how many have come.
        self._start = self._end = 0
        # Where the parts of epochs end, but for the last one.
        self._ends: list[int] = []
        self._epoch = 0
        self._is_new = True  # no element of the epoch has come
        self._input: Pass | None = source.source.begin() if source.epochs else None

    def _next_epoch(self) -> None:
        """Begins another pass through the input, if there is one."""
        self._epoch += 1
        epochs = self._source.epochs
        if 0 <= epochs <= self._epoch or (epochs < 0 and self._is_new):
            self._input = None
            return
        self._ends.append(self._end)
        self._is_new = True
        self._input = self._source.source.begin()

    def _choices(self) -> int:
        """Among how many elements the next one is drawn: those of the first epoch in the ring."""
        while self._ends and self._ends[0] <= self._start:
            del self._ends[0]
        return (self._ends[0] if self._ends else self._end) - self._start

    def state(self) -> State:
        return {
            "seeds": self._source.seeds.state(),
            "words": [*self._words.seeds, self._words.used],
            "ring": [self._start, self._end, self._ends],
            "places": self._places,
            "epoch": [self._epoch, self._is_new],
            "input": None if self._input is None else self._input.state(),
        }

    def restore(self, state: State) -> None:
        self._source.seeds.restore(state["seeds"])
        self._words = Words(*state["words"])
        self._start, self._end, self._ends = state["ring"]
        self._places = [tuple(p) if isinstance(p, list) else p for p in state["places"]]
        self._epoch, is_new = state["epoch"]
        self._is_new = bool(is_new)
        self._input = None
        if state["input"] is not None:
            self._input = self._source.source.begin()
            self._input.restore(state["input"])


class _ItemShuffle(_Shuffle):
    """Elements one by one."""

    def next(self) -> Item | None:
        size, places = self._source.size, self._places
        while self._input is not None and self._end - self._start < size:
            item = self._input.next()
            if item is None:
                self._next_epoch()
                continue
            self._is_new = False
            place = self._end % size
            if place == len(places):
                places.append(item)
            else:
                places[place] = item
            self._end += 1
        if self._end == self._start:
            return None
        choices = self._choices()
        drawn = (self._start + int(self._words.take(1)[0]) % choices) % size
        first = self._start % size
        item = places[drawn]
        places[drawn], places[first] = places[first], None
        self._start += 1
        return item


class _RowShuffle(_Shuffle):
    """Numbers of rows, many at a time."""

    def __init__(self, source: Shuffled) -> None:
        super().__init__(source)
        self._ring = NONE  # as long as has been needed so far, at most as the buffer
        self._ahead = NONE  # shuffled numbers that nobody has taken yet

    def next(self) -> Item | None:
        numbers = self.numbers(1)
        assert self._source.rows is not None
        return self._source.rows.item(int(numbers[0])) if len(numbers) else None

    def numbers(self, most: int) -> np.ndarray:
        if len(self._ahead) < most:
            more = self._shuffled(max(most, _AHEAD) - len(self._ahead))
            self._ahead = np.concatenate([self._ahead, *more])
        taken, self._ahead = self._ahead[:most], self._ahead[most:]
        return taken

    def _shuffled(self, most: int) -> list[np.ndarray]:
        """Draws so many numbers, or all that there are."""
        found: list[np.ndarray] = []
        size = self._source.size
        while most > 0:
            if self._input is not None and self._end - self._start < size:
                self._fill(size - (self._end - self._start))
                continue
            if self._end == self._start:
                break
            choices = self._choices()
            count = min(most, size)
            if self._input is None or self._ends:
                count = min(count, choices)
            news: np.ndarray | None = None
            if self._input is not None:
                news = self._input.numbers(count)
                count = len(news)
                if not count:
                    self._next_epoch()
                    continue
            found.append(self._drawn(count, choices, news))
            most -= count
        return found

    def _fill(self, room: int) -> None:
        assert self._input is not None
        numbers = self._input.numbers(room)
        if not len(numbers):
            self._next_epoch()
            return
        self._is_new = False
        size = self._source.size
        needed = min(self._end + len(numbers), size)
        if needed > len(self._ring):
            longer = np.empty(min(max(needed, 2 * len(self._ring)), size), np.int64)
            longer[: len(self._ring)] = self._ring
            self._ring = longer
        place = self._end % size
        head = numbers[: size - place]
        self._ring[place : place + len(head)] = head
        rest = numbers[size - place :]
        self._ring[: len(rest)] = rest
        self._end += len(numbers)

    def _drawn(self, count: int, choices: int, news: np.ndarray | None) -> np.ndarray:
        """Draws numbers; each makes room for one of `news`, if there are any.

        Args:
          choices: among how many the first one is drawn. They become fewer, unless what comes is of
            the same epoch.
        """
        words = self._words.take(count)
        # How many of them there are stays, as long as others of their epoch come.
        fewer = int(news is None or bool(self._ends))
        begin = self._start % self._source.size
        found = np.empty(count, np.int64)
        entering = found if news is None else news
        has_news = int(news is not None)
        args = count, words, choices, fewer, self._ring, self._source.size, begin, has_news
        if DRAW.is_there(count):
            DRAW(*args, np.ascontiguousarray(entering), found)
        else:
            _draw(*args, entering, found)
        if news is not None:
            self._is_new = False
            self._end += count
        self._start += count
        return found

    def state(self) -> State:
        return {**super().state(), "ahead": self._ahead, "places": self._ring}

    def restore(self, state: State) -> None:
        super().restore({**state, "places": []})
        self._ring = state["places"].copy()
        self._ahead = state["ahead"]


def _draw(
    count: int,
    words: np.ndarray,
    choices: int,
    fewer: int,
    ring: np.ndarray,
    size: int,
    begin: int,
    has_news: int,
    news: np.ndarray,
    found: np.ndarray,
) -> None:
    """What the kernel `drawing.draw` does."""
    turns = np.arange(count)
    places = (begin + turns + words.astype(np.int64) % (choices - turns * fewer)) % size
    firsts = (begin + turns) % size
    numbers, drawn, entering = ring.data, found.data, news.tolist()
    pairs = zip(places.tolist(), firsts.tolist(), strict=True)
    for turn, (place, first) in enumerate(pairs):
        drawn[turn] = numbers[place]
        numbers[place] = numbers[first]
        if has_news:
            numbers[first] = entering[turn]


def _shuffle_source(
    source: Source, buffer_size: Any, seed: Any, seed2: Any, reshuffle_each_iteration: bool
) -> Source:
    size = whole_number(buffer_size, "buffer_size", 1)
    chosen = Seeds(int(seed), int(seed2), reshuffle_each_iteration)
    return Shuffled(source, size, chosen, 1)


def _shuffle_and_repeat_source(
    source: Source, buffer_size: Any, seed: Any, seed2: Any, count: Any
) -> Source:
    size = whole_number(buffer_size, "buffer_size", 1)
    return Shuffled(source, size, Seeds(int(seed), int(seed2), False), int(count))


_shuffle = dataset_op(
    "ShuffleDataset",
    "input_dataset: variant, buffer_size: int64, seed: int64, seed2: int64",
    _shuffle_source,
    {"reshuffle_each_iteration": True},
)
_shuffle_and_repeat = dataset_op(
    "ShuffleAndRepeatDataset",
    "input_dataset: variant, buffer_size: int64, seed: int64, seed2: int64, count: int64",
    _shuffle_and_repeat_source,
)


def shuffled(dataset: Any, buffer_size: Any, seed: Any, reshuffle: bool | None) -> Recipe:
    """The elements of a dataset in a random order."""
    size = whole(buffer_size, "buffer_size")
    pair = seeds(seed)
    return Recipe(
        _shuffle,
        dataset.element,
        lambda: (dataset._as_variant_tensor(), size, *pair),
        reshuffle_each_iteration=True if reshuffle is None else bool(reshuffle),
    )


def shuffled_and_repeated(dataset: Any, buffer_size: Any, count: Any, seed: Any) -> Recipe:
    """The elements of a dataset several times over, in another random order each time."""
    size = whole(buffer_size, "buffer_size")
    times = optional(count, -1, "count")
    pair = seeds(seed)
    return Recipe(
        _shuffle_and_repeat,
        dataset.element,
        lambda: (dataset._as_variant_tensor(), size, *pair, times),
    )
