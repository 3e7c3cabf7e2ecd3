"""What each transformation of datasets gives, whichever way one goes through them."""

from __future__ import annotations

import collections
import time
from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.data import nest
from tests import native
from tests.data.running import WAYS, elements, listed

D = hf.data.Dataset
C = hf.contrib.data
Point = collections.namedtuple("Point", "x y")


def letters(count: int) -> Any:
    return D.from_tensor_slices(["a", "b", "c", "d", "e"][:count])


CASES: dict[str, tuple[Any, list[Any]]] = {
    "tensors": (lambda: D.from_tensors([1, 2]), [[1, 2]]),
    "slices": (lambda: D.from_tensor_slices([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
    "strings": (lambda: letters(2), [b"a", b"b"]),
    "pairs": (lambda: D.from_tensor_slices(([1, 2], ["a", "b"])), [(1, b"a"), (2, b"b")]),
    "dict": (
        lambda: D.from_tensor_slices({"b": [1, 2], "a": [3, 4]}),
        [{"b": 1, "a": 3}, {"b": 2, "a": 4}],
    ),
    "named": (
        lambda: (
            D.from_tensor_slices(Point([1, 2], [3, 4])).map(lambda p: Point(p.y, p.x))
            if False
            else D.from_tensor_slices(Point([1, 2], [3, 4]))
        ),
        [Point(1, 3), Point(2, 4)],
    ),
    "nothing": (lambda: D.from_tensor_slices(np.zeros([0, 3], np.float32)), []),
    "range": (lambda: D.range(3), [0, 1, 2]),
    "range_down": (lambda: D.range(5, 0, -2), [5, 3, 1]),
    "range_empty": (lambda: D.range(4, 4), []),
    "concatenate": (lambda: D.range(2).concatenate(D.range(5, 7)), [0, 1, 5, 6]),
    "zip": (lambda: D.zip((D.range(2), letters(5))), [(0, b"a"), (1, b"b")]),
    "zip_nested": (
        lambda: D.zip((D.range(1), (letters(1), D.range(4, 5)))),
        [(0, (b"a", 4))],
    ),
    "repeat": (lambda: D.range(2).repeat(2), [0, 1, 0, 1]),
    "repeat_never": (lambda: D.range(2).repeat(0), []),
    "repeat_ever": (lambda: D.range(2).repeat().take(5), [0, 1, 0, 1, 0]),
    "repeat_nothing": (lambda: D.range(0).repeat(), []),
    "repeat_mapped": (lambda: D.range(2).map(lambda x: -x).repeat(2), [0, -1, 0, -1]),
    "take": (lambda: D.range(9).take(2), [0, 1]),
    "take_none": (lambda: D.range(9).take(0), []),
    "take_all": (lambda: D.range(2).take(-1), [0, 1]),
    "take_more": (lambda: D.range(2).take(9), [0, 1]),
    "skip": (lambda: D.range(5).skip(3), [3, 4]),
    "skip_all": (lambda: D.range(5).skip(-1), []),
    "skip_more": (lambda: D.range(5).skip(9), []),
    "skip_mapped": (lambda: D.range(5).map(lambda x: x).skip(3), [3, 4]),
    "shard": (lambda: D.range(8).shard(3, 1), [1, 4, 7]),
    "shard_batched": (lambda: D.range(8).shard(3, 1).batch(2), [[1, 4], [7]]),
    "shard_mapped": (lambda: D.range(8).map(lambda x: x).shard(3, 2), [2, 5]),
    "batch": (lambda: D.range(5).batch(2), [[0, 1], [2, 3], [4]]),
    "batch_whole": (lambda: D.range(5).batch(2, drop_remainder=True), [[0, 1], [2, 3]]),
    "batch_strings": (lambda: letters(3).batch(2), [[b"a", b"b"], [b"c"]]),
    "batch_mapped": (
        lambda: D.range(3).map(lambda x: (x, [x, x])).batch(2),
        [([0, 1], [[0, 0], [1, 1]]), ([2], [[2, 2]])],
    ),
    "batch_twice": (lambda: D.range(6).batch(2).batch(2), [[[0, 1], [2, 3]], [[4, 5]]]),
    "unbatch": (lambda: D.range(5).batch(2).apply(C.unbatch()), [0, 1, 2, 3, 4]),
    "padded": (
        lambda: D.range(1, 4).map(lambda n: hf.fill([n], n)).padded_batch(2, [None]),
        [[[1, 0], [2, 2]], [[3, 3, 3]]],
    ),
    "padded_to": (
        lambda: (
            D.range(1, 3)
            .map(lambda n: hf.fill([n], n))
            .padded_batch(2, [3], hf.constant(-1, hf.int64))
        ),
        [[[1, -1, -1], [2, 2, -1]]],
    ),
    "padded_strings": (
        lambda: (
            letters(1).map(lambda s: (hf.stack([s, s]), s)).padded_batch(1, ([3], []), ("x", ""))
        ),
        [([[b"a", b"a", b"x"]], [b"a"])],
    ),
    "map": (lambda: D.range(3).map(lambda x: x * x), [0, 1, 4]),
    "map_pairs": (lambda: D.from_tensor_slices(([1, 2], [3, 4])).map(lambda x, y: x + y), [4, 6]),
    "map_to_dict": (
        lambda: D.range(2).map(lambda x: {"a": x, "b": -x}),
        [{"a": 0, "b": 0}, {"a": 1, "b": -1}],
    ),
    "map_to_list": (lambda: D.range(2).map(lambda x: [x, x + 1]), [(0, 1), (1, 2)]),
    "map_constant": (lambda: D.range(2).map(lambda x: 7), [7, 7]),
    "map_strings": (lambda: letters(2).map(lambda s: s + "!"), [b"a!", b"b!"]),
    "map_python": (
        lambda: D.range(3).map(lambda x: hf.py_func(lambda v: v * 2, [x], hf.int64)),
        [0, 2, 4],
    ),
    "map_ends": (lambda: D.range(9).map(lambda x: hf.py_func(_until_two, [x], hf.int64)), [0, 1]),
    "map_parallel": (lambda: D.range(40).map(lambda x: x * x, 4), [x * x for x in range(40)]),
    "map_parallel_slow": (
        lambda: D.range(30).map(lambda x: hf.py_func(_slowly, [x], hf.int64), 4),
        list(range(30)),
    ),
    "filter": (lambda: D.range(6).filter(lambda x: hf.equal(x % 2, 0)), [0, 2, 4]),
    "flat_map": (lambda: D.range(4).flat_map(D.range), [0, 0, 1, 0, 1, 2]),
    "flat_map_twice": (
        lambda: D.range(3).flat_map(lambda x: D.range(x).flat_map(lambda y: D.range(x + y))),
        [0, 0, 1, 0, 1, 2],
    ),
    "interleave": (
        lambda: D.range(1, 4).interleave(lambda x: D.from_tensors(x).repeat(3), 2, 2),
        [1, 1, 2, 2, 1, 2, 3, 3, 3],
    ),
    "interleave_threads": (
        lambda: D.range(1, 4).interleave(
            lambda x: D.from_tensors(x).repeat(3), 2, 2, num_parallel_calls=2
        ),
        [1, 1, 2, 2, 1, 2, 3, 3, 3],
    ),
    "parallel_interleave": (
        lambda: D.range(1, 4).apply(
            C.parallel_interleave(lambda x: D.from_tensors(x).repeat(3), 2, 2)
        ),
        [1, 1, 2, 2, 1, 2, 3, 3, 3],
    ),
    "cache": (lambda: D.range(3).cache().repeat(2), [0, 1, 2, 0, 1, 2]),
    "cache_mapped": (lambda: D.range(2).map(lambda x: -x).cache().repeat(2), [0, -1, 0, -1]),
    "prefetch": (lambda: D.range(3).map(lambda x: -x).prefetch(1), [0, -1, -2]),
    "prefetch_rows": (lambda: D.range(3).prefetch(2).batch(2), [[0, 1], [2]]),
    "prefetch_auto": (lambda: D.range(3).map(lambda x: x).prefetch(-1), [0, 1, 2]),
    "enumerate": (lambda: letters(2).enumerate(3), [(3, b"a"), (4, b"b")]),
    "scan": (
        lambda: D.range(4).apply(C.scan(np.int64(0), lambda s, x: (s + x, (s, x)))),
        [(0, 0), (0, 1), (1, 2), (3, 3)],
    ),
    # Lists are tensors there.
    "scan_lists": (
        lambda: D.range(3).apply(C.scan([0, 1], lambda s, x: ([s[1], s[0] + s[1]], [s[0], s[1]]))),
        [[0, 1], [1, 1], [1, 2]],
    ),
    "scan_growing": (
        lambda: D.range(3).apply(
            C.scan(np.zeros([0], np.int64), lambda s, x: (hf.concat([s, [x]], 0), hf.size(s)))
        ),
        [0, 1, 2],
    ),
    "counter": (lambda: C.Counter(3, -1).take(3), [3, 2, 1]),
    "group": (
        lambda: D.range(8).apply(
            C.group_by_window(lambda x: x % 2, lambda k, w: w.batch(3), window_size=3)
        ),
        [[0, 2, 4], [1, 3, 5], [6], [7]],
    ),
    "group_sizes": (
        lambda: D.range(6).apply(
            C.group_by_window(
                lambda x: x % 2,
                lambda k, w: w.map(lambda x: x + 10 * k).batch(9),
                window_size_func=lambda k: k + 1,
            )
        ),
        [[0], [2], [11, 13], [4], [15]],
    ),
    "ignore_errors": (
        lambda: (
            D.range(4).map(lambda x: hf.py_func(_not_two, [x], hf.int64)).apply(C.ignore_errors())
        ),
        [0, 1, 3],
    ),
    "map_and_batch": (
        lambda: D.range(5).apply(C.map_and_batch(lambda x: x + 1, 2)),
        [[1, 2], [3, 4], [5]],
    ),
    "batch_dropping": (lambda: D.range(5).apply(C.batch_and_drop_remainder(2)), [[0, 1], [2, 3]]),
    "unique": (lambda: D.from_tensor_slices(["a", "b", "a"]).apply(C.unique()), [b"a", b"b"]),
}


def _until_two(x: Any) -> Any:
    if x == 2:
        raise StopIteration
    return x


def _not_two(x: Any) -> Any:
    if x == 2:
        raise ValueError("two")
    return x


def _slowly(x: Any) -> Any:
    time.sleep(0.001 * float(x % 3 + 1) / 3)
    return x


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", CASES)
def test_a_dataset_gives(way, name):
    make, expected = CASES[name]
    assert listed(elements(way, make)) == expected


@pytest.mark.parametrize("name", CASES)
def test_elements_are_of_the_types_and_shapes_that_are_told(name):
    make, _ = CASES[name]
    with hf.eager_mode():
        dataset = make()
        for element in dataset:
            flat = hf.contrib.data.Dataset.from_tensors(element).element
            assert flat.flat_types == dataset.element.flat_types
            for known, shape in zip(dataset.element.flat_shapes, flat.flat_shapes, strict=True):
                assert known.is_compatible_with(shape)


def test_static_shapes():
    with hf.Graph().as_default():
        data = D.from_tensor_slices(np.zeros([6, 2, 3], np.float32))
        assert data.output_shapes.as_list() == [2, 3]
        assert data.batch(2).output_shapes.as_list() == [None, 2, 3]
        assert data.batch(2, drop_remainder=True).output_shapes.as_list() == [2, 2, 3]
        assert data.batch(2).apply(C.unbatch()).output_shapes.as_list() == [2, 3]
        assert data.padded_batch(4, [None, 5]).output_shapes.as_list() == [None, None, 5]
        other = D.from_tensor_slices(np.zeros([6, 2, 4], np.float32))
        assert data.concatenate(other).output_shapes.as_list() == [2, None]
        element = data.make_one_shot_iterator().get_next()
        assert element.shape.as_list() == [2, 3]


def test_how_datasets_show_themselves():
    with hf.Graph().as_default():
        text = repr(D.range(3).map(lambda x: (x, {"a": x})))
    assert text == (
        "<MapDataset shapes: ((), {a: ()}), types: (<dtype: int64>, {a: <dtype: int64>})>"
    )


def test_variables_and_captured_tensors():
    with hf.Graph().as_default(), hf.Session() as session:
        fed = hf.placeholder(hf.int64, [])
        counter = hf.get_variable(
            "counter", (), hf.int64, hf.zeros_initializer(), use_resource=True
        )
        plain = hf.get_variable("plain", (), hf.int64, hf.constant_initializer(5))
        data = D.range(fed).map(lambda x: counter.assign_add(fed) + plain + x)
        iterator = data.make_initializable_iterator()
        x = iterator.get_next()
        session.run(hf.global_variables_initializer())
        session.run(iterator.initializer, {fed: 3})
        assert [int(session.run(x)) for _ in range(3)] == [8, 12, 16]
        assert session.run(counter) == 9
        with pytest.raises(ValueError, match=r"Cannot capture a (stateful|placeholder)"):
            data.make_one_shot_iterator()
        with pytest.raises(ValueError, match="Cannot capture a placeholder"):
            D.range(fed).make_one_shot_iterator()


def test_what_is_made_anew_each_time_is_so_when_it_is_compiled():
    """Random numbers of a dataset begin anew, and texts among its inputs stay what they are."""
    with hf.Graph().as_default(), hf.Session() as session:
        data = D.range(3).map(lambda x: (hf.random_uniform([], seed=2), hf.as_string(x)))
        iterator = data.padded_batch(2, ([], []), (0.0, "x")).make_initializable_iterator()
        x = iterator.get_next()
        runs = []
        for _ in range(5):
            session.run(iterator.initializer)
            native.wait()
            runs.append(session.run(x)[0].tolist())
        assert len(set(map(tuple, runs))) == 1


def test_random_functions_go_on_from_element_to_element():
    with hf.Graph().as_default(), hf.Session() as session:
        hf.set_random_seed(1)
        data = D.range(8).map(lambda x: hf.random_uniform([], seed=2))
        iterator = data.make_initializable_iterator()
        x = iterator.get_next()
        runs = []
        for _ in range(2):
            session.run(iterator.initializer)
            runs.append([float(session.run(x)) for _ in range(8)])
        assert len(set(runs[0])) == 8
        assert runs[0] == runs[1]


def test_generators():
    def count(stop: int) -> Any:
        for i in range(stop):
            yield i, [1.0] * i

    made = lambda: D.from_generator(  # noqa: E731
        count, (hf.int64, hf.float32), ([], [None]), args=[2]
    ).repeat(2)
    for way in WAYS:
        assert listed(elements(way, made)) == [(0, []), (1, [1.0]), (0, []), (1, [1.0])]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (lambda: iter([np.float32(1)]), "of type float32 where an element of type int64"),
        (lambda: iter([[1, 2]]), "of shape .* where an element of shape"),
        (lambda: iter(["x"]), "could not be converted"),
        (lambda: iter([({}, 2)]), "could not be converted"),
        (lambda: 3, "something to iterate over"),
    ],
)
def test_what_a_generator_may_not_give(value, text):
    with pytest.raises(hf.errors.InvalidArgumentError, match=text):
        elements("eager", lambda: D.from_generator(value, hf.int64, []))
    with pytest.raises(hf.errors.InvalidArgumentError, match=text):
        elements("one_shot", lambda: D.from_generator(value, hf.int64, []))


def test_the_errors_of_generators_are_of_their_own_class_too():
    def fails() -> Any:
        yield 1
        raise KeyError("lost")

    with pytest.raises(KeyError, match="lost"):
        elements("one_shot", lambda: D.from_generator(fails, hf.int64, []))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("calls", [None, 4])
def test_an_error_of_a_function_names_the_element_and_the_line(way, calls):
    def make() -> Any:
        numbers = D.from_tensor_slices([[1.0], [2.0], [3.0]]).repeat(5)
        return numbers.map(lambda x: hf.reshape(x, [hf.cast(x[0], hf.int32)]), calls)

    with pytest.raises(hf.errors.InvalidArgumentError) as caught:
        elements(way, make)
    text = str(caught.value)
    assert "for element 1" in text
    assert "test_datasets.py" in text
    assert "hf.reshape(x" in text


def test_after_an_error_elements_go_on():
    with hf.Graph().as_default(), hf.Session() as session:
        data = D.range(4).map(lambda x: hf.py_func(_not_two, [x], hf.int64))
        x = data.make_one_shot_iterator().get_next()
        assert [session.run(x), session.run(x)] == [0, 1]
        with pytest.raises(hf.errors.InvalidArgumentError, match="two"):
            session.run(x)
        assert session.run(x) == 3
        for _ in range(2):
            with pytest.raises(hf.errors.OutOfRangeError, match="End of sequence"):
                session.run(x)


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: D.range(3).batch(0), hf.errors.InvalidArgumentError, "greater than zero"),
        (lambda: D.range(3).shuffle(0), hf.errors.InvalidArgumentError, "greater than zero"),
        (lambda: D.range(3).prefetch(-2), hf.errors.InvalidArgumentError, "at least -1"),
        (lambda: D.range(0, 3, 0), hf.errors.InvalidArgumentError, "non-zero"),
        (
            lambda: D.range(1, 3).map(lambda n: hf.fill([n], n)).batch(2),
            hf.errors.InvalidArgumentError,
            "different shapes in component 0",
        ),
        (
            lambda: D.range(3, 4).map(lambda n: hf.fill([n], n)).padded_batch(2, [2]),
            hf.errors.DataLossError,
            "smaller size",
        ),
        (lambda: D.range(3).interleave(D.range, 0), hf.errors.InvalidArgumentError, "cycle_length"),
        (
            lambda: D.range(3).apply(C.group_by_window(lambda x: x, lambda k, w: w, window_size=0)),
            hf.errors.InvalidArgumentError,
            "Window size",
        ),
    ],
)
def test_errors_when_it_runs(make, error, text):
    with pytest.raises(error, match=text):
        elements("eager", make)
    with pytest.raises(error, match=text):
        elements("initializable", make)


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: D.from_tensor_slices(1), ValueError, "from_tensors"),
        (lambda: D.from_tensor_slices(([1], [1, 2])), ValueError, "got 1, 2 rows"),
        (lambda: D.range(), ValueError, "Invalid arguments"),
        (lambda: D.range(3).shard(0, 0), ValueError, "num_shards must be >= 1"),
        (lambda: D.range(3).shard(2, -1), ValueError, "index must be >= 0"),
        (lambda: D.range(3).shard(2, 2), ValueError, "index must be < num_shards; 2"),
        (lambda: D.zip([D.range(3)]), TypeError, "use a tuple instead"),
        (lambda: D.zip((D.range(3), 3)), TypeError, "nested structure of `Dataset`"),
        (lambda: D.range(3).concatenate(letters(1)), TypeError, "different types"),
        (lambda: D.range(3).flat_map(lambda x: x), TypeError, "must return a `Dataset`.*, got <hf"),
        (lambda: D.range(3).filter(lambda x: x), ValueError, "scalar boolean tensor.*hf.equal"),
        (lambda: D.range(3).apply(lambda d: 3), TypeError, "must return a Dataset, got 3"),
        (
            lambda: D.range(3).map(lambda x: x.numpy()),
            AttributeError,
            "is being traced, once for all its calls.*by `hf.py_func`",
        ),
        (lambda: D.range(3).map(lambda x: None), TypeError, r"passed to Dataset.map\(\): None"),
        (
            lambda: D.from_tensor_slices((np.zeros([2, 3]), {"a": np.zeros(3)})),
            ValueError,
            r"`from_tensor_slices` needs .* got 2, 3 rows: shapes \(2, 3\), \(3,\)",
        ),
        (lambda: D.from_generator(3, hf.int64), TypeError, "must be callable"),
        (lambda: D.range(3).padded_batch(2, [2]), ValueError, "not compatible"),
        (lambda: D.range(3).padded_batch(2, [], 1.0), TypeError, "does not match output type"),
        (lambda: D.range(3).apply(C.scan(np.int64(0), lambda s, x: s)), TypeError, "a pair"),
        (lambda: D.range(3).apply(C.scan(0, lambda s, x: (x, x))), TypeError, "must match"),
        (lambda: D.range(3).apply(C.unbatch()), ValueError, "scalar components"),
        (lambda: D.from_tensors(1.5).apply(C.unique()), TypeError, "only supports"),
    ],
)
@pytest.mark.parametrize("mode", ["eager", "graph"])
def test_errors_when_it_is_made(make, error, text, mode):
    with (
        hf.eager_mode() if mode == "eager" else hf.Graph().as_default(),
        pytest.raises(error, match=text),
    ):
        make()


