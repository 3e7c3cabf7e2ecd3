"""Iterators: what starts them, what they give, and where they end."""

from __future__ import annotations

import gc
import threading
import weakref

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.data import resources

D = hf.data.Dataset


def test_an_iterator_gives_what_comes_first():
    with hf.Graph().as_default(), hf.Session() as session:
        iterator = D.from_tensor_slices(([1.0, 2.0], [[3.0], [4.0]])).make_initializable_iterator()
        a, b = iterator.get_next()
        assert iterator.output_types == (hf.float32, hf.float32)
        assert [s.as_list() for s in iterator.output_shapes] == [[], [1]]
        assert iterator.output_classes == (hf.Tensor, hf.Tensor)
        with pytest.raises(hf.errors.FailedPreconditionError, match="initializer operation"):
            session.run(a)
        for _ in range(2):
            session.run(iterator.initializer)
            # One run takes one element, however much of it is fetched.
            assert session.run([a, b, a + 1.0]) == [1.0, [3.0], 2.0]
            assert session.run(b) == [4.0]
            with pytest.raises(hf.errors.OutOfRangeError, match="End of sequence"):
                session.run(a)


def test_two_ops_take_two_elements():
    with hf.Graph().as_default(), hf.Session() as session:
        iterator = D.range(4).make_one_shot_iterator()
        first, second = iterator.get_next(), iterator.get_next()
        assert sorted(session.run([first, second])) == [0, 1]
        assert session.run(first) == 2


def test_sessions_have_iterators_of_their_own():
    with hf.Graph().as_default():
        x = D.range(4).make_one_shot_iterator().get_next()
        with hf.Session() as one, hf.Session() as other:
            assert [one.run(x), one.run(x), other.run(x)] == [0, 1, 0]


def test_iterators_by_name():
    with hf.Graph().as_default() as graph, hf.Session() as session:
        iterator = D.range(4).make_initializable_iterator()
        iterator.get_next("element")
        names = [op.name for op in graph.get_operations()]
        assert {"Iterator", "RangeDataset", "MakeIterator", "element"} <= set(names)
        session.run("MakeIterator")
        assert session.run("element:0") == 0
        types = {op.type for op in graph.get_operations()}
        assert {"Iterator", "RangeDataset", "MakeIterator", "IteratorGetNext"} <= types


def test_what_waits_for_an_element():
    with hf.Graph().as_default(), hf.Session() as session:
        x = D.range(9).make_one_shot_iterator().get_next()
        v = hf.get_variable("v", initializer=np.int64(0))
        session.run(v.initializer)
        with hf.control_dependencies([x.op]):
            later = v.assign_add(10)
        assert session.run([later, x]) == [10, 0]
        with hf.control_dependencies([later]):
            after = D.range(9).make_one_shot_iterator().get_next()
        assert session.run([after, v]) == [0, 10]
        assert session.run(x) == 2


def test_an_end_leaves_variables_as_they_were():
    with hf.Graph().as_default(), hf.Session() as session:
        x = D.range(1).make_one_shot_iterator().get_next()
        v = hf.get_variable("v", initializer=np.int64(0))
        session.run(v.initializer)
        add, more = v.assign_add(1), v.assign_add(x)
        session.run(more)
        with pytest.raises(hf.errors.OutOfRangeError):
            session.run([add, more])
        assert session.run(v) == 0


def test_training_on_batches_runs_natively_for_each_size():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 3)).astype(np.float32)
    y = x @ np.array([[1.0], [2.0], [3.0]], np.float32)

    def losses(feed: bool) -> list[float]:
        with hf.Graph().as_default(), hf.Session() as session:
            data = D.from_tensor_slices((x, y)).repeat(6).batch(16)
            a, b = data.make_one_shot_iterator().get_next()
            if feed:
                a0, b0 = a, b
                a = hf.placeholder(hf.float32, [None, 3])
                b = hf.placeholder(hf.float32, [None, 1])
            w = hf.get_variable("w", [3, 1], initializer=hf.zeros_initializer())
            loss = hf.reduce_mean(hf.square(hf.matmul(a, w) - b))
            step = hf.train.GradientDescentOptimizer(0.1).minimize(loss)
            session.run(hf.global_variables_initializer())
            found = []
            while True:
                try:
                    feeds = dict(zip((a, b), session.run([a0, b0]), strict=True)) if feed else {}
                    found.append(float(session.run([loss, step], feeds)[0]))
                except hf.errors.OutOfRangeError:
                    return found

    np.testing.assert_allclose(losses(False), losses(True), rtol=1e-5)
    assert losses(False)[-1] < losses(False)[0] / 50


def test_callables_and_partial_runs_take_elements():
    with hf.Graph().as_default(), hf.Session() as session:
        x = D.range(9).make_one_shot_iterator().get_next()
        twice = session.make_callable(x * 2)
        assert [twice() for _ in range(4)] == [0, 2, 4, 6]
        fed = hf.placeholder(hf.int64, [])
        first, second = x + 1, x + fed
        run = session.partial_run_setup([first, second], [fed])
        assert session.partial_run(run, first) == 5
        assert session.partial_run(run, second, {fed: 10}) == 14


def test_elements_may_be_fed():
    with hf.Graph().as_default(), hf.Session() as session:
        x = D.range(9).make_one_shot_iterator().get_next()
        assert session.run(x + 1, {x: 100}) == 101
        assert session.run(x) == 0


def test_an_explanation_takes_one_element():
    with hf.Graph().as_default(), hf.Session() as session:
        x = D.from_tensor_slices(np.ones([9, 2], np.float32)).enumerate()
        number, row = x.make_one_shot_iterator().get_next()
        y = hf.tanh(row) * hf.cast(number, hf.float32)
        assert "Tanh" in str(hf.explain(y, session=session))
        assert session.run(number) == 1


def test_iterators_of_a_structure():
    with hf.Graph().as_default(), hf.Session() as session:
        iterator = hf.data.Iterator.from_structure((hf.int64, hf.string), ([None], []))
        numbers, _ = iterator.get_next()
        assert numbers.shape.as_list() == [None]
        for size in (2, 3):
            data = D.from_tensors((np.arange(size), "x"))
            session.run(iterator.make_initializer(data, name="start"))
            assert session.run(numbers).shape == (size,)
        with pytest.raises(TypeError, match="Expected output types"):
            iterator.make_initializer(D.from_tensors((np.arange(2.0), "x")))
        with pytest.raises(TypeError, match="compatible with"):
            iterator.make_initializer(D.from_tensors((np.int64(2), "x")))
        with pytest.raises((TypeError, ValueError)):
            iterator.make_initializer(D.range(3))
        with pytest.raises(ValueError, match="does not have an initializer"):
            _ = iterator.initializer
        with pytest.raises(TypeError):
            hf.data.Iterator.from_structure((hf.int64, hf.int64), [[], []])


def test_handles():
    with hf.Graph().as_default(), hf.Session() as session:
        iterator = D.range(9).make_one_shot_iterator()
        name = session.run(iterator.string_handle("name"))
        handle = hf.placeholder(hf.string, [])
        same = hf.data.Iterator.from_string_handle(handle, hf.int64, []).get_next()
        other = hf.data.Iterator.from_string_handle(handle, hf.float32, []).get_next()
        assert [session.run(same, {handle: name}), session.run(iterator.get_next())] == [0, 1]
        with pytest.raises(hf.errors.InvalidArgumentError, match="expected float32 but got int64"):
            session.run(other, {handle: name})
        with pytest.raises(hf.errors.NotFoundError, match="handle of no iterator"):
            session.run(same, {handle: b"what"})


def test_many_calls_are_warned_of():
    with hf.Graph().as_default():
        iterator = D.range(9).make_one_shot_iterator()
        for _ in range(32):
            iterator.get_next()
        with pytest.warns(UserWarning, match="unusually high number"):
            iterator.get_next()


def test_in_eager_mode_a_dataset_is_iterable():
    with hf.eager_mode():
        data = D.range(3)
        assert [int(x) for x in data] == [0, 1, 2] == [int(x) for x in data]
        iterator = data.make_one_shot_iterator()
        assert [int(iterator.get_next()), int(next(iterator)), int(iterator.next())] == [0, 1, 2]
        with pytest.raises(hf.errors.OutOfRangeError):
            iterator.get_next()
        with pytest.raises(StopIteration):
            iterator.next()
        with pytest.raises(RuntimeError, match="not supported when eager"):
            data.make_initializable_iterator()
    with hf.Graph().as_default(), pytest.raises(RuntimeError, match="eager execution"):
        iter(D.range(3))


def test_functions_of_eager_programs_see_variables():
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        v = hf.get_variable("v", initializer=2.0)
        data = D.range(3).map(lambda x: hf.cast(x, hf.float32) * v)
        assert [float(x) for x in data] == [0.0, 2.0, 4.0]
        v.assign(3.0)
        assert [float(x) for x in data] == [0.0, 3.0, 6.0]


def test_threads_share_an_iterator():
    with hf.Graph().as_default(), hf.Session() as session:
        x = D.range(2000).map(lambda x: x).make_one_shot_iterator().get_next()
        found: list[list[int]] = []

        def take() -> None:
            mine: list[int] = []
            found.append(mine)
            try:
                while True:
                    mine.append(int(session.run(x)))
            except hf.errors.OutOfRangeError:
                pass

        threads = [threading.Thread(target=take) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(n for mine in found for n in mine) == list(range(2000))


def test_a_closed_session_lets_go_of_its_iterators():
    known = set(resources._by_handle)
    with hf.Graph().as_default():
        x = D.range(9).map(lambda x: x).prefetch(2).make_one_shot_iterator().get_next()
        with hf.Session() as session:
            session.run(x)
            (new,) = set(resources._by_handle) - known
            mine = weakref.ref(resources._by_handle[new])
        del session
        gc.collect()
        assert mine() is None