def test_a_class_of_ones_own():
    class Doubled(hf.data.Dataset):
        def __init__(self, dataset: Any) -> None:
            super().__init__()
            self._dataset = dataset.map(lambda x: 2 * x)

        def _as_variant_tensor(self) -> Any:
            return self._dataset._as_variant_tensor()

        output_types = hf.int64
        output_shapes = hf.TensorShape([])
        output_classes = hf.Tensor

    for way in WAYS:
        assert listed(elements(way, lambda: Doubled(D.range(3)).map(lambda x: x + 1))) == [1, 3, 5]


def test_single_elements():
    for way in ("eager", "graph"):
        with hf.eager_mode() if way == "eager" else hf.Graph().as_default():
            one = C.get_single_element(D.range(3).batch(3))
            value = one.numpy() if way == "eager" else hf.Session().run(one)
            assert value.tolist() == [0, 1, 2]
    with hf.eager_mode():
        for count, text in ((0, "empty"), (2, "more than one")):
            with pytest.raises(hf.errors.InvalidArgumentError, match=text):
                C.get_single_element(D.range(count))
        with pytest.raises(TypeError):
            C.get_single_element(3)


def test_sizes_of_batches_of_what_is_mapped_may_be_fed():
    with hf.Graph().as_default(), hf.Session() as session:
        size, batches = (hf.placeholder(hf.int64, []) for _ in range(2))
        data = D.range(5).apply(C.map_and_batch(lambda x: x + 1, size, batches))
        iterator = data.make_initializable_iterator()
        session.run(iterator.initializer, {size: 3, batches: 2})
        assert session.run(iterator.get_next()).tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda data: data.shuffle(0), "buffer_size must be greater than zero, got 0"),
        (lambda data: data.batch(0), "Batch size must be greater than zero, got 0"),
        (lambda data: data.prefetch(-5), "buffer_size must be at least -1, got -5"),
    ],
)
def test_errors_name_the_line_of_the_dataset(make, text):
    with hf.Graph().as_default(), hf.Session() as session:
        data = make(D.range(3))
        line = make.__code__.co_firstlineno
        iterator = data.make_initializable_iterator()
        with pytest.raises(hf.errors.InvalidArgumentError, match=rf"{text}[^$]*datasets.py:{line}"):
            session.run(iterator.initializer)


def test_errors_of_generators_name_their_line():
    def numbers() -> Any:
        yield 1
        raise KeyError("lost")

    data = lambda: D.from_generator(numbers, hf.int64).batch(2)  # noqa: E731
    with pytest.raises(KeyError, match=r"in the generator.*test_datasets.py:\d+: raise"):
        elements("eager", data)
    with pytest.raises(hf.errors.InvalidArgumentError, match="something to iterate over, got 3"):
        elements("eager", lambda: D.from_generator(lambda: 3, hf.int64))


def test_padded_strings_are_bytes():
    words = ["x y", "z", ""]
    scalars = elements("eager", lambda: D.from_tensor_slices(words).padded_batch(2, [], ""))
    assert [[type(word) for word in batch] for batch in scalars] == [[bytes, bytes], [bytes]]
    assert listed(scalars) == [[b"x y", b"z"], [b""]]
    lists = elements(
        "eager",
        lambda: D.range(3).map(lambda n: hf.fill([n], "a")).padded_batch(3, [3], "-"),
    )
    assert listed(lists) == [[[b"-"] * 3, [b"a", b"-", b"-"], [b"a", b"a", b"-"]]]


REDUCED = {
    "sum": (lambda: D.range(5).reduce(hf.constant(0, hf.int64), lambda s, x: s + x), 10),
    "nothing": (lambda: D.range(0).reduce(7, lambda s, x: s), 7),
    "structure": (
        lambda: D.zip((D.range(5), D.range(5, 10))).reduce(
            (hf.constant(0, hf.int64), {"n": 1}),
            lambda s, x: (s[0] + x[0] * x[1], {"n": s[1]["n"] * 2}),
        ),
        (80, {"n": 32}),
    ),
    "growing": (
        lambda: D.range(3).reduce(
            hf.zeros([0], hf.int64), lambda s, x: hf.concat([s, hf.reshape(x, [1])], 0)
        ),
        [0, 1, 2],
    ),
}


@pytest.mark.parametrize("name", sorted(REDUCED))
@pytest.mark.parametrize("way", ["eager", "graph", "function"])
def test_elements_are_reduced(name, way):
    """The first three are what TensorFlow 1.15 gives."""
    make, expected = REDUCED[name]
    with hf.eager_mode() if way != "graph" else hf.Graph().as_default():
        found = hf.function(make)() if way == "function" else make()
        if way == "graph":
            with hf.Session() as session:
                found = session.run(found)
        plain = nest.map_structure(lambda x: getattr(x, "numpy", lambda: x)(), found)
        assert listed([plain]) == [expected]


def test_errors_of_what_is_reduced():
    with hf.Graph().as_default(), hf.Session() as session:
        whole = D.from_tensor_slices([3, 0]).reduce(12, lambda s, x: s // x)
        with pytest.raises(hf.errors.InvalidArgumentError, match="of `reduce`, for element 1"):
            session.run(whole)
        with pytest.raises(TypeError, match="must match the initial state"):
            D.range(3).reduce(0, lambda s, x: x)
